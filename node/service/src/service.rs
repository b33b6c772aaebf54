//! The thread that owns a core, and the handle for sending commands to it.

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
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::core::{Core, CoreOutput, Error};
use crate::publish::PublishReceipt;
use crate::query::LedgerQuery;
use crate::storage::Storage;

/// Capacity of the command queue. Senders wait when it is full, which slows down a fast source.
pub const INBOX_MAX: usize = 256;
/// Capacity of the queue of network actions. When it is full an action is dropped: any message can be
/// lost, and the sync machine retries.
pub const ACTIONS_MAX: usize = 4096;
/// Events that a slow subscriber may lag behind before it loses some.
pub const EVENTS_MAX: usize = 1024;
/// Verifications that run at the same time; each is bounded by the limits of its recipe.
pub const WORKERS: usize = 2;

type ReplySender<T> = oneshot::Sender<Result<T, Error>>;

/// A command for the owner of a core.
#[derive(Debug)]
pub enum ServiceCommand {
    /// A network event or tick.
    Network(Millis, SyncEvent),
    /// A stream delivered a block.
    Received(Millis, RequestId, Cid, Vec<u8>),
    /// Sign an object: its bytes, its dependencies, the claimed time.
    Publish(Vec<u8>, Vec<Block>, i64, ReplySender<PublishReceipt>),
    /// Follow a publisher.
    Follow(PublisherId, ReplySender<()>),
    /// Stop following a publisher.
    Unfollow(PublisherId, ReplySender<()>),
    /// Store the address of a peer.
    AddPeer(String, ReplySender<()>),
    /// Ids of entries of a log from a sequence number on, for the request of a peer.
    Entries(PublisherId, u64, u64, ReplySender<Vec<EntryId>>),
    /// A finished verification; the reply is whether it was attested.
    Verified(Box<Verification>, Option<ReplySender<bool>>),
    /// Commit pending blocks and stop.
    Stop(oneshot::Sender<()>),
}

/// An event for display.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum NodeEvent {
    /// An entry and its dependencies are stored.
    Accepted {
        /// The publisher.
        publisher: PublisherId,
        /// Its sequence number.
        seq: u64,
        /// The type of its object.
        kind: String,
        /// The object.
        object: Cid,
    },
    /// A release was verified here.
    Verified {
        /// The release.
        release: ReleaseId,
        /// The verdict.
        verdict: Verdict,
        /// Whether it was signed into the own log.
        attested: bool,
    },
    /// A publisher forked its log.
    Forked {
        /// The publisher.
        publisher: PublisherId,
        /// The first sequence number with two entries.
        seq: u64,
    },
}

/// Handle to the owner of a core; cheap to clone.
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
    /// Returns the handle and the actions for the network. The owner stops with the last handle.
    ///
    /// # Errors
    /// When a thread cannot be started.
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

    /// Queries on the storage.
    pub fn query(&self) -> LedgerQuery<'_, K> {
        LedgerQuery(self.storage.as_ref())
    }

    /// The storage, for concurrent reads.
    pub fn storage(&self) -> Arc<K> {
        Arc::clone(&self.storage)
    }

    /// Subscribes to the events from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<NodeEvent> {
        self.events.subscribe()
    }

    /// Sends a command without a reply; `false` when the owner has stopped.
    pub async fn send(&self, command: ServiceCommand) -> bool {
        self.commands.send(command).await.is_ok()
    }

    /// Sends a command and waits for its reply.
    ///
    /// # Errors
    /// Those of the command; [`Error::NotFound`] when the owner has stopped.
    pub async fn request<T>(
        &self,
        command: impl FnOnce(ReplySender<T>) -> ServiceCommand,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let ended = || Error::NotFound("the service has stopped; its state".into());
        self.commands.send(command(reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    /// Stops the owner after it committed pending blocks.
    pub async fn stop(&self) {
        let (reply, done) = oneshot::channel();
        if self.commands.send(ServiceCommand::Stop(reply)).await.is_ok() {
            // An owner that has stopped already has nothing pending.
            let _ = done.await;
        }
    }
}

/// Verifies queued releases until the owner stops.
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
    /// Releases that are queued or running, so that none is verified twice at a time.
    running: BTreeSet<ReleaseId>,
    clock: fn() -> i64,
}

impl<K: Storage> CoreOwner<K> {
    fn run(mut self) {
        self.dispatch_outputs();
        while let Some(command) = self.inbox.blocking_recv() {
            if let ServiceCommand::Stop(done) = command {
                self.flush_pending();
                // The receiver may have been dropped.
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
            tracing::error!(%error, "pending blocks could not be committed");
        }
    }

    fn handle_command(&mut self, command: ServiceCommand) {
        let core = &mut self.core;
        let outcome = match command {
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
        if let Err(error) = outcome {
            tracing::error!(%error, "a command failed");
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
                        tracing::error!("no verification worker is left");
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
        // There may be no subscriber.
        let _ = self.events.send(notice);
    }
}

/// Sends the result of a command to its caller, who alone handles an error: the owner neither logs it nor
/// stops.
fn send_reply<T>(reply: ReplySender<T>, result: Result<T, Error>) -> Result<(), Error> {
    // The receiver may have been dropped.
    let _ = reply.send(result);
    Ok(())
}
