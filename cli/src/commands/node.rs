//! `assay node`: run a node until it is told to stop.

use node::service::NodeEvent;
use node::{NetworkEvent, NodeConfig};
use schemas::verdict::Verdict;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::args::{Global, Node};
use crate::backend::home;
use crate::fault::{Fault, Kind};
use crate::screen::{Screen, Tone};
use crate::view;

/// Where a node listens when nobody says otherwise.
const LISTEN: [&str; 2] = ["/ip4/0.0.0.0/tcp/7170", "/ip4/0.0.0.0/udp/7170/quic-v1"];

pub(super) fn run(global: &Global, args: &Node, screen: &Screen) -> Result<u8, Fault> {
    let filter = tracing_subscriber::EnvFilter::try_from_env("ASSAY_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|fault| Fault::new(Kind::Failure, "system", format!("no runtime: {fault}")))?;
    runtime.block_on(serve(global, args, screen))
}

async fn serve(global: &Global, args: &Node, screen: &Screen) -> Result<u8, Fault> {
    args.peer.iter().try_for_each(|address| super::peer::check(address))?;
    let home = home(global)?;
    let listen =
        if args.listen.is_empty() { LISTEN.map(str::to_owned).to_vec() } else { args.listen.clone() };
    let config = NodeConfig { listen, peers: args.peer.clone(), api: args.api, attest: !args.no_attest };
    let mut stop = Stop::new(args.with_parent)?;
    let mut node = node::start_node(&home, config).await?;
    let mut notices = node.service.subscribe();
    screen.record(&json!({ "event": "started", "api": node.api, "opened": {
        "cut_bytes": node.open_report.cut_bytes, "rebuilt": node.open_report.rebuilt, "blocks": node.open_report.blocks,
    }}));
    screen.field("node", format!("data in {}", home.path().display()));
    screen.field("dashboard", format!("{}/", node.api));
    screen.field("api", format!("{}/api/v1/status", node.api));
    if let Some(reason) = &node.open_report.rebuilt {
        screen.field("index", format!("made anew: {reason}"));
    }
    if node.open_report.cut_bytes > 0 {
        screen.field(
            "archive",
            format!("{} bytes of an unfinished write were cut off", node.open_report.cut_bytes),
        );
    }
    loop {
        tokio::select! {
            () = stop.asked() => break,
            seen = node.network_events.recv() => match seen {
                Some(seen) => sighting(&seen, screen),
                None => break,
            },
            notice = notices.recv() => {
                if let Ok(notice) = notice {
                    tell(&notice, screen);
                }
            }
        }
    }
    node.stop().await?;
    screen.record(&json!({ "event": "stopped" }));
    screen.say("stopped");
    Ok(0)
}

/// Ctrl-C, the signal by which services are stopped, and the end of the parent.
struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    parent: Option<oneshot::Receiver<()>>,
}

impl Stop {
    fn new(with_parent: bool) -> Result<Self, Fault> {
        let listen =
            |kind| signal(kind).map_err(|fault| Fault::new(Kind::Failure, "system", fault.to_string()));
        let parent = with_parent.then(|| {
            let (gone, parent) = oneshot::channel();
            // A thread of its own: reading standard input cannot be cancelled.
            std::thread::spawn(move || {
                // An input that cannot be read has ended as well.
                let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
                gone.send(())
            });
            parent
        });
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            parent,
        })
    }

    async fn asked(&mut self) {
        let parent = async {
            match self.parent.as_mut() {
                Some(parent) => drop(parent.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = parent => {}
        }
    }
}

fn sighting(seen: &NetworkEvent, screen: &Screen) {
    screen.record(seen);
    match seen {
        NetworkEvent::Listening { address } => screen.field("listening", address),
        NetworkEvent::Connected { address, .. } => screen.field("connected", address),
        NetworkEvent::Disconnected { peer } => screen.field("gone", peer),
        NetworkEvent::Unreachable { address, reason } => {
            screen.field("unreachable", format!("{address}: {reason} (tried again)"));
        }
    }
}

fn tell(notice: &NodeEvent, screen: &Screen) {
    screen.record(notice);
    match notice {
        NodeEvent::Accepted { publisher, seq, kind, object } => {
            screen.field("held", format!("{kind} {object} (entry {seq} of {})", view::short(publisher)));
        }
        NodeEvent::Verified { release, verdict, attested } => {
            let tone = if matches!(verdict, Verdict::Reproduced { .. }) { Tone::Good } else { Tone::Bad };
            let signed = if *attested { ", attested" } else { "" };
            screen.field(
                "run again",
                format!("{} {}{signed}", view::short(release), screen.paint(tone, verdict)),
            );
        }
        NodeEvent::Forked { publisher, seq } => {
            let word = screen.paint(Tone::Bad, "fork");
            screen.field(&word, format!("{publisher} signed two histories, at entry {seq}"));
        }
    }
}
