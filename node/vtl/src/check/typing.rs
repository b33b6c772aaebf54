//! Types of row-wise operators (reference manual, "Input parameters type" of each operator).
//!
//! `integer` is accepted as `number`, and `null` as any type. There are no other implicit conversions.

use schemas::structure::ValueType;

use super::{text, time};
use crate::op::Op;

/// Type of an expression; `None` for `null`.
pub(super) type ExprType = Option<ValueType>;

/// Operand of the wrong type and the expected type.
pub(super) struct TypeMismatch {
    pub(super) operand: usize,
    pub(super) expected: String,
}

/// Returns the result type of an operator.
pub(super) fn result_type(op: Op, value_types: &[ExprType]) -> Result<ExprType, TypeMismatch> {
    match op {
        Op::UnaryPlus | Op::Negate | Op::Abs | Op::Add | Op::Subtract | Op::Multiply | Op::Modulo => {
            expect_all(value_types, is_numeric, "a number")?;
            unify_types(value_types)
        }
        // The quotient of integers is a number too (reference manual, "Division").
        Op::Divide | Op::Power | Op::Sqrt | Op::Ln | Op::Exp | Op::Log => {
            expect_all(value_types, is_numeric, "a number")?;
            Ok(Some(ValueType::Number))
        }
        Op::Ceil | Op::Floor => {
            expect_all(value_types, is_numeric, "a number")?;
            Ok(Some(ValueType::Integer))
        }
        Op::Round | Op::Trunc => rounding_type(value_types),
        Op::Equal | Op::NotEqual | Op::Less | Op::LessEqual | Op::Greater | Op::GreaterEqual => {
            comparison_type(value_types)
        }
        Op::Between | Op::In | Op::NotIn => comparison_type(value_types),
        Op::IsNull => Ok(Some(ValueType::Boolean)),
        Op::And | Op::Or | Op::Xor | Op::Not => {
            expect_all(value_types, |value_type| value_type == ValueType::Boolean, "a boolean")?;
            Ok(Some(ValueType::Boolean))
        }
        Op::If => conditional_type(value_types),
        Op::Nvl => unify_types(value_types),
        Op::Limit(_) => Ok(value_types.first().copied().flatten()),
        Op::Concat => {
            expect_all(value_types, |value_type| value_type == ValueType::String, "a string")?;
            Ok(Some(ValueType::String))
        }
        Op::Year | Op::Month => {
            expect_all(
                value_types,
                |value_type| matches!(value_type, ValueType::TimePeriod | ValueType::Date),
                "a time period or a date",
            )?;
            Ok(Some(ValueType::Integer))
        }
        Op::Cast(to) => cast_type(value_types, to),
        Op::Text(op) => text::text_result_type(op, value_types),
        Op::Time(op) => time::time_result_type(op, value_types),
    }
}

fn is_numeric(value_type: ValueType) -> bool {
    matches!(value_type, ValueType::Integer | ValueType::Number)
}

/// Checks one operand, if present.
pub(super) fn expect_operand(
    value_types: &[ExprType],
    operand: usize,
    fits: impl Fn(ValueType) -> bool,
    expected: &str,
) -> Result<(), TypeMismatch> {
    match value_types.get(operand).copied().flatten() {
        Some(value_type) if !fits(value_type) => Err(TypeMismatch { operand, expected: expected.to_owned() }),
        _ => Ok(()),
    }
}

/// Checks all operands.
pub(super) fn expect_all(
    value_types: &[ExprType],
    fits: impl Fn(ValueType) -> bool,
    expected: &str,
) -> Result<(), TypeMismatch> {
    match value_types.iter().position(|value_type| value_type.is_some_and(|value_type| !fits(value_type))) {
        Some(operand) => Err(TypeMismatch { operand, expected: expected.to_owned() }),
        None => Ok(()),
    }
}

/// Returns the common type of all operands.
fn unify_types(value_types: &[ExprType]) -> Result<ExprType, TypeMismatch> {
    let mut common: ExprType = None;
    for (operand, value_type) in value_types.iter().enumerate() {
        common = match (common, *value_type) {
            (None, value_type) => value_type,
            (common, None) => common,
            (Some(a), Some(b)) if a == b => Some(a),
            (Some(a), Some(b)) if is_numeric(a) && is_numeric(b) => Some(ValueType::Number),
            (Some(a), Some(_)) => return Err(TypeMismatch { operand, expected: with_article(a) }),
        };
    }
    Ok(common)
}

fn comparison_type(value_types: &[ExprType]) -> Result<ExprType, TypeMismatch> {
    unify_types(value_types).map(|_| Some(ValueType::Boolean))
}

fn rounding_type(value_types: &[ExprType]) -> Result<ExprType, TypeMismatch> {
    let fits = |value_type: Option<&ExprType>, fits: fn(ValueType) -> bool| {
        value_type.copied().flatten().is_none_or(fits)
    };
    if !fits(value_types.first(), is_numeric) {
        return Err(TypeMismatch { operand: 0, expected: "a number".to_owned() });
    }
    if !fits(value_types.get(1), |value_type| value_type == ValueType::Integer) {
        return Err(TypeMismatch { operand: 1, expected: "an integer".to_owned() });
    }
    // Decided by the presence of the operand, not its value: structures are known before data.
    Ok(Some(if value_types.len() > 1 { ValueType::Number } else { ValueType::Integer }))
}

fn conditional_type(value_types: &[ExprType]) -> Result<ExprType, TypeMismatch> {
    let (first, rest) = value_types.split_first().unwrap_or((&None, &[]));
    if first.is_some_and(|value_type| value_type != ValueType::Boolean) {
        return Err(TypeMismatch { operand: 0, expected: "a boolean".to_owned() });
    }
    // Operands are counted with the condition.
    unify_types(rest).map_err(|misfit| TypeMismatch { operand: misfit.operand + 1, ..misfit })
}

/// Checks a cast (reference manual, "Type conversion"). With a mask, the source or the target must be a
/// string.
fn cast_type(value_types: &[ExprType], to: ValueType) -> Result<ExprType, TypeMismatch> {
    let masked = value_types.len() > 1;
    let fits = |from: ValueType| match (from, to) {
        // Booleans have no masks (reference manual, "Type conversion").
        (ValueType::Boolean, _) | (_, ValueType::Boolean) if masked => false,
        (ValueType::String, to) => !masked || to != ValueType::String,
        (_, ValueType::String) => true,
        _ if masked => false,
        (from, to) if from == to => true,
        (
            ValueType::Integer | ValueType::Number | ValueType::Boolean,
            ValueType::Integer | ValueType::Number | ValueType::Boolean,
        ) => true,
        (
            ValueType::Date | ValueType::TimePeriod | ValueType::Time,
            ValueType::Date | ValueType::TimePeriod | ValueType::Time,
        ) => true,
        _ => false,
    };
    let with = if masked { " with a mask" } else { "" };
    let expected = format!("a value that can be cast to {}{with}", with_article(to).trim_start_matches("a "));
    expect_operand(value_types, 0, fits, &expected)?;
    expect_operand(value_types, 1, |value_type| value_type == ValueType::String, "a mask")?;
    Ok(Some(to))
}

/// Returns the name of a type with its article.
pub(super) fn with_article(value_type: ValueType) -> String {
    let name = value_type.as_str();
    format!("{} `{name}`", if name.starts_with('i') { "an" } else { "a" })
}

/// Describes a type for a message.
pub(super) fn describe_type(value_type: ExprType) -> String {
    value_type.map_or_else(|| "`null`".to_owned(), with_article)
}
