//! Answers as they are made: a thread writes, the connection reads, and no more than a few pieces are
//! in memory between them. Who does not read for a while gets no more, so that a place is not held
//! for ever. An answer of one piece has a length; one that breaks off has no end, so that nobody
//! takes it for whole.

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

/// Bytes of a piece.
const CHUNK_BYTES: usize = 256 << 10;
/// Pieces between writer and reader.
const CHUNKS_MAX: usize = 2;
/// Time in which a reader takes a piece.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Writes an answer.
pub(crate) type BodyWriter = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

/// How the writing ended: nothing while it goes on, and nothing for ever where the writer is lost.
type StreamEnd = Arc<OnceLock<Result<(), String>>>;

/// The pieces of an answer on their way.
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
        match self.runtime.block_on(async { tokio::time::timeout(patience, to.send(piece)).await }) {
            Ok(Ok(())) => Ok(()),
            _ => Err(io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads the answer")),
        }
    }
}

/// The body that `work` writes, compressed or not, for a reader who takes a piece within `patience`;
/// `held` is let go when it is written.
///
/// # Errors
/// When it fails before its second piece is done.
pub(crate) async fn stream_body(
    work: BodyWriter,
    compressed: bool,
    held: impl Send + 'static,
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
        drop(ending.set(written.map_err(|fault| fault.to_string())));
        drop(pieces);
        drop(held);
    });
    let Some(first) = from.recv().await else { return check_complete(&end).map(|()| Body::empty()) };
    let Some(second) = from.recv().await else { return check_complete(&end).map(|()| Body::from(first)) };
    let rest = tokio_stream::iter([first, second]).chain(ReceiverStream::new(from)).map(Ok);
    // Looked at when all pieces are read: a stream that only stops would pass for a whole one.
    let end = tokio_stream::once(()).filter_map(move |()| check_complete(&end).err().map(Err));
    Ok(Body::from_stream(rest.chain(end)))
}

/// Whether all was written, once no piece comes any more.
fn check_complete(end: &StreamEnd) -> io::Result<()> {
    let lost = || Err("the answer broke off".to_owned());
    end.get().cloned().unwrap_or_else(lost).map_err(io::Error::other)
}

fn write_gzip(work: BodyWriter, pieces: &mut ChunkWriter) -> io::Result<()> {
    let mut encoder = io::BufWriter::new(GzEncoder::new(pieces, Compression::fast()));
    work(&mut encoder)?;
    encoder.into_inner().map_err(io::IntoInnerError::into_error)?.finish().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes so many pieces, and then stops as it is told.
    fn pieces(count: usize, end: io::Result<()>) -> BodyWriter {
        Box::new(move |out| {
            (0..count).try_for_each(|_| out.write_all(&[b'x'; CHUNK_BYTES]))?;
            end
        })
    }

    /// Tells when it is let go.
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
    async fn an_answer_is_whole_or_has_no_end() {
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
    async fn who_does_not_read_holds_no_place() {
        let (to, let_go) = tokio::sync::oneshot::channel();
        let patience = Duration::from_millis(1);
        let body = stream_body(pieces(99, Ok(())), false, DropSignal(Some(to)), patience).await.unwrap();
        let_go.await.unwrap();
        assert!(axum::body::to_bytes(body, usize::MAX).await.is_err(), "it has no end");
    }
}
