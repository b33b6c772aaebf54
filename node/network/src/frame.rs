//! What goes over a stream: frames behind a length, records of blocks, and the end.
//!
//! Lengths are those of CAR files. A record length of zero, which no CAR file has, is followed by
//! one byte that says how the stream ends ([`End`]): without it a stream was cut.

use std::io;
use std::time::Duration;

use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use schemas::car::{self, Varint};
use schemas::cid::{CID_BYTES, Cid};
use schemas::limits::BLOCK_BYTES_MAX;

/// Bytes of a length at the most (`schemas::car`).
const LENGTH_BYTES_MAX: usize = 4;

/// How a server ends a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    /// That was all it has of what was asked.
    Complete,
    /// It serves too many streams.
    Busy,
}

/// A record, or the end in its place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StreamRecord {
    Block(Cid, Vec<u8>),
    End(StreamEnd),
}

/// Why a frame or record could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FrameError {
    /// The stream broke or ended inside.
    Broken,
    /// It took too long.
    TimedOut,
    /// A length out of bounds, a foreign id, an unknown end.
    Malformed,
    /// The block is not what its id says.
    HashMismatch,
}

impl From<io::Error> for FrameError {
    fn from(_: io::Error) -> Self {
        FrameError::Broken
    }
}

/// Waits for `work` no longer than `idle`.
///
/// # Errors
/// [`Fault::Idle`], or the fault of the work.
pub(crate) async fn with_timeout<T, E: Into<FrameError>>(
    idle: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, FrameError> {
    tokio::time::timeout(idle, work).await.map_err(|_| FrameError::TimedOut)?.map_err(Into::into)
}

/// Reads a message of 1 to `max` bytes behind its length.
pub(crate) async fn read_frame(
    stream: &mut (impl AsyncRead + Unpin),
    max: usize,
) -> Result<Vec<u8>, FrameError> {
    let length = read_length(stream).await?;
    if !(1..=max).contains(&length) {
        return Err(FrameError::Malformed);
    }
    read_bytes(stream, length).await
}

/// Writes a message behind its length.
pub(crate) async fn write_frame(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    stream.write_all(&car::encode_varint(bytes.len())).await?;
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Reads a record and checks its hash, or reads the end.
pub(crate) async fn read_record(stream: &mut (impl AsyncRead + Unpin)) -> Result<StreamRecord, FrameError> {
    let length = read_length(stream).await?;
    if length == 0 {
        return read_end(stream).await.map(StreamRecord::End);
    }
    let size = length.checked_sub(CID_BYTES).ok_or(FrameError::Malformed)?;
    if size > BLOCK_BYTES_MAX {
        return Err(FrameError::Malformed);
    }
    let mut id = [0; CID_BYTES];
    stream.read_exact(&mut id).await?;
    let id = Cid::from_bytes(&id).map_err(|_| FrameError::Malformed)?;
    let bytes = read_bytes(stream, size).await?;
    if id.matches(&bytes) { Ok(StreamRecord::Block(id, bytes)) } else { Err(FrameError::HashMismatch) }
}

/// Writes the record of a block.
pub(crate) async fn write_record(
    stream: &mut (impl AsyncWrite + Unpin),
    id: Cid,
    bytes: &[u8],
) -> io::Result<()> {
    stream.write_all(&car::encode_record_header(id, bytes.len())).await?;
    stream.write_all(bytes).await
}

/// Ends a stream and closes this side of it.
pub(crate) async fn write_end(stream: &mut (impl AsyncWrite + Unpin), end: StreamEnd) -> io::Result<()> {
    let code = match end {
        StreamEnd::Complete => 0,
        StreamEnd::Busy => 1,
    };
    stream.write_all(&[0, code]).await?;
    stream.close().await
}

async fn read_end(stream: &mut (impl AsyncRead + Unpin)) -> Result<StreamEnd, FrameError> {
    let mut code = [0];
    stream.read_exact(&mut code).await?;
    match code {
        [0] => Ok(StreamEnd::Complete),
        [1] => Ok(StreamEnd::Busy),
        _ => Err(FrameError::Malformed),
    }
}

async fn read_length(stream: &mut (impl AsyncRead + Unpin)) -> Result<usize, FrameError> {
    let mut digits = Vec::with_capacity(LENGTH_BYTES_MAX);
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).await?;
        digits.extend(byte);
        match car::read_varint(&digits) {
            Varint::Value(length, _) => return Ok(length),
            Varint::More => {}
            Varint::Bad => return Err(FrameError::Malformed),
        }
    }
}

/// Reads `length` bytes, taking memory as they come and not as they are promised.
async fn read_bytes(stream: &mut (impl AsyncRead + Unpin), length: usize) -> Result<Vec<u8>, FrameError> {
    let mut bytes = Vec::new();
    stream.take(length as u64).read_to_end(&mut bytes).await?;
    if bytes.len() == length { Ok(bytes) } else { Err(FrameError::Broken) }
}

#[cfg(test)]
mod tests {
    use schemas::cid::Codec;

    use super::*;

    async fn record(bytes: &[u8]) -> Result<StreamRecord, FrameError> {
        read_record(&mut &bytes[..]).await
    }

    #[tokio::test]
    async fn records_lead_back() {
        let id = Cid::of(Codec::Raw, b"block");
        let mut bytes = Vec::new();
        write_record(&mut bytes, id, b"block").await.unwrap();
        assert_eq!(bytes, car::encode_record(id, b"block"));
        assert_eq!(record(&bytes).await, Ok(StreamRecord::Block(id, b"block".to_vec())));
        for cut in 0..bytes.len() {
            assert_eq!(record(&bytes[..cut]).await, Err(FrameError::Broken), "cut at {cut}");
        }
    }

    #[tokio::test]
    async fn what_does_not_follow_the_protocol_is_refused() {
        let id = Cid::of(Codec::Raw, b"block");
        assert_eq!(record(&car::encode_record(id, b"clock")).await, Err(FrameError::HashMismatch));
        let large = car::encode_record_header(id, BLOCK_BYTES_MAX + 1);
        assert_eq!(record(&large).await, Err(FrameError::Malformed));
        for bytes in [&[35][..], &[0, 2], &[0x80, 0], &[0xff; 4], &[0; 40][..0]] {
            assert_ne!(record(bytes).await.map(|_| ()), Ok(()), "{bytes:?}");
        }
        let mut foreign = car::encode_record(id, b"block");
        foreign[1] = 0;
        assert_eq!(record(&foreign).await, Err(FrameError::Malformed));
    }

    #[tokio::test]
    async fn ends_are_told_apart() {
        for end in [StreamEnd::Complete, StreamEnd::Busy] {
            let mut bytes = Vec::new();
            write_end(&mut bytes, end).await.unwrap();
            assert_eq!(record(&bytes).await, Ok(StreamRecord::End(end)));
        }
    }

    #[tokio::test]
    async fn frames_keep_their_bound() {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, b"frame").await.unwrap();
        assert_eq!(read_frame(&mut &bytes[..], 5).await, Ok(b"frame".to_vec()));
        assert_eq!(read_frame(&mut &bytes[..], 4).await, Err(FrameError::Malformed));
        assert_eq!(read_frame(&mut &[0][..], 4).await, Err(FrameError::Malformed));
    }
}
