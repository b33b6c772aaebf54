//! One object of each type with fixed keys and times: the objects of the vectors and the documents.

use std::collections::BTreeMap;

use schemas::chunk::Chunk;
use schemas::cid::{
    Cid, Codec, ContentId, DatasetId, EntryId, PieceId, PublisherId, RecipeId, ReleaseId, SnapshotId,
};
use schemas::content;
use schemas::decimal::Decimal;
use schemas::entry::{self, Entry, EntryPosition};
use schemas::key::SecretKey;
use schemas::object::{
    Attestation, Code, Content, Dataset, Deviation, Identity, KeyUse, ObjectType, OperatingKey, Provenance,
    Recipe, RecipeInput, RecipeOutput, Release, Retraction, RetractionScope, RevisionReason, RunLimits,
    Snapshot, SourceCheck, Structure, Supersession,
};
use schemas::period::Period;
use schemas::seal::Sealed;
use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::table::{Cell, Column, Table, TextColumn};
use schemas::text::{Name, Text, TextForm};
use schemas::verdict::{Divergence, Verdict};

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
        next_root: *Cid::of(Codec::Raw, secret_key(9).public().as_bytes()).digest(),
        keys: vec![operating(2, &[KeyUse::Publish]), operating(3, &[KeyUse::Attest])],
    }
}

/// The source document.
pub fn snapshot_object() -> Snapshot {
    Snapshot {
        name: make_text("prices.csv"),
        media_type: make_text("text/csv"),
        size: DOCUMENT.len() as u64,
        blake3: *Cid::of(Codec::Raw, DOCUMENT).digest(),
        pieces: vec![PieceId::of(DOCUMENT)],
        url: Some(make_text("https://example.org/prices.csv")),
        fetched: Some(TIME - 3600),
        agency: Some(make_text("EXAMPLE")),
        licence: Some(make_text("CC-BY-4.0")),
    }
}

fn make_component(id: &str, role: Role, kind: ValueType) -> Component {
    Component::new(make_name(id), role, kind)
}

/// Two identifiers, one measure of each remaining type.
pub fn price_components() -> ComponentList {
    let parts = vec![
        make_component("REF_AREA", Role::Identifier, ValueType::String),
        make_component("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod),
        make_component("OBS_VALUE", Role::Measure, ValueType::Number),
        make_component("OBS_COUNT", Role::Measure, ValueType::Integer),
        make_component("ESTIMATED", Role::Attribute, ValueType::Boolean),
    ];
    ComponentList::new(parts).expect("a shape")
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

/// The content, published.
pub fn dataset_object() -> Dataset {
    Dataset {
        dataflow: make_name("cpi"),
        title: make_text("Consumer prices, samples"),
        unit: Some(make_text("per cent")),
        content: content_object().0,
        provenance: Provenance::Import {
            snapshot: SnapshotId::of(&encode_object(&snapshot_object())),
            importer: make_text("csv/1"),
        },
        plausibility_warnings: Vec::new(),
    }
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
        sources: SourceCheck::Kept,
    }
}

/// A verdict of each kind.
pub fn all_verdicts() -> Vec<Verdict> {
    let wide = Decimal::new(10_i128.pow(33), -20).ok().map(Cell::Number);
    let key = vec![Cell::Text("AUT".into()), Cell::Period("2010-M01".parse().expect("a month"))];
    let first = Divergence {
        output: make_name("inflation"),
        key,
        component: Some(make_name("OBS_VALUE")),
        published: wide,
        computed: Some(Cell::Number(Decimal::new(-91, -1).expect("a decimal"))),
    };
    vec![
        Verdict::Reproduced { cells: 9 },
        Verdict::Differs { first, count: 1, cells: 9 },
        Verdict::Missing { ids: vec![content_object().0.cid()], count: 1 },
        Verdict::Failed { code: make_text("vtl-type"), message: make_text("`prices` has no component `X`") },
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
    push(|before| sign_after(before, &attestation_object(Verdict::Reproduced { cells: 9 }), 3));
    push(|before| sign_after(before, &retraction_object(), 2));
    log
}

/// A recipe too large to stand inline.
pub fn large_recipe() -> Recipe {
    let script = format!("/* {} */", "x".repeat(schemas::limits::INLINE_BYTES_MAX));
    Recipe { script: make_text(&script), ..recipe_object() }
}

/// The id of an entry as bytes.
pub fn entry_id_bytes(id: EntryId) -> Vec<u8> {
    id.cid().to_bytes().to_vec()
}
