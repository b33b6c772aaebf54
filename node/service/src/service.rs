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

use crate::core::{Core, CoreOutput, Error};
use crate::publish::PublishReceipt;
use crate::query::LedgerQuery;
use crate::storage::Storage;

/// Commands waiting for the owner. Senders wait when it is full, so a flood slows its source.
pub const INBOX_MAX: usize = 256;
/// Actions waiting for the network. When it is full an action is dropped: every message may be
/// lost anyway, and the machine asks again.
pub const ACTIONS_MAX: usize = 4096;
/// Notices that a slow listener may lag behind before it loses some.
pub const EVENTS_MAX: usize = 1024;
/// Releases run again at the same time; each run is bounded by the limits of its recipe.
pub const WORKERS: usize = 2;

type ReplySender<T> = oneshot::Sender<Result<T, Error>>;

/// What others ask of the owner.
#[derive(Debug)]
pub enum ServiceCommand {
    /// Something happened on the network.
    Network(Millis, SyncEvent),
    /// A stream delivered a block.
    Received(Millis, RequestId, Cid, Vec<u8>),
    /// Sign an object: its bytes, the blocks it needs, the time.
    Publish(Vec<u8>, Vec<Block>, i64, ReplySender<PublishReceipt>),
    /// Follow a publisher.
    Follow(PublisherId, ReplySender<()>),
    /// No longer follow a publisher.
    Unfollow(PublisherId, ReplySender<()>),
    /// Remember the address of a peer.
    AddPeer(String, ReplySender<()>),
    /// Entries of a log by number, for a peer that asks.
    Entries(PublisherId, u64, u64, ReplySender<Vec<EntryId>>),
    /// A verification is done; whether it was attested is told to whoever asked for it.
    Verified(Box<Verification>, Option<ReplySender<bool>>),
    /// Finish what is pending and end.
    Stop(oneshot::Sender<()>),
}

/// Something that people may want to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum NodeEvent {
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
pub struct Service<K: Storage> {
    commands: mpsc::Sender<ServiceCommand>,
    events: broadcast::Sender<NodeEvent>,
    storage: Arc<K>,
}

impl<K: Storage> Clone for Service<K> {
    fn clone(&self) -> Self {
        Self {
            commands: self.commands.clone(),
            events: self.events.clone(),
            storage: Arc::clone(&self.storage),
        }
    }
}

impl<K: Storage> Service<K> {
    /// Starts the owner of `core` and its workers. `clock` gives seconds since 1970 for signatures.
    ///
    /// Returns the handle and what is for the network. The owner ends with the last handle.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(core: Core<K>, clock: fn() -> i64) -> std::io::Result<(Self, mpsc::Receiver<SyncAction>)> {
        let (commands, inbox) = mpsc::channel(INBOX_MAX);
        let (actions, network) = mpsc::channel(ACTIONS_MAX);
        let (notices, _) = broadcast::channel(EVENTS_MAX);
        let (jobs, queue) = channel();
        let handle = Self { commands, events: notices.clone(), storage: core.storage() };
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..WORKERS {
            let (queue, keep) = (Arc::clone(&queue), core.storage());
            let done = handle.commands.downgrade();
            let work = move || run_verifications(&queue, keep.as_ref(), &done);
            thread::Builder::new().name(format!("verify-{number}")).spawn(work)?;
        }
        let owner =
            CoreOwner { core, inbox, actions, events: notices, jobs, running: BTreeSet::new(), clock };
        thread::Builder::new().name("service".into()).spawn(move || owner.run())?;
        Ok((handle, network))
    }

    /// Reads what is kept.
    pub fn query(&self) -> LedgerQuery<'_, K> {
        LedgerQuery(self.storage.as_ref())
    }

    /// What keeps the bytes.
    pub fn storage(&self) -> Arc<K> {
        Arc::clone(&self.storage)
    }

    /// What happens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<NodeEvent> {
        self.events.subscribe()
    }

    /// Sends a command that has no answer; `false` when the owner has ended.
    pub async fn send(&self, command: ServiceCommand) -> bool {
        self.commands.send(command).await.is_ok()
    }

    /// Sends a command and waits for its answer.
    ///
    /// # Errors
    /// Those of the command; [`Error::Unknown`] when the owner has ended.
    pub async fn request<T>(
        &self,
        command: impl FnOnce(ReplySender<T>) -> ServiceCommand,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let ended = || Error::NotFound("the service has ended; its state".into());
        self.commands.send(command(reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    /// Waits until the owner has finished what is pending, and ends it.
    pub async fn stop(&self) {
        let (reply, done) = oneshot::channel();
        if self.commands.send(ServiceCommand::Stop(reply)).await.is_ok() {
            // An owner that is gone already has nothing pending.
            let _ = done.await;
        }
    }
}

/// Runs releases again until the owner is gone.
fn run_verifications<K: Storage>(
    queue: &Mutex<Jobs<ReleaseId>>,
    keep: &K,
    done: &mpsc::WeakSender<ServiceCommand>,
) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(release) = next else { return };
        let found = verify::verify_release(release, &|id| keep.get(id).ok().flatten());
        let Some(done) = done.upgrade() else { return };
        if done.blocking_send(ServiceCommand::Verified(Box::new(found), None)).is_err() {
            return;
        }
    }
}

struct CoreOwner<K: Storage> {
    core: Core<K>,
    inbox: mpsc::Receiver<ServiceCommand>,
    actions: mpsc::Sender<SyncAction>,
    events: broadcast::Sender<NodeEvent>,
    jobs: JobSender<ReleaseId>,
    /// Releases that a worker has or will get.
    running: BTreeSet<ReleaseId>,
    clock: fn() -> i64,
}

impl<K: Storage> CoreOwner<K> {
    fn run(mut self) {
        self.dispatch_outputs();
        while let Some(command) = self.inbox.blocking_recv() {
            if let ServiceCommand::Stop(done) = command {
                self.flush_pending();
                // Whoever asked may have given up waiting.
                let _ = done.send(());
                return;
            }
            self.handle_command(command);
            self.dispatch_outputs();
        }
        self.flush_pending();
    }

    fn flush_pending(&mut self) {
        if let Err(error) = self.core.flush_pending() {
            tracing::error!(%error, "what was pending could not be kept");
        }
    }

    fn handle_command(&mut self, command: ServiceCommand) {
        let core = &mut self.core;
        let trouble = match command {
            ServiceCommand::Network(now, event) => core.handle_event(now, event),
            ServiceCommand::Received(now, request_id, id, bytes) => {
                core.accept_block(now, request_id, id, bytes)
            }
            ServiceCommand::Publish(object, blocks, time, reply) => {
                send_reply(reply, core.publish(&object, blocks, time))
            }
            ServiceCommand::Follow(publisher, reply) => send_reply(reply, core.follow(publisher)),
            ServiceCommand::Unfollow(publisher, reply) => send_reply(reply, core.unfollow(publisher)),
            ServiceCommand::AddPeer(address, reply) => send_reply(reply, core.add_peer(&address)),
            ServiceCommand::Entries(publisher, from, count, reply) => {
                send_reply(reply, core.entry_ids(publisher, from, count))
            }
            ServiceCommand::Verified(found, reply) => {
                self.running.remove(&found.release);
                let attested = self.record_verification(&found);
                match reply {
                    Some(reply) => send_reply(reply, attested),
                    None => attested.map(|_| ()),
                }
            }
            ServiceCommand::Stop(_) => Ok(()),
        };
        if let Err(error) = trouble {
            tracing::error!(%error, "an input could not be taken");
        }
    }

    fn record_verification(&mut self, found: &Verification) -> Result<bool, Error> {
        let attested = self.core.record_verification(found, (self.clock)())?;
        self.publish_event(NodeEvent::Verified {
            release: found.release,
            verdict: found.verdict.clone(),
            attested,
        });
        Ok(attested)
    }

    fn dispatch_outputs(&mut self) {
        for output in self.core.take_outputs() {
            match output {
                CoreOutput::Network(action) => {
                    if self.actions.try_send(action).is_err() {
                        tracing::debug!("an action for the network was dropped");
                    }
                }
                CoreOutput::Verify(release) => {
                    if self.running.insert(release) && self.jobs.send(release).is_err() {
                        tracing::error!("no worker is left to run releases again");
                    }
                }
                CoreOutput::Accepted { publisher, seq, kind, object } => {
                    self.publish_event(NodeEvent::Accepted { publisher, seq, kind, object });
                }
                CoreOutput::Forked { publisher, seq } => {
                    self.publish_event(NodeEvent::Forked { publisher, seq })
                }
            }
        }
    }

    fn publish_event(&self, notice: NodeEvent) {
        // Nobody has to listen.
        let _ = self.events.send(notice);
    }
}

/// Hands a result to whoever asked; a store that fails is trouble for the owner as well.
fn send_reply<T>(reply: ReplySender<T>, result: Result<T, Error>) -> Result<(), Error> {
    // Whoever asked may have given up waiting.
    let _ = reply.send(result);
    Ok(())
}

impl<K: Storage> Core<K> {
    /// Remembers the address of a peer, to be dialled at every start.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn add_peer(&mut self, address: &str) -> Result<(), Error> {
        let mut batch = WriteBatch::new();
        batch.put_row(IndexTree::Peers, address.as_bytes(), &[]);
        Ok(self.storage.commit(batch)?)
    }
}
