//! FRED series as CSV: a column of dates and a column of figures for each series.
//!
//! Reads every header that FRED has served (`observation_date,ID`, `DATE,ID`, `"Date","ID"`,
//! `date,value`, several ids), with ISO dates or the dates that Excel makes of them. A single series
//! has the identifiers REF_AREA and TIME_PERIOD; several series also have SERIES, and the vintages of
//! ALFRED (`GDP_20200130`, or rows with `realtime_start`: see `vintage_rows`) have VINTAGE.

use super::{AREA, MISSING, PUBLISHER, series_id, split_vintage, vintage_rows};
use crate::build::metadata::Metadata;
use crate::build::wide_table::{self, SeriesColumn};
use crate::csv::records::{self, CsvRecord};
use crate::detect;
use crate::error::ImportError;
use crate::import::ReadRequest;
use crate::values::cell;
use crate::values::missing_values::MissingValues;
use crate::{Format, ImportedTable};

/// Whether the title of a column is that of the dates.
fn is_date_column(title: &str) -> bool {
    ["observation_date", "date"].iter().any(|name| title.eq_ignore_ascii_case(name))
}

/// Whether a header is one of FRED: a date, and ids of series.
///
/// Ids consist of capitals, digits and underscores; a title in words belongs to another publisher.
pub(crate) fn is_header(header: &CsvRecord<'_>) -> bool {
    let is_id = |title: &str| {
        title.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let width = header.cells.len();
    let value = width == 2 && header.cell(1).eq_ignore_ascii_case("value");
    vintage_rows::is_header(header)
        || width > 1
            && is_date_column(header.cell(0))
            && (value || (1..width).all(|column| is_id(header.cell(column))))
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, options, detected, progress } = request;
    let (mut reader, mut record) = records::open_csv(source.bytes, b',')?;
    // First: these files have a date column as well.
    if vintage_rows::is_header(&record) {
        return vintage_rows::read_rows(source.name, (&mut reader, &mut record), options, progress);
    }
    check_header(&record, detected)?;
    let width = record.cells.len();
    let series = named_columns(source.name, &record)?;
    let mut missing = MissingValues::default();
    let words = (MISSING, &mut missing);
    let rows = wide_table::read_rows((&mut reader, &mut record), (&series, width), words, progress)?;
    let area = wide_table::source_area(options, AREA)?;
    let (id, table) = match series.as_slice() {
        [one] if one.vintage.is_empty() => {
            (one.id.clone(), wide_table::build_single_series(&rows, missing, (&area, options))?)
        }
        several => {
            let table = wide_table::build_table(&rows, several, missing, (&area, options))?;
            (common_id(source.name, several), table)
        }
    };
    Metadata::new(Format::Fred, id).publisher(PUBLISHER).with_table(table)
}

/// Refuses a header without a date column; names the format that the file has instead.
fn check_header(header: &CsvRecord<'_>, detected: Option<Format>) -> Result<(), ImportError> {
    if header.cells.len() >= 2 && is_date_column(header.cell(0)) {
        return Ok(());
    }
    if let Some(found) = detected.filter(|found| *found != Format::Fred) {
        return Err(detect::other_format(Format::Fred, found));
    }
    let message = "expected the columns `observation_date` and the series id";
    Err(ImportError::new("column-missing", message)
        .hint("take the CSV of a series from fred.stlouisfed.org")
        .line(header.line)
        .value(header.joined_cells()))
}

/// The series of the columns. A single column called `value` gets the id in the file name; if every
/// title ends in a day, the columns are vintages.
fn named_columns(file: &str, header: &CsvRecord<'_>) -> Result<Vec<SeriesColumn>, ImportError> {
    let mut series = wide_table::series_columns(header)?;
    if let [one] = series.as_mut_slice()
        && one.id.eq_ignore_ascii_case("value")
    {
        one.id = series_id(file);
    }
    // All of them: a single id such as `X_20100101` may be no vintage.
    if series.iter().all(|series| split_vintage(&series.id).is_some()) {
        for series in &mut series {
            if let Some((id, day)) = split_vintage(&series.id) {
                (series.id, series.vintage) = (id, day);
            }
        }
    }
    Ok(series)
}

/// The name of several columns: the id that they share, else the file name.
fn common_id(file: &str, series: &[SeriesColumn]) -> String {
    match series.first() {
        Some(first) if series.iter().all(|series| series.id == first.id) => first.id.clone(),
        _ => cell::file_stem(file).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use schemas::period::Period;

    use super::*;
    use crate::{ImportOptions, SourceFile};

    fn read(name: &str, text: &str, options: &ImportOptions) -> Result<ImportedTable, ImportError> {
        let source = SourceFile { name, bytes: text.as_bytes() };
        read_file(ReadRequest { source, options, detected: None, progress: &mut |_| {} })
    }

    fn check(name: &str, text: &str, options: &ImportOptions) -> Result<(String, String), ImportError> {
        let imported = read(name, text, options)?;
        let mut out = Vec::new();
        crate::export_csv(&imported.table, &mut out).unwrap();
        Ok((imported.dataflow.to_string(), String::from_utf8(out).unwrap().replace("\r\n", "\n")))
    }

    #[test]
    fn the_headers_of_all_years() {
        let rows = "REF_AREA,TIME_PERIOD,OBS_VALUE\nUSA,2010-M01,9.80\nUSA,2010-M03,1\n";
        for header in ["observation_date,X", "DATE,X", "\"Date\",\"X\"", "date,value"] {
            for missing in [".", "", "NA"] {
                let text = format!("{header}\n2010-01-01,9.80\n2010-02-01,{missing}\n2010-03-01,1\n");
                assert_eq!(
                    check("X_v.csv", &text, &ImportOptions::default()).unwrap(),
                    ("X".into(), rows.into())
                );
            }
        }
        let excel = "DATE,X\r\n1/1/2010,9.80\r\n2/1/2010,.\r\n3/1/2010,1\r\n";
        assert_eq!(check("X.csv", excel, &ImportOptions::default()).unwrap().1, rows);
    }

    #[test]
    fn several_series_and_vintages() {
        let options = ImportOptions::default();
        let rows = "2010-01-01,1,.\n2010-02-01,2,20\n";
        let (id, text) = check("a b.csv", &format!("observation_date,X,Y_1\n{rows}"), &options).unwrap();
        assert_eq!(id, "a_b");
        let head = "REF_AREA,SERIES,TIME_PERIOD,OBS_VALUE\n";
        assert_eq!(text, format!("{head}USA,X,2010-M01,1\nUSA,X,2010-M02,2\nUSA,Y_1,2010-M02,20\n"));
        let header = "observation_date,X_20100301,X_20100401\n";
        let (id, text) = check("a.csv", &format!("{header}{rows}"), &options).unwrap();
        assert_eq!(id, "X");
        let (a, b) = ("USA,X,2010-03-01", "USA,X,2010-04-01");
        assert_eq!(
            text,
            format!(
                "REF_AREA,SERIES,VINTAGE,TIME_PERIOD,OBS_VALUE\n{a},2010-M01,1\n{a},2010-M02,2\n{b},2010-M02,20\n"
            )
        );
    }

    #[test]
    fn vintages_in_rows() {
        let rows = "REF_AREA,SERIES,VINTAGE,TIME_PERIOD,OBS_VALUE\nUSA,X,2010-03-01,2010-M01,1\n\
                    USA,X,2010-04-01,2010-M01,1.5\nUSA,X,2010-04-01,2010-M02,2\n";
        let end = "9999-12-31";
        for text in [
            format!("date,realtime_start,realtime_end,value\n2010-01-01,2010-03-01,2010-03-31,1\n2010-01-01,2010-04-01,{end},1.5\n2010-02-01,2010-04-01,{end},2\n2010-03-01,2010-04-01,{end},.\n"),
            ",realtime_start,date,value\n0,2010-03-01,2010-01-01,1\n1,2010-04-01,2010-01-01,1.5\n2,2010-04-01,2010-02-01,2\n".into(),
            "period_start_date,X,realtime_start_date,realtime_end_date\n2010-01-01,1,2010-03-01,2010-03-31\n2010-01-01,1.5,2010-04-01,9999-12-31\n2010-02-01,2,2010-04-01,9999-12-31\n".into(),
        ] {
            assert_eq!(detect::detect_format(text.as_bytes()), Some(Format::Fred), "{text}");
            let imported = read("X.csv", &text, &ImportOptions::default()).unwrap();
            assert_eq!(imported.summary.notes.len(), 1);
            assert_eq!(check("X.csv", &text, &ImportOptions::default()).unwrap(), ("X".into(), rows.into()));
        }
        for (row, code) in [
            ("2010-01-01,2010-03-01,x", "number"),
            ("2010-01-01,soon,1", "period"),
            ("2010-01-01,2010-03-01,1\n2010-02-01,2010-03-01,1\n2010-01-01,2010-03-01,2", "duplicate"),
            ("2010-01-01,2010-03-01", "row-ragged"),
        ] {
            let error =
                check("X.csv", &format!("date,realtime_start,value\n{row}\n"), &ImportOptions::default());
            assert_eq!(error.unwrap_err().code, code, "{row}");
        }
    }

    #[test]
    fn the_caller_may_say_area_and_frequency() {
        let options = ImportOptions {
            area: Some("DEU".into()),
            frequency: Some("2010Q1".parse::<Period>().unwrap().frequency()),
            ..ImportOptions::default()
        };
        let (_, text) = check("X.csv", "DATE,X\n2010-02-15,1\n", &options).unwrap();
        assert_eq!(text, "REF_AREA,TIME_PERIOD,OBS_VALUE\nDEU,2010-Q1,1\n");
    }

    #[test]
    fn errors_have_a_place() {
        for (text, code, line) in [
            ("DATE,X\n2010-01-01,1\n2010-13-01,1\n", "period", Some(3)),
            ("DATE,X\n1/1/2010,1\n2010-02-01,1\n", "period", Some(3)),
            ("DATE,X\n1/1/2010,1\n13/1/2010,1\n", "period", Some(3)),
            ("DATE,X\n2010-01-01,1\n2010-02-01,1\n2010-02-01,2\n", "duplicate", Some(4)),
            ("DATE,X\n2010-01-01,1\n2010-02-01,x\n", "number", Some(3)),
            ("DATE,X\n2010-01-01,1\n2010-02-01\n", "row-ragged", Some(3)),
            ("DATE,X,X\n2010-01-01,1,2\n", "column-twice", Some(1)),
            ("DATE,\n2010-01-01,1\n", "column-missing", Some(1)),
            ("a,b\n", "column-missing", Some(1)),
            ("DATE,X\n", "no-data", None),
            ("DATE,X\n2010-01-01,.\n2010-02-01,.\n", "no-data", None),
        ] {
            let error = check("X.csv", text, &ImportOptions::default()).unwrap_err();
            assert_eq!((error.code, error.line), (code, line), "{text}");
        }
    }
}
