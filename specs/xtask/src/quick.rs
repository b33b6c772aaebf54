//! `cargo xtask quick`: the checks before a commit, limited to the crates with changes.
//!
//! Not included: integration tests, documentation, dependency checks and the crates that depend on a
//! changed one. `cargo xtask full` runs all of these.

use std::path::Path;

use crate::changes::find_changed_crates;
use crate::{cargo_command, run_command};

/// Checks the format of the whole workspace, then lints and unit-tests the crates with changes.
///
/// # Errors
/// The first command that fails.
pub(crate) fn check_changes(root: &Path) -> Result<(), String> {
    run_command(cargo_command(root).args(["fmt", "--all", "--", "--check"]))?;
    let changed = find_changed_crates(root)?;
    if changed.workspace {
        println!("note: files of the whole workspace changed; `cargo xtask full` checks every crate");
    }
    if changed.names.is_empty() {
        println!("no crate has changes");
        return Ok(());
    }
    let packages: Vec<&str> = changed.names.iter().flat_map(|name| ["-p", name.as_str()]).collect();
    let clippy = ["clippy", "--all-targets", "--locked"];
    run_command(cargo_command(root).args(clippy).args(&packages).args(["--", "-D", "warnings"]))?;
    // cargo refuses `--lib` when none of the packages has a library.
    let has_library = changed.folders.iter().any(|folder| root.join(folder).join("src/lib.rs").is_file());
    let targets: &[&str] = if has_library { &["--lib", "--bins"] } else { &["--bins"] };
    run_command(cargo_command(root).args(["test", "--locked"]).args(targets).args(&packages))
}
