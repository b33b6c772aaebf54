//! `unpivot` and `pivot`: measures become values of an identifier, and the other way round
//! (reference manual, "Unpivoting", "Pivoting").
//!
//! The measures that `pivot` makes are named by values of an identifier, and structures are known
//! before data: so the identifier must be limited to a list of values first, as a filter does or an
//! `unpivot`.

use schemas::structure::{Role, Type};
use schemas::table::Cell;

use super::component::{constant, widen};
use super::dataset::carried;
use super::{Checker, column, positions};
use crate::ast::Component;
use crate::fault::{Code, Fault, Span};
use crate::op::Op;
use crate::plan::{Field, Matching, Operation, Side, Term, Typed};

impl Checker<'_> {
    /// One data point for each measure that is not null.
    pub(super) fn unpivot(
        &mut self,
        step: usize,
        identifier: &Component,
        measure: &Component,
        span: Span,
    ) -> Option<usize> {
        let fields = self.fields(step).to_vec();
        let measures = positions(&fields, Role::Measure);
        let kind = self.common_kind(&fields, &measures, span)?;
        for component in [identifier, measure] {
            let name = &component.name;
            let taken = |field: &Field| field.role == Role::Identifier && field.name == name.text;
            if fields.iter().any(taken) || identifier.name.text == measure.name.text {
                let message = format!("the data set already has a component `{}`", name.text);
                return self.fault(Code::Duplicate, name.span, message);
            }
        }
        let mut parts = Vec::new();
        for at in measures {
            let field = fields.get(at)?;
            let value = column(at, field, span);
            let known = self.apply(Op::IsNull, vec![value.clone()], span)?;
            let known = self.apply(Op::Not, vec![known], span)?;
            let points = self.push(Operation::Filter { input: step, condition: known }, fields.clone(), span);
            let mut columns = self.pass(points, carried);
            let name = constant(Some(Cell::Text(field.name.clone())), span);
            columns.push((made(&identifier.name.text, Role::Identifier, Type::String), name));
            columns.push((made(&measure.name.text, Role::Measure, kind), widen(value, Some(kind))));
            parts.push(self.map(points, columns, span));
        }
        self.union(&parts, span)
    }

    /// The one type of all measures.
    fn common_kind(&mut self, fields: &[Field], measures: &[usize], span: Span) -> Option<Type> {
        let kinds: Vec<Type> = measures.iter().filter_map(|at| fields.get(*at)).map(|f| f.kind).collect();
        match kinds.split_first() {
            Some((first, rest)) if rest.iter().all(|kind| kind == first) => Some(*first),
            Some(_) if kinds.iter().all(|kind| matches!(kind, Type::Integer | Type::Number)) => {
                Some(Type::Number)
            }
            Some(_) => self.fault(Code::Type, span, "`unpivot` needs measures of one type"),
            None => self.fault(Code::Structure, span, "`unpivot` needs a measure, the data set has none"),
        }
    }

    /// One data point a group of the other identifiers, with a measure for each value.
    pub(super) fn pivot(
        &mut self,
        step: usize,
        identifier: &Component,
        measure: &Component,
        span: Span,
    ) -> Option<usize> {
        let fields = self.fields(step).to_vec();
        let (key, value) = (self.place(identifier, &fields)?, self.place(measure, &fields)?);
        let (from, of) = (fields.get(key)?, fields.get(value)?);
        if from.role != Role::Identifier || from.kind != Type::String || of.role != Role::Measure {
            let message = "`pivot` needs an identifier that is a `string`, and a measure";
            return self.fault(Code::Structure, span, message);
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
            self.faults.push(Fault::new(Code::Structure, span, message).hint(hint));
            return None;
        };
        let mut result: Option<usize> = None;
        for code in codes {
            let part = self.pivoted(step, (key, value), &code, &fields, span)?;
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
        fields: &[Field],
        span: Span,
    ) -> Option<usize> {
        let (from, of) = (fields.get(key)?, fields.get(value)?);
        let wanted = constant(Some(Cell::Text(code.to_owned())), span);
        let condition = self.apply(Op::Equal, vec![column(key, from, span), wanted], span)?;
        let points = self.push(Operation::Filter { input: step, condition }, fields.to_vec(), span);
        let mut columns =
            self.pass(points, |field| field.role == Role::Identifier && field.name != from.name);
        columns.push((made(code, Role::Measure, of.kind), column(value, of, span)));
        Some(self.map(points, columns, span))
    }

    /// A full join of two results of the same identifiers.
    fn beside(&mut self, left: usize, right: usize, span: Span) -> usize {
        let (a, b) = (self.fields(left).to_vec(), self.fields(right).to_vec());
        let count = positions(&a, Role::Identifier).len();
        let keys: Vec<(usize, usize)> = (0..count).map(|at| (at, at)).collect();
        let mut columns: Vec<(Side, Option<Cell>)> =
            keys.iter().map(|(x, y)| (Side::Either(*x, *y), None)).collect();
        columns.extend((count..a.len()).map(|at| (Side::Left(at), None)));
        columns.extend((count..b.len()).map(|at| (Side::Right(at), None)));
        let mut fields = a;
        fields.extend(b.into_iter().skip(count));
        let operation = Operation::Join { left, right, keys, columns, matching: Matching::Full };
        self.push(operation, fields, span)
    }

    /// The values that a column of text can have at most, in ascending order, when the plan says so.
    fn values_of(&self, step: usize, at: usize) -> Option<Vec<String>> {
        let found = match &self.steps.get(step)?.operation {
            Operation::Filter { input, condition } => {
                limited(condition, at).or_else(|| self.values_of(*input, at))?
            }
            Operation::Map { input, columns } => match &columns.get(at)?.term {
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
fn limited(condition: &Typed, at: usize) -> Option<Vec<String>> {
    let Term::Apply(op, operands) = &condition.term else { return None };
    let this = |typed: &Typed| matches!(typed.term, Term::Column(column) if column == at);
    let text = |typed: &Typed| match &typed.term {
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

fn made(name: &str, role: Role, kind: Type) -> Field {
    Field { name: name.to_owned(), role, kind, from: Vec::new() }
}
