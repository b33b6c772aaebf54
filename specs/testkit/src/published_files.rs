//! The folder of files that agencies have published, for tests that need real data.

use std::path::{Path, PathBuf};

/// The folder of published files, if it has an entry with the name `wanted`. The environment variable
/// `ASSAY_DATA` names the folder; the default is `shared/data` beside the repository. A test that finds
/// none says so and passes.
pub fn find_published_files(wanted: &str) -> Option<PathBuf> {
    let set = std::env::var_os("ASSAY_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).map(|dir| dir.join("shared/data"));
    set.or(beside).filter(|dir| dir.join(wanted).exists())
}
