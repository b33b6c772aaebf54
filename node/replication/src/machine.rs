//! The sync state machine of one node: events in, actions out.
//!
//! What is fetched next is decided in [`crate::plan`], what became of it in [`crate::settle`].

use std::collections::BTreeMap;

use schemas::cid::PublisherId;

use crate::action::{Action, Severity};
use crate::event::{Cut, Event, Millis, Outcome, Peer, Ticket};
use crate::limits::HEADS_MAX;
use crate::news::{Fresh, News};
use crate::peers::Peers;
use crate::pursuit::Pursuits;
use crate::task::{Overdue, Task};
use crate::view::View;
use crate::wire::Head;

/// The machine. It remembers who said what and which requests are under way, and nothing of what
/// the node holds.
#[derive(Debug, Default)]
pub struct Machine {
    pub(crate) peers: Peers,
    pub(crate) pursuits: Pursuits,
    /// INVARIANT: each is named by the pursuit of its log, and by no other.
    pub(crate) tasks: BTreeMap<Ticket, Task>,
    pub(crate) tickets: u64,
    pub(crate) news: News,
}

/// How full the tables of a machine are, for gauges and for tests of their bounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Requests under way.
    pub tasks: usize,
    /// Logs that are pursued.
    pub pursuits: usize,
    /// Heads remembered of peers.
    pub told: usize,
    /// Heads to be told, and those told last.
    pub news: usize,
}

impl Machine {
    /// Takes one event at the time `now` and says what to do, in order. A ticket it does not
    /// know (any more) is no error: answers may cross a cancellation.
    pub fn handle(&mut self, now: Millis, event: Event, view: &impl View) -> Vec<Action> {
        let mut out = Vec::new();
        match event {
            Event::Connected(peer) => self.connect(peer, view, &mut out),
            Event::Disconnected(peer) => {
                self.disconnect(&peer, &mut out);
                self.fill(now, view, &mut out);
            }
            Event::Heads { from, heads } => {
                self.hear(now, &from, &heads, view);
                self.fill(now, view, &mut out);
            }
            Event::Received { ticket, id, bytes, verdict } => {
                if self.receive(now, ticket, (id, bytes), verdict, view, &mut out) {
                    self.fill(now, view, &mut out);
                }
            }
            Event::Finished { ticket, outcome } => {
                self.finish(now, ticket, outcome, view, &mut out);
                self.fill(now, view, &mut out);
            }
            Event::Stored { publisher } => self.store(now, publisher, view, &mut out),
            Event::Followed { publisher } => {
                self.pursuits.begin(publisher, true);
                self.fill(now, view, &mut out);
            }
            Event::Tick => {
                self.expire(now, view, &mut out);
                self.fill(now, view, &mut out);
                self.spread(now, view, &mut out);
            }
        }
        out
    }

    /// How full the tables are.
    pub fn load(&self) -> Load {
        Load {
            tasks: self.tasks.len(),
            pursuits: self.pursuits.len(),
            told: self.peers.told_count(),
            news: self.news.size(),
        }
    }

    fn connect(&mut self, peer: Peer, view: &impl View, out: &mut Vec<Action>) {
        if self.peers.insert(&peer) {
            let tell = |heads| Action::Tell { peer: peer.clone(), heads };
            out.extend(News::pages(view).into_iter().map(tell));
        }
    }

    fn disconnect(&mut self, peer: &Peer, out: &mut Vec<Action>) {
        let of_peer = |(ticket, task): (&Ticket, &Task)| (task.peer == *peer).then_some(*ticket);
        let tickets: Vec<_> = self.tasks.iter().filter_map(of_peer).collect();
        for ticket in tickets {
            self.take(ticket);
            out.push(Action::Cancel { ticket });
        }
        self.peers.remove(peer);
    }

    /// Remembers what a peer says it holds, and pursues what of it is news. Heads of peers that
    /// are not connected are of no use: nobody could be asked.
    fn hear(&mut self, now: Millis, from: &Peer, heads: &[Head], view: &impl View) {
        if !self.peers.contains(from) {
            return;
        }
        for head in heads.iter().take(HEADS_MAX).filter(|head| head.length > 0) {
            let followed = view.follows(head.publisher);
            let contradicts = contradicts(head, view);
            self.peers.tell(from, head, followed);
            if followed || longer(head, view) || contradicts {
                let askable = self.peers.told(from, head.publisher).is_some_and(|told| told.until <= now);
                if let (Some(pursuit), true) = (self.pursuits.begin(head.publisher, followed), askable) {
                    pursuit.wake(from);
                    if contradicts {
                        pursuit.evidence = Some((from.clone(), head.last));
                    }
                }
            }
        }
    }

    fn store(&mut self, now: Millis, publisher: PublisherId, view: &impl View, out: &mut Vec<Action>) {
        let pursued = self.pursuits.of(publisher).map(|pursuit| pursuit.task.is_some());
        self.news.note(publisher, pursued != Some(true), view);
        self.spread(now, view, out);
        if pursued.is_none() && view.follows(publisher) && self.peers.speak_of(publisher) {
            self.pursuits.begin(publisher, true);
            self.fill(now, view, out);
        }
    }

    /// Gives up requests that take too long.
    fn expire(&mut self, now: Millis, view: &impl View, out: &mut Vec<Action>) {
        let overdue = |(ticket, task): (&Ticket, &Task)| Some((*ticket, task.overdue(now)?));
        let overdue: Vec<_> = self.tasks.iter().filter_map(overdue).collect();
        for (ticket, how) in overdue {
            // Slow is a lost stream: it may be the line, and what came is kept.
            let cut = match how {
                Overdue::Silent => Cut::Idle,
                Overdue::Slow => Cut::Lost,
            };
            out.push(Action::Cancel { ticket });
            self.finish(now, ticket, Outcome::Cut(cut), view, out);
        }
    }

    /// Tells what there is to tell.
    fn spread(&mut self, now: Millis, view: &impl View, out: &mut Vec<Action>) {
        let Fresh { here, brought, whole } = self.news.fresh(now, view);
        if !here.is_empty() {
            out.push(Action::Announce(here));
        }
        // What was brought is told to neighbours only: were each of a thousand nodes to gossip
        // that it has a log now, everybody would hear it a thousand times.
        self.tell(&brought, true, out);
        self.tell(&whole, false, out);
        let again = self.news.again(now, view);
        self.tell(&again, false, out);
    }

    /// Tells heads to all peers; `news` leaves out those that said they have them.
    fn tell(&self, heads: &[Head], news: bool, out: &mut Vec<Action>) {
        for peer in self.peers.iter() {
            let has = |head: &Head| {
                self.peers.told(peer, head.publisher).is_some_and(|told| told.length >= head.length)
            };
            let heads: Vec<_> = heads.iter().filter(|head| !(news && has(head))).copied().collect();
            if !heads.is_empty() {
                out.push(Action::Tell { peer: peer.clone(), heads });
            }
        }
    }

    /// Ends a request and frees its log for the next.
    pub(crate) fn take(&mut self, ticket: Ticket) -> Option<Task> {
        let task = self.tasks.remove(&ticket)?;
        if let Some(pursuit) = self.pursuits.change(task.publisher) {
            pursuit.task = None;
        }
        Some(task)
    }
}

/// Whether a head says that there is more of a log that is welcome.
fn longer(head: &Head, view: &impl View) -> bool {
    let held = view.head(head.publisher).map_or(0, |held| held.length);
    head.length > held && view.wants(head.publisher)
}

/// Whether a head names another entry than the one held in that place, which nobody proved yet.
fn contradicts(head: &Head, view: &impl View) -> bool {
    let Some(sequence) = head.length.checked_sub(1) else { return false };
    let held = view.entry(head.publisher, sequence);
    held.is_some_and(|held| held != head.last) && !view.forked(head.publisher)
}

pub(crate) fn penalty(peer: &Peer, severity: Severity, reason: &'static str) -> Action {
    Action::Penalise { peer: peer.clone(), severity, reason }
}
