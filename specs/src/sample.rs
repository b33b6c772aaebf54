//! A small world with one object of each kind: the objects of the vectors and of the documents.

use std::collections::BTreeMap;

use schemas::chunk::Chunk;
use schemas::cid::{
    Cid, Codec, ContentId, DatasetId, EntryId, PieceId, PublisherId, RecipeId, ReleaseId, SnapshotId,
};
use schemas::content;
use schemas::decimal::Decimal;
use schemas::entry::{self, Entry, Place};
use schemas::key::SecretKey;
use schemas::object::{
    Attestation, Body, Code, Content, Dataset, Deviation, Identity, Input, Limits, OperatingKey, Output,
    Provenance, Reason, Recipe, Release, Retraction, Scope, Snapshot, Sources, Structure, Supersedes, Use,
    encode,
};
use schemas::period::Period;
use schemas::seal::Sealed;
use schemas::structure::{Component, Role, Shape, Type};
use schemas::table::{Cell, Column, Table, Texts};
use schemas::text::{Name, Text};
use schemas::verdict::{Divergence, Verdict};

/// When the samples were signed: 2026-11-02T08:00:00Z.
pub const TIME: i64 = 1_793_606_400;

/// The source document of the samples.
pub const DOCUMENT: &[u8] = b"REF_AREA,TIME_PERIOD,OBS_VALUE\nAUT,2010,9.1\nAUT,2011,9.10\nBEL,2010,\n";

/// The key made from 32 equal bytes.
pub fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

/// A name.
pub fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

/// A text.
pub fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::new(text).expect("a text within its bound")
}

/// The encoding of a sample.
pub fn bytes<T: Body>(body: &T) -> Vec<u8> {
    encode(body).expect("a sample follows the rules")
}

/// The publisher of the samples: root key 1, operating keys 2 (publish) and 3 (attest).
pub fn identity() -> Identity {
    let operating = |seed, uses: &[Use]| OperatingKey { key: key(seed).public(), uses: uses.to_vec() };
    Identity {
        name: text("Office of Samples"),
        contact: Some(text("https://example.org/statistics")),
        roots: vec![key(1).public()],
        next_root: *Cid::of(Codec::Raw, key(9).public().as_bytes()).digest(),
        keys: vec![operating(2, &[Use::Publish]), operating(3, &[Use::Attest])],
    }
}

/// The source document.
pub fn snapshot() -> Snapshot {
    Snapshot {
        name: text("prices.csv"),
        media_type: text("text/csv"),
        size: DOCUMENT.len() as u64,
        blake3: *Cid::of(Codec::Raw, DOCUMENT).digest(),
        pieces: vec![PieceId::of(DOCUMENT)],
        url: Some(text("https://example.org/prices.csv")),
        fetched: Some(TIME - 3600),
        agency: Some(text("EXAMPLE")),
        licence: Some(text("CC-BY-4.0")),
    }
}

fn component(id: &str, role: Role, kind: Type) -> Component {
    Component::new(name(id), role, kind)
}

/// Two identifiers, one measure of each remaining type.
pub fn shape() -> Shape {
    let parts = vec![
        component("REF_AREA", Role::Identifier, Type::String),
        component("TIME_PERIOD", Role::Identifier, Type::TimePeriod),
        component("OBS_VALUE", Role::Measure, Type::Number),
        component("OBS_COUNT", Role::Measure, Type::Integer),
        component("ESTIMATED", Role::Attribute, Type::Boolean),
    ];
    Shape::new(parts).expect("a shape")
}

/// What the columns mean.
pub fn structure() -> Structure {
    let code = |id: &str, label: &str, aggregate| Code { id: text(id), name: text(label), aggregate };
    let areas =
        vec![code("AUT", "Austria", false), code("BEL", "Belgium", false), code("EU27", "Union", true)];
    Structure { components: shape(), codes: BTreeMap::from([(name("REF_AREA"), areas)]) }
}

/// Three data points with a null in each measure.
pub fn table() -> Table {
    let period = |text: &str| text.parse::<Period>().ok();
    let number = |text: &str| text.parse::<Decimal>().ok();
    let columns = vec![
        Column::Text(Texts::from_rows([Some("AUT"), Some("AUT"), Some("BEL")])),
        Column::Period(vec![period("2010"), period("2011"), period("2010")]),
        Column::Number(vec![number("9.1"), number("9.10"), None]),
        Column::Integer(vec![Some(300), None, Some(-7)]),
        Column::Boolean(vec![Some(false), Some(true), None]),
    ];
    Table::new(shape(), columns).expect("a table")
}

/// The rows of [`table`].
pub fn chunk() -> Chunk {
    Chunk::pack(table().columns(), 0, table().rows())
}

/// The content of [`table`] and its blocks.
pub fn content() -> (ContentId, Content) {
    let (id, blocks) = content::pack(&table(), structure().codes).expect("a content");
    let (_, block) = blocks.last().expect("the content comes last");
    (id, schemas::object::decode(block).expect("a content"))
}

/// The content, published.
pub fn dataset() -> Dataset {
    Dataset {
        dataflow: name("cpi"),
        title: text("Consumer prices, samples"),
        unit: Some(text("per cent")),
        content: content().0,
        provenance: Provenance::Import {
            snapshot: SnapshotId::of(&bytes(&snapshot())),
            importer: text("csv/1"),
        },
        plausibility_warnings: Vec::new(),
    }
}

/// [`dataset`], signed in spite of a doubt.
pub fn doubted() -> Dataset {
    let doubt = "spike: [AUT, 2011] is 910 between 9.1 and 9.3";
    Dataset { plausibility_warnings: vec![text(doubt)], ..dataset() }
}

/// A computation.
pub fn recipe() -> Recipe {
    let input = Input { title: text("Price index"), components: shape() };
    let output = Output { title: text("Inflation"), unit: text("per cent") };
    Recipe {
        title: text("Inflation, samples"),
        indicator: name("inflation"),
        script: text("inflation <- prices [calc OBS_VALUE := OBS_VALUE * 1];"),
        inputs: BTreeMap::from([(name("prices"), input)]),
        outputs: BTreeMap::from([(name("inflation"), output)]),
        semantics: 1,
        limits: Limits { steps: 1_000_000, cells: 1_000_000 },
        description: text("The figures as they are."),
        references: vec![text("https://example.org/method")],
        licence: text("CC0-1.0"),
        deviates_from: None,
    }
}

/// A recipe that departs from [`recipe`].
pub fn deviation() -> Recipe {
    let official = RecipeId::of(&bytes(&recipe()));
    let reasons = vec![text("Owners' housing is counted at its price, not at its rent.")];
    Recipe { deviates_from: Some(Deviation { recipe: official, reasons }), ..recipe() }
}

/// The claim that [`recipe`] on [`dataset`] gives [`content()`].
pub fn release() -> Release {
    Release {
        dataflow: name("inflation"),
        vintage: text("2026-11"),
        recipe: RecipeId::of(&bytes(&recipe())),
        inputs: BTreeMap::from([(name("prices"), DatasetId::of(&bytes(&dataset())))]),
        results: BTreeMap::from([(name("inflation"), content().0)]),
        steps: 42,
        supersedes: None,
    }
}

/// A release that takes the place of [`release`].
pub fn revision() -> Release {
    let earlier = ReleaseId::of(&bytes(&release()));
    let supersedes = Some(Supersedes { release: earlier, reason: Reason::SourceRevision });
    Release { vintage: text("2026-12"), supersedes, ..release() }
}

/// The result of [`release`] as a data set.
pub fn derived() -> Dataset {
    let provenance =
        Provenance::Release { release: ReleaseId::of(&bytes(&release())), output: name("inflation") };
    Dataset { dataflow: name("inflation"), unit: None, provenance, ..dataset() }
}

/// [`release`], taken back.
pub fn retraction() -> Retraction {
    Retraction {
        subject: ReleaseId::of(&bytes(&release())).cid(),
        scope: Scope::Whole,
        reason: text("The source was a draft."),
        replacement: None,
    }
}

/// One point of [`dataset`], taken back.
pub fn correction() -> Retraction {
    Retraction {
        subject: DatasetId::of(&bytes(&dataset())).cid(),
        scope: Scope::Points(vec![vec![text("AUT"), text("2010")]]),
        reason: text("A misprint."),
        replacement: Some(DatasetId::of(&bytes(&derived())).cid()),
    }
}

/// What somebody found who ran [`release`].
pub fn attestation(verdict: Verdict) -> Attestation {
    let found = matches!(verdict, Verdict::Reproduced { .. });
    let result = found.then(|| (name("inflation"), content().0));
    Attestation {
        release: ReleaseId::of(&bytes(&release())),
        verdict,
        results: result.into_iter().collect(),
        semantics: 1,
        build: text("assay/0.1.0"),
        sources: Sources::Kept,
    }
}

/// A verdict of each kind.
pub fn verdicts() -> Vec<Verdict> {
    let wide = Decimal::new(10_i128.pow(33), -20).ok().map(Cell::Number);
    let key = vec![Cell::Text("AUT".into()), Cell::Period("2010-M01".parse().expect("a month"))];
    let first = Divergence {
        output: name("inflation"),
        key,
        component: Some(name("OBS_VALUE")),
        published: wide,
        computed: Some(Cell::Number(Decimal::new(-91, -1).expect("a decimal"))),
    };
    vec![
        Verdict::Reproduced { cells: 9 },
        Verdict::Differs { first, count: 1, cells: 9 },
        Verdict::Missing { ids: vec![content().0.cid()], count: 1 },
        Verdict::Failed { code: text("vtl-type"), message: text("`prices` has no component `X`") },
    ]
}

/// The first entry of the samples' log.
pub fn genesis() -> Sealed<Entry> {
    entry::sign(Place::Genesis, TIME, &bytes(&identity()), &key(1)).expect("an entry")
}

/// The publisher of the samples.
pub fn publisher() -> PublisherId {
    genesis().publisher()
}

/// A place after `before`.
pub fn after(before: &Sealed<Entry>) -> Place {
    Place::Next { publisher: publisher(), seq: before.value().seq() + 1, prev: before.id(), authority: 0 }
}

/// An object signed by key `seed` for the place after `before`, a minute later.
pub fn next<T: Body>(before: &Sealed<Entry>, body: &T, seed: u8) -> Sealed<Entry> {
    entry::sign(after(before), before.value().time + 60, &bytes(body), &key(seed)).expect("an entry")
}

/// The log of the samples: identity, data set, recipe, release, attestation, retraction.
pub fn log() -> Vec<Sealed<Entry>> {
    let mut log = vec![genesis()];
    let mut push = |entry: fn(&Sealed<Entry>) -> Sealed<Entry>| log.push(entry(&log[log.len() - 1]));
    push(|before| next(before, &dataset(), 2));
    push(|before| next(before, &recipe(), 2));
    push(|before| next(before, &release(), 2));
    push(|before| next(before, &attestation(Verdict::Reproduced { cells: 9 }), 3));
    push(|before| next(before, &retraction(), 2));
    log
}

/// A recipe too large to stand inline.
pub fn large() -> Recipe {
    let script = format!("/* {} */", "x".repeat(schemas::limits::INLINE_BYTES_MAX));
    Recipe { script: text(&script), ..recipe() }
}

/// The id of an entry as bytes.
pub fn entry_bytes(id: EntryId) -> Vec<u8> {
    id.cid().to_bytes().to_vec()
}
