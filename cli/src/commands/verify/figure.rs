//! The figures that a command line names, and how each of them stands.

use std::collections::BTreeMap;

use ledger::bundle::Bundle;
use ledger::standing::{CellReference, CellStanding, Contest, RootStanding, Standing, cell_standing};
use ledger::verify::Verification;
use schemas::address::{Address, SeriesKey};
use schemas::content;
use schemas::entry::Entry;
use schemas::object::{Object, Recipe};
use schemas::period::Period;
use schemas::seal::Sealed;
use schemas::structure::Role;
use schemas::table::Table;
use schemas::text::Name;
use serde::Serialize;

use super::{figure_address, row_cells};
use crate::error::CommandError;

/// The figure that the command line names.
pub(super) enum FigureTarget {
    /// The whole root.
    Whole,
    /// The figure at an address.
    Address(Address),
    /// A key and a period in every release of a bundle.
    Key(SeriesKey, Period),
}

impl FigureTarget {
    /// Parses the target, and `--figure`, which is written as in an address: `USA/2010`.
    pub(super) fn parse(target: &str, figure: Option<&str>) -> Result<Self, CommandError> {
        if let Some(figure) = figure {
            let parsed = figure.rsplit_once('/').and_then(|(key, period)| {
                Some(Self::Key(key.parse::<SeriesKey>().ok()?, period.parse::<Period>().ok()?))
            });
            return parsed.ok_or_else(|| {
                CommandError::usage("figure", format!("`{figure}` does not name a figure"))
                    .hint("name it as in an address, key and period: `--figure USA/2010`")
            });
        }
        match target.parse::<Address>() {
            Ok(address) if address.key().is_some() => Ok(Self::Address(address)),
            _ => Ok(Self::Whole),
        }
    }

    pub(super) fn is_figure(&self) -> bool {
        !matches!(self, Self::Whole)
    }

    pub(super) fn describe(&self) -> String {
        match self {
            Self::Whole => String::new(),
            Self::Address(address) => format!("at {address}"),
            Self::Key(key, period) => format!("`{key}/{period}`"),
        }
    }

    /// The rows that it names in a table of a release.
    fn select_rows(&self, entry: &Sealed<Entry>, dataflow: &Name, table: &Table) -> Vec<usize> {
        match self {
            Self::Whole => Vec::new(),
            Self::Address(address) => address.select_rows(table),
            Self::Key(key, period) => {
                figure_address(entry, dataflow).with_figure(key.clone(), *period).select_rows(table)
            }
        }
    }
}

/// A figure with its standing.
#[derive(Debug, Serialize)]
pub(super) struct FigureReport {
    pub(super) output: Name,
    /// Title of the output in the recipe.
    pub(super) title: String,
    pub(super) unit: String,
    /// The identifiers, in the order of the table.
    pub(super) key: Vec<String>,
    /// All components by id.
    pub(super) cells: BTreeMap<String, Option<String>>,
    /// The measures in the order of the table, each with what the run says of it.
    pub(super) measures: Vec<MeasureReport>,
    pub(super) contests: Vec<Contest>,
    /// The worst of its measures.
    pub(super) standing: Standing,
}

/// One measure of a figure.
#[derive(Debug, Serialize)]
pub(super) struct MeasureReport {
    pub(super) component: Name,
    pub(super) value: Option<String>,
    #[serde(flatten)]
    pub(super) cell: CellStanding,
}

/// Finds the figures that `target` names in the results of a release.
pub(super) fn find_figures(
    bundle: &Bundle,
    entry: &Sealed<Entry>,
    verification: &Verification,
    standing: &RootStanding,
    target: &FigureTarget,
) -> Result<Vec<FigureReport>, CommandError> {
    let Some(Object::Release(release)) = bundle.object(entry) else { return Ok(Vec::new()) };
    if !target.is_figure() {
        return Ok(Vec::new());
    }
    let recipe = match bundle.block(release.recipe.cid()).map(|bytes| Object::decode(&bytes)) {
        Some(Ok(Object::Recipe(recipe))) => Some(recipe),
        _ => None,
    };
    let mut found = Vec::new();
    for (output, id) in &release.results {
        // A result that cannot be read is the verdict's business; it has no figures to show.
        let Ok((_, table)) = content::unpack_table(*id, |id| bundle.block(id)) else { continue };
        let rows = target.select_rows(entry, &release.dataflow, &table);
        for row in rows {
            let measures = report_measures(bundle, verification, output, &table, row);
            found.push(report_figure(recipe.as_ref(), output, (&table, row), measures, standing));
        }
    }
    Ok(found)
}

fn report_measures(
    bundle: &Bundle,
    verification: &Verification,
    output: &Name,
    table: &Table,
    row: usize,
) -> Vec<MeasureReport> {
    let key = table.key(row);
    // The tables of differences of the own run are not in the bundle.
    let own: BTreeMap<_, _> = verification.blocks.iter().map(|(id, bytes)| (*id, bytes)).collect();
    let fetch = |id| own.get(&id).map(|bytes| (*bytes).clone()).or_else(|| bundle.block(id));
    let parts = table.shape().components().iter().zip(table.columns());
    let measures = parts.filter(|(part, _)| part.role == Role::Measure);
    let report = |(part, column): (&schemas::structure::Component, &schemas::table::Column)| {
        let cell = CellReference { output, key: &key, component: &part.id };
        MeasureReport {
            component: part.id.clone(),
            value: column.cell(row).map(|cell| cell.to_string()),
            cell: cell_standing(&verification.verdict, &verification.results, cell, &fetch),
        }
    };
    measures.map(report).collect()
}

fn report_figure(
    recipe: Option<&Recipe>,
    output: &Name,
    (table, row): (&Table, usize),
    measures: Vec<MeasureReport>,
    standing: &RootStanding,
) -> FigureReport {
    let key = table.key(row);
    let contests = standing.contests(&key);
    let standings = measures.iter().map(|measure| Standing::of(&measure.cell, &contests));
    let worst = [Standing::DoesNotHold, Standing::Unchecked, Standing::Contested, Standing::Holds];
    let standings: Vec<Standing> = standings.collect();
    let described = recipe.and_then(|recipe| recipe.outputs.get(output));
    FigureReport {
        output: output.clone(),
        title: described.map(|output| output.title.to_string()).unwrap_or_default(),
        unit: described.map(|output| output.unit.to_string()).unwrap_or_default(),
        key: key.iter().map(ToString::to_string).collect(),
        cells: row_cells(table, row),
        // A figure without a measure holds by its key alone, which the comparison of rows has covered.
        standing: worst.into_iter().find(|one| standings.contains(one)).unwrap_or(Standing::Unchecked),
        measures,
        contests,
    }
}
