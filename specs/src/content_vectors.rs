//! Vectors of contents: every chunk is valid on its own, but the content may not be.

use std::collections::BTreeMap;

use schemas::chunk::{CHUNK_ROWS_MAX, Chunk, chunk_ends};
use schemas::cid::ContentId;
use schemas::content::encode_block;
use schemas::object::{ChunkRef, Content, Structure};
use schemas::period::{Frequency, Period};
use schemas::structure::{ComponentList, Role, ValueType};
use schemas::table::{Column, TextColumn};

use crate::vector::{VectorCase, VectorFile, VectorLevel};
use testkit::hex::encode_hex;
use testkit::sample;

/// `content.json`.
pub fn vector_file() -> VectorFile {
    let about = "Contents with their blocks (`blocks`; `id` is that of the content). Every block is valid on its own.";
    VectorFile::new("content", about, [accepted_cases(), column_cases(), order_cases(), cut_cases()].concat())
}

/// A structure of two identifiers and a measure, of these types.
fn structure_of(kinds: [ValueType; 3]) -> Structure {
    let names = ["REF_AREA", "TIME_PERIOD", "OBS_VALUE"];
    let roles = [Role::Identifier, Role::Identifier, Role::Measure];
    let parts = names.into_iter().zip(roles).zip(kinds);
    let parts = parts.map(|((name, role), kind)| sample::make_component(name, role, kind));
    let components = ComponentList::new(parts.collect()).expect("a shape");
    Structure { components, codes: BTreeMap::new() }
}

fn plain_structure() -> Structure {
    structure_of([ValueType::String, ValueType::TimePeriod, ValueType::Boolean])
}

fn area_column(areas: &[Option<&str>]) -> Column {
    Column::Text(TextColumn::from_rows(areas.iter().copied()))
}

fn year_column(years: &[i32]) -> Column {
    Column::Period(years.iter().map(|year| Period::new(Frequency::A, *year, 1)).collect())
}

fn flag_column(count: usize) -> Column {
    Column::Boolean(vec![Some(true); count])
}

/// The content of these columns, with chunks that end at the rows `cuts`, and its blocks.
fn pack_content(structure: &Structure, columns: &[Column], cuts: &[usize]) -> (ContentId, Vec<Vec<u8>>) {
    let (structure, first) = encode_block(structure).expect("a structure");
    let (mut blocks, mut chunks, mut from) = (vec![first.1], Vec::new(), 0);
    for to in cuts {
        let packed = Chunk::encode_column(columns, from, *to);
        let (chunk, bytes) = encode_block(&packed).expect("a chunk");
        chunks.push(ChunkRef { chunk, rows: packed.rows });
        blocks.push(bytes.1);
        from = *to;
    }
    let rows = chunks.iter().map(|chunk| u64::from(chunk.rows)).sum();
    let (id, last) = encode_block(&Content { structure, rows, chunks }).expect("a content");
    blocks.push(last.1);
    // Equal chunks are one block, and a vector lists each block once.
    blocks.dedup();
    (id, blocks)
}

fn content_case(name: &str, expect: &str, packed: (ContentId, Vec<Vec<u8>>), reason: &str) -> VectorCase {
    let blocks = packed.1.iter().map(|block| encode_hex(block)).collect();
    VectorCase {
        blocks,
        ..VectorCase::refused(name, VectorLevel::Content, expect, &[], reason).with_id(packed.0)
    }
}

fn accepted_cases() -> Vec<VectorCase> {
    let (none, one) = (area_column(&[]), area_column(&[Some("AUT"), Some("BEL")]));
    let empty = pack_content(&plain_structure(), &[none, year_column(&[]), flag_column(0)], &[]);
    let two = pack_content(&plain_structure(), &[one, year_column(&[2010, 2010]), flag_column(2)], &[2]);
    let long = rows_beyond_chunk();
    let cuts = chunk_ends(&long, CHUNK_ROWS_MAX + 1);
    let (id, blocks) = schemas::content::pack_table(&sample::price_table(), sample::structure_object().codes)
        .expect("a content");
    let blocks = blocks.into_iter().map(|(_, bytes)| bytes).collect();
    vec![
        content_case("sample", "ok", (id, blocks), "every type of column"),
        content_case("no rows", "ok", empty, "no chunk either"),
        content_case("two rows", "ok", two, "one chunk"),
        content_case(
            "more rows than a chunk holds",
            "ok",
            pack_content(&plain_structure(), &long, &cuts),
            "cut at 16,384 rows",
        ),
    ]
}

/// One row more than fits into a chunk: days of one area.
fn rows_beyond_chunk() -> Vec<Column> {
    let rows = CHUNK_ROWS_MAX + 1;
    // Day 700,000 is in 1917, so all of these days are within the calendar.
    let days = (0..rows).map(|day| Period::from_ordinal(Frequency::D, 700_000 + day as i32));
    let area = TextColumn::from_rows(std::iter::repeat_n(Some("AUT"), rows));
    vec![Column::Text(area), Column::Period(days.collect()), flag_column(rows)]
}

/// Columns that do not match the structure.
fn column_cases() -> Vec<VectorCase> {
    let one = || area_column(&[Some("AUT")]);
    let months = Column::Period(vec![Period::new(Frequency::M, 2010, 1)]);
    let date = structure_of([ValueType::String, ValueType::Date, ValueType::Boolean]);
    let number = structure_of([ValueType::String, ValueType::TimePeriod, ValueType::Number]);
    let misfit = "columns fit their components";
    vec![
        content_case(
            "column too few",
            "canonical",
            pack_content(&plain_structure(), &[one(), year_column(&[2010])], &[1]),
            misfit,
        ),
        content_case(
            "column too many",
            "canonical",
            pack_content(
                &plain_structure(),
                &[one(), year_column(&[2010]), flag_column(1), flag_column(1)],
                &[1],
            ),
            misfit,
        ),
        content_case(
            "booleans for numbers",
            "canonical",
            pack_content(&number, &[one(), year_column(&[2010]), flag_column(1)], &[1]),
            misfit,
        ),
        content_case(
            "columns swapped",
            "canonical",
            pack_content(&plain_structure(), &[year_column(&[2010]), one(), flag_column(1)], &[1]),
            misfit,
        ),
        content_case(
            "month for a date",
            "canonical",
            pack_content(&date, &[one(), months, flag_column(1)], &[1]),
            "a date is a day",
        ),
    ]
}

/// Rows that are out of order or have a key twice or a null in a key.
fn order_cases() -> Vec<VectorCase> {
    let packed = |names: &[Option<&str>], times: &[i32], cuts: &[usize]| {
        pack_content(
            &plain_structure(),
            &[area_column(names), year_column(times), flag_column(times.len())],
            cuts,
        )
    };
    let (a, b) = (Some("AUT"), Some("BEL"));
    let order = "rows ascend by their keys";
    vec![
        content_case("rows out of order", "table", packed(&[b, a], &[2010, 2010], &[2]), order),
        content_case("second identifier out of order", "table", packed(&[a, a], &[2011, 2010], &[2]), order),
        content_case("chunks out of order", "table", packed(&[b, a], &[2010, 2010], &[1, 2]), order),
        content_case("key twice", "table", packed(&[a, a], &[2010, 2010], &[2]), "keys are unique"),
        content_case("chunk twice", "table", packed(&[a, a], &[2010, 2010], &[1, 2]), "keys are unique"),
        content_case(
            "null in an identifier",
            "table",
            packed(&[None, a], &[2010, 2010], &[2]),
            "no identifier is null",
        ),
    ]
}

/// Chunk boundaries that break the rule, and missing blocks.
fn cut_cases() -> Vec<VectorCase> {
    let pair = || [area_column(&[Some("AUT"), Some("BEL")]), year_column(&[2010, 2010]), flag_column(2)];
    let (id, mut blocks) = pack_content(&plain_structure(), &pair(), &[2]);
    let content = blocks.pop().expect("the content");
    let whole = || (id, vec![blocks[0].clone(), blocks[1].clone(), content.clone()]);
    let without = |at: usize| {
        let (id, mut blocks) = whole();
        blocks.remove(at);
        (id, blocks)
    };
    vec![
        content_case(
            "cut too early",
            "canonical",
            pack_content(&plain_structure(), &pair(), &[1, 2]),
            "chunks end where the rule says",
        ),
        content_case(
            "cut before the bound",
            "canonical",
            pack_content(&plain_structure(), &rows_beyond_chunk(), &[16_000, 16_385]),
            "chunks end where the rule says",
        ),
        content_case("structure missing", "missing", without(0), "a content needs its structure"),
        content_case("chunk missing", "missing", without(1), "a content needs its chunks"),
        content_case("content missing", "missing", without(2), "the content itself is needed"),
    ]
}
