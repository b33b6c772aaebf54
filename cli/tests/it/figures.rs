//! Figures of the HTTP API, compared with those of the command line.

use schemas::cid::{Cid, Codec};
use serde_json::{Value, json};
use testkit::publisher::STATISTICS_OFFICE;

use super::node_process::{NodeProcess, TCP};
use super::workspace::Workspace;
use super::{http_client, sample};

struct PublishedNode {
    workspace: Workspace,
    release: String,
    node: NodeProcess,
}

fn published() -> PublishedNode {
    let (workspace, release) = sample::published(STATISTICS_OFFICE);
    let node = NodeProcess::start(&workspace, TCP);
    PublishedNode { workspace, release, node }
}

impl PublishedNode {
    fn get(&self, path: &str) -> http_client::HttpResponse {
        http_client::send_request(&self.node.api, &[&format!("GET /api/v1{path}")], &[])
    }

    #[track_caller]
    fn json(&self, path: &str) -> Value {
        let response = self.get(path);
        assert_eq!(response.status, 200, "{path}: {}", String::from_utf8_lossy(&response.body));
        response.json()
    }

    fn figure(&self, rest: &str) -> String {
        format!("/figures/{}/inflation/{rest}", self.workspace.publisher())
    }
}

#[test]
fn a_dataflow_lists_its_coverage() {
    let published = published();
    let flows = published.json("/flows");
    let flow = &flows[0];
    assert_eq!(flows.as_array().map(Vec::len), Some(1));
    for (name, value) in [
        ("publisher_name", json!(STATISTICS_OFFICE)),
        ("dataflow", json!("inflation")),
        ("indicator", json!("inflation")),
        ("official", json!(true)),
        ("release", json!(published.release)),
        ("dimensions", json!(["REF_AREA", "TIME_PERIOD"])),
        ("series", json!(3)),
        ("first_period", json!("2006")),
        ("last_period", json!("2010")),
        ("frequency", json!("A")),
        ("vintage", json!("2010")),
        ("vintages", json!(1)),
        (
            "standing",
            json!({
                "word": "unchecked", "does_not_hold": 0, "checked_here": "unchecked", "contests": [],
                "retracted_points": 0, "confirmed_by": [], "contradicted_by": [], "stated": [],
            }),
        ),
        ("forked", json!(false)),
        ("retracted", json!(null)),
    ] {
        assert_eq!(flow[name], value, "{name}");
    }
    assert_eq!(
        (&flow["standing"]["word"], &flow["standing"]["does_not_hold"]),
        (&json!("unchecked"), &json!(0))
    );
    let areas = published.json("/areas");
    assert_eq!(
        areas[1],
        json!({ "code": "TUR", "name": "Turkey", "alpha2": "TR", "m49": "792", "aggregate": false })
    );
}

#[test]
fn figures_equal_those_of_the_command_line() {
    let published = published();
    let output = published.json("/flows")[0]["output"].as_str().unwrap().to_owned();
    let base = format!("{}/{output}", published.release);
    let panel = published.json(&format!("/panels/{base}"));
    assert_eq!(panel["series"], json!(["FRA", "TUR", "USA"]));
    assert_eq!(panel["periods"], json!(["2006", "2007", "2008", "2009", "2010"]));
    for (row, area) in ["FRA", "TUR", "USA"].into_iter().enumerate() {
        let series = published.json(&format!("/series/{base}/{area}"));
        let country = published.json(&format!("/countries/{area}"));
        assert_eq!(country["flows"][0]["series"][0]["values"], panel["values"][row]);
        for (at, year) in (2006..=2010).enumerate() {
            let address = format!("assay://{}/inflation/{area}/{year}", published.workspace.publisher());
            let shown = published.workspace.json(&format!("assay verify {address}"));
            let figure = published.json(&published.figure(&format!("{area}/{year}")));
            let exact = figure["value"].as_str().unwrap();
            assert_eq!(series["values"][at], exact);
            assert!(shown.to_string().contains(&format!("\"{exact}\"")), "{exact} in {shown}");
            let drawn = panel["values"][row][at].as_f64().unwrap();
            assert!((drawn - exact.parse::<f64>().unwrap()).abs() <= drawn.abs() * 1e-6);
            assert_eq!(figure["address"], address.as_str());
        }
    }
    let part = published.json(&format!("/panels/{base}?period=2008&area=TUR"));
    assert_eq!((&part["series"], &part["periods"]), (&json!(["TUR"]), &json!(["2008"])));
    assert_eq!(part["values"][0][0], panel["values"][1][2]);
}

#[test]
fn files_have_predictable_urls() {
    let published = published();
    let id = published.workspace.publisher();
    let get = |path: &str| http_client::send_request(&published.node.api, &[&format!("GET {path}")], &[]);
    let file = get(&format!("/data/{id}/inflation/TUR.csv"));
    let text = String::from_utf8(file.body.clone()).unwrap();
    let value = published.json(&published.figure("TUR/2008"))["value"].as_str().unwrap().to_owned();
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(
        text.starts_with("REF_AREA,TIME_PERIOD,")
            && text.contains(&format!("\nTUR,2008,{value},unchecked\n")),
        "{text}"
    );
    assert_eq!(text.lines().count(), 6);
    assert_eq!(
        String::from_utf8(get(&format!("/data/{id}/inflation/all.csv")).body).unwrap().lines().count(),
        16
    );
    let cube = get(&format!("/data/{id}/inflation/all.json"));
    let document = cube.json();
    assert_eq!((&document["id"], &document["size"]), (&json!(["REF_AREA", "TIME_PERIOD"]), &json!([3, 5])));
    assert!(String::from_utf8_lossy(&cube.body).contains(&value));
    published.workspace.write("cube.json", String::from_utf8(cube.body).unwrap());
    published.workspace.run_line("assay import cube.json").ok();
    assert_eq!(
        get("/data/inflation/TUR.csv").header("location"),
        Some(&*format!("/data/{id}/inflation/TUR.csv"))
    );
    for (path, status, code) in [
        (format!("/data/{id}/inflation/TUR.xls"), 404, "not-found"),
        (format!("/data/{id}/inflation/XXX.csv"), 404, "not-found"),
        (format!("/data/{id}/inflation/TUR.csv?asOf=1999-01-01"), 404, "not-found"),
        (format!("/data/{id}/inflation/TUR.csv?asOf=x"), 400, "malformed"),
        ("/data/nothing/TUR.csv".to_owned(), 404, "not-found"),
    ] {
        get(&path).problem(status, code);
    }
    assert_eq!(get("/healthz").body, b"ok\n");
}

/// One wrong cell does not make the others wrong: every surface speaks of its own cell.
#[test]
fn the_right_cells_of_a_false_release_hold() {
    let (workspace, release) = sample::published(STATISTICS_OFFICE);
    let falsified = super::bundle::falsify(&workspace, &release);
    let node = NodeProcess::start(&workspace, TCP);
    let token = format!(
        "Authorization: Bearer {}",
        std::fs::read_to_string(workspace.data().join("token")).unwrap().trim()
    );
    let verify = format!("POST /api/v1/releases/{falsified}/verify");
    let found = http_client::send_request(&node.api, &[&verify, &token], &[]).json();
    assert_eq!(found["verdict"]["differs"]["count"], 1, "{found}");
    let published = PublishedNode { workspace, release, node };
    let standing = |key: &str| published.json(&published.figure(key))["standing"].clone();
    let wrong = standing("TUR/2010");
    assert_eq!(
        (&wrong["word"], &wrong["checked_here"]["cell"]),
        (&json!("does_not_hold"), &json!("does_not_hold"))
    );
    assert_eq!((&wrong["published"], &wrong["computed"]), (&json!("2.929954"), &json!("3.929954")));
    let right = standing("TUR/2009");
    assert_eq!((&right["word"], &right["contests"]), (&json!("holds"), &json!([])));
    let id = published.workspace.publisher();
    let get = |path: &str| http_client::send_request(&published.node.api, &[&format!("GET {path}")], &[]);
    let file = String::from_utf8(get(&format!("/data/{id}/inflation/TUR.csv")).body).unwrap();
    assert!(file.contains("\nTUR,2010,2.929954,does_not_hold\n"), "{file}");
    assert_eq!(file.matches(",holds\n").count(), 4, "{file}");
    let cube = get(&format!("/data/{id}/inflation/TUR.json")).json();
    assert_eq!((&cube["status"]["4"], &cube["status"]["3"]), (&json!("does_not_hold"), &json!("holds")));
    let page = |key: &str| String::from_utf8(get(&format!("/figure/{id}/inflation/{key}")).body).unwrap();
    assert!(page("TUR/2010").contains("does not hold: published 2.929954, computed 3.929954"));
    assert!(page("TUR/2009").contains("holds: source read again and recipe run again here"));
    let marks = published.json(&format!("/panels/{falsified}/INFLATION/marks"));
    assert_eq!(marks, json!([{ "key": "TUR", "period": "2010", "word": "does_not_hold" }]));
    let flow = &published.json("/flows")[0]["standing"];
    assert_eq!((&flow["word"], &flow["does_not_hold"]), (&json!("does_not_hold"), &json!(1)));
    let record = &published.json(&format!("/publishers/{id}"))["record"];
    assert_eq!(
        (&record["does_not_hold"], &record["unchecked"]),
        (&json!(1), &json!(1)),
        "the first was not run"
    );
    let observations = get("/sdmx/v2/data/dataflow/*/inflation?attributes=obs");
    let observations = String::from_utf8(observations.body).unwrap();
    assert!(observations.contains(",2010,2.929954,does_not_hold"), "{observations}");
    assert!(observations.contains(",2009,") && observations.contains(",holds\r\n"), "{observations}");
    let rerun = format!("/releases/{falsified}/rerun?output=INFLATION&key=TUR&period=");
    let events = |period: &str| String::from_utf8(published.get(&format!("{rerun}{period}")).body).unwrap();
    assert!(events("2009").contains(r#""figure":{"cell":"holds"}"#));
    let wrong = r#""figure":{"cell":"does_not_hold","computed":"3.929954","published":"2.929954"}"#;
    assert!(events("2010").contains(wrong), "{}", events("2010"));
    let verify =
        |key: &str| published.workspace.run_line(&format!("assay verify assay://{id}/inflation/{key}"));
    verify("TUR/2010")
        .exit(3)
        .contains("does not hold: OBS_VALUE is published as 2.929954, its documents give 3.929954");
    verify("TUR/2009").ok().contains("holds: its documents were read again");
    // A retraction contests what holds, and hides nothing that does not.
    published.workspace.run_line(&format!("assay retract {falsified} --reason 'a digit was changed'")).ok();
    let seq = right["log"]["seq"].as_u64().unwrap();
    let earlier = |key: &str| standing(&format!("{key}?vintage=seq={seq}"));
    let (wrong, right) = (earlier("TUR/2010"), earlier("TUR/2009"));
    assert_eq!((&wrong["word"], &right["word"]), (&json!("does_not_hold"), &json!("contested")));
    assert_eq!((&wrong["contests"], &right["contests"]), (&json!(["retracted"]), &json!(["retracted"])));
}

#[test]
fn a_figure_links_to_its_provenance() {
    let published = published();
    let figure = published.json(&published.figure("TUR/2008"));
    let standing = &figure["standing"];
    assert_eq!(
        (&standing["latest"], &standing["forked"], &standing["word"], &standing["contradicted_by"]),
        (&json!(true), &json!(false), &json!("unchecked"), &json!([]))
    );
    assert_eq!(standing["sources"][0]["name"], "cpi.csv");
    assert_eq!(standing["sources"][0]["stored"], true);
    assert_eq!(figure["provenance"]["kind"], "release");
    let kinds = |node: &Value| {
        let children = node["children"].as_array().unwrap();
        children.iter().map(|child| child["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&figure["provenance"]), ["recipe", "dataset"]);
    assert_eq!(kinds(&figure["provenance"]["children"][1]), ["snapshot"]);
    assert_eq!(figure["revisions"][0]["value"], figure["value"]);
    // The chunk that the figure names is part of its bundle.
    let bundle = published.get(&format!("/bundles/{}", published.release)).body;
    let chunk: Cid = figure["chunk"].as_str().unwrap().parse().unwrap();
    let (_, blocks) = schemas::car::open_archive(&bundle).unwrap();
    assert!(blocks.into_iter().any(|block| block.unwrap().0 == chunk));
    let recipe = figure["flow"]["recipe"].as_str().unwrap();
    let shown = published.json(&format!("/recipes/{recipe}"));
    assert_eq!(shown["used_by"][0]["release"], published.release.as_str());
    assert!(shown["script"].as_str().unwrap().contains("<-"));
    let same = published.json(&format!("/recipes/{recipe}/difference?from={recipe}"));
    assert_eq!(same["steps"], json!([]));
}

const TWO: &str = r#"title = "Inflation, and the factor"
indicator = "inflation"
licence = "CC0-1.0"
description = "Two outputs of one run."

[inputs.CPI]
title = "Consumer price index"
identifiers = ["REF_AREA", "TIME_PERIOD:time_period"]
measures = ["OBS_VALUE:number"]

[outputs.FACTOR]
title = "The factor"
unit = "factor"

[outputs.RATE]
title = "The rate"
unit = "per cent"
"#;

#[test]
fn each_output_of_a_dataflow_has_its_figures() {
    let (workspace, _) = sample::published(STATISTICS_OFFICE);
    workspace.write("two.toml", TWO);
    workspace.write(
        "two.vtl",
        "FACTOR <- round(CPI / timeshift(CPI, 1), 6);\nRATE <- round((FACTOR - 1) * 100, 4);\n",
    );
    workspace.run_line("assay publish two.toml --input FP.CPI.TOTL --dataflow two").ok();
    let published =
        PublishedNode { node: NodeProcess::start(&workspace, TCP), workspace, release: String::new() };
    let id = published.workspace.publisher();
    let flows = published.json("/flows");
    let listed: Vec<_> = flows.as_array().unwrap().iter().filter(|flow| flow["dataflow"] == "two").collect();
    let values = |name: &str| listed.iter().map(|flow| flow[name].clone()).collect::<Vec<_>>();
    assert_eq!(values("output"), [json!("FACTOR"), json!("RATE")]);
    assert_eq!(values("output_title"), [json!("The factor"), json!("The rate")]);
    assert_eq!(values("outputs"), [json!(2), json!(2)]);
    let at = |query: &str| published.json(&format!("/figures/{id}/two/TUR/2008{query}"));
    let (factor, rate) = (at("?output=FACTOR"), at("?output=RATE"));
    assert_eq!((&factor["unit"], &rate["unit"]), (&json!("factor"), &json!("per cent")));
    assert_eq!((&factor["flow"]["output"], &rate["flow"]["output"]), (&json!("FACTOR"), &json!("RATE")));
    assert_eq!(at("")["value"], factor["value"]);
    assert_ne!(rate["value"], factor["value"]);
    assert_eq!(rate["revisions"][0]["value"], rate["value"]);
    // Only outputs with the same unit are alternatives.
    assert_eq!(factor["alternatives"], json!([]));
    assert_eq!(rate["alternatives"][0]["dataflow"], "inflation");
    let inflation = published.json(&published.figure("TUR/2008"));
    assert_eq!(
        (&inflation["alternatives"][0]["output"], &inflation["alternatives"][1]),
        (&json!("RATE"), &json!(null))
    );
    assert_eq!(inflation["alternatives"][0]["value"], rate["value"]);
    let path = format!("/world/inflation?method={id}/two&output=RATE");
    let found = published.json("/search?q=rate");
    assert!(found.as_array().unwrap().iter().any(|one| one["path"] == path.as_str()), "{found}");
    for query in ["?output=NONE", "?output="] {
        published.get(&format!("/figures/{id}/two/TUR/2008{query}")).problem(404, "not-found");
    }
}

#[test]
fn a_publisher_and_its_log_are_open() {
    let published = published();
    let id = published.workspace.publisher();
    let publisher = published.json(&format!("/publishers/{id}"));
    assert_eq!((&publisher["name"], &publisher["own"]), (&json!(STATISTICS_OFFICE), &json!(true)));
    assert_eq!(publisher["flows"][0]["dataflow"], "inflation");
    let length = publisher["length"].as_u64().unwrap();
    let (mut path, mut seen) = (format!("/publishers/{id}/entries?limit=1"), Vec::new());
    loop {
        let response = published.get(&path);
        seen.extend(response.json().as_array().unwrap().iter().map(|entry| entry["seq"].as_u64().unwrap()));
        let Some(link) = response.header("link") else { break };
        path = link.trim_start_matches("</api/v1").split('>').next().unwrap().to_owned();
    }
    assert_eq!(seen, (0..length).rev().collect::<Vec<_>>());
    assert_eq!(published.json("/forks"), json!([]));
    for (words, kind, path) in [
        ("turkey", "country", "/country/TUR".to_owned()),
        ("office", "publisher", format!("/publisher/{id}")),
        ("TUR", "country", "/country/TUR".to_owned()),
        (&*published.release, "release", format!("/world/inflation?method={id}/inflation")),
    ] {
        let found = published.json(&format!("/search?q={words}"));
        let is = |one: &Value| one["kind"] == kind && one["path"] == path.as_str();
        assert!(found.as_array().unwrap().iter().any(is), "{words}: {found}");
    }
}

#[test]
fn an_unchanged_response_is_not_sent_again() {
    let published = published();
    for path in ["/flows", "/areas", "/publishers", &published.figure("TUR/2008")] {
        let first = published.get(path);
        let etag = first.header("etag").unwrap().to_owned();
        assert_eq!(first.header("cache-control"), Some("no-cache"));
        let request = format!("GET /api/v1{path}");
        let again = http_client::send_request(
            &published.node.api,
            &[&request, &format!("If-None-Match: {etag}")],
            &[],
        );
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
        let other =
            http_client::send_request(&published.node.api, &[&request, "If-None-Match: \"other\""], &[]);
        assert_eq!((other.status, other.body), (200, first.body), "{path}");
        let packed =
            http_client::send_request(&published.node.api, &[&request, "Accept-Encoding: gzip"], &[]);
        let small = packed.header("content-encoding").is_none();
        assert!(small || packed.body.starts_with(&[0x1f, 0x8b]), "{path}");
    }
    // A resource named by ids alone is immutable.
    let panel = published.get(&format!("/panels/{}/INFLATION", published.release));
    assert!(panel.header("cache-control").is_some_and(|shown| shown.ends_with("immutable")));
    // A change of the node is seen at once.
    let before = published.get("/flows").header("etag").unwrap().to_owned();
    published.workspace.write("more.csv", sample::worldbank(1));
    published.workspace.run_line("assay import worldbank more.csv").ok();
    let publish = "assay publish inflation/cpi-annual --input FP.CPI.TOTL --dataflow other --vintage 1";
    published.workspace.json(publish);
    assert_ne!(published.get("/flows").header("etag"), Some(&*before));
    assert_eq!(published.json("/flows").as_array().map(Vec::len), Some(2));
    let twins = published.json(&published.figure("TUR/2008"));
    assert_eq!(twins["alternatives"][0]["dataflow"], "other");
}

#[test]
fn a_release_is_recomputed_with_progress_events() {
    let published = published();
    let response = published.get(&format!("/releases/{}/rerun", published.release));
    let text = String::from_utf8_lossy(&response.body).into_owned();
    assert_eq!(response.header("content-type"), Some("text/event-stream"));
    assert!(text.contains("event: progress") && text.contains("event: verdict"), "{text}");
    assert!(text.contains(r#""word":"reproduced""#), "{text}");
    let absent = Cid::of(Codec::DagCbor, b"nothing");
    published.get(&format!("/releases/{absent}/rerun")).problem(404, "not-found");
    published.get("/releases/nonsense/rerun").problem(400, "id");
}

#[test]
fn invalid_queries_are_problems() {
    let published = published();
    let (release, id) = (&published.release, published.workspace.publisher());
    let output = published.json("/flows")[0]["output"].as_str().unwrap().to_owned();
    let absent = Cid::of(Codec::DagCbor, b"nothing");
    let long = "x".repeat(3000);
    for (path, status, code) in [
        (format!("/panels/{release}/nothing"), 404, "not-found"),
        (format!("/panels/{release}/%FF"), 400, "path"),
        (format!("/panels/nonsense/{output}"), 400, "id"),
        (format!("/panels/{absent}/{output}"), 404, "not-found"),
        (format!("/panels/{release}/{output}?x=1"), 400, "query"),
        (format!("/series/{release}/{output}/NOWHERE"), 404, "not-found"),
        (format!("/series/{release}/{output}/{long}"), 400, "long"),
        ("/countries/NOWHERE".to_owned(), 404, "not-found"),
        (published.figure("TUR/1999"), 404, "not-found"),
        (published.figure("TUR/x"), 400, "id"),
        (published.figure("TUR/2008?vintage=x"), 400, "malformed"),
        (published.figure("TUR/2008?vintage=seq=99"), 404, "not-found"),
        (format!("/publishers/{id}/entries?limit=x"), 400, "query"),
        ("/publishers/nonsense".to_owned(), 400, "id"),
        (format!("/publishers/{}", Cid::of(Codec::Raw, b"nothing")), 404, "not-found"),
        (format!("/recipes/{absent}"), 404, "not-found"),
        ("/search".to_owned(), 400, "query"),
        (format!("/search?q={long}"), 400, "long"),
    ] {
        println!("{path}");
        published.get(&path).problem(status, code);
    }
    assert_eq!(published.json("/search?q="), json!([]));
}

#[test]
fn long_lists_are_paginated() {
    let (workspace, _) = sample::published(STATISTICS_OFFICE);
    for name in ["b", "c"] {
        workspace
            .run(&["publish", "inflation/cpi-annual", "--input", "CPI=FP.CPI.TOTL", "--dataflow", name])
            .ok();
    }
    let node = NodeProcess::start(&workspace, TCP);
    let get = |path: &str| http_client::send_request(&node.api, &[&format!("GET {path}")], &[]);
    let whole = get("/api/v1/releases").json();
    assert_eq!(whole.as_array().unwrap().len(), 3);
    assert_eq!(get("/api/v1/releases").header("link"), None);
    let (mut parts, mut path) = (Vec::new(), "/api/v1/releases?limit=1".to_owned());
    loop {
        let response = get(&path);
        parts.extend(response.json().as_array().unwrap().clone());
        let Some(link) = response.header("link") else { break };
        path = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
    }
    assert_eq!(Value::Array(parts), whole);
    get("/api/v1/releases?cursor=nonsense").problem(400, "query");
    let stranger = whole[0]["release"]["recipe"].as_str().unwrap();
    get(&format!("/api/v1/releases?cursor={stranger}")).problem(400, "cursor");
    assert_eq!(workspace.json("assay show")["releases"].as_array().map(Vec::len), Some(3));
}
