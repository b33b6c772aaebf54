//! Joins (reference manual, "Join operators"): keys, virtual data set and clauses.
//!
//! The virtual data set has each key once. Components of the same name are distinguished by alias until
//! the end, when names must be unique. Viral attributes of the same name are merged.

use std::collections::{BTreeMap, BTreeSet};

use schemas::structure::Role;
use schemas::table::Cell;

use super::call::BoundArgument;
use super::component::ComponentScope;
use super::{Checker, column_expr, columns_with_role};
use crate::ast::{Clause, ComponentRef, Expr, ExprNode, JoinCall, JoinType};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::plan::{JoinColumn, JoinMode, Operation, PlanColumn, TypedExpr};

/// Operand of a join: step, alias and columns.
struct JoinOperand {
    step: usize,
    alias: String,
    columns: Vec<PlanColumn>,
    span: Span,
}

impl JoinOperand {
    fn identifier(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.role == Role::Identifier && column.name == name)
    }
}

/// Type, keys and fallbacks of a join.
struct JoinCondition {
    join_type: JoinType,
    /// Names of the identifiers that must be equal.
    keys: BTreeSet<String>,
    fallbacks: Vec<(ComponentRef, Option<Cell>)>,
}

impl Checker<'_> {
    pub(super) fn check_join(&mut self, join: &JoinCall, span: Span) -> Option<usize> {
        let operands = self.check_join_operands(join)?;
        let keys = self.join_keys(&operands, join)?;
        let aliases: Vec<String> = operands.iter().map(|operand| operand.alias.clone()).collect();
        let fallbacks = join.fallbacks.iter();
        let fallbacks =
            fallbacks.map(|(component, cell)| (self.substitute_component(component), cell.clone())).collect();
        let how = JoinCondition { join_type: join.join_type, keys, fallbacks };
        self.check_fallbacks(&how, &operands)?;
        let mut step = self.push_joins(operands, &how, span)?;
        for clause in &join.clauses {
            step = match clause {
                Clause::Apply(expr) => self.apply_to_homonyms(step, expr, &aliases)?,
                clause => self.check_clause(step, clause, span)?,
            };
        }
        let columns = self.step_columns(step).to_vec();
        // Checked after the clauses only: within the join, `alias#name` tells equal names apart.
        let twice = columns
            .iter()
            .enumerate()
            .find(|(at, column)| columns.iter().take(*at).any(|f| f.name == column.name));
        if let Some((_, column)) = twice {
            let message = format!("the result of the join has more than one component `{}`", column.name);
            let hint = "use `keep`, `drop` or `rename` until each name is unique";
            self.diagnostics.push(Diagnostic::new(DiagnosticCode::Ambiguous, span, message).with_hint(hint));
            return None;
        }
        // Aliases are not visible outside the join.
        if let Some(step) = self.steps.get_mut(step) {
            step.columns.iter_mut().for_each(|column| column.aliases.clear());
        }
        Some(step)
    }

    fn check_join_operands(&mut self, join: &JoinCall) -> Option<Vec<JoinOperand>> {
        let mut operands: Vec<Option<JoinOperand>> = Vec::new();
        let mut aliases = BTreeSet::new();
        for (expr, alias) in &join.operands {
            let alias = match (alias, &expr.node) {
                (Some(alias), _) => Some(alias.text.clone()),
                (None, ExprNode::Name(name)) => Some(name.clone()),
                (None, ExprNode::Clause(..) | ExprNode::Member(..)) if join.operands.len() == 1 => {
                    Some(String::new())
                }
                (None, _) => None,
            };
            let step = self.check_dataset(expr);
            let Some(alias) = alias else {
                let message = "a join operand that is an expression needs an alias";
                self.diagnostics.push(
                    Diagnostic::new(DiagnosticCode::Structure, expr.span, message)
                        .with_hint("write `… as A`"),
                );
                operands.push(None);
                continue;
            };
            if !aliases.insert(alias.clone()) {
                let message = format!("two join operands are named `{alias}`");
                self.diagnostics.push(
                    Diagnostic::new(DiagnosticCode::Duplicate, expr.span, message)
                        .with_hint("give them different aliases: `… as A`"),
                );
            }
            operands.push(step.map(|step| {
                let mut columns = self.step_columns(step).to_vec();
                columns.iter_mut().for_each(|column| column.aliases = vec![alias.clone()]);
                JoinOperand { step, alias, columns, span: expr.span }
            }));
        }
        operands.into_iter().collect()
    }

    /// Returns the names of the key identifiers: those of `using`, else those that several operands
    /// share; none for `cross_join`.
    fn join_keys(&mut self, operands: &[JoinOperand], join: &JoinCall) -> Option<BTreeSet<String>> {
        if join.join_type == JoinType::Cross {
            return Some(BTreeSet::new());
        }
        // Counted once: a script has room for thousands of operands.
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let columns = operands.iter().flat_map(|operand| &operand.columns);
        for column in columns.filter(|column| column.role == Role::Identifier) {
            *counts.entry(&column.name).or_default() += 1;
        }
        let shared = |name: &str| counts.get(name).is_some_and(|count| *count > 1);
        let Some(using) = &join.using else {
            let names = operands.iter().flat_map(|operand| &operand.columns);
            let names = names.filter(|column| column.role == Role::Identifier && shared(&column.name));
            return Some(names.map(|column| column.name.clone()).collect());
        };
        let mut keys = BTreeSet::new();
        for component in using {
            let name = self.substitute_name(&component.name).into_owned();
            if !shared(&name.text) {
                let message = format!("`{}` is not an identifier of at least two join operands", name.text);
                return self.report_error(DiagnosticCode::Structure, name.span, message);
            }
            keys.insert(name.text);
        }
        Some(keys)
    }

    /// Checks that each `nvl` names an identifier that is not a key.
    fn check_fallbacks(&mut self, how: &JoinCondition, operands: &[JoinOperand]) -> Option<()> {
        for (component, _) in &how.fallbacks {
            let name = &component.name;
            let known = operands.iter().any(|operand| {
                component.alias.as_ref().is_none_or(|alias| alias.text == operand.alias)
                    && operand.identifier(&name.text).is_some()
            });
            if !known || how.keys.contains(&name.text) {
                let message = format!("`{}` is not an identifier outside the keys of the join", name.text);
                return self.report_error(DiagnosticCode::Structure, name.span, message);
            }
        }
        Some(())
    }

    /// Joins the operands one by one, each time the first that shares a key with those joined before.
    fn push_joins(&mut self, operands: Vec<JoinOperand>, how: &JoinCondition, span: Span) -> Option<usize> {
        let mut rest = operands;
        if rest.is_empty() {
            return None;
        }
        let mut left = rest.remove(0);
        while !rest.is_empty() {
            let next = rest.iter().position(|operand| {
                let both = |key: &String| operand.identifier(key).is_some() && left.identifier(key).is_some();
                how.join_type == JoinType::Cross || how.keys.iter().any(both)
            });
            let Some(next) = next else {
                let names: Vec<String> = rest.iter().map(|operand| format!("`{}`", operand.alias)).collect();
                let message =
                    format!("{} shares no key with the other operands of the join", names.join(", "));
                return self.report_error(DiagnosticCode::Structure, span, message);
            };
            let right = rest.remove(next);
            left = self.join_pair(left, right, how, span)?;
        }
        Some(left.step)
    }

    fn join_pair(
        &mut self,
        left: JoinOperand,
        right: JoinOperand,
        how: &JoinCondition,
        span: Span,
    ) -> Option<JoinOperand> {
        let mut matched = Vec::new();
        for name in &how.keys {
            if let (Some(a), Some(b)) = (left.identifier(name), right.identifier(name)) {
                self.check_same_type(left.columns.get(a)?, right.columns.get(b)?, right.span)?;
                matched.push((a, b));
            }
        }
        // Keys in the order of the left side, not of their names.
        matched.sort_unstable();
        let matching = match how.join_type {
            JoinType::Inner | JoinType::Cross => JoinMode::Inner,
            JoinType::Left => JoinMode::Left,
            JoinType::Full => JoinMode::Full,
        };
        let mut outputs: Vec<(PlanColumn, (JoinColumn, Option<Cell>))> = Vec::new();
        for (at, column) in left.columns.iter().enumerate() {
            let mut column = column.clone();
            let key = matched.iter().find(|(key, _)| *key == at);
            // In a full join, keys come from the side that has the data point (specs/vtl.md, 7).
            let (side, gap) = match key {
                Some((_, other)) => {
                    column.aliases.push(right.alias.clone());
                    (
                        if matching == JoinMode::Full {
                            JoinColumn::Either(at, *other)
                        } else {
                            JoinColumn::Left(at)
                        },
                        None,
                    )
                }
                None => (
                    JoinColumn::Left(at),
                    // Only a full join has data points that the left side lacks.
                    self.missing_value(&column, matching == JoinMode::Full, how, &right)?,
                ),
            };
            outputs.push((column, (side, gap)));
        }
        let others =
            right.columns.iter().enumerate().filter(|(at, _)| !matched.iter().any(|(_, key)| key == at));
        for (at, column) in others {
            let gap = self.missing_value(column, matching != JoinMode::Inner, how, &right)?;
            outputs.push((column.clone(), (JoinColumn::Right(at), gap)));
        }
        // Stable sort: columns of one role stay in the order of the operands.
        outputs.sort_by_key(|(column, _)| column.role);
        let (columns, outputs): (Vec<PlanColumn>, Vec<_>) = outputs.into_iter().unzip();
        let operation =
            Operation::Join { left: left.step, right: right.step, keys: matched, outputs, matching };
        let step = self.push_step(operation, columns, span);
        let step = self.merge_viral_attributes(step, span)?;
        let columns = self.step_columns(step).to_vec();
        Some(JoinOperand { step, alias: left.alias, columns, span: left.span })
    }

    /// Returns the value of a component absent from a data point; for an identifier this is the one of
    /// `nvl`.
    fn missing_value(
        &mut self,
        column: &PlanColumn,
        missing: bool,
        how: &JoinCondition,
        right: &JoinOperand,
    ) -> Option<Option<Cell>> {
        if column.role != Role::Identifier || !missing {
            return Some(None);
        }
        let found = how.fallbacks.iter().find(|(component, _)| {
            component.name.text == column.name
                && component.alias.as_ref().is_none_or(|alias| column.aliases.contains(&alias.text))
        });
        match found {
            Some((component, Some(cell))) => {
                let typed = super::component::constant_expr(Some(cell.clone()), component.name.span);
                if typed.value_type != Some(column.value_type) {
                    let message = super::component::type_mismatch_message(
                        &column.name,
                        column.value_type,
                        typed.value_type,
                    );
                    return self.report_error(DiagnosticCode::Type, component.name.span, message);
                }
                Some(Some(cell.clone()))
            }
            Some((component, None)) => self.report_error(
                DiagnosticCode::NullIdentifier,
                component.name.span,
                "an identifier cannot be null",
            ),
            None => {
                let (name, join) = (&column.name, how.join_type.name());
                let message = format!(
                    "the identifier `{name}` is not a key of the `{join}` and may be missing from data points"
                );
                let hint = format!("name the keys with `using …` and give a default: `nvl({name}, …)`");
                self.diagnostics
                    .push(Diagnostic::new(DiagnosticCode::Structure, right.span, message).with_hint(hint));
                None
            }
        }
    }

    /// Checks `apply`: an expression over the operands by alias, evaluated for each measure that
    /// several operands share.
    fn apply_to_homonyms(&mut self, step: usize, expr: &Expr, aliases: &[String]) -> Option<usize> {
        let columns = self.step_columns(step).to_vec();
        let measures = columns_with_role(&columns, Role::Measure);
        let mut names: Vec<&str> = Vec::new();
        for column in measures.iter().filter_map(|at| columns.get(*at)) {
            if !names.contains(&column.name.as_str()) {
                names.push(&column.name);
            }
        }
        let mut outputs = self.pass_columns(step, |column| column.role == Role::Identifier);
        // Diagnostics are kept only if the expression fits no measure.
        let before = self.diagnostics.len();
        for name in names {
            let homonyms = self.homonyms_by_alias(name, &columns, aliases);
            if homonyms.len() < 2 {
                continue;
            }
            let mut scope = ComponentScope::row(&columns);
            let typed = self.check_applied_expr(expr, homonyms, &mut scope);
            if let Some(value_type) = typed.as_ref().and_then(|typed| typed.value_type) {
                let column = PlanColumn::measure(name, value_type);
                outputs.extend(typed.map(|typed| (column, typed)));
            }
        }
        if outputs.iter().all(|(column, _)| column.role != Role::Measure) {
            if self.diagnostics.len() == before {
                let message = "the join operands share no measure to apply this to";
                return self.report_error(DiagnosticCode::Structure, expr.span, message);
            }
            return None;
        }
        // Measures of a type that the expression does not accept are left out, so their diagnostics are
        // dropped.
        self.diagnostics.truncate(before);
        Some(self.push_map(step, outputs, expr.span))
    }

    /// Returns the measure with this name in each operand, by alias.
    fn homonyms_by_alias(
        &self,
        name: &str,
        columns: &[PlanColumn],
        aliases: &[String],
    ) -> BTreeMap<String, BoundArgument> {
        let of = |alias: &String| {
            let fits = |column: &PlanColumn| {
                column.role == Role::Measure && column.name == name && column.aliases.contains(alias)
            };
            let at = columns.iter().position(fits)?;
            let typed: TypedExpr = column_expr(at, columns.get(at)?, Span::default());
            Some((alias.clone(), BoundArgument::Scalar(typed)))
        };
        aliases.iter().filter_map(of).collect()
    }

    fn check_applied_expr(
        &mut self,
        expr: &Expr,
        homonyms: BTreeMap<String, BoundArgument>,
        scope: &mut ComponentScope,
    ) -> Option<TypedExpr> {
        self.enter_scope("apply", homonyms);
        let typed = self.check_component(expr, scope);
        self.leave_scope();
        typed
    }

    /// Merges viral attributes of the same name. Two are merged per step, because one expression over
    /// all operands would double in size with each of them.
    pub(super) fn merge_viral_attributes(&mut self, step: usize, span: Span) -> Option<usize> {
        let columns = self.step_columns(step).to_vec();
        let virals = columns_with_role(&columns, Role::ViralAttribute);
        let named = |at: usize| columns.get(at).map(|column| &column.name);
        let alike = |at: usize| virals.iter().copied().filter(move |other| named(*other) == named(at));
        if virals.iter().all(|at| alike(*at).count() == 1) {
            return Some(step);
        }
        let mut outputs = self.pass_columns(step, |column| column.role != Role::ViralAttribute);
        for at in virals.iter().copied() {
            let place = alike(at).position(|other| other == at)?;
            let mut column = columns.get(at)?.clone();
            let mut typed = column_expr(at, &column, span);
            if place == 1 {
                continue;
            }
            if let Some(other) = alike(at).nth(1).filter(|_| place == 0) {
                let second = columns.get(other)?;
                column.aliases.extend(second.aliases.iter().cloned());
                typed = self.propagate_viral(&column.name, typed, column_expr(other, second, span), span)?;
            }
            column.value_type = typed.value_type.unwrap_or(column.value_type);
            outputs.push((column, typed));
        }
        let merged = self.push_map(step, outputs, span);
        self.merge_viral_attributes(merged, span)
    }
}
