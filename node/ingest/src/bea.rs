//! Gross domestic product of the United States as repackaged from BEA's `gdplev`: levels and
//! published changes, nominal and chained, a row a year or a quarter.
//!
//! What the columns say is kept, each under its own name; nothing is recomputed. In a file that
//! went round the columns of changes stand one row too high: that is a claim to verify, not one to
//! mend in silence.

use crate::error::ImportError;
use crate::heading::Heading;
use crate::panel::{self, Words};
use crate::records::{self, Record};
use crate::{Format, ImportOptions, ImportedTable, SourceFile, value};

/// How it writes that there is no figure.
const WORDS: Words = Words { missing: &["", ".", "NA"], zero: false };
/// The columns, of which one has to be there.
const COLUMNS: [&str; 4] = ["level-current", "level-chained", "change-current", "change-chained"];

/// Whether a header is that of such a file.
pub(crate) fn is_header(header: &Record<'_>) -> bool {
    header.cell(0).eq_ignore_ascii_case("date") && COLUMNS.contains(&header.cell(1))
}

/// Reads a file.
pub(crate) fn read(
    source: SourceFile<'_>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let (reader, header) = records::begin(source.bytes, b',')?;
    if !is_header(&header) {
        return Err(header.lacks("the columns `date` and `level-current`"));
    }
    let table = panel::plain((reader, header), WORDS, options, progress)?;
    Heading::new(Format::Bea, value::stem(source.name))
        .title("Gross domestic product, levels and changes")
        .publisher("U.S. Bureau of Economic Analysis")
        .over(table)
}
