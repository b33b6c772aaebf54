//! A publisher with a price index, a recipe and a release, all in memory.

use std::collections::BTreeMap;

use ledger::compute::{self, InputData};
use ledger::log::Log;
use schemas::cid::{Cid, ContentId, DatasetId, PieceId, RecipeId, ReleaseId};
use schemas::content::{self, encode_block};
use schemas::entry::{self, Entry, EntryPosition};
use schemas::key::SecretKey;
use schemas::object::{
    Code, Dataset, Identity, KeyUse, ObjectType, OperatingKey, Provenance, Recipe, RecipeInput, RecipeOutput,
    Release, RunLimits, Snapshot, Structure, encode_object,
};
use schemas::seal::Sealed;
use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::table::{Column, Table, TextColumn};
use schemas::text::{Name, Text};

/// The script of the recipe.
pub(super) const SCRIPT: &str = "INFLATION <- round((CPI / timeshift(CPI, 1) - 1) * 100, 1);";

/// Blocks, and a log.
pub(super) struct Desk {
    pub(super) blocks: BTreeMap<Cid, Vec<u8>>,
    key: SecretKey,
    pub(super) log: Log,
}

pub(super) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(super) fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::new(text).unwrap()
}

pub(super) fn shape() -> ComponentList {
    let part = |id, role, kind| Component::new(name(id), role, kind);
    ComponentList::new(vec![
        part("REF_AREA", Role::Identifier, ValueType::String),
        part("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod),
        part("OBS_VALUE", Role::Measure, ValueType::Number),
    ])
    .unwrap()
}

/// A table of area, period and value.
pub(super) fn table(rows: &[(&str, &str, &str)]) -> Table {
    let columns = vec![
        Column::Text(TextColumn::from_rows(rows.iter().map(|row| Some(row.0)))),
        Column::Period(rows.iter().map(|row| row.1.parse().ok()).collect()),
        Column::Number(rows.iter().map(|row| row.2.parse().ok()).collect()),
    ];
    Table::new(shape(), columns).unwrap()
}

pub(super) fn prices() -> Table {
    table(&[
        ("FRA", "2015", "100"),
        ("FRA", "2016", "100.2"),
        ("DEU", "2015", "100"),
        ("DEU", "2016", "100.5"),
    ])
}

pub(super) fn recipe(script: &str) -> Recipe {
    Recipe {
        title: text("Inflation"),
        indicator: name("inflation"),
        script: text(script),
        inputs: BTreeMap::from([(name("CPI"), RecipeInput { title: text("Index"), components: shape() })]),
        outputs: BTreeMap::from([(
            name("INFLATION"),
            RecipeOutput { title: text("Rate"), unit: text("per cent") },
        )]),
        semantics: ledger::vtl::SEMANTICS_VERSION,
        limits: RunLimits { steps: 1_000_000, cells: 1_000_000 },
        description: text("A test."),
        references: Vec::new(),
        licence: text("CC0-1.0"),
        deviates_from: None,
    }
}

impl Desk {
    pub(super) fn new() -> Self {
        let (root, key) = (SecretKey::from_seed(&[1; 32]), SecretKey::from_seed(&[2; 32]));
        let identity = Identity {
            name: text("Office"),
            contact: None,
            roots: vec![root.public()],
            next_root: [0; 32],
            keys: vec![OperatingKey { key: key.public(), uses: vec![KeyUse::Publish, KeyUse::Attest] }],
        };
        let genesis =
            entry::sign_entry(EntryPosition::Genesis, 0, &encode_object(&identity).unwrap(), &root).unwrap();
        let blocks = BTreeMap::from([(genesis.id().cid(), genesis.bytes().to_vec())]);
        Self { blocks, key, log: Log::from_genesis(&genesis).unwrap() }
    }

    /// Keeps an object as a block.
    pub(super) fn put<T: ObjectType>(&mut self, body: &T) -> T::Id {
        let (id, (cid, bytes)) = encode_block(body).unwrap();
        self.blocks.insert(cid, bytes);
        id
    }

    /// Signs an object that is kept already.
    pub(super) fn sign(&mut self, object: Cid) -> Sealed<Entry> {
        let entry = entry::sign_entry(self.log.next_position(), 0, &self.blocks[&object], &self.key).unwrap();
        self.log.append(&entry).unwrap();
        self.blocks.insert(entry.id().cid(), entry.bytes().to_vec());
        entry
    }

    pub(super) fn content(&mut self, table: &Table) -> ContentId {
        let code = |id: &str, label: &str| Code { id: text(id), name: text(label), aggregate: false };
        let codes = vec![code("DEU", "Germany"), code("FRA", "France"), code("USA", "United States")];
        let (id, blocks) = content::pack_table(table, BTreeMap::from([(name("REF_AREA"), codes)])).unwrap();
        self.blocks.extend(blocks);
        id
    }

    pub(super) fn dataset(&mut self, table: &Table) -> DatasetId {
        let piece = PieceId::of(b"source");
        self.blocks.insert(piece.cid(), b"source".to_vec());
        let snapshot = self.put(&Snapshot {
            name: text("cpi.csv"),
            media_type: text("text/csv"),
            size: 6,
            blake3: *piece.cid().digest(),
            pieces: vec![piece],
            url: None,
            fetched: None,
            agency: None,
            licence: None,
        });
        let content = self.content(table);
        self.put(&Dataset {
            dataflow: name("CPI"),
            title: text("Prices"),
            unit: None,
            content,
            provenance: Provenance::Import { snapshot, importer: text("csv/1") },
            plausibility_warnings: Vec::new(),
        })
    }

    /// A release of `recipe` on the prices that claims `results`.
    pub(super) fn claim(&mut self, recipe: RecipeId, results: BTreeMap<Name, ContentId>) -> ReleaseId {
        let dataset = self.dataset(&prices());
        self.put(&Release {
            dataflow: name("inflation"),
            vintage: text("1"),
            recipe,
            inputs: BTreeMap::from([(name("CPI"), dataset)]),
            results,
            steps: 0,
            supersedes: None,
        })
    }

    /// A release that claims this table as the result of the usual recipe.
    pub(super) fn claim_table(&mut self, table: &Table) -> ReleaseId {
        let recipe = self.put(&recipe(SCRIPT));
        let content = self.content(table);
        self.claim(recipe, BTreeMap::from([(name("INFLATION"), content)]))
    }

    /// A release that claims what the recipe gives.
    pub(super) fn honest(&mut self) -> ReleaseId {
        let plan = recipe(SCRIPT);
        let structure = Structure { components: shape(), codes: BTreeMap::new() };
        let source = InputData { structure, table: prices() };
        let outcome = compute::run_recipe(&plan, BTreeMap::from([(name("CPI"), source)])).unwrap();
        let table = outcome.figures[&name("INFLATION")].table.clone();
        self.claim_table(&table)
    }
}
