//! U.S. Bureau of Economic Analysis: gross domestic product as repackaged from `gdplev`, levels and
//! published changes, nominal and chained, a row for each year or quarter.
//!
//! Each column is kept under its own name; nothing is recomputed. In a file in circulation the columns
//! of changes stand one row too high: that is a claim to verify, not one to correct silently.

use crate::build::metadata::Metadata;
use crate::build::wide_table::{self, MissingWords};
use crate::csv::records::CsvRecord;
use crate::error::ImportError;
use crate::import::ReadRequest;
use crate::values::cell;
use crate::{Format, ImportedTable};

/// Spellings of a missing figure.
const MISSING: MissingWords = MissingWords { missing: &["", ".", "NA"], zero: false };
/// The possible second columns.
const COLUMNS: [&str; 4] = ["level-current", "level-chained", "change-current", "change-chained"];

/// Whether a header is that of such a file.
pub(crate) fn is_header(header: &CsvRecord<'_>) -> bool {
    header.cell(0).eq_ignore_ascii_case("date") && COLUMNS.contains(&header.cell(1))
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let name = request.source.name;
    let header = (is_header as _, "the columns `date` and `level-current`");
    let table = wide_table::read_wide_table(request, header, MISSING)?;
    Metadata::new(Format::Bea, cell::file_stem(name))
        .title("Gross domestic product, levels and changes")
        .publisher("U.S. Bureau of Economic Analysis")
        .with_table(table)
}
