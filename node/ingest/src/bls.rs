//! Flat files of the Bureau of Labor Statistics, as in `cu.data.1.AllItems`: a row a figure, cells
//! split by tabs and filled with spaces.
//!
//! A year has months, an annual average (`M13`), half years and their average (`S03`), each with a
//! frequency of its own in FREQ: an average is never a thirteenth month. Lists that come with the
//! data (`cu.series`, `cu.area`, `cu.item`) name the series; where there is `cu.period`, every period is
//! one of it. Refuses such a list alone: it is no data.

use std::collections::BTreeMap;

use schemas::period::{Frequency, Period};

use crate::cube::Cube;
use crate::error::ImportError;
use crate::heading::{Heading, Names};
use crate::records::{self, Reader, Record};
use crate::{CompanionFile, Format, ImportOptions, ImportedTable, SourceFile, value};

/// How it writes that there is no figure.
pub(crate) const MISSING: [&str; 4] = ["", "-", ".", "NA"];
/// Who publishes it.
pub(crate) const PUBLISHER: &str = "U.S. Bureau of Labor Statistics";
/// Rows of a list: the largest real one has some hundred thousand series.
const LIST_ROWS_MAX: usize = 1 << 20;

/// Whether a header is that of a file of data.
pub(crate) fn is_header(header: &Record<'_>) -> bool {
    ["series_id", "year", "period", "value"].iter().all(|name| header.position(name).is_some())
}

/// The period of a code in a year: `M01` to `M12`, `Q01` to `Q04`, `S01`, `S02`, and the averages
/// of the year `M13`, `Q05`, `S03`, `A01`.
pub(crate) fn period(year: &str, code: &str) -> Result<Period, ImportError> {
    let fault = |column: &str, found: &str, expected: &str| {
        ImportError::new("period", format!("expected {expected}")).column(column).value(found)
    };
    let number: i32 = value::year(year).map(Period::year).ok_or_else(|| fault("year", year, "a year"))?;
    let wrong = || fault("period", code, "a period like `M01`, `M13`, `Q01`, `S01` or `A01`");
    let (letter, index) = code.split_at_checked(1).ok_or_else(wrong)?;
    let index = Some(index).filter(|index| index.len() == 2).and_then(|index| index.parse().ok());
    let (frequency, index) = match (letter, index.ok_or_else(wrong)?) {
        ("M", 13) | ("Q", 5) | ("S", 3) | ("A", 1) => (Frequency::A, 1),
        ("M", index) => (Frequency::M, index),
        ("Q", index) => (Frequency::Q, index),
        ("S", index) => (Frequency::S, index),
        _ => return Err(wrong()),
    };
    Period::new(frequency, number, index).ok_or_else(wrong)
}

/// A collector of figures by series: FREQ, SERIES, and the marks of the source as OBS_STATUS.
pub(crate) fn cube() -> Result<Cube, ImportError> {
    Cube::new(&["FREQ", "SERIES"], &["OBS_STATUS"])
}

/// Adds a figure as it is written, with its marks.
pub(crate) fn add(
    cube: &mut Cube,
    series: &str,
    (year, code): (&str, &str),
    (figure, marks): (&str, &str),
    line: u64,
) -> Result<(), ImportError> {
    cube.rows += 1;
    let period = period(year, code).map_err(|fault| fault.line(line))?;
    let figure = match figure {
        _ if cube.gaps.is(figure, &MISSING) => None,
        _ => Some(value::number(figure).map_err(|fault| fault.line(line).column("value"))?),
    };
    let frequency = period.frequency().code();
    cube.push(&[frequency, series], (period, figure), (&[marks], !marks.is_empty()), line)
}

/// Reads a file.
pub(crate) fn read(
    source: SourceFile<'_>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let (mut reader, mut record) = records::begin(source.bytes, b'\t')?;
    let [series, year, code, figure] =
        [record.place("series_id")?, record.place("year")?, record.place("period")?, record.place("value")?];
    let (marks, width) = (record.position("footnote_codes"), record.cells.len());
    let (mut cube, periods) = (cube()?, periods(options)?);
    while reader.read(&mut record)? {
        record.check_width(width)?;
        let marks = marks.map_or("", |marks| record.cell(marks));
        let at = (record.cell(year), record.cell(code));
        if periods.as_ref().is_some_and(|known| !known.contains_key(at.1)) {
            let fault =
                ImportError::new("period", "expected a code of the list of periods that came with it");
            return Err(fault.line(record.line).column("period").value(at.1));
        }
        add(&mut cube, record.cell(series), at, (record.cell(figure), marks), record.line)?;
        reader.tick(progress);
    }
    let names = names(options)?;
    // What follows the last point is the name of the part, not an ending.
    let id = source.name.rsplit(['/', '\\']).next().unwrap_or(source.name);
    Heading::new(Format::Bls, id).publisher(PUBLISHER).named("SERIES", names).over(cube.finish()?)
}

/// The codes of periods and their names, by the list that came with the data.
fn periods(options: &ImportOptions) -> Result<Option<Names>, ImportError> {
    let list = options.companions.iter().find(|list| list.name.ends_with(".period"));
    list.map(|list| pairs(list, "period", "period_name")).transpose()
}

/// The names of the series, by the lists that came with the data.
fn names(options: &ImportOptions) -> Result<Names, ImportError> {
    let list = |part: &str| options.companions.iter().find(|list| list.name.ends_with(part));
    let pairs = |part: &str, code: &str, name: &str| {
        list(part).map_or(Ok(Names::new()), |list| pairs(list, code, name))
    };
    let (areas, items) =
        (pairs(".area", "area_code", "area_name")?, pairs(".item", "item_code", "item_name")?);
    let Some(list) = list(".series") else { return Ok(Names::new()) };
    let mut names = Names::new();
    each(list, &["series_id"], |record, places| {
        let cell = |name: &str| record_cell(record, places, name);
        let title = match cell("series_title") {
            "" => composed((&areas, cell("area_code")), (&items, cell("item_code")), cell("seasonal")),
            title => title.to_owned(),
        };
        names.insert(cell("series_id").to_owned(), title);
    })?;
    Ok(names)
}

/// The title of a series that has none: its item, its area, and whether it is adjusted.
fn composed((areas, area): (&Names, &str), (items, item): (&Names, &str), seasonal: &str) -> String {
    let name = |names: &Names, code: &str| names.get(code).map_or(code, String::as_str).to_owned();
    let adjusted = match seasonal {
        "S" => ", seasonally adjusted",
        "U" => ", not seasonally adjusted",
        _ => "",
    };
    format!("{} in {}{adjusted}", name(items, item), name(areas, area))
}

/// Two columns of a list.
fn pairs(list: &CompanionFile, code: &str, name: &str) -> Result<Names, ImportError> {
    let mut pairs = BTreeMap::new();
    each(list, &[code, name], |record, places| {
        let cell = |column: &str| record_cell(record, places, column).to_owned();
        pairs.insert(cell(code), cell(name));
    })?;
    Ok(pairs)
}

/// The columns of a list by name.
type Places = BTreeMap<String, usize>;

fn record_cell<'a>(record: &'a Record<'_>, places: &Places, name: &str) -> &'a str {
    places.get(name).map_or("", |column| record.cell(*column))
}

/// Visits the rows of a list, which has these columns.
fn each(
    list: &CompanionFile,
    columns: &[&str],
    mut visit: impl FnMut(&Record<'_>, &Places),
) -> Result<(), ImportError> {
    let within = |fault: ImportError| fault.within(&list.name);
    let mut reader = Reader::new(records::text(&list.bytes).map_err(within)?, b'\t');
    let mut record = Record::default();
    reader.read(&mut record).map_err(within)?;
    let places: Places =
        (0..record.cells.len()).map(|column| (record.cell(column).to_owned(), column)).collect();
    if let Some(absent) = columns.iter().find(|column| !places.contains_key(**column)) {
        let fault = ImportError::new("column-missing", format!("expected the column `{absent}`"));
        return Err(within(fault.line(record.line).value(record.joined())));
    }
    let mut rows = 0;
    while reader.read(&mut record).map_err(within)? {
        rows += 1;
        if rows > LIST_ROWS_MAX {
            return Err(within(ImportError::new(
                "rows",
                format!("more than {LIST_ROWS_MAX} rows in a list"),
            )));
        }
        visit(&record, &places);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_have_a_frequency_of_their_own() {
        for (code, expected) in [
            ("M01", "2018-M01"),
            ("M12", "2018-M12"),
            ("M13", "2018"),
            ("Q04", "2018-Q4"),
            ("Q05", "2018"),
            ("S02", "2018-S2"),
            ("S03", "2018"),
            ("A01", "2018"),
        ] {
            assert_eq!(period("2018", code).unwrap().to_string(), expected);
        }
        for code in ["M14", "M00", "S04", "A02", "W01", "M1", "", "é1"] {
            assert_eq!(period("2018", code).unwrap_err().column.as_deref(), Some("period"), "{code}");
        }
        assert_eq!(period("18", "M01").unwrap_err().column.as_deref(), Some("year"));
    }
}
