//! The stock market data of R. Shiller as repackaged: monthly prices, dividends, earnings, consumer
//! prices, interest rates, and ratios computed from them.

use crate::build::metadata::Metadata;
use crate::build::wide_table::{self, MissingWords};
use crate::csv::records::CsvRecord;
use crate::error::ImportError;
use crate::import::ReadRequest;
use crate::values::cell;
use crate::{Format, ImportedTable};

/// Spellings of a missing figure. Recent months have `0.0` for dividends, earnings and consumer
/// prices that are not yet known; none of the series can be zero, so a zero is no figure.
const MISSING: MissingWords = MissingWords { missing: &["", "NA"], zero: true };

/// Whether a header is that of such a file.
pub(crate) fn is_header(header: &CsvRecord<'_>) -> bool {
    header.cell(0) == "Date"
        && header.cell(1) == "SP500"
        && header.find_column("Dividend").is_some()
        && header.find_column("PE10").is_some()
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let name = request.source.name;
    let header = (is_header as _, "the columns `Date`, `SP500`, `Dividend` and `PE10`");
    let table = wide_table::read_wide_table(request, header, MISSING)?;
    Metadata::new(Format::Shiller, cell::file_stem(name))
        .title("S&P composite: prices, dividends, earnings, monthly")
        .publisher("Robert J. Shiller")
        .with_table(table)
}
