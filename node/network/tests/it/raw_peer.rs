//! A libp2p peer that ignores the rules of the protocol.

use futures::io::{AsyncReadExt, AsyncWriteExt};
use futures::{AsyncRead, StreamExt};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Stream, StreamProtocol, Swarm, SwarmBuilder, gossipsub, noise, tcp, yamux};
use libp2p_stream::Control;
use tokio::sync::oneshot;

pub const SYNC: StreamProtocol = StreamProtocol::new("/assay/sync/1");
pub const HEADS: StreamProtocol = StreamProtocol::new("/assay/heads/1");

#[derive(NetworkBehaviour)]
struct Behaviour {
    streams: libp2p_stream::Behaviour,
    gossip: gossipsub::Behaviour,
}

/// Response to every incoming stream.
#[derive(Clone)]
pub enum RawResponse {
    /// Sends these bytes and closes the stream.
    Bytes(Vec<u8>),
    /// Sends these bytes and keeps the stream open.
    Stall(Vec<u8>),
    /// Sends these bytes repeatedly.
    Repeat(Vec<u8>),
}

pub struct RawPeer {
    pub address: String,
    pub peer: PeerId,
    pub control: Control,
    /// Publishes these bytes on the gossip topic.
    pub gossip: Option<oneshot::Sender<Vec<u8>>>,
}

pub async fn start_raw_peer(answer: RawResponse) -> RawPeer {
    let mut swarm = swarm();
    let peer = *swarm.local_peer_id();
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
    let address = loop {
        if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
            break address.to_string();
        }
    };
    let mut control = swarm.behaviour().streams.new_control();
    let mut asked = control.accept(SYNC).unwrap();
    tokio::spawn(async move {
        while let Some((_, stream)) = asked.next().await {
            tokio::spawn(respond(stream, answer.clone()));
        }
    });
    let (gossip, wanted) = oneshot::channel();
    tokio::spawn(drive(swarm, wanted));
    RawPeer { address, peer, control, gossip: Some(gossip) }
}

/// Starts a raw peer and connects it to an address.
pub async fn connect_raw_peer(address: &str) -> RawPeer {
    let mut swarm = swarm();
    let peer = *swarm.local_peer_id();
    let address: Multiaddr = address.parse().unwrap();
    swarm.dial(address.clone()).unwrap();
    let control = swarm.behaviour().streams.new_control();
    while !matches!(swarm.select_next_some().await, SwarmEvent::ConnectionEstablished { .. }) {}
    let (gossip, wanted) = oneshot::channel();
    tokio::spawn(drive(swarm, wanted));
    RawPeer { address: address.to_string(), peer, control, gossip: Some(gossip) }
}

fn swarm() -> Swarm<Behaviour> {
    SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|key| {
            let author = gossipsub::MessageAuthenticity::Signed(key.clone());
            let gossip = gossipsub::Behaviour::new(author, gossipsub::Config::default()).unwrap();
            Behaviour { streams: libp2p_stream::Behaviour::new(), gossip }
        })
        .unwrap()
        .with_swarm_config(|swarm| swarm.with_idle_connection_timeout(std::time::Duration::from_secs(600)))
        .build()
}

/// Runs the swarm; publishes the given bytes as soon as a peer is subscribed.
async fn drive(mut swarm: Swarm<Behaviour>, mut wanted: oneshot::Receiver<Vec<u8>>) {
    let topic = gossipsub::IdentTopic::new("/assay/1/heads");
    swarm.behaviour_mut().gossip.subscribe(&topic).unwrap();
    let mut bytes = None;
    let mut open = true;
    loop {
        tokio::select! {
            sent_heads = &mut wanted, if open => { open = false; bytes = sent_heads.ok(); }
            _ = swarm.select_next_some() => {}
        }
        if let Some(bytes_now) = bytes.take()
            && swarm.behaviour_mut().gossip.publish(topic.clone(), bytes_now.clone()).is_err()
        {
            bytes = Some(bytes_now);
        }
    }
}

async fn respond(mut stream: Stream, answer: RawResponse) {
    let mut request = [0; 8];
    let _ = stream.read(&mut request).await;
    match answer {
        RawResponse::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.close().await;
            drain(stream).await;
        }
        RawResponse::Stall(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.flush().await;
            std::future::pending().await
        }
        RawResponse::Repeat(bytes) => while stream.write_all(&bytes).await.is_ok() {},
    }
}

async fn drain(mut stream: impl AsyncRead + Unpin) {
    let mut rest = [0; 64];
    while matches!(stream.read(&mut rest).await, Ok(1..)) {}
}
