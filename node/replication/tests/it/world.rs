//! Nodes on the simulated network: carries out what each machine decides, and watches the bounds.

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

use super::net::{Letter, Net, Weather};
use super::node::{Entry, Node};

/// What travels, and what a node hears from its own clock.
pub enum Message {
    Heads(Vec<LogHead>),
    Request(RequestId, SyncRequest),
    Block(RequestId, Cid, Vec<u8>),
    End(RequestId, StreamOutcome),
    Tick,
}

/// How a node treats those that ask it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    Honest,
    /// Sends bytes that are not what their id says.
    Wrong,
    /// Sends the first block over and over.
    Endless,
    /// Says that its logs are longer than they are.
    Boastful,
    /// Sends entries that nobody signed.
    Forger,
    /// Takes requests and says nothing.
    Silent,
}

pub struct Actor {
    pub node: Node,
    pub machine: SyncMachine,
    pub manner: Manner,
    asked: BTreeMap<RequestId, (Peer, SyncRequest)>,
    pub received: u64,
}

pub struct World {
    pub actors: Vec<Actor>,
    pub net: Net<Message>,
    /// Who blamed whom for what.
    pub blame: Vec<(usize, usize, Severity, &'static str)>,
    cancelled: BTreeSet<(usize, RequestId)>,
}

fn peer(index: usize) -> Peer {
    Peer(index.to_string())
}

fn index(peer: &Peer) -> usize {
    peer.0.parse().unwrap()
}

impl World {
    pub fn new(seed: u64, weather: Weather, nodes: usize) -> Self {
        let mut net = Net::new(seed, weather);
        let actor = |_| Actor {
            node: Node::default(),
            machine: SyncMachine::default(),
            manner: Manner::Honest,
            asked: BTreeMap::new(),
            received: 0,
        };
        for node in 0..nodes {
            let at = net.now.after(net.random.below(TICK_MILLIS));
            net.post(at, node, node, Message::Tick);
        }
        let (blame, cancelled) = (Vec::new(), BTreeSet::new());
        Self { actors: (0..nodes).map(actor).collect(), net, blame, cancelled }
    }

    pub fn connect(&mut self, a: usize, b: usize) {
        self.net.connect(a, b);
        self.tell(a, SyncEvent::Connected(peer(b)));
        self.tell(b, SyncEvent::Connected(peer(a)));
    }

    pub fn publish(&mut self, at: usize, log: Option<PublisherId>, name: &str, depth: usize) -> PublisherId {
        let publisher = self.actors[at].node.publish(log, name, depth);
        self.tell(at, SyncEvent::LogGrown { publisher });
        publisher
    }

    /// Runs until `done`, looked at with each tick, or says that it was not within `millis`.
    pub fn run(&mut self, millis: u64, done: impl Fn(&World) -> bool) -> bool {
        let end = self.net.now.after(millis);
        while self.net.now < end {
            let Some(letter) = self.net.next() else { return done(self) };
            let tick = matches!(letter.message, Message::Tick);
            self.deliver(letter);
            if tick && done(self) {
                return true;
            }
        }
        done(self)
    }

    fn deliver(&mut self, Letter { from, to, message }: Letter<Message>) {
        match message {
            Message::Tick => {
                self.net.post(self.net.now.after(TICK_MILLIS), to, to, Message::Tick);
                self.tell(to, SyncEvent::Tick);
            }
            Message::Heads(heads) => self.tell(to, SyncEvent::HeadsReceived { from: peer(from), heads }),
            Message::Request(request_id, request) => self.serve(from, to, request_id, &request),
            Message::Block(request_id, id, bytes) => self.receive(to, request_id, id, &bytes),
            Message::End(request_id, outcome) => {
                if self.actors[to].asked.remove(&request_id).is_some() {
                    self.tell(to, SyncEvent::RequestFinished { request_id, outcome });
                }
            }
        }
    }

    fn receive(&mut self, to: usize, request_id: RequestId, id: Cid, bytes: &[u8]) {
        // A cancelled stream delivers nothing more.
        if !self.actors[to].asked.contains_key(&request_id) {
            return;
        }
        self.actors[to].received += 1;
        let node = &mut self.actors[to].node;
        let before = node.logs.clone();
        let verdict = node.keep(id, bytes);
        let grown: Vec<_> =
            node.logs.keys().copied().filter(|log| node.logs.get(log) != before.get(log)).collect();
        let size = bytes.len();
        self.tell(to, SyncEvent::BlockReceived { request_id, id, bytes: size, verdict });
        for publisher in grown {
            self.tell(to, SyncEvent::LogGrown { publisher });
        }
    }

    /// Sends the blocks of an answer in order; the first that is lost breaks the stream.
    fn serve(&mut self, asker: usize, at: usize, request_id: RequestId, request: &SyncRequest) {
        let manner = self.actors[at].manner;
        let mut when = self.net.now;
        for (id, bytes) in self.answer(at, manner, request) {
            when = when.after(self.net.delay());
            if !self.net.hears(at, asker) || self.net.lost() {
                // Half of the time the asker notices at once.
                if self.net.random.percent(50) {
                    self.net.post(
                        when,
                        at,
                        asker,
                        Message::End(request_id, StreamOutcome::Interrupted(StreamError::Broken)),
                    );
                }
                return;
            }
            self.net.post(when, at, asker, Message::Block(request_id, id, bytes));
        }
        if manner != Manner::Silent && self.net.hears(at, asker) {
            let when = when.after(self.net.delay());
            self.net.post(when, at, asker, Message::End(request_id, StreamOutcome::Complete));
        }
    }

    fn answer(&self, at: usize, manner: Manner, request: &SyncRequest) -> Vec<(Cid, Vec<u8>)> {
        let blocks = self.actors[at].node.answer(request);
        match manner {
            Manner::Honest | Manner::Boastful => blocks,
            Manner::Silent => Vec::new(),
            Manner::Wrong => blocks.into_iter().map(|(id, _)| (id, b"b nonsense".to_vec())).collect(),
            Manner::Endless => blocks.into_iter().take(1).cycle().take(5_000).collect(),
            Manner::Forger => blocks.into_iter().map(forge).collect(),
        }
    }

    /// Lets a node know something, and carries out what it decides.
    pub fn tell(&mut self, at: usize, event: SyncEvent) {
        let now = self.net.now;
        let actor = &mut self.actors[at];
        let actions = actor.machine.handle_event(now, event, &actor.node);
        for action in actions {
            self.act(at, action);
        }
        self.check(at);
    }

    fn act(&mut self, at: usize, action: SyncAction) {
        match action {
            SyncAction::Gossip(heads) => {
                for to in 0..self.actors.len() {
                    let heads = self.boast(at, &heads);
                    self.net.send(at, to, Message::Heads(heads));
                }
            }
            SyncAction::SendHeads { peer, heads } => {
                let heads = self.boast(at, &heads);
                self.net.send(at, index(&peer), Message::Heads(heads));
            }
            SyncAction::SendRequest { peer, request_id, request } => {
                assert!(SyncRequest::decode(&request.encode().unwrap()).is_ok());
                self.actors[at].asked.insert(request_id, (peer.clone(), request.clone()));
                self.net.send(at, index(&peer), Message::Request(request_id, request));
            }
            SyncAction::CancelRequest { request_id } => {
                assert!(self.actors[at].asked.remove(&request_id).is_some(), "cancelled what was not asked");
                assert!(self.cancelled.insert((at, request_id)), "cancelled twice");
            }
            SyncAction::Penalise { peer, severity, reason } => {
                self.blame.push((at, index(&peer), severity, reason));
            }
        }
    }

    fn boast(&self, at: usize, heads: &[LogHead]) -> Vec<LogHead> {
        assert!((1..=HEADS_MAX).contains(&heads.len()));
        let more = if self.actors[at].manner == Manner::Boastful { 1_000 } else { 0 };
        heads.iter().map(|head| LogHead { length: head.length + more, ..*head }).collect()
    }

    /// The bounds that hold at every moment.
    fn check(&self, at: usize) {
        let actor = &self.actors[at];
        let load = actor.machine.current_load();
        assert!(load.requests <= REQUESTS_MAX && load.fetches <= FETCHES_MAX);
        assert!(
            load.claims <= HEADS_PER_PEER_MAX * self.actors.len()
                && load.pending_heads <= 2 * PENDING_HEADS_MAX
        );
        for other in 0..self.actors.len() {
            let asked = actor.asked.values().filter(|(asked, _)| *asked == peer(other)).count();
            assert!(asked <= REQUESTS_PER_PEER_MAX, "{asked} requests at once with one peer");
        }
    }

    /// Whether `by` found that `whom` did what no honest peer does.
    pub fn caught(&self, by: usize, whom: usize) -> bool {
        self.blame.iter().any(|blame| (blame.0, blame.1, blame.2) == (by, whom, Severity::Severe))
    }
}

/// The same entry without its signature, under its own right hash.
fn forge((id, bytes): (Cid, Vec<u8>)) -> (Cid, Vec<u8>) {
    match Entry::decode(&bytes) {
        Some(entry) => {
            let bytes = Entry { signed: false, ..entry }.encode();
            (Cid::of(Codec::Raw, &bytes), bytes)
        }
        None => (id, bytes),
    }
}
