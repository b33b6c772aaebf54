//! The check of published figures: on a small folder made for this test (`specs/conformance/tests/figures`) where each row shows
//! one finding, and on the real ones where they are at hand.

use std::path::{Path, PathBuf};

use conformance::published_figures::report::{FigureCount, FigureFinding};
use conformance::published_figures::{check_figures, families_folder, family};
use testkit::published_files::find_published_files;

fn own() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/figures")
}

#[test]
fn each_row_comes_out_as_it_should() {
    let report = check_figures(&own(), "").unwrap();
    let found: Vec<(bool, String)> = report
        .lines
        .iter()
        .map(|line| {
            let text = match &line.finding {
                FigureFinding::Reproduced(figure) => format!("reproduced {figure}"),
                FigureFinding::Differs(figure, gap) => format!("differs {figure} {gap}"),
                FigureFinding::NotRun(reason) => reason.chars().take(60).collect(),
            };
            (line.passes(), text)
        })
        .collect();
    let wanted = [
        (true, "reproduced 2.4"),
        (true, "differs 2.4 -0.1"),
        (false, "differs 2.4 -0.1"),
        (false, "reproduced 2.4"),
        (false, "the release has no figure for USA 2021-02"),
        (false, "`about 2` is not a number"),
        (false, "fred/DGS10_lowercase.csv: No such file or directory (os error"),
        (false, "families.toml has no run for this row"),
    ];
    for ((passes, text), (should, start)) in found.iter().zip(wanted) {
        assert!(passes == &should && start.starts_with(text.as_str()), "{text} where {start} is expected");
    }
    assert_eq!(found.len(), wanted.len());
    let total = FigureCount { rows: 8, agree: 6, reproduced: 1, disagree: 2, differ: 1, not_run: 4 };
    assert_eq!((report.total(), report.passes()), (total, false));
}

#[test]
fn one_family_can_be_asked_for() {
    let report = check_figures(&own(), "t10").unwrap();
    assert_eq!((report.lines.len(), report.total().not_run), (1, 1));
    let [series] = report.series.as_slice() else { panic!("{:?}", report.series) };
    assert!(series.pairs.is_err() && !series.passes() && series.text().contains("! t10y2y: "), "{series:?}");
    assert!(conformance::published_figures::check_figures(&own().join("absent"), "").is_err());
}

#[test]
fn people_and_programs_read_the_same() {
    let report = check_figures(&own(), "us_cpi").unwrap();
    let text = report.text();
    let parts: Vec<&str> = text.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(parts, ["us_cpi_12m", "6", "1", "of", "4", "1", "of", "2", "2"]);
    assert!(
        text.contains("\n  us_cpi_12m USA 2021-01: published 2.5, computed 2.4, -0.1 off (made up)\n"),
        "{text}"
    );
    assert!(text.contains("\n! us_cpi_12m USA 2021-02: published 2.4, not run: "), "{text}");
    let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
    assert_eq!((&json["total"]["not_run"], json["rows"].as_array().unwrap().len()), (&2.into(), 6));
    assert_eq!(json["rows"][1]["difference"], "-0.1");
}

/// Every recipe that the families name reads and may be published.
#[test]
fn recipes_of_the_families_are_sound() {
    for family in family::read_families(&families_folder()).unwrap() {
        for run in family.runs {
            if let Err(error) = ledger::compute::check_publishable(&run.recipe) {
                panic!("{}: {error}", family.name);
            }
            let script = run.recipe.script.as_str();
            assert_eq!(ledger::vtl::format_script(script).unwrap(), script, "{}: not in layout", family.name);
        }
    }
}

#[test]
fn really_published_figures_come_out() {
    let Some(data) = find_published_files("published_checks.csv") else {
        println!("notice: no folder of published files (ASSAY_DATA): published figures are not checked");
        return;
    };
    let report = check_figures(&data, "").unwrap();
    let bad: Vec<String> = report
        .lines
        .iter()
        .filter(|line| !line.passes())
        .map(|line| {
            format!("{} {} {}: {:?}", line.row.family, line.row.ref_area, line.row.period, line.finding)
        })
        .collect();
    println!("{}", report.text());
    assert!(bad.is_empty(), "{bad:#?}");
    let series =
        report.series.iter().map(|series| (series.name.as_str(), series.counts().0 > 0, series.passes()));
    let names = ["us_gdp_identity", "us_u3", "us_u5", "us_u6", "t10y2y", "us_housing_alternative"];
    assert_eq!(series.collect::<Vec<_>>(), names.map(|name| (name, true, true)), "{}", report.text());
}
