//! Heads, by gossip and directly.

use std::time::Duration;

use network::SwarmReport;
use replication::limits::HEADS_MAX;
use replication::{LogHead, Peer};
use tokio::time::timeout;

use super::common::{Node, PATIENCE, QUIC, TCP, config, head, join, node, pair};

fn heads(event: SwarmReport) -> Option<(Peer, Vec<LogHead>)> {
    match event {
        SwarmReport::HeadsReceived { from, heads } => Some((from, heads)),
        _ => None,
    }
}

#[tokio::test]
async fn gossip_goes_along_a_line() {
    for listen in [TCP, QUIC] {
        let mut nodes: Vec<Node> = Vec::new();
        for seed in 1..=3 {
            nodes.push(node(config(seed, listen)).await);
        }
        let [a, b, c] = nodes.as_mut_slice() else { panic!("three nodes") };
        join(a, b).await;
        join(b, c).await;
        let told = vec![head(7), head(8)];
        let heard = async {
            // Until the neighbours know of each other's subscriptions nothing is passed on.
            loop {
                a.network.gossip_heads(told.clone()).await.unwrap();
                let soon = timeout(Duration::from_millis(500), c.until(heads)).await;
                if let Ok(heard) = soon {
                    return heard;
                }
            }
        };
        let heard = timeout(PATIENCE, heard).await.expect("gossip arrives");
        assert_eq!(heard, (a.peer(), told.clone()), "from its author, not from who passed it on");
        assert_eq!(b.until(heads).await, (a.peer(), told));
    }
}

#[tokio::test]
async fn heads_are_told_to_one_peer() {
    for listen in [TCP, QUIC] {
        let (a, mut b) = pair(listen).await;
        let told = vec![head(3); HEADS_MAX];
        a.network.send_heads(&b.peer(), told.clone()).await.unwrap();
        assert_eq!(b.until(heads).await, (a.peer(), told));
    }
}

#[tokio::test]
async fn what_is_out_of_bounds_is_not_sent() {
    let (a, b) = pair(TCP).await;
    assert!(a.network.gossip_heads(Vec::new()).await.is_err());
    assert!(a.network.send_heads(&b.peer(), vec![head(3); HEADS_MAX + 1]).await.is_err());
    assert!(a.network.send_heads(&Peer("nobody".into()), vec![head(3)]).await.is_err());
}
