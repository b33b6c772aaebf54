//! Random access to a document, so that a large one is read in chunks and never fully in memory.

use std::io;

/// Bytes that can be read at any offset.
pub trait ReadAt: Sync {
    /// Size in bytes.
    fn size(&self) -> u64;

    /// Fills `into` with the bytes at offset `at`.
    ///
    /// # Errors
    /// Any error of the medium; `UnexpectedEof` beyond the end.
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()>;
}

impl ReadAt for &[u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(at).ok();
        let bytes = from.and_then(|from| self.get(from..)?.get(..into.len()));
        into.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// Reads `length` bytes at offset `at`.
pub(crate) fn read_range(document: &dyn ReadAt, at: u64, length: u64) -> io::Result<Vec<u8>> {
    // The caller has checked the length against SNAPSHOT_BYTES_MAX.
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    document.read_at(at, &mut bytes)?;
    Ok(bytes)
}
