//! Connections: established, lost, redialled, refused.

use network::{Error, SwarmReport};
use replication::Peer;

use super::fixture::{QUIC, TCP, config, connect_nodes, node, pair};

#[tokio::test]
async fn two_nodes_connect_over_tcp_and_over_quic() {
    for listen in [TCP, QUIC] {
        let (mut a, b) = pair(listen).await;
        assert_eq!(a.network.connected_peers().await.unwrap(), [b.peer()]);
        assert_eq!(b.network.connected_peers().await.unwrap(), [a.peer()]);
        assert!(b.address.ends_with(&format!("/p2p/{}", b.peer())), "{}", b.address);
        b.network.shutdown().await;
        a.disconnected(&b.peer()).await;
        assert_eq!(b.network.connected_peers().await, Err(Error::Stopped));
    }
}

#[tokio::test]
async fn the_peer_id_is_derived_from_the_node_key() {
    let (a, again) = (node(config(1, TCP)).await, node(config(1, TCP)).await);
    assert_eq!(a.peer(), again.peer());
    assert!(!format!("{:?}", config(1, TCP)).contains("1, 1, 1"), "the secret is not shown");
}

#[tokio::test]
async fn an_unreachable_address_is_reported() {
    let a = node(config(1, TCP)).await;
    // Port 1 of the loopback refuses at once.
    let Err(Error::Unreachable { address, reason }) = a.network.dial_address("/ip4/127.0.0.1/tcp/1").await
    else {
        panic!("nobody is there");
    };
    assert_eq!(address, "/ip4/127.0.0.1/tcp/1");
    assert!(reason.to_lowercase().contains("refused"), "{reason}");
    assert_eq!(a.network.dial_address("nonsense").await, Err(Error::Address("nonsense".into())));
}

#[tokio::test]
async fn another_peer_at_the_address_is_refused() {
    let (mut a, b) = (node(config(1, TCP)).await, node(config(2, TCP)).await);
    let (address, _) = b.address.rsplit_once('/').unwrap();
    let other = config(3, TCP).key.peer();
    let dialled = a.network.dial_address(&format!("{address}/{other}")).await;
    assert!(matches!(dialled, Err(Error::Unreachable { .. })), "{dialled:?}");
    let mut c = node(config(3, TCP)).await;
    connect_nodes(&mut a, &mut c).await;
    assert_eq!(a.network.connected_peers().await.unwrap(), [other]);
}

#[tokio::test]
async fn unusable_listen_addresses_fail_the_start() {
    for listen in ["nonsense", "/ip4/192.0.2.1/tcp/0"] {
        let started = network::start(config(1, listen));
        assert!(matches!(started, Err(Error::Address(_) | Error::Listen { .. })), "{listen}");
    }
}

#[tokio::test]
async fn a_configured_peer_is_redialled_until_it_is_back() {
    let mut b = node(config(2, TCP)).await;
    let address = b.address.clone();
    let mut settings = config(1, TCP);
    settings.bootstrap = vec![address.clone()];
    let mut a = node(settings).await;
    a.connected(&b.peer()).await;
    b.connected(&a.peer()).await;
    b.network.shutdown().await;
    drop(b.events);
    a.disconnected(b.network.local_peer()).await;
    let unreachable = |event| match event {
        SwarmReport::Unreachable { address, .. } => Some(address),
        _ => None,
    };
    assert_eq!(a.wait_for(unreachable).await, address);
    let (listen, peer) = address.rsplit_once("/p2p/").unwrap();
    let b = node(config(2, listen)).await;
    a.connected(&Peer(peer.into())).await;
    assert_eq!(b.peer(), Peer(peer.into()));
}

#[tokio::test]
async fn a_banned_peer_is_disconnected_and_refused() {
    let (mut a, mut b) = pair(TCP).await;
    a.network.ban_peer(&b.peer()).await.unwrap();
    a.disconnected(&b.peer()).await;
    b.disconnected(&a.peer()).await;
    assert!(a.network.dial_address(&b.address).await.is_err());
    // Dialling the other way looks like success until the banning side hangs up.
    if b.network.dial_address(&a.address).await.is_ok() {
        b.disconnected(&a.peer()).await;
    }
    assert!(a.network.connected_peers().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_network_stops_with_its_last_handle() {
    let (a, mut b) = pair(QUIC).await;
    let peer = a.peer();
    drop(a.network);
    b.disconnected(&peer).await;
}
