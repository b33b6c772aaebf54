//! Entries decoded and encoded by coset, compared with the project.

use coset::cbor::value::Value;
use coset::iana::{Algorithm, EnumI64};
use coset::{ContentType, CoseSign1, CoseSign1Builder, Header, HeaderBuilder, Label, TaggedCborSerializable};
use schemas::entry::{Entry, EntryPosition, Payload};
use schemas::seal::Sealed;
use specs::cbor_tree::{CborNode, text_node};
use specs::entry_vectors::{EntryDraft, signed_bytes, split_entry};
use testkit::sample;

use super::mutation::{Random, change};
use super::{SEED, cases};

/// Number of entries in the mutation run.
const ROUNDS: usize = 4_000;

fn integer(value: &Value) -> i128 {
    value.as_integer().map(i128::from).expect("an integer")
}

fn label<'a>(header: &'a Header, wanted: &str) -> Option<&'a Value> {
    header.rest.iter().find(|(label, _)| *label == Label::Text(wanted.into())).map(|(_, value)| value)
}

fn claims(header: &Header) -> Vec<(i128, Value)> {
    let claims = header.rest.iter().find(|(label, _)| *label == Label::Int(15)).map(|(_, value)| value);
    let pairs = claims.and_then(Value::as_map).expect("claims");
    pairs.iter().map(|(label, value)| (integer(label), value.clone())).collect()
}

/// Compares header, payload and signature of both decoders.
fn compare(entry: &Sealed<Entry>, told: &str) {
    let read = CoseSign1::from_tagged_slice(entry.bytes())
        .unwrap_or_else(|error| panic!("{told}: accepted here, refused by coset: {error}"));
    let (header, value) = (&read.protected.header, entry.value());
    assert_eq!(header.alg, Some(coset::Algorithm::Assigned(Algorithm::EdDSA)), "{told}");
    assert_eq!(Algorithm::EdDSA.to_i64(), -8);
    assert_eq!(header.key_id, value.key.as_bytes(), "{told}");
    let suffix = if matches!(value.payload, Payload::Inline(..)) { "dag-cbor" } else { "cid" };
    let kind = format!("application/vnd.assay.{}+{suffix}", value.object_type);
    assert_eq!(header.content_type, Some(ContentType::Text(kind)), "{told}");
    let claims = claims(header);
    let claim = |wanted: i128| claims.iter().find(|(label, _)| *label == wanted).map(|(_, value)| value);
    assert_eq!(claim(2).and_then(Value::as_text), Some(value.subject.as_str()), "{told}");
    assert_eq!(claim(6).map(integer), Some(value.time.into()), "{told}");
    compare_place(header, claim(1), value.position, told);
    let payload = match &value.payload {
        Payload::Inline(_, bytes) => bytes.clone(),
        Payload::Linked(id) => id.to_bytes().to_vec(),
    };
    assert_eq!(read.payload, Some(payload), "{told}");
    assert!(read.unprotected.is_empty(), "{told}");
    let checked = read.verify_signature(&[], |signature, message| {
        value.key.verify(message, signature.try_into().expect("64 bytes"))
    });
    assert_eq!(checked, Ok(()), "{told}: the signature covers other bytes");
}

fn compare_place(header: &Header, issuer: Option<&Value>, place: EntryPosition, told: &str) {
    let number = |wanted| label(header, wanted).map(integer);
    match place {
        EntryPosition::Genesis => {
            assert_eq!((issuer, number("assay-seq"), number("assay-auth")), (None, None, None), "{told}");
        }
        EntryPosition::Next { publisher, seq, prev, authority } => {
            assert_eq!(issuer.and_then(Value::as_text), Some(publisher.to_string().as_str()), "{told}");
            assert_eq!(number("assay-seq"), Some(seq.into()), "{told}");
            assert_eq!(number("assay-auth"), Some(authority.into()), "{told}");
            let bytes = label(header, "assay-prev").and_then(Value::as_bytes);
            assert_eq!(bytes, Some(&sample::entry_id_bytes(prev)), "{told}");
        }
    }
}

/// Builds the entry with coset from the decoded values.
fn build(entry: &Sealed<Entry>, seed: u8) -> Vec<u8> {
    let (value, (_, payload, _)) = (entry.value(), split_entry(entry.bytes()));
    let suffix = if matches!(value.payload, Payload::Inline(..)) { "dag-cbor" } else { "cid" };
    let claim = |label: i64, value: Value| (Value::from(label), value);
    let mut claims = vec![claim(2, value.subject.as_str().into()), claim(6, value.time.into())];
    let mut header = HeaderBuilder::new()
        .algorithm(Algorithm::EdDSA)
        .content_type(format!("application/vnd.assay.{}+{suffix}", value.object_type))
        .key_id(value.key.as_bytes().to_vec());
    if let EntryPosition::Next { publisher, .. } = value.position {
        claims.insert(0, claim(1, publisher.to_string().into()));
    }
    header = header.value(15, Value::Map(claims));
    if let EntryPosition::Next { seq, prev, authority, .. } = value.position {
        header = header
            .text_value("assay-seq".into(), seq.into())
            .text_value("assay-auth".into(), authority.into())
            .text_value("assay-prev".into(), Value::Bytes(sample::entry_id_bytes(prev)));
    }
    let sign = |message: &[u8]| sample::secret_key(seed).sign(message).to_vec();
    let built =
        CoseSign1Builder::new().protected(header.build()).payload(payload).create_signature(&[], sign);
    built.build().to_tagged_vec().expect("an envelope")
}

/// The seed of the key that signed an entry of the samples.
fn seed(entry: &Sealed<Entry>) -> u8 {
    (1..=9)
        .find(|seed| sample::secret_key(*seed).public() == entry.value().key)
        .expect("a key of the samples")
}

#[test]
fn every_entry_reads_the_same() {
    let mut count = 0;
    for case in cases(&["entry.json"]).iter().filter(|case| case.expect == "ok") {
        compare(&Sealed::open(case.input()).expect("an entry"), &case.name);
        count += 1;
    }
    assert!(count >= sample::sample_log().len());
}

#[test]
fn coset_writes_the_same_bytes() {
    let large = sample::sign_after(&sample::genesis_entry(), &sample::large_recipe(), 2);
    for entry in sample::sample_log().iter().chain([&large]) {
        assert!(build(entry, seed(entry)) == entry.bytes(), "entry {}", entry.value().seq());
    }
}

#[test]
fn both_sign_the_same_bytes() {
    let entry = sample::genesis_entry();
    let read = CoseSign1::from_tagged_slice(entry.bytes()).expect("an envelope");
    let (header, payload, _) = split_entry(entry.bytes());
    assert_eq!(read.tbs_data(&[]), signed_bytes(&header, &payload));
}

#[test]
fn mutated_headers_give_the_same_result() {
    let log = sample::sample_log();
    let mut random = Random::new(SEED);
    let mut accepted = 0;
    for round in 0..ROUNDS {
        let entry = random.pick(&log);
        let mut draft = EntryDraft::of(entry, seed(entry));
        match random.below(3) {
            0 => change(&mut draft.header, &mut random),
            1 => draft
                .header
                .value_at(&CborNode::Unsigned(15))
                .set(CborNode::Unsigned(6), CborNode::Unsigned(round as u64)),
            _ if entry.value().seq() > 0 => {
                let seq = 1 + random.below(1 << 20) as u64;
                draft.header.set(text_node("assay-seq"), CborNode::Unsigned(seq));
            }
            _ => {}
        }
        if let Ok(entry) = Sealed::open(draft.sign()) {
            compare(&entry, &format!("seed {SEED:#x}, round {round}"));
            accepted += 1;
        }
    }
    println!("seed {SEED:#x}: of {ROUNDS} signed entries {accepted} accepted");
    assert!(accepted > ROUNDS / 10, "too few mutated entries are valid to test anything");
}
