//! The scheduler: decides the next request for each log, and the peer to ask.

use std::collections::BTreeSet;

use schemas::cid::PublisherId;

use crate::action::SyncAction;
use crate::active_request::{ActiveRequest, RequestPurpose};
use crate::event::{Millis, Peer, RequestId};
use crate::limits::{
    ABSENT_RETRY_MILLIS, BLOCKS_MAX, ENTRIES_MAX, LOGS_PER_ROUND_MAX, REQUESTS_MAX, REQUESTS_PER_PEER_MAX,
    RETRY_MILLIS, UNFOLLOWED_REQUESTS_MAX,
};
use crate::log_view::LogView;
use crate::machine::SyncMachine;
use crate::messages::SyncRequest;
use crate::peers::LogClaim;

/// A request that is about to be sent.
struct PlannedRequest {
    peer: Peer,
    request: SyncRequest,
    purpose: RequestPurpose,
}

/// The next step for a log.
enum NextStep {
    Send(PlannedRequest),
    /// Try again at this time.
    Wait(Millis),
    /// Nothing to fetch until a peer announces something new.
    Remove,
}

impl SyncMachine {
    /// Starts as many requests as the limits allow.
    pub(crate) fn start_requests(&mut self, now: Millis, view: &impl LogView, out: &mut Vec<SyncAction>) {
        for _ in 0..LOGS_PER_ROUND_MAX {
            let unfollowed = self.requests.values().filter(|request| !request.followed).count();
            if self.requests.len() >= REQUESTS_MAX {
                return;
            }
            let with_unfollowed = unfollowed < UNFOLLOWED_REQUESTS_MAX;
            let Some(publisher) = self.fetches.next_ready(now, with_unfollowed) else { return };
            self.schedule_log(now, publisher, view, out);
        }
    }

    /// Takes the next step for a log. INVARIANT: afterwards the log has an open request, waits
    /// beyond `now`, or is no longer queued; so no round visits it twice.
    fn schedule_log(
        &mut self,
        now: Millis,
        publisher: PublisherId,
        view: &impl LogView,
        out: &mut Vec<SyncAction>,
    ) {
        let followed = view.is_followed(publisher);
        let step = self.next_step(now, publisher, followed, view);
        let Some(fetch) = self.fetches.get_mut(publisher) else { return };
        // The log may have been followed or unfollowed since it was queued.
        fetch.followed = followed;
        match step {
            NextStep::Send(PlannedRequest { peer, request, purpose }) => {
                let request_id = RequestId(self.next_request_id);
                self.next_request_id += 1;
                fetch.request = Some(request_id);
                let active = ActiveRequest::new(now, peer.clone(), publisher, purpose, followed);
                self.requests.insert(request_id, active);
                out.push(SyncAction::SendRequest { peer, request_id, request });
            }
            // At least a millisecond ahead, so that this round does not visit the log again.
            NextStep::Wait(until) => fetch.retry_at = until.max(now.after(1)),
            NextStep::Remove => self.fetches.remove(publisher),
        }
    }

    /// Decides the next step: evidence of a fork first, then entries, then blocks. Entries come
    /// before blocks because blocks are found through entries (specs/network.md, "Fetch").
    fn next_step(
        &mut self,
        now: Millis,
        publisher: PublisherId,
        followed: bool,
        view: &impl LogView,
    ) -> NextStep {
        let all = self.peers.available_holders(publisher, now);
        let (holders, busy): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(peer, _)| self.has_capacity(peer));
        let length = view.log_head(publisher).map_or(0, |head| head.length);
        if let Some(step) = self.request_conflict(now, publisher, length, view) {
            return step;
        }
        if let Some(step) = self.request_evidence(now, publisher, view) {
            return step;
        }
        if view.accepts_entries(publisher)
            && let Some(planned) = plan_entries(publisher, length, &holders)
        {
            return NextStep::Send(planned);
        }
        let mut unfinished = view.accepts_entries(publisher) && self.peers.longest_claim(publisher) > length;
        if followed {
            match self.request_blocks(now, publisher, &holders, view) {
                Some(NextStep::Remove) | None => {}
                Some(step) => return step,
            }
            unfinished = unfinished || !view.missing_blocks(publisher, 1).is_empty();
        }
        match self.peers.earliest_retry(publisher) {
            // A peer at its limit of requests is free again as soon as one of them ends.
            Some(_) if unfinished && !busy.is_empty() => NextStep::Wait(now.after(1)),
            Some(until) if unfinished => NextStep::Wait(until.max(now.after(RETRY_MILLIS))),
            _ => NextStep::Remove,
        }
    }

    /// Plans the request for the entry at the position of our last one, to a peer whose entries do
    /// not continue our log.
    fn request_conflict(
        &mut self,
        now: Millis,
        publisher: PublisherId,
        length: u64,
        view: &impl LogView,
    ) -> Option<NextStep> {
        let peer = self.fetches.get(publisher)?.conflict_peer.clone()?;
        let useful = !view.has_fork(publisher) && self.peers.contains(&peer);
        if useful && !self.has_capacity(&peer) {
            return Some(NextStep::Wait(now.after(1)));
        }
        self.fetches.get_mut(publisher)?.conflict_peer = None;
        let sequence = length.checked_sub(1).filter(|_| useful)?;
        let request = SyncRequest::Entries { publisher, from: sequence, count: 1 };
        let purpose = RequestPurpose::ConflictingEntry { sequence, left: 1 };
        Some(NextStep::Send(PlannedRequest { peer, request, purpose }))
    }

    /// Plans the request for an announced entry that contradicts the stored log.
    fn request_evidence(
        &mut self,
        now: Millis,
        publisher: PublisherId,
        view: &impl LogView,
    ) -> Option<NextStep> {
        let (peer, entry) = self.fetches.get(publisher)?.evidence.clone()?;
        let useful = !view.has_fork(publisher) && self.peers.contains(&peer);
        if useful && !self.has_capacity(&peer) {
            return Some(NextStep::Wait(now.after(1)));
        }
        self.fetches.get_mut(publisher)?.evidence = None;
        let id = Some(entry.cid()).filter(|_| useful)?;
        let (request, left) = (SyncRequest::Blocks { ids: vec![id] }, BTreeSet::from([id]));
        Some(NextStep::Send(PlannedRequest { peer, request, purpose: RequestPurpose::Evidence { left } }))
    }

    /// Plans the request for missing blocks of a followed log, to a peer that may have them.
    fn request_blocks(
        &mut self,
        now: Millis,
        publisher: PublisherId,
        holders: &[(Peer, LogClaim)],
        view: &impl LogView,
    ) -> Option<NextStep> {
        let fetch = self.fetches.get_mut(publisher)?;
        // More than one request can carry: the first ones may all be absent everywhere.
        let missing = view.missing_blocks(publisher, BLOCKS_MAX + fetch.absent_count());
        if missing.is_empty() {
            fetch.clear_absent();
            return None;
        }
        for (peer, _) in holders.iter().filter(|(_, claim)| claim.length > 0) {
            let wanted = missing.iter().filter(|id| !fetch.is_absent(peer, **id));
            let left: BTreeSet<_> = wanted.take(BLOCKS_MAX).copied().collect();
            if !left.is_empty() {
                let request = SyncRequest::Blocks { ids: left.iter().copied().collect() };
                let purpose = RequestPurpose::Blocks { left };
                return Some(NextStep::Send(PlannedRequest { peer: peer.clone(), request, purpose }));
            }
        }
        if fetch.absent_count() == 0 {
            return None;
        }
        // Every peer was asked for every block: start over after a pause.
        fetch.clear_absent();
        Some(NextStep::Wait(now.after(ABSENT_RETRY_MILLIS)))
    }

    /// Returns whether a peer is below [`REQUESTS_PER_PEER_MAX`].
    fn has_capacity(&self, peer: &Peer) -> bool {
        self.requests.values().filter(|request| request.peer == *peer).count() < REQUESTS_PER_PEER_MAX
    }
}

/// Plans the request for the next entries, to the first holder that claims a longer log.
fn plan_entries(publisher: PublisherId, length: u64, holders: &[(Peer, LogClaim)]) -> Option<PlannedRequest> {
    let (peer, claim) = holders.iter().find(|(_, claim)| claim.length > length)?;
    let count = (claim.length - length).min(ENTRIES_MAX);
    let request = SyncRequest::Entries { publisher, from: length, count };
    Some(PlannedRequest { peer: peer.clone(), request, purpose: RequestPurpose::Entries { left: count } })
}
