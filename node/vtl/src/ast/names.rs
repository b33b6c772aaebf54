//! Names that expressions reference: data sets, scalars and components.

use super::{Clause, Definitions, Expr, ExprNode, JoinCall, ParameterType};
use crate::diagnostic::Span;

/// Returns the names that an expression uses as data sets or scalars, with their spans.
///
/// Names inside a clause are components and are not returned, so that a component never becomes an
/// input. The value of a `sub` clause is an exception: it may be a scalar.
pub(crate) fn referenced_names<'e>(expr: &'e Expr, definitions: &Definitions) -> Vec<(&'e str, Span)> {
    let mut found = Vec::new();
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        match &expr.node {
            ExprNode::Name(name) => found.push((name.as_str(), expr.span)),
            ExprNode::Clause(operand, clause) => {
                found.extend(sub_names(clause));
                open.push(operand);
            }
            ExprNode::Join(join) => open.extend(join.operands.iter().map(|(operand, _)| operand)),
            ExprNode::Aggregate(aggregate) => open.extend(&aggregate.operand),
            ExprNode::Call(name, arguments) => {
                open.extend(value_arguments(&name.text, arguments, definitions))
            }
            _ => open.extend(expr.children()),
        }
    }
    found
}

/// Returns the arguments of a call that are data sets or scalars, without names of components and
/// rulesets.
fn value_arguments<'e>(name: &str, arguments: &'e [Expr], definitions: &Definitions) -> Vec<&'e Expr> {
    let parameters = definitions.operators.get(name).map_or(&[][..], |operator| &operator.parameters);
    let plain = |at: usize| {
        parameters.get(at).is_none_or(|parameter| {
            matches!(parameter.parameter_type, ParameterType::Data(_) | ParameterType::Scalar(_))
        })
    };
    arguments.iter().enumerate().filter(|(at, _)| plain(*at)).map(|(_, argument)| argument).collect()
}

/// Returns the names inside clauses and `having`: components, or scalars if a statement assigns them.
pub(crate) fn clause_names(expr: &Expr) -> Vec<&str> {
    let mut found = Vec::new();
    let mut open: Vec<(&Expr, bool)> = vec![(expr, false)];
    while let Some((expr, inside)) = open.pop() {
        match &expr.node {
            ExprNode::Name(name) if inside => found.push(name.as_str()),
            ExprNode::Clause(operand, clause) => {
                open.push((operand, inside));
                open.extend(clause.children().into_iter().map(|child| (child, true)));
            }
            ExprNode::Join(join) => open.extend(join_children(join, inside)),
            _ => open.extend(expr.children().into_iter().map(|child| (child, inside))),
        }
    }
    found
}

fn join_children(join: &JoinCall, inside: bool) -> impl Iterator<Item = (&Expr, bool)> {
    let operands = join.operands.iter().map(move |(operand, _)| (operand, inside));
    operands.chain(join.clauses.iter().flat_map(Clause::children).map(|child| (child, true)))
}

/// Returns the names used as values in a `sub` clause, which are scalars.
fn sub_names(clause: &Clause) -> Vec<(&str, Span)> {
    let Clause::Sub(items) = clause else { return Vec::new() };
    let names = items.iter().filter_map(|(_, value)| match &value.node {
        ExprNode::Name(name) => Some((name.as_str(), value.span)),
        _ => None,
    });
    names.collect()
}
