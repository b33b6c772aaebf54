//! Requests and their outcomes.

use network::{Error, SwarmReport};
use replication::limits::{BLOCKS_MAX, ENTRIES_MAX};
use replication::{RequestId, StreamError, StreamOutcome, SyncRequest};
use schemas::cid::PublisherId;
use schemas::limits::BLOCK_BYTES_MAX;

use super::fixture::{QUIC, TCP, block, config, node, pair, serve_blocks};

fn entries(count: u64) -> SyncRequest {
    SyncRequest::Entries { publisher: PublisherId::of(b"genesis"), from: 3, count }
}

#[tokio::test]
async fn entries_arrive_in_order() {
    for listen in [TCP, QUIC] {
        let (mut a, b) = pair(listen).await;
        let peer = b.peer();
        let sent: Vec<_> = (0..ENTRIES_MAX as usize).map(|n| block(n, 300 + n)).collect();
        serve_blocks(b, sent.clone());
        a.network.send_request(&peer, RequestId(1), entries(ENTRIES_MAX)).await.unwrap();
        assert_eq!(a.response(RequestId(1)).await, (sent, StreamOutcome::Complete));
    }
}

#[tokio::test]
async fn many_large_blocks_arrive_unchanged() {
    for listen in [TCP, QUIC] {
        let (mut a, b) = pair(listen).await;
        let peer = b.peer();
        let sent: Vec<_> = (0..BLOCKS_MAX).map(|n| block(n, BLOCK_BYTES_MAX >> (n % 8))).collect();
        let ids = sent.iter().map(|(id, _)| *id).collect();
        serve_blocks(b, sent.clone());
        a.network.send_request(&peer, RequestId(1), SyncRequest::Blocks { ids }).await.unwrap();
        let (blocks, outcome) = a.response(RequestId(1)).await;
        assert_eq!(outcome, StreamOutcome::Complete);
        assert!(blocks == sent, "{} of {} blocks", blocks.len(), sent.len());
    }
}

#[tokio::test]
async fn an_empty_response_is_complete() {
    let (mut a, b) = pair(TCP).await;
    let peer = b.peer();
    serve_blocks(b, Vec::new());
    a.network.send_request(&peer, RequestId(1), entries(1)).await.unwrap();
    assert_eq!(a.response(RequestId(1)).await, (Vec::new(), StreamOutcome::Complete));
}

#[tokio::test]
async fn the_owner_receives_the_request_and_its_peer() {
    let (a, mut b) = pair(TCP).await;
    a.network.send_request(&b.peer(), RequestId(1), entries(5)).await.unwrap();
    let asked = b.wait_for(|event| match event {
        SwarmReport::RequestReceived { peer, request, .. } => Some((peer, request)),
        _ => None,
    });
    assert_eq!(asked.await, (a.peer(), entries(5)));
}

#[tokio::test]
async fn a_broken_stream_is_not_complete() {
    for listen in [TCP, QUIC] {
        let (mut a, mut b) = pair(listen).await;
        a.network.send_request(&b.peer(), RequestId(1), entries(9)).await.unwrap();
        let reply = b.wait_for(|event| match event {
            SwarmReport::RequestReceived { reply, .. } => Some(reply),
            _ => None,
        });
        let reply = reply.await;
        reply.send(block(0, 100)).await.unwrap();
        let first = a.wait_for(|event| match event {
            SwarmReport::BlockReceived { request_id, id, .. } => Some((request_id, id)),
            _ => None,
        });
        assert_eq!(first.await, (RequestId(1), block(0, 100).0));
        b.network.shutdown().await;
        assert_eq!(
            a.response(RequestId(1)).await,
            (Vec::new(), StreamOutcome::Interrupted(StreamError::Broken))
        );
    }
}

#[tokio::test]
async fn a_cancelled_request_ends_on_both_sides() {
    let (mut a, mut b) = pair(TCP).await;
    a.network.send_request(&b.peer(), RequestId(1), entries(9)).await.unwrap();
    let reply = b.wait_for(|event| match event {
        SwarmReport::RequestReceived { reply, .. } => Some(reply),
        _ => None,
    });
    let reply = reply.await;
    a.network.cancel_request(RequestId(1)).await.unwrap();
    assert_eq!(
        a.response(RequestId(1)).await,
        (Vec::new(), StreamOutcome::Interrupted(StreamError::Cancelled))
    );
    // The serving side notices when it writes, and stops taking blocks; sooner than by its timeout.
    let gone = async { while reply.send(block(0, BLOCK_BYTES_MAX)).await.is_ok() {} };
    tokio::time::timeout(network::limits::IDLE_TIMEOUT / 2, gone).await.expect("the server is sent_heads");
}

#[tokio::test]
async fn requests_to_unconnected_peers_are_refused() {
    let a = node(config(1, TCP)).await;
    let other = config(2, TCP).key.peer();
    let asked = a.network.send_request(&other, RequestId(1), entries(1)).await;
    assert_eq!(asked, Err(Error::NotConnected(other)));
}
