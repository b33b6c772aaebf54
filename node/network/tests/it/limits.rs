//! Limits on streams and requests, and an owner that does not read its reports.

use std::time::Duration;

use network::limits::SERVED_STREAMS_PER_PEER_MAX;
use network::{Error, SwarmReport};
use replication::{RequestId, StreamError, StreamOutcome, SyncRequest};
use schemas::cid::PublisherId;
use tokio::time::timeout;

use super::fixture::{
    EVENT_TIMEOUT, QUIC, TCP, block, config, connect_nodes, head, node, pair, serve_blocks,
};

fn entries(count: u64) -> SyncRequest {
    SyncRequest::Entries { publisher: PublisherId::of(b"genesis"), from: 0, count }
}

#[tokio::test]
async fn streams_above_the_limit_are_answered_busy() {
    for listen in [TCP, QUIC] {
        let (mut a, mut b) = pair(listen).await;
        let mut open_streams = Vec::new();
        for n in 0..SERVED_STREAMS_PER_PEER_MAX as u64 {
            a.network.send_request(&b.peer(), RequestId(n), entries(1)).await.unwrap();
            let serve = b.wait_for(|event| match event {
                SwarmReport::RequestReceived { reply, .. } => Some(reply),
                _ => None,
            });
            open_streams.push(serve.await);
        }
        a.network.send_request(&b.peer(), RequestId(99), entries(1)).await.unwrap();
        assert_eq!(
            a.response(RequestId(99)).await,
            (Vec::new(), StreamOutcome::Interrupted(StreamError::Busy))
        );
        drop(open_streams);
        let mut done = 0;
        while done < SERVED_STREAMS_PER_PEER_MAX {
            let end = a.wait_for(|event| match event {
                SwarmReport::RequestFinished { outcome, .. } => Some(outcome),
                _ => None,
            });
            assert_eq!(end.await, StreamOutcome::Complete);
            done += 1;
        }
    }
}

#[tokio::test]
async fn an_owner_that_does_not_read_can_still_send_commands() {
    let (mut a, b) = pair(TCP).await;
    let peer = b.peer();
    let sent: Vec<_> = (0..200).map(|n| block(n, 1_000)).collect();
    serve_blocks(b, sent.clone());
    for n in 0..4 {
        a.network.send_request(&peer, RequestId(n), entries(200)).await.unwrap();
    }
    // Eight hundred blocks are on their way into a queue of sixteen.
    for _ in 0..200 {
        let peers = timeout(EVENT_TIMEOUT, a.network.connected_peers()).await.expect("the driver answers");
        assert_eq!(peers.unwrap(), std::slice::from_ref(&peer));
        a.network.gossip_heads(vec![head(1)]).await.unwrap();
    }
    let (mut blocks, mut ends) = (0, 0);
    while ends < 4 {
        a.wait_for(|event| match event {
            SwarmReport::BlockReceived { .. } => {
                blocks += 1;
                Some(())
            }
            SwarmReport::RequestFinished { outcome, .. } => {
                assert_eq!(outcome, StreamOutcome::Complete);
                ends += 1;
                Some(())
            }
            _ => None,
        })
        .await;
    }
    assert_eq!(blocks, 800);
}

#[tokio::test]
async fn requests_above_the_limit_are_refused_locally() {
    let (a, b) = pair(TCP).await;
    let asked = async {
        for n in 0.. {
            match a.network.send_request(&b.peer(), RequestId(n), entries(1)).await {
                Ok(()) => {}
                refused => return (n, refused),
            }
        }
        panic!("no end");
    };
    let (count, refused) = timeout(EVENT_TIMEOUT, asked).await.unwrap();
    assert_eq!(refused, Err(Error::Busy("requests")));
    assert!(count <= 200, "{count}");
}

#[tokio::test]
async fn an_idle_serving_owner_is_timed_out() {
    let mut settings = config(2, TCP);
    settings.idle_timeout = Duration::from_millis(300);
    let (mut a, mut b) = (node(config(1, TCP)).await, node(settings).await);
    connect_nodes(&mut a, &mut b).await;
    a.network.send_request(&b.peer(), RequestId(1), entries(1)).await.unwrap();
    let reply = b.wait_for(|event| match event {
        SwarmReport::RequestReceived { reply, .. } => Some(reply),
        _ => None,
    });
    let reply = reply.await;
    assert_eq!(a.response(RequestId(1)).await, (Vec::new(), StreamOutcome::Interrupted(StreamError::Broken)));
    assert!(reply.is_closed());
}
