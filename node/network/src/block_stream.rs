//! Asks a peer, and hands its blocks to the owner as fast as the owner takes them.

use std::time::Duration;

use futures::io::BufReader;
use libp2p::PeerId;
use libp2p_stream::{Control, OpenStreamError};
use replication::{RequestId, StreamError, StreamOutcome, SyncRequest};
use tokio::sync::{mpsc, oneshot};

use crate::behaviour::SYNC_PROTOCOL;
use crate::frame::{FrameError, StreamEnd, StreamRecord, read_record, with_timeout, write_frame};
use crate::{SwarmReport, address};

/// Bytes read from a stream at once, so that small entries do not cost a call each.
const BUFFER_BYTES: usize = 16 << 10;

/// One request under way.
pub(crate) struct BlockStream {
    pub(crate) control: Control,
    pub(crate) events: mpsc::Sender<SwarmReport>,
    pub(crate) idle_timeout: Duration,
    pub(crate) peer: PeerId,
    pub(crate) request_id: RequestId,
    pub(crate) request: SyncRequest,
    /// Fires, or is dropped, when the request is no longer wanted.
    pub(crate) cancel: oneshot::Receiver<()>,
}

impl BlockStream {
    /// Runs the request to its end and reports it, once.
    pub(crate) async fn run(mut self) {
        let request_id = self.request_id;
        let events = self.events.clone();
        let (_keep, never) = oneshot::channel();
        let cancel = std::mem::replace(&mut self.cancel, never);
        let outcome = tokio::select! {
            outcome = self.receive_blocks() => outcome,
            _ = cancel => StreamOutcome::Interrupted(StreamError::Cancelled),
        };
        // An error says that the owner is gone, and nobody is left to be told.
        let _ = events.send(SwarmReport::RequestFinished { request_id, outcome }).await;
    }

    async fn receive_blocks(mut self) -> StreamOutcome {
        let opened = self.control.open_stream(self.peer, SYNC_PROTOCOL);
        let mut stream = match tokio::time::timeout(self.idle_timeout, opened).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(OpenStreamError::Io(_))) => return StreamOutcome::Interrupted(StreamError::Broken),
            Ok(Err(_)) => return StreamOutcome::Interrupted(StreamError::Unreachable),
            Err(_) => return StreamOutcome::Interrupted(StreamError::TimedOut),
        };
        let Ok(read_request) = self.request.encode() else {
            return StreamOutcome::Interrupted(StreamError::Cancelled);
        };
        // Not closed on this side: yamux resets a dropped stream only while it is open both ways,
        // and without the reset a server would not learn that it may stop.
        if let Err(fault) = with_timeout(self.idle_timeout, write_frame(&mut stream, &read_request)).await {
            return StreamOutcome::Interrupted(stream_error(&fault));
        }
        self.read_blocks(BufReader::with_capacity(BUFFER_BYTES, stream)).await
    }

    async fn read_blocks(self, mut stream: BufReader<libp2p::Stream>) -> StreamOutcome {
        let peer = address::from_peer_id(self.peer);
        let mut left = block_limit(&self.request);
        loop {
            let (id, bytes) = match with_timeout(self.idle_timeout, read_record(&mut stream)).await {
                Ok(StreamRecord::Block(id, bytes)) => (id, bytes),
                Ok(StreamRecord::End(StreamEnd::Complete)) => return StreamOutcome::Complete,
                Ok(StreamRecord::End(StreamEnd::Busy)) => {
                    return StreamOutcome::Interrupted(StreamError::Busy);
                }
                Err(fault) => return StreamOutcome::Interrupted(stream_error(&fault)),
            };
            // More than was asked for: a stream without end stops here.
            let Some(rest) = left.checked_sub(1) else {
                return StreamOutcome::Interrupted(StreamError::Malformed);
            };
            left = rest;
            let block =
                SwarmReport::BlockReceived { request_id: self.request_id, peer: peer.clone(), id, bytes };
            if self.events.send(block).await.is_err() {
                return StreamOutcome::Interrupted(StreamError::Cancelled);
            }
        }
    }
}

/// Blocks that an answer may have.
fn block_limit(request: &SyncRequest) -> u64 {
    match request {
        SyncRequest::Entries { count, .. } => *count,
        SyncRequest::Blocks { ids } => ids.len() as u64,
    }
}

fn stream_error(fault: &FrameError) -> StreamError {
    match fault {
        FrameError::Broken => StreamError::Broken,
        FrameError::TimedOut => StreamError::TimedOut,
        FrameError::Malformed => StreamError::Malformed,
        FrameError::HashMismatch => StreamError::HashMismatch,
    }
}
