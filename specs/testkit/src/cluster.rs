//! A cluster of whole nodes on a simulated network: time, delay, loss and crashes from one seed.
//!
//! Nodes store their blocks in memory. Nothing runs in parallel, and time advances from event to event,
//! so a seed gives the same run on every machine.

use std::collections::BTreeMap;

use ledger::verify;
use replication::limits::TICK_MILLIS;
use replication::{
    LogHead, LogView, Millis, Peer, RequestId, StreamError, StreamOutcome, SyncAction, SyncEvent, SyncRequest,
};
use schemas::cid::{Cid, PublisherId, ReleaseId};
use schemas::verdict::Verdict;
use service::query::LedgerQuery;
use service::{Core, CoreOutput, MemoryStorage, Storage};

use crate::node_core::open_core;
use crate::random::SeededRandom;

/// Longest delay of a message, in simulated milliseconds.
const DELAY_MILLIS: u64 = 2_000;
/// Time after which a lost request is reported as timed out.
const IDLE_MILLIS: u64 = 10_000;

/// Something that is delivered to a node.
#[derive(Debug)]
enum Delivery {
    Event(SyncEvent),
    Block(RequestId, Cid, Vec<u8>),
    Request { requester: usize, request_id: RequestId, request: SyncRequest },
}

/// A cluster. Node `n` signs with the operating key of [`publisher_seed`]`(n)`.
pub struct Cluster {
    /// Seed of the run.
    pub seed: u64,
    /// Simulated time in milliseconds.
    pub now: u64,
    cores: Vec<Core<MemoryStorage>>,
    storages: Vec<MemoryStorage>,
    links: Vec<(usize, usize)>,
    /// Deliveries by time, then by order of sending: node, its start count, delivery.
    queue: BTreeMap<(u64, u64), (usize, u32, Delivery)>,
    sent: u64,
    /// Number of restarts of each node. Deliveries to an earlier start are dropped.
    restarts: Vec<u32>,
    random: SeededRandom,
    loss_percent: u64,
}

/// Seed of the publisher whose operating key a node has.
pub fn publisher_seed(node: usize) -> u8 {
    1 + node as u8
}

fn open_node(node: usize, storage: &MemoryStorage) -> Core<MemoryStorage> {
    open_core(storage.clone(), publisher_seed(node))
}

fn peer_of(node: usize) -> Peer {
    Peer(node.to_string())
}

impl Cluster {
    /// Creates nodes without publishers. `links` connect pairs of them; of all messages and blocks,
    /// `loss_percent` are lost.
    pub fn new(seed: u64, nodes: usize, links: &[(usize, usize)], loss_percent: u64) -> Self {
        let storages: Vec<MemoryStorage> = (0..nodes).map(|_| MemoryStorage::default()).collect();
        let cores = storages.iter().enumerate().map(|(node, storage)| open_node(node, storage)).collect();
        let random = SeededRandom::new(seed);
        Self {
            seed,
            now: 0,
            cores,
            storages,
            links: links.to_vec(),
            queue: BTreeMap::new(),
            sent: 0,
            restarts: vec![0; nodes],
            random,
            loss_percent,
        }
    }

    /// Core of a node.
    pub fn core(&mut self, node: usize) -> &mut Core<MemoryStorage> {
        &mut self.cores[node]
    }

    /// Connects the links and starts the clock.
    pub fn start(&mut self) {
        for node in 0..self.cores.len() {
            self.schedule(node, TICK_MILLIS, Delivery::Event(SyncEvent::Tick));
            self.connect_links(node);
        }
    }

    fn neighbours(&self, node: usize) -> Vec<usize> {
        let ends = self.links.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]);
        ends.filter(|(from, _)| *from == node).map(|(_, to)| to).collect()
    }

    fn connect_links(&mut self, node: usize) {
        for other in self.neighbours(node) {
            self.schedule(node, 1, Delivery::Event(SyncEvent::Connected(peer_of(other))));
        }
    }

    /// Stops a node between two events and starts it again from its storage.
    pub fn crash_node(&mut self, node: usize) {
        self.restarts[node] += 1;
        self.cores[node] = open_node(node, &self.storages[node]);
        self.schedule(node, TICK_MILLIS, Delivery::Event(SyncEvent::Tick));
        for other in self.neighbours(node) {
            // Peers see the connection close before the restarted node connects again.
            self.schedule(other, 1, Delivery::Event(SyncEvent::Disconnected(peer_of(node))));
            self.schedule(other, 2, Delivery::Event(SyncEvent::Connected(peer_of(node))));
        }
        self.connect_links(node);
        self.drain_outputs(node);
    }

    fn schedule(&mut self, node: usize, delay: u64, delivery: Delivery) {
        // The count breaks ties of one millisecond, so that a seed gives one order.
        self.sent += 1;
        self.queue.insert((self.now + delay, self.sent), (node, self.restarts[node], delivery));
    }

    fn random_delay(&mut self) -> u64 {
        1 + self.random.below(DELAY_MILLIS)
    }

    fn is_lost(&mut self) -> bool {
        self.random.below(100) < self.loss_percent
    }

    /// Makes the next delivery.
    ///
    /// # Panics
    /// Nothing is left to deliver.
    pub fn step(&mut self) {
        let Some(((time, _), (node, restart, delivery))) = self.queue.pop_first() else {
            panic!("the cluster has stopped: no delivery is left")
        };
        self.now = time;
        // Addressed to the node before its crash: connections do not survive a restart.
        if restart != self.restarts[node] {
            return;
        }
        let now = Millis(self.now);
        match delivery {
            Delivery::Event(event) => {
                if event == SyncEvent::Tick {
                    self.schedule(node, TICK_MILLIS, Delivery::Event(SyncEvent::Tick));
                }
                self.cores[node].handle_event(now, event).unwrap();
            }
            Delivery::Block(request_id, id, bytes) => {
                self.cores[node].accept_block(now, request_id, id, bytes).unwrap()
            }
            Delivery::Request { requester, request_id, request } => {
                self.serve_request(node, requester, request_id, request)
            }
        }
        self.drain_outputs(node);
    }

    /// Sends the requested blocks in order; the first lost one ends the stream.
    fn serve_request(&mut self, node: usize, requester: usize, request_id: RequestId, request: SyncRequest) {
        let ids: Vec<Cid> = match request {
            SyncRequest::Blocks { ids } => ids,
            SyncRequest::Entries { publisher, from, count } => {
                let entries = self.cores[node].entry_ids(publisher, from, count).unwrap();
                entries.into_iter().map(|entry| entry.cid()).collect()
            }
        };
        let mut delay = self.random_delay();
        let mut outcome = StreamOutcome::Complete;
        for id in ids {
            // A peer sends the requested blocks that it has, and skips the others.
            let Some(bytes) = self.storages[node].get(id).unwrap() else { continue };
            if self.is_lost() {
                outcome = StreamOutcome::Interrupted(StreamError::Broken);
                break;
            }
            // Blocks arrive in the order of the response, as on a stream.
            delay += 1;
            self.schedule(requester, delay, Delivery::Block(request_id, id, bytes));
        }
        self.schedule(
            requester,
            delay + 1,
            Delivery::Event(SyncEvent::RequestFinished { request_id, outcome }),
        );
    }

    /// Carries out the outputs of a node until it has no more.
    fn drain_outputs(&mut self, node: usize) {
        loop {
            // Recording a verification makes new outputs, so this repeats until there are none.
            let outputs = self.cores[node].take_outputs();
            if outputs.is_empty() {
                return;
            }
            for output in outputs {
                match output {
                    CoreOutput::Network(action) => self.perform_action(node, action),
                    CoreOutput::Verify(release) => {
                        let storage = self.storages[node].clone();
                        let found = verify::verify_release(release, &|id| storage.get(id).ok().flatten());
                        self.cores[node].record_verification(&found, 0).unwrap();
                    }
                    CoreOutput::Accepted { .. } | CoreOutput::Forked { .. } => {}
                }
            }
        }
    }

    fn perform_action(&mut self, node: usize, action: SyncAction) {
        match action {
            SyncAction::Gossip(heads) => {
                for other in self.neighbours(node) {
                    self.send_heads(node, other, heads.clone());
                }
            }
            SyncAction::SendHeads { peer, heads } => self.send_heads(node, peer.0.parse().unwrap(), heads),
            SyncAction::SendRequest { peer, request_id, request } => {
                let other: usize = peer.0.parse().unwrap();
                if self.is_lost() {
                    // The requester learns of a lost request only by its time-out.
                    let outcome = StreamOutcome::Interrupted(StreamError::TimedOut);
                    self.schedule(
                        node,
                        IDLE_MILLIS,
                        Delivery::Event(SyncEvent::RequestFinished { request_id, outcome }),
                    );
                } else {
                    let delay = self.random_delay();
                    self.schedule(other, delay, Delivery::Request { requester: node, request_id, request });
                }
            }
            SyncAction::CancelRequest { request_id } => {
                // The core waits for the end of every request, also of one that it cancelled.
                let outcome = StreamOutcome::Interrupted(StreamError::Cancelled);
                self.schedule(node, 1, Delivery::Event(SyncEvent::RequestFinished { request_id, outcome }));
            }
            // The simulation has no connections that a penalty could close.
            SyncAction::Penalise { .. } => {}
        }
    }

    fn send_heads(&mut self, node: usize, other: usize, heads: Vec<LogHead>) {
        if !self.is_lost() {
            let delay = self.random_delay();
            self.schedule(
                other,
                delay,
                Delivery::Event(SyncEvent::HeadsReceived { from: peer_of(node), heads }),
            );
        }
    }

    /// Verdict of a node on a release.
    pub fn local_verdict(&self, node: usize, release: ReleaseId) -> Option<Verdict> {
        LedgerQuery(&self.storages[node]).local_verdict(release).unwrap()
    }

    /// Number of attestations of a release that a node has.
    pub fn attestation_count(&self, node: usize, release: ReleaseId) -> usize {
        LedgerQuery(&self.storages[node]).list_attestations(release).unwrap().len()
    }

    fn publisher_of(&self, node: usize) -> PublisherId {
        self.cores[node].own_publisher().unwrap()
    }

    /// Number of complete entries that `node` has of the log of the publisher at node `of`.
    pub fn complete_entries(&self, node: usize, of: usize) -> u64 {
        let logs = LedgerQuery(&self.storages[node]).list_logs().unwrap();
        logs.iter().find(|log| log.publisher == self.publisher_of(of)).map_or(0, |log| log.complete)
    }

    /// Number of entries that `node` has of all logs.
    pub fn entry_count(&self, node: usize) -> u64 {
        LedgerQuery(&self.storages[node]).list_logs().unwrap().iter().map(|log| log.length).sum()
    }

    /// Whether `node` has evidence of a fork by the publisher at node `of`.
    pub fn knows_fork(&self, node: usize, of: usize) -> bool {
        LogView::has_fork(&self.cores[node], self.publisher_of(of))
    }
}
