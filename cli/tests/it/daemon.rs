//! A running node: what it says, line by line, and its end.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::desk::{Desk, text};

/// Time in which an event must come, also on a loaded machine.
const EVENT: Duration = Duration::from_secs(60);
/// Listens on a free TCP port.
pub const TCP: &str = "/ip4/127.0.0.1/tcp/0";
/// Listens on a free UDP port.
pub const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

/// A node; killed when the value goes.
pub struct Daemon {
    child: Child,
    parent: Option<ChildStdin>,
    said: Receiver<Value>,
    /// All that it has said so far.
    pub heard: Vec<Value>,
    /// Where its API answers, such as `http://127.0.0.1:7171`.
    pub api: String,
    /// Where it listens, with its peer id.
    pub address: String,
}

impl Daemon {
    /// Starts the node of a desk, listening on `listen`.
    pub fn start(desk: &Desk, listen: &str) -> Self {
        Self::with(desk, listen, &[])
    }

    /// Starts the node of a desk, with more flags.
    pub fn with(desk: &Desk, listen: &str, flags: &[&str]) -> Self {
        let mut node = Self::spawn(desk, listen, flags);
        node.api = text(&node.wait("its start", |event| is(event, "started")), "api");
        node.address = text(&node.wait("an address", |event| is(event, "listening")), "address");
        node
    }

    /// Starts the node of a desk, and waits for nothing.
    pub fn spawn(desk: &Desk, listen: &str, flags: &[&str]) -> Self {
        let mut command =
            desk.command(&["node", "--json", "--with-parent", "--api", "127.0.0.1:0", "--listen", listen]);
        let err = File::options().create(true).append(true).open(desk.path("node.err")).unwrap();
        let mut child = command.args(flags).stdin(Stdio::piped()).stderr(err).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tell, said) = channel();
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                // The last line of a killed node may be half of one.
                let Ok(event) = serde_json::from_str(&line) else { return };
                if tell.send(event).is_err() {
                    return;
                }
            }
        });
        let parent = child.stdin.take();
        Self { child, parent, said, heard: Vec::new(), api: String::new(), address: String::new() }
    }

    /// Waits until it has said what `matches`, now or before.
    #[track_caller]
    pub fn wait(&mut self, what: &str, matches: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + EVENT;
        let mut seen = 0;
        loop {
            if let Some(event) = self.heard[seen..].iter().find(|event| matches(event)) {
                return event.clone();
            }
            seen = self.heard.len();
            match self.said.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(event) => self.heard.push(event),
                Err(fault @ (RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected)) => {
                    panic!("waiting for {what}: {fault}; heard {:#?}", self.heard)
                }
            }
        }
    }

    /// Waits for the next thing that it says; nothing when it has ended.
    pub fn next(&mut self) -> Option<&Value> {
        match self.said.recv_timeout(EVENT) {
            Ok(event) => self.heard.push(event),
            Err(RecvTimeoutError::Timeout) => panic!("silent; heard {:#?}", self.heard),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
        self.heard.last()
    }

    /// Kills it (SIGKILL) and gives all that it had said.
    pub fn kill(mut self) -> Vec<Value> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        while self.next().is_some() {}
        std::mem::take(&mut self.heard)
    }

    /// Ends it in order, and gives its exit code.
    pub fn stop(mut self) -> i32 {
        drop(self.parent.take());
        while self.next().is_some() {}
        assert!(is(self.heard.last().unwrap(), "stopped"), "{:#?}", self.heard);
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // One that has ended by itself is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether an event is of this kind.
pub fn is(event: &Value, kind: &str) -> bool {
    event["event"] == kind
}
