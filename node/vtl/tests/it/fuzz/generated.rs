//! Properties of random scripts on random tables.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use super::random::{Random, Tables, shuffle, tables, texts};
use super::rounds;
use super::script::Generator;
use vtl::{Diagnostic, DiagnosticCode, ExecutionPlan, RunCeilings, RunLimits, RunOutput, Script, Threads};

/// More than any small script needs; a script that needs more ends in a diagnostic.
const LIMITS: RunLimits = RunLimits { steps: 3_000_000, cells: 300_000 };

fn run(
    plan: &ExecutionPlan,
    tables: &Tables,
    limits: RunLimits,
    threads: usize,
) -> Result<RunOutput, Diagnostic> {
    let few = NonZeroUsize::MIN.saturating_add(1);
    vtl::run_plan_with(
        plan,
        tables,
        limits,
        &RunCeilings::READER,
        Threads::new(NonZeroUsize::new(threads).unwrap()).with_rows_min(few),
    )
}

/// Generates a script and tables from one seed and checks all properties. Returns the code of its
/// diagnostic.
fn attempt(seed: u64) -> Option<DiagnosticCode> {
    let mut random = Random::new(seed);
    let mut lines = texts(&mut random);
    let inputs = tables(&lines);
    let shapes: BTreeMap<_, _> =
        inputs.iter().map(|(name, table)| (name.clone(), table.shape().clone())).collect();
    let (script, plan) = Generator::new(seed, shapes.clone()).script(1 + random.below(6));
    let one = run(&plan, &inputs, LIMITS, 1);

    lines.iter_mut().for_each(|(_, _, rows)| shuffle(&mut random, rows));
    let shuffled = tables(&lines);
    assert!(run(&plan, &shuffled, LIMITS, 1) == one, "seed {seed}: the order of rows matters: {script}");
    assert!(run(&plan, &inputs, LIMITS, 4) == one, "seed {seed}: threads matter: {script}");

    let laid =
        vtl::format_script(&script).unwrap_or_else(|faults| panic!("seed {seed}: {faults:?}: {script}"));
    assert_eq!(vtl::format_script(&laid).unwrap(), laid, "seed {seed}");
    let again = Script::parse(&laid).and_then(|script| vtl::check(&script, &shapes));
    let again = again.unwrap_or_else(|faults| panic!("seed {seed}: {faults:?}: {laid}"));
    let same = match (run(&again, &inputs, LIMITS, 1), &one) {
        (Ok(found), Ok(wanted)) => found == *wanted,
        (Err(found), Err(wanted)) => (found.code, &found.data_point) == (wanted.code, &wanted.data_point),
        _ => false,
    };
    assert!(same, "seed {seed}: the layout matters: {script}\n{laid}");

    match one {
        Ok(outcome) => {
            budget(seed, &plan, &inputs, &outcome);
            None
        }
        Err(fault) => {
            assert!(!vtl::render_diagnostic(&script, &fault).is_empty());
            Some(fault.code)
        }
    }
}

/// The measured cost of a run is enough for it, and any less is not.
fn budget(seed: u64, plan: &ExecutionPlan, inputs: &Tables, outcome: &RunOutput) {
    let exact = RunLimits { steps: outcome.steps, cells: outcome.cells };
    assert!(exact.steps <= LIMITS.steps && exact.cells <= LIMITS.cells);
    assert!(run(plan, inputs, exact, 2).as_ref() == Ok(outcome), "seed {seed}: the cost is not enough");
    let less = |limits: RunLimits| run(plan, inputs, limits, 2).map(|_| ()).unwrap_err().code;
    assert_eq!(less(RunLimits { steps: exact.steps - 1, ..exact }), DiagnosticCode::Budget, "seed {seed}");
    if exact.cells > 0 {
        assert_eq!(
            less(RunLimits { cells: exact.cells - 1, ..exact }),
            DiagnosticCode::Budget,
            "seed {seed}"
        );
    }
}

#[test]
fn what_holds_for_every_script() {
    let count = rounds(400);
    let from = std::env::var("VTL_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1_u64);
    let mut seen: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for seed in from..from + count as u64 {
        *seen.entry(attempt(seed).map(|code| code.as_str())).or_default() += 1;
    }
    eprintln!("{count} scripts ended so: {seen:?}");
    let fine = seen.get(&None).copied().unwrap_or_default();
    assert!(count < 100 || fine * 4 > count, "too few scripts run to their end: {seen:?}");
}
