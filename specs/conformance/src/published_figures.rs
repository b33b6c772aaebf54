//! Published figures, computed again: every row of `published_checks.csv` runs from the file of an
//! agency to a verified release, and is compared with the figure that the agency published.
//!
//! `specs/conformance/figures/families.toml` assigns recipes and files to rows. A row without a run, or
//! whose run fails, is reported with the reason; no row is skipped.

pub mod family;
pub mod figure;
pub mod official;
pub mod pipeline;
pub mod report;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use family::{FigureFamily, RecipeRun};
use figure::PublishedFigure;
use official::SeriesComparison;
use pipeline::{Pipeline, VerifiedFigures};
use report::{FigureLine, FigureReport};

/// Folder of `families.toml` and of the recipes that are not in the library.
pub fn families_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("figures")
}

/// Checks every row of `published_checks.csv` in the folder `data`, then the complete series; `only`
/// keeps the families and series whose name contains it.
///
/// # Errors
/// The rows or the families cannot be read.
pub fn check_figures(data: &Path, only: &str) -> Result<FigureReport, String> {
    let rows = figure::read_figures(&data.join("published_checks.csv"))?;
    let families = family::read_families(&families_folder())?;
    let mut chain = Pipeline::new(data);
    let mut done: BTreeMap<(usize, usize), Result<VerifiedFigures, String>> = BTreeMap::new();
    let mut lines = Vec::new();
    for row in rows.into_iter().filter(|row| row.family.contains(only)) {
        let found = find_run(&families, &row).map(|(place, run)| {
            let figures = done.entry(place).or_insert_with(|| chain.compute_figures(run));
            figures.clone().and_then(|figures| figures.figure_at(run, &row))
        });
        let none = || Err("families.toml has no run for this row".to_owned());
        lines.push(FigureLine::new(row, found.unwrap_or_else(none)));
    }
    let wanted =
        family::read_series(&families_folder())?.into_iter().filter(|series| series.name.contains(only));
    let series = wanted.map(|series| SeriesComparison::new(&mut chain, &series)).collect();
    Ok(FigureReport { lines, series })
}

/// The first run of the family of a row that covers the row, with its position.
fn find_run<'f>(
    families: &'f [FigureFamily],
    row: &PublishedFigure,
) -> Option<((usize, usize), &'f RecipeRun)> {
    let (at, family) = families.iter().enumerate().find(|(_, family)| family.name == row.family)?;
    let (place, run) = family.runs.iter().enumerate().find(|(_, run)| run.covers(row))?;
    // Runs that differ only in the figure that they look up share one computation.
    let same = family.runs.iter().position(|other| other.same_work(run)).unwrap_or(place);
    Some(((at, same), run))
}
