//! Set operators (reference manual, "Set operators") and `exists_in`.
//!
//! Data points are told apart by their identifiers alone; all is brought to unions and semi-joins.

use schemas::structure::{Role, Type};

use super::component::widen;
use super::{Checker, column, positions};
use crate::ast::{Expr, SetOp};
use crate::fault::{Code, Fault, Span};
use crate::op::default_name;
use crate::plan::{Field, Operation, Term, Typed};

impl Checker<'_> {
    /// `union`, `intersect`, `setdiff`, `symdiff`.
    pub(super) fn combine(&mut self, op: SetOp, operands: &[Expr], span: Span) -> Option<usize> {
        let steps: Vec<Option<usize>> = operands.iter().map(|operand| self.data(operand)).collect();
        let steps: Vec<usize> = steps.into_iter().collect::<Option<_>>()?;
        let common = self.common_fields(op, &steps, operands)?;
        let steps: Vec<usize> = steps.iter().map(|step| self.aligned(*step, &common, span)).collect();
        match (op, steps.as_slice()) {
            (SetOp::Union, steps) => self.union(steps, span),
            (SetOp::Symdiff, [left, right]) => {
                let apart = [self.semi(*left, *right, false, span), self.semi(*right, *left, false, span)];
                self.union(&apart, span)
            }
            (op, [first, others @ ..]) => {
                let present = op == SetOp::Intersect;
                Some(others.iter().fold(*first, |left, right| self.semi(left, *right, present, span)))
            }
            _ => None,
        }
    }

    /// The union of steps whose fields have the same names, roles and types in the same order.
    pub(super) fn union(&mut self, steps: &[usize], span: Span) -> Option<usize> {
        let fields = self.fields(*steps.first()?).to_vec();
        Some(self.push(Operation::Union { inputs: steps.to_vec() }, fields, span))
    }

    /// The data points of the left whose key the right has, or has not.
    fn semi(&mut self, left: usize, right: usize, present: bool, span: Span) -> usize {
        let fields = self.fields(left).to_vec();
        let keys = positions(&fields, Role::Identifier).into_iter().map(|at| (at, at)).collect();
        self.push(Operation::Semi { left, right, keys, present }, fields, span)
    }

    /// The fields of the first data set, each of a type that those of all others pass as.
    fn common_fields(&mut self, op: SetOp, steps: &[usize], operands: &[Expr]) -> Option<Vec<Field>> {
        let mut common = self.fields(*steps.first()?).to_vec();
        for (step, operand) in steps.iter().zip(operands).skip(1) {
            let fields = self.fields(*step).to_vec();
            if fields.len() != common.len() {
                return self.unlike(op, &common, &fields, operand.span);
            }
            for slot in &mut common {
                let other = fields.iter().find(|field| field.name == slot.name && field.role == slot.role);
                let kind = other.and_then(|other| shared(slot, other.kind));
                let Some(kind) = kind else {
                    return self.unlike(op, &fields, std::slice::from_ref(slot), operand.span);
                };
                slot.kind = kind;
            }
        }
        common.iter_mut().for_each(|field| field.from.clear());
        Some(common)
    }

    /// Names what one data set has and the other has not.
    fn unlike<T>(&mut self, op: SetOp, a: &[Field], b: &[Field], span: Span) -> Option<T> {
        let missing = |from: &[Field], to: &[Field]| {
            let absent = |field: &&Field| {
                !to.iter().any(|other| {
                    (other.name.as_str(), other.role, other.kind)
                        == (field.name.as_str(), field.role, field.kind)
                })
            };
            from.iter().find(absent).cloned()
        };
        let odd = missing(b, a).or_else(|| missing(a, b));
        let shown = odd.map_or(String::new(), |field| {
            format!(
                ": not all have the {} `{}` of type `{}`",
                field.role.word(),
                field.name,
                field.kind.word()
            )
        });
        let message = format!("`{}` needs data sets of the same components{shown}", op.name());
        let hint = "bring them to one structure with `keep`, `rename`, `calc`";
        self.faults.push(Fault::new(Code::Structure, span, message).hint(hint));
        None
    }

    /// The same data set with its components in the common order and of the common types.
    fn aligned(&mut self, step: usize, common: &[Field], span: Span) -> usize {
        let fields = self.fields(step).to_vec();
        if fields == common {
            return step;
        }
        let columns = common.iter().filter_map(|wanted| {
            let at = fields.iter().position(|field| field.name == wanted.name)?;
            let typed = column(at, fields.get(at)?, span);
            Some((wanted.clone(), widen(typed, Some(wanted.kind))))
        });
        let columns = columns.collect();
        self.map(step, columns, span)
    }

    /// `exists_in`: for each data point of the left whether the right has its common identifiers.
    pub(super) fn exists(
        &mut self,
        left: &Expr,
        right: &Expr,
        retain: Option<bool>,
        span: Span,
    ) -> Option<usize> {
        let (a, b) = (self.data(left), self.data(right));
        let (a, b) = (a?, b?);
        let (ours, theirs) = (self.fields(a).to_vec(), self.fields(b).to_vec());
        let (mine, others) = (positions(&ours, Role::Identifier), positions(&theirs, Role::Identifier));
        let twin = |at: usize| {
            let name = &ours.get(at)?.name;
            others.iter().copied().find(|other| theirs.get(*other).is_some_and(|field| field.name == *name))
        };
        let keys: Vec<(usize, usize)> = mine.iter().filter_map(|at| Some((*at, twin(*at)?))).collect();
        if keys.len() != mine.len().min(others.len()) {
            let message = "the identifiers of neither data set contain those of the other";
            return self.fault(Code::Structure, span, message);
        }
        for (x, y) in &keys {
            self.same_kind(ours.get(*x)?, theirs.get(*y)?, span)?;
        }
        let mut fields: Vec<Field> = mine.iter().filter_map(|at| ours.get(*at)).cloned().collect();
        let name = default_name(Type::Boolean).to_owned();
        fields.push(Field { name, role: Role::Measure, kind: Type::Boolean, from: Vec::new() });
        let found = self.push(Operation::Exists { left: a, right: b, keys }, fields.clone(), span);
        let Some(retain) = retain else { return Some(found) };
        let flag = Typed { term: Term::Column(fields.len() - 1), kind: Some(Type::Boolean), span };
        let condition = if retain { flag } else { self.apply(crate::op::Op::Not, vec![flag], span)? };
        Some(self.push(Operation::Filter { input: found, condition }, fields, span))
    }
}

/// The type that both pass as; identifiers must be of one type.
pub(super) fn shared(field: &Field, other: Type) -> Option<Type> {
    let numeric = |kind: Type| matches!(kind, Type::Integer | Type::Number);
    if field.kind == other {
        return Some(other);
    }
    (field.role != Role::Identifier && numeric(field.kind) && numeric(other)).then_some(Type::Number)
}
