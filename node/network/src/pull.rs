//! Asks a peer, and hands its blocks to the owner as fast as the owner takes them.

use std::time::Duration;

use futures::io::BufReader;
use libp2p::PeerId;
use libp2p_stream::{Control, OpenStreamError};
use replication::{Cut, Outcome, Request, Ticket};
use tokio::sync::{mpsc, oneshot};

use crate::behaviour::SYNC;
use crate::frame::{End, Fault, Record, read_record, timed, write_frame};
use crate::{Event, address};

/// Bytes read from a stream at once, so that small entries do not cost a call each.
const BUFFER_BYTES: usize = 16 << 10;

/// One request under way.
pub(crate) struct Pull {
    pub(crate) control: Control,
    pub(crate) events: mpsc::Sender<Event>,
    pub(crate) idle: Duration,
    pub(crate) peer: PeerId,
    pub(crate) ticket: Ticket,
    pub(crate) request: Request,
    /// Fires, or is dropped, when the request is no longer wanted.
    pub(crate) cancel: oneshot::Receiver<()>,
}

impl Pull {
    /// Runs the request to its end and reports it, once.
    pub(crate) async fn run(mut self) {
        let ticket = self.ticket;
        let events = self.events.clone();
        let (_keep, never) = oneshot::channel();
        let cancel = std::mem::replace(&mut self.cancel, never);
        let outcome = tokio::select! {
            outcome = self.blocks() => outcome,
            _ = cancel => Outcome::Cut(Cut::Cancelled),
        };
        // An error says that the owner is gone, and nobody is left to be told.
        let _ = events.send(Event::Finished { ticket, outcome }).await;
    }

    async fn blocks(mut self) -> Outcome {
        let opened = self.control.open_stream(self.peer, SYNC);
        let mut stream = match tokio::time::timeout(self.idle, opened).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(OpenStreamError::Io(_))) => return Outcome::Cut(Cut::Lost),
            Ok(Err(_)) => return Outcome::Cut(Cut::Unreachable),
            Err(_) => return Outcome::Cut(Cut::Idle),
        };
        let Ok(request) = self.request.encode() else { return Outcome::Cut(Cut::Cancelled) };
        // Not closed on this side: yamux resets a dropped stream only while it is open both ways,
        // and without the reset a server would not learn that it may stop.
        if let Err(fault) = timed(self.idle, write_frame(&mut stream, &request)).await {
            return Outcome::Cut(cut(&fault));
        }
        self.records(BufReader::with_capacity(BUFFER_BYTES, stream)).await
    }

    async fn records(self, mut stream: BufReader<libp2p::Stream>) -> Outcome {
        let peer = address::name(self.peer);
        let mut left = bound(&self.request);
        loop {
            let (id, bytes) = match timed(self.idle, read_record(&mut stream)).await {
                Ok(Record::Block(id, bytes)) => (id, bytes),
                Ok(Record::End(End::Complete)) => return Outcome::Complete,
                Ok(Record::End(End::Busy)) => return Outcome::Cut(Cut::Busy),
                Err(fault) => return Outcome::Cut(cut(&fault)),
            };
            // More than was asked for: a stream without end stops here.
            let Some(rest) = left.checked_sub(1) else { return Outcome::Cut(Cut::Malformed) };
            left = rest;
            let block = Event::Block { ticket: self.ticket, peer: peer.clone(), id, bytes };
            if self.events.send(block).await.is_err() {
                return Outcome::Cut(Cut::Cancelled);
            }
        }
    }
}

/// Blocks that an answer may have.
fn bound(request: &Request) -> u64 {
    match request {
        Request::Entries { count, .. } => *count,
        Request::Blocks { ids } => ids.len() as u64,
    }
}

fn cut(fault: &Fault) -> Cut {
    match fault {
        Fault::Lost => Cut::Lost,
        Fault::Idle => Cut::Idle,
        Fault::Malformed => Cut::Malformed,
        Fault::Wrong => Cut::Wrong,
    }
}
