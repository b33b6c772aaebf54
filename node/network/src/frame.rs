//! Framing of streams: length-prefixed messages, block records and the end marker.
//!
//! Lengths are the varints of CAR files. A record length of zero, which does not occur in a CAR
//! file, is followed by one byte that states how the stream ends ([`StreamEnd`]); a stream without
//! it was interrupted (specs/network.md, "A stream of blocks").

use std::io;
use std::time::Duration;

use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use schemas::car::{self, Varint};
use schemas::cid::{CID_BYTES, Cid};
use schemas::limits::BLOCK_BYTES_MAX;

/// Maximum bytes of a length (`schemas::car`).
const LENGTH_BYTES_MAX: usize = 4;

/// End marker of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    /// The server sent everything it has of the request.
    Complete,
    /// The server serves too many streams.
    Busy,
}

/// A block record or the end marker.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StreamRecord {
    Block(Cid, Vec<u8>),
    End(StreamEnd),
}

/// Error of reading or writing a frame or record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FrameError {
    /// The stream broke, or ended inside a frame.
    Broken,
    /// The timeout expired.
    TimedOut,
    /// A length out of bounds, a foreign id, or an unknown end marker.
    Malformed,
    /// The hash of the block is not the one in its id.
    HashMismatch,
}

impl From<io::Error> for FrameError {
    fn from(_: io::Error) -> Self {
        FrameError::Broken
    }
}

/// Runs `work` with a timeout.
///
/// # Errors
/// [`FrameError::TimedOut`], or the error of `work`.
pub(crate) async fn with_timeout<T, E: Into<FrameError>>(
    timeout: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, FrameError> {
    tokio::time::timeout(timeout, work).await.map_err(|_| FrameError::TimedOut)?.map_err(Into::into)
}

/// Reads a length-prefixed message of 1 to `max` bytes. A longer one is refused before its bytes
/// are read.
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

/// Writes a length-prefixed message.
pub(crate) async fn write_frame(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    stream.write_all(&car::encode_varint(bytes.len())).await?;
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Reads a record and verifies its hash, or reads the end marker.
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

/// Writes the end marker and closes this side of the stream.
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

/// Reads `length` bytes. Memory grows with the bytes received, so that a peer cannot reserve it by
/// announcing a large length.
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
    async fn records_round_trip() {
        let id = Cid::of(Codec::Raw, b"block");
        let mut bytes = Vec::new();
        write_record(&mut bytes, id, b"block").await.unwrap();
        assert_eq!(bytes, car::encode_record(id, b"block"));
        assert_eq!(record(&bytes).await, Ok(StreamRecord::Block(id, b"block".to_vec())));
        for cut in 0..bytes.len() {
            assert_eq!(record(&bytes[..cut]).await, Err(FrameError::Broken), "truncated at {cut}");
        }
    }

    #[tokio::test]
    async fn protocol_violations_are_refused() {
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
    async fn end_markers_round_trip() {
        for end in [StreamEnd::Complete, StreamEnd::Busy] {
            let mut bytes = Vec::new();
            write_end(&mut bytes, end).await.unwrap();
            assert_eq!(record(&bytes).await, Ok(StreamRecord::End(end)));
        }
    }

    #[tokio::test]
    async fn frames_above_the_limit_are_refused() {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, b"frame").await.unwrap();
        assert_eq!(read_frame(&mut &bytes[..], 5).await, Ok(b"frame".to_vec()));
        assert_eq!(read_frame(&mut &bytes[..], 4).await, Err(FrameError::Malformed));
        assert_eq!(read_frame(&mut &[0][..], 4).await, Err(FrameError::Malformed));
    }

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// The input of a case: `bytes`, then `unit` repeated `count` times, then `tail`.
    fn case_input(case: &serde_json::Value) -> Vec<u8> {
        let hex = |value: &serde_json::Value| unhex(value.as_str().unwrap_or_default());
        let repeat = &case["repeat"];
        let repeated = hex(&repeat["unit"]).repeat(repeat["count"].as_u64().unwrap_or_default() as usize);
        [hex(&case["bytes"]), repeated, hex(&repeat["tail"])].concat()
    }

    fn code(error: &FrameError) -> &'static str {
        match error {
            FrameError::Broken => "truncated",
            FrameError::TimedOut => "timeout",
            FrameError::Malformed => "malformed",
            FrameError::HashMismatch => "hash",
        }
    }

    /// Reads records up to the end marker.
    async fn read_stream(mut bytes: &[u8]) -> Result<StreamEnd, FrameError> {
        loop {
            if let StreamRecord::End(end) = read_record(&mut bytes).await? {
                return Ok(end);
            }
        }
    }

    #[tokio::test]
    async fn streams_decode_as_in_the_vectors() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs/vectors");
        let text = std::fs::read_to_string(folder.join("stream.json")).unwrap();
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        for case in file["cases"].as_array().unwrap() {
            let bytes = case_input(case);
            let found = if case["level"] == "frame" {
                let message = read_frame(&mut bytes.as_slice(), replication::limits::REQUEST_BYTES_MAX).await;
                message.map_or_else(|error| code(&error), |_| "ok")
            } else {
                let end = read_stream(&bytes).await;
                if let Ok(end) = &end {
                    let value = if *end == StreamEnd::Busy { "busy" } else { "complete" };
                    assert_eq!(case["value"], value, "{}", case["name"]);
                }
                end.map_or_else(|error| code(&error), |_| "ok")
            };
            assert_eq!(found, case["expect"], "{}", case["name"]);
        }
    }
}
