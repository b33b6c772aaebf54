//! Nodes for tests, and waiting for what they report. No test sleeps: it awaits an event.

use std::time::Duration;

use network::{NetworkConfig, NetworkHandle, NodeKey, SwarmReport, start};
use replication::{LogHead, Peer, RequestId, StreamOutcome};
use schemas::cid::{Cid, Codec, PublisherId};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// No event takes longer, even on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub const TCP: &str = "/ip4/127.0.0.1/tcp/0";
pub const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

pub struct Node {
    pub network: NetworkHandle,
    pub events: mpsc::Receiver<SwarmReport>,
    pub address: String,
}

pub fn config(seed: u8, listen: &str) -> NetworkConfig {
    let mut config = NetworkConfig::new(NodeKey::from_seed([seed; 32]));
    config.listen = vec![listen.into()];
    config
}

/// A node that listens already.
pub async fn node(config: NetworkConfig) -> Node {
    let (network, events) = start(config).unwrap();
    let mut node = Node { network, events, address: String::new() };
    node.address = node
        .until(|event| match event {
            SwarmReport::Listening(address) => Some(address),
            _ => None,
        })
        .await;
    node
}

/// Two nodes with a connection that both know of; the first dialled.
pub async fn pair(listen: &str) -> (Node, Node) {
    let (mut a, mut b) = (node(config(1, listen)).await, node(config(2, listen)).await);
    join(&mut a, &mut b).await;
    (a, b)
}

pub async fn join(a: &mut Node, b: &mut Node) {
    assert_eq!(a.network.dial_address(&b.address).await.as_ref(), Ok(b.network.local_peer()));
    a.connected(&b.peer()).await;
    b.connected(&a.peer()).await;
}

impl Node {
    pub fn peer(&self) -> Peer {
        self.network.local_peer().clone()
    }

    /// Waits for the event that `pick` takes; others pass.
    pub async fn until<T>(&mut self, mut pick: impl FnMut(SwarmReport) -> Option<T>) -> T {
        let picked = async {
            loop {
                let event = self.events.recv().await.expect("the network runs");
                if let Some(picked) = pick(event) {
                    return picked;
                }
            }
        };
        timeout(PATIENCE, picked).await.expect("the event comes in time")
    }

    pub async fn connected(&mut self, wanted: &Peer) {
        self.until(|event| match event {
            SwarmReport::Connected { peer, .. } if peer == *wanted => Some(()),
            _ => None,
        })
        .await;
    }

    pub async fn disconnected(&mut self, wanted: &Peer) {
        self.until(|event| match event {
            SwarmReport::Disconnected(peer) if peer == *wanted => Some(()),
            _ => None,
        })
        .await;
    }

    /// The blocks and the end of a request.
    pub async fn answer(&mut self, wanted: RequestId) -> (Vec<(Cid, Vec<u8>)>, StreamOutcome) {
        let mut blocks = Vec::new();
        let outcome = self
            .until(|event| match event {
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

/// Serves whatever is asked with these blocks, and passes nothing on.
pub fn serve(mut node: Node, blocks: Vec<(Cid, Vec<u8>)>) -> tokio::task::JoinHandle<()> {
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
