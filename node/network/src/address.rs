//! Addresses and names of peers, from text and back.

use std::net::IpAddr;

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};
use replication::Peer;

use crate::Error;
use crate::limits::{ADDRESS_BYTES_MAX, RESOLVED_ADDRESSES_MAX};

/// Reads a multiaddress.
///
/// # Errors
/// [`Error::Address`].
pub(crate) fn parse_multiaddr(text: &str) -> Result<Multiaddr, Error> {
    let bad = || Error::Address(text.chars().take(ADDRESS_BYTES_MAX).collect());
    if text.len() > ADDRESS_BYTES_MAX {
        return Err(bad());
    }
    text.parse().map_err(|_| bad())
}

/// The name of a peer as libp2p has it.
///
/// # Errors
/// [`Error::Peer`].
pub(crate) fn to_peer_id(peer: &Peer) -> Result<PeerId, Error> {
    peer.0.parse().map_err(|_| Error::Peer(peer.0.chars().take(ADDRESS_BYTES_MAX).collect()))
}

/// The name of a peer as the rest of the node has it.
pub(crate) fn from_peer_id(peer: PeerId) -> Peer {
    Peer(peer.to_string())
}

/// An address without a host name: those of the system's resolver in its place. libp2p's own
/// resolver is left out, as it would double the dependencies for this one lookup.
///
/// # Errors
/// What the resolver said.
pub(crate) async fn resolve_host(address: &Multiaddr) -> Result<Vec<Multiaddr>, String> {
    let host = address.iter().next();
    let (name, version) = match &host {
        Some(Protocol::Dns(name)) => (name.as_ref(), None),
        Some(Protocol::Dns4(name)) => (name.as_ref(), Some(4)),
        Some(Protocol::Dns6(name)) => (name.as_ref(), Some(6)),
        _ => return Ok(vec![address.clone()]),
    };
    let found = tokio::net::lookup_host((name, 0)).await.map_err(|fault| fault.to_string())?;
    let wanted = |ip: &IpAddr| version.is_none_or(|version| (version == 4) == ip.is_ipv4());
    let ips = found.map(|socket| socket.ip()).filter(wanted).take(RESOLVED_ADDRESSES_MAX);
    Ok(ips.map(|ip| replace_host(ip, address)).collect())
}

/// The address with its host replaced.
fn replace_host(ip: IpAddr, address: &Multiaddr) -> Multiaddr {
    let rest = address.iter().skip(1);
    std::iter::once(Protocol::from(ip)).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_are_replaced_by_addresses() {
        let address = parse_multiaddr("/dns4/localhost/udp/4001/quic-v1").unwrap();
        let found = resolve_host(&address).await.unwrap();
        assert!(found.contains(&parse_multiaddr("/ip4/127.0.0.1/udp/4001/quic-v1").unwrap()), "{found:?}");
        let plain = parse_multiaddr("/ip4/192.0.2.1/tcp/1").unwrap();
        assert_eq!(resolve_host(&plain).await.unwrap(), [plain]);
    }

    #[test]
    fn what_is_no_address_is_named() {
        assert_eq!(parse_multiaddr("localhost:4001"), Err(Error::Address("localhost:4001".into())));
        assert!(parse_multiaddr(&"/tcp/1".repeat(ADDRESS_BYTES_MAX)).is_err());
        assert_eq!(to_peer_id(&Peer("me".into())), Err(Error::Peer("me".into())));
    }
}
