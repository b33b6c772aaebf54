//! Results do not depend on the order of rows and statements, nor on unrelated inputs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::support::{LIMITS, assert_table, run_on_inputs, run_script, table, table_text};
use vtl::{RunCeilings, RunLimits, Script};

#[test]
fn statements_run_in_the_order_of_their_needs() {
    let d = "A:i:string, X:m:number\na, 2";
    let script = "R <- P * Q; P := D + 1; Q := P[calc X := X + S]; S := 10;";
    assert_table(&run_on_inputs(script, &[("D", d)]), "A,X\na,39");
    let parsed = Script::parse("Z <- B; Y <- A + C#X; A := B[sub T = W]; K <- Y[calc M := N];").unwrap();
    assert_eq!(parsed.inputs(), ["B", "C", "W"]);
    assert_eq!(parsed.outputs(), ["Z", "Y", "K"]);
}

#[test]
fn rows_in_any_order_give_the_same_bytes() {
    let mut rows: Vec<String> = (0..200_u64)
        .map(|i| format!("{},{},{}E{}", i % 7, i, (i * 7919) % 1009 * 1_000_003, (i * 31) % 60))
        .map(|row| row.replace("E", "e-"))
        .collect();
    let script = "S <- avg(D group by G); R <- D / S[calc X := X + 1]; W <- sum(D[sub I = 3]); M <- max(D);";
    let head = "G:i:integer, I:i:integer, X:m:number\n";
    let run = |rows: &[String]| {
        run_script(script, &[("D", &format!("{head}{}", rows.join("\n")))], LIMITS).unwrap()
    };
    let first = run(&rows);
    let mut seed = 88_172_645_463_325_252_u64;
    for _ in 0..5 {
        for at in (1..rows.len()).rev() {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            rows.swap(at, (seed % (at as u64 + 1)) as usize);
        }
        assert_eq!(run(&rows), first);
    }
}

#[test]
fn an_equal_sum_under_other_keys_is_equal() {
    let values = ["1E+30", "-1E+30", "0.1", "3E-30", "1E+33", "-1E+33", "7"];
    let sum = |order: &[usize]| {
        let rows: Vec<String> =
            order.iter().enumerate().map(|(key, at)| format!("{key},{}", values[*at])).collect();
        run_on_inputs("R <- sum(D);", &[("D", &format!("K:i:integer, X:m:number\n{}", rows.join("\n")))])
    };
    assert_table(&sum(&[0, 1, 2, 3, 4, 5, 6]), "X\n7.100000000000000000000000000003");
    assert_eq!(sum(&[0, 1, 2, 3, 4, 5, 6]), sum(&[4, 3, 0, 6, 5, 2, 1]));
}

#[test]
fn steps_and_cells_are_counted_the_same_and_end_a_run() {
    let d = "A:i:string, X:m:number\na, 2\nb, 3";
    let script = "T := D * 2; R <- T + D;";
    let whole = run_script(script, &[("D", d)], LIMITS).unwrap();
    assert_eq!((whole.steps, whole.cells), (64, 10));
    let exact = RunLimits { steps: whole.steps, cells: whole.cells };
    assert_eq!(run_script(script, &[("D", d)], exact).unwrap(), whole);
    for short in
        [RunLimits { steps: whole.steps - 1, ..exact }, RunLimits { cells: whole.cells - 1, ..exact }]
    {
        assert_eq!(run_script(script, &[("D", d)], short).unwrap_err()[0].code, vtl::DiagnosticCode::Budget);
    }
}

#[test]
fn an_input_must_have_the_shape_of_the_plan() {
    let right = table("A:i:string, X:m:number\na, 1");
    let wrong = table("A:i:string, X:m:integer\na, 1");
    let script = Script::parse("R <- D * 2;").unwrap();
    let shapes = BTreeMap::from([("D".to_owned(), right.shape().clone())]);
    let plan = vtl::check(&script, &shapes).unwrap();
    assert_eq!(plan.shape("R"), Some(right.shape()));
    let run = |inputs| vtl::run_plan(&plan, &inputs, LIMITS, &RunCeilings::READER);
    assert_eq!(run(BTreeMap::new()).unwrap_err().code, vtl::DiagnosticCode::Input);
    assert_eq!(
        run(BTreeMap::from([("D".to_owned(), Arc::new(wrong))])).unwrap_err().code,
        vtl::DiagnosticCode::Input
    );
    let good = run(BTreeMap::from([("D".to_owned(), Arc::new(right))])).unwrap();
    assert_table(&table_text(&good.tables["R"]), "A,X\na,2");
}

/// Reference manual, "Persistent assignment": a scalar can be a result.
#[test]
fn scalars_are_results() {
    let outcome = run_script(
        "S <- 1.50 + N; N := 2; T <- null; R <- CPI * S;",
        &[("CPI", "A:i:integer, X:m:number\n1, 2")],
        LIMITS,
    );
    let outcome = outcome.unwrap();
    let shown: Vec<(&str, Option<String>)> = outcome
        .scalars
        .iter()
        .map(|(name, cell)| (name.as_str(), cell.as_ref().map(ToString::to_string)))
        .collect();
    assert_eq!(shown, [("S", Some("3.5".to_owned())), ("T", None)]);
}
