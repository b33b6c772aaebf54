//! Sends a request to a peer and reports the received blocks at the pace of the owner.

use std::time::Duration;

use futures::io::BufReader;
use libp2p::PeerId;
use libp2p_stream::{Control, OpenStreamError};
use replication::{RequestId, StreamError, StreamOutcome, SyncRequest};
use tokio::sync::{mpsc, oneshot};

use crate::address;
use crate::behaviour::SYNC_PROTOCOL;
use crate::frame::{FrameError, StreamEnd, StreamRecord, read_record, with_timeout, write_frame};
use crate::report::SwarmReport;

/// Bytes of the read buffer: avoids a system call per small entry.
const BUFFER_BYTES: usize = 16 << 10;

/// One open request.
pub(crate) struct BlockStream {
    pub(crate) control: Control,
    pub(crate) reports: mpsc::Sender<SwarmReport>,
    pub(crate) idle_timeout: Duration,
    pub(crate) peer: PeerId,
    pub(crate) request_id: RequestId,
    pub(crate) request: SyncRequest,
    /// Completes, or is dropped, when the request is cancelled.
    pub(crate) cancel: oneshot::Receiver<()>,
}

impl BlockStream {
    /// Runs the request to its end and reports the outcome, exactly once.
    pub(crate) async fn run(mut self) {
        let request_id = self.request_id;
        let reports = self.reports.clone();
        let (_keep, never) = oneshot::channel();
        let cancel = std::mem::replace(&mut self.cancel, never);
        let outcome = tokio::select! {
            outcome = self.receive_blocks() => outcome,
            _ = cancel => StreamOutcome::Interrupted(StreamError::Cancelled),
        };
        // Fails if the owner stopped.
        let _ = reports.send(SwarmReport::RequestFinished { request_id, outcome }).await;
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
        // Not closed on this side: yamux resets a dropped stream only while it is open in both
        // directions, and without the reset a server would not notice a cancellation.
        if let Err(error) = with_timeout(self.idle_timeout, write_frame(&mut stream, &read_request)).await {
            return StreamOutcome::Interrupted(stream_error(&error));
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
                Err(error) => return StreamOutcome::Interrupted(stream_error(&error)),
            };
            // More blocks than requested: this is where an endless stream stops.
            let Some(rest) = left.checked_sub(1) else {
                return StreamOutcome::Interrupted(StreamError::Malformed);
            };
            left = rest;
            let block =
                SwarmReport::BlockReceived { request_id: self.request_id, peer: peer.clone(), id, bytes };
            if self.reports.send(block).await.is_err() {
                return StreamOutcome::Interrupted(StreamError::Cancelled);
            }
        }
    }
}

/// Returns the maximum number of blocks of a response.
fn block_limit(request: &SyncRequest) -> u64 {
    match request {
        SyncRequest::Entries { count, .. } => *count,
        SyncRequest::Blocks { ids } => ids.len() as u64,
    }
}

fn stream_error(error: &FrameError) -> StreamError {
    match error {
        FrameError::Broken => StreamError::Broken,
        FrameError::TimedOut => StreamError::TimedOut,
        FrameError::Malformed => StreamError::Malformed,
        FrameError::HashMismatch => StreamError::HashMismatch,
    }
}
