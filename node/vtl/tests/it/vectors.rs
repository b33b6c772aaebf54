//! Decimal arithmetic against the vectors of another implementation (`tests/vectors/decimal128.py`).

use schemas::decimal::Decimal;
use vtl::decimal128::{self, Error};

const VECTORS: &str = include_str!("../vectors/decimal128.txt");

fn number(text: &str) -> Decimal {
    let (coefficient, exponent) = text.split_once(',').unwrap();
    Decimal::new(coefficient.parse().unwrap(), exponent.parse().unwrap()).unwrap()
}

fn outcome(operation: &str, a: Decimal, b: Decimal) -> String {
    let result = match operation {
        "add" => decimal128::add(a, b),
        "sub" => decimal128::sub(a, b),
        "mul" => decimal128::mul(a, b),
        "div" => decimal128::div(a, b),
        "round" => decimal128::round(a, b.coefficient() as i64),
        "power" => decimal128::power(a, b),
        "log" => decimal128::log(a, b),
        "sqrt" => decimal128::sqrt(a),
        "ln" => decimal128::ln(a),
        "exp" => decimal128::exp(a),
        "compare" => return (a.compare(b) as i32).to_string(),
        other => panic!("{other}"),
    };
    match result {
        Ok(value) => format!("{},{}", value.coefficient(), value.exponent()),
        Err(Error::Overflow) => "overflow".to_owned(),
        Err(Error::DivisionByZero) => "zero".to_owned(),
        Err(Error::Domain) => "domain".to_owned(),
        Err(Error::NotInteger) => "fraction".to_owned(),
    }
}

#[test]
fn arithmetic_agrees_digit_for_digit() {
    let mut counted = 0;
    for line in VECTORS.lines() {
        let parts: Vec<&str> = line.split(' ').collect();
        let [operation, a, b, want] = parts[..] else { panic!("{line}") };
        assert_eq!(outcome(operation, number(a), number(b)), want, "{line}");
        counted += 1;
    }
    assert!(counted > 3000);
}
