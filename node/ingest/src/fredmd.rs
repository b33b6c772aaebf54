//! FRED-MD: a monthly panel of the United States, with a row of transformations below its header.
//!
//! The codes of that row say how its authors make a series stationary; the figures themselves are
//! not transformed, and neither are they here: the codes go into the names of the series.

use std::collections::BTreeMap;

use crate::error::ImportError;
use crate::gaps::Gaps;
use crate::heading::Heading;
use crate::panel::{self, Series, Words};
use crate::records::{self, Reader, Record};
use crate::{Format, ImportOptions, ImportedTable, SourceFile, fred, value};

/// How it writes that there is no figure.
const WORDS: Words = Words { missing: &["", ".", "NA"], zero: false };

/// Whether a header is one of FRED-MD.
pub(crate) fn is_header(header: &Record<'_>) -> bool {
    header.cells.len() > 1 && header.cell(0).eq_ignore_ascii_case("sasdate")
}

/// Reads a file.
pub(crate) fn read(
    source: SourceFile<'_>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let (mut reader, mut record) = records::begin(source.bytes, b',')?;
    if !is_header(&record) {
        return Err(ImportError::new("column-missing", "expected the column `sasdate`").line(record.line));
    }
    let (series, width) = (panel::series(&record)?, record.cells.len());
    let names = transformations(&mut reader, &mut record, &series)?;
    let mut gaps = Gaps::default();
    let rows = panel::rows((&mut reader, &mut record), (&series, width), (WORDS, &mut gaps), progress)?;
    let table = panel::fill(&rows, &series, gaps, (&panel::area(options, fred::AREA)?, options))?;
    Heading::new(Format::FredMd, value::stem(source.name))
        .title("FRED-MD, monthly database for macroeconomic research")
        .publisher(fred::PUBLISHER)
        .named("SERIES", names)
        .over(table)
}

/// The row below the header: a code from 1 to 7 for each series, if it is there.
fn transformations<'a>(
    reader: &mut Reader<'a>,
    record: &mut Record<'a>,
    series: &[Series],
) -> Result<BTreeMap<String, String>, ImportError> {
    let before = reader.clone();
    if !reader.read(record)? || !record.cell(0).to_ascii_lowercase().starts_with("transform") {
        *reader = before;
        return Ok(BTreeMap::new());
    }
    let name = |series: &Series| match record.cell(series.column) {
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

    fn check(text: &str) -> Result<(ImportedTable, String), ImportError> {
        let source = SourceFile { name: "current.csv", bytes: text.as_bytes() };
        let imported = read(source, &ImportOptions::default(), &mut |_| {})?;
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
        let fault = check(&format!("sasdate,RPI,S&P 500\r\nTransform:,5,9\r\n{rows}")).unwrap_err();
        assert_eq!((fault.code, fault.line), ("transformation", Some(2)));
    }
}
