//! Streaming response bodies: a blocking task writes, the connection reads, and a bounded channel holds
//! a few chunks in between.
//!
//! A reader that takes no chunk within a timeout is disconnected, so that it does not hold a permit
//! forever. A body of one chunk has a `Content-Length`. A failed body has no final chunk, so clients
//! detect that it is incomplete.

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, Bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

/// Bytes per chunk.
const CHUNK_BYTES: usize = 256 << 10;
/// Chunks buffered between writer and reader.
const CHUNKS_MAX: usize = 2;
/// Time in which a reader has to take a chunk.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Writes a response body.
pub(crate) type BodyWriter = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

/// Result of the writer; unset while it runs, and forever if it panicked.
type StreamEnd = Arc<OnceLock<Result<(), String>>>;

/// Collects written bytes into chunks and sends them.
struct ChunkWriter {
    chunk: Vec<u8>,
    sender: mpsc::Sender<Bytes>,
    runtime: Handle,
    read_timeout: Duration,
}

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK_BYTES)).into();
        let (to, patience) = (&self.sender, self.read_timeout);
        // Runs on the blocking pool, where waiting for the reader is allowed.
        match self.runtime.block_on(async { tokio::time::timeout(patience, to.send(piece)).await }) {
            Ok(Ok(())) => Ok(()),
            _ => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the client stopped reading")),
        }
    }
}

/// Returns the body written by `work`. `permit` is dropped when the writer ends.
///
/// # Errors
/// If the writer fails before its second chunk.
pub(crate) async fn stream_body(
    work: BodyWriter,
    compressed: bool,
    permit: impl Send + 'static,
    patience: Duration,
) -> io::Result<Body> {
    let (to, mut from) = mpsc::channel(CHUNKS_MAX);
    let mut pieces =
        ChunkWriter { chunk: Vec::new(), sender: to, runtime: Handle::current(), read_timeout: patience };
    let end = StreamEnd::default();
    let ending = Arc::clone(&end);
    tokio::task::spawn_blocking(move || {
        let written = if compressed { write_gzip(work, &mut pieces) } else { work(&mut pieces) };
        let written = written.and_then(|()| pieces.flush());
        drop(ending.set(written.map_err(|error| error.to_string())));
        drop(pieces);
        drop(permit);
    });
    // Two chunks are awaited: early errors still set the status, and a single chunk gets a length.
    let Some(first) = from.recv().await else { return check_complete(&end).map(|()| Body::empty()) };
    let Some(second) = from.recv().await else { return check_complete(&end).map(|()| Body::from(first)) };
    let rest = tokio_stream::iter([first, second]).chain(ReceiverStream::new(from)).map(Ok);
    // Checked after the last chunk: a stream that merely ends would look complete.
    let end = tokio_stream::once(()).filter_map(move |()| check_complete(&end).err().map(Err));
    Ok(Body::from_stream(rest.chain(end)))
}

/// Returns an error unless the writer completed.
fn check_complete(end: &StreamEnd) -> io::Result<()> {
    let lost = || Err("the writer failed".to_owned());
    end.get().cloned().unwrap_or_else(lost).map_err(io::Error::other)
}

fn write_gzip(work: BodyWriter, pieces: &mut ChunkWriter) -> io::Result<()> {
    // Formats write many small pieces, which are slow to compress one by one.
    let mut encoder = io::BufWriter::new(GzEncoder::new(pieces, Compression::fast()));
    work(&mut encoder)?;
    encoder.into_inner().map_err(io::IntoInnerError::into_error)?.finish().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes `count` chunks and then returns `end`.
    fn pieces(count: usize, end: io::Result<()>) -> BodyWriter {
        Box::new(move |out| {
            (0..count).try_for_each(|_| out.write_all(&[b'x'; CHUNK_BYTES]))?;
            end
        })
    }

    /// Signals when it is dropped.
    struct DropSignal(Option<tokio::sync::oneshot::Sender<()>>);

    impl Drop for DropSignal {
        fn drop(&mut self) {
            let _ = self.0.take().unwrap().send(());
        }
    }

    async fn read(work: BodyWriter, compressed: bool) -> Option<usize> {
        let body = stream_body(work, compressed, (), READ_TIMEOUT).await.ok()?;
        axum::body::to_bytes(body, usize::MAX).await.ok().map(|bytes| bytes.len())
    }

    #[tokio::test]
    async fn a_response_is_complete_or_has_no_end() {
        for count in [0, 1, 2, 3, 9] {
            assert_eq!(read(pieces(count, Ok(())), false).await, Some(count * CHUNK_BYTES));
            assert!(read(pieces(count, Ok(())), true).await.is_some());
            for compressed in [false, true] {
                let broken = pieces(count, Err(io::Error::other("no")));
                assert_eq!(read(broken, compressed).await, None, "{count} {compressed}");
            }
        }
    }

    #[tokio::test]
    async fn a_reader_that_stalls_releases_its_permit() {
        let (to, let_go) = tokio::sync::oneshot::channel();
        let patience = Duration::from_millis(1);
        let body = stream_body(pieces(99, Ok(())), false, DropSignal(Some(to)), patience).await.unwrap();
        let_go.await.unwrap();
        assert!(axum::body::to_bytes(body, usize::MAX).await.is_err(), "it has no end");
    }
}
