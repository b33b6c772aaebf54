//! `hierarchy` and `check_hierarchy` (reference manual, "Hierarchical roll-up", "Check hierarchy").
//!
//! The rules between code items become one step over groups of data points.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use schemas::structure::{Role, ValueType};

use super::call::BoundArgument;
use super::component::ComponentScope;
use super::dataset::is_carried;
use super::{Checker, ExprValue, column_expr, columns_with_role};
use crate::ast::{
    ComponentRef, HierarchicalRule, HierarchicalRuleset, HierarchyCall, HierarchyInput, Ident,
    ValidationOutput,
};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::op::Op;
use crate::plan::{Operation, PlanColumn, Rollup, RollupItem, RollupRule, TypedExpr};

impl Checker<'_> {
    pub(super) fn check_hierarchy(
        &mut self,
        call: &HierarchyCall,
        check: bool,
        span: Span,
    ) -> Option<ExprValue> {
        let definitions = self.definitions;
        let step = self.check_dataset(&call.operand);
        let name = self.substitute_name(&call.ruleset).into_owned();
        let Some(ruleset) = definitions.hierarchical.get(&name.text) else {
            return self.report_unknown_ruleset(
                &name,
                definitions.hierarchical.keys().map(String::as_str).collect(),
            );
        };
        let step = self.widen_averaged_virals(step?, span)?;
        let columns = self.step_columns(step).to_vec();
        let rule = self.code_item_column(ruleset, call, &name, &columns)?;
        let value = self.single_numeric_measure(&columns, call.operand.span)?;
        let bound = Rc::new(self.bind_conditions(ruleset, call, &name, &columns, rule)?);
        let value_types = self.error_types(ruleset.rules.iter().map(|rule| &rule.error), span)?;
        self.check_rule_names(ruleset.rules.iter().map(|rule| rule.name.as_ref()))?;
        // Each call copies the rules into the plan, so each one is charged.
        let items: usize = ruleset.rules.iter().map(|rule| 1 + rule.right.len()).sum();
        self.charge_expansion(items as u64, span)?;
        let sequence = self.order_rules(ruleset, call.source)?;
        let mut rules = Vec::new();
        for at in sequence {
            let rule = ruleset.rules.get(at)?;
            if check || rule.relation == Op::Equal {
                rules.push(self.check_rollup_rule(ruleset, at, rule, &bound, &columns)?);
            }
        }
        let virals = self.rollup_virals(&columns)?;
        let rollup = Rollup {
            rule,
            value,
            keys: columns_with_role(&columns, Role::Identifier)
                .into_iter()
                .filter(|at| *at != rule)
                .collect(),
            virals,
            rules,
            check,
            missing: call.missing,
            source: call.source,
            output: call.output,
        };
        let shape = if check {
            let mut shape: Vec<PlanColumn> =
                columns.iter().filter(|column| column.role == Role::Identifier).cloned().collect();
            // The new identifier follows the existing ones (specs/vtl.md, 13).
            shape.push(PlanColumn::new("ruleid", Role::Identifier, ValueType::String));
            if call.output != ValidationOutput::All {
                shape.push(columns.get(value)?.clone());
            }
            if call.output != ValidationOutput::Invalid {
                shape.push(PlanColumn::measure("bool_var", ValueType::Boolean));
            }
            shape.push(PlanColumn::measure("imbalance", columns.get(value)?.value_type));
            shape.push(PlanColumn::measure("errorcode", value_types.code));
            shape.push(PlanColumn::measure("errorlevel", value_types.level));
            shape.extend(columns.iter().filter(|column| column.role == Role::ViralAttribute).cloned());
            shape
        } else {
            columns
                .iter()
                .filter(|column| is_carried(column) || column.role == Role::Measure)
                .cloned()
                .collect()
        };
        let operation = Operation::Rollup { input: step, rollup: Box::new(rollup) };
        let computed = self.push_step(operation, shape, span);
        if check || call.output != ValidationOutput::All {
            return Some(ExprValue::Data(computed));
        }
        let outputs = self.pass_columns(step, |column| column.role != Role::Attribute);
        // INVARIANT: computed first, as a union keeps the leftmost of equal data points (specs/vtl.md, 13).
        let all = self.push_map(step, outputs, span);
        self.push_union(&[computed, all], span).map(ExprValue::Data)
    }

    /// Returns the identifier that contains the code items.
    fn code_item_column(
        &mut self,
        ruleset: &HierarchicalRuleset,
        call: &HierarchyCall,
        name: &Ident,
        columns: &[PlanColumn],
    ) -> Option<usize> {
        let component = match &call.rule {
            Some(component) => component.clone(),
            None if ruleset.domains => {
                let message = format!("`{}` is defined on a value domain", name.text);
                let hint = "name the identifier: `rule COMPONENT`";
                self.diagnostics
                    .push(Diagnostic::new(DiagnosticCode::Structure, name.span, message).with_hint(hint));
                return None;
            }
            None => {
                ComponentRef { alias: None, name: Ident { text: ruleset.rule.text.clone(), span: name.span } }
            }
        };
        let at = self.component_position(&component, columns)?;
        let fits = |column: &PlanColumn| {
            column.role == Role::Identifier
                && matches!(column.value_type, ValueType::String | ValueType::Integer)
        };
        if !columns.get(at).is_some_and(fits) {
            let message =
                format!("`{}` must be an identifier of type `string` or `integer`", component.name.text);
            return self.report_error(DiagnosticCode::Structure, component.name.span, message);
        }
        Some(at)
    }

    fn single_numeric_measure(&mut self, columns: &[PlanColumn], span: Span) -> Option<usize> {
        match columns_with_role(columns, Role::Measure).as_slice() {
            [at] if matches!(columns.get(*at)?.value_type, ValueType::Integer | ValueType::Number) => {
                Some(*at)
            }
            _ => self.report_error(
                DiagnosticCode::Structure,
                span,
                "expected a data set with exactly one measure, a number",
            ),
        }
    }

    /// Binds the names in the conditions of the rules to identifiers other than that of the code items.
    fn bind_conditions(
        &mut self,
        ruleset: &HierarchicalRuleset,
        call: &HierarchyCall,
        name: &Ident,
        columns: &[PlanColumn],
        rule: usize,
    ) -> Option<BTreeMap<String, BoundArgument>> {
        let names = self.resolve_signature(&ruleset.conditions, ruleset.domains, &call.conditions, name)?;
        let mut bound = BTreeMap::new();
        for (signed, component) in ruleset.conditions.iter().zip(&names) {
            let at = self.component_position(component, columns)?;
            let column = columns.get(at)?;
            if column.role != Role::Identifier || at == rule {
                let message = format!(
                    "conditions expected an identifier other than that of the code items, found `{}`",
                    column.name
                );
                return self.report_error(DiagnosticCode::Structure, component.name.span, message);
            }
            let typed = column_expr(at, column, component.name.span);
            bound.insert(signed.local_name().to_owned(), BoundArgument::Scalar(typed));
        }
        Some(bound)
    }

    /// Sorts the rules so that each follows the rules that compute its right side.
    fn order_rules(&mut self, ruleset: &HierarchicalRuleset, source: HierarchyInput) -> Option<Vec<usize>> {
        let rules = &ruleset.rules;
        let computes =
            |rule: &HierarchicalRule| rule.relation == Op::Equal && source != HierarchyInput::Dataset;
        // For each code item, `coming` counts the pending rules that compute it, and `users` lists the
        // rules that read it.
        let mut coming: BTreeMap<&str, usize> = BTreeMap::new();
        for rule in rules.iter().filter(|rule| computes(rule)) {
            *coming.entry(&rule.left.code).or_default() += 1;
        }
        let mut users: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut waiting = Vec::new();
        for (at, rule) in rules.iter().enumerate() {
            let items: BTreeSet<&str> = rule.right.iter().map(|part| part.item.code.as_str()).collect();
            let needs = items.into_iter().filter(|code| *code != rule.left.code && coming.contains_key(code));
            let needs: Vec<&str> = needs.collect();
            waiting.push(needs.len());
            needs.into_iter().for_each(|code| users.entry(code).or_default().push(at));
        }
        // A sorted set keeps independent rules in the order of the ruleset.
        let mut ready: BTreeSet<usize> =
            waiting.iter().enumerate().filter(|(_, needs)| **needs == 0).map(|(at, _)| at).collect();
        let mut order = Vec::new();
        while let Some(at) = ready.pop_first() {
            order.push(at);
            let Some(rule) = rules.get(at).filter(|rule| computes(rule)) else { continue };
            let left = coming.entry(&rule.left.code).or_default();
            *left = left.saturating_sub(1);
            // Several rules may compute one code item; its readers wait for the last of them.
            for user in users.get(rule.left.code.as_str()).filter(|_| *left == 0).into_iter().flatten() {
                let Some(needs) = waiting.get_mut(*user) else { continue };
                *needs = needs.saturating_sub(1);
                if *needs == 0 {
                    ready.insert(*user);
                }
            }
        }
        match waiting.iter().position(|needs| *needs > 0).and_then(|at| rules.get(at)) {
            None => Some(order),
            Some(rule) => {
                let message = format!("the code item `{}` is computed from itself", rule.left.code);
                self.report_error(DiagnosticCode::Cycle, rule.left.span, message)
            }
        }
    }

    fn check_rollup_rule(
        &mut self,
        ruleset: &HierarchicalRuleset,
        at: usize,
        rule: &HierarchicalRule,
        bound: &Rc<BTreeMap<String, BoundArgument>>,
        columns: &[PlanColumn],
    ) -> Option<RollupRule> {
        let mut scope = ComponentScope::row(columns);
        self.enter_scope(&ruleset.name.text, Rc::clone(bound));
        let when = rule.when.as_ref().map(|when| self.check_condition(when, &mut scope));
        let mut parts = Vec::new();
        for part in &rule.right {
            let condition =
                part.condition.as_ref().map(|condition| self.check_condition(condition, &mut scope));
            parts.push((part, condition));
        }
        // No `?` before this line: an early return would leave the scope open.
        self.leave_scope();
        let given =
            |condition: Option<Option<TypedExpr>>| condition.map_or(Some(None), |found| found.map(Some));
        let mut right = Vec::new();
        for (part, condition) in parts {
            let condition = given(condition)?;
            right.push(RollupItem { minus: part.minus, code: part.item.code.clone(), condition });
        }
        Some(RollupRule {
            name: rule.name.as_ref().map_or((at + 1).to_string(), |name| name.text.clone()),
            when: given(when)?,
            left: rule.left.code.clone(),
            relation: rule.relation,
            right,
            error: rule.error.clone(),
            span: rule.span,
        })
    }
}
