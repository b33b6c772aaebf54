//! Peers that keep no rule: each costs a stream, and is named.

use std::time::Duration;

use futures::io::AsyncWriteExt;
use network::SwarmReport;
use network::limits::{HEADS_BURST, REQUESTS_BURST};
use replication::limits::REQUEST_BYTES_MAX;
use replication::{Announcement, Peer, RequestId, StreamError, StreamOutcome, SyncRequest};
use schemas::car;
use schemas::cid::{Cid, Codec, PublisherId};
use schemas::limits::BLOCK_BYTES_MAX;

use super::common::{Node, TCP, config, head, node, pair, serve};
use super::raw::{Answer, HEADS, SYNC, raw, visitor};

/// A node with little patience.
async fn hasty() -> Node {
    let mut settings = config(1, TCP);
    settings.idle_timeout = Duration::from_millis(500);
    node(settings).await
}

/// What a request ends with when a peer answers so, after how many blocks.
async fn outcome(answer: Answer) -> (usize, StreamOutcome) {
    let mut a = hasty().await;
    let liar = raw(answer).await;
    let peer = a.network.dial_address(&liar.address).await.unwrap();
    assert_eq!(peer, Peer(liar.peer.to_string()));
    let request = SyncRequest::Entries { publisher: PublisherId::of(b"genesis"), from: 0, count: 10 };
    a.network.send_request(&peer, RequestId(1), request).await.unwrap();
    let (blocks, outcome) = a.answer(RequestId(1)).await;
    (blocks.len(), outcome)
}

fn record(content: &[u8]) -> Vec<u8> {
    car::encode_record(Cid::of(Codec::Raw, content), content)
}

#[tokio::test]
async fn a_wrong_block_ends_the_stream() {
    let wrong = car::encode_record(Cid::of(Codec::Raw, b"right"), b"wrong");
    let bytes = [record(b"right"), wrong, record(b"never seen")].concat();
    assert_eq!(
        outcome(Answer::Bytes(bytes)).await,
        (1, StreamOutcome::Interrupted(StreamError::HashMismatch))
    );
}

#[tokio::test]
async fn an_oversized_record_is_refused_before_it_comes() {
    let bytes = car::encode_record_header(Cid::of(Codec::Raw, b""), BLOCK_BYTES_MAX + 1);
    assert_eq!(outcome(Answer::Stall(bytes)).await, (0, StreamOutcome::Interrupted(StreamError::Malformed)));
}

#[tokio::test]
async fn what_is_no_record_is_refused() {
    for bytes in [vec![0xff; 64], vec![1, 2, 3], vec![0, 9], vec![0x80, 0]] {
        assert_eq!(
            outcome(Answer::Stall(bytes.clone())).await.1,
            StreamOutcome::Interrupted(StreamError::Malformed),
            "{bytes:?}"
        );
    }
}

#[tokio::test]
async fn a_cut_is_told_from_the_end() {
    assert_eq!(
        outcome(Answer::Bytes(record(b"one"))).await,
        (1, StreamOutcome::Interrupted(StreamError::Broken))
    );
    let whole = record(b"one");
    let half = whole[..whole.len() - 1].to_vec();
    assert_eq!(outcome(Answer::Bytes(half)).await, (0, StreamOutcome::Interrupted(StreamError::Broken)));
    let complete = [record(b"one"), vec![0, 0]].concat();
    assert_eq!(outcome(Answer::Bytes(complete)).await, (1, StreamOutcome::Complete));
}

#[tokio::test]
async fn a_stream_without_end_stops_at_what_was_asked() {
    assert_eq!(
        outcome(Answer::Repeat(record(b"again"))).await,
        (10, StreamOutcome::Interrupted(StreamError::Malformed))
    );
}

#[tokio::test]
async fn silence_is_timed_out() {
    assert_eq!(
        outcome(Answer::Stall(Vec::new())).await,
        (0, StreamOutcome::Interrupted(StreamError::TimedOut))
    );
    let half = record(&[7; 1_000])[..500].to_vec();
    assert_eq!(outcome(Answer::Stall(half)).await, (0, StreamOutcome::Interrupted(StreamError::TimedOut)));
}

async fn misbehaved(node: &mut Node) -> (Peer, String) {
    node.until(|event| match event {
        SwarmReport::Misbehaved { peer, reason } => Some((peer, reason)),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn requests_that_are_none_are_named() {
    let too_long = car::encode_varint(REQUEST_BYTES_MAX + 1);
    let nonsense = [car::encode_varint(3), vec![1, 2, 3]].concat();
    // The last one is a slow one: two bytes of a request, and no more.
    for bytes in [too_long, nonsense, vec![100, 1]] {
        let mut a = hasty().await;
        let mut visitor = visitor(&a.address).await;
        let peer = a.peer().0.parse().unwrap();
        let mut stream = visitor.control.open_stream(peer, SYNC).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        stream.flush().await.unwrap();
        let (who, reason) = misbehaved(&mut a).await;
        assert_eq!(who, Peer(visitor.peer.to_string()), "{reason}");
    }
}

#[tokio::test]
async fn heads_that_are_none_are_named() {
    let mut a = hasty().await;
    let mut visitor = visitor(&a.address).await;
    let peer = a.peer().0.parse().unwrap();
    let mut stream = visitor.control.open_stream(peer, HEADS).await.unwrap();
    stream.write_all(&[car::encode_varint(3), vec![1, 2, 3]].concat()).await.unwrap();
    stream.close().await.unwrap();
    assert_eq!(misbehaved(&mut a).await.0, Peer(visitor.peer.to_string()));
}

#[tokio::test]
async fn gossip_that_is_none_is_named() {
    let mut a = hasty().await;
    let mut visitor = visitor(&a.address).await;
    visitor.gossip.take().unwrap().send(b"nonsense".to_vec()).unwrap();
    assert_eq!(misbehaved(&mut a).await.0, Peer(visitor.peer.to_string()));
}

#[tokio::test]
async fn a_flood_of_requests_is_turned_down() {
    let (mut a, b) = pair(TCP).await;
    let peer = b.peer();
    serve(b, Vec::new());
    let request = SyncRequest::Entries { publisher: PublisherId::of(b"genesis"), from: 0, count: 1 };
    for n in 0..20 * u64::from(REQUESTS_BURST) {
        a.network.send_request(&peer, RequestId(n), request.clone()).await.unwrap();
        if a.answer(RequestId(n)).await.1 == StreamOutcome::Interrupted(StreamError::Busy) {
            return;
        }
    }
    panic!("nobody asks so much so fast");
}

#[tokio::test]
async fn a_flood_of_heads_is_dropped() {
    let mut a = hasty().await;
    let mut visitor = visitor(&a.address).await;
    let peer = a.peer().0.parse().unwrap();
    let told = Announcement { heads: vec![head(1)] }.encode().unwrap();
    let frame = [car::encode_varint(told.len()), told].concat();
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
    let mut heard = 0;
    a.until(|event| match event {
        SwarmReport::HeadsReceived { .. } => {
            heard += 1;
            None
        }
        SwarmReport::Misbehaved { .. } => Some(()),
        _ => None,
    })
    .await;
    assert!((1..10 * HEADS_BURST).contains(&heard), "{heard} messages were passed on");
}
