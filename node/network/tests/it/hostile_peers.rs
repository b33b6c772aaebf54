//! Peers that violate the protocol: each loses its stream and is reported.

use std::time::Duration;

use futures::io::AsyncWriteExt;
use network::SwarmReport;
use network::limits::{HEADS_BURST, REQUESTS_BURST};
use replication::limits::REQUEST_BYTES_MAX;
use replication::{Announcement, Peer, RequestId, StreamError, StreamOutcome, SyncRequest};
use schemas::car;
use schemas::cid::{Cid, Codec, PublisherId};
use schemas::limits::BLOCK_BYTES_MAX;

use super::fixture::{TCP, TestNode, config, head, node, pair, serve_blocks};
use super::raw_peer::{HEADS, RawResponse, SYNC, connect_raw_peer, start_raw_peer};

/// A node with a short idle timeout.
async fn node_with_short_timeout() -> TestNode {
    let mut settings = config(1, TCP);
    settings.idle_timeout = Duration::from_millis(500);
    node(settings).await
}

/// Returns the number of blocks and the outcome of a request with this response.
async fn outcome(answer: RawResponse) -> (usize, StreamOutcome) {
    let mut a = node_with_short_timeout().await;
    let bad_peer = start_raw_peer(answer).await;
    let peer = a.network.dial_address(&bad_peer.address).await.unwrap();
    assert_eq!(peer, Peer(bad_peer.peer.to_string()));
    let request = SyncRequest::Entries { publisher: PublisherId::of(b"genesis"), from: 0, count: 10 };
    a.network.send_request(&peer, RequestId(1), request).await.unwrap();
    let (blocks, outcome) = a.response(RequestId(1)).await;
    (blocks.len(), outcome)
}

fn record(content: &[u8]) -> Vec<u8> {
    car::encode_record(Cid::of(Codec::Raw, content), content)
}

#[tokio::test]
async fn a_hash_mismatch_ends_the_stream() {
    let wrong = car::encode_record(Cid::of(Codec::Raw, b"right"), b"wrong");
    let bytes = [record(b"right"), wrong, record(b"never seen")].concat();
    assert_eq!(
        outcome(RawResponse::Bytes(bytes)).await,
        (1, StreamOutcome::Interrupted(StreamError::HashMismatch))
    );
}

#[tokio::test]
async fn an_oversized_record_is_refused_by_its_length() {
    let bytes = car::encode_record_header(Cid::of(Codec::Raw, b""), BLOCK_BYTES_MAX + 1);
    assert_eq!(
        outcome(RawResponse::Stall(bytes)).await,
        (0, StreamOutcome::Interrupted(StreamError::Malformed))
    );
}

#[tokio::test]
async fn malformed_records_are_refused() {
    for bytes in [vec![0xff; 64], vec![1, 2, 3], vec![0, 9], vec![0x80, 0]] {
        assert_eq!(
            outcome(RawResponse::Stall(bytes.clone())).await.1,
            StreamOutcome::Interrupted(StreamError::Malformed),
            "{bytes:?}"
        );
    }
}

#[tokio::test]
async fn an_interrupted_stream_is_not_complete() {
    assert_eq!(
        outcome(RawResponse::Bytes(record(b"one"))).await,
        (1, StreamOutcome::Interrupted(StreamError::Broken))
    );
    let whole = record(b"one");
    let half = whole[..whole.len() - 1].to_vec();
    assert_eq!(outcome(RawResponse::Bytes(half)).await, (0, StreamOutcome::Interrupted(StreamError::Broken)));
    let complete = [record(b"one"), vec![0, 0]].concat();
    assert_eq!(outcome(RawResponse::Bytes(complete)).await, (1, StreamOutcome::Complete));
}

#[tokio::test]
async fn an_endless_stream_stops_at_the_requested_number() {
    assert_eq!(
        outcome(RawResponse::Repeat(record(b"again"))).await,
        (10, StreamOutcome::Interrupted(StreamError::Malformed))
    );
}

#[tokio::test]
async fn a_silent_stream_times_out() {
    assert_eq!(
        outcome(RawResponse::Stall(Vec::new())).await,
        (0, StreamOutcome::Interrupted(StreamError::TimedOut))
    );
    let half = record(&[7; 1_000])[..500].to_vec();
    assert_eq!(
        outcome(RawResponse::Stall(half)).await,
        (0, StreamOutcome::Interrupted(StreamError::TimedOut))
    );
}

async fn misbehaved(node: &mut TestNode) -> (Peer, String) {
    node.wait_for(|event| match event {
        SwarmReport::Misbehaved { peer, reason } => Some((peer, reason)),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn malformed_requests_are_reported() {
    let too_long = car::encode_varint(REQUEST_BYTES_MAX + 1);
    let nonsense = [car::encode_varint(3), vec![1, 2, 3]].concat();
    // The last one is a slow one: two bytes of a request, and no more.
    for bytes in [too_long, nonsense, vec![100, 1]] {
        let mut a = node_with_short_timeout().await;
        let mut visitor = connect_raw_peer(&a.address).await;
        let peer = a.peer().0.parse().unwrap();
        let mut stream = visitor.control.open_stream(peer, SYNC).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        stream.flush().await.unwrap();
        let (who, reason) = misbehaved(&mut a).await;
        assert_eq!(who, Peer(visitor.peer.to_string()), "{reason}");
    }
}

#[tokio::test]
async fn malformed_announcements_are_reported() {
    let mut a = node_with_short_timeout().await;
    let mut visitor = connect_raw_peer(&a.address).await;
    let peer = a.peer().0.parse().unwrap();
    let mut stream = visitor.control.open_stream(peer, HEADS).await.unwrap();
    stream.write_all(&[car::encode_varint(3), vec![1, 2, 3]].concat()).await.unwrap();
    stream.close().await.unwrap();
    assert_eq!(misbehaved(&mut a).await.0, Peer(visitor.peer.to_string()));
}

#[tokio::test]
async fn malformed_gossip_is_reported() {
    let mut a = node_with_short_timeout().await;
    let mut visitor = connect_raw_peer(&a.address).await;
    visitor.gossip.take().unwrap().send(b"nonsense".to_vec()).unwrap();
    assert_eq!(misbehaved(&mut a).await.0, Peer(visitor.peer.to_string()));
}

#[tokio::test]
async fn a_flood_of_requests_is_answered_busy() {
    let (mut a, b) = pair(TCP).await;
    let peer = b.peer();
    serve_blocks(b, Vec::new());
    let request = SyncRequest::Entries { publisher: PublisherId::of(b"genesis"), from: 0, count: 1 };
    for n in 0..20 * u64::from(REQUESTS_BURST) {
        a.network.send_request(&peer, RequestId(n), request.clone()).await.unwrap();
        if a.response(RequestId(n)).await.1 == StreamOutcome::Interrupted(StreamError::Busy) {
            return;
        }
    }
    panic!("nobody asks so much so fast");
}

#[tokio::test]
async fn a_flood_of_announcements_is_dropped() {
    let mut a = node_with_short_timeout().await;
    let mut visitor = connect_raw_peer(&a.address).await;
    let peer = a.peer().0.parse().unwrap();
    let sent_heads = Announcement { heads: vec![head(1)] }.encode().unwrap();
    let frame = [car::encode_varint(sent_heads.len()), sent_heads].concat();
    tokio::spawn(async move {
        for _ in 0..20 * HEADS_BURST {
            let mut stream = visitor.control.open_stream(peer, HEADS).await.unwrap();
            // Where it is dropped at once, writing fails.
            let _ = stream.write_all(&frame).await;
            let _ = stream.close().await;
        }
        let mut last = visitor.control.open_stream(peer, SYNC).await.unwrap();
        last.write_all(&[3, 1, 2, 3]).await.unwrap();
        last.close().await.unwrap();
    });
    let mut received_heads = 0;
    a.wait_for(|event| match event {
        SwarmReport::HeadsReceived { .. } => {
            received_heads += 1;
            None
        }
        SwarmReport::Misbehaved { .. } => Some(()),
        _ => None,
    })
    .await;
    assert!((1..10 * HEADS_BURST).contains(&received_heads), "{received_heads} messages were passed on");
}
