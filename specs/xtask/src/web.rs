//! `cargo xtask web`: builds the pages of the dashboard.
//!
//! The built pages are committed in `node/dashboard/dist`, so that building the program needs no
//! Node.js. This command is the only one that runs npm.

use std::path::Path;

/// Builds the pages from `node/dashboard/web`; `arguments` are those after `web`.
///
/// # Errors
/// npm is missing or fails, or an argument is unknown.
pub(crate) fn build_pages(root: &Path, arguments: &[&str]) -> Result<(), String> {
    if let Some(argument) = arguments.first() {
        return Err(format!("unknown argument `{argument}`: `cargo xtask web` takes none"));
    }
    let pages = root.join("node/dashboard/web");
    Err(format!("building the pages of {} is not implemented yet", pages.display()))
}
