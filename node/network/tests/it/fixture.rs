//! Nodes for tests, and waiting for their reports. No test sleeps: it waits for a report.

use std::time::Duration;

use network::{NetworkConfig, NetworkHandle, NodeKey, SwarmReport, start};
use replication::{LogHead, Peer, RequestId, StreamOutcome};
use schemas::cid::{Cid, Codec, PublisherId};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Longer than any report takes, even on a loaded machine.
pub const EVENT_TIMEOUT: Duration = Duration::from_secs(60);

pub const TCP: &str = "/ip4/127.0.0.1/tcp/0";
pub const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

pub struct TestNode {
    pub network: NetworkHandle,
    pub events: mpsc::Receiver<SwarmReport>,
    pub address: String,
}

pub fn config(seed: u8, listen: &str) -> NetworkConfig {
    let mut config = NetworkConfig::new(NodeKey::from_seed([seed; 32]));
    config.listen = vec![listen.into()];
    config
}

/// Starts a node and waits until it listens.
pub async fn node(config: NetworkConfig) -> TestNode {
    let (network, events) = start(config).unwrap();
    let mut node = TestNode { network, events, address: String::new() };
    node.address = node
        .wait_for(|event| match event {
            SwarmReport::Listening(address) => Some(address),
            _ => None,
        })
        .await;
    node
}

/// Starts two nodes and connects them; the first dials.
pub async fn pair(listen: &str) -> (TestNode, TestNode) {
    let (mut a, mut b) = (node(config(1, listen)).await, node(config(2, listen)).await);
    connect_nodes(&mut a, &mut b).await;
    (a, b)
}

pub async fn connect_nodes(a: &mut TestNode, b: &mut TestNode) {
    assert_eq!(a.network.dial_address(&b.address).await.as_ref(), Ok(b.network.local_peer()));
    a.connected(&b.peer()).await;
    b.connected(&a.peer()).await;
}

impl TestNode {
    pub fn peer(&self) -> Peer {
        self.network.local_peer().clone()
    }

    /// Waits for the report that `pick` accepts and drops the others.
    pub async fn wait_for<T>(&mut self, mut pick: impl FnMut(SwarmReport) -> Option<T>) -> T {
        let picked = async {
            loop {
                let event = self.events.recv().await.expect("the network runs");
                if let Some(picked) = pick(event) {
                    return picked;
                }
            }
        };
        timeout(EVENT_TIMEOUT, picked).await.expect("the event comes in time")
    }

    pub async fn connected(&mut self, wanted: &Peer) {
        self.wait_for(|event| match event {
            SwarmReport::Connected { peer, .. } if peer == *wanted => Some(()),
            _ => None,
        })
        .await;
    }

    pub async fn disconnected(&mut self, wanted: &Peer) {
        self.wait_for(|event| match event {
            SwarmReport::Disconnected(peer) if peer == *wanted => Some(()),
            _ => None,
        })
        .await;
    }

    /// Returns the blocks and the outcome of a request.
    pub async fn response(&mut self, wanted: RequestId) -> (Vec<(Cid, Vec<u8>)>, StreamOutcome) {
        let mut blocks = Vec::new();
        let outcome = self
            .wait_for(|event| match event {
                SwarmReport::BlockReceived { request_id, id, bytes, .. } if request_id == wanted => {
                    blocks.push((id, bytes));
                    None
                }
                SwarmReport::RequestFinished { request_id, outcome } if request_id == wanted => Some(outcome),
                _ => None,
            })
            .await;
        (blocks, outcome)
    }
}

pub fn head(n: u8) -> LogHead {
    let publisher = PublisherId::of(&[n]);
    LogHead { publisher, length: u64::from(n) + 1, last: publisher.genesis() }
}

pub fn block(n: usize, bytes: usize) -> (Cid, Vec<u8>) {
    let mut content = vec![n as u8; bytes.max(8)];
    content[..8].copy_from_slice(&n.to_be_bytes());
    (Cid::of(Codec::Raw, &content), content)
}

/// Answers every request with these blocks and drops all other reports.
pub fn serve_blocks(mut node: TestNode, blocks: Vec<(Cid, Vec<u8>)>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        // The whole node moves in: without its handle the network would stop.
        let node = &mut node;
        while let Some(event) = node.events.recv().await {
            if let SwarmReport::RequestReceived { reply, .. } = event {
                let blocks = blocks.clone();
                tokio::spawn(async move {
                    for block in blocks {
                        if reply.send(block).await.is_err() {
                            return;
                        }
                    }
                });
            }
        }
    })
}
