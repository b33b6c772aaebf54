//! Serves the requests of peers with the blocks that the owner provides.

use std::io;
use std::time::Duration;

use futures::io::{AsyncWriteExt, BufWriter};
use libp2p::{PeerId, Stream};
use replication::SyncRequest;
use replication::limits::REQUEST_BYTES_MAX;
use schemas::cid::Cid;
use schemas::limits::BLOCK_BYTES_MAX;
use tokio::sync::mpsc::{self, error::TryRecvError};

use crate::address;
use crate::frame::{FrameError, StreamEnd, read_frame, with_timeout, write_end, write_record};
use crate::limits::READ_AHEAD_BLOCKS_MAX;
use crate::report::SwarmReport;

/// Bytes of the write buffer: lets small entries share a packet.
const BUFFER_BYTES: usize = 64 << 10;

/// Reads the request of a stream and answers it.
pub(crate) async fn serve_request(
    mut stream: Stream,
    peer: PeerId,
    reports: mpsc::Sender<SwarmReport>,
    timeout: Duration,
) {
    let request = match read_request(&mut stream, timeout).await {
        Ok(request) => request,
        Err(reason) => {
            tracing::debug!(%peer, reason, "invalid request");
            return report_misbehaviour(&reports, peer, reason).await;
        }
    };
    let (reply, blocks) = mpsc::channel(READ_AHEAD_BLOCKS_MAX);
    let received = SwarmReport::RequestReceived { peer: address::from_peer_id(peer), request, reply };
    if reports.send(received).await.is_err() {
        return;
    }
    if let Err(error) = send_blocks(BufWriter::with_capacity(BUFFER_BYTES, stream), blocks, timeout).await {
        tracing::debug!(%peer, ?error, "a response was interrupted");
    }
}

/// Answers a request with the end marker `busy`.
pub(crate) async fn refuse_request(mut stream: Stream, timeout: Duration) {
    // The request is read first: closing a stream with unread bytes may reset it and lose the answer.
    let refused = async {
        read_request(&mut stream, timeout).await.map_err(|_| FrameError::Malformed)?;
        write_end(&mut stream, StreamEnd::Busy).await.map_err(FrameError::from)
    };
    // A failure is of no consequence: the requester times out instead.
    let _ = with_timeout(timeout, refused).await;
}

async fn read_request(stream: &mut Stream, timeout: Duration) -> Result<SyncRequest, String> {
    let bytes = with_timeout(timeout, read_frame(stream, REQUEST_BYTES_MAX)).await;
    let bytes = bytes.map_err(|error| format!("invalid request: {error:?}").to_lowercase())?;
    SyncRequest::decode(&bytes).map_err(|error| error.to_string())
}

async fn send_blocks(
    mut stream: BufWriter<Stream>,
    mut blocks: mpsc::Receiver<(Cid, Vec<u8>)>,
    timeout: Duration,
) -> Result<(), FrameError> {
    while let Some((id, bytes)) = next_block(&mut stream, &mut blocks, timeout).await? {
        // Sending it would be misbehaviour of this node.
        if bytes.len() > BLOCK_BYTES_MAX {
            tracing::error!(%id, bytes = bytes.len(), "not serving a block above the size limit");
            continue;
        }
        with_timeout(timeout, write_record(&mut stream, id, &bytes)).await?;
    }
    with_timeout(timeout, write_end(&mut stream, StreamEnd::Complete)).await
}

/// Returns the next block; `None` at the end. Flushes the stream before waiting for a block.
async fn next_block(
    stream: &mut BufWriter<Stream>,
    blocks: &mut mpsc::Receiver<(Cid, Vec<u8>)>,
    timeout: Duration,
) -> Result<Option<(Cid, Vec<u8>)>, FrameError> {
    match blocks.try_recv() {
        Ok(block) => Ok(Some(block)),
        Err(TryRecvError::Disconnected) => Ok(None),
        Err(TryRecvError::Empty) => {
            with_timeout(timeout, stream.flush()).await?;
            with_timeout(timeout, async { Ok::<_, io::Error>(blocks.recv().await) }).await
        }
    }
}

async fn report_misbehaviour(reports: &mpsc::Sender<SwarmReport>, peer: PeerId, reason: String) {
    // Fails if the owner stopped.
    let _ = reports.send(SwarmReport::Misbehaved { peer: address::from_peer_id(peer), reason }).await;
}
