//! Runs every vector on `schemas` and compares result and deciding step.

use std::collections::BTreeMap;

use ledger::bundle::Bundle;
use ledger::verify::Verifier;
use schemas::address::Address;
use schemas::cbor::{self, CborRules};
use schemas::cid::{Cid, Codec};
use schemas::decimal::{self, Decimal};
use schemas::entry::Entry;
use schemas::key::PublicKey;
use schemas::limits::{BLOCK_BYTES_MAX, ENTRY_BYTES_MAX};
use schemas::object::Object;
use schemas::period::Period;
use schemas::seal::Sealed;
use schemas::verdict::{ComparedTable, Verdict};
use schemas::{car, limits};
use specs::vector::{VectorCase, VectorFile, VectorLevel};
use specs::{error_code, vector_files};
use testkit::hex::decode_hex;

use super::house::{read, walk};

/// Reads a checked-in vector file.
pub fn open(name: &str) -> VectorFile {
    VectorFile::parse(name, &read(&format!("specs/vectors/{name}")))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Result of a case: the deciding step, and `ok` or the error code.
type Outcome = (VectorLevel, &'static str);

fn run(name: &str, outcome: impl Fn(&VectorCase) -> Outcome) {
    let file = open(name);
    assert!(!file.cases.is_empty() && !file.about.is_empty());
    let mut errors = Vec::new();
    for case in &file.cases {
        let (level, found) = outcome(case);
        let right = found == case.expect && (found == "ok" || level == case.level);
        if !right {
            errors.push(format!(
                "`{}` ({}): expected {} at {:?}, found {found} at {level:?}",
                case.name, case.reason, case.expect, case.level
            ));
        }
    }
    assert!(errors.is_empty(), "{name}:\n  {}", errors.join("\n  "));
}

/// Checks the id of an accepted block.
fn check_id(case: &VectorCase, id: Cid) {
    assert_eq!(case.id, Some(id.to_string()), "{}", case.name);
}

fn object(case: &VectorCase) -> Outcome {
    let input = case.input();
    match Sealed::<Object>::open(input.clone()) {
        Ok(sealed) => {
            check_id(case, sealed.id());
            (VectorLevel::Object, "ok")
        }
        Err(error) => {
            let (level, code) = error_code::object_code(&error);
            if level == VectorLevel::Object {
                assert_eq!(
                    cbor::scan(&input, CborRules::DagCbor, |_| {}),
                    Ok(()),
                    "{}: an earlier step refuses the input",
                    case.name
                );
                assert!(input.len() <= BLOCK_BYTES_MAX, "{}: an earlier step refuses the input", case.name);
            }
            (level, code)
        }
    }
}

#[test]
fn cbor_is_strict() {
    run("cbor.json", |case| {
        let scanned = cbor::scan(&case.input(), CborRules::DagCbor, |_| {});
        scanned.map_or_else(|error| error_code::cbor_code(&error), |()| (VectorLevel::Cbor, "ok"))
    });
}

#[test]
fn objects_follow_their_rules() {
    run("object.json", object);
}

#[test]
fn chunks_have_one_coding() {
    run("chunk.json", object);
}

#[test]
fn contents_are_canonical() {
    run("content.json", |case| {
        let blocks = case.blocks.iter().map(|block| decode_hex(block));
        let held: BTreeMap<Cid, Vec<u8>> =
            blocks.map(|sample_block| (Cid::of(Codec::DagCbor, &sample_block), sample_block)).collect();
        let id = case.id.as_deref().and_then(|id| id.parse().ok()).expect("the id of a content");
        let read = schemas::content::unpack_table(id, |id| held.get(&id).cloned());
        read.map_or_else(|error| error_code::content_code(&error), |_| (VectorLevel::Content, "ok"))
    });
}

#[test]
fn entries_are_ours() {
    run("entry.json", |case| {
        let input = case.input();
        assert_eq!(input.len() > ENTRY_BYTES_MAX, case.level == VectorLevel::Size, "{}", case.name);
        match Sealed::<Entry>::open(input) {
            Ok(entry) => {
                check_id(case, entry.id().cid());
                (VectorLevel::Signature, "ok")
            }
            Err(error) => error_code::entry_code(&error),
        }
    });
}

#[test]
fn keys_are_sound() {
    run("key.json", |case| match PublicKey::new(&case.input()) {
        Ok(key) => {
            if let Some(did) = &case.value {
                assert_eq!(did.parse(), Ok(key));
                assert_eq!(&key.did(), did);
            }
            (VectorLevel::Signature, "ok")
        }
        Err(error) => error_code::key_code(error),
    });
}

#[test]
fn signatures_are_strict() {
    run("signature.json", |case| {
        let field = |field: &Option<String>| decode_hex(field.as_deref().expect("key and message"));
        let signature = case.input().try_into().expect("64 bytes");
        let checked =
            PublicKey::new(&field(&case.key)).and_then(|key| key.verify(&field(&case.message), &signature));
        checked.map_or_else(error_code::key_code, |()| (VectorLevel::Signature, "ok"))
    });
}

#[test]
fn files_of_blocks_are_checked() {
    run("car.json", |case| {
        let input = case.input();
        let blocks = car::open_archive(&input).and_then(|(_, blocks)| blocks.collect::<Result<Vec<_>, _>>());
        blocks.map_or_else(|error| error_code::car_code(&error), |_| (VectorLevel::Car, "ok"))
    });
}

/// The answer to a bundle, as `bundle.json` writes it.
fn bundle_answer(file: &[u8]) -> String {
    let bundle = match Bundle::read(file) {
        Ok(bundle) => bundle,
        Err(error) => return format!("refused {}", error.code()),
    };
    assert_eq!(bundle.roots.len(), 1, "one root a case");
    let root = bundle.roots[0];
    let fetch = |id: Cid| bundle.block(id);
    let verdict = Verifier::new(&fetch).verify_object(bundle.entries[&root].value().object());
    let mut words = vec![verdict.as_ref().map_or("complete", Verdict::as_str).to_owned()];
    match verdict {
        Some(Verdict::Differs { first, .. }) => words.push(match first.table {
            ComparedTable::Output(_) => "output".into(),
            ComparedTable::Dataset(_) => "dataset".into(),
            ComparedTable::Steps => "steps".into(),
        }),
        Some(Verdict::Invalid { code, .. } | Verdict::Failed { code, .. } | Verdict::NotRun { code, .. }) => {
            words.push(code.to_string())
        }
        _ => {}
    }
    let standing = bundle.standing(root);
    let marks = [
        (standing.retracted.is_some(), "retracted"),
        (!standing.retracted_points.is_empty(), "retracted-in-part"),
        (standing.superseded.is_some(), "superseded"),
        (standing.forked_at.is_some(), "contested"),
        (!bundle.contested_above(root).is_empty(), "above"),
    ];
    words.extend(marks.iter().filter(|(is_set, _)| *is_set).map(|(_, word)| (*word).to_owned()));
    words.join(" ")
}

#[test]
fn bundles_are_verified_by_every_rule() {
    let mut errors = Vec::new();
    for case in open("bundle.json").cases {
        let found = bundle_answer(&case.input());
        if found != case.expect {
            errors
                .push(format!("`{}` ({}): expected {}, found {found}", case.name, case.reason, case.expect));
        }
    }
    assert!(errors.is_empty(), "bundle.json:\n  {}", errors.join("\n  "));
}

/// A version that the code has and the document has not would make verifiers disagree in silence.
#[test]
fn readers_of_the_document_are_those_of_the_code() {
    let document = read("specs/readers.md");
    for format in ingest::Format::all() {
        let row = format!("| `{}` | {} | {} |", format.code(), format.title(), format.version());
        assert!(document.contains(&row), "readers.md lacks `{row}`");
    }
    let areas = schemas::digest::DocumentDigests::of(read("node/ingest/src/values/areas.txt").as_bytes());
    let digest = schemas::digest::format_hex(&areas.sha256);
    assert!(document.contains(&digest), "readers.md names another list of areas than {digest}");
}

#[test]
fn ids_have_one_spelling() {
    run("id.json", |case| match case.text.as_deref().unwrap_or_default().parse::<Cid>() {
        Ok(id) => {
            assert_eq!(id.to_bytes().as_slice(), case.input(), "{}", case.name);
            (VectorLevel::Id, "ok")
        }
        Err(error) => error_code::id_code(&error),
    });
}

#[test]
fn addresses_have_one_spelling() {
    run("address.json", |case| match case.text.as_deref().unwrap_or_default().parse::<Address>() {
        Ok(address) => {
            assert_eq!(case.value, Some(address.to_string()));
            (VectorLevel::Value, "ok")
        }
        Err(_) => (VectorLevel::Value, "syntax"),
    });
}

#[test]
fn periods_have_one_spelling() {
    run("period.json", |case| match case.text.as_deref().unwrap_or_default().parse::<Period>() {
        Ok(period) => {
            assert_eq!(case.value, Some(period.to_string()));
            (VectorLevel::Value, "ok")
        }
        Err(_) => (VectorLevel::Value, "syntax"),
    });
}

#[test]
fn decimals_keep_their_digits() {
    run("decimal.json", |case| match case.text.as_deref().unwrap_or_default().parse::<Decimal>() {
        Ok(number) => {
            assert_eq!(case.value, Some(format!("{number:?}")));
            (VectorLevel::Value, "ok")
        }
        Err(decimal::Error::Syntax(_)) => (VectorLevel::Value, "syntax"),
        Err(decimal::Error::Digits) => (VectorLevel::Value, "digits"),
        Err(decimal::Error::Exponent) => (VectorLevel::Value, "exponent"),
    });
}

#[test]
fn signatures_of_the_standard_come_out() {
    // RFC 8032, section 7.1, test 1: the public key and the first bytes of the signature.
    let file = open("signature.json");
    let first = file.cases.iter().find(|case| case.name == "RFC 8032 test 1").expect("test 1");
    let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    assert_eq!(first.key.as_deref(), Some(key));
    assert!(first.bytes.starts_with("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"));
}

#[test]
fn checked_in_vectors_are_what_the_generator_prints() {
    for file in vector_files() {
        let path = format!("specs/vectors/{}.json", file.name);
        let there = std::fs::read_to_string(super::house::root().join(&path)).unwrap_or_default();
        assert!(there == file.to_json(), "{path} is out of date: run `cargo xtask vectors`");
    }
}

#[test]
fn every_vector_file_is_generated_and_opened() {
    let mut tests = String::new();
    for path in walk("").iter().filter(|path| path.ends_with(".rs") && !path.starts_with("specs/src/")) {
        tests.push_str(&read(path));
    }
    for path in walk("specs/vectors") {
        let name = path.rsplit('/').next().unwrap_or_default();
        assert!(tests.contains(&format!("\"{name}\"")), "{path} is not opened by any test");
        let known = vector_files().iter().any(|file| format!("{}.json", file.name) == name);
        assert!(known, "{path} has no generator");
    }
}

#[test]
fn bounds_of_the_documents_are_those_of_the_code() {
    let text = read("specs/objects.md");
    for (name, value) in [
        ("BLOCK_BYTES_MAX", limits::BLOCK_BYTES_MAX as u64),
        ("ENTRY_BYTES_MAX", limits::ENTRY_BYTES_MAX as u64),
        ("INLINE_BYTES_MAX", limits::INLINE_BYTES_MAX as u64),
        ("CHUNK_BYTES_MAX", limits::CHUNK_BYTES_MAX as u64),
        ("PIECE_BYTES_MAX", limits::PIECE_BYTES_MAX as u64),
        ("SNAPSHOT_BYTES_MAX", limits::SNAPSHOT_BYTES_MAX),
        ("DEPTH_MAX", limits::DEPTH_MAX as u64),
        ("ITEMS_MAX", limits::ITEMS_MAX as u64),
        ("NAME_BYTES_MAX", limits::NAME_BYTES_MAX as u64),
        ("CELL_BYTES_MAX", limits::CELL_BYTES_MAX as u64),
        ("COMPONENTS_MAX", limits::COMPONENTS_MAX as u64),
        ("ROWS_MAX", limits::ROWS_MAX as u64),
        ("CHUNK_ROWS_MAX", schemas::chunk::CHUNK_ROWS_MAX as u64),
        ("KEYS_MAX", schemas::object::KEYS_MAX as u64),
        ("PORTS_MAX", schemas::object::PORTS_MAX as u64),
        ("NOTES_MAX", schemas::object::NOTES_MAX as u64),
        ("CHUNKS_MAX", schemas::object::CHUNKS_MAX as u64),
        ("CODES_MAX", schemas::object::CODES_MAX as u64),
        ("MISSING_MAX", schemas::verdict::MISSING_MAX as u64),
        ("ROOTS_MAX", schemas::car::ROOTS_MAX as u64),
    ] {
        let row = format!("| `{name}` | {value} |");
        assert!(text.contains(&row), "specs/objects.md should hold the row {row}");
    }
}

#[test]
fn ids_in_the_vectors_are_hashes_of_the_bytes() {
    for (name, codec) in
        [("object.json", Codec::DagCbor), ("chunk.json", Codec::DagCbor), ("entry.json", Codec::Raw)]
    {
        for case in open(name).cases.iter().filter(|case| case.expect == "ok") {
            check_id(case, Cid::of(codec, &case.input()));
        }
    }
}

/// The bytes of the example in the code block `name` of a document.
fn example_bytes(document: &str, name: &str) -> String {
    let text = read(document);
    let block = text.split(&format!("```{name}\n")).nth(1).and_then(|rest| rest.split("```").next());
    let code = block.expect("the example").lines().map(|line| line.split(';').next().unwrap_or_default());
    code.collect::<String>().split_whitespace().collect()
}

#[test]
fn the_worked_examples_of_messages_are_vectors() {
    let bytes_of = |file: &str, name: &str| {
        open(file).cases.into_iter().find(|case| case.name == name).expect("the case").bytes
    };
    let network = |name| example_bytes("specs/network.md", name);
    assert_eq!(network("announcement"), bytes_of("announcement.json", "one head"));
    assert_eq!(network("request"), bytes_of("stream.json", "frame: a request"));
}

#[test]
fn the_worked_example_of_an_entry_is_the_genesis_of_the_samples() {
    let (text, digits) = (read("specs/log.md"), example_bytes("specs/log.md", "entry"));
    let genesis = open("entry.json").cases.into_iter().find(|case| case.name == "identity at 0");
    let genesis = genesis.expect("the genesis");
    assert_eq!(digits, genesis.bytes);
    assert!(text.contains(&genesis.id.expect("an id")));
}

#[test]
fn the_worked_example_is_the_sample() {
    let (text, digits) = (read("specs/objects.md"), example_bytes("specs/objects.md", "chunk"));
    let sample = open("chunk.json").cases.into_iter().find(|case| case.name == "sample").expect("the sample");
    assert_eq!(digits, sample.bytes);
    assert!(text.contains(&sample.id.expect("an id")));
}
