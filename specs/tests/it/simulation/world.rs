//! The simulated network: nodes, links, time, and what gets lost.

use std::collections::BTreeMap;

use ledger::verify;
use replication::limits::TICK_MILLIS;
use replication::{
    LogHead, LogView, Millis, Peer, RequestId, StreamError, StreamOutcome, SyncAction, SyncEvent, SyncRequest,
};
use schemas::cid::{Cid, PublisherId, ReleaseId};
use schemas::key::SecretKey;
use schemas::text::Text;
use schemas::verdict::Verdict;
use service::query::LedgerQuery;
use service::{Core, CoreOutput, CoreSetup, MemoryStorage, Signer, Storage};

/// Longest delay of a message.
const DELAY_MILLIS: u64 = 2_000;
/// After which a request that got lost is given up.
const IDLE_MILLIS: u64 = 10_000;

/// xorshift64*: the same numbers for the same seed on every machine.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }
}

/// Something that will happen to a node.
enum Parcel {
    Event(SyncEvent),
    Block(RequestId, Cid, Vec<u8>),
    Asked { asker: usize, request_id: RequestId, request: SyncRequest },
}

pub(super) struct World {
    pub(super) seed: u64,
    pub(super) now: u64,
    cores: Vec<Core<MemoryStorage>>,
    keeps: Vec<MemoryStorage>,
    links: Vec<(usize, usize)>,
    /// By time, then by order of sending.
    queue: BTreeMap<(u64, u64), (usize, u32, Parcel)>,
    sent: u64,
    /// How often each node has started: what was on its way to an earlier life is lost.
    lives: Vec<u32>,
    random: Random,
    loss: u64,
}

/// The key by which node `node` signs.
pub(super) fn key(node: usize) -> SecretKey {
    SecretKey::from_seed(&[100 + node as u8; 32])
}

fn open(node: usize, keep: &MemoryStorage) -> Core<MemoryStorage> {
    let build = Text::new("simulation").unwrap();
    let setup = CoreSetup { signer: Some(Signer(key(node))), build, attest: true };
    Core::open(std::sync::Arc::new(keep.clone()), setup).unwrap()
}

fn peer(node: usize) -> Peer {
    Peer(node.to_string())
}

impl World {
    pub(super) fn new(seed: u64, nodes: usize, links: &[(usize, usize)], loss: u64) -> Self {
        let keeps: Vec<MemoryStorage> = (0..nodes).map(|_| MemoryStorage::default()).collect();
        let cores = keeps.iter().enumerate().map(|(node, keep)| open(node, keep)).collect();
        let random = Random::new(seed);
        Self {
            seed,
            now: 0,
            cores,
            keeps,
            links: links.to_vec(),
            queue: BTreeMap::new(),
            sent: 0,
            lives: vec![0; nodes],
            random,
            loss,
        }
    }

    pub(super) fn core(&mut self, node: usize) -> &mut Core<MemoryStorage> {
        &mut self.cores[node]
    }

    /// Connects the links and lets time begin.
    pub(super) fn start(&mut self) {
        for node in 0..self.cores.len() {
            self.post(node, TICK_MILLIS, Parcel::Event(SyncEvent::Tick));
            self.connect(node);
        }
    }

    fn neighbours(&self, node: usize) -> Vec<usize> {
        let ends = self.links.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]);
        ends.filter(|(from, _)| *from == node).map(|(_, to)| to).collect()
    }

    fn connect(&mut self, node: usize) {
        for other in self.neighbours(node) {
            self.post(node, 1, Parcel::Event(SyncEvent::Connected(peer(other))));
        }
    }

    /// Ends a node between two events and starts it again on what it kept.
    pub(super) fn crash(&mut self, node: usize) {
        self.lives[node] += 1;
        self.cores[node] = open(node, &self.keeps[node]);
        self.post(node, TICK_MILLIS, Parcel::Event(SyncEvent::Tick));
        for other in self.neighbours(node) {
            self.post(other, 1, Parcel::Event(SyncEvent::Disconnected(peer(node))));
            self.post(other, 2, Parcel::Event(SyncEvent::Connected(peer(node))));
        }
        self.connect(node);
        self.drain(node);
    }

    fn post(&mut self, node: usize, delay: u64, parcel: Parcel) {
        self.sent += 1;
        self.queue.insert((self.now + delay, self.sent), (node, self.lives[node], parcel));
    }

    fn delay(&mut self) -> u64 {
        1 + self.random.below(DELAY_MILLIS)
    }

    fn lost(&mut self) -> bool {
        self.random.below(100) < self.loss
    }

    /// Lets the next thing happen.
    pub(super) fn step(&mut self) {
        let Some(((time, _), (node, life, parcel))) = self.queue.pop_first() else {
            panic!("nothing happens any more")
        };
        self.now = time;
        if life != self.lives[node] {
            return;
        }
        let now = Millis(self.now);
        match parcel {
            Parcel::Event(event) => {
                if event == SyncEvent::Tick {
                    self.post(node, TICK_MILLIS, Parcel::Event(SyncEvent::Tick));
                }
                self.cores[node].handle_event(now, event).unwrap();
            }
            Parcel::Block(request_id, id, bytes) => {
                self.cores[node].accept_block(now, request_id, id, bytes).unwrap()
            }
            Parcel::Asked { asker, request_id, request } => self.serve(node, asker, request_id, request),
        }
        self.drain(node);
    }

    /// Sends what was asked for, until a record is lost.
    fn serve(&mut self, node: usize, asker: usize, request_id: RequestId, request: SyncRequest) {
        let ids: Vec<Cid> = match request {
            SyncRequest::Blocks { ids } => ids,
            SyncRequest::Entries { publisher, from, count } => {
                let entries = self.cores[node].entry_ids(publisher, from, count).unwrap();
                entries.into_iter().map(|entry| entry.cid()).collect()
            }
        };
        let mut delay = self.delay();
        let mut outcome = StreamOutcome::Complete;
        for id in ids {
            let Some(bytes) = self.keeps[node].get(id).unwrap() else { continue };
            if self.lost() {
                outcome = StreamOutcome::Interrupted(StreamError::Broken);
                break;
            }
            delay += 1;
            self.post(asker, delay, Parcel::Block(request_id, id, bytes));
        }
        self.post(asker, delay + 1, Parcel::Event(SyncEvent::RequestFinished { request_id, outcome }));
    }

    /// Does what a node wants done.
    fn drain(&mut self, node: usize) {
        loop {
            let outputs = self.cores[node].take_outputs();
            if outputs.is_empty() {
                return;
            }
            for output in outputs {
                match output {
                    CoreOutput::Network(action) => self.act(node, action),
                    CoreOutput::Verify(release) => {
                        let keep = self.keeps[node].clone();
                        let found = verify::verify_release(release, &|id| keep.get(id).ok().flatten());
                        self.cores[node].record_verification(&found, 0).unwrap();
                    }
                    CoreOutput::Accepted { .. } | CoreOutput::Forked { .. } => {}
                }
            }
        }
    }

    fn act(&mut self, node: usize, action: SyncAction) {
        match action {
            SyncAction::Gossip(heads) => {
                for other in self.neighbours(node) {
                    self.say(node, other, heads.clone());
                }
            }
            SyncAction::SendHeads { peer, heads } => self.say(node, peer.0.parse().unwrap(), heads),
            SyncAction::SendRequest { peer, request_id, request } => {
                let other: usize = peer.0.parse().unwrap();
                if self.lost() {
                    let outcome = StreamOutcome::Interrupted(StreamError::TimedOut);
                    self.post(
                        node,
                        IDLE_MILLIS,
                        Parcel::Event(SyncEvent::RequestFinished { request_id, outcome }),
                    );
                } else {
                    let delay = self.delay();
                    self.post(other, delay, Parcel::Asked { asker: node, request_id, request });
                }
            }
            SyncAction::CancelRequest { request_id } => {
                let outcome = StreamOutcome::Interrupted(StreamError::Cancelled);
                self.post(node, 1, Parcel::Event(SyncEvent::RequestFinished { request_id, outcome }));
            }
            SyncAction::Penalise { .. } => {}
        }
    }

    fn say(&mut self, node: usize, other: usize, heads: Vec<LogHead>) {
        if !self.lost() {
            let delay = self.delay();
            self.post(other, delay, Parcel::Event(SyncEvent::HeadsReceived { from: peer(node), heads }));
        }
    }

    pub(super) fn verdict(&self, node: usize, release: ReleaseId) -> Option<Verdict> {
        LedgerQuery(&self.keeps[node]).local_verdict(release).unwrap()
    }

    pub(super) fn attestations(&self, node: usize, release: ReleaseId) -> usize {
        LedgerQuery(&self.keeps[node]).list_attestations(release).unwrap().len()
    }

    fn publisher(&self, node: usize) -> PublisherId {
        self.cores[node].own_publisher().unwrap()
    }

    /// Entries that `node` holds whole of the log of the publisher at `of`.
    pub(super) fn whole(&self, node: usize, of: usize) -> u64 {
        let logs = LedgerQuery(&self.keeps[node]).list_logs().unwrap();
        logs.iter().find(|log| log.publisher == self.publisher(of)).map_or(0, |log| log.complete)
    }

    /// Entries that `node` holds of all logs.
    pub(super) fn held(&self, node: usize) -> u64 {
        LedgerQuery(&self.keeps[node]).list_logs().unwrap().iter().map(|log| log.length).sum()
    }

    /// Whether `node` knows that the publisher at `of` signed two histories.
    pub(super) fn forked(&self, node: usize, of: usize) -> bool {
        LogView::has_fork(&self.cores[node], self.publisher(of))
    }
}
