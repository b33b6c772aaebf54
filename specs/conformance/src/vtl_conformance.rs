//! VTL conformance kit: runs the examples and grammar tests of the VTL standard on the engine.
//!
//! The licence of the standard does not permit copying its files, so the kit reads a checkout of
//! `github.com/sdmx-twg/vtl` (folder `v2.2` or `v2.1`). This module finds, reads and compares the
//! examples, and keeps a list of the examples that the project considers faulty, each with a reason
//! (`specs/conformance/vtl/faulty-*.toml`). It contains no text of the standard.

pub mod cell;
pub mod compare;
pub mod csv;
pub mod example;
pub mod faulty;
pub mod folder;
pub mod grammar;
pub mod page;
pub mod report;
pub mod structure;

use serde::Serialize;

/// Class of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureClass {
    /// The files of the example are inconsistent: a cell does not fit its type, a key occurs twice.
    Material,
    /// The engine reports a syntax error.
    Parse,
    /// The engine does not support this part of VTL.
    Unsupported,
    /// The engine refuses the operator by design.
    Refused,
    /// The engine reports an error before the run.
    Check,
    /// The run ends with an error.
    Fault,
    /// Names, roles or types of components differ; the comparable data agree.
    Structure,
    /// Data points differ.
    Data,
    /// An invalid script is accepted.
    Accepted,
}

impl FailureClass {
    /// Name in reports and lists.
    pub fn word(self) -> &'static str {
        match self {
            Self::Material => "material",
            Self::Parse => "parse",
            Self::Unsupported => "unsupported",
            Self::Refused => "refused",
            Self::Check => "check",
            Self::Fault => "fault",
            Self::Structure => "structure",
            Self::Data => "data",
            Self::Accepted => "accepted",
        }
    }
}

/// Result of an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExampleFinding {
    /// Structure and data are equal.
    Exact,
    /// Equal to the printed digits: some numbers have more digits, and give the printed ones when
    /// rounded or truncated (the manual does both).
    Digits,
    /// Class and text of the first difference.
    Differs(FailureClass, String),
}

/// An example with its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleCase {
    /// `Category/Operator/ex_N`, or `Grammar/PositiveTests/line N`.
    pub path: String,
    /// Result.
    pub finding: ExampleFinding,
}

/// Runs the examples of a manual whose path contains `only`, in the order of their paths.
///
/// # Errors
/// The folder is not a manual, or a file cannot be read.
pub fn run_examples(manual: &std::path::Path, only: &str) -> Result<Vec<ExampleCase>, String> {
    let found = folder::find_examples(manual)?;
    let wanted = found.into_iter().filter(|place| place.path.contains(only));
    wanted
        .map(|place| example::run_example(&place).map(|finding| ExampleCase { path: place.path, finding }))
        .collect()
}
