//! Ceilings of the machine above the limits of the author: each has a code of its own, and bounds the run whatever
//! the limits of the author are.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use schemas::table::Table;
use vtl::{DiagnosticCode, ExecutionPlan, RunCeilings, RunLimits, RunOutput, Script, Threads};

use super::support::table;

/// Limits of an author who wants everything.
const BOUNDLESS: RunLimits = RunLimits { steps: u64::MAX, cells: u64::MAX };

type Inputs = BTreeMap<String, Arc<Table>>;

fn prepare(script: &str, data: &str) -> (ExecutionPlan, Inputs) {
    let inputs = BTreeMap::from([("D".to_owned(), Arc::new(table(data)))]);
    let shapes = inputs.iter().map(|(name, table)| (name.clone(), table.shape().clone())).collect();
    (vtl::check(&Script::parse(script).unwrap(), &shapes).unwrap(), inputs)
}

/// Runs a script on one and on several threads, with the same end.
fn run(
    script: &str,
    data: &str,
    limits: RunLimits,
    ceilings: &RunCeilings,
) -> Result<RunOutput, DiagnosticCode> {
    let (plan, inputs) = prepare(script, data);
    let run = |threads: usize| {
        let threads = Threads::new(NonZeroUsize::new(threads).unwrap()).with_rows_min(NonZeroUsize::MIN);
        vtl::run_plan_with(&plan, &inputs, limits, ceilings, threads)
    };
    let one = run(1);
    assert_eq!(one, run(4), "{script}");
    one.map_err(|diagnostic| diagnostic.code)
}

/// A key, a number and a text of 10 bytes, distinct in every row.
fn rows(count: usize) -> String {
    let lines: Vec<String> = (0..count).map(|at| format!("{at},{at}.5,{at:010}")).collect();
    format!("K:i:integer,X:m:number,S:m:string\n{}", lines.join("\n"))
}

/// All pairs of the data points of `D`.
const PAIRS: &str = "A := D[rename K to L, X to Y, S to T]; P := cross_join(A as a, D as d);";

#[test]
fn the_limit_of_the_author_counts_at_or_below_the_ceiling() {
    let (script, data) = ("R <- D[calc Z := X + 1];", rows(10));
    let whole = run(script, &data, BOUNDLESS, &RunCeilings::READER).unwrap();
    let (steps, cells) = (whole.steps, whole.cells);
    let ended = |limit: (u64, u64), ceiling: (u64, u64)| {
        let limits = RunLimits { steps: limit.0, cells: limit.1 };
        let ceilings = RunCeilings { steps: ceiling.0, cells: ceiling.1, ..RunCeilings::READER };
        run(script, &data, limits, &ceilings).err()
    };
    assert_eq!(ended((steps, cells), (steps, cells)), None);
    let much = u64::MAX;
    for (limit, ceiling, expected) in [
        ((steps - 1, much), (much, much), DiagnosticCode::Budget),
        ((steps - 1, much), (steps - 1, much), DiagnosticCode::Budget),
        ((steps - 1, much), (steps - 2, much), DiagnosticCode::CeilingSteps),
        ((much, much), (steps - 1, much), DiagnosticCode::CeilingSteps),
        ((much, cells - 1), (much, much), DiagnosticCode::Budget),
        ((much, cells - 1), (much, cells - 1), DiagnosticCode::Budget),
        ((much, cells - 1), (much, cells - 2), DiagnosticCode::CeilingCells),
        ((much, much), (much, cells - 1), DiagnosticCode::CeilingCells),
    ] {
        assert_eq!(ended(limit, ceiling), Some(expected), "{limit:?} {ceiling:?}");
    }
}

/// Runs with a ceiling of bytes only.
fn run_within(bytes: u64, script: &str, data: &str) -> Option<DiagnosticCode> {
    let ceilings = RunCeilings { steps: u64::MAX, cells: u64::MAX, bytes, stop: None };
    run(script, data, BOUNDLESS, &ceilings).err()
}

#[test]
fn memory_is_bounded_whatever_makes_it() {
    let pairs = |rest: &str| format!("{PAIRS} R <- P{rest};");
    let doubled = "D1 := D[calc S := S || S]; D2 := D1[calc S := S || S]; D3 := D2[calc S := S || S];\
                   D4 := D3[calc S := S || S]; D5 := D4[calc S := S || S]; R <- D5[calc S := S || S];";
    for script in [
        &pairs(""),
        &pairs("[calc Z := X * Y + 0.1]"),
        &pairs("[calc Z := S || T]"),
        &pairs("[calc Z := cast(X * Y, string)]"),
        &pairs("[calc Z := rank(over (partition by L order by X))]"),
        &pairs("[calc Z := sum(X over (partition by L order by K))]"),
        &pairs("[calc Z := if X > Y then S else T]"),
        &pairs("[aggr Z := max(S) group by L, K]"),
        "R <- full_join(D[rename K to L, X to Y, S to T] as a, D[rename K to L, X to Z, S to U] as b using L);",
        "R <- union(D[rename K to L], D[calc S := S || \"a\"][rename K to L], D[calc S := S || \"b\"][rename K to L]);",
        doubled,
    ] {
        assert_eq!(run_within(100_000, script, &rows(300)), Some(DiagnosticCode::CeilingBytes), "{script}");
        assert_eq!(run_within(1 << 30, script, &rows(300)), None, "{script}");
    }
}

#[test]
fn equal_texts_are_stored_once_and_dropped_results_are_free() {
    let long = "x".repeat(1000);
    let same = format!("R <- D[calc S := \"{long}\" || \"{long:.9}\"][calc T := S || \"y\"];");
    assert_eq!(run_within(150_000, &same, &rows(300)), None);
    let steps: String = (0..100).map(|at| format!("A{} := A{at} + 1; ", at + 1)).collect();
    let chain = format!("A0 := D[keep X]; {steps} R <- A100;");
    assert_eq!(run_within(150_000, &chain, &rows(300)), None);
}

#[test]
fn a_flag_ends_a_run_wherever_it_is() {
    let slow = |rest: &str| format!("{PAIRS} R <- P{rest};");
    for script in [
        slow("[calc Z := ln(X + Y + 1.5)]"),
        slow("[calc Z := power(X + 1.5, Y / 7)]"),
        slow("[calc Z := string_distance(damerau_levenshtein, S || T, T || S)]"),
        slow("[calc Z := match_characters(S || T, \"(.{1,9}){1,9}x\")]"),
        slow("[calc Z := median(X over (partition by L order by K))]"),
        slow("[calc Z := stddev_pop(Y / (X + 0.7) over (order by L, K))]"),
        slow("[calc Z := cast(cast(X / (Y + 1.3), string), number)]"),
        slow("[aggr Z := var_samp(X / (Y + 0.3)) group by L]"),
    ] {
        // Minutes of work, with no ceiling but the flag.
        let (plan, inputs) = prepare(&script, &rows(600));
        let stop = Arc::new(AtomicBool::new(false));
        let ceilings =
            RunCeilings { steps: u64::MAX, cells: u64::MAX, bytes: u64::MAX, stop: Some(Arc::clone(&stop)) };
        let (started, start) = mpsc::channel();
        let end = std::thread::scope(|scope| {
            let run = scope.spawn(move || {
                started.send(()).unwrap();
                vtl::run_plan(&plan, &inputs, BOUNDLESS, &ceilings)
            });
            start.recv().unwrap();
            stop.store(true, Ordering::Relaxed);
            run.join().unwrap()
        });
        assert_eq!(end.map(|_| ()).unwrap_err().code, DiagnosticCode::CeilingTime, "{script}");
    }
}

#[test]
fn an_error_of_the_data_is_not_reported_by_a_run_that_was_stopped() {
    let stop = Some(Arc::new(AtomicBool::new(true)));
    let ceilings = RunCeilings { stop, ..RunCeilings::READER };
    for script in ["R <- D[calc Z := X / 0];", "R <- D[calc identifier Z := if X > 1 then K else null];"] {
        let ended = run(script, &rows(10), BOUNDLESS, &ceilings).err();
        assert_eq!(ended, Some(DiagnosticCode::CeilingTime));
        assert!(DiagnosticCode::CeilingTime.is_ceiling());
        let ended = run(script, &rows(10), BOUNDLESS, &RunCeilings::READER).err().unwrap();
        assert!(!ended.is_ceiling(), "{script}");
    }
}
