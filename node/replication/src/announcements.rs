//! The announcement queue: which heads to announce, when, and to whom.
//!
//! Grown logs are announced at once, at most every [`ANNOUNCE_MILLIS`]. All logs are announced
//! again every [`REANNOUNCE_MILLIS`], [`HEADS_MAX`] heads at a time, because any message may be
//! lost.

use std::collections::BTreeMap;

use schemas::cid::PublisherId;

use crate::event::Millis;
use crate::limits::{
    ANNOUNCE_MILLIS, HEADS_MAX, INITIAL_ANNOUNCEMENTS_MAX, PENDING_HEADS_MAX, REANNOUNCE_MILLIS,
};
use crate::log_view::LogView;
use crate::messages::LogHead;

/// Reason for announcing a head. Of two reasons for one log the greater applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum AnnouncementReason {
    /// The log grew by a request to a peer.
    Synced,
    /// The last missing block arrived: other nodes may request blocks that were missing here.
    Complete,
    /// The log grew on this node.
    Local,
}

/// Heads to announce now, by recipients.
#[derive(Debug, Default)]
pub(crate) struct PendingAnnouncements {
    /// Grown here: for the gossip topic.
    pub(crate) local: Vec<LogHead>,
    /// Fetched: for the connected peers that did not announce them.
    pub(crate) synced: Vec<LogHead>,
    /// Complete now: for all connected peers.
    pub(crate) complete: Vec<LogHead>,
}

/// Logs that wait to be announced, and those announced before.
#[derive(Debug, Default)]
pub(crate) struct AnnouncementQueue {
    /// Grown logs.
    /// INVARIANT: at most [`PENDING_HEADS_MAX`].
    pending: BTreeMap<PublisherId, AnnouncementReason>,
    /// Lengths announced last: arriving blocks do not make the same head new again.
    /// INVARIANT: at most [`PENDING_HEADS_MAX`].
    announced: BTreeMap<PublisherId, u64>,
    pending_sent_at: Option<Millis>,
    reannounced_at: Option<Millis>,
    /// Last log of the previous periodic announcement; the next one continues behind it.
    last_reannounced: Option<PublisherId>,
}

impl AnnouncementQueue {
    /// Queues a log, unless its length was announced before. `local`: the log grew on this node.
    pub(crate) fn note_growth(&mut self, publisher: PublisherId, local: bool, view: &impl LogView) {
        let Some(head) = view.log_head(publisher) else { return };
        if self.announced.get(&publisher).is_some_and(|announced| *announced >= head.length) {
            return;
        }
        self.add_reason(
            publisher,
            if local { AnnouncementReason::Local } else { AnnouncementReason::Synced },
        );
    }

    /// Queues a log whose last missing block arrived.
    pub(crate) fn note_complete(&mut self, publisher: PublisherId) {
        self.add_reason(publisher, AnnouncementReason::Complete);
    }

    fn add_reason(&mut self, publisher: PublisherId, reason: AnnouncementReason) {
        if let Some(queued) = self.pending.get_mut(&publisher) {
            *queued = reason.max(*queued);
        } else if self.pending.len() < PENDING_HEADS_MAX {
            // There is room. A log beyond the bound is dropped; the periodic announcement covers it.
            self.pending.insert(publisher, reason);
        }
    }

    /// Takes up to [`HEADS_MAX`] queued heads, if [`ANNOUNCE_MILLIS`] have passed since the last.
    pub(crate) fn take_pending(&mut self, now: Millis, view: &impl LogView) -> PendingAnnouncements {
        let mut due = PendingAnnouncements::default();
        let early = self.pending_sent_at.is_some_and(|sent| now.since(sent) < ANNOUNCE_MILLIS);
        if early || self.pending.is_empty() {
            return due;
        }
        self.pending_sent_at = Some(now);
        for _ in 0..HEADS_MAX {
            let Some((publisher, reason)) = self.pending.pop_first() else { break };
            let Some(head) = view.log_head(publisher) else { continue };
            self.record_announced(&head);
            match reason {
                AnnouncementReason::Local => due.local.push(head),
                AnnouncementReason::Synced => due.synced.push(head),
                AnnouncementReason::Complete => due.complete.push(head),
            }
        }
        due
    }

    /// Returns the next [`HEADS_MAX`] of all heads, if [`REANNOUNCE_MILLIS`] have passed since the
    /// last call that returned any.
    pub(crate) fn next_reannouncement(&mut self, now: Millis, view: &impl LogView) -> Vec<LogHead> {
        // A new peer gets heads when it connects, so the first round may wait a full period.
        let Some(last) = self.reannounced_at else {
            self.reannounced_at = Some(now);
            return Vec::new();
        };
        if now.since(last) < REANNOUNCE_MILLIS {
            return Vec::new();
        }
        self.reannounced_at = Some(now);
        let mut heads = view.all_heads();
        heads.sort();
        // Continues behind a publisher and not at an index: new logs shift the indices.
        let start =
            self.last_reannounced.map_or(0, |last| heads.partition_point(|head| head.publisher <= last));
        heads.rotate_left(start);
        heads.truncate(HEADS_MAX);
        self.last_reannounced = heads.last().map(|head| head.publisher);
        heads
    }

    /// Returns the announcements for a new peer, at most [`INITIAL_ANNOUNCEMENTS_MAX`].
    pub(crate) fn initial_announcements(view: &impl LogView) -> Vec<Vec<LogHead>> {
        let heads = view.all_heads();
        heads.chunks(HEADS_MAX).take(INITIAL_ANNOUNCEMENTS_MAX).map(<[LogHead]>::to_vec).collect()
    }

    /// Number of entries in both tables, for the test of their bounds.
    pub(crate) fn table_size(&self) -> usize {
        self.pending.len() + self.announced.len()
    }

    fn record_announced(&mut self, head: &LogHead) {
        if self.announced.len() >= PENDING_HEADS_MAX && !self.announced.contains_key(&head.publisher) {
            // Forgetting a length costs at most one repeated announcement.
            self.announced.pop_first();
        }
        self.announced.insert(head.publisher, head.length);
    }
}
