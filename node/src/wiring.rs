//! The tasks that carry messages between network, service and API.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use network::{NetworkHandle, SwarmReport as Seen};
use replication::limits::TICK_MILLIS;
use replication::{StreamError, StreamOutcome, SyncAction, SyncEvent, SyncRequest};
use schemas::cid::Cid;
use serde::{Deserialize, Serialize};
use service::{Service, ServiceCommand, Storage};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::clock::{monotonic_millis, unix_seconds};
use crate::peer_scores::PeerScores;

/// Capacity of the queue of [`NetworkEvent`]s; events beyond it are dropped.
pub(crate) const NETWORK_EVENTS_MAX: usize = 256;

/// A change of connections, for display.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum NetworkEvent {
    /// The node listens on an address.
    Listening {
        /// Multiaddress with the peer id at its end.
        address: String,
    },
    /// A peer is connected.
    Connected {
        /// Peer id.
        peer: String,
        /// Multiaddress.
        address: String,
    },
    /// A peer disconnected.
    Disconnected {
        /// Peer id.
        peer: String,
    },
    /// A configured peer cannot be reached; it is dialled again.
    Unreachable {
        /// Multiaddress.
        address: String,
        /// The error.
        reason: String,
    },
}

/// Connected peers and listening addresses.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConnectedPeers(Arc<Mutex<PeerTable>>);

#[derive(Debug, Default)]
struct PeerTable {
    peers: BTreeMap<String, String>,
    listening: Vec<String>,
}

impl ConnectedPeers {
    fn lock_table(&self) -> MutexGuard<'_, PeerTable> {
        // Each update is one insertion or removal, so a panic elsewhere leaves the table usable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record_event(&self, sighting: &NetworkEvent) {
        let mut known = self.lock_table();
        match sighting {
            NetworkEvent::Listening { address } => known.listening.push(address.clone()),
            NetworkEvent::Connected { peer, address } => {
                known.peers.insert(peer.clone(), address.clone());
            }
            NetworkEvent::Disconnected { peer } => {
                known.peers.remove(peer);
            }
            NetworkEvent::Unreachable { .. } => {}
        }
    }
}

/// The dependencies of the API.
pub(crate) fn api_state<K: Storage>(
    service: &Service<K>,
    token: String,
    contacts: &ConnectedPeers,
    network: &NetworkHandle,
) -> api::Setup<K> {
    let (peers, listening, network) = (contacts.clone(), contacts.clone(), network.clone());
    let local = network.local_peer().to_string();
    api::Setup {
        service: service.clone(),
        token,
        peers: Arc::new(move || peers.lock_table().peers.clone().into_iter().collect()),
        listening: Arc::new(move || {
            listening.lock_table().listening.iter().map(|address| (local.clone(), address.clone())).collect()
        }),
        dial: Arc::new(move |address| {
            let network = network.clone();
            Box::pin(async move {
                let peer = network.dial_address(&address).await.map_err(|error| error.to_string())?;
                Ok(peer.to_string())
            })
        }),
        clock: unix_seconds,
        pages: crate::pages::render_pages(),
    }
}

/// Forwards network events to the service.
pub(crate) async fn forward_events<K: Storage>(
    mut events: mpsc::Receiver<Seen>,
    service: Service<K>,
    contacts: ConnectedPeers,
    seen: mpsc::Sender<NetworkEvent>,
) {
    while let Some(event) = events.recv().await {
        if let Some(sighting) = network_event(&event) {
            contacts.record_event(&sighting);
            // The queue is full or has no reader when nothing displays the events.
            let _ = seen.try_send(sighting);
        }
        let command = match event {
            Seen::Connected { peer, .. } => {
                ServiceCommand::Network(monotonic_millis(), SyncEvent::Connected(peer))
            }
            Seen::Disconnected(peer) => {
                ServiceCommand::Network(monotonic_millis(), SyncEvent::Disconnected(peer))
            }
            Seen::HeadsReceived { from, heads } => {
                ServiceCommand::Network(monotonic_millis(), SyncEvent::HeadsReceived { from, heads })
            }
            Seen::BlockReceived { request_id, id, bytes, .. } => {
                ServiceCommand::Received(monotonic_millis(), request_id, id, bytes)
            }
            Seen::RequestFinished { request_id, outcome } => ServiceCommand::Network(
                monotonic_millis(),
                SyncEvent::RequestFinished { request_id, outcome },
            ),
            Seen::RequestReceived { request, reply, .. } => {
                // A task of its own: a peer that reads slowly must not hold up the events of others.
                tokio::spawn(serve_request(service.clone(), request, reply));
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

fn network_event(event: &Seen) -> Option<NetworkEvent> {
    Some(match event {
        Seen::Listening(address) => NetworkEvent::Listening { address: address.clone() },
        Seen::Connected { peer, address } => {
            NetworkEvent::Connected { peer: peer.to_string(), address: address.clone() }
        }
        Seen::Disconnected(peer) => NetworkEvent::Disconnected { peer: peer.to_string() },
        Seen::Unreachable { address, reason } => {
            NetworkEvent::Unreachable { address: address.clone(), reason: reason.clone() }
        }
        _ => return None,
    })
}

/// Serves a request of a peer: sends the requested blocks that are stored.
async fn serve_request<K: Storage>(
    service: Service<K>,
    request: SyncRequest,
    reply: mpsc::Sender<(Cid, Vec<u8>)>,
) {
    let ids: Vec<Cid> = match request {
        SyncRequest::Blocks { ids } => ids,
        SyncRequest::Entries { publisher, from, count } => {
            let entries =
                service.request(|reply| ServiceCommand::Entries(publisher, from, count, reply)).await;
            entries.unwrap_or_default().into_iter().map(|entry| entry.cid()).collect()
        }
    };
    let keep = service.storage();
    for id in ids {
        let reader = Arc::clone(&keep);
        // A missing or unreadable block is left out, so one of them does not withhold the rest.
        let Ok(Ok(Some(bytes))) = tokio::task::spawn_blocking(move || reader.get(id)).await else { continue };
        if reply.send((id, bytes)).await.is_err() {
            return;
        }
    }
}

/// Forwards actions of the service to the network.
pub(crate) async fn run_actions<K: Storage>(
    mut actions: mpsc::Receiver<SyncAction>,
    service: Service<K>,
    network: NetworkHandle,
) {
    let mut scores = PeerScores::default();
    while let Some(action) = actions.recv().await {
        let done = match action {
            SyncAction::Gossip(heads) => network.gossip_heads(heads).await,
            SyncAction::SendHeads { peer, heads } => network.send_heads(&peer, heads).await,
            SyncAction::CancelRequest { request_id } => network.cancel_request(request_id).await,
            SyncAction::SendRequest { peer, request_id, request } => {
                let asked = network.send_request(&peer, request_id, request).await;
                // The machine keeps a request open until its end is reported, so a failed send reports one.
                if asked.is_err() {
                    let outcome = StreamOutcome::Interrupted(StreamError::Unreachable);
                    service
                        .send(ServiceCommand::Network(
                            monotonic_millis(),
                            SyncEvent::RequestFinished { request_id, outcome },
                        ))
                        .await;
                }
                asked
            }
            SyncAction::Penalise { peer, severity, reason } => {
                tracing::warn!(%peer, ?severity, reason, "a peer is penalised");
                if scores.add_points(monotonic_millis(), &peer, severity) {
                    network.ban_peer(&peer).await
                } else {
                    Ok(())
                }
            }
        };
        if let Err(error) = done {
            tracing::debug!(%error, "a network action failed");
        }
    }
}

/// Sends ticks to the service.
pub(crate) async fn run_ticks<K: Storage>(service: Service<K>, mut stopped: watch::Receiver<bool>) {
    let mut interval = tokio::time::interval(Duration::from_millis(TICK_MILLIS));
    loop {
        tokio::select! {
            _ = interval.tick() => {
                if !service.send(ServiceCommand::Network(monotonic_millis(), SyncEvent::Tick)).await {
                    return;
                }
            }
            _ = stopped.changed() => return,
        }
    }
}

/// Serves the API until shutdown.
pub(crate) async fn serve_api<K: Storage>(
    listener: TcpListener,
    state: api::Setup<K>,
    mut stopped: watch::Receiver<bool>,
) {
    let stop = async move {
        // A dropped sender means shutdown as well.
        let _ = stopped.changed().await;
    };
    api::serve(listener, state, stop).await;
}
