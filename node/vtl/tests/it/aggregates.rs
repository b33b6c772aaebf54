//! Aggregates with and without grouping.

use super::support::{assert_table, diagnostics_of, run_on_input};

const D: &str = "A:i:string, B:i:string, X:m:number, N:m:integer
    a, p, 1.5, 1
    a, q, , 2
    a, r, 2.5, 6
    b, p, , ";

#[test]
fn nulls_are_skipped_and_a_group_of_nulls_is_null() {
    assert_table(&run_on_input("R <- sum(D group by A);", D), "A,X,N\na,4,9\nb,,");
    assert_table(&run_on_input("R <- avg(D group by A);", D), "A,X,N\na,2,3\nb,,");
    assert_table(&run_on_input("R <- min(D group except B);", D), "A,X,N\na,1.5,1\nb,,");
    assert_table(&run_on_input("R <- max(D group by A);", D), "A,X,N\na,2.5,6\nb,,");
    assert_table(&run_on_input("R <- count(D group by A);", D), "A,int_var\na,3\nb,1");
    assert_table(&run_on_input("R <- sum(D);", D), "X,N\n4,9");
}

#[test]
fn aggr_names_its_measures() {
    let script =
        "R <- D[aggr S := sum(X * N), C := count(), K := count(X), attribute M := max(B) group by A];";
    assert_table(&run_on_input(script, D), "A,S,C,K,M\na,16.5,3,2,r\nb,,1,0,p");
    assert_table(&run_on_input("R <- D[aggr C := count()];", D), "C\n4");
    assert_table(&run_on_input("R <- D[filter false][aggr C := count(), S := sum(X)];", D), "C,S\n0,");
    assert_table(&run_on_input("R <- D[filter false][aggr C := count() group by A];", D), "A,C");
}

#[test]
fn having_compares_groups() {
    assert_table(&run_on_input("R <- sum(D group by A having count() = 3);", D), "A,X,N\na,4,9");
    assert_table(&run_on_input("R <- sum(D group by A having max(N) > 100);", D), "A,X,N");
    assert_table(
        &run_on_input("R <- D[aggr S := sum(X) group by A having count(X) >= 2 and avg(N) < 4];", D),
        "A,S\na,4",
    );
    assert_eq!(
        diagnostics_of("R <- sum(D group by A having X > 1);", &[("D", D)]),
        [("structure", "X".into())]
    );
}

#[test]
fn periods_are_brought_to_a_coarser_frequency() {
    let d = "A:i:string, T:i:time_period, X:m:number
        a, 2020-M01, 1\na, 2020-M02, 2\na, 2020-M04, 3\na, 2021-M01, 4";
    assert_table(
        &run_on_input("R <- sum(D group by A, T time_agg(\"Q\"));", d),
        "A,T,X\na,2020-Q1,3\na,2020-Q2,3\na,2021-Q1,4",
    );
    assert_table(
        &run_on_input("R <- avg(D group by T time_agg(\"A\") having count() = 3);", d),
        "T,X\n2020,2",
    );
    assert_table(&run_on_input("R <- avg(D group all time_agg(\"A\"));", d), "A,T,X\na,2020,2\na,2021,4");
    assert_eq!(diagnostics_of("R <- avg(D group by T time_agg(\"D\"));", &[("D", d)])[0].0, "frequency");
    assert_eq!(diagnostics_of("R <- avg(D group by A time_agg(\"A\"));", &[("D", d)])[0].0, "structure");
}

#[test]
fn aggregates_reject_unfit_operands() {
    assert_eq!(diagnostics_of("R <- sum(D group by X);", &[("D", D)]), [("structure", "X".into())]);
    assert_eq!(diagnostics_of("R <- D[aggr S := X group by A];", &[("D", D)]), [("structure", "X".into())]);
    assert_eq!(diagnostics_of("R <- D[calc S := sum(X)];", &[("D", D)]), [("structure", "sum(X)".into())]);
    assert_eq!(diagnostics_of("R <- D[aggr S := sum(sum(X)) group by A];", &[("D", D)])[0].0, "structure");
    assert_eq!(diagnostics_of("R <- sum(D#B group by A);", &[("D", D)])[0].0, "type");
    let big = "A:i:integer, X:m:integer\n1, 9223372036854775807\n2, 1\n3, -1";
    assert_table(&run_on_input("R <- sum(D);", big), "X\n9223372036854775807");
    assert_eq!(diagnostics_of("R <- sum(D[filter A < 3]);", &[("D", big)])[0].0, "overflow");
}

/// Reference manual, "Median value", "Population variance", "Sample variance", "Population standard
/// deviation", "Sample standard deviation".
#[test]
fn medians_and_variances() {
    let d = "A:i:string, B:i:integer, X:m:number, N:m:integer
        a, 1, 3, 3\na, 2, 5, 5\na, 3, 7, 7\na, 4, , \nb, 1, 0.1, 2\nb, 2, 0.2, 4\nc, 1, 9, 9\nd, 1, ,";
    let third = "2.666666666666666666666666666666667";
    assert_table(&run_on_input("R <- median(D group by A);", d), "A,X,N\na,5,5\nb,0.15,3\nc,9,9\nd,,");
    assert_table(
        &run_on_input("R <- var_pop(D group by A);", d),
        &format!("A,X,N\na,{third},{third}\nb,0.0025,1\nc,0,0\nd,,"),
    );
    assert_table(&run_on_input("R <- var_samp(D group by A);", d), "A,X,N\na,4,4\nb,0.005,2\nc,,\nd,,");
    let root = "1.632993161855452065464856049803928";
    assert_table(
        &run_on_input("R <- stddev_pop(D group by A);", d),
        &format!("A,X,N\na,{root},{root}\nb,0.05,1\nc,0,0\nd,,"),
    );
    let (small, two) = ("0.07071067811865475244008443621048490", "1.414213562373095048801688724209698");
    let small = small.trim_end_matches('0');
    assert_table(
        &run_on_input("R <- stddev_samp(D group by A);", d),
        &format!("A,X,N\na,2,2\nb,{small},{two}\nc,,\nd,,"),
    );
    assert_table(
        &run_on_input("R <- D[aggr M := median(X), V := var_pop(X)];", d),
        "M,V\n4,10.93916666666666666666666666666667",
    );
    assert_table(&run_on_input("R <- D[filter false][aggr M := median(X), V := var_pop(X)];", d), "M,V\n,");
    assert_table(&run_on_input("R <- D[filter false][aggr M := median(X) group by A];", d), "A,M");
    assert_table(&run_on_input("R <- sum(D group by A having var_samp(X) > 1);", d), "A,X,N\na,15,15");
    assert_eq!(diagnostics_of("R <- D[aggr M := median(A)];", &[("D", d)])[0].0, "type");
    let wide = "K:i:integer, X:m:number\n1, 1E+6000\n2, -1E+6000";
    assert_eq!(diagnostics_of("R <- stddev_pop(D);", &[("D", wide)])[0].0, "overflow");
}

/// Reference manual, "Aggregate invocation": `having` is allowed without grouping.
#[test]
fn having_without_grouping_keeps_or_drops_the_one_group() {
    assert_table(&run_on_input("R <- sum(D having count() = 4);", D), "X,N\n4,9");
    assert_table(&run_on_input("R <- sum(D having count() = 5);", D), "X,N");
    assert_table(&run_on_input("R <- D[aggr S := sum(X) having max(N) > 5];", D), "S\n4");
    assert_eq!(diagnostics_of("R <- sum(D[drop X, N]);", &[("D", D)])[0].0, "structure");
    assert_table(&run_on_input("R <- count(D[drop X, N]);", D), "int_var\n4");
}

/// User manual, "The Attribute Propagation rule": the values of a group are merged.
#[test]
fn viral_attributes_of_a_group_are_merged() {
    let d = "A:i:string, B:i:integer, X:m:number, F:v:string
        a, 1, 1, P\na, 2, 2, N\na, 3, 3, Z\nb, 1, 4, P\nb, 2, 5,";
    assert_table(&run_on_input("R <- sum(D group by A);", d), "A,X,F\na,6,N\nb,9,");
    assert_table(&run_on_input("R <- count(D group by A);", d), "A,int_var,F\na,3,N\nb,2,");
    assert_table(&run_on_input("R <- D[aggr M := max(X) group by A];", d), "A,M,F\na,3,N\nb,5,");
    assert_table(
        &run_on_input("R <- D[aggr F := max(F), M := max(X) group by A];", d),
        "A,M,F\na,3,Z\nb,5,P",
    );
    assert_table(&run_on_input("R <- sum(D group by A having count() = 2);", d), "A,X,F\nb,9,");
    assert_table(&run_on_input("R <- sum(D[filter false]);", d), "X,F\n,");
    let rule = "define viral propagation p (variable F) is aggregate max end viral propagation; ";
    assert_table(&run_on_input(&format!("{rule}R <- sum(D group by A);"), d), "A,X,F\na,6,Z\nb,9,P");
    let rule = "define viral propagation p (variable F) is when \"N\" then \"M\"; when \"M\" then \"M\"; else \"O\" end viral propagation; ";
    assert_table(&run_on_input(&format!("{rule}R <- sum(D group by A);"), d), "A,X,F\na,6,M\nb,9,O");
}

/// Durations are ordered by their length, not by their text.
#[test]
fn the_shortest_and_the_longest_duration() {
    let d = "K:i:string, L:m:duration\na, M\nb, A\nc, P10D\nd,";
    assert_table(&run_on_input("R <- min(D);", d), "L\nP10D");
    assert_table(&run_on_input("R <- max(D);", d), "L\nA");
    assert_table(
        &run_on_input("R <- max(D over (partition except all order by K));", d),
        "K,L\na,M\nb,A\nc,A\nd,A",
    );
    assert_table(
        &run_on_input("R <- D[calc N := rank(over (partition except all order by L desc))];", d),
        "K,L,N\na,M,2\nb,A,1\nc,P10D,3\nd,,4",
    );
}
