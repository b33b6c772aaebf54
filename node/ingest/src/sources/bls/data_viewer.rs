//! Series downloaded from the data viewer of the Bureau of Labor Statistics:
//! `Series ID,Year,Period,Label,Value`. The label repeats the period and is not read.

use super::PUBLISHER;
use crate::build::metadata::Metadata;
use crate::csv::records::{self, CsvRecord};
use crate::error::ImportError;
use crate::import::ReadRequest;
use crate::values::cell;
use crate::{Format, ImportedTable};

/// Whether a header is that of such a file.
pub(crate) fn is_header(header: &CsvRecord<'_>) -> bool {
    ["Series ID", "Year", "Period", "Value"].iter().all(|name| header.find_column(name).is_some())
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, progress, .. } = request;
    let (mut reader, mut record) = records::open_csv(source.bytes, b',')?;
    let [series, year, period, figure] = [
        record.require_column("Series ID")?,
        record.require_column("Year")?,
        record.require_column("Period")?,
        record.require_column("Value")?,
    ];
    let (width, mut builder) = (record.cells.len(), super::series_builder()?);
    let mut single_id: Option<String> = None;
    while reader.read_record(&mut record)? {
        record.check_width(width)?;
        let id = record.cell(series);
        let code = (record.cell(year), record.cell(period));
        super::add_figure(&mut builder, id, code, (record.cell(figure), ""), record.line)?;
        // A file of several series is named after the file.
        let same = single_id.as_deref().is_none_or(|single| single == id);
        single_id = Some(if same { id.to_owned() } else { cell::file_stem(source.name).to_owned() });
        reader.report_progress(progress);
    }
    Metadata::new(Format::BlsCsv, single_id.unwrap_or_default())
        .publisher(PUBLISHER)
        .with_table(builder.into_table()?)
}
