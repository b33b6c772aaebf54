//! Reads the records of a text, a block at a time, or row by row where a block fails.

use super::ReadPlan;
use super::row_buffer::RowBuffer;
use crate::csv::records::{CsvReader, CsvRecord};
use crate::error::ImportError;

/// Records of a block: their cells stay in the cache while the columns read them in turn.
const BLOCK_ROWS: usize = 1 << 11;

/// The part of a text below the header.
pub(super) struct CsvBody<'a> {
    pub(super) reader: CsvReader<'a>,
    pub(super) width: usize,
}

impl CsvBody<'_> {
    /// Appends all rows to `rows`; returns the line after the last one.
    ///
    /// # Errors
    /// The first error of the text.
    pub(super) fn read_into(
        mut self,
        plan: &ReadPlan,
        rows: &mut RowBuffer,
        progress: &mut dyn FnMut(u64),
    ) -> Result<u64, ImportError> {
        let (mut record, mut allocation) = (CsvRecord::default(), Vec::new());
        loop {
            self.reader.report_progress(progress);
            let before = self.reader.clone();
            let block = self.reader.read_block(allocation, Some(self.width), BLOCK_ROWS);
            let mut single = 1;
            if block.rows() > 0 {
                if rows.add_block(plan, &block, before.current_line()) {
                    allocation = block.into_allocation();
                    continue;
                }
                // A row of the block is invalid or beyond the limit: reading row by row finds which.
                (self.reader, single) = (before, block.rows());
            }
            allocation = block.into_allocation();
            for _ in 0..single {
                if !self.reader.read_record(&mut record)? {
                    return Ok(self.reader.current_line());
                }
                record.check_width(self.width)?;
                rows.add_row(plan, &record, record.line).map_err(|error| error.line(record.line))?;
            }
        }
    }
}
