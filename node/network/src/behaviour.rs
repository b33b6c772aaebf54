//! The libp2p behaviours of a node and their configuration.

use libp2p::allow_block_list::{self, BlockedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::gossipsub::{self, IdentTopic, MessageAuthenticity, ValidationMode};
use libp2p::identity::Keypair;
use libp2p::swarm::NetworkBehaviour;
use libp2p::{StreamProtocol, identify, ping};
use replication::limits::ANNOUNCEMENT_BYTES_MAX;

use crate::error::Error;
use crate::limits::{
    CONNECTIONS_MAX, CONNECTIONS_PER_PEER_MAX, GOSSIP_OVERHEAD, HANDSHAKES_MAX, INCOMING_CONNECTIONS_MAX,
};

/// Protocol of streams that carry a request and its blocks.
pub(crate) const SYNC_PROTOCOL: StreamProtocol = StreamProtocol::new("/assay/sync/1");
/// Protocol of streams that carry one announcement.
pub(crate) const HEADS_PROTOCOL: StreamProtocol = StreamProtocol::new("/assay/heads/1");
/// Gossip topic of announcements.
pub(crate) const HEADS_TOPIC: &str = "/assay/1/heads";
/// Protocol family reported by identify.
const PROTOCOL_FAMILY: &str = "/assay/1";

/// All behaviours. The order matters: those that refuse connections must come first, so that no
/// other behaviour sees a refused one.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) limits: connection_limits::Behaviour,
    pub(crate) blocked: allow_block_list::Behaviour<BlockedPeers>,
    pub(crate) identify: identify::Behaviour,
    pub(crate) ping: ping::Behaviour,
    pub(crate) gossip: gossipsub::Behaviour,
    pub(crate) streams: libp2p_stream::Behaviour,
}

impl Behaviour {
    /// Creates the behaviours for a node key, subscribed to the gossip topic.
    ///
    /// # Errors
    /// [`Error::Setup`].
    pub(crate) fn new(pair: &Keypair) -> Result<Self, Error> {
        let identify = identify::Config::new(PROTOCOL_FAMILY.into(), pair.public())
            .with_agent_version(concat!("assay/", env!("CARGO_PKG_VERSION")).into());
        Ok(Self {
            limits: connection_limits::Behaviour::new(limit_connections()),
            blocked: allow_block_list::Behaviour::default(),
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::default(),
            gossip: build_gossip(pair)?,
            streams: libp2p_stream::Behaviour::new(),
        })
    }
}

/// Returns the gossip topic of announcements.
pub(crate) fn heads_topic() -> IdentTopic {
    IdentTopic::new(HEADS_TOPIC)
}

fn limit_connections() -> ConnectionLimits {
    ConnectionLimits::default()
        .with_max_pending_incoming(Some(HANDSHAKES_MAX))
        .with_max_pending_outgoing(Some(HANDSHAKES_MAX))
        .with_max_established_incoming(Some(INCOMING_CONNECTIONS_MAX))
        .with_max_established(Some(CONNECTIONS_MAX))
        .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER_MAX))
}

/// Creates gossipsub for signed messages only. Messages are forwarded after validation by the
/// driver, not before (specs/network.md, "Gossip").
fn build_gossip(pair: &Keypair) -> Result<gossipsub::Behaviour, Error> {
    let setup = |error: &dyn std::fmt::Display| Error::Setup(error.to_string());
    let config = gossipsub::ConfigBuilder::default()
        .validation_mode(ValidationMode::Strict)
        .validate_messages()
        .max_transmit_size(ANNOUNCEMENT_BYTES_MAX + GOSSIP_OVERHEAD)
        .build()
        .map_err(|error| setup(&error))?;
    let author = MessageAuthenticity::Signed(pair.clone());
    let mut gossip = gossipsub::Behaviour::new(author, config).map_err(|error| setup(&error))?;
    gossip.subscribe(&heads_topic()).map_err(|error| setup(&error))?;
    Ok(gossip)
}
