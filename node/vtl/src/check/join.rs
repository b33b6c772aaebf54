//! Joins (reference manual, "Join operators"): keys, the virtual data set, its clauses.
//!
//! The virtual data set has each key once; components that several operands have are told apart by
//! alias until the end, when each name must be single again. Viral attributes of one name become one.

use std::collections::{BTreeMap, BTreeSet};

use schemas::structure::Role;
use schemas::table::Cell;

use super::call::Argument;
use super::component::Scope;
use super::{Checker, column, positions};
use crate::ast::{Clause, Component, Expr, Join, JoinKind, Node};
use crate::fault::{Code, Fault, Span};
use crate::plan::{Field, Matching, Operation, Side, Typed};

/// An operand of a join: its step, its alias, its fields.
struct Operand {
    step: usize,
    alias: String,
    fields: Vec<Field>,
    span: Span,
}

impl Operand {
    fn identifier(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.role == Role::Identifier && field.name == name)
    }
}

/// How operands are matched.
struct Match<'a> {
    kind: JoinKind,
    /// Names of the identifiers that must be equal.
    keys: BTreeSet<String>,
    fallbacks: &'a [(Component, Option<Cell>)],
}

impl Checker<'_> {
    pub(super) fn join(&mut self, join: &Join, span: Span) -> Option<usize> {
        let operands = self.operands(join)?;
        let keys = self.join_keys(&operands, join)?;
        let aliases: Vec<String> = operands.iter().map(|operand| operand.alias.clone()).collect();
        let how = Match { kind: join.kind, keys, fallbacks: &join.fallbacks };
        self.known_fallbacks(&how, &operands)?;
        let mut step = self.joined(operands, &how, span)?;
        for clause in &join.clauses {
            step = match clause {
                Clause::Apply(expr) => self.homonyms(step, expr, &aliases)?,
                clause => self.clause(step, clause, span)?,
            };
        }
        let fields = self.fields(step).to_vec();
        let twice = fields
            .iter()
            .enumerate()
            .find(|(at, field)| fields.iter().take(*at).any(|f| f.name == field.name));
        if let Some((_, field)) = twice {
            let message = format!("the result of the join has several components `{}`", field.name);
            let hint = "keep, drop or rename until each name is single";
            self.faults.push(Fault::new(Code::Ambiguous, span, message).hint(hint));
            return None;
        }
        // Aliases mean nothing outside the join.
        if let Some(step) = self.steps.get_mut(step) {
            step.fields.iter_mut().for_each(|field| field.from.clear());
        }
        Some(step)
    }

    fn operands(&mut self, join: &Join) -> Option<Vec<Operand>> {
        let mut operands: Vec<Option<Operand>> = Vec::new();
        let mut aliases = BTreeSet::new();
        for (expr, alias) in &join.operands {
            let alias = match (alias, &expr.node) {
                (Some(alias), _) => Some(alias.text.clone()),
                (None, Node::Name(name)) => Some(name.clone()),
                (None, Node::Clause(..) | Node::Member(..)) if join.operands.len() == 1 => {
                    Some(String::new())
                }
                (None, _) => None,
            };
            let step = self.data(expr);
            let Some(alias) = alias else {
                let message = "an operand of a join that is an expression needs an alias";
                self.faults.push(Fault::new(Code::Structure, expr.span, message).hint("write `… as A`"));
                operands.push(None);
                continue;
            };
            if !aliases.insert(alias.clone()) {
                let message = format!("two operands of the join are called `{alias}`");
                self.faults.push(
                    Fault::new(Code::Duplicate, expr.span, message).hint("give them aliases: `… as A`"),
                );
            }
            operands.push(step.map(|step| {
                let mut fields = self.fields(step).to_vec();
                fields.iter_mut().for_each(|field| field.from = vec![alias.clone()]);
                Operand { step, alias, fields, span: expr.span }
            }));
        }
        operands.into_iter().collect()
    }

    /// Names of the identifiers that match: those of several operands, or of `using`; none in a
    /// `cross_join`.
    fn join_keys(&mut self, operands: &[Operand], join: &Join) -> Option<BTreeSet<String>> {
        if join.kind == JoinKind::Cross {
            return Some(BTreeSet::new());
        }
        let shared =
            |name: &str| operands.iter().filter(|operand| operand.identifier(name).is_some()).count() > 1;
        let Some(using) = &join.using else {
            let names = operands.iter().flat_map(|operand| &operand.fields);
            let names = names.filter(|field| field.role == Role::Identifier && shared(&field.name));
            return Some(names.map(|field| field.name.clone()).collect());
        };
        let mut keys = BTreeSet::new();
        for component in using {
            let name = self.meant(&component.name).into_owned();
            if !shared(&name.text) {
                let message = format!("`{}` is not an identifier of several operands of the join", name.text);
                return self.fault(Code::Structure, name.span, message);
            }
            keys.insert(name.text);
        }
        Some(keys)
    }

    /// Whether each `nvl` names an identifier that is no key.
    fn known_fallbacks(&mut self, how: &Match<'_>, operands: &[Operand]) -> Option<()> {
        for (component, _) in how.fallbacks {
            let name = &component.name;
            let known = operands.iter().any(|operand| {
                component.alias.as_ref().is_none_or(|alias| alias.text == operand.alias)
                    && operand.identifier(&name.text).is_some()
            });
            if !known || how.keys.contains(&name.text) {
                let message = format!("`{}` is no identifier beside the keys of the join", name.text);
                return self.fault(Code::Structure, name.span, message);
            }
        }
        Some(())
    }

    /// Joins the operands one by one, each time the first that shares a key with those before.
    fn joined(&mut self, operands: Vec<Operand>, how: &Match<'_>, span: Span) -> Option<usize> {
        let mut rest = operands;
        if rest.is_empty() {
            return None;
        }
        let mut left = rest.remove(0);
        while !rest.is_empty() {
            let next = rest.iter().position(|operand| {
                let both = |key: &String| operand.identifier(key).is_some() && left.identifier(key).is_some();
                how.kind == JoinKind::Cross || how.keys.iter().any(both)
            });
            let Some(next) = next else {
                let names: Vec<String> = rest.iter().map(|operand| format!("`{}`", operand.alias)).collect();
                let message =
                    format!("{} shares no key with the other operands of the join", names.join(", "));
                return self.fault(Code::Structure, span, message);
            };
            let right = rest.remove(next);
            left = self.pair(left, right, how, span)?;
        }
        Some(left.step)
    }

    fn pair(&mut self, left: Operand, right: Operand, how: &Match<'_>, span: Span) -> Option<Operand> {
        let mut matched = Vec::new();
        for name in &how.keys {
            if let (Some(a), Some(b)) = (left.identifier(name), right.identifier(name)) {
                self.same_kind(left.fields.get(a)?, right.fields.get(b)?, right.span)?;
                matched.push((a, b));
            }
        }
        matched.sort_unstable();
        let matching = match how.kind {
            JoinKind::Inner | JoinKind::Cross => Matching::Inner,
            JoinKind::Left => Matching::Left,
            JoinKind::Full => Matching::Full,
        };
        let mut columns: Vec<(Field, (Side, Option<Cell>))> = Vec::new();
        for (at, field) in left.fields.iter().enumerate() {
            let mut field = field.clone();
            let key = matched.iter().find(|(key, _)| *key == at);
            let (side, gap) = match key {
                Some((_, other)) => {
                    field.from.push(right.alias.clone());
                    (if matching == Matching::Full { Side::Either(at, *other) } else { Side::Left(at) }, None)
                }
                None => (Side::Left(at), self.gap(&field, matching == Matching::Full, how, &right)?),
            };
            columns.push((field, (side, gap)));
        }
        let others =
            right.fields.iter().enumerate().filter(|(at, _)| !matched.iter().any(|(_, key)| key == at));
        for (at, field) in others {
            let gap = self.gap(field, matching != Matching::Inner, how, &right)?;
            columns.push((field.clone(), (Side::Right(at), gap)));
        }
        columns.sort_by_key(|(field, _)| field.role);
        let (fields, columns): (Vec<Field>, Vec<_>) = columns.into_iter().unzip();
        let operation =
            Operation::Join { left: left.step, right: right.step, keys: matched, columns, matching };
        let step = self.push(operation, fields, span);
        let step = self.merged_virals(step, span)?;
        let fields = self.fields(step).to_vec();
        Some(Operand { step, alias: left.alias, fields, span: left.span })
    }

    /// The value of a component where a data point lacks it: of an identifier that of `nvl`.
    fn gap(
        &mut self,
        field: &Field,
        missing: bool,
        how: &Match<'_>,
        right: &Operand,
    ) -> Option<Option<Cell>> {
        if field.role != Role::Identifier || !missing {
            return Some(None);
        }
        let found = how.fallbacks.iter().find(|(component, _)| {
            component.name.text == field.name
                && component.alias.as_ref().is_none_or(|alias| field.from.contains(&alias.text))
        });
        match found {
            Some((component, Some(cell))) => {
                let typed = super::component::constant(Some(cell.clone()), component.name.span);
                if typed.kind != Some(field.kind) {
                    let message = super::component::mismatch(&field.name, field.kind, typed.kind);
                    return self.fault(Code::Type, component.name.span, message);
                }
                Some(Some(cell.clone()))
            }
            Some((component, None)) => {
                self.fault(Code::NullIdentifier, component.name.span, "an identifier cannot be null")
            }
            None => {
                let (name, join) = (&field.name, how.kind.name());
                let message =
                    format!("the identifier `{name}` is no key of the `{join}`, so data points may lack it");
                let hint = format!("name the keys with `using …` and give a value: `nvl({name}, …)`");
                self.faults.push(Fault::new(Code::Structure, right.span, message).hint(hint));
                None
            }
        }
    }

    /// `apply`: an expression over the operands by alias, for each measure that several have.
    fn homonyms(&mut self, step: usize, expr: &Expr, aliases: &[String]) -> Option<usize> {
        let fields = self.fields(step).to_vec();
        let measures = positions(&fields, Role::Measure);
        let mut names: Vec<&str> = Vec::new();
        for field in measures.iter().filter_map(|at| fields.get(*at)) {
            if !names.contains(&field.name.as_str()) {
                names.push(&field.name);
            }
        }
        let mut columns = self.pass(step, |field| field.role == Role::Identifier);
        let before = self.faults.len();
        for name in names {
            let homonyms = self.aliased(name, &fields, aliases);
            if homonyms.len() < 2 {
                continue;
            }
            let mut scope = Scope::row(&fields);
            let typed = self.applied(expr, homonyms, &mut scope);
            if let Some(kind) = typed.as_ref().and_then(|typed| typed.kind) {
                let field = Field { name: name.to_owned(), role: Role::Measure, kind, from: Vec::new() };
                columns.extend(typed.map(|typed| (field, typed)));
            }
        }
        if columns.iter().all(|(field, _)| field.role != Role::Measure) {
            if self.faults.len() == before {
                let message = "the operands of the join have no measure of one name to apply this to";
                return self.fault(Code::Structure, expr.span, message);
            }
            return None;
        }
        // Measures whose type the expression does not fit are left out.
        self.faults.truncate(before);
        Some(self.map(step, columns, expr.span))
    }

    /// The measure of one name in each operand, by alias.
    fn aliased(&self, name: &str, fields: &[Field], aliases: &[String]) -> BTreeMap<String, Argument> {
        let of = |alias: &String| {
            let fits = |field: &Field| {
                field.role == Role::Measure && field.name == name && field.from.contains(alias)
            };
            let at = fields.iter().position(fits)?;
            let typed: Typed = column(at, fields.get(at)?, Span::default());
            Some((alias.clone(), Argument::Scalar(typed)))
        };
        aliases.iter().filter_map(of).collect()
    }

    fn applied(
        &mut self,
        expr: &Expr,
        homonyms: BTreeMap<String, Argument>,
        scope: &mut Scope,
    ) -> Option<Typed> {
        self.enter("apply", homonyms);
        let typed = self.component(expr, scope);
        self.leave();
        typed
    }

    /// Brings the viral attributes that several operands have to one each: two at a time, each time
    /// in a step of its own, for an expression that holds all would double with every operand.
    pub(super) fn merged_virals(&mut self, step: usize, span: Span) -> Option<usize> {
        let fields = self.fields(step).to_vec();
        let virals = positions(&fields, Role::ViralAttribute);
        let named = |at: usize| fields.get(at).map(|field| &field.name);
        let alike = |at: usize| virals.iter().copied().filter(move |other| named(*other) == named(at));
        if virals.iter().all(|at| alike(*at).count() == 1) {
            return Some(step);
        }
        let mut columns = self.pass(step, |field| field.role != Role::ViralAttribute);
        for at in virals.iter().copied() {
            let place = alike(at).position(|other| other == at)?;
            let mut field = fields.get(at)?.clone();
            let mut typed = column(at, &field, span);
            if place == 1 {
                continue;
            }
            if let Some(other) = alike(at).nth(1).filter(|_| place == 0) {
                let second = fields.get(other)?;
                field.from.extend(second.from.iter().cloned());
                typed = self.propagate(&field.name, typed, column(other, second, span), span)?;
            }
            field.kind = typed.kind.unwrap_or(field.kind);
            columns.push((field, typed));
        }
        let merged = self.map(step, columns, span);
        self.merged_virals(merged, span)
    }
}
