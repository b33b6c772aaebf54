//! The engine against another implementation of its arithmetic, on generated scripts.

use super::house::read;

#[test]
fn numeric_scripts_agree_digit_for_digit() {
    let cases = read("specs/oracle/sample.jsonl");
    let differences: Vec<String> =
        cases.lines().filter_map(|line| specs::oracle::run_case(line).err()).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(cases.lines().count(), 300);
}

#[test]
fn a_digit_that_differs_is_told() {
    let case = |result: &str| {
        format!(
            r#"{{"script":"R <- D[aggr S := sum(X)];","components":["A:identifier:integer","X:measure:number"],"rows":[["1","15E-1"],["2",null]],"names":["S"],"result":[["{result}"]]}}"#
        )
    };
    assert_eq!(specs::oracle::run_case(&case("15E-1")), Ok(()));
    assert!(specs::oracle::run_case(&case("150E-2")).is_err());
    assert!(specs::oracle::run_case(&case("16E-1")).is_err());
    assert!(specs::oracle::run_case("{}").is_err());
}
