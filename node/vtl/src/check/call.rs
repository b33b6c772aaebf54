//! Calls of user-defined operators (reference manual, "User-defined operator call").
//!
//! A call checks the body of the operator with its parameters bound to the arguments; a body sees its
//! parameters and no other names. INVARIANT: operators are not recursive and the expansion of calls is
//! bounded, so that a short script cannot fill memory with its plan.

use std::collections::BTreeMap;
use std::rc::Rc;

use schemas::structure::{Role, ValueType};
use schemas::table::Cell;

use super::component::{ComponentScope, constant_expr, widen_to_number};
use super::typing::{describe_type, with_article};
use super::{Checker, ExprValue, extension};
use crate::ast::{
    ComponentConstraint, ComponentRef, DEPTH_MAX, Expr, ExprNode, Ident, OperatorDefinition, Parameter,
    ParameterType, ScalarConstraint, ValueSubset,
};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::op::Op;
use crate::plan::{PlanColumn, Term, TypedExpr};

/// Maximum number of nodes that all calls of a script expand to.
const EXPANSION_MAX: u64 = 1 << 16;
/// Maximum nesting depth of calls.
const CALLS_MAX: usize = 24;

/// Argument bound to a parameter.
#[derive(Debug, Clone)]
pub(super) enum BoundArgument {
    Data(usize),
    Scalar(TypedExpr),
    /// Component by name, resolved in the data set that the body uses it on, with its declared
    /// parameter.
    Component(Ident, Box<Parameter>),
    /// Shared, because a long list may be passed on through many calls.
    Values(Rc<[TypedExpr]>),
    Ruleset(Ident),
    /// Argument with errors, already reported.
    Faulty,
}

/// Call whose body is being checked.
#[derive(Debug)]
pub(super) struct ActiveCall {
    operator: String,
    parameters: Rc<BTreeMap<String, BoundArgument>>,
    /// Whether the call is part of a component expression; components outside are then not visible in
    /// the body.
    component: bool,
}

impl<'a> Checker<'a> {
    /// Returns the argument bound to a name in the current call.
    pub(super) fn parameter_value(&self, name: &str) -> Option<&BoundArgument> {
        self.calls.last()?.parameters.get(name)
    }

    /// Returns whether names other than parameters are undefined in the current call.
    pub(super) fn in_component_call(&self) -> bool {
        self.calls.last().is_some_and(|call| call.component)
    }

    /// Reports a name that is not a parameter of the current operator.
    pub(super) fn report_not_a_parameter<T>(&mut self, name: &str, span: Span) -> Option<T> {
        let operator = self.calls.last().map_or(String::new(), |call| call.operator.clone());
        let message = format!("`{name}` is not a parameter of `{operator}`");
        let hint = "the body of an operator can only use its parameters";
        self.diagnostics.push(Diagnostic::new(DiagnosticCode::UnknownName, span, message).with_hint(hint));
        None
    }

    /// Returns the name of the component or ruleset bound to a parameter, or the name itself.
    pub(super) fn substitute_name<'n>(&self, name: &'n Ident) -> std::borrow::Cow<'n, Ident> {
        match self.parameter_value(&name.text) {
            Some(BoundArgument::Component(component, _) | BoundArgument::Ruleset(component)) => {
                std::borrow::Cow::Owned(component.clone())
            }
            _ => std::borrow::Cow::Borrowed(name),
        }
    }

    /// Returns the value of a scalar parameter and charges its size to the expansion.
    pub(super) fn expand_value(&mut self, typed: &TypedExpr, span: Span) -> Option<TypedExpr> {
        // Charged before the copy: a parameter used twice at each level doubles with every call.
        self.charge_expansion(count_typed_nodes(typed), span)?;
        Some(TypedExpr { span, ..typed.clone() })
    }

    pub(super) fn charge_expansion(&mut self, nodes: u64, span: Span) -> Option<()> {
        self.expansion += nodes;
        if self.expansion > EXPANSION_MAX {
            let message = format!("operator calls expand to more than {EXPANSION_MAX} nodes");
            return self.report_error(DiagnosticCode::Size, span, message);
        }
        Some(())
    }

    /// Checks a call at data set level.
    pub(super) fn check_call(&mut self, name: &Ident, arguments: &[Expr], span: Span) -> Option<ExprValue> {
        // A definition of the script takes precedence over an extension (specs/vtl.md, 16).
        if extension::EXTENSIONS.contains(&name.text.as_str())
            && !self.definitions.operators.contains_key(&name.text)
        {
            return self.check_extension(name, arguments, span);
        }
        let operator = self.find_operator(name)?;
        let bound = self.bind_arguments(operator, arguments, span, |checker, parameter, argument| {
            checker.check_argument(parameter, argument)
        })?;
        let value =
            self.check_body(operator, bound, span, false, |checker| checker.check_expr(&operator.body))?;
        self.check_returned_value(operator, value)
    }

    /// Checks a call at component level.
    pub(super) fn check_component_call(
        &mut self,
        name: &Ident,
        arguments: &[Expr],
        span: Span,
        scope: &mut ComponentScope,
    ) -> Option<TypedExpr> {
        let operator = self.find_operator(name)?;
        let bound = self.bind_arguments(operator, arguments, span, |checker, parameter, argument| {
            checker.check_component_argument(parameter, argument, scope)
        })?;
        let typed = self.check_body(operator, bound, span, true, |checker| {
            checker.check_component(&operator.body, scope)
        })?;
        match self.check_returned_value(operator, ExprValue::Scalar(typed))? {
            ExprValue::Scalar(typed) => Some(typed),
            ExprValue::Data(_) => None,
        }
    }

    fn find_operator(&mut self, name: &Ident) -> Option<&'a OperatorDefinition> {
        let definitions = self.definitions;
        match definitions.operators.get(&name.text) {
            Some(operator) => Some(operator),
            None => self.unknown_operator(name),
        }
    }

    /// Binds each parameter to its argument or default.
    fn bind_arguments(
        &mut self,
        operator: &OperatorDefinition,
        arguments: &[Expr],
        span: Span,
        mut read: impl FnMut(&mut Self, &Parameter, &Expr) -> Option<BoundArgument>,
    ) -> Option<BTreeMap<String, BoundArgument>> {
        if arguments.len() > operator.parameters.len() {
            let (name, most) = (&operator.name.text, operator.parameters.len());
            let message = format!("`{name}` takes at most {most} arguments, found {}", arguments.len());
            return self.report_error(DiagnosticCode::Syntax, span, message);
        }
        let mut bound = BTreeMap::new();
        for (at, parameter) in operator.parameters.iter().enumerate() {
            let given = arguments.get(at).filter(|argument| !matches!(argument.node, ExprNode::Omitted));
            let Some(argument) = given.or(parameter.default.as_ref()) else {
                let message = format!(
                    "`{}` needs an argument for `{}`, which has no default",
                    operator.name.text, parameter.name.text
                );
                return self.report_error(DiagnosticCode::Syntax, span, message);
            };
            // Continues after an error, so that those of other arguments are reported together with it.
            let value = read(self, parameter, argument).unwrap_or(BoundArgument::Faulty);
            if bound.insert(parameter.name.text.clone(), value).is_some() {
                let message = format!("two parameters are named `{}`", parameter.name.text);
                return self.report_error(DiagnosticCode::Duplicate, parameter.name.span, message);
            }
        }
        Some(bound)
    }

    fn check_argument(&mut self, parameter: &Parameter, argument: &Expr) -> Option<BoundArgument> {
        match &parameter.parameter_type {
            ParameterType::Data(constraints) => {
                let step = self.check_dataset(argument)?;
                let columns = self.step_columns(step).to_vec();
                self.check_constraints(&columns, constraints, argument.span)?;
                Some(BoundArgument::Data(step))
            }
            ParameterType::Scalar(value_type) => match self.check_expr(argument)? {
                ExprValue::Scalar(typed) => {
                    self.check_parameter_type(typed, value_type, &parameter.name).map(BoundArgument::Scalar)
                }
                ExprValue::Data(_) => {
                    let message =
                        format!("`{}` is a scalar parameter, found a data set", parameter.name.text);
                    self.report_error(DiagnosticCode::Type, argument.span, message)
                }
            },
            ParameterType::Component(..) => self.component_name_argument(parameter, argument),
            ParameterType::Set | ParameterType::Ruleset => self.set_or_ruleset_argument(parameter, argument),
        }
    }

    fn check_component_argument(
        &mut self,
        parameter: &Parameter,
        argument: &Expr,
        scope: &mut ComponentScope,
    ) -> Option<BoundArgument> {
        match &parameter.parameter_type {
            ParameterType::Data(_) => {
                let message = format!(
                    "`{}` is a data set parameter, which is not allowed at component level",
                    parameter.name.text
                );
                self.report_error(DiagnosticCode::Type, argument.span, message)
            }
            ParameterType::Scalar(value_type) | ParameterType::Component(_, value_type) => {
                let typed = self.check_component(argument, scope)?;
                self.check_parameter_type(typed, value_type, &parameter.name).map(BoundArgument::Scalar)
            }
            ParameterType::Set | ParameterType::Ruleset => self.set_or_ruleset_argument(parameter, argument),
        }
    }

    /// Returns a component argument by name; the body decides its data set.
    fn component_name_argument(&mut self, parameter: &Parameter, argument: &Expr) -> Option<BoundArgument> {
        match &argument.node {
            ExprNode::Name(text) => {
                let ident = Ident { text: text.clone(), span: argument.span };
                let wanted = Box::new(parameter.clone());
                Some(BoundArgument::Component(self.substitute_name(&ident).into_owned(), wanted))
            }
            _ => {
                let message = format!(
                    "`{}` is a component parameter: expected the name of a component",
                    parameter.name.text
                );
                self.report_error(DiagnosticCode::Type, argument.span, message)
            }
        }
    }

    fn set_or_ruleset_argument(&mut self, parameter: &Parameter, argument: &Expr) -> Option<BoundArgument> {
        match (&parameter.parameter_type, &argument.node) {
            (ParameterType::Set, ExprNode::List(values)) => {
                let typed = values.iter().map(|value| self.check_scalar(value));
                typed.collect::<Option<Rc<[TypedExpr]>>>().map(BoundArgument::Values)
            }
            (ParameterType::Set | ParameterType::Ruleset, ExprNode::Name(name))
                if self.parameter_value(name).is_some() =>
            {
                self.parameter_value(name).cloned()
            }
            (ParameterType::Ruleset, ExprNode::Name(name)) => {
                Some(BoundArgument::Ruleset(Ident { text: name.clone(), span: argument.span }))
            }
            (ParameterType::Set, _) => {
                self.report_error(DiagnosticCode::Type, argument.span, "expected a list of values: `{1, 2}`")
            }
            _ => self.report_error(DiagnosticCode::Type, argument.span, "expected the name of a ruleset"),
        }
    }

    /// Checks a scalar against the declared type of a parameter.
    pub(super) fn check_parameter_type(
        &mut self,
        typed: TypedExpr,
        wanted: &ScalarConstraint,
        parameter: &Ident,
    ) -> Option<TypedExpr> {
        // `integer` is accepted as `number`, `null` as any type.
        let alike = match (wanted.value_type, typed.value_type) {
            (None, _) | (_, None) | (Some(ValueType::Number), Some(ValueType::Integer)) => true,
            (Some(wanted), Some(seen)) => wanted == seen,
        };
        if !alike {
            let wanted = wanted.value_type.map_or(String::new(), with_article);
            let message =
                format!("`{}` is {wanted}, found {}", parameter.text, describe_type(typed.value_type));
            return self.report_error(DiagnosticCode::Type, typed.span, message);
        }
        // The parser bounds each expression alone; arguments grow with every call that passes them on.
        self.check_expression_depth(&typed, typed.span)?;
        self.check_value_subset(widen_to_number(typed, wanted.value_type), wanted, parameter)
    }

    /// Checks a component against the declared role and type of a parameter.
    pub(super) fn check_parameter_role(
        &mut self,
        typed: TypedExpr,
        parameter: &Parameter,
        columns: &[PlanColumn],
    ) -> Option<TypedExpr> {
        let ParameterType::Component(role, wanted) = &parameter.parameter_type else { return Some(typed) };
        let column = match typed.term {
            Term::Column(at) => columns.get(at),
            _ => None,
        };
        if let (Some(role), Some(column)) = (role, column)
            && *role != column.role
        {
            let (name, role, found) = (&parameter.name.text, role.as_str(), column.role.as_str());
            let message = format!("`{name}` is of role `{role}`, `{}` of role `{found}`", column.name);
            return self.report_error(DiagnosticCode::Structure, typed.span, message);
        }
        self.check_parameter_type(typed, wanted, &parameter.name)
    }

    /// Checks a value against a restricted type: a literal now, any other value during the run.
    fn check_value_subset(
        &mut self,
        typed: TypedExpr,
        wanted: &ScalarConstraint,
        parameter: &Ident,
    ) -> Option<TypedExpr> {
        if wanted.subset.is_none() && !wanted.never_null {
            return Some(typed);
        }
        let span = typed.span;
        let none = Vec::new();
        let values = match &wanted.subset {
            Some(ValueSubset::Listed(values)) => values,
            _ => &none,
        };
        // Charged first: a long list repeated by many short calls must not fill memory.
        self.charge_expansion(values.len() as u64, span)?;
        let values =
            values.iter().map(|value| self.check_scalar(value)).collect::<Option<Vec<TypedExpr>>>()?;
        match is_listed_literal(&typed, &values, wanted) {
            Some(true) => return Some(typed),
            Some(false) => {
                let message = format!("the type of `{}` does not allow this value", parameter.text);
                return self.report_error(DiagnosticCode::Domain, span, message);
            }
            None => {}
        }
        let condition = match &wanted.subset {
            None => constant_expr(Some(Cell::Boolean(true)), span),
            Some(ValueSubset::Listed(_)) => {
                let value = self.expand_value(&typed, span)?;
                self.apply_operator(Op::In, std::iter::once(value).chain(values).collect(), span)?
            }
            Some(ValueSubset::Where(condition)) => {
                self.charge_expansion(count_nodes(condition), span)?;
                let value = BoundArgument::Scalar(typed.clone());
                // The condition of a subset sees its `value` and nothing else.
                self.enter_scope(&parameter.text, BTreeMap::from([("value".to_owned(), value)]));
                let condition = self.check_condition(condition, &mut ComponentScope::row(&[]));
                self.leave_scope();
                condition?
            }
        };
        let value_type = typed.value_type;
        let limited = self.apply_operator(Op::Limit(!wanted.never_null), vec![typed, condition], span)?;
        Some(TypedExpr { value_type, ..limited })
    }

    /// Reports an expression that nested arguments and bodies make too deep.
    fn check_expression_depth(&mut self, typed: &TypedExpr, span: Span) -> Option<()> {
        if typed_depth(typed) <= DEPTH_MAX {
            return Some(());
        }
        let message = format!("the call creates an expression is nested more than {DEPTH_MAX} deep");
        self.report_error(DiagnosticCode::Size, span, message)
    }

    /// Checks that a data set has the components that a parameter declares.
    fn check_constraints(
        &mut self,
        columns: &[PlanColumn],
        constraints: &[ComponentConstraint],
        span: Span,
    ) -> Option<()> {
        for constraint in constraints {
            let alike = |column: &&PlanColumn| {
                constraint.role.is_none_or(|role| role == column.role)
                    && constraint.value_type.is_none_or(|value_type| value_type == column.value_type)
            };
            let count = match &constraint.name {
                Some(name) => columns.iter().filter(|column| column.name == *name).filter(alike).count(),
                None => columns.iter().filter(alike).count(),
            };
            if count < constraint.count.0 || (constraint.name.is_none() && count > constraint.count.1) {
                let message =
                    format!("expected a data set with {}, found {count}", describe_constraint(constraint));
                return self.report_error(DiagnosticCode::Structure, span, message);
            }
        }
        Some(())
    }

    /// Checks a body with its parameters bound.
    fn check_body<T>(
        &mut self,
        operator: &OperatorDefinition,
        parameters: BTreeMap<String, BoundArgument>,
        span: Span,
        component: bool,
        check: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let name = &operator.name.text;
        // Both bounds keep recursion finite before the body is entered.
        if self.calls.len() >= CALLS_MAX || self.calls.iter().any(|call| call.operator == *name) {
            let message = format!("`{name}` is recursive, or calls are nested more than {CALLS_MAX} deep");
            return self.report_error(DiagnosticCode::Cycle, span, message);
        }
        self.charge_expansion(count_nodes(&operator.body), span)?;
        let before = self.diagnostics.len();
        self.calls.push(ActiveCall { operator: name.clone(), parameters: parameters.into(), component });
        let value = check(self);
        self.calls.pop();
        for diagnostic in
            self.diagnostics.iter_mut_from(before).filter(|diagnostic| diagnostic.hint.is_none())
        {
            diagnostic.hint = Some(format!("in a call of `{name}`"));
        }
        value
    }

    /// Binds names for a component expression, until [`Checker::leave_scope`].
    pub(super) fn enter_scope(
        &mut self,
        operator: &str,
        parameters: impl Into<Rc<BTreeMap<String, BoundArgument>>>,
    ) {
        self.calls.push(ActiveCall {
            operator: operator.to_owned(),
            parameters: parameters.into(),
            component: true,
        });
    }

    pub(super) fn leave_scope(&mut self) {
        self.calls.pop();
    }

    /// Checks the result of a call against the declared type of the operator.
    fn check_returned_value(&mut self, operator: &OperatorDefinition, value: ExprValue) -> Option<ExprValue> {
        if let ExprValue::Scalar(typed) = &value {
            self.check_expression_depth(typed, operator.body.span)?;
        }
        let Some((value_type, span)) = &operator.returns else { return Some(value) };
        match (value_type, value) {
            (ParameterType::Data(constraints), ExprValue::Data(step)) => {
                let columns = self.step_columns(step).to_vec();
                self.check_constraints(&columns, constraints, *span)?;
                Some(ExprValue::Data(step))
            }
            (
                ParameterType::Scalar(wanted) | ParameterType::Component(_, wanted),
                ExprValue::Scalar(typed),
            ) => {
                let seen = typed.value_type;
                let typed = widen_to_number(typed, wanted.value_type);
                if wanted.value_type.is_some()
                    && typed.value_type.is_some()
                    && typed.value_type != wanted.value_type
                {
                    let wanted = wanted.value_type.map_or(String::new(), with_article);
                    let message =
                        format!("`{}` returns {wanted}, found {}", operator.name.text, describe_type(seen));
                    return self.report_error(DiagnosticCode::Type, *span, message);
                }
                self.check_value_subset(typed, wanted, &operator.name).map(ExprValue::Scalar)
            }
            (ParameterType::Data(_), ExprValue::Scalar(_)) => self.report_error(
                DiagnosticCode::Type,
                *span,
                "expected a body that returns a data set, found a scalar",
            ),
            (_, ExprValue::Data(_)) => self.report_error(
                DiagnosticCode::Type,
                *span,
                "expected a body that returns a scalar or component, found a data set",
            ),
            _ => self.report_error(
                DiagnosticCode::Type,
                *span,
                "an operator returns a data set, a component or a scalar",
            ),
        }
    }

    /// Returns the values of `operand in values` for a set parameter and charges them to the expansion.
    pub(super) fn value_list(&mut self, domain: &Ident, span: Span) -> Option<Vec<TypedExpr>> {
        match self.parameter_value(&domain.text) {
            Some(BoundArgument::Values(values)) => {
                let values = Rc::clone(values);
                self.charge_expansion(values.len() as u64, span)?;
                Some(values.to_vec())
            }
            _ => {
                let message = format!("unknown value domain `{}`", domain.text);
                let hint = "list the values: { 1, 2 }";
                self.diagnostics
                    .push(Diagnostic::new(DiagnosticCode::UnknownName, domain.span, message).with_hint(hint));
                None
            }
        }
    }

    /// Returns a component reference with parameters substituted.
    pub(super) fn substitute_component(&self, component: &ComponentRef) -> ComponentRef {
        ComponentRef {
            alias: component.alias.clone(),
            name: self.substitute_name(&component.name).into_owned(),
        }
    }
}

/// Describes a constraint for a message.
fn describe_constraint(constraint: &ComponentConstraint) -> String {
    let role = constraint.role.map_or("component", Role::as_str);
    let value_type =
        constraint.value_type.map_or(String::new(), |value_type| format!("<{}>", value_type.as_str()));
    match (&constraint.name, constraint.count) {
        (Some(name), _) => format!("{role}{value_type} `{name}`"),
        (None, (1, 1)) => format!("one {role}{value_type}"),
        (None, _) => format!("at least one {role}{value_type}"),
    }
}

/// Returns whether a literal belongs to a restricted type; `None` when only the run can decide.
fn is_listed_literal(typed: &TypedExpr, values: &[TypedExpr], wanted: &ScalarConstraint) -> Option<bool> {
    let literal = |typed: &TypedExpr| match &typed.term {
        Term::Constant(cell) => Some(cell.clone()),
        _ => None,
    };
    let Some(value) = literal(typed)? else { return Some(!wanted.never_null) };
    match wanted.subset {
        None => Some(true),
        Some(ValueSubset::Listed(_)) if values.iter().all(|listed| listed.value_type == typed.value_type) => {
            let values = values.iter().map(literal).collect::<Option<Vec<_>>>()?;
            Some(values.iter().flatten().any(|listed| listed.same_value(&value)))
        }
        Some(_) => None,
    }
}

fn count_nodes(expr: &Expr) -> u64 {
    1 + expr.children().into_iter().map(count_nodes).sum::<u64>()
}

/// Counts the nodes of a typed expression.
fn count_typed_nodes(typed: &TypedExpr) -> u64 {
    1 + match &typed.term {
        Term::Apply(_, operands) => operands.iter().map(count_typed_nodes).sum(),
        Term::Window(frame) => count_typed_nodes(&frame.operand),
        _ => 0,
    }
}

fn typed_depth(typed: &TypedExpr) -> u16 {
    let below = match &typed.term {
        Term::Apply(_, operands) => operands.iter().map(typed_depth).max().unwrap_or(0),
        Term::Window(frame) => typed_depth(&frame.operand),
        _ => 0,
    };
    below.saturating_add(1)
}
