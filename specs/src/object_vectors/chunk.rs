//! Vectors of column chunks, byte by byte: the encoding of each column type and its non-canonical variants.

use schemas::chunk::{CHUNK_ROWS_MAX, Chunk, ColumnEncoding};
use schemas::limits::COMPONENTS_MAX;

use super::accepted_object;
use crate::cbor_tree::{CborNode, bytes_node, text_node};
use crate::vector::{VectorCase, VectorFile, VectorLevel};
use testkit::sample;

/// `chunk.json`.
pub fn chunk_file() -> VectorFile {
    let cases = [
        accepted_cases(),
        run_cases(),
        text_cases(),
        integer_cases(),
        number_cases(),
        period_cases(),
        frame_cases(),
    ]
    .concat();
    let about = "Column chunks. Each column has one encoding; every other is refused.";
    VectorFile::new("chunk", about, cases)
}

/// A chunk of two rows with one column.
fn column_case(
    name: &str,
    expect: &str,
    kind: &str,
    fields: &[(&str, CborNode)],
    reason: &str,
) -> VectorCase {
    let mut column = CborNode::Map(vec![]);
    for (key, value) in fields {
        column.set(text_node(key), value.clone());
    }
    // Two rows are the fewest that can be one run or two.
    chunk_case(name, expect, 2, vec![CborNode::Map(vec![(text_node(kind), column)])], reason)
}

fn chunk_case(name: &str, expect: &str, rows: u64, columns: Vec<CborNode>, reason: &str) -> VectorCase {
    let mut node = CborNode::Map(vec![]);
    node.set(text_node("$type"), text_node("chunk"));
    node.set(text_node("v"), CborNode::Unsigned(1));
    node.set(text_node("rows"), CborNode::Unsigned(rows));
    node.set(text_node("columns"), CborNode::Array(columns));
    VectorCase::refused(name, VectorLevel::Object, expect, &node.encode(), reason)
}

fn accepted_cases() -> Vec<VectorCase> {
    let column = |name: &str, coded: ColumnEncoding, reason: &str| {
        accepted_object(name, &Chunk { rows: 2, columns: vec![coded] }, reason)
    };
    let dictionary = vec!["a".to_owned(), "b".to_owned()];
    let long = Chunk {
        rows: CHUNK_ROWS_MAX as u32,
        // 0x80 0x80 0x01 is the varint of 16,384.
        columns: vec![ColumnEncoding::Boolean { values: vec![0, 0x80, 0x80, 1] }],
    };
    vec![
        accepted_object("sample", &sample::chunk_object(), "the worked example of objects.md"),
        column("texts", ColumnEncoding::Text { dictionary, codes: vec![2, 1, 1, 1] }, "b, a"),
        column(
            "text nulls",
            ColumnEncoding::Text { dictionary: vec![], codes: vec![0, 2] },
            "an empty dictionary",
        ),
        column(
            "integers",
            ColumnEncoding::Integer { present: vec![1, 2], deltas: vec![4, 1] },
            "2, then 1 less",
        ),
        column(
            "numbers",
            ColumnEncoding::Number { exponents: vec![2, 1, 4, 1], coefficients: vec![0xb6, 1, 0x9c, 0x0e] },
            "9.1, 9.10",
        ),
        column("booleans", ColumnEncoding::Boolean { values: vec![2, 1, 1, 1] }, "true, false"),
        column(
            "periods",
            // The ordinal of 2010-M01 is 24,120; its zigzag form 48,240 takes three bytes.
            ColumnEncoding::Period { frequencies: vec![4, 2], deltas: vec![0xf0, 0xf8, 2, 2] },
            "2010-M01, 2010-M02",
        ),
        accepted_object("rows as many as allowed", &long, "a run of 16,384 nulls"),
        accepted_object(
            "no columns",
            &Chunk { rows: 1, columns: vec![] },
            "a structure may have no components",
        ),
    ]
}

/// Run-length encoding: pairs of value and count, no equal neighbours, counts that add up to the rows.
fn run_cases() -> Vec<VectorCase> {
    let case = |name: &str, values: &[u8], reason: &str| {
        column_case(name, "rule", "boolean", &[("values", bytes_node(values))], reason)
    };
    vec![
        case("run split", &[1, 1, 1, 1], "neighbours of one value are one run"),
        case("run of none", &[1, 0, 2, 2], "a run has a row"),
        case("runs too short", &[1, 1], "runs cover the rows"),
        case("runs too long", &[1, 3], "runs cover the rows"),
        case("no runs", &[], "runs cover the rows"),
        case("value without a count", &[1, 2, 2], "runs are pairs"),
        case("padded value", &[0x81, 0, 2], "varints in their shortest form"),
        case("padded count", &[1, 0x82, 0], "varints in their shortest form"),
        case("count cut off", &[1, 0x82], "a varint ends"),
        case("count of 2^64", &[1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2], "no overflow"),
        case("endless varint", &[0xff; 19], "at most 18 bytes"),
        case("truth value 3", &[3, 2], "null, false, true"),
    ]
}

fn text_cases() -> Vec<VectorCase> {
    let case = |name: &str, texts: &[&str], codes: &[u8], reason: &str| {
        let dictionary = CborNode::Array(texts.iter().map(|one| text_node(one)).collect());
        column_case(name, "rule", "text", &[("dictionary", dictionary), ("codes", bytes_node(codes))], reason)
    };
    let long = "x".repeat(1025);
    vec![
        case("dictionary out of order", &["b", "a"], &[1, 1, 2, 1], "by code point"),
        case("text twice", &["a", "a"], &[1, 1, 2, 1], "distinct texts"),
        case("text unused", &["a", "b"], &[1, 2], "only what the rows use"),
        case("code beyond the dictionary", &["a"], &[1, 1, 2, 1], "a code is an index from 1"),
        case("code of 2^32", &["a"], &[0x80, 0x80, 0x80, 0x80, 0x10, 2], "no wrap to null"),
        case("text beyond its bound", &[&long], &[1, 2], "1024 bytes"),
        case(
            // In UTF-16, U+1F600 begins with the surrogate D83D, which is below FF5E.
            "dictionary by UTF-16",
            &["\u{1f600}", "\u{ff5e}"],
            &[1, 1, 2, 1],
            "U+FF5E comes before U+1F600",
        ),
    ]
}

fn integer_cases() -> Vec<VectorCase> {
    let case = |name: &str, present: &[u8], deltas: &[u8], reason: &str| {
        column_case(
            name,
            "rule",
            "integer",
            &[("present", bytes_node(present)), ("deltas", bytes_node(deltas))],
            reason,
        )
    };
    // Zigzag of i64::MAX and of one more.
    let max = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    vec![
        case("presence 2", &[2, 2], &[0, 0], "null or value"),
        case("step missing", &[1, 2], &[0], "a step for each value"),
        case("step too many", &[1, 2], &[0, 0, 0], "a step for each value"),
        case("step for a null", &[0, 2], &[0], "a step for each value"),
        case("padded step", &[1, 2], &[0x80, 0, 0], "varints in their shortest form"),
        case("beyond 64 bits", &[1, 2], &[&max[..], &[2]].concat(), "64-bit integers"),
    ]
}

fn number_cases() -> Vec<VectorCase> {
    let case = |name: &str, exponents: &[u8], coefficients: &[u8], reason: &str| {
        column_case(
            name,
            "rule",
            "number",
            &[("exponents", bytes_node(exponents)), ("coefficients", bytes_node(coefficients))],
            reason,
        )
    };
    vec![
        case("coefficient missing", &[1, 2], &[0], "one for each value"),
        case("coefficient for a null", &[0, 2], &[0], "one for each value"),
        // 0 is null, so an exponent is its zigzag form plus 1: 6112 is 12,225.
        case("exponent 6112", &[0xc1, 0x5f, 2], &[2, 2], "at most 6111"),
        case("exponent -6177", &[0xc2, 0x60, 2], &[2, 2], "at least -6176"),
        case("exponent of 2^32", &[0x81, 0x80, 0x80, 0x80, 0x20, 2], &[2, 2], "no overflow"),
        case(
            "coefficient of 2^125",
            &[1, 2],
            &[[0x80; 17].as_slice(), &[0x7f, 0]].concat(),
            "at most 34 digits",
        ),
    ]
}

fn period_cases() -> Vec<VectorCase> {
    let case = |name: &str, frequencies: &[u8], deltas: &[u8], reason: &str| {
        column_case(
            name,
            "rule",
            "period",
            &[("frequencies", bytes_node(frequencies)), ("deltas", bytes_node(deltas))],
            reason,
        )
    };
    vec![
        case("frequency 7", &[7, 2], &[2, 2], "A, S, Q, M, W, D"),
        case("year 0", &[1, 2], &[0, 2], "years 1 to 9999"),
        case("year 10000", &[1, 2], &[0xa0, 0x9c, 1, 2], "years 1 to 9999"),
        case("period step missing", &[1, 2], &[2], "one for each value"),
        case("ordinal of 2^31", &[6, 2], &[0x80, 0x80, 0x80, 0x80, 0x10, 0], "no overflow"),
    ]
}

fn frame_cases() -> Vec<VectorCase> {
    let boolean = |runs: &[u8]| {
        CborNode::Map(vec![(
            text_node("boolean"),
            CborNode::Map(vec![(text_node("values"), bytes_node(runs))]),
        )])
    };
    let listed = CborNode::Map(vec![(
        text_node("values"),
        CborNode::Array(vec![CborNode::Unsigned(1), CborNode::Unsigned(2)]),
    )]);
    let many = vec![boolean(&[0, 1]); COMPONENTS_MAX + 1];
    let over = CHUNK_ROWS_MAX as u64 + 1;
    vec![
        chunk_case("no rows", "rule", 0, vec![], "a chunk holds a row"),
        chunk_case("one row too many", "rule", over, vec![boolean(&[0, 0x81, 0x80, 1])], "a bound on rows"),
        chunk_case("rows of 2^32", "shape", 1 << 32, vec![], "32 bits"),
        chunk_case("65 columns", "rule", 1, many, "a bound on columns"),
        chunk_case(
            "unknown coding",
            "shape",
            1,
            vec![CborNode::Map(vec![(text_node("float"), CborNode::Map(vec![]))])],
            "codings are listed",
        ),
        chunk_case(
            "runs as an array",
            "shape",
            2,
            vec![CborNode::Map(vec![(text_node("boolean"), listed)])],
            "runs are a byte string",
        ),
    ]
}
