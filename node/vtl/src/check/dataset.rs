//! Expressions at data set level: operators over whole data sets, brought to joins and maps.

use std::collections::BTreeSet;

use schemas::structure::Role;

use super::call::Argument;
use super::component::{constant, membership, typeless};
use super::typing::found;
use super::{Checker, Value, column, positions};
use crate::ast::{Expr, Ident, Node};
use crate::fault::{Code, Fault, Span};
use crate::op::{Op, Time, default_name};
use crate::plan::{Field, Matching, Operation, Side, Term, Typed};

impl Checker<'_> {
    pub(super) fn expr(&mut self, expr: &Expr) -> Option<Value> {
        self.deeper(expr.span, |checker| checker.expr_here(expr))
    }

    fn expr_here(&mut self, expr: &Expr) -> Option<Value> {
        match &expr.node {
            Node::Constant(cell) => Some(Value::Scalar(constant(cell.clone(), expr.span))),
            Node::Name(name) if !self.calls.is_empty() => self.parameter(name, expr.span),
            Node::Name(name) => match self.names.get(name)?.clone()? {
                Value::Scalar(typed) => Some(Value::Scalar(Typed { span: expr.span, ..typed })),
                data => Some(data),
            },
            Node::Member(operand, name) => self.member(operand, name, expr.span),
            Node::Apply(op, operands) => {
                let values: Vec<Option<Value>> = operands.iter().map(|operand| self.expr(operand)).collect();
                let values: Option<Vec<Value>> = values.into_iter().collect();
                self.operator(*op, values?, operands, expr.span)
            }
            Node::Shift(operand, count) => self.shift(operand, count, expr.span),
            Node::Series(op, operand) => self.along(*op, operand, expr.span).map(Value::Data),
            Node::Aggregate(aggregate) => self.aggregate(aggregate, expr.span),
            Node::Window(window) => self.dataset_window(window, expr.span).map(Value::Data),
            Node::Clause(operand, clause) => {
                let step = self.data(operand)?;
                self.clause(step, clause, expr.span).map(Value::Data)
            }
            Node::Join(join) => self.join(join, expr.span).map(Value::Data),
            Node::Call(name, arguments) => self.call(name, arguments, expr.span),
            Node::Omitted | Node::List(_) => self.fault(Code::Syntax, expr.span, "expected an expression"),
            Node::Domain { operand, domain, negated } => {
                let value = self.expr(operand);
                let list = self.listed(domain, expr.span)?;
                let mut values = vec![value?];
                values.extend(list.into_iter().map(Value::Scalar));
                self.operator(membership(*negated), values, std::slice::from_ref(operand), expr.span)
            }
            Node::Set(op, operands) => self.combine(*op, operands, expr.span).map(Value::Data),
            Node::ExistsIn(left, right, retain) => {
                self.exists(left, right, *retain, expr.span).map(Value::Data)
            }
            Node::Check(check) => self.check_points(check, expr.span),
            Node::CheckDatapoint(check) => self.check_datapoint(check, expr.span),
            Node::CheckHierarchy(call) => self.hierarchy(call, true, expr.span),
            Node::Hierarchy(call) => self.hierarchy(call, false, expr.span),
        }
    }

    /// A parameter of the operator whose body is being checked.
    fn parameter(&mut self, name: &str, span: Span) -> Option<Value> {
        match self.bound(name).cloned() {
            Some(Argument::Data(step)) => Some(Value::Data(step)),
            Some(Argument::Scalar(typed)) => self.expanded(&typed, span).map(Value::Scalar),
            Some(Argument::Faulty) => None,
            Some(_) => self.fault(Code::Type, span, format!("`{name}` is neither a data set nor a scalar")),
            None => self.outside(name, span),
        }
    }

    /// An operator over data sets and scalars.
    fn operator(&mut self, op: Op, values: Vec<Value>, operands: &[Expr], span: Span) -> Option<Value> {
        let sets: Vec<usize> = values
            .iter()
            .filter_map(|value| if let Value::Data(step) = value { Some(*step) } else { None })
            .collect();
        match (op, sets.as_slice()) {
            (_, []) => {
                let scalars = values
                    .into_iter()
                    .filter_map(|value| if let Value::Scalar(typed) = value { Some(typed) } else { None });
                self.apply(op, scalars.collect(), span).map(Value::Scalar)
            }
            (Op::Time(op @ (Time::Indicator | Time::Add)), [only]) => {
                self.timely(op, *only, &values, span).map(Value::Data)
            }
            (Op::Time(Time::Indicator | Time::Add), _) => {
                self.fault(Code::Structure, span, format!("`{}` takes one data set", op.name()))
            }
            (Op::If, _) => self.choice(values, operands, span).map(Value::Data),
            (_, [only]) => self.rowwise(op, *only, &values, span).map(Value::Data),
            (_, sets) => self.several(op, sets, &values, operands, span).map(Value::Data),
        }
    }

    /// One data set, and scalars: the operator on each measure.
    fn rowwise(&mut self, op: Op, step: usize, values: &[Value], span: Span) -> Option<usize> {
        let fields = self.fields(step).to_vec();
        let measures = self.measures(op, &fields, span)?;
        let mut columns = self.pass(step, carried);
        for at in measures {
            let field = fields.get(at)?;
            let operands = values.iter().map(|value| match value {
                Value::Data(_) => column(at, field, span),
                Value::Scalar(typed) => typed.clone(),
            });
            let typed = self.apply(op, operands.collect(), span)?;
            columns.push(self.measure(op, &field.name, typed)?);
        }
        Some(self.map(step, columns, span))
    }

    /// The measures that an operator is applied to, or a fault.
    fn measures(&mut self, op: Op, fields: &[Field], span: Span) -> Option<Vec<usize>> {
        let measures = positions(fields, Role::Measure);
        if measures.is_empty() {
            return self.fault(
                Code::Structure,
                span,
                format!("`{}` needs a measure, the data set has none", op.name()),
            );
        }
        if op.renames() && measures.len() != 1 {
            let message =
                format!("`{}` needs a data set with one measure, found {}", op.name(), measures.len());
            self.faults.push(Fault::new(Code::Structure, span, message).hint("choose one: `DS#measure`"));
            return None;
        }
        Some(measures)
    }

    /// The measure that an operator gives.
    fn measure(&mut self, op: Op, name: &str, typed: Typed) -> Option<(Field, Typed)> {
        let Some(kind) = typed.kind else {
            self.faults.push(typeless(name, typed.span));
            return None;
        };
        let name = if op.renames() { default_name(kind) } else { name };
        Some((Field { name: name.to_owned(), role: Role::Measure, kind, from: Vec::new() }, typed))
    }

    /// Several data sets, and scalars: joined on their common identifiers, the operator on measures
    /// of one name.
    fn several(
        &mut self,
        op: Op,
        sets: &[usize],
        values: &[Value],
        operands: &[Expr],
        span: Span,
    ) -> Option<usize> {
        let (first, rest) = sets.split_first()?;
        let fields = self.fields(*first).to_vec();
        let measures = self.measures(op, &fields, span)?;
        let mut joined = *first;
        for set in rest {
            let others = self.fields(*set).to_vec();
            self.same_measures(&fields, &others, operands, span)?;
            joined = self.align((joined, *set), span)?;
        }
        let fields = self.fields(joined).to_vec();
        let mut columns = self.pass(joined, carried);
        for at in &measures {
            let name = self.fields(*first).get(*at)?.name.clone();
            let homonyms = positions(&fields, Role::Measure)
                .into_iter()
                .filter(|at| fields.get(*at).is_some_and(|f| f.name == name));
            let mut homonyms = homonyms.filter_map(|at| Some(column(at, fields.get(at)?, span)));
            let each = values.iter().map(|value| match value {
                Value::Data(_) => homonyms.next(),
                Value::Scalar(typed) => Some(typed.clone()),
            });
            let each: Option<Vec<Typed>> = each.collect();
            let typed = self.apply(op, each?, span)?;
            columns.push(self.measure(op, &name, typed)?);
        }
        Some(self.map(joined, columns, span))
    }

    fn same_measures(
        &mut self,
        left: &[Field],
        right: &[Field],
        operands: &[Expr],
        span: Span,
    ) -> Option<()> {
        let names = |fields: &[Field]| -> BTreeSet<String> {
            fields
                .iter()
                .filter(|field| field.role == Role::Measure)
                .map(|field| field.name.clone())
                .collect()
        };
        let (a, b) = (names(left), names(right));
        if a == b {
            return Some(());
        }
        let list = |names: &BTreeSet<String>| {
            let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            if quoted.is_empty() { "none".to_owned() } else { quoted.join(", ") }
        };
        let message = format!("the data sets have different measures: {} and {}", list(&a), list(&b));
        let span = operands.get(1).map_or(span, |operand| operand.span);
        let hint = "select or rename a measure first: `DS#measure`, `DS[rename … to …]`";
        self.faults.push(Fault::new(Code::Structure, span, message).hint(hint));
        None
    }

    /// Joins two data sets where the identifiers of one contain those of the other: their measures
    /// side by side, their viral attributes as one.
    pub(super) fn align(&mut self, sides: (usize, usize), span: Span) -> Option<usize> {
        let fields = (self.fields(sides.0).to_vec(), self.fields(sides.1).to_vec());
        let (left, right) = (positions(&fields.0, Role::Identifier), positions(&fields.1, Role::Identifier));
        let keys: Vec<(usize, usize)> =
            left.iter().filter_map(|at| Some((*at, partner(&fields.0, *at, &fields.1)?))).collect();
        if keys.len() != left.len().min(right.len()) {
            let message = "the identifiers of neither data set contain those of the other";
            return self.fault(Code::Structure, span, message);
        }
        for (a, b) in &keys {
            self.same_kind(fields.0.get(*a)?, fields.1.get(*b)?, span)?;
        }
        let wide_left = left.len() >= right.len();
        let mut columns: Vec<Side> = if wide_left {
            left.iter().map(|at| Side::Left(*at)).collect()
        } else {
            right.iter().map(|at| Side::Right(*at)).collect()
        };
        for role in [Role::Measure, Role::ViralAttribute] {
            columns.extend(positions(&fields.0, role).into_iter().map(Side::Left));
            columns.extend(positions(&fields.1, role).into_iter().map(Side::Right));
        }
        let described = columns.iter().filter_map(|side| match side {
            Side::Left(at) | Side::Either(at, _) => fields.0.get(*at).cloned(),
            Side::Right(at) => fields.1.get(*at).cloned(),
        });
        let described = described.collect();
        let columns = columns.into_iter().map(|side| (side, None)).collect();
        let matching = Matching::Inner;
        let operation = Operation::Join { left: sides.0, right: sides.1, keys, columns, matching };
        let step = self.push(operation, described, span);
        self.merged_virals(step, span)
    }

    /// Identifiers that match must be of one type.
    pub(super) fn same_kind(&mut self, a: &Field, b: &Field, span: Span) -> Option<()> {
        if a.kind == b.kind {
            return Some(());
        }
        let message = format!(
            "identifier `{}` is {} in one data set and {} in the other",
            a.name,
            found(Some(a.kind)),
            found(Some(b.kind))
        );
        self.fault(Code::Type, span, message)
    }

    /// `operand # name` (reference manual, "Membership").
    fn member(&mut self, operand: &Expr, name: &Ident, span: Span) -> Option<Value> {
        let name = &self.meant(name).into_owned();
        let step = self.data(operand)?;
        let fields = self.fields(step).to_vec();
        let typed = self.lookup(None, &name.text, name.span, &fields)?;
        let (at, field) = fields.iter().enumerate().find(|(_, field)| field.name == name.text)?;
        if positions(&fields, Role::Identifier).is_empty() {
            let picked = self.push(Operation::Pick { input: step, column: at }, Vec::new(), span);
            return Some(Value::Scalar(Typed { term: Term::Scalar(picked), kind: Some(field.kind), span }));
        }
        let mut columns = self.pass(step, carried);
        let shown = if field.role == Role::Measure { field.name.as_str() } else { default_name(field.kind) };
        let measure =
            Field { name: shown.to_owned(), role: Role::Measure, kind: field.kind, from: Vec::new() };
        columns.push((measure, typed));
        Some(Value::Data(self.map(step, columns, span)))
    }
}

/// Whether operators on whole data sets carry a component on: identifiers and viral attributes.
pub(super) fn carried(field: &Field) -> bool {
    matches!(field.role, Role::Identifier | Role::ViralAttribute)
}

/// The field of the other side that has the name and the role class of one of this side.
fn partner(fields: &[Field], at: usize, other: &[Field]) -> Option<usize> {
    let field = fields.get(at)?;
    other.iter().position(|candidate| candidate.name == field.name && candidate.role == field.role)
}
