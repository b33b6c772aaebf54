//! What an operator decides about the network.

use std::fmt;
use std::time::Duration;

use libp2p::identity::Keypair;
use replication::Peer;

use crate::limits;

/// The key a node is known by. It signs nothing but connections and gossip: it is no publisher
/// key, and may be thrown away.
#[derive(Clone)]
pub struct NodeKey(Keypair);

impl NodeKey {
    /// The key with this Ed25519 seed: 32 random bytes, kept secret, kept between starts.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let mut seed = seed;
        // INVARIANT: every 32 bytes are an Ed25519 seed, so the other arm is never taken.
        Self(Keypair::ed25519_from_bytes(&mut seed).unwrap_or_else(|_| Keypair::generate_ed25519()))
    }

    /// The name by which others know this node.
    pub fn peer(&self) -> Peer {
        Peer(self.0.public().to_peer_id().to_string())
    }

    pub(crate) fn pair(&self) -> &Keypair {
        &self.0
    }
}

impl fmt::Debug for NodeKey {
    /// The name only, never the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeKey({})", self.peer())
    }
}

/// How a node talks to others.
#[derive(Debug, Clone)]
pub struct NetworkConfig {
    /// The key of this node.
    pub key: NodeKey,
    /// Multiaddresses to listen on, such as `/ip4/0.0.0.0/tcp/4001` or
    /// `/ip4/0.0.0.0/udp/4001/quic-v1`. None: this node only dials.
    pub listen: Vec<String>,
    /// Multiaddresses of peers to stay connected to, with or without `/p2p/…` at the end.
    pub bootstrap: Vec<String>,
    /// Silence after which a stream is cut; [`limits::IDLE`] but in tests.
    pub idle_timeout: Duration,
    /// Time to open a connection; [`limits::DIAL`] but in tests.
    pub dial_timeout: Duration,
}

impl NetworkConfig {
    /// A node that neither listens nor dials, with the usual timeouts.
    pub fn new(key: NodeKey) -> Self {
        Self {
            key,
            listen: Vec::new(),
            bootstrap: Vec::new(),
            idle_timeout: limits::IDLE_TIMEOUT,
            dial_timeout: limits::DIAL_TIMEOUT,
        }
    }
}
