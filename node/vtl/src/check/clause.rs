//! Clauses: `filter`, `calc`, `keep`, `drop`, `rename`, `sub`, `aggr`, on a data set or in a join.

use std::collections::BTreeSet;

use schemas::structure::Role;

use super::component::{Scope, mismatch, typeless};
use super::{Checker, Value};
use crate::ast::{Assign, Clause, Component, Expr};
use crate::fault::{Code, Fault, Span};
use crate::op::Op;
use crate::plan::{Field, Operation, Typed};

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
            Clause::Apply(_) => self.fault(Code::Structure, span, "`apply` belongs in a join"),
            Clause::Aggr { items, grouping, having } => {
                self.aggr(step, items, grouping.as_ref(), having.as_ref(), span)
            }
        }
    }

    fn filter(&mut self, step: usize, condition: &Expr, span: Span) -> Option<usize> {
        let mut scope = Scope::row(self.fields(step));
        let condition = self.condition(condition, &mut scope)?;
        let fields = scope.fields;
        Some(self.push(Operation::Filter { input: step, condition }, fields, span))
    }

    fn calc(&mut self, step: usize, items: &[Assign], span: Span) -> Option<usize> {
        let mut scope = Scope::row(self.fields(step));
        let mut made: Vec<(Field, Typed)> = Vec::new();
        let mut sound = true;
        for item in items {
            let typed = self.component(&item.expr, &mut scope);
            match typed.and_then(|typed| self.calculated(item, typed, &scope.fields, &made)) {
                Some(column) => made.push(column),
                None => sound = false,
            }
        }
        if !sound {
            return None;
        }
        let columns = placed(self.pass(step, |_| true), made);
        Some(self.map(step, columns, span))
    }

    /// One new component; its role is given, or kept, or measure.
    fn calculated(
        &mut self,
        item: &Assign,
        typed: Typed,
        fields: &[Field],
        made: &[(Field, Typed)],
    ) -> Option<(Field, Typed)> {
        let name = &item.target.name;
        self.fresh(&item.target, made.iter().map(|(field, _)| field))?;
        let existing = fields.iter().find(|field| field.name == name.text);
        if existing.is_some_and(|field| field.role == Role::Identifier) {
            let message = format!("`{}` is an identifier and cannot be calculated anew", name.text);
            return self.fault(Code::Structure, name.span, message);
        }
        let Some(kind) = typed.kind else {
            self.faults.push(typeless(&name.text, item.expr.span));
            return None;
        };
        let role = item.role.or(existing.map(|field| field.role)).unwrap_or(Role::Measure);
        Some((Field { name: name.text.clone(), role, kind, from: Vec::new() }, typed))
    }

    /// The name of a new component: without alias, and not given twice in a clause.
    pub(super) fn fresh<'f>(
        &mut self,
        target: &Component,
        mut made: impl Iterator<Item = &'f Field>,
    ) -> Option<()> {
        let name = &target.name;
        if let Some(alias) = &target.alias {
            return self.fault(Code::Structure, alias.span, "a new component has no alias");
        }
        if made.any(|field| field.name == name.text) {
            let message = format!("`{}` is given twice in one clause", name.text);
            return self.fault(Code::Duplicate, name.span, message);
        }
        Some(())
    }

    /// Positions of measures and attributes by name; an identifier here is a fault.
    fn dependents(&mut self, step: usize, names: &[Component], verb: &str) -> Option<BTreeSet<usize>> {
        let fields = self.fields(step).to_vec();
        let mut chosen = BTreeSet::new();
        let mut sound = true;
        for component in names {
            let Some(at) = self.place(component, &fields) else {
                sound = false;
                continue;
            };
            let name = &component.name;
            if fields.get(at).is_some_and(|field| field.role == Role::Identifier) {
                let message = format!("`{}` is an identifier and cannot be {verb}", name.text);
                let hint = "identifiers are always kept; `sub` and aggregates remove them";
                self.faults.push(Fault::new(Code::Structure, name.span, message).hint(hint));
                sound = false;
            } else if !chosen.insert(at) {
                let message = format!("`{}` is given twice in one clause", name.text);
                self.faults.push(Fault::new(Code::Duplicate, name.span, message));
                sound = false;
            }
        }
        sound.then_some(chosen)
    }

    fn keep(&mut self, step: usize, names: &[Component], span: Span) -> Option<usize> {
        let chosen = self.dependents(step, names, "named in `keep`")?;
        self.select(step, span, |at, field| field.role == Role::Identifier || chosen.contains(&at))
    }

    fn discard(&mut self, step: usize, names: &[Component], span: Span) -> Option<usize> {
        let chosen = self.dependents(step, names, "dropped")?;
        self.select(step, span, |at, _| !chosen.contains(&at))
    }

    fn select(&mut self, step: usize, span: Span, keep: impl Fn(usize, &Field) -> bool) -> Option<usize> {
        let columns = self.pass(step, |_| true).into_iter().enumerate();
        let columns = columns.filter(|(at, (field, _))| keep(*at, field)).map(|(_, column)| column).collect();
        Some(self.map(step, columns, span))
    }

    fn rename(&mut self, step: usize, pairs: &[(Component, Component)], span: Span) -> Option<usize> {
        let fields = self.fields(step).to_vec();
        let mut columns = self.pass(step, |_| true);
        let mut moved = BTreeSet::new();
        for (from, to) in pairs {
            let at = self.place(from, &fields)?;
            if !moved.insert(at) {
                let message = format!("`{}` is given twice in one clause", from.name.text);
                return self.fault(Code::Duplicate, from.name.span, message);
            }
            if let Some((field, _)) = columns.get_mut(at) {
                field.name.clone_from(&to.name.text);
                field.from.clear();
            }
        }
        for (_, to) in pairs {
            if columns.iter().filter(|(field, _)| field.name == to.name.text).count() > 1 {
                let message = format!("the data set already has a component `{}`", to.name.text);
                return self.fault(Code::Duplicate, to.name.span, message);
            }
        }
        Some(self.map(step, columns, span))
    }

    /// `sub`: the data points with these values, without these identifiers.
    fn subspace(&mut self, step: usize, items: &[(Component, Expr)], span: Span) -> Option<usize> {
        let fields = self.fields(step).to_vec();
        let mut fixed = BTreeSet::new();
        let mut condition: Option<Typed> = None;
        for (component, value) in items {
            let at = self.place(component, &fields)?;
            let name = &component.name;
            if fields.get(at).is_some_and(|field| field.role != Role::Identifier) {
                let message = format!("`{}` is no identifier: `sub` fixes identifiers", name.text);
                return self.fault(Code::Structure, name.span, message);
            }
            if !fixed.insert(at) {
                let message = format!("`{}` is given twice in one clause", name.text);
                return self.fault(Code::Duplicate, name.span, message);
            }
            let equal = self.fixed(at, &fields, component, value)?;
            condition = match condition {
                None => Some(equal),
                Some(before) => Some(self.apply(Op::And, vec![before, equal], span)?),
            };
        }
        let filtered = self.push(Operation::Filter { input: step, condition: condition? }, fields, span);
        self.select(filtered, span, |at, _| !fixed.contains(&at))
    }

    /// `identifier = value`.
    fn fixed(&mut self, at: usize, fields: &[Field], component: &Component, value: &Expr) -> Option<Typed> {
        let field = fields.get(at)?;
        let Value::Scalar(typed) = self.expr(value)? else {
            return self.fault(Code::Type, value.span, "expected a value, found a data set");
        };
        let span = component.name.span.to(value.span);
        let kinds = [Some(field.kind), typed.kind];
        if super::typing::result(Op::Equal, &kinds).is_err() {
            return self.fault(Code::Type, value.span, mismatch(&field.name, field.kind, typed.kind));
        }
        self.apply(Op::Equal, vec![super::column(at, field, span), typed], span)
    }
}

/// The components with new ones among them: a new one takes the place of the one it replaces,
/// unless its role is another; it comes last when it replaces none.
fn placed(old: Vec<(Field, Typed)>, made: Vec<(Field, Typed)>) -> Vec<(Field, Typed)> {
    let mut made: Vec<Option<(Field, Typed)>> = made.into_iter().map(Some).collect();
    let names: BTreeSet<String> = made.iter().flatten().map(|(field, _)| field.name.clone()).collect();
    let mut columns = Vec::new();
    for (field, typed) in old {
        if !names.contains(&field.name) {
            columns.push((field, typed));
            continue;
        }
        let fits = |new: &&mut Option<(Field, Typed)>| {
            new.as_ref().is_some_and(|(new, _)| new.name == field.name && new.role == field.role)
        };
        columns.extend(made.iter_mut().find(fits).and_then(Option::take));
    }
    columns.extend(made.into_iter().flatten());
    columns
}
