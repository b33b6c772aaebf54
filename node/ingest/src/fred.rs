//! FRED series as CSV: a column of dates, a column of figures for each series.
//!
//! Reads every header that FRED has served (`observation_date,ID`, `DATE,ID`, `"Date","ID"`,
//! `date,value`, several ids) and what Excel makes of the dates. One series has the identifiers
//! REF_AREA and TIME_PERIOD; several have SERIES as well, and the vintages of ALFRED
//! (`GDP_20200130`, or rows with `realtime_start`: see `alfred.rs`) VINTAGE. The file says neither area nor frequency nor unit: the area is the
//! caller's, the frequency is inferred from all dates together.

use schemas::period::Period;

use crate::areas::Register;
use crate::error::ImportError;
use crate::gaps::Gaps;
use crate::heading::Heading;
use crate::panel::{self, Row, Series, Words};
use crate::points::Points;
use crate::records::{self, Record};
use crate::{
    Format, ImportOptions, ImportedTable, SourceFile, alfred, detect, detect_format, frequency, value,
};

/// How FRED writes that there is no figure, over the years.
const WORDS: Words = Words { missing: &["", ".", "NA", "#N/A"], zero: false };
/// The area of a series unless the caller says another.
pub(crate) const AREA: &str = "USA";
/// Who publishes it.
pub(crate) const PUBLISHER: &str = "Federal Reserve Bank of St. Louis (FRED)";

/// Whether a header cell is that of the dates.
fn is_date_column(cell: &str) -> bool {
    ["observation_date", "date"].iter().any(|name| cell.eq_ignore_ascii_case(name))
}

/// Whether a header is one of FRED: a date, and ids of series.
///
/// Ids are of capitals, digits and underscores; a column with a title in words is of somebody else.
pub(crate) fn is_header(header: &Record<'_>) -> bool {
    let id = |cell: &str| {
        cell.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let width = header.cells.len();
    let value = width == 2 && header.cell(1).eq_ignore_ascii_case("value");
    alfred::is_header(header)
        || width > 1
            && is_date_column(header.cell(0))
            && (value || (1..width).all(|column| id(header.cell(column))))
}

/// Reads a file.
pub(crate) fn read(
    source: SourceFile<'_>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let (mut reader, mut record) = records::begin(source.bytes, b',')?;
    if alfred::is_header(&record) {
        return alfred::read(source, (&mut reader, &mut record), (WORDS, options), progress);
    }
    check_header(source, &record)?;
    let width = record.cells.len();
    let series = columns(source.name, &record)?;
    let mut gaps = Gaps::default();
    let rows = panel::rows((&mut reader, &mut record), (&series, width), (WORDS, &mut gaps), progress)?;
    let area = panel::area(options, AREA)?;
    let one = series.first().filter(|first| series.len() == 1 && first.vintage.is_empty());
    let (id, table) = match one {
        Some(first) => {
            let mut register = Register::default();
            let place = register.enter(&area.code, &area.name)?;
            let (table, _, summary) = dated(rows, place, gaps, options)?.finish(register)?;
            (first.id.clone(), (table, summary))
        }
        None => (together(source.name, &series), panel::fill(&rows, &series, gaps, (&area, options))?),
    };
    Heading::new(Format::Fred, id).publisher(PUBLISHER).over(table)
}

fn check_header(source: SourceFile<'_>, header: &Record<'_>) -> Result<(), ImportError> {
    if header.cells.len() >= 2 && is_date_column(header.cell(0)) {
        return Ok(());
    }
    if let Some(found) = detect_format(source.name, source.bytes).filter(|found| *found != Format::Fred) {
        return Err(detect::other(Format::Fred, found));
    }
    let message = "expected the columns `observation_date` and the series id";
    Err(ImportError::new("column-missing", message)
        .hint("take the CSV of a series from fred.stlouisfed.org")
        .line(header.line)
        .value(header.joined()))
}

/// The series of the columns: one with the id of the file name where the header only says
/// `value`, vintages where every column ends in a day.
fn columns(file: &str, header: &Record<'_>) -> Result<Vec<Series>, ImportError> {
    let mut series = panel::series(header)?;
    if let [one] = series.as_mut_slice()
        && one.id.eq_ignore_ascii_case("value")
    {
        one.id = series_id(file);
    }
    if series.iter().all(|series| vintage(&series.id).is_some()) {
        for series in &mut series {
            if let Some((id, day)) = vintage(&series.id) {
                (series.id, series.vintage) = (id, day);
            }
        }
    }
    Ok(series)
}

/// Id and day of a column of ALFRED, as in `GDP_20200130`.
pub(crate) fn vintage(title: &str) -> Option<(String, String)> {
    let (id, day) = title.rsplit_once('_')?;
    let digits = day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit());
    let number = |range: std::ops::Range<usize>| day.get(range)?.parse().ok();
    let day =
        if digits { Period::from_date(number(0..4)?, number(4..6)?, number(6..8)?)? } else { return None };
    (!id.is_empty()).then(|| (id.to_owned(), day.to_string()))
}

/// The capitals at the beginning of a file name, as in `DGS10_lowercase.csv`.
pub(crate) fn series_id(file: &str) -> String {
    let stem = value::stem(file);
    let id = stem.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit()).next().unwrap_or_default();
    if id.is_empty() { stem.to_owned() } else { id.to_owned() }
}

/// The name of several: the id that they share, or the file name.
fn together(file: &str, series: &[Series]) -> String {
    match series.first() {
        Some(first) if series.iter().all(|series| series.id == first.id) => first.id.clone(),
        _ => value::stem(file).to_owned(),
    }
}

/// The observations under the frequency of the whole column, or the one that the caller says.
fn dated(rows: Vec<Row>, area: u32, gaps: Gaps, options: &ImportOptions) -> Result<Points, ImportError> {
    let frequency = panel::frequency(&rows, options)?;
    let mut points = Points::default();
    (points.rows, points.gaps) = (rows.len() as u64, gaps);
    for (day, figure, line) in panel::single(rows) {
        let period = frequency::period(day, frequency).map_err(|fault| fault.line(line))?;
        if let Some(figure) = figure {
            points.push(area, period, figure, line)?;
        }
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str, options: &ImportOptions) -> Result<(String, String), ImportError> {
        let imported = read(SourceFile { name, bytes: text.as_bytes() }, options, &mut |_| {})?;
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
        assert_eq!((vintage("GDP_20101301"), vintage("_20100101"), vintage("GDP_2010")), (None, None, None));
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
            let source = SourceFile { name: "X.csv", bytes: text.as_bytes() };
            assert_eq!(detect_format("X.csv", text.as_bytes()), Some(Format::Fred), "{text}");
            let imported = read(source, &ImportOptions::default(), &mut |_| {}).unwrap();
            assert_eq!(imported.summary.notes.len(), 1);
            assert_eq!(check("X.csv", &text, &ImportOptions::default()).unwrap(), ("X".into(), rows.into()));
        }
        for (row, code) in [
            ("2010-01-01,2010-03-01,x", "number"),
            ("2010-01-01,soon,1", "period"),
            ("2010-01-01,2010-03-01,1\n2010-02-01,2010-03-01,1\n2010-01-01,2010-03-01,2", "duplicate"),
            ("2010-01-01,2010-03-01", "row-ragged"),
        ] {
            let fault =
                check("X.csv", &format!("date,realtime_start,value\n{row}\n"), &ImportOptions::default());
            assert_eq!(fault.unwrap_err().code, code, "{row}");
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
    fn faults_have_a_place() {
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
            let fault = check("X.csv", text, &ImportOptions::default()).unwrap_err();
            assert_eq!((fault.code, fault.line), (code, line), "{text}");
        }
    }
}
