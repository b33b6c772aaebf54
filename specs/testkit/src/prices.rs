//! A price index, its data set, an inflation recipe and releases of it.

use std::collections::BTreeMap;

use ingest::Format;
use ledger::compute::{InputData, run_recipe};
use ledger::vtl::RunCeilings;
use schemas::cid::{ContentId, DatasetId, PieceId, RecipeId, ReleaseId, SnapshotId};
use schemas::content::{Block, encode_block, pack_table};
use schemas::decimal::Decimal;
use schemas::digest::DocumentDigests;
use schemas::limits::PIECE_BYTES_MAX;
use schemas::object::{
    Code, Dataset, Import, Provenance, ReaderOptions, Recipe, RecipeInput, RecipeOutput, Release, RunLimits,
    Snapshot, Structure, decode_object,
};
use schemas::structure::{ComponentList, Role, ValueType};
use schemas::table::{Column, Table, TextColumn};
use schemas::text::Name;

use crate::publisher::Publisher;
use crate::sample::{make_components, make_name, make_text};

/// Script of the inflation recipe: the change on the year before, in per cent.
pub const INFLATION_SCRIPT: &str = "INFLATION <- round((CPI / timeshift(CPI, 1) - 1) * 100, 1);";

/// `REF_AREA`, `TIME_PERIOD` and the number `OBS_VALUE`.
pub fn price_components() -> ComponentList {
    make_components(&[
        ("REF_AREA", Role::Identifier, ValueType::String),
        ("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod),
        ("OBS_VALUE", Role::Measure, ValueType::Number),
    ])
}

/// A table of area, period and value, in any order of rows.
pub fn value_table(rows: &[(&str, &str, &str)]) -> Table {
    let columns = vec![
        Column::Text(TextColumn::from_rows(rows.iter().map(|row| Some(row.0)))),
        // A text that is not a value, such as the empty one, is null.
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

/// A CSV source document, as snapshot and blocks.
pub fn csv_snapshot(name: &str, document: &[u8]) -> (SnapshotId, Vec<Block>) {
    let pieces = document.chunks(PIECE_BYTES_MAX).map(|piece| (PieceId::of(piece), piece.to_vec()));
    let pieces: Vec<(PieceId, Vec<u8>)> = pieces.collect();
    let digests = DocumentDigests::of(document);
    let snapshot = Snapshot {
        name: make_text(name),
        media_type: make_text("text/csv"),
        size: document.len() as u64,
        blake3: digests.blake3,
        sha256: digests.sha256,
        pieces: pieces.iter().map(|(id, _)| *id).collect(),
        url: None,
        fetched: None,
        agency: None,
        licence: None,
    };
    let (id, block) = encode_block(&snapshot).unwrap();
    let pieces = pieces.into_iter().map(|(id, bytes)| (id.cid(), bytes));
    (id, std::iter::once(block).chain(pieces).collect())
}

/// Provenance of a table that was read from this CSV document.
pub fn csv_import(document: SnapshotId) -> Import {
    Import {
        documents: vec![document],
        companions: Vec::new(),
        reader: Format::Csv.reader().unwrap(),
        options: ReaderOptions::default(),
    }
}

/// The data set `CPI` with this content, imported from this snapshot.
pub fn imported_dataset(content: ContentId, snapshot: SnapshotId) -> Dataset {
    Dataset {
        dataflow: make_name("CPI"),
        title: make_text("Prices"),
        unit: None,
        content,
        provenance: Provenance::Import(csv_import(snapshot)),
        plausibility_warnings: Vec::new(),
    }
}

/// A table with its numbers normalised, as those of results are.
pub fn normalize_numbers(table: &Table) -> Table {
    let normalize = |column: &Column| match column {
        Column::Number(values) => {
            Column::Number(values.iter().map(|value| value.map(Decimal::normalized)).collect())
        }
        other => other.clone(),
    };
    let columns = table.columns().iter().map(normalize).collect();
    Table::new(table.shape().clone(), columns).unwrap()
}

/// The price table as the input `CPI`.
pub fn price_inputs() -> BTreeMap<Name, InputData> {
    let table = price_table();
    let structure = Structure { components: price_components(), codes: area_codes(&table) };
    BTreeMap::from([(make_name("CPI"), InputData { structure, table })])
}

/// The code list of the areas that occur in a table, as a reader gives it.
pub fn area_codes(table: &Table) -> BTreeMap<Name, Vec<Code>> {
    let Some(Column::Text(areas)) = table.column("REF_AREA") else { return BTreeMap::new() };
    let names = [("DEU", "Germany"), ("FRA", "France"), ("USA", "United States")];
    let occurs = |id: &str| (0..table.rows()).any(|row| areas.get(row) == Some(id));
    let code = |(id, name): (&str, &str)| Code { id: make_text(id), name: make_text(name), aggregate: false };
    let codes: Vec<Code> = names.into_iter().filter(|(id, _)| occurs(id)).map(code).collect();
    if codes.is_empty() { BTreeMap::new() } else { BTreeMap::from([(make_name("REF_AREA"), codes)]) }
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
    /// Stores a table as a content with a code list of the areas that occur in it.
    pub fn store_content(&mut self, table: &Table) -> ContentId {
        let (id, blocks) = pack_table(table, area_codes(table)).unwrap();
        self.blocks.extend(blocks);
        id
    }

    /// Stores a table as the data set `CPI`, read from a CSV document with the same rows.
    pub fn store_dataset(&mut self, table: &Table) -> DatasetId {
        let mut document = Vec::new();
        ingest::export_csv(table, &mut document).unwrap();
        let (snapshot, blocks) = csv_snapshot("cpi.csv", &document);
        self.blocks.extend(blocks);
        let content = self.store_content(table);
        self.store_object(&imported_dataset(content, snapshot))
    }

    /// Stores a release of `recipe` on the price table that claims `results`, with the steps that the run
    /// takes; 0 when it does not run.
    pub fn store_release(&mut self, recipe: RecipeId, results: BTreeMap<Name, ContentId>) -> ReleaseId {
        let plan: Recipe = decode_object(&self.blocks[&recipe.cid()]).unwrap();
        let steps =
            run_recipe(&plan, price_inputs(), &RunCeilings::default()).map_or(0, |outcome| outcome.steps);
        let dataset = self.store_dataset(&price_table());
        self.store_object(&claimed_release(recipe, dataset, results, steps))
    }

    /// Stores a release of the inflation recipe that claims `table` as its result.
    pub fn store_claim(&mut self, table: &Table) -> ReleaseId {
        let recipe = self.store_object(&inflation_recipe(INFLATION_SCRIPT));
        let content = self.store_content(table);
        self.store_release(recipe, BTreeMap::from([(make_name("INFLATION"), content)]))
    }

    /// Stores a release of the inflation recipe that claims the figures that the recipe computes.
    pub fn store_reproducible_release(&mut self) -> ReleaseId {
        let outcome =
            run_recipe(&inflation_recipe(INFLATION_SCRIPT), price_inputs(), &RunCeilings::default()).unwrap();
        let table = outcome.figures[&make_name("INFLATION")].table.clone();
        self.store_claim(&table)
    }
}
