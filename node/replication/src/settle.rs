//! What became of a request: progress, a fork, a lie, or bad luck.

use schemas::cid::Cid;
use schemas::limits::ENTRY_BYTES_MAX;

use crate::action::{Action, Severity};
use crate::event::{Cut, Millis, Outcome, Refusal, Ticket};
use crate::limits::{ABSENT_MILLIS, AVOID_MILLIS};
use crate::machine::{Machine, penalty};
use crate::task::{Aim, Spoilt, Task};
use crate::view::View;

/// What one delivered block means for its request.
enum Meaning {
    Progress,
    /// The block is of no use, and the peer is not to blame.
    Useless,
    Spoilt(Spoilt),
    Lie(&'static str),
}

impl Machine {
    /// Takes what became of a delivered block; says whether that ended the request.
    pub(crate) fn receive(
        &mut self,
        now: Millis,
        ticket: Ticket,
        (id, bytes): (Cid, usize),
        verdict: Result<(), Refusal>,
        view: &impl View,
        out: &mut Vec<Action>,
    ) -> bool {
        let Some(task) = self.tasks.get_mut(&ticket) else { return false };
        let meaning = match task.expects(now, id) {
            true => meaning(task, id, bytes, verdict, view),
            false => Meaning::Lie("sent a block that was not asked for"),
        };
        match meaning {
            Meaning::Progress => {
                task.kept += 1;
                return false;
            }
            Meaning::Useless => {
                let (peer, publisher) = (task.peer.clone(), task.publisher);
                if let Some(pursuit) = self.pursuits.change(publisher) {
                    pursuit.lack(&peer, id);
                }
                return false;
            }
            Meaning::Spoilt(spoilt) => task.spoilt = Some(spoilt),
            Meaning::Lie(reason) => {
                let (peer, publisher) = (task.peer.clone(), task.publisher);
                out.push(penalty(&peer, Severity::Grave, reason));
                self.peers.avoid(&peer, publisher, now.after(AVOID_MILLIS));
            }
        }
        out.push(Action::Cancel { ticket });
        self.finish(now, ticket, Outcome::Cut(Cut::Cancelled), view, out);
        true
    }

    /// Ends a request and draws the consequences.
    pub(crate) fn finish(
        &mut self,
        now: Millis,
        ticket: Ticket,
        outcome: Outcome,
        view: &impl View,
        out: &mut Vec<Action>,
    ) {
        let Some(task) = self.take(ticket) else { return };
        if task.kept > 0 {
            self.peers.succeed(&task.peer, task.publisher);
        }
        match (outcome, task.spoilt) {
            (Outcome::Cut(cut @ (Cut::Wrong | Cut::Malformed)), _) => self.lied(now, &task, cut, out),
            (_, Some(spoilt)) => self.spoil(now, &task, spoilt, view, out),
            (Outcome::Complete, None) => self.complete(now, task, view, out),
            (Outcome::Cut(Cut::Idle), None) => {
                out.push(penalty(&task.peer, Severity::Slight, "sent nothing for too long"));
                self.peers.fail(&task.peer, task.publisher, now);
            }
            (Outcome::Cut(_), None) => self.peers.fail(&task.peer, task.publisher, now),
        }
    }

    fn lied(&mut self, now: Millis, task: &Task, cut: Cut, out: &mut Vec<Action>) {
        let reason = match cut {
            Cut::Wrong => "sent a block that is not what its id says",
            _ => "sent what does not follow the protocol",
        };
        out.push(penalty(&task.peer, Severity::Grave, reason));
        self.peers.avoid(&task.peer, task.publisher, now.after(AVOID_MILLIS));
    }

    fn spoil(&mut self, now: Millis, task: &Task, spoilt: Spoilt, view: &impl View, out: &mut Vec<Action>) {
        let (peer, publisher) = (&task.peer, task.publisher);
        if spoilt != Spoilt::Failed {
            // Another branch, or a log that is not welcome: asking the same again leads nowhere.
            self.peers.avoid(peer, publisher, now.after(AVOID_MILLIS));
        }
        match spoilt {
            Spoilt::Detached if view.head(publisher).is_none() => {
                out.push(penalty(peer, Severity::Grave, "began a log with what is not its beginning"));
            }
            Spoilt::Detached => {
                if let Some(pursuit) = self.pursuits.change(publisher) {
                    pursuit.rival = Some(peer.clone());
                }
            }
            Spoilt::Forked => {}
            Spoilt::Unwanted => self.pursuits.end(publisher),
            Spoilt::Failed => {
                if let Some(pursuit) = self.pursuits.change(publisher) {
                    pursuit.barred = now.after(ABSENT_MILLIS);
                }
            }
        }
    }

    fn complete(&mut self, now: Millis, task: Task, view: &impl View, out: &mut Vec<Action>) {
        let (peer, publisher) = (&task.peer, task.publisher);
        match task.aim {
            Aim::Entries { .. } if task.kept > 0 => {}
            Aim::Entries { .. } => {
                let told = self.peers.told(peer, publisher).map_or(0, |told| told.length);
                if told > view.head(publisher).map_or(0, |head| head.length) {
                    self.doubt(
                        now,
                        &task,
                        Severity::Slight,
                        "does not hold the log that it says it holds",
                        out,
                    );
                }
            }
            Aim::Blocks { left } => {
                // No lie: a peer may hold the entries of a log and not the blocks.
                if let Some(pursuit) = self.pursuits.change(publisher) {
                    left.into_iter().for_each(|id| pursuit.lack(peer, id));
                }
                if task.kept > 0 && view.missing(publisher, 1).is_empty() {
                    self.news.whole(publisher);
                }
            }
            Aim::Rival { .. } => {
                self.doubt(now, &task, Severity::Grave, "sent entries of no log it holds", out);
            }
            Aim::Evidence { .. } => {
                self.doubt(now, &task, Severity::Slight, "does not hold the entry that it names", out);
            }
        }
    }

    fn doubt(
        &mut self,
        now: Millis,
        task: &Task,
        severity: Severity,
        reason: &'static str,
        out: &mut Vec<Action>,
    ) {
        out.push(penalty(&task.peer, severity, reason));
        self.peers.disbelieve(&task.peer, task.publisher);
        self.peers.fail(&task.peer, task.publisher, now);
    }
}

fn meaning(task: &Task, id: Cid, bytes: usize, verdict: Result<(), Refusal>, view: &impl View) -> Meaning {
    let blocks = matches!(task.aim, Aim::Blocks { .. });
    if !blocks && bytes > ENTRY_BYTES_MAX {
        return Meaning::Lie("sent an entry beyond the limit");
    }
    match (verdict, &task.aim) {
        (Ok(()), Aim::Entries { .. } | Aim::Blocks { .. }) => Meaning::Progress,
        (Ok(()), Aim::Rival { sequence, .. }) => {
            let same = view.entry(task.publisher, *sequence).is_some_and(|held| held.cid() == id);
            if same {
                Meaning::Lie("sent entries of no log it holds")
            } else {
                Meaning::Spoilt(Spoilt::Forked)
            }
        }
        (Ok(()), Aim::Evidence { .. }) | (Err(Refusal::Forked), _) => Meaning::Spoilt(Spoilt::Forked),
        (Err(Refusal::Wrong), _) => Meaning::Lie("sent a block that is not what its id says"),
        // The peer delivered what was asked for by id; that it is no good is the publisher's fault.
        (Err(Refusal::Invalid | Refusal::Detached | Refusal::Unwanted), Aim::Blocks { .. }) => {
            Meaning::Useless
        }
        (Err(Refusal::Invalid), _) => Meaning::Lie("sent an entry that is not valid"),
        (Err(Refusal::Detached), Aim::Entries { .. }) => Meaning::Spoilt(Spoilt::Detached),
        (Err(Refusal::Detached), _) => Meaning::Lie("sent an entry that proves nothing"),
        (Err(Refusal::Unwanted), _) => Meaning::Spoilt(Spoilt::Unwanted),
        (Err(Refusal::Failed), _) => Meaning::Spoilt(Spoilt::Failed),
    }
}
