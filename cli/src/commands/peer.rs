//! `assay peer`.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use crate::args::{Global, Peer};
use crate::backend::{Backend, home};
use crate::fault::Fault;
use crate::screen::{Screen, Tone};

pub(super) fn run(global: &Global, verb: &Peer, screen: &Screen) -> Result<u8, Fault> {
    let mut backend = Backend::open(&home(global)?)?;
    match verb {
        Peer::Add(args) => {
            check(&args.address)?;
            backend.add_peer(&args.address)?;
            screen.document(&json!({ "address": args.address, "dialled": backend.is_remote() }));
            let words = if backend.is_remote() { "connected" } else { "remembered" };
            screen.field(words, &args.address);
        }
        Peer::List => {
            let peers = backend.peers()?;
            screen.document(&peers);
            if peers.is_empty() {
                screen.say("no peers are known");
                screen.next(&["assay peer add <multiaddr>".into()]);
            }
            for peer in &peers {
                let address = peer.get("address").and_then(Value::as_str).unwrap_or_default();
                let connected = peer.get("connected").and_then(Value::as_bool).unwrap_or_default();
                let state = if connected {
                    screen.paint(Tone::Good, "connected")
                } else {
                    screen.paint(Tone::Dim, "known")
                };
                screen.say(format_args!("{state}  {address}"));
            }
        }
    }
    Ok(0)
}

/// Whether a text has the form of the addresses that nodes dial: host, transport, port.
///
/// # Errors
/// When it has not: it would be remembered, and tried, for ever.
pub(super) fn check(address: &str) -> Result<(), Fault> {
    let mut parts = address.split('/').skip(1);
    let host = match (parts.next(), parts.next()) {
        (Some("ip4"), Some(ip)) => ip.parse::<Ipv4Addr>().is_ok(),
        (Some("ip6"), Some(ip)) => ip.parse::<Ipv6Addr>().is_ok(),
        (Some("dns" | "dns4" | "dns6"), Some(name)) => !name.is_empty(),
        _ => false,
    };
    let transport = matches!(parts.next(), Some("tcp" | "udp"));
    let port = parts.next().is_some_and(|port| port.parse::<u16>().is_ok());
    if address.starts_with('/') && host && transport && port {
        return Ok(());
    }
    let message = format!("`{address}` is not an address");
    Err(Fault::usage("address", message).hint("expected a multiaddress such as `/ip4/192.0.2.1/tcp/7170`"))
}
