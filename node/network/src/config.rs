//! Configuration of the network.

use std::fmt;
use std::time::Duration;

use libp2p::identity::Keypair;
use replication::Peer;

use crate::limits;

/// The key that identifies a node. It signs connections and gossip only; it is not a publisher
/// key and can be replaced at any time.
#[derive(Clone)]
pub struct NodeKey(Keypair);

impl NodeKey {
    /// Derives the key from an Ed25519 seed: 32 random bytes, secret, the same at every start.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let mut seed = seed;
        // INVARIANT: any 32 bytes are an Ed25519 seed, so the fallback is never used.
        Self(Keypair::ed25519_from_bytes(&mut seed).unwrap_or_else(|_| Keypair::generate_ed25519()))
    }

    /// Returns the peer id of this node.
    pub fn peer(&self) -> Peer {
        Peer(self.0.public().to_peer_id().to_string())
    }

    pub(crate) fn pair(&self) -> &Keypair {
        &self.0
    }
}

impl fmt::Debug for NodeKey {
    /// Writes the peer id, never the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeKey({})", self.peer())
    }
}

/// Configuration of a node's network.
#[derive(Debug, Clone)]
pub struct NetworkConfig {
    /// Key of this node.
    pub key: NodeKey,
    /// Multiaddresses to listen on, such as `/ip4/0.0.0.0/tcp/4001` or
    /// `/ip4/0.0.0.0/udp/4001/quic-v1`. If empty, this node only dials.
    pub listen: Vec<String>,
    /// Multiaddresses of peers to stay connected to, with or without `/p2p/…` at the end.
    pub bootstrap: Vec<String>,
    /// Inactivity after which a stream is closed; [`limits::IDLE_TIMEOUT`] except in tests.
    pub idle_timeout: Duration,
    /// Maximum time to open a connection; [`limits::DIAL_TIMEOUT`] except in tests.
    pub dial_timeout: Duration,
}

impl NetworkConfig {
    /// Creates a configuration that neither listens nor dials, with the default timeouts.
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
