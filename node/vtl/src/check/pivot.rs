//! `unpivot` and `pivot`: measures become values of an identifier, and the other way round
//! (reference manual, "Unpivoting", "Pivoting").
//!
//! The measures that `pivot` makes are named by values of an identifier, and structures are known
//! before data: so the identifier must be limited to a list of values first, as a filter does or an
//! `unpivot`.

use schemas::structure::{Role, ValueType};
use schemas::table::Cell;

use super::component::{constant, widen};
use super::dataset::carried;
use super::{Checker, column_expr, positions};
use crate::ast::ComponentRef;
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::op::Op;
use crate::plan::{JoinColumn, JoinMode, Operation, PlanColumn, Term, TypedExpr};

impl Checker<'_> {
    /// One data point for each measure that is not null.
    pub(super) fn unpivot(
        &mut self,
        step: usize,
        identifier: &ComponentRef,
        measure: &ComponentRef,
        span: Span,
    ) -> Option<usize> {
        let columns = self.columns(step).to_vec();
        let measures = positions(&columns, Role::Measure);
        let value_type = self.common_kind(&columns, &measures, span)?;
        for component in [identifier, measure] {
            let name = &component.name;
            let taken = |column: &PlanColumn| column.role == Role::Identifier && column.name == name.text;
            if columns.iter().any(taken) || identifier.name.text == measure.name.text {
                let message = format!("the data set already has a component `{}`", name.text);
                return self.fault(DiagnosticCode::Duplicate, name.span, message);
            }
        }
        let mut parts = Vec::new();
        for at in measures {
            let column = columns.get(at)?;
            let value = column_expr(at, column, span);
            let known = self.apply(Op::IsNull, vec![value.clone()], span)?;
            let known = self.apply(Op::Not, vec![known], span)?;
            let points =
                self.push(Operation::Filter { input: step, condition: known }, columns.clone(), span);
            let mut outputs = self.pass(points, carried);
            let name = constant(Some(Cell::Text(column.name.clone())), span);
            outputs.push((made(&identifier.name.text, Role::Identifier, ValueType::String), name));
            outputs
                .push((made(&measure.name.text, Role::Measure, value_type), widen(value, Some(value_type))));
            parts.push(self.map(points, outputs, span));
        }
        self.union(&parts, span)
    }

    /// The one type of all measures.
    fn common_kind(&mut self, columns: &[PlanColumn], measures: &[usize], span: Span) -> Option<ValueType> {
        let value_types: Vec<ValueType> =
            measures.iter().filter_map(|at| columns.get(*at)).map(|f| f.value_type).collect();
        match value_types.split_first() {
            Some((first, rest)) if rest.iter().all(|value_type| value_type == first) => Some(*first),
            Some(_)
                if value_types
                    .iter()
                    .all(|value_type| matches!(value_type, ValueType::Integer | ValueType::Number)) =>
            {
                Some(ValueType::Number)
            }
            Some(_) => self.fault(DiagnosticCode::Type, span, "`unpivot` needs measures of one type"),
            None => self.fault(
                DiagnosticCode::Structure,
                span,
                "`unpivot` needs a measure, the data set has none",
            ),
        }
    }

    /// One data point a group of the other identifiers, with a measure for each value.
    pub(super) fn pivot(
        &mut self,
        step: usize,
        identifier: &ComponentRef,
        measure: &ComponentRef,
        span: Span,
    ) -> Option<usize> {
        let columns = self.columns(step).to_vec();
        let (key, value) = (self.place(identifier, &columns)?, self.place(measure, &columns)?);
        let (from, of) = (columns.get(key)?, columns.get(value)?);
        if from.role != Role::Identifier || from.value_type != ValueType::String || of.role != Role::Measure {
            let message = "`pivot` needs an identifier that is a `string`, and a measure";
            return self.fault(DiagnosticCode::Structure, span, message);
        }
        let Some(codes) = self.values_of(step, key) else {
            let name = &from.name;
            let message = format!(
                "the values of `{name}` are not known before the data are, so neither are the measures of the result"
            );
            let hint = format!(
                "limit them first: `DS[filter {name} in {{\"A\", \"B\"}}][pivot {name}, {}]`",
                of.name
            );
            self.faults.push(Diagnostic::new(DiagnosticCode::Structure, span, message).with_hint(hint));
            return None;
        };
        let mut result: Option<usize> = None;
        for code in codes {
            let part = self.pivoted(step, (key, value), &code, &columns, span)?;
            result = Some(match result {
                None => part,
                Some(before) => self.beside(before, part, span),
            });
        }
        result
    }

    /// The data points of one value: the other identifiers and the measure, named by the value.
    fn pivoted(
        &mut self,
        step: usize,
        (key, value): (usize, usize),
        code: &str,
        columns: &[PlanColumn],
        span: Span,
    ) -> Option<usize> {
        let (from, of) = (columns.get(key)?, columns.get(value)?);
        let wanted = constant(Some(Cell::Text(code.to_owned())), span);
        let condition = self.apply(Op::Equal, vec![column_expr(key, from, span), wanted], span)?;
        let points = self.push(Operation::Filter { input: step, condition }, columns.to_vec(), span);
        let mut outputs =
            self.pass(points, |column| column.role == Role::Identifier && column.name != from.name);
        outputs.push((made(code, Role::Measure, of.value_type), column_expr(value, of, span)));
        Some(self.map(points, outputs, span))
    }

    /// A full join of two results of the same identifiers.
    fn beside(&mut self, left: usize, right: usize, span: Span) -> usize {
        let (a, b) = (self.columns(left).to_vec(), self.columns(right).to_vec());
        let count = positions(&a, Role::Identifier).len();
        let keys: Vec<(usize, usize)> = (0..count).map(|at| (at, at)).collect();
        let mut outputs: Vec<(JoinColumn, Option<Cell>)> =
            keys.iter().map(|(x, y)| (JoinColumn::Either(*x, *y), None)).collect();
        outputs.extend((count..a.len()).map(|at| (JoinColumn::Left(at), None)));
        outputs.extend((count..b.len()).map(|at| (JoinColumn::Right(at), None)));
        let mut columns = a;
        columns.extend(b.into_iter().skip(count));
        let operation = Operation::Join { left, right, keys, outputs, matching: JoinMode::Full };
        self.push(operation, columns, span)
    }

    /// The values that a column of text can have at most, in ascending order, when the plan says so.
    fn values_of(&self, step: usize, at: usize) -> Option<Vec<String>> {
        let found = match &self.steps.get(step)?.operation {
            Operation::Filter { input, condition } => {
                limited(condition, at).or_else(|| self.values_of(*input, at))?
            }
            Operation::Map { input, outputs } => match &outputs.get(at)?.term {
                Term::Column(source) => self.values_of(*input, *source)?,
                Term::Constant(Some(Cell::Text(text))) => vec![text.clone()],
                _ => return None,
            },
            Operation::Union { inputs } => {
                let all: Option<Vec<Vec<String>>> =
                    inputs.iter().map(|input| self.values_of(*input, at)).collect();
                all?.concat()
            }
            _ => return None,
        };
        let mut found = found;
        found.sort_unstable();
        found.dedup();
        Some(found)
    }
}

/// The values that a condition limits a column to: `= "A"`, `in {"A", "B"}`, with `and` and `or`.
fn limited(condition: &TypedExpr, at: usize) -> Option<Vec<String>> {
    let Term::Apply(op, operands) = &condition.term else { return None };
    let this = |typed: &TypedExpr| matches!(typed.term, Term::Column(column) if column == at);
    let text = |typed: &TypedExpr| match &typed.term {
        Term::Constant(Some(Cell::Text(text))) => Some(text.clone()),
        _ => None,
    };
    match (op, operands.as_slice()) {
        (Op::Equal | Op::In, [operand, list @ ..]) if this(operand) => list.iter().map(text).collect(),
        (Op::Equal, [value, operand]) if this(operand) => Some(vec![text(value)?]),
        (Op::And, [a, b]) => limited(a, at).or_else(|| limited(b, at)),
        (Op::Or, [a, b]) => Some([limited(a, at)?, limited(b, at)?].concat()),
        _ => None,
    }
}

fn made(name: &str, role: Role, value_type: ValueType) -> PlanColumn {
    PlanColumn { name: name.to_owned(), role, value_type, from: Vec::new() }
}
