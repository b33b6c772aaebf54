//! The compatibility kit: the examples and grammar tests of the VTL standard, run on the engine.
//!
//! The standard has no licence that lets its files be copied, so the kit reads them where a person
//! has fetched them (`github.com/sdmx-twg/vtl`, folder `v2.2` or `v2.1`). This module owns how they
//! are found, read and compared, and the list of examples that the project considers faulty, with a
//! reason in its own words (`specs/conformance/vtl/faulty-*.toml`). It holds nothing of the standard itself.

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

/// How an example fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureClass {
    /// Its files are not what they say: a cell that its type cannot hold, a key that comes twice.
    Material,
    /// The engine finds a fault of syntax.
    Parse,
    /// The engine does not know this part of VTL.
    Unsupported,
    /// The engine refuses the operator for good.
    Refused,
    /// The engine finds a fault before it runs.
    Check,
    /// The run ends with a fault.
    Fault,
    /// Names, roles or types of components differ; the data agree as far as they can be compared.
    Structure,
    /// Data points differ.
    Data,
    /// A script that is no VTL is taken for VTL.
    Accepted,
}

impl FailureClass {
    /// The name in reports and lists.
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

/// What came of an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExampleFinding {
    /// Structure and data are the same.
    Exact,
    /// The same to the digits that the manual prints: some numbers have more digits, and are the
    /// printed ones when rounded or cut there (the manual does both).
    Digits,
    /// Something differs: the class, and the first difference.
    Differs(FailureClass, String),
}

/// An example with what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleCase {
    /// `Category/Operator/ex_N`, or `Grammar/PositiveTests/line N`.
    pub path: String,
    /// What came of it.
    pub finding: ExampleFinding,
}

/// All examples of a manual whose path has `only` in it, in the order of their paths.
///
/// # Errors
/// A folder that is no manual, or a file that cannot be read.
pub fn run_examples(manual: &std::path::Path, only: &str) -> Result<Vec<ExampleCase>, String> {
    let found = folder::find_examples(manual)?;
    let wanted = found.into_iter().filter(|place| place.path.contains(only));
    wanted
        .map(|place| example::run_example(&place).map(|finding| ExampleCase { path: place.path, finding }))
        .collect()
}
