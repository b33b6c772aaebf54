//! The examples that the project considers faulty, each with the class of its failure and the reason.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::FailureClass;

/// Why an example cannot come out as the manual prints it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultyExample {
    /// How it fails; if it fails otherwise, the entry does not cover it.
    pub class: FailureClass,
    /// Why the manual is wrong, or why its example cannot be run.
    pub reason: String,
}

impl FaultyExample {
    /// Whether the project departs from the manual, which is not wrong.
    pub fn by_design(&self) -> bool {
        self.reason.starts_with("by design: ")
    }
}

/// The entries by the path of the example.
pub type FaultyList = BTreeMap<String, FaultyExample>;

/// Reads a list.
///
/// # Errors
/// What is no list.
pub fn parse_list(text: &str) -> Result<FaultyList, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

/// The list of this repository for a manual: that of 2.1 when its path says so, else that of 2.2.
pub fn list_path(manual: &Path) -> PathBuf {
    let old = manual.components().any(|part| part.as_os_str() == "v2.1");
    let version = if old { "2.1" } else { "2.2" };
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("vtl/faulty-{version}.toml"))
}
