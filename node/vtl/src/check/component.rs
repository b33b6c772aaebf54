//! Expressions at component level: names are components of one data set.

use schemas::structure::Type;
use schemas::table::Cell;

use super::call::Argument;
use super::typing::{Kind, article, found, result};
use super::{Checker, Value, column};
use crate::ast::{Component, Expr, Node};
use crate::fault::{Code, Fault, Span, near};
use crate::op::{Aggregator, Op, Time};
use crate::plan::{Field, Summary, Term, Typed};

/// Where a component expression stands.
pub(super) struct Scope {
    pub(super) fields: Vec<Field>,
    pub(super) level: Level,
}

/// What may stand in it.
pub(super) enum Level {
    /// Values of single data points; analytic invocations too.
    Row,
    /// Values of groups: the aggregates found so far follow `keys` columns.
    Group { keys: usize, summaries: Vec<Summary> },
    /// The operand of an aggregate or analytic invocation, which may not hold another.
    Inner,
}

impl Scope {
    pub(super) fn row(fields: &[Field]) -> Self {
        Self { fields: fields.to_vec(), level: Level::Row }
    }
}

impl Checker<'_> {
    pub(super) fn component(&mut self, expr: &Expr, scope: &mut Scope) -> Option<Typed> {
        self.deeper(expr.span, |checker| checker.component_here(expr, scope))
    }

    fn component_here(&mut self, expr: &Expr, scope: &mut Scope) -> Option<Typed> {
        match &expr.node {
            Node::Constant(cell) => Some(constant(cell.clone(), expr.span)),
            Node::Name(name) => self.named(name, expr.span, scope),
            Node::Member(operand, name) => match &operand.node {
                Node::Name(alias) => self.lookup(Some(alias), &name.text, expr.span, &scope.fields),
                _ => self.fault(Code::Structure, expr.span, "expected `alias#component`"),
            },
            Node::Apply(Op::Time(Time::Indicator), operands) if operands.is_empty() => {
                self.own_indicator(&scope.fields, expr.span)
            }
            Node::Apply(op, operands) => {
                let typed: Vec<Option<Typed>> =
                    operands.iter().map(|operand| self.component(operand, scope)).collect();
                let typed: Option<Vec<Typed>> = typed.into_iter().collect();
                self.apply(*op, typed?, expr.span)
            }
            Node::Aggregate(aggregate) => {
                if aggregate.grouping.is_some() {
                    let message =
                        "a grouping clause stands behind the aggregates of a clause, not within them";
                    return self.fault(Code::Structure, expr.span, message);
                }
                let (op, operand) = (aggregate.op, aggregate.operand.as_ref());
                self.grouped(op, operand, expr.span, scope)
            }
            Node::Window(window) => self.component_window(window, expr.span, scope),
            Node::Call(name, arguments) => self.component_call(name, arguments, expr.span, scope),
            Node::Domain { operand, domain, negated } => {
                let typed = self.component(operand, scope);
                let mut operands = self.listed(domain, expr.span)?;
                operands.insert(0, typed?);
                self.apply(membership(*negated), operands, expr.span)
            }
            Node::Omitted | Node::List(_) => self.fault(Code::Syntax, expr.span, "expected an expression"),
            _ => self.fault(Code::Type, expr.span, "expected a component, found a data set"),
        }
    }

    /// A condition: a boolean at component level.
    pub(super) fn condition(&mut self, expr: &Expr, scope: &mut Scope) -> Option<Typed> {
        let typed = self.component(expr, scope)?;
        if typed.kind.is_some_and(|kind| kind != Type::Boolean) {
            let message = format!("expected a condition (`boolean`), found {}", found(typed.kind));
            return self.fault(Code::Type, expr.span, message);
        }
        Some(typed)
    }

    fn named(&mut self, name: &str, span: Span, scope: &Scope) -> Option<Typed> {
        match self.bound(name).cloned() {
            Some(Argument::Scalar(typed)) => return self.expanded(&typed, span),
            Some(Argument::Component(component, wanted)) => {
                let typed = self.lookup(None, &component.text, span, &scope.fields)?;
                return self.of_role(typed, &wanted, &scope.fields);
            }
            Some(Argument::Faulty) => return None,
            Some(_) => return self.fault(Code::Type, span, format!("`{name}` is no component")),
            None => {}
        }
        if let Level::Group { .. } = scope.level {
            let message = format!("`{name}` has many values in a group: `having` compares aggregates");
            self.faults
                .push(Fault::new(Code::Structure, span, message).hint(format!("for example `max({name})`")));
            return None;
        }
        let known = scope.fields.iter().any(|field| field.name == name);
        if self.closed() || (!known && !self.calls.is_empty()) {
            return self.outside(name, span);
        }
        if !known && let Some(Some(Value::Scalar(typed))) = self.names.get(name) {
            return Some(Typed { span, ..typed.clone() });
        }
        self.lookup(None, name, span, &scope.fields)
    }

    /// A column by name, or by the alias of a join operand and name.
    pub(super) fn lookup(
        &mut self,
        alias: Option<&str>,
        name: &str,
        span: Span,
        fields: &[Field],
    ) -> Option<Typed> {
        let at = self.position(alias, name, span, fields)?;
        fields.get(at).map(|field| column(at, field, span))
    }

    pub(super) fn place(&mut self, component: &Component, fields: &[Field]) -> Option<usize> {
        let component = &self.meant_component(component);
        let alias = component.alias.as_ref().map(|alias| alias.text.as_str());
        let span =
            component.alias.as_ref().map_or(component.name.span, |alias| alias.span.to(component.name.span));
        self.position(alias, &component.name.text, span, fields)
    }

    fn position(&mut self, alias: Option<&str>, name: &str, span: Span, fields: &[Field]) -> Option<usize> {
        let fits = |field: &Field| {
            field.name == name && alias.is_none_or(|alias| field.from.iter().any(|from| from == alias))
        };
        let mut matches = fields.iter().enumerate().filter(|(_, field)| fits(field)).map(|(at, _)| at);
        let (first, second) = (matches.next(), matches.next());
        match (first, second) {
            (Some(at), None) => Some(at),
            _ if self.faults.full() => None,
            (None, _) => {
                let hint = near(name, fields.iter().map(|field| field.name.as_str()));
                let shown = alias.map_or(name.to_owned(), |alias| format!("{alias}#{name}"));
                let message = format!("the data set has no component `{shown}`");
                let known: Vec<String> = fields.iter().map(|field| format!("`{}`", field.name)).collect();
                let hint = hint.or_else(|| Some(format!("it has {}", known.join(", "))));
                self.faults.push(Fault::new(Code::UnknownName, span, message).hinted(hint));
                None
            }
            _ => {
                let aliases = fields.iter().filter(|field| field.name == name).flat_map(|field| &field.from);
                let choices: Vec<String> = aliases.map(|alias| format!("`{alias}#{name}`")).collect();
                let message = format!("`{name}` is a component of several operands of the join");
                let hint = format!("write {}", choices.join(" or "));
                self.faults.push(Fault::new(Code::Ambiguous, span, message).hint(hint));
                None
            }
        }
    }

    /// A row-wise operator over typed operands.
    pub(super) fn apply(&mut self, op: Op, operands: Vec<Typed>, span: Span) -> Option<Typed> {
        let kinds: Vec<Kind> = operands.iter().map(|operand| operand.kind).collect();
        let kind = match result(op, &kinds) {
            Ok(kind) => kind,
            Err(misfit) => {
                let operand = operands.get(misfit.operand);
                let place = operand.map_or(span, |operand| operand.span);
                let place = if place == Span::default() { span } else { place };
                let seen = found(operand.and_then(|operand| operand.kind));
                let message = format!("`{}` expected {}, found {seen}", op.name(), misfit.expected);
                return self.fault(Code::Type, place, message);
            }
        };
        self.literals(op, &operands)?;
        let operands = match op {
            Op::If | Op::Nvl => operands.into_iter().map(|operand| widen(operand, kind)).collect(),
            _ => operands,
        };
        Some(Typed { term: Term::Apply(op, operands), kind, span })
    }

    /// An aggregate in `having`: a further column of the groups.
    fn grouped(
        &mut self,
        op: Aggregator,
        operand: Option<&Expr>,
        span: Span,
        scope: &mut Scope,
    ) -> Option<Typed> {
        if !matches!(scope.level, Level::Group { .. }) {
            let message = format!("`{}` over a component belongs in `aggr` or `having`", op.name());
            let hint = format!("over a window write `{}(… over (…))`", op.name());
            self.faults.push(Fault::new(Code::Structure, span, message).hint(hint));
            return None;
        }
        let summary = self.summary(op, operand, span, &scope.fields)?;
        let kind = summary.kind;
        let Level::Group { keys, summaries } = &mut scope.level else { return None };
        summaries.push(summary);
        Some(Typed { term: Term::Column(*keys + summaries.len() - 1), kind: Some(kind), span })
    }

    /// An aggregate over a component expression.
    pub(super) fn summary(
        &mut self,
        op: Aggregator,
        operand: Option<&Expr>,
        span: Span,
        fields: &[Field],
    ) -> Option<Summary> {
        let mut inner = Scope { fields: fields.to_vec(), level: Level::Inner };
        let operand = match operand {
            None => None,
            Some(expr) => Some(self.component(expr, &mut inner)?),
        };
        let kind =
            self.aggregated(op, operand.as_ref().and_then(|operand| operand.kind), operand.is_some(), span)?;
        Some(Summary { op, operand, kind, span, viral: None })
    }

    /// The type that an aggregate gives.
    pub(super) fn aggregated(&mut self, op: Aggregator, kind: Kind, given: bool, span: Span) -> Option<Type> {
        match (op, kind) {
            (Aggregator::Count, _) => Some(Type::Integer),
            (Aggregator::Sum, Some(kind @ (Type::Integer | Type::Number))) => Some(kind),
            (Aggregator::Min | Aggregator::Max, Some(kind)) => Some(kind),
            (_, Some(Type::Integer | Type::Number)) => Some(Type::Number),
            (_, None) if given => self.fault(Code::Type, span, "an aggregate of `null` has no type"),
            _ => {
                let message = format!("`{}` expected a number, found {}", op.name(), found(kind));
                self.fault(Code::Type, span, message)
            }
        }
    }
}

/// `operand in { … }` as an operator.
pub(super) fn membership(negated: bool) -> Op {
    if negated { Op::NotIn } else { Op::In }
}

/// The literal `false`.
pub(super) fn falsity(span: Span) -> Typed {
    constant(Some(Cell::Boolean(false)), span)
}

/// A literal.
pub(super) fn constant(cell: Option<Cell>, span: Span) -> Typed {
    let kind = cell.as_ref().map(|cell| match cell {
        Cell::Text(_) => Type::String,
        Cell::Integer(_) => Type::Integer,
        Cell::Number(_) => Type::Number,
        Cell::Boolean(_) => Type::Boolean,
        Cell::Period(_) => Type::TimePeriod,
    });
    Typed { term: Term::Constant(cell), kind, span }
}

/// An integer as a number, where the other branch is a number.
pub(super) fn widen(operand: Typed, kind: Kind) -> Typed {
    if kind != Some(Type::Number) || operand.kind != Some(Type::Integer) {
        return operand;
    }
    let span = operand.span;
    Typed { term: Term::Apply(Op::Cast(Type::Number), vec![operand]), kind, span }
}

/// The fault of a value that has no type because it is always null.
pub(super) fn typeless(name: &str, span: Span) -> Fault {
    let message = format!("`{name}` is always null and so has no type");
    Fault::new(Code::Type, span, message).hint(format!("for example `cast(null, {})`", "number"))
}

/// What a type fault says of a component that should have had another type.
pub(super) fn mismatch(name: &str, wanted: Type, seen: Kind) -> String {
    format!("`{name}` is {}, found {}", article(wanted), found(seen))
}
