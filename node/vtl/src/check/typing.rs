//! Types of row-wise operators (reference manual, "Input parameters type" of each operator).
//!
//! `integer` passes as `number`; `null` passes as anything. Nothing else is converted unasked.

use schemas::structure::Type;

use super::{text, time};
use crate::op::Op;

/// A type, or `None` for `null`.
pub(super) type Kind = Option<Type>;

/// Which operand does not fit, and what was expected of it.
pub(super) struct Misfit {
    pub(super) operand: usize,
    pub(super) expected: String,
}

/// The type that an operator gives for operands of these types.
pub(super) fn result(op: Op, kinds: &[Kind]) -> Result<Kind, Misfit> {
    match op {
        Op::Plus | Op::Minus | Op::Abs | Op::Add | Op::Subtract | Op::Multiply | Op::Modulo => {
            each(kinds, numeric, "a number")?;
            unified(kinds)
        }
        Op::Divide | Op::Power | Op::Sqrt | Op::Ln | Op::Exp | Op::Log => {
            each(kinds, numeric, "a number")?;
            Ok(Some(Type::Number))
        }
        Op::Ceil | Op::Floor => {
            each(kinds, numeric, "a number")?;
            Ok(Some(Type::Integer))
        }
        Op::Round | Op::Trunc => rounding(kinds),
        Op::Equal | Op::NotEqual | Op::Less | Op::LessEqual | Op::Greater | Op::GreaterEqual => {
            comparison(kinds)
        }
        Op::Between | Op::In | Op::NotIn => comparison(kinds),
        Op::IsNull => Ok(Some(Type::Boolean)),
        Op::And | Op::Or | Op::Xor | Op::Not => {
            each(kinds, |kind| kind == Type::Boolean, "a boolean")?;
            Ok(Some(Type::Boolean))
        }
        Op::If => condition(kinds),
        Op::Nvl => unified(kinds),
        Op::Limit(_) => Ok(kinds.first().copied().flatten()),
        Op::Concat => {
            each(kinds, |kind| kind == Type::String, "a string")?;
            Ok(Some(Type::String))
        }
        Op::Year | Op::Month => {
            each(kinds, |kind| matches!(kind, Type::TimePeriod | Type::Date), "a time period or a date")?;
            Ok(Some(Type::Integer))
        }
        Op::Cast(to) => conversion(kinds, to),
        Op::Text(op) => text::result(op, kinds),
        Op::Time(op) => time::result(op, kinds),
    }
}

fn numeric(kind: Type) -> bool {
    matches!(kind, Type::Integer | Type::Number)
}

/// One operand, if it is there.
pub(super) fn at(
    kinds: &[Kind],
    operand: usize,
    fits: impl Fn(Type) -> bool,
    expected: &str,
) -> Result<(), Misfit> {
    match kinds.get(operand).copied().flatten() {
        Some(kind) if !fits(kind) => Err(Misfit { operand, expected: expected.to_owned() }),
        _ => Ok(()),
    }
}

/// All operands.
pub(super) fn each(kinds: &[Kind], fits: impl Fn(Type) -> bool, expected: &str) -> Result<(), Misfit> {
    match kinds.iter().position(|kind| kind.is_some_and(|kind| !fits(kind))) {
        Some(operand) => Err(Misfit { operand, expected: expected.to_owned() }),
        None => Ok(()),
    }
}

/// One type that all operands pass as.
fn unified(kinds: &[Kind]) -> Result<Kind, Misfit> {
    let mut common: Kind = None;
    for (operand, kind) in kinds.iter().enumerate() {
        common = match (common, *kind) {
            (None, kind) => kind,
            (common, None) => common,
            (Some(a), Some(b)) if a == b => Some(a),
            (Some(a), Some(b)) if numeric(a) && numeric(b) => Some(Type::Number),
            (Some(a), Some(_)) => return Err(Misfit { operand, expected: article(a) }),
        };
    }
    Ok(common)
}

fn comparison(kinds: &[Kind]) -> Result<Kind, Misfit> {
    unified(kinds).map(|_| Some(Type::Boolean))
}

fn rounding(kinds: &[Kind]) -> Result<Kind, Misfit> {
    let fits = |kind: Option<&Kind>, fits: fn(Type) -> bool| kind.copied().flatten().is_none_or(fits);
    if !fits(kinds.first(), numeric) {
        return Err(Misfit { operand: 0, expected: "a number".to_owned() });
    }
    if !fits(kinds.get(1), |kind| kind == Type::Integer) {
        return Err(Misfit { operand: 1, expected: "an integer".to_owned() });
    }
    Ok(Some(if kinds.len() > 1 { Type::Number } else { Type::Integer }))
}

fn condition(kinds: &[Kind]) -> Result<Kind, Misfit> {
    let (first, rest) = kinds.split_first().unwrap_or((&None, &[]));
    if first.is_some_and(|kind| kind != Type::Boolean) {
        return Err(Misfit { operand: 0, expected: "a boolean".to_owned() });
    }
    unified(rest).map_err(|misfit| Misfit { operand: misfit.operand + 1, ..misfit })
}

/// What can be cast (reference manual, "Type conversion"); with a mask one side is text.
fn conversion(kinds: &[Kind], to: Type) -> Result<Kind, Misfit> {
    let masked = kinds.len() > 1;
    let fits = |from: Type| match (from, to) {
        (Type::Boolean, _) | (_, Type::Boolean) if masked => false,
        (Type::String, to) => !masked || to != Type::String,
        (_, Type::String) => true,
        _ if masked => false,
        (from, to) if from == to => true,
        (Type::Integer | Type::Number | Type::Boolean, Type::Integer | Type::Number | Type::Boolean) => true,
        (Type::Date | Type::TimePeriod | Type::Time, Type::Date | Type::TimePeriod | Type::Time) => true,
        _ => false,
    };
    let with = if masked { " with a mask" } else { "" };
    let expected = format!("something that can be cast to {}{with}", article(to).trim_start_matches("a "));
    at(kinds, 0, fits, &expected)?;
    at(kinds, 1, |kind| kind == Type::String, "a mask")?;
    Ok(Some(to))
}

/// The name of a type with its article.
pub(super) fn article(kind: Type) -> String {
    let name = kind.word();
    format!("{} `{name}`", if name.starts_with('i') { "an" } else { "a" })
}

/// A type as a fault names it.
pub(super) fn found(kind: Kind) -> String {
    kind.map_or_else(|| "`null`".to_owned(), article)
}
