//! A bundle convinces somebody who has nothing else, and a spoilt one convinces nobody.

use std::collections::BTreeMap;

use ledger::compute::{InputData, load_dataset, run_recipe};
use ledger::vtl::RunCeilings;
use schemas::cid::ReleaseId;
use schemas::content;
use schemas::decimal::Decimal;
use schemas::object::{Recipe, Release, decode_object, encode_object};
use schemas::table::{Column, Table};
use schemas::text::{Name, Text};
use testkit::publisher::{RESEARCH_INSTITUTE, STATISTICS_OFFICE};
use testkit::sample::make_text;

use super::node_process::{NodeProcess, TCP, is_event};
use super::sample;
use super::workspace::{CommandResult, Workspace};

/// The first bytes of a file: header, genesis and the beginning of the entry.
const HEAD: usize = 200;
/// Of the rest, every byte at a multiple of this.
const STEP: usize = 29;

/// A bundle of a release, with the attestation of a reader.
fn bundle() -> Vec<u8> {
    let (publisher, release) = sample::published(STATISTICS_OFFICE);
    let reader = Workspace::with_publisher(RESEARCH_INSTITUTE);
    reader.run_line(&format!("assay follow {}", publisher.publisher())).ok();
    let source = NodeProcess::start(&publisher, TCP);
    let mut node = NodeProcess::with(&reader, TCP, &["--peer", &source.address]);
    let own = reader.publisher();
    node.wait_for("the attestation", |event| {
        is_event(event, "accepted") && event["publisher"] == own.as_str()
    });
    reader.run_line(&format!("assay export {release} -o release.car")).ok();
    std::fs::read(reader.path("release.car")).unwrap()
}

/// Verifies bytes on a workspace that has no data directory.
fn verify(workspace: &Workspace, bytes: &[u8]) -> CommandResult {
    workspace.write("bundle.car", bytes);
    workspace.run(&["verify", "bundle.car"])
}

#[test]
fn a_bundle_is_verified_without_a_data_directory() {
    let workspace = Workspace::new();
    let run = verify(&workspace, &bundle())
        .ok()
        .contains("reproduced")
        .contains("valid")
        .contains(&format!("reproduced by {RESEARCH_INSTITUTE}"));
    assert!(run.err.is_empty(), "{run:?}");
    assert!(!workspace.data().exists(), "verifying a file needs no data directory");
}

#[test]
fn every_changed_byte_of_a_bundle_is_detected() {
    let (workspace, whole) = (Workspace::new(), bundle());
    let offsets = (0..HEAD.min(whole.len())).chain((HEAD..whole.len()).step_by(STEP));
    let mut codes: BTreeMap<i32, usize> = BTreeMap::new();
    for offset in offsets {
        let mut spoilt = whole.clone();
        spoilt[offset] ^= 1 << (offset % 8);
        let run = verify(&workspace, &spoilt);
        assert!(matches!(run.code, 2..=4), "byte {offset} changed: {run:#?}");
        assert!(run.err.starts_with("error: ") && !run.err.contains("panicked"), "byte {offset}: {run:#?}");
        *codes.entry(run.code).or_default() += 1;
    }
    println!("bundle of {} bytes, changed bytes by exit code: {codes:?}", whole.len());
}

#[test]
fn every_truncated_bundle_is_refused() {
    let workspace = Workspace::new();
    let (publisher, release) = sample::published(STATISTICS_OFFICE);
    publisher.run_line(&format!("assay export {release} -o release.car")).ok();
    let whole = std::fs::read(publisher.path("release.car")).unwrap();
    verify(&workspace, &whole).ok();
    let (_, mut at) = schemas::car::read_header(&whole).unwrap();
    let mut ends = vec![0, 1, at - 1, at];
    while let Some(record) = schemas::car::read_record(&whole, at) {
        at = record.unwrap().end;
        ends.extend([at - 1, at]);
    }
    assert_eq!(ends.pop(), Some(whole.len()));
    for end in ends {
        let run = verify(&workspace, &whole[..end]);
        // A file that ends between two blocks is in order, but not all is there to check.
        assert!(matches!(run.code, 2 | 4 | 5), "cut at byte {end}: {run:#?}");
        let answer =
            if run.code != 5 { run.err.starts_with("error: ") } else { run.out.contains("not possible") };
        assert!(answer, "cut at byte {end}: {run:#?}");
    }
}

#[test]
fn a_falsified_release_is_reported_with_its_cell() {
    let (publisher, release) = sample::published(STATISTICS_OFFICE);
    let falsified = falsify(&publisher, &release);
    let workspace = Workspace::new();
    publisher.run_line(&format!("assay export {falsified} -o false.car")).ok();
    let run = verify(&workspace, &std::fs::read(publisher.path("false.car")).unwrap());
    run.exit(3).contains("differs: 1 of 15 cells").contains("TUR").contains("2010");
    publisher.run_line(&format!("assay verify {falsified}")).exit(3).contains("TUR");
    publisher.run_line(&format!("assay verify assay://{}/inflation/TUR/2010", publisher.publisher())).exit(3);
    publisher.run_line(&format!("assay verify {release}")).ok();
}

/// A forger takes a genuine document, another table, and signs a release that is consistent with it.
#[test]
fn a_table_that_is_not_its_document_is_reported_with_line_and_column() {
    let (publisher, release) = sample::published(STATISTICS_OFFICE);
    let forged = forge_table(&publisher, &release);
    publisher.run_line(&format!("assay export {forged} -o forged.car")).ok();
    let run = verify(&Workspace::new(), &std::fs::read(publisher.path("forged.car")).unwrap());
    let run = run.exit(3);
    run.contains("differs: 2 of 33 cells").contains("(cpi.csv:").contains(", column `2010`)");
    let figure = |key: &str| publisher.run_line(&format!("assay verify forged.car --figure {key}"));
    figure("TUR/2010").exit(3).contains("does not hold");
    figure("TUR/2009").ok().contains("holds: its documents were read again");
    figure("TUR/1800").exit(5).contains("no figure");
    figure("TUR").exit(2).contains("key and period");
}

/// Signs a release on a data set whose table has another figure for Turkey in 2010 than its document.
fn forge_table(publisher: &Workspace, release: &str) -> String {
    let (mut core, _) =
        node::open_core(&node::DataDirectory::open(publisher.data()).unwrap(), false).unwrap();
    let fetch = |id| core.storage().get(id).unwrap();
    let id: ReleaseId = release.parse().unwrap();
    let mut release: Release = decode_object(&fetch(id.cid()).unwrap()).unwrap();
    let recipe: Recipe = decode_object(&fetch(release.recipe.cid()).unwrap()).unwrap();
    let (name, id) = release.inputs.first_key_value().map(|(name, id)| (name.clone(), *id)).unwrap();
    let (mut dataset, InputData { structure, table }) = load_dataset(id, &fetch).unwrap();
    let row = find_row(&table, ["TUR", "2010"]);
    let mut columns = table.columns().to_vec();
    let Column::Number(values) = &mut columns[2] else { panic!("an index is a number") };
    let value = values[row].unwrap();
    values[row] = Decimal::new(value.coefficient() - 1, value.exponent()).ok();
    let table = Table::new(table.shape().clone(), columns).unwrap();
    let (content, mut blocks) = content::pack_table(&table, structure.codes.clone()).unwrap();
    dataset.content = content;
    let (id, block) = content::encode_block(&dataset).unwrap();
    let inputs = BTreeMap::from([(name.clone(), InputData { structure, table })]);
    let outcome = run_recipe(&recipe, inputs, &RunCeilings::default()).unwrap();
    release.inputs = BTreeMap::from([(name, id)]);
    release.results = outcome.figures.iter().map(|(name, figures)| (name.clone(), figures.content)).collect();
    release.steps = outcome.steps;
    release.vintage = make_text("forged");
    blocks.push(block);
    blocks.extend(outcome.figures.into_values().flat_map(|figures| figures.blocks));
    core.publish(&encode_object(&release).unwrap(), blocks, node::unix_seconds()).unwrap().object.to_string()
}

/// The document of a data set can be opened, byte for byte; data without one are shown as stated.
#[test]
fn documents_are_written_and_stated_data_have_none() {
    let (publisher, _) = sample::published(STATISTICS_OFFICE);
    let found = publisher.json("assay show");
    let import = found["datasets"][0]["dataset"]["provenance"]["import"].clone();
    let snapshot = import["documents"][0].as_str().unwrap().to_owned();
    let shown = publisher.run_line(&format!("assay show {snapshot} -o copy.csv")).ok();
    shown.contains("cpi.csv").contains("SHA-256").contains("copy.csv");
    let (copy, original) = (publisher.path("copy.csv"), publisher.path("cpi.csv"));
    assert_eq!(std::fs::read(copy).unwrap(), std::fs::read(original).unwrap());
    publisher.run_line("assay import cpi.csv --dataflow STATED --stated").ok();
    publisher.run_line("assay publish inflation/cpi-annual --input STATED --dataflow stated").ok();
    let address = format!("assay://{}/stated/USA/2010", publisher.publisher());
    publisher
        .run_line(&format!("assay verify {address}"))
        .ok()
        .contains("holds: it follows from data that its publisher states without a document")
        .contains("none: the publisher states the data of STATED itself")
        .contains("where the data of STATED come from");
}

/// The row of a table with this key.
fn find_row(table: &Table, key: [&str; 2]) -> usize {
    let is_row = |row: &usize| table.key(*row).iter().map(ToString::to_string).eq(key.map(str::to_owned));
    (0..table.rows()).find(is_row).unwrap()
}

/// Signs a second release whose figure for Turkey in 2010 is one too low; its id.
pub fn falsify(publisher: &Workspace, release: &str) -> String {
    let (mut core, _) =
        node::open_core(&node::DataDirectory::open(publisher.data()).unwrap(), false).unwrap();
    let fetch = |id| core.storage().get(id).unwrap();
    let id: ReleaseId = release.parse().unwrap();
    let mut release: Release = decode_object(&fetch(id.cid()).unwrap()).unwrap();
    let name = Name::new("INFLATION").unwrap();
    let (structure, table) = content::unpack_table(release.results[&name], fetch).unwrap();
    let row = find_row(&table, ["TUR", "2010"]);
    let mut columns = table.columns().to_vec();
    let Column::Number(rates) = &mut columns[2] else { panic!("a rate is a number") };
    let (rate, one) = (rates[row].unwrap(), 10_i128.pow(rates[row].unwrap().decimal_places()));
    rates[row] = Decimal::new(rate.coefficient() - one, rate.exponent()).ok();
    let table = Table::new(table.shape().clone(), columns).unwrap();
    let (content, blocks) = content::pack_table(&table, structure.codes).unwrap();
    release.results = BTreeMap::from([(name, content)]);
    release.vintage = Text::new("falsified").unwrap();
    let published = core.publish(&encode_object(&release).unwrap(), blocks, node::unix_seconds()).unwrap();
    published.object.to_string()
}
