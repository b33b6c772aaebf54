//! The nodes of the demonstration: processes of this program, and the events that they report.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use node::DataDirectory;
use schemas::cid::PublisherId;
use serde_json::Value;

use crate::backend::{Backend, NodeClient};
use crate::error::{CommandError, ErrorCategory};

/// Time limit of each step; generous, for a loaded machine.
const STEP_TIMEOUT: Duration = Duration::from_secs(120);

/// A node of the demonstration.
pub(super) struct DemoNode {
    /// Letter in the output.
    pub letter: char,
    /// Name of its publisher.
    pub name: &'static str,
    /// Its publisher.
    pub publisher: PublisherId,
    /// Its data directory.
    pub home: DataDirectory,
    /// URL of its API.
    pub api: String,
    /// Addresses that it listens on, TCP first.
    pub addresses: Vec<String>,
    child: Child,
}

/// The nodes and the events that they have reported.
pub(super) struct DemoCluster {
    /// The nodes in the order of their letters.
    pub nodes: Vec<DemoNode>,
    event_sender: Sender<(char, Value)>,
    event_receiver: Receiver<(char, Value)>,
    events: Vec<(char, Value)>,
}

impl DemoCluster {
    /// Creates a cluster without nodes.
    pub(super) fn new() -> Self {
        let (event_sender, event_receiver) = channel();
        Self { nodes: Vec::new(), event_sender, event_receiver, events: Vec::new() }
    }

    /// Creates an identity and starts its node, which connects to the running ones.
    pub(super) fn start_node(
        &mut self,
        dir: &Path,
        letter: char,
        name: &'static str,
    ) -> Result<(), CommandError> {
        let home = DataDirectory::open(dir.join(letter.to_string()))?;
        let publisher = create_identity(&home, name)?;
        let failed = |error: std::io::Error| {
            CommandError::new(ErrorCategory::Failure, "process", format!("cannot start a node: {error}"))
        };
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command.arg("--data").arg(home.path()).args([
            "--json",
            "node",
            "--with-parent",
            "--api",
            "127.0.0.1:0",
        ]);
        // Free ports, so that several demonstrations can run at once.
        command.args(["--listen", "/ip4/127.0.0.1/tcp/0", "--listen", "/ip4/127.0.0.1/udp/0/quic-v1"]);
        for address in self.nodes.iter().filter_map(|node| node.addresses.first()) {
            command.args(["--peer", address]);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
        self.read_events(&mut child, letter);
        let mut node =
            DemoNode { letter, name, publisher, home, api: String::new(), addresses: Vec::new(), child };
        let started = self
            .wait_for_event("a node to start", |from, event| from == letter && is_event(event, "started"))?;
        node.api = text_field(&started, "api").to_owned();
        for transport in ["/tcp/", "/udp/"] {
            let listening = self.wait_for_event("a node to listen", |from, event| {
                from == letter
                    && is_event(event, "listening")
                    && text_field(event, "address").contains(transport)
            })?;
            node.addresses.push(text_field(&listening, "address").to_owned());
        }
        self.nodes.push(node);
        Ok(())
    }

    /// Reads the events of a node on a thread until its output ends.
    fn read_events(&self, child: &mut Child, letter: char) {
        let Some(out) = child.stdout.take() else { return };
        let event_sender = self.event_sender.clone();
        thread::spawn(move || {
            for line in BufReader::new(out).lines() {
                let event = line.ok().and_then(|line| serde_json::from_str(&line).ok());
                if event.is_none_or(|event| event_sender.send((letter, event)).is_err()) {
                    return;
                }
            }
        });
    }

    /// Waits for an event that `matches`, including earlier events.
    pub(super) fn wait_for_event(
        &mut self,
        what: &str,
        matches: impl Fn(char, &Value) -> bool,
    ) -> Result<Value, CommandError> {
        let found =
            |events: &[(char, Value)]| events.iter().find(|(from, event)| matches(*from, event)).cloned();
        let end = Instant::now() + STEP_TIMEOUT;
        loop {
            if let Some((_, event)) = found(&self.events) {
                return Ok(event);
            }
            match self.event_receiver.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(event_receiver) => self.events.push(event_receiver),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    let message = format!("waited {} seconds for {what}", STEP_TIMEOUT.as_secs());
                    return Err(CommandError::new(ErrorCategory::Network, "timeout", message));
                }
            }
        }
    }

    /// Access to the ledger of a node, through its API.
    pub(super) fn backend(&self, letter: char) -> Result<Backend, CommandError> {
        let node = self.node(letter)?;
        Ok(Backend::Remote(NodeClient::new(node.api.clone(), node.home.token()?)))
    }

    /// A node.
    pub(super) fn node(&self, letter: char) -> Result<&DemoNode, CommandError> {
        let found = self.nodes.iter().find(|node| node.letter == letter);
        found.ok_or_else(|| CommandError::not_found(format!("node {letter}")))
    }

    /// Waits until the nodes have stopped; Ctrl-C reaches them as well.
    pub(super) fn wait_until_stopped(&mut self) {
        // `Child::wait` closes the standard input of the child, which would stop the node.
        let inputs: Vec<_> = self.nodes.iter_mut().map(|node| node.child.stdin.take()).collect();
        for node in &mut self.nodes {
            // An error means that the node has stopped already.
            let _ = node.child.wait();
        }
        drop(inputs);
    }
}

impl Drop for DemoCluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            // The end of its input stops a node in order; the loop below kills one that hangs.
            drop(node.child.stdin.take());
        }
        let end = Instant::now() + Duration::from_secs(10);
        for node in &mut self.nodes {
            while Instant::now() < end && matches!(node.child.try_wait(), Ok(None)) {
                thread::yield_now();
            }
            // A node that has stopped already makes these calls fail, which is fine.
            let _ = node.child.kill();
            let _ = node.child.wait();
        }
    }
}

fn create_identity(home: &DataDirectory, name: &str) -> Result<PublisherId, CommandError> {
    let (mut core, _) = node::open_core(home, false)?;
    let genesis = home.create_identity(name, None, node::unix_seconds())?;
    Ok(core.adopt_identity(genesis)?)
}

/// Returns whether an event has this name.
pub(super) fn is_event(event: &Value, kind: &str) -> bool {
    text_field(event, "event") == kind
}

/// Returns a text field of an event; empty when it is absent.
pub(super) fn text_field<'a>(event: &'a Value, name: &str) -> &'a str {
    event.get(name).and_then(Value::as_str).unwrap_or_default()
}
