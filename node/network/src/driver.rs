//! The one task that owns the swarm.
//!
//! It never waits for the owner of the node: events that do not fit in their queue stay in a
//! bounded outbox, and while that is full the swarm is not polled. Commands are always taken, so
//! that an owner that waits for the driver cannot be waited for.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use futures::StreamExt;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Stream, Swarm, gossipsub, ping};
use libp2p_stream::{Control, IncomingStreams};
use replication::{Announcement, Head, Request, Ticket};
use tokio::sync::{mpsc, oneshot};

use crate::behaviour::{Behaviour, BehaviourEvent, HEADS, SYNC, topic};
use crate::bucket::Rates;
use crate::handle::Command;
use crate::keeper::keep;
use crate::limits::{BANNED_MAX, BOOTSTRAP_MAX, DIALS_MAX, EVENTS_MAX, FAREWELL, OUTBOX_MAX};
use crate::pull::Pull;
use crate::slots::{Kind, Slots};
use crate::swarm::reason;
use crate::{Config, Error, Event, Network, address, serve, swarm, tell};

/// The driver of one node.
pub(crate) struct Driver {
    swarm: Swarm<Behaviour>,
    control: Control,
    asked: IncomingStreams,
    told: IncomingStreams,
    inbox: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
    outbox: VecDeque<Event>,
    slots: Slots,
    idle: Duration,
    cancels: BTreeMap<Ticket, oneshot::Sender<()>>,
    dials: BTreeMap<ConnectionId, oneshot::Sender<Result<PeerId, String>>>,
    watches: Vec<(PeerId, oneshot::Sender<()>)>,
    /// INVARIANT: of connected peers only.
    rates: BTreeMap<PeerId, Rates>,
}

impl Driver {
    /// Builds the swarm and starts the keepers of configured peers.
    ///
    /// # Errors
    /// As [`crate::start`].
    pub(crate) fn new(
        config: &Config,
        inbox: mpsc::Receiver<Command>,
        network: &Network,
    ) -> Result<(Self, mpsc::Receiver<Event>), Error> {
        if config.bootstrap.len() > BOOTSTRAP_MAX {
            return Err(Error::Busy("configured peers"));
        }
        let swarm = swarm::build(config)?;
        let mut control = swarm.behaviour().streams.new_control();
        let mut accept = |name| control.accept(name).map_err(|fault| Error::Setup(fault.to_string()));
        let (asked, told) = (accept(SYNC)?, accept(HEADS)?);
        let (events, outlet) = mpsc::channel(EVENTS_MAX);
        let mut slots = Slots::default();
        for text in &config.bootstrap {
            address::parse(text)?;
            let keeper = keep(network.commands().downgrade(), events.clone(), text.clone());
            slots.spawn(Kind::Keep, *swarm.local_peer_id(), keeper);
        }
        let driver = Self {
            swarm,
            control,
            asked,
            told,
            inbox,
            events,
            outbox: VecDeque::new(),
            slots,
            idle: config.idle,
            cancels: BTreeMap::new(),
            dials: BTreeMap::new(),
            watches: Vec::new(),
            rates: BTreeMap::new(),
        };
        Ok((driver, outlet))
    }

    /// Drives until the handle or the owner is gone, or a shutdown is asked for.
    pub(crate) async fn run(mut self) {
        let events = self.events.clone();
        let farewell = loop {
            let room = self.outbox.len() < OUTBOX_MAX;
            tokio::select! {
                command = self.inbox.recv() => match command {
                    None => break None,
                    Some(Command::Shutdown(reply)) => break Some(reply),
                    Some(command) => self.obey(command),
                },
                permit = events.reserve(), if !self.outbox.is_empty() => match permit {
                    Err(_) => break None,
                    Ok(permit) => if let Some(event) = self.outbox.pop_front() { permit.send(event) },
                },
                event = self.swarm.select_next_some(), if room => self.observe(event),
                Some((peer, stream)) = self.asked.next() => self.serve(peer, stream),
                Some((peer, stream)) = self.told.next() => self.hear(peer, stream),
                () = self.slots.ended() => {}
            }
        };
        self.part().await;
        drop(self);
        if let Some(reply) = farewell {
            // Whoever asked may have gone since.
            let _ = reply.send(());
        }
    }

    /// Closes all connections, so that the peers know at once.
    async fn part(&mut self) {
        self.slots = Slots::default();
        let peers: Vec<_> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // An error says that it is disconnected already.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let closed = async {
            while self.swarm.connected_peers().next().is_some() {
                self.swarm.select_next_some().await;
            }
        };
        if tokio::time::timeout(FAREWELL, closed).await.is_err() {
            tracing::debug!("some connections did not close in time");
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Announce(bytes) => self.announce(bytes),
            Command::Tell { peer, bytes } => self.tell(peer, bytes),
            Command::Ask { peer, ticket, request, reply } => {
                // Whoever asked may have gone since.
                let _ = reply.send(self.ask(peer, ticket, request));
            }
            Command::Cancel(ticket) => drop(self.cancels.remove(&ticket)),
            Command::Dial { address, reply } => self.dial(address, reply),
            Command::Watch { peer, gone } => self.watch(peer, gone),
            Command::Ban(peer) => self.ban(peer),
            Command::Peers(reply) => {
                let mut peers: Vec<_> =
                    self.swarm.connected_peers().map(|peer| address::name(*peer)).collect();
                peers.sort();
                // Whoever asked may have gone since.
                let _ = reply.send(peers);
            }
            // Taken in `run`, which must leave its loop.
            Command::Shutdown(_) => {}
        }
    }

    fn announce(&mut self, bytes: Vec<u8>) {
        if let Err(fault) = self.swarm.behaviour_mut().gossip.publish(topic(), bytes) {
            tracing::debug!(%fault, "heads were not gossiped");
        }
    }

    fn tell(&mut self, peer: PeerId, bytes: Vec<u8>) {
        // A stream to a peer that is not connected would dial it behind the owner's back.
        if !self.swarm.is_connected(&peer) {
            return;
        }
        let telling = tell::tell(self.control.clone(), peer, bytes, self.idle);
        if !self.slots.spawn(Kind::Tell, peer, telling) {
            tracing::debug!(%peer, "too many heads are being told");
        }
    }

    fn ask(&mut self, peer: PeerId, ticket: Ticket, request: Request) -> Result<(), Error> {
        if !self.swarm.is_connected(&peer) {
            return Err(Error::Absent(address::name(peer)));
        }
        self.cancels.retain(|_, cancel| !cancel.is_closed());
        let (cancel, cancelled) = oneshot::channel();
        let pull = Pull {
            control: self.control.clone(),
            events: self.events.clone(),
            idle: self.idle,
            peer,
            ticket,
            request,
            cancel: cancelled,
        };
        if !self.slots.spawn(Kind::Pull, peer, pull.run()) {
            return Err(Error::Busy("requests"));
        }
        self.cancels.insert(ticket, cancel);
        Ok(())
    }

    fn dial(&mut self, address: Multiaddr, reply: oneshot::Sender<Result<PeerId, String>>) {
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
                Err(fault) => Err(reason(&fault)),
            },
        };
        // Whoever asked may have gone since.
        let _ = reply.send(failed);
    }

    fn watch(&mut self, peer: PeerId, gone: oneshot::Sender<()>) {
        self.watches.retain(|(_, gone)| !gone.is_closed());
        // Dropping it says that the peer is gone; there are no more watches than keepers.
        if self.swarm.is_connected(&peer) && self.watches.len() < BOOTSTRAP_MAX {
            self.watches.push((peer, gone));
        }
    }

    fn ban(&mut self, peer: PeerId) {
        let blocked = &mut self.swarm.behaviour_mut().blocked;
        if blocked.blocked_peers().len() < BANNED_MAX {
            blocked.block_peer(peer);
        } else {
            // An error says that it is disconnected already.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
    }

    fn serve(&mut self, peer: PeerId, stream: Stream) {
        let granted = self.rates.get_mut(&peer).is_some_and(|rates| rates.requests.take(Instant::now()));
        if granted && self.slots.free(Kind::Serve, peer) {
            let serving = serve::serve(stream, peer, self.events.clone(), self.idle);
            self.slots.spawn(Kind::Serve, peer, serving);
        } else if !self.slots.spawn(Kind::Refuse, peer, serve::refuse(stream, self.idle)) {
            tracing::debug!(%peer, "a stream beyond all limits was dropped");
        }
    }

    fn hear(&mut self, peer: PeerId, stream: Stream) {
        let granted = self.rates.get_mut(&peer).is_some_and(|rates| rates.heads.take(Instant::now()));
        let hearing = tell::hear(stream, peer, self.events.clone(), self.idle);
        if !(granted && self.slots.spawn(Kind::Hear, peer, hearing)) {
            tracing::debug!(%peer, "a peer tells too much at once");
        }
    }

    fn observe(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::NewListenAddr { address, .. } => {
                let local = *self.swarm.local_peer_id();
                let address = address.with_p2p(local).unwrap_or_else(|address| address);
                self.outbox.push_back(Event::Listening(address.to_string()));
            }
            SwarmEvent::ConnectionEstablished {
                peer_id, connection_id, endpoint, num_established, ..
            } => {
                if let Some(reply) = self.dials.remove(&connection_id) {
                    // Whoever asked may have gone since.
                    let _ = reply.send(Ok(peer_id));
                }
                if num_established.get() == 1 {
                    self.rates.insert(peer_id, Rates::new(Instant::now()));
                    let address = endpoint.get_remote_address().to_string();
                    self.outbox.push_back(Event::Connected { peer: address::name(peer_id), address });
                }
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => {
                self.rates.remove(&peer_id);
                // Dropping a watch fires it.
                self.watches.retain(|(peer, _)| *peer != peer_id);
                self.outbox.push_back(Event::Disconnected(address::name(peer_id)));
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                if let Some(reply) = self.dials.remove(&connection_id) {
                    // Whoever asked may have gone since.
                    let _ = reply.send(Err(reason(&error)));
                }
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "a listener has trouble"),
            // One that is closed at the end has no error.
            SwarmEvent::ListenerClosed { addresses, reason: Err(error), .. } => {
                tracing::warn!(?addresses, %error, "a listener closed");
            }
            SwarmEvent::Behaviour(event) => self.behave(event),
            _ => {}
        }
    }

    fn behave(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Gossip(gossipsub::Event::Message { propagation_source, message_id, message }) => {
                let acceptance = self.gossip(propagation_source, &message);
                let gossip = &mut self.swarm.behaviour_mut().gossip;
                gossip.report_message_validation_result(&message_id, &propagation_source, acceptance);
            }
            BehaviourEvent::Ping(ping::Event { peer, connection, result: Err(ping::Failure::Timeout) }) => {
                tracing::debug!(%peer, "a connection is dead");
                self.swarm.close_connection(connection);
            }
            _ => {}
        }
    }

    /// Judges a gossiped message: passed on, dropped, or held against who passed it.
    fn gossip(&mut self, via: PeerId, message: &gossipsub::Message) -> gossipsub::MessageAcceptance {
        let granted = self.rates.get_mut(&via).is_some_and(|rates| rates.gossip.take(Instant::now()));
        // News may be lost: it gives way to all other events.
        if !granted || self.outbox.len() > OUTBOX_MAX / 2 {
            return gossipsub::MessageAcceptance::Ignore;
        }
        match statement(message) {
            Ok((author, _)) if self.swarm.behaviour().blocked.blocked_peers().contains(&author) => {
                gossipsub::MessageAcceptance::Ignore
            }
            Ok((author, heads)) => {
                self.outbox.push_back(Event::Heads { from: address::name(author), heads });
                gossipsub::MessageAcceptance::Accept
            }
            Err(reason) => {
                self.outbox.push_back(Event::Misbehaved { peer: address::name(via), reason });
                gossipsub::MessageAcceptance::Reject
            }
        }
    }
}

/// Who says what in a gossiped message.
fn statement(message: &gossipsub::Message) -> Result<(PeerId, Vec<Head>), String> {
    let author = message.source.ok_or("gossip without an author")?;
    let announcement = Announcement::decode(&message.data).map_err(|fault| fault.to_string())?;
    Ok((author, announcement.heads))
}
