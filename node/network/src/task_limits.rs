//! The tasks of the driver, counted by kind and by peer, none beyond its bound.

use std::collections::{BTreeMap, HashMap};

use libp2p::PeerId;
use tokio::task::{Id, JoinSet};

use crate::limits::{
    BOOTSTRAP_MAX, HEAD_STREAMS_MAX, HEAD_STREAMS_PER_PEER_MAX, OUTGOING_HEADS_MAX, OUTGOING_REQUESTS_MAX,
    SERVED_STREAMS_MAX, SERVED_STREAMS_PER_PEER_MAX,
};

/// What a task is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TaskKind {
    /// A request of ours.
    Request,
    /// A request of a peer.
    Serve,
    /// A request of a peer that is turned down.
    Refuse,
    /// Heads we tell.
    SendHeads,
    /// Heads we are told.
    ReceiveHeads,
    /// A configured peer.
    Redial,
}

impl TaskKind {
    /// Tasks of this kind, in all and for one peer.
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

/// All tasks of one driver; dropping it ends them.
#[derive(Debug, Default)]
pub(crate) struct TaskSlots {
    tasks: JoinSet<()>,
    owners: HashMap<Id, (TaskKind, PeerId)>,
    /// INVARIANT: the number of `owners` with that value, never zero.
    counts: BTreeMap<(TaskKind, PeerId), usize>,
}

impl TaskSlots {
    /// Whether one more task fits.
    pub(crate) fn has_room(&self, kind: TaskKind, peer: PeerId) -> bool {
        let (total, per_peer) = kind.limits();
        let of_peer = self.counts.get(&(kind, peer)).copied().unwrap_or(0);
        let of_kind: usize =
            self.counts.iter().filter(|((other, _), _)| *other == kind).map(|(_, count)| count).sum();
        of_kind < total && of_peer < per_peer
    }

    /// Starts a task if it fits, and says whether it did.
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

    /// Waits for a task to end and frees its place; for ever when there is none.
    pub(crate) async fn join_next(&mut self) {
        let id = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(fault)) => {
                tracing::error!(%fault, "a task of the network failed");
                fault.id()
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
    async fn places_are_bounded_and_come_back() {
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
