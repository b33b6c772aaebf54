//! Examples that the project considers faulty, each with its class of failure and the reason.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::FailureClass;

/// Listed failure of an example.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultyExample {
    /// Class of the failure; the entry does not cover other classes.
    pub class: FailureClass,
    /// Reason: the error of the manual, or the deviation of the project.
    pub reason: String,
}

impl FaultyExample {
    /// Whether the manual is right and the project departs from it.
    pub fn by_design(&self) -> bool {
        self.reason.starts_with("by design: ")
    }
}

/// Listed failures by the path of the example.
pub type FaultyList = BTreeMap<String, FaultyExample>;

/// Parses a list.
///
/// # Errors
/// The text is not TOML, or has an unknown class or field.
pub fn parse_list(text: &str) -> Result<FaultyList, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

/// Path of the list for a manual: the one of 2.1 when the path contains `v2.1`, else the one of 2.2.
pub fn list_path(manual: &Path) -> PathBuf {
    let old = manual.components().any(|part| part.as_os_str() == "v2.1");
    let version = if old { "2.1" } else { "2.2" };
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("vtl/faulty-{version}.toml"))
}
