//! The tasks of the driver, counted by kind and by peer, none beyond its bound.

use std::collections::{BTreeMap, HashMap};

use libp2p::PeerId;
use tokio::task::{Id, JoinSet};

use crate::limits::{
    BOOTSTRAP_MAX, PULLS_MAX, SERVED_MAX, SERVED_PER_PEER_MAX, TELLS_MAX, TOLD_MAX, TOLD_PER_PEER_MAX,
};

/// What a task is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A request of ours.
    Pull,
    /// A request of a peer.
    Serve,
    /// A request of a peer that is turned down.
    Refuse,
    /// Heads we tell.
    Tell,
    /// Heads we are told.
    Hear,
    /// A configured peer.
    Keep,
}

impl Kind {
    /// Tasks of this kind, in all and for one peer.
    fn bounds(self) -> (usize, usize) {
        match self {
            Kind::Pull => (PULLS_MAX, PULLS_MAX),
            Kind::Serve => (SERVED_MAX, SERVED_PER_PEER_MAX),
            Kind::Refuse => (SERVED_MAX, SERVED_PER_PEER_MAX),
            Kind::Tell => (TELLS_MAX, TELLS_MAX),
            Kind::Hear => (TOLD_MAX, TOLD_PER_PEER_MAX),
            Kind::Keep => (BOOTSTRAP_MAX, BOOTSTRAP_MAX),
        }
    }
}

/// All tasks of one driver; dropping it ends them.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    tasks: JoinSet<()>,
    owners: HashMap<Id, (Kind, PeerId)>,
    /// INVARIANT: the number of `owners` with that value, never zero.
    counts: BTreeMap<(Kind, PeerId), usize>,
}

impl Slots {
    /// Whether one more task fits.
    pub(crate) fn free(&self, kind: Kind, peer: PeerId) -> bool {
        let (total, per_peer) = kind.bounds();
        let of_peer = self.counts.get(&(kind, peer)).copied().unwrap_or(0);
        let of_kind: usize =
            self.counts.iter().filter(|((other, _), _)| *other == kind).map(|(_, count)| count).sum();
        of_kind < total && of_peer < per_peer
    }

    /// Starts a task if it fits, and says whether it did.
    pub(crate) fn spawn(
        &mut self,
        kind: Kind,
        peer: PeerId,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> bool {
        let free = self.free(kind, peer);
        if free {
            self.owners.insert(self.tasks.spawn(task).id(), (kind, peer));
            *self.counts.entry((kind, peer)).or_default() += 1;
        }
        free
    }

    /// Waits for a task to end and frees its place; for ever when there is none.
    pub(crate) async fn ended(&mut self) {
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
        let mut slots = Slots::default();
        let peer = PeerId::random();
        for _ in 0..SERVED_PER_PEER_MAX {
            assert!(slots.spawn(Kind::Serve, peer, async {}));
        }
        assert!(!slots.spawn(Kind::Serve, peer, async {}));
        assert!(slots.spawn(Kind::Serve, PeerId::random(), async {}));
        assert!(slots.spawn(Kind::Hear, peer, async {}));
        for _ in 0..SERVED_PER_PEER_MAX + 2 {
            slots.ended().await;
        }
        assert!(slots.counts.is_empty() && slots.owners.is_empty());
        assert!(slots.spawn(Kind::Serve, peer, async {}));
    }
}
