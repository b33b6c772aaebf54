//! Changed files and the crates that they belong to.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Crates with changes, and whether files of the workspace itself changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ChangedCrates {
    /// Names of the crates; a crate is named like its folder.
    pub(crate) names: BTreeSet<String>,
    /// Folders of the crates, relative to the root of the repository.
    pub(crate) folders: BTreeSet<PathBuf>,
    /// Whether a manifest, lock file or lint configuration of the whole workspace changed.
    pub(crate) workspace: bool,
}

/// Finds the crates that differ from the upstream of `main`, or from `HEAD` where `main` has none,
/// including files that git does not track yet.
///
/// # Errors
/// git is missing or fails.
pub(crate) fn find_changed_crates(root: &Path) -> Result<ChangedCrates, String> {
    let base = match run_git(root, &["rev-parse", "--verify", "--quiet", "main@{upstream}"]) {
        // The merge base: changes that others made upstream in the meantime are not ours to check.
        Ok(upstream) => run_git(root, &["merge-base", "HEAD", upstream.trim()])?.trim().to_owned(),
        Err(_) => "HEAD".to_owned(),
    };
    let tracked = run_git(root, &["diff", "--name-only", &base])?;
    let untracked = run_git(root, &["ls-files", "--others", "--exclude-standard"])?;
    let files = tracked.lines().chain(untracked.lines());
    Ok(group_by_crate(files, |folder| root.join(folder).join("Cargo.toml").is_file()))
}

/// Assigns each file to the nearest folder above it that is a crate.
fn group_by_crate<'f>(
    files: impl Iterator<Item = &'f str>,
    is_crate: impl Fn(&Path) -> bool,
) -> ChangedCrates {
    let mut changed = ChangedCrates::default();
    for file in files {
        let above = Path::new(file).ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
        // Fuzz targets are a workspace of their own, built by another compiler.
        let mut above = above.filter(|folder| !folder.ends_with("fuzz"));
        match above.find(|folder| is_crate(folder)) {
            Some(folder) => {
                let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                changed.names.insert(name);
                changed.folders.insert(folder.to_path_buf());
            }
            None => changed.workspace |= matches!(file, "Cargo.toml" | "Cargo.lock" | "clippy.toml"),
        }
    }
    changed
}

fn run_git(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git").args(arguments).current_dir(root).output();
    let output = output.map_err(|error| format!("git does not start: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_belong_to_the_nearest_crate_above_them() {
        let files = ["node/vtl/src/lib.rs", "node/src/lib.rs", "node/vtl/fuzz/src/x.rs", "README.md"];
        let crates = ["node", "node/vtl", "node/vtl/fuzz"];
        let is_crate = |folder: &Path| crates.iter().any(|name| folder == Path::new(name));
        let changed = group_by_crate(files.into_iter(), is_crate);
        assert_eq!(changed.names, ["node", "vtl"].map(str::to_owned).into());
        assert!(!changed.workspace);
        assert!(group_by_crate(["Cargo.lock"].into_iter(), is_crate).workspace);
    }
}
