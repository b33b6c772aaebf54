//! `ewma` and `chain_product` (`specs/vtl.md`, "Extensions").

use schemas::decimal::Decimal;
use schemas::period::{Frequency, Period};
use schemas::table::Cell;
use vtl::decimal128::{add, mul, round};

use super::support::{LIMITS, assert_table, diagnostics_of, run_on_input, run_script};

const D: &str = "K:i:string, T:i:time_period, X:m:number, N:m:integer, S:a:string
    a, 2020-M01, , 2, p\na, 2020-M02, 10, 3, p\na, 2020-M03, 20, , p\na, 2020-M04, , -4, p\na, 2020-M05, 15, 5, p
    a, 2020, 7, 7, p\nb, 2020-M01, 1, 1, p";

/// Worked example of the specification.
#[test]
fn averages_start_with_the_first_value_and_skip_nulls() {
    assert_table(
        &run_on_input("R <- ewma(D, 0.2);", D),
        "K,T,X,N\na,2020,7,7\na,2020-M01,,2\na,2020-M02,10,2.2\na,2020-M03,12,\na,2020-M04,,0.96\na,2020-M05,12.6,1.768\nb,2020-M01,1,1",
    );
    assert_table(&run_on_input("W := 1; R <- ewma(D, W)[filter K = \"b\"];", D), "K,T,X,N\nb,2020-M01,1,1");
    assert_table(&run_on_input("R <- ewma(D[filter false], 0.5);", D), "K,T,X,N");
}

#[test]
fn each_operation_is_rounded_once() {
    let d = "T:i:date, X:m:number\n2024-01-01, 1\n2024-01-02, 0.3333333333333333333333333333333333
        2024-01-03, 9999999999999999999999999999999999";
    // 0.9 E of the third day has 35 digits and is rounded to 0.84; so is the sum of …999.9 and 0.84.
    assert_table(
        &run_on_input("R <- ewma(D, 0.1);", d),
        "T,X\n2024-01-01,1\n2024-01-02,0.9333333333333333333333333333333333\n2024-01-03,1000000000000000000000000000000001",
    );
    let top = "T:i:date, X:m:number\n2024-01-01, 9000000000000000000000000000000000E+6111\n2024-01-02, 9000000000000000000000000000000000E+6111";
    assert_table(
        &run_on_input("R <- ewma(D, 0.5);", top),
        "T,X\n2024-01-01,9000000000000000000000000000000000E+6111\n2024-01-02,9000000000000000000000000000000000E+6111",
    );
}

#[test]
fn products_chain_along_each_series() {
    assert_table(
        &run_on_input("R <- chain_product(D);", D),
        "K,T,X,N\na,2020,7,7\na,2020-M01,,2\na,2020-M02,10,6\na,2020-M03,200,\na,2020-M04,,-24\na,2020-M05,3000,-120\nb,2020-M01,1,1",
    );
    let long = "T:i:date, X:m:number\n2024-01-01, 1.000000000000000001\n2024-01-02, 1.000000000000000001
        2024-01-03, 1.000000000000000001";
    // The second product has 37 digits.
    assert_table(
        &run_on_input("R <- chain_product(D);", long),
        "T,X\n2024-01-01,1.000000000000000001\n2024-01-02,1.000000000000000002\n2024-01-03,1.000000000000000003",
    );
    let top = "T:i:date, X:m:number\n2024-01-01, 1E+6000\n2024-01-02, 1E+6000";
    assert_eq!(diagnostics_of("R <- chain_product(D);", &[("D", top)])[0].0, "overflow");
}

#[test]
fn extensions_check_their_operands() {
    let fault = |script: &str| diagnostics_of(script, &[("D", D)]);
    assert_eq!(fault("R <- ewma(D);")[0].0, "syntax");
    assert_eq!(fault("R <- ewma(D, \"x\");"), [("type", "\"x\"".into())]);
    assert_eq!(fault("R <- ewma(D, D);")[0].0, "type");
    for weight in ["0", "-0.1", "1.01", "cast(null, number)"] {
        assert_eq!(fault(&format!("R <- ewma(D, {weight});")), [("type", weight.into())]);
    }
    assert_eq!(fault("R <- chain_product(D, 1);")[0].0, "syntax");
    assert_eq!(fault("R <- chain_product(3);")[0].0, "type");
    assert_eq!(fault("R <- chain_product(D#S);")[0].0, "type");
    assert_eq!(fault("R <- chain_product(D[sub T = cast(\"2020\", time_period)]);")[0].0, "structure");
    assert_eq!(fault("R <- D[calc Y := ewma(X, 0.5)];")[0].0, "unknown-name");
    let own = "define operator ewma (ds dataset, n number) returns dataset is ds * n end operator;
        R <- ewma(D#X, 2.0)[filter K = \"b\"];";
    assert_table(&run_on_input(own, D), "K,T,X\nb,2020-M01,2");
}

/// 10,000 days of one series: the last average equals that of its definition, and nearly that of the
/// last 500 days, because 0.9^500 is below 10^-22.
#[test]
fn ten_thousand_data_points() {
    let number = |day: i32| i64::from((day * 7919) % 1000);
    let days = (0..10_000).map(|day| Period::from_ordinal(Frequency::D, 700_000 + day).unwrap());
    let rows: String = days.zip(0..).map(|(day, n)| format!("\n{day}, {}", number(n))).collect();
    let data = format!("T:i:date, X:m:integer{rows}");
    let script = "R <- ewma(D, 0.1);";
    let all = run_script(script, &[("D", &data)], LIMITS).unwrap();
    let Some(Cell::Number(last)) = all.tables["R"].columns()[1].cell(9_999) else { panic!("no value") };
    let (weight, rest): (Decimal, Decimal) = ("0.1".parse().unwrap(), "0.9".parse().unwrap());
    let step = |before: Decimal, day: i32| {
        let (new, old) = (mul(weight, number(day).into()).unwrap(), mul(rest, before).unwrap());
        add(new, old).unwrap()
    };
    assert_eq!(last, (1..10_000).fold(Decimal::from(number(0)), step));
    let near = (9_501..10_000).fold(Decimal::from(number(9_500)), step);
    assert_eq!(round(last, 18).unwrap(), round(near, 18).unwrap());
}
