//! What to ask next, and whom.

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

/// A request to be made.
struct PlannedRequest {
    peer: Peer,
    request: SyncRequest,
    purpose: RequestPurpose,
}

/// What can be done about a log now.
enum NextStep {
    Send(PlannedRequest),
    /// Nothing before this moment.
    Wait(Millis),
    /// Nothing, until somebody says something new.
    Remove,
}

impl SyncMachine {
    /// Begins as many requests as there is room for.
    pub(crate) fn start_requests(&mut self, now: Millis, view: &impl LogView, out: &mut Vec<SyncAction>) {
        for _ in 0..LOGS_PER_ROUND_MAX {
            let strangers = self.tasks.values().filter(|task| !task.followed).count();
            if self.tasks.len() >= REQUESTS_MAX {
                return;
            }
            let Some(publisher) = self.pursuits.next_ready(now, strangers < UNFOLLOWED_REQUESTS_MAX) else {
                return;
            };
            self.schedule_log(now, publisher, view, out);
        }
    }

    /// Takes the next step for a log. INVARIANT: afterwards it has a request under way, rests
    /// beyond `now`, or is no longer pursued; so no round visits it twice.
    fn schedule_log(
        &mut self,
        now: Millis,
        publisher: PublisherId,
        view: &impl LogView,
        out: &mut Vec<SyncAction>,
    ) {
        let followed = view.is_followed(publisher);
        let step = self.next_step(now, publisher, followed, view);
        let Some(pursuit) = self.pursuits.get_mut(publisher) else { return };
        pursuit.followed = followed;
        match step {
            NextStep::Send(PlannedRequest { peer, request, purpose }) => {
                let request_id = RequestId(self.next_request_id);
                self.next_request_id += 1;
                pursuit.request = Some(request_id);
                self.tasks
                    .insert(request_id, ActiveRequest::new(now, peer.clone(), publisher, purpose, followed));
                out.push(SyncAction::SendRequest { peer, request_id, request });
            }
            NextStep::Wait(until) => pursuit.retry_at = until.max(now.after(1)),
            NextStep::Remove => self.pursuits.remove(publisher),
        }
    }

    /// Entries first, evidence of a fork before them, blocks last.
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
            && let Some(plan) = plan_entries(publisher, length, &holders)
        {
            return NextStep::Send(plan);
        }
        let mut open = view.accepts_entries(publisher) && self.peers.longest_claim(publisher) > length;
        if followed {
            match self.request_blocks(now, publisher, &holders, view) {
                Some(NextStep::Remove) | None => {}
                Some(step) => return step,
            }
            open = open || !view.missing_blocks(publisher, 1).is_empty();
        }
        match self.peers.earliest_retry(publisher) {
            Some(_) if open && !busy.is_empty() => NextStep::Wait(now.after(1)),
            Some(until) if open => NextStep::Wait(until.max(now.after(RETRY_MILLIS))),
            _ => NextStep::Remove,
        }
    }

    /// The entry in the place of our last one, from a peer whose log does not continue ours.
    fn request_conflict(
        &mut self,
        now: Millis,
        publisher: PublisherId,
        length: u64,
        view: &impl LogView,
    ) -> Option<NextStep> {
        let peer = self.pursuits.get(publisher)?.conflict_peer.clone()?;
        let open = !view.has_fork(publisher) && self.peers.contains(&peer);
        if open && !self.has_capacity(&peer) {
            return Some(NextStep::Wait(now.after(1)));
        }
        self.pursuits.get_mut(publisher)?.conflict_peer = None;
        let sequence = length.checked_sub(1).filter(|_| open)?;
        let request = SyncRequest::Entries { publisher, from: sequence, count: 1 };
        Some(NextStep::Send(PlannedRequest {
            peer,
            request,
            purpose: RequestPurpose::ConflictingEntry { sequence, left: 1 },
        }))
    }

    /// The entry by which a peer contradicts the log as held.
    fn request_evidence(
        &mut self,
        now: Millis,
        publisher: PublisherId,
        view: &impl LogView,
    ) -> Option<NextStep> {
        let (peer, entry) = self.pursuits.get(publisher)?.evidence.clone()?;
        let open = !view.has_fork(publisher) && self.peers.contains(&peer);
        if open && !self.has_capacity(&peer) {
            return Some(NextStep::Wait(now.after(1)));
        }
        self.pursuits.get_mut(publisher)?.evidence = None;
        let id = Some(entry.cid()).filter(|_| open)?;
        let (request, left) = (SyncRequest::Blocks { ids: vec![id] }, BTreeSet::from([id]));
        Some(NextStep::Send(PlannedRequest { peer, request, purpose: RequestPurpose::Evidence { left } }))
    }

    /// Blocks of a followed log, from a peer that did not lack them lately.
    fn request_blocks(
        &mut self,
        now: Millis,
        publisher: PublisherId,
        holders: &[(Peer, LogClaim)],
        view: &impl LogView,
    ) -> Option<NextStep> {
        let pursuit = self.pursuits.get_mut(publisher)?;
        let missing = view.missing_blocks(publisher, BLOCKS_MAX + pursuit.absent_count());
        if missing.is_empty() {
            pursuit.clear_absent();
            return None;
        }
        for (peer, _) in holders.iter().filter(|(_, told)| told.length > 0) {
            let wanted = missing.iter().filter(|id| !pursuit.is_absent(peer, **id));
            let left: BTreeSet<_> = wanted.take(BLOCKS_MAX).copied().collect();
            if !left.is_empty() {
                let request = SyncRequest::Blocks { ids: left.iter().copied().collect() };
                return Some(NextStep::Send(PlannedRequest {
                    peer: peer.clone(),
                    request,
                    purpose: RequestPurpose::Blocks { left },
                }));
            }
        }
        if pursuit.absent_count() == 0 {
            return None;
        }
        // Everybody was asked for everything: from the beginning, after a while.
        pursuit.clear_absent();
        Some(NextStep::Wait(now.after(ABSENT_RETRY_MILLIS)))
    }

    /// Whether a peer may be asked for one thing more.
    fn has_capacity(&self, peer: &Peer) -> bool {
        self.tasks.values().filter(|task| task.peer == *peer).count() < REQUESTS_PER_PEER_MAX
    }
}

/// The next entries, from the first holder that says it has them.
fn plan_entries(publisher: PublisherId, length: u64, holders: &[(Peer, LogClaim)]) -> Option<PlannedRequest> {
    let (peer, told) = holders.iter().find(|(_, told)| told.length > length)?;
    let count = (told.length - length).min(ENTRIES_MAX);
    let request = SyncRequest::Entries { publisher, from: length, count };
    Some(PlannedRequest { peer: peer.clone(), request, purpose: RequestPurpose::Entries { left: count } })
}
