//! Expressions at component level, in which names are components of one data set.

use schemas::structure::ValueType;
use schemas::table::Cell;

use super::call::BoundArgument;
use super::typing::{ExprType, describe_type, result_type, with_article};
use super::{Checker, ExprValue, column_expr};
use crate::ast::{ComponentRef, Expr, ExprNode};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span, suggestion};
use crate::op::{AggregateOp, Op, TimeOp};
use crate::plan::{AggregateColumn, PlanColumn, Term, TypedExpr};

/// Context of a component expression.
pub(super) struct ComponentScope {
    pub(super) columns: Vec<PlanColumn>,
    pub(super) level: ScopeLevel,
}

/// Constructs allowed in a component expression.
pub(super) enum ScopeLevel {
    /// Values of single data points, including analytic invocations.
    Row,
    /// Values of groups; the columns of the aggregates found so far follow the `keys`.
    Group { keys: usize, summaries: Vec<AggregateColumn> },
    /// Operand of an aggregate or analytic invocation, which may not contain another one.
    Inner,
}

impl ComponentScope {
    pub(super) fn row(columns: &[PlanColumn]) -> Self {
        Self { columns: columns.to_vec(), level: ScopeLevel::Row }
    }
}

impl Checker<'_> {
    pub(super) fn check_component(&mut self, expr: &Expr, scope: &mut ComponentScope) -> Option<TypedExpr> {
        self.check_nested(expr.span, |checker| checker.check_component_node(expr, scope))
    }

    fn check_component_node(&mut self, expr: &Expr, scope: &mut ComponentScope) -> Option<TypedExpr> {
        match &expr.node {
            ExprNode::Constant(cell) => Some(constant_expr(cell.clone(), expr.span)),
            ExprNode::Name(name) => self.resolve_component_name(name, expr.span, scope),
            ExprNode::Member(operand, name) => match &operand.node {
                ExprNode::Name(alias) => {
                    let name = self.substitute_name(name).into_owned();
                    self.column_by_name(Some(alias), &name.text, expr.span, &scope.columns)
                }
                _ => self.report_error(DiagnosticCode::Structure, expr.span, "expected `alias#component`"),
            },
            ExprNode::Apply(Op::Time(TimeOp::Indicator), operands) if operands.is_empty() => {
                self.indicator_of_identifier(&scope.columns, expr.span)
            }
            ExprNode::Apply(op, operands) => {
                // Checks all operands before the first error ends it, so that their errors are reported
                // together.
                let typed: Vec<Option<TypedExpr>> =
                    operands.iter().map(|operand| self.check_component(operand, scope)).collect();
                let typed: Option<Vec<TypedExpr>> = typed.into_iter().collect();
                self.apply_operator(*op, typed?, expr.span)
            }
            ExprNode::Aggregate(aggregate) => {
                if aggregate.grouping.is_some() {
                    let message =
                        "a grouping clause follows the aggregates of a clause and cannot be inside them";
                    return self.report_error(DiagnosticCode::Structure, expr.span, message);
                }
                let (op, operand) = (aggregate.op, aggregate.operand.as_ref());
                self.check_group_aggregate(op, operand, expr.span, scope)
            }
            ExprNode::Window(window) => self.check_component_window(window, expr.span, scope),
            ExprNode::Call(name, arguments) => self.check_component_call(name, arguments, expr.span, scope),
            ExprNode::Domain { operand, domain, negated } => {
                let typed = self.check_component(operand, scope);
                let mut operands = self.value_list(domain, expr.span)?;
                operands.insert(0, typed?);
                self.apply_operator(membership_operator(*negated), operands, expr.span)
            }
            ExprNode::Omitted | ExprNode::List(_) => {
                self.report_error(DiagnosticCode::Syntax, expr.span, "expected an expression")
            }
            _ => self.report_error(DiagnosticCode::Type, expr.span, "expected a component, found a data set"),
        }
    }

    /// Checks a condition: a boolean at component level.
    pub(super) fn check_condition(&mut self, expr: &Expr, scope: &mut ComponentScope) -> Option<TypedExpr> {
        let typed = self.check_component(expr, scope)?;
        if typed.value_type.is_some_and(|value_type| value_type != ValueType::Boolean) {
            let message =
                format!("expected a condition (`boolean`), found {}", describe_type(typed.value_type));
            return self.report_error(DiagnosticCode::Type, expr.span, message);
        }
        Some(typed)
    }

    fn resolve_component_name(
        &mut self,
        name: &str,
        span: Span,
        scope: &ComponentScope,
    ) -> Option<TypedExpr> {
        match self.parameter_value(name).cloned() {
            Some(BoundArgument::Scalar(typed)) => return self.expand_value(&typed, span),
            Some(BoundArgument::Component(component, wanted)) => {
                let typed = self.column_by_name(None, &component.text, span, &scope.columns)?;
                return self.check_parameter_role(typed, &wanted, &scope.columns);
            }
            Some(BoundArgument::Faulty) => return None,
            Some(_) => {
                return self.report_error(DiagnosticCode::Type, span, format!("`{name}` is not a component"));
            }
            None => {}
        }
        if let ScopeLevel::Group { .. } = scope.level {
            let message = format!("`{name}` has many values in a group, but `having` compares aggregates");
            self.diagnostics.push(
                Diagnostic::new(DiagnosticCode::Structure, span, message)
                    .with_hint(format!("for example `max({name})`")),
            );
            return None;
        }
        let known = scope.columns.iter().any(|column| column.name == name);
        if self.in_component_call() || (!known && !self.calls.is_empty()) {
            return self.report_not_a_parameter(name, span);
        }
        // In a clause, components take precedence over scalar results (specs/vtl.md, 5).
        if !known && let Some(Some(ExprValue::Scalar(typed))) = self.names.get(name) {
            return Some(TypedExpr { span, ..typed.clone() });
        }
        self.column_by_name(None, name, span, &scope.columns)
    }

    /// Returns a column by name, optionally qualified by the alias of a join operand.
    pub(super) fn column_by_name(
        &mut self,
        alias: Option<&str>,
        name: &str,
        span: Span,
        columns: &[PlanColumn],
    ) -> Option<TypedExpr> {
        let at = self.find_column(alias, name, span, columns)?;
        columns.get(at).map(|column| column_expr(at, column, span))
    }

    pub(super) fn component_position(
        &mut self,
        component: &ComponentRef,
        columns: &[PlanColumn],
    ) -> Option<usize> {
        let component = &self.substitute_component(component);
        let alias = component.alias.as_ref().map(|alias| alias.text.as_str());
        let span =
            component.alias.as_ref().map_or(component.name.span, |alias| alias.span.to(component.name.span));
        self.find_column(alias, &component.name.text, span, columns)
    }

    fn find_column(
        &mut self,
        alias: Option<&str>,
        name: &str,
        span: Span,
        columns: &[PlanColumn],
    ) -> Option<usize> {
        let fits = |column: &PlanColumn| {
            column.name == name && alias.is_none_or(|alias| column.aliases.iter().any(|own| own == alias))
        };
        let mut matches = columns.iter().enumerate().filter(|(_, column)| fits(column)).map(|(at, _)| at);
        let (first, second) = (matches.next(), matches.next());
        match (first, second) {
            (Some(at), None) => Some(at),
            // Building the hint costs time in proportion to the columns.
            _ if self.diagnostics.is_full() => None,
            (None, _) => {
                let hint = suggestion(name, columns.iter().map(|column| column.name.as_str()));
                let shown = alias.map_or(name.to_owned(), |alias| format!("{alias}#{name}"));
                let message = format!("the data set has no component `{shown}`");
                let known: Vec<String> = columns.iter().map(|column| format!("`{}`", column.name)).collect();
                let hint = hint.or_else(|| Some(format!("it has {}", known.join(", "))));
                self.diagnostics.push(
                    Diagnostic::new(DiagnosticCode::UnknownName, span, message).with_optional_hint(hint),
                );
                None
            }
            _ => {
                let aliases =
                    columns.iter().filter(|column| column.name == name).flat_map(|column| &column.aliases);
                let choices: Vec<String> = aliases.map(|alias| format!("`{alias}#{name}`")).collect();
                let message = format!("`{name}` is a component of several operands of the join");
                let hint = format!("write {}", choices.join(" or "));
                self.diagnostics
                    .push(Diagnostic::new(DiagnosticCode::Ambiguous, span, message).with_hint(hint));
                None
            }
        }
    }

    /// Applies a row-wise operator to typed operands.
    pub(super) fn apply_operator(
        &mut self,
        op: Op,
        operands: Vec<TypedExpr>,
        span: Span,
    ) -> Option<TypedExpr> {
        let value_types: Vec<ExprType> = operands.iter().map(|operand| operand.value_type).collect();
        let value_type = match result_type(op, &value_types) {
            Ok(value_type) => value_type,
            Err(misfit) => {
                let operand = operands.get(misfit.operand);
                let place = operand.map_or(span, |operand| operand.span);
                // Columns passed on by the checker have no span of their own.
                let place = if place == Span::default() { span } else { place };
                let seen = describe_type(operand.and_then(|operand| operand.value_type));
                let message = format!("`{}` expected {}, found {seen}", op.name(), misfit.expected);
                return self.report_error(DiagnosticCode::Type, place, message);
            }
        };
        self.check_literals(op, &operands)?;
        let operands = match op {
            // The evaluator expects both branches in the same type.
            Op::If | Op::Nvl => {
                operands.into_iter().map(|operand| widen_to_number(operand, value_type)).collect()
            }
            _ => operands,
        };
        Some(TypedExpr { term: Term::Apply(op, operands), value_type, span })
    }

    /// Checks an aggregate in `having`, which becomes another column of the groups.
    fn check_group_aggregate(
        &mut self,
        op: AggregateOp,
        operand: Option<&Expr>,
        span: Span,
        scope: &mut ComponentScope,
    ) -> Option<TypedExpr> {
        if !matches!(scope.level, ScopeLevel::Group { .. }) {
            let message = format!("`{}` over a component is only allowed in `aggr` or `having`", op.name());
            let hint = format!("over a window write `{}(… over (…))`", op.name());
            self.diagnostics.push(Diagnostic::new(DiagnosticCode::Structure, span, message).with_hint(hint));
            return None;
        }
        let summary = self.check_aggregate_column(op, operand, span, &scope.columns)?;
        let value_type = summary.value_type;
        let ScopeLevel::Group { keys, summaries } = &mut scope.level else { return None };
        // INVARIANT: as in the group step, aggregates of `having` follow the keys and those of the clause.
        summaries.push(summary);
        Some(TypedExpr {
            term: Term::Column(*keys + summaries.len() - 1),
            value_type: Some(value_type),
            span,
        })
    }

    /// Checks an aggregate over a component expression.
    pub(super) fn check_aggregate_column(
        &mut self,
        op: AggregateOp,
        operand: Option<&Expr>,
        span: Span,
        columns: &[PlanColumn],
    ) -> Option<AggregateColumn> {
        let mut inner = ComponentScope { columns: columns.to_vec(), level: ScopeLevel::Inner };
        let operand = match operand {
            None => None,
            Some(expr) => Some(self.check_component(expr, &mut inner)?),
        };
        let value_type = self.aggregate_type(
            op,
            operand.as_ref().and_then(|operand| operand.value_type),
            operand.is_some(),
            span,
        )?;
        Some(AggregateColumn { op, operand, value_type, span, viral: None })
    }

    /// Returns the result type of an aggregate.
    pub(super) fn aggregate_type(
        &mut self,
        op: AggregateOp,
        value_type: ExprType,
        given: bool,
        span: Span,
    ) -> Option<ValueType> {
        match (op, value_type) {
            (AggregateOp::Count, _) => Some(ValueType::Integer),
            (AggregateOp::Sum, Some(value_type @ (ValueType::Integer | ValueType::Number))) => {
                Some(value_type)
            }
            (AggregateOp::Min | AggregateOp::Max, Some(value_type)) => Some(value_type),
            // Means, medians and deviations of integers are numbers too (specs/vtl.md, 6).
            (_, Some(ValueType::Integer | ValueType::Number)) => Some(ValueType::Number),
            (_, None) if given => {
                self.report_error(DiagnosticCode::Type, span, "an aggregate of `null` has no type")
            }
            _ => {
                let message =
                    format!("`{}` expected a number, found {}", op.name(), describe_type(value_type));
                self.report_error(DiagnosticCode::Type, span, message)
            }
        }
    }
}

/// Returns the operator of `operand in { … }`.
pub(super) fn membership_operator(negated: bool) -> Op {
    if negated { Op::NotIn } else { Op::In }
}

/// Returns the literal `false`.
pub(super) fn false_constant(span: Span) -> TypedExpr {
    constant_expr(Some(Cell::Boolean(false)), span)
}

/// Returns a typed literal.
pub(super) fn constant_expr(cell: Option<Cell>, span: Span) -> TypedExpr {
    let value_type = cell.as_ref().map(|cell| match cell {
        Cell::Text(_) => ValueType::String,
        Cell::Integer(_) => ValueType::Integer,
        Cell::Number(_) => ValueType::Number,
        Cell::Boolean(_) => ValueType::Boolean,
        Cell::Period(_) => ValueType::TimePeriod,
    });
    TypedExpr { term: Term::Constant(cell), value_type, span }
}

/// Casts an integer to a number where a number is expected (reference manual, "Description of the data
/// types").
pub(super) fn widen_to_number(operand: TypedExpr, value_type: ExprType) -> TypedExpr {
    if value_type != Some(ValueType::Number) || operand.value_type != Some(ValueType::Integer) {
        return operand;
    }
    let span = operand.span;
    TypedExpr { term: Term::Apply(Op::Cast(ValueType::Number), vec![operand]), value_type, span }
}

/// Returns the diagnostic for a component that is always null and therefore has no type.
pub(super) fn null_type_error(name: &str, span: Span) -> Diagnostic {
    let message = format!("`{name}` is always null and therefore has no type");
    Diagnostic::new(DiagnosticCode::Type, span, message)
        .with_hint(format!("for example `cast(null, {})`", "number"))
}

/// Returns the message for a component of the wrong type.
pub(super) fn type_mismatch_message(name: &str, wanted: ValueType, seen: ExprType) -> String {
    format!("`{name}` is {}, found {}", with_article(wanted), describe_type(seen))
}
