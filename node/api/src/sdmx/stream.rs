//! Answers as they are made: a thread writes, the connection reads, and no more than a few pieces are
//! in memory between them. Who does not read for a while gets no more, so that a place is not held
//! for ever. An answer of one piece has a length; one that breaks off has no end, so that nobody
//! takes it for whole.

use std::io::{self, Write};
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
const PATIENCE: Duration = Duration::from_secs(30);

/// Writes an answer.
pub(crate) type Work = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

/// The pieces of an answer on their way.
struct Pieces {
    piece: Vec<u8>,
    to: mpsc::Sender<io::Result<Bytes>>,
    runtime: Handle,
}

impl Pieces {
    fn send(&self, piece: io::Result<Bytes>) -> io::Result<()> {
        let sent = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, self.to.send(piece)).await });
        match sent {
            Ok(Ok(())) => Ok(()),
            _ => Err(io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads the answer")),
        }
    }
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
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE_BYTES));
        self.send(Ok(piece.into()))
    }
}

/// The body that `work` writes, compressed or not; `held` is let go when it is written.
///
/// # Errors
/// When it fails before its first piece is done.
pub(crate) async fn body(work: Work, compressed: bool, held: impl Send + 'static) -> io::Result<Body> {
    let (to, mut from) = mpsc::channel(PIECES);
    let pieces = Pieces { piece: Vec::new(), to, runtime: Handle::current() };
    tokio::task::spawn_blocking(move || {
        write(work, compressed, pieces);
        drop(held);
    });
    let Some(first) = from.recv().await.transpose()? else { return Ok(Body::empty()) };
    let Some(second) = from.recv().await else { return Ok(Body::from(first)) };
    let begun = tokio_stream::iter([Ok(first), second]);
    Ok(Body::from_stream(begun.chain(ReceiverStream::new(from))))
}

fn write(work: Work, compressed: bool, mut pieces: Pieces) {
    let written = if compressed { squeezed(work, &mut pieces) } else { work(&mut pieces) };
    if let Err(fault) = written.and_then(|()| pieces.flush()) {
        drop(pieces.send(Err(fault)));
    }
}

fn squeezed(work: Work, pieces: &mut Pieces) -> io::Result<()> {
    let mut encoder = io::BufWriter::new(GzEncoder::new(pieces, Compression::fast()));
    work(&mut encoder)?;
    encoder.into_inner().map_err(io::IntoInnerError::into_error)?.finish().map(drop)
}
