//! Every route, requested at least once over HTTP.

use std::collections::BTreeSet;
use std::io::Read;

use serde_json::Value;

use crate::it::test_node::TestNode;

const TOKEN: &str = "Authorization: Bearer t\r\n";

/// A request and its expected response: method, route, path, body sent, status, text in the body.
type Case = (&'static str, &'static str, String, &'static str, u16, &'static str);

/// Ids of the objects of a node.
struct Ids {
    publisher: String,
    release: String,
    recipe: String,
}

fn json(node: &TestNode, path: &str) -> Value {
    let response = node.get(path, "application/json");
    assert_eq!(response.status, 200, "{path}: {}", response.body);
    serde_json::from_str(&response.body).unwrap()
}

/// Returns the ids of the latest release.
fn ids(node: &TestNode) -> Ids {
    let releases = json(node, "/api/v1/releases");
    let latest = releases.as_array().unwrap().last().unwrap();
    let text = |pointer: &str| latest.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
    Ids { publisher: text("/position/publisher"), release: text("/id"), recipe: text("/release/recipe") }
}

fn read_cases(Ids { publisher, release, recipe }: &Ids) -> Vec<Case> {
    let api = |path: String| format!("/api/v1{path}");
    let get = |route, path, text| ("get", route, path, "", 200, text);
    vec![
        get("/api/v1/logs", api("/logs".into()), "\"complete\":"),
        get("/api/v1/releases", api("/releases".into()), "\"attestations\":"),
        get("/api/v1/releases/{id}", api(format!("/releases/{release}")), "\"dataflow\":\"labour\""),
        get("/api/v1/datasets", api("/datasets".into()), "["),
        get("/api/v1/recipes", api("/recipes".into()), "["),
        get("/api/v1/recipes/{id}", api(format!("/recipes/{recipe}")), "Rates & more"),
        get(
            "/api/v1/recipes/{id}/difference",
            api(format!("/recipes/{recipe}/difference?from={recipe}")),
            "\"steps\":[]",
        ),
        get("/api/v1/resolve", api(format!("/resolve?q=assay://{publisher}/labour")), "\"address\":"),
        get("/api/v1/flows", api("/flows".into()), "\"indicator\":\"unemployment\""),
        get("/api/v1/areas", api("/areas".into()), "\"code\":\"AUT\""),
        get("/api/v1/panels/{release}/{output}", api(format!("/panels/{release}/OUT")), "\"AUT.F\""),
        get("/api/v1/panels/{release}/{output}/marks", api(format!("/panels/{release}/OUT/marks")), "[]"),
        get("/api/v1/countries/{area}", api("/countries/AUT".into()), "\"series\":["),
        get(
            "/api/v1/series/{release}/{output}/{key}",
            api(format!("/series/{release}/OUT/AUT.F")),
            "\"NOTE\":",
        ),
        get(
            "/api/v1/figures/{publisher}/{dataflow}/{key}/{period}",
            api(format!("/figures/{publisher}/labour/AUT.F/2020")),
            "\"standing\":",
        ),
        get("/api/v1/publishers", api("/publishers".into()), "\"followed\":"),
        get("/api/v1/publishers/{id}", api(format!("/publishers/{publisher}")), "\"confirmed_by\":"),
        get(
            "/api/v1/publishers/{id}/entries",
            api(format!("/publishers/{publisher}/entries?limit=1")),
            "\"summary\":\"release labour\"",
        ),
        get("/api/v1/forks", api("/forks".into()), "[]"),
        get("/api/v1/search", api("/search?q=rates".into()), "\"kind\":\"flow\""),
        get("/api/v1/blocks/{id}", api(format!("/blocks/{release}")), "labour"),
        get("/api/v1/bundles/{id}", api(format!("/bundles/{release}")), "labour"),
        get("/api/v1/status", api("/status".into()), "\"version\":"),
        get("/api/v1/peers", api("/peers".into()), "[]"),
        get("/api/v1/releases/{id}/rerun", api(format!("/releases/{release}/rerun")), "event: verdict"),
        get(
            "/data/{publisher}/{dataflow}/{file}",
            format!("/data/{publisher}/labour/AUT.F.csv"),
            "REF_AREA,SEX,TIME_PERIOD,RATE,NOTE",
        ),
        ("get", "/data/{dataflow}/{file}", "/data/labour/all.json".into(), "", 302, ""),
        get("/openapi.json", "/openapi.json".into(), "\"openapi\""),
        get("/catalogue.jsonld", "/catalogue.jsonld".into(), "dcat:Catalog"),
        ("get", "/docs", "/docs".into(), "", 308, ""),
        get("/docs/", "/docs/".into(), "swagger-ui"),
        get("/docs/{file}", "/docs/swagger-ui.css".into(), ".swagger-ui"),
        get("/metrics", "/metrics".into(), "assay_releases 2"),
        get("/healthz", "/healthz".into(), "ok"),
        get("/readyz", "/readyz".into(), "ready"),
    ]
}

fn write_cases(Ids { publisher, release, .. }: &Ids) -> Vec<Case> {
    let follow = format!("/api/v1/follows/{publisher}");
    vec![
        ("post", "/api/v1/publish", "/api/v1/publish".into(), "no archive", 422, "\"code\":\"car\""),
        ("post", "/api/v1/follows/{publisher}", follow.clone(), "", 204, ""),
        ("delete", "/api/v1/follows/{publisher}", follow, "", 204, ""),
        ("post", "/api/v1/peers", "/api/v1/peers".into(), "{\"address\":\"x\"}", 422, "\"detail\":\"no\""),
        (
            "post",
            "/api/v1/releases/{id}/verify",
            format!("/api/v1/releases/{release}/verify"),
            "",
            200,
            "\"verdict\":",
        ),
    ]
}

#[test]
fn every_route_responds() {
    let node = TestNode::start();
    let ids = ids(&node);
    let mut tested = BTreeSet::from([("get", "/api/v1/events".to_owned())]);
    for (method, route, path, body, status, text) in read_cases(&ids).into_iter().chain(write_cases(&ids)) {
        let headers = format!("{TOKEN}Content-Type: application/json\r\n");
        let response = node.request(&method.to_uppercase(), &path, &headers, body);
        assert_eq!(response.status, status, "{method} {path}: {}", response.body);
        assert!(response.body.contains(text), "{method} {path}: `{text}` is not in {}", response.body);
        tested.insert((method, route.to_owned()));
    }
    let routes: BTreeSet<_> = api::route_paths::<service::MemoryStorage>().into_iter().collect();
    assert_eq!(tested, routes, "a route has no case here");
}

#[test]
fn the_event_stream_stays_open() {
    let node = TestNode::start();
    let mut stream = node.open_stream("/api/v1/events", "text/event-stream");
    let mut head = [0; 15];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
}

#[test]
fn forks_are_listed_with_their_evidence() {
    let node = TestNode::with_fork();
    let forks = json(&node, "/api/v1/forks");
    assert_eq!(forks.pointer("/0/seq"), Some(&Value::from(1)), "{forks}");
    assert_eq!(forks.pointer("/0/entries").and_then(Value::as_array).map(Vec::len), Some(2), "{forks}");
    let publisher = ids(&node).publisher;
    let publisher = json(&node, &format!("/api/v1/publishers/{publisher}"));
    assert_eq!((&publisher["forked"], &publisher["forks"]), (&Value::from(true), &forks));
    assert_eq!(json(&node, "/api/v1/flows")[0]["forked"], true);
}

#[test]
fn search_finds_words_addresses_and_ids() {
    let node = TestNode::start();
    let Ids { publisher, release, recipe: _ } = ids(&node);
    let address = format!("assay://{publisher}/labour/AUT.F/2020");
    for (query, kind, path) in [
        ("austria", "country", "/country/AUT".to_owned()),
        ("rates%20unemployment", "flow", format!("/world/unemployment?method={publisher}/labour")),
        ("office", "publisher", format!("/publisher/{publisher}")),
        (&address, "figure", format!("/figure/{publisher}/labour/AUT.F/2020")),
        (&release, "release", format!("/world/unemployment?method={publisher}/labour")),
    ] {
        let hits = json(&node, &format!("/api/v1/search?q={query}"));
        let hit = hits.as_array().unwrap().iter().find(|hit| hit["kind"] == kind);
        assert_eq!(hit.map(|hit| &hit["path"]), Some(&Value::from(path)), "{query}: {hits}");
    }
    for query in ["", "%20", "nothing-of-this-name", "rates%20nothing"] {
        assert_eq!(json(&node, &format!("/api/v1/search?q={query}")), Value::Array(Vec::new()), "{query}");
    }
    let limited = json(&node, "/api/v1/search?q=a&limit=1");
    assert_eq!(limited.as_array().map(Vec::len), Some(1));
}

#[test]
fn a_figure_without_dimensions_has_one_address() {
    let node = TestNode::without_dimensions();
    let Ids { publisher, release, .. } = ids(&node);
    let figure = json(&node, &format!("/api/v1/figures/{publisher}/labour/_/2010"));
    assert_eq!((&figure["value"], &figure["standing"]["latest"]), (&Value::from("3"), &Value::from(true)));
    let address = format!("assay://{publisher}/labour/_/2010");
    assert_eq!(figure["address"], address);
    let resolved = json(&node, &format!("/api/v1/resolve?q={address}"));
    assert_eq!(
        (&resolved["id"], &resolved["address"]),
        (&Value::from(release.clone()), &Value::from(address.clone()))
    );
    let series = json(&node, &format!("/api/v1/series/{release}/OUT/_"));
    assert_eq!((&series["key"], &series["values"]), (&Value::from("_"), &serde_json::json!(["3", "4"])));
    let file = node.get(&format!("/data/{publisher}/labour/_.csv"), "*/*");
    assert_eq!(file.body, "TIME_PERIOD,OBS_VALUE,ASSAY_STANDING\n2010,3,unchecked\n2011,4,unchecked\n");
    let hits = json(&node, &format!("/api/v1/search?q={address}"));
    assert_eq!(hits[0]["path"], format!("/figure/{publisher}/labour/_/2010"));
    let other = node.get(&format!("/api/v1/figures/{publisher}/labour/DEU/2010"), "*/*");
    assert_eq!(other.status, 404, "{}", other.body);
}
