//! A publisher elsewhere, and objects to publish.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::log::Log;
use schemas::cid::{Cid, Codec, ContentId, DatasetId, PieceId, PublisherId, RecipeId};
use schemas::content::{self, Block, encode_block};
use schemas::decimal::Decimal;
use schemas::entry::{self, Entry, EntryPosition};
use schemas::key::SecretKey;
use schemas::object::{
    Dataset, Identity, KeyUse, OperatingKey, Provenance, Recipe, RecipeInput, RecipeOutput, Release,
    Retraction, RetractionScope, RunLimits, Snapshot, encode_object,
};
use schemas::period::{Frequency, Period};
use schemas::seal::Sealed;
use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::table::{Column, Table, TextColumn};
use schemas::text::{Name, Text};
use service::{Core, CoreSetup, MemoryStorage, Signer, Storage};

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::new(text).unwrap()
}

/// Signs entries one after another.
#[derive(Clone)]
pub(crate) struct Office {
    seed: u8,
    pub(crate) log: Log,
    pub(crate) entries: Vec<Sealed<Entry>>,
    pub(crate) blocks: BTreeMap<Cid, Vec<u8>>,
}

impl Office {
    pub(crate) fn new(seed: u8) -> Self {
        Self::named(seed, "Office")
    }

    pub(crate) fn named(seed: u8, title: &str) -> Self {
        let root = SecretKey::from_seed(&[seed; 32]);
        let key = operating(seed).public();
        let identity = Identity {
            name: text(title),
            contact: None,
            roots: vec![root.public()],
            next_root: [0; 32],
            keys: vec![OperatingKey { key, uses: vec![KeyUse::Publish, KeyUse::Attest] }],
        };
        let genesis =
            entry::sign_entry(EntryPosition::Genesis, 0, &encode_object(&identity).unwrap(), &root).unwrap();
        let log = Log::from_genesis(&genesis).unwrap();
        let mut office = Self { seed, log, entries: Vec::new(), blocks: BTreeMap::new() };
        office.put(genesis);
        office
    }

    fn put(&mut self, entry: Sealed<Entry>) {
        self.blocks.insert(entry.id().cid(), entry.bytes().to_vec());
        self.entries.push(entry);
    }

    pub(crate) fn id(&self) -> PublisherId {
        self.log.publisher()
    }

    pub(crate) fn genesis(&self) -> Sealed<Entry> {
        self.entries[0].clone()
    }

    pub(crate) fn last(&self) -> Sealed<Entry> {
        self.entries[self.entries.len() - 1].clone()
    }

    /// Signs an object and keeps it with the blocks that it needs.
    pub(crate) fn sign(&mut self, object: &[u8], blocks: Vec<Block>) -> Sealed<Entry> {
        let entry = entry::sign_entry(self.log.next_position(), 0, object, &operating(self.seed)).unwrap();
        self.log.append(&entry).unwrap();
        self.blocks.insert(entry.value().object(), object.to_vec());
        self.blocks.extend(blocks);
        self.put(entry.clone());
        entry
    }

    /// Signs a link to an object, whatever that is.
    pub(crate) fn link(&mut self, kind: &str, object: Vec<u8>) {
        let object = (id(&object), object);
        let entry = super::forge::linked(&self.log, kind, "x", object.0, &operating(self.seed));
        self.log.append(&entry).unwrap();
        self.blocks.extend([object]);
        self.put(entry);
    }

    /// The office as if it had signed so many entries.
    pub(crate) fn aged(mut self, length: u64) -> Self {
        let last = self.last().id();
        self.log = Log::resume(&self.genesis(), length, last).unwrap();
        self
    }

    pub(crate) fn retract(&mut self, reason: &str) -> Sealed<Entry> {
        let object = retraction(reason);
        self.sign(&object, Vec::new())
    }
}

/// The key by which the office with this seed signs.
pub(crate) fn operating(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed + 100; 32])
}

pub(crate) fn retraction(reason: &str) -> Vec<u8> {
    let subject = schemas::cid::EntryId::of(b"x").cid();
    encode_object(&Retraction {
        subject,
        scope: RetractionScope::Whole,
        reason: text(reason),
        replacement: None,
    })
    .unwrap()
}

/// Opens a core that signs as the office with this seed.
pub(crate) fn open<K: Storage>(keep: K, seed: u8) -> Core<K> {
    let setup = CoreSetup { signer: Some(Signer(operating(seed))), build: text("test"), attest: true };
    Core::open(Arc::new(keep), setup).unwrap()
}

/// A core on new memory that follows an office.
pub(crate) fn follower(office: &Office) -> (Core<MemoryStorage>, MemoryStorage) {
    let memory = MemoryStorage::default();
    let mut core = open(memory.clone(), 50);
    core.follow(office.id()).unwrap();
    (core, memory)
}

/// A source document of one piece.
fn snapshot(piece: &[u8]) -> (schemas::cid::SnapshotId, Vec<Block>) {
    let id = PieceId::of(piece);
    let snapshot = Snapshot {
        name: text("cpi.csv"),
        media_type: text("text/csv"),
        size: piece.len() as u64,
        blake3: *id.cid().digest(),
        pieces: vec![id],
        url: None,
        fetched: None,
        agency: None,
        licence: None,
    };
    let (snapshot, packed) = encode_block(&snapshot).unwrap();
    (snapshot, vec![packed, (id.cid(), piece.to_vec())])
}

fn shape() -> ComponentList {
    let part = |id, role, kind| Component::new(name(id), role, kind);
    let parts = vec![
        part("REF_AREA", Role::Identifier, ValueType::String),
        part("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod),
        part("OBS_VALUE", Role::Measure, ValueType::Number),
    ];
    ComponentList::new(parts).unwrap()
}

fn table() -> Table {
    let columns = vec![
        Column::Text(TextColumn::from_rows([Some("A"), Some("A")])),
        Column::Period((0..2).map(|year| Period::new(Frequency::A, 2000 + year, 1)).collect()),
        Column::Number((0..2).map(|year| Decimal::new(100 + year, 0).ok()).collect()),
    ];
    Table::new(shape(), columns).unwrap()
}

/// A data set, and the blocks that it needs.
pub(crate) fn dataset(piece: &[u8]) -> (Vec<u8>, Vec<Block>) {
    let (content, mut blocks) = content::pack_table(&table(), BTreeMap::new()).unwrap();
    let (snapshot, source) = snapshot(piece);
    blocks.extend(source);
    (dataset_of(content, snapshot), blocks)
}

fn dataset_of(content: ContentId, snapshot: schemas::cid::SnapshotId) -> Vec<u8> {
    let dataset = Dataset {
        dataflow: name("CPI"),
        title: text("Prices"),
        unit: None,
        content,
        provenance: Provenance::Import { snapshot, importer: text("csv/1") },
        plausibility_warnings: Vec::new(),
    };
    encode_object(&dataset).unwrap()
}

/// A data set whose content is the object `block`, whatever that is.
pub(crate) fn dataset_on(wrong: Block) -> (Vec<u8>, Vec<Block>) {
    let (snapshot, mut blocks) = snapshot(b"source");
    let object = dataset_of(ContentId::try_from(wrong.0).unwrap(), snapshot);
    blocks.push(wrong);
    (object, blocks)
}

pub(crate) fn recipe() -> Vec<u8> {
    let recipe = Recipe {
        title: text("Twice"),
        indicator: name("twice"),
        script: text("TWICE <- CPI * 2;"),
        inputs: BTreeMap::from([(name("CPI"), RecipeInput { title: text("Index"), components: shape() })]),
        outputs: BTreeMap::from([(
            name("TWICE"),
            RecipeOutput { title: text("Twice"), unit: text("index") },
        )]),
        semantics: ledger::vtl::SEMANTICS_VERSION,
        limits: RunLimits { steps: 1_000_000, cells: 1_000_000 },
        description: text("For tests."),
        references: Vec::new(),
        licence: text("CC0-1.0"),
        deviates_from: None,
    };
    encode_object(&recipe).unwrap()
}

/// The id of an object.
pub(crate) fn id(object: &[u8]) -> Cid {
    Cid::of(Codec::DagCbor, object)
}

/// A release that states the input itself as the result, which is wrong.
pub(crate) fn release(recipe: Cid, dataset: Cid) -> (Vec<u8>, Vec<Block>) {
    let (content, blocks) = content::pack_table(&table(), BTreeMap::new()).unwrap();
    let release = Release {
        dataflow: name("twice"),
        vintage: text("1"),
        recipe: RecipeId::try_from(recipe).unwrap(),
        inputs: BTreeMap::from([(name("CPI"), DatasetId::try_from(dataset).unwrap())]),
        results: BTreeMap::from([(name("TWICE"), content)]),
        steps: 1,
        supersedes: None,
    };
    (encode_object(&release).unwrap(), blocks)
}

/// An office that has published a data set, a recipe and a release.
pub(crate) fn published(seed: u8) -> Office {
    let mut office = Office::new(seed);
    let (object, blocks) = dataset(b"source");
    office.sign(&object, blocks);
    office.sign(&recipe(), Vec::new());
    let (release, blocks) = release(id(&recipe()), id(&object));
    office.sign(&release, blocks);
    office
}
