//! Single operations of decimal128, compared with the results of `oracle/aimed.py`.
//!
//! A line has operation, two operands and the result, numbers as `coefficient,exponent`; coefficient and
//! exponent must be equal.

use std::collections::BTreeMap;

use schemas::decimal::Decimal;
use vtl::decimal128::{self, Error};

/// Lines compared and lines that differ, of one operation.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct OperationCount {
    /// Lines compared.
    pub compared: u64,
    /// Lines with another result.
    pub differ: u64,
}

/// Counts by operation.
pub type Counts = BTreeMap<String, OperationCount>;

/// Compares the operation on a line, and counts it.
///
/// # Errors
/// The line is not an operation, or the result differs; the message has the actual result.
pub fn compare_line(line: &str, counts: &mut Counts) -> Result<(), String> {
    let fields: Vec<&str> = line.split(' ').collect();
    let [operation, a, b, expected] = fields[..] else { return Err(format!("{line}: not an operation")) };
    let (Some(first), Some(second)) = (parse_number(a), parse_number(b)) else {
        return Err(format!("{line}: operands of decimal128 expected"));
    };
    let actual =
        operation_result(operation, first, second).ok_or_else(|| format!("{line}: unknown operation"))?;
    let count = counts.entry(operation.to_owned()).or_default();
    count.compared += 1;
    if actual == expected {
        return Ok(());
    }
    count.differ += 1;
    Err(format!("{operation} {a} {b}\n  expected {expected}\n  found    {actual}"))
}

fn operation_result(operation: &str, a: Decimal, b: Decimal) -> Option<String> {
    let places = b.to_string().parse().unwrap_or(0);
    let result = match operation {
        "add" => decimal128::add(a, b),
        "sub" => decimal128::sub(a, b),
        "mul" => decimal128::mul(a, b),
        "div" => decimal128::div(a, b),
        "mod" => decimal128::modulo(a, b),
        "round" => decimal128::round(a, places),
        "trunc" => decimal128::trunc(a, places),
        "ceil" => decimal128::ceil(a),
        "floor" => decimal128::floor(a),
        "sqrt" => decimal128::sqrt(a),
        "exp" => decimal128::exp(a),
        "ln" => decimal128::ln(a),
        "log" => decimal128::log(a, b),
        "power" | "whole-power" => decimal128::power(a, b),
        _ => return None,
    };
    Some(match result {
        Ok(value) => format!("{},{}", value.coefficient(), value.exponent()),
        Err(Error::Overflow) => "overflow".to_owned(),
        Err(Error::DivisionByZero) => "zero".to_owned(),
        Err(Error::Domain) => "domain".to_owned(),
        Err(Error::NotInteger) => "fraction".to_owned(),
    })
}

fn parse_number(text: &str) -> Option<Decimal> {
    let (coefficient, exponent) = text.split_once(',')?;
    Decimal::new(coefficient.parse().ok()?, exponent.parse().ok()?).ok()
}
