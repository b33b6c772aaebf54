//! `cargo xtask web`: builds the pages of the dashboard with npm and commits nothing itself: it replaces
//! `node/dashboard/dist`, which the crate `dashboard` embeds. With `--check` it compares instead, so that CI
//! proves the committed pages to be what the sources give.
//!
//! The build runs in a copy under `target/`, so that npm leaves nothing in the source tree.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run_command;

/// Inputs of the build, relative to `node/dashboard/web`; tests and what npm leaves behind are none.
const INPUTS: [&str; 8] = [
    "index.html",
    "package.json",
    "package-lock.json",
    "public",
    "scripts",
    "src",
    "tsconfig.json",
    "vite.config.ts",
];

/// Builds the pages, then replaces the committed ones or, with `--check`, compares them.
///
/// # Errors
/// An unknown argument, npm that is missing or fails, a file that cannot be copied, stale pages.
pub(crate) fn build_pages(root: &Path, arguments: &[&str]) -> Result<(), String> {
    let check = match arguments {
        [] => false,
        ["--check"] => true,
        _ => return Err(format!("unexpected `{}`: `cargo xtask web` takes `--check`", arguments.join(" "))),
    };
    let dashboard = root.join("node/dashboard");
    let work = target_folder(root).join("web");
    copy_inputs(&dashboard.join("web"), &work).map_err(|error| format!("cannot copy the pages: {error}"))?;
    install_packages(&work)?;
    run_command(Command::new("npm").current_dir(&work).args(["run", "--silent", "build"]))?;
    let (built, committed) = (work.join("dist"), dashboard.join("dist"));
    if check {
        let mut compare = Command::new("node");
        return run_command(compare.current_dir(&work).arg("scripts/compare.mjs").args([built, committed]));
    }
    replace_tree(&built, &committed).map_err(|error| format!("cannot replace `node/dashboard/dist`: {error}"))
}

fn target_folder(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |target| root.join(target))
}

/// Brings the copy up to date. `node_modules` stays: it costs the most and depends on the lock file alone.
fn copy_inputs(web: &Path, work: &Path) -> io::Result<()> {
    fs::create_dir_all(work)?;
    INPUTS.iter().try_for_each(|name| replace_tree(&web.join(name), &work.join(name)))
}

fn install_packages(work: &Path) -> Result<(), String> {
    let lock =
        fs::read(work.join("package-lock.json")).map_err(|error| format!("package-lock.json: {error}"))?;
    let stamp = work.join("installed.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.current_dir(work).args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]);
    run_command(&mut npm).map_err(|error| format!("{error}; this needs Node.js 20.19 or later with npm"))?;
    // Written last, so that an interrupted installation is done again.
    fs::write(stamp, lock).map_err(|error| format!("installed.json: {error}"))
}

/// Makes `to` a copy of the file or folder `from`; files that were there before are gone.
fn replace_tree(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        fs::copy(from, to)?;
        return Ok(());
    }
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        replace_tree(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
