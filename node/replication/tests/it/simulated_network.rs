//! A simulated network with delay, loss, reordering and partitions.
//!
//! Carries any message between numbered nodes and does not depend on the protocol. Time is virtual.

use std::collections::{BTreeMap, BTreeSet};

use replication::Millis;
use testkit::random::SeededRandom;

/// Quality of all links.
#[derive(Clone, Copy)]
pub struct LinkQuality {
    /// Percentage of messages that are lost.
    pub loss: u64,
    /// Shortest and longest delay in milliseconds; the spread is what reorders messages.
    pub delay: (u64, u64),
}

pub struct SimulatedNetwork<M> {
    pub now: Millis,
    pub random: SeededRandom,
    pub link: LinkQuality,
    lines: BTreeSet<(usize, usize)>,
    /// Sides of a partition: nodes on different sides cannot reach each other.
    sides: BTreeMap<usize, u8>,
    queue: BTreeMap<(Millis, u64), Envelope<M>>,
    message_count: u64,
}

pub struct Envelope<M> {
    pub from: usize,
    pub to: usize,
    pub message: M,
}

impl<M> SimulatedNetwork<M> {
    pub fn new(seed: u64, link: LinkQuality) -> Self {
        Self {
            now: Millis(0),
            random: SeededRandom::new(seed),
            link,
            lines: BTreeSet::new(),
            sides: BTreeMap::new(),
            queue: BTreeMap::new(),
            message_count: 0,
        }
    }

    pub fn connect(&mut self, a: usize, b: usize) {
        self.lines.insert((a.min(b), a.max(b)));
    }

    pub fn connected(&self, a: usize, b: usize) -> bool {
        self.lines.contains(&(a.min(b), a.max(b)))
    }

    /// Moves a node to a side of the partition; all start on side 0.
    pub fn set_side(&mut self, node: usize, side: u8) {
        self.sides.insert(node, side);
    }

    pub fn can_reach(&self, a: usize, b: usize) -> bool {
        let side = |node| self.sides.get(&node).copied().unwrap_or(0);
        self.connected(a, b) && side(a) == side(b)
    }

    /// Draws whether the next message is lost.
    pub fn loses_message(&mut self) -> bool {
        let loss = self.link.loss;
        self.random.percent(loss)
    }

    pub fn delay(&mut self) -> u64 {
        let (least, most) = self.link.delay;
        least + self.random.below(most - least + 1)
    }

    /// Sends a message that may be lost, delayed and overtaken.
    pub fn send(&mut self, from: usize, to: usize, message: M) {
        if self.can_reach(from, to) && !self.loses_message() {
            let at = self.now.after(self.delay());
            self.deliver_at(at, from, to, message);
        }
    }

    /// Delivers a message at the time `at`, regardless of the link.
    pub fn deliver_at(&mut self, at: Millis, from: usize, to: usize, message: M) {
        self.message_count += 1;
        self.queue.insert((at, self.message_count), Envelope { from, to, message });
    }

    /// Takes the next message and advances the clock to its time.
    pub fn next(&mut self) -> Option<Envelope<M>> {
        let ((at, _), envelope) = self.queue.pop_first()?;
        self.now = at;
        Some(envelope)
    }
}
