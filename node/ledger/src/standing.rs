//! How a figure stands: what a verdict says of one cell, and what its publisher said afterwards
//! (specs/bundle.md, section 3 and 3a).
//!
//! A verdict is of a release. A release with one wrong cell does not make its other cells wrong: every
//! surface that shows a figure asks [`cell_standing`] about that cell.

use std::collections::BTreeMap;

use schemas::cid::{Cid, ContentId};
use schemas::column::Cell;
use schemas::content;
use schemas::table::Table;
use schemas::text::Name;
use schemas::verdict::{ComparedTable, DIFFERENCES_MAX, Divergence, Verdict};
use serde::{Deserialize, Serialize};

use crate::BlockSource;

/// What a verification says of one cell of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cell", rename_all = "snake_case")]
pub enum CellStanding {
    /// The result was computed, and the cell is equal.
    Holds,
    /// The cell differs. A value is absent for null or a missing data point.
    DoesNotHold {
        /// The published value.
        published: Option<String>,
        /// The computed value.
        computed: Option<String>,
    },
    /// The result was not computed, or the cell is beyond the end of the table of differences.
    Unchecked,
}

/// A statement of the publisher, or evidence against it, that changes how a valid figure is to be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contest {
    /// The publisher signed two entries with one sequence number, not above that of the figure.
    Forked,
    /// The publisher retracted the release.
    Retracted,
    /// The publisher retracted this data point.
    PointRetracted,
    /// The publisher superseded the release by a later one.
    Superseded,
}

/// How a figure stands: one of the four words that every surface shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Read again and computed again: equal.
    Holds,
    /// This very cell differs.
    DoesNotHold,
    /// Forked, retracted or superseded.
    Contested,
    /// Not computed by anyone who counts.
    Unchecked,
}

impl Standing {
    /// The word that a verdict on a cell and the contests against it give. A cell that does not hold is
    /// never shown as only contested.
    pub fn of(cell: &CellStanding, contests: &[Contest]) -> Self {
        match cell {
            CellStanding::DoesNotHold { .. } => Self::DoesNotHold,
            _ if !contests.is_empty() => Self::Contested,
            CellStanding::Holds => Self::Holds,
            CellStanding::Unchecked => Self::Unchecked,
        }
    }

    /// The word: `holds`, `does_not_hold`, `contested`, `unchecked`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::DoesNotHold => "does_not_hold",
            Self::Contested => "contested",
            Self::Unchecked => "unchecked",
        }
    }

    /// The word for readers.
    pub fn title(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::DoesNotHold => "does not hold",
            Self::Contested => "contested",
            Self::Unchecked => "unchecked",
        }
    }
}

/// A cell of a result.
#[derive(Debug, Clone, Copy)]
pub struct CellReference<'a> {
    /// The output.
    pub output: &'a Name,
    /// The key, in the order of the identifiers.
    pub key: &'a [Cell],
    /// The component.
    pub component: &'a Name,
}

/// What a verdict says of one cell. `results` are the results of the run that gave the verdict, `fetch`
/// finds the tables of differences.
pub fn cell_standing(
    verdict: &Verdict,
    results: &BTreeMap<Name, ContentId>,
    cell: CellReference<'_>,
    fetch: BlockSource<'_>,
) -> CellStanding {
    match verdict {
        Verdict::Reproduced { .. } => CellStanding::Holds,
        Verdict::Differs { first, .. } if is_cell(first, cell) => {
            let text = |cell: &Option<Cell>| cell.as_ref().map(Cell::to_string);
            CellStanding::DoesNotHold { published: text(&first.published), computed: text(&first.computed) }
        }
        Verdict::Differs { differences, .. } if results.contains_key(cell.output) => {
            match differences.get(cell.output) {
                None => CellStanding::Holds,
                Some(id) => match content::unpack_table(*id, fetch) {
                    Ok((_, table)) => find_difference(&table, cell),
                    Err(_) => CellStanding::Unchecked,
                },
            }
        }
        _ => CellStanding::Unchecked,
    }
}

/// Whether a divergence is of exactly this cell.
fn is_cell(first: &Divergence, cell: CellReference<'_>) -> bool {
    matches!(&first.table, ComparedTable::Output(output) if output == cell.output)
        && first.key == cell.key
        && first.component.as_ref() == Some(cell.component)
}

/// Looks a cell up in a table of differences.
fn find_difference(table: &Table, cell: CellReference<'_>) -> CellStanding {
    let mut wanted = cell.key.to_vec();
    wanted.push(Cell::Text(cell.component.to_string()));
    let row = (0..table.rows()).find(|row| table.key(*row) == wanted);
    if let Some(row) = row {
        let text =
            |id: &str| table.column(id).and_then(|column| column.cell(row)).map(|cell| cell.to_string());
        return CellStanding::DoesNotHold { published: text("PUBLISHED"), computed: text("COMPUTED") };
    }
    // A full table may have been cut: cells after its last key are not known.
    let last = table.rows().checked_sub(1).map(|row| table.key(row));
    let is_full = table.rows() >= DIFFERENCES_MAX;
    let after_end = is_full && last.is_some_and(|last| is_after(cell.key, &last));
    if after_end { CellStanding::Unchecked } else { CellStanding::Holds }
}

/// Whether a key comes after the last key of a table of differences, in the order of contents.
pub fn is_after(key: &[Cell], last: &[Cell]) -> bool {
    key.iter().zip(last).find_map(|(a, b)| compare_cells(a, b).filter(|order| order.is_ne()))
        == Some(std::cmp::Ordering::Greater)
}

fn compare_cells(a: &Cell, b: &Cell) -> Option<std::cmp::Ordering> {
    Some(match (a, b) {
        (Cell::Text(a), Cell::Text(b)) => a.cmp(b),
        (Cell::Integer(a), Cell::Integer(b)) => a.cmp(b),
        (Cell::Number(a), Cell::Number(b)) => a.compare(*b),
        (Cell::Boolean(a), Cell::Boolean(b)) => a.cmp(b),
        (Cell::Period(a), Cell::Period(b)) => a.cmp(b),
        _ => return None,
    })
}

/// The standing of an object among the entries of its publisher.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootStanding {
    /// Its retraction as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retracted: Option<RetractionNotice>,
    /// Retractions of data points of it: keys as text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retracted_points: Vec<Vec<String>>,
    /// The latest release that supersedes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded: Option<SupersessionNotice>,
    /// The lowest sequence number for which its publisher signed two entries, if it is not above its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_at: Option<u64>,
}

/// A retraction, for readers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetractionNotice {
    /// The reason.
    pub reason: String,
    /// Signing time as claimed by the publisher, in seconds since 1970.
    pub time: i64,
    /// The replacement, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<Cid>,
}

/// A later release, for readers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupersessionNotice {
    /// The later release.
    pub release: Cid,
    /// Its sequence number.
    pub seq: u64,
    /// Signing time as claimed by the publisher, in seconds since 1970.
    pub time: i64,
}

impl RootStanding {
    /// Whether the object is retracted, superseded or contested, in whole or in part.
    pub fn is_contested(&self) -> bool {
        *self != Self::default()
    }

    /// The contests that concern a data point with this key.
    pub fn contests(&self, key: &[Cell]) -> Vec<Contest> {
        let is_point =
            |point: &Vec<String>| point.iter().eq(key.iter().map(Cell::to_string).collect::<Vec<_>>().iter());
        [
            self.forked_at.map(|_| Contest::Forked),
            self.retracted.as_ref().map(|_| Contest::Retracted),
            self.retracted_points.iter().any(is_point).then_some(Contest::PointRetracted),
            self.superseded.as_ref().map(|_| Contest::Superseded),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
