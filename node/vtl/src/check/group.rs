//! Aggregates with grouping and `having` (reference manual, "Aggregate invocation").
//!
//! A group step returns keys and aggregates. `having` adds its own aggregates as columns, a filter on
//! them, and a map that removes them again.

use schemas::structure::{Role, ValueType};

use super::component::{ComponentScope, ScopeLevel};
use super::time::time_reference;
use super::viral::merged_type;
use super::{Checker, ExprValue, column_expr, columns_with_role};
use crate::ast::{AggregateInvocation, Assignment, Expr, ExprNode, GroupingClause, GroupingMode};
use crate::diagnostic::{DiagnosticCode, Span};
use crate::op::{AggregateOp, Op, TimeOp, default_measure_name};
use crate::plan::{AggregateColumn, GroupKey, Operation, PlanColumn, ViralMerge};

impl Checker<'_> {
    /// Checks an aggregate over each measure of a data set.
    pub(super) fn check_aggregate(
        &mut self,
        aggregate: &AggregateInvocation,
        span: Span,
    ) -> Option<ExprValue> {
        let Some(operand) = &aggregate.operand else {
            return self.report_error(
                DiagnosticCode::Structure,
                span,
                "`count()` is only allowed in `aggr` or `having`",
            );
        };
        let step = self.check_dataset(operand)?;
        let columns = self.step_columns(step).to_vec();
        let op = aggregate.op;
        let mut outputs = Vec::new();
        // Counts data points, so the measures do not matter and may be absent (specs/vtl.md, 6).
        if op == AggregateOp::Count {
            let summary =
                AggregateColumn { op, operand: None, value_type: ValueType::Integer, span, viral: None };
            outputs.push((
                PlanColumn::new(default_measure_name(ValueType::Integer), Role::Measure, ValueType::Integer),
                summary,
            ));
        } else {
            let measures = columns_with_role(&columns, Role::Measure);
            if measures.is_empty() && !op.accepts_no_measure() {
                let message = format!("`{}` needs a measure, but the data set has none", op.name());
                return self.report_error(DiagnosticCode::Structure, span, message);
            }
            for at in measures {
                let column = columns.get(at)?;
                let value_type = self.aggregate_type(op, Some(column.value_type), true, span)?;
                let operand = Some(column_expr(at, column, span));
                let summary = AggregateColumn { op, operand, value_type, span, viral: None };
                outputs.push((PlanColumn::new(&column.name, Role::Measure, value_type), summary));
            }
        }
        self.push_groups(step, outputs, aggregate.grouping.as_ref(), aggregate.having.as_ref(), span)
            .map(ExprValue::Data)
    }

    /// Checks the clause `aggr`.
    pub(super) fn check_aggr(
        &mut self,
        step: usize,
        items: &[Assignment],
        grouping: Option<&GroupingClause>,
        having: Option<&Expr>,
        span: Span,
    ) -> Option<usize> {
        let columns = self.step_columns(step).to_vec();
        let mut outputs: Vec<(PlanColumn, AggregateColumn)> = Vec::new();
        let mut valid = true;
        for item in items {
            match self.check_aggr_item(item, &columns, &outputs) {
                Some(column) => outputs.push(column),
                // Continues, so that the errors of all items are reported together.
                None => valid = false,
            }
        }
        if valid { self.push_groups(step, outputs, grouping, having, span) } else { None }
    }

    fn check_aggr_item(
        &mut self,
        item: &Assignment,
        columns: &[PlanColumn],
        made: &[(PlanColumn, AggregateColumn)],
    ) -> Option<(PlanColumn, AggregateColumn)> {
        let ExprNode::Aggregate(aggregate) = &item.expr.node else {
            return self.report_error(
                DiagnosticCode::Structure,
                item.expr.span,
                "expected an aggregate such as `sum(…)`",
            );
        };
        if aggregate.grouping.is_some() {
            let message = "the grouping clause of `aggr` must follow all its aggregates";
            return self.report_error(DiagnosticCode::Structure, item.expr.span, message);
        }
        let target = self.substitute_component(&item.target);
        let name = &target.name;
        self.check_new_name(&target, made.iter().map(|(column, _)| column))?;
        let existing = columns.iter().find(|column| column.name == name.text).map(|column| column.role);
        if existing == Some(Role::Identifier) || item.role == Some(Role::Identifier) {
            let message = format!("an aggregate cannot be the identifier `{}`", name.text);
            return self.report_error(DiagnosticCode::Structure, name.span, message);
        }
        let summary =
            self.check_aggregate_column(aggregate.op, aggregate.operand.as_ref(), item.expr.span, columns)?;
        let role = item.role.or(existing).unwrap_or(Role::Measure);
        Some((PlanColumn::new(&name.text, role, summary.value_type), summary))
    }

    /// Adds the group step and the steps of `having`.
    fn push_groups(
        &mut self,
        step: usize,
        outputs: Vec<(PlanColumn, AggregateColumn)>,
        grouping: Option<&GroupingClause>,
        having: Option<&Expr>,
        span: Span,
    ) -> Option<usize> {
        let columns = self.step_columns(step).to_vec();
        let keys = self.grouping_keys(&columns, grouping)?;
        let mut outputs = outputs;
        outputs.extend(self.viral_columns(&columns, &outputs, span)?);
        // Stable sort: columns of one role keep their order.
        outputs.sort_by_key(|(column, _)| column.role);
        let mut shape: Vec<PlanColumn> =
            keys.iter().filter_map(|key| columns.get(key.column)).cloned().collect();
        shape.iter_mut().for_each(|column| column.aliases.clear());
        let (made, summaries): (Vec<PlanColumn>, Vec<AggregateColumn>) = outputs.into_iter().unzip();
        shape.extend(made);
        if shape.is_empty() {
            let message = "the result has no component: group by an identifier, or aggregate a measure";
            return self.report_error(DiagnosticCode::Structure, span, message);
        }
        if let Some(clash) = shape
            .iter()
            .enumerate()
            .find(|(at, column)| shape.iter().take(*at).any(|f| f.name == column.name))
        {
            let message = format!("the result would have two components named `{}`", clash.1.name);
            return self.report_error(DiagnosticCode::Duplicate, span, message);
        }
        let Some(having) = having else {
            return Some(self.push_step(Operation::Group { input: step, keys, summaries }, shape, span));
        };
        let mut scope = ComponentScope { columns, level: ScopeLevel::Group { keys: keys.len(), summaries } };
        let condition = self.check_condition(having, &mut scope)?;
        let ScopeLevel::Group { summaries, .. } = scope.level else { return None };
        let visible = shape.len();
        for (at, summary) in summaries.iter().enumerate().skip(visible - keys.len()) {
            // A name with a space cannot clash with a component of the script.
            shape.push(PlanColumn::new(&format!("having {at}"), Role::Attribute, summary.value_type));
        }
        let grouped = self.push_step(Operation::Group { input: step, keys, summaries }, shape.clone(), span);
        let filtered = self.push_step(Operation::Filter { input: grouped, condition }, shape, having.span);
        // Drops the aggregates that only `having` needs.
        let outputs = self.pass_columns(filtered, |_| true).into_iter().take(visible).collect();
        Some(self.push_map(filtered, outputs, span))
    }

    /// Returns the viral attributes that the clause does not replace.
    fn viral_columns(
        &mut self,
        columns: &[PlanColumn],
        made: &[(PlanColumn, AggregateColumn)],
        span: Span,
    ) -> Option<Vec<(PlanColumn, AggregateColumn)>> {
        let anew = |column: &PlanColumn| made.iter().any(|(other, _)| other.name == column.name);
        let carried = columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.role == Role::ViralAttribute && !anew(column));
        let combined = carried.map(|(at, column)| {
            let rule = self.propagation_rule(&column.name, column.value_type)?;
            let value_type = merged_type(rule.as_ref(), column.value_type);
            let operand = Some(column_expr(at, column, span));
            let viral = Some(ViralMerge(rule));
            // `op` is ignored for viral attributes.
            let summary = AggregateColumn { op: AggregateOp::Min, operand, value_type, span, viral };
            Some((PlanColumn::new(&column.name, Role::ViralAttribute, value_type), summary))
        });
        combined.collect()
    }

    /// Returns the grouping identifiers in the order of the data set.
    fn grouping_keys(
        &mut self,
        columns: &[PlanColumn],
        grouping: Option<&GroupingClause>,
    ) -> Option<Vec<GroupKey>> {
        let Some(grouping) = grouping else { return Some(Vec::new()) };
        let identifiers = columns_with_role(columns, Role::Identifier);
        let mut named = Vec::new();
        for component in &grouping.names {
            let at = self.component_position(component, columns)?;
            let name = &component.name;
            if !identifiers.contains(&at) {
                let message = format!("grouping expected an identifier, found `{}`", name.text);
                return self.report_error(DiagnosticCode::Structure, name.span, message);
            }
            if named.contains(&at) {
                let message = format!("`{}` is given twice in one clause", name.text);
                return self.report_error(DiagnosticCode::Duplicate, name.span, message);
            }
            named.push(at);
        }
        let chosen: Vec<usize> = match grouping.mode {
            // In the order of the data set, not of the clause (specs/vtl.md, 6).
            GroupingMode::By => identifiers.into_iter().filter(|at| named.contains(at)).collect(),
            GroupingMode::Except => identifiers.into_iter().filter(|at| !named.contains(at)).collect(),
            GroupingMode::All => identifiers,
        };
        let mut keys: Vec<GroupKey> =
            chosen.into_iter().map(|column| GroupKey { column, convert: None }).collect();
        self.convert_time_key(&mut keys, columns, grouping)?;
        Some(keys)
    }

    /// Converts the time identifier for `time_agg` before grouping.
    fn convert_time_key(
        &mut self,
        keys: &mut [GroupKey],
        columns: &[PlanColumn],
        grouping: &GroupingClause,
    ) -> Option<()> {
        let Some((convert, span)) = grouping.time else { return Some(()) };
        let at = match time_reference(columns) {
            Ok(at) => at,
            Err(reason) => return self.report_error(DiagnosticCode::Structure, span, reason),
        };
        let operand = column_expr(at, columns.get(at)?, span);
        // Only for its type check; the evaluator converts the key itself.
        self.apply_operator(Op::Time(TimeOp::Aggregate(convert)), vec![operand], span)?;
        match keys.iter_mut().find(|key| key.column == at) {
            Some(key) => {
                key.convert = Some(convert);
                Some(())
            }
            None => {
                let name = columns.get(at).map_or("", |column| &column.name);
                let message = format!("`time_agg` converts `{name}`, which is not a grouping identifier");
                self.report_error(DiagnosticCode::Structure, grouping.span, message)
            }
        }
    }
}
