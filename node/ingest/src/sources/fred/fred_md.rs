//! FRED-MD: a monthly panel of the United States, with a row of transformation codes below its header.
//!
//! The codes tell how the authors make a series stationary. The figures in the file are not
//! transformed, and are not transformed here; the codes go into the names of the series.

use std::collections::BTreeMap;

use super::{AREA, PUBLISHER};
use crate::build::metadata::Metadata;
use crate::build::wide_table::{self, MissingWords, SeriesColumn};
use crate::csv::records::{self, CsvReader, CsvRecord};
use crate::error::ImportError;
use crate::import::ReadRequest;
use crate::values::cell;
use crate::values::missing_values::MissingValues;
use crate::{Format, ImportedTable};

/// Spellings of a missing figure.
const MISSING: MissingWords = MissingWords { missing: &["", ".", "NA"], zero: false };

/// Whether a header is one of FRED-MD.
pub(crate) fn is_header(header: &CsvRecord<'_>) -> bool {
    header.cells.len() > 1 && header.cell(0).eq_ignore_ascii_case("sasdate")
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, options, progress, .. } = request;
    let (mut reader, mut record) = records::open_csv(source.bytes, b',')?;
    if !is_header(&record) {
        return Err(ImportError::new("column-missing", "expected the column `sasdate`").line(record.line));
    }
    let (series, width) = (wide_table::series_columns(&record)?, record.cells.len());
    let names = read_transformations(&mut reader, &mut record, &series)?;
    let mut missing = MissingValues::default();
    let words = (MISSING, &mut missing);
    let rows = wide_table::read_rows((&mut reader, &mut record), (&series, width), words, progress)?;
    let area = wide_table::source_area(options, AREA)?;
    let table = wide_table::build_table(&rows, &series, missing, (&area, options))?;
    Metadata::new(Format::FredMd, cell::file_stem(source.name))
        .title("FRED-MD, monthly database for macroeconomic research")
        .publisher(PUBLISHER)
        .with_code_names("SERIES", names)
        .with_table(table)
}

/// Reads the row `Transform:`, a code from 1 to 7 for each series, if it follows the header.
fn read_transformations<'a>(
    reader: &mut CsvReader<'a>,
    record: &mut CsvRecord<'a>,
    series: &[SeriesColumn],
) -> Result<BTreeMap<String, String>, ImportError> {
    let before = reader.clone();
    if !reader.read_record(record)? || !record.cell(0).to_ascii_lowercase().starts_with("transform") {
        // Some repackagers drop the row: the first one is data then, and is read again as such.
        *reader = before;
        return Ok(BTreeMap::new());
    }
    let name = |series: &SeriesColumn| match record.cell(series.column) {
        code @ ("1" | "2" | "3" | "4" | "5" | "6" | "7") => {
            Ok((series.id.clone(), format!("{} (transformation {code})", series.id)))
        }
        other => Err(ImportError::new("transformation", "expected a code from 1 to 7")
            .line(record.line)
            .column(&series.id)
            .value(other)),
    };
    series.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ImportOptions, SourceFile};

    fn check(text: &str) -> Result<(ImportedTable, String), ImportError> {
        let source = SourceFile { name: "current.csv", bytes: text.as_bytes() };
        let options = ImportOptions::default();
        let imported =
            read_file(ReadRequest { source, options: &options, detected: None, progress: &mut |_| {} })?;
        let mut out = Vec::new();
        crate::export_csv(&imported.table, &mut out).unwrap();
        Ok((imported, String::from_utf8(out).unwrap().replace("\r\n", "\n")))
    }

    #[test]
    fn the_row_of_transformations_is_no_data() {
        let rows = "1/1/1959,2583.56,\r\n2/1/1959,2593.596,6.0\r\n,,\r\n";
        let table = "REF_AREA,SERIES,TIME_PERIOD,OBS_VALUE\n\
                     USA,RPI,1959-M01,2583.56\nUSA,RPI,1959-M02,2593.596\nUSA,S&P 500,1959-M02,6.0\n";
        let (imported, text) = check(&format!("sasdate,RPI,S&P 500\r\nTransform:,5,2\r\n{rows}")).unwrap();
        assert_eq!(text, table);
        assert_eq!((imported.summary.rows, imported.summary.missing), (2, 1));
        assert_eq!(imported.codes.values().next().unwrap()["RPI"], "RPI (transformation 5)");
        assert_eq!(check(&format!("sasdate,RPI,S&P 500\r\n{rows}")).unwrap().1, table);
        let error = check(&format!("sasdate,RPI,S&P 500\r\nTransform:,5,9\r\n{rows}")).unwrap_err();
        assert_eq!((error.code, error.line), ("transformation", Some(2)));
    }
}
