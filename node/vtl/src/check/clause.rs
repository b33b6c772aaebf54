//! Clauses: `filter`, `calc`, `keep`, `drop`, `rename`, `sub`, `aggr`, on a data set or in a join.

use std::collections::BTreeSet;

use schemas::structure::Role;

use super::component::{ComponentScope, mismatch, typeless};
use super::{Checker, ExprValue};
use crate::ast::{Assignment, Clause, ComponentRef, Expr};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::op::Op;
use crate::plan::{Operation, PlanColumn, TypedExpr};

impl Checker<'_> {
    /// A clause on the result of a step.
    pub(super) fn clause(&mut self, step: usize, clause: &Clause, span: Span) -> Option<usize> {
        match clause {
            Clause::Filter(condition) => self.filter(step, condition, span),
            Clause::Calc(items) => self.calc(step, items, span),
            Clause::Keep(names) => self.keep(step, names, span),
            Clause::Drop(names) => self.discard(step, names, span),
            Clause::Rename(pairs) => self.rename(step, pairs, span),
            Clause::Sub(items) => self.subspace(step, items, span),
            Clause::Pivot(identifier, measure) => self.pivot(step, identifier, measure, span),
            Clause::Unpivot(identifier, measure) => self.unpivot(step, identifier, measure, span),
            Clause::Apply(_) => self.fault(DiagnosticCode::Structure, span, "`apply` belongs in a join"),
            Clause::Aggr { items, grouping, having } => {
                self.aggr(step, items, grouping.as_ref(), having.as_ref(), span)
            }
        }
    }

    fn filter(&mut self, step: usize, condition: &Expr, span: Span) -> Option<usize> {
        let mut scope = ComponentScope::row(self.columns(step));
        let condition = self.condition(condition, &mut scope)?;
        let columns = scope.columns;
        Some(self.push(Operation::Filter { input: step, condition }, columns, span))
    }

    fn calc(&mut self, step: usize, items: &[Assignment], span: Span) -> Option<usize> {
        let mut scope = ComponentScope::row(self.columns(step));
        let mut made: Vec<(PlanColumn, TypedExpr)> = Vec::new();
        let mut sound = true;
        for item in items {
            let typed = self.component(&item.expr, &mut scope);
            match typed.and_then(|typed| self.calculated(item, typed, &scope.columns, &made)) {
                Some(column) => made.push(column),
                None => sound = false,
            }
        }
        if !sound {
            return None;
        }
        let outputs = placed(self.pass(step, |_| true), made);
        Some(self.map(step, outputs, span))
    }

    /// One new component; its role is given, or kept, or measure.
    fn calculated(
        &mut self,
        item: &Assignment,
        typed: TypedExpr,
        columns: &[PlanColumn],
        made: &[(PlanColumn, TypedExpr)],
    ) -> Option<(PlanColumn, TypedExpr)> {
        let name = &item.target.name;
        self.fresh(&item.target, made.iter().map(|(column, _)| column))?;
        let existing = columns.iter().find(|column| column.name == name.text);
        if existing.is_some_and(|column| column.role == Role::Identifier) {
            let message = format!("`{}` is an identifier and cannot be calculated anew", name.text);
            return self.fault(DiagnosticCode::Structure, name.span, message);
        }
        let Some(value_type) = typed.value_type else {
            self.faults.push(typeless(&name.text, item.expr.span));
            return None;
        };
        let role = item.role.or(existing.map(|column| column.role)).unwrap_or(Role::Measure);
        Some((PlanColumn { name: name.text.clone(), role, value_type, from: Vec::new() }, typed))
    }

    /// The name of a new component: without alias, and not given twice in a clause.
    pub(super) fn fresh<'f>(
        &mut self,
        target: &ComponentRef,
        mut made: impl Iterator<Item = &'f PlanColumn>,
    ) -> Option<()> {
        let name = &target.name;
        if let Some(alias) = &target.alias {
            return self.fault(DiagnosticCode::Structure, alias.span, "a new component has no alias");
        }
        if made.any(|column| column.name == name.text) {
            let message = format!("`{}` is given twice in one clause", name.text);
            return self.fault(DiagnosticCode::Duplicate, name.span, message);
        }
        Some(())
    }

    /// Positions of measures and attributes by name; an identifier here is a fault.
    fn dependents(&mut self, step: usize, names: &[ComponentRef], verb: &str) -> Option<BTreeSet<usize>> {
        let columns = self.columns(step).to_vec();
        let mut chosen = BTreeSet::new();
        let mut sound = true;
        for component in names {
            let Some(at) = self.place(component, &columns) else {
                sound = false;
                continue;
            };
            let name = &component.name;
            if columns.get(at).is_some_and(|column| column.role == Role::Identifier) {
                let message = format!("`{}` is an identifier and cannot be {verb}", name.text);
                let hint = "identifiers are always kept; `sub` and aggregates remove them";
                self.faults
                    .push(Diagnostic::new(DiagnosticCode::Structure, name.span, message).with_hint(hint));
                sound = false;
            } else if !chosen.insert(at) {
                let message = format!("`{}` is given twice in one clause", name.text);
                self.faults.push(Diagnostic::new(DiagnosticCode::Duplicate, name.span, message));
                sound = false;
            }
        }
        sound.then_some(chosen)
    }

    fn keep(&mut self, step: usize, names: &[ComponentRef], span: Span) -> Option<usize> {
        let chosen = self.dependents(step, names, "named in `keep`")?;
        self.select(step, span, |at, column| column.role == Role::Identifier || chosen.contains(&at))
    }

    fn discard(&mut self, step: usize, names: &[ComponentRef], span: Span) -> Option<usize> {
        let chosen = self.dependents(step, names, "dropped")?;
        self.select(step, span, |at, _| !chosen.contains(&at))
    }

    fn select(
        &mut self,
        step: usize,
        span: Span,
        keep: impl Fn(usize, &PlanColumn) -> bool,
    ) -> Option<usize> {
        let outputs = self.pass(step, |_| true).into_iter().enumerate();
        let outputs =
            outputs.filter(|(at, (column, _))| keep(*at, column)).map(|(_, column)| column).collect();
        Some(self.map(step, outputs, span))
    }

    fn rename(&mut self, step: usize, pairs: &[(ComponentRef, ComponentRef)], span: Span) -> Option<usize> {
        let columns = self.columns(step).to_vec();
        let mut outputs = self.pass(step, |_| true);
        let mut moved = BTreeSet::new();
        for (from, to) in pairs {
            let at = self.place(from, &columns)?;
            if !moved.insert(at) {
                let message = format!("`{}` is given twice in one clause", from.name.text);
                return self.fault(DiagnosticCode::Duplicate, from.name.span, message);
            }
            if let Some((column, _)) = outputs.get_mut(at) {
                column.name.clone_from(&to.name.text);
                column.from.clear();
            }
        }
        for (_, to) in pairs {
            if outputs.iter().filter(|(column, _)| column.name == to.name.text).count() > 1 {
                let message = format!("the data set already has a component `{}`", to.name.text);
                return self.fault(DiagnosticCode::Duplicate, to.name.span, message);
            }
        }
        Some(self.map(step, outputs, span))
    }

    /// `sub`: the data points with these values, without these identifiers.
    fn subspace(&mut self, step: usize, items: &[(ComponentRef, Expr)], span: Span) -> Option<usize> {
        let columns = self.columns(step).to_vec();
        let mut fixed = BTreeSet::new();
        let mut condition: Option<TypedExpr> = None;
        for (component, value) in items {
            let at = self.place(component, &columns)?;
            let name = &component.name;
            if columns.get(at).is_some_and(|column| column.role != Role::Identifier) {
                let message = format!("`{}` is no identifier: `sub` fixes identifiers", name.text);
                return self.fault(DiagnosticCode::Structure, name.span, message);
            }
            if !fixed.insert(at) {
                let message = format!("`{}` is given twice in one clause", name.text);
                return self.fault(DiagnosticCode::Duplicate, name.span, message);
            }
            let equal = self.fixed(at, &columns, component, value)?;
            condition = match condition {
                None => Some(equal),
                Some(before) => Some(self.apply(Op::And, vec![before, equal], span)?),
            };
        }
        let filtered = self.push(Operation::Filter { input: step, condition: condition? }, columns, span);
        self.select(filtered, span, |at, _| !fixed.contains(&at))
    }

    /// `identifier = value`.
    fn fixed(
        &mut self,
        at: usize,
        columns: &[PlanColumn],
        component: &ComponentRef,
        value: &Expr,
    ) -> Option<TypedExpr> {
        let column = columns.get(at)?;
        let ExprValue::Scalar(typed) = self.expr(value)? else {
            return self.fault(DiagnosticCode::Type, value.span, "expected a value, found a data set");
        };
        let span = component.name.span.to(value.span);
        let value_types = [Some(column.value_type), typed.value_type];
        if super::typing::result(Op::Equal, &value_types).is_err() {
            return self.fault(
                DiagnosticCode::Type,
                value.span,
                mismatch(&column.name, column.value_type, typed.value_type),
            );
        }
        self.apply(Op::Equal, vec![super::column_expr(at, column, span), typed], span)
    }
}

/// The components with new ones among them: a new one takes the place of the one it replaces,
/// unless its role is another; it comes last when it replaces none.
fn placed(
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
