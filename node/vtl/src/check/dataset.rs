//! Expressions at data set level; operators over data sets become joins and maps.

use std::collections::BTreeSet;

use schemas::structure::Role;

use super::call::BoundArgument;
use super::component::{constant_expr, membership_operator, null_type_error};
use super::typing::describe_type;
use super::{Checker, ExprValue, column_expr, columns_with_role};
use crate::ast::{Expr, ExprNode, Ident};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::op::{Op, TimeOp, default_measure_name};
use crate::plan::{JoinColumn, JoinMode, Operation, PlanColumn, Term, TypedExpr};

impl Checker<'_> {
    pub(super) fn check_expr(&mut self, expr: &Expr) -> Option<ExprValue> {
        self.check_nested(expr.span, |checker| checker.check_expr_node(expr))
    }

    fn check_expr_node(&mut self, expr: &Expr) -> Option<ExprValue> {
        match &expr.node {
            ExprNode::Constant(cell) => Some(ExprValue::Scalar(constant_expr(cell.clone(), expr.span))),
            ExprNode::Name(name) if !self.calls.is_empty() => self.resolve_parameter(name, expr.span),
            ExprNode::Name(name) => match self.names.get(name)?.clone()? {
                ExprValue::Scalar(typed) => Some(ExprValue::Scalar(TypedExpr { span: expr.span, ..typed })),
                data => Some(data),
            },
            ExprNode::Member(operand, name) => self.check_membership(operand, name, expr.span),
            ExprNode::Apply(op, operands) => {
                // Checks all operands before the first error ends it, so that their errors are reported
                // together.
                let values: Vec<Option<ExprValue>> =
                    operands.iter().map(|operand| self.check_expr(operand)).collect();
                let values: Option<Vec<ExprValue>> = values.into_iter().collect();
                self.check_operator(*op, values?, operands, expr.span)
            }
            ExprNode::Shift(operand, count) => self.check_timeshift(operand, count, expr.span),
            ExprNode::Series(op, operand) => {
                self.check_series_operator(*op, operand, expr.span).map(ExprValue::Data)
            }
            ExprNode::Aggregate(aggregate) => self.check_aggregate(aggregate, expr.span),
            ExprNode::Window(window) => self.check_dataset_window(window, expr.span).map(ExprValue::Data),
            ExprNode::Clause(operand, clause) => {
                let step = self.check_dataset(operand)?;
                self.check_clause(step, clause, expr.span).map(ExprValue::Data)
            }
            ExprNode::Join(join) => self.check_join(join, expr.span).map(ExprValue::Data),
            ExprNode::Call(name, arguments) => self.check_call(name, arguments, expr.span),
            ExprNode::Omitted | ExprNode::List(_) => {
                self.report_error(DiagnosticCode::Syntax, expr.span, "expected an expression")
            }
            ExprNode::Domain { operand, domain, negated } => {
                let value = self.check_expr(operand);
                let list = self.value_list(domain, expr.span)?;
                let mut values = vec![value?];
                values.extend(list.into_iter().map(ExprValue::Scalar));
                self.check_operator(
                    membership_operator(*negated),
                    values,
                    std::slice::from_ref(operand),
                    expr.span,
                )
            }
            ExprNode::Set(op, operands) => {
                self.check_set_operator(*op, operands, expr.span).map(ExprValue::Data)
            }
            ExprNode::ExistsIn(left, right, retain) => {
                self.check_exists_in(left, right, *retain, expr.span).map(ExprValue::Data)
            }
            ExprNode::Check(check) => self.check_validation(check, expr.span),
            ExprNode::CheckDatapoint(check) => self.check_datapoint(check, expr.span),
            ExprNode::CheckHierarchy(call) => self.check_hierarchy(call, true, expr.span),
            ExprNode::Hierarchy(call) => self.check_hierarchy(call, false, expr.span),
        }
    }

    /// Resolves a parameter of the operator whose body is being checked.
    fn resolve_parameter(&mut self, name: &str, span: Span) -> Option<ExprValue> {
        match self.parameter_value(name).cloned() {
            Some(BoundArgument::Data(step)) => Some(ExprValue::Data(step)),
            Some(BoundArgument::Scalar(typed)) => self.expand_value(&typed, span).map(ExprValue::Scalar),
            Some(BoundArgument::Faulty) => None,
            Some(_) => self.report_error(
                DiagnosticCode::Type,
                span,
                format!("`{name}` is neither a data set nor a scalar"),
            ),
            None => self.report_not_a_parameter(name, span),
        }
    }

    /// Checks an operator over data sets and scalars.
    fn check_operator(
        &mut self,
        op: Op,
        values: Vec<ExprValue>,
        operands: &[Expr],
        span: Span,
    ) -> Option<ExprValue> {
        let sets: Vec<usize> = values
            .iter()
            .filter_map(|value| if let ExprValue::Data(step) = value { Some(*step) } else { None })
            .collect();
        match (op, sets.as_slice()) {
            (_, []) => {
                let scalars = values.into_iter().filter_map(|value| {
                    if let ExprValue::Scalar(typed) = value { Some(typed) } else { None }
                });
                self.apply_operator(op, scalars.collect(), span).map(ExprValue::Scalar)
            }
            (Op::Time(op @ (TimeOp::Indicator | TimeOp::Add)), [only]) => {
                self.check_time_operator(op, *only, &values, span).map(ExprValue::Data)
            }
            (Op::Time(TimeOp::Indicator | TimeOp::Add), _) => self.report_error(
                DiagnosticCode::Structure,
                span,
                format!("`{}` takes exactly one data set", op.name()),
            ),
            (Op::If, _) => self.check_conditional(values, operands, span).map(ExprValue::Data),
            (_, [only]) => self.apply_rowwise(op, *only, &values, span).map(ExprValue::Data),
            (_, sets) => self.apply_between_datasets(op, sets, &values, operands, span).map(ExprValue::Data),
        }
    }

    /// Applies an operator to each measure of a single data set.
    fn apply_rowwise(&mut self, op: Op, step: usize, values: &[ExprValue], span: Span) -> Option<usize> {
        let columns = self.step_columns(step).to_vec();
        let measures = self.operand_measures(op, &columns, span)?;
        let mut outputs = self.pass_columns(step, is_carried);
        for at in measures {
            let column = columns.get(at)?;
            let operands = values.iter().map(|value| match value {
                ExprValue::Data(_) => column_expr(at, column, span),
                ExprValue::Scalar(typed) => typed.clone(),
            });
            let typed = self.apply_operator(op, operands.collect(), span)?;
            outputs.push(self.result_measure(op, &column.name, typed)?);
        }
        Some(self.push_map(step, outputs, span))
    }

    /// Returns the measures that an operator applies to, or reports why there are none.
    fn operand_measures(&mut self, op: Op, columns: &[PlanColumn], span: Span) -> Option<Vec<usize>> {
        let measures = columns_with_role(columns, Role::Measure);
        if measures.is_empty() {
            return self.report_error(
                DiagnosticCode::Structure,
                span,
                format!("`{}` needs a measure, but the data set has none", op.name()),
            );
        }
        // reference manual, "Operators changing the data type": several measures would take the same default name.
        if op.changes_type() && measures.len() != 1 {
            let message = format!(
                "`{}` needs a data set with exactly one measure, found {}",
                op.name(),
                measures.len()
            );
            self.diagnostics.push(
                Diagnostic::new(DiagnosticCode::Structure, span, message)
                    .with_hint("select one: `DS#measure`"),
            );
            return None;
        }
        Some(measures)
    }

    /// Returns the result measure of an operator.
    fn result_measure(&mut self, op: Op, name: &str, typed: TypedExpr) -> Option<(PlanColumn, TypedExpr)> {
        let Some(value_type) = typed.value_type else {
            self.diagnostics.push(null_type_error(name, typed.span));
            return None;
        };
        let name = if op.changes_type() { default_measure_name(value_type) } else { name };
        Some((PlanColumn::measure(name, value_type), typed))
    }

    /// Joins several data sets on their common identifiers and applies the operator to measures of the
    /// same name.
    fn apply_between_datasets(
        &mut self,
        op: Op,
        sets: &[usize],
        values: &[ExprValue],
        operands: &[Expr],
        span: Span,
    ) -> Option<usize> {
        let (first, rest) = sets.split_first()?;
        let columns = self.step_columns(*first).to_vec();
        let measures = self.operand_measures(op, &columns, span)?;
        let mut joined = *first;
        for set in rest {
            let others = self.step_columns(*set).to_vec();
            self.check_same_measures(&columns, &others, operands, span)?;
            joined = self.join_datasets((joined, *set), span)?;
        }
        let columns = self.step_columns(joined).to_vec();
        let mut outputs = self.pass_columns(joined, is_carried);
        for at in &measures {
            let name = self.step_columns(*first).get(*at)?.name.clone();
            let homonyms = columns_with_role(&columns, Role::Measure)
                .into_iter()
                .filter(|at| columns.get(*at).is_some_and(|f| f.name == name));
            let mut homonyms = homonyms.filter_map(|at| Some(column_expr(at, columns.get(at)?, span)));
            let each = values.iter().map(|value| match value {
                ExprValue::Data(_) => homonyms.next(),
                ExprValue::Scalar(typed) => Some(typed.clone()),
            });
            let each: Option<Vec<TypedExpr>> = each.collect();
            let typed = self.apply_operator(op, each?, span)?;
            outputs.push(self.result_measure(op, &name, typed)?);
        }
        Some(self.push_map(joined, outputs, span))
    }

    fn check_same_measures(
        &mut self,
        left: &[PlanColumn],
        right: &[PlanColumn],
        operands: &[Expr],
        span: Span,
    ) -> Option<()> {
        let names = |columns: &[PlanColumn]| -> BTreeSet<String> {
            columns
                .iter()
                .filter(|column| column.role == Role::Measure)
                .map(|column| column.name.clone())
                .collect()
        };
        let (a, b) = (names(left), names(right));
        if a == b {
            return Some(());
        }
        let list = |names: &BTreeSet<String>| {
            let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            if quoted.is_empty() { "none".to_owned() } else { quoted.join(", ") }
        };
        let message = format!("the data sets have different measures: {} and {}", list(&a), list(&b));
        let span = operands.get(1).map_or(span, |operand| operand.span);
        let hint = "select or rename a measure first: `DS#measure`, `DS[rename … to …]`";
        self.diagnostics.push(Diagnostic::new(DiagnosticCode::Structure, span, message).with_hint(hint));
        None
    }

    /// Joins two data sets when the identifiers of one contain those of the other. Measures stay side
    /// by side; viral attributes of the same name are merged.
    pub(super) fn join_datasets(&mut self, sides: (usize, usize), span: Span) -> Option<usize> {
        let columns = (self.step_columns(sides.0).to_vec(), self.step_columns(sides.1).to_vec());
        let (left, right) = (
            columns_with_role(&columns.0, Role::Identifier),
            columns_with_role(&columns.1, Role::Identifier),
        );
        let keys: Vec<(usize, usize)> =
            left.iter().filter_map(|at| Some((*at, matching_column(&columns.0, *at, &columns.1)?))).collect();
        if keys.len() != left.len().min(right.len()) {
            let message = "neither data set has all identifiers of the other";
            return self.report_error(DiagnosticCode::Structure, span, message);
        }
        for (a, b) in &keys {
            self.check_same_type(columns.0.get(*a)?, columns.1.get(*b)?, span)?;
        }
        // The result has the identifiers of the side with more of them, in its order.
        let wide_left = left.len() >= right.len();
        let mut outputs: Vec<JoinColumn> = if wide_left {
            left.iter().map(|at| JoinColumn::Left(*at)).collect()
        } else {
            right.iter().map(|at| JoinColumn::Right(*at)).collect()
        };
        for role in [Role::Measure, Role::ViralAttribute] {
            outputs.extend(columns_with_role(&columns.0, role).into_iter().map(JoinColumn::Left));
            outputs.extend(columns_with_role(&columns.1, role).into_iter().map(JoinColumn::Right));
        }
        let described = outputs.iter().filter_map(|side| match side {
            JoinColumn::Left(at) | JoinColumn::Either(at, _) => columns.0.get(*at).cloned(),
            JoinColumn::Right(at) => columns.1.get(*at).cloned(),
        });
        let described = described.collect();
        let outputs = outputs.into_iter().map(|side| (side, None)).collect();
        let matching = JoinMode::Inner;
        let operation = Operation::Join { left: sides.0, right: sides.1, keys, outputs, matching };
        let step = self.push_step(operation, described, span);
        self.merge_viral_attributes(step, span)
    }

    /// Reports matching identifiers of different types.
    pub(super) fn check_same_type(&mut self, a: &PlanColumn, b: &PlanColumn, span: Span) -> Option<()> {
        if a.value_type == b.value_type {
            return Some(());
        }
        let message = format!(
            "identifier `{}` is {} in one data set and {} in the other",
            a.name,
            describe_type(Some(a.value_type)),
            describe_type(Some(b.value_type))
        );
        self.report_error(DiagnosticCode::Type, span, message)
    }

    /// Checks `operand # name` (reference manual, "Membership").
    fn check_membership(&mut self, operand: &Expr, name: &Ident, span: Span) -> Option<ExprValue> {
        let name = &self.substitute_name(name).into_owned();
        let step = self.check_dataset(operand)?;
        let columns = self.step_columns(step).to_vec();
        let typed = self.column_by_name(None, &name.text, name.span, &columns)?;
        let (at, column) = columns.iter().enumerate().find(|(_, column)| column.name == name.text)?;
        // A data set without identifiers has at most one data point: its component is a scalar.
        if columns_with_role(&columns, Role::Identifier).is_empty() {
            let picked = self.push_step(Operation::Pick { input: step, column: at }, Vec::new(), span);
            return Some(ExprValue::Scalar(TypedExpr {
                term: Term::Scalar(picked),
                value_type: Some(column.value_type),
                span,
            }));
        }
        let mut outputs = self.pass_columns(step, is_carried);
        let shown = if column.role == Role::Measure {
            column.name.as_str()
        } else {
            default_measure_name(column.value_type)
        };
        let measure = PlanColumn::measure(shown, column.value_type);
        outputs.push((measure, typed));
        Some(ExprValue::Data(self.push_map(step, outputs, span)))
    }
}

/// Returns whether operators on data sets keep a component: identifiers and viral attributes.
pub(super) fn is_carried(column: &PlanColumn) -> bool {
    matches!(column.role, Role::Identifier | Role::ViralAttribute)
}

/// Returns the column of the other side with the same name and role.
fn matching_column(columns: &[PlanColumn], at: usize, other: &[PlanColumn]) -> Option<usize> {
    let column = columns.get(at)?;
    other.iter().position(|candidate| candidate.name == column.name && candidate.role == column.role)
}
