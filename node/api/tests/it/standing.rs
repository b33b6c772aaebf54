//! How a figure stands: who counts, and what every surface says.

use serde_json::{Value, json};

use crate::it::test_node::{HttpResponse, TestNode};

const HEADERS: &str = "Authorization: Bearer t\r\nContent-Type: application/json\r\n";
const GENERIC: &str = "application/vnd.sdmx.genericdata+xml;version=2.1";
const SPECIFIC: &str = "application/vnd.sdmx.structurespecificdata+xml;version=2.1";
const CSV: &str = "application/vnd.sdmx.data+csv;version=2.0.0";
const JSON: &str = "application/vnd.sdmx.data+json;version=2.0.0";

/// What each surface of a node says of women in Austria in 2020 and in 2021.
#[derive(Debug, PartialEq, Eq)]
struct Words {
    figures: [String; 2],
    file: [String; 2],
    cube: [String; 2],
    sdmx: [String; 2],
    flow: String,
}

fn json(node: &TestNode, path: &str) -> Value {
    let response = node.get(path, "application/json");
    assert_eq!(response.status, 200, "{path}: {}", response.body);
    serde_json::from_str(&response.body).unwrap()
}

fn publisher(node: &TestNode) -> String {
    node.agency().to_lowercase()
}

fn standing(node: &TestNode, period: &str) -> Value {
    json(node, &format!("/api/v1/figures/{}/labour/AUT.F/{period}", publisher(node)))["standing"].clone()
}

/// The last cell of the row of a period in a file with one row for each figure.
fn last_cell(file: &HttpResponse, row: &str) -> String {
    let line = file.body.lines().find(|line| line.contains(row));
    line.and_then(|line| line.rsplit(',').next()).unwrap_or("no row").to_owned()
}

fn words(node: &TestNode) -> Words {
    let file = node.get(&format!("/data/{}/labour/AUT.F.csv", publisher(node)), "*/*");
    let cube = json(node, &format!("/data/{}/labour/AUT.F.json", publisher(node)));
    let periods = &cube["dimension"]["TIME_PERIOD"]["category"]["index"];
    let position = |period: &str| periods.as_array().unwrap().iter().position(|one| one == period).unwrap();
    let sdmx = node.get("/sdmx/v2/data/dataflow/*/labour/1.0/A.AUT.F?attributes=obs", CSV);
    let both = |word: &dyn Fn(&str) -> Value| {
        ["2020", "2021"].map(|period| word(period).as_str().unwrap_or("none").to_owned())
    };
    Words {
        figures: both(&|period| standing(node, period)["word"].clone()),
        file: both(&|period| last_cell(&file, &format!("AUT,F,{period},")).into()),
        cube: both(&|period| cube["status"][position(period).to_string()].clone()),
        sdmx: both(&|period| last_cell(&sdmx, &format!(",AUT,F,{period},")).into()),
        flow: json(node, "/api/v1/flows")[0]["standing"]["word"].as_str().unwrap().to_owned(),
    }
}

#[track_caller]
fn check(node: &TestNode, figures: [&str; 2], flow: &str) {
    let figures = figures.map(str::to_owned);
    let [file, cube, sdmx] = [figures.clone(), figures.clone(), figures.clone()];
    assert_eq!(words(node), Words { figures, file, cube, sdmx, flow: flow.to_owned() });
}

fn follow(node: &TestNode, method: &str, id: &str) {
    assert_eq!(node.request(method, &format!("/api/v1/follows/{id}"), HEADERS, "").status, 204);
}

#[test]
fn strangers_never_count() {
    let (node, [confirms, contradicts]) = TestNode::with_attestations();
    let [confirms, contradicts] = [confirms, contradicts].map(|id| id.to_string());
    check(&node, ["unchecked"; 2], "unchecked");
    let told = standing(&node, "2020");
    for list in ["confirmed_by", "contradicted_by", "attestations"] {
        assert_eq!(told[list], json!([]), "{told}");
    }
    let shown = json(&node, &format!("/api/v1/publishers/{}", publisher(&node)));
    assert_eq!((&shown["confirmed_by"], &shown["record"]["unchecked"]), (&json!([]), &json!(2)));

    follow(&node, "POST", &confirms);
    check(&node, ["holds"; 2], "holds");
    assert_eq!(standing(&node, "2020")["confirmed_by"], json!([confirms]));
    let shown = json(&node, &format!("/api/v1/publishers/{}", publisher(&node)));
    assert_eq!(shown["confirmed_by"][0]["count"], 1, "{shown}");

    follow(&node, "POST", &contradicts);
    check(&node, ["does_not_hold", "holds"], "does_not_hold");
    let wrong = standing(&node, "2020");
    assert_eq!((&wrong["published"], &wrong["computed"]), (&json!("1"), &json!("2")));
    assert_eq!(
        (&wrong["confirmed_by"], &wrong["contradicted_by"]),
        (&json!([confirms]), &json!([contradicts]))
    );
    assert_eq!(standing(&node, "2021")["contradicted_by"], json!([]));
    let shown = json(&node, &format!("/api/v1/publishers/{}", publisher(&node)));
    assert_eq!((&shown["record"]["does_not_hold"], &shown["record"]["unchecked"]), (&json!(1), &json!(1)));

    follow(&node, "DELETE", &contradicts);
    check(&node, ["holds"; 2], "holds");
}

#[test]
fn contested_figures_say_so_on_every_surface() {
    let forked = TestNode::with_fork();
    check(&forked, ["contested"; 2], "contested");
    assert!(standing(&forked, "2020")["contests"].as_array().unwrap().contains(&json!("forked")));
    let withdrawn = TestNode::with_all_retracted();
    let told = standing(&withdrawn, "2020");
    assert_eq!((&told["word"], &told["contests"]), (&json!("contested"), &json!(["retracted"])));
    assert_eq!(json(&withdrawn, "/api/v1/flows")[0]["standing"]["word"], "contested");
    let node = TestNode::start();
    check(&node, ["unchecked"; 2], "unchecked");
    let earlier = standing(&node, "2020?vintage=seq=1");
    assert_eq!((&earlier["word"], &earlier["contests"]), (&json!("contested"), &json!(["superseded"])));
    assert_eq!(earlier["superseded"]["seq"], 2);
}

#[test]
fn sdmx_carries_the_standing_beside_the_attributes_of_the_source() {
    let (node, [confirms, _]) = TestNode::with_attestations();
    let formats = [
        ("/sdmx/v1/data/labour", GENERIC),
        ("/sdmx/v1/data/labour", SPECIFIC),
        ("/sdmx/v2/data/dataflow/*/labour", CSV),
        ("/sdmx/v2/data/dataflow/*/labour", JSON),
    ];
    let get = |path: &str, accept| node.get(path, accept);
    let before: Vec<HttpResponse> = formats.iter().map(|(path, accept)| get(path, accept)).collect();
    follow(&node, "POST", &confirms.to_string());
    for ((path, accept), before) in formats.into_iter().zip(before) {
        let now = get(path, accept);
        assert_ne!(now.etag, before.etag, "the standing is part of the tag: {accept}");
        for (response, word) in [(&before, "unchecked"), (&now, "holds")] {
            let found = response.body.contains("ASSAY_STANDING") && response.body.contains(word);
            assert!(found && response.body.contains("NOTE"), "{accept} {word}");
        }
        let bare = get(&format!("{path}?detail=dataonly"), accept);
        assert!(!bare.body.contains("ASSAY_STANDING"), "{accept}");
    }
    for (test, rows) in [("eq:holds", true), ("eq:unchecked", false)] {
        let found = get(&format!("/sdmx/v2/data/dataflow/*/labour?c[ASSAY_STANDING]={test}"), CSV);
        assert_eq!(found.body.lines().count() > 1, rows, "{test}: {}", found.body);
    }
    let structure = get("/sdmx/v1/datastructure/all/labour?references=all", "*/*").body;
    assert!(structure.contains("<str:Attribute id=\"ASSAY_STANDING\""), "{structure}");
    assert!(structure.contains("How the figure stands at this node"), "{structure}");
}

#[test]
fn lists_mark_only_the_figures_that_do_not_hold() {
    let (node, [_, contradicts]) = TestNode::with_attestations();
    let release = json(&node, "/api/v1/flows")[0]["release"].as_str().unwrap().to_owned();
    let marks = || {
        let country = json(&node, "/api/v1/countries/AUT");
        let series = country["flows"][0]["series"].as_array().unwrap().clone();
        let of_series: Vec<Value> =
            series.iter().flat_map(|one| one["marks"].as_array().unwrap().clone()).collect();
        let panel = json(&node, &format!("/api/v1/panels/{release}/OUT/marks"));
        assert_eq!(panel, Value::Array(of_series));
        panel
    };
    assert_eq!(marks(), json!([]));
    follow(&node, "POST", &contradicts.to_string());
    assert_eq!(marks(), json!([{ "key": "AUT.F", "period": "2020", "word": "does_not_hold" }]));
    let hits = json(&node, "/api/v1/search?q=rates%20unemployment");
    let detail = hits[0]["detail"].as_str().unwrap();
    assert!(detail.ends_with(", labour, does not hold"), "{hits}");
    let rerun = format!("/api/v1/releases/{release}/rerun?output=OUT&key=AUT.F&period=2021");
    let events = node.get(&rerun, "text/event-stream").body;
    assert!(events.contains("\"figure\":{\"cell\":\"unchecked\"}"), "{events}");
}

#[test]
fn a_retracted_data_point_contests_only_itself() {
    let node = TestNode::with_retracted_point();
    check(&node, ["contested", "unchecked"], "contested");
    assert_eq!(standing(&node, "2020")["contests"], json!(["point_retracted"]));
    let flow = &json(&node, "/api/v1/flows")[0];
    let release = flow["release"].as_str().unwrap();
    assert_eq!(
        (&flow["standing"]["retracted_points"], &flow["standing"]["contests"]),
        (&json!(1), &json!([]))
    );
    let marks = json(&node, &format!("/api/v1/panels/{release}/OUT/marks"));
    assert_eq!(marks, json!([{ "key": "AUT.F", "period": "2020", "word": "contested" }]));
}

#[test]
fn data_without_a_document_are_named_at_any_depth() {
    let node = TestNode::with_stated_data();
    let stated = standing(&node, "2020")["stated"].clone();
    assert_eq!(stated.as_array().map(Vec::len), Some(1), "{stated}");
    for flow in json(&node, "/api/v1/flows").as_array().unwrap() {
        assert_eq!(flow["standing"]["stated"], stated, "{flow}");
    }
    assert_eq!(standing(&TestNode::start(), "2020")["stated"], json!([]));
}
