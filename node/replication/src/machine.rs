//! The sync state machine of one node: events in, actions out.
//!
//! [`crate::scheduler`] decides what to request next, [`crate::outcome`] handles the results.

use std::collections::BTreeMap;

use schemas::cid::PublisherId;

use crate::action::{Severity, SyncAction};
use crate::active_request::{ActiveRequest, RequestTimeout};
use crate::announcements::{AnnouncementQueue, PendingAnnouncements};
use crate::event::{Millis, Peer, RequestId, StreamError, StreamOutcome, SyncEvent};
use crate::fetch_queue::FetchQueue;
use crate::limits::HEADS_MAX;
use crate::log_view::LogView;
use crate::messages::LogHead;
use crate::peers::PeerTable;

/// The state machine. It keeps the claims of peers and the open requests, but nothing about the
/// stored logs: those are read from the [`LogView`] of each call.
#[derive(Debug, Default)]
pub struct SyncMachine {
    pub(crate) peers: PeerTable,
    pub(crate) fetches: FetchQueue,
    /// INVARIANT: each is named by the fetch of its log, and by no other.
    pub(crate) requests: BTreeMap<RequestId, ActiveRequest>,
    pub(crate) next_request_id: u64,
    pub(crate) announcements: AnnouncementQueue,
}

/// Fill levels of the tables of a machine, for gauges and for tests of their bounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SyncLoad {
    /// Open requests.
    pub requests: usize,
    /// Logs in the fetch queue.
    pub fetches: usize,
    /// Heads remembered, of all peers.
    pub claims: usize,
    /// Heads waiting to be announced, and lengths announced last.
    pub pending_heads: usize,
}

impl SyncMachine {
    /// Handles one event at the time `now` and returns the actions to carry out, in order. An
    /// unknown request id is not an error: a block may arrive after its request was cancelled.
    pub fn handle_event(&mut self, now: Millis, event: SyncEvent, view: &impl LogView) -> Vec<SyncAction> {
        let mut out = Vec::new();
        match event {
            SyncEvent::Connected(peer) => self.add_peer(peer, view, &mut out),
            SyncEvent::Disconnected(peer) => {
                self.remove_peer(&peer, &mut out);
                self.start_requests(now, view, &mut out);
            }
            SyncEvent::HeadsReceived { from, heads } => {
                self.receive_heads(now, &from, &heads, view);
                self.start_requests(now, view, &mut out);
            }
            SyncEvent::BlockReceived { request_id, id, bytes, verdict } => {
                if self.handle_block(now, request_id, (id, bytes), verdict, view, &mut out) {
                    self.start_requests(now, view, &mut out);
                }
            }
            SyncEvent::RequestFinished { request_id, outcome } => {
                self.finish_request(now, request_id, outcome, view, &mut out);
                self.start_requests(now, view, &mut out);
            }
            SyncEvent::LogGrown { publisher } => self.log_grown(now, publisher, view, &mut out),
            SyncEvent::Followed { publisher } => {
                self.fetches.get_or_insert(publisher, true);
                self.start_requests(now, view, &mut out);
            }
            SyncEvent::Tick => {
                self.cancel_overdue(now, view, &mut out);
                self.start_requests(now, view, &mut out);
                self.announce_pending(now, view, &mut out);
            }
        }
        out
    }

    /// Returns the fill levels of the tables.
    pub fn current_load(&self) -> SyncLoad {
        SyncLoad {
            requests: self.requests.len(),
            fetches: self.fetches.len(),
            claims: self.peers.claim_count(),
            pending_heads: self.announcements.table_size(),
        }
    }

    fn add_peer(&mut self, peer: Peer, view: &impl LogView, out: &mut Vec<SyncAction>) {
        if self.peers.insert(&peer) {
            let send = |heads| SyncAction::SendHeads { peer: peer.clone(), heads };
            out.extend(AnnouncementQueue::initial_announcements(view).into_iter().map(send));
        }
    }

    fn remove_peer(&mut self, peer: &Peer, out: &mut Vec<SyncAction>) {
        let of_peer = |(id, request): (&RequestId, &ActiveRequest)| (request.peer == *peer).then_some(*id);
        let open_requests: Vec<_> = self.requests.iter().filter_map(of_peer).collect();
        for request_id in open_requests {
            self.end_request(request_id);
            out.push(SyncAction::CancelRequest { request_id });
        }
        self.peers.remove(peer);
    }

    /// Records the heads that a peer announced and queues the logs that offer something new.
    fn receive_heads(&mut self, now: Millis, from: &Peer, heads: &[LogHead], view: &impl LogView) {
        // Gossip also carries heads of nodes that are not connected and so cannot be asked.
        if !self.peers.contains(from) {
            return;
        }
        // The sender chooses the number of heads, so the work for one message is bounded here.
        for head in heads.iter().take(HEADS_MAX).filter(|head| is_possible(head)) {
            let followed = view.is_followed(head.publisher);
            let contradicts = contradicts_log(head, view);
            self.peers.record_head(from, head, followed);
            if followed || offers_more(head, view) || contradicts {
                let claim = self.peers.claim_by(from, head.publisher);
                let available = claim.is_some_and(|claim| claim.not_before <= now);
                if let (Some(fetch), true) = (self.fetches.get_or_insert(head.publisher, followed), available)
                {
                    fetch.peer_announced(from);
                    if contradicts {
                        // The contradicting entry is the proof of a fork: its id is kept for a request.
                        fetch.evidence = Some((from.clone(), head.last));
                    }
                }
            }
        }
    }

    fn log_grown(
        &mut self,
        now: Millis,
        publisher: PublisherId,
        view: &impl LogView,
        out: &mut Vec<SyncAction>,
    ) {
        let fetching = self.fetches.get(publisher).map(|fetch| fetch.request.is_some());
        // Without an open request the entries were published or imported on this node.
        self.announcements.note_growth(publisher, fetching != Some(true), view);
        self.announce_pending(now, view, out);
        if fetching.is_none() && view.is_followed(publisher) && self.peers.has_claims(publisher) {
            self.fetches.get_or_insert(publisher, true);
            self.start_requests(now, view, out);
        }
    }

    /// Cancels the requests that exceeded a timeout.
    fn cancel_overdue(&mut self, now: Millis, view: &impl LogView, out: &mut Vec<SyncAction>) {
        let overdue = |(id, request): (&RequestId, &ActiveRequest)| Some((*id, request.timeout(now)?));
        // Collected first, because finishing a request changes the table.
        let overdue: Vec<_> = self.requests.iter().filter_map(overdue).collect();
        for (request_id, timeout) in overdue {
            // A slow stream is treated as a broken one and not as misbehaviour: the line may be
            // the cause, and the blocks received so far are stored.
            let error = match timeout {
                RequestTimeout::Idle => StreamError::TimedOut,
                RequestTimeout::Total => StreamError::Broken,
            };
            out.push(SyncAction::CancelRequest { request_id });
            self.finish_request(now, request_id, StreamOutcome::Interrupted(error), view, out);
        }
    }

    /// Announces the logs that grew, and in turn all others.
    fn announce_pending(&mut self, now: Millis, view: &impl LogView, out: &mut Vec<SyncAction>) {
        let PendingAnnouncements { local, synced, complete } = self.announcements.take_pending(now, view);
        if !local.is_empty() {
            out.push(SyncAction::Gossip(local));
        }
        // Synced logs are announced to connected peers only: if each of a thousand nodes gossiped every
        // log that it fetched, every node would receive each announcement a thousand times.
        self.send_heads(&synced, true, out);
        self.send_heads(&complete, false, out);
        let again = self.announcements.next_reannouncement(now, view);
        self.send_heads(&again, false, out);
    }

    /// Sends heads to all peers; with `only_new`, not to peers that announced them themselves.
    fn send_heads(&self, heads: &[LogHead], only_new: bool, out: &mut Vec<SyncAction>) {
        for peer in self.peers.iter() {
            let has = |head: &LogHead| {
                self.peers.claim_by(peer, head.publisher).is_some_and(|claim| claim.length >= head.length)
            };
            let heads: Vec<_> = heads.iter().filter(|head| !(only_new && has(head))).copied().collect();
            if !heads.is_empty() {
                out.push(SyncAction::SendHeads { peer: peer.clone(), heads });
            }
        }
    }

    /// Removes a request and frees its log for the next.
    pub(crate) fn end_request(&mut self, request_id: RequestId) -> Option<ActiveRequest> {
        let request = self.requests.remove(&request_id)?;
        if let Some(fetch) = self.fetches.get_mut(request.publisher) {
            fetch.request = None;
        }
        Some(request)
    }
}

/// Returns whether a log can have this head: the entry of a log with one entry is its genesis.
fn is_possible(head: &LogHead) -> bool {
    head.length > 1 || (head.length == 1 && head.last == head.publisher.genesis())
}

/// Returns whether a head is longer than the stored log, and more of the log is accepted.
fn offers_more(head: &LogHead, view: &impl LogView) -> bool {
    let stored = view.log_head(head.publisher).map_or(0, |stored| stored.length);
    head.length > stored && view.accepts_entries(head.publisher)
}

/// Returns whether a head names another entry than the stored one at its position, and no fork of
/// the log is proved yet.
fn contradicts_log(head: &LogHead, view: &impl LogView) -> bool {
    let Some(sequence) = head.length.checked_sub(1) else { return false };
    let stored = view.entry_id(head.publisher, sequence);
    // A proved fork is final, so further contradicting heads cause no requests.
    stored.is_some_and(|stored| stored != head.last) && !view.has_fork(head.publisher)
}

pub(crate) fn penalise(peer: &Peer, severity: Severity, reason: &'static str) -> SyncAction {
    SyncAction::Penalise { peer: peer.clone(), severity, reason }
}
