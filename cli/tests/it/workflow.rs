//! From a file to a figure that another node has run again.

use std::path::Path;

use serde_json::Value;
use testkit::publisher::{RESEARCH_INSTITUTE, STATISTICS_OFFICE};

use super::node_process::{NodeProcess, QUIC, TCP, is_event};
use super::sample;
use super::workspace::{Workspace, library, text};

/// The node of `reader` follows and meets the publisher's node, and runs the release again there.
#[track_caller]
fn confirm(publisher: &Workspace, release: &str, listen: &str) -> Workspace {
    let reader = Workspace::with_publisher(RESEARCH_INSTITUTE);
    let a = NodeProcess::start(publisher, listen);
    let mut b = NodeProcess::start(&reader, listen);
    reader.run_line(&format!("assay follow {}", publisher.publisher())).ok();
    reader.run_line(&format!("assay peer add {}", a.address)).ok().contains("connected");
    let event = b.wait_for("a verdict", |event| is_event(event, "verified"));
    assert_eq!(event["release"], release);
    assert!(event["verdict"]["reproduced"]["cells"].as_u64().unwrap() > 0, "{event}");
    assert_eq!(event["attested"], true);
    let own = reader.publisher();
    b.wait_for("the attestation", |event| is_event(event, "accepted") && event["publisher"] == own.as_str());
    assert_eq!((a.stop(), b.stop()), (0, 0));
    reader
}

/// The one figure at an address, run again on this workspace.
#[track_caller]
fn figure(workspace: &Workspace, address: &str) -> String {
    let response = workspace.json(&format!("assay verify {address}"));
    let verified = &response["verified"][0];
    assert_eq!(verified["word"], "reproduced", "{response:#}");
    assert_eq!(verified["figure"].as_array().map(Vec::len), Some(1), "{response:#}");
    text(&verified["figure"][0]["cells"], "OBS_VALUE")
}

/// Imports a file, publishes a release, and gives the workspace and the release.
#[track_caller]
fn publish(import: &str, recipe: &str, input: &str) -> (Workspace, String) {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    workspace.run_line(import).ok();
    let release = workspace.json(&format!("assay publish {recipe} --input {input} --dataflow inflation"));
    (workspace, text(&release, "release"))
}

fn cross(listen: &str) {
    let (publisher, release) = sample::published(STATISTICS_OFFICE);
    let reader = confirm(&publisher, &release, listen);
    let address = format!("assay://{}/inflation/USA/2010", publisher.publisher());
    // 100.885 / 97.108 - 1 in per cent, by hand.
    assert_eq!(figure(&reader, &address), "3.889484");
    let stored = reader.json("assay show");
    assert_eq!(stored["releases"][0]["attestations"].as_array().map(Vec::len), Some(1), "{stored:#}");
}

#[test]
fn a_reader_verifies_a_figure_over_tcp() {
    cross(TCP);
}

#[test]
fn a_reader_verifies_a_figure_over_quic() {
    cross(QUIC);
}

/// The published rate, in the file that the World Bank gives out for it.
fn rate(file: &Path, area: &str, year: &str) -> f64 {
    let text = std::fs::read_to_string(file).unwrap();
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches(['"', ',', '\r']).split("\",\"").map(str::to_owned).collect()
    };
    let header = cells(text.lines().find(|line| line.contains("\"Country Code\"")).unwrap());
    let row = cells(text.lines().find(|line| line.contains(&format!("\"{area}\""))).unwrap());
    row[header.iter().position(|name| name == year).unwrap()].parse().unwrap()
}

#[test]
fn the_world_banks_index_gives_the_world_banks_rate() {
    let Some(library) = library() else { return };
    let file = library.join("worldbank/API_FP.CPI.TOTL_DS2_en_csv_v2_315921.csv");
    let import = format!("assay import worldbank '{}'", file.display());
    let (publisher, release) = publish(&import, "inflation/cpi-annual", "FP.CPI.TOTL");
    let reader = confirm(&publisher, &release, TCP);
    let figure = figure(&reader, &format!("assay://{}/inflation/USA/2010", publisher.publisher()));
    let published = rate(&library.join("worldbank/API_FP.CPI.TOTL.ZG_DS2_en_csv_v2_285.csv"), "USA", "2010");
    assert_eq!(figure, format!("{published:.6}"));
    println!("USA 2010: {figure} here, {published} published");
}

#[test]
fn the_index_of_fred_gives_the_published_twelve_month_rate() {
    let Some(library) = library() else { return };
    let import = format!("assay import fred '{}'", library.join("fred/CPIAUCNS.csv").display());
    let (publisher, release) = publish(&import, "inflation/cpi-12-month", "CPIAUCNS");
    let reader = confirm(&publisher, &release, QUIC);
    let address = format!("assay://{}/inflation/USA/2022-M06", publisher.publisher());
    let response = reader.json(&format!("assay verify {address}"));
    let cells = &response["verified"][0]["figure"][0]["cells"];
    let values = |value: &Value| value.as_object().unwrap().values().any(|value| value == "9.1");
    assert!(values(cells), "{response:#}");
}
