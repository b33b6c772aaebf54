//! Viral attributes (user manual, "The Attribute Propagation rule"; reference manual, "define viral
//! propagation").
//!
//! Two values are merged by the propagation rule of the attribute. Without a rule the result is null if
//! one of them is null, and the smaller value otherwise, as in the examples of the standard.

use schemas::structure::{Role, ValueType};
use schemas::table::Cell;

use super::Checker;
use super::component::{constant_expr, widen_to_number};
use super::typing::with_article;
use crate::ast::PropagationRule;
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::op::{AggregateOp, Op};
use crate::plan::{PlanColumn, TypedExpr};

/// Returns the type that a rule merges values of a type into.
pub(super) fn merged_type(rule: Option<&PropagationRule>, value_type: ValueType) -> ValueType {
    match rule {
        Some(PropagationRule::Aggregate(AggregateOp::Avg)) => ValueType::Number,
        _ => value_type,
    }
}

impl Checker<'_> {
    /// Reports rules on value domains, which components do not have here.
    pub(super) fn check_propagations(&mut self) {
        for rule in self.definitions.propagation.values().filter(|rule| rule.domain) {
            let message =
                format!("`{}` is defined on a value domain, which no component has", rule.name.text);
            let hint = format!("define it on the attribute: `variable {}`", rule.target.text);
            self.diagnostics.push(
                Diagnostic::new(DiagnosticCode::Unsupported, rule.target.span, message).with_hint(hint),
            );
        }
    }

    /// Returns the rule of a viral attribute, if the script defines one; reports a rule that does not
    /// fit the type.
    pub(super) fn propagation_rule(
        &mut self,
        name: &str,
        value_type: ValueType,
    ) -> Option<Option<PropagationRule>> {
        let definitions = self.definitions;
        let Some(propagation) = definitions.propagation.get(name) else { return Some(None) };
        match fit_rule_to_type(&propagation.rule, value_type) {
            Ok(rule) => {
                if let PropagationRule::Enumerated { clauses, .. } = &rule {
                    // Clauses count wherever values of the attribute are merged (specs/vtl.md, 12).
                    self.charge_expansion(clauses.len() as u64, propagation.target.span)?;
                }
                Some(Some(rule))
            }
            Err(seen) => {
                let target = &propagation.target;
                let message = format!(
                    "the rule of `{}` is for {seen}, found {}",
                    target.text,
                    with_article(value_type)
                );
                self.report_error(DiagnosticCode::Type, target.span, message)
            }
        }
    }

    /// Returns the viral attributes of the operand of a hierarchy with their rules.
    pub(super) fn rollup_virals(
        &mut self,
        columns: &[PlanColumn],
    ) -> Option<Vec<(usize, ValueType, Option<PropagationRule>)>> {
        let virals = columns.iter().enumerate().filter(|(_, column)| column.role == Role::ViralAttribute);
        virals
            .map(|(at, column)| {
                Some((at, column.value_type, self.propagation_rule(&column.name, column.value_type)?))
            })
            .collect()
    }

    /// Widens the viral attributes that are averaged to numbers.
    pub(super) fn widen_averaged_virals(&mut self, step: usize, span: Span) -> Option<usize> {
        let mut outputs = self.pass_columns(step, |_| true);
        let mut changed = false;
        for (column, typed) in outputs.iter_mut().filter(|(column, _)| column.role == Role::ViralAttribute) {
            let rule = self.propagation_rule(&column.name, column.value_type)?;
            let value_type = merged_type(rule.as_ref(), column.value_type);
            changed |= value_type != column.value_type;
            column.value_type = value_type;
            *typed = widen_to_number(typed.clone(), Some(value_type));
        }
        Some(if changed { self.push_map(step, outputs, span) } else { step })
    }

    /// Merges the values of a viral attribute when two data points are combined.
    pub(super) fn propagate_viral(
        &mut self,
        name: &str,
        a: TypedExpr,
        b: TypedExpr,
        span: Span,
    ) -> Option<TypedExpr> {
        // An integer beside a number is merged as a number.
        let number = a.value_type == Some(ValueType::Integer) && b.value_type == Some(ValueType::Number);
        let value_type = if number { ValueType::Number } else { a.value_type? };
        match self.propagation_rule(name, value_type)? {
            None => self.null_or_minimum(a, b, span),
            Some(PropagationRule::Aggregate(op)) => self.combine_by_aggregate(op, a, b, span),
            Some(PropagationRule::Enumerated { clauses, other }) => {
                let other = TypedExpr { value_type: Some(value_type), ..constant_expr(other, span) };
                self.combine_by_clauses(&clauses, other, (a, b), span)
            }
        }
    }

    /// Returns null if one value is null, else the smaller one.
    fn null_or_minimum(&mut self, a: TypedExpr, b: TypedExpr, span: Span) -> Option<TypedExpr> {
        let less = self.apply_operator(Op::LessEqual, vec![a.clone(), b.clone()], span)?;
        let smaller = self.apply_operator(Op::If, vec![less, a.clone(), b.clone()], span)?;
        let unknown = self.either_null(&a, &b, span)?;
        self.if_constant(unknown, None, smaller, span)
    }

    fn either_null(&mut self, a: &TypedExpr, b: &TypedExpr, span: Span) -> Option<TypedExpr> {
        let (a, b) = (
            self.apply_operator(Op::IsNull, vec![a.clone()], span)?,
            self.apply_operator(Op::IsNull, vec![b.clone()], span)?,
        );
        self.apply_operator(Op::Or, vec![a, b], span)
    }

    /// Returns `if condition then value else other`.
    fn if_constant(
        &mut self,
        condition: TypedExpr,
        value: Option<Cell>,
        other: TypedExpr,
        span: Span,
    ) -> Option<TypedExpr> {
        // A null literal has no type of its own.
        let value = TypedExpr { value_type: other.value_type, ..constant_expr(value, span) };
        self.apply_operator(Op::If, vec![condition, value, other], span)
    }

    /// Aggregates two values, ignoring nulls.
    fn combine_by_aggregate(
        &mut self,
        op: AggregateOp,
        a: TypedExpr,
        b: TypedExpr,
        span: Span,
    ) -> Option<TypedExpr> {
        let both = match op {
            AggregateOp::Min | AggregateOp::Max => {
                let first = if op == AggregateOp::Min { Op::LessEqual } else { Op::GreaterEqual };
                let holds = self.apply_operator(first, vec![a.clone(), b.clone()], span)?;
                self.apply_operator(Op::If, vec![holds, a.clone(), b.clone()], span)?
            }
            _ => {
                let sum = self.apply_operator(Op::Add, vec![a.clone(), b.clone()], span)?;
                match op {
                    AggregateOp::Avg => {
                        let two = constant_expr(Some(Cell::Integer(2)), span);
                        self.apply_operator(Op::Divide, vec![sum, two], span)?
                    }
                    _ => sum,
                }
            }
        };
        let one = self.apply_operator(Op::Nvl, vec![a.clone(), b.clone()], span)?;
        let unknown = self.either_null(&a, &b, span)?;
        self.apply_operator(Op::If, vec![unknown, one, both], span)
    }

    /// Applies the first matching clause of two values, then the first of one value, then the default.
    fn combine_by_clauses(
        &mut self,
        clauses: &[(Cell, Option<Cell>, Option<Cell>)],
        other: TypedExpr,
        pair: (TypedExpr, TypedExpr),
        span: Span,
    ) -> Option<TypedExpr> {
        let value_type = other.value_type;
        let (mut ordered, single): (Vec<_>, Vec<_>) = clauses.iter().partition(|clause| clause.1.is_some());
        // Reference manual, "define viral propagation": clauses of two values take precedence over those of one.
        ordered.extend(single);
        if ordered.is_empty() {
            return Some(other);
        }
        let (fits, value) = self.first_matching_clause(&ordered, &pair, value_type, span)?;
        let result = self.apply_operator(Op::If, vec![fits, value, other], span)?;
        self.expand_value(&result, span)
    }

    /// Returns whether a clause matches, and the value of the first that does. INVARIANT: the clauses
    /// are halved recursively, so that the depth of the expression grows with the logarithm of their
    /// number.
    fn first_matching_clause(
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
                    let straight = self.equal_cells(a, first, b, second, span)?;
                    // A clause of two values is an unordered pair: either operand may have the first.
                    let crossed = self.equal_cells(a, second, b, first, span)?;
                    self.apply_operator(Op::Or, vec![straight, crossed], span)?
                }
                None => {
                    let (x, y) = (self.equals_cell(a, first, span)?, self.equals_cell(b, first, span)?);
                    self.apply_operator(Op::Or, vec![x, y], span)?
                }
            };
            return Some((fits, TypedExpr { value_type, ..constant_expr(value.clone(), span) }));
        }
        let (first, second) = clauses.split_at_checked(clauses.len() / 2)?;
        let (one, early) = self.first_matching_clause(first, pair, value_type, span)?;
        let (two, late) = self.first_matching_clause(second, pair, value_type, span)?;
        let value = self.apply_operator(Op::If, vec![one.clone(), early, late], span)?;
        Some((self.apply_operator(Op::Or, vec![one, two], span)?, value))
    }

    /// Returns whether a value equals that of a clause; null never does.
    fn equals_cell(&mut self, typed: &TypedExpr, cell: &Cell, span: Span) -> Option<TypedExpr> {
        self.apply_operator(Op::Equal, vec![typed.clone(), constant_expr(Some(cell.clone()), span)], span)
    }

    fn equal_cells(
        &mut self,
        a: &TypedExpr,
        x: &Cell,
        b: &TypedExpr,
        y: &Cell,
        span: Span,
    ) -> Option<TypedExpr> {
        let (a, b) = (self.equals_cell(a, x, span)?, self.equals_cell(b, y, span)?);
        self.apply_operator(Op::And, vec![a, b], span)
    }
}

/// Converts the literals of a rule to a type, or describes the values that the rule is for.
fn fit_rule_to_type(rule: &PropagationRule, value_type: ValueType) -> Result<PropagationRule, String> {
    match rule {
        PropagationRule::Aggregate(AggregateOp::Sum | AggregateOp::Avg)
            if !matches!(value_type, ValueType::Integer | ValueType::Number) =>
        {
            Err("numbers".to_owned())
        }
        PropagationRule::Aggregate(_) => Ok(rule.clone()),
        PropagationRule::Enumerated { clauses, other } => {
            let clauses = clauses.iter().map(|(first, second, value)| {
                Ok((
                    literal_of_type(first, value_type)?,
                    optional_literal(second, value_type)?,
                    optional_literal(value, value_type)?,
                ))
            });
            Ok(PropagationRule::Enumerated {
                clauses: clauses.collect::<Result<_, String>>()?,
                other: optional_literal(other, value_type)?,
            })
        }
    }
}

fn optional_literal(cell: &Option<Cell>, value_type: ValueType) -> Result<Option<Cell>, String> {
    cell.as_ref().map(|cell| literal_of_type(cell, value_type)).transpose()
}

/// Converts a literal of a rule to a type; an integer is accepted as a number.
fn literal_of_type(cell: &Cell, value_type: ValueType) -> Result<Cell, String> {
    match (cell, value_type) {
        (Cell::Integer(value), ValueType::Number) => Ok(Cell::Number((*value).into())),
        (Cell::Integer(_), ValueType::Integer)
        | (Cell::Number(_), ValueType::Number)
        | (Cell::Boolean(_), ValueType::Boolean)
        | (Cell::Text(_), ValueType::String) => Ok(cell.clone()),
        _ => Err(format!("values like `{cell}`")),
    }
}
