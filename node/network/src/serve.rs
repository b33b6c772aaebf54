//! Answers a peer that asks, with the blocks that the owner sends.

use std::io;
use std::time::Duration;

use futures::io::{AsyncWriteExt, BufWriter};
use libp2p::{PeerId, Stream};
use replication::Request;
use replication::limits::REQUEST_BYTES_MAX;
use schemas::cid::Cid;
use schemas::limits::BLOCK_BYTES_MAX;
use tokio::sync::mpsc::{self, error::TryRecvError};

use crate::frame::{End, Fault, read_frame, timed, write_end, write_record};
use crate::limits::AHEAD_MAX;
use crate::{Event, address};

/// Bytes gathered before they are written, so that small entries share a packet.
const BUFFER_BYTES: usize = 64 << 10;

/// Reads the request of a stream and serves it.
pub(crate) async fn serve(mut stream: Stream, peer: PeerId, events: mpsc::Sender<Event>, idle: Duration) {
    let request = match request(&mut stream, idle).await {
        Ok(request) => request,
        Err(reason) => {
            tracing::debug!(%peer, reason, "no request");
            return misbehaved(&events, peer, reason).await;
        }
    };
    let (reply, blocks) = mpsc::channel(AHEAD_MAX);
    let asked = Event::Serve { peer: address::name(peer), request, reply };
    if events.send(asked).await.is_err() {
        return;
    }
    if let Err(fault) = answer(BufWriter::with_capacity(BUFFER_BYTES, stream), blocks, idle).await {
        tracing::debug!(%peer, ?fault, "an answer was cut");
    }
}

/// Tells a peer that it asks too much at once.
pub(crate) async fn refuse(mut stream: Stream, idle: Duration) {
    // The request is read first: a stream that is closed over unread bytes may lose the answer.
    let refused = async {
        request(&mut stream, idle).await.map_err(|_| Fault::Malformed)?;
        write_end(&mut stream, End::Busy).await.map_err(Fault::from)
    };
    // Whether it hears of it is its own affair.
    let _ = timed(idle, refused).await;
}

async fn request(stream: &mut Stream, idle: Duration) -> Result<Request, String> {
    let bytes = timed(idle, read_frame(stream, REQUEST_BYTES_MAX)).await;
    let bytes = bytes.map_err(|fault| format!("no request: {fault:?}").to_lowercase())?;
    Request::decode(&bytes).map_err(|fault| fault.to_string())
}

async fn answer(
    mut stream: BufWriter<Stream>,
    mut blocks: mpsc::Receiver<(Cid, Vec<u8>)>,
    idle: Duration,
) -> Result<(), Fault> {
    while let Some((id, bytes)) = next(&mut stream, &mut blocks, idle).await? {
        // The owner's own mistake must not make this node a liar.
        if bytes.len() > BLOCK_BYTES_MAX {
            tracing::error!(%id, bytes = bytes.len(), "a block beyond the limit is not served");
            continue;
        }
        timed(idle, write_record(&mut stream, id, &bytes)).await?;
    }
    timed(idle, write_end(&mut stream, End::Complete)).await
}

/// The next block, once all before it is on its way when it is not there yet.
async fn next(
    stream: &mut BufWriter<Stream>,
    blocks: &mut mpsc::Receiver<(Cid, Vec<u8>)>,
    idle: Duration,
) -> Result<Option<(Cid, Vec<u8>)>, Fault> {
    match blocks.try_recv() {
        Ok(block) => Ok(Some(block)),
        Err(TryRecvError::Disconnected) => Ok(None),
        Err(TryRecvError::Empty) => {
            timed(idle, stream.flush()).await?;
            timed(idle, async { Ok::<_, io::Error>(blocks.recv().await) }).await
        }
    }
}

async fn misbehaved(events: &mpsc::Sender<Event>, peer: PeerId, reason: String) {
    // An error says that the owner is gone.
    let _ = events.send(Event::Misbehaved { peer: address::name(peer), reason }).await;
}
