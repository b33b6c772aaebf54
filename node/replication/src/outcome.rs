//! Results of requests: progress, a fork, misbehaviour of the peer, or an interrupted stream.

use schemas::cid::Cid;
use schemas::limits::ENTRY_BYTES_MAX;

use crate::action::{Severity, SyncAction};
use crate::active_request::{AbortReason, ActiveRequest, RequestPurpose};
use crate::event::{BlockRefusal, Millis, RequestId, StreamError, StreamOutcome};
use crate::limits::{ABSENT_RETRY_MILLIS, AVOID_MILLIS};
use crate::log_view::LogView;
use crate::machine::{SyncMachine, penalise};

/// Effect of one delivered block on its request.
enum BlockResult {
    Progress,
    /// The block is of no use, and the peer is not to blame.
    Useless,
    Abort(AbortReason),
    Misbehaviour(&'static str),
}

impl SyncMachine {
    /// Handles a delivered block; returns whether it ended the request.
    pub(crate) fn handle_block(
        &mut self,
        now: Millis,
        request_id: RequestId,
        (id, bytes): (Cid, usize),
        verdict: Result<(), BlockRefusal>,
        view: &impl LogView,
        out: &mut Vec<SyncAction>,
    ) -> bool {
        let Some(request) = self.requests.get_mut(&request_id) else { return false };
        let result = match request.record_block(now, id) {
            true => classify_block(request, id, bytes, verdict, view),
            false => BlockResult::Misbehaviour("sent an unrequested block"),
        };
        match result {
            BlockResult::Progress => {
                request.accepted += 1;
                return false;
            }
            BlockResult::Useless => {
                let (peer, publisher) = (request.peer.clone(), request.publisher);
                if let Some(fetch) = self.fetches.get_mut(publisher) {
                    fetch.record_absent(&peer, id);
                }
                return false;
            }
            BlockResult::Abort(reason) => request.abort_reason = Some(reason),
            BlockResult::Misbehaviour(reason) => {
                let (peer, publisher) = (request.peer.clone(), request.publisher);
                out.push(penalise(&peer, Severity::Severe, reason));
                self.peers.avoid_until(&peer, publisher, now.after(AVOID_MILLIS));
            }
        }
        out.push(SyncAction::CancelRequest { request_id });
        self.finish_request(now, request_id, StreamOutcome::Interrupted(StreamError::Cancelled), view, out);
        true
    }

    /// Ends a request and updates the claims of its peer and the fetch of its log.
    pub(crate) fn finish_request(
        &mut self,
        now: Millis,
        request_id: RequestId,
        outcome: StreamOutcome,
        view: &impl LogView,
        out: &mut Vec<SyncAction>,
    ) {
        let Some(request) = self.end_request(request_id) else { return };
        // Before the outcome: a stream that breaks after progress starts its backoff anew.
        if request.accepted > 0 {
            self.peers.record_success(&request.peer, request.publisher);
        }
        match (outcome, request.abort_reason) {
            // First, so that an earlier abort reason does not hide a forged block.
            (StreamOutcome::Interrupted(error @ (StreamError::HashMismatch | StreamError::Malformed)), _) => {
                self.penalise_liar(now, &request, error, out)
            }
            (_, Some(reason)) => self.apply_abort(now, &request, reason, view, out),
            (StreamOutcome::Complete, None) => self.handle_completion(now, request, view, out),
            (StreamOutcome::Interrupted(StreamError::TimedOut), None) => {
                out.push(penalise(&request.peer, Severity::Minor, "sent nothing for too long"));
                self.peers.record_failure(&request.peer, request.publisher, now);
            }
            (StreamOutcome::Interrupted(_), None) => {
                self.peers.record_failure(&request.peer, request.publisher, now);
            }
        }
    }

    fn penalise_liar(
        &mut self,
        now: Millis,
        request: &ActiveRequest,
        error: StreamError,
        out: &mut Vec<SyncAction>,
    ) {
        let reason = match error {
            StreamError::HashMismatch => "sent a block with a hash mismatch",
            _ => "violated the stream protocol",
        };
        out.push(penalise(&request.peer, Severity::Severe, reason));
        self.peers.avoid_until(&request.peer, request.publisher, now.after(AVOID_MILLIS));
    }

    fn apply_abort(
        &mut self,
        now: Millis,
        request: &ActiveRequest,
        reason: AbortReason,
        view: &impl LogView,
        out: &mut Vec<SyncAction>,
    ) {
        let (peer, publisher) = (&request.peer, request.publisher);
        if reason != AbortReason::StorageFailed {
            // Another branch, or a log that is not accepted: the same request would end the same way.
            self.peers.avoid_until(peer, publisher, now.after(AVOID_MILLIS));
        }
        match reason {
            AbortReason::Discontinuous if view.log_head(publisher).is_none() => {
                out.push(penalise(
                    peer,
                    Severity::Severe,
                    "began a log with an entry other than its genesis",
                ));
            }
            AbortReason::Discontinuous => {
                if let Some(fetch) = self.fetches.get_mut(publisher) {
                    fetch.conflict_peer = Some(peer.clone());
                }
            }
            AbortReason::ForkFound => {}
            AbortReason::Unwanted => self.fetches.remove(publisher),
            AbortReason::StorageFailed => {
                if let Some(fetch) = self.fetches.get_mut(publisher) {
                    fetch.blocked_until = now.after(ABSENT_RETRY_MILLIS);
                }
            }
        }
    }

    fn handle_completion(
        &mut self,
        now: Millis,
        request: ActiveRequest,
        view: &impl LogView,
        out: &mut Vec<SyncAction>,
    ) {
        let (peer, publisher) = (&request.peer, request.publisher);
        match request.purpose {
            RequestPurpose::Entries { .. } if request.accepted > 0 => {}
            RequestPurpose::Entries { .. } => {
                let claimed = self.peers.claim_by(peer, publisher).map_or(0, |claim| claim.length);
                if claimed > view.log_head(publisher).map_or(0, |head| head.length) {
                    let reason = "does not have the log that it announced";
                    self.distrust_peer(now, &request, Severity::Minor, reason, out);
                }
            }
            RequestPurpose::Blocks { left } => {
                // No misbehaviour: a peer may store the entries of a log without its blocks.
                if let Some(fetch) = self.fetches.get_mut(publisher) {
                    left.into_iter().for_each(|id| fetch.record_absent(peer, id));
                }
                if request.accepted > 0 && view.missing_blocks(publisher, 1).is_empty() {
                    self.announcements.note_complete(publisher);
                }
            }
            RequestPurpose::ConflictingEntry { .. } => {
                let reason = "sent entries of a log that it does not have";
                self.distrust_peer(now, &request, Severity::Severe, reason, out);
            }
            RequestPurpose::Evidence { .. } => {
                let reason = "does not have the entry that it announced";
                self.distrust_peer(now, &request, Severity::Minor, reason, out);
            }
        }
    }

    /// Penalises a peer for a false claim and drops the claim.
    fn distrust_peer(
        &mut self,
        now: Millis,
        request: &ActiveRequest,
        severity: Severity,
        reason: &'static str,
        out: &mut Vec<SyncAction>,
    ) {
        out.push(penalise(&request.peer, severity, reason));
        self.peers.clear_claim(&request.peer, request.publisher);
        self.peers.record_failure(&request.peer, request.publisher, now);
    }
}

/// Decides the effect of a requested block (specs/network.md, "Misbehaviour").
fn classify_block(
    request: &ActiveRequest,
    id: Cid,
    bytes: usize,
    verdict: Result<(), BlockRefusal>,
    view: &impl LogView,
) -> BlockResult {
    let blocks = matches!(request.purpose, RequestPurpose::Blocks { .. });
    if !blocks && bytes > ENTRY_BYTES_MAX {
        return BlockResult::Misbehaviour("sent an entry above the size limit");
    }
    match (verdict, &request.purpose) {
        (Ok(()), RequestPurpose::Entries { .. } | RequestPurpose::Blocks { .. }) => BlockResult::Progress,
        (Ok(()), RequestPurpose::ConflictingEntry { sequence, .. }) => {
            // The peer's entry equals ours, so the entries that it sent before continue no log.
            let same = view.entry_id(request.publisher, *sequence).is_some_and(|stored| stored.cid() == id);
            if same {
                BlockResult::Misbehaviour("sent entries of a log that it does not have")
            } else {
                BlockResult::Abort(AbortReason::ForkFound)
            }
        }
        (Ok(()), RequestPurpose::Evidence { .. }) | (Err(BlockRefusal::Forked), _) => {
            BlockResult::Abort(AbortReason::ForkFound)
        }
        (Err(BlockRefusal::HashMismatch), _) => {
            BlockResult::Misbehaviour("sent a block with a hash mismatch")
        }
        // The peer delivered the id that was requested; invalid content is the publisher's mistake.
        (
            Err(BlockRefusal::Invalid | BlockRefusal::Discontinuous | BlockRefusal::Unwanted),
            RequestPurpose::Blocks { .. },
        ) => BlockResult::Useless,
        (Err(BlockRefusal::Invalid), _) => BlockResult::Misbehaviour("sent an invalid entry"),
        (Err(BlockRefusal::Discontinuous), RequestPurpose::Entries { .. }) => {
            BlockResult::Abort(AbortReason::Discontinuous)
        }
        (Err(BlockRefusal::Discontinuous), _) => {
            BlockResult::Misbehaviour("sent an entry that proves no fork")
        }
        (Err(BlockRefusal::Unwanted), _) => BlockResult::Abort(AbortReason::Unwanted),
        (Err(BlockRefusal::StorageFailed), _) => BlockResult::Abort(AbortReason::StorageFailed),
    }
}
