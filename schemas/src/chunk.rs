//! Column chunks: a run of rows of a data set, coded compactly and in one way only.
//!
//! A chunk contains every column of its rows. Texts are in a dictionary of the chunk (ascending,
//! all used); codes, frequencies, exponents and presence are run-length coded; periods and
//! integers are differences; numbers are variable-length. All varints are unsigned LEB128 in
//! their shortest form, signed values zigzag. A chunk that would encode otherwise is refused.

use serde::{Deserialize, Serialize};

use crate::cid::ChunkId;
use crate::column::{Column, TextColumn};
use crate::decimal::Decimal;
use crate::limits::{CELL_BYTES_MAX, CHUNK_BYTES_MAX, COMPONENTS_MAX};
use crate::object::ObjectType;
use crate::period::{Frequency, Period};

/// Rows of one chunk: small enough that one figure is proved with little, even of narrow tables.
pub const CHUNK_ROWS_MAX: usize = 16_384;

/// Value of a run that stands for null.
const NULL: u128 = 0;

/// Rows of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chunk {
    /// Number of rows, at least one.
    pub rows: u32,
    /// The columns in the order of the structure's components.
    pub columns: Vec<ColumnEncoding>,
}

/// One column of a chunk. `runs` are pairs of a value and a length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ColumnEncoding {
    /// Texts.
    Text {
        /// The distinct texts, ascending by code point.
        dictionary: Vec<String>,
        /// Runs of 0 for null or the index in the dictionary from 1.
        #[serde(with = "serde_bytes")]
        codes: Vec<u8>,
    },
    /// Integers.
    Integer {
        /// Runs of 0 for null, 1 for a value.
        #[serde(with = "serde_bytes")]
        present: Vec<u8>,
        /// Differences to the value before, zigzag.
        #[serde(with = "serde_bytes")]
        deltas: Vec<u8>,
    },
    /// Decimals.
    Number {
        /// Runs of 0 for null, or the exponent in zigzag plus 1.
        #[serde(with = "serde_bytes")]
        exponents: Vec<u8>,
        /// Coefficients, zigzag.
        #[serde(with = "serde_bytes")]
        coefficients: Vec<u8>,
    },
    /// Truth values.
    Boolean {
        /// Runs of 0 for null, 1 for false, 2 for true.
        #[serde(with = "serde_bytes")]
        values: Vec<u8>,
    },
    /// Periods and dates.
    Period {
        /// Runs of 0 for null, or the index of the frequency in A, S, Q, M, W, D from 1.
        #[serde(with = "serde_bytes")]
        frequencies: Vec<u8>,
        /// Differences of the ordinal to the one before, zigzag.
        #[serde(with = "serde_bytes")]
        deltas: Vec<u8>,
    },
}

impl ObjectType for Chunk {
    const TYPE: &'static str = "chunk";
    type Id = ChunkId;

    fn check_rules(&self) -> Result<(), String> {
        let rows = self.rows as usize;
        if !(1..=CHUNK_ROWS_MAX).contains(&rows) || self.columns.len() > COMPONENTS_MAX {
            return Err(format!(
                "a chunk has 1 to {CHUNK_ROWS_MAX} rows and at most {COMPONENTS_MAX} columns"
            ));
        }
        for (position, coded) in self.columns.iter().enumerate() {
            let column = decode_column(coded, rows)
                .ok_or_else(|| format!("column {position} of the chunk is malformed"))?;
            // One coding for each column, or equal data would have several ids (specs/objects.md, section 7).
            if encode_column(&column, 0, rows) != *coded {
                return Err(format!("column {position} of the chunk is not in canonical form"));
            }
        }
        Ok(())
    }
}

impl Chunk {
    /// The rows `from..to` of columns.
    pub fn encode_column(columns: &[Column], from: usize, to: usize) -> Self {
        let columns = columns.iter().map(|column| encode_column(column, from, to)).collect();
        Self { rows: (to - from) as u32, columns }
    }

    /// The columns; `None` for a chunk that [`ObjectType::check_rules`] would refuse.
    pub fn decode_column(&self) -> Option<Vec<Column>> {
        self.columns.iter().map(|coded| decode_column(coded, self.rows as usize)).collect()
    }
}

/// Row numbers at which the chunks of a table end: ascending, the last one the number of rows.
///
/// A chunk takes rows until [`CHUNK_ROWS_MAX`], or until their plain size would pass
/// [`CHUNK_BYTES_MAX`]: a rule that depends on the data only.
pub fn chunk_ends(columns: &[Column], rows: usize) -> Vec<usize> {
    let mut ends = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for row in 0..rows {
        let weight: usize = columns.iter().map(|column| cell_weight(column, row)).sum();
        // A row above the bound by itself is not split; it fills a chunk (specs/objects.md, section 7).
        if row > start && (row - start == CHUNK_ROWS_MAX || bytes + weight > WEIGHT_MAX) {
            ends.push(row);
            (start, bytes) = (row, 0);
        }
        bytes += weight;
    }
    if rows > 0 {
        ends.push(rows);
    }
    ends
}

/// Largest weight of the rows of one chunk; 8 KiB are left for the map around the columns.
const WEIGHT_MAX: usize = CHUNK_BYTES_MAX - (8 << 10);

/// Upper bound of the encoded size of a cell, in bytes.
fn cell_weight(column: &Column, row: usize) -> usize {
    // Weights of specs/objects.md, section 7; another weight would move the ends of all chunks.
    match column {
        Column::Text(texts) => 8 + texts.get(row).map_or(0, str::len),
        Column::Integer(_) => 14,
        Column::Number(_) => 24,
        Column::Boolean(_) => 2,
        Column::Period(_) => 8,
    }
}

fn encode_column(column: &Column, from: usize, to: usize) -> ColumnEncoding {
    match column {
        Column::Text(texts) => encode_text_column(texts, from, to),
        Column::Integer(values) => {
            let rows = values.get(from..to).unwrap_or_default();
            let mut before = 0;
            let mut deltas = Vec::new();
            for value in rows.iter().flatten() {
                // A difference of two 64-bit integers takes 65 bits.
                write_varint(&mut deltas, zigzag_encode(i128::from(*value) - before));
                before = i128::from(*value);
            }
            ColumnEncoding::Integer {
                present: rle_encode(rows.iter().map(|value| u128::from(value.is_some()))),
                deltas,
            }
        }
        Column::Number(values) => {
            let rows = values.get(from..to).unwrap_or_default();
            let exponent =
                |value: &Option<Decimal>| value.map_or(NULL, |v| zigzag_encode(v.exponent().into()) + 1);
            let mut coefficients = Vec::new();
            for value in rows.iter().flatten() {
                // INVARIANT: a coefficient has at most 113 bits, so its zigzag form fits a varint of 126.
                write_varint(&mut coefficients, zigzag_encode(value.coefficient()));
            }
            ColumnEncoding::Number { exponents: rle_encode(rows.iter().map(exponent)), coefficients }
        }
        Column::Boolean(values) => {
            let rows = values.get(from..to).unwrap_or_default();
            ColumnEncoding::Boolean {
                values: rle_encode(rows.iter().map(|value| value.map_or(NULL, |v| 1 + u128::from(v)))),
            }
        }
        Column::Period(values) => {
            let rows = values.get(from..to).unwrap_or_default();
            let mut before = 0;
            let mut deltas = Vec::new();
            for value in rows.iter().flatten() {
                write_varint(&mut deltas, zigzag_encode(i128::from(value.ordinal()) - before));
                before = i128::from(value.ordinal());
            }
            let position = |value: &Option<Period>| value.map_or(NULL, |v| 1 + v.frequency() as u128);
            ColumnEncoding::Period { frequencies: rle_encode(rows.iter().map(position)), deltas }
        }
    }
}

fn encode_text_column(texts: &TextColumn, from: usize, to: usize) -> ColumnEncoding {
    let codes = texts.codes().get(from..to).unwrap_or_default();
    let mut used: Vec<u32> = codes.iter().copied().filter(|code| *code != TextColumn::NULL).collect();
    // Codes ascend with their texts, so sorted codes give the ascending dictionary of the chunk.
    used.sort_unstable();
    used.dedup();
    let position = |code: &u32| used.binary_search(code).map_or(NULL, |position| position as u128 + 1);
    let dictionary = used.iter().filter_map(|code| texts.dictionary().get(*code as usize).cloned()).collect();
    ColumnEncoding::Text { codes: rle_encode(codes.iter().map(position)), dictionary }
}

/// Decodes a column; `None` when the bytes are not exactly `rows` values within their bounds.
fn decode_column(coded: &ColumnEncoding, rows: usize) -> Option<Column> {
    Some(match coded {
        ColumnEncoding::Text { dictionary, codes } => {
            if dictionary.iter().any(|text| text.len() > CELL_BYTES_MAX) {
                return None;
            }
            let code = |value: u128| match value {
                NULL => Some(TextColumn::NULL),
                // NULL is 0 and matched above, so the subtraction cannot wrap.
                position => u32::try_from(position - 1).ok(),
            };
            let codes = rle_decode(codes, rows)?.into_iter().map(code).collect::<Option<_>>()?;
            Column::Text(TextColumn::from_parts(dictionary.clone(), codes)?)
        }
        ColumnEncoding::Integer { present, deltas } => {
            let mut before: i128 = 0;
            let mut next = VarintReader(deltas);
            let values = rle_decode(present, rows)?.into_iter().map(|present| match present {
                NULL => Some(None),
                1 => {
                    before = before.checked_add(next.signed()?)?;
                    Some(Some(i64::try_from(before).ok()?))
                }
                _ => None,
            });
            let column = Column::Integer(values.collect::<Option<_>>()?);
            // Bytes that are left over would make a second coding of the same column.
            next.done().then_some(column)?
        }
        ColumnEncoding::Number { exponents, coefficients } => {
            let mut next = VarintReader(coefficients);
            let values = rle_decode(exponents, rows)?.into_iter().map(|exponent| match exponent {
                NULL => Some(None),
                some => {
                    let exponent = i32::try_from(zigzag_decode(some - 1)).ok()?;
                    Decimal::new(next.signed()?, exponent).ok().map(Some)
                }
            });
            let column = Column::Number(values.collect::<Option<_>>()?);
            next.done().then_some(column)?
        }
        ColumnEncoding::Boolean { values } => {
            let truth = |value: u128| match value {
                NULL => Some(None),
                1 => Some(Some(false)),
                2 => Some(Some(true)),
                _ => None,
            };
            Column::Boolean(rle_decode(values, rows)?.into_iter().map(truth).collect::<Option<_>>()?)
        }
        ColumnEncoding::Period { frequencies, deltas } => {
            let mut before: i128 = 0;
            let mut next = VarintReader(deltas);
            let values = rle_decode(frequencies, rows)?.into_iter().map(|position| match position {
                NULL => Some(None),
                position => {
                    let frequency = *Frequency::ALL.get(usize::try_from(position - 1).ok()?)?;
                    before = before.checked_add(next.signed()?)?;
                    Period::from_ordinal(frequency, i32::try_from(before).ok()?).map(Some)
                }
            });
            let column = Column::Period(values.collect::<Option<_>>()?);
            next.done().then_some(column)?
        }
    })
}

/// Run-length encodes values: pairs of a value and its number of repetitions.
fn rle_encode(values: impl Iterator<Item = u128>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut current: Option<(u128, u128)> = None;
    for value in values {
        current = match current {
            Some((same, count)) if same == value => Some((same, count + 1)),
            before => {
                write_run(&mut bytes, before);
                Some((value, 1))
            }
        };
    }
    write_run(&mut bytes, current);
    bytes
}

fn write_run(bytes: &mut Vec<u8>, run: Option<(u128, u128)>) {
    if let Some((value, count)) = run {
        write_varint(bytes, value);
        write_varint(bytes, count);
    }
}

/// Decodes exactly `rows` values; allocates no more, so a long run cannot exhaust memory.
fn rle_decode(bytes: &[u8], rows: usize) -> Option<Vec<u128>> {
    let mut values = Vec::with_capacity(rows);
    let mut next = VarintReader(bytes);
    while !next.done() {
        let (value, count) = (next.unsigned()?, usize::try_from(next.unsigned()?).ok()?);
        // INVARIANT: `values` never outgrows `rows`. A forged count is refused before it allocates.
        if count > rows - values.len() {
            return None;
        }
        values.resize(values.len() + count, value);
    }
    (values.len() == rows).then_some(values)
}

/// Maps 0, -1, 1, -2, … to 0, 1, 2, 3, …
fn zigzag_encode(value: i128) -> u128 {
    ((value << 1) ^ (value >> 127)) as u128
}

fn zigzag_decode(value: u128) -> i128 {
    (value >> 1) as i128 ^ -((value & 1) as i128)
}

/// Appends an unsigned LEB128.
fn write_varint(bytes: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

struct VarintReader<'a>(&'a [u8]);

impl VarintReader<'_> {
    fn done(&self) -> bool {
        self.0.is_empty()
    }

    /// The next varint, at most 18 bytes (126 bits).
    fn unsigned(&mut self) -> Option<u128> {
        let mut value = 0_u128;
        // 18 groups of 7 bits are 126 bits, so no shift loses a bit of the value.
        for position in 0..18 {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u128::from(byte & 0x7f) << (7 * position);
            // A longer form passes here; the comparison with the own coding refuses it.
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i128> {
        self.unsigned().map(zigzag_decode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{decode_object, encode_object};

    fn columns() -> Vec<Column> {
        let periods = ["2019", "2020", "2020-Q1", "2020-02-29"].map(|text| text.parse().ok());
        let numbers =
            ["0.10", "-9999999999999999999999999999999999E-6176", "1E+6111"].map(|text| text.parse().ok());
        vec![
            Column::Text(TextColumn::from_rows([Some("b"), None, Some("a"), Some("b")])),
            Column::Integer(vec![Some(i64::MIN), Some(i64::MAX), None, Some(0)]),
            Column::Number(numbers.into_iter().chain([None]).collect()),
            Column::Boolean(vec![Some(true), Some(true), None, Some(false)]),
            Column::Period(periods.to_vec()),
        ]
    }

    #[test]
    fn columns_lead_back() {
        let chunk = Chunk::encode_column(&columns(), 0, 4);
        let read: Chunk = decode_object(&encode_object(&chunk).unwrap()).unwrap();
        assert_eq!(read.decode_column().unwrap(), columns());
        let part = Chunk::encode_column(&columns(), 1, 3).decode_column().unwrap();
        assert_eq!(part[0].cell(1), columns()[0].cell(2));
    }

    #[test]
    fn other_spellings_of_the_same_column_are_refused() {
        let refused = |columns: Vec<ColumnEncoding>| {
            encode_object(&Chunk { rows: 2, columns }).unwrap_err().to_string()
        };
        let dictionary = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let unused = ColumnEncoding::Text { dictionary: dictionary(&["a", "b"]), codes: vec![1, 2] };
        let unsorted = ColumnEncoding::Text { dictionary: dictionary(&["b", "a"]), codes: vec![1, 1, 2, 1] };
        let split = ColumnEncoding::Boolean { values: vec![1, 1, 1, 1] };
        let padded = ColumnEncoding::Boolean { values: vec![0x81, 0, 2] };
        let endless = ColumnEncoding::Boolean { values: vec![1, 0xff, 0xff, 0xff, 0xff, 0x7f] };
        let over = ColumnEncoding::Integer { present: vec![0, 2], deltas: vec![0] };
        for column in [unused, unsorted, split, padded, endless, over] {
            assert!(refused(vec![column]).starts_with("column 0"), "every spelling but one is refused");
        }
    }

    #[test]
    fn chunks_end_by_the_data_alone() {
        let narrow = vec![Column::Boolean(vec![None; 40_000])];
        assert_eq!(chunk_ends(&narrow, 40_000), [16_384, 32_768, 40_000]);
        let text = "x".repeat(1000);
        let wide = vec![Column::Text(TextColumn::from_rows(std::iter::repeat_n(Some(text.as_str()), 600)))];
        assert_eq!(chunk_ends(&wide, 600), [251, 502, 600]);
        assert!(chunk_ends(&[], 0).is_empty());
    }
}
