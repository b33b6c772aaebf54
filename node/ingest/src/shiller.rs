//! The stock market data of R. Shiller as repackaged: monthly prices, dividends, earnings, prices
//! of consumers, interest, and what is computed from them.
//!
//! A missing figure is written `0.0`: none of these can be zero, so a zero is no figure.

use crate::error::ImportError;
use crate::heading::Heading;
use crate::panel::{self, Words};
use crate::records::{self, Record};
use crate::{Format, ImportOptions, ImportedTable, SourceFile, value};

/// How it writes that there is no figure.
const WORDS: Words = Words { missing: &["", "NA"], zero: true };

/// Whether a header is that of such a file.
pub(crate) fn is_header(header: &Record<'_>) -> bool {
    header.cell(0) == "Date"
        && header.cell(1) == "SP500"
        && header.position("Dividend").is_some()
        && header.position("PE10").is_some()
}

/// Reads a file.
pub(crate) fn read(
    source: SourceFile<'_>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let (reader, header) = records::begin(source.bytes, b',')?;
    if !is_header(&header) {
        return Err(header.lacks("the columns `Date`, `SP500`, `Dividend` and `PE10`"));
    }
    let table = panel::plain((reader, header), WORDS, options, progress)?;
    Heading::new(Format::Shiller, value::stem(source.name))
        .title("S&P composite: prices, dividends, earnings, monthly")
        .publisher("Robert J. Shiller")
        .over(table)
}
