//! Vectors of CARv1 files.

use schemas::car::{self, encode_record, encode_varint};
use schemas::cid::{Cid, Codec};
use schemas::limits::BLOCK_BYTES_MAX;

use crate::cbor_tree::{CborNode, bytes_node, text_node};
use crate::vector::{VectorCase, VectorFile, VectorLevel};
use testkit::sample;

/// `car.json`.
pub fn vector_file() -> VectorFile {
    let cases = [accepted_cases(), header_cases(), record_cases()].concat();
    VectorFile::new("car", "Files of blocks (CARv1): the header, then one record for each block.", cases)
}

fn sample_block() -> (Cid, &'static [u8]) {
    (Cid::of(Codec::Raw, b"block"), b"block")
}

fn header_bytes() -> Vec<u8> {
    car::encode_header(&[sample_block().0])
}

fn complete_file() -> Vec<u8> {
    [header_bytes(), encode_record(sample_block().0, sample_block().1)].concat()
}

fn refused_case(name: &str, expect: &str, input: impl AsRef<[u8]>, reason: &str) -> VectorCase {
    VectorCase::refused(name, VectorLevel::Car, expect, input.as_ref(), reason)
}

fn accepted_case(name: &str, input: impl AsRef<[u8]>, reason: &str) -> VectorCase {
    refused_case(name, "ok", input, reason)
}

fn accepted_cases() -> Vec<VectorCase> {
    let log = sample::sample_log();
    let roots: Vec<Cid> = log.iter().map(|entry| entry.id().cid()).collect();
    let records = log.iter().map(|entry| encode_record(entry.id().cid(), entry.bytes()));
    let bundle = [car::encode_header(&roots), records.collect::<Vec<_>>().concat()].concat();
    vec![
        accepted_case("one block", complete_file(), "a root and its block"),
        accepted_case("no roots, no blocks", car::encode_header(&[]), "an empty file is valid"),
        accepted_case(
            "a block of no bytes",
            [header_bytes(), encode_record(Cid::of(Codec::Raw, b""), b"")].concat(),
            "36 bytes of record",
        ),
        accepted_case(
            "the same block twice",
            [complete_file(), encode_record(sample_block().0, sample_block().1)].concat(),
            "the reader keeps one copy",
        ),
        accepted_case("log of the samples", bundle, "roots are entry ids"),
    ]
}

fn framed_header(header: &CborNode) -> Vec<u8> {
    let body = header.encode();
    [encode_varint(body.len()), body].concat()
}

fn header_with(roots: CborNode, version: CborNode) -> Vec<u8> {
    framed_header(&CborNode::Map(vec![(text_node("roots"), roots), (text_node("version"), version)]))
}

fn header_cases() -> Vec<VectorCase> {
    let none = || CborNode::Array(vec![]);
    let extra = CborNode::Map(vec![
        (text_node("roots"), none()),
        (text_node("comment"), CborNode::Null),
        (text_node("version"), CborNode::Unsigned(1)),
    ]);
    // 0x12 is SHA-256 in the table of multihashes.
    let sha256 = [&[0, 1, 0x71, 0x12, 32][..], &[7; 32]].concat();
    // A CARv2 file begins with these bytes, a header of version 2 without roots.
    let v2 = [&[0x0a][..], &[0xa1, 0x67], b"version", &[2]].concat();
    vec![
        refused_case("nothing", "header", [], "a header comes first"),
        refused_case("version 2", "header", v2, "CARv1 only"),
        refused_case(
            "version 2 with roots",
            "header",
            header_with(none(), CborNode::Unsigned(2)),
            "CARv1 only",
        ),
        refused_case(
            "version as text",
            "header",
            header_with(none(), text_node("1")),
            "a version is an integer",
        ),
        refused_case(
            "no roots field",
            "header",
            framed_header(&CborNode::Map(vec![(text_node("version"), CborNode::Unsigned(1))])),
            "two fields",
        ),
        refused_case("extra field", "header", framed_header(&extra), "two fields"),
        refused_case(
            "root by SHA-256",
            "header",
            header_with(
                CborNode::Array(vec![CborNode::Tag(42, Box::new(bytes_node(sha256)))]),
                CborNode::Unsigned(1),
            ),
            "ids are CIDv1 over BLAKE3-256",
        ),
        refused_case(
            "keys out of order",
            "header",
            framed_header(&CborNode::Map(vec![
                (text_node("version"), CborNode::Unsigned(1)),
                (text_node("roots"), none()),
            ])),
            "strict DAG-CBOR",
        ),
        refused_case("header cut off", "header", &header_bytes()[..20], "the header must be complete"),
        refused_case(
            "header length padded",
            "header",
            // The header without roots has 17 bytes, 0x11; here the length takes two bytes.
            [&[0x91, 0x00][..], &car::encode_header(&[])[1..]].concat(),
            "varints in their shortest form",
        ),
        refused_case("header length of 2^28", "header", [0xff, 0xff, 0xff, 0xff, 1], "a bound on headers"),
        refused_case(
            "header too long",
            "header",
            encode_varint(car::HEADER_BYTES_MAX + 1),
            "a bound on headers",
        )
        .repeating(&[0], car::HEADER_BYTES_MAX + 1, &[]),
    ]
}

fn record_cases() -> Vec<VectorCase> {
    let (id, content) = sample_block();
    let after = |record: Vec<u8>| [header_bytes(), record].concat();
    let framed = |length: usize, rest: &[u8]| after([encode_varint(length), rest.to_vec()].concat());
    let cid = id.to_bytes();
    let foreign = |at: usize, value: u8| {
        let mut cid = cid;
        cid[at] = value;
        framed(36 + content.len(), &[&cid[..], content].concat())
    };
    let whole = encode_record(id, content);
    // 41 bytes, 36 of the id and 5 of the block; here the length takes two bytes.
    let padded = [&[0x80 | 41, 0][..], &whole[1..]].concat();
    // 36 bytes of the id, and a block with one byte too many.
    let over = BLOCK_BYTES_MAX + 37;
    vec![
        refused_case(
            "record cut off",
            "truncated",
            after(whole[..whole.len() - 1].to_vec()),
            "a record must be complete",
        ),
        refused_case(
            "record cut in its id",
            "truncated",
            after(whole[..20].to_vec()),
            "a record must be complete",
        ),
        refused_case("record cut in its length", "truncated", after(vec![0x80]), "a record must be complete"),
        refused_case("record of no bytes", "length", framed(0, &[]), "a record has an id"),
        refused_case("record shorter than an id", "length", framed(35, &cid[..35]), "a record has an id"),
        refused_case("record one byte too long", "length", framed(over, &cid), "a bound on blocks"),
        refused_case("record length padded", "length", after(padded), "varints in their shortest form"),
        refused_case(
            "record length of five bytes",
            "length",
            after(vec![0x80, 0x80, 0x80, 0x80, 1]),
            "a bound on blocks",
        ),
        refused_case("id by SHA-256", "foreign", foreign(2, 0x12), "ids are CIDv1 over BLAKE3-256"),
        refused_case("id of version 0", "foreign", foreign(0, 0), "ids are CIDv1 over BLAKE3-256"),
        refused_case("id of dag-pb", "foreign", foreign(1, 0x70), "ids are CIDv1 over BLAKE3-256"),
        refused_case(
            "other bytes than the id says",
            "hash",
            after(encode_record(id, b"blocj")),
            "every block is hashed",
        ),
        refused_case("bytes of another codec", "hash", foreign(35, 0), "the digest counts to its last byte"),
        refused_case(
            "zeros after the last record",
            "length",
            [after(whole), vec![0, 0]].concat(),
            "no padding",
        ),
    ]
}
