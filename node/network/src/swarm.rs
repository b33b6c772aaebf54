//! Construction of the swarm: transports, behaviours, listeners.

use std::time::Duration;

use libp2p::{Swarm, SwarmBuilder, noise, tcp, yamux};

use crate::address;
use crate::behaviour::Behaviour;
use crate::config::NetworkConfig;
use crate::error::Error;

/// Idle time of a connection before libp2p closes it: practically never, because requests and gossip
/// may pause for long. The connection limits bound the number of connections.
const IDLE_CONNECTION_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 3600);

/// Builds a swarm that listens on the configured addresses.
///
/// # Errors
/// [`Error::Setup`], [`Error::Address`], [`Error::Listen`].
pub(crate) fn build_swarm(config: &NetworkConfig) -> Result<Swarm<Behaviour>, Error> {
    let behaviour = Behaviour::new(config.key.pair())?;
    let mut swarm = SwarmBuilder::with_existing_identity(config.key.pair().clone())
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .map_err(|error| Error::Setup(error.to_string()))?
        .with_quic()
        .with_behaviour(|_| behaviour)
        .map_err(|error| Error::Setup(error.to_string()))?
        .with_swarm_config(|swarm| swarm.with_idle_connection_timeout(IDLE_CONNECTION_TIMEOUT))
        .with_connection_timeout(config.dial_timeout)
        .build();
    for text in &config.listen {
        let listened = swarm.listen_on(address::parse_multiaddr(text)?);
        listened.map_err(|error| Error::Listen { address: text.clone(), reason: error_chain(&error) })?;
    }
    Ok(swarm)
}

/// Formats an error with its causes on one line. libp2p repeats messages of causes in those of their
/// wrappers; repetitions are left out.
pub(crate) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text.lines().collect::<Vec<_>>().join(" ")
}
