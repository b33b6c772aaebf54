//! `assay node`: runs a node until a stop signal.

use node::{NetworkEvent, NodeConfig};
use schemas::verdict::Verdict;
use serde_json::json;
use service::NodeEvent;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::args::{GlobalArgs, NodeArgs};
use crate::backend::open_home;
use crate::error::{CommandError, ErrorCategory};
use crate::format;
use crate::output::{LogWriter, Printer, TextStyle};

/// Default addresses that a node listens on.
const DEFAULT_LISTEN: [&str; 2] = ["/ip4/0.0.0.0/tcp/7170", "/ip4/0.0.0.0/udp/7170/quic-v1"];

pub(super) fn run(global: &GlobalArgs, args: &NodeArgs, printer: &Printer) -> Result<u8, CommandError> {
    // stdout carries the events; logs go to stderr.
    let filter = tracing_subscriber::EnvFilter::try_from_env("ASSAY_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| LogWriter).with_ansi(false).init();
    let runtime = tokio::runtime::Runtime::new().map_err(|error| {
        CommandError::new(ErrorCategory::Failure, "system", format!("no runtime: {error}"))
    })?;
    runtime.block_on(run_node(global, args, printer))
}

async fn run_node(global: &GlobalArgs, args: &NodeArgs, printer: &Printer) -> Result<u8, CommandError> {
    args.peer.iter().try_for_each(|address| super::peer::check_multiaddr(address))?;
    let home = open_home(global)?;
    let listen =
        if args.listen.is_empty() { DEFAULT_LISTEN.map(str::to_owned).to_vec() } else { args.listen.clone() };
    let config = NodeConfig { listen, peers: args.peer.clone(), api: args.api, attest: !args.no_attest };
    let mut stop = StopSignal::new(args.with_parent)?;
    let mut node = node::start_node(&home, config).await?;
    let mut notices = node.service.subscribe();
    printer.print_json_line(&json!({ "event": "started", "api": node.api, "opened": {
        "cut_bytes": node.open_report.cut_bytes, "rebuilt": node.open_report.rebuilt, "blocks": node.open_report.blocks,
    }}));
    printer.print_field("node", format!("data in {}", home.path().display()));
    printer.print_field("dashboard", format!("{}/", node.api));
    printer.print_field("api", format!("{}/api/v1/status", node.api));
    if let Some(reason) = &node.open_report.rebuilt {
        printer.print_field("index", format!("rebuilt: {reason}"));
    }
    if node.open_report.cut_bytes > 0 {
        printer.print_field(
            "archive",
            format!("{} bytes of an unfinished write were removed", node.open_report.cut_bytes),
        );
    }
    loop {
        tokio::select! {
            () = stop.wait() => break,
            seen = node.network_events.recv() => match seen {
                Some(seen) => print_network_event(&seen, printer),
                None => break,
            },
            notice = notices.recv() => {
                // A slow terminal loses events of this channel; the node is not affected.
                if let Ok(notice) = notice {
                    print_node_event(&notice, printer);
                }
            }
        }
    }
    node.stop().await?;
    printer.print_json_line(&json!({ "event": "stopped" }));
    printer.print_line("stopped");
    Ok(0)
}

/// Stop signals: Ctrl-C, SIGTERM, and with `--with-parent` the end of standard input.
struct StopSignal {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    parent: Option<oneshot::Receiver<()>>,
}

impl StopSignal {
    fn new(with_parent: bool) -> Result<Self, CommandError> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| CommandError::new(ErrorCategory::Failure, "system", error.to_string()))
        };
        let parent = with_parent.then(|| {
            let (gone, parent) = oneshot::channel();
            // A read of standard input cannot be cancelled, so it gets a thread of its own.
            std::thread::spawn(move || {
                // A failed read ends the input as well.
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

    async fn wait(&mut self) {
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

fn print_network_event(seen: &NetworkEvent, printer: &Printer) {
    printer.print_json_line(seen);
    match seen {
        NetworkEvent::Listening { address } => printer.print_field("listening", address),
        NetworkEvent::Connected { address, .. } => printer.print_field("connected", address),
        NetworkEvent::Disconnected { peer } => printer.print_field("lost", peer),
        NetworkEvent::Unreachable { address, reason } => {
            printer.print_field("unreachable", format!("{address}: {reason} (will retry)"));
        }
    }
}

fn print_node_event(notice: &NodeEvent, printer: &Printer) {
    printer.print_json_line(notice);
    match notice {
        NodeEvent::Accepted { publisher, seq, kind, object } => {
            printer.print_field(
                "held",
                format!("{kind} {object} (entry {seq} of {})", format::shorten_id(publisher)),
            );
        }
        NodeEvent::Verified { release, verdict, attested } => {
            let tone =
                if matches!(verdict, Verdict::Reproduced { .. }) { TextStyle::Good } else { TextStyle::Bad };
            let signed = if *attested { ", attested" } else { "" };
            printer.print_field(
                "verified",
                format!(
                    "{} {}{signed}",
                    format::shorten_id(release),
                    printer.style_text(tone, format::summarize_verdict(verdict))
                ),
            );
        }
        NodeEvent::Forked { publisher, seq } => {
            let word = printer.style_text(TextStyle::Bad, "fork");
            printer.print_field(&word, format!("{publisher} signed two different entries {seq}"));
        }
    }
}
