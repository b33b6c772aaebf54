//! A series of the data viewer of the Bureau of Labor Statistics:
//! `Series ID,Year,Period,Label,Value`. The label repeats the period and is not read.

use crate::error::ImportError;
use crate::heading::Heading;
use crate::records::{self, Record};
use crate::{Format, ImportedTable, SourceFile, bls, value};

/// Whether a header is that of such a file.
pub(crate) fn is_header(header: &Record<'_>) -> bool {
    ["Series ID", "Year", "Period", "Value"].iter().all(|name| header.position(name).is_some())
}

/// Reads a file.
pub(crate) fn read(
    source: SourceFile<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let (mut reader, mut record) = records::begin(source.bytes, b',')?;
    let [series, year, period, figure] =
        [record.place("Series ID")?, record.place("Year")?, record.place("Period")?, record.place("Value")?];
    let (width, mut cube, mut one) = (record.cells.len(), bls::cube()?, None);
    while reader.read(&mut record)? {
        record.check_width(width)?;
        let at = (record.cell(year), record.cell(period));
        let id = record.cell(series);
        bls::add(&mut cube, id, at, (record.cell(figure), ""), record.line)?;
        let same = one.as_deref().is_none_or(|one| one == id);
        one = Some(if same { id.to_owned() } else { value::stem(source.name).to_owned() });
        reader.tick(progress);
    }
    let id = one.unwrap_or_default();
    Heading::new(Format::BlsCsv, id).publisher(bls::PUBLISHER).over(cube.finish()?)
}
