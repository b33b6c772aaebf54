//! The nodes of the demonstration: processes of this very program, and what they say.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use node::DataDirectory;
use schemas::cid::PublisherId;
use serde_json::Value;

use crate::backend::{Backend, Remote};
use crate::fault::{Fault, Kind};

/// Time in which each scene must come to its end, also on a loaded machine.
const SCENE: Duration = Duration::from_secs(120);

/// A node on the stage.
pub(super) struct Actor {
    /// One letter.
    pub letter: char,
    /// What its publisher calls itself.
    pub name: &'static str,
    /// Its publisher.
    pub publisher: PublisherId,
    /// Its data directory.
    pub home: DataDirectory,
    /// Where its API answers.
    pub api: String,
    /// Where it listens, TCP first.
    pub addresses: Vec<String>,
    child: Child,
}

/// The nodes, and what they have said so far.
pub(super) struct Stage {
    /// The nodes in the order of their letters.
    pub actors: Vec<Actor>,
    told: Sender<(char, Value)>,
    said: Receiver<(char, Value)>,
    heard: Vec<(char, Value)>,
}

impl Stage {
    /// An empty stage.
    pub(super) fn new() -> Self {
        let (told, said) = channel();
        Self { actors: Vec::new(), told, said, heard: Vec::new() }
    }

    /// Makes an identity and starts its node, which dials the nodes that are there already.
    pub(super) fn enter(&mut self, dir: &Path, letter: char, name: &'static str) -> Result<(), Fault> {
        let home = DataDirectory::open(dir.join(letter.to_string()))?;
        let publisher = found(&home, name)?;
        let failed = |fault: std::io::Error| {
            Fault::new(Kind::Failure, "process", format!("cannot start a node: {fault}"))
        };
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command.arg("--data").arg(home.path()).args([
            "--json",
            "node",
            "--with-parent",
            "--api",
            "127.0.0.1:0",
        ]);
        command.args(["--listen", "/ip4/127.0.0.1/tcp/0", "--listen", "/ip4/127.0.0.1/udp/0/quic-v1"]);
        for address in self.actors.iter().filter_map(|actor| actor.addresses.first()) {
            command.args(["--peer", address]);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
        self.listen(&mut child, letter);
        let mut actor =
            Actor { letter, name, publisher, home, api: String::new(), addresses: Vec::new(), child };
        let started = self.wait("a node to start", |from, event| from == letter && is(event, "started"))?;
        actor.api = text(&started, "api").to_owned();
        for transport in ["/tcp/", "/udp/"] {
            let listening = self.wait("a node to listen", |from, event| {
                from == letter && is(event, "listening") && text(event, "address").contains(transport)
            })?;
            actor.addresses.push(text(&listening, "address").to_owned());
        }
        self.actors.push(actor);
        Ok(())
    }

    /// Reads what a node says, line by line, until it ends.
    fn listen(&self, child: &mut Child, letter: char) {
        let Some(out) = child.stdout.take() else { return };
        let told = self.told.clone();
        thread::spawn(move || {
            for line in BufReader::new(out).lines() {
                let event = line.ok().and_then(|line| serde_json::from_str(&line).ok());
                if event.is_none_or(|event| told.send((letter, event)).is_err()) {
                    return;
                }
            }
        });
    }

    /// Waits until a node has said what `matches`, now or before.
    pub(super) fn wait(
        &mut self,
        what: &str,
        matches: impl Fn(char, &Value) -> bool,
    ) -> Result<Value, Fault> {
        let found =
            |heard: &[(char, Value)]| heard.iter().find(|(from, event)| matches(*from, event)).cloned();
        let end = Instant::now() + SCENE;
        loop {
            if let Some((_, event)) = found(&self.heard) {
                return Ok(event);
            }
            match self.said.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(said) => self.heard.push(said),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    let message = format!("waited {} seconds for {what}", SCENE.as_secs());
                    return Err(Fault::new(Kind::Network, "timeout", message));
                }
            }
        }
    }

    /// The state of a node, through its API.
    pub(super) fn backend(&self, letter: char) -> Result<Backend, Fault> {
        let actor = self.actor(letter)?;
        Ok(Backend::Remote(Remote::new(actor.api.clone(), actor.home.token()?)))
    }

    /// A node.
    pub(super) fn actor(&self, letter: char) -> Result<&Actor, Fault> {
        let found = self.actors.iter().find(|actor| actor.letter == letter);
        found.ok_or_else(|| Fault::absent(format!("node {letter}")))
    }

    /// Waits until somebody ends the nodes (Ctrl-C reaches them too).
    pub(super) fn linger(&mut self) {
        // Waiting closes the input of whom it waits for, and the end of its input stops a node.
        let inputs: Vec<_> = self.actors.iter_mut().map(|actor| actor.child.stdin.take()).collect();
        for actor in &mut self.actors {
            // A node that is gone needs no waiting for.
            let _ = actor.child.wait();
        }
        drop(inputs);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for actor in &mut self.actors {
            // The end of its input stops a node in order; one that does not stop is ended below.
            drop(actor.child.stdin.take());
        }
        let end = Instant::now() + Duration::from_secs(10);
        for actor in &mut self.actors {
            while Instant::now() < end && matches!(actor.child.try_wait(), Ok(None)) {
                thread::yield_now();
            }
            // Ending what has ended is no fault.
            let _ = actor.child.kill();
            let _ = actor.child.wait();
        }
    }
}

fn found(home: &DataDirectory, name: &str) -> Result<PublisherId, Fault> {
    let (mut core, _) = node::open_core(home, false)?;
    let genesis = home.create_identity(name, None, node::unix_seconds())?;
    Ok(core.adopt_identity(genesis)?)
}

/// Whether an event is of this kind.
pub(super) fn is(event: &Value, kind: &str) -> bool {
    text(event, "event") == kind
}

/// A text of an event.
pub(super) fn text<'a>(event: &'a Value, name: &str) -> &'a str {
    event.get(name).and_then(Value::as_str).unwrap_or_default()
}
