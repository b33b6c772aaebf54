//! Flat files of the Bureau of Labor Statistics, such as `cu.data.1.AllItems`: a row for each figure,
//! cells separated by tabs and padded with spaces.
//!
//! Lists that come with the data (`cu.series`, `cu.area`, `cu.item`) name the series; with a list
//! `cu.period`, a period that it lacks is refused. Such a list alone is no data.

use std::collections::BTreeMap;

use super::PUBLISHER;
use crate::build::metadata::{CodeNames, Metadata};
use crate::csv::records::{self, CsvReader, CsvRecord};
use crate::error::ImportError;
use crate::import::ReadRequest;
use crate::{CompanionFile, Format, ImportOptions, ImportedTable};

/// Rows of a list; the largest published one has some hundred thousand series.
const LIST_ROWS_MAX: usize = 1 << 20;

/// Whether a header is that of a data file.
pub(crate) fn is_header(header: &CsvRecord<'_>) -> bool {
    ["series_id", "year", "period", "value"].iter().all(|name| header.find_column(name).is_some())
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, options, progress, .. } = request;
    let (mut reader, mut record) = records::open_csv(source.bytes, b'\t')?;
    let [series, year, code, figure] = [
        record.require_column("series_id")?,
        record.require_column("year")?,
        record.require_column("period")?,
        record.require_column("value")?,
    ];
    let (footnotes, width) = (record.find_column("footnote_codes"), record.cells.len());
    let (mut builder, periods) = (super::series_builder()?, listed_periods(options)?);
    while reader.read_record(&mut record)? {
        record.check_width(width)?;
        // The column is optional.
        let footnotes = footnotes.map_or("", |footnotes| record.cell(footnotes));
        let (year, code) = (record.cell(year), record.cell(code));
        if periods.as_ref().is_some_and(|listed| !listed.contains_key(code)) {
            let error =
                ImportError::new("period", "expected a code from the list of periods given with the file");
            return Err(error.line(record.line).column("period").value(code));
        }
        let figure = (record.cell(figure), footnotes);
        super::add_figure(&mut builder, record.cell(series), (year, code), figure, record.line)?;
        reader.report_progress(progress);
    }
    let names = series_names(options)?;
    // `AllItems` in `cu.data.1.AllItems` is part of the name, not an extension.
    let id = source.name.rsplit(['/', '\\']).next().unwrap_or(source.name);
    Metadata::new(Format::Bls, id)
        .publisher(PUBLISHER)
        .with_code_names("SERIES", names)
        .with_table(builder.into_table()?)
}

/// Names of the periods by code, from the companion `*.period`.
fn listed_periods(options: &ImportOptions) -> Result<Option<CodeNames>, ImportError> {
    let list = options.companions.iter().find(|list| list.name.ends_with(".period"));
    list.map(|list| read_code_names(list, "period", "period_name")).transpose()
}

/// Names of the series by id, from the companions `*.series`, `*.area` and `*.item`.
fn series_names(options: &ImportOptions) -> Result<CodeNames, ImportError> {
    let list = |suffix: &str| options.companions.iter().find(|list| list.name.ends_with(suffix));
    let code_names = |suffix: &str, code: &str, name: &str| {
        list(suffix).map_or(Ok(CodeNames::new()), |list| read_code_names(list, code, name))
    };
    let (areas, items) =
        (code_names(".area", "area_code", "area_name")?, code_names(".item", "item_code", "item_name")?);
    let Some(list) = list(".series") else { return Ok(CodeNames::new()) };
    let mut names = CodeNames::new();
    for_each_row(list, &["series_id"], |record, columns| {
        let cell = |name: &str| cell_named(record, columns, name);
        let title = match cell("series_title") {
            "" => compose_title((&areas, cell("area_code")), (&items, cell("item_code")), cell("seasonal")),
            title => title.to_owned(),
        };
        names.insert(cell("series_id").to_owned(), title);
    })?;
    Ok(names)
}

/// The title of a series without one: its item, its area and its seasonal adjustment.
fn compose_title(
    (areas, area): (&CodeNames, &str),
    (items, item): (&CodeNames, &str),
    seasonal: &str,
) -> String {
    let name = |names: &CodeNames, code: &str| names.get(code).map_or(code, String::as_str).to_owned();
    let adjusted = match seasonal {
        "S" => ", seasonally adjusted",
        "U" => ", not seasonally adjusted",
        _ => "",
    };
    format!("{} in {}{adjusted}", name(items, item), name(areas, area))
}

/// Names by code, from two columns of a list.
fn read_code_names(list: &CompanionFile, code: &str, name: &str) -> Result<CodeNames, ImportError> {
    let mut names = BTreeMap::new();
    for_each_row(list, &[code, name], |record, columns| {
        let cell = |column: &str| cell_named(record, columns, column).to_owned();
        names.insert(cell(code), cell(name));
    })?;
    Ok(names)
}

/// Positions of the columns of a list by name.
type ColumnPositions = BTreeMap<String, usize>;

fn cell_named<'a>(record: &'a CsvRecord<'_>, columns: &ColumnPositions, name: &str) -> &'a str {
    columns.get(name).map_or("", |column| record.cell(*column))
}

/// Visits the rows of a list that must have the columns `required`.
fn for_each_row(
    list: &CompanionFile,
    required: &[&str],
    mut visit: impl FnMut(&CsvRecord<'_>, &ColumnPositions),
) -> Result<(), ImportError> {
    let in_list = |error: ImportError| error.in_file(&list.name);
    let mut reader = CsvReader::new(records::decode_text(&list.bytes).map_err(in_list)?, b'\t');
    let mut record = CsvRecord::default();
    reader.read_record(&mut record).map_err(in_list)?;
    let columns: ColumnPositions =
        (0..record.cells.len()).map(|column| (record.cell(column).to_owned(), column)).collect();
    if let Some(missing) = required.iter().find(|column| !columns.contains_key(**column)) {
        let error = ImportError::new("column-missing", format!("expected the column `{missing}`"));
        return Err(in_list(error.line(record.line).value(record.joined_cells())));
    }
    let mut rows = 0;
    while reader.read_record(&mut record).map_err(in_list)? {
        rows += 1;
        if rows > LIST_ROWS_MAX {
            return Err(in_list(ImportError::new(
                "rows",
                format!("more than {LIST_ROWS_MAX} rows in a list"),
            )));
        }
        visit(&record, &columns);
    }
    Ok(())
}
