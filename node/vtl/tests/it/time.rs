//! Time operators (reference manual, "Time operators").

use super::support::{LIMITS, assert_scalars, assert_table, diagnostics_of, run_on_input, run_script, table};

/// Annual series as intervals, as last days and as periods, together with quarters.
const TIME: &str = "K:i:string, T:i:time, X:m:integer
    A, 2010-01-01/2010-12-31, 2\nA, 2012-01-01/2012-12-31, 5\nA, 2013-01-01/2013-12-31, -3
    B, 2011-01-01/2011-12-31, 4\nB, 2014-01-01/2014-12-31, ";
const DATE: &str = "K:i:string, T:i:date, X:m:number, S:a:string
    A, 2010-12-31, 2, p\nA, 2012-12-31, 5, q\nB, 2011-12-31, 4, r\nB, 2013-12-31, , s";
const PERIOD: &str = "T:i:time_period, K:i:string, X:m:number
    2010, A, 1.5\n2012, A, 2\n2010-Q2, A, 10\n2010-Q4, A, \n2011-Q1, A, 30\n2010-Q3, B, 7";

#[test]
fn the_indicator_is_a_duration() {
    assert_scalars(&[
        ("period_indicator(cast(\"2010Q1\", time_period))", "Q"),
        ("period_indicator(cast(null, time_period))", "null"),
        ("period_indicator(\"2010\")", "type"),
        ("period_indicator(1, 2)", "syntax"),
    ]);
    let d = PERIOD;
    assert_table(
        &run_on_input("R <- period_indicator(D)[filter K = \"A\"];", d),
        "T,K,duration_var\n2010,A,A\n2012,A,A\n2010-Q2,A,Q\n2010-Q4,A,Q\n2011-Q1,A,Q",
    );
    assert_table(
        &run_on_input("R <- D[filter period_indicator() = cast(\"A\", duration)];", d),
        "T,K,X\n2010,A,1.5\n2012,A,2",
    );
    assert_table(
        &run_on_input("R <- D[filter period_indicator(T) = cast(\"A\", duration)];", d),
        "T,K,X\n2010,A,1.5\n2012,A,2",
    );
    assert_eq!(diagnostics_of("R <- period_indicator(D);", &[("D", DATE)])[0].0, "structure");
    assert_eq!(diagnostics_of("R <- D[calc P := period_indicator()];", &[("D", DATE)])[0].0, "structure");
}

/// Reference manual, "Add time unit to date": a period counts as its last day; a day beyond the month
/// is cut.
#[test]
fn days_move_by_units() {
    let day = |text: &str| format!("cast(\"{text}\", date)");
    for (from, count, unit, want) in [
        ("2020-02-10", "1", "\"M\"", "2020-03-10"),
        ("2020-02-10", "30", "\"D\"", "2020-03-11"),
        ("2020-02-10", "4", "\"W\"", "2020-03-09"),
        ("2020-02-10", "1", "\"Y\"", "2021-02-10"),
        ("2020-02-10", "1", "\"A\"", "2021-02-10"),
        ("2020-02-10", "365", "\"D\"", "2021-02-09"),
        ("2021-11-04", "-3", "\"W\"", "2021-10-14"),
        ("2020-12-31", "2", "\"M\"", "2021-02-28"),
        ("2020-02-29", "-1", "\"Y\"", "2019-02-28"),
        ("2020-01-31", "2", "\"Q\"", "2020-07-31"),
        ("2020-01-31", "2", "cast(\"P1M1D\", duration)", "2020-04-02"),
        ("9999-12-31", "1", "\"D\"", "overflow"),
        ("2020-01-01", "9223372036854775807", "\"Y\"", "overflow"),
        ("2020-01-01", "cast(null, integer)", "\"Y\"", "null"),
        ("2020-01-01", "1", "\"X\"", "cast"),
        ("2020-01-01", "1", "2", "type"),
    ] {
        assert_scalars(&[(format!("dateadd({}, {count}, {unit})", day(from)).as_str(), want)]);
    }
    assert_scalars(&[("dateadd(cast(\"2022Q1\", time_period), 5, \"M\")", "2022-08-31")]);
    assert_table(
        &run_on_input("R <- dateadd(D, 1, \"M\");", DATE),
        "K,T,X,S\nA,2011-01-31,2,p\nA,2013-01-31,5,q\nB,2012-01-31,4,r\nB,2014-01-31,,s",
    );
    let clash = "T:i:date, X:m:number\n2021-01-30, 1\n2021-01-31, 2";
    assert_eq!(diagnostics_of("R <- dateadd(D, 1, \"M\");", &[("D", clash)])[0].0, "duplicate");
    assert_eq!(
        diagnostics_of("N := cast(null, integer); R <- dateadd(D, N, \"M\");", &[("D", clash)])[0].0,
        "null-identifier"
    );
    let periods = "T:i:time_period, X:m:number\n2021, 1\n2021-Q1, 2";
    assert_table(&run_on_input("R <- dateadd(D, 1, \"D\");", periods), "T,X\n2021-04-01,2\n2022-01-01,1");
}

/// RM "Days between two dates", "Extract time period".
#[test]
fn days_are_counted_and_named() {
    assert_scalars(&[
        ("datediff(cast(\"2021Q2\", time_period), cast(\"2021-11-04\", date))", "127"),
        ("datediff(cast(\"2019-01-01\", date), cast(\"2020Q2\", time_period))", "546"),
        ("datediff(cast(\"2020-01-02\", date), cast(\"2020-01-01\", date))", "-1"),
        ("datediff(cast(null, date), cast(\"2020-01-01\", date))", "null"),
        ("datediff(cast(\"2020-01-01/2020-01-02\", time), cast(\"2020-01-01\", date))", "type"),
        ("dayofyear(cast(\"2020-04-07\", date))", "98"),
        ("dayofyear(cast(\"2020-12-31\", date))", "366"),
        ("dayofmonth(cast(\"2020-12-31\", date))", "31"),
        ("dayofmonth(cast(\"2020M12\", time_period))", "1"),
        ("dayofyear(cast(\"2020Q2\", time_period))", "92"),
        ("dayofyear(cast(null, date))", "null"),
        ("getmonth(cast(\"2020-12-14\", date))", "12"),
        ("getyear(cast(\"2022Q1\", time_period))", "2022"),
        ("dayofmonth(1)", "type"),
    ]);
    assert_table(
        &run_on_input(
            "R <- D[filter K = \"A\"][calc X := datediff(T, cast(\"2011\", time_period))][drop S];",
            DATE,
        ),
        "K,T,X\nA,2010-12-31,365\nA,2012-12-31,-366",
    );
}

/// Reference manual, "Number days to duration", "Duration to number days": 365 days per year, 30 per
/// month.
#[test]
fn durations_are_days() {
    assert_scalars(&[
        ("daytoyear(782)", "P2Y52D"),
        ("daytoyear(240)", "P240D"),
        ("daytoyear(365)", "A"),
        ("daytomonth(134)", "P4M14D"),
        ("daytomonth(724)", "P2Y4D"),
        ("daytomonth(0)", "P0D"),
        ("daytoyear(-1)", "overflow"),
        ("daytoyear(9223372036854775807)", "overflow"),
        ("daytoyear(cast(null, integer))", "null"),
        ("daytoyear(1.5)", "type"),
        ("yeartoday(cast(\"P1Y20D\", duration))", "385"),
        ("yeartoday(cast(\"A\", duration))", "365"),
        ("yeartoday(cast(\"P1M\", duration))", "domain"),
        ("monthtoday(cast(\"P3M10D\", duration))", "100"),
        ("monthtoday(cast(\"P1Y\", duration))", "360"),
        ("monthtoday(cast(null, duration))", "null"),
        ("monthtoday(3)", "type"),
    ]);
    let d = "K:i:string, X:m:duration\nG, P2Y230D\nH, P1Y23D\nT,";
    assert_table(&run_on_input("R <- yeartoday(D);", d), "K,int_var\nG,960\nH,388\nT,");
}

/// RM "Fill time series".
#[test]
fn missing_periods_are_added() {
    assert_table(
        &run_on_input("R <- fill_time_series(D, single);", TIME),
        "K,T,X
        A,2010-01-01/2010-12-31,2\nA,2011-01-01/2011-12-31,\nA,2012-01-01/2012-12-31,5\nA,2013-01-01/2013-12-31,-3
        B,2011-01-01/2011-12-31,4\nB,2012-01-01/2012-12-31,\nB,2013-01-01/2013-12-31,\nB,2014-01-01/2014-12-31,",
    );
    assert_table(
        &run_on_input("R <- fill_time_series(D, all);", DATE),
        "K,T,X,S
        A,2010-12-31,2,p\nA,2011-12-31,,\nA,2012-12-31,5,q\nA,2013-12-31,,
        B,2010-12-31,,\nB,2011-12-31,4,r\nB,2012-12-31,,\nB,2013-12-31,,s",
    );
    assert_table(
        &run_on_input("R <- fill_time_series(D, single);", PERIOD),
        "T,K,X
        2010,A,1.5\n2011,A,\n2012,A,2\n2010-Q2,A,10\n2010-Q3,A,\n2010-Q3,B,7\n2010-Q4,A,\n2011-Q1,A,30",
    );
    let all = run_on_input("R <- fill_time_series(D);", PERIOD);
    assert_eq!(all.lines().count(), 1 + 3 + 12 + 12);
    assert!(all.contains("\n2012-Q4,B,") && all.contains("\n2010-Q1,A,") && !all.contains("\n2010,B,"));
    assert_table(&run_on_input("R <- fill_time_series(D[filter false]);", DATE), "K,T,X,S");
    let weeks = "T:i:time_period, X:m:integer\n2021, 1\n2021-W02, 1";
    let all = run_on_input("R <- fill_time_series(D);", weeks);
    // From Monday 2021-01-04 to Sunday 2021-12-26: the weeks entirely within the year.
    assert!(
        all.contains("\n2021-W01,")
            && all.contains("\n2021-W51,")
            && !all.contains("W52")
            && !all.contains("W53")
    );
    let first = "T:i:date, X:m:integer\n2021-01-01, 1\n2021-03-01, 2";
    assert_table(
        &run_on_input("R <- fill_time_series(D);", first),
        "T,X\n2021-01-01,1\n2021-02-01,\n2021-03-01,2",
    );
    let end = "T:i:time_period, X:m:integer\n9997, 1\n9999, 2\n9999-12-29, 3\n9999-12-31, 4";
    assert_eq!(run_on_input("R <- fill_time_series(D, single);", end).lines().count(), 1 + 3 + 3);
}

#[test]
fn filling_is_charged_in_advance() {
    let far = "T:i:date, X:m:integer\n0001-01-02, 1\n9999-12-30, 2";
    let few = vtl::RunLimits { cells: 1000, ..LIMITS };
    let fault = run_script("R <- fill_time_series(D);", &[("D", far)], few).unwrap_err();
    assert_eq!(fault[0].code.as_str(), "budget");
    let odd = "T:i:time, X:m:integer\n2021-01-01/2021-01-05, 1";
    assert_eq!(diagnostics_of("R <- fill_time_series(D);", &[("D", odd)])[0].0, "frequency");
    assert_eq!(
        diagnostics_of("R <- fill_time_series(D[drop X][sub T = cast(\"2021\", time)]);", &[("D", odd)])[0].0,
        "structure"
    );
    assert_eq!(diagnostics_of("R <- fill_time_series(D, first);", &[("D", odd)])[0].0, "syntax");
}

/// Reference manual, "Flow to stock", "Stock to flow": nulls stay and add nothing; a difference with
/// null is null.
#[test]
fn flows_and_stocks() {
    assert_table(
        &run_on_input("R <- flow_to_stock(D);", PERIOD),
        "T,K,X\n2010,A,1.5\n2012,A,3.5\n2010-Q2,A,10\n2010-Q3,B,7\n2010-Q4,A,\n2011-Q1,A,40",
    );
    assert_table(
        &run_on_input("R <- stock_to_flow(D);", PERIOD),
        "T,K,X\n2010,A,1.5\n2012,A,0.5\n2010-Q2,A,10\n2010-Q3,B,7\n2010-Q4,A,\n2011-Q1,A,",
    );
    assert_table(
        &run_on_input("R <- flow_to_stock(D);", TIME),
        "K,T,X\nA,2010-01-01/2010-12-31,2\nA,2012-01-01/2012-12-31,7\nA,2013-01-01/2013-12-31,4
        B,2011-01-01/2011-12-31,4\nB,2014-01-01/2014-12-31,",
    );
    assert_table(
        &run_on_input("R <- stock_to_flow(flow_to_stock(D));", DATE),
        "K,T,X,S\nA,2010-12-31,2,p\nA,2012-12-31,5,q\nB,2011-12-31,4,r\nB,2013-12-31,,s",
    );
    assert_table(&run_on_input("R <- flow_to_stock(D[filter false]);", DATE), "K,T,X,S");
    let most = "T:i:time_period, X:m:integer\n2010, 9223372036854775807\n2011, 1\n2012, -1";
    assert_eq!(diagnostics_of("R <- flow_to_stock(D);", &[("D", most)])[0].0, "overflow");
    // The exact sum has 35 digits in between and is rounded at each data point.
    let wide = "T:i:time_period, X:m:number\n2010, 9999999999999999999999999999999999\n2011, 0.4\n2012, 0.4";
    assert_table(
        &run_on_input("R <- flow_to_stock(D);", wide),
        "T,X\n2010,9999999999999999999999999999999999\n2011,9999999999999999999999999999999999\n2012,10000000000000000000000000000000000",
    );
    let text = "T:i:time_period, X:m:string\n2010, a";
    assert_eq!(diagnostics_of("R <- flow_to_stock(D);", &[("D", text)])[0].0, "type");
}

/// Reference manual, "Time shift": dates move by the frequency for which all are last days, or all
/// first days.
#[test]
fn all_time_types_shift() {
    assert_table(
        &run_on_input("R <- timeshift(D, 2)[drop S];", DATE),
        "K,T,X\nA,2012-12-31,2\nA,2014-12-31,5\nB,2013-12-31,4\nB,2015-12-31,",
    );
    assert_table(
        &run_on_input("R <- timeshift(D, -1)[filter K = \"B\"];", TIME),
        "K,T,X\nB,2010-01-01/2010-12-31,4\nB,2013-01-01/2013-12-31,",
    );
    for (days, count, want) in [
        (["2021-01-31", "2021-02-28"], 1, ["2021-02-28", "2021-03-31"]),
        (["2021-01-01", "2021-07-01"], 1, ["2021-07-01", "2022-01-01"]),
        (["2021-01-03", "2021-01-10"], 1, ["2021-01-10", "2021-01-17"]),
        (["2021-01-04", "2021-01-18"], -1, ["2020-12-28", "2021-01-11"]),
        (["2021-01-31", "2021-03-01"], 1, ["2021-02-01", "2021-03-02"]),
        (["2021-06-30", "2020-12-31"], 1, ["2021-06-30", "2021-12-31"]),
    ] {
        let d = format!("T:i:date\n{}\n{}", days[0], days[1]);
        assert_table(
            &run_on_input(&format!("R <- timeshift(D, {count});"), &d),
            &format!("T\n{}\n{}", want[0], want[1]),
        );
    }
    // Intervals of several frequencies change their order.
    let mixed =
        "T:i:time, X:m:integer\n2010-01-01/2010-03-31, 1\n2010-01-01/2010-12-31, 2\n2009-12-31/2009-12-31, 3";
    assert_table(
        &run_on_input("R <- timeshift(D, 1);", mixed),
        "T,X\n2010-01-01/2010-01-01,3\n2010-04-01/2010-06-30,1\n2011-01-01/2011-12-31,2",
    );
    assert_table(&run_on_input("R <- timeshift(D[filter false], 1);", DATE), "K,T,X,S");
    let odd = "T:i:time\n2021-01-01/2021-01-05";
    assert_eq!(diagnostics_of("R <- timeshift(D, 1);", &[("D", odd)])[0].0, "frequency");
    assert_eq!(diagnostics_of("R <- timeshift(D, 9999);", &[("D", DATE)])[0].0, "overflow");
}

/// RM "Time aggregation".
#[test]
fn time_agg_converts_to_coarser_frequencies() {
    let day = "cast(\"2012-02-13\", date)";
    for (call, want) in [
        (format!("time_agg(\"Q\", {day}, last)"), "2012-03-31"),
        (format!("time_agg(\"A\", {day}, first)"), "2012-01-01"),
        (format!("time_agg(\"M\", {day})"), "2012-02-29"),
        (format!("time_agg(\"W\", _, {day}, first)"), "2012-02-13"),
        (format!("time_agg(\"D\", _, {day})"), "2012-02-13"),
        ("time_agg(\"Q\", cast(\"2012M01\", time_period))".into(), "2012-Q1"),
        ("time_agg(\"A\", \"Q\", cast(\"2012Q1\", time_period))".into(), "2012"),
        ("time_agg(\"A\", \"M\", cast(\"2012Q1\", time_period))".into(), "frequency"),
        ("time_agg(\"M\", \"A\", cast(\"2012Q1\", time_period))".into(), "frequency"),
        ("time_agg(\"M\", cast(\"2012Q1\", time_period))".into(), "frequency"),
        ("time_agg(\"A\", cast(\"2012Q1\", time_period), first)".into(), "type"),
        ("time_agg(\"A\", cast(\"2012-02-01/2012-03-15\", time))".into(), "2012-01-01/2012-12-31"),
        ("time_agg(\"M\", cast(\"2012-02-01/2012-03-15\", time))".into(), "frequency"),
        ("time_agg(\"Q\", cast(\"2012-02-01/2012-02-29\", time))".into(), "2012-01-01/2012-03-31"),
        ("time_agg(\"A\", cast(null, date))".into(), "null"),
        ("time_agg(\"A\", 1)".into(), "type"),
        ("time_agg(\"A\")".into(), "syntax"),
        ("time_agg(\"X\", cast(null, date))".into(), "syntax"),
    ] {
        assert_scalars(&[(call.as_str(), want)]);
    }
    let d = "K:i:string, M:m:date\na, 2012-02-13\nb,";
    assert_table(&run_on_input("R <- time_agg(\"M\", D);", d), "K,M\na,2012-02-29\nb,");
    assert_table(
        &run_on_input("R <- D[calc F := time_agg(\"A\", M, first)];", d),
        "K,M,F\na,2012-02-13,2012-01-01\nb,,",
    );
}

#[test]
fn groups_are_of_coarser_time() {
    let d = "T:i:date, X:m:number\n2012-01-31, 1\n2012-03-31, 2\n2012-04-30, 4";
    assert_table(
        &run_on_input("R <- sum(D group all time_agg(\"Q\"));", d),
        "T,X\n2012-03-31,3\n2012-06-30,4",
    );
    assert_table(
        &run_on_input("R <- sum(D group by T time_agg(\"Q\", first));", d),
        "T,X\n2012-01-01,3\n2012-04-01,4",
    );
    assert_table(&run_on_input("R <- sum(D[filter false] group all time_agg(\"Q\"));", d), "T,X");
    assert_table(
        &run_on_input("R <- sum(D group all time_agg(\"A\"))[filter K = \"B\"];", TIME),
        "K,T,X\nB,2011-01-01/2011-12-31,4\nB,2014-01-01/2014-12-31,",
    );
    assert_table(
        &run_on_input("R <- sum(D group all time_agg(\"A\"))[filter K = \"A\"];", PERIOD),
        "T,K,X\n2010,A,11.5\n2011,A,30\n2012,A,2",
    );
    assert_eq!(diagnostics_of("R <- sum(D group all time_agg(\"Q\"));", &[("D", PERIOD)])[0].0, "frequency");
    assert_eq!(
        diagnostics_of("R <- sum(D group all time_agg(\"A\", first));", &[("D", PERIOD)])[0].0,
        "type"
    );
}

/// A published recipe must not infer a frequency from the data.
#[test]
fn an_inferred_frequency_is_reported() {
    let advice = |script: &str, data: &str| -> Vec<String> {
        let shapes = std::collections::BTreeMap::from([("D".to_owned(), table(data).shape().clone())]);
        let plan = vtl::check(&vtl::Script::parse(script).unwrap(), &shapes).unwrap();
        plan.lint().iter().map(|fault| script[fault.span.start..fault.span.end].to_owned()).collect()
    };
    let script = "A := timeshift(D, 1); B := fill_time_series(A); R <- stock_to_flow(B);";
    assert_eq!(advice(script, DATE), ["timeshift(D, 1)", "fill_time_series(A)"]);
    assert!(advice(script, PERIOD).is_empty() && advice(script, TIME).is_empty());
}

#[test]
fn units_move_one_data_set() {
    assert_eq!(diagnostics_of("R <- dateadd(D, D, \"M\");", &[("D", DATE)])[0].0, "structure");
    assert_eq!(diagnostics_of("R <- dateadd(1, D, \"M\");", &[("D", DATE)])[0].0, "type");
}
