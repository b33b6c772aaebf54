//! Every recipe of the library: it reads, checks, is in layout, leaves nothing to defaults, and gives
//! results that were worked out by hand.
//!
//! `cases/<indicator>/<name>.txt` holds a table a section: `= INPUT` and `> OUTPUT`, then CSV. What
//! stands before the first section says how the results were found.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ingest::{ColumnMapping, ImportOptions, Mapping};
use ledger::compute::{self, InputData};
use ledger::vtl;
use recipes::{LIBRARY, LibraryRecipe};
use schemas::object::{Recipe, Structure, encode_object};
use schemas::structure::ComponentList;
use schemas::text::Name;

/// Whether a file says this; `ASSAY_BLESS=1` makes it so: read the difference before it is kept.
fn says(file: &str, text: &str) -> bool {
    if std::env::var_os("ASSAY_BLESS").is_some() {
        std::fs::write(folder().join(file), text).unwrap();
    }
    std::fs::read_to_string(folder().join(file)).is_ok_and(|found| found == text)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Files under a folder with this ending, as `<indicator>/<name>`.
fn stems(folder: &Path, ending: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for indicator in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if !indicator.is_dir() || ["src", "tests"].iter().any(|name| indicator.ends_with(name)) {
            continue;
        }
        for file in std::fs::read_dir(&indicator).unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_some_and(|found| found == ending) {
                let (indicator, file) = (indicator.file_name().unwrap(), file.file_stem().unwrap());
                found.insert(format!("{}/{}", indicator.to_str().unwrap(), file.to_str().unwrap()));
            }
        }
    }
    found
}

#[test]
fn every_file_is_in_the_list_and_has_a_case() {
    let listed: BTreeSet<String> = LIBRARY.iter().map(|entry| entry.name.to_owned()).collect();
    assert_eq!(listed.len(), LIBRARY.len());
    for (folder, ending) in [(folder(), "vtl"), (folder(), "toml"), (folder().join("tests/cases"), "txt")] {
        assert_eq!(stems(&folder, ending), listed, "{ending}");
    }
}

#[test]
fn every_recipe_can_be_published() {
    for entry in LIBRARY {
        let read = entry.read().unwrap_or_else(|error| panic!("{error}"));
        let recipe = &read.recipe;
        assert_eq!(recipe.semantics, vtl::SEMANTICS_VERSION);
        encode_object(recipe).unwrap_or_else(|error| panic!("{}: {error}", entry.name));
        if let Err(error) = compute::check_publishable(recipe) {
            panic!("{}: {error}", entry.name);
        }
        let layout = vtl::format_script(entry.script).unwrap();
        let file = format!("{}.vtl", entry.name);
        assert!(says(&file, &layout), "{}: `assay recipe fmt` says\n{layout}", entry.name);
        let script = vtl::Script::parse(entry.script).unwrap();
        assert_eq!(
            script.inputs(),
            recipe.inputs.keys().map(Name::as_str).collect::<Vec<_>>(),
            "{}",
            entry.name
        );
        assert!(!recipe.references.is_empty() || read.deviates_from.is_some(), "{}: no source", entry.name);
    }
}

#[test]
fn every_recipe_gives_what_was_worked_out() {
    let mut changed = String::new();
    for entry in LIBRARY {
        let path = folder().join(format!("tests/cases/{}.txt", entry.name));
        let case = std::fs::read_to_string(&path).unwrap_or_default();
        let found = worked(entry, &case);
        if !says(&format!("tests/cases/{}.txt", entry.name), &found) {
            write!(changed, "{}\n--- expected\n{case}\n--- found\n{found}\n", entry.name).unwrap();
        }
    }
    assert!(changed.is_empty(), "{changed}");
}

/// The case with the results that the recipe gives.
fn worked(entry: &LibraryRecipe, case: &str) -> String {
    let recipe = entry.recipe().unwrap();
    let head = case.find("> ").unwrap_or(case.len());
    let inputs: BTreeMap<Name, InputData> = sections(&case[..head])
        .into_iter()
        .map(|(name, csv)| {
            let input = recipe
                .inputs
                .get(&Name::new(name).unwrap())
                .unwrap_or_else(|| panic!("{}: no input `{name}`", entry.name));
            (Name::new(name).unwrap(), source(name, csv, &input.components))
        })
        .collect();
    let outcome = compute::compute_tables(&recipe, inputs, &ledger::vtl::RunCeilings::default())
        .unwrap_or_else(|error| panic!("{}: {error}", entry.name));
    let mut text = case[..head].to_owned();
    for (name, table) in &outcome.tables {
        let mut csv = Vec::new();
        ingest::export_csv(table, &mut csv).unwrap();
        let csv = String::from_utf8(csv).unwrap().replace('\r', "");
        let gap = if text.ends_with("\n\n") { "" } else { "\n" };
        write!(text, "{gap}> {name}\n{csv}").unwrap();
    }
    text
}

fn sections(text: &str) -> Vec<(&str, &str)> {
    text.split("\n= ").skip(1).filter_map(|section| section.split_once('\n')).collect()
}

fn source(name: &str, csv: &str, shape: &ComponentList) -> InputData {
    let link = |component: &schemas::structure::Component| ColumnMapping {
        role: Some(component.role),
        value_type: Some(component.value_type),
        ..ColumnMapping::column(component.id.as_str(), component.id.clone())
    };
    let columns = shape.components().iter().map(link).collect();
    let options = ImportOptions {
        mapping: Some(Mapping { columns, ..Mapping::default() }),
        ..ImportOptions::default()
    };
    let source = ingest::SourceFile { name, bytes: csv.trim_end().as_bytes() };
    let imported = ingest::import(source, &options, &mut |_| ()).unwrap_or_else(|error| panic!("{error}"));
    let structure = Structure { components: imported.table.shape().clone(), codes: BTreeMap::new() };
    InputData { structure, table: imported.table }
}

#[test]
fn a_deviation_is_from_another_recipe_and_says_why() {
    let mut count = 0;
    for entry in LIBRARY {
        let read = entry.read().unwrap();
        let Some(base) = read.deviates_from else { continue };
        let recipe: Recipe = read.recipe;
        let other = recipes::find_recipe(&base).unwrap().recipe().unwrap();
        assert_eq!(other.indicator, recipe.indicator, "{}", entry.name);
        assert!(recipe.deviates_from.unwrap().reasons.iter().all(|reason| reason.as_str().len() > 20));
        count += 1;
    }
    assert!(count > 0);
}
