//! Clauses on a data set or in a join: `filter`, `calc`, `keep`, `drop`, `rename`, `sub`, `aggr`.

use std::collections::BTreeSet;

use schemas::structure::Role;

use super::component::{ComponentScope, null_type_error, type_mismatch_message};
use super::{Checker, ExprValue};
use crate::ast::{Assignment, Clause, ComponentRef, Expr, Ident};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::op::Op;
use crate::plan::{Operation, PlanColumn, TypedExpr};

impl Checker<'_> {
    /// Checks a clause on the result of a step.
    pub(super) fn check_clause(&mut self, step: usize, clause: &Clause, span: Span) -> Option<usize> {
        match clause {
            Clause::Filter(condition) => self.check_filter(step, condition, span),
            Clause::Calc(items) => self.check_calc(step, items, span),
            Clause::Keep(names) => self.check_keep(step, names, span),
            Clause::Drop(names) => self.check_drop(step, names, span),
            Clause::Rename(pairs) => self.check_rename(step, pairs, span),
            Clause::Sub(items) => self.check_sub(step, items, span),
            Clause::Pivot(identifier, measure) => self.check_pivot(step, identifier, measure, span),
            Clause::Unpivot(identifier, measure) => self.check_unpivot(step, identifier, measure, span),
            Clause::Apply(_) => {
                self.report_error(DiagnosticCode::Structure, span, "`apply` is only allowed in a join")
            }
            Clause::Aggr { items, grouping, having } => {
                self.check_aggr(step, items, grouping.as_ref(), having.as_ref(), span)
            }
        }
    }

    fn check_filter(&mut self, step: usize, condition: &Expr, span: Span) -> Option<usize> {
        let mut scope = ComponentScope::row(self.step_columns(step));
        let condition = self.check_condition(condition, &mut scope)?;
        let columns = scope.columns;
        Some(self.push_step(Operation::Filter { input: step, condition }, columns, span))
    }

    fn check_calc(&mut self, step: usize, items: &[Assignment], span: Span) -> Option<usize> {
        let mut scope = ComponentScope::row(self.step_columns(step));
        let mut made: Vec<(PlanColumn, TypedExpr)> = Vec::new();
        // Continues after an error, to report those of all items.
        let mut valid = true;
        for item in items {
            let typed = self.check_component(&item.expr, &mut scope);
            match typed.and_then(|typed| self.calculated_column(item, typed, &scope.columns, &made)) {
                Some(column) => made.push(column),
                None => valid = false,
            }
        }
        if !valid {
            return None;
        }
        let outputs = merge_columns(self.pass_columns(step, |_| true), made);
        Some(self.push_map(step, outputs, span))
    }

    /// Returns a calculated component. Its role is the given one, else that of the component it
    /// replaces, else measure.
    fn calculated_column(
        &mut self,
        item: &Assignment,
        typed: TypedExpr,
        columns: &[PlanColumn],
        made: &[(PlanColumn, TypedExpr)],
    ) -> Option<(PlanColumn, TypedExpr)> {
        let target = self.substitute_component(&item.target);
        let name = &target.name;
        self.check_new_name(&target, made.iter().map(|(column, _)| column))?;
        let existing = columns.iter().find(|column| column.name == name.text);
        if existing.is_some_and(|column| column.role == Role::Identifier) {
            let message = format!("`{}` is an identifier and cannot be recalculated", name.text);
            return self.report_error(DiagnosticCode::Structure, name.span, message);
        }
        let Some(value_type) = typed.value_type else {
            self.diagnostics.push(null_type_error(&name.text, item.expr.span));
            return None;
        };
        let role = item.role.or(existing.map(|column| column.role)).unwrap_or(Role::Measure);
        Some((PlanColumn::new(&name.text, role, value_type), typed))
    }

    /// Checks the name of a new component: no alias, and given once in the clause.
    pub(super) fn check_new_name<'f>(
        &mut self,
        target: &ComponentRef,
        mut made: impl Iterator<Item = &'f PlanColumn>,
    ) -> Option<()> {
        let name = &target.name;
        if let Some(alias) = &target.alias {
            return self.report_error(DiagnosticCode::Structure, alias.span, "a new component has no alias");
        }
        if made.any(|column| column.name == name.text) {
            let message = format!("`{}` is given twice in one clause", name.text);
            return self.report_error(DiagnosticCode::Duplicate, name.span, message);
        }
        Some(())
    }

    /// Returns the positions of measures and attributes by name; reports identifiers.
    fn select_dependents(
        &mut self,
        step: usize,
        names: &[ComponentRef],
        verb: &str,
    ) -> Option<BTreeSet<usize>> {
        let columns = self.step_columns(step).to_vec();
        let mut chosen = BTreeSet::new();
        let mut valid = true;
        for component in names {
            let Some(at) = self.component_position(component, &columns) else {
                valid = false;
                continue;
            };
            let name = &component.name;
            if columns.get(at).is_some_and(|column| column.role == Role::Identifier) {
                let message = format!("`{}` is an identifier and cannot be {verb}", name.text);
                let hint = "identifiers are always kept; `sub` and aggregates remove them";
                self.diagnostics
                    .push(Diagnostic::new(DiagnosticCode::Structure, name.span, message).with_hint(hint));
                valid = false;
            } else if !chosen.insert(at) {
                let message = format!("`{}` is given twice in one clause", name.text);
                self.diagnostics.push(Diagnostic::new(DiagnosticCode::Duplicate, name.span, message));
                valid = false;
            }
        }
        valid.then_some(chosen)
    }

    fn check_keep(&mut self, step: usize, names: &[ComponentRef], span: Span) -> Option<usize> {
        let chosen = self.select_dependents(step, names, "named in `keep`")?;
        self.push_selection(step, span, |at, column| column.role == Role::Identifier || chosen.contains(&at))
    }

    fn check_drop(&mut self, step: usize, names: &[ComponentRef], span: Span) -> Option<usize> {
        let chosen = self.select_dependents(step, names, "dropped")?;
        self.push_selection(step, span, |at, _| !chosen.contains(&at))
    }

    fn push_selection(
        &mut self,
        step: usize,
        span: Span,
        keep: impl Fn(usize, &PlanColumn) -> bool,
    ) -> Option<usize> {
        let outputs = self.pass_columns(step, |_| true).into_iter().enumerate();
        let outputs =
            outputs.filter(|(at, (column, _))| keep(*at, column)).map(|(_, column)| column).collect();
        Some(self.push_map(step, outputs, span))
    }

    fn check_rename(
        &mut self,
        step: usize,
        pairs: &[(ComponentRef, ComponentRef)],
        span: Span,
    ) -> Option<usize> {
        let columns = self.step_columns(step).to_vec();
        let mut outputs = self.pass_columns(step, |_| true);
        let mut moved = BTreeSet::new();
        let pairs: Vec<(&ComponentRef, Ident)> =
            pairs.iter().map(|(from, to)| (from, self.substitute_name(&to.name).into_owned())).collect();
        for (from, to) in &pairs {
            let at = self.component_position(from, &columns)?;
            if !moved.insert(at) {
                let message = format!("`{}` is given twice in one clause", from.name.text);
                return self.report_error(DiagnosticCode::Duplicate, from.name.span, message);
            }
            if let Some((column, _)) = outputs.get_mut(at) {
                column.name.clone_from(&to.text);
                // The new name is one of the result, no longer that of a join operand.
                column.aliases.clear();
            }
        }
        // Checked after all renames, because they take effect together (reference manual, "Change of
        // Component name").
        for (_, to) in &pairs {
            if outputs.iter().filter(|(column, _)| column.name == to.text).count() > 1 {
                let message = format!("the data set already has a component `{}`", to.text);
                return self.report_error(DiagnosticCode::Duplicate, to.span, message);
            }
        }
        Some(self.push_map(step, outputs, span))
    }

    /// Checks `sub`: keeps the data points with the given values and removes the fixed identifiers.
    fn check_sub(&mut self, step: usize, items: &[(ComponentRef, Expr)], span: Span) -> Option<usize> {
        let columns = self.step_columns(step).to_vec();
        let mut fixed = BTreeSet::new();
        let mut condition: Option<TypedExpr> = None;
        for (component, value) in items {
            let at = self.component_position(component, &columns)?;
            let name = &component.name;
            if columns.get(at).is_some_and(|column| column.role != Role::Identifier) {
                let message = format!("`sub` expected an identifier, found `{}`", name.text);
                return self.report_error(DiagnosticCode::Structure, name.span, message);
            }
            if !fixed.insert(at) {
                let message = format!("`{}` is given twice in one clause", name.text);
                return self.report_error(DiagnosticCode::Duplicate, name.span, message);
            }
            let equal = self.identifier_equals(at, &columns, component, value)?;
            condition = match condition {
                None => Some(equal),
                Some(before) => Some(self.apply_operator(Op::And, vec![before, equal], span)?),
            };
        }
        let filtered =
            self.push_step(Operation::Filter { input: step, condition: condition? }, columns, span);
        // The removed identifiers have one value each, so the keys stay distinct.
        self.push_selection(filtered, span, |at, _| !fixed.contains(&at))
    }

    /// Returns the condition `identifier = value`.
    fn identifier_equals(
        &mut self,
        at: usize,
        columns: &[PlanColumn],
        component: &ComponentRef,
        value: &Expr,
    ) -> Option<TypedExpr> {
        let column = columns.get(at)?;
        let ExprValue::Scalar(typed) = self.check_expr(value)? else {
            return self.report_error(DiagnosticCode::Type, value.span, "expected a value, found a data set");
        };
        let span = component.name.span.to(value.span);
        let value_types = [Some(column.value_type), typed.value_type];
        // Tested before the operator is applied, for a message that names the identifier.
        if super::typing::result_type(Op::Equal, &value_types).is_err() {
            return self.report_error(
                DiagnosticCode::Type,
                value.span,
                type_mismatch_message(&column.name, column.value_type, typed.value_type),
            );
        }
        self.apply_operator(Op::Equal, vec![super::column_expr(at, column, span), typed], span)
    }
}

/// Merges new columns into the existing ones. A new column takes the position of the one it replaces if
/// both have the same role; any other is appended.
fn merge_columns(
    old: Vec<(PlanColumn, TypedExpr)>,
    made: Vec<(PlanColumn, TypedExpr)>,
) -> Vec<(PlanColumn, TypedExpr)> {
    let mut made: Vec<Option<(PlanColumn, TypedExpr)>> = made.into_iter().map(Some).collect();
    let names: BTreeSet<String> = made.iter().flatten().map(|(column, _)| column.name.clone()).collect();
    let mut outputs = Vec::new();
    for (column, typed) in old {
        if !names.contains(&column.name) {
            outputs.push((column, typed));
            continue;
        }
        let fits = |new: &&mut Option<(PlanColumn, TypedExpr)>| {
            new.as_ref().is_some_and(|(new, _)| new.name == column.name && new.role == column.role)
        };
        outputs.extend(made.iter_mut().find(fits).and_then(Option::take));
    }
    outputs.extend(made.into_iter().flatten());
    outputs
}
