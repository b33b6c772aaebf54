//! The standing of cells by a verdict and its table of differences.

use std::collections::BTreeMap;

use ledger::standing::{CellFindings, CellStanding};
use schemas::cid::{Cid, ContentId};
use schemas::content::pack_table;
use schemas::structure::{Role, ValueType};
use schemas::table::{Cell, Column, Table, TextColumn};
use schemas::text::Name;
use schemas::verdict::{ComparedTable, DIFFERENCES_MAX, Divergence, Verdict};
use testkit::sample::{make_components, make_name};

/// A table of differences, as stored: its content and its blocks.
struct Differences {
    content: ContentId,
    blocks: BTreeMap<Cid, Vec<u8>>,
}

/// The table of differences of these cells: area and component, ascending. All are published as 1 and
/// computed as 2.
fn differences(cells: &[(String, &str)]) -> Differences {
    let components = make_components(&[
        ("REF_AREA", Role::Identifier, ValueType::String),
        ("COMPONENT", Role::Identifier, ValueType::String),
        ("PUBLISHED", Role::Measure, ValueType::String),
        ("COMPUTED", Role::Measure, ValueType::String),
    ]);
    let texts = |text: &'static str| Column::Text(TextColumn::from_rows(cells.iter().map(|_| Some(text))));
    let columns = vec![
        Column::Text(TextColumn::from_rows(cells.iter().map(|(area, _)| Some(area.as_str())))),
        Column::Text(TextColumn::from_rows(cells.iter().map(|(_, component)| Some(*component)))),
        texts("1"),
        texts("2"),
    ];
    let table = Table::new(components, columns).unwrap();
    let (content, blocks) = pack_table(&table, BTreeMap::new()).unwrap();
    Differences { content, blocks: blocks.into_iter().collect() }
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn verdict(first: &str, differences: BTreeMap<Name, ContentId>) -> Verdict {
    let first = Divergence {
        table: ComparedTable::Output(make_name("OUT")),
        position: None,
        key: vec![text(first)],
        component: Some(make_name("OBS_VALUE")),
        published: Some(Cell::Integer(1)),
        computed: Some(Cell::Integer(2)),
    };
    Verdict::Differs { first, count: 1, cells: 9, read: 9, differences }
}

/// The findings about `OUT` for a component, from a verdict whose table of differences is `table`.
fn findings(table: &Differences, computed: &str, component: &str, stored: bool) -> CellFindings {
    let said = verdict("A", BTreeMap::from([(make_name("OUT"), table.content)]));
    let results = BTreeMap::from([(make_name(computed), table.content)]);
    let fetch = |id: Cid| table.blocks.get(&id).filter(|_| stored).cloned();
    CellFindings::read(&said, &results, &make_name("OUT"), &make_name(component), &fetch)
}

fn differing() -> CellStanding {
    CellStanding::DoesNotHold { published: Some("1".into()), computed: Some("2".into()) }
}

#[track_caller]
fn check(findings: &CellFindings, cells: &[(&str, CellStanding)]) {
    for (area, expected) in cells {
        assert_eq!(findings.cell(&[text(area)]), *expected, "{area}");
    }
}

#[test]
fn a_wrong_cell_leaves_the_others_right() {
    let table = differences(&[("A".into(), "OBS_VALUE"), ("C".into(), "NOTE")]);
    let measure = findings(&table, "OUT", "OBS_VALUE", true);
    check(&measure, &[("A", differing()), ("B", CellStanding::Holds), ("C", CellStanding::Holds)]);
    let note = findings(&table, "OUT", "NOTE", true);
    check(&note, &[("A", CellStanding::Holds), ("C", differing())]);
}

#[test]
fn an_output_that_was_not_computed_is_unchecked() {
    let table = differences(&[("A".into(), "OBS_VALUE")]);
    let other = findings(&table, "OTHER", "OBS_VALUE", true);
    check(&other, &[("A", CellStanding::Unchecked), ("B", CellStanding::Unchecked)]);
    assert!(!other.is_computed());
}

/// The verdict itself names the first cell, so that much is known.
#[test]
fn without_the_table_only_the_first_difference_is_known() {
    let table = differences(&[("A".into(), "OBS_VALUE"), ("B".into(), "OBS_VALUE")]);
    let missing = findings(&table, "OUT", "OBS_VALUE", false);
    check(&missing, &[("A", differing()), ("B", CellStanding::Unchecked), ("C", CellStanding::Unchecked)]);
}

#[test]
fn cells_beyond_a_full_table_are_unchecked() {
    let mut cells: Vec<(String, &str)> =
        (0..DIFFERENCES_MAX - 1).map(|at| (format!("A{at:05}"), "OBS_VALUE")).collect();
    cells.push(("M".into(), "NOTE"));
    let full = findings(&differences(&cells), "OUT", "OBS_VALUE", true);
    // The table ends in the middle of the cells of `M`: its note differs, its value was cut off.
    check(
        &full,
        &[
            ("A00001", differing()),
            ("B", CellStanding::Holds),
            ("M", CellStanding::Unchecked),
            ("Z", CellStanding::Unchecked),
        ],
    );
    cells.remove(0);
    let whole = findings(&differences(&cells), "OUT", "OBS_VALUE", true);
    check(&whole, &[("M", CellStanding::Holds), ("Z", CellStanding::Holds)]);
}
