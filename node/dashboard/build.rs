//! Builds `web/` with npm in a copy inside `OUT_DIR` (the source tree stays as it is) and writes a table
//! of its files for `assets.rs`. Without npm, or when it fails, the table is empty and a warning says so;
//! `ASSAY_DASHBOARD=required` makes that an error, `ASSAY_DASHBOARD=skip` does not even try.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

type Done<T> = Result<T, Box<dyn Error>>;

/// What is built; tests and what npm leaves behind are not.
const PARTS: [&str; 8] = [
    "index.html",
    "package.json",
    "package-lock.json",
    "public",
    "scripts",
    "src",
    "tsconfig.json",
    "vite.config.ts",
];

fn main() -> Done<()> {
    let web = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("web");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-env-changed=ASSAY_DASHBOARD");
    println!("cargo::rerun-if-changed=build.rs");
    for part in PARTS.iter().map(|part| web.join(part)).filter(|part| part.exists()) {
        println!("cargo::rerun-if-changed={}", part.display());
    }
    let wish = env::var("ASSAY_DASHBOARD").unwrap_or_default();
    let built =
        if wish == "skip" { Err("it was not asked for".into()) } else { build(&web, &out.join("web")) };
    let dist = match built {
        Ok(dist) => Some(dist),
        Err(fault) if wish == "required" => return Err(fault),
        Err(fault) => {
            println!(
                "cargo::warning=the dashboard is a plain page only: {fault}; install Node.js 20.19 or later with npm"
            );
            None
        }
    };
    fs::write(out.join("files.rs"), table(dist.as_deref())?)?;
    Ok(())
}

/// Builds in `work`, and returns the folder of what is to be served.
fn build(web: &Path, work: &Path) -> Done<PathBuf> {
    fs::create_dir_all(work)?;
    let lock = fs::read(web.join("package-lock.json"))?;
    // Written last, so that an installation that was cut off is done again.
    let mark = work.join("installed.json");
    let installed = fs::read(&mark).is_ok_and(|old| old == lock);
    for part in PARTS {
        let target = work.join(part);
        if target.is_dir() {
            fs::remove_dir_all(&target)?;
        }
        if web.join(part).exists() {
            copy(&web.join(part), &target)?;
        }
    }
    if !installed {
        npm(work, &["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"])?;
        fs::write(mark, lock)?;
    }
    npm(work, &["run", "--silent", "build"])?;
    Ok(work.join("dist"))
}

fn npm(work: &Path, args: &[&str]) -> Done<()> {
    let output = Command::new("npm").args(args).current_dir(work).output();
    let output = output.map_err(|fault| format!("`npm` does not start ({fault})"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let tail: Vec<&str> = said.lines().rev().take(12).collect();
    let tail: Vec<&str> = tail.into_iter().rev().collect();
    Err(format!("`npm {}` failed: {}", args.join(" "), tail.join(" | ")).into())
}

fn copy(from: &Path, to: &Path) -> Done<()> {
    if !from.is_dir() {
        fs::copy(from, to)?;
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Rust source of a table of files, from the list that the build wrote: path, media type, digest.
fn table(dist: Option<&Path>) -> Done<String> {
    let mut rust = String::from("&[\n");
    let list = dist.map(|dist| fs::read_to_string(dist.join("files.txt"))).transpose()?.unwrap_or_default();
    for line in list.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let (Some(dist), &[path, media, digest]) = (dist, fields.as_slice()) else {
            return Err("the list of files has another form".into());
        };
        let include = |suffix: &str| {
            let file = dist.join(format!("{path}{suffix}"));
            format!("include_bytes!({:?})", file.display().to_string())
        };
        let packed = |suffix: &str| {
            let there = dist.join(format!("{path}{suffix}")).is_file();
            if there { format!("Some({})", include(suffix)) } else { "None".to_owned() }
        };
        writeln!(
            rust,
            "    File {{ path: \"/{path}\", media_type: {media:?}, etag: \"\\\"{digest}\\\"\", bytes: {}, br: {}, gz: {} }},",
            include(""),
            packed(".br"),
            packed(".gz")
        )?;
    }
    rust.push_str("]\n");
    Ok(rust)
}
