//! Set operators (reference manual, "Set operators") and `exists_in`.
//!
//! Data points are compared by their identifiers only; all operators become unions and semi-joins.

use schemas::structure::{Role, ValueType};

use super::component::widen_to_number;
use super::{Checker, column_expr, columns_with_role};
use crate::ast::{Expr, SetOp};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::op::default_measure_name;
use crate::plan::{Operation, PlanColumn, Term, TypedExpr};

impl Checker<'_> {
    /// Checks `union`, `intersect`, `setdiff` or `symdiff`.
    pub(super) fn check_set_operator(&mut self, op: SetOp, operands: &[Expr], span: Span) -> Option<usize> {
        let steps: Vec<Option<usize>> = operands.iter().map(|operand| self.check_dataset(operand)).collect();
        let steps: Vec<usize> = steps.into_iter().collect::<Option<_>>()?;
        let common = self.common_columns(op, &steps, operands)?;
        let steps: Vec<usize> = steps.iter().map(|step| self.align_columns(*step, &common, span)).collect();
        match (op, steps.as_slice()) {
            (SetOp::Union, steps) => self.push_union(steps, span),
            (SetOp::Symdiff, [left, right]) => {
                let apart = [
                    self.push_semi_join(*left, *right, false, span),
                    self.push_semi_join(*right, *left, false, span),
                ];
                self.push_union(&apart, span)
            }
            (op, [first, others @ ..]) => {
                let present = op == SetOp::Intersect;
                Some(
                    others
                        .iter()
                        .fold(*first, |left, right| self.push_semi_join(left, *right, present, span)),
                )
            }
            _ => None,
        }
    }

    /// Adds the union of steps whose columns have the same names, roles, types and order.
    pub(super) fn push_union(&mut self, steps: &[usize], span: Span) -> Option<usize> {
        let columns = self.step_columns(*steps.first()?).to_vec();
        Some(self.push_step(Operation::Union { inputs: steps.to_vec() }, columns, span))
    }

    /// Adds the data points of the left side whose key is present, or absent, on the right side.
    fn push_semi_join(&mut self, left: usize, right: usize, present: bool, span: Span) -> usize {
        let columns = self.step_columns(left).to_vec();
        let keys = columns_with_role(&columns, Role::Identifier).into_iter().map(|at| (at, at)).collect();
        self.push_step(Operation::SemiJoin { left, right, keys, present }, columns, span)
    }

    /// Returns the columns of the first data set with types common to all operands.
    fn common_columns(&mut self, op: SetOp, steps: &[usize], operands: &[Expr]) -> Option<Vec<PlanColumn>> {
        let mut common = self.step_columns(*steps.first()?).to_vec();
        for (step, operand) in steps.iter().zip(operands).skip(1) {
            let columns = self.step_columns(*step).to_vec();
            if columns.len() != common.len() {
                return self.report_different_components(op, &common, &columns, operand.span);
            }
            for slot in &mut common {
                let other =
                    columns.iter().find(|column| column.name == slot.name && column.role == slot.role);
                let value_type = other.and_then(|other| shared_column_type(slot, other.value_type));
                let Some(value_type) = value_type else {
                    return self.report_different_components(
                        op,
                        &columns,
                        std::slice::from_ref(slot),
                        operand.span,
                    );
                };
                slot.value_type = value_type;
            }
        }
        common.iter_mut().for_each(|column| column.aliases.clear());
        Some(common)
    }

    /// Reports a component that only some of the operands have.
    fn report_different_components<T>(
        &mut self,
        op: SetOp,
        a: &[PlanColumn],
        b: &[PlanColumn],
        span: Span,
    ) -> Option<T> {
        let missing = |from: &[PlanColumn], to: &[PlanColumn]| {
            let absent = |column: &&PlanColumn| {
                !to.iter().any(|other| {
                    (other.name.as_str(), other.role, other.value_type)
                        == (column.name.as_str(), column.role, column.value_type)
                })
            };
            from.iter().find(absent).cloned()
        };
        let odd = missing(b, a).or_else(|| missing(a, b));
        let shown = odd.map_or(String::new(), |column| {
            format!(
                ": not all have the {} `{}` of type `{}`",
                column.role.as_str(),
                column.name,
                column.value_type.as_str()
            )
        });
        let message = format!("`{}` needs data sets with the same components{shown}", op.name());
        let hint = "align them with `keep`, `rename` or `calc`";
        self.diagnostics.push(Diagnostic::new(DiagnosticCode::Structure, span, message).with_hint(hint));
        None
    }

    /// Brings a data set to the common order and types of its columns.
    fn align_columns(&mut self, step: usize, common: &[PlanColumn], span: Span) -> usize {
        let columns = self.step_columns(step).to_vec();
        // Saves a step when nothing changes.
        if columns == common {
            return step;
        }
        let outputs = common.iter().filter_map(|wanted| {
            let at = columns.iter().position(|column| column.name == wanted.name)?;
            let typed = column_expr(at, columns.get(at)?, span);
            Some((wanted.clone(), widen_to_number(typed, Some(wanted.value_type))))
        });
        let outputs = outputs.collect();
        self.push_map(step, outputs, span)
    }

    /// Checks `exists_in`: for each left data point, whether the right side has its common identifiers.
    pub(super) fn check_exists_in(
        &mut self,
        left: &Expr,
        right: &Expr,
        retain: Option<bool>,
        span: Span,
    ) -> Option<usize> {
        // Both are checked before either ends the check, so that errors of both are reported.
        let (a, b) = (self.check_dataset(left), self.check_dataset(right));
        let (a, b) = (a?, b?);
        let (ours, theirs) = (self.step_columns(a).to_vec(), self.step_columns(b).to_vec());
        let (mine, others) =
            (columns_with_role(&ours, Role::Identifier), columns_with_role(&theirs, Role::Identifier));
        let twin = |at: usize| {
            let name = &ours.get(at)?.name;
            others.iter().copied().find(|other| theirs.get(*other).is_some_and(|column| column.name == *name))
        };
        let keys: Vec<(usize, usize)> = mine.iter().filter_map(|at| Some((*at, twin(*at)?))).collect();
        // The common identifiers must be all of one side (specs/vtl.md, 15).
        if keys.len() != mine.len().min(others.len()) {
            let message = "neither data set has all identifiers of the other";
            return self.report_error(DiagnosticCode::Structure, span, message);
        }
        for (x, y) in &keys {
            self.check_same_type(ours.get(*x)?, theirs.get(*y)?, span)?;
        }
        let mut columns: Vec<PlanColumn> = mine.iter().filter_map(|at| ours.get(*at)).cloned().collect();
        let name = default_measure_name(ValueType::Boolean);
        columns.push(PlanColumn::measure(name, ValueType::Boolean));
        let found = self.push_step(Operation::Exists { left: a, right: b, keys }, columns.clone(), span);
        let Some(retain) = retain else { return Some(found) };
        let flag =
            TypedExpr { term: Term::Column(columns.len() - 1), value_type: Some(ValueType::Boolean), span };
        let condition =
            if retain { flag } else { self.apply_operator(crate::op::Op::Not, vec![flag], span)? };
        Some(self.push_step(Operation::Filter { input: found, condition }, columns, span))
    }
}

/// Returns the common type of two columns; identifiers must have equal types.
pub(super) fn shared_column_type(column: &PlanColumn, other: ValueType) -> Option<ValueType> {
    let numeric = |value_type: ValueType| matches!(value_type, ValueType::Integer | ValueType::Number);
    if column.value_type == other {
        return Some(other);
    }
    (column.role != Role::Identifier && numeric(column.value_type) && numeric(other))
        .then_some(ValueType::Number)
}
