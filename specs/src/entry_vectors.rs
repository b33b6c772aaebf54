//! Vectors of log entries: envelopes that differ from a valid one in a single point.
//!
//! The change is made before signing, so the signature is valid, except in cases about signatures.

use schemas::cbor::CborRules;
use schemas::cid::{Cid, Codec};
use schemas::entry::Entry;
use schemas::limits::{ENTRY_BYTES_MAX, INLINE_BYTES_MAX};
use schemas::seal::Sealed;

use crate::bad_points;
use crate::cbor_tree::{CborNode, bytes_node, item_head, text_node};
use crate::vector::{VectorCase, VectorFile, VectorLevel};
use testkit::sample;

/// `entry.json`.
pub fn vector_file() -> VectorFile {
    let cases = [
        accepted_cases(),
        encoding_cases(),
        part_cases(),
        label_cases(),
        position_cases(),
        payload_cases(),
        signature_cases(),
        size_cases(),
    ]
    .concat();
    let about = "Log entries: COSE_Sign1 with the Assay header. The steps are size, cbor, envelope, object, signature.";
    VectorFile::new("entry", about, cases)
}

/// An entry in parts, to be changed and signed.
pub struct EntryDraft {
    /// The protected header.
    pub header: CborNode,
    /// The payload.
    pub payload: Vec<u8>,
    /// Seed of the signing key.
    pub seed: u8,
}

impl EntryDraft {
    /// Splits an entry that the key of `seed` signed.
    pub fn of(entry: &Sealed<Entry>, seed: u8) -> Self {
        let (header, payload, _) = split_entry(entry.bytes());
        Self { header: CborNode::decode(&header, CborRules::Cose), payload, seed }
    }

    /// Signs the entry.
    pub fn sign(&self) -> Vec<u8> {
        self.sign_header(&self.header.encode())
    }

    /// Signs the entry with these bytes as its protected header.
    fn sign_header(&self, header: &[u8]) -> Vec<u8> {
        let signature = sample::secret_key(self.seed).sign(&signed_bytes(header, &self.payload));
        encode_envelope(header, &self.payload, &signature)
    }
}

/// Bytes that the signature covers: the Sig_structure of RFC 9052, section 4.4.
pub fn signed_bytes(header: &[u8], payload: &[u8]) -> Vec<u8> {
    CborNode::Array(vec![text_node("Signature1"), bytes_node(header), bytes_node([]), bytes_node(payload)])
        .encode()
}

fn encode_envelope(header: &[u8], payload: &[u8], signature: &[u8]) -> Vec<u8> {
    let parts = vec![bytes_node(header), CborNode::Map(vec![]), bytes_node(payload), bytes_node(signature)];
    CborNode::Tag(18, Box::new(CborNode::Array(parts))).encode()
}

/// Header, payload and signature of an entry.
pub fn split_entry(entry: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let CborNode::Tag(18, mut array) = CborNode::decode(entry, CborRules::Cose) else { panic!("tag 18") };
    let mut strings = array.items().drain(..).filter_map(|part| match part {
        CborNode::Bytes(content) => Some(content),
        _ => None,
    });
    let mut next = || strings.next().expect("three byte strings");
    (next(), next(), next())
}

fn genesis_draft() -> EntryDraft {
    EntryDraft::of(&sample::genesis_entry(), 1)
}

fn later_draft() -> EntryDraft {
    EntryDraft::of(&sample::sign_after(&sample::genesis_entry(), &sample::retraction_object(), 2), 2)
}

fn accepted_entry(name: &str, entry: &Sealed<Entry>, reason: &str) -> VectorCase {
    VectorCase::accepted(name, VectorLevel::Signature, entry.bytes(), reason).with_id(entry.id())
}

/// An entry after the genesis whose header is changed before signing.
fn changed_header(name: &str, expect: &str, reason: &str, change: impl FnOnce(&mut CborNode)) -> VectorCase {
    changed_entry(name, expect, later_draft(), reason, |draft| change(&mut draft.header))
}

fn changed_entry(
    name: &str,
    expect: &str,
    mut draft: EntryDraft,
    reason: &str,
    change: impl FnOnce(&mut EntryDraft),
) -> VectorCase {
    change(&mut draft);
    VectorCase::refused(name, VectorLevel::Envelope, expect, &draft.sign(), reason)
}

fn accepted_cases() -> Vec<VectorCase> {
    let mut cases: Vec<VectorCase> = sample::sample_log()
        .iter()
        .map(|entry| {
            accepted_entry(
                &format!("{} at {}", entry.value().object_type, entry.value().seq()),
                entry,
                "the samples' log",
            )
        })
        .collect();
    let large = sample::sign_after(&sample::genesis_entry(), &sample::large_recipe(), 2);
    cases.push(accepted_entry("recipe by its id", &large, "too large to stand inline"));
    cases
}

/// CBOR errors in the envelope and in the header inside it.
fn encoding_cases() -> Vec<VectorCase> {
    let case = |name: &str, expect: &str, input: Vec<u8>, reason: &str| {
        VectorCase::refused(name, VectorLevel::Cbor, expect, &input, reason)
    };
    let whole = later_draft().sign();
    let inner = |name: &str, expect: &str, header: Vec<u8>, reason: &str| {
        case(name, expect, later_draft().sign_header(&header), reason)
    };
    // Tag 18 is the one byte 0xd2, so the rest begins at 1.
    let tag = |tag: u64| [item_head(6, tag), whole[1..].to_vec()].concat();
    let mut swapped = later_draft().header;
    swapped.pairs().swap(0, 1);
    let mut twice = later_draft().header;
    let first = twice.pairs()[0].clone();
    twice.pairs().insert(0, first);
    let mut float = later_draft().header;
    float.labelled(15).set(CborNode::Unsigned(6), CborNode::Raw(vec![0xf9, 0, 0]));
    let header = later_draft().header.encode();
    // Fewer than 24 labels have a head of one byte; this one has two.
    let long = [vec![0xb8, header[0] & 0x1f], header[1..].to_vec()].concat();
    // RFC 8949, section 3.2.2: 0xbf opens a map of indefinite length, 0xff ends it.
    let endless = [vec![0xbf], header[1..].to_vec(), vec![0xff]].concat();
    vec![
        case("tag 98 (COSE_Sign)", "tag", tag(98), "COSE_Sign1 only"),
        case("tag 17 (COSE_Mac0)", "tag", tag(17), "COSE_Sign1 only"),
        case("tag 55799 around", "tag", [item_head(6, 55_799), whole.clone()].concat(), "one tag"),
        case("tag 18 twice", "tag", [vec![0xd2], whole.clone()].concat(), "one tag"),
        case(
            "tag 18 in two bytes",
            "minimal",
            [vec![0xd8, 18], whole[1..].to_vec()].concat(),
            "shortest heads",
        ),
        case(
            "envelope of indefinite length",
            "indefinite",
            [vec![0xd2, 0x9f], whole[2..].to_vec(), vec![0xff]].concat(),
            "definite lengths",
        ),
        case("bytes after the envelope", "trailing", [whole.clone(), vec![0]].concat(), "exactly one item"),
        case(
            "envelope cut off",
            "truncated",
            whole[..whole.len() - 1].to_vec(),
            "the entry must be complete",
        ),
        case("nothing", "truncated", vec![], "the entry must be complete"),
        inner("labels out of order", "order", swapped.encode(), "labels ascend by their bytes"),
        inner("label twice", "order", twice.encode(), "labels are unique"),
        inner("header with a long head", "minimal", long, "shortest heads, also inside"),
        inner("header of indefinite length", "indefinite", endless, "definite lengths, also inside"),
        inner(
            "bytes after the header",
            "trailing",
            [header.clone(), vec![0]].concat(),
            "exactly one item, also inside",
        ),
        inner(
            "header of no bytes",
            "truncated",
            vec![],
            "RFC 9052 allows it for an empty map; this header is not empty",
        ),
        inner("time as a float", "simple", float.encode(), "no floats"),
        inner(
            "label that is bytes",
            "map-key",
            CborNode::Map(vec![(bytes_node([1]), CborNode::Null)]).encode(),
            "integers and texts",
        ),
        inner(
            "tag inside the header",
            "tag",
            {
                let mut header = later_draft().header;
                header
                    .labelled(15)
                    .set(CborNode::Unsigned(6), CborNode::Tag(1, Box::new(CborNode::Unsigned(0))));
                header.encode()
            },
            "no tags",
        ),
    ]
}

/// The four parts of the envelope.
fn part_cases() -> Vec<VectorCase> {
    let case = |name: &str, expect: &str, reason: &str, change: &dyn Fn(&mut Vec<CborNode>)| {
        let CborNode::Tag(_, mut array) = CborNode::decode(&later_draft().sign(), CborRules::Cose) else {
            panic!("tag 18")
        };
        // Not signed again: the parts are refused before the signature is checked.
        change(array.items());
        VectorCase::refused(name, VectorLevel::Envelope, expect, &CborNode::Tag(18, array).encode(), reason)
    };
    let untagged = later_draft().sign()[1..].to_vec();
    let one = CborNode::Map(vec![(CborNode::Unsigned(4), bytes_node(b"x"))]);
    vec![
        VectorCase::refused(
            "without tag 18",
            VectorLevel::Envelope,
            "no-tag",
            &untagged,
            "an entry carries tag 18",
        ),
        VectorCase::refused("a map", VectorLevel::Envelope, "no-tag", &[0xa0], "not an envelope"),
        case("unprotected header with a label", "unprotected", "everything is signed", &|p| {
            p[1] = one.clone()
        }),
        case("unprotected header as an array", "unprotected", "an empty map", &|p| {
            p[1] = CborNode::Array(vec![])
        }),
        case("unprotected header null", "unprotected", "an empty map", &|p| p[1] = CborNode::Null),
        case("three parts", "parts", "exactly four", &|p| drop(p.pop())),
        case("five parts", "parts", "exactly four", &|p| p.push(CborNode::Null)),
        case("no parts", "parts", "exactly four", &|p| p.clear()),
        case("detached payload", "parts", "the payload is there", &|p| p[2] = CborNode::Null),
        case("payload as text", "parts", "a byte string", &|p| p[2] = text_node("x")),
        case("header not wrapped", "parts", "a byte string", &|p| p[0] = CborNode::Map(vec![])),
        case("signature as an array", "parts", "a byte string", &|p| p[3] = CborNode::Array(vec![])),
        case("signature of 63 bytes", "signature-length", "64 bytes", &|p| p[3] = bytes_node([1; 63])),
        case("signature of 65 bytes", "signature-length", "64 bytes", &|p| p[3] = bytes_node([1; 65])),
        case("signature of no bytes", "signature-length", "64 bytes", &|p| p[3] = bytes_node([])),
    ]
}

impl CborNode {
    /// The value under an integer label.
    fn labelled(&mut self, label: u64) -> &mut CborNode {
        self.value_at(&CborNode::Unsigned(label))
    }
}

fn label_node(label: u64) -> CborNode {
    CborNode::Unsigned(label)
}

/// Labels of the header and claims: each missing, each wrong, and unknown ones.
fn label_cases() -> Vec<VectorCase> {
    let set = |at: u64, value: CborNode| move |header: &mut CborNode| header.set(label_node(at), value);
    let claim = |at: u64, value: CborNode| {
        move |header: &mut CborNode| header.labelled(15).set(label_node(at), value)
    };
    let drop = |at: u64| move |header: &mut CborNode| header.remove(&label_node(at));
    let drop_claim = |at: u64| move |header: &mut CborNode| header.labelled(15).remove(&label_node(at));
    let kind = |kind: &str| set(3, text_node(kind));
    let (only, known) = ("EdDSA only, spelled -8", "unknown labels are refused");
    let listed = "application/vnd.assay.<kind>+dag-cbor or +cid";
    vec![
        changed_header("ES256", "algorithm", only, set(1, CborNode::Negative(6))),
        changed_header("Ed25519 of RFC 9864", "algorithm", only, set(1, CborNode::Negative(18))),
        changed_header("algorithm as text", "algorithm", only, set(1, text_node("EdDSA"))),
        changed_header("no algorithm", "algorithm", only, drop(1)),
        changed_entry("empty header map", "algorithm", later_draft(), only, |draft| {
            draft.header = CborNode::Map(vec![])
        }),
        changed_entry("header that is no map", "header", later_draft(), "a map", |draft| {
            draft.header = CborNode::Array(vec![])
        }),
        changed_header("no content type", "content-type", listed, drop(3)),
        changed_header(
            "content type as a number",
            "content-type",
            "RFC 9052 allows numbers, Assay does not",
            set(3, CborNode::Unsigned(60)),
        ),
        changed_header("foreign content type", "content-type", listed, kind("application/cbor")),
        changed_header(
            "content type of another kind",
            "content-type",
            "the kind of its payload",
            kind("application/vnd.assay.release+dag-cbor"),
        ),
        changed_header(
            "content type with a parameter",
            "content-type",
            listed,
            kind("application/vnd.assay.retraction+dag-cbor;v=1"),
        ),
        changed_header(
            "content type in capitals",
            "content-type",
            listed,
            kind("Application/vnd.assay.retraction+dag-cbor"),
        ),
        changed_header(
            "content type without a suffix",
            "content-type",
            listed,
            kind("application/vnd.assay.retraction"),
        ),
        changed_header("no key id", "key-id", "the header carries the key", drop(4)),
        changed_header("key id as text", "key-id", "32 bytes", set(4, text_node("key"))),
        changed_header("no claims", "claims", "RFC 9597", drop(15)),
        changed_header("claims as an array", "claims", "a map", set(15, CborNode::Array(vec![]))),
        changed_header("no subject", "subject", "an entry has a subject", drop_claim(2)),
        changed_header("subject as bytes", "subject", "a text", claim(2, bytes_node(b"x"))),
        changed_header(
            "subject of another object",
            "subject",
            "that of its object",
            claim(2, text_node("cpi")),
        ),
        changed_header("no time", "time", "an entry has a time", drop_claim(6)),
        changed_header("time as text", "time", "seconds", claim(6, text_node("2026-11-02"))),
        changed_header(
            "time beyond 63 bits",
            "time",
            "a signed 64-bit number",
            claim(6, CborNode::Unsigned(1 << 63)),
        ),
        changed_header("expiry claim", "label", known, claim(4, CborNode::Unsigned(1))),
        changed_header("private claim", "label", known, |h| {
            h.labelled(15).set(text_node("note"), text_node("x"))
        }),
        changed_header(
            "critical label",
            "label",
            known,
            set(2, CborNode::Array(vec![text_node("assay-seq")])),
        ),
        changed_header("initialisation vector", "label", known, set(5, bytes_node([0; 8]))),
        changed_header("label of another register", "label", known, |h| {
            h.set(text_node("note"), text_node("x"))
        }),
    ]
}

/// Position of the entry: issuer, sequence number, previous entry and authority are all present or all absent.
fn position_cases() -> Vec<VectorCase> {
    let set =
        |key: &'static str, value: CborNode| move |header: &mut CborNode| header.set(text_node(key), value);
    let drop = |key: &'static str| move |header: &mut CborNode| header.remove(&text_node(key));
    let issuer = |value: &str| {
        let value = text_node(value);
        move |header: &mut CborNode| header.labelled(15).set(label_node(1), value)
    };
    let (all, id) = ("all four or none", "36 bytes, codec raw");
    let object = Cid::of(Codec::DagCbor, b"x");
    vec![
        changed_header("no sequence number", "place", all, drop("assay-seq")),
        changed_header("no entry before", "place", all, drop("assay-prev")),
        changed_header("no authority", "place", all, drop("assay-auth")),
        changed_header("no issuer", "place", all, |h| h.labelled(15).remove(&label_node(1))),
        changed_header(
            "sequence number 0 with an entry before",
            "place",
            "0 is the genesis",
            set("assay-seq", CborNode::Unsigned(0)),
        ),
        changed_header(
            "negative sequence number",
            "place",
            "from 1",
            set("assay-seq", CborNode::Negative(0)),
        ),
        changed_header("sequence number as text", "place", "an integer", set("assay-seq", text_node("1"))),
        changed_header(
            "authority of its own place",
            "place",
            "a key is allowed before it signs",
            set("assay-auth", CborNode::Unsigned(1)),
        ),
        changed_header(
            "authority of a later place",
            "place",
            "a key is allowed before it signs",
            set("assay-auth", CborNode::Unsigned(9)),
        ),
        changed_header("entry before as text", "place", id, set("assay-prev", text_node("x"))),
        changed_header("entry before of 35 bytes", "prev", id, set("assay-prev", bytes_node([1; 35]))),
        changed_header(
            "entry before that is an object",
            "prev",
            id,
            set("assay-prev", bytes_node(object.to_bytes())),
        ),
        changed_header("issuer that is no id", "issuer", "a publisher id", issuer("Office of Samples")),
        changed_header("issuer that is an object", "issuer", "a publisher id", issuer(&object.to_string())),
        changed_header(
            "issuer in capitals",
            "issuer",
            "an id has one spelling",
            issuer(&sample::publisher_id().to_string().to_uppercase()),
        ),
        changed_entry("genesis with an issuer", "place", genesis_draft(), all, |draft| {
            issuer(&sample::publisher_id().to_string())(&mut draft.header);
        }),
        changed_entry("genesis with sequence number 0", "place", genesis_draft(), all, |draft| {
            draft.header.set(text_node("assay-seq"), CborNode::Unsigned(0));
        }),
    ]
}

fn payload_cases() -> Vec<VectorCase> {
    let linked = |draft: &mut EntryDraft, payload: &[u8]| {
        draft.header.set(label_node(3), text_node("application/vnd.assay.retraction+cid"));
        draft.payload = payload.to_vec();
    };
    let case = |name: &str, expect: &str, reason: &str, payload: &[u8]| {
        changed_entry(name, expect, later_draft(), reason, |draft| linked(draft, payload))
    };
    let object = |name: &str, level: VectorLevel, expect: &str, reason: &str, payload: &[u8]| {
        let draft = EntryDraft { payload: payload.to_vec(), ..later_draft() };
        VectorCase::refused(name, level, expect, &draft.sign(), reason)
    };
    let id = Cid::of(Codec::DagCbor, b"x").to_bytes();
    let valid = later_draft().payload;
    let large = EntryDraft {
        header: large_header(),
        payload: sample::encode_object(&sample::large_recipe()),
        seed: 2,
    };
    // A smaller object would make the entry valid.
    assert!(large.payload.len() > INLINE_BYTES_MAX);
    vec![
        VectorCase::refused(
            "large object inline",
            VectorLevel::Envelope,
            "inline",
            &large.sign(),
            "beyond the bound by its id",
        ),
        changed_entry(
            "id under a content type of no kind",
            "content-type",
            later_draft(),
            "kinds are listed",
            |draft| {
                linked(draft, &id);
                draft.header.set(label_node(3), text_node("application/vnd.assay.\u{1b}[31m+cid"));
            },
        ),
        changed_entry(
            "id with an unreadable subject",
            "subject",
            later_draft(),
            "a subject is printable text",
            |draft| {
                linked(draft, &id);
                draft.header.value_at(&label_node(15)).set(label_node(2), text_node("a\u{202e}b"));
            },
        ),
        case("id of raw bytes", "payload", "an object", &Cid::of(Codec::Raw, b"x").to_bytes()),
        case("id of 35 bytes", "payload", "36 bytes", &id[..35]),
        case(
            "id as a link",
            "payload",
            "36 bytes, no tag",
            &CborNode::Tag(42, Box::new(bytes_node([&[0][..], &id].concat()))).encode(),
        ),
        case("object under the content type of an id", "payload", "36 bytes", &valid),
        object("id under the content type of an object", VectorLevel::Cbor, "trailing", "one item", &id),
        object("empty payload", VectorLevel::Cbor, "truncated", "one item", &[]),
        object(
            "payload with bytes after",
            VectorLevel::Cbor,
            "trailing",
            "exactly one item",
            &[&valid[..], &[0]].concat(),
        ),
        object("payload of an unknown kind", VectorLevel::Object, "kind", "kinds are listed", &[0xa0]),
    ]
}

/// Header of the large recipe, changed to claim an inline object.
fn large_header() -> CborNode {
    let mut draft =
        EntryDraft::of(&sample::sign_after(&sample::genesis_entry(), &sample::large_recipe(), 2), 2);
    // `sign_after` includes so large a recipe by its id, so the header is changed to inline.
    draft.header.set(label_node(3), text_node("application/vnd.assay.recipe+dag-cbor"));
    draft.header
}

fn signature_cases() -> Vec<VectorCase> {
    let draft = later_draft();
    let protected = draft.header.encode();
    let honest: [u8; 64] = split_entry(&draft.sign()).2.try_into().expect("64 bytes");
    let case = |name: &str, expect: &str, reason: &str, entry: Vec<u8>| {
        VectorCase::refused(name, VectorLevel::Signature, expect, &entry, reason)
    };
    let spoilt = |at: usize| {
        let mut signature = honest;
        signature[at] ^= 1;
        encode_envelope(&protected, &draft.payload, &signature)
    };
    let keyed = |key: &[u8]| {
        let mut draft = later_draft();
        draft.header.set(label_node(4), bytes_node(key));
        draft.sign()
    };
    let mut later_time = later_draft();
    later_time.header.labelled(15).set(label_node(6), CborNode::Unsigned(0));
    let other = sample::encode_object(&schemas::object::Retraction {
        reason: sample::make_text("Another."),
        ..sample::retraction_object()
    });
    let signed = |context: &str, header: &[u8], payload: &[u8]| {
        CborNode::Array(vec![text_node(context), bytes_node(header), bytes_node([]), bytes_node(payload)])
            .encode()
    };
    let by =
        |message: Vec<u8>| encode_envelope(&protected, &draft.payload, &sample::secret_key(2).sign(&message));
    let torsion = bad_points::torsion_points();
    // R is the neutral element and S is 0: no secret is needed when the key has small order.
    let free = bad_points::join_signature(torsion[0], [0; 32]);
    let weak = |key: [u8; 32]| {
        let mut draft = later_draft();
        draft.header.set(label_node(4), bytes_node(key));
        encode_envelope(&draft.header.encode(), &draft.payload, &free)
    };
    vec![
        case("bit of R", "signature", "every bit counts", spoilt(0)),
        case("bit of S", "signature", "every bit counts", spoilt(32)),
        case(
            "S plus the order",
            "signature",
            "otherwise anyone could make a second entry",
            encode_envelope(&protected, &draft.payload, &bad_points::add_group_order(honest, 1)),
        ),
        case(
            "another key in the header",
            "signature",
            "the header's key signs",
            keyed(sample::secret_key(3).public().as_bytes()),
        ),
        case(
            "another time",
            "signature",
            "the header is signed",
            encode_envelope(&later_time.header.encode(), &draft.payload, &honest),
        ),
        case(
            "another payload",
            "signature",
            "the payload is signed",
            encode_envelope(&protected, &other, &honest),
        ),
        case(
            "signed as COSE_Sign",
            "signature",
            "the context is Signature1",
            by(signed("Signature", &protected, &draft.payload)),
        ),
        case(
            "payload signed alone",
            "signature",
            "the whole Sig_structure is signed",
            by(draft.payload.clone()),
        ),
        case(
            "signed without the header",
            "signature",
            "the header is signed",
            by(signed("Signature1", &[], &draft.payload)),
        ),
        case("key of small order", "key-weak", "anyone can sign for such a key", weak(torsion[0])),
        case("key of order 8", "key-weak", "anyone can sign for such a key", weak(torsion[1])),
        case(
            "key non-canonical",
            "key-encoding",
            "a key has one encoding",
            weak(bad_points::non_canonical_points()[0]),
        ),
        case("key of 31 bytes", "key-encoding", "32 bytes", keyed(&[1; 31])),
        case(
            "key id as a did:key",
            "key-encoding",
            "32 bytes",
            keyed(sample::secret_key(2).public().did().as_bytes()),
        ),
    ]
}

fn size_cases() -> Vec<VectorCase> {
    let case = |name: &str| {
        VectorCase::refused(name, VectorLevel::Size, "large", &[], "size is checked before anything is read")
    };
    vec![
        case("one byte beyond the bound").repeating(&[0], ENTRY_BYTES_MAX + 1, &[]),
        case("sixteen times the bound").repeating(&[0xd2], 16 * ENTRY_BYTES_MAX, &[]),
    ]
}
