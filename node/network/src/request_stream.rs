//! Answers a peer that asks, with the blocks that the owner sends.

use std::io;
use std::time::Duration;

use futures::io::{AsyncWriteExt, BufWriter};
use libp2p::{PeerId, Stream};
use replication::SyncRequest;
use replication::limits::REQUEST_BYTES_MAX;
use schemas::cid::Cid;
use schemas::limits::BLOCK_BYTES_MAX;
use tokio::sync::mpsc::{self, error::TryRecvError};

use crate::frame::{FrameError, StreamEnd, read_frame, with_timeout, write_end, write_record};
use crate::limits::READ_AHEAD_BLOCKS_MAX;
use crate::{SwarmReport, address};

/// Bytes gathered before they are written, so that small entries share a packet.
const BUFFER_BYTES: usize = 64 << 10;

/// Reads the request of a stream and serves it.
pub(crate) async fn serve_request(
    mut stream: Stream,
    peer: PeerId,
    events: mpsc::Sender<SwarmReport>,
    idle: Duration,
) {
    let request = match read_request(&mut stream, idle).await {
        Ok(request) => request,
        Err(reason) => {
            tracing::debug!(%peer, reason, "no request");
            return report_misbehaviour(&events, peer, reason).await;
        }
    };
    let (reply, blocks) = mpsc::channel(READ_AHEAD_BLOCKS_MAX);
    let asked = SwarmReport::RequestReceived { peer: address::from_peer_id(peer), request, reply };
    if events.send(asked).await.is_err() {
        return;
    }
    if let Err(fault) = send_blocks(BufWriter::with_capacity(BUFFER_BYTES, stream), blocks, idle).await {
        tracing::debug!(%peer, ?fault, "an answer was cut");
    }
}

/// Tells a peer that it asks too much at once.
pub(crate) async fn refuse_request(mut stream: Stream, idle: Duration) {
    // The request is read first: a stream that is closed over unread bytes may lose the answer.
    let refused = async {
        read_request(&mut stream, idle).await.map_err(|_| FrameError::Malformed)?;
        write_end(&mut stream, StreamEnd::Busy).await.map_err(FrameError::from)
    };
    // Whether it hears of it is its own affair.
    let _ = with_timeout(idle, refused).await;
}

async fn read_request(stream: &mut Stream, idle: Duration) -> Result<SyncRequest, String> {
    let bytes = with_timeout(idle, read_frame(stream, REQUEST_BYTES_MAX)).await;
    let bytes = bytes.map_err(|fault| format!("no request: {fault:?}").to_lowercase())?;
    SyncRequest::decode(&bytes).map_err(|fault| fault.to_string())
}

async fn send_blocks(
    mut stream: BufWriter<Stream>,
    mut blocks: mpsc::Receiver<(Cid, Vec<u8>)>,
    idle: Duration,
) -> Result<(), FrameError> {
    while let Some((id, bytes)) = next_block(&mut stream, &mut blocks, idle).await? {
        // The owner's own mistake must not make this node a liar.
        if bytes.len() > BLOCK_BYTES_MAX {
            tracing::error!(%id, bytes = bytes.len(), "a block beyond the limit is not served");
            continue;
        }
        with_timeout(idle, write_record(&mut stream, id, &bytes)).await?;
    }
    with_timeout(idle, write_end(&mut stream, StreamEnd::Complete)).await
}

/// The next block, once all before it is on its way when it is not there yet.
async fn next_block(
    stream: &mut BufWriter<Stream>,
    blocks: &mut mpsc::Receiver<(Cid, Vec<u8>)>,
    idle: Duration,
) -> Result<Option<(Cid, Vec<u8>)>, FrameError> {
    match blocks.try_recv() {
        Ok(block) => Ok(Some(block)),
        Err(TryRecvError::Disconnected) => Ok(None),
        Err(TryRecvError::Empty) => {
            with_timeout(idle, stream.flush()).await?;
            with_timeout(idle, async { Ok::<_, io::Error>(blocks.recv().await) }).await
        }
    }
}

async fn report_misbehaviour(events: &mpsc::Sender<SwarmReport>, peer: PeerId, reason: String) {
    // An error says that the owner is gone.
    let _ = events.send(SwarmReport::Misbehaved { peer: address::from_peer_id(peer), reason }).await;
}
