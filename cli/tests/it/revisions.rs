//! Newer versions of a data set: their changes, plausibility warnings, and selection by vintage.

use testkit::publisher::STATISTICS_OFFICE;

use super::sample;
use super::workspace::Workspace;

/// Annual figures of one area from 2000, one a line.
fn figures(values: &[&str]) -> String {
    let mut text = String::from("REF_AREA,TIME_PERIOD,OBS_VALUE\n");
    for (at, value) in values.iter().enumerate() {
        text += &format!("USA,{},{value}\n", 2000 + at);
    }
    text
}

fn import(workspace: &Workspace, values: &[&str], flags: &str) -> super::workspace::CommandResult {
    workspace.write("level.csv", figures(values));
    workspace.run_line(&format!("assay import csv level.csv --dataflow LEVEL {flags}"))
}

const FIRST: [&str; 10] = ["10", "11", "12", "13", "14", "15", "16", "17", "18", "19"];

#[test]
fn a_newer_version_lists_its_changes() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    import(&workspace, &FIRST, "").ok();
    import(&workspace, &["10", "11", "12", "13", "14", "15", "16", "17", "18.5", "19", "20"], "")
        .ok()
        .contains("1 added, 1 revised, 9 unchanged")
        .contains("[USA, 2008].OBS_VALUE");
    let found = workspace.json("assay dataset diff LEVEL");
    assert_eq!((&found["added"], &found["revised"], &found["same"]), (&1.into(), &1.into(), &9.into()));
    assert_eq!(found["changes"][0]["difference"], "0.5");
    assert_eq!(found["changes"][0]["percent"], "2.78");
    let same = workspace.json("assay dataset diff LEVEL@first LEVEL@seq=1");
    assert_eq!((&same["same"], &same["revised"]), (&10.into(), &0.into()));
    let today = workspace.json("assay dataset diff LEVEL@first LEVEL@asof=2999-01-01");
    assert_eq!(today["added"], 1);
    workspace.run_line("assay dataset diff LEVEL@asof=1999-01-01 LEVEL").exit(5).contains("@seq=1");
    workspace.run_line("assay dataset diff LEVEL@asof=1999 LEVEL").exit(2).contains("not a day");
    workspace.run_line("assay dataset diff LEVEL@newest LEVEL").exit(2).contains("vintages:");
    workspace.run_line("assay dataset diff OTHER").exit(5);
    workspace.write("other.csv", "REF_AREA,SEX,TIME_PERIOD,OBS_VALUE\nUSA,F,2000,1\n");
    workspace.run_line("assay dataset diff LEVEL other.csv").exit(2).contains("identifiers");
}

#[test]
fn implausible_data_is_signed_only_with_force() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    import(&workspace, &FIRST, "").ok();
    let thousands: Vec<String> = FIRST.iter().map(|value| format!("{value}000")).collect();
    let thousands: Vec<&str> = thousands.iter().map(String::as_str).collect();
    import(&workspace, &thousands, "")
        .exit(2)
        .contains("implausible")
        .contains("1000 times")
        .contains("--force");
    assert_eq!(workspace.json("assay show")["datasets"].as_array().unwrap().len(), 1);
    import(&workspace, &thousands, "--force").ok().contains("1000 times");
    let stored = workspace.json("assay show");
    let warnings = stored["datasets"][1]["dataset"]["plausibility_warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].as_str().unwrap().starts_with("scale: all 10 figures of [USA]"), "{warnings:?}");
    let id = stored["datasets"][1]["id"].as_str().unwrap();
    workspace.run_line(&format!("assay show {id}")).ok().contains("1000 times");
    // Rates under the name of an index are doubted without an earlier version, dry run or not.
    workspace.write("cpi.csv", figures(&["1.5", "-0.4", "2"]));
    workspace.run_line("assay import csv cpi.csv --dataflow CPI").exit(2).contains("are these rates?");
    workspace.run_line("assay import csv cpi.csv --dataflow CPI --dry-run").ok().contains("are these rates?");
}

#[test]
fn a_release_is_found_as_of_a_day() {
    let (workspace, _) = sample::published(STATISTICS_OFFICE);
    let address = format!("assay://{}/inflation", workspace.publisher());
    workspace.run_line(&format!("assay verify {address}@asof=2999-01-01")).ok();
    workspace.run_line(&format!("assay verify {address}@asof=1999-01-01")).exit(5);
    workspace.run_line(&format!("assay verify {address}@asof=today")).exit(2).contains("asof=<date>");
}

#[test]
fn an_indicator_is_published_from_a_file_in_one_command() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    workspace.write("CPIAUCNS.csv", sample::FRED);
    let first = workspace.json("assay publish inflation --from CPIAUCNS.csv");
    assert_eq!(first["recipe"], "inflation/cpi-12-month");
    assert!(first["address"].as_str().unwrap().ends_with("/inflation"), "{first}");
    workspace
        .run_line(&format!("assay verify {}", first["address"].as_str().unwrap()))
        .ok()
        .contains("reproduced");
    // The same file has nothing new: no second data set, and a release needs its reason.
    workspace
        .run_line("assay publish inflation --from CPIAUCNS.csv")
        .exit(2)
        .contains("with the same figures");
    assert_eq!(workspace.json("assay show")["datasets"].as_array().unwrap().len(), 1);
    workspace.write("CPIAUCNS.csv", sample::FRED.replace("296.311", "296.711"));
    workspace.run_line("assay publish inflation --from CPIAUCNS.csv --dry-run").ok().contains("1 revised");
    workspace
        .run_line("assay publish inflation --from CPIAUCNS.csv --reason source-revision")
        .ok()
        .contains("1 revised, 1 unchanged")
        .contains("[USA, 2022-M06].OBS_VALUE");
    // An old vintage runs again.
    workspace
        .run_line("assay publish inflation --input CPIAUCNS@first --dry-run")
        .exit(2)
        .contains("is an indicator");
    let old = "assay publish inflation/cpi-12-month --input CPIAUCNS@first --dataflow first";
    workspace.run_line(old).ok().contains("9.1");
}

#[test]
fn ambiguous_inputs_are_refused() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    workspace.write("a.csv", figures(&FIRST));
    for name in ["GDP", "POPULATION"] {
        workspace.run_line(&format!("assay import csv a.csv --dataflow {name}")).ok();
    }
    workspace
        .run_line("assay publish gdp --from GDP --from POPULATION --dry-run")
        .ok()
        .contains("gdp/per-person");
    workspace.run_line("assay publish gdp/per-person --from GDP --dry-run").exit(2).contains("POPULATION");
    workspace.run_line("assay publish gdp/per-person --input GDP=GDP --from POPULATION --dry-run").ok();
    workspace
        .run_line("assay publish inflation --from GDP --from POPULATION")
        .exit(2)
        .contains("no recipe of the library");
    workspace.run_line("assay publish inflation").exit(2);
    workspace.run_line("assay publish gdp --from NOTHING").exit(5);
}

#[test]
fn a_retracted_release_is_not_the_latest_but_remains() {
    let (workspace, first) = sample::published(STATISTICS_OFFICE);
    let flow = format!("assay://{}/inflation", workspace.publisher());
    let resolved = |address: &str| workspace.json(&format!("assay show {address}"))["id"].clone();
    workspace.write("newer.csv", sample::worldbank(1));
    workspace.run_line("assay import worldbank newer.csv").ok();
    let publish = "assay publish inflation/cpi-annual --input FP.CPI.TOTL --dataflow inflation";
    let second = workspace.json(&format!("{publish} --reason source-revision"))["release"].clone();
    let id = second.as_str().unwrap();
    let seq = workspace.json(&format!("assay show {id}"))["position"]["seq"].clone();
    assert_eq!(resolved(&flow), second);
    workspace
        .run_line(&format!("assay retract {id} --reason one --replacement {id}"))
        .exit(2)
        .contains("cannot replace itself");
    workspace
        .run_line(&format!("assay retract {id} --reason 'a row was read twice' --replacement {first}"))
        .ok();
    assert_eq!(resolved(&flow), first.as_str());
    assert_eq!(resolved(&format!("{flow}@asof=2999-01-01")), first.as_str());
    assert_eq!(resolved(&format!("{flow}@seq={seq}")), second);
    let shown = workspace.json(&format!("assay show {id}"));
    assert_eq!(shown["retracted"]["reason"], "a row was read twice");
    assert_eq!(shown["retracted"]["replacement"], first.as_str());
    workspace.run_line("assay show").ok().contains("RETRACTED");
    // A node says the same: lists, figures, files.
    let node = super::node_process::NodeProcess::start(&workspace, super::node_process::TCP);
    let get = |path: &str| super::http_client::send_request(&node.api, &[&format!("GET {path}")], &[]).json();
    assert_eq!(get("/api/v1/flows")[0]["release"], first.as_str());
    let figure = format!("/api/v1/figures/{}/inflation/USA/2010", workspace.publisher());
    assert_eq!(get(&figure)["release"], first.as_str());
    let taken_back = get(&format!("{figure}?vintage=seq={seq}"));
    assert_eq!(taken_back["standing"]["retracted"]["reason"], "a row was read twice");
    assert!(taken_back["standing"]["newer"].is_string(), "the address without a vintage leads elsewhere");
    drop(node);
    // When every release is retracted, the address resolves to the last one.
    workspace.run_line(&format!("assay retract {first} --reason all")).ok();
    assert_eq!(resolved(&flow), second);
}
