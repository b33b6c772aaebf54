//! `check` and `check_datapoint` (reference manual, "Data validation operators").
//!
//! Only invalid data points have error codes and levels. The antecedent of a rule implies its
//! consequent in three-valued logic.

use std::collections::BTreeMap;
use std::rc::Rc;

use schemas::structure::{Role, ValueType};
use schemas::table::Cell;

use super::call::BoundArgument;
use super::component::{ComponentScope, constant_expr};
use super::dataset::is_carried;
use super::{Checker, ExprValue, column_expr, columns_with_role};
use crate::ast::{
    CheckCall, CheckDatapointCall, ComponentRef, DatapointRule, DatapointRuleset, ErrorLabels, Ident,
    SignatureItem, ValidationOutput,
};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span, suggestion};
use crate::op::Op;
use crate::plan::{JoinColumn, JoinMode, Operation, PlanColumn, TypedExpr};

/// Types of `errorcode` and `errorlevel` in a result.
#[derive(Debug, Clone, Copy)]
pub(super) struct ErrorTypes {
    pub(super) code: ValueType,
    pub(super) level: ValueType,
}

impl Checker<'_> {
    /// Checks `check`: condition, imbalance, error code and error level of each data point.
    pub(super) fn check_validation(&mut self, check: &CheckCall, span: Span) -> Option<ExprValue> {
        let operand = self.check_dataset(&check.operand);
        let imbalance = match &check.imbalance {
            Some(expr) => self.check_dataset(expr).map(|step| Some((step, expr.span))),
            None => Some(None),
        };
        let (mut step, imbalance) = (operand?, imbalance?);
        let value_types = self.error_types([&check.error].into_iter(), span)?;
        self.condition_measure(step, check.operand.span)?;
        if let Some((other, place)) = imbalance {
            step = self.join_imbalance(step, other, place)?;
        }
        let columns = self.step_columns(step).to_vec();
        let measures = columns_with_role(&columns, Role::Measure);
        let truth = column_expr(*measures.first()?, columns.get(*measures.first()?)?, span);
        // An unknown condition is not invalid: a filter treats null as false (specs/vtl.md, 3).
        if check.output == ValidationOutput::Invalid {
            let condition = self.apply_operator(Op::Not, vec![truth.clone()], span)?;
            step = self.push_step(Operation::Filter { input: step, condition }, columns.clone(), span);
        }
        // After the join the imbalance is the second measure.
        let difference = match measures.get(1) {
            Some(at) => column_expr(*at, columns.get(*at)?, span),
            None => TypedExpr { value_type: Some(ValueType::Number), ..constant_expr(None, span) },
        };
        let mut outputs = self.pass_columns(step, is_carried);
        outputs.push((PlanColumn::measure("bool_var", ValueType::Boolean), truth.clone()));
        outputs.push((
            PlanColumn::measure("imbalance", difference.value_type.unwrap_or(ValueType::Number)),
            difference,
        ));
        outputs.extend(self.error_label_columns(&check.error, value_types, &truth, span)?);
        Some(ExprValue::Data(self.push_map(step, outputs, span)))
    }

    /// Joins a condition with its imbalance, which is null for data points that it lacks.
    fn join_imbalance(&mut self, left: usize, right: usize, span: Span) -> Option<usize> {
        let (a, b) = (self.step_columns(left).to_vec(), self.step_columns(right).to_vec());
        let difference = match columns_with_role(&b, Role::Measure).as_slice() {
            [at] if matches!(b.get(*at)?.value_type, ValueType::Integer | ValueType::Number) => *at,
            _ => {
                return self.report_error(
                    DiagnosticCode::Structure,
                    span,
                    "the imbalance needs exactly one measure, a number",
                );
            }
        };
        let identifiers = columns_with_role(&a, Role::Identifier);
        let partner = |at: &usize| {
            let column = a.get(*at)?;
            let found = b.iter().position(|other| other.name == column.name && other.role == column.role)?;
            (b.get(found)?.value_type == column.value_type).then_some((*at, found))
        };
        let keys: Vec<(usize, usize)> = identifiers.iter().filter_map(partner).collect();
        if keys.len() != identifiers.len() || keys.len() != columns_with_role(&b, Role::Identifier).len() {
            return self.report_error(
                DiagnosticCode::Structure,
                span,
                "the imbalance must have the identifiers of the condition",
            );
        }
        let mut outputs = Vec::new();
        let mut columns = Vec::new();
        for (at, column) in a.iter().enumerate().filter(|(_, column)| column.role != Role::Attribute) {
            // Columns are ordered by role: the imbalance goes between measure and viral attributes.
            if column.role == Role::ViralAttribute
                && !columns.iter().any(|f: &PlanColumn| f.name == "imbalance")
            {
                outputs.push((JoinColumn::Right(difference), None));
                columns.push(PlanColumn::measure("imbalance", b.get(difference)?.value_type));
            }
            outputs.push((JoinColumn::Left(at), None));
            columns.push(column.clone());
        }
        if !columns.iter().any(|column| column.name == "imbalance") {
            outputs.push((JoinColumn::Right(difference), None));
            columns.push(PlanColumn::measure("imbalance", b.get(difference)?.value_type));
        }
        Some(self.push_step(
            Operation::Join { left, right, keys, outputs, matching: JoinMode::Left },
            columns,
            span,
        ))
    }

    /// Returns the common types of all error codes and of all error levels.
    pub(super) fn error_types<'e>(
        &mut self,
        errors: impl Iterator<Item = &'e ErrorLabels> + Clone,
        span: Span,
    ) -> Option<ErrorTypes> {
        let mut common = |cells: &mut dyn Iterator<Item = &'e Cell>, default: ValueType| {
            let mut value_type = None;
            for cell in cells {
                let seen = constant_expr(Some(cell.clone()), span).value_type;
                if value_type.is_some() && value_type != seen {
                    let message = "the error codes or the error levels have different types";
                    return self.report_error(DiagnosticCode::Type, span, message);
                }
                value_type = seen;
            }
            Some(value_type.unwrap_or(default))
        };
        let code = common(&mut errors.clone().filter_map(|error| error.code.as_ref()), ValueType::String)?;
        let level = common(&mut errors.filter_map(|error| error.level.as_ref()), ValueType::Integer)?;
        Some(ErrorTypes { code, level })
    }

    /// Returns the columns `errorcode` and `errorlevel`, which are null for valid data points.
    fn error_label_columns(
        &mut self,
        error: &ErrorLabels,
        value_types: ErrorTypes,
        truth: &TypedExpr,
        span: Span,
    ) -> Option<Vec<(PlanColumn, TypedExpr)>> {
        let mut outputs = Vec::new();
        for (name, value_type, cell) in
            [("errorcode", value_types.code, &error.code), ("errorlevel", value_types.level, &error.level)]
        {
            let none = TypedExpr { value_type: Some(value_type), ..constant_expr(None, span) };
            let value = match cell {
                None => none,
                Some(cell) => {
                    // Null where the condition is unknown: `if` treats null as false (specs/vtl.md, 3).
                    let wrong = self.apply_operator(Op::Not, vec![truth.clone()], span)?;
                    let value = constant_expr(Some(cell.clone()), span);
                    self.apply_operator(Op::If, vec![wrong, value, none], span)?
                }
            };
            outputs.push((PlanColumn::measure(name, value_type), value));
        }
        Some(outputs)
    }

    /// Checks `check_datapoint`: for each rule, all data points and whether they satisfy it.
    pub(super) fn check_datapoint(&mut self, check: &CheckDatapointCall, span: Span) -> Option<ExprValue> {
        let definitions = self.definitions;
        let step = self.check_dataset(&check.operand);
        let name = self.substitute_name(&check.ruleset).into_owned();
        let Some(ruleset) = definitions.datapoint.get(&name.text) else {
            return self
                .report_unknown_ruleset(&name, definitions.datapoint.keys().map(String::as_str).collect());
        };
        let step = step?;
        let names = self.resolve_signature(&ruleset.signature, ruleset.domains, &check.components, &name)?;
        let columns = self.step_columns(step).to_vec();
        let mut bound = BTreeMap::new();
        for (signed, component) in ruleset.signature.iter().zip(&names) {
            let at = self.component_position(component, &columns)?;
            bound.insert(
                signed.local_name().to_owned(),
                BoundArgument::Scalar(column_expr(at, columns.get(at)?, span)),
            );
        }
        let bound = Rc::new(bound);
        let value_types = self.error_types(ruleset.rules.iter().map(|rule| &rule.error), span)?;
        self.check_rule_names(ruleset.rules.iter().map(|rule| rule.name.as_ref()))?;
        let mut parts = Vec::new();
        for (at, rule) in ruleset.rules.iter().enumerate() {
            let truth = self.rule_truth(ruleset, rule, &bound, &columns)?;
            parts.push(self.push_rule_points(step, (at, rule), truth, value_types, check.output, span)?);
        }
        self.push_union(&parts, span).map(ExprValue::Data)
    }

    /// Reports an unknown ruleset.
    pub(super) fn report_unknown_ruleset<T>(&mut self, name: &Ident, known: Vec<&str>) -> Option<T> {
        if self.broken.contains(&name.text) {
            return None;
        }
        let hint = suggestion(&name.text, known.into_iter());
        let message = format!("no ruleset of this kind is called `{}`", name.text);
        self.diagnostics
            .push(Diagnostic::new(DiagnosticCode::UnknownName, name.span, message).with_optional_hint(hint));
        None
    }

    /// Returns the components of a signature, named by the call or by the signature itself.
    pub(super) fn resolve_signature(
        &mut self,
        signature: &[SignatureItem],
        domains: bool,
        given: &[ComponentRef],
        name: &Ident,
    ) -> Option<Vec<ComponentRef>> {
        if given.is_empty() && (!domains || signature.is_empty()) {
            let own = |signed: &SignatureItem| ComponentRef {
                alias: None,
                name: Ident { span: name.span, ..signed.name.clone() },
            };
            return Some(signature.iter().map(own).collect());
        }
        if given.len() != signature.len() {
            let message = format!(
                "the signature of `{}` has {} names, found {} components",
                name.text,
                signature.len(),
                given.len()
            );
            return self.report_error(DiagnosticCode::Structure, name.span, message);
        }
        let mut names = signature.iter().zip(given);
        if !domains && let Some((signed, component)) = names.find(|(s, c)| s.name.text != c.name.text) {
            let (wanted, seen) = (&signed.name.text, &component.name.text);
            let message = format!("the ruleset is defined on the variable `{wanted}`, found `{seen}`");
            return self.report_error(DiagnosticCode::Structure, component.name.span, message);
        }
        Some(given.to_vec())
    }

    /// Checks that either all rules have distinct names or none has one.
    pub(super) fn check_rule_names<'r>(
        &mut self,
        names: impl Iterator<Item = Option<&'r Ident>> + Clone,
    ) -> Option<()> {
        let named = names.clone().flatten().count();
        let mut seen = std::collections::BTreeSet::new();
        for name in names.clone().flatten() {
            if !seen.insert(&name.text) {
                let message = format!("two rules are called `{}`", name.text);
                return self.report_error(DiagnosticCode::Duplicate, name.span, message);
            }
        }
        match names.clone().flatten().next() {
            Some(name) if named != names.count() => self.report_error(
                DiagnosticCode::Structure,
                name.span,
                "either all rules of a ruleset have names, or none",
            ),
            _ => Some(()),
        }
    }

    /// Returns the condition that a data point satisfies a rule.
    fn rule_truth(
        &mut self,
        ruleset: &DatapointRuleset,
        rule: &DatapointRule,
        bound: &Rc<BTreeMap<String, BoundArgument>>,
        columns: &[PlanColumn],
    ) -> Option<TypedExpr> {
        let mut scope = ComponentScope::row(columns);
        self.enter_scope(&ruleset.name.text, Rc::clone(bound));
        let when = rule.when.as_ref().map(|when| self.check_condition(when, &mut scope));
        let then = self.check_condition(&rule.then, &mut scope);
        self.leave_scope();
        match when {
            None => then,
            Some(when) => {
                let (when, then) = (when?, then?);
                let span = then.span;
                let otherwise = self.apply_operator(Op::Not, vec![when], span)?;
                self.apply_operator(Op::Or, vec![otherwise, then], span)
            }
        }
    }

    /// Adds the data points of one rule for the requested output.
    fn push_rule_points(
        &mut self,
        step: usize,
        (at, rule): (usize, &DatapointRule),
        truth: TypedExpr,
        value_types: ErrorTypes,
        output: ValidationOutput,
        span: Span,
    ) -> Option<usize> {
        let columns = self.step_columns(step).to_vec();
        let mut points = step;
        if output == ValidationOutput::Invalid {
            let condition = self.apply_operator(Op::Not, vec![truth.clone()], span)?;
            points = self.push_step(Operation::Filter { input: step, condition }, columns, span);
        }
        let mut outputs = self.pass_columns(points, is_carried);
        let name = rule.name.as_ref().map_or((at + 1).to_string(), |name| name.text.clone());
        let ruleid = PlanColumn::new("ruleid", Role::Identifier, ValueType::String);
        outputs.push((ruleid, constant_expr(Some(Cell::Text(name)), span)));
        if output != ValidationOutput::All {
            outputs.extend(self.pass_columns(points, |column| column.role == Role::Measure));
        }
        if output != ValidationOutput::Invalid {
            outputs.push((PlanColumn::measure("bool_var", ValueType::Boolean), truth.clone()));
        }
        outputs.extend(self.error_label_columns(&rule.error, value_types, &truth, span)?);
        self.check_distinct_names(&outputs, span)?;
        Some(self.push_map(points, outputs, span))
    }

    /// Checks that column names are unique.
    fn check_distinct_names(&mut self, outputs: &[(PlanColumn, TypedExpr)], span: Span) -> Option<()> {
        let twice = outputs
            .iter()
            .enumerate()
            .find(|(at, (column, _))| outputs.iter().take(*at).any(|(other, _)| other.name == column.name));
        match twice {
            Some((_, (column, _))) => {
                let message = format!("the result would have two components named `{}`", column.name);
                self.report_error(DiagnosticCode::Duplicate, span, message)
            }
            None => Some(()),
        }
    }
}
