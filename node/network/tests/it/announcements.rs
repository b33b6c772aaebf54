//! Announcements, by gossip and directly.

use std::time::Duration;

use network::SwarmReport;
use replication::limits::HEADS_MAX;
use replication::{LogHead, Peer};
use tokio::time::timeout;

use super::fixture::{EVENT_TIMEOUT, QUIC, TCP, TestNode, config, connect_nodes, head, node, pair};

fn heads(event: SwarmReport) -> Option<(Peer, Vec<LogHead>)> {
    match event {
        SwarmReport::HeadsReceived { from, heads } => Some((from, heads)),
        _ => None,
    }
}

#[tokio::test]
async fn gossip_is_forwarded_along_a_line() {
    for listen in [TCP, QUIC] {
        let mut nodes: Vec<TestNode> = Vec::new();
        for seed in 1..=3 {
            nodes.push(node(config(seed, listen)).await);
        }
        let [a, b, c] = nodes.as_mut_slice() else { panic!("three nodes") };
        connect_nodes(a, b).await;
        connect_nodes(b, c).await;
        let sent_heads = vec![head(7), head(8)];
        let received_heads = async {
            // Nothing is forwarded before the neighbours know of each other's subscriptions.
            loop {
                a.network.gossip_heads(sent_heads.clone()).await.unwrap();
                let soon = timeout(Duration::from_millis(500), c.wait_for(heads)).await;
                if let Ok(received_heads) = soon {
                    return received_heads;
                }
            }
        };
        let received_heads = timeout(EVENT_TIMEOUT, received_heads).await.expect("gossip arrives");
        assert_eq!(
            received_heads,
            (a.peer(), sent_heads.clone()),
            "from its author, not from who passed it on"
        );
        assert_eq!(b.wait_for(heads).await, (a.peer(), sent_heads));
    }
}

#[tokio::test]
async fn heads_are_sent_to_one_peer() {
    for listen in [TCP, QUIC] {
        let (a, mut b) = pair(listen).await;
        let sent_heads = vec![head(3); HEADS_MAX];
        a.network.send_heads(&b.peer(), sent_heads.clone()).await.unwrap();
        assert_eq!(b.wait_for(heads).await, (a.peer(), sent_heads));
    }
}

#[tokio::test]
async fn announcements_out_of_bounds_are_not_sent() {
    let (a, b) = pair(TCP).await;
    assert!(a.network.gossip_heads(Vec::new()).await.is_err());
    assert!(a.network.send_heads(&b.peer(), vec![head(3); HEADS_MAX + 1]).await.is_err());
    assert!(a.network.send_heads(&Peer("nobody".into()), vec![head(3)]).await.is_err());
}
