//! Vectors of whole contents: chunks that hold one by one, and are no data set together.

use std::collections::BTreeMap;

use schemas::chunk::{CHUNK_ROWS_MAX, Chunk, ends};
use schemas::cid::ContentId;
use schemas::content::block;
use schemas::object::{ChunkRef, Content, Structure};
use schemas::period::{Frequency, Period};
use schemas::structure::{Component, Role, Shape, Type};
use schemas::table::{Column, Texts};

use crate::case::{Case, File, Level, hex};
use crate::sample;

/// `content.json`.
pub fn file() -> File {
    let about =
        "Contents with their blocks (`blocks`; `id` is that of the content). Every block holds by itself.";
    File::new("content", about, [accepted(), columns(), orders(), cuts()].concat())
}

/// Two identifiers and a measure.
fn structure(kinds: [Type; 3]) -> Structure {
    let names = ["REF_AREA", "TIME_PERIOD", "OBS_VALUE"];
    let roles = [Role::Identifier, Role::Identifier, Role::Measure];
    let parts = names.into_iter().zip(roles).zip(kinds);
    let parts = parts.map(|((name, role), kind)| Component::new(sample::name(name), role, kind));
    let components = Shape::new(parts.collect()).expect("a shape");
    Structure { components, codes: BTreeMap::new() }
}

fn plain() -> Structure {
    structure([Type::String, Type::TimePeriod, Type::Boolean])
}

fn areas(areas: &[Option<&str>]) -> Column {
    Column::Text(Texts::from_rows(areas.iter().copied()))
}

fn years(years: &[i32]) -> Column {
    Column::Period(years.iter().map(|year| Period::new(Frequency::A, *year, 1)).collect())
}

fn flags(count: usize) -> Column {
    Column::Boolean(vec![Some(true); count])
}

/// The content of these rows, cut at `cuts`, and its blocks.
fn pack(structure: &Structure, columns: &[Column], cuts: &[usize]) -> (ContentId, Vec<Vec<u8>>) {
    let (structure, first) = block(structure).expect("a structure");
    let (mut blocks, mut chunks, mut from) = (vec![first.1], Vec::new(), 0);
    for to in cuts {
        let packed = Chunk::pack(columns, from, *to);
        let (chunk, bytes) = block(&packed).expect("a chunk");
        chunks.push(ChunkRef { chunk, rows: packed.rows });
        blocks.push(bytes.1);
        from = *to;
    }
    let rows = chunks.iter().map(|chunk| u64::from(chunk.rows)).sum();
    let (id, last) = block(&Content { structure, rows, chunks }).expect("a content");
    blocks.push(last.1);
    blocks.dedup();
    (id, blocks)
}

fn case(name: &str, expect: &str, packed: (ContentId, Vec<Vec<u8>>), reason: &str) -> Case {
    let blocks = packed.1.iter().map(|block| hex(block)).collect();
    Case { blocks, ..Case::bad(name, Level::Content, expect, &[], reason).with_id(packed.0) }
}

fn accepted() -> Vec<Case> {
    let (none, one) = (areas(&[]), areas(&[Some("AUT"), Some("BEL")]));
    let empty = pack(&plain(), &[none, years(&[]), flags(0)], &[]);
    let two = pack(&plain(), &[one, years(&[2010, 2010]), flags(2)], &[2]);
    let long = many();
    let cuts = ends(&long, CHUNK_ROWS_MAX + 1);
    let (id, blocks) =
        schemas::content::pack(&sample::table(), sample::structure().codes).expect("a content");
    let blocks = blocks.into_iter().map(|(_, bytes)| bytes).collect();
    vec![
        case("sample", "ok", (id, blocks), "every type of column"),
        case("no rows", "ok", empty, "no chunk either"),
        case("two rows", "ok", two, "one chunk"),
        case("more rows than a chunk holds", "ok", pack(&plain(), &long, &cuts), "cut at 16,384 rows"),
    ]
}

/// One row more than a chunk holds: days of one area.
fn many() -> Vec<Column> {
    let rows = CHUNK_ROWS_MAX + 1;
    let days = (0..rows).map(|day| Period::from_ordinal(Frequency::D, 700_000 + day as i32));
    let area = Texts::from_rows(std::iter::repeat_n(Some("AUT"), rows));
    vec![Column::Text(area), Column::Period(days.collect()), flags(rows)]
}

/// Columns that are not those of the structure.
fn columns() -> Vec<Case> {
    let one = || areas(&[Some("AUT")]);
    let months = Column::Period(vec![Period::new(Frequency::M, 2010, 1)]);
    let date = structure([Type::String, Type::Date, Type::Boolean]);
    let number = structure([Type::String, Type::TimePeriod, Type::Number]);
    let misfit = "columns fit their components";
    vec![
        case("column too few", "canonical", pack(&plain(), &[one(), years(&[2010])], &[1]), misfit),
        case(
            "column too many",
            "canonical",
            pack(&plain(), &[one(), years(&[2010]), flags(1), flags(1)], &[1]),
            misfit,
        ),
        case(
            "booleans for numbers",
            "canonical",
            pack(&number, &[one(), years(&[2010]), flags(1)], &[1]),
            misfit,
        ),
        case(
            "columns swapped",
            "canonical",
            pack(&plain(), &[years(&[2010]), one(), flags(1)], &[1]),
            misfit,
        ),
        case(
            "month for a date",
            "canonical",
            pack(&date, &[one(), months, flags(1)], &[1]),
            "a date is a day",
        ),
    ]
}

/// Rows that are no data set.
fn orders() -> Vec<Case> {
    let packed = |names: &[Option<&str>], times: &[i32], cuts: &[usize]| {
        pack(&plain(), &[areas(names), years(times), flags(times.len())], cuts)
    };
    let (a, b) = (Some("AUT"), Some("BEL"));
    let order = "rows ascend by their keys";
    vec![
        case("rows out of order", "table", packed(&[b, a], &[2010, 2010], &[2]), order),
        case("second identifier out of order", "table", packed(&[a, a], &[2011, 2010], &[2]), order),
        case("chunks out of order", "table", packed(&[b, a], &[2010, 2010], &[1, 2]), order),
        case("key twice", "table", packed(&[a, a], &[2010, 2010], &[2]), "a key stands once"),
        case("chunk twice", "table", packed(&[a, a], &[2010, 2010], &[1, 2]), "a key stands once"),
        case("null in an identifier", "table", packed(&[None, a], &[2010, 2010], &[2]), "a key is whole"),
    ]
}

/// Chunks cut elsewhere than the rule says, and blocks that are not there.
fn cuts() -> Vec<Case> {
    let pair = || [areas(&[Some("AUT"), Some("BEL")]), years(&[2010, 2010]), flags(2)];
    let (id, mut blocks) = pack(&plain(), &pair(), &[2]);
    let content = blocks.pop().expect("the content");
    let whole = || (id, vec![blocks[0].clone(), blocks[1].clone(), content.clone()]);
    let without = |at: usize| {
        let (id, mut blocks) = whole();
        blocks.remove(at);
        (id, blocks)
    };
    vec![
        case(
            "cut too early",
            "canonical",
            pack(&plain(), &pair(), &[1, 2]),
            "chunks end where the rule says",
        ),
        case(
            "cut before the bound",
            "canonical",
            pack(&plain(), &many(), &[16_000, 16_385]),
            "chunks end where the rule says",
        ),
        case("structure missing", "missing", without(0), "a content needs its structure"),
        case("chunk missing", "missing", without(1), "a content needs its chunks"),
        case("content missing", "missing", without(2), "nothing to read"),
    ]
}
