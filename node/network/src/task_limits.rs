//! Limits on the tasks of the driver, by purpose and by peer.

use std::collections::{BTreeMap, HashMap};

use libp2p::PeerId;
use tokio::task::{Id, JoinSet};

use crate::limits::{
    BOOTSTRAP_MAX, HEAD_STREAMS_MAX, HEAD_STREAMS_PER_PEER_MAX, OUTGOING_HEADS_MAX, OUTGOING_REQUESTS_MAX,
    SERVED_STREAMS_MAX, SERVED_STREAMS_PER_PEER_MAX,
};

/// Purpose of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TaskKind {
    /// Runs a request of this node.
    Request,
    /// Serves a request of a peer.
    Serve,
    /// Answers a request of a peer with `busy`.
    Refuse,
    /// Sends an announcement.
    SendHeads,
    /// Receives an announcement.
    ReceiveHeads,
    /// Keeps a configured peer connected.
    Redial,
}

impl TaskKind {
    /// Returns the limits in total and per peer.
    fn limits(self) -> (usize, usize) {
        match self {
            TaskKind::Request => (OUTGOING_REQUESTS_MAX, OUTGOING_REQUESTS_MAX),
            TaskKind::Serve => (SERVED_STREAMS_MAX, SERVED_STREAMS_PER_PEER_MAX),
            TaskKind::Refuse => (SERVED_STREAMS_MAX, SERVED_STREAMS_PER_PEER_MAX),
            TaskKind::SendHeads => (OUTGOING_HEADS_MAX, OUTGOING_HEADS_MAX),
            TaskKind::ReceiveHeads => (HEAD_STREAMS_MAX, HEAD_STREAMS_PER_PEER_MAX),
            TaskKind::Redial => (BOOTSTRAP_MAX, BOOTSTRAP_MAX),
        }
    }
}

/// The tasks of one driver. Dropping it aborts them.
#[derive(Debug, Default)]
pub(crate) struct TaskSlots {
    tasks: JoinSet<()>,
    owners: HashMap<Id, (TaskKind, PeerId)>,
    /// INVARIANT: the number of `owners` with that value, never zero.
    counts: BTreeMap<(TaskKind, PeerId), usize>,
}

impl TaskSlots {
    /// Returns whether one more task is within the limits.
    pub(crate) fn has_room(&self, kind: TaskKind, peer: PeerId) -> bool {
        let (total, per_peer) = kind.limits();
        let of_peer = self.counts.get(&(kind, peer)).copied().unwrap_or(0);
        let of_kind: usize =
            self.counts.iter().filter(|((other, _), _)| *other == kind).map(|(_, count)| count).sum();
        of_kind < total && of_peer < per_peer
    }

    /// Starts a task if it is within the limits; returns whether it was started.
    pub(crate) fn spawn(
        &mut self,
        kind: TaskKind,
        peer: PeerId,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> bool {
        let free = self.has_room(kind, peer);
        if free {
            self.owners.insert(self.tasks.spawn(task).id(), (kind, peer));
            *self.counts.entry((kind, peer)).or_default() += 1;
        }
        free
    }

    /// Waits for a task to end and frees its slot. Never returns while there is no task.
    pub(crate) async fn join_next(&mut self) {
        let id = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => {
                tracing::error!(%error, "a network task panicked");
                error.id()
            }
            None => return std::future::pending().await,
        };
        let Some(owner) = self.owners.remove(&id) else { return };
        if let Some(count) = self.counts.get_mut(&owner) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn slots_are_bounded_and_freed() {
        let mut slots = TaskSlots::default();
        let peer = PeerId::random();
        for _ in 0..SERVED_STREAMS_PER_PEER_MAX {
            assert!(slots.spawn(TaskKind::Serve, peer, async {}));
        }
        assert!(!slots.spawn(TaskKind::Serve, peer, async {}));
        assert!(slots.spawn(TaskKind::Serve, PeerId::random(), async {}));
        assert!(slots.spawn(TaskKind::ReceiveHeads, peer, async {}));
        for _ in 0..SERVED_STREAMS_PER_PEER_MAX + 2 {
            slots.join_next().await;
        }
        assert!(slots.counts.is_empty() && slots.owners.is_empty());
        assert!(slots.spawn(TaskKind::Serve, peer, async {}));
    }
}
