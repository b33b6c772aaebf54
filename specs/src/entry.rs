//! Vectors of log entries: every way in which an envelope can be almost ours.
//!
//! What is wrong is wrong before signing, and the signature holds, unless the case is about the
//! signature.

use schemas::cbor::Rules;
use schemas::cid::{Cid, Codec};
use schemas::entry::Entry;
use schemas::limits::{ENTRY_BYTES_MAX, INLINE_BYTES_MAX};
use schemas::seal::Sealed;

use crate::case::{Case, File, Level};
use crate::curve;
use crate::node::{Node, bytes, head, text};
use crate::sample;

/// `entry.json`.
pub fn file() -> File {
    let cases =
        [accepted(), encodings(), parts(), labels(), places(), payloads(), signatures(), sizes()].concat();
    let about =
        "Log entries: COSE_Sign1 with our header. The steps are size, cbor, envelope, object, signature.";
    File::new("entry", about, cases)
}

/// An entry in parts, to be spoilt and signed.
pub struct Draft {
    /// The protected header.
    pub header: Node,
    /// The payload.
    pub payload: Vec<u8>,
    /// The seed of the key that signs.
    pub seed: u8,
}

impl Draft {
    /// The parts of an entry that the key of `seed` signed.
    pub fn of(entry: &Sealed<Entry>, seed: u8) -> Self {
        let (header, payload, _) = split(entry.bytes());
        Self { header: Node::read(&header, Rules::Cose), payload, seed }
    }

    /// The entry, signed.
    pub fn sign(&self) -> Vec<u8> {
        self.sign_header(&self.header.write())
    }

    /// The entry with these bytes as its header, signed.
    fn sign_header(&self, header: &[u8]) -> Vec<u8> {
        let signature = sample::key(self.seed).sign(&signed(header, &self.payload));
        envelope(header, &self.payload, &signature)
    }
}

/// The bytes that are signed (RFC 9052, section 4.4).
pub fn signed(header: &[u8], payload: &[u8]) -> Vec<u8> {
    Node::Array(vec![text("Signature1"), bytes(header), bytes([]), bytes(payload)]).write()
}

fn envelope(header: &[u8], payload: &[u8], signature: &[u8]) -> Vec<u8> {
    let parts = vec![bytes(header), Node::Map(vec![]), bytes(payload), bytes(signature)];
    Node::Tag(18, Box::new(Node::Array(parts))).write()
}

/// Header, payload and signature of an entry.
pub fn split(entry: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let Node::Tag(18, mut array) = Node::read(entry, Rules::Cose) else { panic!("tag 18") };
    let mut strings = array.items().drain(..).filter_map(|part| match part {
        Node::Bytes(content) => Some(content),
        _ => None,
    });
    let mut next = || strings.next().expect("three byte strings");
    (next(), next(), next())
}

fn genesis() -> Draft {
    Draft::of(&sample::genesis(), 1)
}

fn later() -> Draft {
    Draft::of(&sample::next(&sample::genesis(), &sample::retraction(), 2), 2)
}

fn good(name: &str, entry: &Sealed<Entry>, reason: &str) -> Case {
    Case::good(name, Level::Signature, entry.bytes(), reason).with_id(entry.id())
}

/// A later entry whose header was changed before it was signed.
fn header(name: &str, expect: &str, reason: &str, change: impl FnOnce(&mut Node)) -> Case {
    changed(name, expect, later(), reason, |draft| change(&mut draft.header))
}

fn changed(
    name: &str,
    expect: &str,
    mut draft: Draft,
    reason: &str,
    change: impl FnOnce(&mut Draft),
) -> Case {
    change(&mut draft);
    Case::bad(name, Level::Envelope, expect, &draft.sign(), reason)
}

fn accepted() -> Vec<Case> {
    let mut cases: Vec<Case> = sample::log()
        .iter()
        .map(|entry| {
            good(&format!("{} at {}", entry.value().kind, entry.value().seq()), entry, "the samples' log")
        })
        .collect();
    let large = sample::next(&sample::genesis(), &sample::large(), 2);
    cases.push(good("recipe by its id", &large, "too large to stand inline"));
    cases
}

/// Faults of CBOR: in the envelope, and in the header inside it.
fn encodings() -> Vec<Case> {
    let case = |name: &str, expect: &str, input: Vec<u8>, reason: &str| {
        Case::bad(name, Level::Cbor, expect, &input, reason)
    };
    let whole = later().sign();
    let inner = |name: &str, expect: &str, header: Vec<u8>, reason: &str| {
        case(name, expect, later().sign_header(&header), reason)
    };
    let tag = |tag: u64| [head(6, tag), whole[1..].to_vec()].concat();
    let mut swapped = later().header;
    swapped.pairs().swap(0, 1);
    let mut twice = later().header;
    let first = twice.pairs()[0].clone();
    twice.pairs().insert(0, first);
    let mut float = later().header;
    float.field_at(15).set(Node::Unsigned(6), Node::Raw(vec![0xf9, 0, 0]));
    let header = later().header.write();
    let long = [vec![0xb8, header[0] & 0x1f], header[1..].to_vec()].concat();
    let endless = [vec![0xbf], header[1..].to_vec(), vec![0xff]].concat();
    vec![
        case("tag 98 (COSE_Sign)", "tag", tag(98), "COSE_Sign1 only"),
        case("tag 17 (COSE_Mac0)", "tag", tag(17), "COSE_Sign1 only"),
        case("tag 55799 around", "tag", [head(6, 55_799), whole.clone()].concat(), "one tag"),
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
        case("envelope cut off", "truncated", whole[..whole.len() - 1].to_vec(), "the whole entry"),
        case("nothing", "truncated", vec![], "the whole entry"),
        inner("labels out of order", "order", swapped.write(), "labels ascend by their bytes"),
        inner("label twice", "order", twice.write(), "a label stands once"),
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
            "RFC 9052 allows it for an empty map; ours is not empty",
        ),
        inner("time as a float", "simple", float.write(), "no floats"),
        inner(
            "label that is bytes",
            "map-key",
            Node::Map(vec![(bytes([1]), Node::Null)]).write(),
            "integers and texts",
        ),
        inner(
            "tag inside the header",
            "tag",
            {
                let mut header = later().header;
                header.field_at(15).set(Node::Unsigned(6), Node::Tag(1, Box::new(Node::Unsigned(0))));
                header.write()
            },
            "no tags",
        ),
    ]
}

/// The four parts of the envelope.
fn parts() -> Vec<Case> {
    let case = |name: &str, expect: &str, reason: &str, change: &dyn Fn(&mut Vec<Node>)| {
        let Node::Tag(_, mut array) = Node::read(&later().sign(), Rules::Cose) else { panic!("tag 18") };
        change(array.items());
        Case::bad(name, Level::Envelope, expect, &Node::Tag(18, array).write(), reason)
    };
    let untagged = later().sign()[1..].to_vec();
    let one = Node::Map(vec![(Node::Unsigned(4), bytes(b"x"))]);
    vec![
        Case::bad("without tag 18", Level::Envelope, "no-tag", &untagged, "the tag says what it is"),
        Case::bad("a map", Level::Envelope, "no-tag", &[0xa0], "not an envelope"),
        case("unprotected header with a label", "unprotected", "everything is signed", &|p| {
            p[1] = one.clone()
        }),
        case("unprotected header as an array", "unprotected", "an empty map", &|p| {
            p[1] = Node::Array(vec![])
        }),
        case("unprotected header null", "unprotected", "an empty map", &|p| p[1] = Node::Null),
        case("three parts", "parts", "exactly four", &|p| drop(p.pop())),
        case("five parts", "parts", "exactly four", &|p| p.push(Node::Null)),
        case("no parts", "parts", "exactly four", &|p| p.clear()),
        case("detached payload", "parts", "the payload is there", &|p| p[2] = Node::Null),
        case("payload as text", "parts", "a byte string", &|p| p[2] = text("x")),
        case("header not wrapped", "parts", "a byte string", &|p| p[0] = Node::Map(vec![])),
        case("signature as an array", "parts", "a byte string", &|p| p[3] = Node::Array(vec![])),
        case("signature of 63 bytes", "signature-length", "64 bytes", &|p| p[3] = bytes([1; 63])),
        case("signature of 65 bytes", "signature-length", "64 bytes", &|p| p[3] = bytes([1; 65])),
        case("signature of no bytes", "signature-length", "64 bytes", &|p| p[3] = bytes([])),
    ]
}

impl Node {
    /// The value under an integer label.
    fn field_at(&mut self, label: u64) -> &mut Node {
        self.at(&Node::Unsigned(label))
    }
}

fn label(label: u64) -> Node {
    Node::Unsigned(label)
}

/// Labels of the header and claims: each missing, each wrong, and unknown ones.
fn labels() -> Vec<Case> {
    let set = |at: u64, value: Node| move |header: &mut Node| header.set(label(at), value);
    let claim = |at: u64, value: Node| move |header: &mut Node| header.field_at(15).set(label(at), value);
    let drop = |at: u64| move |header: &mut Node| header.drop(&label(at));
    let drop_claim = |at: u64| move |header: &mut Node| header.field_at(15).drop(&label(at));
    let kind = |kind: &str| set(3, text(kind));
    let (only, known) = ("EdDSA only, spelled -8", "every label is known and understood");
    let listed = "application/vnd.assay.<kind>+dag-cbor or +cid";
    vec![
        header("ES256", "algorithm", only, set(1, Node::Negative(6))),
        header("Ed25519 of RFC 9864", "algorithm", only, set(1, Node::Negative(18))),
        header("algorithm as text", "algorithm", only, set(1, text("EdDSA"))),
        header("no algorithm", "algorithm", only, drop(1)),
        changed("empty header map", "algorithm", later(), only, |draft| draft.header = Node::Map(vec![])),
        changed("header that is no map", "header", later(), "a map", |draft| {
            draft.header = Node::Array(vec![])
        }),
        header("no content type", "content-type", listed, drop(3)),
        header(
            "content type as a number",
            "content-type",
            "RFC 9052 allows it, we do not",
            set(3, Node::Unsigned(60)),
        ),
        header("foreign content type", "content-type", listed, kind("application/cbor")),
        header(
            "content type of another kind",
            "content-type",
            "the kind of its payload",
            kind("application/vnd.assay.release+dag-cbor"),
        ),
        header(
            "content type with a parameter",
            "content-type",
            listed,
            kind("application/vnd.assay.retraction+dag-cbor;v=1"),
        ),
        header(
            "content type in capitals",
            "content-type",
            listed,
            kind("Application/vnd.assay.retraction+dag-cbor"),
        ),
        header(
            "content type without a suffix",
            "content-type",
            listed,
            kind("application/vnd.assay.retraction"),
        ),
        header("no key id", "key-id", "the key stands in the header", drop(4)),
        header("key id as text", "key-id", "32 bytes", set(4, text("key"))),
        header("no claims", "claims", "RFC 9597", drop(15)),
        header("claims as an array", "claims", "a map", set(15, Node::Array(vec![]))),
        header("no subject", "subject", "an entry says what it is about", drop_claim(2)),
        header("subject as bytes", "subject", "a text", claim(2, bytes(b"x"))),
        header("subject of another object", "subject", "that of its object", claim(2, text("cpi"))),
        header("no time", "time", "an entry says when", drop_claim(6)),
        header("time as text", "time", "seconds", claim(6, text("2026-11-02"))),
        header("time beyond 63 bits", "time", "a signed 64-bit number", claim(6, Node::Unsigned(1 << 63))),
        header("expiry claim", "label", known, claim(4, Node::Unsigned(1))),
        header("private claim", "label", known, |h| h.field_at(15).set(text("note"), text("x"))),
        header("critical label", "label", known, set(2, Node::Array(vec![text("assay-seq")]))),
        header("initialisation vector", "label", known, set(5, bytes([0; 8]))),
        header("label of another register", "label", known, |h| h.set(text("note"), text("x"))),
    ]
}

/// Where the entry stands: all four of issuer, sequence number, entry before and authority, or none.
fn places() -> Vec<Case> {
    let set = |key: &'static str, value: Node| move |header: &mut Node| header.set(text(key), value);
    let drop = |key: &'static str| move |header: &mut Node| header.drop(&text(key));
    let issuer = |value: &str| {
        let value = text(value);
        move |header: &mut Node| header.field_at(15).set(label(1), value)
    };
    let (all, id) = ("all four or none", "36 bytes, codec raw");
    let object = Cid::of(Codec::DagCbor, b"x");
    vec![
        header("no sequence number", "place", all, drop("assay-seq")),
        header("no entry before", "place", all, drop("assay-prev")),
        header("no authority", "place", all, drop("assay-auth")),
        header("no issuer", "place", all, |h| h.field_at(15).drop(&label(1))),
        header(
            "sequence number 0 with an entry before",
            "place",
            "0 is the genesis",
            set("assay-seq", Node::Unsigned(0)),
        ),
        header("negative sequence number", "place", "from 1", set("assay-seq", Node::Negative(0))),
        header("sequence number as text", "place", "an integer", set("assay-seq", text("1"))),
        header(
            "authority of its own place",
            "place",
            "a key is allowed before it signs",
            set("assay-auth", Node::Unsigned(1)),
        ),
        header(
            "authority of a later place",
            "place",
            "a key is allowed before it signs",
            set("assay-auth", Node::Unsigned(9)),
        ),
        header("entry before as text", "place", id, set("assay-prev", text("x"))),
        header("entry before of 35 bytes", "prev", id, set("assay-prev", bytes([1; 35]))),
        header("entry before that is an object", "prev", id, set("assay-prev", bytes(object.to_bytes()))),
        header("issuer that is no id", "issuer", "a publisher id", issuer("Office of Samples")),
        header("issuer that is an object", "issuer", "a publisher id", issuer(&object.to_string())),
        header(
            "issuer in capitals",
            "issuer",
            "an id has one spelling",
            issuer(&sample::publisher().to_string().to_uppercase()),
        ),
        changed("genesis with an issuer", "place", genesis(), all, |draft| {
            issuer(&sample::publisher().to_string())(&mut draft.header);
        }),
        changed("genesis with sequence number 0", "place", genesis(), all, |draft| {
            draft.header.set(text("assay-seq"), Node::Unsigned(0));
        }),
    ]
}

fn payloads() -> Vec<Case> {
    let linked = |draft: &mut Draft, payload: &[u8]| {
        draft.header.set(label(3), text("application/vnd.assay.retraction+cid"));
        draft.payload = payload.to_vec();
    };
    let case = |name: &str, expect: &str, reason: &str, payload: &[u8]| {
        changed(name, expect, later(), reason, |draft| linked(draft, payload))
    };
    let object = |name: &str, level: Level, expect: &str, reason: &str, payload: &[u8]| {
        let draft = Draft { payload: payload.to_vec(), ..later() };
        Case::bad(name, level, expect, &draft.sign(), reason)
    };
    let id = Cid::of(Codec::DagCbor, b"x").to_bytes();
    let valid = later().payload;
    let large = Draft { header: large_header(), payload: sample::bytes(&sample::large()), seed: 2 };
    assert!(large.payload.len() > INLINE_BYTES_MAX);
    vec![
        Case::bad(
            "large object inline",
            Level::Envelope,
            "inline",
            &large.sign(),
            "beyond the bound by its id",
        ),
        changed("id under a content type of no kind", "content-type", later(), "kinds are listed", |draft| {
            linked(draft, &id);
            draft.header.set(label(3), text("application/vnd.assay.\u{1b}[31m+cid"));
        }),
        changed("id with an unreadable subject", "subject", later(), "text that people may read", |draft| {
            linked(draft, &id);
            draft.header.at(&label(15)).set(label(2), text("a\u{202e}b"));
        }),
        case("id of raw bytes", "payload", "an object", &Cid::of(Codec::Raw, b"x").to_bytes()),
        case("id of 35 bytes", "payload", "36 bytes", &id[..35]),
        case(
            "id as a link",
            "payload",
            "36 bytes, no tag",
            &Node::Tag(42, Box::new(bytes([&[0][..], &id].concat()))).write(),
        ),
        case("object under the content type of an id", "payload", "36 bytes", &valid),
        object("id under the content type of an object", Level::Cbor, "trailing", "one item", &id),
        object("empty payload", Level::Cbor, "truncated", "one item", &[]),
        object(
            "payload with bytes after",
            Level::Cbor,
            "trailing",
            "exactly one item",
            &[&valid[..], &[0]].concat(),
        ),
        object("payload of an unknown kind", Level::Object, "kind", "kinds are listed", &[0xa0]),
    ]
}

/// The header of the large recipe, as if it stood inline.
fn large_header() -> Node {
    let mut draft = Draft::of(&sample::next(&sample::genesis(), &sample::large(), 2), 2);
    draft.header.set(label(3), text("application/vnd.assay.recipe+dag-cbor"));
    draft.header
}

fn signatures() -> Vec<Case> {
    let draft = later();
    let protected = draft.header.write();
    let honest: [u8; 64] = split(&draft.sign()).2.try_into().expect("64 bytes");
    let case = |name: &str, expect: &str, reason: &str, entry: Vec<u8>| {
        Case::bad(name, Level::Signature, expect, &entry, reason)
    };
    let spoilt = |at: usize| {
        let mut signature = honest;
        signature[at] ^= 1;
        envelope(&protected, &draft.payload, &signature)
    };
    let keyed = |key: &[u8]| {
        let mut draft = later();
        draft.header.set(label(4), bytes(key));
        draft.sign()
    };
    let mut later_time = later();
    later_time.header.field_at(15).set(label(6), Node::Unsigned(0));
    let other = sample::bytes(&schemas::object::Retraction {
        reason: sample::text("Another."),
        ..sample::retraction()
    });
    let signed = |context: &str, header: &[u8], payload: &[u8]| {
        Node::Array(vec![text(context), bytes(header), bytes([]), bytes(payload)]).write()
    };
    let by = |message: Vec<u8>| envelope(&protected, &draft.payload, &sample::key(2).sign(&message));
    let torsion = curve::torsion();
    let free = curve::join(torsion[0], [0; 32]);
    let weak = |key: [u8; 32]| {
        let mut draft = later();
        draft.header.set(label(4), bytes(key));
        envelope(&draft.header.write(), &draft.payload, &free)
    };
    vec![
        case("bit of R", "signature", "every bit counts", spoilt(0)),
        case("bit of S", "signature", "every bit counts", spoilt(32)),
        case(
            "S plus the order",
            "signature",
            "else anyone makes a second entry",
            envelope(&protected, &draft.payload, &curve::beyond(honest, 1)),
        ),
        case(
            "another key in the header",
            "signature",
            "the header's key signs",
            keyed(sample::key(3).public().as_bytes()),
        ),
        case(
            "another time",
            "signature",
            "the header is signed",
            envelope(&later_time.header.write(), &draft.payload, &honest),
        ),
        case("another payload", "signature", "the payload is signed", envelope(&protected, &other, &honest)),
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
        case("key of small order", "key-weak", "anyone can sign under it", weak(torsion[0])),
        case("key of order 8", "key-weak", "anyone can sign under it", weak(torsion[1])),
        case("key non-canonical", "key-encoding", "a key has one encoding", weak(curve::twisted()[0])),
        case("key of 31 bytes", "key-encoding", "32 bytes", keyed(&[1; 31])),
        case(
            "key id as a did:key",
            "key-encoding",
            "32 bytes",
            keyed(sample::key(2).public().did().as_bytes()),
        ),
    ]
}

fn sizes() -> Vec<Case> {
    let case =
        |name: &str| Case::bad(name, Level::Size, "large", &[], "size is checked before anything is read");
    vec![
        case("one byte beyond the bound").repeating(&[0], ENTRY_BYTES_MAX + 1, &[]),
        case("sixteen times the bound").repeating(&[0xd2], 16 * ENTRY_BYTES_MAX, &[]),
    ]
}
