//! `check` and `check_datapoint` (reference manual, "Data validation operators").
//!
//! Error codes and levels stand with data points that are invalid only. The antecedent of a rule
//! implies its consequent in three-valued logic.

use std::collections::BTreeMap;
use std::rc::Rc;

use schemas::structure::{Role, Type};
use schemas::table::Cell;

use super::call::Argument;
use super::component::{Scope, constant};
use super::dataset::carried;
use super::{Checker, Value, column, positions};
use crate::ast::{
    Check, CheckDatapoint, Component, DatapointRule, DatapointRuleset, Error, Ident, Output, Signed,
};
use crate::fault::{Code, Fault, Span, near};
use crate::op::Op;
use crate::plan::{Field, Matching, Operation, Side, Typed};

/// The types of `errorcode` and `errorlevel` in a result.
#[derive(Debug, Clone, Copy)]
pub(super) struct ErrorKinds {
    pub(super) code: Type,
    pub(super) level: Type,
}

impl Checker<'_> {
    /// `check`: the truth of each data point, its imbalance, and what is wrong with it.
    pub(super) fn check_points(&mut self, check: &Check, span: Span) -> Option<Value> {
        let operand = self.data(&check.operand);
        let imbalance = match &check.imbalance {
            Some(expr) => self.data(expr).map(|step| Some((step, expr.span))),
            None => Some(None),
        };
        let (mut step, imbalance) = (operand?, imbalance?);
        let kinds = self.error_kinds([&check.error].into_iter(), span)?;
        self.truth(step, check.operand.span)?;
        if let Some((other, place)) = imbalance {
            step = self.balanced(step, other, place)?;
        }
        let fields = self.fields(step).to_vec();
        let measures = positions(&fields, Role::Measure);
        let truth = column(*measures.first()?, fields.get(*measures.first()?)?, span);
        if check.output == Output::Invalid {
            let condition = self.apply(Op::Not, vec![truth.clone()], span)?;
            step = self.push(Operation::Filter { input: step, condition }, fields.clone(), span);
        }
        let difference = match measures.get(1) {
            Some(at) => column(*at, fields.get(*at)?, span),
            None => Typed { kind: Some(Type::Number), ..constant(None, span) },
        };
        let mut columns = self.pass(step, carried);
        columns.push((measure("bool_var", Type::Boolean), truth.clone()));
        columns.push((measure("imbalance", difference.kind.unwrap_or(Type::Number)), difference));
        columns.extend(self.error_columns(&check.error, kinds, &truth, span)?);
        Some(Value::Data(self.map(step, columns, span)))
    }

    /// A condition and its imbalance side by side; a data point may lack the latter.
    fn balanced(&mut self, left: usize, right: usize, span: Span) -> Option<usize> {
        let (a, b) = (self.fields(left).to_vec(), self.fields(right).to_vec());
        let difference = match positions(&b, Role::Measure).as_slice() {
            [at] if matches!(b.get(*at)?.kind, Type::Integer | Type::Number) => *at,
            _ => {
                return self.fault(
                    Code::Structure,
                    span,
                    "the imbalance needs one measure, which is a number",
                );
            }
        };
        let identifiers = positions(&a, Role::Identifier);
        let partner = |at: &usize| {
            let field = a.get(*at)?;
            let found = b.iter().position(|other| other.name == field.name && other.role == field.role)?;
            (b.get(found)?.kind == field.kind).then_some((*at, found))
        };
        let keys: Vec<(usize, usize)> = identifiers.iter().filter_map(partner).collect();
        if keys.len() != identifiers.len() || keys.len() != positions(&b, Role::Identifier).len() {
            return self.fault(
                Code::Structure,
                span,
                "the imbalance must have the identifiers of the condition",
            );
        }
        let mut columns = Vec::new();
        let mut fields = Vec::new();
        for (at, field) in a.iter().enumerate().filter(|(_, field)| field.role != Role::Attribute) {
            if field.role == Role::ViralAttribute && !fields.iter().any(|f: &Field| f.name == "imbalance") {
                columns.push((Side::Right(difference), None));
                fields.push(measure("imbalance", b.get(difference)?.kind));
            }
            columns.push((Side::Left(at), None));
            fields.push(field.clone());
        }
        if !fields.iter().any(|field| field.name == "imbalance") {
            columns.push((Side::Right(difference), None));
            fields.push(measure("imbalance", b.get(difference)?.kind));
        }
        Some(self.push(
            Operation::Join { left, right, keys, columns, matching: Matching::Left },
            fields,
            span,
        ))
    }

    /// The one type of all error codes, and of all levels.
    pub(super) fn error_kinds<'e>(
        &mut self,
        errors: impl Iterator<Item = &'e Error> + Clone,
        span: Span,
    ) -> Option<ErrorKinds> {
        let mut common = |cells: &mut dyn Iterator<Item = &'e Cell>, default: Type| {
            let mut kind = None;
            for cell in cells {
                let seen = constant(Some(cell.clone()), span).kind;
                if kind.is_some() && kind != seen {
                    let message = "the error codes, or the error levels, are of different types";
                    return self.fault(Code::Type, span, message);
                }
                kind = seen;
            }
            Some(kind.unwrap_or(default))
        };
        let code = common(&mut errors.clone().filter_map(|error| error.code.as_ref()), Type::String)?;
        let level = common(&mut errors.filter_map(|error| error.level.as_ref()), Type::Integer)?;
        Some(ErrorKinds { code, level })
    }

    /// `errorcode` and `errorlevel`: of data points that are invalid.
    fn error_columns(
        &mut self,
        error: &Error,
        kinds: ErrorKinds,
        truth: &Typed,
        span: Span,
    ) -> Option<Vec<(Field, Typed)>> {
        let mut columns = Vec::new();
        for (name, kind, cell) in
            [("errorcode", kinds.code, &error.code), ("errorlevel", kinds.level, &error.level)]
        {
            let none = Typed { kind: Some(kind), ..constant(None, span) };
            let value = match cell {
                None => none,
                Some(cell) => {
                    let wrong = self.apply(Op::Not, vec![truth.clone()], span)?;
                    let value = constant(Some(cell.clone()), span);
                    self.apply(Op::If, vec![wrong, value, none], span)?
                }
            };
            columns.push((measure(name, kind), value));
        }
        Some(columns)
    }

    /// `check_datapoint`: for each rule the data points and whether they follow it.
    pub(super) fn check_datapoint(&mut self, check: &CheckDatapoint, span: Span) -> Option<Value> {
        let definitions = self.definitions;
        let step = self.data(&check.operand);
        let name = self.meant(&check.ruleset).into_owned();
        let Some(ruleset) = definitions.datapoint.get(&name.text) else {
            return self.unknown_ruleset(&name, definitions.datapoint.keys().map(String::as_str).collect());
        };
        let step = step?;
        let names = self.signed(&ruleset.signature, ruleset.domains, &check.components, &name)?;
        let fields = self.fields(step).to_vec();
        let mut bound = BTreeMap::new();
        for (signed, component) in ruleset.signature.iter().zip(&names) {
            let at = self.place(component, &fields)?;
            bound.insert(signed.known().to_owned(), Argument::Scalar(column(at, fields.get(at)?, span)));
        }
        let bound = Rc::new(bound);
        let kinds = self.error_kinds(ruleset.rules.iter().map(|rule| &rule.error), span)?;
        self.rule_names(ruleset.rules.iter().map(|rule| rule.name.as_ref()))?;
        let mut parts = Vec::new();
        for (at, rule) in ruleset.rules.iter().enumerate() {
            let truth = self.rule_truth(ruleset, rule, &bound, &fields)?;
            parts.push(self.ruled_points(step, (at, rule), truth, kinds, check.output, span)?);
        }
        self.union(&parts, span).map(Value::Data)
    }

    /// A ruleset that nobody defined.
    pub(super) fn unknown_ruleset<T>(&mut self, name: &Ident, known: Vec<&str>) -> Option<T> {
        if self.broken.contains(&name.text) {
            return None;
        }
        let hint = near(&name.text, known.into_iter());
        let message = format!("no ruleset of this kind is called `{}`", name.text);
        self.faults.push(Fault::new(Code::UnknownName, name.span, message).hinted(hint));
        None
    }

    /// The components that a signature stands for: named by the call, or by the signature.
    pub(super) fn signed(
        &mut self,
        signature: &[Signed],
        domains: bool,
        given: &[Component],
        name: &Ident,
    ) -> Option<Vec<Component>> {
        if given.is_empty() && (!domains || signature.is_empty()) {
            let own = |signed: &Signed| Component {
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
            return self.fault(Code::Structure, name.span, message);
        }
        let mut names = signature.iter().zip(given);
        if !domains && let Some((signed, component)) = names.find(|(s, c)| s.name.text != c.name.text) {
            let (wanted, seen) = (&signed.name.text, &component.name.text);
            let message = format!("the ruleset is defined on the variable `{wanted}`, found `{seen}`");
            return self.fault(Code::Structure, component.name.span, message);
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
                return self.fault(Code::Duplicate, name.span, message);
            }
        }
        match names.clone().flatten().next() {
            Some(name) if named != names.count() => {
                self.fault(Code::Structure, name.span, "either all rules of a ruleset have a name, or none")
            }
            _ => Some(()),
        }
    }

    /// Whether a data point follows a rule.
    fn rule_truth(
        &mut self,
        ruleset: &DatapointRuleset,
        rule: &DatapointRule,
        bound: &Rc<BTreeMap<String, Argument>>,
        fields: &[Field],
    ) -> Option<Typed> {
        let mut scope = Scope::row(fields);
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
        truth: Typed,
        kinds: ErrorKinds,
        output: Output,
        span: Span,
    ) -> Option<usize> {
        let fields = self.fields(step).to_vec();
        let mut points = step;
        if output == Output::Invalid {
            let condition = self.apply(Op::Not, vec![truth.clone()], span)?;
            points = self.push(Operation::Filter { input: step, condition }, fields, span);
        }
        let mut columns = self.pass(points, carried);
        let name = rule.name.as_ref().map_or((at + 1).to_string(), |name| name.text.clone());
        let ruleid =
            Field { name: "ruleid".to_owned(), role: Role::Identifier, kind: Type::String, from: Vec::new() };
        columns.push((ruleid, constant(Some(Cell::Text(name)), span)));
        if output != Output::All {
            columns.extend(self.pass(points, |field| field.role == Role::Measure));
        }
        if output != Output::Invalid {
            columns.push((measure("bool_var", Type::Boolean), truth.clone()));
        }
        columns.extend(self.error_columns(&rule.error, kinds, &truth, span)?);
        self.single(&columns, span)?;
        Some(self.map(points, columns, span))
    }

    /// Each name once.
    fn single(&mut self, columns: &[(Field, Typed)], span: Span) -> Option<()> {
        let twice = columns
            .iter()
            .enumerate()
            .find(|(at, (field, _))| columns.iter().take(*at).any(|(other, _)| other.name == field.name));
        match twice {
            Some((_, (field, _))) => {
                let message = format!("the result would have two components `{}`", field.name);
                self.fault(Code::Duplicate, span, message)
            }
            None => Some(()),
        }
    }
}

/// A measure of a result.
pub(super) fn measure(name: &str, kind: Type) -> Field {
    Field { name: name.to_owned(), role: Role::Measure, kind, from: Vec::new() }
}
