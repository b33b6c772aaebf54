//! What every format tells: attributes, the dimension of figures, observations that stand alone, keys
//! only, order and parts.

use std::collections::BTreeSet;

use super::world::{self, Answer, Row, World};
use super::{CSV, GENERIC, JSON, SPECIFIC, left, listed};

const CSV_ONE: &str = "application/vnd.sdmx.data+csv;version=1.0.0";

/// Every format, with the path of its base.
const FORMATS: [(&str, &str); 5] = [
    ("/sdmx/v1/data/labour", GENERIC),
    ("/sdmx/v1/data/labour", SPECIFIC),
    ("/sdmx/v1/data/labour", CSV_ONE),
    ("/sdmx/v2/data/dataflow/*/labour", CSV),
    ("/sdmx/v2/data/dataflow/*/labour", JSON),
];

/// The answer in each format.
fn answers(world: &World, query: &str) -> Vec<(&'static str, Answer)> {
    let get = |(path, accept): (&str, &'static str)| {
        let answer = world.get(&format!("{path}{query}"), accept);
        assert_eq!((answer.status, answer.kind.as_str()), (200, accept), "{query}: {}", answer.body);
        (accept, answer)
    };
    FORMATS.into_iter().map(get).collect()
}

/// What our own importers read: the cells of these components. In SDMX-ML they leave out what has no
/// figure, so that is not asked for.
#[track_caller]
fn read<const N: usize>(answer: &Answer, ids: [&str; N]) -> BTreeSet<[String; N]> {
    let source = ingest::SourceFile { name: "answer", bytes: answer.body.as_bytes() };
    let read = ingest::import(source, &ingest::ImportOptions::default(), &mut |_| ()).unwrap();
    let cell = |id: &str, row| read.table.column(id)?.cell(row).map(|cell| cell.to_string());
    let figures = (0..read.table.rows()).filter(|row| cell("OBS_VALUE", *row).is_some());
    figures.map(|row| ids.map(|id| cell(id, row).unwrap_or_default())).collect()
}

/// The observations that have a figure.
fn figures() -> BTreeSet<Row> {
    left(|row| !row[4].is_empty())
}

#[test]
fn attributes_stand_at_every_observation() {
    let world = World::start();
    let row = |row: &Row| [row[3].clone(), row[4].clone(), "a <b> & \"c\"".to_owned()];
    let noted: BTreeSet<_> = figures().iter().map(row).collect();
    for query in ["", "?dimensionAtObservation=AllDimensions", "?dimensionAtObservation=TIME_PERIOD"] {
        for (accept, answer) in answers(&world, query) {
            let found = read(&answer, ["TIME_PERIOD", "OBS_VALUE", "NOTE"]);
            assert_eq!(found, noted, "{accept} {query}");
            assert!(answer.body.contains("RELEASE_CID"), "{accept}");
        }
    }
}

#[test]
fn observations_stand_alone_or_in_series() {
    let world = World::start();
    let (alone, within) = ("?dimensionAtObservation=AllDimensions", "");
    let generic = |query| world.get(&format!("/sdmx/v1/data/labour{query}"), GENERIC).body;
    assert!(generic(alone).contains("<gen:ObsKey>") && !generic(alone).contains("<gen:Series>"));
    assert!(generic(within).contains("<gen:SeriesKey>") && !generic(within).contains("<gen:ObsKey>"));
    let specific = |query| world.get(&format!("/sdmx/v1/data/labour{query}"), SPECIFIC).body;
    assert!(specific(alone).contains("<Obs FREQ=") && !specific(alone).contains("<Series"));
    assert!(specific(within).contains("<Series FREQ="));
    let json = |query| {
        let answer = world.get(&format!("/sdmx/v2/data/dataflow/*/labour{query}"), JSON);
        serde_json::from_str::<serde_json::Value>(&answer.body).unwrap()["data"].clone()
    };
    let (alone, within) = (json(alone), json(within));
    let count = |set: &serde_json::Value| set.as_object().map(serde_json::Map::len);
    assert_eq!(count(&alone["dataSets"][0]["observations"]), Some(world::rows().len()));
    assert_eq!(alone["structures"][0]["dimensions"]["observation"].as_array().unwrap().len(), 4);
    assert_eq!(count(&within["dataSets"][0]["series"]), Some(series().len()));
    assert_eq!(within["structures"][0]["dimensions"]["observation"][0]["id"], "TIME_PERIOD");
}

/// The keys of series.
fn series() -> BTreeSet<Vec<String>> {
    world::rows().iter().map(|row| row[..3].to_vec()).collect()
}

#[test]
fn data_only_has_no_attributes() {
    let world = World::start();
    let told: BTreeSet<_> = figures().iter().map(|row| [row[3].clone(), row[4].clone()]).collect();
    for query in ["?detail=dataonly", "?attributes=none"] {
        for (accept, answer) in answers(&world, query) {
            assert_eq!(read(&answer, ["TIME_PERIOD", "OBS_VALUE"]), told, "{accept} {query}");
            assert!(!answer.body.contains("NOTE") && !answer.body.contains("_CID"), "{accept} {query}");
        }
    }
    for (accept, answer) in answers(&world, "?attributes=RELEASE_CID") {
        let (release, others) = (answer.body.contains("RELEASE_CID"), answer.body.contains("RECIPE_CID"));
        assert!(release && !others && !answer.body.contains("NOTE"), "{accept}");
    }
    for (accept, answer) in answers(&world, "?attributes=obs&measures=none") {
        let (notes, sets) = (answer.body.contains("NOTE"), answer.body.contains("_CID"));
        assert!(notes && !sets, "{accept}");
        assert!(!answer.body.contains("4.5470"), "{accept}: no figures");
    }
}

#[test]
fn keys_of_series_only() {
    let world = World::start();
    let count = series().len();
    for (query, attributes) in [("?detail=serieskeysonly", false), ("?detail=nodata", true)] {
        for (accept, answer) in answers(&world, query) {
            let body = &answer.body;
            let found = match accept {
                GENERIC => body.matches("<gen:SeriesKey>").count(),
                SPECIFIC => body.matches("<Series ").count(),
                JSON => body.matches("{\"observations\":{}}").count(),
                _ => body.lines().count() - 1,
            };
            assert_eq!(found, count, "{accept} {query}");
            assert!(!body.contains("4.5470") && !body.contains("<gen:Obs"), "{accept} {query}");
            assert_eq!(body.contains("RELEASE_CID"), attributes, "{accept} {query}");
        }
    }
    // Parts are of series then, not of observations; REST 2 says it with what is left out.
    let some =
        world.get("/sdmx/v2/data/dataflow/*/labour?attributes=none&measures=none&offset=2&limit=3", CSV);
    let keys: Vec<String> = some.body.lines().skip(1).map(|line| line.split(',').skip(3).collect()).collect();
    let expected: Vec<String> = series().into_iter().map(|key| key.concat()).skip(2).take(3).collect();
    assert_eq!(keys, expected);
}

/// Demands of every component and value an id and a name, and of every list something in it.
#[track_caller]
fn named(components: &serde_json::Value) {
    for part in components.as_object().unwrap().values().flat_map(|parts| parts.as_array().unwrap()) {
        let values = part.get("values").map(|values| values.as_array().unwrap().as_slice());
        assert_ne!(values.map(<[_]>::len), Some(0), "{part}");
        for part in values.unwrap_or_default().iter().chain([part]) {
            assert!(part["id"].is_string() && part["name"].is_string(), "{part}");
        }
    }
}

#[test]
fn components_have_what_the_schema_of_sdmx_json_wants() {
    let world = World::start();
    for query in ["", "?detail=nodata", "?startPeriod=2999", "?includeHistory=true", "?measures=none"] {
        let body = world.get(&format!("/sdmx/v2/data/dataflow/*/labour{query}"), JSON).body;
        let json: serde_json::Value = serde_json::from_str(&body).unwrap();
        for structure in json["data"]["structures"].as_array().unwrap() {
            ["dimensions", "measures", "attributes"].iter().for_each(|part| named(&structure[part]));
        }
    }
}

#[test]
fn several_figures_are_told_apart_by_a_dimension() {
    let world = World::wide();
    let cell = |area: &str, measure: &str, value: &str| [area, measure, "2020", value].map(str::to_owned);
    let all: BTreeSet<_> =
        [cell("AUT", "MALE", "1.0"), cell("AUT", "FEMALE", "-3"), cell("BEL", "MALE", "2.5")].into();
    for query in ["", "?dimensionAtObservation=AllDimensions"] {
        for (accept, answer) in answers(&world, query) {
            let found = read(&answer, ["REF_AREA", "MEASURE", "TIME_PERIOD", "OBS_VALUE"]);
            assert_eq!(found, all, "{accept} {query}");
        }
    }
    let one = world.get("/sdmx/v2/data/dataflow/*/labour/1.0/A.*.FEMALE?c[OBS_VALUE]=lt:0", CSV);
    assert_eq!(one.body.lines().count(), 2, "{}", one.body);
    let structure = world.get("/sdmx/v1/datastructure/all/labour?references=codelist", "*/*");
    assert!(structure.body.contains("<str:Dimension id=\"MEASURE\""));
    assert!(structure.body.contains("<str:Code id=\"FEMALE\">"));
}

#[test]
fn order_and_parts() {
    let world = World::start();
    let told = |query: &str| -> Vec<Row> { listed(&world, query).into_iter().map(|(_, row)| row).collect() };
    let mut rows = told("");
    let sorted = |by: fn(&Row) -> (String, String)| {
        let mut rows = told("");
        rows.sort_by_key(by);
        rows
    };
    assert_eq!(told("?sort=TIME_PERIOD").first().map(|row| row[3].clone()), Some("2019".into()));
    assert_eq!(told("?sort=SEX"), sorted(|row| (row[2].clone(), String::new())));
    assert_eq!(told("?sort=SEX+REF_AREA:asc"), sorted(|row| (row[2].clone(), row[1].clone())));
    assert_eq!(told("?sort=*"), rows);
    assert_eq!(told("?sort=series_key%2BTIME_PERIOD"), rows);
    assert_eq!(told("?offset=5&limit=7"), rows[5..12]);
    assert_eq!(told("?offset=5"), rows[5..]);
    assert_eq!(told("?limit=0"), rows[..0]);
    assert_eq!(told("?offset=100000"), rows[..0]);
    rows.reverse();
    assert_eq!(told("?sort=*:desc"), rows);
    assert_eq!(told("?sort=*:desc&limit=3"), rows[..3]);
    let values: Vec<String> =
        told("?sort=OBS_VALUE:desc&limit=4").into_iter().map(|row| row[4].clone()).collect();
    let mut all: Vec<String> = left(|row| !row[4].is_empty()).into_iter().map(|row| row[4].clone()).collect();
    all.sort_by(|a, b| b.cmp(a));
    assert_eq!(values, all[..4]);
    // What is sorted across series does not stand in series.
    let json = world.get("/sdmx/v2/data/dataflow/*/labour?sort=TIME_PERIOD", JSON);
    assert_eq!(
        read(&json, ["TIME_PERIOD", "OBS_VALUE"]).len(),
        read(&json, ["TIME_PERIOD", "OBS_VALUE"]).len()
    );
    assert!(!json.body.contains("\"series\""));
}
