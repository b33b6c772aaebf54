//! One object of each type with fixed keys and times: the objects of the vectors and the documents.

use std::collections::BTreeMap;

use schemas::chunk::Chunk;
use schemas::cid::{
    Cid, Codec, ContentId, DatasetId, EntryId, PieceId, PublisherId, RecipeId, ReleaseId, SnapshotId,
};
use schemas::content;
use schemas::decimal::Decimal;
use schemas::digest::DocumentDigests;
use schemas::entry::{self, Entry, EntryPosition};
use schemas::key::SecretKey;
use schemas::object::{
    Attestation, Code, Content, Dataset, DayOrder, Deviation, Identity, Import, KeyUse, MappedColumn,
    ObjectType, OperatingKey, Provenance, Reader, ReaderOptions, Recipe, RecipeInput, RecipeOutput, Release,
    Retraction, RetractionScope, RevisionReason, RunLimits, Snapshot, SourceCounts, Structure, Supersession,
    TableMapping,
};
use schemas::period::{Frequency, Period};
use schemas::seal::Sealed;
use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::table::{Cell, Column, Table, TextColumn};
use schemas::text::{Name, Text, TextForm};
use schemas::verdict::{ComparedTable, Divergence, DocumentPosition, Verdict};

/// Time of the samples: 2026-11-02T08:00:00Z.
pub const TIME: i64 = 1_793_606_400;

/// The source document of the samples.
pub const DOCUMENT: &[u8] = b"REF_AREA,TIME_PERIOD,OBS_VALUE\nAUT,2010,9.1\nAUT,2011,9.10\nBEL,2010,\n";

/// Secret key of a seed of 32 equal bytes.
pub fn secret_key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

/// Parses a name.
pub fn make_name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

/// Checks a text against its bound and its form.
pub fn make_text<const MAX: usize, F: TextForm>(text: &str) -> Text<MAX, F> {
    Text::new(text).expect("a text within its bound")
}

/// Encodes an object that follows the rules of its type.
pub fn encode_object<T: ObjectType>(body: &T) -> Vec<u8> {
    schemas::object::encode_object(body).expect("a sample follows the rules")
}

/// The publisher of the samples: root key 1, operating keys 2 (publish) and 3 (attest).
pub fn identity_object() -> Identity {
    let operating =
        |seed, uses: &[KeyUse]| OperatingKey { key: secret_key(seed).public(), uses: uses.to_vec() };
    Identity {
        name: make_text("Office of Samples"),
        contact: Some(make_text("https://example.org/statistics")),
        roots: vec![secret_key(1).public()],
        // Pre-rotation: only the digest of the next root key is public (specs/objects.md, section 4).
        next_root: *Cid::of(Codec::Raw, secret_key(9).public().as_bytes()).digest(),
        keys: vec![operating(2, &[KeyUse::Publish]), operating(3, &[KeyUse::Attest])],
    }
}

/// The source document.
pub fn snapshot_object() -> Snapshot {
    let digests = DocumentDigests::of(DOCUMENT);
    Snapshot {
        name: make_text("prices.csv"),
        media_type: make_text("text/csv"),
        size: DOCUMENT.len() as u64,
        blake3: digests.blake3,
        sha256: digests.sha256,
        pieces: vec![PieceId::of(DOCUMENT)],
        url: Some(make_text("https://example.org/prices.csv")),
        fetched: Some(TIME - 3600),
        agency: Some(make_text("EXAMPLE")),
        licence: Some(make_text("CC-BY-4.0")),
    }
}

/// A component of a structure.
pub fn make_component(id: &str, role: Role, value_type: ValueType) -> Component {
    Component::new(make_name(id), role, value_type)
}

/// Components with these ids, roles and types.
pub fn make_components(components: &[(&str, Role, ValueType)]) -> ComponentList {
    let components = components.iter().map(|(id, role, value_type)| make_component(id, *role, *value_type));
    ComponentList::new(components.collect()).expect("components of a structure")
}

/// Two identifiers, one measure of each remaining type.
pub fn price_components() -> ComponentList {
    make_components(&[
        ("REF_AREA", Role::Identifier, ValueType::String),
        ("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod),
        ("OBS_VALUE", Role::Measure, ValueType::Number),
        ("OBS_COUNT", Role::Measure, ValueType::Integer),
        ("ESTIMATED", Role::Attribute, ValueType::Boolean),
    ])
}

/// Components and code lists of [`price_table`].
pub fn structure_object() -> Structure {
    let code =
        |id: &str, label: &str, aggregate| Code { id: make_text(id), name: make_text(label), aggregate };
    let areas =
        vec![code("AUT", "Austria", false), code("BEL", "Belgium", false), code("EU27", "Union", true)];
    Structure { components: price_components(), codes: BTreeMap::from([(make_name("REF_AREA"), areas)]) }
}

/// Three data points with a null in each measure.
pub fn price_table() -> Table {
    let period = |text: &str| text.parse::<Period>().ok();
    let number = |text: &str| text.parse::<Decimal>().ok();
    let columns = vec![
        Column::Text(TextColumn::from_rows([Some("AUT"), Some("AUT"), Some("BEL")])),
        Column::Period(vec![period("2010"), period("2011"), period("2010")]),
        Column::Number(vec![number("9.1"), number("9.10"), None]),
        Column::Integer(vec![Some(300), None, Some(-7)]),
        Column::Boolean(vec![Some(false), Some(true), None]),
    ];
    Table::new(price_components(), columns).expect("a table")
}

/// Returns the rows of [`price_table`] as one chunk.
pub fn chunk_object() -> Chunk {
    Chunk::encode_column(price_table().columns(), 0, price_table().rows())
}

/// Returns the content of [`price_table`] with its id.
pub fn content_object() -> (ContentId, Content) {
    let (id, blocks) = content::pack_table(&price_table(), structure_object().codes).expect("a content");
    let (_, block) = blocks.last().expect("the content comes last");
    (id, schemas::object::decode_object(block).expect("a content"))
}

/// The reading of [`snapshot_object`].
pub fn import_object() -> Import {
    Import {
        documents: vec![SnapshotId::of(&encode_object(&snapshot_object()))],
        companions: Vec::new(),
        reader: Reader { format: make_name("csv"), version: 2 },
        options: ReaderOptions::default(),
    }
}

/// Every option of a reader, each away from its default.
pub fn reader_options() -> ReaderOptions {
    let column = |to: &str| MappedColumn {
        from: None,
        constant: None,
        to: make_name(to),
        role: None,
        value_type: None,
        dates: None,
        zero_is_missing: false,
        areas: None,
    };
    let area = MappedColumn {
        from: Some(make_text("Land")),
        role: Some(Role::Identifier),
        value_type: Some(ValueType::String),
        areas: Some(make_text("imf")),
        ..column("REF_AREA")
    };
    let day = MappedColumn {
        from: Some(make_text("Tag")),
        dates: Some(DayOrder::DayMonthYear),
        ..column("TIME_PERIOD")
    };
    let unit = MappedColumn {
        constant: Some(make_text("PT")),
        role: Some(Role::Attribute),
        ..column("UNIT_MEASURE")
    };
    let value = MappedColumn { from: Some(make_text("Wert")), zero_is_missing: true, ..column("OBS_VALUE") };
    ReaderOptions {
        area: Some(make_text("AUT")),
        frequency: Some(Frequency::M),
        mapping: Some(TableMapping {
            delimiter: Some(make_text(";")),
            skip: 2,
            sheet: Some(make_text("Blatt 1")),
            missing: Some(vec![make_text("-")]),
            decimal_comma: true,
            columns: vec![area, day, unit, value],
        }),
    }
}

/// The content, published.
pub fn dataset_object() -> Dataset {
    Dataset {
        dataflow: make_name("cpi"),
        title: make_text("Consumer prices, samples"),
        unit: Some(make_text("per cent")),
        content: content_object().0,
        provenance: Provenance::Import(import_object()),
        plausibility_warnings: Vec::new(),
    }
}

/// Returns [`dataset_object`] without a document.
pub fn stated_dataset() -> Dataset {
    Dataset { provenance: Provenance::Stated, ..dataset_object() }
}

/// Returns [`dataset_object`] with a companion and [`reader_options`].
pub fn mapped_dataset() -> Dataset {
    let companion = Snapshot { name: make_text("areas.csv"), ..snapshot_object() };
    let companions = vec![SnapshotId::of(&encode_object(&companion))];
    let import = Import { companions, options: reader_options(), ..import_object() };
    Dataset { provenance: Provenance::Import(import), ..dataset_object() }
}

/// Returns [`dataset_object`] with a plausibility warning.
pub fn implausible_dataset() -> Dataset {
    let doubt = "spike: [AUT, 2011] is 910 between 9.1 and 9.3";
    Dataset { plausibility_warnings: vec![make_text(doubt)], ..dataset_object() }
}

/// A recipe with one input and one output.
pub fn recipe_object() -> Recipe {
    let input = RecipeInput { title: make_text("Price index"), components: price_components() };
    let output = RecipeOutput { title: make_text("Inflation"), unit: make_text("per cent") };
    Recipe {
        title: make_text("Inflation, samples"),
        indicator: make_name("inflation"),
        script: make_text("inflation <- prices [calc OBS_VALUE := OBS_VALUE * 1];"),
        inputs: BTreeMap::from([(make_name("prices"), input)]),
        outputs: BTreeMap::from([(make_name("inflation"), output)]),
        semantics: 1,
        limits: RunLimits { steps: 1_000_000, cells: 1_000_000 },
        description: make_text("The figures as they are."),
        references: vec![make_text("https://example.org/method")],
        licence: make_text("CC0-1.0"),
        deviates_from: None,
    }
}

/// Returns a recipe that deviates from [`recipe_object`].
pub fn deviating_recipe() -> Recipe {
    let official = RecipeId::of(&encode_object(&recipe_object()));
    let reasons = vec![make_text("Owners' housing is counted at its price, not at its rent.")];
    Recipe { deviates_from: Some(Deviation { recipe: official, reasons }), ..recipe_object() }
}

/// Returns the claim that [`recipe_object`] on [`dataset_object`] gives [`content_object`].
pub fn release_object() -> Release {
    Release {
        dataflow: make_name("inflation"),
        vintage: make_text("2026-11"),
        recipe: RecipeId::of(&encode_object(&recipe_object())),
        inputs: BTreeMap::from([(make_name("prices"), DatasetId::of(&encode_object(&dataset_object())))]),
        results: BTreeMap::from([(make_name("inflation"), content_object().0)]),
        steps: 42,
        supersedes: None,
    }
}

/// Returns a release that supersedes [`release_object`].
pub fn revised_release() -> Release {
    let earlier = ReleaseId::of(&encode_object(&release_object()));
    let supersedes = Some(Supersession { release: earlier, reason: RevisionReason::SourceRevision });
    Release { vintage: make_text("2026-12"), supersedes, ..release_object() }
}

/// Returns the result of [`release_object`] as a data set.
pub fn derived_dataset() -> Dataset {
    let provenance = Provenance::Release {
        release: ReleaseId::of(&encode_object(&release_object())),
        output: make_name("inflation"),
    };
    Dataset { dataflow: make_name("inflation"), unit: None, provenance, ..dataset_object() }
}

/// Returns the retraction of [`release_object`].
pub fn retraction_object() -> Retraction {
    Retraction {
        subject: ReleaseId::of(&encode_object(&release_object())).cid(),
        scope: RetractionScope::Whole,
        reason: make_text("The source was a draft."),
        replacement: None,
    }
}

/// Returns the retraction of one data point of [`dataset_object`].
pub fn point_retraction() -> Retraction {
    Retraction {
        subject: DatasetId::of(&encode_object(&dataset_object())).cid(),
        scope: RetractionScope::Points(vec![vec![make_text("AUT"), make_text("2010")]]),
        reason: make_text("A misprint."),
        replacement: Some(DatasetId::of(&encode_object(&derived_dataset())).cid()),
    }
}

/// Returns an attestation of a verdict on [`release_object`].
pub fn attestation_object(verdict: Verdict) -> Attestation {
    let found = matches!(verdict, Verdict::Reproduced { .. });
    let result = found.then(|| (make_name("inflation"), content_object().0));
    Attestation {
        release: ReleaseId::of(&encode_object(&release_object())),
        verdict,
        results: result.into_iter().collect(),
        semantics: 1,
        build: make_text("assay/0.1.0"),
        sources: SourceCounts { read: 1, stated: 0 },
    }
}

/// A verdict of each kind.
pub fn all_verdicts() -> Vec<Verdict> {
    // Beyond 64 bits, so that the coefficient is encoded as bytes (specs/objects.md, section 5).
    let wide = Decimal::new(10_i128.pow(33), -20).ok().map(Cell::Number);
    let key = vec![Cell::Text("AUT".into()), Cell::Period("2010-M01".parse().expect("a month"))];
    let first = Divergence {
        table: ComparedTable::Output(make_name("inflation")),
        position: None,
        key: key.clone(),
        component: Some(make_name("OBS_VALUE")),
        published: wide,
        computed: Some(Cell::Number(Decimal::new(-91, -1).expect("a decimal"))),
    };
    let position = DocumentPosition {
        file: make_text("prices.csv"),
        line: Some(2),
        column: Some(make_text("OBS_VALUE")),
    };
    let dataset = DatasetId::of(&encode_object(&dataset_object()));
    let in_source =
        Divergence { table: ComparedTable::Dataset(dataset), position: Some(position), ..first.clone() };
    let cell = |steps| Some(Cell::Integer(steps));
    let steps = Divergence {
        table: ComparedTable::Steps,
        key: Vec::new(),
        component: None,
        published: cell(42),
        computed: cell(43),
        ..first.clone()
    };
    let differences = BTreeMap::from([(make_name("inflation"), content_object().0)]);
    vec![
        Verdict::Reproduced { cells: 9, read: 9 },
        Verdict::Differs { first, count: 1, cells: 9, read: 9, differences },
        Verdict::Differs { first: in_source, count: 1, cells: 9, read: 9, differences: BTreeMap::new() },
        Verdict::Differs { first: steps, count: 1, cells: 9, read: 9, differences: BTreeMap::new() },
        Verdict::Missing { ids: vec![content_object().0.cid()], count: 1 },
        Verdict::Invalid {
            object: content_object().0.cid(),
            code: make_text("content"),
            message: make_text("the rows are not in canonical order"),
        },
        Verdict::Failed { code: make_text("vtl-type"), message: make_text("`prices` has no component `X`") },
        Verdict::NotRun { code: make_text("ceiling-time"), message: make_text("not run here: too costly") },
    ]
}

/// The first entry of the samples' log.
pub fn genesis_entry() -> Sealed<Entry> {
    entry::sign_entry(EntryPosition::Genesis, TIME, &encode_object(&identity_object()), &secret_key(1))
        .expect("an entry")
}

/// The publisher of the samples.
pub fn publisher_id() -> PublisherId {
    genesis_entry().publisher()
}

/// A place after `before`.
pub fn position_after(before: &Sealed<Entry>) -> EntryPosition {
    EntryPosition::Next {
        publisher: publisher_id(),
        seq: before.value().seq() + 1,
        prev: before.id(),
        authority: 0,
    }
}

/// An object signed by key `seed` for the place after `before`, a minute later.
pub fn sign_after<T: ObjectType>(before: &Sealed<Entry>, body: &T, seed: u8) -> Sealed<Entry> {
    entry::sign_entry(
        position_after(before),
        before.value().time + 60,
        &encode_object(body),
        &secret_key(seed),
    )
    .expect("an entry")
}

/// The log of the samples: identity, data set, recipe, release, attestation, retraction.
pub fn sample_log() -> Vec<Sealed<Entry>> {
    let mut log = vec![genesis_entry()];
    let mut push = |entry: fn(&Sealed<Entry>) -> Sealed<Entry>| log.push(entry(&log[log.len() - 1]));
    push(|before| sign_after(before, &dataset_object(), 2));
    push(|before| sign_after(before, &recipe_object(), 2));
    push(|before| sign_after(before, &release_object(), 2));
    push(|before| sign_after(before, &attestation_object(Verdict::Reproduced { cells: 9, read: 9 }), 3));
    push(|before| sign_after(before, &retraction_object(), 2));
    log
}

/// A recipe too large to stand inline.
pub fn large_recipe() -> Recipe {
    // Only the size counts: reading an object does not check its script.
    let script = format!("/* {} */", "x".repeat(schemas::limits::INLINE_BYTES_MAX));
    Recipe { script: make_text(&script), ..recipe_object() }
}

/// The id of an entry as bytes.
pub fn entry_id_bytes(id: EntryId) -> Vec<u8> {
    id.cid().to_bytes().to_vec()
}
