//! Vintages: `asOf`, `updatedAfter`, `includeHistory`, and releases that were taken back.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{self, Row, World};
use super::{CSV, GENERIC, JSON, SPECIFIC, by_action, left, listed, rows};

fn first() -> BTreeSet<Row> {
    world::earlier().into_iter().collect()
}

/// A row as it is told when it is to be deleted.
fn without_figure(row: Row) -> Row {
    let mut row = row;
    row[4].clear();
    row
}

#[test]
fn vintages_are_those_of_the_log() {
    let world = World::start();
    assert_eq!(rows(&world, "?asOf=2026-11-02"), first());
    assert_eq!(rows(&world, "?asOf=2026-11-03T12:00:00Z"), left(|_| true));
    let none = world.get("/sdmx/v2/data/dataflow/*/labour/1.0?asOf=2000-01-01", CSV);
    assert_eq!(none.status, 404);
}

#[test]
fn what_changed_replaces_and_what_disappeared_is_deleted() {
    let world = World::start();
    let revised = left(|row| !first().contains(row));
    assert!(!revised.is_empty() && revised.len() < world::rows().len());
    let lost = BTreeSet::from([without_figure(world::lost())]);
    let both = BTreeMap::from([("R".to_owned(), revised.clone()), ("D".to_owned(), lost)]);
    assert_eq!(by_action(&world, "?updatedAfter=2026-11-02"), both);
    assert_eq!(by_action(&world, "?updatedAfter=2026-11-03"), BTreeMap::new());
    // Before the first release there was nothing: all is new.
    let all = BTreeMap::from([("R".to_owned(), left(|_| true))]);
    assert_eq!(by_action(&world, "?updatedAfter=2026-01-01"), all);
    // A filter of figures does not make an observation disappear that only ceased to pass.
    let some = by_action(&world, "?updatedAfter=2026-11-02&c[OBS_VALUE]=0.1");
    assert_eq!(some, BTreeMap::new());
}

#[test]
fn a_release_that_was_taken_back_is_not_the_latest() {
    let world = World::withdrawn();
    assert_eq!(rows(&world, ""), first());
    assert_eq!(rows(&world, "?asOf=2026-11-02"), first());
    assert_eq!(rows(&world, "?asOf=2026-11-03"), left(|_| true), "it stood on that day");
    assert_eq!(rows(&world, "?asOf=2026-11-04"), first());
}

/// Does what the rows of an answer say, one after another; gives what there was after each vintage.
#[track_caller]
fn replayed(world: &World, path: &str) -> Vec<BTreeSet<Row>> {
    let mut held: BTreeMap<Vec<String>, Row> = BTreeMap::new();
    let mut states = Vec::new();
    let mut last = String::new();
    let stamps = stamps(world, path);
    for ((action, row), stamp) in listed(world, path).into_iter().zip(stamps) {
        if action == "R" && stamp != last && !last.is_empty() {
            states.push(held.values().cloned().collect());
        }
        match action.as_str() {
            "R" => {
                last = stamp;
                held.insert(row[..4].to_vec(), row);
            }
            "D" => assert!(held.remove(&row[..4]).is_some(), "{row:?} was not there"),
            other => panic!("{other}"),
        }
    }
    states.push(held.values().cloned().collect());
    states
}

/// `VALID_FROM` of each row.
fn stamps(world: &World, path: &str) -> Vec<String> {
    let answer = world.get(&format!("/sdmx/v2/data/dataflow/*/labour/1.0{path}"), CSV);
    let cells = |line: &str| line.rsplitn(3, ',').map(str::to_owned).collect::<Vec<_>>();
    assert!(answer.body.lines().next().unwrap().ends_with("RELEASE_CID,VALID_FROM,VALID_TO"));
    answer.body.lines().skip(1).map(|line| cells(line)[1].clone()).collect()
}

#[test]
fn every_row_has_all_columns() {
    let world = World::start();
    for query in ["", "&attributes=RELEASE_CID", "&attributes=none", "&measures=none", "&detail=nodata"] {
        for what in ["includeHistory=true", "updatedAfter=2026-11-02"] {
            let body = world.get(&format!("/sdmx/v2/data/dataflow/*/labour?{what}{query}"), CSV).body;
            // No cell of this world has a comma.
            let columns: BTreeSet<usize> = body.lines().map(|line| line.matches(',').count()).collect();
            assert_eq!(columns.len(), 1, "{what}{query}");
        }
    }
}

#[test]
fn a_history_replayed_goes_through_every_vintage() {
    let all = left(|_| true);
    let world = World::start();
    let path = "?includeHistory=true";
    // Between two vintages only what disappeared is gone: the second replaces the rest.
    assert_eq!(replayed(&world, path).last(), Some(&all));
    let told: Vec<(String, Row)> = listed(&world, path);
    let vintage = |from: usize, length: usize| -> BTreeSet<Row> {
        told[from..from + length].iter().map(|(_, row)| row.clone()).collect()
    };
    assert_eq!(told.len(), first().len() + 1 + all.len());
    assert_eq!(vintage(0, first().len()), rows(&world, "?asOf=2026-11-02"));
    assert_eq!(told[first().len()], ("D".to_owned(), without_figure(world::lost())));
    assert_eq!(vintage(first().len() + 1, all.len()), rows(&world, ""));
    assert_eq!(listed(&world, "?includeHistory=true&asOf=2026-11-02").len(), first().len());
    assert_eq!(listed(&world, "?includeHistory=true&updatedAfter=2026-11-02").len(), all.len());
    assert_eq!(listed(&world, "?includeHistory=true&updatedAfter=2026-11-03").len(), 0);
    let key = listed(&world, "/A.AUT.F?includeHistory=true&startPeriod=2020&endPeriod=2020");
    assert_eq!(key.len(), 2);
    let some = listed(&world, "?includeHistory=true&offset=3&limit=40");
    assert_eq!(some, told[3..43]);
}

#[test]
fn what_was_taken_back_ends_in_a_history() {
    let world = World::withdrawn();
    assert_eq!(replayed(&world, "?includeHistory=true").last(), Some(&first()));
    let days: BTreeSet<String> = stamps(&world, "?includeHistory=true").into_iter().collect();
    let day = |day| format!("2026-11-0{day}T08:00:00Z");
    assert_eq!(days, ["".to_owned(), day(2), day(3), day(4)].into());
}

#[test]
fn a_dataflow_whose_releases_were_all_taken_back_has_only_a_history() {
    let world = World::bare();
    let status = |path: &str| world.get(path, "*/*").status;
    assert_eq!(status("/sdmx/v1/data/labour"), 404);
    assert_eq!(status("/sdmx/v1/data/labour?asOf=2026-11-05"), 404);
    assert_eq!(rows(&world, "?asOf=2026-11-03"), left(|_| true));
    assert!(!world.get("/sdmx/v1/dataflow", "*/*").body.contains("labour"));
    let states = replayed(&world, "?includeHistory=true");
    assert_eq!(states.last(), Some(&BTreeSet::new()));
    assert_eq!(states.len(), 3, "the first, the second, the first again, and then what it had is deleted");
}

#[test]
fn every_format_tells_when_each_vintage_was_the_latest() {
    let world = World::start();
    let (first, second) = ("2026-11-02T08:00:00Z", "2026-11-03T08:00:00Z");
    for accept in [GENERIC, SPECIFIC] {
        let answer = world.get("/sdmx/v1/data/labour?includeHistory=true", accept);
        let heads: Vec<&str> = answer.body.split("<mes:DataSet ").skip(1).collect();
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
        assert_eq!(rows(heads[0]), world::earlier().len(), "{accept}");
        assert_eq!(rows(heads[1]), 1, "{accept}");
        assert_eq!(rows(heads[2]), world::rows().len(), "{accept}");
    }
    let answer = world.get("/sdmx/v2/data/dataflow/*/labour?includeHistory=true", JSON);
    let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let sets = json["data"]["dataSets"].as_array().unwrap();
    let said = |at: usize, name: &str| sets[at][name].as_str().unwrap_or("").to_owned();
    let expected = [("Replace", first, second), ("Delete", "", second), ("Replace", second, "")];
    assert_eq!(sets.len(), expected.len());
    for (at, (action, from, to)) in expected.into_iter().enumerate() {
        let found = (said(at, "action"), said(at, "validFrom"), said(at, "validTo"));
        assert_eq!(found, (action.into(), from.into(), to.into()));
        assert_eq!(json["data"]["structures"][at]["dataSets"][0], at, "each has its own structure");
    }
}

#[test]
fn the_files_at_guessed_addresses_have_the_same_figures() {
    let world = World::start();
    let publisher = world.agency().to_lowercase();
    for when in ["", "?asOf=2026-11-02"] {
        let file = world.get(&format!("/data/{publisher}/labour/all.csv{when}"), "*/*");
        assert_eq!(file.status, 200, "{}", file.body);
        let cells = file.body.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        let found: BTreeSet<[String; 4]> =
            cells.map(|cells| [0, 1, 2, 3].map(|at| cells[at].into())).collect();
        let told = rows(&world, when).into_iter().map(|[_, area, sex, time, value]| [area, sex, time, value]);
        assert_eq!(told.collect::<BTreeSet<_>>(), found, "{when}");
    }
}
