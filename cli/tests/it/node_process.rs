//! A running node process and the events that it prints.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::workspace::{Workspace, text};

/// Time in which an event must come, also on a loaded machine.
const EVENT: Duration = Duration::from_secs(60);
/// Listens on a free TCP port.
pub const TCP: &str = "/ip4/127.0.0.1/tcp/0";
/// Listens on a free UDP port.
pub const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

/// A node; killed when the value goes.
pub struct NodeProcess {
    child: Child,
    parent: Option<ChildStdin>,
    receiver: Receiver<Value>,
    /// All events so far.
    pub events: Vec<Value>,
    /// URL of its API, such as `http://127.0.0.1:7171`.
    pub api: String,
    /// Address that it listens on, with its peer id.
    pub address: String,
}

impl NodeProcess {
    /// Starts the node of a workspace, listening on `listen`.
    pub fn start(workspace: &Workspace, listen: &str) -> Self {
        Self::with(workspace, listen, &[])
    }

    /// Starts the node of a workspace, with more flags.
    pub fn with(workspace: &Workspace, listen: &str, flags: &[&str]) -> Self {
        let mut node = Self::spawn(workspace, listen, flags);
        node.api = text(&node.wait_for("its start", |event| is_event(event, "started")), "api");
        node.address = text(&node.wait_for("an address", |event| is_event(event, "listening")), "address");
        node
    }

    /// Starts the node of a workspace, and waits for nothing.
    pub fn spawn(workspace: &Workspace, listen: &str, flags: &[&str]) -> Self {
        let mut command = workspace.command(&[
            "node",
            "--json",
            "--with-parent",
            "--api",
            "127.0.0.1:0",
            "--listen",
            listen,
        ]);
        let err = File::options().create(true).append(true).open(workspace.path("node.err")).unwrap();
        let mut child = command.args(flags).stdin(Stdio::piped()).stderr(err).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, receiver) = channel();
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                // The last line of a killed node may be half of one.
                let Ok(event) = serde_json::from_str(&line) else { return };
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        let parent = child.stdin.take();
        Self { child, parent, receiver, events: Vec::new(), api: String::new(), address: String::new() }
    }

    /// Waits for an event that `matches`, including earlier events.
    #[track_caller]
    pub fn wait_for(&mut self, what: &str, matches: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + EVENT;
        let mut seen = 0;
        loop {
            if let Some(event) = self.events[seen..].iter().find(|event| matches(event)) {
                return event.clone();
            }
            seen = self.events.len();
            match self.receiver.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(event) => self.events.push(event),
                Err(error @ (RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected)) => {
                    panic!("waiting for {what}: {error}; events {:#?}", self.events)
                }
            }
        }
    }

    /// Waits for the next thing that it says; nothing when it has ended.
    pub fn next(&mut self) -> Option<&Value> {
        match self.receiver.recv_timeout(EVENT) {
            Ok(event) => self.events.push(event),
            Err(RecvTimeoutError::Timeout) => panic!("silent; events {:#?}", self.events),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
        self.events.last()
    }

    /// Kills the process (SIGKILL) and returns all its events.
    pub fn kill(mut self) -> Vec<Value> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        while self.next().is_some() {}
        std::mem::take(&mut self.events)
    }

    /// Ends it in order, and gives its exit code.
    pub fn stop(mut self) -> i32 {
        drop(self.parent.take());
        while self.next().is_some() {}
        assert!(is_event(self.events.last().unwrap(), "stopped"), "{:#?}", self.events);
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        // A process that has ended already makes these calls fail, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns whether an event has this name.
pub fn is_event(event: &Value, kind: &str) -> bool {
    event["event"] == kind
}
