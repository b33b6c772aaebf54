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
    CellFindings::read(verdict, results, cell.output, cell.component, fetch).cell(cell.key)
}

/// A published and a computed value. A value is absent for null or a missing data point.
type ComparedValues = (Option<String>, Option<String>);

/// What one verdict says of the cells of one component of an output. The table of differences is read once,
/// so that a table of figures costs no more than one of them.
#[derive(Debug, Clone, Default)]
pub struct CellFindings {
    is_computed: bool,
    /// The cells that differ, by key as text.
    differing: BTreeMap<Vec<String>, ComparedValues>,
    /// Last key of a table of differences that may have been cut after it, with the component.
    last_known: Option<Vec<Cell>>,
    component: String,
}

impl CellFindings {
    /// Reads the findings of a verdict, with the results of its run. An output that was not computed, or
    /// whose table of differences is missing, gives none.
    pub fn read(
        verdict: &Verdict,
        results: &BTreeMap<Name, ContentId>,
        output: &Name,
        component: &Name,
        fetch: BlockSource<'_>,
    ) -> Self {
        let mut findings = Self { component: component.to_string(), ..Self::default() };
        if !results.contains_key(output) {
            return findings;
        }
        match verdict {
            Verdict::Reproduced { .. } => findings.is_computed = true,
            Verdict::Differs { first, differences, .. } => {
                match differences.get(output).map(|id| content::unpack_table(*id, fetch)) {
                    None => findings.is_computed = true,
                    Some(Ok((_, table))) => findings.add_differences(&table),
                    Some(Err(_)) => {}
                }
                findings.add_first(first, output);
            }
            _ => {}
        }
        findings
    }

    fn add_differences(&mut self, table: &Table) {
        self.is_computed = true;
        let text =
            |id: &str, row| table.column(id).and_then(|column| column.cell(row)).map(|cell| cell.to_string());
        for row in 0..table.rows() {
            let mut key = table.key(row);
            // A full table may have been cut: cells after its last key are not known.
            if row + 1 == table.rows() && table.rows() >= DIFFERENCES_MAX {
                self.last_known = Some(key.clone());
            }
            if key.pop().is_some_and(|component| component == Cell::Text(self.component.clone())) {
                self.differing.insert(key_texts(&key), (text("PUBLISHED", row), text("COMPUTED", row)));
            }
        }
    }

    /// The first divergence stands in the verdict itself, also where its table cannot be read.
    fn add_first(&mut self, first: &Divergence, output: &Name) {
        let is_here = matches!(&first.table, ComparedTable::Output(name) if name == output);
        if is_here && first.component.as_ref().is_some_and(|name| name.as_str() == self.component) {
            let text = |cell: &Option<Cell>| cell.as_ref().map(Cell::to_string);
            self.differing.insert(key_texts(&first.key), (text(&first.published), text(&first.computed)));
        }
    }

    /// Whether the output was computed and its table of differences read.
    pub fn is_computed(&self) -> bool {
        self.is_computed
    }

    /// Keys, as text, of the cells that differ.
    pub fn differing_keys(&self) -> impl Iterator<Item = &Vec<String>> {
        self.differing.keys()
    }

    /// The standing of the cell with this key, in the order of the identifiers.
    pub fn cell(&self, key: &[Cell]) -> CellStanding {
        let values = (!self.differing.is_empty()).then(|| self.differing.get(&key_texts(key))).flatten();
        if let Some((published, computed)) = values {
            return CellStanding::DoesNotHold { published: published.clone(), computed: computed.clone() };
        }
        let is_cut = self.last_known.as_deref().is_some_and(|last| self.is_after(key, last));
        if self.is_computed && !is_cut { CellStanding::Holds } else { CellStanding::Unchecked }
    }

    /// Whether a cell comes after the last row of a table of differences, in the order of contents.
    fn is_after(&self, key: &[Cell], last: &[Cell]) -> bool {
        let component = Cell::Text(self.component.clone());
        let cells = key.iter().chain([&component]).zip(last);
        let order =
            cells.map(|(a, b)| compare_cells(a, b)).find(|order| order.is_some_and(|one| one.is_ne()));
        order.flatten() == Some(std::cmp::Ordering::Greater)
    }
}

fn key_texts(key: &[Cell]) -> Vec<String> {
    key.iter().map(Cell::to_string).collect()
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
        let is_point = !self.retracted_points.is_empty() && self.retracted_points.contains(&key_texts(key));
        [
            self.forked_at.map(|_| Contest::Forked),
            self.retracted.as_ref().map(|_| Contest::Retracted),
            is_point.then_some(Contest::PointRetracted),
            self.superseded.as_ref().map(|_| Contest::Superseded),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
