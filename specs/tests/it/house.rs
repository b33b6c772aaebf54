//! House rules of `CONTRIBUTING.md` as tests over the source tree.
//!
//! Each rule is a pure function from text to errors, and is tested on a bad example, too.

mod files;
mod layering;
mod names;
mod wording;

use std::path::{Path, PathBuf};

/// Root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("specs lies in the repository").to_path_buf()
}

/// Text of a file of the repository.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Files under a folder of the repository, sorted, relative to the root; build output is left out.
pub fn walk(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() && name != "target" && name != ".git" && name != "node_modules" {
                open.push(path);
            } else if path.is_file() {
                let inside = path.strip_prefix(root()).expect("inside the repository");
                found.push(inside.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

/// Rust files under a folder.
fn sources(folder: &str) -> Vec<String> {
    walk(folder).into_iter().filter(|path| path.ends_with(".rs")).collect()
}

/// Fails with one error a line, if there is any.
pub fn none(rule: &str, errors: &[String]) {
    assert!(errors.is_empty(), "{rule}:\n  {}", errors.join("\n  "));
}
