//! Builds the swarm: transports, behaviours, listeners.

use std::time::Duration;

use libp2p::{Swarm, SwarmBuilder, noise, tcp, yamux};

use crate::behaviour::Behaviour;
use crate::{Error, NetworkConfig, address};

/// A connection without streams is kept: gossip and requests come when they come. What bounds
/// the number of connections is the connection limits.
const KEEP: Duration = Duration::from_secs(365 * 24 * 3600);

/// A swarm that listens where the operator said.
///
/// # Errors
/// [`Error::Setup`], [`Error::Address`], [`Error::Listen`].
pub(crate) fn build_swarm(config: &NetworkConfig) -> Result<Swarm<Behaviour>, Error> {
    let behaviour = Behaviour::new(config.key.pair())?;
    let mut swarm = SwarmBuilder::with_existing_identity(config.key.pair().clone())
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .map_err(|fault| Error::Setup(fault.to_string()))?
        .with_quic()
        .with_behaviour(|_| behaviour)
        .map_err(|fault| Error::Setup(fault.to_string()))?
        .with_swarm_config(|swarm| swarm.with_idle_connection_timeout(KEEP))
        .with_connection_timeout(config.dial_timeout)
        .build();
    for text in &config.listen {
        let listened = swarm.listen_on(address::parse_multiaddr(text)?);
        listened.map_err(|fault| Error::Listen { address: text.clone(), reason: error_chain(&fault) })?;
    }
    Ok(swarm)
}

/// A fault with its causes, those that only repeat what was said left out.
pub(crate) fn error_chain(fault: &dyn std::error::Error) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(fault) = cause {
        let more = fault.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = fault.source();
    }
    text.lines().collect::<Vec<_>>().join(" ")
}
