//! Who may see whom: the edges between the crates of the house, and nothing beside them.

use std::collections::{BTreeMap, BTreeSet};

use super::{none, read, walk};

/// A crate, its folder, its layer, and the crates that it may see.
struct Place {
    name: &'static str,
    folder: &'static str,
    layer: u8,
    sees: &'static [&'static str],
}

const fn place(name: &'static str, folder: &'static str, layer: u8, sees: &'static [&'static str]) -> Place {
    Place { name, folder, layer, sees }
}

/// `ARCHITECTURE.md`, "The house". The ground is 0, so layer n of the document is n + 1 here.
const HOUSE: &[Place] = &[
    place("schemas", "schemas", 0, &[]),
    place("vtl", "node/vtl", 1, &["schemas"]),
    place("store", "node/store", 1, &["schemas"]),
    place("replication", "node/replication", 1, &["schemas"]),
    place("ledger", "node/ledger", 2, &["schemas", "vtl"]),
    place("network", "node/network", 2, &["schemas", "replication"]),
    place("ingest", "node/ingest", 2, &["schemas"]),
    place("recipes", "node/recipes", 3, &["schemas"]),
    place("fetch", "node/fetch", 2, &["schemas"]),
    place("submit", "node/submit", 4, &["schemas", "ledger", "ingest", "recipes"]),
    place("service", "node/service", 3, &["schemas", "ledger", "store", "replication", "ingest"]),
    place("api", "node/api", 4, &["schemas", "service"]),
    place("dashboard", "node/dashboard", 4, &[]),
    place("node", "node", 5, NODE),
    place("cli", "cli", 6, &["schemas", "recipes", "ledger", "ingest", "fetch", "node"]),
    place("specs", "specs", 7, SPECS),
];

/// The wiring sees what it wires; the engine is the business of the ledger.
const NODE: &[&str] = &[
    "schemas",
    "store",
    "replication",
    "recipes",
    "ledger",
    "network",
    "ingest",
    "service",
    "api",
    "dashboard",
];

/// Documents and vectors are checked against everything.
const SPECS: &[&str] = &[
    "schemas",
    "vtl",
    "store",
    "replication",
    "recipes",
    "ledger",
    "network",
    "ingest",
    "fetch",
    "service",
    "api",
    "dashboard",
    "node",
    "cli",
];

fn find(name: &str) -> Option<&'static Place> {
    HOUSE.iter().find(|place| place.name == name)
}

fn table(manifest: &str) -> toml::Table {
    manifest.parse().expect("a manifest is TOML")
}

/// The names under `kind` (`dependencies`, …), also for single targets.
pub fn dependencies(manifest: &str, kind: &str) -> BTreeSet<String> {
    let manifest = table(manifest);
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

/// The edges of one manifest that the house does not have.
fn strangers(manifest: &str) -> Vec<String> {
    let name = table(manifest)["package"]["name"].as_str().expect("a name").to_owned();
    let Some(from) = find(&name) else { return vec![format!("`{name}` has no place in the house")] };
    let mut faults = Vec::new();
    for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
        for to in dependencies(manifest, kind).iter().filter_map(|name| find(name)) {
            let seen = from.sees.contains(&to.name);
            // A test may look at whatever lies lower, never at a neighbour or at the roof.
            let allowed = seen || (kind == "dev-dependencies" && to.layer < from.layer);
            if !allowed {
                faults.push(format!("`{name}` may not see `{}` ({kind})", to.name));
            }
        }
    }
    faults
}

/// Manifests of the members by folder, the root apart.
fn manifests() -> BTreeMap<String, String> {
    let paths = walk("").into_iter().filter_map(|path| path.strip_suffix("/Cargo.toml").map(str::to_owned));
    // Fuzz targets are a workspace of their own, built by another compiler.
    let paths = paths.filter(|path| !path.ends_with("fuzz"));
    paths.map(|path| (path.clone(), read(&format!("{path}/Cargo.toml")))).collect()
}

#[test]
fn every_edge_stands_in_the_table() {
    let faults: Vec<String> = manifests().values().flat_map(|manifest| strangers(manifest)).collect();
    none("edges that the house does not have", &faults);
}

#[test]
fn the_table_points_down() {
    for from in HOUSE {
        for to in from.sees {
            let to = find(to).expect("the table names crates of the house");
            assert!(to.layer < from.layer, "{} sees {}", from.name, to.name);
        }
    }
}

#[test]
fn every_crate_lies_in_its_folder_and_is_listed() {
    let workspace = table(&read("Cargo.toml"));
    let members = workspace["workspace"]["members"].as_array().expect("members");
    let members: BTreeSet<&str> = members.iter().filter_map(|member| member.as_str()).collect();
    let manifests = manifests();
    let folders: BTreeSet<&str> = manifests.keys().map(String::as_str).collect();
    assert_eq!(members, folders, "members are listed one by one, each with its manifest");
    for (folder, manifest) in &manifests {
        let manifest = table(manifest);
        let name = manifest["package"]["name"].as_str().expect("a name");
        assert_eq!(find(name).map(|place| place.folder), Some(folder.as_str()), "folder name = crate name");
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
        strangers(&format!("[package]\nname = \"{name}\"\n[{kind}]\n{to}\n")).len()
    };
    assert_eq!(manifest("store", "dependencies", "schemas.workspace = true"), 0);
    assert_eq!(manifest("store", "dependencies", "network.workspace = true"), 1);
    assert_eq!(manifest("cli", "dependencies", "vtl.workspace = true"), 1);
    assert_eq!(manifest("schemas", "dev-dependencies", "ledger = { path = \"x\" }"), 1);
    assert_eq!(manifest("service", "dev-dependencies", "vtl.workspace = true"), 0);
    assert_eq!(manifest("store", "dev-dependencies", "vtl.workspace = true"), 1, "a neighbour");
    assert_eq!(manifest("cli", "dev-dependencies", "specs.workspace = true"), 1, "nothing sees specs");
    assert_eq!(manifest("vtl", "target.'cfg(unix)'.dependencies", "store.workspace = true"), 1);
    assert_eq!(manifest("vtl", "build-dependencies", "s = { package = \"store\" }"), 1, "by an alias");
    assert_eq!(manifest("extra", "dependencies", ""), 1, "a crate without a place");
}
