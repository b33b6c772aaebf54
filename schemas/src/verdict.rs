//! The verdict of a verification. It is never a single boolean.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cid::Cid;
use crate::column::Cell;
use crate::limits::{CELL_BYTES_MAX, COMPONENTS_MAX};
use crate::text::{LineForm, Name, Text, TextForm, is_readable};

/// Missing ids listed in a verdict; the rest is only counted.
pub const MISSING_MAX: usize = 16;

/// Result of re-running a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Verdict {
    /// Every cell of every output equals the published one.
    Reproduced {
        /// Cells compared.
        cells: u64,
    },
    /// At least one cell differs.
    Differs {
        /// The first difference, in the order of outputs, keys, components.
        first: Divergence,
        /// Number of cells that differ.
        count: u64,
        /// Cells compared.
        cells: u64,
    },
    /// Not checked: blocks are missing.
    Missing {
        /// The first missing blocks.
        ids: Vec<Cid>,
        /// Number of missing blocks.
        count: u64,
    },
    /// Not checked: the recipe does not run on these inputs.
    Failed {
        /// Stable error code; one line.
        code: Text<64>,
        /// Error message with its location.
        message: Text<1024>,
    },
}

/// A cell that differs from the published one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Divergence {
    /// The output of the recipe.
    pub output: Name,
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
    /// Name of the variant: `reproduced`, `differs`, `missing`, `failed`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Verdict::Reproduced { .. } => "reproduced",
            Verdict::Differs { .. } => "differs",
            Verdict::Missing { .. } => "missing",
            Verdict::Failed { .. } => "failed",
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
            Verdict::Differs { count, cells, .. } if *count == 0 || count > cells => {
                Err("the cells that differ are at least one and at most those compared".into())
            }
            Verdict::Differs { first, .. } => first.check(),
            Verdict::Failed { code, .. } => {
                LineForm::check(code.as_str()).map_err(|error| format!("the code of a verdict: {error}"))
            }
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

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key: Vec<String> = self.key.iter().map(Cell::to_string).collect();
        write!(f, "{}[{}]", self.output, key.join(", "))?;
        if let Some(component) = &self.component {
            write!(f, ".{component}")?;
        }
        let word = |cell: &Option<Cell>| {
            let absent = if self.component.is_some() { "null" } else { "no data point" };
            cell.as_ref().map_or_else(|| absent.to_owned(), Cell::to_string)
        };
        match (&self.component, &self.published, &self.computed) {
            (None, None, None) => write!(f, ": present on one side only"),
            _ => write!(f, ": published {}, computed {}", word(&self.published), word(&self.computed)),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Reproduced { cells } => write!(f, "reproduced: {cells} of {cells} cells"),
            Verdict::Differs { first, count, cells } => {
                write!(f, "differs: {count} of {cells} cells, the first is {first}")
            }
            Verdict::Missing { count, .. } => write!(f, "missing: {count} blocks are missing"),
            Verdict::Failed { message, .. } => write!(f, "failed: {message}"),
        }
    }
}
