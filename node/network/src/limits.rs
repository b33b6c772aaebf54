//! The bounds of the network, each with its unit and its reason.

use std::time::Duration;

/// Connections at once: gossip needs a dozen, and each costs some 100 KiB.
pub const CONNECTIONS_MAX: u32 = 128;
/// Connections that others opened, so that strangers never shut out the peers we chose.
pub const INCOMING_CONNECTIONS_MAX: u32 = 96;
/// Handshakes under way in each direction.
pub const HANDSHAKES_MAX: u32 = 32;
/// Connections to one peer: both sides may dial at once, over both transports.
pub const CONNECTIONS_PER_PEER_MAX: u32 = 4;
/// Banned peers remembered. A new identity is free, so a longer list protects nobody.
pub const BANNED_PEERS_MAX: usize = 4096;

/// Requests of ours under way: the machine's [`replication::limits::TASKS_MAX`] and as many that
/// were cancelled and are still unwinding.
pub const OUTGOING_REQUESTS_MAX: usize = 2 * replication::limits::REQUESTS_MAX;
/// Streams served at once: each may hold a few blocks of up to 1 MiB.
pub const SERVED_STREAMS_MAX: usize = 32;
/// Streams served to one peer: what an honest machine asks, and one that is being torn down.
pub const SERVED_STREAMS_PER_PEER_MAX: usize = replication::limits::REQUESTS_PER_PEER_MAX + 1;
/// Streams of heads read at once.
pub const HEAD_STREAMS_MAX: usize = 32;
/// Streams of heads read at once from one peer.
pub const HEAD_STREAMS_PER_PEER_MAX: usize = 2;
/// Heads of ours being told at once.
pub const OUTGOING_HEADS_MAX: usize = 64;

/// Commands waiting for the driver. A full queue makes the caller wait.
pub const COMMANDS_MAX: usize = 64;
/// Events waiting for the owner: up to 1 MiB each when they are blocks.
pub const EVENTS_MAX: usize = 16;
/// Events kept back in the driver while that queue is full. Beyond it the swarm is not polled,
/// and the peers feel it.
pub const OUTBOX_MAX: usize = 256;
/// Blocks read ahead for one served stream.
pub const READ_AHEAD_BLOCKS_MAX: usize = 4;
/// Dials that somebody waits for.
pub const DIALS_MAX: usize = 64;
/// Configured peers that are kept connected.
pub const BOOTSTRAP_MAX: usize = 64;
/// Bytes of an address as text.
pub const ADDRESS_BYTES_MAX: usize = 512;
/// Addresses that one name may resolve to.
pub const RESOLVED_ADDRESSES_MAX: usize = 8;

/// Announcements one neighbour may pass on at once.
pub const GOSSIP_BURST: u32 = 64;
/// Announcements a second that one neighbour may pass on in the long run.
pub const GOSSIP_PER_SECOND: u32 = 8;
/// Announcements one peer may tell us at once: its pages when it connects, with room.
pub const HEADS_BURST: u32 = 32;
/// Announcements a second that one peer may tell us in the long run: twice what an honest machine
/// tells.
pub const HEADS_PER_SECOND: u32 = 8;
/// Requests one peer may make at once: each costs the owner a look into its index.
pub const REQUESTS_BURST: u32 = 256;
/// Requests a second that one peer may make in the long run.
pub const REQUESTS_PER_SECOND: u32 = 64;
/// Bytes of gossip around an announcement: source, number, topic, signature, key.
pub const GOSSIP_OVERHEAD: usize = 1 << 10;

/// Silence after which a stream is cut: of a record when reading, of a write when serving.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Time to open a connection, with its handshakes.
pub const DIAL_TIMEOUT: Duration = Duration::from_secs(15);
/// Pause before a lost configured peer is dialled again; doubles up to [`REDIAL_MAX`].
pub const REDIAL_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause between two dials of a configured peer.
pub const REDIAL_PAUSE_MAX: Duration = Duration::from_secs(120);
/// Time for an orderly end of all connections. A QUIC peer that is not told waits long.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);
