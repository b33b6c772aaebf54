//! Viral attributes (user manual, "The Attribute Propagation rule"; reference manual, "define viral
//! propagation").
//!
//! Two values become one by the rule that the script defines for the attribute. Without a rule the
//! result is null when one of them is, and the smaller one otherwise, which is what the examples
//! of the standard show.

use schemas::structure::{Role, ValueType};
use schemas::table::Cell;

use super::Checker;
use super::component::{constant, widen};
use super::typing::article;
use crate::ast::PropagationRule;
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::op::{AggregateOp, Op};
use crate::plan::{PlanColumn, TypedExpr};

/// The type of what a rule makes of values of a type.
pub(super) fn viral_kind(rule: Option<&PropagationRule>, value_type: ValueType) -> ValueType {
    match rule {
        Some(PropagationRule::Aggregate(AggregateOp::Avg)) => ValueType::Number,
        _ => value_type,
    }
}

impl Checker<'_> {
    /// Rules are attached to attributes: components have no value domains here.
    pub(super) fn propagations(&mut self) {
        for rule in self.definitions.propagation.values().filter(|rule| rule.domain) {
            let message =
                format!("`{}` is defined on a value domain, which no component has", rule.name.text);
            let hint = format!("define it on the attribute: `variable {}`", rule.target.text);
            self.faults.push(
                Diagnostic::new(DiagnosticCode::Unsupported, rule.target.span, message).with_hint(hint),
            );
        }
    }

    /// The rule of a viral attribute of a type, if the script has one; it is a fault when the rule
    /// does not fit the type.
    pub(super) fn merge_of(&mut self, name: &str, value_type: ValueType) -> Option<Option<PropagationRule>> {
        let definitions = self.definitions;
        let Some(propagation) = definitions.propagation.get(name) else { return Some(None) };
        match fitted(&propagation.rule, value_type) {
            Ok(rule) => {
                if let PropagationRule::Enumerated { clauses, .. } = &rule {
                    self.expand(clauses.len() as u64, propagation.target.span)?;
                }
                Some(Some(rule))
            }
            Err(seen) => {
                let target = &propagation.target;
                let message =
                    format!("the rule of `{}` is for {seen}, found {}", target.text, article(value_type));
                self.fault(DiagnosticCode::Type, target.span, message)
            }
        }
    }

    /// The viral attributes of the operand of a hierarchy, with their rules.
    pub(super) fn rolled(
        &mut self,
        columns: &[PlanColumn],
    ) -> Option<Vec<(usize, ValueType, Option<PropagationRule>)>> {
        let virals = columns.iter().enumerate().filter(|(_, column)| column.role == Role::ViralAttribute);
        virals
            .map(|(at, column)| {
                Some((at, column.value_type, self.merge_of(&column.name, column.value_type)?))
            })
            .collect()
    }

    /// A data set whose viral attributes are numbers where means are made of them.
    pub(super) fn averaged(&mut self, step: usize, span: Span) -> Option<usize> {
        let mut outputs = self.pass(step, |_| true);
        let mut changed = false;
        for (column, typed) in outputs.iter_mut().filter(|(column, _)| column.role == Role::ViralAttribute) {
            let rule = self.merge_of(&column.name, column.value_type)?;
            let value_type = viral_kind(rule.as_ref(), column.value_type);
            changed |= value_type != column.value_type;
            column.value_type = value_type;
            *typed = widen(typed.clone(), Some(value_type));
        }
        Some(if changed { self.map(step, outputs, span) } else { step })
    }

    /// The value of a viral attribute where two data points are combined.
    pub(super) fn propagate(
        &mut self,
        name: &str,
        a: TypedExpr,
        b: TypedExpr,
        span: Span,
    ) -> Option<TypedExpr> {
        let number = a.value_type == Some(ValueType::Integer) && b.value_type == Some(ValueType::Number);
        let value_type = if number { ValueType::Number } else { a.value_type? };
        match self.merge_of(name, value_type)? {
            None => self.least(a, b, span),
            Some(PropagationRule::Aggregate(op)) => self.combined(op, a, b, span),
            Some(PropagationRule::Enumerated { clauses, other }) => {
                let other = TypedExpr { value_type: Some(value_type), ..constant(other, span) };
                self.enumerated(&clauses, other, (a, b), span)
            }
        }
    }

    /// Null when one is null, else the smaller.
    fn least(&mut self, a: TypedExpr, b: TypedExpr, span: Span) -> Option<TypedExpr> {
        let less = self.apply(Op::LessEqual, vec![a.clone(), b.clone()], span)?;
        let smaller = self.apply(Op::If, vec![less, a.clone(), b.clone()], span)?;
        let unknown = self.either_null(&a, &b, span)?;
        self.chosen(unknown, None, smaller, span)
    }

    fn either_null(&mut self, a: &TypedExpr, b: &TypedExpr, span: Span) -> Option<TypedExpr> {
        let (a, b) =
            (self.apply(Op::IsNull, vec![a.clone()], span)?, self.apply(Op::IsNull, vec![b.clone()], span)?);
        self.apply(Op::Or, vec![a, b], span)
    }

    /// `if condition then value else other`.
    fn chosen(
        &mut self,
        condition: TypedExpr,
        value: Option<Cell>,
        other: TypedExpr,
        span: Span,
    ) -> Option<TypedExpr> {
        let value = TypedExpr { value_type: other.value_type, ..constant(value, span) };
        self.apply(Op::If, vec![condition, value, other], span)
    }

    /// An aggregate of two values, nulls left out.
    fn combined(&mut self, op: AggregateOp, a: TypedExpr, b: TypedExpr, span: Span) -> Option<TypedExpr> {
        let both = match op {
            AggregateOp::Min | AggregateOp::Max => {
                let first = if op == AggregateOp::Min { Op::LessEqual } else { Op::GreaterEqual };
                let holds = self.apply(first, vec![a.clone(), b.clone()], span)?;
                self.apply(Op::If, vec![holds, a.clone(), b.clone()], span)?
            }
            _ => {
                let sum = self.apply(Op::Add, vec![a.clone(), b.clone()], span)?;
                match op {
                    AggregateOp::Avg => {
                        let two = constant(Some(Cell::Integer(2)), span);
                        self.apply(Op::Divide, vec![sum, two], span)?
                    }
                    _ => sum,
                }
            }
        };
        let one = self.apply(Op::Nvl, vec![a.clone(), b.clone()], span)?;
        let unknown = self.either_null(&a, &b, span)?;
        self.apply(Op::If, vec![unknown, one, both], span)
    }

    /// The first clause of two values that fits, then the first of one, then the value for the rest.
    fn enumerated(
        &mut self,
        clauses: &[(Cell, Option<Cell>, Option<Cell>)],
        other: TypedExpr,
        pair: (TypedExpr, TypedExpr),
        span: Span,
    ) -> Option<TypedExpr> {
        let value_type = other.value_type;
        let (mut ordered, single): (Vec<_>, Vec<_>) = clauses.iter().partition(|clause| clause.1.is_some());
        ordered.extend(single);
        if ordered.is_empty() {
            return Some(other);
        }
        let (fits, value) = self.first_clause(&ordered, &pair, value_type, span)?;
        let result = self.apply(Op::If, vec![fits, value, other], span)?;
        self.expanded(&result, span)
    }

    /// Whether one of the clauses fits, and the value of the first that does. INVARIANT: halves of
    /// halves, so that many clauses do not make a deep expression.
    fn first_clause(
        &mut self,
        clauses: &[&(Cell, Option<Cell>, Option<Cell>)],
        pair: &(TypedExpr, TypedExpr),
        value_type: Option<ValueType>,
        span: Span,
    ) -> Option<(TypedExpr, TypedExpr)> {
        let (a, b) = pair;
        if let [(first, second, value)] = clauses {
            let fits = match second {
                Some(second) => {
                    let straight = self.values(a, first, b, second, span)?;
                    let crossed = self.values(a, second, b, first, span)?;
                    self.apply(Op::Or, vec![straight, crossed], span)?
                }
                None => {
                    let (x, y) = (self.value(a, first, span)?, self.value(b, first, span)?);
                    self.apply(Op::Or, vec![x, y], span)?
                }
            };
            return Some((fits, TypedExpr { value_type, ..constant(value.clone(), span) }));
        }
        let (first, second) = clauses.split_at_checked(clauses.len() / 2)?;
        let (one, early) = self.first_clause(first, pair, value_type, span)?;
        let (two, late) = self.first_clause(second, pair, value_type, span)?;
        let value = self.apply(Op::If, vec![one.clone(), early, late], span)?;
        Some((self.apply(Op::Or, vec![one, two], span)?, value))
    }

    /// Whether a value is the one of a clause; null is not.
    fn value(&mut self, typed: &TypedExpr, cell: &Cell, span: Span) -> Option<TypedExpr> {
        self.apply(Op::Equal, vec![typed.clone(), constant(Some(cell.clone()), span)], span)
    }

    fn values(&mut self, a: &TypedExpr, x: &Cell, b: &TypedExpr, y: &Cell, span: Span) -> Option<TypedExpr> {
        let (a, b) = (self.value(a, x, span)?, self.value(b, y, span)?);
        self.apply(Op::And, vec![a, b], span)
    }
}

/// A rule with its values in a type, or what it is for.
fn fitted(rule: &PropagationRule, value_type: ValueType) -> Result<PropagationRule, String> {
    match rule {
        PropagationRule::Aggregate(AggregateOp::Sum | AggregateOp::Avg)
            if !matches!(value_type, ValueType::Integer | ValueType::Number) =>
        {
            Err("numbers".to_owned())
        }
        PropagationRule::Aggregate(_) => Ok(rule.clone()),
        PropagationRule::Enumerated { clauses, other } => {
            let clauses = clauses.iter().map(|(first, second, value)| {
                Ok((valued(first, value_type)?, maybe(second, value_type)?, maybe(value, value_type)?))
            });
            Ok(PropagationRule::Enumerated {
                clauses: clauses.collect::<Result<_, String>>()?,
                other: maybe(other, value_type)?,
            })
        }
    }
}

fn maybe(cell: &Option<Cell>, value_type: ValueType) -> Result<Option<Cell>, String> {
    cell.as_ref().map(|cell| valued(cell, value_type)).transpose()
}

/// A literal of a rule as a value of a type; an integer passes as a number.
fn valued(cell: &Cell, value_type: ValueType) -> Result<Cell, String> {
    match (cell, value_type) {
        (Cell::Integer(value), ValueType::Number) => Ok(Cell::Number((*value).into())),
        (Cell::Integer(_), ValueType::Integer)
        | (Cell::Number(_), ValueType::Number)
        | (Cell::Boolean(_), ValueType::Boolean)
        | (Cell::Text(_), ValueType::String) => Ok(cell.clone()),
        _ => Err(format!("values like `{cell}`")),
    }
}
