//! What to ask next, and whom.

use std::collections::BTreeSet;

use schemas::cid::PublisherId;

use crate::action::Action;
use crate::event::{Millis, Peer, Ticket};
use crate::limits::{
    ABSENT_MILLIS, BLOCKS_MAX, CONSIDERED_MAX, ENTRIES_MAX, RETRY_MILLIS, STRANGERS_MAX, TASKS_MAX,
    TASKS_PER_PEER_MAX,
};
use crate::machine::Machine;
use crate::peers::Told;
use crate::task::{Aim, Task};
use crate::view::View;
use crate::wire::Request;

/// A request to be made.
struct Plan {
    peer: Peer,
    request: Request,
    aim: Aim,
}

/// What can be done about a log now.
enum Step {
    Ask(Plan),
    /// Nothing before this moment.
    Rest(Millis),
    /// Nothing, until somebody says something new.
    End,
}

impl Machine {
    /// Begins as many requests as there is room for.
    pub(crate) fn fill(&mut self, now: Millis, view: &impl View, out: &mut Vec<Action>) {
        for _ in 0..CONSIDERED_MAX {
            let strangers = self.tasks.values().filter(|task| !task.followed).count();
            if self.tasks.len() >= TASKS_MAX {
                return;
            }
            let Some(publisher) = self.pursuits.next(now, strangers < STRANGERS_MAX) else { return };
            self.consider(now, publisher, view, out);
        }
    }

    /// Takes the next step for a log. INVARIANT: afterwards it has a request under way, rests
    /// beyond `now`, or is no longer pursued; so no round visits it twice.
    fn consider(&mut self, now: Millis, publisher: PublisherId, view: &impl View, out: &mut Vec<Action>) {
        let followed = view.follows(publisher);
        let step = self.step(now, publisher, followed, view);
        let Some(pursuit) = self.pursuits.change(publisher) else { return };
        pursuit.followed = followed;
        match step {
            Step::Ask(Plan { peer, request, aim }) => {
                let ticket = Ticket(self.tickets);
                self.tickets += 1;
                pursuit.task = Some(ticket);
                self.tasks.insert(ticket, Task::new(now, peer.clone(), publisher, aim, followed));
                out.push(Action::Ask { peer, ticket, request });
            }
            Step::Rest(until) => pursuit.retry = until.max(now.after(1)),
            Step::End => self.pursuits.end(publisher),
        }
    }

    /// Entries first, evidence of a fork before them, blocks last.
    fn step(&mut self, now: Millis, publisher: PublisherId, followed: bool, view: &impl View) -> Step {
        let all = self.peers.holders(publisher, now);
        let (holders, busy): (Vec<_>, Vec<_>) = all.into_iter().partition(|(peer, _)| self.spare(peer));
        let length = view.head(publisher).map_or(0, |head| head.length);
        if let Some(step) = self.rival(now, publisher, length, view) {
            return step;
        }
        if let Some(step) = self.evidence(now, publisher, view) {
            return step;
        }
        if view.wants(publisher)
            && let Some(plan) = entries(publisher, length, &holders)
        {
            return Step::Ask(plan);
        }
        let mut open = view.wants(publisher) && self.peers.claim(publisher) > length;
        if followed {
            match self.blocks(now, publisher, &holders, view) {
                Some(Step::End) | None => {}
                Some(step) => return step,
            }
            open = open || !view.missing(publisher, 1).is_empty();
        }
        match self.peers.soonest(publisher) {
            Some(_) if open && !busy.is_empty() => Step::Rest(now.after(1)),
            Some(until) if open => Step::Rest(until.max(now.after(RETRY_MILLIS))),
            _ => Step::End,
        }
    }

    /// The entry in the place of our last one, from a peer whose log does not continue ours.
    fn rival(&mut self, now: Millis, publisher: PublisherId, length: u64, view: &impl View) -> Option<Step> {
        let peer = self.pursuits.of(publisher)?.rival.clone()?;
        let open = !view.forked(publisher) && self.peers.contains(&peer);
        if open && !self.spare(&peer) {
            return Some(Step::Rest(now.after(1)));
        }
        self.pursuits.change(publisher)?.rival = None;
        let sequence = length.checked_sub(1).filter(|_| open)?;
        let request = Request::Entries { publisher, from: sequence, count: 1 };
        Some(Step::Ask(Plan { peer, request, aim: Aim::Rival { sequence, left: 1 } }))
    }

    /// The entry by which a peer contradicts the log as held.
    fn evidence(&mut self, now: Millis, publisher: PublisherId, view: &impl View) -> Option<Step> {
        let (peer, entry) = self.pursuits.of(publisher)?.evidence.clone()?;
        let open = !view.forked(publisher) && self.peers.contains(&peer);
        if open && !self.spare(&peer) {
            return Some(Step::Rest(now.after(1)));
        }
        self.pursuits.change(publisher)?.evidence = None;
        let id = Some(entry.cid()).filter(|_| open)?;
        let (request, left) = (Request::Blocks { ids: vec![id] }, BTreeSet::from([id]));
        Some(Step::Ask(Plan { peer, request, aim: Aim::Evidence { left } }))
    }

    /// Blocks of a followed log, from a peer that did not lack them lately.
    fn blocks(
        &mut self,
        now: Millis,
        publisher: PublisherId,
        holders: &[(Peer, Told)],
        view: &impl View,
    ) -> Option<Step> {
        let pursuit = self.pursuits.change(publisher)?;
        let missing = view.missing(publisher, BLOCKS_MAX + pursuit.absences());
        if missing.is_empty() {
            pursuit.forgive();
            return None;
        }
        for (peer, _) in holders.iter().filter(|(_, told)| told.length > 0) {
            let wanted = missing.iter().filter(|id| !pursuit.lacks(peer, **id));
            let left: BTreeSet<_> = wanted.take(BLOCKS_MAX).copied().collect();
            if !left.is_empty() {
                let request = Request::Blocks { ids: left.iter().copied().collect() };
                return Some(Step::Ask(Plan { peer: peer.clone(), request, aim: Aim::Blocks { left } }));
            }
        }
        if pursuit.absences() == 0 {
            return None;
        }
        // Everybody was asked for everything: from the beginning, after a while.
        pursuit.forgive();
        Some(Step::Rest(now.after(ABSENT_MILLIS)))
    }

    /// Whether a peer may be asked for one thing more.
    fn spare(&self, peer: &Peer) -> bool {
        self.tasks.values().filter(|task| task.peer == *peer).count() < TASKS_PER_PEER_MAX
    }
}

/// The next entries, from the first holder that says it has them.
fn entries(publisher: PublisherId, length: u64, holders: &[(Peer, Told)]) -> Option<Plan> {
    let (peer, told) = holders.iter().find(|(_, told)| told.length > length)?;
    let count = (told.length - length).min(ENTRIES_MAX);
    let request = Request::Entries { publisher, from: length, count };
    Some(Plan { peer: peer.clone(), request, aim: Aim::Entries { left: count } })
}
