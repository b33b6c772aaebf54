//! Vectors of bundles: at least one for each rule of verification (specs/bundle.md, section 3).
//!
//! `expect` is `refused <code>` for rules 1 to 8; else the verdict on the root (`complete` when nothing
//! of it can be recomputed) with its code or the table that differs, then the words of its standing.

use std::collections::BTreeMap;

use ledger::bundle::write_bundle;
use ledger::compute::{InputData, run_recipe};
use ledger::vtl::RunCeilings;
use schemas::car;
use schemas::cbor::CborRules;
use schemas::chunk::Chunk;
use schemas::cid::{Cid, Codec, ContentId, DatasetId, EntryId, ReleaseId, SnapshotId};
use schemas::entry::{Entry, EntryPosition, sign_entry};
use schemas::limits::INLINE_BYTES_MAX;
use schemas::object::{
    ChunkRef, Content, Dataset, Import, ObjectType, Provenance, Reader, Recipe, Release, Retraction,
    RetractionScope, RevisionReason, Snapshot, Structure, Supersession, decode_object,
};
use schemas::seal::Sealed;
use schemas::table::{Column, Table, TextColumn};
use schemas::text::Text;
use testkit::Publisher;
use testkit::prices::{
    area_codes, claimed_release, csv_snapshot, imported_dataset, inflation_recipe, price_components,
    price_table, value_table,
};
use testkit::publisher::operating_key;
use testkit::sample::{encode_object, make_name, make_text};

use crate::cbor_tree::{CborNode, bytes_node, text_node};
use crate::vector::{VectorCase, VectorFile, VectorLevel};

/// `bundle.json`.
pub fn vector_file() -> VectorFile {
    let cases = [
        file_cases(),
        entry_cases(),
        closure_cases(),
        document_cases(),
        reader_cases(),
        upstream_cases(),
        run_cases(),
        standing_cases(),
        other_roots(),
    ];
    VectorFile::new("bundle", "Bundles, each with the answer of a verifier.", cases.concat())
}

fn bundle_case(name: &str, expect: &str, file: &[u8], reason: &str) -> VectorCase {
    VectorCase::refused(name, VectorLevel::Bundle, expect, file, reason)
}

/// A publisher with a release that holds; nothing is signed yet.
fn stored_release() -> (Publisher, ReleaseId) {
    let mut publisher = Publisher::new(1);
    let release = publisher.store_reproducible_release();
    (publisher, release)
}

/// Reads a stored object.
fn load_object<T: ObjectType>(publisher: &Publisher, id: Cid) -> T {
    decode_object(&publisher.blocks[&id]).expect("a stored object")
}

/// Stores a changed copy of an object.
fn edit_object<T: ObjectType>(publisher: &mut Publisher, id: Cid, change: impl FnOnce(&mut T)) -> T::Id {
    let mut body: T = load_object(publisher, id);
    change(&mut body);
    publisher.store_object(&body)
}

/// The data set of a release.
fn input_of(publisher: &Publisher, release: ReleaseId) -> DatasetId {
    load_object::<Release>(publisher, release.cid()).inputs[&make_name("CPI")]
}

/// The release with another data set as its input.
fn with_dataset(publisher: &mut Publisher, release: ReleaseId, dataset: DatasetId) -> ReleaseId {
    edit_object::<Release>(publisher, release.cid(), |release| {
        release.inputs = BTreeMap::from([(make_name("CPI"), dataset)]);
    })
}

/// The release with its data set changed.
fn with_dataset_edit(change: impl FnOnce(&mut Publisher, &mut Dataset)) -> Vec<u8> {
    let (mut publisher, release) = stored_release();
    let mut dataset: Dataset = load_object(&publisher, input_of(&publisher, release).cid());
    change(&mut publisher, &mut dataset);
    let dataset = publisher.store_object(&dataset);
    let release = with_dataset(&mut publisher, release, dataset);
    export_object(&mut publisher, release.cid())
}

/// The release with the provenance of its data set changed.
fn with_import_edit(change: impl FnOnce(&mut Publisher, &mut Import)) -> Vec<u8> {
    with_dataset_edit(|publisher, dataset| {
        let Provenance::Import(import) = &mut dataset.provenance else { panic!("an import") };
        change(publisher, import);
    })
}

/// The release with the snapshot of its document changed.
fn with_snapshot_edit(change: impl FnOnce(&mut Snapshot)) -> Vec<u8> {
    with_import_edit(|publisher, import| {
        let snapshot = edit_object::<Snapshot>(publisher, import.documents[0].cid(), change);
        import.documents = vec![snapshot];
    })
}

/// The release on another document than its table was read from.
fn with_document(document: &str) -> Vec<u8> {
    with_import_edit(|publisher, import| import.documents = vec![store_document(publisher, document)])
}

fn store_document(publisher: &mut Publisher, document: &str) -> SnapshotId {
    let (snapshot, blocks) = csv_snapshot("cpi.csv", document.as_bytes());
    publisher.blocks.extend(blocks);
    snapshot
}

/// Signs an object and exports its bundle.
fn export_object(publisher: &mut Publisher, object: Cid) -> Vec<u8> {
    let root = publisher.sign_stored(object).id();
    export_entries(publisher, &[root], &[])
}

fn export_entries(publisher: &Publisher, roots: &[EntryId], beside: &[EntryId]) -> Vec<u8> {
    write_bundle(roots, beside, &|id| publisher.block(id)).expect("all blocks are stored")
}

/// The records of a file.
fn read_records(file: &[u8]) -> (Vec<Cid>, Vec<(Cid, Vec<u8>)>) {
    let (roots, records) = car::open_archive(file).expect("a bundle");
    let records = records.map(|record| record.map(|(id, bytes)| (id, bytes.to_vec())).expect("a record"));
    (roots, records.collect())
}

fn write_file(roots: &[Cid], records: &[(Cid, Vec<u8>)]) -> Vec<u8> {
    let records = records.iter().map(|(id, bytes)| car::encode_record(*id, bytes));
    [car::encode_header(roots), records.collect::<Vec<_>>().concat()].concat()
}

/// The file without one block.
fn without_blocks(file: &[u8], is_dropped: impl Fn(&Cid, &[u8]) -> bool) -> Vec<u8> {
    let (roots, mut records) = read_records(file);
    records.retain(|(id, bytes)| !is_dropped(id, bytes));
    write_file(&roots, &records)
}

fn valid_bundle() -> Vec<u8> {
    let (mut publisher, release) = stored_release();
    export_object(&mut publisher, release.cid())
}

fn file_cases() -> Vec<VectorCase> {
    let file = valid_bundle();
    let (roots, blocks) = read_records(&file);
    let mut flipped = file.clone();
    *flipped.last_mut().expect("a byte") ^= 1;
    let mut reversed = blocks.clone();
    reversed.reverse();
    let twice = [blocks.as_slice(), &blocks[..1]].concat();
    let stranger = Cid::of(Codec::Raw, b"nobody");
    let stray = [blocks.as_slice(), &[(stranger, b"nobody".to_vec())]].concat();
    vec![
        bundle_case("a release that holds", "reproduced", &file, "rules 1 to 17"),
        bundle_case("blocks in another order", "reproduced", &write_file(&roots, &reversed), "any order"),
        bundle_case("a block twice", "reproduced", &write_file(&roots, &twice), "one copy is kept"),
        bundle_case("a cut record", "refused framing", &file[..file.len() - 1], "rule 1"),
        bundle_case("a changed byte", "refused hash", &flipped, "rule 2"),
        bundle_case("a root that is absent", "refused root", &write_file(&[stranger], &blocks), "rule 3"),
        bundle_case(
            "a root that is an object",
            "refused root",
            &write_file(&[object_id(&blocks)], &blocks),
            "rule 3",
        ),
        bundle_case("a block of no use", "refused unreferenced", &write_file(&roots, &stray), "rule 8"),
    ]
}

/// The id of some object of a file.
fn object_id(blocks: &[(Cid, Vec<u8>)]) -> Cid {
    blocks.iter().find(|(id, _)| id.codec() == Codec::DagCbor).expect("an object").0
}

/// A recipe beyond the bound of inline objects.
fn large_recipe() -> Recipe {
    let script = format!("INFLATION <- CPI; /* {} */", "x".repeat(INLINE_BYTES_MAX));
    inflation_recipe(&script)
}

fn entry_cases() -> Vec<VectorCase> {
    let (mut publisher, release) = stored_release();
    let object = publisher.blocks[&release.cid()].clone();
    let genesis = publisher.genesis();
    let position = publisher.log.next_position();
    let mut spoilt = sign_entry(position, 0, &object, &operating_key(1)).expect("an entry").bytes().to_vec();
    *spoilt.last_mut().expect("a signature") ^= 1;
    let file = export_object(&mut publisher, release.cid());
    let (roots, blocks) = read_records(&file);
    let exchange = |entry: &[u8]| {
        let id = EntryId::of(entry).cid();
        let mut blocks = blocks.clone();
        blocks.retain(|(id, _)| *id != roots[0]);
        blocks.push((id, entry.to_vec()));
        write_file(&[id], &blocks)
    };
    let foreign = sign_entry(position, 0, &object, &operating_key(2)).expect("an entry");
    let large = publisher.store_object(&large_recipe());
    let linked = export_object(&mut publisher, large.cid());
    vec![
        bundle_case("a spoilt signature", "refused entry", &exchange(&spoilt), "rule 4"),
        bundle_case(
            "an entry without its genesis",
            "refused genesis",
            &without_blocks(&file, |id, _| *id == genesis.id().cid()),
            "rule 5",
        ),
        bundle_case("a key without the right", "refused key", &exchange(foreign.bytes()), "rule 6"),
        bundle_case("a large recipe by its id", "complete", &linked, "its object is in the file"),
        bundle_case(
            "a large recipe without its object",
            "refused object",
            &without_blocks(&linked, |id, _| *id == large.cid()),
            "rule 7",
        ),
    ]
}

/// A content whose only chunk has these bytes, as a data set without a document.
fn stated_chunk(publisher: &mut Publisher, chunk: Vec<u8>, rows: u32) -> DatasetId {
    let structure = Structure { components: price_components(), codes: BTreeMap::new() };
    let structure = publisher.store_object(&structure);
    let id = Cid::of(Codec::DagCbor, &chunk);
    publisher.blocks.insert(id, chunk);
    let chunk = schemas::cid::ChunkId::try_from(id).expect("a chunk");
    let content = Content { structure, rows: u64::from(rows), chunks: vec![ChunkRef { chunk, rows }] };
    let content = publisher.store_object(&content);
    store_stated(publisher, content)
}

fn store_stated(publisher: &mut Publisher, content: ContentId) -> DatasetId {
    let (snapshot, _) = csv_snapshot("cpi.csv", b"none");
    let dataset = Dataset { provenance: Provenance::Stated, ..imported_dataset(content, snapshot) };
    publisher.store_object(&dataset)
}

/// A stated data set with these columns in one chunk, whatever their order.
fn stated_columns(areas: &[Option<&str>], periods: &[&str], values: &[&str]) -> Vec<u8> {
    let mut publisher = Publisher::new(1);
    let columns = [
        Column::Text(TextColumn::from_rows(areas.iter().copied())),
        Column::Period(periods.iter().map(|period| period.parse().ok()).collect()),
        Column::Number(values.iter().map(|value| value.parse().ok()).collect()),
    ];
    let chunk = encode_object(&Chunk::encode_column(&columns, 0, areas.len()));
    let dataset = stated_chunk(&mut publisher, chunk, areas.len() as u32);
    export_object(&mut publisher, dataset.cid())
}

/// A valid chunk with the runs of its areas split.
fn split_runs() -> Vec<u8> {
    let mut publisher = Publisher::new(1);
    let table = value_table(&[("FRA", "2015", "1"), ("FRA", "2016", "2")]);
    let chunk = encode_object(&Chunk::encode_column(table.columns(), 0, 2));
    let mut node = CborNode::decode(&chunk, CborRules::DagCbor);
    let areas = node.field("columns").items().first_mut().expect("the areas");
    areas.field("text").set(text_node("codes"), bytes_node([1, 1, 1, 1]));
    let dataset = stated_chunk(&mut publisher, node.encode(), 2);
    export_object(&mut publisher, dataset.cid())
}

fn closure_cases() -> Vec<VectorCase> {
    let file = valid_bundle();
    let is_chunk = |_: &Cid, bytes: &[u8]| decode_object::<Chunk>(bytes).is_ok();
    let wrong_type = with_dataset_edit(|publisher, dataset| {
        let content: Content = load_object(publisher, dataset.content.cid());
        dataset.content = ContentId::try_from(content.structure.cid()).expect("an object");
    });
    let trailing = {
        let mut publisher = Publisher::new(1);
        let release = publisher.store_claim(&value_table(&[("DEU", "2016", "0.50"), ("FRA", "2016", "0.2")]));
        export_object(&mut publisher, release.cid())
    };
    let areas = [Some("DEU"), Some("FRA")];
    vec![
        bundle_case("without a chunk", "missing", &without_blocks(&file, is_chunk), "rule 9"),
        bundle_case("a structure as content", "invalid object", &wrong_type, "rule 10"),
        bundle_case("a chunk with split runs", "invalid content", &split_runs(), "rule 11: one coding"),
        bundle_case(
            "rows in another order",
            "invalid content",
            &stated_columns(&[Some("FRA"), Some("DEU")], &["2015", "2015"], &["1", "2"]),
            "rule 11: canonical order",
        ),
        bundle_case(
            "two rows with one key",
            "invalid content",
            &stated_columns(&[Some("FRA"), Some("FRA")], &["2015", "2015"], &["1", "2"]),
            "rule 11: distinct keys",
        ),
        bundle_case(
            "an identifier that is null",
            "invalid content",
            &stated_columns(&[None, Some("FRA")], &["2015", "2015"], &["1", "2"]),
            "rule 11: no identifier is null",
        ),
        bundle_case(
            "rows in order",
            "complete",
            &stated_columns(&areas, &["2015", "2015"], &["1.0", "2"]),
            "rule 11",
        ),
        bundle_case(
            "a result with trailing zeros",
            "invalid content",
            &trailing,
            "rule 11: results are normalised",
        ),
    ]
}

fn document_cases() -> Vec<VectorCase> {
    let altered = with_import_edit(|publisher, import| {
        let other = b"another document".to_vec();
        let piece = schemas::cid::PieceId::of(&other);
        publisher.blocks.insert(piece.cid(), other);
        let snapshot = edit_object::<Snapshot>(publisher, import.documents[0].cid(), |snapshot| {
            snapshot.pieces = vec![piece];
        });
        import.documents = vec![snapshot];
    });
    vec![
        bundle_case(
            "another BLAKE3 digest",
            "invalid document",
            &with_snapshot_edit(|snapshot| snapshot.blake3[0] ^= 1),
            "rule 12",
        ),
        bundle_case(
            "another SHA-256 digest",
            "invalid document",
            &with_snapshot_edit(|snapshot| snapshot.sha256[0] ^= 1),
            "rule 12",
        ),
        bundle_case(
            "another size",
            "invalid document",
            &with_snapshot_edit(|snapshot| snapshot.size -= 1),
            "rule 12",
        ),
        bundle_case("another piece", "invalid document", &altered, "rule 12"),
    ]
}

const DOCUMENT: &str =
    "REF_AREA,TIME_PERIOD,OBS_VALUE\nDEU,2015,100\nDEU,2016,100.5\nFRA,2015,100\nFRA,2016,";

fn reader_cases() -> Vec<VectorCase> {
    let reader = |format: &str, version: u32| Reader { format: make_name(format), version };
    let other_codes = with_dataset_edit(|publisher, dataset| {
        let (content, blocks) =
            schemas::content::pack_table(&price_table(), BTreeMap::new()).expect("a content");
        publisher.blocks.extend(blocks);
        dataset.content = content;
    });
    let later = |document: Option<&str>| {
        with_import_edit(|publisher, import| {
            import.reader = reader("csv", 4_000_000_000);
            if let Some(document) = document {
                import.documents = vec![store_document(publisher, document)];
            }
        })
    };
    vec![
        bundle_case(
            "a document with another figure",
            "differs dataset",
            &with_document(&format!("{DOCUMENT}100.3\n")),
            "rule 13",
        ),
        bundle_case(
            "a document with other digits",
            "differs dataset",
            &with_document(&format!("{DOCUMENT}100.20\n")),
            "rule 13",
        ),
        bundle_case(
            "a document with one row less",
            "differs dataset",
            &with_document("REF_AREA,TIME_PERIOD,OBS_VALUE\nDEU,2015,100\nDEU,2016,100.5\nFRA,2016,100.2\n"),
            "rule 13",
        ),
        bundle_case(
            "a document with its rows in another order",
            "reproduced",
            &with_document(
                "REF_AREA,TIME_PERIOD,OBS_VALUE\nFRA,2016,100.2\nFRA,2015,100\nDEU,2015,100\nDEU,2016,100.5\n",
            ),
            "rule 13: the data decide",
        ),
        bundle_case(
            "a document that cannot be read",
            "invalid reader",
            &with_document("nothing\n"),
            "rule 13",
        ),
        bundle_case("data without the code list of the reader", "differs dataset", &other_codes, "rule 13"),
        bundle_case("a later reader that reads the same", "reproduced", &later(None), "rule 13"),
        bundle_case(
            "a later reader that reads otherwise",
            "not_run reader-version",
            &later(Some(&format!("{DOCUMENT}100.3\n"))),
            "rule 13",
        ),
        bundle_case(
            "an unknown format",
            "not_run reader",
            &with_import_edit(|_, import| import.reader = reader("tablet", 1)),
            "rule 13",
        ),
        bundle_case(
            "data that the publisher states",
            "reproduced",
            &with_dataset_edit(|_, dataset| dataset.provenance = Provenance::Stated),
            "rule 15: there is no document",
        ),
    ]
}

/// A release of the identity recipe on a data set that names an output of `above` as its origin.
fn release_on(publisher: &mut Publisher, above: ReleaseId, output: &str, data: &Table) -> ReleaseId {
    let (snapshot, _) = csv_snapshot("none.csv", b"none");
    let content = publisher.store_content(data);
    let provenance = Provenance::Release { release: above, output: make_name(output) };
    let dataset = publisher.store_object(&Dataset { provenance, ..imported_dataset(content, snapshot) });
    let plan = inflation_recipe("INFLATION <- CPI;");
    let structure = Structure { components: data.shape().clone(), codes: area_codes(data) };
    let input = InputData { structure, table: data.clone() };
    let run = run_recipe(&plan, BTreeMap::from([(make_name("CPI"), input)]), &RunCeilings::default());
    let steps = run.expect("the data themselves").steps;
    let recipe = publisher.store_object(&plan);
    let results = BTreeMap::from([(make_name("INFLATION"), content)]);
    publisher.store_object(&claimed_release(recipe, dataset, results, steps))
}

fn true_rates() -> Table {
    value_table(&[("DEU", "2016", "0.5"), ("FRA", "2016", "0.2")])
}

fn false_rates() -> Table {
    value_table(&[("DEU", "2016", "0.4"), ("FRA", "2016", "0.2")])
}

fn upstream_cases() -> Vec<VectorCase> {
    let chain = |above: &Table, output: &str, below: &Table| {
        let mut publisher = Publisher::new(1);
        let above = publisher.store_claim(above);
        let release = release_on(&mut publisher, above, output, below);
        export_object(&mut publisher, release.cid())
    };
    let deep = {
        let mut publisher = Publisher::new(1);
        let mut release = publisher.store_claim(&true_rates());
        for _ in 0..=ledger::verify::RELEASE_DEPTH_MAX {
            release = release_on(&mut publisher, release, "INFLATION", &true_rates());
        }
        export_object(&mut publisher, release.cid())
    };
    let [right, wrong] = [true_rates(), false_rates()];
    vec![
        bundle_case("data of a release above", "reproduced", &chain(&right, "INFLATION", &right), "rule 14"),
        bundle_case(
            "data that the release above does not give",
            "differs dataset",
            &chain(&right, "INFLATION", &wrong),
            "rule 14",
        ),
        bundle_case(
            "data of a false release",
            "differs dataset",
            &chain(&wrong, "INFLATION", &wrong),
            "rule 14: it is run again",
        ),
        bundle_case(
            "data of an output that is not there",
            "invalid object",
            &chain(&right, "RATE", &right),
            "rule 14",
        ),
        bundle_case("releases too deep", "not_run depth", &deep, "rule 14"),
    ]
}

fn run_cases() -> Vec<VectorCase> {
    let claimed = |table: &Table| {
        let mut publisher = Publisher::new(1);
        let release = publisher.store_claim(table);
        export_object(&mut publisher, release.cid())
    };
    let edited = |change: &dyn Fn(&mut Publisher, &mut Release)| {
        let (mut publisher, release) = stored_release();
        let mut body: Release = load_object(&publisher, release.cid());
        change(&mut publisher, &mut body);
        let release = publisher.store_object(&body);
        export_object(&mut publisher, release.cid())
    };
    let no_codes = edited(&|publisher, release| {
        let (content, blocks) =
            schemas::content::pack_table(&true_rates(), BTreeMap::new()).expect("a content");
        publisher.blocks.extend(blocks);
        release.results = BTreeMap::from([(make_name("INFLATION"), content)]);
    });
    let script = edited(&|publisher, release| {
        release.recipe = publisher.store_object(&inflation_recipe("INFLATION <- CPY;"));
    });
    let outputs = edited(&|_, release| {
        let results = release.results.values().copied().map(|content| (make_name("OTHER"), content));
        release.results = results.collect();
    });
    vec![
        bundle_case("a script that does not check", "failed unknown-name", &script, "rule 15"),
        bundle_case("results under other names", "failed outputs", &outputs, "rule 15"),
        bundle_case("a false figure", "differs output", &claimed(&false_rates()), "rule 16"),
        bundle_case(
            "a figure left out",
            "differs output",
            &claimed(&value_table(&[("FRA", "2016", "0.2")])),
            "rule 16",
        ),
        bundle_case("a result without its code list", "invalid canonical", &no_codes, "rule 16"),
        bundle_case("other steps", "differs steps", &edited(&|_, release| release.steps += 1), "rule 17"),
    ]
}

/// Signs a retraction, and returns its entry.
fn sign_retraction(publisher: &mut Publisher, subject: Cid, scope: RetractionScope) -> EntryId {
    let reason = make_text("A row was read twice.");
    let retraction = Retraction { subject, scope, reason, replacement: None };
    publisher.sign_object(&encode_object(&retraction), Vec::new()).id()
}

/// The bundle of a release with entries that were signed after it.
fn with_later(later: impl FnOnce(&mut Publisher, ReleaseId, &Sealed<Entry>) -> Vec<EntryId>) -> Vec<u8> {
    let (mut publisher, release) = stored_release();
    let root = publisher.sign_stored(release.cid());
    let beside = later(&mut publisher, release, &root);
    export_entries(&publisher, &[root.id()], &beside)
}

fn standing_cases() -> Vec<VectorCase> {
    let whole = RetractionScope::Whole;
    let point = RetractionScope::Points(vec![vec![make_text("DEU"), make_text("2016")]]);
    let by_object = with_later(|publisher, release, _| {
        vec![sign_retraction(publisher, release.cid(), RetractionScope::Whole)]
    });
    let by_entry = with_later(|publisher, _, root| vec![sign_retraction(publisher, root.id().cid(), whole)]);
    let of_point = with_later(|publisher, release, _| vec![sign_retraction(publisher, release.cid(), point)]);
    let of_dataset = with_later(|publisher, release, _| {
        let dataset = input_of(publisher, release);
        let published = publisher.sign_stored(dataset.cid()).id();
        vec![published, sign_retraction(publisher, dataset.cid(), RetractionScope::Whole)]
    });
    let by_another = with_later(|publisher, release, _| {
        let mut other = Publisher::new(2);
        let entry = sign_retraction(&mut other, release.cid(), RetractionScope::Whole);
        publisher.blocks.extend(other.blocks);
        vec![entry]
    });
    let superseded = with_later(|publisher, release, _| {
        let later = edit_object::<Release>(publisher, release.cid(), |later| {
            later.vintage = make_text("2");
            later.supersedes = Some(Supersession { release, reason: RevisionReason::PublisherError });
        });
        vec![publisher.sign_stored(later.cid()).id()]
    });
    let forked = with_later(|publisher, release, root| {
        let seq = root.value().seq();
        let prev = publisher.genesis().id();
        let position = EntryPosition::Next { publisher: publisher.id(), seq, prev, authority: 0 };
        let scope = RetractionScope::Whole;
        let reason: Text<1024> = make_text("Another history.");
        let subject = publisher.genesis().id().cid();
        let retraction = Retraction { subject, scope, reason, replacement: None };
        let rival =
            sign_entry(position, 0, &encode_object(&retraction), &operating_key(1)).expect("an entry");
        let _ = release;
        publisher.blocks.insert(rival.id().cid(), rival.bytes().to_vec());
        publisher.blocks.insert(rival.value().object(), encode_object(&retraction));
        vec![rival.id()]
    });
    vec![
        bundle_case("a retracted release", "reproduced retracted", &by_object, "by the id of the object"),
        bundle_case("a retracted entry", "reproduced retracted", &by_entry, "by the id of the entry"),
        bundle_case("a retracted data point", "reproduced retracted-in-part", &of_point, "the others hold"),
        bundle_case("a retracted data set", "reproduced above", &of_dataset, "the release rests on it"),
        bundle_case("a retraction by another publisher", "reproduced", &by_another, "it has no effect"),
        bundle_case(
            "a superseded release",
            "reproduced superseded",
            &superseded,
            "by a later one of its dataflow",
        ),
        bundle_case("two histories", "reproduced contested", &forked, "two entries with one number"),
    ]
}

fn other_roots() -> Vec<VectorCase> {
    let root = |store: &dyn Fn(&mut Publisher, ReleaseId) -> Cid| {
        let (mut publisher, release) = stored_release();
        let object = store(&mut publisher, release);
        export_object(&mut publisher, object)
    };
    let genesis = {
        let publisher = Publisher::new(1);
        export_entries(&publisher, &[publisher.genesis().id()], &[])
    };
    let twice = {
        let (mut publisher, release) = stored_release();
        let root = publisher.sign_stored(release.cid()).id();
        export_entries(&publisher, &[root, root], &[])
    };
    vec![
        bundle_case("an identity as root", "complete", &genesis, "its entry is checked"),
        bundle_case(
            "a data set as root",
            "reproduced",
            &root(&|publisher, release| input_of(publisher, release).cid()),
            "rules 9 to 14",
        ),
        bundle_case(
            "a recipe as root",
            "complete",
            &root(&|publisher, release| load_object::<Release>(publisher, release.cid()).recipe.cid()),
            "its script is checked",
        ),
        bundle_case(
            "a recipe that does not check as root",
            "failed unknown-name",
            &root(&|publisher, _| publisher.store_object(&inflation_recipe("INFLATION <- CPY;")).cid()),
            "its script is checked",
        ),
        bundle_case(
            "an attestation as root",
            "complete",
            &root(&|publisher, release| {
                let found = ledger::verify::verify_release(release, &|id| publisher.block(id));
                publisher.store_object(&found.attestation(make_text("assay/test"))).cid()
            }),
            "its tables are checked",
        ),
        bundle_case("one root twice", "reproduced", &twice, "it is verified once"),
    ]
}
