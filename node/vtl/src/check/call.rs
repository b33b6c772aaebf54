//! Calls of operators that the script defines (reference manual, "User-defined operator call").
//!
//! A call checks the body of the operator with its parameters bound to the arguments; a body knows
//! its parameters and nothing else. INVARIANT: operators do not call themselves, and what calls
//! expand to is bounded, so that a short script cannot make a plan that fills memory.

use std::collections::BTreeMap;
use std::rc::Rc;

use schemas::structure::{Role, Type};
use schemas::table::Cell;

use super::component::{Scope, constant, widen};
use super::typing::{article, found};
use super::{Checker, Value, extension};
use crate::ast::{
    Component, Constraint, DEPTH_MAX, Expr, Ident, Kind, Node, Operator, Parameter, Scalar, Subset,
};
use crate::fault::{Code, Fault, Span};
use crate::op::Op;
use crate::plan::{Field, Term, Typed};

/// Nodes that all calls of a script may expand to.
const EXPANSION_MAX: u64 = 1 << 16;
/// Calls within calls.
const CALLS_MAX: usize = 24;

/// What a parameter stands for in a call.
#[derive(Debug, Clone)]
pub(super) enum Argument {
    Data(usize),
    Scalar(Typed),
    /// A component by name, in whatever data set the body uses it, and what it must be there.
    Component(Ident, Box<Parameter>),
    /// Shared, for it may be long and passed on in many calls.
    Values(Rc<[Typed]>),
    Ruleset(Ident),
    /// The argument has a fault.
    Faulty,
}

/// A call that is being checked.
#[derive(Debug)]
pub(super) struct Call {
    operator: String,
    parameters: Rc<BTreeMap<String, Argument>>,
    /// Whether it stands in a component expression, whose components are not those of the body.
    component: bool,
}

impl<'a> Checker<'a> {
    /// What a name stands for in the call that is being checked.
    pub(super) fn bound(&self, name: &str) -> Option<&Argument> {
        self.calls.last()?.parameters.get(name)
    }

    /// Whether a name that is no parameter has no meaning here.
    pub(super) fn closed(&self) -> bool {
        self.calls.last().is_some_and(|call| call.component)
    }

    /// A name that is no parameter of the operator whose body is being checked.
    pub(super) fn outside<T>(&mut self, name: &str, span: Span) -> Option<T> {
        let operator = self.calls.last().map_or(String::new(), |call| call.operator.clone());
        let message = format!("`{name}` is no parameter of `{operator}`");
        let hint = "an operator knows its parameters only";
        self.faults.push(Fault::new(Code::UnknownName, span, message).hint(hint));
        None
    }

    /// The name of a component: that which a parameter stands for, or the name itself.
    pub(super) fn meant<'n>(&self, name: &'n Ident) -> std::borrow::Cow<'n, Ident> {
        match self.bound(&name.text) {
            Some(Argument::Component(component, _) | Argument::Ruleset(component)) => {
                std::borrow::Cow::Owned(component.clone())
            }
            _ => std::borrow::Cow::Borrowed(name),
        }
    }

    /// The value of a scalar parameter, counted against what calls may expand to.
    pub(super) fn expanded(&mut self, typed: &Typed, span: Span) -> Option<Typed> {
        self.expand(size(typed), span)?;
        Some(Typed { span, ..typed.clone() })
    }

    pub(super) fn expand(&mut self, nodes: u64, span: Span) -> Option<()> {
        self.expansion += nodes;
        if self.expansion > EXPANSION_MAX {
            let message = format!("the calls of operators expand to more than {EXPANSION_MAX} nodes");
            return self.fault(Code::Size, span, message);
        }
        Some(())
    }

    /// A call at data set level.
    pub(super) fn call(&mut self, name: &Ident, arguments: &[Expr], span: Span) -> Option<Value> {
        if extension::NAMES.contains(&name.text.as_str())
            && !self.definitions.operators.contains_key(&name.text)
        {
            return self.extension(name, arguments, span);
        }
        let operator = self.operator_of(name)?;
        let bound = self.arguments(operator, arguments, span, |checker, parameter, argument| {
            checker.argument(parameter, argument)
        })?;
        let value = self.within(operator, bound, span, false, |checker| checker.expr(&operator.body))?;
        self.returned(operator, value)
    }

    /// A call at component level.
    pub(super) fn component_call(
        &mut self,
        name: &Ident,
        arguments: &[Expr],
        span: Span,
        scope: &mut Scope,
    ) -> Option<Typed> {
        let operator = self.operator_of(name)?;
        let bound = self.arguments(operator, arguments, span, |checker, parameter, argument| {
            checker.component_argument(parameter, argument, scope)
        })?;
        let typed =
            self.within(operator, bound, span, true, |checker| checker.component(&operator.body, scope))?;
        match self.returned(operator, Value::Scalar(typed))? {
            Value::Scalar(typed) => Some(typed),
            Value::Data(_) => None,
        }
    }

    fn operator_of(&mut self, name: &Ident) -> Option<&'a Operator> {
        let definitions = self.definitions;
        match definitions.operators.get(&name.text) {
            Some(operator) => Some(operator),
            None => self.stranger(name),
        }
    }

    /// Binds each parameter to its argument or default.
    fn arguments(
        &mut self,
        operator: &Operator,
        arguments: &[Expr],
        span: Span,
        mut read: impl FnMut(&mut Self, &Parameter, &Expr) -> Option<Argument>,
    ) -> Option<BTreeMap<String, Argument>> {
        if arguments.len() > operator.parameters.len() {
            let (name, most) = (&operator.name.text, operator.parameters.len());
            let message = format!("`{name}` takes at most {most} arguments, found {}", arguments.len());
            return self.fault(Code::Syntax, span, message);
        }
        let mut bound = BTreeMap::new();
        for (at, parameter) in operator.parameters.iter().enumerate() {
            let given = arguments.get(at).filter(|argument| !matches!(argument.node, Node::Omitted));
            let Some(argument) = given.or(parameter.default.as_ref()) else {
                let message = format!(
                    "`{}` needs an argument for `{}`, which has no default",
                    operator.name.text, parameter.name.text
                );
                return self.fault(Code::Syntax, span, message);
            };
            let value = read(self, parameter, argument).unwrap_or(Argument::Faulty);
            if bound.insert(parameter.name.text.clone(), value).is_some() {
                let message = format!("`{}` is the name of two parameters", parameter.name.text);
                return self.fault(Code::Duplicate, parameter.name.span, message);
            }
        }
        Some(bound)
    }

    fn argument(&mut self, parameter: &Parameter, argument: &Expr) -> Option<Argument> {
        match &parameter.kind {
            Kind::Data(constraints) => {
                let step = self.data(argument)?;
                let fields = self.fields(step).to_vec();
                self.conforms(&fields, constraints, argument.span)?;
                Some(Argument::Data(step))
            }
            Kind::Scalar(kind) => match self.expr(argument)? {
                Value::Scalar(typed) => self.fits(typed, kind, &parameter.name).map(Argument::Scalar),
                Value::Data(_) => {
                    let message =
                        format!("`{}` is a scalar parameter, found a data set", parameter.name.text);
                    self.fault(Code::Type, argument.span, message)
                }
            },
            Kind::Component(..) => self.named_argument(parameter, argument),
            Kind::Set | Kind::Ruleset => self.plain_argument(parameter, argument),
        }
    }

    fn component_argument(
        &mut self,
        parameter: &Parameter,
        argument: &Expr,
        scope: &mut Scope,
    ) -> Option<Argument> {
        match &parameter.kind {
            Kind::Data(_) => {
                let message = format!("`{}` is a data set; components have none", parameter.name.text);
                self.fault(Code::Type, argument.span, message)
            }
            Kind::Scalar(kind) | Kind::Component(_, kind) => {
                let typed = self.component(argument, scope)?;
                self.fits(typed, kind, &parameter.name).map(Argument::Scalar)
            }
            Kind::Set | Kind::Ruleset => self.plain_argument(parameter, argument),
        }
    }

    /// A component by name: the body says of which data set.
    fn named_argument(&mut self, parameter: &Parameter, argument: &Expr) -> Option<Argument> {
        match &argument.node {
            Node::Name(text) => {
                let ident = Ident { text: text.clone(), span: argument.span };
                let wanted = Box::new(parameter.clone());
                Some(Argument::Component(self.meant(&ident).into_owned(), wanted))
            }
            _ => {
                let message =
                    format!("`{}` is a component parameter: expected its name", parameter.name.text);
                self.fault(Code::Type, argument.span, message)
            }
        }
    }

    fn plain_argument(&mut self, parameter: &Parameter, argument: &Expr) -> Option<Argument> {
        match (&parameter.kind, &argument.node) {
            (Kind::Set, Node::List(values)) => {
                let typed = values.iter().map(|value| self.scalar(value));
                typed.collect::<Option<Rc<[Typed]>>>().map(Argument::Values)
            }
            (Kind::Set | Kind::Ruleset, Node::Name(name)) if self.bound(name).is_some() => {
                self.bound(name).cloned()
            }
            (Kind::Ruleset, Node::Name(name)) => {
                Some(Argument::Ruleset(Ident { text: name.clone(), span: argument.span }))
            }
            (Kind::Set, _) => self.fault(Code::Type, argument.span, "expected a list of values: `{1, 2}`"),
            _ => self.fault(Code::Type, argument.span, "expected the name of a ruleset"),
        }
    }

    /// A scalar of the type of a parameter.
    pub(super) fn fits(&mut self, typed: Typed, wanted: &Scalar, parameter: &Ident) -> Option<Typed> {
        let alike = match (wanted.kind, typed.kind) {
            (None, _) | (_, None) | (Some(Type::Number), Some(Type::Integer)) => true,
            (Some(wanted), Some(seen)) => wanted == seen,
        };
        if !alike {
            let wanted = wanted.kind.map_or(String::new(), article);
            let message = format!("`{}` is {wanted}, found {}", parameter.text, found(typed.kind));
            return self.fault(Code::Type, typed.span, message);
        }
        self.shallow(&typed, typed.span)?;
        self.limited(widen(typed, wanted.kind), wanted, parameter)
    }

    /// A component that a parameter stands for, which must be what the parameter says.
    pub(super) fn of_role(&mut self, typed: Typed, parameter: &Parameter, fields: &[Field]) -> Option<Typed> {
        let Kind::Component(role, wanted) = &parameter.kind else { return Some(typed) };
        let field = match typed.term {
            Term::Column(at) => fields.get(at),
            _ => None,
        };
        if let (Some(role), Some(field)) = (role, field)
            && *role != field.role
        {
            let (name, role, found) = (&parameter.name.text, role.word(), field.role.word());
            let message = format!("`{name}` is of role `{role}`, `{}` of role `{found}`", field.name);
            return self.fault(Code::Structure, typed.span, message);
        }
        self.fits(typed, wanted, &parameter.name)
    }

    /// A value that must be one of those of a restricted type: told now of a literal, else by the run.
    fn limited(&mut self, typed: Typed, wanted: &Scalar, parameter: &Ident) -> Option<Typed> {
        if wanted.subset.is_none() && !wanted.never_null {
            return Some(typed);
        }
        let span = typed.span;
        let none = Vec::new();
        let values = match &wanted.subset {
            Some(Subset::Listed(values)) => values,
            _ => &none,
        };
        self.expand(values.len() as u64, span)?;
        let values = values.iter().map(|value| self.scalar(value)).collect::<Option<Vec<Typed>>>()?;
        match listed(&typed, &values, wanted) {
            Some(true) => return Some(typed),
            Some(false) => {
                let message = format!("`{}` has a type of which this is no value", parameter.text);
                return self.fault(Code::Domain, span, message);
            }
            None => {}
        }
        let condition = match &wanted.subset {
            None => constant(Some(Cell::Boolean(true)), span),
            Some(Subset::Listed(_)) => {
                let value = self.expanded(&typed, span)?;
                self.apply(Op::In, std::iter::once(value).chain(values).collect(), span)?
            }
            Some(Subset::Where(condition)) => {
                self.expand(nodes(condition), span)?;
                let value = Argument::Scalar(typed.clone());
                self.enter(&parameter.text, BTreeMap::from([("value".to_owned(), value)]));
                let condition = self.condition(condition, &mut Scope::row(&[]));
                self.leave();
                condition?
            }
        };
        let kind = typed.kind;
        let limited = self.apply(Op::Limit(!wanted.never_null), vec![typed, condition], span)?;
        Some(Typed { kind, ..limited })
    }

    /// Refuses what arguments in arguments, and bodies in bodies, make too deep.
    fn shallow(&mut self, typed: &Typed, span: Span) -> Option<()> {
        if depth(typed) <= DEPTH_MAX {
            return Some(());
        }
        let message = format!("the call makes an expression nested more than {DEPTH_MAX} deep");
        self.fault(Code::Size, span, message)
    }

    /// Whether a data set has the components that a parameter asks for.
    fn conforms(&mut self, fields: &[Field], constraints: &[Constraint], span: Span) -> Option<()> {
        for constraint in constraints {
            let alike = |field: &&Field| {
                constraint.role.is_none_or(|role| role == field.role)
                    && constraint.kind.is_none_or(|kind| kind == field.kind)
            };
            let count = match &constraint.name {
                Some(name) => fields.iter().filter(|field| field.name == *name).filter(alike).count(),
                None => fields.iter().filter(alike).count(),
            };
            if count < constraint.count.0 || (constraint.name.is_none() && count > constraint.count.1) {
                let message = format!("expected a data set with {}, found {count}", described(constraint));
                return self.fault(Code::Structure, span, message);
            }
        }
        Some(())
    }

    /// Checks a body with its parameters.
    fn within<T>(
        &mut self,
        operator: &Operator,
        parameters: BTreeMap<String, Argument>,
        span: Span,
        component: bool,
        check: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let name = &operator.name.text;
        if self.calls.len() >= CALLS_MAX || self.calls.iter().any(|call| call.operator == *name) {
            let message = format!("`{name}` calls itself, or calls are nested more than {CALLS_MAX} deep");
            return self.fault(Code::Cycle, span, message);
        }
        self.expand(nodes(&operator.body), span)?;
        let before = self.faults.len();
        self.calls.push(Call { operator: name.clone(), parameters: parameters.into(), component });
        let value = check(self);
        self.calls.pop();
        for fault in self.faults.since(before).filter(|fault| fault.hint.is_none()) {
            fault.hint = Some(format!("in a call of `{name}`"));
        }
        value
    }

    /// Binds names for a component expression, until [`Checker::leave`].
    pub(super) fn enter(&mut self, operator: &str, parameters: impl Into<Rc<BTreeMap<String, Argument>>>) {
        self.calls.push(Call {
            operator: operator.to_owned(),
            parameters: parameters.into(),
            component: true,
        });
    }

    pub(super) fn leave(&mut self) {
        self.calls.pop();
    }

    /// The result of a call as the operator declares it.
    fn returned(&mut self, operator: &Operator, value: Value) -> Option<Value> {
        if let Value::Scalar(typed) = &value {
            self.shallow(typed, operator.body.span)?;
        }
        let Some((kind, span)) = &operator.returns else { return Some(value) };
        match (kind, value) {
            (Kind::Data(constraints), Value::Data(step)) => {
                let fields = self.fields(step).to_vec();
                self.conforms(&fields, constraints, *span)?;
                Some(Value::Data(step))
            }
            (Kind::Scalar(wanted) | Kind::Component(_, wanted), Value::Scalar(typed)) => {
                let seen = typed.kind;
                let typed = widen(typed, wanted.kind);
                if wanted.kind.is_some() && typed.kind.is_some() && typed.kind != wanted.kind {
                    let wanted = wanted.kind.map_or(String::new(), article);
                    let message = format!("`{}` returns {wanted}, found {}", operator.name.text, found(seen));
                    return self.fault(Code::Type, *span, message);
                }
                self.limited(typed, wanted, &operator.name).map(Value::Scalar)
            }
            (Kind::Data(_), Value::Scalar(_)) => {
                self.fault(Code::Type, *span, "the body gives a scalar, not a data set")
            }
            (_, Value::Data(_)) => self.fault(Code::Type, *span, "the body gives a data set"),
            _ => self.fault(Code::Type, *span, "an operator returns a data set, a component or a scalar"),
        }
    }

    /// `operand in values`, where the values are a parameter: counted like any that is replaced.
    pub(super) fn listed(&mut self, domain: &Ident, span: Span) -> Option<Vec<Typed>> {
        match self.bound(&domain.text) {
            Some(Argument::Values(values)) => {
                let values = Rc::clone(values);
                self.expand(values.len() as u64, span)?;
                Some(values.to_vec())
            }
            _ => {
                let message = format!("the value domain `{}` is not known here", domain.text);
                let hint = "list the values: { 1, 2 }";
                self.faults.push(Fault::new(Code::UnknownName, domain.span, message).hint(hint));
                None
            }
        }
    }

    /// A component with the parameters in it replaced.
    pub(super) fn meant_component(&self, component: &Component) -> Component {
        Component { alias: component.alias.clone(), name: self.meant(&component.name).into_owned() }
    }
}

/// A constraint as a fault names it.
fn described(constraint: &Constraint) -> String {
    let role = constraint.role.map_or("component", Role::word);
    let kind = constraint.kind.map_or(String::new(), |kind| format!("<{}>", kind.word()));
    match (&constraint.name, constraint.count) {
        (Some(name), _) => format!("{role}{kind} `{name}`"),
        (None, (1, 1)) => format!("one {role}{kind}"),
        (None, _) => format!("at least one {role}{kind}"),
    }
}

/// Whether a literal is of a type with these values listed; `None` when that takes a run.
fn listed(typed: &Typed, values: &[Typed], wanted: &Scalar) -> Option<bool> {
    let literal = |typed: &Typed| match &typed.term {
        Term::Constant(cell) => Some(cell.clone()),
        _ => None,
    };
    let Some(value) = literal(typed)? else { return Some(!wanted.never_null) };
    match wanted.subset {
        None => Some(true),
        Some(Subset::Listed(_)) if values.iter().all(|listed| listed.kind == typed.kind) => {
            let values = values.iter().map(literal).collect::<Option<Vec<_>>>()?;
            Some(values.iter().flatten().any(|listed| listed.same_value(&value)))
        }
        Some(_) => None,
    }
}

fn nodes(expr: &Expr) -> u64 {
    1 + expr.children().into_iter().map(nodes).sum::<u64>()
}

/// Nodes of a typed expression.
fn size(typed: &Typed) -> u64 {
    1 + match &typed.term {
        Term::Apply(_, operands) => operands.iter().map(size).sum(),
        Term::Window(frame) => size(&frame.operand),
        _ => 0,
    }
}

fn depth(typed: &Typed) -> u16 {
    let below = match &typed.term {
        Term::Apply(_, operands) => operands.iter().map(depth).max().unwrap_or(0),
        Term::Window(frame) => depth(&frame.operand),
        _ => 0,
    };
    below.saturating_add(1)
}
