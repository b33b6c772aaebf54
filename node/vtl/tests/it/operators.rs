//! Every operator with typical data, nulls, no data, a wrong type, and an edge of its range.
//!
//! The cases in `tests/vectors/operators/*.txt` are derived from the reference manual (RM) and from
//! `specs/vtl.md`, not from the output of the engine. Each entry is one of
//!
//! * `operator NAME: …`: starts the cases of an operator and cites the paragraph they follow;
//! * `NAME = …`: a table in the format of `support::table`; valid for the whole file if it precedes
//!   the first operator, else for its operator only;
//! * `before: script`: text before each script of the operator, such as definitions;
//! * `KIND: script => expected`: a case. A script without `<-` is the expression of the result `R`.
//!   The expectation is a value, a table, `fault CODE`, or `fault CODE at TEXT` with the marked text.
//!   In the heading of an expected table, a lone name has role and type of the input tables;
//! * `KIND: none: reason`: the reason why such a case does not exist.
//!
//! ` | ` separates lines of a table, an indented line continues the entry, `#` begins a comment.

use std::collections::{BTreeMap, BTreeSet};

use schemas::structure::{ComponentList, Role};
use schemas::table::Table;

use super::support::{LIMITS, run_script, table, table_text};

const FAMILIES: &[(&str, &str)] = &[
    ("string", include_str!("../vectors/operators/string.txt")),
    ("numeric", include_str!("../vectors/operators/numeric.txt")),
    ("comparison", include_str!("../vectors/operators/comparison.txt")),
    ("boolean", include_str!("../vectors/operators/boolean.txt")),
    ("conditional", include_str!("../vectors/operators/conditional.txt")),
    ("set", include_str!("../vectors/operators/set.txt")),
    ("aggregate", include_str!("../vectors/operators/aggregate.txt")),
    ("analytic", include_str!("../vectors/operators/analytic.txt")),
    ("join", include_str!("../vectors/operators/join.txt")),
    ("clause", include_str!("../vectors/operators/clause.txt")),
    ("time", include_str!("../vectors/operators/time.txt")),
    ("general", include_str!("../vectors/operators/general.txt")),
    ("validation", include_str!("../vectors/operators/validation.txt")),
    ("hierarchy", include_str!("../vectors/operators/hierarchy.txt")),
    ("extension", include_str!("../vectors/operators/extension.txt")),
    ("definition", include_str!("../vectors/operators/definition.txt")),
];

/// Kinds of case that each operator needs.
const KINDS: [&str; 5] = ["typical", "nulls", "empty", "type", "edge"];

#[derive(Debug, Default)]
struct Operator {
    name: String,
    paragraph: String,
    tables: BTreeMap<String, String>,
    /// Text before each script.
    before: String,
    cases: Vec<Case>,
}

#[derive(Debug)]
struct Case {
    kind: String,
    line: usize,
    text: String,
}

#[test]
fn cases_match_the_manual() {
    let mut wrong = Vec::new();
    for (family, text) in FAMILIES {
        for operator in parse_operators(text) {
            for case in &operator.cases {
                let place = format!("{family}.txt:{} {} {}", case.line, operator.name, case.kind);
                wrong.extend(case_error(case, &operator).map(|why| format!("{place}: {why}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{} cases\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_operator_has_every_kind_of_case() {
    let spec = include_str!("../../../../specs/vtl.md");
    for (family, text) in FAMILIES {
        for operator in parse_operators(text) {
            let kinds: BTreeSet<&str> = operator.cases.iter().map(|case| case.kind.as_str()).collect();
            assert_eq!(kinds, BTreeSet::from(KINDS), "{family}: {}", operator.name);
            assert!(
                is_cited(&operator.paragraph, spec),
                "{family}: {}: {}",
                operator.name,
                operator.paragraph
            );
        }
    }
}

/// Topics with cases that are not operators: syntax and definitions.
const TOPICS: [&str; 6] = ["()", ":=", "<-", "over", "define operator", "define viral propagation"];

#[test]
fn every_operator_of_the_engine_has_cases() {
    let operators = FAMILIES.iter().flat_map(|(_, text)| parse_operators(text));
    let names: Vec<String> = operators.map(|operator| operator.name).collect();
    let headings: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(names.len(), headings.len(), "an operator has one heading");
    assert_eq!(headings, vtl::operator_names().chain(TOPICS).collect());
}

/// Returns whether a paragraph names the manual or an existing section of the specification.
fn is_cited(paragraph: &str, spec: &str) -> bool {
    let sections = paragraph.split("vtl.md ").skip(1);
    let known = |rest: &str| {
        let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
        spec.contains(&format!("\n## {number}. "))
    };
    sections.clone().all(known) && (paragraph.contains("RM \"") || sections.count() > 0)
}

fn parse_operators(text: &str) -> Vec<Operator> {
    let mut shared = BTreeMap::new();
    let mut operators: Vec<Operator> = Vec::new();
    for (line, entry) in parse_entries(text) {
        if let Some((name, paragraph)) =
            entry.strip_prefix("operator ").and_then(|rest| rest.split_once(": "))
        {
            let (name, paragraph) = (name.to_owned(), paragraph.to_owned());
            operators.push(Operator { name, paragraph, tables: shared.clone(), ..Operator::default() });
        } else if let Some(before) = entry.strip_prefix("before: ") {
            operators.last_mut().expect("an operator comes first").before = format!("{before}\n");
        } else if let Some((kind, text)) = entry.split_once(':').filter(|(kind, _)| KINDS.contains(kind)) {
            let case = Case { kind: kind.to_owned(), line, text: text.trim().to_owned() };
            operators.last_mut().expect("an operator comes first").cases.push(case);
        } else if let Some((name, rows)) = entry.split_once(" = ").filter(|(name, _)| !name.contains(' ')) {
            let tables = operators.last_mut().map_or(&mut shared, |operator| &mut operator.tables);
            tables.insert(name.to_owned(), rows.replace(" | ", "\n"));
        } else {
            panic!("line {line}: {entry}");
        }
    }
    operators
}

/// Returns the entries of a file with their first lines; continuation lines are joined.
fn parse_entries(text: &str) -> Vec<(usize, String)> {
    let mut entries: Vec<(usize, String)> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        match entries.last_mut().filter(|_| line.starts_with(' ')) {
            Some((_, entry)) => *entry = format!("{entry}\n{}", line.trim().trim_start_matches("| ")),
            None => entries.push((at + 1, line.trim_end().to_owned())),
        }
    }
    entries
}

/// Returns the error of a case, if it fails.
fn case_error(case: &Case, operator: &Operator) -> Option<String> {
    let tables = &operator.tables;
    if let Some(reason) = case.text.strip_prefix("none:") {
        return reason.trim().is_empty().then(|| "no reason".to_owned());
    }
    let (script, expected) = case.text.split_once("=>").expect("a script and what is expected");
    let script = script.trim();
    let script = if script.contains("<-") { script.to_owned() } else { format!("R <- {script};") };
    let script = format!("{}{script}", operator.before);
    let forth = actual_result(&script, expected, tables, str::to_owned);
    let back = actual_result(&script, expected, tables, reversed_rows);
    let expected = expected_result(expected.trim(), tables);
    let wrong = [forth, back].into_iter().find(|found| *found != expected)?;
    Some(format!("\n  {}\nfound {wrong}\nnot   {expected}", script.trim()))
}

/// Returns the rows of a table in reverse order, which must not matter.
fn reversed_rows(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.get_mut(1..).unwrap_or_default().reverse();
    lines.join("\n")
}

fn actual_result(
    script: &str,
    expected: &str,
    tables: &BTreeMap<String, String>,
    order: impl Fn(&str) -> String,
) -> String {
    let inputs: Vec<(&str, String)> =
        tables.iter().map(|(name, text)| (name.as_str(), order(text))).collect();
    let used: Vec<(&str, &str)> = inputs.iter().map(|(name, text)| (*name, text.as_str())).collect();
    match run_script(script, &used, LIMITS) {
        Ok(outcome) => match (outcome.tables.get("R"), outcome.scalars.get("R")) {
            (Some(table), _) => describe_table(table),
            (None, Some(scalar)) => scalar.as_ref().map_or("null".to_owned(), ToString::to_string),
            (None, None) => "no result `R`".to_owned(),
        },
        Err(faults) if expected.contains(" at ") => {
            let span = faults[0].span;
            format!("fault {} at {}", faults[0].code, &script[span.start..span.end])
        }
        Err(faults) if expected.contains("fault ") => format!("fault {}", faults[0].code),
        Err(faults) => faults.iter().map(|fault| vtl::render_diagnostic(script, fault)).collect(),
    }
}

/// Writes a table with role and type of each component.
fn describe_table(table: &Table) -> String {
    let heading: Vec<String> = table.shape().components().iter().map(describe_component).collect();
    let text = table_text(table);
    let rows = text.split_once('\n').map_or(String::new(), |(_, rows)| format!("\n{rows}"));
    format!("{}{rows}", heading.join(", "))
}

fn describe_component(component: &schemas::structure::Component) -> String {
    let role = match component.role {
        Role::Identifier => "i",
        Role::Measure => "m",
        Role::Attribute => "a",
        Role::ViralAttribute => "v",
    };
    format!("{}:{role}:{}", component.id.as_str(), component.value_type.as_str())
}

/// Returns the expectation in the spelling of the actual result.
fn expected_result(expected: &str, tables: &BTreeMap<String, String>) -> String {
    let text = expected.replace(" | ", "\n");
    let (heading, rows) = text.split_once('\n').unwrap_or((&text, ""));
    let shapes: Vec<ComponentList> = tables.values().map(|text| table(text).shape().clone()).collect();
    let known = |name: &str| -> Option<String> {
        let all = shapes.iter().flat_map(ComponentList::components).filter(|c| c.id.as_str() == name);
        let parts: BTreeSet<String> = all.map(describe_component).collect();
        parts.first().filter(|_| parts.len() == 1).cloned()
    };
    let names: Vec<&str> = heading.split(',').map(str::trim).collect();
    let parts =
        names.iter().map(|name| if name.contains(":") { Some((*name).to_owned()) } else { known(name) });
    match parts.collect::<Option<Vec<String>>>() {
        Some(parts) => {
            let rows = rows.lines().map(|row| row.split(',').map(str::trim).collect::<Vec<_>>().join(","));
            std::iter::once(parts.join(", ")).chain(rows).collect::<Vec<_>>().join("\n")
        }
        None => text,
    }
}
