//! Analytic invocations.

use super::support::{LIMITS, assert_table, diagnostics_of, run_on_input, run_script};

const D: &str = "K:i:string, T:i:date, X:m:number
    a, 2024-01-01, 3\na, 2024-01-02, 1\na, 2024-01-03, \na, 2024-01-04, 2\nb, 2024-01-01, 5";

fn over(function: &str, window: &str) -> String {
    let script = format!("R <- D[calc X := {function}(X over (partition by K order by T {window}))];");
    run_on_input(&script, D)
}

#[test]
fn windows_slide_over_data_points() {
    let three = "data points between 1 preceding and 1 following";
    let dates = |values: [&str; 5]| {
        let keys = ["a,2024-01-01", "a,2024-01-02", "a,2024-01-03", "a,2024-01-04", "b,2024-01-01"];
        let rows: Vec<String> =
            keys.iter().zip(values).map(|(key, value)| format!("{key},{value}")).collect();
        format!("K,T,X\n{}", rows.join("\n"))
    };
    assert_table(&over("sum", three), &dates(["4", "4", "3", "2", "5"]));
    assert_table(&over("avg", three), &dates(["2", "2", "1.5", "2", "5"]));
    assert_table(&over("count", three), &dates(["2", "2", "2", "1", "1"]));
    assert_table(&over("min", three), &dates(["1", "1", "1", "2", "5"]));
    assert_table(&over("max", three), &dates(["3", "3", "2", "2", "5"]));
    let running = "data points between unbounded preceding and current data point";
    assert_table(&over("max", running), &dates(["3", "3", "3", "3", "5"]));
    assert_table(&over("sum", running), &dates(["3", "4", "4", "6", "5"]));
    let rest = "data points between current data point and unbounded following";
    assert_table(&over("min", rest), &dates(["1", "1", "2", "2", "5"]));
    assert_table(&over("sum", rest), &dates(["6", "3", "2", "2", "5"]));
    let before = "data points between 2 preceding and 1 preceding";
    assert_table(&over("sum", before), &dates(["", "3", "4", "1", ""]));
    let none = "data points between 1 following and 1 preceding";
    assert_table(&over("sum", none), &dates(["", "", "", "", ""]));
    assert_table(&over("max", none), &dates(["", "", "", "", ""]));
    let all = "data points between unbounded preceding and unbounded following";
    assert_table(&over("max", all), &dates(["3", "3", "3", "3", "5"]));
    assert_table(&over("avg", all), &dates(["2", "2", "2", "2", "5"]));
}

#[test]
fn lag_looks_back_by_data_points() {
    let script = "R <- D[calc X := lag(X, 1 over (partition by K order by T))];";
    assert_table(
        &run_on_input(script, D),
        "K,T,X\na,2024-01-01,\na,2024-01-02,3\na,2024-01-03,1\na,2024-01-04,\nb,2024-01-01,",
    );
    let script = "R <- D[calc X := lag(X, 2 over (order by T desc))];";
    assert_table(
        &run_on_input(script, D),
        "K,T,X\na,2024-01-01,\na,2024-01-02,2\na,2024-01-03,\na,2024-01-04,\nb,2024-01-01,",
    );
}

#[test]
fn analytic_operators_check_their_clauses() {
    assert_eq!(
        diagnostics_of("R <- D[calc X := sum(X over (partition by X))];", &[("D", D)]),
        [("structure", "X".into())]
    );
    assert_eq!(
        diagnostics_of("R <- D[calc X := sum(sum(X over ()) over ())];", &[("D", D)])[0].0,
        "structure"
    );
    assert_table(
        &run_on_input(
            "R <- D[calc X := X / sum(X over (partition by K))];",
            "K:i:string, X:m:number\na, 4\nb,",
        ),
        "K,X\na,1\nb,",
    );
}

/// Reference manual, "Analytic invocation": default of the window clause.
#[test]
fn an_order_without_a_window_includes_peers() {
    let d = "K:i:string, G:m:integer, X:m:number\na, 1, 1\nb, 2, 2\nc, 2, 4\nd, , 8\ne, 3, 16";
    let over = |window: &str| {
        run_on_input(&format!("R <- D[calc X := sum(X over (partition except all {window}))];"), d)
    };
    let keys = |values: [&str; 5]| {
        let rows = ["a,1", "b,2", "c,2", "d,", "e,3"].iter().zip(values);
        format!("K,G,X\n{}", rows.map(|(key, value)| format!("{key},{value}")).collect::<Vec<_>>().join("\n"))
    };
    // Null sorts before every value.
    assert_table(&over("order by G"), &keys(["9", "15", "15", "8", "31"]));
    assert_table(&over("order by G desc"), &keys(["23", "22", "22", "31", "16"]));
    assert_table(&over(""), &keys(["31"; 5]));
    assert_table(
        &over("order by G range between current data point and unbounded following"),
        &keys(["23", "22", "22", "31", "16"]),
    );
    assert_table(
        &over("order by G data points between unbounded preceding and current data point"),
        &keys(["9", "11", "15", "8", "31"]),
    );
}

/// Reference manual, "Analytic invocation", `range`: days of dates, shifts of periods, differences of
/// numbers.
#[test]
fn ranges_measure_differences_of_the_ordering_component() {
    let range = |d: &str, order: &str, from: &str, to: &str| {
        let script = format!(
            "N := 2; H := 0.5; TOP := 9 * power(10.0, 6144); R <- D[calc S := sum(X over (partition except all order by {order} \
             range between {from} and {to}))][keep S];"
        );
        let table = run_on_input(&script, d);
        let values: Vec<String> =
            table.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().to_owned()).collect();
        values.join(" ")
    };
    let days = "T:i:date, X:m:integer\n2024-02-28, 1\n2024-03-01, 2\n2024-03-02, 4\n2024-03-05, 8";
    assert_eq!(range(days, "T", "2 preceding", "current data point"), "1 3 6 8");
    assert_eq!(range(days, "T", "N preceding", "current data point"), "1 3 6 8");
    assert_eq!(range(days, "T desc", "2 preceding", "current data point"), "3 6 4 8");
    assert_eq!(range(days, "T", "1 following", "3 following"), "6 4 8 ");
    assert_eq!(range(days, "T", "-1 preceding", "unbounded following"), "14 12 8 ");
    let periods = "T:i:time_period, X:m:integer\n2020, 1\n2021, 2\n2020-M01, 4\n2020-M02, 8\n2020-M04, 16";
    assert_eq!(range(periods, "T", "1 preceding", "1 following"), "3 3 12 12 16");
    assert_eq!(range(periods, "T", "unbounded preceding", "current data point"), "1 3 7 15 31");
    let numbers = "K:i:integer, V:m:number, X:m:integer\n1, 0.1, 1\n2, 0.6, 2\n3, 0.61, 4\n4, , 8\n5, , 16";
    assert_eq!(range(numbers, "V", "H preceding", "current data point"), "1 3 6 24 24");
    assert_eq!(range(numbers, "V", "0.01 preceding", "0.01 following"), "1 6 6 24 24");
    assert_eq!(range(numbers, "V", "unbounded preceding", "0.5 following"), "27 31 31 24 24");
    assert_eq!(range(numbers, "V desc", "0.5 preceding", "current data point"), "3 6 4 24 24");
    let huge =
        "K:i:integer, V:m:number, X:m:integer\n1, 9000000000000000000000000000000000E+6111, 1\n2, 1, 2";
    assert_eq!(range(huge, "V", "current data point", "TOP following"), "1 3");
    let whole = "K:i:integer, X:m:integer\n-9223372036854775808, 1\n9223372036854775807, 2";
    assert_eq!(range(whole, "K", "1 preceding", "1 following"), "1 2");
}

/// Reference manual, "First value", "Last value": nulls are skipped, separately for each measure.
#[test]
fn first_and_last_values_skip_nulls() {
    let script = "R <- first_value(D over (partition by K order by T data points between 1 preceding and 1 following));";
    let d = "K:i:string, T:i:integer, X:m:number, Y:m:string\na, 1, , p\na, 2, 2,\na, 3, , r\nb, 1, ,";
    assert_table(&run_on_input(script, d), "K,T,X,Y\na,1,2,p\na,2,2,p\na,3,2,r\nb,1,,");
    assert_table(
        &run_on_input(&script.replace("first", "last"), d),
        "K,T,X,Y\na,1,2,p\na,2,2,r\na,3,2,r\nb,1,,",
    );
    let empty = script.replace("1 preceding and 1", "1 following and 5");
    assert_table(&run_on_input(&empty, d), "K,T,X,Y\na,1,2,r\na,2,,r\na,3,,\nb,1,,");
    assert_table(
        &run_on_input("R <- first_value(D over (partition except all));", d),
        "K,T,X,Y\na,1,2,p\na,2,2,p\na,3,2,p\nb,1,2,p",
    );
    // Without `order by` each data point is its own partition, because no identifier orders.
    assert_table(&run_on_input("R <- first_value(D over ());", d), "K,T,X,Y\na,1,,p\na,2,2,\na,3,,r\nb,1,,");
}

/// Reference manual, "Lag", "Lead".
#[test]
fn lag_and_lead_take_an_offset_and_a_default() {
    let at = |call: &str| {
        let script = format!("N := 2; R <- D[calc X := {call} over (partition by K order by T))];");
        let table = run_on_input(&script, D);
        let values: Vec<&str> = table.lines().skip(1).map(|line| line.rsplit(',').next().unwrap()).collect();
        values.join(" ")
    };
    assert_eq!(at("lag(X"), " 3 1  ");
    assert_eq!(at("lead(X, 1"), "1  2  ");
    // The default replaces missing data points, not nulls.
    assert_eq!(at("lead(X, 1, 0"), "1  2 0 0");
    assert_eq!(at("lag(X, N, 0.5"), "0.5 0.5 3 1 0.5");
    assert_eq!(at("lag(X, 4000000000, -1"), "-1 -1 -1 -1 -1");
    assert_table(
        &run_on_input("R <- lead(D, 1 over (partition by K order by T));", D),
        "K,T,X\na,2024-01-01,1\na,2024-01-02,\na,2024-01-03,2\na,2024-01-04,\nb,2024-01-01,",
    );
    let fault = |call: &str| {
        let script = format!("Z := 0; R <- D[calc X := {call} over (partition by K order by T))];");
        diagnostics_of(&script, &[("D", D)])
    };
    assert_eq!(fault("lag(X, 0"), [("type", "0".into())]);
    assert_eq!(fault("lag(X, Z"), [("type", "Z".into())]);
    assert_eq!(fault("lag(X, -1"), [("type", "-1".into())]);
    assert_eq!(fault("lag(X, 1, \"none\""), [("type", "\"none\"".into())]);
    assert_eq!(fault("lag(X, M"), [("unknown-name", "M".into())]);
    assert_eq!(fault("lag(X, 1.5"), [("type", "1.5".into())]);
    assert_eq!(
        diagnostics_of("R <- D[calc X := lag(X, 1 over (partition by K))];", &[("D", D)])[0].0,
        "structure"
    );
}

/// Reference manual, "Rank": equal data points share a rank, followed by a gap.
#[test]
fn ranks_leave_gaps() {
    let rank = |window: &str| run_on_input(&format!("R <- D[calc N := rank(over ({window}))][keep N];"), D);
    let keys = ["a,2024-01-01", "a,2024-01-02", "a,2024-01-03", "a,2024-01-04", "b,2024-01-01"];
    let with = |ranks: [i32; 5]| {
        let rows: Vec<String> = keys.iter().zip(ranks).map(|(key, rank)| format!("{key},{rank}")).collect();
        format!("K,T,N\n{}", rows.join("\n"))
    };
    assert_table(&rank("partition by K order by T"), &with([1, 2, 3, 4, 1]));
    assert_table(&rank("partition except all order by T"), &with([1, 3, 4, 5, 1]));
    assert_table(&rank("partition except all order by K desc"), &with([2, 2, 2, 2, 1]));
    assert_table(&rank("partition by K order by X"), &with([4, 2, 1, 3, 1]));
    assert_table(&rank("partition by K order by X desc"), &with([1, 3, 4, 2, 1]));
    assert_eq!(
        diagnostics_of("R <- D[calc N := rank(over (partition by K))];", &[("D", D)])[0].0,
        "structure"
    );
    assert_eq!(diagnostics_of("R <- rank(over (order by T));", &[("D", D)])[0].0, "structure");
}

/// Reference manual, "Ratio to report".
#[test]
fn shares_of_a_partition() {
    let d = "K:i:string, T:i:integer, X:m:integer\na, 1, 1\na, 2, 2\na, 3,\nb, 1,\nc, 1, 5";
    let script = "R <- ratio_to_report(D over (partition by K));";
    assert_table(
        &run_on_input(script, d),
        "K,T,X\na,1,0.3333333333333333333333333333333333\na,2,0.6666666666666666666666666666666667\na,3,\nb,1,\nc,1,1",
    );
    let zero = "K:i:string, T:i:integer, X:m:integer\na, 1, 1\na, 2, -1";
    assert_eq!(diagnostics_of(script, &[("D", zero)])[0].0, "division-by-zero");
    // With several errors, the one of the first data point in canonical order is reported.
    let two = "K:i:integer, J:i:string, X:m:integer\n1, b, 1\n2, a, 1\n3, a, -1\n4, b, -1";
    let found =
        run_script("R <- ratio_to_report(D over (partition by J));", &[("D", two)], LIMITS).unwrap_err();
    assert_eq!(found[0].data_point.as_deref(), Some("K = 1, J = b"));
    assert_eq!(diagnostics_of("R <- ratio_to_report(D over ());", &[("D", d)])[0].0, "structure");
    assert_eq!(
        diagnostics_of("R <- ratio_to_report(D over (partition by K order by T));", &[("D", d)])[0].0,
        "structure"
    );
}

/// Reference manual, "Analytic invocation": at data set level on every measure.
#[test]
fn whole_data_sets_have_windows() {
    let d = "K:i:string, T:i:integer, X:m:number, N:m:integer, A:a:string\na, 1, 1.5, 1, p\na, 2, 2.5, , q\nb, 1, , 3, r";
    let running =
        "over (partition by K order by T data points between unbounded preceding and current data point)";
    assert_table(&run_on_input(&format!("R <- sum(D {running});"), d), "K,T,X,N\na,1,1.5,1\na,2,4,1\nb,1,,3");
    assert_table(&run_on_input(&format!("R <- avg(D {running});"), d), "K,T,X,N\na,1,1.5,1\na,2,2,1\nb,1,,3");
    assert_table(&run_on_input(&format!("R <- count(D {running});"), d), "K,T,int_var\na,1,1\na,2,2\nb,1,1");
    assert_table(
        &run_on_input("R <- median(D over (partition by K));", d),
        "K,T,X,N\na,1,2,1\na,2,2,1\nb,1,,3",
    );
    assert_table(
        &run_on_input("R <- var_samp(D over (partition by K));", d),
        "K,T,X,N\na,1,0.5,\na,2,0.5,\nb,1,,",
    );
    assert_table(
        &run_on_input("R <- var_pop(D over (partition by K));", d),
        "K,T,X,N\na,1,0.25,0\na,2,0.25,0\nb,1,,0",
    );
    assert_table(
        &run_on_input("R <- stddev_pop(D over (partition by K));", d),
        "K,T,X,N\na,1,0.5,0\na,2,0.5,0\nb,1,,0",
    );
    assert_table(&run_on_input("R <- sum(D[filter false] over (partition by K));", d), "K,T,X,N");
    assert_eq!(diagnostics_of("R <- sum(D[calc S := K] over (partition by K));", &[("D", d)])[0].0, "type");
    assert_eq!(
        diagnostics_of("R <- sum(D[drop X, N] over (partition by K));", &[("D", d)])[0].0,
        "structure"
    );
    assert_table(
        &run_on_input("R <- D[filter X = max(X over (partition by K))];", d),
        "K,T,X,N,A\na,2,2.5,,q",
    );
}

/// A sliding window is exact after values have left it.
#[test]
fn variances_and_medians_slide() {
    let d = "T:i:integer, X:m:number\n1, 1E+40\n2, 3\n3, 5\n4, 7\n5,\n6, 8";
    let over = |function: &str| {
        let script = format!(
            "R <- D[calc X := {function}(X over (order by T data points between 2 preceding and current data point))];"
        );
        let table = run_on_input(&script, d);
        let values: Vec<&str> = table.lines().skip(1).map(|line| line.split(',').nth(1).unwrap()).collect();
        values.join(" ")
    };
    let third = "2.666666666666666666666666666666667";
    let far = "2222222222222222222222222222222222E+46";
    assert_eq!(over("var_pop"), format!("0 25E+78 {far} {third} 1 0.25"));
    assert_eq!(
        over("stddev_samp"),
        // Square root of the rounded variance.
        " 7071067811865475244008443621048490000000 5773502691896257645091487805019574000000 2 \
         1.414213562373095048801688724209698 0.707106781186547524400844362104849"
    );
    assert_eq!(over("median"), format!("1{} 5{} 5 5 6 7.5", "0".repeat(40), "0".repeat(39)));
}

#[test]
fn invalid_windows_are_rejected() {
    let fault =
        |window: &str| diagnostics_of(&format!("R <- D[calc X := sum(X over ({window}))];"), &[("D", D)]);
    assert_eq!(
        fault("order by K, T range between 1 preceding and current data point"),
        [("structure", "1".into())]
    );
    assert_eq!(fault("order by K range between 1 preceding and current data point"), [("type", "1".into())]);
    assert_eq!(
        fault("order by T range between 1.5 preceding and current data point"),
        [("type", "1.5".into())]
    );
    assert_eq!(
        fault("order by T data points between M preceding and current data point"),
        [("unknown-name", "M".into())]
    );
    assert_eq!(
        fault("order by T data points between D preceding and current data point"),
        [("type", "D".into())]
    );
    let null = "N := cast(null, integer); R <- D[calc X := sum(X over (order by T data points between N preceding and N following))];";
    assert_eq!(diagnostics_of(null, &[("D", D)]), [("type", "N".into())]);
}

/// Reference manual, "Analytic invocation": viral attributes are merged over the window.
#[test]
fn viral_attributes_follow_the_window() {
    let d = "T:i:integer, X:m:number, S:a:string, F:v:string\n1, 1, x, P\n2, 2, x, N\n3, 4, x, Z\n4, 8, x,";
    let two = "over (order by T data points between 1 preceding and current data point)";
    assert_table(&run_on_input(&format!("R <- sum(D {two});"), d), "T,X,F\n1,1,P\n2,3,N\n3,6,N\n4,12,");
    assert_table(
        &run_on_input(&format!("R <- count(D {two});"), d),
        "T,int_var,F\n1,1,P\n2,2,N\n3,2,N\n4,2,",
    );
    let rule = "define viral propagation p (variable F) is aggregate max end viral propagation; ";
    assert_table(
        &run_on_input(&format!("{rule}R <- avg(D {two});"), d),
        "T,X,F\n1,1,P\n2,1.5,P\n3,3,Z\n4,6,Z",
    );
    let rule = "define viral propagation p (variable F) is when \"N\" then \"M\"; else \"O\" end viral propagation; ";
    assert_eq!(diagnostics_of(&format!("{rule}R <- avg(D {two});"), &[("D", d)])[0].0, "unsupported");
}
