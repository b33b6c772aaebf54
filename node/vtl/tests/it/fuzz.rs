//! Hostile scripts end quickly in a diagnostic, never in a panic.

mod bombs;
mod bytes;
mod generated;
mod random;
mod script;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::support::{LIMITS, run_script, table};
use vtl::{RunCeilings, RunLimits, Script};

const SCRIPTS: [&str; 11] = [
    "R <- round((CPI / timeshift(CPI, 12) - 1) * 100, 1); /* c */ Q := power(CPI, 3) || \"x\";",
    "Y := CPI[filter getyear(T) = 2015 and not isnull(X)]; B := avg(Y group by A having count() = 12); R <- CPI / B * 100;",
    "R <- inner_join(CPI as c, W[rename X to V] as w using A filter V > 1 calc Z := c#X * V, measure Q := nvl(X, 0) keep Z, Q rename Z to X);",
    "R <- CPI[aggr S := sum(X * 2), N := count(), M := max(A) group except T having min(X) < 3][calc identifier K := S > 1];",
    "S := -3.5; R <- CPI[calc X := if between(X, 1, 2) then mod(X, S) else abs(X), P := A in { \"a\", \"b\" }][sub A = \"a\"];",
    "R <- CPI[calc X := sum(X over (partition by A order by T desc data points between 2 preceding and 1 following)), L := lag(X, 1 over (order by T))];",
    "N := 1; R <- lead(CPI, N, 0.5 over (partition by A order by T)); Q <- median(CPI over (partition by A order by T range between N preceding and 2 following)); S <- stddev_samp(CPI group by A having var_pop(X) >= 0);",
    "R <- union(CPI, setdiff(CPI, CPI[filter X > 1]), intersect(CPI, CPI)); Q <- symdiff(CPI, CPI[sub A = \"a\"][calc identifier A := \"a\"]); S <- exists_in(CPI, W, false);",
    "R <- ewma(CPI, 0.25); Q <- chain_product(CPI)[calc N := rank(over (partition except all order by X desc, T)), F := first_value(X over (partition by A order by T))]; S <- ratio_to_report(CPI over (partition by A));",
    "R <- fill_time_series(CPI, single) [calc S := upper(substr(A, 1, 2)) || replace(A, \"a\", _), M := match_characters(A, \"[a-z]{2}\"), L := length(A) + instr(A, \"a\", _, 1), X := string_distance(jaro_winkler, A, \"ab\")];",
    "R <- stock_to_flow(flow_to_stock(timeshift(CPI, -1))) [calc D := dateadd(T, 2, \"M\"), P := cast(\"2020Q1\", time_period, \"YYYY\\QQ\"), Q := time_agg(\"A\", _, T), N := datediff(T, cast(\"2020-01-31\", date)), I := period_indicator(), Y := yeartoday(daytoyear(400))];",
];

/// Number of rounds; the variable `VTL_FUZZ` multiplies it.
fn rounds(count: usize) -> usize {
    count * std::env::var("VTL_FUZZ").ok().and_then(|times| times.parse().ok()).unwrap_or(1)
}

fn inputs() -> BTreeMap<String, Arc<schemas::table::Table>> {
    let cpi = "A:i:string, T:i:time_period, X:m:number\na, 2015-M01, 1.5\na, 2016-M01,\nb, 2015-M01, 0\nb, 2016-M01, 2";
    let weights = "A:i:string, X:m:number\na, 2\nb, 3";
    BTreeMap::from([("CPI".to_owned(), Arc::new(table(cpi))), ("W".to_owned(), Arc::new(table(weights)))])
}

/// Parses, checks and runs a script, and renders its diagnostics.
fn attempt(script: &str) -> bool {
    let tables = inputs();
    let shapes = tables.iter().map(|(name, table)| (name.clone(), table.shape().clone())).collect();
    let limits = RunLimits { steps: 200_000, cells: 100_000 };
    let outcome = Script::parse(script).and_then(|script| vtl::check(&script, &shapes)).and_then(|plan| {
        vtl::run_plan(&plan, &tables, limits, &RunCeilings::READER).map_err(|fault| vec![fault])
    });
    match outcome {
        Ok(_) => true,
        Err(faults) => {
            assert!(!faults.is_empty());
            assert!(faults.iter().all(|fault| !vtl::render_diagnostic(script, fault).is_empty()));
            false
        }
    }
}

fn next(seed: &mut u64) -> usize {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    (*seed >> 11) as usize
}

#[test]
fn mutated_scripts_never_panic() {
    let words: Vec<&str> = SCRIPTS.iter().flat_map(|script| script.split(' ')).collect();
    let junk = [
        "(",
        ")",
        "[",
        "]",
        ";",
        "#",
        "-",
        "null",
        "\"",
        "'",
        "é",
        "9999999999",
        "0.1",
        "{",
        "/*",
        "over",
        ":=",
    ];
    let mut seed = 0x9E37_79B9_7F4A_7C15;
    let mut fine = 0;
    for round in 0..6000 {
        let mut parts: Vec<&str> = SCRIPTS[round % SCRIPTS.len()].split(' ').collect();
        for _ in 0..1 + next(&mut seed) % 3 {
            let at = next(&mut seed) % parts.len();
            match next(&mut seed) % 4 {
                0 => parts[at] = words[next(&mut seed) % words.len()],
                1 => parts.insert(at, junk[next(&mut seed) % junk.len()]),
                2 => parts[at] = "",
                _ => {
                    let other = next(&mut seed) % parts.len();
                    parts.swap(at, other);
                }
            }
        }
        fine += usize::from(attempt(&parts.join(" ")));
    }
    assert!(fine > 50, "mutation that breaks everything tests nothing: {fine}");
}

#[test]
fn every_prefix_of_a_script_ends_in_a_fault_or_a_result() {
    for script in SCRIPTS {
        assert!(attempt(script) || script.contains("||"), "{script}");
        for end in 0..script.len() {
            attempt(&script[..end]);
        }
    }
}

#[test]
fn depth_is_bounded_everywhere() {
    for (open, middle, close) in [
        ("(", "CPI", ")"),
        ("-", "CPI", ""),
        ("not ", "CPI", ""),
        ("abs(", "CPI", ")"),
        ("1 + ", "CPI", ""),
        ("", "CPI", " + 1"),
        ("", "CPI", "[filter true]"),
        ("", "CPI", "#X"),
        ("if true then 1 else ", "CPI", ""),
        ("if ", "CPI", " then 1 else 2"),
        ("sum(", "CPI", ")"),
        ("inner_join(CPI as a, ", "CPI", " as b)"),
        ("CPI[calc X := ", "1", "]"),
        ("case when ", "true", " then 1 else 2"),
        ("cast(", "1", ", number)"),
        ("timeshift(", "CPI", ", 1)"),
    ] {
        for depth in [50, 150, 10_000] {
            let script = format!("R <- {}{middle}{};", open.repeat(depth), close.repeat(depth));
            let script = if script.len() > vtl::SCRIPT_BYTES_MAX {
                script[..vtl::SCRIPT_BYTES_MAX].to_owned()
            } else {
                script
            };
            let script = if std::str::from_utf8(script.as_bytes()).is_ok() { script } else { continue };
            let fine = attempt(&script);
            assert!(depth < 1000 || !fine, "{script:.40}");
        }
    }
    assert_eq!(
        Script::parse(&" ".repeat(vtl::SCRIPT_BYTES_MAX + 1)).unwrap_err()[0].code,
        vtl::DiagnosticCode::Size
    );
}

#[test]
fn width_is_bounded_by_the_budget() {
    let chain: String = (1..3000).map(|i| format!("A{i}:=A{}+A{};", i - 1, i - 1)).collect();
    assert!(!attempt(&format!("A0:=CPI;{chain}R<-A2999;")));
    let backwards: String = (1..3000).rev().map(|i| format!("A{i}:=A{};", i - 1)).collect();
    assert!(attempt(&format!("R<-A2999;{backwards}A0:=CPI;")));
    let ring: String = (0..4000).map(|i| format!("A{i}:=A{};", (i + 1) % 4000)).collect();
    assert!(!attempt(&ring));
    let cross = "A := CPI[rename T to T1]; B := A[rename T1 to T2]; C := inner_join(A, B using A);";
    let more: String = (0..20)
        .map(|i| {
            format!("D{i} := inner_join(C{i} as x, A[rename T1 to U{i}] as y using A drop X);")
                .replace("C0 ", "A ")
                .replace(&format!("C{i} "), &format!("D{} ", i - i.min(1)))
        })
        .collect();
    assert!(!attempt(&format!("{cross}{more}R <- D19;")));
    let rows: String = (0..300).map(|i| format!("\n{i},{i}")).collect();
    let data = format!("K:i:integer, X:m:integer{rows}");
    let steps = |width: &str| {
        let window = format!(
            "R <- D[calc X := max(X over (order by K data points between {width} preceding and {width} following))];"
        );
        run_script(&window, &[("D", &data)], LIMITS).unwrap().steps
    };
    assert_eq!(steps("1"), steps("4000000000"));
}

#[test]
fn hostile_masks_and_patterns_never_panic() {
    let signs = [
        "Y",
        "YYYY",
        "M",
        "MM",
        "D",
        "DD",
        "Q",
        "S",
        "W",
        "C",
        "P",
        "p",
        "{",
        "}",
        "\\",
        "*",
        "+",
        ".",
        ",",
        "E",
        "/",
        "-",
        "MONTH",
        "Month3",
        "day",
        "DAY9",
        "(",
        ")",
        "[",
        "]",
        "^",
        "a",
        "é",
        "2",
        "2020",
        "01",
        ":",
        "|",
        "?",
        "{2,3}",
        "[:alpha:]",
    ];
    let kinds = ["integer", "number", "date", "time_period", "time", "duration"];
    let values = [
        "12.5",
        "-7",
        "cast(\"2020-12-31\", date)",
        "cast(\"2020-W53\", time_period)",
        "cast(\"2020/2021\", time)",
        "cast(\"P1Y3M\", duration)",
    ];
    let mut seed = 0x2545_F491_4F6C_DD1D;
    let mut fine = 0;
    for round in 0..6000 {
        let mut text = |most: usize| -> String {
            (0..1 + next(&mut seed) % most).map(|_| signs[next(&mut seed) % signs.len()]).collect()
        };
        let (mask, value, kind, cell) =
            (text(6), text(6), kinds[round % kinds.len()], values[round % values.len()]);
        for expr in [
            format!("cast(\"{value}\", {kind}, \"{mask}\")"),
            format!("cast({cell}, string, \"{mask}\")"),
            format!("match_characters(\"{value}\", \"{mask}\")"),
        ] {
            fine += usize::from(attempt(&format!("R <- {expr};")));
        }
    }
    assert!(fine > 500, "{fine}");
}
