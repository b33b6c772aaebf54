//! Joins (reference manual, "Inner join", "Left join"): keys, the virtual data set, its clauses.
//!
//! The virtual data set has each key once; components that several operands have are told apart by
//! alias until the end, when each name must be single again.

use std::collections::BTreeSet;

use schemas::structure::Role;

use super::{Checker, positions};
use crate::ast::{Component, Join, JoinKind, Node};
use crate::fault::{Code, Fault, Span};
use crate::plan::{Field, Operation, Side};

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

impl Checker<'_> {
    pub(super) fn join(&mut self, join: &Join, span: Span) -> Option<usize> {
        let operands = self.operands(join)?;
        let keys = self.join_keys(&operands, join.using.as_deref())?;
        let mut step = self.joined(operands, &keys, join.kind == JoinKind::Left, span)?;
        for clause in &join.clauses {
            step = self.clause(step, clause, span)?;
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

    /// Names of the identifiers that match: those of several operands, or of `using`.
    fn join_keys(&mut self, operands: &[Operand], using: Option<&[Component]>) -> Option<BTreeSet<String>> {
        let shared =
            |name: &str| operands.iter().filter(|operand| operand.identifier(name).is_some()).count() > 1;
        let Some(using) = using else {
            let names = operands.iter().flat_map(|operand| &operand.fields);
            let names = names.filter(|field| field.role == Role::Identifier && shared(&field.name));
            return Some(names.map(|field| field.name.clone()).collect());
        };
        let mut keys = BTreeSet::new();
        for component in using {
            let name = &component.name;
            if !shared(&name.text) {
                let message = format!("`{}` is not an identifier of several operands of the join", name.text);
                return self.fault(Code::Structure, name.span, message);
            }
            keys.insert(name.text.clone());
        }
        Some(keys)
    }

    /// Joins the operands one by one, each time the first that shares a key with those before.
    fn joined(
        &mut self,
        operands: Vec<Operand>,
        keys: &BTreeSet<String>,
        outer: bool,
        span: Span,
    ) -> Option<usize> {
        let mut rest = operands;
        if rest.is_empty() {
            return None;
        }
        let mut left = rest.remove(0);
        while !rest.is_empty() {
            let next = rest.iter().position(|operand| {
                keys.iter().any(|key| operand.identifier(key).is_some() && left.identifier(key).is_some())
            });
            let Some(next) = next else {
                let names: Vec<String> = rest.iter().map(|operand| format!("`{}`", operand.alias)).collect();
                let message =
                    format!("{} shares no key with the other operands of the join", names.join(", "));
                return self.fault(Code::Structure, span, message);
            };
            let right = rest.remove(next);
            left = self.pair(left, right, keys, outer, span)?;
        }
        Some(left.step)
    }

    fn pair(
        &mut self,
        left: Operand,
        right: Operand,
        keys: &BTreeSet<String>,
        outer: bool,
        span: Span,
    ) -> Option<Operand> {
        let mut matched = Vec::new();
        for name in keys {
            if let (Some(a), Some(b)) = (left.identifier(name), right.identifier(name)) {
                self.same_kind(left.fields.get(a)?, right.fields.get(b)?, right.span)?;
                matched.push((a, b));
            }
        }
        matched.sort_unstable();
        if outer && positions(&right.fields, Role::Identifier).len() != matched.len() {
            let message = format!("the identifiers of `{}` must all be keys of the `left_join`", right.alias);
            return self.fault(Code::Structure, right.span, message);
        }
        let mut columns: Vec<(Field, Side)> = Vec::new();
        for (at, field) in left.fields.iter().enumerate() {
            let mut field = field.clone();
            if matched.iter().any(|(key, _)| *key == at) {
                field.from.push(right.alias.clone());
            }
            columns.push((field, Side::Left(at)));
        }
        let others =
            right.fields.iter().enumerate().filter(|(at, _)| !matched.iter().any(|(_, key)| key == at));
        columns.extend(others.map(|(at, field)| (field.clone(), Side::Right(at))));
        columns.sort_by_key(|(field, _)| field.role);
        let (fields, columns): (Vec<Field>, Vec<Side>) = columns.into_iter().unzip();
        let operation = Operation::Join { left: left.step, right: right.step, keys: matched, columns, outer };
        let step = self.push(operation, fields.clone(), span);
        Some(Operand { step, alias: left.alias, fields, span: left.span })
    }
}
