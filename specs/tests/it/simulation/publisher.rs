//! What the first node publishes: an index with a long note to each row, so that it takes several
//! chunks, a recipe, and the figures.

use std::collections::BTreeMap;

use ledger::compute::{self, InputData};
use schemas::cid::{DatasetId, PieceId, PublisherId, RecipeId, ReleaseId};
use schemas::content::{self, Block, encode_block};
use schemas::decimal::Decimal;
use schemas::entry::{self, Entry, EntryPosition};
use schemas::key::SecretKey;
use schemas::object::{
    Dataset, Identity, KeyUse, OperatingKey, Provenance, Recipe, RecipeInput, RecipeOutput, Release,
    Retraction, RetractionScope, RunLimits, Snapshot, Structure, encode_object,
};
use schemas::period::{Frequency, Period};
use schemas::seal::Sealed;
use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::table::{Column, Table, TextColumn};
use schemas::text::{Name, Text};
use service::{Core, MemoryStorage};

use super::world::{World, key};

/// Rows of the index; with their notes they take two chunks.
const ROWS: usize = 300;

/// Whether the figures are what the recipe gives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    Honest,
    Falsified,
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::new(text).unwrap()
}

/// Makes node `node` the home of a publisher.
pub(super) fn found(world: &mut World, node: usize) -> PublisherId {
    let root = SecretKey::from_seed(&[1 + node as u8; 32]);
    let identity = Identity {
        name: text(&format!("Office {node}")),
        contact: None,
        roots: vec![root.public()],
        next_root: [0; 32],
        keys: vec![OperatingKey { key: key(node).public(), uses: vec![KeyUse::Publish, KeyUse::Attest] }],
    };
    let genesis =
        entry::sign_entry(EntryPosition::Genesis, 0, &encode_object(&identity).unwrap(), &root).unwrap();
    world.core(node).adopt_identity(genesis).unwrap()
}

fn shape(note: bool) -> ComponentList {
    let part = |id, role, kind| Component::new(name(id), role, kind);
    let mut parts = vec![
        part("REF_AREA", Role::Identifier, ValueType::String),
        part("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod),
        part("OBS_VALUE", Role::Measure, ValueType::Number),
    ];
    if note {
        parts.push(part("NOTE", Role::Attribute, ValueType::String));
    }
    ComponentList::new(parts).unwrap()
}

/// Thirty areas, ten years each, every value with a note of a thousand bytes.
fn table() -> Table {
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
    Table::new(shape(true), columns).unwrap()
}

fn recipe() -> Recipe {
    Recipe {
        title: text("Inflation"),
        indicator: name("inflation"),
        script: text("INFLATION <- round((CPI / timeshift(CPI, 1) - 1) * 100, 1);"),
        inputs: BTreeMap::from([(
            name("CPI"),
            RecipeInput { title: text("Index"), components: shape(false) },
        )]),
        outputs: BTreeMap::from([(
            name("INFLATION"),
            RecipeOutput { title: text("Rate"), unit: text("per cent") },
        )]),
        semantics: ledger::vtl::SEMANTICS_VERSION,
        limits: RunLimits { steps: 1_000_000, cells: 1_000_000 },
        description: text("For the simulation."),
        references: Vec::new(),
        licence: text("CC0-1.0"),
        deviates_from: None,
    }
}

fn dataset(core: &mut Core<MemoryStorage>) -> DatasetId {
    let piece = PieceId::of(b"source");
    let snapshot = Snapshot {
        name: text("cpi.csv"),
        media_type: text("text/csv"),
        size: 6,
        blake3: *piece.cid().digest(),
        pieces: vec![piece],
        url: None,
        fetched: None,
        agency: None,
        licence: None,
    };
    let (snapshot, snapshot_block) = encode_block(&snapshot).unwrap();
    let (content, mut blocks) = content::pack_table(&table(), BTreeMap::new()).unwrap();
    assert!(blocks.len() > 3, "several chunks");
    blocks.extend([snapshot_block, (piece.cid(), b"source".to_vec())]);
    let dataset = Dataset {
        dataflow: name("CPI"),
        title: text("Prices"),
        unit: None,
        content,
        provenance: Provenance::Import { snapshot, importer: text("csv/1") },
        plausibility_warnings: Vec::new(),
    };
    core.publish(&encode_object(&dataset).unwrap(), blocks, 0).unwrap().object.try_into().unwrap()
}

/// Publishes data set, recipe and release.
pub(super) fn publish(core: &mut Core<MemoryStorage>, claim: Claim) -> ReleaseId {
    let dataset = dataset(core);
    let plan = recipe();
    let published = core.publish(&encode_object(&plan).unwrap(), Vec::new(), 0).unwrap();
    let structure = Structure { components: shape(true), codes: BTreeMap::new() };
    let inputs = BTreeMap::from([(name("CPI"), InputData { structure, table: table() })]);
    let outcome = compute::run_recipe(&plan, inputs).unwrap();
    let figures = &outcome.figures[&name("INFLATION")];
    let (content, blocks): (_, Vec<Block>) = match claim {
        Claim::Honest => (figures.content, figures.blocks.clone()),
        Claim::Falsified => content::pack_table(&bent(&figures.table), BTreeMap::new()).unwrap(),
    };
    let release = Release {
        dataflow: name("inflation"),
        vintage: text("1"),
        recipe: RecipeId::try_from(published.object).unwrap(),
        inputs: BTreeMap::from([(name("CPI"), dataset)]),
        results: BTreeMap::from([(name("INFLATION"), content)]),
        steps: outcome.steps,
        supersedes: None,
    };
    core.publish(&encode_object(&release).unwrap(), blocks, 0).unwrap().object.try_into().unwrap()
}

/// The table with the figure of A01 in 2001 changed.
fn bent(table: &Table) -> Table {
    let mut columns = table.columns().to_vec();
    let key = ["A01".to_owned(), "2001".to_owned()];
    let row = (0..table.rows()).find(|row| table.key(*row).iter().map(ToString::to_string).eq(key.clone()));
    if let Some(Column::Number(values)) = columns.last_mut() {
        values[row.unwrap()] = Decimal::new(99, 0).ok();
    }
    Table::new(table.shape().clone(), columns).unwrap()
}

/// Signs a data set whose content is no object of any kind, as only a broken program would.
pub(super) fn unsound(world: &mut World, node: usize) {
    let garbage = schemas::cbor::encode(&BTreeMap::from([("$type", "nonsense"), ("v", "1")])).unwrap();
    let content = schemas::cid::ContentId::of(&garbage);
    let core = world.core(node);
    let snapshot = schemas::cid::SnapshotId::of(b"nowhere");
    let dataset = Dataset {
        dataflow: name("BROKEN"),
        title: text("Broken"),
        unit: None,
        content,
        provenance: Provenance::Import { snapshot, importer: text("csv/1") },
        plausibility_warnings: Vec::new(),
    };
    let own = core.own_publisher().unwrap();
    let head = replication::LogView::log_head(core, own).unwrap();
    let place = EntryPosition::Next { publisher: own, seq: head.length, prev: head.last, authority: 0 };
    let entry = entry::sign_entry(place, 0, &encode_object(&dataset).unwrap(), &key(node)).unwrap();
    let mut batch = store::WriteBatch::new();
    batch.put_block(content.cid(), garbage);
    service::Storage::commit(core.storage().as_ref(), batch).unwrap();
    core.accept_entry(entry).unwrap();
}

/// Two entries for the same place of the log of the publisher at `node`.
pub(super) fn fork(world: &mut World, node: usize) -> (Sealed<Entry>, Sealed<Entry>) {
    let head = replication::LogView::all_heads(world.core(node)).into_iter();
    let own = world.core(node).own_publisher().unwrap();
    let head = head.into_iter().find(|head| head.publisher == own).unwrap();
    let place = EntryPosition::Next { publisher: own, seq: head.length, prev: head.last, authority: 0 };
    let branch = |reason: &str| {
        let subject = own.cid();
        let retraction =
            Retraction { subject, scope: RetractionScope::Whole, reason: text(reason), replacement: None };
        entry::sign_entry(place, 0, &encode_object(&retraction).unwrap(), &key(node)).unwrap()
    };
    (branch("left"), branch("right"))
}
