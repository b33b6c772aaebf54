//! The few calls that change the archive's files, behind a trait so that tests can let them fail.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What the archive asks of a disk.
pub(crate) trait Disk: Send + Sync {
    /// Writes all of `bytes` at `offset`; after an error any part of them may be there.
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        write_at(file, bytes, offset)
    }

    /// Returns when everything written to the file would survive the machine.
    fn sync(&self, file: &File) -> io::Result<()> {
        // Data and the size, which is all that reading back needs.
        file.sync_data()
    }

    /// Cuts the file to `length` bytes.
    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }
}

/// The disk of the machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemDisk;

impl Disk for SystemDisk {}

/// Reads exactly `bytes` at `offset`. The one place that knows how a system reads at an offset.
pub(crate) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    file.read_exact_at(bytes, offset)
}

/// Writes all of `bytes` at `offset`.
pub(crate) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.write_all_at(bytes, offset)
}

/// Makes the names in a directory survive the machine.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
