//! Which heads are to be told, when, and to whom.
//!
//! News of a log that grew goes out at once, in steps of [`FRESH_MILLIS`]; every log is told
//! again every [`REANNOUNCE_MILLIS`], a page at a time, because any message may be lost.

use std::collections::BTreeMap;

use schemas::cid::PublisherId;

use crate::event::Millis;
use crate::limits::{
    ANNOUNCE_MILLIS, HEADS_MAX, INITIAL_ANNOUNCEMENTS_MAX, PENDING_HEADS_MAX, REANNOUNCE_MILLIS,
};
use crate::log_view::LogView;
use crate::messages::LogHead;

/// Why a head is told. The greater wins when there are two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum AnnouncementReason {
    /// The log grew by a request of ours.
    Synced,
    /// All its blocks are here now: others may ask again for what was lacking.
    Complete,
    /// The log grew here.
    Local,
}

/// Heads that are news, by whom they concern.
#[derive(Debug, Default)]
pub(crate) struct PendingAnnouncements {
    /// Everybody.
    pub(crate) local: Vec<LogHead>,
    /// Neighbours that did not say they have them.
    pub(crate) synced: Vec<LogHead>,
    /// All neighbours.
    pub(crate) complete: Vec<LogHead>,
}

/// What there is to tell.
#[derive(Debug, Default)]
pub(crate) struct AnnouncementQueue {
    /// Logs of which there is news.
    /// INVARIANT: at most [`FRESH_MAX`].
    pending: BTreeMap<PublisherId, AnnouncementReason>,
    /// The lengths last told, so that the arrival of blocks is no news.
    /// INVARIANT: at most [`FRESH_MAX`].
    announced: BTreeMap<PublisherId, u64>,
    pending_sent_at: Option<Millis>,
    reannounced_at: Option<Millis>,
    /// Where the last page ended.
    last_reannounced: Option<PublisherId>,
}

impl AnnouncementQueue {
    /// A log may have grown.
    pub(crate) fn note_growth(&mut self, publisher: PublisherId, here: bool, view: &impl LogView) {
        let Some(head) = view.log_head(publisher) else { return };
        if self.announced.get(&publisher).is_some_and(|said| *said >= head.length) {
            return;
        }
        self.add_reason(publisher, if here { AnnouncementReason::Local } else { AnnouncementReason::Synced });
    }

    /// All blocks of a log are here.
    pub(crate) fn note_complete(&mut self, publisher: PublisherId) {
        self.add_reason(publisher, AnnouncementReason::Complete);
    }

    fn add_reason(&mut self, publisher: PublisherId, why: AnnouncementReason) {
        if let Some(known) = self.pending.get_mut(&publisher) {
            *known = why.max(*known);
        } else if self.pending.len() < PENDING_HEADS_MAX {
            self.pending.insert(publisher, why);
        }
    }

    /// The heads that are news, when it is time to tell them.
    pub(crate) fn take_pending(&mut self, now: Millis, view: &impl LogView) -> PendingAnnouncements {
        let mut fresh = PendingAnnouncements::default();
        let early = self.pending_sent_at.is_some_and(|told| now.since(told) < ANNOUNCE_MILLIS);
        if early || self.pending.is_empty() {
            return fresh;
        }
        self.pending_sent_at = Some(now);
        for _ in 0..HEADS_MAX {
            let Some((publisher, why)) = self.pending.pop_first() else { break };
            let Some(head) = view.log_head(publisher) else { continue };
            self.record_announced(&head);
            match why {
                AnnouncementReason::Local => fresh.local.push(head),
                AnnouncementReason::Synced => fresh.synced.push(head),
                AnnouncementReason::Complete => fresh.complete.push(head),
            }
        }
        fresh
    }

    /// A page of all heads, when it is time to tell them again.
    pub(crate) fn next_reannouncement(&mut self, now: Millis, view: &impl LogView) -> Vec<LogHead> {
        let Some(told) = self.reannounced_at else {
            self.reannounced_at = Some(now);
            return Vec::new();
        };
        if now.since(told) < REANNOUNCE_MILLIS {
            return Vec::new();
        }
        self.reannounced_at = Some(now);
        let mut heads = view.all_heads();
        heads.sort();
        let start =
            self.last_reannounced.map_or(0, |page| heads.partition_point(|head| head.publisher <= page));
        heads.rotate_left(start);
        heads.truncate(HEADS_MAX);
        self.last_reannounced = heads.last().map(|head| head.publisher);
        heads
    }

    /// The pages for a peer that is new.
    pub(crate) fn initial_announcements(view: &impl LogView) -> Vec<Vec<LogHead>> {
        let heads = view.all_heads();
        heads.chunks(HEADS_MAX).take(INITIAL_ANNOUNCEMENTS_MAX).map(<[LogHead]>::to_vec).collect()
    }

    /// Entries in the tables, for the test of their bounds.
    pub(crate) fn table_size(&self) -> usize {
        self.pending.len() + self.announced.len()
    }

    fn record_announced(&mut self, head: &LogHead) {
        if self.announced.len() >= PENDING_HEADS_MAX && !self.announced.contains_key(&head.publisher) {
            self.announced.pop_first();
        }
        self.announced.insert(head.publisher, head.length);
    }
}
