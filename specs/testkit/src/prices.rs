//! A price index, its data set, an inflation recipe and releases of it.

use std::collections::BTreeMap;

use ledger::compute::{InputData, run_recipe};
use schemas::cid::{ContentId, DatasetId, PieceId, RecipeId, ReleaseId, SnapshotId};
use schemas::content::{Block, encode_block, pack_table};
use schemas::object::{
    Code, Dataset, Provenance, Recipe, RecipeInput, RecipeOutput, Release, RunLimits, Snapshot, Structure,
};
use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::table::{Column, Table, TextColumn};
use schemas::text::Name;

use crate::publisher::Publisher;
use crate::sample::{make_name, make_text};

/// Script of the inflation recipe: the change on the year before, in per cent.
pub const INFLATION_SCRIPT: &str = "INFLATION <- round((CPI / timeshift(CPI, 1) - 1) * 100, 1);";

/// `REF_AREA`, `TIME_PERIOD` and the number `OBS_VALUE`.
pub fn price_components() -> ComponentList {
    let component = |id, role, value_type| Component::new(make_name(id), role, value_type);
    ComponentList::new(vec![
        component("REF_AREA", Role::Identifier, ValueType::String),
        component("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod),
        component("OBS_VALUE", Role::Measure, ValueType::Number),
    ])
    .unwrap()
}

/// A table of area, period and value, in any order of rows.
pub fn value_table(rows: &[(&str, &str, &str)]) -> Table {
    let columns = vec![
        Column::Text(TextColumn::from_rows(rows.iter().map(|row| Some(row.0)))),
        Column::Period(rows.iter().map(|row| row.1.parse().ok()).collect()),
        Column::Number(rows.iter().map(|row| row.2.parse().ok()).collect()),
    ];
    Table::new(price_components(), columns).unwrap()
}

/// A price index of two areas in two years.
pub fn price_table() -> Table {
    value_table(&[
        ("FRA", "2015", "100"),
        ("FRA", "2016", "100.2"),
        ("DEU", "2015", "100"),
        ("DEU", "2016", "100.5"),
    ])
}

/// A recipe with this script, the input `CPI` and the output `INFLATION`.
pub fn inflation_recipe(script: &str) -> Recipe {
    let input = RecipeInput { title: make_text("Index"), components: price_components() };
    let output = RecipeOutput { title: make_text("Rate"), unit: make_text("per cent") };
    Recipe {
        title: make_text("Inflation"),
        indicator: make_name("inflation"),
        script: make_text(script),
        inputs: BTreeMap::from([(make_name("CPI"), input)]),
        outputs: BTreeMap::from([(make_name("INFLATION"), output)]),
        semantics: ledger::vtl::SEMANTICS_VERSION,
        limits: RunLimits { steps: 1_000_000, cells: 1_000_000 },
        description: make_text("For tests."),
        references: Vec::new(),
        licence: make_text("CC0-1.0"),
        deviates_from: None,
    }
}

/// A CSV source document of one piece, as snapshot and blocks.
pub fn csv_snapshot(name: &str, document: &[u8]) -> (SnapshotId, Vec<Block>) {
    let piece = PieceId::of(document);
    let snapshot = Snapshot {
        name: make_text(name),
        media_type: make_text("text/csv"),
        size: document.len() as u64,
        blake3: *piece.cid().digest(),
        pieces: vec![piece],
        url: None,
        fetched: None,
        agency: None,
        licence: None,
    };
    let (id, block) = encode_block(&snapshot).unwrap();
    (id, vec![block, (piece.cid(), document.to_vec())])
}

/// The data set `CPI` with this content, imported from this snapshot.
pub fn imported_dataset(content: ContentId, snapshot: SnapshotId) -> Dataset {
    Dataset {
        dataflow: make_name("CPI"),
        title: make_text("Prices"),
        unit: None,
        content,
        provenance: Provenance::Import { snapshot, importer: make_text("csv/1") },
        plausibility_warnings: Vec::new(),
    }
}

/// Release of a recipe on the data set `CPI` that claims these results.
pub fn claimed_release(
    recipe: RecipeId,
    dataset: DatasetId,
    results: BTreeMap<Name, ContentId>,
    steps: u64,
) -> Release {
    Release {
        dataflow: make_name("inflation"),
        vintage: make_text("1"),
        recipe,
        inputs: BTreeMap::from([(make_name("CPI"), dataset)]),
        results,
        steps,
        supersedes: None,
    }
}

/// Price releases. None of these objects is signed: [`Publisher::sign_stored`] does that.
impl Publisher {
    /// Stores a table as a content with a code list of areas.
    pub fn store_content(&mut self, table: &Table) -> ContentId {
        let code = |id: &str, name: &str| Code { id: make_text(id), name: make_text(name), aggregate: false };
        let codes = vec![code("DEU", "Germany"), code("FRA", "France"), code("USA", "United States")];
        let (id, blocks) = pack_table(table, BTreeMap::from([(make_name("REF_AREA"), codes)])).unwrap();
        self.blocks.extend(blocks);
        id
    }

    /// Stores a table as the data set `CPI`.
    pub fn store_dataset(&mut self, table: &Table) -> DatasetId {
        let (snapshot, blocks) = csv_snapshot("cpi.csv", b"source");
        self.blocks.extend(blocks);
        let content = self.store_content(table);
        self.store_object(&imported_dataset(content, snapshot))
    }

    /// Stores a release of `recipe` on the price table that claims `results`.
    pub fn store_release(&mut self, recipe: RecipeId, results: BTreeMap<Name, ContentId>) -> ReleaseId {
        let dataset = self.store_dataset(&price_table());
        self.store_object(&claimed_release(recipe, dataset, results, 0))
    }

    /// Stores a release of the inflation recipe that claims `table` as its result.
    pub fn store_claim(&mut self, table: &Table) -> ReleaseId {
        let recipe = self.store_object(&inflation_recipe(INFLATION_SCRIPT));
        let content = self.store_content(table);
        self.store_release(recipe, BTreeMap::from([(make_name("INFLATION"), content)]))
    }

    /// Stores a release of the inflation recipe that claims the figures that the recipe computes.
    pub fn store_reproducible_release(&mut self) -> ReleaseId {
        let structure = Structure { components: price_components(), codes: BTreeMap::new() };
        let input = InputData { structure, table: price_table() };
        let inputs = BTreeMap::from([(make_name("CPI"), input)]);
        let outcome =
            run_recipe(&inflation_recipe(INFLATION_SCRIPT), inputs, &ledger::vtl::RunCeilings::default())
                .unwrap();
        let table = outcome.figures[&make_name("INFLATION")].table.clone();
        self.store_claim(&table)
    }
}
