//! Conversion of addresses and peer ids between text and libp2p types.

use std::net::IpAddr;

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};
use replication::Peer;

use crate::error::Error;
use crate::limits::{ADDRESS_BYTES_MAX, RESOLVED_ADDRESSES_MAX};

/// Parses a multiaddress of at most [`ADDRESS_BYTES_MAX`] bytes.
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

/// Converts a peer to libp2p's type.
///
/// # Errors
/// [`Error::Peer`].
pub(crate) fn to_peer_id(peer: &Peer) -> Result<PeerId, Error> {
    peer.0.parse().map_err(|_| Error::Peer(peer.0.chars().take(ADDRESS_BYTES_MAX).collect()))
}

/// Converts a peer id to the type that the rest of the node uses.
pub(crate) fn from_peer_id(peer: PeerId) -> Peer {
    Peer(peer.to_string())
}

/// Resolves the host name at the start of an address, with the resolver of the system; an address
/// without a host name is returned as it is. At most [`RESOLVED_ADDRESSES_MAX`] results. libp2p's
/// own resolver is not used because it would double the dependencies for this one lookup.
///
/// # Errors
/// The message of the resolver.
pub(crate) async fn resolve_host(address: &Multiaddr) -> Result<Vec<Multiaddr>, String> {
    let host = address.iter().next();
    let (name, version) = match &host {
        Some(Protocol::Dns(name)) => (name.as_ref(), None),
        Some(Protocol::Dns4(name)) => (name.as_ref(), Some(4)),
        Some(Protocol::Dns6(name)) => (name.as_ref(), Some(6)),
        _ => return Ok(vec![address.clone()]),
    };
    let found = tokio::net::lookup_host((name, 0)).await.map_err(|error| error.to_string())?;
    let wanted = |ip: &IpAddr| version.is_none_or(|version| (version == 4) == ip.is_ipv4());
    let ips = found.map(|socket| socket.ip()).filter(wanted).take(RESOLVED_ADDRESSES_MAX);
    Ok(ips.map(|ip| replace_host(ip, address)).collect())
}

/// Replaces the host of an address.
fn replace_host(ip: IpAddr, address: &Multiaddr) -> Multiaddr {
    let rest = address.iter().skip(1);
    std::iter::once(Protocol::from(ip)).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn host_names_are_resolved() {
        let address = parse_multiaddr("/dns4/localhost/udp/4001/quic-v1").unwrap();
        let found = resolve_host(&address).await.unwrap();
        assert!(found.contains(&parse_multiaddr("/ip4/127.0.0.1/udp/4001/quic-v1").unwrap()), "{found:?}");
        let plain = parse_multiaddr("/ip4/192.0.2.1/tcp/1").unwrap();
        assert_eq!(resolve_host(&plain).await.unwrap(), [plain]);
    }

    #[test]
    fn errors_quote_the_invalid_address() {
        assert_eq!(parse_multiaddr("localhost:4001"), Err(Error::Address("localhost:4001".into())));
        assert!(parse_multiaddr(&"/tcp/1".repeat(ADDRESS_BYTES_MAX)).is_err());
        assert_eq!(to_peer_id(&Peer("me".into())), Err(Error::Peer("me".into())));
    }
}
