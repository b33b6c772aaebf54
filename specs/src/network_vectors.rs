//! Vectors of the messages between nodes and of their framing on streams (network.md).

use schemas::car::{encode_record, encode_record_header, encode_varint};
use schemas::cid::{Cid, Codec, PublisherId};
use schemas::limits::BLOCK_BYTES_MAX;

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

fn publisher() -> PublisherId {
    PublisherId::of(b"genesis")
}

/// A link: tag 42 on a zero byte and the 36 bytes of the id.
fn link(id: Cid) -> CborNode {
    CborNode::Tag(42, Box::new(bytes_node([&[0][..], &id.to_bytes()].concat())))
}

fn map(fields: Vec<(&str, CborNode)>) -> CborNode {
    CborNode::Map(fields.into_iter().map(|(key, value)| (text_node(key), value)).collect())
}

fn head_of(id: Cid, length: CborNode) -> CborNode {
    // Shorter keys come first (objects.md, section 1).
    map(vec![("last", link(id)), ("length", length), ("publisher", link(id))])
}

fn head(length: u64) -> CborNode {
    head_of(publisher().cid(), CborNode::Unsigned(length))
}

fn announcement(heads: Vec<CborNode>) -> Vec<u8> {
    map(vec![("heads", CborNode::Array(heads))]).encode()
}

fn entries(publisher: Cid, from: CborNode, count: u64) -> Vec<u8> {
    let fields = vec![("from", from), ("count", CborNode::Unsigned(count)), ("publisher", link(publisher))];
    map(vec![("entries", map(fields))]).encode()
}

fn entries_from(from: u64, count: u64) -> Vec<u8> {
    entries(publisher().cid(), CborNode::Unsigned(from), count)
}

fn blocks(ids: Vec<Cid>) -> Vec<u8> {
    let ids = CborNode::Array(ids.into_iter().map(link).collect());
    map(vec![("blocks", map(vec![("ids", ids)]))]).encode()
}

fn ids(count: usize) -> Vec<Cid> {
    (0..count).map(|n| Cid::of(Codec::DagCbor, &n.to_be_bytes())).collect()
}

fn accepted(name: &str, bytes: Vec<u8>, reason: &str) -> VectorCase {
    VectorCase::accepted(name, VectorLevel::Message, &bytes, reason)
}

fn refused(name: &str, expect: &str, bytes: Vec<u8>, reason: &str) -> VectorCase {
    VectorCase::refused(name, VectorLevel::Message, expect, &bytes, reason)
}

fn bad_cbor(name: &str, expect: &str, bytes: Vec<u8>, reason: &str) -> VectorCase {
    VectorCase::refused(name, VectorLevel::Cbor, expect, &bytes, reason)
}

fn too_large(name: &str, size: usize) -> VectorCase {
    let reason = "the size is checked before anything else";
    VectorCase::refused(name, VectorLevel::Size, "large", &[], reason).repeating(&[0], size, &[])
}

fn good_announcements() -> Vec<VectorCase> {
    vec![
        accepted("one head", announcement(vec![head(1)]), "a log with its genesis only"),
        accepted("the most heads", announcement(vec![head(7); HEADS_MAX]), "HEADS_MAX heads"),
        accepted("the greatest length", announcement(vec![head(u64::MAX)]), "64 bits"),
        accepted(
            "two heads of one log",
            announcement(vec![head(3), head(2)]),
            "the second may name the entry that contradicts a forked log",
        ),
    ]
}

fn bad_announcements() -> Vec<VectorCase> {
    let good = announcement(vec![head(1)]);
    let object_id = Cid::of(Codec::DagCbor, b"object");
    let with_extra = map(vec![
        ("x", CborNode::Unsigned(1)),
        ("last", link(publisher().cid())),
        ("length", CborNode::Unsigned(1)),
        ("publisher", link(publisher().cid())),
    ]);
    let without_last = map(vec![("length", CborNode::Unsigned(1)), ("publisher", link(publisher().cid()))]);
    let unordered = map(vec![
        ("length", CborNode::Unsigned(1)),
        ("last", link(publisher().cid())),
        ("publisher", link(publisher().cid())),
    ]);
    vec![
        refused("no heads", "count", announcement(vec![]), "at least one head"),
        refused("too many heads", "count", announcement(vec![head(1); HEADS_MAX + 1]), "HEADS_MAX"),
        refused("a length of 0", "count", announcement(vec![head(0)]), "a log has its genesis"),
        refused(
            "a negative length",
            "shape",
            announcement(vec![head_of(publisher().cid(), CborNode::Negative(0))]),
            "lengths are unsigned",
        ),
        refused(
            "links with codec dag-cbor",
            "shape",
            announcement(vec![head_of(object_id, CborNode::Unsigned(1))]),
            "publishers and entries are raw blocks",
        ),
        refused("an unknown field", "shape", announcement(vec![with_extra]), "no field is ignored"),
        refused("a missing field", "shape", announcement(vec![without_last]), "every field is required"),
        refused("an array", "shape", CborNode::Array(vec![head(1)]).encode(), "a message is a map"),
        bad_cbor("keys out of order", "order", announcement(vec![unordered]), "one encoding"),
        bad_cbor("truncated", "truncated", good[..good.len() - 1].to_vec(), "one complete item"),
        bad_cbor("a byte more", "trailing", [good, vec![0]].concat(), "one complete item"),
        too_large("too many bytes", ANNOUNCEMENT_BYTES_MAX + 1),
    ]
}

fn good_requests() -> Vec<VectorCase> {
    let twice = [ids(1), ids(1)].concat();
    vec![
        accepted("the genesis", entries_from(0, 1), "sequence numbers start at 0"),
        accepted("the most entries", entries_from(7, ENTRIES_MAX), "ENTRIES_MAX entries"),
        accepted("the last sequence number", entries_from(u64::MAX - 1, 1), "the sum fits 64 bits"),
        accepted("one block", blocks(ids(1)), "a block by its id"),
        accepted("an entry by its id", blocks(vec![publisher().cid()]), "either codec"),
        accepted("the most blocks", blocks(ids(BLOCKS_MAX)), "BLOCKS_MAX ids"),
        accepted("one id twice", blocks(twice), "accepted, but a requester gains nothing"),
    ]
}

fn bad_requests() -> Vec<VectorCase> {
    let object_id = Cid::of(Codec::DagCbor, b"object");
    let good = entries_from(0, 1);
    let empty = || CborNode::Map(vec![]);
    let both = {
        let list = CborNode::Array(vec![link(object_id)]);
        let range = map(vec![
            ("from", CborNode::Unsigned(0)),
            ("count", CborNode::Unsigned(1)),
            ("publisher", link(publisher().cid())),
        ]);
        map(vec![("blocks", map(vec![("ids", list)])), ("entries", range)])
    };
    vec![
        refused("no entries", "count", entries_from(0, 0), "at least one entry"),
        refused("too many entries", "count", entries_from(0, ENTRIES_MAX + 1), "ENTRIES_MAX"),
        refused("beyond 64 bits", "overflow", entries_from(u64::MAX, 1), "`from` + `count` fits 64 bits"),
        refused("no blocks", "count", blocks(vec![]), "at least one id"),
        refused("too many blocks", "count", blocks(ids(BLOCKS_MAX + 1)), "BLOCKS_MAX"),
        refused(
            "a negative start",
            "shape",
            entries(publisher().cid(), CborNode::Negative(0), 1),
            "sequence numbers are unsigned",
        ),
        refused(
            "a publisher with codec dag-cbor",
            "shape",
            entries(object_id, CborNode::Unsigned(0), 1),
            "a publisher is the id of an entry",
        ),
        refused("an unknown request", "shape", map(vec![("heads", empty())]).encode(), "two requests exist"),
        refused("an empty map", "shape", empty().encode(), "one request"),
        refused("two requests", "shape", both.encode(), "one request"),
        bad_cbor("truncated", "truncated", good[..good.len() - 1].to_vec(), "one complete item"),
        bad_cbor("a byte more", "trailing", [good, vec![0]].concat(), "one complete item"),
        too_large("too many bytes", REQUEST_BYTES_MAX + 1),
    ]
}

fn frame(name: &str, expect: &str, bytes: Vec<u8>, reason: &str) -> VectorCase {
    VectorCase::refused(name, VectorLevel::Frame, expect, &bytes, reason)
}

fn frame_cases() -> Vec<VectorCase> {
    let message = entries_from(0, 1);
    let framed = [encode_varint(message.len()), message.clone()].concat();
    let padded = [vec![0x80 | message.len() as u8, 0], message].concat();
    let short = framed[..framed.len() - 1].to_vec();
    vec![
        frame("frame: a request", "ok", framed, "its length, then its bytes"),
        frame("frame: length 0", "malformed", vec![0], "a message is not empty"),
        frame("frame: too long", "malformed", encode_varint(REQUEST_BYTES_MAX + 1), "refused by its length"),
        frame("frame: padded length", "malformed", padded, "varints in their shortest form"),
        frame("frame: five-byte length", "malformed", vec![0x80, 0x80, 0x80, 0x80, 1], "at most four bytes"),
        frame("frame: cut off", "truncated", short, "the stream ended inside the message"),
    ]
}

fn stream(name: &str, expect: &str, parts: &[&[u8]], reason: &str) -> VectorCase {
    VectorCase::refused(name, VectorLevel::Stream, expect, &parts.concat(), reason)
}

fn sample_record(content: &[u8]) -> Vec<u8> {
    encode_record(Cid::of(Codec::Raw, content), content)
}

fn good_streams() -> Vec<VectorCase> {
    let with_end = |case: VectorCase, end: &str| VectorCase { value: Some(end.into()), ..case };
    let (first, second) = (sample_record(b"first"), sample_record(b"second"));
    vec![
        with_end(stream("complete", "ok", &[&first, &second, &[0, 0]], "two blocks and the end"), "complete"),
        with_end(stream("nothing stored", "ok", &[&[0, 0]], "no block and the end"), "complete"),
        with_end(stream("busy", "ok", &[&[0, 1]], "too many streams"), "busy"),
        with_end(
            stream("a block of no bytes", "ok", &[&sample_record(b""), &[0, 0]], "36 bytes of record"),
            "complete",
        ),
    ]
}

fn bad_streams() -> Vec<VectorCase> {
    let good = sample_record(b"block");
    let id = Cid::of(Codec::Raw, b"block");
    let mut foreign = good.clone();
    foreign[1] = 0;
    let wrong = encode_record(id, b"clock");
    let large = encode_record_header(id, BLOCK_BYTES_MAX + 1);
    vec![
        stream("no end", "truncated", &[&good], "without an end marker the stream was interrupted"),
        stream("cut in a record", "truncated", &[&good[..good.len() - 1]], "a record is complete"),
        stream("cut in the end", "truncated", &[&good, &[0]], "the marker has two bytes"),
        stream("unknown end", "malformed", &[&good, &[0, 2]], "0 and 1 are defined"),
        stream("record shorter than an id", "malformed", &[&[35]], "a record has an id"),
        stream("record too long", "malformed", &[&large], "refused by its length"),
        stream("padded record length", "malformed", &[&[0x80, 0]], "varints in their shortest form"),
        stream("foreign id", "malformed", &[&foreign], "ids of version 1 only"),
        stream("hash mismatch", "hash", &[&wrong, &[0, 0]], "every block is hashed on arrival"),
    ]
}
