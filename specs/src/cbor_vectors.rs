//! Vectors of strict DAG-CBOR: every non-canonical way to encode an item.

use schemas::cid::{Cid, Codec};
use schemas::limits::{DEPTH_MAX, ITEMS_MAX};

use crate::cbor_tree::{CborNode, bytes_node, item_head, item_head_of_width, text_node};
use crate::vector::{VectorCase, VectorFile, VectorLevel};

/// `cbor.json`.
pub fn vector_file() -> VectorFile {
    let cases = [
        accepted_cases(),
        head_cases(),
        length_cases(),
        map_cases(),
        simple_value_cases(),
        tag_cases(),
        end_cases(),
        bound_cases(),
    ]
    .concat();
    let about =
        "Strict DAG-CBOR, independent of the meaning. Level cbor: decided by the scan before decoding.";
    VectorFile::new("cbor", about, cases)
}

fn accepted_case(name: &str, bytes: impl AsRef<[u8]>, reason: &str) -> VectorCase {
    VectorCase::accepted(name, VectorLevel::Cbor, bytes.as_ref(), reason)
}

fn refused_case(name: &str, expect: &str, bytes: impl AsRef<[u8]>, reason: &str) -> VectorCase {
    VectorCase::refused(name, VectorLevel::Cbor, expect, bytes.as_ref(), reason)
}

fn link_bytes() -> Vec<u8> {
    [&[0][..], &Cid::of(Codec::DagCbor, b"assay").to_bytes()].concat()
}

fn encode_tagged(tag: u64, item: CborNode) -> Vec<u8> {
    CborNode::Tag(tag, Box::new(item)).encode()
}

fn encode_map(pairs: &[(CborNode, CborNode)]) -> Vec<u8> {
    CborNode::Map(pairs.to_vec()).encode()
}

fn accepted_cases() -> Vec<VectorCase> {
    let mut cases = Vec::new();
    let integers = [0, 23, 24, 255, 256, 65_535, 65_536, u64::from(u32::MAX), 1 << 32, u64::MAX];
    for value in integers {
        cases.push(accepted_case(
            &format!("integer {value}"),
            item_head(0, value),
            "the shortest head of its value",
        ));
        cases.push(accepted_case(
            &format!("integer -1-{value}"),
            item_head(1, value),
            "the shortest head of its value",
        ));
    }
    for (name, item) in [
        ("false", CborNode::Bool(false)),
        ("true", CborNode::Bool(true)),
        ("null", CborNode::Null),
        ("empty bytes", bytes_node([])),
        ("empty text", text_node("")),
        ("empty array", CborNode::Array(vec![])),
        ("empty map", CborNode::Map(vec![])),
        ("text with a four-byte character", text_node("a\u{1d11e}")),
        ("text of 24 bytes", text_node(&"x".repeat(24))),
        ("bytes of 256 bytes", bytes_node([7; 256])),
        ("array of 24", CborNode::Array(vec![CborNode::Null; 24])),
    ] {
        cases.push(accepted_case(name, item.encode(), "allowed in the data model"));
    }
    let short_first = encode_map(&[(text_node("b"), CborNode::Null), (text_node("aa"), CborNode::Null)]);
    cases.push(accepted_case("keys by length, then bytes", short_first, "a shorter key comes first"));
    cases.push(accepted_case(
        "link to an object",
        encode_tagged(42, bytes_node(link_bytes())),
        "tag 42 on a zero byte and a CID",
    ));
    let raw = [&[0][..], &Cid::of(Codec::Raw, b"assay").to_bytes()].concat();
    cases.push(accepted_case(
        "link to raw bytes",
        encode_tagged(42, bytes_node(raw)),
        "codec raw is allowed",
    ));
    let nested = nested_arrays(DEPTH_MAX, &[0xf6]);
    cases.push(accepted_case(
        "arrays as deep as allowed",
        nested,
        "the bound counts containers that hold something",
    ));
    cases.push(accepted_case(
        "empty array at the bottom",
        nested_arrays(DEPTH_MAX, &[0x80]),
        "an empty container opens no level",
    ));
    cases
}

fn nested_arrays(levels: usize, inner: &[u8]) -> Vec<u8> {
    [vec![0x81; levels], inner.to_vec()].concat()
}

/// Heads that are longer than necessary, or reserved.
fn head_cases() -> Vec<VectorCase> {
    let mut cases = Vec::new();
    let kinds = ["integer", "negative integer", "bytes", "text", "array", "map", "tag"];
    for (major, kind) in kinds.into_iter().enumerate() {
        for width in [1, 2, 4, 8] {
            // The argument is the largest that a shorter head could hold.
            let value = match (major, width) {
                (6, _) => 42,
                (2..=5, _) => 1,
                (_, 1) => 23,
                (_, 2) => 255,
                (_, 4) => 65_535,
                _ => u64::from(u32::MAX),
            };
            // Tag 42 does not fit the first byte, so this head is its shortest.
            if major == 6 && width == 1 {
                continue;
            }
            let mut input = item_head_of_width(major as u8, value, width);
            // The content that the argument promises, so that only the head is wrong.
            match major {
                2 | 3 => input.push(b'x'),
                4 => input.push(0),
                5 => input.extend([0x61, b'x', 0]),
                6 => input.extend(bytes_node(link_bytes()).encode()),
                _ => {}
            }
            let name = format!("{kind} in {width} bytes too many");
            cases.push(refused_case(&name, "minimal", input, "a head has one form, the shortest"));
        }
        for info in [28, 29, 30] {
            let name = format!("{kind} with reserved head {info}");
            cases.push(refused_case(
                &name,
                "indefinite",
                [(major as u8) << 5 | info],
                "RFC 8949, section 3: reserved",
            ));
        }
    }
    let padded = [vec![0xa1, 0x78, 1, b'x'], vec![0]].concat();
    cases.push(refused_case("key with a long head", "minimal", padded, "keys are items like others"));
    cases
}

fn length_cases() -> Vec<VectorCase> {
    [
        ("indefinite bytes", &[0x5f, 0x41, 1, 0xff][..]),
        ("indefinite text", &[0x7f, 0x61, b'x', 0xff]),
        ("indefinite array", &[0x9f, 0, 0xff]),
        ("indefinite map", &[0xbf, 0x61, b'x', 0, 0xff]),
        ("indefinite array inside", &[0x81, 0x9f, 0xff]),
        ("break alone", &[0xff]),
        ("break as an element", &[0x81, 0xff]),
        ("indefinite integer", &[0x1f]),
        ("indefinite tag", &[0xdf, 0x00]),
    ]
    .into_iter()
    .map(|(name, input)| refused_case(name, "indefinite", input, "every length is definite"))
    .collect()
}

fn map_cases() -> Vec<VectorCase> {
    let null = || CborNode::Null;
    let one = |key: CborNode| encode_map(&[(key, null())]);
    let two = |a: &str, b: &str| encode_map(&[(text_node(a), null()), (text_node(b), null())]);
    let of_type = "keys are text";
    vec![
        refused_case("duplicate key", "order", two("a", "a"), "keys are unique"),
        refused_case(
            "duplicate key, not adjacent",
            "order",
            encode_map(&[(text_node("a"), null()), (text_node("b"), null()), (text_node("a"), null())]),
            "keys are unique",
        ),
        refused_case("keys out of order", "order", two("b", "a"), "bytewise among keys of one length"),
        refused_case("longer key first", "order", two("aa", "b"), "length goes before content"),
        refused_case(
            "keys out of order inside",
            "order",
            CborNode::Array(vec![CborNode::Raw(two("b", "a"))]).encode(),
            "at every depth",
        ),
        refused_case("integer key", "map-key", one(CborNode::Unsigned(1)), of_type),
        refused_case("negative key", "map-key", one(CborNode::Negative(0)), of_type),
        refused_case("bytes key", "map-key", one(bytes_node(b"a")), of_type),
        refused_case("null key", "map-key", one(CborNode::Null), of_type),
        refused_case("boolean key", "map-key", one(CborNode::Bool(true)), of_type),
        refused_case("array key", "map-key", one(CborNode::Array(vec![])), of_type),
        refused_case(
            "array key with elements",
            "map-key",
            one(CborNode::Array(vec![text_node("a")])),
            of_type,
        ),
        refused_case("map key", "map-key", one(CborNode::Map(vec![])), of_type),
        refused_case(
            "link key",
            "map-key",
            one(CborNode::Tag(42, Box::new(bytes_node(link_bytes())))),
            of_type,
        ),
        refused_case("key not UTF-8", "utf8", [0xa1, 0x61, 0xff, 0xf6], "keys are text like other text"),
        refused_case("map without its last value", "truncated", [0xa1, 0x61, b'a'], "a pair has two items"),
    ]
}

fn simple_value_cases() -> Vec<VectorCase> {
    let mut cases: Vec<VectorCase> = [
        ("undefined", &[0xf7][..]),
        ("half float", &[0xf9, 0x3c, 0x00]),
        ("half NaN", &[0xf9, 0x7e, 0x00]),
        ("half infinity", &[0xf9, 0x7c, 0x00]),
        ("single float", &[0xfa, 0x3f, 0x80, 0, 0]),
        ("double float", &[0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]),
        ("double minus zero", &[0xfb, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        ("double NaN", &[0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0]),
        ("simple 0", &[0xe0]),
        ("simple 19", &[0xf3]),
        ("simple 32", &[0xf8, 32]),
        ("simple 255", &[0xf8, 255]),
        ("true in two bytes", &[0xf8, 21]),
        ("null in two bytes", &[0xf8, 22]),
        ("reserved simple head", &[0xfc]),
    ]
    .into_iter()
    .map(|(name, input)| refused_case(name, "simple", input, "of major type 7 only false, true and null"))
    .collect();
    cases.push(refused_case("float in a map", "simple", [0xa1, 0x61, b'a', 0xf9, 0, 0], "at every depth"));
    cases
}

fn tag_cases() -> Vec<VectorCase> {
    let mut cases = Vec::new();
    for tag in [0, 1, 2, 3, 4, 18, 24, 41, 43, 258, 55_799, u64::MAX] {
        let name = format!("tag {tag}");
        cases.push(refused_case(
            &name,
            "tag",
            encode_tagged(tag, bytes_node(link_bytes())),
            "42 is the only tag",
        ));
    }
    let cid = Cid::of(Codec::DagCbor, b"assay").to_bytes();
    let replaced = |at: usize, value: u8| {
        let mut content = link_bytes();
        content[at] = value;
        content
    };
    let sha256 = replaced(3, 0x12);
    // A CID of version 0 is a multihash alone, of SHA-256.
    let v0 = [&[0, 0x12, 0x20][..], &cid[4..]].concat();
    for (name, content, reason) in [
        ("link without the zero byte", cid.to_vec(), "a zero byte stands before the CID"),
        ("link with another first byte", replaced(0, 1), "a zero byte stands before the CID"),
        ("link of version 0", v0, "CIDv1 only"),
        ("link of version 2", replaced(1, 2), "CIDv1 only"),
        ("link by SHA-256", sha256, "BLAKE3-256 only"),
        ("link by identity", replaced(3, 0), "BLAKE3-256 only"),
        ("link to dag-pb", replaced(2, 0x70), "dag-cbor or raw only"),
        // The codec dag-json, 0x0129, is a varint of two bytes.
        ("link to dag-json", [&[0, 1, 0xa9, 0x02, 0x1e, 32][..], &cid[4..]].concat(), "dag-cbor or raw only"),
        ("link with a short digest", link_bytes()[..36].to_vec(), "32 bytes of digest"),
        (
            "link with a truncated hash",
            [&[0, 1, 0x71, 0x1e, 20][..], &cid[4..24]].concat(),
            "32 bytes of digest",
        ),
        ("link with a long digest", [link_bytes(), vec![0]].concat(), "nothing after the digest"),
        (
            "link with a padded version",
            [&[0, 0x81, 0][..], &cid[1..]].concat(),
            "varints in their shortest form",
        ),
        ("empty link", vec![], "a CID of 36 bytes"),
    ] {
        cases.push(refused_case(name, "link", encode_tagged(42, bytes_node(content)), reason));
    }
    let text_form = Cid::of(Codec::DagCbor, b"assay").to_string();
    for (name, item) in [
        ("link as text", text_node(&text_form)),
        ("link on an integer", CborNode::Unsigned(1)),
        ("link on an array", CborNode::Array(vec![bytes_node(link_bytes())])),
        ("link on null", CborNode::Null),
    ] {
        cases.push(refused_case(name, "link", encode_tagged(42, item), "tag 42 stands on a byte string"));
    }
    let twice = encode_tagged(42, CborNode::Tag(42, Box::new(bytes_node(link_bytes()))));
    cases.push(refused_case("link on a link", "link", twice, "tag 42 stands on a byte string"));
    cases.push(refused_case("tag without an item", "truncated", [0xd8, 42], "a tag has an item"));
    cases
}

fn end_cases() -> Vec<VectorCase> {
    let cut =
        |name: &str, input: &[u8]| refused_case(name, "truncated", input, "the bytes end inside the item");
    vec![
        cut("nothing", &[]),
        cut("integer cut off", &[0x18]),
        cut("wide integer cut off", &[0x1b, 1, 2, 3]),
        cut("bytes cut off", &[0x42, 1]),
        cut("text cut off", &[0x62, b'a']),
        cut("array cut off", &[0x82, 1]),
        cut("map cut off", &[0xa1]),
        cut("array of 2^64 - 1", &item_head(4, u64::MAX)),
        cut("map of 2^63", &item_head(5, 1 << 63)),
        cut("bytes of 2^64 - 1", &item_head(2, u64::MAX)),
        cut("text of 4 GiB", &item_head(3, 1 << 32)),
        refused_case("second item", "trailing", [0, 0], "exactly one item"),
        refused_case("zero byte after a map", "trailing", [0xa0, 0], "exactly one item"),
        refused_case("line feed after", "trailing", [0x80, b'\n'], "exactly one item"),
        refused_case("lone continuation byte", "utf8", [0x61, 0x80], "RFC 3629"),
        refused_case("overlong slash", "utf8", [0x62, 0xc0, 0xaf], "RFC 3629"),
        refused_case("surrogate", "utf8", [0x63, 0xed, 0xa0, 0x80], "RFC 3629"),
        refused_case("beyond U+10FFFF", "utf8", [0x64, 0xf4, 0x90, 0x80, 0x80], "RFC 3629"),
        refused_case(
            "character cut by the length",
            "utf8",
            [0x82, 0x61, 0xc3, 0x61, 0xa9],
            "text ends with a character",
        ),
    ]
}

fn bound_cases() -> Vec<VectorCase> {
    let items = |count: usize| item_head(4, count as u64);
    let many = "so that decoding cannot amplify memory";
    let maps = [0xa1, 0x61, b'a'].repeat(DEPTH_MAX + 1);
    vec![
        refused_case(
            "arrays one too deep",
            "depth",
            nested_arrays(DEPTH_MAX + 1, &[0xf6]),
            "bounded nesting",
        ),
        refused_case("maps one too deep", "depth", [maps, vec![0xf6]].concat(), "bounded nesting"),
        refused_case("arrays 100,000 deep", "depth", [], "no recursion").repeating(&[0x81], 100_000, &[0]),
        // The array counts as an item too.
        accepted_case("as many items as allowed", items(ITEMS_MAX - 1), many).repeating(
            &[0],
            ITEMS_MAX - 1,
            &[],
        ),
        refused_case("one item too many", "items", items(ITEMS_MAX), many).repeating(&[0], ITEMS_MAX, &[]),
        refused_case("one empty map too many", "items", items(ITEMS_MAX), many).repeating(
            &[0xa0],
            ITEMS_MAX,
            &[],
        ),
    ]
}
