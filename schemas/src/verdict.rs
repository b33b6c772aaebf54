//! The verdict of a verification. It is never a single boolean.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cid::{Cid, ContentId, DatasetId};
use crate::column::Cell;
use crate::limits::{CELL_BYTES_MAX, COMPONENTS_MAX};
use crate::object::PORTS_MAX;
use crate::text::{Line, Name, Text, is_readable};

/// Missing ids listed in a verdict; the rest is only counted.
pub const MISSING_MAX: usize = 16;

/// Rows of a table of differences.
pub const DIFFERENCES_MAX: usize = 16_384;

/// Result of verifying a release (specs/objects.md, section 4, attestation).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Verdict {
    /// All results are what the documents and the recipe give.
    Reproduced {
        /// Cells of results compared.
        cells: u64,
        /// Cells of data sets compared with their documents or with the release above.
        read: u64,
    },
    /// At least one cell differs.
    Differs {
        /// The first difference, in the order of verification.
        first: Divergence,
        /// Number of cells that differ, in data sets and results.
        count: u64,
        /// Cells of results compared.
        cells: u64,
        /// Cells of data sets compared with their documents or with the release above.
        read: u64,
        /// The cells of results that differ, by output.
        differences: BTreeMap<Name, ContentId>,
    },
    /// Not checked: blocks are missing.
    Missing {
        /// The first missing blocks.
        ids: Vec<Cid>,
        /// Number of missing blocks.
        count: u64,
    },
    /// An object breaks a rule.
    Invalid {
        /// The object.
        object: Cid,
        /// Stable error code.
        code: Line<64>,
        /// Error message.
        message: Text<1024>,
    },
    /// Not checked: the recipe does not run on these inputs.
    Failed {
        /// Stable error code; one line.
        code: Line<64>,
        /// Error message with its location.
        message: Text<1024>,
    },
    /// Not checked here: beyond the ceilings of the verifier, or for a reader that it does not have.
    NotRun {
        /// Stable error code.
        code: Line<64>,
        /// Reason, and what to do.
        message: Text<1024>,
    },
}

/// The table of a divergence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ComparedTable {
    /// A result of the release.
    Output(Name),
    /// A data set of the release, or of one above it.
    Dataset(DatasetId),
    /// The number of steps of the run.
    Steps,
}

/// Position of a cell in a source document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentPosition {
    /// Name of the document; `archive/member` for a member of an archive.
    pub file: Line<256>,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The title of the column, or its number from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<Line<256>>,
}

/// A cell that differs from the published one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Divergence {
    /// The table.
    pub table: ComparedTable,
    /// Position of the cell in a document, for a data set that was read from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<DocumentPosition>,
    /// The key of the data point, in the order of the identifiers.
    pub key: Vec<Cell>,
    /// The component; absent when the data point is missing on one side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<Name>,
    /// The published value; absent for null or a missing data point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Cell>,
    /// The computed value; absent for null or a missing data point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computed: Option<Cell>,
}

impl Verdict {
    /// Name of the variant: `reproduced`, `differs`, `missing`, `invalid`, `failed`, `not_run`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Verdict::Reproduced { .. } => "reproduced",
            Verdict::Differs { .. } => "differs",
            Verdict::Missing { .. } => "missing",
            Verdict::Invalid { .. } => "invalid",
            Verdict::Failed { .. } => "failed",
            Verdict::NotRun { .. } => "not_run",
        }
    }

    /// Checks the bounds that the types do not express.
    pub(crate) fn check(&self) -> Result<(), String> {
        match self {
            Verdict::Missing { ids, count }
                if !(1..=MISSING_MAX).contains(&ids.len()) || *count < ids.len() as u64 =>
            {
                Err(format!("a verdict names 1 to {MISSING_MAX} of the missing blocks"))
            }
            // One more than the cells: the number of steps, or a table of the same cells in another form.
            Verdict::Differs { count, cells, read, .. }
                if *count == 0 || *count > cells.saturating_add(*read).saturating_add(1) =>
            {
                Err("the cells that differ are at least one and at most those compared".into())
            }
            Verdict::Differs { differences, .. } if differences.len() > PORTS_MAX => {
                Err(format!("a verdict has at most {PORTS_MAX} tables of differences"))
            }
            Verdict::Differs { first, .. } => first.check(),
            _ => Ok(()),
        }
    }
}

impl Divergence {
    fn check(&self) -> Result<(), String> {
        let cells = self.key.iter().chain(&self.published).chain(&self.computed);
        // The rule of `table::Table`: a divergence shows cells of contents.
        let invalid = |cell: &Cell| matches!(cell, Cell::Text(text) if text.len() > CELL_BYTES_MAX || !is_readable(text));
        if self.key.len() > COMPONENTS_MAX || cells.into_iter().any(invalid) {
            return Err("a divergence names one cell that a data set can hold".into());
        }
        Ok(())
    }
}

impl fmt::Display for ComparedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ComparedTable::Output(name) => write!(f, "{name}"),
            ComparedTable::Dataset(id) => write!(f, "data set {id}"),
            ComparedTable::Steps => f.write_str("steps"),
        }
    }
}

impl fmt::Display for DocumentPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        match &self.column {
            Some(column) => write!(f, ", column `{column}`"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.table)?;
        if !self.key.is_empty() {
            let key: Vec<String> = self.key.iter().map(Cell::to_string).collect();
            write!(f, "[{}]", key.join(", "))?;
        }
        if let Some(component) = &self.component {
            write!(f, ".{component}")?;
        }
        let word = |cell: &Option<Cell>| {
            let absent = if self.component.is_some() { "null" } else { "no data point" };
            cell.as_ref().map_or_else(|| absent.to_owned(), Cell::to_string)
        };
        let computed =
            if matches!(self.table, ComparedTable::Dataset(_)) { "its source gives" } else { "computed" };
        match (&self.component, &self.published, &self.computed) {
            (None, None, None) if self.key.is_empty() => {
                f.write_str(": the form differs, the cells agree")?
            }
            (None, None, None) => f.write_str(": present on one side only")?,
            _ => write!(f, ": published {}, {computed} {}", word(&self.published), word(&self.computed))?,
        }
        match &self.position {
            Some(position) => write!(f, " ({position})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Reproduced { cells, .. } => write!(f, "reproduced: {cells} of {cells} cells"),
            Verdict::Differs { first, count, cells, read, .. } => {
                // Differences of sources come first: if the first is of a result, all are.
                let all = if matches!(first.table, ComparedTable::Output(_)) { *cells } else { cells + read };
                write!(f, "differs: {count} of {all} cells, the first is {first}")
            }
            Verdict::Missing { count, .. } => write!(f, "missing: {count} blocks are missing"),
            Verdict::Invalid { object, message, .. } => write!(f, "invalid: {object}: {message}"),
            Verdict::Failed { message, .. } => write!(f, "failed: {message}"),
            Verdict::NotRun { message, .. } => write!(f, "not run: {message}"),
        }
    }
}
