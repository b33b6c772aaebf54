//! The engine compared with another implementation of its arithmetic, on generated scripts.

use std::path::Path;

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
