//! The VTL conformance kit on a small manual made for this test (`specs/conformance/tests/manual`), laid out as the standard's.

use std::path::PathBuf;

use conformance::vtl_conformance::report::{ExampleVerdict, KitReport};
use conformance::vtl_conformance::{ExampleFinding, FailureClass, faulty, folder, grammar, run_examples};

/// Expected result of each example: end of its path, class of failure and start of the difference.
const EXAMPLES: &[(&str, Option<FailureClass>, &str)] = &[
    ("Doubling/ex_1", None, ""),
    (
        "Doubling/ex_2",
        Some(FailureClass::Data),
        "`PRICE` at (Rhône, bas, 2010-Q1) is `3`, expected `3.1` (and 2 more)",
    ),
    (
        "Doubling/ex_3",
        Some(FailureClass::Structure),
        "`PRICE`, a measure of type number, expected measure of type integer",
    ),
    ("Doubling/ex_4", None, ""),
    ("Doubling/ex_5", Some(FailureClass::Refused), "refused: `random`"),
    ("Doubling/ex_6", None, ""),
    ("Naming/ex_1", None, ""),
    ("Naming/ex_2", None, ""),
    ("Naming/ex_3", None, ""),
    ("Naming/ex_10", Some(FailureClass::Material), "`DS_2`: `2010Q5` is not a time_period"),
    ("Naming/ex_11", Some(FailureClass::Check), "unknown-name"),
    ("Naming/ex_12", Some(FailureClass::Parse), "syntax"),
    ("Naming/ex_13", Some(FailureClass::Fault), "division-by-zero"),
];

fn manual() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/manual")
}

fn list() -> faulty::FaultyList {
    faulty::parse_list(&std::fs::read_to_string(manual().join("faulty.toml")).unwrap()).unwrap()
}

#[test]
fn each_example_comes_out_as_it_should() {
    let cases = run_examples(&manual(), "").unwrap();
    let paths: Vec<String> = cases.iter().map(|case| case.path.clone()).collect();
    let wanted: Vec<String> = EXAMPLES.iter().map(|(path, ..)| format!("Own operators/{path}")).collect();
    assert_eq!(paths, wanted);
    for (case, (path, class, start)) in cases.iter().zip(EXAMPLES) {
        match (&case.finding, class) {
            (ExampleFinding::Differs(found, difference), Some(class)) => {
                assert!(found == class && difference.starts_with(start), "{path}: {found:?} {difference}");
            }
            (finding, class) => {
                let passes =
                    if *path == "Doubling/ex_4" { ExampleFinding::Digits } else { ExampleFinding::Exact };
                assert!(class.is_none() && *finding == passes, "{path}: {finding:?}");
            }
        }
    }
}

#[test]
fn the_report_sets_the_examples_against_the_list() {
    let report = KitReport::new(&run_examples(&manual(), "Doubling").unwrap(), &list(), true);
    let verdicts: Vec<ExampleVerdict> = report.lines.iter().map(|line| line.verdict).collect();
    use ExampleVerdict::{Absent, Digits, Exact, Fails, Faulty, Passes};
    assert_eq!(verdicts, [Exact, Fails, Fails, Digits, Faulty, Passes, Absent]);
    assert_eq!((report.total.examples, report.total.fails), (6, 2));
    assert!(!report.passes());
    let text = report.text();
    for part in
        ["ex_5  refused  chance has no right answer", "listed, but passes:\n  Own operators/Doubling/ex_6"]
    {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
    assert_eq!(json["lines"][1]["class"], "data");
    assert_eq!(json["total"]["fails"], 2);
    assert!(KitReport::new(&run_examples(&manual(), "Doubling/ex_5").unwrap(), &list(), false).passes());
}

#[test]
fn scripts_to_accept_and_to_reject_are_told_apart() {
    let cases = grammar::grammar_cases(&folder::read_grammar_tests(&manual()).unwrap(), "");
    let failing: Vec<(&str, bool)> =
        cases.iter().map(|case| (case.path.as_str(), case.finding == ExampleFinding::Exact)).collect();
    let wanted = [
        ("Grammar/PositiveTests/line 1", true),
        ("Grammar/PositiveTests/line 4", true),
        ("Grammar/PositiveTests/line 6", false),
        ("Grammar/NegativeTests/line 1", true),
        ("Grammar/NegativeTests/line 4", false),
    ];
    assert_eq!(failing, wanted);
}

#[test]
fn the_lists_of_this_repository_can_be_read() {
    for version in ["v2.1", "v2.2"] {
        let path = faulty::list_path(&PathBuf::from(version));
        let list = faulty::parse_list(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert!(list.values().all(|entry| !entry.reason.is_empty()), "{}", path.display());
    }
    assert!(faulty::parse_list("[\"A/B/ex_1\"]\nclass = \"wrong\"\nreason = \"x\"").is_err());
}
