//! Newer versions of a data set: what they changed, what is doubted, which one is meant.

use super::desk::Desk;
use super::sample;

/// Annual figures of one area from 2000, one a line.
fn figures(values: &[&str]) -> String {
    let mut text = String::from("REF_AREA,TIME_PERIOD,OBS_VALUE\n");
    for (at, value) in values.iter().enumerate() {
        text += &format!("USA,{},{value}\n", 2000 + at);
    }
    text
}

fn import(desk: &Desk, values: &[&str], flags: &str) -> super::desk::Run {
    desk.write("level.csv", figures(values));
    desk.type_line(&format!("assay import csv level.csv --dataflow LEVEL {flags}"))
}

const FIRST: [&str; 10] = ["10", "11", "12", "13", "14", "15", "16", "17", "18", "19"];

#[test]
fn a_newer_version_says_what_it_changed() {
    let desk = Desk::founded("Office");
    import(&desk, &FIRST, "").ok();
    import(&desk, &["10", "11", "12", "13", "14", "15", "16", "17", "18.5", "19", "20"], "")
        .ok()
        .says("1 added, 1 revised, 9 as before")
        .says("[USA, 2008].OBS_VALUE");
    let found = desk.json("assay dataset diff LEVEL");
    assert_eq!((&found["added"], &found["revised"], &found["same"]), (&1.into(), &1.into(), &9.into()));
    assert_eq!(found["changes"][0]["difference"], "0.5");
    assert_eq!(found["changes"][0]["percent"], "2.78");
    let same = desk.json("assay dataset diff LEVEL@first LEVEL@seq=1");
    assert_eq!((&same["same"], &same["revised"]), (&10.into(), &0.into()));
    let today = desk.json("assay dataset diff LEVEL@first LEVEL@asof=2999-01-01");
    assert_eq!(today["added"], 1);
    desk.type_line("assay dataset diff LEVEL@asof=1999-01-01 LEVEL").exit(5).says("@seq=1");
    desk.type_line("assay dataset diff LEVEL@asof=1999 LEVEL").exit(2).says("not a day");
    desk.type_line("assay dataset diff LEVEL@newest LEVEL").exit(2).says("vintages:");
    desk.type_line("assay dataset diff OTHER").exit(5);
    desk.write("other.csv", "REF_AREA,SEX,TIME_PERIOD,OBS_VALUE\nUSA,F,2000,1\n");
    desk.type_line("assay dataset diff LEVEL other.csv").exit(2).says("identifiers");
}

#[test]
fn what_is_not_plausible_is_signed_only_when_forced_and_then_says_so() {
    let desk = Desk::founded("Office");
    import(&desk, &FIRST, "").ok();
    let thousands: Vec<String> = FIRST.iter().map(|value| format!("{value}000")).collect();
    let thousands: Vec<&str> = thousands.iter().map(String::as_str).collect();
    import(&desk, &thousands, "").exit(2).says("doubt").says("1000 times").says("--force");
    assert_eq!(desk.json("assay show")["datasets"].as_array().unwrap().len(), 1);
    import(&desk, &thousands, "--force").ok().says("1000 times");
    let held = desk.json("assay show");
    let doubts = held["datasets"][1]["dataset"]["plausibility_warnings"].as_array().unwrap();
    assert_eq!(doubts.len(), 1);
    assert!(doubts[0].as_str().unwrap().starts_with("scale: [USA]"), "{doubts:?}");
    let id = held["datasets"][1]["id"].as_str().unwrap();
    desk.type_line(&format!("assay show {id}")).ok().says("1000 times");
    // Rates under the name of an index are doubted without an earlier version, dry run or not.
    desk.write("cpi.csv", figures(&["1.5", "-0.4", "2"]));
    desk.type_line("assay import csv cpi.csv --dataflow CPI").exit(2).says("are these rates?");
    desk.type_line("assay import csv cpi.csv --dataflow CPI --dry-run").ok().says("are these rates?");
}

#[test]
fn a_release_is_found_as_of_a_day() {
    let (desk, _) = sample::published("Office");
    let address = format!("assay://{}/inflation", desk.publisher());
    desk.type_line(&format!("assay verify {address}@asof=2999-01-01")).ok();
    desk.type_line(&format!("assay verify {address}@asof=1999-01-01")).exit(5);
    desk.type_line(&format!("assay verify {address}@asof=today")).exit(2).says("asof=<date>");
}

#[test]
fn a_measure_is_published_from_a_file_in_one_command() {
    let desk = Desk::founded("Office");
    desk.write("CPIAUCNS.csv", sample::FRED);
    let first = desk.json("assay publish inflation --from CPIAUCNS.csv");
    assert_eq!(first["recipe"], "inflation/cpi-12-month");
    assert!(first["address"].as_str().unwrap().ends_with("/inflation"), "{first}");
    desk.type_line(&format!("assay verify {}", first["address"].as_str().unwrap())).ok().says("reproduced");
    // The same file has nothing new: no second data set, and a release needs its reason.
    desk.type_line("assay publish inflation --from CPIAUCNS.csv").exit(2).says("with the same figures");
    assert_eq!(desk.json("assay show")["datasets"].as_array().unwrap().len(), 1);
    desk.write("CPIAUCNS.csv", sample::FRED.replace("296.311", "296.711"));
    desk.type_line("assay publish inflation --from CPIAUCNS.csv --dry-run").ok().says("1 revised");
    desk.type_line("assay publish inflation --from CPIAUCNS.csv --reason source-revision")
        .ok()
        .says("1 revised, 1 as before")
        .says("[USA, 2022-M06].OBS_VALUE");
    // An old vintage runs again.
    desk.type_line("assay publish inflation --input CPIAUCNS@first --dry-run").exit(2).says("is a measure");
    let old = "assay publish inflation/cpi-12-month --input CPIAUCNS@first --dataflow first";
    desk.type_line(old).ok().says("9.1");
}

#[test]
fn what_fits_in_two_ways_is_asked() {
    let desk = Desk::founded("Office");
    desk.write("a.csv", figures(&FIRST));
    for name in ["GDP", "POPULATION"] {
        desk.type_line(&format!("assay import csv a.csv --dataflow {name}")).ok();
    }
    desk.type_line("assay publish gdp --from GDP --from POPULATION --dry-run").ok().says("gdp/per-person");
    desk.type_line("assay publish gdp/per-person --from GDP --dry-run").exit(2).says("POPULATION");
    desk.type_line("assay publish gdp/per-person --input GDP=GDP --from POPULATION --dry-run").ok();
    desk.type_line("assay publish inflation --from GDP --from POPULATION")
        .exit(2)
        .says("no recipe of the library");
    desk.type_line("assay publish inflation").exit(2);
    desk.type_line("assay publish gdp --from NOTHING").exit(5);
}

#[test]
fn a_release_taken_back_is_not_the_latest_and_never_gone() {
    let (desk, first) = sample::published("Office");
    let flow = format!("assay://{}/inflation", desk.publisher());
    let resolved = |address: &str| desk.json(&format!("assay show {address}"))["id"].clone();
    desk.write("newer.csv", sample::worldbank(1));
    desk.type_line("assay import worldbank newer.csv").ok();
    let publish = "assay publish inflation/cpi-annual --input FP.CPI.TOTL --dataflow inflation";
    let second = desk.json(&format!("{publish} --reason source-revision"))["release"].clone();
    let id = second.as_str().unwrap();
    let place = desk.json(&format!("assay show {id}"))["position"]["seq"].clone();
    assert_eq!(resolved(&flow), second);
    desk.type_line(&format!("assay retract {id} --reason one --replacement {id}"))
        .exit(2)
        .says("its own place");
    desk.type_line(&format!("assay retract {id} --reason 'a row was read twice' --replacement {first}")).ok();
    assert_eq!(resolved(&flow), first.as_str());
    assert_eq!(resolved(&format!("{flow}@asof=2999-01-01")), first.as_str());
    assert_eq!(resolved(&format!("{flow}@seq={place}")), second);
    let shown = desk.json(&format!("assay show {id}"));
    assert_eq!(shown["retracted"]["reason"], "a row was read twice");
    assert_eq!(shown["retracted"]["replacement"], first.as_str());
    desk.type_line("assay show").ok().says("RETRACTED");
    // A node says the same: lists, figures, files.
    let node = super::daemon::Daemon::start(&desk, super::daemon::TCP);
    let get = |path: &str| super::http::ask(&node.api, &[&format!("GET {path}")], &[]).json();
    assert_eq!(get("/api/v1/flows")[0]["release"], first.as_str());
    let figure = format!("/api/v1/figures/{}/inflation/USA/2010", desk.publisher());
    assert_eq!(get(&figure)["release"], first.as_str());
    let taken_back = get(&format!("{figure}?vintage=seq={place}"));
    assert_eq!(taken_back["standing"]["retracted"]["reason"], "a row was read twice");
    assert!(taken_back["standing"]["newer"].is_string(), "the address without a vintage leads elsewhere");
    drop(node);
    // Where nothing stands, the address says what became of it.
    desk.type_line(&format!("assay retract {first} --reason all")).ok();
    assert_eq!(resolved(&flow), second);
}
