//! Published figures, computed again: every row of `published_checks.csv` goes the whole way from the
//! file of an office to a verified release, and is compared with what the office published.
//!
//! `specs/checks/families.toml` says which recipe and which files belong to which rows. A row that
//! has no such run, or whose run fails, is reported with the reason; none is left out.

pub mod chain;
pub mod family;
pub mod report;
pub mod row;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chain::{Chain, Figures};
use family::{Family, Run};
use report::{Line, Report};
use row::Row;

/// The folder of the families and of the recipes that are no official method.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("checks")
}

/// Checks every row of `published_checks.csv` in a folder of data; `only` keeps the families whose
/// name contains it.
///
/// # Errors
/// When the rows or the families cannot be read.
pub fn report(data: &Path, only: &str) -> Result<Report, String> {
    let rows = row::read(&data.join("published_checks.csv"))?;
    let families = family::read(&folder())?;
    let mut chain = Chain::new(data);
    let mut done: BTreeMap<(usize, usize), Result<Figures, String>> = BTreeMap::new();
    let mut lines = Vec::new();
    for row in rows.into_iter().filter(|row| row.family.contains(only)) {
        let found = find(&families, &row).map(|(place, run)| {
            let figures = done.entry(place).or_insert_with(|| chain.figures(run));
            figures.clone().and_then(|figures| figures.find(run, &row))
        });
        let none = || Err("no run is stated for it in families.toml".to_owned());
        lines.push(Line::new(row, found.unwrap_or_else(none)));
    }
    Ok(Report { lines })
}

/// The first run of the row's family that is for it.
fn find<'f>(families: &'f [Family], row: &Row) -> Option<((usize, usize), &'f Run)> {
    let (at, family) = families.iter().enumerate().find(|(_, family)| family.name == row.family)?;
    let (place, run) = family.runs.iter().enumerate().find(|(_, run)| run.fits(row))?;
    // Runs that differ in the figure that they look up only are one.
    let same = family.runs.iter().position(|other| other.same_work(run)).unwrap_or(place);
    Some(((at, same), run))
}
