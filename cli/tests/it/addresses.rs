//! One address of a figure works on the command line and over HTTP, also without a dimension.

use serde_json::json;
use testkit::publisher::STATISTICS_OFFICE;

use super::http_client;
use super::node_process::{NodeProcess, TCP};
use super::workspace::{Workspace, text};

/// A data set whose only identifier is the period.
const NO_DIMENSION: &str = "TIME_PERIOD,OBS_VALUE\n2010,3\n2011,4\n";

const RECIPE: &str = r#"title = "Twice the value"
indicator = "test"
licence = "CC0-1.0"
description = "A recipe on a series without a dimension."

[inputs.SERIES]
title = "A series"
identifiers = ["TIME_PERIOD:time_period"]
measures = ["OBS_VALUE:number"]

[outputs.TWICE]
title = "Twice the value"
unit = "number"
"#;

/// Publishes the data set and a release computed from it.
fn published() -> Workspace {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    workspace.write("series.csv", NO_DIMENSION);
    workspace.write("twice.toml", RECIPE);
    workspace.write("twice.vtl", "TWICE <- SERIES * 2;\n");
    workspace.run_line("assay import csv series.csv --dataflow SERIES").ok();
    workspace.run_line("assay publish twice.toml --input SERIES --dataflow twice").ok();
    workspace
}

#[test]
fn a_figure_without_a_dimension_has_one_address() {
    let workspace = published();
    let publisher = workspace.publisher();
    let address = format!("assay://{publisher}/twice/_/2011");
    let shown = workspace.run_line(&format!("assay show {address} --csv")).ok();
    assert_eq!(shown.out.replace('\r', ""), "TIME_PERIOD,OBS_VALUE\n2011,8\n");
    let verified = workspace.json(&format!("assay verify {address}"));
    let figure = &verified["verified"][0]["figure"][0];
    assert_eq!(text(&figure["cells"], "OBS_VALUE"), "8", "{verified:#}");
    let node = NodeProcess::start(&workspace, TCP);
    let path = format!("/api/v1/figures/{publisher}/twice/_/2011");
    let served = http_client::send_request(&node.api, &[&format!("GET {path}")], &[]);
    assert_eq!(served.status, 200, "{}", String::from_utf8_lossy(&served.body));
    let served = served.json();
    assert_eq!((&served["value"], &served["address"]), (&json!("8"), &json!(address)), "{served:#}");
    // The same addresses through the API of the running node.
    workspace
        .run_line(&format!("assay verify {address}"))
        .ok()
        .contains("Twice the value [2011]: OBS_VALUE 8");
    workspace.run_line(&format!("assay show assay://{publisher}/twice/_ --csv")).ok().contains("2010,6");
    workspace.run_line(&format!("assay show assay://{publisher}/twice/_/1999")).exit(5);
    workspace.run_line(&format!("assay show assay://{publisher}/twice/USA/2011")).exit(5);
}
