//! Sizes, names and first lines of files, and the files that must exist.

use std::process::Command;

use super::{none, read, root, sources, walk};

/// Maximal number of lines of a code file. Aim for half of it.
const LINES_MAX: usize = 700;

/// Files over the maximum, with their lines. The list only shrinks.
const LONG: &[(&str, usize)] = &[];

/// File stems without information.
const EMPTY_NAMES: &[&str] = &["mod", "utils", "util", "helpers", "misc"];

/// The usual files of a repository.
const USUAL: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
    "deny.toml",
    "clippy.toml",
    "rustfmt.toml",
];

/// All Rust files of the project.
fn code() -> Vec<String> {
    ["schemas", "node", "cli", "specs"].into_iter().flat_map(sources).collect()
}

fn long(path: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    let allowed = LONG.iter().find(|(known, _)| *known == path).map_or(LINES_MAX, |(_, lines)| *lines);
    (lines > allowed).then(|| format!("{path} has {lines} lines where {allowed} are allowed"))
}

fn poorly_named(path: &str) -> bool {
    let stem = path.rsplit('/').next().and_then(|file| file.strip_suffix(".rs")).unwrap_or_default();
    EMPTY_NAMES.contains(&stem)
}

/// Whether a text contains a path of a developer's machine.
fn machine_path(text: &str) -> bool {
    // Written in two parts, so that this file passes its own rule.
    let roots = [("/ho", "me/"), ("/Us", "ers/"), ("/ro", "ot/"), ("/wo", "rk/"), ("C:\\Us", "ers\\")];
    roots.iter().any(|(head, tail)| {
        let root = format!("{head}{tail}");
        text.match_indices(&root).any(|(at, _)| starts_path(&text[..at]) && goes_on(&text[at + root.len()..]))
    })
}

/// Whether a path can begin after this text: `example.org/home/` and `../home/` are others.
fn starts_path(before: &str) -> bool {
    before
        .chars()
        .next_back()
        .is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '}' | '>')))
        || before.ends_with("file://")
}

fn goes_on(after: &str) -> bool {
    after.chars().next().is_some_and(|c| c.is_alphanumeric() || c == '.')
}

/// Files under version control; none where git is missing.
fn tracked() -> Vec<String> {
    let output = Command::new("git").arg("ls-files").current_dir(root()).output();
    let listed =
        output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    listed.lines().map(str::to_owned).collect()
}

#[test]
fn files_are_short() {
    none(
        "files that are too long",
        &code().iter().filter_map(|path| long(path, &read(path))).collect::<Vec<_>>(),
    );
    for (path, lines) in LONG {
        let now = read(path).lines().count();
        assert!(now > LINES_MAX, "{path} is short enough now: take it off the list");
        assert!(now == *lines, "{path} has {now} lines: lower the number on the list");
    }
}

#[test]
fn file_names_are_informative() {
    let found: Vec<String> = code().into_iter().filter(|path| poorly_named(path)).collect();
    none("file names without information", &found);
}

#[test]
fn every_file_opens_with_a_module_comment() {
    let silent = |path: &String| path.contains("/src/") && !read(path).starts_with("//!");
    none("files without a module comment", &code().into_iter().filter(silent).collect::<Vec<_>>());
}

#[test]
fn the_usual_files_exist() {
    let missing: Vec<String> =
        USUAL.iter().filter(|path| !root().join(path).is_file()).map(|path| (*path).to_owned()).collect();
    none("missing files", &missing);
    let allowed = ["cli", "node", "schemas", "specs", "target"];
    let folders = std::fs::read_dir(root()).expect("the root").flatten();
    let folders = folders.filter(|entry| entry.path().is_dir());
    let names = folders.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let strange: Vec<String> =
        names.filter(|name| !name.starts_with('.') && !allowed.contains(&name.as_str())).collect();
    none("folders beside the four", &strange);
}

#[test]
fn decisions_are_numbered_without_a_gap() {
    let pages = walk("specs/decisions");
    for (at, path) in pages.iter().enumerate() {
        let number = format!("specs/decisions/{:04}-", at + 1);
        assert!(path.starts_with(&number) && path.ends_with(".md"), "{path} should begin with {number}");
        let heading = format!("# {:04} ", at + 1);
        assert!(read(path).starts_with(&heading), "{path} should open with `{heading}`");
    }
    assert!(!pages.is_empty());
}

#[test]
fn no_tracked_file_names_a_machine() {
    let named =
        |path: &String| std::fs::read_to_string(root().join(path)).is_ok_and(|text| machine_path(&text));
    none("paths of a machine", &tracked().into_iter().filter(named).collect::<Vec<_>>());
}

#[test]
fn bad_files_are_caught() {
    assert!(long("x.rs", &"\n".repeat(LINES_MAX + 1)).is_some() && long("x.rs", "one\n").is_none());
    assert!(poorly_named("node/src/utils.rs") && poorly_named("a/mod.rs") && !poorly_named("a/model.rs"));
    let join = |head: &str, tail: &str| format!("see {head}{tail}ann/assay");
    assert!(
        machine_path(&join("/ho", "me/"))
            && machine_path(&format!("file://{}", "/Us".to_owned() + "ers/ann"))
    );
    assert!(!machine_path("https://example.org/home/page") && !machine_path("/ homework"));
}
