//! Analytic invocations.

use super::support::{faults, result, same};

const D: &str = "K:i:string, T:i:date, X:m:number
    a, 2024-01-01, 3\na, 2024-01-02, 1\na, 2024-01-03, \na, 2024-01-04, 2\nb, 2024-01-01, 5";

fn over(function: &str, window: &str) -> String {
    let script = format!("R <- D[calc X := {function}(X over (partition by K order by T {window}))];");
    result(&script, D)
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
    same(&over("sum", three), &dates(["4", "4", "3", "2", "5"]));
    same(&over("avg", three), &dates(["2", "2", "1.5", "2", "5"]));
    same(&over("count", three), &dates(["2", "2", "2", "1", "1"]));
    same(&over("min", three), &dates(["1", "1", "1", "2", "5"]));
    same(&over("max", three), &dates(["3", "3", "2", "2", "5"]));
    let running = "data points between unbounded preceding and current data point";
    same(&over("max", running), &dates(["3", "3", "3", "3", "5"]));
    same(&over("sum", running), &dates(["3", "4", "4", "6", "5"]));
    let rest = "data points between current data point and unbounded following";
    same(&over("min", rest), &dates(["1", "1", "2", "2", "5"]));
    same(&over("sum", rest), &dates(["6", "3", "2", "2", "5"]));
    let before = "data points between 2 preceding and 1 preceding";
    same(&over("sum", before), &dates(["", "3", "4", "1", ""]));
    let none = "data points between 1 following and 1 preceding";
    same(&over("sum", none), &dates(["", "", "", "", ""]));
    same(&over("max", none), &dates(["", "", "", "", ""]));
    let all = "data points between unbounded preceding and unbounded following";
    same(&over("max", all), &dates(["3", "3", "3", "3", "5"]));
    same(&over("avg", all), &dates(["2", "2", "2", "2", "5"]));
}

#[test]
fn lag_looks_back_by_data_points() {
    let script = "R <- D[calc X := lag(X, 1 over (partition by K order by T))];";
    same(
        &result(script, D),
        "K,T,X\na,2024-01-01,\na,2024-01-02,3\na,2024-01-03,1\na,2024-01-04,\nb,2024-01-01,",
    );
    let script = "R <- D[calc X := lag(X, 2 over (order by T desc))];";
    same(
        &result(script, D),
        "K,T,X\na,2024-01-01,\na,2024-01-02,2\na,2024-01-03,\na,2024-01-04,\nb,2024-01-01,",
    );
}

#[test]
fn what_a_window_needs() {
    assert_eq!(faults("R <- D[calc X := sum(X over (order by T))];", &[("D", D)])[0].0, "unsupported");
    assert_eq!(
        faults("R <- D[calc X := sum(X over (partition by X))];", &[("D", D)]),
        [("structure", "X".into())]
    );
    assert_eq!(faults("R <- D[calc X := sum(sum(X over ()) over ())];", &[("D", D)])[0].0, "structure");
    same(
        &result("R <- D[calc X := X / sum(X over (partition by K))];", "K:i:string, X:m:number\na, 4\nb,"),
        "K,X\na,1\nb,",
    );
}
