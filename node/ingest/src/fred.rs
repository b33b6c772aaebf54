//! FRED series as CSV: a column of dates, a column of figures.
//!
//! Reads every header that FRED has served (`observation_date,ID`, `DATE,ID`, `"Date","ID"`,
//! `date,value`) and what Excel makes of the dates. The file says neither area nor frequency nor
//! unit: the area is the caller's, the frequency is inferred from all dates together.

use schemas::decimal::Decimal;
use schemas::period::Period;

use crate::areas::{self, Register};
use crate::fault::Fault;
use crate::frequency;
use crate::points::{self, Points};
use crate::records::{self, Reader, Record};
use crate::{Format, Imported, Options, Source, detect, value};

/// How FRED writes that there is no figure, over the years.
const MISSING: [&str; 3] = ["", ".", "NA"];
/// The area of a series unless the caller says another.
const AREA: &str = "USA";

/// Whether a header cell is that of the dates.
pub(crate) fn is_date_column(cell: &str) -> bool {
    ["observation_date", "date"].iter().any(|name| cell.eq_ignore_ascii_case(name))
}

/// Reads a file.
pub(crate) fn read(
    source: Source<'_>,
    options: &Options,
    progress: &mut dyn FnMut(u64),
) -> Result<Imported, Fault> {
    let mut reader = Reader::new(records::text(source.bytes)?, b',');
    let mut record = Record::default();
    reader.read(&mut record)?;
    check_header(source, &record)?;
    let id = series_id(source.name, &record)?;
    let rows = rows(&mut reader, &mut record, &id, progress)?;
    let mut register = Register::default();
    let code = options.area.as_deref().unwrap_or(AREA);
    let area = areas::known(code).ok_or_else(|| areas::unknown(code))?;
    let place = register.enter(&area.code, &area.name)?;
    let points = dated(&rows, place, options)?;
    let (table, areas, summary) = points.finish(register)?;
    let dataflow = value::name(&id).ok_or_else(|| {
        Fault::new("name", "expected a series id in the header or the file name").value(&id)
    })?;
    Ok(Imported {
        format: Format::Fred,
        table,
        title: dataflow.to_string(),
        dataflow,
        publisher: Some("Federal Reserve Bank of St. Louis (FRED)".to_owned()),
        vintage: None,
        areas,
        summary,
        importer: Format::Fred.importer(),
    })
}

fn check_header(source: Source<'_>, header: &Record<'_>) -> Result<(), Fault> {
    if header.cells.len() == 2 && is_date_column(header.cell(0)) {
        return Ok(());
    }
    if let Some(found) = detect(source.name, source.bytes).filter(|found| *found != Format::Fred) {
        return Err(detect::other(Format::Fred, found));
    }
    let dates = is_date_column(header.cell(0)) || header.cell(0).eq_ignore_ascii_case("sasdate");
    let fault = if dates && header.cells.len() > 2 {
        Fault::new("column-many", format!("{} series in one file, expected one", header.cells.len() - 1))
            .hint("download one series a file, or import it as `csv` with a mapping")
    } else {
        Fault::new("column-missing", "expected the columns `observation_date` and the series id")
            .hint("take the CSV of one series from fred.stlouisfed.org")
    };
    Err(fault.line(header.line).value(header.joined()))
}

/// The id in the header; in the file name where the header only says `value`.
fn series_id(file: &str, header: &Record<'_>) -> Result<String, Fault> {
    let title = header.cell(1);
    if title.is_empty() {
        return Err(Fault::new("column-missing", "expected a series id in the header")
            .line(header.line)
            .column("2"));
    }
    if !title.eq_ignore_ascii_case("value") {
        return Ok(title.to_owned());
    }
    let stem = value::stem(file);
    let id = stem.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit()).next().unwrap_or_default();
    Ok(if id.is_empty() { stem.to_owned() } else { id.to_owned() })
}

/// A row: its date, its figure, its line.
type Row = (Period, Option<Decimal>, u64);

fn rows<'a>(
    reader: &mut Reader<'a>,
    record: &mut Record<'a>,
    id: &str,
    progress: &mut dyn FnMut(u64),
) -> Result<Vec<Row>, Fault> {
    let mut rows: Vec<Row> = Vec::new();
    let mut form = None;
    while reader.read(record)? {
        record.check_width(2)?;
        points::bounded(rows.len(), points::OBSERVATIONS_MAX, record.line)?;
        let form = *form.get_or_insert_with(|| Form::of(record.cell(0)));
        let day = form.day(record.cell(0)).map_err(|fault| fault.line(record.line).column("1"))?;
        let cell = record.cell(1);
        let figure = match cell {
            _ if MISSING.contains(&cell) => None,
            _ => Some(value::number(cell).map_err(|fault| fault.line(record.line).column(id))?),
        };
        rows.push((day, figure, record.line));
        reader.tick(progress);
    }
    Ok(rows)
}

/// How a file writes its dates: the first row decides for all.
#[derive(Clone, Copy)]
enum Form {
    /// `2010-01-31`.
    Iso,
    /// `1/31/2010`, which Excel makes of it in the United States.
    Excel,
}

impl Form {
    fn of(cell: &str) -> Self {
        if cell.contains('/') { Self::Excel } else { Self::Iso }
    }

    fn day(self, cell: &str) -> Result<Period, Fault> {
        let (day, expected) = match self {
            Self::Iso => (value::day(cell), "2010-01-31"),
            Self::Excel => {
                let day =
                    value::triple(cell, '/').and_then(|[month, day, year]| Period::day(year, month, day));
                (day, "1/31/2010")
            }
        };
        day.ok_or_else(|| {
            Fault::new("period", format!("expected a date like `{expected}`"))
                .value(cell)
                .hint("all dates of a file are written in one way, month before day")
        })
    }
}

/// The observations under the frequency of the whole column, or the one that the caller says.
fn dated(rows: &[Row], area: u32, options: &Options) -> Result<Points, Fault> {
    let mut points = Points::default();
    points.rows = rows.len() as u64;
    if rows.is_empty() {
        return Err(points::empty(0));
    }
    let days: Vec<frequency::Dated> = rows.iter().map(|(day, _, line)| (*day, *line)).collect();
    let frequency = options.frequency.map_or_else(|| frequency::infer(&days), Ok)?;
    for (day, figure, line) in rows {
        let period = frequency::period(*day, frequency).map_err(|fault| fault.line(*line))?;
        match figure {
            Some(figure) => points.push(area, period, *figure, *line)?,
            None => points.missing += 1,
        }
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str, options: &Options) -> Result<(String, String), Fault> {
        let imported = read(Source { name, bytes: text.as_bytes() }, options, &mut |_| {})?;
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
                assert_eq!(check("X_v.csv", &text, &Options::default()).unwrap(), ("X".into(), rows.into()));
            }
        }
        let excel = "DATE,X\r\n1/1/2010,9.80\r\n2/1/2010,.\r\n3/1/2010,1\r\n";
        assert_eq!(check("X.csv", excel, &Options::default()).unwrap().1, rows);
    }

    #[test]
    fn the_caller_may_say_area_and_frequency() {
        let options = Options {
            area: Some("DEU".into()),
            frequency: Some("2010Q1".parse::<Period>().unwrap().frequency()),
            ..Options::default()
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
            ("DATE,X,Y\n2010-01-01,1,2\n", "column-many", Some(1)),
            ("DATE,\n2010-01-01,1\n", "column-missing", Some(1)),
            ("a,b\n", "column-missing", Some(1)),
            ("DATE,X\n", "no-data", None),
            ("DATE,X\n2010-01-01,.\n2010-02-01,.\n", "no-data", None),
        ] {
            let fault = check("X.csv", text, &Options::default()).unwrap_err();
            assert_eq!((fault.code, fault.line), (code, line), "{text}");
        }
    }
}
