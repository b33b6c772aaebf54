//! Bounds of the network, each with its unit and its reason.
//!
//! The table in `specs/network.md` lists those that another implementation can observe; a test of
//! this crate compares the two.

use std::time::Duration;

/// Connections at once: gossip needs a dozen, and each costs some 100 KiB.
pub const CONNECTIONS_MAX: u32 = 128;
/// Incoming connections: leaves room for the peers that the operator configured.
pub const INCOMING_CONNECTIONS_MAX: u32 = 96;
/// Unfinished handshakes in each direction.
pub const HANDSHAKES_MAX: u32 = 32;
/// Connections to one peer: both sides may dial at once, over both transports.
pub const CONNECTIONS_PER_PEER_MAX: u32 = 4;
/// Banned peers remembered. A new identity costs nothing, so a longer list would not help.
pub const BANNED_PEERS_MAX: usize = 4096;

/// Open requests of this node: the machine's [`replication::limits::REQUESTS_MAX`] and as many
/// cancelled ones that are still unwinding.
pub const OUTGOING_REQUESTS_MAX: usize = 2 * replication::limits::REQUESTS_MAX;
/// Streams served at once: each may hold a few blocks of up to 1 MiB.
pub const SERVED_STREAMS_MAX: usize = 32;
/// Streams served to one peer: the open requests of an honest machine, and one that is closing.
pub const SERVED_STREAMS_PER_PEER_MAX: usize = replication::limits::REQUESTS_PER_PEER_MAX + 1;
/// Incoming announcements read at once.
pub const HEAD_STREAMS_MAX: usize = 32;
/// Incoming announcements read at once from one peer.
pub const HEAD_STREAMS_PER_PEER_MAX: usize = 2;
/// Announcements being sent at once.
pub const OUTGOING_HEADS_MAX: usize = 64;

/// Commands queued for the driver. The caller waits while the queue is full.
pub const COMMANDS_MAX: usize = 64;
/// Reports queued for the owner: up to 1 MiB each if they are blocks.
pub const EVENTS_MAX: usize = 16;
/// Reports kept in the driver while that queue is full. Beyond it the swarm is not polled, which
/// slows the peers down.
pub const OUTBOX_MAX: usize = 256;
/// Blocks that the owner may provide ahead of one served stream.
pub const READ_AHEAD_BLOCKS_MAX: usize = 4;
/// Unfinished dials requested through the handle.
pub const DIALS_MAX: usize = 64;
/// Configured peers.
pub const BOOTSTRAP_MAX: usize = 64;
/// Maximum bytes of an address as text.
pub const ADDRESS_BYTES_MAX: usize = 512;
/// Addresses tried for one host name.
pub const RESOLVED_ADDRESSES_MAX: usize = 8;

/// Gossiped announcements that one peer may forward at once.
pub const GOSSIP_BURST: u32 = 64;
/// Gossiped announcements per second that one peer may forward in the long run.
pub const GOSSIP_PER_SECOND: u32 = 8;
/// Announcements that one peer may send at once: eight times the number sent to a new peer.
pub const HEADS_BURST: u32 = 32;
/// Announcements per second that one peer may send in the long run: twice the rate of an honest
/// machine.
pub const HEADS_PER_SECOND: u32 = 8;
/// Requests that one peer may send at once: each costs the owner a look-up in its index.
pub const REQUESTS_BURST: u32 = 256;
/// Requests per second that one peer may send in the long run.
pub const REQUESTS_PER_SECOND: u32 = 64;
/// Bytes of gossip around an announcement: source, number, topic, signature, key.
pub const GOSSIP_OVERHEAD: usize = 1 << 10;

/// Timeout of one record when reading and of one write when serving.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Time to open a connection, including handshakes.
pub const DIAL_TIMEOUT: Duration = Duration::from_secs(15);
/// Pause before a lost configured peer is dialled again. Doubles up to [`REDIAL_PAUSE_MAX`].
pub const REDIAL_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause between two dials of a configured peer.
pub const REDIAL_PAUSE_MAX: Duration = Duration::from_secs(120);
/// Time for closing all connections at a shutdown. A QUIC peer that receives no close frame only
/// notices by its idle timeout.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_lists_the_constants_with_their_values() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs/network.md");
        let text = std::fs::read_to_string(path).unwrap();
        let constants = [
            ("GOSSIP_BURST", GOSSIP_BURST),
            ("GOSSIP_PER_SECOND", GOSSIP_PER_SECOND),
            ("GOSSIP_OVERHEAD", GOSSIP_OVERHEAD as u32),
            ("HEADS_BURST", HEADS_BURST),
            ("HEADS_PER_SECOND", HEADS_PER_SECOND),
            ("REQUESTS_BURST", REQUESTS_BURST),
            ("REQUESTS_PER_SECOND", REQUESTS_PER_SECOND),
            ("SERVED_STREAMS_MAX", SERVED_STREAMS_MAX as u32),
            ("SERVED_STREAMS_PER_PEER_MAX", SERVED_STREAMS_PER_PEER_MAX as u32),
            ("IDLE_TIMEOUT", IDLE_TIMEOUT.as_secs() as u32),
        ];
        for (name, value) in constants {
            assert!(text.contains(&format!("| `{name}` | {value} | ")), "{name} is {value} in the code");
        }
    }
}
