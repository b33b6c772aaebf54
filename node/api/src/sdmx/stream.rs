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
const PIECE_BYTES: usize = 256 << 10;
/// Pieces between writer and reader.
const PIECES: usize = 2;
/// Time in which a reader takes a piece.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Writes an answer.
pub(crate) type Work = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

/// How the writing ended: nothing while it goes on, and nothing for ever where the writer is lost.
type End = Arc<OnceLock<Result<(), String>>>;

/// The pieces of an answer on their way.
struct Pieces {
    piece: Vec<u8>,
    to: mpsc::Sender<Bytes>,
    runtime: Handle,
    patience: Duration,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE_BYTES)).into();
        let (to, patience) = (&self.to, self.patience);
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
pub(crate) async fn body(
    work: Work,
    compressed: bool,
    held: impl Send + 'static,
    patience: Duration,
) -> io::Result<Body> {
    let (to, mut from) = mpsc::channel(PIECES);
    let mut pieces = Pieces { piece: Vec::new(), to, runtime: Handle::current(), patience };
    let end = End::default();
    let ending = Arc::clone(&end);
    tokio::task::spawn_blocking(move || {
        let written = if compressed { squeezed(work, &mut pieces) } else { work(&mut pieces) };
        let written = written.and_then(|()| pieces.flush());
        drop(ending.set(written.map_err(|fault| fault.to_string())));
        drop(pieces);
        drop(held);
    });
    let Some(first) = from.recv().await else { return whole(&end).map(|()| Body::empty()) };
    let Some(second) = from.recv().await else { return whole(&end).map(|()| Body::from(first)) };
    let rest = tokio_stream::iter([first, second]).chain(ReceiverStream::new(from)).map(Ok);
    // Looked at when all pieces are read: a stream that only stops would pass for a whole one.
    let end = tokio_stream::once(()).filter_map(move |()| whole(&end).err().map(Err));
    Ok(Body::from_stream(rest.chain(end)))
}

/// Whether all was written, once no piece comes any more.
fn whole(end: &End) -> io::Result<()> {
    let lost = || Err("the answer broke off".to_owned());
    end.get().cloned().unwrap_or_else(lost).map_err(io::Error::other)
}

fn squeezed(work: Work, pieces: &mut Pieces) -> io::Result<()> {
    let mut encoder = io::BufWriter::new(GzEncoder::new(pieces, Compression::fast()));
    work(&mut encoder)?;
    encoder.into_inner().map_err(io::IntoInnerError::into_error)?.finish().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes so many pieces, and then stops as it is told.
    fn pieces(count: usize, end: io::Result<()>) -> Work {
        Box::new(move |out| {
            (0..count).try_for_each(|_| out.write_all(&[b'x'; PIECE_BYTES]))?;
            end
        })
    }

    /// Tells when it is let go.
    struct Held(Option<tokio::sync::oneshot::Sender<()>>);

    impl Drop for Held {
        fn drop(&mut self) {
            let _ = self.0.take().unwrap().send(());
        }
    }

    async fn read(work: Work, compressed: bool) -> Option<usize> {
        let body = body(work, compressed, (), PATIENCE).await.ok()?;
        axum::body::to_bytes(body, usize::MAX).await.ok().map(|bytes| bytes.len())
    }

    #[tokio::test]
    async fn an_answer_is_whole_or_has_no_end() {
        for count in [0, 1, 2, 3, 9] {
            assert_eq!(read(pieces(count, Ok(())), false).await, Some(count * PIECE_BYTES));
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
        let body = body(pieces(99, Ok(())), false, Held(Some(to)), patience).await.unwrap();
        let_go.await.unwrap();
        assert!(axum::body::to_bytes(body, usize::MAX).await.is_err(), "it has no end");
    }
}
