//! Handwritten scripts whose real cost might exceed their charged cost. Each must end in time, with a
//! result or a diagnostic, and reports its time per step. `VTL_FUZZ` multiplies the table lengths.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::super::support::table;
use super::rounds;
use vtl::{DiagnosticCode, RunCeilings, RunLimits, Script, Threads};

const LIMITS: RunLimits = RunLimits { steps: 1 << 32, cells: 1 << 24 };

/// End of a run and its time per step.
struct End {
    fault: Option<DiagnosticCode>,
    steps: u64,
    nanos: u128,
}

/// Checks and runs a script over one input `D`.
fn detonate(name: &str, script: &str, data: &str, limits: RunLimits) -> End {
    let inputs = BTreeMap::from([("D".to_owned(), Arc::new(table(data)))]);
    let shapes = inputs.iter().map(|(name, table)| (name.clone(), table.shape().clone())).collect();
    let start = Instant::now();
    let plan = Script::parse(script).and_then(|script| vtl::check(&script, &shapes));
    let checked = start.elapsed().as_nanos();
    let start = Instant::now();
    let (fault, steps) = match plan {
        Err(faults) => (Some(faults[0].code), 0),
        Ok(plan) => match vtl::run_plan_with(&plan, &inputs, limits, &RunCeilings::READER, Threads::ONE) {
            Ok(outcome) => (None, outcome.steps),
            Err(fault) => (Some(fault.code), 0),
        },
    };
    let nanos = start.elapsed().as_nanos();
    let each = nanos / u128::from(steps.max(1));
    let ended = fault.map_or("done", DiagnosticCode::as_str);
    eprintln!(
        "{each:>7} ns/step  {:>9} µs to check, {:>9} µs to run, {steps:>9} steps, {ended}: {name}",
        checked / 1000,
        nanos / 1000
    );
    End { fault, steps, nanos }
}

/// Rows with a key `K` and cells computed from the row number.
fn rows(head: &str, count: usize, row: impl Fn(usize) -> String) -> String {
    let lines: Vec<String> = (0..rounds(count)).map(|at| format!("{at},{}", row(at))).collect();
    format!("K:i:integer,{head}\n{}", lines.join("\n"))
}

fn run(name: &str, script: &str, data: &str) {
    let end = detonate(name, script, data, LIMITS);
    assert_eq!(end.fault, None, "{name}");
    assert!(end.steps > 0 && end.nanos > 0);
}

/// Numbers without a common digit position: their exact sum has twelve thousand digits.
fn spread(at: usize) -> String {
    let exponent = [6111, -6176, 3000, -3000, 0, 5000, -5000][at % 7];
    format!("{}e{exponent},{at}", 1_234_567_890_123_456_789_u64 + at as u64)
}

#[test]
fn numbers_of_every_size() {
    let plain = rows("X:m:number,N:m:integer", 400, |at| format!("{}.{},{at}", at * 7919 % 10_007, at % 997));
    let digits = rows("X:m:number,N:m:integer", 400, |at| {
        format!("{}e-20,{at}", 1_234_567_890_123_456_789_012_345_678_901_u128 + at as u128 * 7)
    });
    let spread = rows("X:m:number,N:m:integer", 400, spread);
    for (data, kind) in [(&plain, "plain"), (&digits, "34 digits"), (&spread, "spread")] {
        for expression in [
            "X + X",
            "X - N",
            "N * 3",
            "round(X, 2)",
            "round(X, N)",
            "trunc(X, -3000)",
            "mod(X, 7)",
            "mod(X, 3.0)",
            "mod(7.0, X)",
            "X = N",
            "abs(X)",
            "sqrt(abs(X))",
            "X / 3",
            "cast(X, string)",
            "cast(cast(X, string), number)",
            "power(X, 0)",
        ] {
            run(&format!("{kind}: {expression}"), &format!("R <- D[calc Y := {expression}];"), data);
        }
        for aggregate in ["sum", "avg", "min", "max", "median", "count"] {
            run(&format!("{kind}: {aggregate}"), &format!("R <- {aggregate}(D[keep X]);"), data);
            run(
                &format!("{kind}: {aggregate} of one row each"),
                &format!("R <- {aggregate}(D[keep X] group by K);"),
                data,
            );
            for window in [
                "data points between unbounded preceding and unbounded following",
                "data points between 5 preceding and 5 following",
                "data points between unbounded preceding and current data point",
            ] {
                run(
                    &format!("{kind}: {aggregate} over {window}"),
                    &format!("R <- D[keep X][calc Y := {aggregate}(X over (order by K {window}))];"),
                    data,
                );
            }
        }
    }
    for (data, kind) in [(&plain, "plain"), (&digits, "34 digits")] {
        for expression in [
            "ln(abs(X) + 1)",
            "exp(mod(X, 100.0))",
            "log(abs(X) + 1, 3)",
            "power(abs(X), 0.3)",
            "power(X, 99)",
        ] {
            run(&format!("{kind}: {expression}"), &format!("R <- D[calc Y := {expression}];"), data);
        }
    }
}

#[test]
fn variances_of_every_size() {
    let plain = rows("X:m:number,N:m:integer", 400, |at| format!("{}.{},{at}", at * 7919 % 10_007, at % 997));
    let spread = rows("X:m:number,N:m:integer", 400, |at| {
        let exponent = [3000, -6176, 2000, -3000, 0, 1000, -5000][at % 7];
        format!("{}e{exponent},{at}", 1_234_567_890_123_456_789_u64 + at as u64)
    });
    let dense = rows("X:m:number,N:m:integer", 400, |at| {
        let exponent = (at * 31 % 500) as i32 * 18 - 6000;
        format!("{}e{exponent},{at}", 1_234_567_890_123_456_789_u64 + at as u64)
    });
    for (data, kind) in [(&plain, "plain"), (&spread, "spread"), (&dense, "dense")] {
        for aggregate in ["stddev_pop", "var_samp"] {
            run(&format!("{kind}: {aggregate}"), &format!("R <- {aggregate}(D[keep X]);"), data);
            for window in [
                "data points between 5 preceding and 5 following",
                "data points between unbounded preceding and current data point",
            ] {
                run(
                    &format!("{kind}: {aggregate} over {window}"),
                    &format!("R <- D[keep X][calc Y := {aggregate}(X over (order by K {window}))];"),
                    data,
                );
            }
        }
    }
}

#[test]
fn texts_of_every_size() {
    let long =
        rows("S:m:string,U:m:string", 100, |at| format!("{}{at:04},{}", "a".repeat(1000), "a".repeat(500)));
    let short = rows("S:m:string,U:m:string", 100, |at| format!("text {at:04},a"));
    for (data, kind) in [(&short, "short"), (&long, "long")] {
        for expression in [
            "upper(S)",
            "trim(S)",
            "length(S)",
            "substr(S, 2, 2000)",
            "replace(S, U, \"b\")",
            "replace(S, \"a\", \"\")",
            "instr(S, U || \"b\")",
            "instr(S, \"a\", 1, 999)",
            "S || \"x\"",
            "S = U",
            "match_characters(S, \"(a|aa)*b?[0-9]+\")",
            "match_characters(S, \"(.?){64}a{64}\")",
            "match_characters(S, substr(U, 1, 200))",
            "cast(K, string)",
            "string_distance(hamming, S, S)",
            "string_distance(levenshtein, substr(S, 1, 256), substr(U, 1, 256))",
            "string_distance(damerau_levenshtein, substr(S, 1, 256), substr(U, 1, 256))",
            "string_distance(jaro_winkler, substr(S, 1, 256), substr(U, 1, 256))",
        ] {
            run(&format!("{kind}: {expression}"), &format!("R <- D[calc Y := {expression}];"), data);
        }
        run(&format!("{kind}: union"), "R <- union(D, D);", data);
        run(&format!("{kind}: max"), "R <- max(D);", data);
        run(
            &format!("{kind}: order"),
            "R <- D[calc Y := rank(over (partition except all order by S))];",
            data,
        );
    }
}

#[test]
fn definitions_that_grow() {
    let data = "K:i:integer,X:m:number\n1,1";
    let deep = |open: &str, close: &str| format!("{}x{}", open.repeat(140), close.repeat(140));
    let bodies = [deep("(1 + ", ")"), deep("abs(", ")"), deep("if true then 1 else ", ""), deep("-", "")];
    for body in &bodies {
        let calls: String = (1..24)
            .map(|i| {
                format!("define operator f{i}(x number) returns number is f{}({body}) end operator;", i - 1)
            })
            .collect();
        let script = format!(
            "define operator f0(x number) returns number is {body} end operator;{calls}R <- f23(1.0); Q <- D[calc Y := f23(X)];"
        );
        detonate(&format!("calls in calls of {body:.12}"), &script, data, LIMITS);
    }
    for (open, close) in
        [("abs(", ")"), ("-", ""), ("if true then 1.0 else ", ""), ("nvl(", ", 1.0)"), ("(", " + 1.0)")]
    {
        let nest =
            |depth: usize, middle: &str| format!("{}{middle}{}", open.repeat(depth), close.repeat(depth));
        let definition =
            format!("define operator f(x number) returns number is {} end operator;", nest(78, "x"));
        let (argument, inner) = (nest(76, "1.0"), nest(76, "X"));
        let around = nest(79, &format!("f({argument})"));
        let script =
            format!("{definition} R <- {around}; Q <- D[calc Y := {}];", nest(79, &format!("f({inner})")));
        detonate(&format!("an expression around a call of {open}"), &script, data, LIMITS);
    }
    let sets = deep("abs(", ")");
    let calls: String = (1..24)
        .map(|i| {
            format!(
                "define operator f{i}(x dataset) returns dataset is {} end operator;",
                sets.replace('x', &format!("f{}(x)", i - 1))
            )
        })
        .collect();
    let script =
        format!("define operator f0(x dataset) returns dataset is {sets} end operator;{calls}R <- f23(D);");
    detonate("calls in calls over data sets", &script, data, LIMITS);
    let twice: String = (1..30)
        .map(|i| {
            format!(
                "define operator f{i}(x number) returns number is f{}(x) + f{}(x) end operator;",
                i - 1,
                i - 1
            )
        })
        .collect();
    let script =
        format!("define operator f0(x number) returns number is x + x end operator;{twice}R <- f29(1);");
    assert!(detonate("calls that double", &script, data, LIMITS).fault.is_some());
    let doubled: String = (1..30).map(|i| format!("A{i} := A{} || A{};", i - 1, i - 1)).collect();
    let end = detonate("texts that double", &format!("A0 := \"aaaa\";{doubled}R <- A29;"), data, LIMITS);
    assert_eq!(end.fault, Some(DiagnosticCode::Overflow));
}

#[test]
fn checks_that_take_long() {
    let data = "K:i:integer,X:m:number\n1,1";
    let wide = format!(
        "K:i:integer,{}\n1,{}",
        (0..63).map(|i| format!("X{i}:m:number")).collect::<Vec<_>>().join(","),
        vec!["1"; 63].join(",")
    );
    let chain: String = (1..3000).map(|i| format!("A{i}:=A{}+1;", i - 1)).collect();
    detonate("a chain over a wide data set", &format!("A0:=D;{chain}R<-A2999;"), &wide, LIMITS);
    let calcs: String = (0..2000).map(|_| "[calc X:=X+X]").collect();
    detonate("many clauses", &format!("R<-D{};", &calcs[..13 * 150]), data, LIMITS);
    let chain: String = (1..2500).map(|i| format!("A{i}:=A{}[calc X:=X+X];", i - 1)).collect();
    detonate("a chain of calc", &format!("A0:=D;{chain}R<-A2499;"), data, LIMITS);
    let list = (0..9000).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
    detonate("a long list", &format!("R<-D[filter K in {{{list}}}];"), data, LIMITS);
    let set = format!(
        "define operator f(s set<integer>, k component<integer>) returns boolean is k in s end operator; R<-D[calc {}];",
        (0..500)
            .map(|i| format!("Y{i}:=f({{{}}},K)", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20"))
            .take(100)
            .collect::<Vec<_>>()
            .join(",")
    );
    detonate("lists in calls", &set, data, LIMITS);
    let set = format!(
        "define operator f(s set<integer>, k integer) returns boolean is {} end operator; define operator g(s set<integer>, k integer) returns boolean is {} end operator; R<-D[filter g({{{}}},K)];",
        vec!["k in s"; 150].join(" or "),
        vec!["f(s,k)"; 150].join(" or "),
        vec!["1"; 20_000].join(",")
    );
    let end = detonate("lists in calls of calls", &set, data, LIMITS);
    assert_eq!(end.fault, Some(DiagnosticCode::Size));
    let sums = format!(
        "S:={};R<-D[calc Y:={}];",
        vec!["f(1,1,1,1)"; 150].join("+"),
        vec!["f(S,S,S,S)"; 150].join("+")
    );
    detonate(
        "many uses of a scalar",
        &format!(
            "define operator f(a number,b number,c number,d number) returns number is a end operator;{sums}"
        ),
        data,
        LIMITS,
    );
    let uses = (0..100).map(|i| format!("Y{i}:={}", vec!["S"; 90].join("+"))).collect::<Vec<_>>().join(",");
    let ones = vec![vec!["1"; 100].join("+"); 140].join(")+(");
    detonate("many uses of a long scalar", &format!("S:=({ones});R<-D[calc {uses}];"), data, LIMITS);
    let names = (0..20_000)
        .map(|i| format!("a{}", i % 90))
        .collect::<Vec<_>>()
        .chunks(120)
        .map(|c| format!("Y:={}", c.join("+")))
        .collect::<Vec<_>>()
        .join(",");
    detonate("unknown components", &format!("R<-D[calc {}];", names), &wide, LIMITS);
    let variables = (0..2500).map(|i| format!("X as a{i}")).collect::<Vec<_>>().join(",");
    let rules = (0..2000).map(|i| format!("a{i}>1")).collect::<Vec<_>>().join(";");
    detonate(
        "many variables",
        &format!(
            "define datapoint ruleset P(variable {variables}) is {rules} end datapoint ruleset; R<-check_datapoint(D,P);"
        ),
        data,
        LIMITS,
    );
    let calls = (0..2).fold(
        "define operator m(s string) returns boolean is match_characters(s, \"[^a]{250}\") end operator;"
            .to_owned(),
        |text, i| {
            let body = vec![if i == 0 { "m(s)" } else { "n0(s)" }; 100].join(" or ");
            format!("{text}define operator n{i}(s string) returns boolean is {body} end operator;")
        },
    );
    detonate("patterns in calls", &format!("{calls}R<-D[calc Y:=n1(\"b\")];"), data, LIMITS);
    let rules = (0..3000).map(|i| format!("r{i}:X>{i}")).collect::<Vec<_>>().join(";");
    detonate(
        "many rules",
        &format!(
            "define datapoint ruleset P(variable X) is {rules} end datapoint ruleset; R<-check_datapoint(D,P);"
        ),
        data,
        LIMITS,
    );
    let rules = (0..3000).map(|i| format!("a{i}=a{}+b", i + 1)).collect::<Vec<_>>().join(";");
    let texts = "K:i:string,X:m:number\nb,1\na3000,2";
    detonate(
        "a chain of code items",
        &format!(
            "define hierarchical ruleset H(variable rule K) is {rules} end hierarchical ruleset; R<-hierarchy(D,H);"
        ),
        texts,
        LIMITS,
    );
    let ring = format!("{rules};a3000=a0");
    detonate(
        "a ring of code items",
        &format!(
            "define hierarchical ruleset H(variable rule K) is {ring} end hierarchical ruleset; R<-hierarchy(D,H);"
        ),
        texts,
        LIMITS,
    );
    let rules = (0..8000).map(|_| "a=b").collect::<Vec<_>>().join(";");
    detonate(
        "one code item, many rules",
        &format!(
            "define hierarchical ruleset H(variable rule K) is {rules} end hierarchical ruleset; R<-hierarchy(D,H);"
        ),
        texts,
        LIMITS,
    );
    let joins = (0..900).map(|i| format!("D[rename X to X{i}] as d{i}")).collect::<Vec<_>>().join(",");
    detonate("a join of many", &format!("R<-inner_join({joins});"), data, LIMITS);
    let names = (0..2000).map(|i| format!("A{i}:=B{i};")).collect::<String>();
    detonate("unknown names", &names, data, LIMITS);
    let unions = vec!["D"; 30_000].join(",");
    detonate("a union of many", &format!("R<-union({unions});"), data, LIMITS);
    let name = "x".repeat(60_000);
    detonate("a long name", &format!("{name}:=D;R<-{name};"), data, LIMITS);
    detonate("a long text", &format!("R<-\"{name}\";"), data, LIMITS);
    detonate("a long number", &format!("R<-{};", "1".repeat(60_000)), data, LIMITS);
    detonate("a long fraction", &format!("R<-0.{}1;", "0".repeat(60_000)), data, LIMITS);
}

#[test]
fn attributes_that_spread() {
    let data = "K:i:integer,X:m:number,V:v:string\n1,1,a\n2,2,b";
    let joins = |count: usize| {
        let operands: Vec<String> = (0..count).map(|i| format!("D[rename X to X{i}] as d{i}")).collect();
        format!("R<-inner_join({});", operands.join(","))
    };
    let propagation = |clauses: usize| {
        let clauses: Vec<String> =
            (0..clauses).map(|i| format!("when \"{i}\" and \"a\" then \"b\"")).collect();
        format!(
            "define viral propagation P (variable V) is {}; else \"z\" end viral propagation;",
            clauses.join(";")
        )
    };
    assert_eq!(detonate("a join of viral attributes", &joins(40), data, LIMITS).fault, None);
    let rule = propagation(30) + &joins(10);
    assert_eq!(detonate("a join by clauses", &rule, data, LIMITS).fault, None);
    let long = propagation(1500);
    detonate("a join by many clauses", &(long.clone() + &joins(2)), data, LIMITS);
    let end = detonate("a sum by many clauses", &(long + "R<-sum(D[sub K = 1]); Q <- sum(D);"), data, LIMITS);
    assert!(end.fault.is_none() && end.steps > 3 * 1500);
}

#[test]
fn time_without_end() {
    let days = "A:i:string,T:i:date,X:m:number\na,0001-01-02,1\na,9999-12-30,2\nb,2020-01-01,3";
    let periods =
        "A:i:string,T:i:time_period,X:m:number\na,0001-01-01,1\na,9999-12-31,2\nb,2020-W01,3\nc,2020-M01,1";
    let times = "A:i:string,T:i:time,X:m:number\na,0001-01-01/0001-01-01,1\na,9999-12-31/9999-12-31,2\nb,2020-01-01/2020-12-31,3";
    for data in [days, periods, times] {
        for script in [
            "R<-fill_time_series(D,all);",
            "R<-fill_time_series(D,single);",
            "R<-fill_time_series(D);Q<-fill_time_series(fill_time_series(D,all),all);",
        ] {
            detonate(script, script, data, RunLimits { steps: rounds(1 << 20) as u64, ..LIMITS });
            let short = detonate(script, script, data, RunLimits { steps: 100_000, ..LIMITS });
            assert_eq!(short.fault, Some(DiagnosticCode::Budget));
        }
        for count in ["9223372036854775807", "-9223372036854775808", "3652058", "-3652058"] {
            let script = format!("R<-timeshift(D,{count});");
            detonate(&script, &script, data, LIMITS);
        }
    }
}

#[test]
fn products_without_end() {
    let data = rows("X:m:number", 3000, |at| at.to_string());
    let end = detonate("a product", "R<-cross_join(D as a[rename K to L,X to Y] , D as b);", &data, LIMITS);
    assert!(end.fault.is_some());
    let script = "A:=D[rename K to L,X to Y];R<-cross_join(A as a,D as b);";
    assert_eq!(
        detonate("a product", script, &data, RunLimits { steps: 1 << 20, ..LIMITS }).fault,
        Some(DiagnosticCode::Budget)
    );
    let script = "A:=D[rename K to L,X to Y];B:=D[rename K to M,X to Z];R<-cross_join(A as a,B as b,D as c);";
    assert_eq!(detonate("a product of three", script, &data, LIMITS).fault, Some(DiagnosticCode::Budget));
}
