//! The task that owns the swarm.
//!
//! It never waits for the owner of the node: reports that do not fit in their queue wait in a
//! bounded outbox, and while the outbox is full the swarm is not polled. Commands are always
//! accepted, so that owner and driver cannot wait for each other.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use futures::StreamExt;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Stream, Swarm, gossipsub, ping};
use libp2p_stream::{Control, IncomingStreams};
use replication::{Announcement, LogHead, RequestId, SyncRequest};
use tokio::sync::{mpsc, oneshot};

use crate::behaviour::{Behaviour, BehaviourEvent, HEADS_PROTOCOL, SYNC_PROTOCOL, heads_topic};
use crate::block_stream::BlockStream;
use crate::config::NetworkConfig;
use crate::error::Error;
use crate::handle::DriverCommand;
use crate::limits::{BANNED_PEERS_MAX, BOOTSTRAP_MAX, DIALS_MAX, EVENTS_MAX, OUTBOX_MAX, SHUTDOWN_TIMEOUT};
use crate::rate_limit::PeerRates;
use crate::redial::keep_connected;
use crate::report::SwarmReport;
use crate::swarm::error_chain;
use crate::task_limits::{TaskKind, TaskSlots};
use crate::{address, head_stream, request_stream, swarm};

/// Drives the swarm of one node.
pub(crate) struct SwarmDriver {
    swarm: Swarm<Behaviour>,
    control: Control,
    incoming_requests: IncomingStreams,
    incoming_heads: IncomingStreams,
    inbox: mpsc::Receiver<DriverCommand>,
    reports: mpsc::Sender<SwarmReport>,
    outbox: VecDeque<SwarmReport>,
    tasks: TaskSlots,
    idle_timeout: Duration,
    cancellations: BTreeMap<RequestId, oneshot::Sender<()>>,
    dials: BTreeMap<ConnectionId, oneshot::Sender<Result<PeerId, String>>>,
    watches: Vec<(PeerId, oneshot::Sender<()>)>,
    /// INVARIANT: connected peers only.
    rates: BTreeMap<PeerId, PeerRates>,
}

impl SwarmDriver {
    /// Builds the swarm and starts a redial task for each configured peer.
    ///
    /// # Errors
    /// As [`crate::start`].
    pub(crate) fn new(
        config: &NetworkConfig,
        inbox: mpsc::Receiver<DriverCommand>,
        commands: &mpsc::Sender<DriverCommand>,
    ) -> Result<(Self, mpsc::Receiver<SwarmReport>), Error> {
        if config.bootstrap.len() > BOOTSTRAP_MAX {
            return Err(Error::Busy("configured peers"));
        }
        let swarm = swarm::build_swarm(config)?;
        let mut control = swarm.behaviour().streams.new_control();
        let mut accept = |name| control.accept(name).map_err(|error| Error::Setup(error.to_string()));
        let (requests, heads) = (accept(SYNC_PROTOCOL)?, accept(HEADS_PROTOCOL)?);
        let (reports, outlet) = mpsc::channel(EVENTS_MAX);
        let mut tasks = TaskSlots::default();
        for text in &config.bootstrap {
            address::parse_multiaddr(text)?;
            let keeper = keep_connected(commands.downgrade(), reports.clone(), text.clone());
            tasks.spawn(TaskKind::Redial, *swarm.local_peer_id(), keeper);
        }
        let driver = Self {
            swarm,
            control,
            incoming_requests: requests,
            incoming_heads: heads,
            inbox,
            reports,
            outbox: VecDeque::new(),
            tasks,
            idle_timeout: config.idle_timeout,
            cancellations: BTreeMap::new(),
            dials: BTreeMap::new(),
            watches: Vec::new(),
            rates: BTreeMap::new(),
        };
        Ok((driver, outlet))
    }

    /// Runs until the handle or the owner is dropped, or a shutdown is requested.
    pub(crate) async fn run(mut self) {
        let reports = self.reports.clone();
        let shutdown = loop {
            let room = self.outbox.len() < OUTBOX_MAX;
            tokio::select! {
                command = self.inbox.recv() => match command {
                    None => break None,
                    Some(DriverCommand::Shutdown(reply)) => break Some(reply),
                    Some(command) => self.handle_command(command),
                },
                permit = reports.reserve(), if !self.outbox.is_empty() => match permit {
                    Err(_) => break None,
                    Ok(permit) => if let Some(event) = self.outbox.pop_front() { permit.send(event) },
                },
                event = self.swarm.select_next_some(), if room => self.on_swarm_event(event),
                Some((peer, stream)) = self.incoming_requests.next() => self.accept_request(peer, stream),
                Some((peer, stream)) = self.incoming_heads.next() => self.accept_heads(peer, stream),
                () = self.tasks.join_next() => {}
            }
        };
        self.disconnect_all().await;
        drop(self);
        if let Some(reply) = shutdown {
            // Fails if the caller stopped waiting.
            let _ = reply.send(());
        }
    }

    /// Closes all connections, so that peers notice at once and not by a timeout.
    async fn disconnect_all(&mut self) {
        self.tasks = TaskSlots::default();
        let peers: Vec<_> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // Fails if the peer is disconnected already.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let closed = async {
            while self.swarm.connected_peers().next().is_some() {
                self.swarm.select_next_some().await;
            }
        };
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, closed).await.is_err() {
            tracing::debug!("some connections did not close in time");
        }
    }

    fn handle_command(&mut self, command: DriverCommand) {
        match command {
            DriverCommand::Announce(bytes) => self.publish_gossip(bytes),
            DriverCommand::SendHeads { peer, bytes } => self.send_heads(peer, bytes),
            DriverCommand::SendRequest { peer, request_id, request, reply } => {
                // Fails if the caller stopped waiting.
                let _ = reply.send(self.start_request(peer, request_id, request));
            }
            DriverCommand::CancelRequest(request_id) => drop(self.cancellations.remove(&request_id)),
            DriverCommand::Dial { address, reply } => self.dial_address(address, reply),
            DriverCommand::Watch { peer, gone } => self.watch_peer(peer, gone),
            DriverCommand::Ban(peer) => self.ban_peer(peer),
            DriverCommand::Peers(reply) => {
                let mut peers: Vec<_> =
                    self.swarm.connected_peers().map(|peer| address::from_peer_id(*peer)).collect();
                peers.sort();
                // Fails if the caller stopped waiting.
                let _ = reply.send(peers);
            }
            // Handled in `run`, which must leave its loop.
            DriverCommand::Shutdown(_) => {}
        }
    }

    fn publish_gossip(&mut self, bytes: Vec<u8>) {
        if let Err(error) = self.swarm.behaviour_mut().gossip.publish(heads_topic(), bytes) {
            tracing::debug!(%error, "announcement not gossiped");
        }
    }

    fn send_heads(&mut self, peer: PeerId, bytes: Vec<u8>) {
        // libp2p-stream would dial a peer that is not connected, without a report to the owner.
        if !self.swarm.is_connected(&peer) {
            return;
        }
        let sending = head_stream::send_heads(self.control.clone(), peer, bytes, self.idle_timeout);
        if !self.tasks.spawn(TaskKind::SendHeads, peer, sending) {
            tracing::debug!(%peer, "too many announcements are being sent");
        }
    }

    fn start_request(
        &mut self,
        peer: PeerId,
        request_id: RequestId,
        request: SyncRequest,
    ) -> Result<(), Error> {
        if !self.swarm.is_connected(&peer) {
            return Err(Error::NotConnected(address::from_peer_id(peer)));
        }
        self.cancellations.retain(|_, cancel| !cancel.is_closed());
        let (cancel, cancelled) = oneshot::channel();
        let stream = BlockStream {
            control: self.control.clone(),
            reports: self.reports.clone(),
            idle_timeout: self.idle_timeout,
            peer,
            request_id,
            request,
            cancel: cancelled,
        };
        if !self.tasks.spawn(TaskKind::Request, peer, stream.run()) {
            return Err(Error::Busy("requests"));
        }
        self.cancellations.insert(request_id, cancel);
        Ok(())
    }

    fn dial_address(&mut self, address: Multiaddr, reply: oneshot::Sender<Result<PeerId, String>>) {
        self.dials.retain(|_, reply| !reply.is_closed());
        let options = DialOpts::unknown_peer_id().address(address).build();
        let known = options.get_peer_id().filter(|peer| self.swarm.is_connected(peer));
        let id = options.connection_id();
        let failed = match known {
            Some(peer) => Ok(peer),
            None if self.dials.len() >= DIALS_MAX => Err("too many dials under way".into()),
            None => match self.swarm.dial(options) {
                Ok(()) => {
                    self.dials.insert(id, reply);
                    return;
                }
                Err(error) => Err(error_chain(&error)),
            },
        };
        // Fails if the caller stopped waiting.
        let _ = reply.send(failed);
    }

    fn watch_peer(&mut self, peer: PeerId, gone: oneshot::Sender<()>) {
        self.watches.retain(|(_, gone)| !gone.is_closed());
        // Dropping `gone` reports the peer as disconnected. Each redial task has at most one watch.
        if self.swarm.is_connected(&peer) && self.watches.len() < BOOTSTRAP_MAX {
            self.watches.push((peer, gone));
        }
    }

    fn ban_peer(&mut self, peer: PeerId) {
        let blocked = &mut self.swarm.behaviour_mut().blocked;
        if blocked.blocked_peers().len() < BANNED_PEERS_MAX {
            blocked.block_peer(peer);
        } else {
            // Fails if the peer is disconnected already.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
    }

    fn accept_request(&mut self, peer: PeerId, stream: Stream) {
        let granted = self.rates.get_mut(&peer).is_some_and(|rates| rates.requests.try_take(Instant::now()));
        if granted && self.tasks.has_room(TaskKind::Serve, peer) {
            let serving =
                request_stream::serve_request(stream, peer, self.reports.clone(), self.idle_timeout);
            self.tasks.spawn(TaskKind::Serve, peer, serving);
        } else if !self.tasks.spawn(
            TaskKind::Refuse,
            peer,
            request_stream::refuse_request(stream, self.idle_timeout),
        ) {
            tracing::debug!(%peer, "dropped a stream: all task limits are reached");
        }
    }

    fn accept_heads(&mut self, peer: PeerId, stream: Stream) {
        let granted = self.rates.get_mut(&peer).is_some_and(|rates| rates.heads.try_take(Instant::now()));
        let receiving = head_stream::receive_heads(stream, peer, self.reports.clone(), self.idle_timeout);
        if !(granted && self.tasks.spawn(TaskKind::ReceiveHeads, peer, receiving)) {
            tracing::debug!(%peer, "dropped an announcement: rate or task limit reached");
        }
    }

    fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::NewListenAddr { address, .. } => {
                let local = *self.swarm.local_peer_id();
                let address = address.with_p2p(local).unwrap_or_else(|address| address);
                self.outbox.push_back(SwarmReport::Listening(address.to_string()));
            }
            SwarmEvent::ConnectionEstablished {
                peer_id, connection_id, endpoint, num_established, ..
            } => {
                if let Some(reply) = self.dials.remove(&connection_id) {
                    // Fails if the caller stopped waiting.
                    let _ = reply.send(Ok(peer_id));
                }
                if num_established.get() == 1 {
                    self.rates.insert(peer_id, PeerRates::new(Instant::now()));
                    let address = endpoint.get_remote_address().to_string();
                    self.outbox
                        .push_back(SwarmReport::Connected { peer: address::from_peer_id(peer_id), address });
                }
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => {
                self.rates.remove(&peer_id);
                // Dropping a watch completes it.
                self.watches.retain(|(peer, _)| *peer != peer_id);
                self.outbox.push_back(SwarmReport::Disconnected(address::from_peer_id(peer_id)));
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                if let Some(reply) = self.dials.remove(&connection_id) {
                    // Fails if the caller stopped waiting.
                    let _ = reply.send(Err(error_chain(&error)));
                }
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "a listener reported an error"),
            // A listener closed by a shutdown has no error.
            SwarmEvent::ListenerClosed { addresses, reason: Err(error), .. } => {
                tracing::warn!(?addresses, %error, "a listener closed");
            }
            SwarmEvent::Behaviour(event) => self.on_behaviour_event(event),
            _ => {}
        }
    }

    fn on_behaviour_event(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Gossip(gossipsub::Event::Message { propagation_source, message_id, message }) => {
                let acceptance = self.validate_gossip(propagation_source, &message);
                let gossip = &mut self.swarm.behaviour_mut().gossip;
                gossip.report_message_validation_result(&message_id, &propagation_source, acceptance);
            }
            BehaviourEvent::Ping(ping::Event { peer, connection, result: Err(ping::Failure::Timeout) }) => {
                tracing::debug!(%peer, "closing a connection: ping timed out");
                self.swarm.close_connection(connection);
            }
            _ => {}
        }
    }

    /// Validates a gossiped message: accepted and forwarded, ignored, or rejected as misbehaviour of
    /// the peer that forwarded it.
    fn validate_gossip(&mut self, via: PeerId, message: &gossipsub::Message) -> gossipsub::MessageAcceptance {
        let granted = self.rates.get_mut(&via).is_some_and(|rates| rates.gossip.try_take(Instant::now()));
        // Announcements are repeated, so they give way to all other reports.
        if !granted || self.outbox.len() > OUTBOX_MAX / 2 {
            return gossipsub::MessageAcceptance::Ignore;
        }
        match decode_gossip(message) {
            Ok((author, _)) if self.swarm.behaviour().blocked.blocked_peers().contains(&author) => {
                gossipsub::MessageAcceptance::Ignore
            }
            Ok((author, heads)) => {
                self.outbox
                    .push_back(SwarmReport::HeadsReceived { from: address::from_peer_id(author), heads });
                gossipsub::MessageAcceptance::Accept
            }
            Err(reason) => {
                self.outbox.push_back(SwarmReport::Misbehaved { peer: address::from_peer_id(via), reason });
                gossipsub::MessageAcceptance::Reject
            }
        }
    }
}

/// Returns the author and the heads of a gossiped message.
fn decode_gossip(message: &gossipsub::Message) -> Result<(PeerId, Vec<LogHead>), String> {
    let author = message.source.ok_or("gossip message without an author")?;
    let announcement = Announcement::decode(&message.data).map_err(|error| error.to_string())?;
    Ok((author, announcement.heads))
}
