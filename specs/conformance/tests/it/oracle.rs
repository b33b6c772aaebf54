//! The engine compared with another implementation of its arithmetic, on generated scripts.

use std::path::Path;

use conformance::arithmetic::{Counts, OperationCount, compare_line};

#[test]
fn numeric_scripts_agree_digit_for_digit() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/sample.jsonl");
    let cases = std::fs::read_to_string(path).unwrap();
    let differences: Vec<String> =
        cases.lines().filter_map(|line| conformance::oracle::run_case(line).err()).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(cases.lines().count(), 300);
}

#[test]
fn aimed_operations_agree_digit_for_digit() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/aimed-sample.txt");
    let operations = std::fs::read_to_string(path).unwrap();
    let mut counts = Counts::new();
    let differences: Vec<String> =
        operations.lines().filter_map(|line| compare_line(line, &mut counts).err()).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(counts.values().map(|count| count.compared).sum::<u64>(), 1_000);
    assert_eq!(counts.len(), 15, "every operation is in the sample");
}

#[test]
fn a_different_operation_is_reported() {
    let mut counts = Counts::new();
    assert_eq!(compare_line("sqrt 2,0 2,0 1414213562373095048801688724209698,-33", &mut counts), Ok(()));
    assert!(compare_line("sqrt 2,0 2,0 1414213562373095048801688724209699,-33", &mut counts).is_err());
    assert!(compare_line("ln 0,0 0,0 0,0", &mut counts).is_err());
    assert!(compare_line("cosine 0,0 0,0 1,0", &mut counts).is_err());
    assert_eq!(counts.get("sqrt"), Some(&OperationCount { compared: 2, differ: 1 }));
}

#[test]
fn a_different_digit_is_reported() {
    let case = |result: &str| {
        format!(
            r#"{{"script":"R <- D[aggr S := sum(X)];","components":["A:identifier:integer","X:measure:number"],"rows":[["1","15E-1"],["2",null]],"names":["S"],"result":[["{result}"]]}}"#
        )
    };
    assert_eq!(conformance::oracle::run_case(&case("15E-1")), Ok(()));
    assert!(conformance::oracle::run_case(&case("150E-2")).is_err());
    assert!(conformance::oracle::run_case(&case("16E-1")).is_err());
    assert!(conformance::oracle::run_case("{}").is_err());
}
