//! Which heads are to be told, when, and to whom.
//!
//! News of a log that grew goes out at once, in steps of [`FRESH_MILLIS`]; every log is told
//! again every [`REANNOUNCE_MILLIS`], a page at a time, because any message may be lost.

use std::collections::BTreeMap;

use schemas::cid::PublisherId;

use crate::event::Millis;
use crate::limits::{FRESH_MAX, FRESH_MILLIS, HEADS_MAX, PAGES_MAX, REANNOUNCE_MILLIS};
use crate::view::View;
use crate::wire::Head;

/// Why a head is told. The greater wins when there are two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    /// The log grew by a request of ours.
    Brought,
    /// All its blocks are here now: others may ask again for what was lacking.
    Whole,
    /// The log grew here.
    Here,
}

/// Heads that are news, by whom they concern.
#[derive(Debug, Default)]
pub(crate) struct Fresh {
    /// Everybody.
    pub(crate) here: Vec<Head>,
    /// Neighbours that did not say they have them.
    pub(crate) brought: Vec<Head>,
    /// All neighbours.
    pub(crate) whole: Vec<Head>,
}

/// What there is to tell.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Logs of which there is news.
    /// INVARIANT: at most [`FRESH_MAX`].
    fresh: BTreeMap<PublisherId, Why>,
    /// The lengths last told, so that the arrival of blocks is no news.
    /// INVARIANT: at most [`FRESH_MAX`].
    said: BTreeMap<PublisherId, u64>,
    fresh_told: Option<Millis>,
    all_told: Option<Millis>,
    /// Where the last page ended.
    page: Option<PublisherId>,
}

impl News {
    /// A log may have grown.
    pub(crate) fn note(&mut self, publisher: PublisherId, here: bool, view: &impl View) {
        let Some(head) = view.head(publisher) else { return };
        if self.said.get(&publisher).is_some_and(|said| *said >= head.length) {
            return;
        }
        self.add(publisher, if here { Why::Here } else { Why::Brought });
    }

    /// All blocks of a log are here.
    pub(crate) fn whole(&mut self, publisher: PublisherId) {
        self.add(publisher, Why::Whole);
    }

    fn add(&mut self, publisher: PublisherId, why: Why) {
        if let Some(known) = self.fresh.get_mut(&publisher) {
            *known = why.max(*known);
        } else if self.fresh.len() < FRESH_MAX {
            self.fresh.insert(publisher, why);
        }
    }

    /// The heads that are news, when it is time to tell them.
    pub(crate) fn fresh(&mut self, now: Millis, view: &impl View) -> Fresh {
        let mut fresh = Fresh::default();
        let early = self.fresh_told.is_some_and(|told| now.since(told) < FRESH_MILLIS);
        if early || self.fresh.is_empty() {
            return fresh;
        }
        self.fresh_told = Some(now);
        for _ in 0..HEADS_MAX {
            let Some((publisher, why)) = self.fresh.pop_first() else { break };
            let Some(head) = view.head(publisher) else { continue };
            self.say(&head);
            match why {
                Why::Here => fresh.here.push(head),
                Why::Brought => fresh.brought.push(head),
                Why::Whole => fresh.whole.push(head),
            }
        }
        fresh
    }

    /// A page of all heads, when it is time to tell them again.
    pub(crate) fn again(&mut self, now: Millis, view: &impl View) -> Vec<Head> {
        let Some(told) = self.all_told else {
            self.all_told = Some(now);
            return Vec::new();
        };
        if now.since(told) < REANNOUNCE_MILLIS {
            return Vec::new();
        }
        self.all_told = Some(now);
        let mut heads = view.heads();
        heads.sort();
        let start = self.page.map_or(0, |page| heads.partition_point(|head| head.publisher <= page));
        heads.rotate_left(start);
        heads.truncate(HEADS_MAX);
        self.page = heads.last().map(|head| head.publisher);
        heads
    }

    /// The pages for a peer that is new.
    pub(crate) fn pages(view: &impl View) -> Vec<Vec<Head>> {
        let heads = view.heads();
        heads.chunks(HEADS_MAX).take(PAGES_MAX).map(<[Head]>::to_vec).collect()
    }

    /// Entries in the tables, for the test of their bounds.
    pub(crate) fn size(&self) -> usize {
        self.fresh.len() + self.said.len()
    }

    fn say(&mut self, head: &Head) {
        if self.said.len() >= FRESH_MAX && !self.said.contains_key(&head.publisher) {
            self.said.pop_first();
        }
        self.said.insert(head.publisher, head.length);
    }
}
