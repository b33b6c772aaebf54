//! The tasks that carry messages between network, service and API.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use network::{NetworkHandle, SwarmReport as Seen};
use replication::limits::TICK_MILLIS;
use replication::{StreamError, StreamOutcome, SyncAction, SyncEvent, SyncRequest};
use schemas::cid::Cid;
use serde::{Deserialize, Serialize};
use service::{Command, Keep, Service};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::clock::{now, system};
use crate::score::Scores;

/// Sightings that wait for whoever prints them; more are dropped.
pub(crate) const SIGHTINGS_MAX: usize = 256;

/// Something that the network saw and people may want to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Sighting {
    /// An address at which this node can be reached.
    Listening {
        /// With the peer id at its end.
        address: String,
    },
    /// A peer is connected.
    Connected {
        /// Who.
        peer: String,
        /// Where.
        address: String,
    },
    /// A peer is gone.
    Disconnected {
        /// Who.
        peer: String,
    },
    /// A configured peer cannot be reached; it is tried again.
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        reason: String,
    },
}

/// Who is connected, and where this node listens.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contacts(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    peers: BTreeMap<String, String>,
    listening: Vec<String>,
}

impl Contacts {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, sighting: &Sighting) {
        let mut known = self.known();
        match sighting {
            Sighting::Listening { address } => known.listening.push(address.clone()),
            Sighting::Connected { peer, address } => {
                known.peers.insert(peer.clone(), address.clone());
            }
            Sighting::Disconnected { peer } => {
                known.peers.remove(peer);
            }
            Sighting::Unreachable { .. } => {}
        }
    }
}

/// What the API needs to know of the network.
pub(crate) fn api_state<K: Keep>(
    service: &Service<K>,
    token: String,
    contacts: &Contacts,
    network: &NetworkHandle,
) -> api::Setup<K> {
    let (peers, listening, network) = (contacts.clone(), contacts.clone(), network.clone());
    let local = network.local_peer().to_string();
    api::Setup {
        service: service.clone(),
        token,
        peers: Arc::new(move || peers.known().peers.clone().into_iter().collect()),
        listening: Arc::new(move || {
            listening.known().listening.iter().map(|address| (local.clone(), address.clone())).collect()
        }),
        dial: Arc::new(move |address| {
            let network = network.clone();
            Box::pin(async move {
                let peer = network.dial_address(&address).await.map_err(|fault| fault.to_string())?;
                Ok(peer.to_string())
            })
        }),
        clock: system,
        pages: crate::pages::made(),
    }
}

/// Hands what the network saw to the service.
pub(crate) async fn events<K: Keep>(
    mut events: mpsc::Receiver<Seen>,
    service: Service<K>,
    contacts: Contacts,
    seen: mpsc::Sender<Sighting>,
) {
    while let Some(event) = events.recv().await {
        if let Some(sighting) = sighting(&event) {
            contacts.note(&sighting);
            // A node whose owner prints nothing works all the same.
            let _ = seen.try_send(sighting);
        }
        let command = match event {
            Seen::Connected { peer, .. } => Command::Network(now(), SyncEvent::Connected(peer)),
            Seen::Disconnected(peer) => Command::Network(now(), SyncEvent::Disconnected(peer)),
            Seen::HeadsReceived { from, heads } => {
                Command::Network(now(), SyncEvent::HeadsReceived { from, heads })
            }
            Seen::BlockReceived { request_id, id, bytes, .. } => {
                Command::Received(now(), request_id, id, bytes)
            }
            Seen::RequestFinished { request_id, outcome } => {
                Command::Network(now(), SyncEvent::RequestFinished { request_id, outcome })
            }
            Seen::RequestReceived { request, reply, .. } => {
                tokio::spawn(serve(service.clone(), request, reply));
                continue;
            }
            Seen::Misbehaved { peer, reason } => {
                tracing::warn!(%peer, reason, "a peer broke the protocol");
                continue;
            }
            Seen::Listening(_) | Seen::Unreachable { .. } => continue,
        };
        if !service.send(command).await {
            return;
        }
    }
}

fn sighting(event: &Seen) -> Option<Sighting> {
    Some(match event {
        Seen::Listening(address) => Sighting::Listening { address: address.clone() },
        Seen::Connected { peer, address } => {
            Sighting::Connected { peer: peer.to_string(), address: address.clone() }
        }
        Seen::Disconnected(peer) => Sighting::Disconnected { peer: peer.to_string() },
        Seen::Unreachable { address, reason } => {
            Sighting::Unreachable { address: address.clone(), reason: reason.clone() }
        }
        _ => return None,
    })
}

/// Sends a peer the blocks that it asks for, those that are held.
async fn serve<K: Keep>(service: Service<K>, request: SyncRequest, reply: mpsc::Sender<(Cid, Vec<u8>)>) {
    let ids: Vec<Cid> = match request {
        SyncRequest::Blocks { ids } => ids,
        SyncRequest::Entries { publisher, from, count } => {
            let entries = service.ask(|reply| Command::Entries(publisher, from, count, reply)).await;
            entries.unwrap_or_default().into_iter().map(|entry| entry.cid()).collect()
        }
    };
    let keep = service.keep();
    for id in ids {
        let reader = Arc::clone(&keep);
        let Ok(Ok(Some(bytes))) = tokio::task::spawn_blocking(move || reader.get(id)).await else { continue };
        if reply.send((id, bytes)).await.is_err() {
            return;
        }
    }
}

/// Hands what the service wants done to the network.
pub(crate) async fn actions<K: Keep>(
    mut actions: mpsc::Receiver<SyncAction>,
    service: Service<K>,
    network: NetworkHandle,
) {
    let mut scores = Scores::default();
    while let Some(action) = actions.recv().await {
        let done = match action {
            SyncAction::Gossip(heads) => network.gossip_heads(heads).await,
            SyncAction::SendHeads { peer, heads } => network.send_heads(&peer, heads).await,
            SyncAction::CancelRequest { request_id } => network.cancel_request(request_id).await,
            SyncAction::SendRequest { peer, request_id, request } => {
                let asked = network.send_request(&peer, request_id, request).await;
                if asked.is_err() {
                    let outcome = StreamOutcome::Interrupted(StreamError::Unreachable);
                    service
                        .send(Command::Network(now(), SyncEvent::RequestFinished { request_id, outcome }))
                        .await;
                }
                asked
            }
            SyncAction::Penalise { peer, severity, reason } => {
                tracing::warn!(%peer, ?severity, reason, "a peer is penalised");
                if scores.note(now(), &peer, severity) { network.ban_peer(&peer).await } else { Ok(()) }
            }
        };
        if let Err(error) = done {
            tracing::debug!(%error, "the network could not do something");
        }
    }
}

/// Tells the service that time passes.
pub(crate) async fn ticks<K: Keep>(service: Service<K>, mut stopped: watch::Receiver<bool>) {
    let mut interval = tokio::time::interval(Duration::from_millis(TICK_MILLIS));
    loop {
        tokio::select! {
            _ = interval.tick() => {
                if !service.send(Command::Network(now(), SyncEvent::Tick)).await {
                    return;
                }
            }
            _ = stopped.changed() => return,
        }
    }
}

/// Answers API requests.
pub(crate) async fn api<K: Keep>(
    listener: TcpListener,
    state: api::Setup<K>,
    mut stopped: watch::Receiver<bool>,
) {
    let stop = async move {
        // The sender being gone means the same as its word.
        let _ = stopped.changed().await;
    };
    api::serve(listener, state, stop).await;
}
