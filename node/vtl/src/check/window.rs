//! Analytic invocations on components and on data sets (reference manual, "Analytic invocation").

use schemas::structure::{Role, ValueType};

use super::component::{ComponentScope, ScopeLevel, constant_expr, widen_to_number};
use super::typing::{ExprType, describe_type, with_article};
use super::{Checker, ExprValue, column_expr, columns_with_role, time_identifier};
use crate::ast::{self, AnalyticInvocation, Expr, ExprNode, GroupingMode, PropagationRule};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span, suggestion};
use crate::op::{AggregateOp, AnalyticOp, default_measure_name};
use crate::plan::{PlanColumn, Term, TypedExpr, WindowBound, WindowCall};

impl Checker<'_> {
    /// Checks an analytic invocation in `calc` or `filter`.
    pub(super) fn check_component_window(
        &mut self,
        window: &AnalyticInvocation,
        span: Span,
        scope: &mut ComponentScope,
    ) -> Option<TypedExpr> {
        if !matches!(scope.level, ScopeLevel::Row) {
            return self.report_error(
                DiagnosticCode::Structure,
                span,
                "an analytic invocation is only allowed in `calc` or `filter`",
            );
        }
        let operand = match &window.operand {
            None => constant_expr(None, span),
            Some(operand) => {
                let mut inner = ComponentScope { columns: scope.columns.clone(), level: ScopeLevel::Inner };
                self.check_component(operand, &mut inner)?
            }
        };
        let frame = self.window_call(window, &scope.columns, span)?;
        self.analytic_expr(frame, operand, span)
    }

    /// Checks an analytic invocation over a data set.
    pub(super) fn check_dataset_window(&mut self, window: &AnalyticInvocation, span: Span) -> Option<usize> {
        let Some(operand) = &window.operand else {
            return self.report_error(
                DiagnosticCode::Structure,
                span,
                "`rank` is only allowed in `calc` or `filter`",
            );
        };
        let step = self.check_dataset(operand)?;
        let columns = self.step_columns(step).to_vec();
        let frame = self.window_call(window, &columns, span)?;
        if frame.op == AnalyticOp::Aggregate(AggregateOp::Count) {
            return self.count_data_points(step, &frame, span);
        }
        self.apply_to_measures(step, &frame, span)
    }

    /// Applies an analytic invocation to each measure.
    fn apply_to_measures(&mut self, step: usize, frame: &WindowCall, span: Span) -> Option<usize> {
        let columns = self.step_columns(step).to_vec();
        let measures = columns_with_role(&columns, Role::Measure);
        if measures.is_empty() && !frame.op.accepts_no_measure() {
            let message = format!("`{}` needs a measure, but the data set has none", frame.op.name());
            return self.report_error(DiagnosticCode::Structure, span, message);
        }
        let mut outputs = self.pass_columns(step, |column| column.role == Role::Identifier);
        for at in measures {
            let column = columns.get(at)?;
            let typed = self.analytic_expr(frame.clone(), column_expr(at, column, span), span)?;
            let value_type = typed.value_type?;
            outputs.push((PlanColumn { value_type, aliases: Vec::new(), ..column.clone() }, typed));
        }
        outputs.extend(self.viral_window_columns(&columns, frame, span)?);
        Some(self.push_map(step, outputs, span))
    }

    /// Counts data points; `count` over a data set does not depend on its measures.
    fn count_data_points(&mut self, step: usize, frame: &WindowCall, span: Span) -> Option<usize> {
        // A constant is never null, so every data point counts.
        let one = constant_expr(Some(schemas::table::Cell::Integer(1)), span);
        let typed = self.analytic_expr(frame.clone(), one, span)?;
        let mut outputs = self.pass_columns(step, |column| column.role == Role::Identifier);
        let name = default_measure_name(ValueType::Integer);
        outputs.push((PlanColumn::measure(name, ValueType::Integer), typed));
        let columns = self.step_columns(step).to_vec();
        outputs.extend(self.viral_window_columns(&columns, frame, span)?);
        Some(self.push_map(step, outputs, span))
    }

    /// Returns the viral attributes, each merged over the window of the data point.
    fn viral_window_columns(
        &mut self,
        columns: &[PlanColumn],
        frame: &WindowCall,
        span: Span,
    ) -> Option<Vec<(PlanColumn, TypedExpr)>> {
        let mut outputs = Vec::new();
        for at in columns_with_role(columns, Role::ViralAttribute) {
            let column = columns.get(at)?;
            let op = match self.propagation_rule(&column.name, column.value_type)? {
                None => AnalyticOp::Viral,
                Some(PropagationRule::Aggregate(op)) => AnalyticOp::Aggregate(op),
                Some(PropagationRule::Enumerated { .. }) => {
                    let message = format!(
                        "the rule of `{}` lists values, which is not supported over windows",
                        column.name
                    );
                    return self.report_error(DiagnosticCode::Unsupported, span, message);
                }
            };
            let frame = WindowCall { op, offset: None, default: None, ..frame.clone() };
            let typed = self.analytic_expr(frame, column_expr(at, column, span), span)?;
            outputs.push((
                PlanColumn { value_type: typed.value_type?, aliases: Vec::new(), ..column.clone() },
                typed,
            ));
        }
        Some(outputs)
    }

    /// Adds an extension (`ewma`, `chain_product`) along the time of each series.
    pub(super) fn push_series_window(
        &mut self,
        op: AnalyticOp,
        step: usize,
        weight: Option<TypedExpr>,
        span: Span,
    ) -> Option<usize> {
        let columns = self.step_columns(step).to_vec();
        let time = match time_identifier(&columns) {
            Ok(time) => time,
            Err(reason) => return self.report_error(DiagnosticCode::Structure, span, reason),
        };
        let partition =
            columns_with_role(&columns, Role::Identifier).into_iter().filter(|at| *at != time).collect();
        let frame = WindowCall {
            op,
            operand: constant_expr(None, span),
            offset: weight,
            default: None,
            partition,
            // Recurrences run forward in time, from the first data point of the series.
            order: vec![(time, false)],
            lengths: Vec::new(),
            range: false,
            from: WindowBound::First,
            to: WindowBound::Current,
        };
        self.apply_to_measures(step, &frame, span)
    }

    /// Returns an analytic invocation with its operand and result type.
    fn analytic_expr(&mut self, frame: WindowCall, operand: TypedExpr, span: Span) -> Option<TypedExpr> {
        let value_type = match frame.op {
            AnalyticOp::Aggregate(op) => Some(self.aggregate_type(op, operand.value_type, true, span)?),
            AnalyticOp::Rank => Some(ValueType::Integer),
            AnalyticOp::Ratio | AnalyticOp::Ewma | AnalyticOp::Product => {
                if operand
                    .value_type
                    .is_some_and(|value_type| !matches!(value_type, ValueType::Integer | ValueType::Number))
                {
                    let message = format!(
                        "`{}` expected a number, found {}",
                        frame.op.name(),
                        describe_type(operand.value_type)
                    );
                    return self.report_error(DiagnosticCode::Type, span, message);
                }
                Some(ValueType::Number)
            }
            AnalyticOp::First | AnalyticOp::Last | AnalyticOp::Lag | AnalyticOp::Lead | AnalyticOp::Viral => {
                operand.value_type
            }
        };
        let default = match frame.default.clone() {
            Some(default) => Some(self.check_lag_default(default, value_type, frame.op)?),
            None => None,
        };
        let frame = WindowCall { operand, default, ..frame };
        Some(TypedExpr { term: Term::Window(Box::new(frame)), value_type, span })
    }

    /// Checks that the default of `lag` or `lead` has the type of the operand.
    fn check_lag_default(
        &mut self,
        default: TypedExpr,
        value_type: ExprType,
        op: AnalyticOp,
    ) -> Option<TypedExpr> {
        let default = widen_to_number(default, value_type);
        if default.value_type.is_none() || value_type.is_none() || default.value_type == value_type {
            return Some(default);
        }
        let wanted = value_type.map_or(String::new(), with_article);
        let message = format!(
            "the default of `{}` must be {wanted}, found {}",
            op.name(),
            describe_type(default.value_type)
        );
        self.report_error(DiagnosticCode::Type, default.span, message)
    }

    /// Returns partition, order and window of an invocation, still without its operand.
    fn window_call(
        &mut self,
        window: &AnalyticInvocation,
        columns: &[PlanColumn],
        span: Span,
    ) -> Option<WindowCall> {
        let mut order = Vec::new();
        for (component, down) in &window.order {
            order.push((self.component_position(component, columns)?, *down));
        }
        let partition = self.partition_columns(window, &order, columns)?;
        self.check_window_clauses(window, span)?;
        let offset = match &window.offset {
            Some(offset) => Some(self.check_positive_count(offset, window.op)?),
            None => None,
        };
        let default = match &window.default {
            Some(default) => Some(self.check_scalar(default)?),
            None => None,
        };
        let (range, from, to) = self.window_bounds(window, &order, columns)?;
        let long =
            |at: &usize| columns.get(*at).is_some_and(|column| column.value_type == ValueType::Duration);
        let lengths = order.iter().map(|(at, _)| *at).filter(long).collect();
        Some(WindowCall {
            op: window.op,
            operand: constant_expr(None, span),
            offset,
            default,
            partition,
            order,
            lengths,
            range,
            from,
            to,
        })
    }

    /// Returns the partition identifiers; by default those that do not order.
    fn partition_columns(
        &mut self,
        window: &AnalyticInvocation,
        order: &[(usize, bool)],
        columns: &[PlanColumn],
    ) -> Option<Vec<usize>> {
        let identifiers = columns_with_role(columns, Role::Identifier);
        let mut named = Vec::new();
        for component in window.partition.iter().flat_map(|(_, names)| names) {
            let at = self.component_position(component, columns)?;
            if !identifiers.contains(&at) {
                let message = format!("`partition` expected an identifier, found `{}`", component.name.text);
                return self.report_error(DiagnosticCode::Structure, component.name.span, message);
            }
            named.push(at);
        }
        Some(match &window.partition {
            Some((GroupingMode::By, _)) => named,
            Some((GroupingMode::Except, _)) => {
                identifiers.into_iter().filter(|at| !named.contains(at)).collect()
            }
            Some((GroupingMode::All, _)) => Vec::new(),
            None => identifiers.into_iter().filter(|at| !order.iter().any(|(by, _)| by == at)).collect(),
        })
    }

    /// Checks that an operator has the clauses that it requires and no others.
    fn check_window_clauses(&mut self, window: &AnalyticInvocation, span: Span) -> Option<()> {
        let (ordered, framed) = (!window.order.is_empty(), window.frame.is_some());
        let message = match window.op {
            AnalyticOp::Lag | AnalyticOp::Lead | AnalyticOp::Rank if !ordered || framed => {
                format!("`{}` needs `order by` and allows no window clause", window.op.name())
            }
            AnalyticOp::Ratio if window.partition.is_none() || ordered || framed => {
                "`ratio_to_report` needs `partition` and allows neither `order by` nor a window clause"
                    .to_owned()
            }
            _ => return Some(()),
        };
        self.report_error(DiagnosticCode::Structure, span, message)
    }

    /// Returns the bounds of the window. Without a window clause it is the whole partition, or with
    /// `order by` all data points up to the current one and its peers (reference manual,
    /// "windowClause").
    fn window_bounds(
        &mut self,
        window: &AnalyticInvocation,
        order: &[(usize, bool)],
        columns: &[PlanColumn],
    ) -> Option<(bool, WindowBound, WindowBound)> {
        let moves = matches!(window.op, AnalyticOp::Lag | AnalyticOp::Lead | AnalyticOp::Rank);
        let Some(frame) = &window.frame else {
            // `lag`, `lead` and `rank` work on the whole partition and have no window.
            let whole = order.is_empty() || moves;
            let to = if whole { WindowBound::Last } else { WindowBound::Current };
            return Some((!whole, WindowBound::First, to));
        };
        let value_type =
            if frame.range { self.range_limit_type(frame, order, columns)? } else { ValueType::Integer };
        let from = self.window_bound(&frame.from, value_type)?;
        Some((frame.range, from, self.window_bound(&frame.to, value_type)?))
    }

    /// Returns the type of the limits of a `range`: that of differences of the ordering component.
    fn range_limit_type(
        &mut self,
        frame: &ast::WindowingClause,
        order: &[(usize, bool)],
        columns: &[PlanColumn],
    ) -> Option<ValueType> {
        let counted = [&frame.from, &frame.to].into_iter().find_map(|limit| match limit {
            ast::WindowLimit::Before(count) | ast::WindowLimit::After(count) => Some(count.span),
            _ => None,
        });
        // Without numbers in the limits no differences are computed, so any types may order.
        let Some(span) = counted else { return Some(ValueType::Integer) };
        let [(at, _)] = order else {
            return self.report_error(
                DiagnosticCode::Structure,
                span,
                "a `range` with numeric limits needs exactly one component in `order by`",
            );
        };
        let column = columns.get(*at)?;
        match column.value_type {
            // Limits count days of dates, and periods of the same frequency (specs/vtl.md, 8).
            ValueType::Integer | ValueType::Date | ValueType::TimePeriod => Some(ValueType::Integer),
            ValueType::Number => Some(ValueType::Number),
            value_type => {
                let message = format!(
                    "`range` cannot compute differences of `{}`, {}",
                    column.name,
                    with_article(value_type)
                );
                let hint = "order by a number, a date or a time period, or write `data points`";
                self.diagnostics.push(Diagnostic::new(DiagnosticCode::Type, span, message).with_hint(hint));
                None
            }
        }
    }

    fn window_bound(&mut self, limit: &ast::WindowLimit, value_type: ValueType) -> Option<WindowBound> {
        Some(match limit {
            ast::WindowLimit::First => WindowBound::First,
            ast::WindowLimit::Last => WindowBound::Last,
            ast::WindowLimit::Current => WindowBound::Current,
            ast::WindowLimit::Before(count) => {
                WindowBound::Offset(self.check_quantity(count, value_type)?, true)
            }
            ast::WindowLimit::After(count) => {
                WindowBound::Offset(self.check_quantity(count, value_type)?, false)
            }
        })
    }

    /// Checks a scalar integer, or a number where one is expected.
    fn check_quantity(&mut self, expr: &Expr, value_type: ValueType) -> Option<TypedExpr> {
        let typed = widen_to_number(self.check_scalar(expr)?, Some(value_type));
        if typed.value_type == Some(value_type) {
            return Some(typed);
        }
        let message =
            format!("expected {}, found {}", with_article(value_type), describe_type(typed.value_type));
        self.report_error(DiagnosticCode::Type, expr.span, message)
    }

    /// Checks a count of data points, which must be positive; the run checks counts given by name.
    fn check_positive_count(&mut self, expr: &Expr, op: AnalyticOp) -> Option<TypedExpr> {
        let typed = self.check_quantity(expr, ValueType::Integer)?;
        if let Term::Constant(Some(schemas::table::Cell::Integer(count))) = typed.term
            && count <= 0
        {
            let message = format!("`{}` needs a positive number of data points", op.name());
            return self.report_error(DiagnosticCode::Type, expr.span, message);
        }
        Some(typed)
    }

    /// Checks a literal or the name of a scalar, regardless of components of that name.
    pub(super) fn check_scalar(&mut self, expr: &Expr) -> Option<TypedExpr> {
        if let ExprNode::Name(name) = &expr.node
            && self.calls.is_empty()
            && !self.names.contains_key(name)
        {
            let hint = suggestion(name, self.names.keys().map(String::as_str));
            let message = format!("no scalar is called `{name}`");
            self.diagnostics.push(
                Diagnostic::new(DiagnosticCode::UnknownName, expr.span, message).with_optional_hint(hint),
            );
            return None;
        }
        match self.check_expr(expr)? {
            ExprValue::Scalar(typed) => Some(typed),
            ExprValue::Data(_) => {
                self.report_error(DiagnosticCode::Type, expr.span, "expected a scalar, found a data set")
            }
        }
    }
}
