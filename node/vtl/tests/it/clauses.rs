//! Clauses, membership, casts and time.

use super::support::{assert_table, diagnostics_of, run_on_input};

const D: &str = "A:i:string, T:i:time_period, X:m:number, Y:m:integer, S:a:string
    a, 2020-M01, 1, 10, p
    a, 2020-M12, 2, , q
    b, 2021-M01, , 30,";

#[test]
fn filter_takes_null_as_false() {
    assert_table(&run_on_input("R <- D[filter X > 1];", D), "A,T,X,Y,S\na,2020-M12,2,,q");
    assert_table(&run_on_input("R <- D[filter not (X > 1)];", D), "A,T,X,Y,S\na,2020-M01,1,10,p");
    assert_table(
        &run_on_input("R <- D[filter isnull(X) and getyear(T) = 2021];", D),
        "A,T,X,Y,S\nb,2021-M01,,30,",
    );
    assert_table(&run_on_input("R <- D[filter getmonth(T) = 12][keep Y];", D), "A,T,Y\na,2020-M12,");
    assert_table(
        &run_on_input("R <- D[filter T >= cast(\"2020-12\", time_period)][keep X];", D),
        "A,T,X\na,2020-M12,2\nb,2021-M01,",
    );
    assert_table(&run_on_input("R <- D[filter false];", D), "A,T,X,Y,S");
}

#[test]
fn calc_keeps_roles_and_cannot_see_its_siblings() {
    assert_table(
        &run_on_input("R <- D[calc X := X * 2, Z := X + Y];", D),
        "A,T,X,Y,Z,S\na,2020-M01,2,10,11,p\na,2020-M12,4,,,q\nb,2021-M01,,30,,",
    );
    assert_table(
        &run_on_input("R <- D[calc attribute X := X][keep Y];", D),
        "A,T,Y\na,2020-M01,10\na,2020-M12,\nb,2021-M01,30",
    );
    assert_table(
        &run_on_input("R <- D[calc identifier YEAR := getyear(T)][keep X];", D),
        "A,T,YEAR,X\na,2020-M01,2020,1\na,2020-M12,2020,2\nb,2021-M01,2021,",
    );
    assert_eq!(diagnostics_of("R <- D[calc Z := X, W := Z];", &[("D", D)]), [("unknown-name", "Z".into())]);
    assert_eq!(diagnostics_of("R <- D[calc A := \"x\"];", &[("D", D)]), [("structure", "A".into())]);
    assert_eq!(diagnostics_of("R <- D[calc Z := X, Z := Y];", &[("D", D)]), [("duplicate", "Z".into())]);
    assert_eq!(diagnostics_of("R <- D[calc identifier Z := X];", &[("D", D)])[0].0, "null-identifier");
}

#[test]
fn keep_and_drop_leave_identifiers_alone() {
    assert_table(&run_on_input("R <- D[drop X, S];", D), "A,T,Y\na,2020-M01,10\na,2020-M12,\nb,2021-M01,30");
    assert_eq!(diagnostics_of("R <- D[keep A];", &[("D", D)]), [("structure", "A".into())]);
    assert_eq!(diagnostics_of("R <- D[drop T];", &[("D", D)]), [("structure", "T".into())]);
    assert_eq!(diagnostics_of("R <- D[keep X, X];", &[("D", D)]), [("duplicate", "X".into())]);
}

#[test]
fn rename_moves_names_at_once() {
    assert_table(
        &run_on_input("R <- D[rename X to Y, Y to X][keep X];", D),
        "A,T,X\na,2020-M01,10\na,2020-M12,\nb,2021-M01,30",
    );
    assert_table(
        &run_on_input("R <- D[rename A to AREA][keep X];", D),
        "AREA,T,X\na,2020-M01,1\na,2020-M12,2\nb,2021-M01,",
    );
    assert_eq!(diagnostics_of("R <- D[rename X to Y];", &[("D", D)]), [("duplicate", "Y".into())]);
    assert_eq!(diagnostics_of("R <- D[rename X to Z, X to W];", &[("D", D)]), [("duplicate", "X".into())]);
}

#[test]
fn sub_fixes_identifiers() {
    assert_table(&run_on_input("R <- D[sub A = \"a\"][keep X];", D), "T,X\n2020-M01,1\n2020-M12,2");
    assert_table(&run_on_input("P := \"b\"; R <- D[sub A = P][keep Y];", D), "T,Y\n2021-M01,30");
    assert_table(
        &run_on_input("R <- D[sub A = \"a\", T = cast(\"2020-M12\", time_period)][keep X];", D),
        "X\n2",
    );
    assert_eq!(diagnostics_of("R <- D[sub X = 1];", &[("D", D)]), [("structure", "X".into())]);
    assert_eq!(diagnostics_of("R <- D[sub A = 1];", &[("D", D)]), [("type", "1".into())]);
}

#[test]
fn membership_makes_one_measure() {
    assert_table(&run_on_input("R <- D#X;", D), "A,T,X\na,2020-M01,1\na,2020-M12,2\nb,2021-M01,");
    assert_table(&run_on_input("R <- D#A;", D), "A,T,string_var\na,2020-M01,a\na,2020-M12,a\nb,2021-M01,b");
    assert_table(
        &run_on_input("R <- D#S || \"!\";", D),
        "A,T,string_var\na,2020-M01,p!\na,2020-M12,q!\nb,2021-M01,!",
    );
    assert_eq!(diagnostics_of("R <- D#Z;", &[("D", D)]), [("unknown-name", "Z".into())]);
}

#[test]
fn timeshift_moves_each_period_by_its_frequency() {
    let d = "A:i:string, T:i:time_period, X:m:integer\na, 2020-W53, 1\na, 2020-M12, 2\na, 2020, 3\na, 2020-Q4, 4\na, 2020-12-31, 5";
    assert_table(
        &run_on_input("R <- timeshift(D, 1);", d),
        "A,T,X\na,2021,3\na,2021-Q1,4\na,2021-M01,2\na,2021-W01,1\na,2021-01-01,5",
    );
    assert_table(
        &run_on_input("R <- timeshift(timeshift(D, 400), -400);", d),
        "A,T,X\na,2020,3\na,2020-Q4,4\na,2020-M12,2\na,2020-W53,1\na,2020-12-31,5",
    );
    assert_eq!(diagnostics_of("R <- timeshift(D, 90000000);", &[("D", d)])[0].0, "overflow");
    assert_eq!(diagnostics_of("R <- timeshift(D, 0.5);", &[("D", d)]), [("type", "0.5".into())]);
    assert_eq!(
        diagnostics_of("R <- timeshift(D, 1);", &[("D", "A:i:string, X:m:integer")]),
        [("structure", "D".into())]
    );
}

#[test]
fn cast_never_loses_information_silently() {
    let d = "A:i:string, X:m:number, S:m:string\na, 5.0, 2020-Q3";
    assert_table(
        &run_on_input(
            "R <- D[calc X := cast(X, integer), P := cast(S, time_period), T := cast(X, string)][drop S];",
            d,
        ),
        "A,X,P,T\na,5,2020-Q3,5",
    );
    assert_eq!(diagnostics_of("R <- D[calc Z := cast(S, number)];", &[("D", d)])[0].0, "cast");
    assert_eq!(diagnostics_of("R <- D[calc Z := cast(X + 0.5, integer)];", &[("D", d)])[0].0, "cast");
    assert_eq!(diagnostics_of("R <- D[calc Z := cast(X, date)];", &[("D", d)])[0].0, "type");
}

/// Reference manual, "Unpivoting", "Pivoting".
#[test]
fn measures_are_pivoted_and_unpivoted() {
    let d = "K:i:string, X:m:number, Y:m:number\na, 1, 2\nb, , 4";
    let long = "K,V,M\na,X,1\na,Y,2\nb,Y,4";
    assert_table(&run_on_input("R <- D[unpivot V, M];", d), long);
    assert_table(&run_on_input("R <- D[unpivot V, M][pivot V, M];", d), "K,X,Y\na,1,2\nb,,4");
    let mixed = "K:i:string, X:m:number, Y:m:integer\na, 1.5, 2";
    assert_table(&run_on_input("R <- D[unpivot V, M];", mixed), "K,V,M\na,X,1.5\na,Y,2");
    let e = "K:i:string, V:i:string, M:m:number\na, X, 1\na, Y, 2\nb, Z, 4";
    assert_table(&run_on_input("R <- D[filter V in { \"X\", \"Y\" }][pivot V, M];", e), "K,X,Y\na,1,2");
    for (script, code) in [
        ("R <- D[pivot V, M];", "structure"),
        ("R <- D[unpivot K, W];", "duplicate"),
        ("R <- D[unpivot W, W];", "duplicate"),
        ("R <- D[filter V = \"X\"][pivot M, V];", "structure"),
    ] {
        assert_eq!(diagnostics_of(script, &[("D", e)])[0].0, code, "{script}");
    }
}

/// Reference manual, "Membership": a component of a data set without identifiers is a scalar.
#[test]
fn a_component_without_identifiers_is_a_scalar() {
    let d = "K:i:string, X:m:number\na, 1\nb, 3";
    assert_table(&run_on_input("R <- D / sum(D)#X * 100;", d), "K,X\na,25\nb,75");
    assert_table(&run_on_input("T := max(D)#X; R <- D[filter X < T];", d), "K,X\na,1");
    assert_table(&run_on_input("R <- D + max(D[filter X > 9])#X;", d), "K,X\na,\nb,");
}
