//! What became of a request: progress, a fork, a lie, or bad luck.

use schemas::cid::Cid;
use schemas::limits::ENTRY_BYTES_MAX;

use crate::action::{Severity, SyncAction};
use crate::active_request::{AbortReason, ActiveRequest, RequestPurpose};
use crate::event::{BlockRefusal, Millis, RequestId, StreamError, StreamOutcome};
use crate::limits::{ABSENT_RETRY_MILLIS, AVOID_MILLIS};
use crate::log_view::LogView;
use crate::machine::{SyncMachine, penalise};

/// What one delivered block means for its request.
enum BlockResult {
    Progress,
    /// The block is of no use, and the peer is not to blame.
    Useless,
    Abort(AbortReason),
    Misbehaviour(&'static str),
}

impl SyncMachine {
    /// Takes what became of a delivered block; says whether that ended the request.
    pub(crate) fn handle_block(
        &mut self,
        now: Millis,
        request_id: RequestId,
        (id, bytes): (Cid, usize),
        verdict: Result<(), BlockRefusal>,
        view: &impl LogView,
        out: &mut Vec<SyncAction>,
    ) -> bool {
        let Some(task) = self.tasks.get_mut(&request_id) else { return false };
        let meaning = match task.record_block(now, id) {
            true => classify_block(task, id, bytes, verdict, view),
            false => BlockResult::Misbehaviour("sent a block that was not asked for"),
        };
        match meaning {
            BlockResult::Progress => {
                task.accepted += 1;
                return false;
            }
            BlockResult::Useless => {
                let (peer, publisher) = (task.peer.clone(), task.publisher);
                if let Some(pursuit) = self.pursuits.get_mut(publisher) {
                    pursuit.record_absent(&peer, id);
                }
                return false;
            }
            BlockResult::Abort(spoilt) => task.abort_reason = Some(spoilt),
            BlockResult::Misbehaviour(reason) => {
                let (peer, publisher) = (task.peer.clone(), task.publisher);
                out.push(penalise(&peer, Severity::Severe, reason));
                self.peers.avoid_until(&peer, publisher, now.after(AVOID_MILLIS));
            }
        }
        out.push(SyncAction::CancelRequest { request_id });
        self.finish_request(now, request_id, StreamOutcome::Interrupted(StreamError::Cancelled), view, out);
        true
    }

    /// Ends a request and draws the consequences.
    pub(crate) fn finish_request(
        &mut self,
        now: Millis,
        request_id: RequestId,
        outcome: StreamOutcome,
        view: &impl LogView,
        out: &mut Vec<SyncAction>,
    ) {
        let Some(task) = self.end_request(request_id) else { return };
        if task.accepted > 0 {
            self.peers.record_success(&task.peer, task.publisher);
        }
        match (outcome, task.abort_reason) {
            (StreamOutcome::Interrupted(cut @ (StreamError::HashMismatch | StreamError::Malformed)), _) => {
                self.penalise_liar(now, &task, cut, out)
            }
            (_, Some(spoilt)) => self.apply_abort(now, &task, spoilt, view, out),
            (StreamOutcome::Complete, None) => self.handle_completion(now, task, view, out),
            (StreamOutcome::Interrupted(StreamError::TimedOut), None) => {
                out.push(penalise(&task.peer, Severity::Minor, "sent nothing for too long"));
                self.peers.record_failure(&task.peer, task.publisher, now);
            }
            (StreamOutcome::Interrupted(_), None) => {
                self.peers.record_failure(&task.peer, task.publisher, now)
            }
        }
    }

    fn penalise_liar(
        &mut self,
        now: Millis,
        task: &ActiveRequest,
        cut: StreamError,
        out: &mut Vec<SyncAction>,
    ) {
        let reason = match cut {
            StreamError::HashMismatch => "sent a block that is not what its id says",
            _ => "sent what does not follow the protocol",
        };
        out.push(penalise(&task.peer, Severity::Severe, reason));
        self.peers.avoid_until(&task.peer, task.publisher, now.after(AVOID_MILLIS));
    }

    fn apply_abort(
        &mut self,
        now: Millis,
        task: &ActiveRequest,
        spoilt: AbortReason,
        view: &impl LogView,
        out: &mut Vec<SyncAction>,
    ) {
        let (peer, publisher) = (&task.peer, task.publisher);
        if spoilt != AbortReason::StorageFailed {
            // Another branch, or a log that is not welcome: asking the same again leads nowhere.
            self.peers.avoid_until(peer, publisher, now.after(AVOID_MILLIS));
        }
        match spoilt {
            AbortReason::Discontinuous if view.log_head(publisher).is_none() => {
                out.push(penalise(peer, Severity::Severe, "began a log with what is not its beginning"));
            }
            AbortReason::Discontinuous => {
                if let Some(pursuit) = self.pursuits.get_mut(publisher) {
                    pursuit.conflict_peer = Some(peer.clone());
                }
            }
            AbortReason::ForkFound => {}
            AbortReason::Unwanted => self.pursuits.remove(publisher),
            AbortReason::StorageFailed => {
                if let Some(pursuit) = self.pursuits.get_mut(publisher) {
                    pursuit.blocked_until = now.after(ABSENT_RETRY_MILLIS);
                }
            }
        }
    }

    fn handle_completion(
        &mut self,
        now: Millis,
        task: ActiveRequest,
        view: &impl LogView,
        out: &mut Vec<SyncAction>,
    ) {
        let (peer, publisher) = (&task.peer, task.publisher);
        match task.purpose {
            RequestPurpose::Entries { .. } if task.accepted > 0 => {}
            RequestPurpose::Entries { .. } => {
                let told = self.peers.claim_by(peer, publisher).map_or(0, |told| told.length);
                if told > view.log_head(publisher).map_or(0, |head| head.length) {
                    self.distrust_peer(
                        now,
                        &task,
                        Severity::Minor,
                        "does not hold the log that it says it holds",
                        out,
                    );
                }
            }
            RequestPurpose::Blocks { left } => {
                // No lie: a peer may hold the entries of a log and not the blocks.
                if let Some(pursuit) = self.pursuits.get_mut(publisher) {
                    left.into_iter().for_each(|id| pursuit.record_absent(peer, id));
                }
                if task.accepted > 0 && view.missing_blocks(publisher, 1).is_empty() {
                    self.news.note_complete(publisher);
                }
            }
            RequestPurpose::ConflictingEntry { .. } => {
                self.distrust_peer(now, &task, Severity::Severe, "sent entries of no log it holds", out);
            }
            RequestPurpose::Evidence { .. } => {
                self.distrust_peer(now, &task, Severity::Minor, "does not hold the entry that it names", out);
            }
        }
    }

    fn distrust_peer(
        &mut self,
        now: Millis,
        task: &ActiveRequest,
        severity: Severity,
        reason: &'static str,
        out: &mut Vec<SyncAction>,
    ) {
        out.push(penalise(&task.peer, severity, reason));
        self.peers.clear_claim(&task.peer, task.publisher);
        self.peers.record_failure(&task.peer, task.publisher, now);
    }
}

fn classify_block(
    task: &ActiveRequest,
    id: Cid,
    bytes: usize,
    verdict: Result<(), BlockRefusal>,
    view: &impl LogView,
) -> BlockResult {
    let blocks = matches!(task.purpose, RequestPurpose::Blocks { .. });
    if !blocks && bytes > ENTRY_BYTES_MAX {
        return BlockResult::Misbehaviour("sent an entry beyond the limit");
    }
    match (verdict, &task.purpose) {
        (Ok(()), RequestPurpose::Entries { .. } | RequestPurpose::Blocks { .. }) => BlockResult::Progress,
        (Ok(()), RequestPurpose::ConflictingEntry { sequence, .. }) => {
            let same = view.entry_id(task.publisher, *sequence).is_some_and(|held| held.cid() == id);
            if same {
                BlockResult::Misbehaviour("sent entries of no log it holds")
            } else {
                BlockResult::Abort(AbortReason::ForkFound)
            }
        }
        (Ok(()), RequestPurpose::Evidence { .. }) | (Err(BlockRefusal::Forked), _) => {
            BlockResult::Abort(AbortReason::ForkFound)
        }
        (Err(BlockRefusal::HashMismatch), _) => {
            BlockResult::Misbehaviour("sent a block that is not what its id says")
        }
        // The peer delivered what was asked for by id; that it is no good is the publisher's fault.
        (
            Err(BlockRefusal::Invalid | BlockRefusal::Discontinuous | BlockRefusal::Unwanted),
            RequestPurpose::Blocks { .. },
        ) => BlockResult::Useless,
        (Err(BlockRefusal::Invalid), _) => BlockResult::Misbehaviour("sent an entry that is not valid"),
        (Err(BlockRefusal::Discontinuous), RequestPurpose::Entries { .. }) => {
            BlockResult::Abort(AbortReason::Discontinuous)
        }
        (Err(BlockRefusal::Discontinuous), _) => {
            BlockResult::Misbehaviour("sent an entry that proves nothing")
        }
        (Err(BlockRefusal::Unwanted), _) => BlockResult::Abort(AbortReason::Unwanted),
        (Err(BlockRefusal::StorageFailed), _) => BlockResult::Abort(AbortReason::StorageFailed),
    }
}
