//! `if` and `case` over whole data sets (reference manual, "if-then-else").
//!
//! The data points where the condition is true are joined with one operand, the others with the
//! other operand, and the result is the union of both: a data point that the chosen operand lacks
//! is left out. Where the condition is null, the other operand is chosen.

use schemas::structure::{Role, Type};

use super::component::widen;
use super::dataset::carried;
use super::set::shared;
use super::{Checker, Value, column, positions};
use crate::ast::Expr;
use crate::fault::{Code, Span};
use crate::op::Op;
use crate::plan::{Field, Operation, Typed};

impl Checker<'_> {
    pub(super) fn choice(&mut self, values: Vec<Value>, operands: &[Expr], span: Span) -> Option<usize> {
        let [condition, then, other] = <[Value; 3]>::try_from(values).ok()?;
        let place = |at: usize| operands.get(at).map_or(span, |operand| operand.span);
        let Value::Data(condition) = condition else {
            let message = "the condition is a scalar, so both branches must be scalars";
            return self.fault(Code::Structure, place(0), message);
        };
        let truth = self.truth(condition, place(0))?;
        let shape = self.branch_shape(condition, &then, &other, (place(1), place(2)))?;
        let yes = self.branch(condition, truth.clone(), &then, &shape, place(1))?;
        let no = self.apply(Op::Nvl, vec![truth, super::component::falsity(span)], span)?;
        let no = self.apply(Op::Not, vec![no], span)?;
        let no = self.branch(condition, no, &other, &shape, place(2))?;
        self.union(&[yes, no], span)
    }

    /// The one measure of a condition.
    pub(super) fn truth(&mut self, step: usize, span: Span) -> Option<Typed> {
        let fields = self.fields(step).to_vec();
        let measures = positions(&fields, Role::Measure);
        match measures.as_slice() {
            [at] if fields.get(*at).is_some_and(|field| field.kind == Type::Boolean) => {
                Some(column(*at, fields.get(*at)?, span))
            }
            _ => self.fault(Code::Structure, span, "the condition needs one measure, which is a `boolean`"),
        }
    }

    /// The components of the result: those of the operand that is a data set.
    fn branch_shape(
        &mut self,
        condition: usize,
        then: &Value,
        other: &Value,
        spans: (Span, Span),
    ) -> Option<Vec<Field>> {
        let of = |value: &Value| if let Value::Data(step) = value { Some(*step) } else { None };
        let identifiers = |fields: &[Field]| -> Vec<(String, Type)> {
            let mut found: Vec<_> = fields
                .iter()
                .filter(|field| field.role == Role::Identifier)
                .map(|field| (field.name.clone(), field.kind))
                .collect();
            found.sort();
            found
        };
        let wanted = identifiers(self.fields(condition));
        let mut shape: Option<Vec<Field>> = None;
        for (value, span) in [(then, spans.0), (other, spans.1)] {
            let Some(step) = of(value) else { continue };
            let fields: Vec<Field> = self
                .fields(step)
                .iter()
                .filter(|field| carried(field) || field.role == Role::Measure)
                .cloned()
                .collect();
            if identifiers(&fields) != wanted {
                let message = "the identifiers are not those of the condition";
                return self.fault(Code::Structure, span, message);
            }
            shape = match shape {
                Some(before) => self.alike(before, &fields, span)?.into(),
                None => Some(fields),
            };
        }
        match shape {
            Some(shape) => Some(shape),
            None => self.fault(Code::Structure, spans.0, "one of the branches must be a data set"),
        }
    }

    /// The components that both branches have, an integer beside a number as a number.
    fn alike(&mut self, mut shape: Vec<Field>, other: &[Field], span: Span) -> Option<Vec<Field>> {
        let alike = shape.len() == other.len();
        for slot in &mut shape {
            let twin = other.iter().find(|field| field.name == slot.name && field.role == slot.role);
            match twin.and_then(|twin| shared(slot, twin.kind)) {
                Some(kind) if alike => slot.kind = kind,
                _ => return self.fault(Code::Structure, span, "both branches must have the same components"),
            }
        }
        Some(shape)
    }

    /// The data points of one branch: where `holds`, with the components of `shape` in its order.
    fn branch(
        &mut self,
        condition: usize,
        holds: Typed,
        value: &Value,
        shape: &[Field],
        span: Span,
    ) -> Option<usize> {
        let fields = self.fields(condition).to_vec();
        let points = self.push(Operation::Filter { input: condition, condition: holds }, fields, span);
        let keys = self.pass(points, |field| field.role == Role::Identifier);
        let points = self.map(points, keys, span);
        let joined = match value {
            Value::Data(step) => self.align((points, *step), span)?,
            Value::Scalar(_) => points,
        };
        let fields = self.fields(joined).to_vec();
        let mut columns = Vec::new();
        for wanted in shape {
            let at = fields.iter().position(|field| field.name == wanted.name && field.role == wanted.role);
            let typed = match (at, value) {
                (Some(at), _) => widen(column(at, fields.get(at)?, span), Some(wanted.kind)),
                (None, Value::Scalar(typed)) if wanted.role == Role::Measure => {
                    self.filling(typed, wanted, span)?
                }
                _ => Typed { kind: Some(wanted.kind), ..super::component::constant(None, span) },
            };
            columns.push((Field { from: Vec::new(), ..wanted.clone() }, typed));
        }
        Some(self.map(joined, columns, span))
    }

    /// A scalar as the value of a measure.
    fn filling(&mut self, typed: &Typed, field: &Field, span: Span) -> Option<Typed> {
        let typed = widen(typed.clone(), Some(field.kind));
        match typed.kind {
            Some(kind) if kind != field.kind => {
                let message = super::component::mismatch(&field.name, field.kind, Some(kind));
                self.fault(Code::Type, span, message)
            }
            _ => Some(Typed { kind: Some(field.kind), ..typed }),
        }
    }
}
