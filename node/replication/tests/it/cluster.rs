//! Nodes on the simulated network: carries out their actions and asserts the bounds.

use std::collections::{BTreeMap, BTreeSet};

use replication::limits::{
    FETCHES_MAX, HEADS_MAX, HEADS_PER_PEER_MAX, PENDING_HEADS_MAX, REQUESTS_MAX, REQUESTS_PER_PEER_MAX,
    TICK_MILLIS,
};
use replication::{
    LogHead, Peer, RequestId, Severity, StreamError, StreamOutcome, SyncAction, SyncEvent, SyncMachine,
    SyncRequest,
};
use schemas::cid::{Cid, Codec, PublisherId};

use super::simulated_network::{Envelope, LinkQuality, SimulatedNetwork};
use super::test_node::{TestEntry, TestNode};

/// Messages between nodes, and the clock of a node.
pub enum Message {
    Heads(Vec<LogHead>),
    Request(RequestId, SyncRequest),
    Block(RequestId, Cid, Vec<u8>),
    End(RequestId, StreamOutcome),
    Tick,
}

/// Response of a node to requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PeerBehaviour {
    Honest,
    /// Sends bytes with a hash mismatch.
    HashMismatch,
    /// Sends the first block over and over.
    Endless,
    /// Announces longer logs than it has.
    FalseHeads,
    /// Sends entries without a signature.
    UnsignedEntries,
    /// Accepts requests and sends nothing.
    Silent,
}

pub struct SimulatedNode {
    pub node: TestNode,
    pub machine: SyncMachine,
    pub behaviour: PeerBehaviour,
    open_requests: BTreeMap<RequestId, (Peer, SyncRequest)>,
    pub received: u64,
}

pub struct Cluster {
    pub nodes: Vec<SimulatedNode>,
    pub network: SimulatedNetwork<Message>,
    /// Penalties: reporting node, penalised node, severity, reason.
    pub penalties: Vec<(usize, usize, Severity, &'static str)>,
    cancelled: BTreeSet<(usize, RequestId)>,
}

fn peer(index: usize) -> Peer {
    Peer(index.to_string())
}

fn index(peer: &Peer) -> usize {
    peer.0.parse().unwrap()
}

impl Cluster {
    pub fn new(seed: u64, link: LinkQuality, node_count: usize) -> Self {
        let mut network = SimulatedNetwork::new(seed, link);
        let simulated = |_| SimulatedNode {
            node: TestNode::default(),
            machine: SyncMachine::default(),
            behaviour: PeerBehaviour::Honest,
            open_requests: BTreeMap::new(),
            received: 0,
        };
        for node in 0..node_count {
            let at = network.now.after(network.random.below(TICK_MILLIS));
            network.deliver_at(at, node, node, Message::Tick);
        }
        let (penalties, cancelled) = (Vec::new(), BTreeSet::new());
        Self { nodes: (0..node_count).map(simulated).collect(), network, penalties, cancelled }
    }

    pub fn connect(&mut self, a: usize, b: usize) {
        self.network.connect(a, b);
        self.handle_event(a, SyncEvent::Connected(peer(b)));
        self.handle_event(b, SyncEvent::Connected(peer(a)));
    }

    pub fn publish(&mut self, at: usize, log: Option<PublisherId>, name: &str, depth: usize) -> PublisherId {
        let publisher = self.nodes[at].node.publish(log, name, depth);
        self.handle_event(at, SyncEvent::LogGrown { publisher });
        publisher
    }

    /// Runs until `done` holds, checked at each tick; returns false if it does not within `millis`.
    pub fn run(&mut self, millis: u64, done: impl Fn(&Cluster) -> bool) -> bool {
        let end = self.network.now.after(millis);
        while self.network.now < end {
            let Some(envelope) = self.network.next() else { return done(self) };
            let tick = matches!(envelope.message, Message::Tick);
            self.deliver(envelope);
            if tick && done(self) {
                return true;
            }
        }
        done(self)
    }

    fn deliver(&mut self, Envelope { from, to, message }: Envelope<Message>) {
        match message {
            Message::Tick => {
                self.network.deliver_at(self.network.now.after(TICK_MILLIS), to, to, Message::Tick);
                self.handle_event(to, SyncEvent::Tick);
            }
            Message::Heads(heads) => {
                self.handle_event(to, SyncEvent::HeadsReceived { from: peer(from), heads })
            }
            Message::Request(request_id, request) => self.serve(from, to, request_id, &request),
            Message::Block(request_id, id, bytes) => self.receive(to, request_id, id, &bytes),
            Message::End(request_id, outcome) => {
                if self.nodes[to].open_requests.remove(&request_id).is_some() {
                    self.handle_event(to, SyncEvent::RequestFinished { request_id, outcome });
                }
            }
        }
    }

    fn receive(&mut self, to: usize, request_id: RequestId, id: Cid, bytes: &[u8]) {
        // A cancelled stream delivers nothing more.
        if !self.nodes[to].open_requests.contains_key(&request_id) {
            return;
        }
        self.nodes[to].received += 1;
        let node = &mut self.nodes[to].node;
        let before = node.logs.clone();
        let verdict = node.store_block(id, bytes);
        let grown: Vec<_> =
            node.logs.keys().copied().filter(|log| node.logs.get(log) != before.get(log)).collect();
        let size = bytes.len();
        self.handle_event(to, SyncEvent::BlockReceived { request_id, id, bytes: size, verdict });
        for publisher in grown {
            self.handle_event(to, SyncEvent::LogGrown { publisher });
        }
    }

    /// Sends the blocks of a response in order; the first lost one breaks the stream.
    fn serve(&mut self, asker: usize, at: usize, request_id: RequestId, request: &SyncRequest) {
        let behaviour = self.nodes[at].behaviour;
        let mut when = self.network.now;
        for (id, bytes) in self.response_to(at, behaviour, request) {
            when = when.after(self.network.delay());
            if !self.network.can_reach(at, asker) || self.network.loses_message() {
                // In half of the cases the requester notices at once.
                if self.network.random.percent(50) {
                    self.network.deliver_at(
                        when,
                        at,
                        asker,
                        Message::End(request_id, StreamOutcome::Interrupted(StreamError::Broken)),
                    );
                }
                return;
            }
            self.network.deliver_at(when, at, asker, Message::Block(request_id, id, bytes));
        }
        if behaviour != PeerBehaviour::Silent && self.network.can_reach(at, asker) {
            let when = when.after(self.network.delay());
            self.network.deliver_at(when, at, asker, Message::End(request_id, StreamOutcome::Complete));
        }
    }

    fn response_to(&self, at: usize, behaviour: PeerBehaviour, request: &SyncRequest) -> Vec<(Cid, Vec<u8>)> {
        let blocks = self.nodes[at].node.response_to(request);
        match behaviour {
            PeerBehaviour::Honest | PeerBehaviour::FalseHeads => blocks,
            PeerBehaviour::Silent => Vec::new(),
            PeerBehaviour::HashMismatch => {
                blocks.into_iter().map(|(id, _)| (id, b"b nonsense".to_vec())).collect()
            }
            PeerBehaviour::Endless => blocks.into_iter().take(1).cycle().take(5_000).collect(),
            PeerBehaviour::UnsignedEntries => blocks.into_iter().map(remove_signature).collect(),
        }
    }

    /// Passes an event to a node and carries out the resulting actions.
    pub fn handle_event(&mut self, at: usize, event: SyncEvent) {
        let now = self.network.now;
        let simulated = &mut self.nodes[at];
        let actions = simulated.machine.handle_event(now, event, &simulated.node);
        for action in actions {
            self.carry_out(at, action);
        }
        self.check(at);
    }

    fn carry_out(&mut self, at: usize, action: SyncAction) {
        match action {
            SyncAction::Gossip(heads) => {
                for to in 0..self.nodes.len() {
                    let heads = self.announced_heads(at, &heads);
                    self.network.send(at, to, Message::Heads(heads));
                }
            }
            SyncAction::SendHeads { peer, heads } => {
                let heads = self.announced_heads(at, &heads);
                self.network.send(at, index(&peer), Message::Heads(heads));
            }
            SyncAction::SendRequest { peer, request_id, request } => {
                assert!(SyncRequest::decode(&request.encode().unwrap()).is_ok());
                self.nodes[at].open_requests.insert(request_id, (peer.clone(), request.clone()));
                self.network.send(at, index(&peer), Message::Request(request_id, request));
            }
            SyncAction::CancelRequest { request_id } => {
                assert!(
                    self.nodes[at].open_requests.remove(&request_id).is_some(),
                    "cancelled a request that is not open"
                );
                assert!(self.cancelled.insert((at, request_id)), "cancelled twice");
            }
            SyncAction::Penalise { peer, severity, reason } => {
                self.penalties.push((at, index(&peer), severity, reason));
            }
        }
    }

    fn announced_heads(&self, at: usize, heads: &[LogHead]) -> Vec<LogHead> {
        assert!((1..=HEADS_MAX).contains(&heads.len()));
        let more = if self.nodes[at].behaviour == PeerBehaviour::FalseHeads { 1_000 } else { 0 };
        heads.iter().map(|head| LogHead { length: head.length + more, ..*head }).collect()
    }

    /// Asserts the bounds that hold at all times.
    fn check(&self, at: usize) {
        let simulated = &self.nodes[at];
        let load = simulated.machine.current_load();
        assert!(load.requests <= REQUESTS_MAX && load.fetches <= FETCHES_MAX);
        assert!(
            load.claims <= HEADS_PER_PEER_MAX * self.nodes.len()
                && load.pending_heads <= 2 * PENDING_HEADS_MAX
        );
        for other in 0..self.nodes.len() {
            let asked = simulated.open_requests.values().filter(|(asked, _)| *asked == peer(other)).count();
            assert!(asked <= REQUESTS_PER_PEER_MAX, "{asked} requests at once with one peer");
        }
    }

    /// Returns whether `by` penalised `whom` for severe misbehaviour.
    pub fn found_severe(&self, by: usize, whom: usize) -> bool {
        self.penalties
            .iter()
            .any(|penalties| (penalties.0, penalties.1, penalties.2) == (by, whom, Severity::Severe))
    }
}

/// Returns the same entry without its signature, with a correct hash.
fn remove_signature((id, bytes): (Cid, Vec<u8>)) -> (Cid, Vec<u8>) {
    match TestEntry::decode(&bytes) {
        Some(entry) => {
            let bytes = TestEntry { signed: false, ..entry }.encode();
            (Cid::of(Codec::Raw, &bytes), bytes)
        }
        None => (id, bytes),
    }
}
