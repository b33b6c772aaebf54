//! The records of a text, row by row or many at a time.

use super::Plan;
use super::rows::Rows;
use crate::error::ImportError;
use crate::records::{Reader, Record};

/// Records that are read at a time: their cells stay at hand while the columns take them in turn.
const BLOCK_ROWS: usize = 1 << 11;

/// What stands below the header.
pub(super) struct Body<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) width: usize,
}

impl Body<'_> {
    /// Adds all rows; gives the line after the last one.
    ///
    /// # Errors
    /// The first fault of the text.
    pub(super) fn rows(
        mut self,
        plan: &Plan,
        rows: &mut Rows,
        progress: &mut dyn FnMut(u64),
    ) -> Result<u64, ImportError> {
        let (mut record, mut room) = (Record::default(), Vec::new());
        loop {
            self.reader.tick(progress);
            let before = self.reader.clone();
            let block = self.reader.plain(room, Some(self.width), BLOCK_ROWS);
            let mut single = 1;
            if block.rows() > 0 {
                if rows.block(plan, &block, before.line()) {
                    room = block.into_room();
                    continue;
                }
                // One of its rows has a fault, or is one too many: told by the row itself.
                (self.reader, single) = (before, block.rows());
            }
            room = block.into_room();
            for _ in 0..single {
                if !self.reader.read(&mut record)? {
                    return Ok(self.reader.line());
                }
                record.check_width(self.width)?;
                rows.add(plan, &record, record.line).map_err(|fault| fault.line(record.line))?;
            }
        }
    }
}
