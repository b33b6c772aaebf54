//! Publications of the first node: a price index with a long note in each row, so that its content
//! has several chunks, a recipe, and a release.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use ingest::{ImportOptions, SourceFile};
use ledger::compute::{InputData, run_recipe};
use ledger::vtl::RunCeilings;
use replication::LogView;
use schemas::cid::{ContentId, DatasetId, PublisherId, RecipeId, ReleaseId, SnapshotId};
use schemas::content::{Block, pack_table};
use schemas::decimal::Decimal;
use schemas::entry::{Entry, EntryPosition, sign_entry};
use schemas::object::{Structure, encode_object};
use schemas::period::{Frequency, Period};
use schemas::seal::Sealed;
use schemas::structure::{ComponentList, Role, ValueType};
use schemas::table::{Column, Table, TextColumn};
use service::{Core, MemoryStorage};
use testkit::cluster::{Cluster, publisher_seed};
use testkit::prices::{
    INFLATION_SCRIPT, claimed_release, csv_snapshot, imported_dataset, inflation_recipe, price_components,
};
use testkit::publisher::{operating_key, retraction_bytes, sign_genesis};
use testkit::sample::{make_component, make_name};

/// Rows of the index; with their notes they fill two chunks.
const ROWS: usize = 300;

/// Figures that the release claims.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// The figures that the recipe computes.
    Correct,
    /// One figure is changed.
    Falsified,
}

/// Adopts the publisher of a node.
pub(super) fn adopt_publisher(cluster: &mut Cluster, node: usize) -> PublisherId {
    let genesis = sign_genesis(publisher_seed(node), &format!("Publisher {node}"));
    cluster.core(node).adopt_identity(genesis).unwrap()
}

/// The components of the index: those of prices, and a note.
fn index_components() -> ComponentList {
    let mut components = price_components().components().to_vec();
    components.push(make_component("COMMENT_OBS", Role::Attribute, ValueType::String));
    ComponentList::new(components).unwrap()
}

/// Thirty areas, ten years each, every value with a note of a thousand bytes.
fn index_table() -> Table {
    let areas: Vec<String> = (0..ROWS).map(|row| format!("A{:02}", row / 10)).collect();
    let notes: Vec<String> = (0..ROWS).map(|row| format!("{row:01000}")).collect();
    let period = |row: usize| Period::new(Frequency::A, 2000 + (row % 10) as i32, 1);
    let value = |row: usize| Decimal::new(1000 + row as i128 * 7, -1).ok();
    let columns = vec![
        Column::Text(TextColumn::from_rows(areas.iter().map(|area| Some(area.as_str())))),
        Column::Period((0..ROWS).map(period).collect()),
        Column::Number((0..ROWS).map(value).collect()),
        Column::Text(TextColumn::from_rows(notes.iter().map(|note| Some(note.as_str())))),
    ];
    Table::new(index_components(), columns).unwrap()
}

/// The index as a document, with what its reader makes of it; read once for all seeds.
fn index_document() -> (Vec<u8>, InputData) {
    static INDEX: OnceLock<(Vec<u8>, InputData)> = OnceLock::new();
    INDEX.get_or_init(read_index_document).clone()
}

fn read_index_document() -> (Vec<u8>, InputData) {
    let mut document = Vec::new();
    ingest::export_csv(&index_table(), &mut document).unwrap();
    let source = SourceFile { name: "cpi.csv", bytes: &document };
    let imported = ingest::import(source, &ImportOptions::default(), &mut |_| ()).unwrap();
    let codes = imported.code_lists().unwrap();
    let structure = Structure { components: imported.table.shape().clone(), codes };
    (document, InputData { structure, table: imported.table })
}

fn publish_dataset(core: &mut Core<MemoryStorage>) -> DatasetId {
    let (document, index) = index_document();
    let (snapshot, source) = csv_snapshot("cpi.csv", &document);
    let (content, mut blocks) = pack_table(&index.table, index.structure.codes).unwrap();
    assert!(blocks.len() > 3, "the content has several chunks");
    blocks.extend(source);
    let dataset = encode_object(&imported_dataset(content, snapshot)).unwrap();
    core.publish(&dataset, blocks, 0).unwrap().object.try_into().unwrap()
}

/// Publishes data set, recipe and release.
pub(super) fn publish_release(core: &mut Core<MemoryStorage>, claim: Claim) -> ReleaseId {
    let dataset = publish_dataset(core);
    let recipe = inflation_recipe(INFLATION_SCRIPT);
    let published = core.publish(&encode_object(&recipe).unwrap(), Vec::new(), 0).unwrap();
    let inputs = BTreeMap::from([(make_name("CPI"), index_document().1)]);
    let outcome = run_recipe(&recipe, inputs, &RunCeilings::default()).unwrap();
    let figures = &outcome.figures[&make_name("INFLATION")];
    let (content, blocks): (_, Vec<Block>) = match claim {
        Claim::Correct => (figures.content, figures.blocks.clone()),
        Claim::Falsified => {
            pack_table(&falsified_table(&figures.table), figures.structure.codes.clone()).unwrap()
        }
    };
    let recipe = RecipeId::try_from(published.object).unwrap();
    let results = BTreeMap::from([(make_name("INFLATION"), content)]);
    let release = encode_object(&claimed_release(recipe, dataset, results, outcome.steps)).unwrap();
    core.publish(&release, blocks, 0).unwrap().object.try_into().unwrap()
}

/// The table with another figure for A01 in 2001.
fn falsified_table(table: &Table) -> Table {
    let mut columns = table.columns().to_vec();
    let key = ["A01".to_owned(), "2001".to_owned()];
    let row = (0..table.rows()).find(|row| table.key(*row).iter().map(ToString::to_string).eq(key.clone()));
    if let Some(Column::Number(values)) = columns.last_mut() {
        values[row.unwrap()] = Decimal::new(99, 0).ok();
    }
    Table::new(table.shape().clone(), columns).unwrap()
}

/// Position of the next entry of the publisher at a node.
fn next_position(cluster: &mut Cluster, node: usize) -> EntryPosition {
    let core = cluster.core(node);
    let publisher = core.own_publisher().unwrap();
    let head = LogView::log_head(core, publisher).unwrap();
    EntryPosition::Next { publisher, seq: head.length, prev: head.last, authority: 0 }
}

/// Signs and stores a data set whose content is not an object of any known type.
pub(super) fn publish_invalid_content(cluster: &mut Cluster, node: usize) {
    let garbage = schemas::cbor::encode(&BTreeMap::from([("$type", "nonsense"), ("v", "1")])).unwrap();
    let content = ContentId::of(&garbage);
    let dataset = imported_dataset(content, SnapshotId::of(b"nowhere"));
    let dataset = encode_object(&dataset).unwrap();
    let position = next_position(cluster, node);
    // `Core::publish` refuses such a data set, so the entry is signed here.
    let entry = sign_entry(position, 0, &dataset, &operating_key(publisher_seed(node))).unwrap();
    let core = cluster.core(node);
    let mut batch = store::WriteBatch::new();
    batch.put_block(content.cid(), garbage);
    service::Storage::commit(core.storage().as_ref(), batch).unwrap();
    core.accept_entry(entry).unwrap();
}

/// Two entries at the same position of the log of the publisher at a node.
pub(super) fn sign_fork(cluster: &mut Cluster, node: usize) -> (Sealed<Entry>, Sealed<Entry>) {
    let position = next_position(cluster, node);
    let sign = |reason: &str| {
        let key = operating_key(publisher_seed(node));
        sign_entry(position, 0, &retraction_bytes(reason), &key).unwrap()
    };
    (sign("left"), sign("right"))
}
