//! Recipe library with its data, if available: the folder `ASSAY_RECIPES`, or
//! `shared/design/recipes-in-vtl` beside the repository. The expected results were computed on exact
//! rationals and rounded once, so recipes that round in between may differ in the last digits; the
//! table states how far each agrees.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use schemas::decimal::Decimal;
use schemas::table::Table;
use vtl::decimal128::{abs, div, sub};

use super::support::{LIMITS, run_script, table_text};

/// Each recipe with the number of decimals to which all results agree (relative for values above 1);
/// `None` is exact.
const RECIPES: [(&str, Option<u32>); 20] = [
    ("01_inflation_yoy", None),
    ("02_inflation_mom", Some(30)),
    ("03_index_rebase", Some(33)),
    ("04_laspeyres", None),
    ("05_chain_link", Some(33)),
    ("05b_chain_link_expln", None),
    ("06_annual_average", None),
    ("07_unemployment", None),
    ("08_gdp_expenditure", None),
    ("08b_gdp_expenditure_plain", None),
    ("09_gdp_real_percapita", Some(30)),
    ("10_yield_spread", None),
    ("11_drawdown", Some(32)),
    ("12_moving_average", None),
    ("13_rolling_stddev", Some(32)),
    ("14_rsi", None),
    ("15_ema_closed_form", Some(33)),
    ("16_sahm_rule", Some(33)),
    ("17_inflation_contributions", Some(31)),
    ("18_udo_growth", Some(31)),
];

fn library_folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/design/recipes-in-vtl");
    let folder = std::env::var_os("ASSAY_RECIPES").map_or(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("the library of recipes is not at hand (ASSAY_RECIPES): it is not compared");
    None
}

#[test]
fn recipes_reproduce_published_results() {
    let Some(folder) = library_folder() else { return };
    let found: Vec<String> =
        RECIPES.iter().map(|(name, _)| result_line(name, agreeing_decimals(&folder, name))).collect();
    let wanted: Vec<String> = RECIPES.iter().map(|(name, digits)| result_line(name, *digits)).collect();
    assert_eq!(found, wanted);
}

fn result_line(name: &str, decimals: Option<u32>) -> String {
    decimals.map_or(format!("{name}: exact"), |decimals| format!("{name}: {decimals} decimals"))
}

/// The closed form and the extension agree on 40 days of two series.
#[test]
fn a_moving_average_in_closed_form_and_as_a_recursion() {
    let Some(folder) = library_folder() else { return };
    let script = fs::read_to_string(folder.join("15_ema_closed_form.vtl")).unwrap();
    let price = read_input(&folder.join("data/15_ema_closed_form/PRICE.csv"));
    let both = format!("{script}\nRECURSION <- ewma(PRICE, 0.2);");
    let tables = run_script(&both, &[("PRICE", &price)], LIMITS).unwrap().tables;
    let (closed, recursion) =
        (split_rows(&table_text(&tables["EMA"])), split_rows(&table_text(&tables["RECURSION"])));
    assert_eq!((closed.len(), recursion.len()), (81, 81));
    for (a, b) in closed.iter().zip(&recursion).skip(1) {
        assert_eq!(a[..2], b[..2]);
        assert!(matching_decimals(&a[2], &b[2]).is_none_or(|decimals| decimals >= 29), "{a:?} {b:?}");
    }
    let expected = fs::read_to_string(folder.join("data/15_ema_closed_form/expected/EMA.csv")).unwrap();
    for (want, found) in split_rows(&expected).iter().zip(&recursion).skip(1) {
        assert!(
            matching_decimals(&want[2], &found[2]).is_none_or(|decimals| decimals >= 32),
            "{want:?} {found:?}"
        );
    }
}

/// Returns the number of decimals to which all results of a recipe agree; `None` is exact.
fn agreeing_decimals(folder: &Path, name: &str) -> Option<u32> {
    let script = fs::read_to_string(folder.join(format!("{name}.vtl"))).unwrap();
    let inputs: Vec<(String, String)> = read_csv(&folder.join("data").join(name))
        .into_iter()
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), read_input(&path)))
        .collect();
    let inputs: Vec<(&str, &str)> =
        inputs.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let tables = match run_script(&script, &inputs, LIMITS) {
        Ok(outcome) => outcome.tables,
        Err(faults) => panic!("{name}: {}", vtl::render_diagnostic(&script, &faults[0])),
    };
    let expected = read_csv(&folder.join("data").join(name).join("expected"));
    assert!(!expected.is_empty());
    let least = expected.iter().filter_map(|path| {
        let table = &tables[path.file_stem().unwrap().to_str().unwrap()];
        compare_tables(&fs::read_to_string(path).unwrap(), table)
    });
    least.min()
}

fn read_csv(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "csv")).collect();
    files.sort();
    files
}

/// Reads a data file as a test table; the library uses the same component names everywhere.
fn read_input(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let (head, rest) = text.split_once('\n').unwrap();
    let typed = head.trim().split(',').map(|name| match name {
        "REF_AREA" | "ITEM" | "STO" | "MATURITY" | "TICKER" => format!("{name}:i:string"),
        "TIME_PERIOD" => format!("{name}:i:time_period"),
        "REF_DATE" => format!("{name}:i:date"),
        "YEAR" => format!("{name}:i:integer"),
        _ => format!("{name}:m:number"),
    });
    format!("{}\n{rest}", typed.collect::<Vec<_>>().join(","))
}

fn split_rows(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| line.trim().split(',').map(str::to_owned).collect()).collect()
}

/// Compares a table with a file that has the same columns and data points in any order.
fn compare_tables(expected: &str, table: &Table) -> Option<u32> {
    let (wanted, found) = (split_rows(expected), split_rows(&table_text(table)));
    let (head, names) = (&wanted[0], &found[0]);
    assert_eq!(head.iter().collect::<BTreeSet<_>>(), names.iter().collect::<BTreeSet<_>>());
    let place = |name: &String| head.iter().position(|other| other == name).unwrap();
    let keys = table.shape().identifier_count();
    let sorted: BTreeMap<Vec<&String>, &Vec<String>> = wanted[1..]
        .iter()
        .map(|row| (names[..keys].iter().map(|name| &row[place(name)]).collect(), row))
        .collect();
    assert_eq!(sorted.len(), found.len() - 1, "data points");
    let cells = found[1..].iter().flat_map(|row| {
        let want = sorted[&row[..keys].iter().collect::<Vec<_>>()];
        names.iter().zip(row).skip(keys).map(move |(name, cell)| matching_decimals(&want[place(name)], cell))
    });
    cells.flatten().min()
}

/// Returns the number of decimals to which two cells agree; `None` if they are equal.
fn matching_decimals(want: &str, found: &str) -> Option<u32> {
    if want == found {
        return None;
    }
    let number = |text: &str| text.parse::<Decimal>().unwrap_or_else(|_| panic!("`{want}` and `{found}`"));
    let (want, found) = (number(want), number(found));
    let gap = abs(sub(want, found).unwrap());
    let one = Decimal::from(1);
    let scale = if abs(want).compare(one).is_gt() { abs(want) } else { one };
    let gap = div(gap, scale).unwrap();
    (1..=34).rev().find(|places| gap.compare(Decimal::new(1, -places).unwrap()).is_le()).map(|p| p as u32)
}
