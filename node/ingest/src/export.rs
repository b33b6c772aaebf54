//! A table as CSV (RFC 4180): the ids of the components, then the rows in canonical order.
//!
//! Numbers keep their digits, periods their canonical spelling, a null is an empty cell. The same
//! table gives the same bytes.

use std::io;

use schemas::table::{Cell, Table};

/// Writes `table`.
///
/// # Errors
/// Those of `out`.
pub fn export_csv(table: &Table, out: &mut dyn io::Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    let header = table.shape().components().iter().map(|component| component.id.as_str());
    writer.write_record(header)?;
    for row in 0..table.rows() {
        for column in table.columns() {
            match column.cell(row) {
                None => writer.write_field("")?,
                Some(Cell::Text(text)) => writer.write_field(text)?,
                Some(cell) => writer.write_field(cell.to_string())?,
            }
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.flush()
}
