//! Nanoseconds per decimal operation, compared with `rust_decimal` (28 digits):
//! `cargo bench -p vtl --bench decimal128`.
//!
//! Each line is the best of several passes over operand pairs of one coefficient size.

// A benchmark prints and measures in floating point; the engine does neither.
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::Instant;

use rust_decimal::Decimal as Other;
use schemas::decimal::Decimal;
use vtl::decimal128::{self, Error};

/// Pairs of operands in one pass.
const PAIRS: usize = 4096;
/// Passes; the best one counts.
const PASSES: usize = 40;

type Binary = fn(Decimal, Decimal) -> Result<Decimal, Error>;
type OtherBinary = fn(Other, Other) -> Option<Other>;

fn main() {
    println!("{:<10} {:>7} {:>9} {:>14} {:>7}", "operation", "digits", "ns", "rust_decimal", "ratio");
    let basic: [(&str, Binary, OtherBinary); 4] = [
        ("add", decimal128::add, Other::checked_add),
        ("sub", decimal128::sub, Other::checked_sub),
        ("mul", decimal128::mul, Other::checked_mul),
        ("div", decimal128::div, Other::checked_div),
    ];
    for (name, own, other) in basic {
        for digits in [4, 9, 18, 28, 34] {
            let pairs = pairs(digits);
            let ns = time(&pairs, |(a, b)| own(*a, *b));
            let others: Option<Vec<_>> =
                pairs.iter().map(|(a, b)| Some((converted(*a)?, converted(*b)?))).collect();
            let others = others.map(|others| time(&others, |(a, b)| other(*a, *b)));
            line(name, digits, ns, others);
        }
    }
    for digits in [4, 18, 34] {
        let pairs = pairs(digits);
        line("compare", digits, time(&pairs, |(a, b)| a.compare(*b)), None);
        line("round", digits, time(&pairs, |(a, _)| decimal128::round(*a, 1)), None);
        line("mod", digits, time(&pairs, |(a, b)| decimal128::modulo(*a, *b)), None);
    }
    functions();
}

/// Measures the functions at ordinary operands and at one that needs the highest precision.
fn functions() {
    let pairs = pairs(18);
    line("sqrt", 18, time(&pairs, |(a, _)| decimal128::sqrt(decimal128::abs(*a))), None);
    let few = pairs.get(..256).unwrap_or_default();
    line("ln", 18, time(few, |(a, _)| decimal128::ln(decimal128::abs(*a))), None);
    line("exp", 18, time(few, |(a, _)| decimal128::exp(small(*a))), None);
    let magnitudes = |(a, b): &(Decimal, Decimal)| (decimal128::abs(*a), decimal128::abs(*b));
    let log = |pair: &_| decimal128::log(magnitudes(pair).0, magnitudes(pair).1);
    line("log", 18, time(few, log), None);
    let power = |pair: &(Decimal, Decimal)| decimal128::power(magnitudes(pair).0, small(pair.1));
    line("power", 18, time(few, power), None);
    let square = Decimal::from_magnitude(false, 300_000_000_005_u128.pow(2), 0).unwrap_or(Decimal::ZERO);
    let (tie, half) =
        ([(square, square); 64], Decimal::from_magnitude(false, 15, -1).unwrap_or(Decimal::ZERO));
    line("power, tie", 24, time(&tie, |(a, _)| decimal128::power(*a, half)), None);
}

/// Returns the number with the same digits in `1..10`.
fn small(a: Decimal) -> Decimal {
    Decimal::from_magnitude(a.is_negative(), a.magnitude(), 1 - a.digit_count() as i32)
        .unwrap_or(Decimal::ZERO)
}

fn line(name: &str, digits: u32, ns: f64, other: Option<f64>) {
    let compared = other.map_or(String::new(), |other| format!(" {other:>14.1} {:>7.2}", ns / other));
    println!("{name:<10} {digits:>7} {ns:>9.1}{compared}");
}

/// Returns the nanoseconds for one item in the best pass.
fn time<T, R>(items: &[T], each: impl Fn(&T) -> R) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..PASSES {
        let start = Instant::now();
        items.iter().for_each(|item| {
            black_box(each(item));
        });
        best = best.min(start.elapsed().as_nanos() as f64 / items.len() as f64);
    }
    best
}

/// Returns operands with coefficients of `digits` digits and one to five decimal places.
fn pairs(digits: u32) -> Vec<(Decimal, Decimal)> {
    let mut seed = 88_172_645_463_325_252_u64;
    let mut next = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut number = move || {
        let wide = (u128::from(next()) << 64) | u128::from(next());
        let least = 10_u128.pow(digits - 1);
        let magnitude = least + wide % (9 * least);
        let places = (next() % 5 + 1) as i32;
        Decimal::from_magnitude(next() % 2 == 0, magnitude, -places).unwrap_or(Decimal::ZERO)
    };
    (0..PAIRS).map(|_| (number(), number())).collect()
}

/// Converts a number for `rust_decimal`; `None` when it has too many digits.
fn converted(a: Decimal) -> Option<Other> {
    Other::try_from_i128_with_scale(a.coefficient(), a.exponent().unsigned_abs()).ok()
}
