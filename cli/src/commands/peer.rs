//! `assay peer`: lists and adds peers.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use crate::args::{GlobalArgs, PeerCommand};
use crate::backend::{Backend, open_home};
use crate::error::CommandError;
use crate::output::{Printer, TextStyle};

pub(super) fn run(global: &GlobalArgs, verb: &PeerCommand, printer: &Printer) -> Result<u8, CommandError> {
    let mut backend = Backend::open(&open_home(global)?)?;
    match verb {
        PeerCommand::Add(args) => {
            check_multiaddr(&args.address)?;
            backend.add_peer(&args.address)?;
            printer.print_json(&json!({ "address": args.address, "dialled": backend.is_node_running() }));
            let words = if backend.is_node_running() { "connected" } else { "added" };
            printer.print_field(words, &args.address);
        }
        PeerCommand::List => {
            let peers = backend.list_peers()?;
            printer.print_json(&peers);
            if peers.is_empty() {
                printer.print_line("no known peers");
                printer.suggest_commands(&["assay peer add <multiaddr>".into()]);
            }
            for peer in &peers {
                let address = peer.get("address").and_then(Value::as_str).unwrap_or_default();
                let connected = peer.get("connected").and_then(Value::as_bool).unwrap_or_default();
                let state = if connected {
                    printer.style_text(TextStyle::Good, "connected")
                } else {
                    printer.style_text(TextStyle::Dim, "known")
                };
                printer.print_line(format_args!("{state}  {address}"));
            }
        }
    }
    Ok(0)
}

/// Checks that a text is a multiaddress with host, transport and port.
///
/// # Errors
/// Usage errors. An invalid address would be stored and retried forever.
pub(super) fn check_multiaddr(address: &str) -> Result<(), CommandError> {
    // A multiaddress begins with `/`: its first part is empty.
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
    let message = format!("`{address}` is not a multiaddress");
    Err(CommandError::usage("address", message).hint("expected a form like `/ip4/192.0.2.1/tcp/7170`"))
}
