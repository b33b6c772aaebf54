//! Writes a table as CSV (RFC 4180): the ids of the components, then the rows in canonical order.
//!
//! Numbers keep their digits, periods are spelled canonically, a null is an empty cell. The bytes do
//! not depend on the number of threads.

use std::io;
use std::num::NonZeroUsize;

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::table::{Column, Table};

/// Rows that a thread formats at a time.
const BATCH_ROWS: usize = 1 << 15;
/// Threads; more would only wait for `out`.
const THREADS_MAX: usize = 8;

/// Writes a table as CSV.
///
/// # Errors
/// Those of `out`.
pub fn export_csv(table: &Table, out: &mut dyn io::Write) -> io::Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(THREADS_MAX);
    write_table(table, out, if table.rows() > BATCH_ROWS { threads } else { 1 })
}

fn write_table(table: &Table, out: &mut dyn io::Write, threads: usize) -> io::Result<()> {
    let columns: Vec<ColumnWriter<'_>> = table.columns().iter().map(ColumnWriter::new).collect();
    let mut buffers = vec![Vec::new(); threads.max(1)];
    if let Some(head) = buffers.first_mut() {
        for component in table.shape().components() {
            push_quoted(component.id.as_str(), head);
            head.push(b',');
        }
        end_line(head, 0);
        out.write_all(head)?;
    }
    let mut from = 0;
    while from < table.rows() {
        let parts = (from..table.rows()).step_by(BATCH_ROWS).zip(&mut buffers);
        // Every batch has its own buffer, so that batches are formatted together and written in order.
        let fill = |start: usize, buffer: &mut Vec<u8>| {
            buffer.clear();
            write_rows(&columns, start, (start + BATCH_ROWS).min(table.rows()), buffer);
        };
        if threads < 2 {
            parts.for_each(|(start, buffer)| fill(start, buffer));
        } else {
            std::thread::scope(|scope| {
                for (start, buffer) in parts {
                    scope.spawn(move || fill(start, buffer));
                }
            });
        }
        for (_, buffer) in (from..table.rows()).step_by(BATCH_ROWS).zip(&buffers) {
            out.write_all(buffer)?;
        }
        from += BATCH_ROWS * buffers.len();
    }
    out.flush()
}

/// A column, prepared for writing.
enum ColumnWriter<'a> {
    /// Codes, and the cell of each text of the dictionary: quoted once, not in every row.
    Text(&'a [u32], Vec<Vec<u8>>),
    Integer(&'a [Option<i64>]),
    Number(&'a [Option<Decimal>]),
    Boolean(&'a [Option<bool>]),
    Period(&'a [Option<Period>]),
}

impl<'a> ColumnWriter<'a> {
    fn new(column: &'a Column) -> Self {
        match column {
            Column::Text(texts) => {
                let cells = texts.dictionary().iter().map(|text| {
                    let mut cell = Vec::new();
                    push_quoted(text, &mut cell);
                    cell
                });
                Self::Text(texts.codes(), cells.collect())
            }
            Column::Integer(rows) => Self::Integer(rows),
            Column::Number(rows) => Self::Number(rows),
            Column::Boolean(rows) => Self::Boolean(rows),
            Column::Period(rows) => Self::Period(rows),
        }
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            Self::Text(codes, cells) => {
                let cell = codes.get(row).and_then(|code| cells.get(*code as usize));
                out.extend_from_slice(cell.map_or(&[], Vec::as_slice));
            }
            Self::Integer(rows) => {
                if let Some(value) = value_at(rows, row) {
                    out.extend_from_slice(value.to_string().as_bytes());
                }
            }
            Self::Number(rows) => {
                if let Some(value) = value_at(rows, row) {
                    value.write_to(out);
                }
            }
            Self::Boolean(rows) => {
                if let Some(value) = value_at(rows, row) {
                    out.extend_from_slice(if value { b"true" } else { b"false" });
                }
            }
            Self::Period(rows) => {
                if let Some(value) = value_at(rows, row) {
                    value.write_to(out);
                }
            }
        }
    }
}

fn value_at<T: Copy>(rows: &[Option<T>], row: usize) -> Option<T> {
    rows.get(row).copied().flatten()
}

fn write_rows(columns: &[ColumnWriter<'_>], from: usize, to: usize, out: &mut Vec<u8>) {
    for row in from..to {
        let start = out.len();
        for column in columns {
            column.write(row, out);
            out.push(b',');
        }
        end_line(out, start);
    }
}

/// Ends the line that begins at `start`: replaces the comma after its last cell by a line break.
fn end_line(out: &mut Vec<u8>, start: usize) {
    out.pop();
    if out.len() == start {
        // A single empty cell would make a blank line, which readers skip.
        out.extend_from_slice(b"\"\"");
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends a text as a cell, quoted if it contains a delimiter, a quote or a line break.
fn push_quoted(text: &str, out: &mut Vec<u8>) {
    if !text.contains([',', '"', '\r', '\n']) {
        return out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use schemas::structure::{Component, ComponentList, Role, ValueType};
    use schemas::table::TextColumn;
    use schemas::text::Name;

    use super::*;

    /// The bytes that the `csv` crate writes.
    fn reference(table: &Table) -> Vec<u8> {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        writer.write_record(table.shape().components().iter().map(|part| part.id.as_str())).unwrap();
        for row in 0..table.rows() {
            let cell = |column: &Column| column.cell(row).map_or(String::new(), |cell| cell.to_string());
            writer.write_record(table.columns().iter().map(cell)).unwrap();
        }
        writer.into_inner().unwrap()
    }

    #[track_caller]
    fn check(parts: &[(&str, Role, ValueType)], columns: Vec<Column>) {
        let parts =
            parts.iter().map(|(id, role, kind)| Component::new(Name::new(*id).unwrap(), *role, *kind));
        let table = Table::new(ComponentList::new(parts.collect()).unwrap(), columns).unwrap();
        for threads in [1, 2, 3] {
            let mut out = Vec::new();
            write_table(&table, &mut out, threads).unwrap();
            assert!(out == reference(&table), "{threads} threads");
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_csv_crate() {
        let texts = ["a,b", "\"", "x \"y\"", "", " c ", "é", "d;e"];
        let rows = BATCH_ROWS * 2 + 5;
        let text = |row: usize| texts.get(row % texts.len()).copied().filter(|text| !text.is_empty());
        let number = |row: usize| {
            (!row.is_multiple_of(5)).then(|| Decimal::new(row as i128 - 90, -(row as i32 % 9)).unwrap())
        };
        let day = |row: usize| Period::from_ordinal(schemas::period::Frequency::D, row as i32 * 11);
        check(
            &[
                ("ID", Role::Identifier, ValueType::Integer),
                ("N", Role::Measure, ValueType::Number),
                ("DAY", Role::Measure, ValueType::TimePeriod),
                ("T", Role::Attribute, ValueType::String),
                ("B", Role::Attribute, ValueType::Boolean),
            ],
            vec![
                Column::Integer((0..rows).map(|row| Some(row as i64 * 3 - 50)).collect()),
                Column::Number((0..rows).map(number).collect()),
                Column::Period((0..rows).map(day).collect()),
                Column::Text(TextColumn::from_rows((0..rows).map(text))),
                Column::Boolean((0..rows).map(|row| [Some(true), None, Some(false)][row % 3]).collect()),
            ],
        );
        check(&[("N", Role::Measure, ValueType::Number)], vec![Column::Number(vec![None])]);
        check(&[("N", Role::Measure, ValueType::Number)], vec![Column::Number(vec![])]);
    }
}
