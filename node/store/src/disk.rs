//! Writes to archive files, behind a trait for error injection in tests.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Disk operations of the archive.
pub(crate) trait Disk: Send + Sync {
    /// Writes all of `bytes` at `offset`. After an error any part of them may have been written.
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        write_at(file, bytes, offset)
    }

    /// Waits until everything written to the file survives a power loss.
    fn sync(&self, file: &File) -> io::Result<()> {
        // Data and file size suffice for reading back; other metadata need not be synced.
        file.sync_data()
    }

    /// Truncates the file to `length` bytes.
    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }
}

/// The disk of the system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemDisk;

impl Disk for SystemDisk {}

/// Reads exactly `bytes` at `offset`. All positioned reads go through here,
/// because the call differs between systems.
pub(crate) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    file.read_exact_at(bytes, offset)
}

/// Writes all of `bytes` at `offset`.
pub(crate) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.write_all_at(bytes, offset)
}

/// Waits until the names in a directory survive a power loss.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
