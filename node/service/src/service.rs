//! The thread that owns a core, and the handle by which everybody else talks to it.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver as Jobs, Sender as JobSender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use ledger::verify::{self, Verification};
use replication::{Millis, RequestId, SyncAction, SyncEvent};
use schemas::cid::{Cid, EntryId, PublisherId, ReleaseId};
use schemas::content::Block;
use schemas::verdict::Verdict;
use serde::{Deserialize, Serialize};
use store::{IndexTree, WriteBatch};
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::core::{Core, Error, Output};
use crate::keep::Keep;
use crate::publish::Published;
use crate::query::Query;

/// Commands waiting for the owner. Senders wait when it is full, so a flood slows its source.
pub const INBOX_MAX: usize = 256;
/// Actions waiting for the network. When it is full an action is dropped: every message may be
/// lost anyway, and the machine asks again.
pub const ACTIONS_MAX: usize = 4096;
/// Notices that a slow listener may lag behind before it loses some.
pub const NOTICES_MAX: usize = 1024;
/// Releases run again at the same time; each run is bounded by the limits of its recipe.
pub const WORKERS: usize = 2;

type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// What others ask of the owner.
#[derive(Debug)]
pub enum Command {
    /// Something happened on the network.
    Network(Millis, SyncEvent),
    /// A stream delivered a block.
    Received(Millis, RequestId, Cid, Vec<u8>),
    /// Sign an object: its bytes, the blocks it needs, the time.
    Publish(Vec<u8>, Vec<Block>, i64, Reply<Published>),
    /// Follow a publisher.
    Follow(PublisherId, Reply<()>),
    /// No longer follow a publisher.
    Unfollow(PublisherId, Reply<()>),
    /// Remember the address of a peer.
    AddPeer(String, Reply<()>),
    /// Entries of a log by number, for a peer that asks.
    Entries(PublisherId, u64, u64, Reply<Vec<EntryId>>),
    /// A verification is done; whether it was attested is told to whoever asked for it.
    Verified(Box<Verification>, Option<Reply<bool>>),
    /// Finish what is pending and end.
    Stop(oneshot::Sender<()>),
}

/// Something that people may want to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Notice {
    /// An entry and all it needs is held.
    Accepted {
        /// Whose log.
        publisher: PublisherId,
        /// Its place.
        seq: u64,
        /// The kind of its object.
        kind: String,
        /// The object.
        object: Cid,
    },
    /// A release was run again here.
    Verified {
        /// The release.
        release: ReleaseId,
        /// What came of it.
        verdict: Verdict,
        /// Whether it was signed into the own log.
        attested: bool,
    },
    /// A publisher signed two histories.
    Forked {
        /// Who.
        publisher: PublisherId,
        /// Where they part.
        seq: u64,
    },
}

/// A handle to the owner; cheap to clone.
pub struct Service<K: Keep> {
    commands: mpsc::Sender<Command>,
    notices: broadcast::Sender<Notice>,
    keep: Arc<K>,
}

impl<K: Keep> Clone for Service<K> {
    fn clone(&self) -> Self {
        Self { commands: self.commands.clone(), notices: self.notices.clone(), keep: Arc::clone(&self.keep) }
    }
}

impl<K: Keep> Service<K> {
    /// Starts the owner of `core` and its workers. `clock` gives seconds since 1970 for signatures.
    ///
    /// Returns the handle and what is for the network. The owner ends with the last handle.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(core: Core<K>, clock: fn() -> i64) -> std::io::Result<(Self, mpsc::Receiver<SyncAction>)> {
        let (commands, inbox) = mpsc::channel(INBOX_MAX);
        let (actions, network) = mpsc::channel(ACTIONS_MAX);
        let (notices, _) = broadcast::channel(NOTICES_MAX);
        let (jobs, queue) = channel();
        let handle = Self { commands, notices: notices.clone(), keep: core.keep() };
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..WORKERS {
            let (queue, keep) = (Arc::clone(&queue), core.keep());
            let done = handle.commands.downgrade();
            let work = move || worker(&queue, keep.as_ref(), &done);
            thread::Builder::new().name(format!("verify-{number}")).spawn(work)?;
        }
        let owner = Owner { core, inbox, actions, notices, jobs, running: BTreeSet::new(), clock };
        thread::Builder::new().name("service".into()).spawn(move || owner.run())?;
        Ok((handle, network))
    }

    /// Reads what is kept.
    pub fn query(&self) -> Query<'_, K> {
        Query(self.keep.as_ref())
    }

    /// What keeps the bytes.
    pub fn keep(&self) -> Arc<K> {
        Arc::clone(&self.keep)
    }

    /// What happens from now on.
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    /// Sends a command that has no answer; `false` when the owner has ended.
    pub async fn send(&self, command: Command) -> bool {
        self.commands.send(command).await.is_ok()
    }

    /// Sends a command and waits for its answer.
    ///
    /// # Errors
    /// Those of the command; [`Error::Unknown`] when the owner has ended.
    pub async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let ended = || Error::Unknown("the service has ended; its state".into());
        self.commands.send(command(reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    /// Waits until the owner has finished what is pending, and ends it.
    pub async fn stop(&self) {
        let (reply, done) = oneshot::channel();
        if self.commands.send(Command::Stop(reply)).await.is_ok() {
            // An owner that is gone already has nothing pending.
            let _ = done.await;
        }
    }
}

/// Runs releases again until the owner is gone.
fn worker<K: Keep>(queue: &Mutex<Jobs<ReleaseId>>, keep: &K, done: &mpsc::WeakSender<Command>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(release) = next else { return };
        let found = verify::verify(release, &|id| keep.get(id).ok().flatten());
        let Some(done) = done.upgrade() else { return };
        if done.blocking_send(Command::Verified(Box::new(found), None)).is_err() {
            return;
        }
    }
}

struct Owner<K: Keep> {
    core: Core<K>,
    inbox: mpsc::Receiver<Command>,
    actions: mpsc::Sender<SyncAction>,
    notices: broadcast::Sender<Notice>,
    jobs: JobSender<ReleaseId>,
    /// Releases that a worker has or will get.
    running: BTreeSet<ReleaseId>,
    clock: fn() -> i64,
}

impl<K: Keep> Owner<K> {
    fn run(mut self) {
        self.outputs();
        while let Some(command) = self.inbox.blocking_recv() {
            if let Command::Stop(done) = command {
                self.settle();
                // Whoever asked may have given up waiting.
                let _ = done.send(());
                return;
            }
            self.take(command);
            self.outputs();
        }
        self.settle();
    }

    fn settle(&mut self) {
        if let Err(error) = self.core.flush() {
            tracing::error!(%error, "what was pending could not be kept");
        }
    }

    fn take(&mut self, command: Command) {
        let core = &mut self.core;
        let trouble = match command {
            Command::Network(now, event) => core.handle(now, event),
            Command::Received(now, request_id, id, bytes) => core.received(now, request_id, id, bytes),
            Command::Publish(object, blocks, time, reply) => {
                answer(reply, core.publish(&object, blocks, time))
            }
            Command::Follow(publisher, reply) => answer(reply, core.follow(publisher)),
            Command::Unfollow(publisher, reply) => answer(reply, core.unfollow(publisher)),
            Command::AddPeer(address, reply) => answer(reply, core.add_peer(&address)),
            Command::Entries(publisher, from, count, reply) => {
                answer(reply, core.entries(publisher, from, count))
            }
            Command::Verified(found, reply) => {
                self.running.remove(&found.release);
                let attested = self.verified(&found);
                match reply {
                    Some(reply) => answer(reply, attested),
                    None => attested.map(|_| ()),
                }
            }
            Command::Stop(_) => Ok(()),
        };
        if let Err(error) = trouble {
            tracing::error!(%error, "an input could not be taken");
        }
    }

    fn verified(&mut self, found: &Verification) -> Result<bool, Error> {
        let attested = self.core.verified(found, (self.clock)())?;
        self.notify(Notice::Verified { release: found.release, verdict: found.verdict.clone(), attested });
        Ok(attested)
    }

    fn outputs(&mut self) {
        for output in self.core.take_outputs() {
            match output {
                Output::Network(action) => {
                    if self.actions.try_send(action).is_err() {
                        tracing::debug!("an action for the network was dropped");
                    }
                }
                Output::Verify(release) => {
                    if self.running.insert(release) && self.jobs.send(release).is_err() {
                        tracing::error!("no worker is left to run releases again");
                    }
                }
                Output::Accepted { publisher, seq, kind, object } => {
                    self.notify(Notice::Accepted { publisher, seq, kind, object });
                }
                Output::Forked { publisher, seq } => self.notify(Notice::Forked { publisher, seq }),
            }
        }
    }

    fn notify(&self, notice: Notice) {
        // Nobody has to listen.
        let _ = self.notices.send(notice);
    }
}

/// Hands a result to whoever asked; a store that fails is trouble for the owner as well.
fn answer<T>(reply: Reply<T>, result: Result<T, Error>) -> Result<(), Error> {
    // Whoever asked may have given up waiting.
    let _ = reply.send(result);
    Ok(())
}

impl<K: Keep> Core<K> {
    /// Remembers the address of a peer, to be dialled at every start.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn add_peer(&mut self, address: &str) -> Result<(), Error> {
        let mut batch = WriteBatch::new();
        batch.put_row(IndexTree::Peers, address.as_bytes(), &[]);
        Ok(self.keep.commit(batch)?)
    }
}
