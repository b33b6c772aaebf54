//! The sync state machine of one node: events in, actions out.
//!
//! What is fetched next is decided in [`crate::plan`], what became of it in [`crate::settle`].

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

/// The machine. It remembers who said what and which requests are under way, and nothing of what
/// the node holds.
#[derive(Debug, Default)]
pub struct SyncMachine {
    pub(crate) peers: PeerTable,
    pub(crate) pursuits: FetchQueue,
    /// INVARIANT: each is named by the pursuit of its log, and by no other.
    pub(crate) tasks: BTreeMap<RequestId, ActiveRequest>,
    pub(crate) next_request_id: u64,
    pub(crate) news: AnnouncementQueue,
}

/// How full the tables of a machine are, for gauges and for tests of their bounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SyncLoad {
    /// Requests under way.
    pub requests: usize,
    /// Logs that are pursued.
    pub fetches: usize,
    /// Heads remembered of peers.
    pub claims: usize,
    /// Heads to be told, and those told last.
    pub pending_heads: usize,
}

impl SyncMachine {
    /// Takes one event at the time `now` and says what to do, in order. A request_id it does not
    /// know (any more) is no error: answers may cross a cancellation.
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
                self.pursuits.get_or_insert(publisher, true);
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

    /// How full the tables are.
    pub fn current_load(&self) -> SyncLoad {
        SyncLoad {
            requests: self.tasks.len(),
            fetches: self.pursuits.len(),
            claims: self.peers.claim_count(),
            pending_heads: self.news.table_size(),
        }
    }

    fn add_peer(&mut self, peer: Peer, view: &impl LogView, out: &mut Vec<SyncAction>) {
        if self.peers.insert(&peer) {
            let tell = |heads| SyncAction::SendHeads { peer: peer.clone(), heads };
            out.extend(AnnouncementQueue::initial_announcements(view).into_iter().map(tell));
        }
    }

    fn remove_peer(&mut self, peer: &Peer, out: &mut Vec<SyncAction>) {
        let of_peer =
            |(request_id, task): (&RequestId, &ActiveRequest)| (task.peer == *peer).then_some(*request_id);
        let open_requests: Vec<_> = self.tasks.iter().filter_map(of_peer).collect();
        for request_id in open_requests {
            self.end_request(request_id);
            out.push(SyncAction::CancelRequest { request_id });
        }
        self.peers.remove(peer);
    }

    /// Remembers what a peer says it holds, and pursues what of it is news. Heads of peers that
    /// are not connected are of no use: nobody could be asked.
    fn receive_heads(&mut self, now: Millis, from: &Peer, heads: &[LogHead], view: &impl LogView) {
        if !self.peers.contains(from) {
            return;
        }
        for head in heads.iter().take(HEADS_MAX).filter(|head| head.length > 0) {
            let followed = view.is_followed(head.publisher);
            let contradicts = contradicts_log(head, view);
            self.peers.record_head(from, head, followed);
            if followed || offers_more(head, view) || contradicts {
                let askable =
                    self.peers.claim_by(from, head.publisher).is_some_and(|told| told.not_before <= now);
                if let (Some(pursuit), true) =
                    (self.pursuits.get_or_insert(head.publisher, followed), askable)
                {
                    pursuit.peer_announced(from);
                    if contradicts {
                        pursuit.evidence = Some((from.clone(), head.last));
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
        let pursued = self.pursuits.get(publisher).map(|pursuit| pursuit.request.is_some());
        self.news.note_growth(publisher, pursued != Some(true), view);
        self.announce_pending(now, view, out);
        if pursued.is_none() && view.is_followed(publisher) && self.peers.has_claims(publisher) {
            self.pursuits.get_or_insert(publisher, true);
            self.start_requests(now, view, out);
        }
    }

    /// Gives up requests that take too long.
    fn cancel_overdue(&mut self, now: Millis, view: &impl LogView, out: &mut Vec<SyncAction>) {
        let overdue =
            |(request_id, task): (&RequestId, &ActiveRequest)| Some((*request_id, task.timeout(now)?));
        let overdue: Vec<_> = self.tasks.iter().filter_map(overdue).collect();
        for (request_id, how) in overdue {
            // Slow is a lost stream: it may be the line, and what came is kept.
            let cut = match how {
                RequestTimeout::Idle => StreamError::TimedOut,
                RequestTimeout::Total => StreamError::Broken,
            };
            out.push(SyncAction::CancelRequest { request_id });
            self.finish_request(now, request_id, StreamOutcome::Interrupted(cut), view, out);
        }
    }

    /// Tells what there is to tell.
    fn announce_pending(&mut self, now: Millis, view: &impl LogView, out: &mut Vec<SyncAction>) {
        let PendingAnnouncements { local: here, synced: brought, complete } =
            self.news.take_pending(now, view);
        if !here.is_empty() {
            out.push(SyncAction::Gossip(here));
        }
        // What was brought is told to neighbours only: were each of a thousand nodes to gossip
        // that it has a log now, everybody would hear it a thousand times.
        self.send_heads(&brought, true, out);
        self.send_heads(&complete, false, out);
        let again = self.news.next_reannouncement(now, view);
        self.send_heads(&again, false, out);
    }

    /// Tells heads to all peers; `news` leaves out those that said they have them.
    fn send_heads(&self, heads: &[LogHead], news: bool, out: &mut Vec<SyncAction>) {
        for peer in self.peers.iter() {
            let has = |head: &LogHead| {
                self.peers.claim_by(peer, head.publisher).is_some_and(|told| told.length >= head.length)
            };
            let heads: Vec<_> = heads.iter().filter(|head| !(news && has(head))).copied().collect();
            if !heads.is_empty() {
                out.push(SyncAction::SendHeads { peer: peer.clone(), heads });
            }
        }
    }

    /// Ends a request and frees its log for the next.
    pub(crate) fn end_request(&mut self, request_id: RequestId) -> Option<ActiveRequest> {
        let task = self.tasks.remove(&request_id)?;
        if let Some(pursuit) = self.pursuits.get_mut(task.publisher) {
            pursuit.request = None;
        }
        Some(task)
    }
}

/// Whether a head says that there is more of a log that is welcome.
fn offers_more(head: &LogHead, view: &impl LogView) -> bool {
    let held = view.log_head(head.publisher).map_or(0, |held| held.length);
    head.length > held && view.accepts_entries(head.publisher)
}

/// Whether a head names another entry than the one held in that place, which nobody proved yet.
fn contradicts_log(head: &LogHead, view: &impl LogView) -> bool {
    let Some(sequence) = head.length.checked_sub(1) else { return false };
    let held = view.entry_id(head.publisher, sequence);
    held.is_some_and(|held| held != head.last) && !view.has_fork(head.publisher)
}

pub(crate) fn penalise(peer: &Peer, severity: Severity, reason: &'static str) -> SyncAction {
    SyncAction::Penalise { peer: peer.clone(), severity, reason }
}
