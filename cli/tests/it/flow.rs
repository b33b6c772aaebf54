//! From a file to a figure that another node has run again.

use std::path::Path;

use serde_json::Value;

use super::daemon::{Daemon, QUIC, TCP, is};
use super::desk::{Desk, library, text};
use super::sample;

/// The node of `reader` follows and meets the publisher's node, and runs the release again there.
#[track_caller]
fn confirm(publisher: &Desk, release: &str, listen: &str) -> Desk {
    let reader = Desk::founded("Reader");
    let a = Daemon::start(publisher, listen);
    let mut b = Daemon::start(&reader, listen);
    reader.type_line(&format!("assay follow {}", publisher.publisher())).ok();
    reader.type_line(&format!("assay peer add {}", a.address)).ok().says("connected");
    let event = b.wait("a verdict", |event| is(event, "verified"));
    assert_eq!(event["release"], release);
    assert!(event["verdict"]["reproduced"]["cells"].as_u64().unwrap() > 0, "{event}");
    assert_eq!(event["attested"], true);
    let own = reader.publisher();
    b.wait("the attestation", |event| is(event, "accepted") && event["publisher"] == own.as_str());
    assert_eq!((a.stop(), b.stop()), (0, 0));
    reader
}

/// The one figure at an address, run again on this desk.
#[track_caller]
fn figure(desk: &Desk, address: &str) -> String {
    let answer = desk.json(&format!("assay verify {address}"));
    let verified = &answer["verified"][0];
    assert_eq!(verified["word"], "reproduced", "{answer:#}");
    assert_eq!(verified["figure"].as_array().map(Vec::len), Some(1), "{answer:#}");
    text(&verified["figure"][0]["cells"], "OBS_VALUE")
}

/// Imports a file, publishes a release, and gives the desk and the release.
#[track_caller]
fn publish(import: &str, recipe: &str, input: &str) -> (Desk, String) {
    let desk = Desk::founded("Statistics Office");
    desk.type_line(import).ok();
    let release = desk.json(&format!("assay publish {recipe} --input {input} --dataflow inflation"));
    (desk, text(&release, "release"))
}

fn cross(listen: &str) {
    let (office, release) = sample::published("Statistics Office");
    let reader = confirm(&office, &release, listen);
    let address = format!("assay://{}/inflation/USA/2010", office.publisher());
    // 100.885 / 97.108 - 1 in per cent, by hand.
    assert_eq!(figure(&reader, &address), "3.889484");
    let held = reader.json("assay show");
    assert_eq!(held["releases"][0]["attestations"].as_array().map(Vec::len), Some(1), "{held:#}");
}

#[test]
fn a_reader_confirms_a_figure_over_tcp() {
    cross(TCP);
}

#[test]
fn a_reader_confirms_a_figure_over_quic() {
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
    let (office, release) = publish(&import, "inflation/cpi-annual", "FP.CPI.TOTL");
    let reader = confirm(&office, &release, TCP);
    let figure = figure(&reader, &format!("assay://{}/inflation/USA/2010", office.publisher()));
    let published = rate(&library.join("worldbank/API_FP.CPI.TOTL.ZG_DS2_en_csv_v2_285.csv"), "USA", "2010");
    assert_eq!(figure, format!("{published:.6}"));
    println!("USA 2010: {figure} here, {published} published");
}

#[test]
fn the_index_of_fred_gives_the_published_twelve_month_rate() {
    let Some(library) = library() else { return };
    let import = format!("assay import fred '{}'", library.join("fred/CPIAUCNS.csv").display());
    let (office, release) = publish(&import, "inflation/cpi-12-month", "CPIAUCNS");
    let reader = confirm(&office, &release, QUIC);
    let address = format!("assay://{}/inflation/USA/2022-M06", office.publisher());
    let answer = reader.json(&format!("assay verify {address}"));
    let cells = &answer["verified"][0]["figure"][0]["cells"];
    let values = |value: &Value| value.as_object().unwrap().values().any(|value| value == "9.1");
    assert!(values(cells), "{answer:#}");
}
