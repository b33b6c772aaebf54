//! Vectors of the messages between nodes and of their framing on streams (network.md).

use schemas::car::{encode_record, encode_record_header, encode_varint};
use schemas::cid::{Cid, Codec, PublisherId};
use schemas::limits::BLOCK_BYTES_MAX;
use testkit::sample;

use crate::cbor_tree::{CborNode, bytes_node, text_node};
use crate::vector::{VectorCase, VectorFile, VectorLevel};

/// Limits of network.md, "Constants". A test of `replication` compares that table with the code.
const HEADS_MAX: usize = 256;
const ANNOUNCEMENT_BYTES_MAX: usize = 49_152;
const ENTRIES_MAX: u64 = 256;
const BLOCKS_MAX: usize = 64;
const REQUEST_BYTES_MAX: usize = 4_096;

/// `announcement.json`.
pub fn announcement_file() -> VectorFile {
    let about = "Announcements: the heads of logs. The steps are size, cbor, message.";
    VectorFile::new("announcement", about, [good_announcements(), bad_announcements()].concat())
}

/// `request.json`.
pub fn request_file() -> VectorFile {
    let about = "Requests for entries and blocks. The steps are size, cbor, message.";
    VectorFile::new("request", about, [good_requests(), bad_requests()].concat())
}

/// `stream.json`.
pub fn stream_file() -> VectorFile {
    let about = "Bytes on streams: `frame` is a length and a request, `stream` is a response of blocks.";
    VectorFile::new("stream", about, [frame_cases(), good_streams(), bad_streams()].concat())
}

/// The publisher of the samples: the log of log.md, section 7.
fn sample_publisher() -> PublisherId {
    sample::genesis_entry().publisher()
}

/// A link: tag 42 on a zero byte and the 36 bytes of the id.
fn link_node(id: Cid) -> CborNode {
    CborNode::Tag(42, Box::new(bytes_node([&[0][..], &id.to_bytes()].concat())))
}

fn map_node(fields: Vec<(&str, CborNode)>) -> CborNode {
    CborNode::Map(fields.into_iter().map(|(key, value)| (text_node(key), value)).collect())
}

fn head_of(last: CborNode, length: CborNode, publisher: CborNode) -> CborNode {
    // Shorter keys come first (objects.md, section 1).
    map_node(vec![("last", last), ("length", length), ("publisher", publisher)])
}

fn genesis_link() -> CborNode {
    link_node(sample_publisher().cid())
}

fn head_node(length: u64) -> CborNode {
    head_of(genesis_link(), CborNode::Unsigned(length), genesis_link())
}

/// A length-prefixed message.
fn encode_frame(message: &[u8]) -> Vec<u8> {
    [&encode_varint(message.len())[..], message].concat()
}

fn encode_announcement(heads: Vec<CborNode>) -> Vec<u8> {
    map_node(vec![("heads", CborNode::Array(heads))]).encode()
}

fn entries_request(publisher: Cid, from: CborNode, count: CborNode) -> Vec<u8> {
    let fields = vec![("from", from), ("count", count), ("publisher", link_node(publisher))];
    map_node(vec![("entries", map_node(fields))]).encode()
}

fn entries_from(from: u64, count: u64) -> Vec<u8> {
    entries_request(sample_publisher().cid(), CborNode::Unsigned(from), CborNode::Unsigned(count))
}

fn blocks_request(ids: Vec<Cid>) -> Vec<u8> {
    let ids = CborNode::Array(ids.into_iter().map(link_node).collect());
    map_node(vec![("blocks", map_node(vec![("ids", ids)]))]).encode()
}

fn sample_ids(count: usize) -> Vec<Cid> {
    (0..count).map(|n| Cid::of(Codec::DagCbor, &n.to_be_bytes())).collect()
}

fn accepted_case(name: &str, bytes: Vec<u8>, reason: &str) -> VectorCase {
    VectorCase::accepted(name, VectorLevel::Message, &bytes, reason)
}

fn refused_case(name: &str, expect: &str, bytes: Vec<u8>, reason: &str) -> VectorCase {
    VectorCase::refused(name, VectorLevel::Message, expect, &bytes, reason)
}

fn bad_cbor(name: &str, expect: &str, bytes: Vec<u8>, reason: &str) -> VectorCase {
    VectorCase::refused(name, VectorLevel::Cbor, expect, &bytes, reason)
}

fn too_large(name: &str, size: usize) -> VectorCase {
    let reason = "the size is checked before anything else";
    // Zeros are no message, so a reader that decodes first reports another error.
    VectorCase::refused(name, VectorLevel::Size, "large", &[], reason).repeating(&[0], size, &[])
}

fn good_announcements() -> Vec<VectorCase> {
    vec![
        accepted_case("one head", encode_announcement(vec![head_node(1)]), "a log with its genesis only"),
        accepted_case(
            "the most heads",
            encode_announcement(vec![head_node(7); HEADS_MAX]),
            "HEADS_MAX heads",
        ),
        accepted_case("the greatest length", encode_announcement(vec![head_node(u64::MAX)]), "64 bits"),
        accepted_case(
            "two heads of one log",
            encode_announcement(vec![head_node(3), head_node(2)]),
            "the second may name the entry that contradicts a forked log",
        ),
        accepted_case(
            "length 1 without the genesis",
            encode_announcement(vec![head_of(
                link_node(Cid::of(Codec::Raw, b"entry")),
                CborNode::Unsigned(1),
                genesis_link(),
            )]),
            "no log has such a head: it is ignored, the others of the announcement are not",
        ),
    ]
}

fn bad_announcements() -> Vec<VectorCase> {
    let good = encode_announcement(vec![head_node(1)]);
    let object_id = Cid::of(Codec::DagCbor, b"object");
    let raw_link = [&[0][..], &sample_publisher().cid().to_bytes()].concat();
    let unlinked = bytes_node(raw_link.clone());
    // The hash function sha2-256 in place of BLAKE3.
    let sha256_link = [&raw_link[..3], &[0x12], &raw_link[4..]].concat();
    let foreign = CborNode::Tag(42, Box::new(bytes_node(sha256_link)));
    // The keys are in order, so that only the additional field is wrong.
    let with_extra = map_node(vec![
        ("x", CborNode::Unsigned(1)),
        ("last", genesis_link()),
        ("length", CborNode::Unsigned(1)),
        ("publisher", genesis_link()),
    ]);
    let without_last = map_node(vec![("length", CborNode::Unsigned(1)), ("publisher", genesis_link())]);
    let unordered = map_node(vec![
        ("length", CborNode::Unsigned(1)),
        ("last", genesis_link()),
        ("publisher", genesis_link()),
    ]);
    vec![
        refused_case("no heads", "count", encode_announcement(vec![]), "at least one head"),
        refused_case(
            "too many heads",
            "count",
            encode_announcement(vec![head_node(1); HEADS_MAX + 1]),
            "HEADS_MAX",
        ),
        refused_case(
            "a length of 0",
            "count",
            encode_announcement(vec![head_node(0)]),
            "a log has its genesis",
        ),
        refused_case(
            "a negative length",
            "shape",
            encode_announcement(vec![head_of(genesis_link(), CborNode::Negative(0), genesis_link())]),
            "lengths are unsigned",
        ),
        refused_case(
            "a publisher with codec dag-cbor",
            "shape",
            encode_announcement(vec![head_of(genesis_link(), CborNode::Unsigned(1), link_node(object_id))]),
            "a publisher is the id of an entry",
        ),
        refused_case(
            "a last entry with codec dag-cbor",
            "shape",
            encode_announcement(vec![head_of(link_node(object_id), CborNode::Unsigned(1), genesis_link())]),
            "entries are raw blocks",
        ),
        refused_case(
            "an id that is not a link",
            "shape",
            encode_announcement(vec![head_of(unlinked, CborNode::Unsigned(1), genesis_link())]),
            "ids are links, with tag 42",
        ),
        bad_cbor(
            "a link to another hash",
            "link",
            encode_announcement(vec![head_of(foreign, CborNode::Unsigned(1), genesis_link())]),
            "ids have one form",
        ),
        refused_case(
            "an unknown field",
            "shape",
            encode_announcement(vec![with_extra]),
            "no field is ignored",
        ),
        refused_case(
            "a missing field",
            "shape",
            encode_announcement(vec![without_last]),
            "every field is required",
        ),
        refused_case("an array", "shape", CborNode::Array(vec![head_node(1)]).encode(), "a message is a map"),
        bad_cbor("keys out of order", "order", encode_announcement(vec![unordered]), "one encoding"),
        bad_cbor("truncated", "truncated", good[..good.len() - 1].to_vec(), "one complete item"),
        bad_cbor("a byte more", "trailing", [good, vec![0]].concat(), "one complete item"),
        too_large("too many bytes", ANNOUNCEMENT_BYTES_MAX + 1),
    ]
}

fn good_requests() -> Vec<VectorCase> {
    let twice = [sample_ids(1), sample_ids(1)].concat();
    vec![
        accepted_case("the genesis", entries_from(0, 1), "sequence numbers start at 0"),
        accepted_case("the most entries", entries_from(7, ENTRIES_MAX), "ENTRIES_MAX entries"),
        accepted_case("the last sequence number", entries_from(u64::MAX - 1, 1), "the sum fits 64 bits"),
        accepted_case("one block", blocks_request(sample_ids(1)), "a block by its id"),
        accepted_case("an entry by its id", blocks_request(vec![sample_publisher().cid()]), "either codec"),
        accepted_case("the most blocks", blocks_request(sample_ids(BLOCKS_MAX)), "BLOCKS_MAX ids"),
        accepted_case("one id twice", blocks_request(twice), "accepted, but a requester gains nothing"),
    ]
}

fn bad_requests() -> Vec<VectorCase> {
    let object_id = Cid::of(Codec::DagCbor, b"object");
    let good = entries_from(0, 1);
    let empty = || CborNode::Map(vec![]);
    let both = {
        let list = CborNode::Array(vec![link_node(object_id)]);
        let range = map_node(vec![
            ("from", CborNode::Unsigned(0)),
            ("count", CborNode::Unsigned(1)),
            ("publisher", genesis_link()),
        ]);
        map_node(vec![("blocks", map_node(vec![("ids", list)])), ("entries", range)])
    };
    vec![
        refused_case("no entries", "count", entries_from(0, 0), "at least one entry"),
        refused_case("too many entries", "count", entries_from(0, ENTRIES_MAX + 1), "ENTRIES_MAX"),
        refused_case(
            "beyond 64 bits",
            "overflow",
            entries_from(u64::MAX, 1),
            "`from` + `count` fits 64 bits",
        ),
        refused_case("no blocks", "count", blocks_request(vec![]), "at least one id"),
        refused_case("too many blocks", "count", blocks_request(sample_ids(BLOCKS_MAX + 1)), "BLOCKS_MAX"),
        refused_case(
            "a negative start",
            "shape",
            entries_request(sample_publisher().cid(), CborNode::Negative(0), CborNode::Unsigned(1)),
            "sequence numbers are unsigned",
        ),
        refused_case(
            "a negative count",
            "shape",
            entries_request(sample_publisher().cid(), CborNode::Unsigned(0), CborNode::Negative(0)),
            "a negative number is of another type, not out of bounds",
        ),
        refused_case(
            "too many entries beyond 64 bits",
            "count",
            entries_from(u64::MAX, ENTRIES_MAX + 1),
            "counts are checked before the sum",
        ),
        refused_case(
            "a publisher with codec dag-cbor",
            "shape",
            entries_request(object_id, CborNode::Unsigned(0), CborNode::Unsigned(1)),
            "a publisher is the id of an entry",
        ),
        refused_case(
            "an unknown request",
            "shape",
            map_node(vec![("heads", empty())]).encode(),
            "two requests exist",
        ),
        refused_case("an empty map", "shape", empty().encode(), "one request"),
        refused_case("two requests", "shape", both.encode(), "one request"),
        bad_cbor("truncated", "truncated", good[..good.len() - 1].to_vec(), "one complete item"),
        bad_cbor("a byte more", "trailing", [good, vec![0]].concat(), "one complete item"),
        too_large("too many bytes", REQUEST_BYTES_MAX + 1),
    ]
}

fn stream_frame(name: &str, expect: &str, bytes: Vec<u8>, reason: &str) -> VectorCase {
    VectorCase::refused(name, VectorLevel::Frame, expect, &bytes, reason)
}

fn frame_cases() -> Vec<VectorCase> {
    let message = entries_from(0, 1);
    let framed = encode_frame(&message);
    // INVARIANT: the message is shorter than 128 bytes, so its length takes one byte.
    let padded = [vec![0x80 | message.len() as u8, 0], message].concat();
    let short = framed[..framed.len() - 1].to_vec();
    let longer = [&framed[..], &[0]].concat();
    vec![
        stream_frame("frame: a request", "ok", framed, "its length, then its bytes"),
        stream_frame("frame: the most bytes", "ok", encode_varint(REQUEST_BYTES_MAX), "without the prefix")
            .repeating(&[0], REQUEST_BYTES_MAX, &[]),
        stream_frame("frame: a byte more", "ok", longer, "bytes after the message are not read"),
        stream_frame("frame: nothing", "truncated", vec![], "the stream ended before the length"),
        stream_frame("frame: length 0", "malformed", vec![0], "a message is not empty"),
        stream_frame(
            "frame: too long",
            "malformed",
            encode_varint(REQUEST_BYTES_MAX + 1),
            "refused by its length",
        ),
        stream_frame("frame: padded length", "malformed", padded, "varints in their shortest form"),
        stream_frame(
            "frame: five-byte length",
            "malformed",
            vec![0x80, 0x80, 0x80, 0x80, 1],
            "at most four bytes",
        ),
        stream_frame("frame: cut off", "truncated", short, "the stream ended inside the message"),
    ]
}

fn stream_bytes(name: &str, expect: &str, parts: &[&[u8]], reason: &str) -> VectorCase {
    VectorCase::refused(name, VectorLevel::Stream, expect, &parts.concat(), reason)
}

fn sample_record(content: &[u8]) -> Vec<u8> {
    encode_record(Cid::of(Codec::Raw, content), content)
}

fn good_streams() -> Vec<VectorCase> {
    // A response ends in a record of length 0 and a code, which is the value of the vector.
    let with_end = |case: VectorCase, end: &str| VectorCase { value: Some(end.into()), ..case };
    let (first, second) = (sample_record(b"first"), sample_record(b"second"));
    let largest_id = Cid::of(Codec::Raw, &[0; BLOCK_BYTES_MAX]);
    let largest = encode_record_header(largest_id, BLOCK_BYTES_MAX);
    vec![
        with_end(
            stream_bytes("complete", "ok", &[&first, &second, &[0, 0]], "two blocks and the end"),
            "complete",
        ),
        with_end(stream_bytes("nothing stored", "ok", &[&[0, 0]], "no block and the end"), "complete"),
        with_end(stream_bytes("busy", "ok", &[&[0, 1]], "too many streams"), "busy"),
        with_end(
            stream_bytes("a byte after the end", "ok", &[&first, &[0, 0, 0]], "it is not read"),
            "complete",
        ),
        with_end(
            stream_bytes("one block twice", "ok", &[&first, &first, &[0, 0]], "the request decides"),
            "complete",
        ),
        with_end(
            stream_bytes("the largest block", "ok", &[&largest], "BLOCK_BYTES_MAX without length and id")
                .repeating(&[0], BLOCK_BYTES_MAX, &[0, 0]),
            "complete",
        ),
        with_end(
            stream_bytes("a block of no bytes", "ok", &[&sample_record(b""), &[0, 0]], "36 bytes of record"),
            "complete",
        ),
    ]
}

fn bad_streams() -> Vec<VectorCase> {
    let good = sample_record(b"block");
    let id = Cid::of(Codec::Raw, b"block");
    let mut foreign = good.clone();
    // Byte 0 is the length of the record, byte 1 the version of its CID.
    foreign[1] = 0;
    let wrong = encode_record(id, b"clock");
    let large = encode_record_header(id, BLOCK_BYTES_MAX + 1);
    vec![
        stream_bytes("no end", "truncated", &[&good], "without an end marker the stream was interrupted"),
        stream_bytes("cut in a record", "truncated", &[&good[..good.len() - 1]], "a record is complete"),
        stream_bytes("cut in the end", "truncated", &[&good, &[0]], "the marker has two bytes"),
        stream_bytes("unknown end", "malformed", &[&good, &[0, 2]], "0 and 1 are defined"),
        stream_bytes("record shorter than an id", "malformed", &[&[35]], "a record has an id"),
        stream_bytes("record too long", "malformed", &[&large], "refused by its length"),
        stream_bytes("padded record length", "malformed", &[&[0x80, 0]], "varints in their shortest form"),
        stream_bytes("foreign id", "malformed", &[&foreign], "ids of version 1 only"),
        stream_bytes("hash mismatch", "hash", &[&wrong, &[0, 0]], "every block is hashed on arrival"),
    ]
}
