//! `check` and `check_datapoint` (reference manual, "Data validation operators").
//!
//! Error codes and levels stand with data points that are invalid only. The antecedent of a rule
//! implies its consequent in three-valued logic.

use std::collections::BTreeMap;
use std::rc::Rc;

use schemas::structure::{Role, ValueType};
use schemas::table::Cell;

use super::call::BoundArgument;
use super::component::{ComponentScope, constant};
use super::dataset::carried;
use super::{Checker, ExprValue, column_expr, positions};
use crate::ast::{
    CheckCall, CheckDatapointCall, ComponentRef, DatapointRule, DatapointRuleset, ErrorLabels, Ident,
    SignatureItem, ValidationOutput,
};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span, suggestion};
use crate::op::Op;
use crate::plan::{JoinColumn, JoinMode, Operation, PlanColumn, TypedExpr};

/// The types of `errorcode` and `errorlevel` in a result.
#[derive(Debug, Clone, Copy)]
pub(super) struct ErrorTypes {
    pub(super) code: ValueType,
    pub(super) level: ValueType,
}

impl Checker<'_> {
    /// `check`: the truth of each data point, its imbalance, and what is wrong with it.
    pub(super) fn check_points(&mut self, check: &CheckCall, span: Span) -> Option<ExprValue> {
        let operand = self.data(&check.operand);
        let imbalance = match &check.imbalance {
            Some(expr) => self.data(expr).map(|step| Some((step, expr.span))),
            None => Some(None),
        };
        let (mut step, imbalance) = (operand?, imbalance?);
        let value_types = self.error_kinds([&check.error].into_iter(), span)?;
        self.truth(step, check.operand.span)?;
        if let Some((other, place)) = imbalance {
            step = self.balanced(step, other, place)?;
        }
        let columns = self.columns(step).to_vec();
        let measures = positions(&columns, Role::Measure);
        let truth = column_expr(*measures.first()?, columns.get(*measures.first()?)?, span);
        if check.output == ValidationOutput::Invalid {
            let condition = self.apply(Op::Not, vec![truth.clone()], span)?;
            step = self.push(Operation::Filter { input: step, condition }, columns.clone(), span);
        }
        let difference = match measures.get(1) {
            Some(at) => column_expr(*at, columns.get(*at)?, span),
            None => TypedExpr { value_type: Some(ValueType::Number), ..constant(None, span) },
        };
        let mut outputs = self.pass(step, carried);
        outputs.push((measure("bool_var", ValueType::Boolean), truth.clone()));
        outputs.push((measure("imbalance", difference.value_type.unwrap_or(ValueType::Number)), difference));
        outputs.extend(self.error_columns(&check.error, value_types, &truth, span)?);
        Some(ExprValue::Data(self.map(step, outputs, span)))
    }

    /// A condition and its imbalance side by side; a data point may lack the latter.
    fn balanced(&mut self, left: usize, right: usize, span: Span) -> Option<usize> {
        let (a, b) = (self.columns(left).to_vec(), self.columns(right).to_vec());
        let difference = match positions(&b, Role::Measure).as_slice() {
            [at] if matches!(b.get(*at)?.value_type, ValueType::Integer | ValueType::Number) => *at,
            _ => {
                return self.fault(
                    DiagnosticCode::Structure,
                    span,
                    "the imbalance needs one measure, which is a number",
                );
            }
        };
        let identifiers = positions(&a, Role::Identifier);
        let partner = |at: &usize| {
            let column = a.get(*at)?;
            let found = b.iter().position(|other| other.name == column.name && other.role == column.role)?;
            (b.get(found)?.value_type == column.value_type).then_some((*at, found))
        };
        let keys: Vec<(usize, usize)> = identifiers.iter().filter_map(partner).collect();
        if keys.len() != identifiers.len() || keys.len() != positions(&b, Role::Identifier).len() {
            return self.fault(
                DiagnosticCode::Structure,
                span,
                "the imbalance must have the identifiers of the condition",
            );
        }
        let mut outputs = Vec::new();
        let mut columns = Vec::new();
        for (at, column) in a.iter().enumerate().filter(|(_, column)| column.role != Role::Attribute) {
            if column.role == Role::ViralAttribute
                && !columns.iter().any(|f: &PlanColumn| f.name == "imbalance")
            {
                outputs.push((JoinColumn::Right(difference), None));
                columns.push(measure("imbalance", b.get(difference)?.value_type));
            }
            outputs.push((JoinColumn::Left(at), None));
            columns.push(column.clone());
        }
        if !columns.iter().any(|column| column.name == "imbalance") {
            outputs.push((JoinColumn::Right(difference), None));
            columns.push(measure("imbalance", b.get(difference)?.value_type));
        }
        Some(self.push(
            Operation::Join { left, right, keys, outputs, matching: JoinMode::Left },
            columns,
            span,
        ))
    }

    /// The one type of all error codes, and of all levels.
    pub(super) fn error_kinds<'e>(
        &mut self,
        errors: impl Iterator<Item = &'e ErrorLabels> + Clone,
        span: Span,
    ) -> Option<ErrorTypes> {
        let mut common = |cells: &mut dyn Iterator<Item = &'e Cell>, default: ValueType| {
            let mut value_type = None;
            for cell in cells {
                let seen = constant(Some(cell.clone()), span).value_type;
                if value_type.is_some() && value_type != seen {
                    let message = "the error codes, or the error levels, are of different types";
                    return self.fault(DiagnosticCode::Type, span, message);
                }
                value_type = seen;
            }
            Some(value_type.unwrap_or(default))
        };
        let code = common(&mut errors.clone().filter_map(|error| error.code.as_ref()), ValueType::String)?;
        let level = common(&mut errors.filter_map(|error| error.level.as_ref()), ValueType::Integer)?;
        Some(ErrorTypes { code, level })
    }

    /// `errorcode` and `errorlevel`: of data points that are invalid.
    fn error_columns(
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
            let none = TypedExpr { value_type: Some(value_type), ..constant(None, span) };
            let value = match cell {
                None => none,
                Some(cell) => {
                    let wrong = self.apply(Op::Not, vec![truth.clone()], span)?;
                    let value = constant(Some(cell.clone()), span);
                    self.apply(Op::If, vec![wrong, value, none], span)?
                }
            };
            outputs.push((measure(name, value_type), value));
        }
        Some(outputs)
    }

    /// `check_datapoint`: for each rule the data points and whether they follow it.
    pub(super) fn check_datapoint(&mut self, check: &CheckDatapointCall, span: Span) -> Option<ExprValue> {
        let definitions = self.definitions;
        let step = self.data(&check.operand);
        let name = self.meant(&check.ruleset).into_owned();
        let Some(ruleset) = definitions.datapoint.get(&name.text) else {
            return self.unknown_ruleset(&name, definitions.datapoint.keys().map(String::as_str).collect());
        };
        let step = step?;
        let names = self.signed(&ruleset.signature, ruleset.domains, &check.components, &name)?;
        let columns = self.columns(step).to_vec();
        let mut bound = BTreeMap::new();
        for (signed, component) in ruleset.signature.iter().zip(&names) {
            let at = self.place(component, &columns)?;
            bound.insert(
                signed.known().to_owned(),
                BoundArgument::Scalar(column_expr(at, columns.get(at)?, span)),
            );
        }
        let bound = Rc::new(bound);
        let value_types = self.error_kinds(ruleset.rules.iter().map(|rule| &rule.error), span)?;
        self.rule_names(ruleset.rules.iter().map(|rule| rule.name.as_ref()))?;
        let mut parts = Vec::new();
        for (at, rule) in ruleset.rules.iter().enumerate() {
            let truth = self.rule_truth(ruleset, rule, &bound, &columns)?;
            parts.push(self.ruled_points(step, (at, rule), truth, value_types, check.output, span)?);
        }
        self.union(&parts, span).map(ExprValue::Data)
    }

    /// A ruleset that nobody defined.
    pub(super) fn unknown_ruleset<T>(&mut self, name: &Ident, known: Vec<&str>) -> Option<T> {
        if self.broken.contains(&name.text) {
            return None;
        }
        let hint = suggestion(&name.text, known.into_iter());
        let message = format!("no ruleset of this value_type is called `{}`", name.text);
        self.faults
            .push(Diagnostic::new(DiagnosticCode::UnknownName, name.span, message).with_optional_hint(hint));
        None
    }

    /// The components that a signature stands for: named by the call, or by the signature.
    pub(super) fn signed(
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
                "`{}` has {} names in its signature, found {} components",
                name.text,
                signature.len(),
                given.len()
            );
            return self.fault(DiagnosticCode::Structure, name.span, message);
        }
        let mut names = signature.iter().zip(given);
        if !domains && let Some((signed, component)) = names.find(|(s, c)| s.name.text != c.name.text) {
            let (wanted, seen) = (&signed.name.text, &component.name.text);
            let message = format!("the ruleset is defined on the variable `{wanted}`, found `{seen}`");
            return self.fault(DiagnosticCode::Structure, component.name.span, message);
        }
        Some(given.to_vec())
    }

    /// All rules have a name of their own, or none has.
    pub(super) fn rule_names<'r>(
        &mut self,
        names: impl Iterator<Item = Option<&'r Ident>> + Clone,
    ) -> Option<()> {
        let named = names.clone().flatten().count();
        let mut seen = std::collections::BTreeSet::new();
        for name in names.clone().flatten() {
            if !seen.insert(&name.text) {
                let message = format!("two rules are called `{}`", name.text);
                return self.fault(DiagnosticCode::Duplicate, name.span, message);
            }
        }
        match names.clone().flatten().next() {
            Some(name) if named != names.count() => self.fault(
                DiagnosticCode::Structure,
                name.span,
                "either all rules of a ruleset have a name, or none",
            ),
            _ => Some(()),
        }
    }

    /// Whether a data point follows a rule.
    fn rule_truth(
        &mut self,
        ruleset: &DatapointRuleset,
        rule: &DatapointRule,
        bound: &Rc<BTreeMap<String, BoundArgument>>,
        columns: &[PlanColumn],
    ) -> Option<TypedExpr> {
        let mut scope = ComponentScope::row(columns);
        self.enter(&ruleset.name.text, Rc::clone(bound));
        let when = rule.when.as_ref().map(|when| self.condition(when, &mut scope));
        let then = self.condition(&rule.then, &mut scope);
        self.leave();
        match when {
            None => then,
            Some(when) => {
                let (when, then) = (when?, then?);
                let span = then.span;
                let otherwise = self.apply(Op::Not, vec![when], span)?;
                self.apply(Op::Or, vec![otherwise, then], span)
            }
        }
    }

    /// The data points of one rule, as the output asks.
    fn ruled_points(
        &mut self,
        step: usize,
        (at, rule): (usize, &DatapointRule),
        truth: TypedExpr,
        value_types: ErrorTypes,
        output: ValidationOutput,
        span: Span,
    ) -> Option<usize> {
        let columns = self.columns(step).to_vec();
        let mut points = step;
        if output == ValidationOutput::Invalid {
            let condition = self.apply(Op::Not, vec![truth.clone()], span)?;
            points = self.push(Operation::Filter { input: step, condition }, columns, span);
        }
        let mut outputs = self.pass(points, carried);
        let name = rule.name.as_ref().map_or((at + 1).to_string(), |name| name.text.clone());
        let ruleid = PlanColumn {
            name: "ruleid".to_owned(),
            role: Role::Identifier,
            value_type: ValueType::String,
            from: Vec::new(),
        };
        outputs.push((ruleid, constant(Some(Cell::Text(name)), span)));
        if output != ValidationOutput::All {
            outputs.extend(self.pass(points, |column| column.role == Role::Measure));
        }
        if output != ValidationOutput::Invalid {
            outputs.push((measure("bool_var", ValueType::Boolean), truth.clone()));
        }
        outputs.extend(self.error_columns(&rule.error, value_types, &truth, span)?);
        self.single(&outputs, span)?;
        Some(self.map(points, outputs, span))
    }

    /// Each name once.
    fn single(&mut self, outputs: &[(PlanColumn, TypedExpr)], span: Span) -> Option<()> {
        let twice = outputs
            .iter()
            .enumerate()
            .find(|(at, (column, _))| outputs.iter().take(*at).any(|(other, _)| other.name == column.name));
        match twice {
            Some((_, (column, _))) => {
                let message = format!("the result would have two components `{}`", column.name);
                self.fault(DiagnosticCode::Duplicate, span, message)
            }
            None => Some(()),
        }
    }
}

/// A measure of a result.
pub(super) fn measure(name: &str, value_type: ValueType) -> PlanColumn {
    PlanColumn { name: name.to_owned(), role: Role::Measure, value_type, from: Vec::new() }
}
