//! Numeric operators at every level.

use super::support::{assert_table, diagnostics_of, run_on_input, run_on_inputs};

const D: &str = "A:i:string, X:m:number, Y:m:number, NOTE:a:string
    a, 1.5, -2, n
    b, , 3, n
    c, 7, 0.5, n";

#[test]
fn data_set_and_scalar() {
    assert_table(&run_on_input("R <- -D * 2 + 1;", D), "A,X,Y\na,-2,5\nb,,-5\nc,-13,0");
    assert_table(&run_on_input("R <- 6 / D[calc X := 1, Y := 4];", D), "A,X,Y\na,6,1.5\nb,6,1.5\nc,6,1.5");
    assert_table(&run_on_input("S := 2; R <- D[keep X] * (S + 1);", D), "A,X\na,4.5\nb,\nc,21");
    assert_table(&run_on_input("R <- +D[keep X] - 1;", D), "A,X\na,0.5\nb,\nc,6");
}

#[test]
fn two_data_sets_pair_measures_by_name() {
    let e = "A:i:string, Y:m:number, X:m:number\na, 10, 20\nc, 1, 2\nd, 5, 5";
    assert_table(&run_on_inputs("R <- D + E;", &[("D", D), ("E", e)]), "A,X,Y\na,21.5,8\nc,9,1.5");
    let other = "A:i:string, Z:m:number\na, 10";
    let found = diagnostics_of("R <- D + E;", &[("D", D), ("E", other)]);
    assert_eq!(found, [("structure", "E".into())]);
}

#[test]
fn identifiers_of_one_contain_those_of_the_other() {
    let values = "A:i:string, T:i:time_period, X:m:number\na, 2020, 2\na, 2021, 3\nb, 2020, 4";
    let weights = "A:i:string, X:m:number\na, 10\nb, 100";
    let want = "A,T,X\na,2020,20\na,2021,30\nb,2020,400";
    assert_table(&run_on_inputs("R <- V * W;", &[("V", values), ("W", weights)]), want);
    assert_table(&run_on_inputs("R <- W * V;", &[("V", values), ("W", weights)]), want);
    let by_time = "T:i:time_period, X:m:number\n2020, 1\n2021, 2";
    assert_table(
        &run_on_inputs("R <- V * W;", &[("V", values), ("W", by_time)]),
        "A,T,X\na,2020,2\na,2021,6\nb,2020,4",
    );
    let strange = "B:i:string, X:m:number\na, 1";
    assert_eq!(diagnostics_of("R <- V * W;", &[("V", values), ("W", strange)])[0].0, "structure");
    let typed = "A:i:integer, X:m:number\n1, 1";
    assert_eq!(diagnostics_of("R <- V * W;", &[("V", values), ("W", typed)])[0].0, "type");
}

#[test]
fn rounding_is_on_exact_digits() {
    let d = "A:i:integer, X:m:number\n1, 1.005\n2, -2.5\n3, \n4, 12345.6";
    assert_table(&run_on_input("R <- round(D, 2);", d), "A,X\n1,1.01\n2,-2.5\n3,\n4,12345.6");
    assert_table(&run_on_input("R <- round(D);", d), "A,X\n1,1\n2,-3\n3,\n4,12346");
    assert_table(&run_on_input("R <- round(D, _);", d), "A,X\n1,1\n2,-3\n3,\n4,12346");
    assert_table(&run_on_input("R <- round(D, -1);", d), "A,X\n1,0\n2,0\n3,\n4,12350");
    assert_table(&run_on_input("R <- trunc(D, 1);", d), "A,X\n1,1\n2,-2.5\n3,\n4,12345.6");
    assert_table(&run_on_input("R <- ceil(D);", d), "A,X\n1,2\n2,-2\n3,\n4,12346");
    assert_table(&run_on_input("R <- floor(D);", d), "A,X\n1,1\n2,-3\n3,\n4,12345");
    assert_table(&run_on_input("R <- abs(D);", d), "A,X\n1,1.005\n2,2.5\n3,\n4,12345.6");
}

#[test]
fn whole_numbers_are_checked() {
    let d = "A:i:integer, X:m:integer\n1, 9223372036854775807\n2, 7\n3,";
    assert_table(&run_on_input("R <- D - 1;", d), "A,X\n1,9223372036854775806\n2,6\n3,");
    assert_eq!(diagnostics_of("R <- D + 1;", &[("D", d)]), [("overflow", "D + 1".into())]);
    assert_eq!(diagnostics_of("R <- D * 2;", &[("D", d)])[0].0, "overflow");
    assert_eq!(
        diagnostics_of("R <- abs(D - 9223372036854775807 - 9223372036854775807);", &[("D", d)])[0].0,
        "overflow"
    );
    assert_table(&run_on_input("R <- D / 2;", d), "A,X\n1,4611686018427387903.5\n2,3.5\n3,");
    assert_table(&run_on_input("R <- mod(D, -4);", d), "A,X\n1,-1\n2,-1\n3,");
    assert_table(&run_on_input("R <- mod(D, 0);", d), "A,X\n1,9223372036854775807\n2,7\n3,");
    assert_table(&run_on_input("R <- D[calc X := mod(0 - X, 4)];", d), "A,X\n1,1\n2,1\n3,");
    assert_table(&run_on_input("R <- D[filter A > 1] * 0.5;", d), "A,X\n2,3.5\n3,");
}

#[test]
fn power_is_a_sequence_of_roundings() {
    let d = "A:i:integer, X:m:number, N:m:integer\n1, 1.1, 3\n2, 5, -1\n3, 0, 0\n4, , 2";
    assert_table(&run_on_input("R <- D[calc X := power(X, N)][keep X];", d), "A,X\n1,1.331\n2,0.2\n3,1\n4,");
    assert_table(&run_on_input("R <- power(D#X, 2);", d), "A,X\n1,1.21\n2,25\n3,0\n4,");
    let wide = "A:i:integer, X:m:number, N:m:number\n1, 2, 0.5\n2, 0, 0.5\n3, 0.25, -1.5\n4, , 2\n5, 5, 1.0";
    let want = "A,X\n1,1.414213562373095048801688724209698\n2,0\n3,8\n4,\n5,5";
    assert_table(&run_on_input("R <- D[calc X := power(X, N)][keep X];", wide), want);
    assert_eq!(diagnostics_of("R <- power(-1 * D, 0.5);", &[("D", d)])[0].0, "domain");
    assert_eq!(diagnostics_of("R <- power(D#X, -0.5);", &[("D", d)])[0].0, "division-by-zero");
}

#[test]
fn roots_and_logarithms_are_numbers() {
    let d = "A:i:integer, X:m:number\n1, 4\n2, 0.01\n3, ";
    assert_table(&run_on_input("R <- sqrt(D);", d), "A,X\n1,2\n2,0.1\n3,");
    assert_table(
        &run_on_input("R <- log(D, 10);", d),
        "A,X\n1,0.6020599913279623904274777894489861\n2,-2\n3,",
    );
    assert_table(&run_on_input("R <- round(ln(D), 3);", d), "A,X\n1,1.386\n2,-4.605\n3,");
    assert_table(&run_on_input("R <- D[calc X := exp(0 * X)];", d), "A,X\n1,1\n2,1\n3,");
    let whole = "A:i:integer, X:m:integer\n1, 1024\n2, 1\n3,";
    assert_table(&run_on_input("R <- log(D, 2);", whole), "A,X\n1,10\n2,0\n3,");
    assert_table(&run_on_input("R <- D[calc X := sqrt(X)];", whole), "A,X\n1,32\n2,1\n3,");
}

#[test]
fn arguments_outside_the_domain_are_errors() {
    let d = "A:i:integer, X:m:number\n1, 4\n2, -1";
    for script in ["R <- sqrt(D);", "R <- ln(D);", "R <- log(D, 2);", "R <- log(2, D#X + 2);"] {
        let found = super::support::run_script(script, &[("D", d)], super::support::LIMITS).unwrap_err();
        assert_eq!(
            (found[0].code.as_str(), found[0].data_point.as_deref()),
            ("domain", Some("A = 2")),
            "{script}"
        );
    }
    assert_eq!(diagnostics_of("R <- exp(D * 10000);", &[("D", d)])[0].0, "overflow");
    assert_eq!(diagnostics_of("R <- ln(D[calc X := \"a\"]);", &[("D", d)])[0].0, "type");
}

#[test]
fn division_by_zero_names_the_data_point() {
    let d = "A:i:string, T:i:time_period, X:m:number\nfr, 2020-Q1, 1\nfr, 2020-Q2, 0\nus, 2020-Q1, 0";
    let script = "R <- 1 / D;";
    let found = super::support::run_script(script, &[("D", d)], super::support::LIMITS).unwrap_err();
    assert_eq!(found[0].data_point.as_deref(), Some("A = fr, T = 2020-Q2"));
    assert!(vtl::render_diagnostic(script, &found[0]).contains("division-by-zero: division by zero"));
    assert_table(
        &run_on_input("R <- D[calc X := if X <> 0 then 1 / X else null];", d),
        "A,T,X\nfr,2020-Q1,1\nfr,2020-Q2,\nus,2020-Q1,",
    );
    assert_table(&run_on_input("R <- 1 / D[filter X <> 0];", d), "A,T,X\nfr,2020-Q1,1");
    assert_table(
        &run_on_input("R <- D[calc X := if true then X else 1 / 0];", d),
        "A,T,X\nfr,2020-Q1,1\nfr,2020-Q2,0\nus,2020-Q1,0",
    );
}

#[test]
fn an_empty_data_set_stays_empty() {
    let d = "A:i:string, X:m:number";
    assert_table(&run_on_input("R <- round((D / D - 1) * 100, 1);", d), "A,X");
    assert_table(&run_on_input("R <- D[calc X := 1 / 0];", d), "A,X");
}

#[test]
fn wrong_types_are_reported() {
    let d = "A:i:string, X:m:string\na, x";
    assert_eq!(diagnostics_of("R <- D * 2;", &[("D", d)]), [("type", "D * 2".into())]);
    assert_eq!(diagnostics_of("R <- D[calc Z := X + 1];", &[("D", d)]), [("type", "X".into())]);
    assert_eq!(diagnostics_of("R <- D[calc Z := round(1.5, 0.5)];", &[("D", d)]), [("type", "0.5".into())]);
    assert_eq!(diagnostics_of("R <- D[calc Z := null];", &[("D", d)]), [("type", "null".into())]);
}
