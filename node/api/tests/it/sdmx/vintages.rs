//! Vintages: `asOf`, `updatedAfter`, `includeHistory`, and retracted releases.

use std::collections::{BTreeMap, BTreeSet};

use super::{CSV, GENERIC, JSON, SPECIFIC, actions_and_rows, matching_rows, rows, rows_by_action};
use crate::it::test_node::{self, Row, TestNode};

fn first_release_rows() -> BTreeSet<Row> {
    test_node::earlier_rows().into_iter().collect()
}

/// Returns a row as written in a deletion: without value.
fn without_value(row: Row) -> Row {
    let mut row = row;
    row[4].clear();
    row
}

#[test]
fn vintages_follow_the_log() {
    let node = TestNode::start();
    assert_eq!(rows(&node, "?asOf=2026-11-02"), first_release_rows());
    assert_eq!(rows(&node, "?asOf=2026-11-03T12:00:00Z"), matching_rows(|_| true));
    let none = node.get("/sdmx/v2/data/dataflow/*/labour/1.0?asOf=2000-01-01", CSV);
    assert_eq!(none.status, 404);
}

#[test]
fn changes_are_replaced_and_removals_deleted() {
    let node = TestNode::start();
    let revised = matching_rows(|row| !first_release_rows().contains(row));
    assert!(!revised.is_empty() && revised.len() < test_node::latest_rows().len());
    let lost = BTreeSet::from([without_value(test_node::removed_row())]);
    let both = BTreeMap::from([("R".to_owned(), revised.clone()), ("D".to_owned(), lost)]);
    assert_eq!(rows_by_action(&node, "?updatedAfter=2026-11-02"), both);
    assert_eq!(rows_by_action(&node, "?updatedAfter=2026-11-03"), BTreeMap::new());
    // Before the first release there was no data, so everything is new.
    let all = BTreeMap::from([("R".to_owned(), matching_rows(|_| true))]);
    assert_eq!(rows_by_action(&node, "?updatedAfter=2026-01-01"), all);
    // An observation that merely no longer passes a value filter is not reported as deleted.
    let some = rows_by_action(&node, "?updatedAfter=2026-11-02&c[OBS_VALUE]=0.1");
    assert_eq!(some, BTreeMap::new());
}

#[test]
fn a_retracted_release_is_not_the_latest() {
    let node = TestNode::with_retraction();
    assert_eq!(rows(&node, ""), first_release_rows());
    assert_eq!(rows(&node, "?asOf=2026-11-02"), first_release_rows());
    assert_eq!(rows(&node, "?asOf=2026-11-03"), matching_rows(|_| true), "it stood on that day");
    assert_eq!(rows(&node, "?asOf=2026-11-04"), first_release_rows());
}

/// Applies the actions of a response in order and returns the state after each vintage.
#[track_caller]
fn replay_states(node: &TestNode, path: &str) -> Vec<BTreeSet<Row>> {
    let mut current: BTreeMap<Vec<String>, Row> = BTreeMap::new();
    let mut states = Vec::new();
    let mut last = String::new();
    let valid_from_values = valid_from_values(node, path);
    for ((action, row), stamp) in actions_and_rows(node, path).into_iter().zip(valid_from_values) {
        if action == "R" && stamp != last && !last.is_empty() {
            states.push(current.values().cloned().collect());
        }
        match action.as_str() {
            "R" => {
                last = stamp;
                current.insert(row[..4].to_vec(), row);
            }
            "D" => assert!(current.remove(&row[..4]).is_some(), "{row:?} was not there"),
            other => panic!("{other}"),
        }
    }
    states.push(current.values().cloned().collect());
    states
}

/// Returns `VALID_FROM` of each row.
fn valid_from_values(node: &TestNode, path: &str) -> Vec<String> {
    let response = node.get(&format!("/sdmx/v2/data/dataflow/*/labour/1.0{path}"), CSV);
    let cells = |line: &str| line.rsplitn(3, ',').map(str::to_owned).collect::<Vec<_>>();
    assert!(response.body.lines().next().unwrap().ends_with("RELEASE_CID,VALID_FROM,VALID_TO"));
    response.body.lines().skip(1).map(|line| cells(line)[1].clone()).collect()
}

#[test]
fn every_row_has_all_columns() {
    let node = TestNode::start();
    for query in ["", "&attributes=RELEASE_CID", "&attributes=none", "&measures=none", "&detail=nodata"] {
        for what in ["includeHistory=true", "updatedAfter=2026-11-02"] {
            let body = node.get(&format!("/sdmx/v2/data/dataflow/*/labour?{what}{query}"), CSV).body;
            // No cell of the sample contains a comma.
            let columns: BTreeSet<usize> = body.lines().map(|line| line.matches(',').count()).collect();
            assert_eq!(columns.len(), 1, "{what}{query}");
        }
    }
}

#[test]
fn replaying_a_history_yields_every_vintage() {
    let all = matching_rows(|_| true);
    let node = TestNode::start();
    let path = "?includeHistory=true";
    // Only removed observations are deleted between two vintages; the second replaces the rest.
    assert_eq!(replay_states(&node, path).last(), Some(&all));
    let received: Vec<(String, Row)> = actions_and_rows(&node, path);
    let vintage = |from: usize, length: usize| -> BTreeSet<Row> {
        received[from..from + length].iter().map(|(_, row)| row.clone()).collect()
    };
    assert_eq!(received.len(), first_release_rows().len() + 1 + all.len());
    assert_eq!(vintage(0, first_release_rows().len()), rows(&node, "?asOf=2026-11-02"));
    assert_eq!(
        received[first_release_rows().len()],
        ("D".to_owned(), without_value(test_node::removed_row()))
    );
    assert_eq!(vintage(first_release_rows().len() + 1, all.len()), rows(&node, ""));
    assert_eq!(
        actions_and_rows(&node, "?includeHistory=true&asOf=2026-11-02").len(),
        first_release_rows().len()
    );
    assert_eq!(actions_and_rows(&node, "?includeHistory=true&updatedAfter=2026-11-02").len(), all.len());
    assert_eq!(actions_and_rows(&node, "?includeHistory=true&updatedAfter=2026-11-03").len(), 0);
    let key = actions_and_rows(&node, "/A.AUT.F?includeHistory=true&startPeriod=2020&endPeriod=2020");
    assert_eq!(key.len(), 2);
    let some = actions_and_rows(&node, "?includeHistory=true&offset=3&limit=40");
    assert_eq!(some, received[3..43]);
}

#[test]
fn a_retraction_ends_a_vintage_in_the_history() {
    let node = TestNode::with_retraction();
    assert_eq!(replay_states(&node, "?includeHistory=true").last(), Some(&first_release_rows()));
    let days: BTreeSet<String> = valid_from_values(&node, "?includeHistory=true").into_iter().collect();
    let day = |day| format!("2026-11-0{day}T08:00:00Z");
    assert_eq!(days, ["".to_owned(), day(2), day(3), day(4)].into());
}

#[test]
fn a_fully_retracted_dataflow_has_only_a_history() {
    let node = TestNode::with_all_retracted();
    let status = |path: &str| node.get(path, "*/*").status;
    assert_eq!(status("/sdmx/v1/data/labour"), 404);
    assert_eq!(status("/sdmx/v1/data/labour?asOf=2026-11-05"), 404);
    assert_eq!(rows(&node, "?asOf=2026-11-03"), matching_rows(|_| true));
    assert!(!node.get("/sdmx/v1/dataflow", "*/*").body.contains("labour"));
    let states = replay_states(&node, "?includeHistory=true");
    assert_eq!(states.last(), Some(&BTreeSet::new()));
    assert_eq!(states.len(), 3, "the first, the second, the first again, and then what it had is deleted");
}

#[test]
fn every_format_states_the_validity_of_each_vintage() {
    let node = TestNode::start();
    let (first, second) = ("2026-11-02T08:00:00Z", "2026-11-03T08:00:00Z");
    for accept in [GENERIC, SPECIFIC] {
        let response = node.get("/sdmx/v1/data/labour?includeHistory=true", accept);
        let heads: Vec<&str> = response.body.split("<mes:DataSet ").skip(1).collect();
        let expected = [
            format!("action=\"Replace\" validFromDate=\"{first}\" validToDate=\"{second}\""),
            format!("action=\"Delete\" validToDate=\"{second}\""),
            format!("action=\"Replace\" validFromDate=\"{second}\""),
        ];
        assert_eq!(heads.len(), expected.len());
        for (head, expected) in heads.iter().zip(expected) {
            assert!(head.contains(&expected), "{accept}: {}", head.split('>').next().unwrap());
        }
        let rows = |text: &str| text.matches("Obs>").count() / 2 + text.matches("<Obs ").count();
        assert_eq!(rows(heads[0]), test_node::earlier_rows().len(), "{accept}");
        assert_eq!(rows(heads[1]), 1, "{accept}");
        assert_eq!(rows(heads[2]), test_node::latest_rows().len(), "{accept}");
    }
    let response = node.get("/sdmx/v2/data/dataflow/*/labour?includeHistory=true", JSON);
    let json: serde_json::Value = serde_json::from_str(&response.body).unwrap();
    let sets = json["data"]["dataSets"].as_array().unwrap();
    let field = |at: usize, name: &str| sets[at][name].as_str().unwrap_or("").to_owned();
    let expected = [("Replace", first, second), ("Delete", "", second), ("Replace", second, "")];
    assert_eq!(sets.len(), expected.len());
    for (at, (action, from, to)) in expected.into_iter().enumerate() {
        let found = (field(at, "action"), field(at, "validFrom"), field(at, "validTo"));
        assert_eq!(found, (action.into(), from.into(), to.into()));
        assert_eq!(json["data"]["structures"][at]["dataSets"][0], at, "each has its own structure");
    }
}

#[test]
fn data_files_have_the_same_figures() {
    let node = TestNode::start();
    let publisher = node.agency().to_lowercase();
    for when in ["", "?asOf=2026-11-02"] {
        let file = node.get(&format!("/data/{publisher}/labour/all.csv{when}"), "*/*");
        assert_eq!(file.status, 200, "{}", file.body);
        let cells = file.body.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        let found: BTreeSet<[String; 4]> =
            cells.map(|cells| [0, 1, 2, 3].map(|at| cells[at].into())).collect();
        let received =
            rows(&node, when).into_iter().map(|[_, area, sex, time, value]| [area, sex, time, value]);
        assert_eq!(received.collect::<BTreeSet<_>>(), found, "{when}");
    }
}
