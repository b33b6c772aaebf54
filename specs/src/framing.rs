//! Vectors of CARv1 files.

use schemas::car::{self, record, varint};
use schemas::cid::{Cid, Codec};
use schemas::limits::BLOCK_BYTES_MAX;

use crate::case::{Case, File, Level};
use crate::node::{Node, bytes, text};
use crate::sample;

/// `car.json`.
pub fn file() -> File {
    let cases = [accepted(), headers(), records()].concat();
    File::new("car", "Files of blocks (CARv1): the header, then one record a block.", cases)
}

fn block() -> (Cid, &'static [u8]) {
    (Cid::of(Codec::Raw, b"block"), b"block")
}

fn head() -> Vec<u8> {
    car::header(&[block().0])
}

fn whole() -> Vec<u8> {
    [head(), record(block().0, block().1)].concat()
}

fn bad(name: &str, expect: &str, input: impl AsRef<[u8]>, reason: &str) -> Case {
    Case::bad(name, Level::Car, expect, input.as_ref(), reason)
}

fn good(name: &str, input: impl AsRef<[u8]>, reason: &str) -> Case {
    bad(name, "ok", input, reason)
}

fn accepted() -> Vec<Case> {
    let log = sample::log();
    let roots: Vec<Cid> = log.iter().map(|entry| entry.id().cid()).collect();
    let records = log.iter().map(|entry| record(entry.id().cid(), entry.bytes()));
    let bundle = [car::header(&roots), records.collect::<Vec<_>>().concat()].concat();
    vec![
        good("one block", whole(), "a root and its block"),
        good("no roots, no blocks", car::header(&[]), "nothing is something"),
        good(
            "a block of no bytes",
            [head(), record(Cid::of(Codec::Raw, b""), b"")].concat(),
            "36 bytes of record",
        ),
        good(
            "the same block twice",
            [whole(), record(block().0, block().1)].concat(),
            "the reader keeps one",
        ),
        good("log of the samples", bundle, "roots are entry ids"),
    ]
}

fn framed(header: &Node) -> Vec<u8> {
    let body = header.write();
    [varint(body.len()), body].concat()
}

fn header(roots: Node, version: Node) -> Vec<u8> {
    framed(&Node::Map(vec![(text("roots"), roots), (text("version"), version)]))
}

fn headers() -> Vec<Case> {
    let none = || Node::Array(vec![]);
    let extra = Node::Map(vec![
        (text("roots"), none()),
        (text("comment"), Node::Null),
        (text("version"), Node::Unsigned(1)),
    ]);
    let sha256 = [&[0, 1, 0x71, 0x12, 32][..], &[7; 32]].concat();
    let v2 = [&[0x0a][..], &[0xa1, 0x67], b"version", &[2]].concat();
    vec![
        bad("nothing", "header", [], "a header comes first"),
        bad("version 2", "header", v2, "CARv1 only"),
        bad("version 2 with roots", "header", header(none(), Node::Unsigned(2)), "CARv1 only"),
        bad("version as text", "header", header(none(), text("1")), "a version is an integer"),
        bad(
            "no roots field",
            "header",
            framed(&Node::Map(vec![(text("version"), Node::Unsigned(1))])),
            "two fields",
        ),
        bad("extra field", "header", framed(&extra), "two fields"),
        bad(
            "root by SHA-256",
            "header",
            header(Node::Array(vec![Node::Tag(42, Box::new(bytes(sha256)))]), Node::Unsigned(1)),
            "our ids only",
        ),
        bad(
            "keys out of order",
            "header",
            framed(&Node::Map(vec![(text("version"), Node::Unsigned(1)), (text("roots"), none())])),
            "strict DAG-CBOR",
        ),
        bad("header cut off", "header", &head()[..20], "the header is whole"),
        bad(
            "header length padded",
            "header",
            [&[0x91, 0x00][..], &car::header(&[])[1..]].concat(),
            "varints in their shortest form",
        ),
        bad("header length of 2^28", "header", [0xff, 0xff, 0xff, 0xff, 1], "a bound on headers"),
        bad("header too long", "header", varint(car::HEADER_BYTES_MAX + 1), "a bound on headers").repeating(
            &[0],
            car::HEADER_BYTES_MAX + 1,
            &[],
        ),
    ]
}

fn records() -> Vec<Case> {
    let (id, content) = block();
    let after = |record: Vec<u8>| [head(), record].concat();
    let framed = |length: usize, rest: &[u8]| after([varint(length), rest.to_vec()].concat());
    let cid = id.to_bytes();
    let foreign = |at: usize, value: u8| {
        let mut cid = cid;
        cid[at] = value;
        framed(36 + content.len(), &[&cid[..], content].concat())
    };
    let whole = record(id, content);
    let padded = [&[0x80 | 41, 0][..], &whole[1..]].concat();
    let over = BLOCK_BYTES_MAX + 37;
    vec![
        bad("record cut off", "truncated", after(whole[..whole.len() - 1].to_vec()), "a record is whole"),
        bad("record cut in its id", "truncated", after(whole[..20].to_vec()), "a record is whole"),
        bad("record cut in its length", "truncated", after(vec![0x80]), "a record is whole"),
        bad("record of no bytes", "length", framed(0, &[]), "a record has an id"),
        bad("record shorter than an id", "length", framed(35, &cid[..35]), "a record has an id"),
        bad("record one byte too long", "length", framed(over, &cid), "a bound on blocks"),
        bad("record length padded", "length", after(padded), "varints in their shortest form"),
        bad(
            "record length of five bytes",
            "length",
            after(vec![0x80, 0x80, 0x80, 0x80, 1]),
            "a bound on blocks",
        ),
        bad("id by SHA-256", "foreign", foreign(2, 0x12), "our ids only"),
        bad("id of version 0", "foreign", foreign(0, 0), "our ids only"),
        bad("id of dag-pb", "foreign", foreign(1, 0x70), "our ids only"),
        bad("other bytes than the id says", "hash", after(record(id, b"blocj")), "every block is hashed"),
        bad("bytes of another codec", "hash", foreign(35, 0), "the digest counts to its last byte"),
        bad("zeros after the last record", "length", [after(whole), vec![0, 0]].concat(), "no padding"),
    ]
}
