//! Layering: the allowed dependencies between the crates of the house, and no others.

use std::collections::{BTreeMap, BTreeSet};

use super::{none, read, walk};

/// A crate of the house: its folder, its layer and the crates that it may depend on.
struct HouseCrate {
    name: &'static str,
    folder: &'static str,
    layer: u8,
    dependencies: &'static [&'static str],
}

const fn house_crate(
    name: &'static str,
    folder: &'static str,
    layer: u8,
    dependencies: &'static [&'static str],
) -> HouseCrate {
    HouseCrate { name, folder, layer, dependencies }
}

/// The table of `ARCHITECTURE.md`, "Layers". The ground is 0 here, so layer n of the document is n + 1.
const HOUSE: &[HouseCrate] = &[
    house_crate("schemas", "schemas", 0, &[]),
    house_crate("vtl", "node/vtl", 1, &["schemas"]),
    house_crate("store", "node/store", 1, &["schemas"]),
    house_crate("replication", "node/replication", 1, &["schemas"]),
    house_crate("ingest", "node/ingest", 1, &["schemas"]),
    house_crate("ledger", "node/ledger", 2, &["schemas", "vtl", "ingest"]),
    house_crate("network", "node/network", 2, &["schemas", "replication"]),
    house_crate("fetch", "node/fetch", 2, &["schemas"]),
    // Higher than its dependency requires: its tests run the recipes on the ledger.
    house_crate("recipes", "node/recipes", 3, &["schemas"]),
    house_crate("submit", "node/submit", 4, &["schemas", "ledger", "ingest", "recipes"]),
    house_crate("service", "node/service", 3, &["schemas", "ledger", "store", "replication", "ingest"]),
    house_crate("api", "node/api", 4, &["schemas", "service"]),
    house_crate("dashboard", "node/dashboard", 4, &[]),
    house_crate("node", "node", 5, NODE),
    house_crate(
        "cli",
        "cli",
        6,
        &["schemas", "recipes", "ledger", "ingest", "fetch", "submit", "store", "service", "node"],
    ),
    house_crate("testkit", "specs/testkit", 7, &["schemas", "ingest", "ledger", "replication", "service"]),
    house_crate("conformance", "specs/conformance", 8, ALL),
    house_crate("specs", "specs", 8, ALL),
    house_crate("xtask", "specs/xtask", 8, &[]),
];

/// Dependencies of the wiring: everything that it starts. The engine is reached through the ledger.
const NODE: &[&str] = &[
    "schemas",
    "store",
    "replication",
    "recipes",
    "ledger",
    "network",
    "ingest",
    "submit",
    "service",
    "api",
    "dashboard",
];

/// Dependencies of documents and conformance: every other crate.
const ALL: &[&str] = &[
    "schemas",
    "vtl",
    "store",
    "replication",
    "recipes",
    "ingest",
    "ledger",
    "network",
    "fetch",
    "submit",
    "service",
    "api",
    "dashboard",
    "node",
    "cli",
    "testkit",
];

/// Re-exports of one crate of the house by another, each with its reason. A re-export makes a crate
/// reachable without an edge in the manifest, so the list only shrinks.
const REEXPORTS: &[(&str, &str, &str)] = &[
    ("ledger", "vtl", "the diagnostics and the formatter of scripts belong to the interface of the ledger"),
    ("service", "ledger", "the API shows verifications and differences of scripts"),
];

fn find_crate(name: &str) -> Option<&'static HouseCrate> {
    HOUSE.iter().find(|known| known.name == name)
}

fn parse_manifest(manifest: &str) -> toml::Table {
    manifest.parse().expect("a manifest is TOML")
}

/// The names under `kind` (`dependencies`, …), also for single targets.
pub fn dependencies(manifest: &str, kind: &str) -> BTreeSet<String> {
    let manifest = parse_manifest(manifest);
    let targets = manifest.get("target").and_then(|targets| targets.as_table());
    let targets = targets.into_iter().flat_map(|targets| targets.values().filter_map(|one| one.as_table()));
    let mut names = BTreeSet::new();
    for part in [&manifest].into_iter().chain(targets) {
        for (alias, detail) in part.get(kind).and_then(|kind| kind.as_table()).into_iter().flatten() {
            // An alias must not hide what is meant.
            let package = detail.get("package").and_then(|package| package.as_str());
            names.insert(package.unwrap_or(alias).to_owned());
        }
    }
    names
}

/// Dependencies of one manifest that the table does not allow.
fn forbidden_dependencies(manifest: &str) -> Vec<String> {
    let name = parse_manifest(manifest)["package"]["name"].as_str().expect("a name").to_owned();
    let Some(from) = find_crate(&name) else { return vec![format!("`{name}` is missing in the table")] };
    let mut errors = Vec::new();
    for section in ["dependencies", "build-dependencies", "dev-dependencies"] {
        for to in dependencies(manifest, section).iter().filter_map(|name| find_crate(name)) {
            let listed = from.dependencies.contains(&to.name);
            // Tests may use any lower crate and the shared fixtures, but no crate of their own layer.
            let for_tests = to.layer < from.layer || to.name == "testkit";
            if !(listed || (section == "dev-dependencies" && for_tests)) {
                errors.push(format!("`{name}` must not depend on `{}` ({section})", to.name));
            }
        }
    }
    errors
}

/// Crates of the house that the root of a crate re-exports (`pub use other` or `pub use other::…`).
fn reexported_crates(name: &str, source: &str) -> BTreeSet<String> {
    // A module of the crate itself may have the name of the crate.
    let own = |other: &str| other == name || source.contains(&format!("mod {other};"));
    let lines = source.lines().filter_map(|line| line.trim_start().strip_prefix("pub use "));
    let paths = lines.map(|path| path.trim_start_matches("::"));
    let first = paths.filter_map(|path| path.split(|c: char| !c.is_alphanumeric() && c != '_').next());
    first.filter(|other| find_crate(other).is_some() && !own(other)).map(str::to_owned).collect()
}

/// Manifests of the members by folder, the root apart.
fn read_manifests() -> BTreeMap<String, String> {
    let paths = walk("").into_iter().filter_map(|path| path.strip_suffix("/Cargo.toml").map(str::to_owned));
    // Fuzz targets are a workspace of their own, built by another compiler.
    let paths = paths.filter(|path| !path.ends_with("fuzz"));
    paths.map(|path| (path.clone(), read(&format!("{path}/Cargo.toml")))).collect()
}

#[test]
fn every_dependency_is_in_the_table() {
    let errors: Vec<String> =
        read_manifests().values().flat_map(|manifest| forbidden_dependencies(manifest)).collect();
    none("dependencies that the table does not allow", &errors);
}

#[test]
fn reexports_are_listed() {
    let mut found = BTreeSet::new();
    for known in HOUSE {
        let path = super::root().join(known.folder).join("src/lib.rs");
        let source = std::fs::read_to_string(path).unwrap_or_default();
        found.extend(reexported_crates(known.name, &source).into_iter().map(|other| (known.name, other)));
    }
    let listed = REEXPORTS.iter().map(|(from, to, reason)| {
        assert!(reason.len() > 20, "`{from}` re-exports `{to}`: the list gives a reason");
        (*from, (*to).to_owned())
    });
    assert_eq!(found, listed.collect(), "re-exports in the sources (left) and in the list (right)");
}

#[test]
fn the_table_points_down() {
    for from in HOUSE {
        for to in from.dependencies {
            let to = find_crate(to).expect("the table names crates of the house");
            assert!(to.layer < from.layer, "{} depends on {}", from.name, to.name);
        }
    }
}

#[test]
fn every_crate_lies_in_its_folder_and_is_listed() {
    let workspace = parse_manifest(&read("Cargo.toml"));
    let members = workspace["workspace"]["members"].as_array().expect("members");
    let members: BTreeSet<&str> = members.iter().filter_map(|member| member.as_str()).collect();
    let manifests = read_manifests();
    let folders: BTreeSet<&str> = manifests.keys().map(String::as_str).collect();
    assert_eq!(members, folders, "members are listed one by one, each with its manifest");
    for (folder, manifest) in &manifests {
        let manifest = parse_manifest(manifest);
        let name = manifest["package"]["name"].as_str().expect("a name");
        assert_eq!(
            find_crate(name).map(|known| known.folder),
            Some(folder.as_str()),
            "the folder is named like the crate"
        );
        let publish = manifest["package"]["publish"].get("workspace").and_then(|on| on.as_bool());
        assert_eq!(publish, Some(true), "`{name}` takes `publish` from the workspace, which says no");
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace")?.as_bool());
        assert_eq!(lints, Some(true), "`{name}` takes the lints of the workspace");
    }
    assert_eq!(workspace["workspace"]["package"]["publish"].as_bool(), Some(false));
}

#[test]
fn a_wrong_edge_is_caught() {
    let manifest = |name: &str, kind: &str, to: &str| {
        forbidden_dependencies(&format!("[package]\nname = \"{name}\"\n[{kind}]\n{to}\n")).len()
    };
    assert_eq!(manifest("store", "dependencies", "schemas.workspace = true"), 0);
    assert_eq!(manifest("store", "dependencies", "network.workspace = true"), 1);
    assert_eq!(manifest("cli", "dependencies", "vtl.workspace = true"), 1);
    assert_eq!(manifest("schemas", "dev-dependencies", "ledger = { path = \"x\" }"), 1);
    assert_eq!(manifest("service", "dev-dependencies", "vtl.workspace = true"), 0);
    assert_eq!(manifest("store", "dev-dependencies", "vtl.workspace = true"), 1, "the same layer");
    assert_eq!(manifest("cli", "dev-dependencies", "specs.workspace = true"), 1, "nothing depends on specs");
    assert_eq!(manifest("vtl", "target.'cfg(unix)'.dependencies", "store.workspace = true"), 1);
    assert_eq!(manifest("vtl", "build-dependencies", "s = { package = \"store\" }"), 1, "by an alias");
    assert_eq!(manifest("extra", "dependencies", ""), 1, "a crate that the table does not have");
    assert_eq!(manifest("store", "dev-dependencies", "testkit.workspace = true"), 0, "fixtures are for all");
    assert_eq!(manifest("store", "dependencies", "testkit.workspace = true"), 1, "fixtures are for tests");
}

#[test]
fn a_reexport_is_found() {
    let found = |source: &str| reexported_crates("node", source).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(found("pub use store;\npub use ::network::Error;\npub use serde;"), "network store");
    assert_eq!(found("mod store;\npub use store::Store;\nuse ledger::Log;"), "");
}
