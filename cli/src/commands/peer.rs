//! `assay peer`.

use serde_json::{Value, json};

use crate::args::{Global, Peer};
use crate::backend::{Backend, home};
use crate::fault::Fault;
use crate::screen::{Screen, Tone};

pub(super) fn run(global: &Global, verb: &Peer, screen: &Screen) -> Result<u8, Fault> {
    let mut backend = Backend::open(&home(global)?)?;
    match verb {
        Peer::Add(args) => {
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
