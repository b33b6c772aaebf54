//! `if` and `case` over data sets (reference manual, "if-then-else").
//!
//! Data points with a true condition are joined with the first branch, all others with the second, and
//! the result is the union of both. A data point absent from its branch is left out. A null condition
//! selects the second branch.

use schemas::structure::{Role, ValueType};

use super::component::widen_to_number;
use super::dataset::is_carried;
use super::set::shared_column_type;
use super::{Checker, ExprValue, column_expr, columns_with_role};
use crate::ast::Expr;
use crate::diagnostic::{DiagnosticCode, Span};
use crate::op::Op;
use crate::plan::{Operation, PlanColumn, TypedExpr};

impl Checker<'_> {
    pub(super) fn check_conditional(
        &mut self,
        values: Vec<ExprValue>,
        operands: &[Expr],
        span: Span,
    ) -> Option<usize> {
        let [condition, then, other] = <[ExprValue; 3]>::try_from(values).ok()?;
        let place = |at: usize| operands.get(at).map_or(span, |operand| operand.span);
        let ExprValue::Data(condition) = condition else {
            let message = "the condition is a scalar, so both branches must be scalars";
            return self.report_error(DiagnosticCode::Structure, place(0), message);
        };
        let truth = self.condition_measure(condition, place(0))?;
        let shape = self.branch_columns(condition, &then, &other, (place(1), place(2)))?;
        let yes = self.push_branch(condition, truth.clone(), &then, &shape, place(1))?;
        // A null condition selects the second branch, so null counts as false before the negation.
        let no = self.apply_operator(Op::Nvl, vec![truth, super::component::false_constant(span)], span)?;
        let no = self.apply_operator(Op::Not, vec![no], span)?;
        let no = self.push_branch(condition, no, &other, &shape, place(2))?;
        self.push_union(&[yes, no], span)
    }

    /// Returns the only measure of a condition, which must be a boolean.
    pub(super) fn condition_measure(&mut self, step: usize, span: Span) -> Option<TypedExpr> {
        let columns = self.step_columns(step).to_vec();
        let measures = columns_with_role(&columns, Role::Measure);
        match measures.as_slice() {
            [at] if columns.get(*at).is_some_and(|column| column.value_type == ValueType::Boolean) => {
                Some(column_expr(*at, columns.get(*at)?, span))
            }
            _ => self.report_error(
                DiagnosticCode::Structure,
                span,
                "the condition needs exactly one measure, of type `boolean`",
            ),
        }
    }

    /// Returns the components of the result: those of the branches that are data sets.
    fn branch_columns(
        &mut self,
        condition: usize,
        then: &ExprValue,
        other: &ExprValue,
        spans: (Span, Span),
    ) -> Option<Vec<PlanColumn>> {
        let of = |value: &ExprValue| if let ExprValue::Data(step) = value { Some(*step) } else { None };
        let identifiers = |columns: &[PlanColumn]| -> Vec<(String, ValueType)> {
            let mut found: Vec<_> = columns
                .iter()
                .filter(|column| column.role == Role::Identifier)
                .map(|column| (column.name.clone(), column.value_type))
                .collect();
            // The branches may have their identifiers in another order.
            found.sort();
            found
        };
        let wanted = identifiers(self.step_columns(condition));
        let mut shape: Option<Vec<PlanColumn>> = None;
        for (value, span) in [(then, spans.0), (other, spans.1)] {
            let Some(step) = of(value) else { continue };
            let columns: Vec<PlanColumn> = self
                .step_columns(step)
                .iter()
                .filter(|column| is_carried(column) || column.role == Role::Measure)
                .cloned()
                .collect();
            if identifiers(&columns) != wanted {
                let message = "the identifiers differ from those of the condition";
                return self.report_error(DiagnosticCode::Structure, span, message);
            }
            shape = match shape {
                Some(before) => self.unify_branches(before, &columns, span)?.into(),
                None => Some(columns),
            };
        }
        match shape {
            Some(shape) => Some(shape),
            None => self.report_error(
                DiagnosticCode::Structure,
                spans.0,
                "one of the branches must be a data set",
            ),
        }
    }

    /// Unifies the components of both branches; integer and number become number.
    fn unify_branches(
        &mut self,
        mut shape: Vec<PlanColumn>,
        other: &[PlanColumn],
        span: Span,
    ) -> Option<Vec<PlanColumn>> {
        let alike = shape.len() == other.len();
        for slot in &mut shape {
            let twin = other.iter().find(|column| column.name == slot.name && column.role == slot.role);
            match twin.and_then(|twin| shared_column_type(slot, twin.value_type)) {
                Some(value_type) if alike => slot.value_type = value_type,
                _ => {
                    return self.report_error(
                        DiagnosticCode::Structure,
                        span,
                        "both branches must have the same components",
                    );
                }
            }
        }
        Some(shape)
    }

    /// Adds the data points of one branch: where `holds` is true, with the columns of `shape` in its
    /// order.
    fn push_branch(
        &mut self,
        condition: usize,
        holds: TypedExpr,
        value: &ExprValue,
        shape: &[PlanColumn],
        span: Span,
    ) -> Option<usize> {
        let columns = self.step_columns(condition).to_vec();
        let points = self.push_step(Operation::Filter { input: condition, condition: holds }, columns, span);
        // Viral attributes of the condition are dropped (specs/vtl.md, 4).
        let keys = self.pass_columns(points, |column| column.role == Role::Identifier);
        let points = self.push_map(points, keys, span);
        let joined = match value {
            ExprValue::Data(step) => self.join_datasets((points, *step), span)?,
            ExprValue::Scalar(_) => points,
        };
        let columns = self.step_columns(joined).to_vec();
        let mut outputs = Vec::new();
        for wanted in shape {
            let at =
                columns.iter().position(|column| column.name == wanted.name && column.role == wanted.role);
            let typed = match (at, value) {
                (Some(at), _) => {
                    widen_to_number(column_expr(at, columns.get(at)?, span), Some(wanted.value_type))
                }
                (None, ExprValue::Scalar(typed)) if wanted.role == Role::Measure => {
                    self.scalar_as_measure(typed, wanted, span)?
                }
                // A scalar branch has null viral attributes (specs/vtl.md, 4).
                _ => TypedExpr {
                    value_type: Some(wanted.value_type),
                    ..super::component::constant_expr(None, span)
                },
            };
            outputs.push((PlanColumn { aliases: Vec::new(), ..wanted.clone() }, typed));
        }
        Some(self.push_map(joined, outputs, span))
    }

    /// Returns a scalar branch as the value of a measure.
    fn scalar_as_measure(&mut self, typed: &TypedExpr, column: &PlanColumn, span: Span) -> Option<TypedExpr> {
        let typed = widen_to_number(typed.clone(), Some(column.value_type));
        match typed.value_type {
            Some(value_type) if value_type != column.value_type => {
                let message = super::component::type_mismatch_message(
                    &column.name,
                    column.value_type,
                    Some(value_type),
                );
                self.report_error(DiagnosticCode::Type, span, message)
            }
            _ => Some(TypedExpr { value_type: Some(column.value_type), ..typed }),
        }
    }
}
