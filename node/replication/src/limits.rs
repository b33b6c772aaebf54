//! The bounds of the sync protocol, each with its unit and its reason.

/// Heads in one announcement: 256 of about 110 bytes stay below [`ANNOUNCEMENT_BYTES_MAX`].
pub const HEADS_MAX: usize = 256;
/// Bytes of one encoded announcement, which every node of the network may have to forward.
pub const ANNOUNCEMENT_BYTES_MAX: usize = 48 << 10;
/// Entries in one request: at most 16 MiB of entries, a few seconds on a slow line.
pub const ENTRIES_MAX: u64 = 256;
/// Blocks in one request: at most 64 MiB, and a lost stream costs one round trip for 64 blocks.
pub const BLOCKS_MAX: usize = 64;
/// Bytes of one encoded request: [`BLOCKS_MAX`] links of 41 bytes and what is around them.
pub const REQUEST_BYTES_MAX: usize = 4 << 10;

/// Peers known at once. The network holds fewer connections; this is the second lock.
pub const PEERS_MAX: usize = 256;
/// Heads remembered of one peer: about 150 bytes each, 40 MiB when all peers are full.
pub const HEADS_PER_PEER_MAX: usize = 1024;
/// Logs pursued at once: what one node can hope to follow, with room for strangers.
pub const FETCHES_MAX: usize = 4096;
/// Undelivered blocks remembered for one log, so that blocks behind them get their turn.
pub const ABSENT_BLOCKS_MAX: usize = 1024;
/// Requests under way: enough to fill a line, few enough that buffers stay small.
pub const REQUESTS_MAX: usize = 32;
/// Requests under way for logs that are not followed, so that strangers never starve the others.
pub const UNFOLLOWED_REQUESTS_MAX: usize = 16;
/// Requests under way with one peer; its own limit on streams must not be lower.
pub const REQUESTS_PER_PEER_MAX: usize = 4;
/// Announcements told to a new peer at once; the rest follows with the periodic ones.
pub const INITIAL_ANNOUNCEMENTS_MAX: usize = 4;
/// Logs looked at in one round: bounds the work that one event can cause.
pub const LOGS_PER_ROUND_MAX: usize = 64;
/// Logs that grew and whose heads were not told yet. Beyond it the periodic round tells them.
pub const PENDING_HEADS_MAX: usize = 1024;

/// Milliseconds between two [`crate::Event::Tick`]s that the machine expects.
pub const TICK_MILLIS: u64 = 1_000;
/// Milliseconds without a block after which a request is given up.
pub const BLOCK_TIMEOUT_MILLIS: u64 = 30_000;
/// Milliseconds a request may take in all: a stream that drips just in time is cut here.
pub const REQUEST_TIMEOUT_MILLIS: u64 = 300_000;
/// Milliseconds between two periodic tellings of heads. Any message may be lost; this is what
/// makes the loss harmless.
pub const REANNOUNCE_MILLIS: u64 = 60_000;
/// Milliseconds between two tellings of heads that grew, so that a long sync is told in steps.
pub const ANNOUNCE_MILLIS: u64 = 500;
/// Milliseconds before the first retry after a failure; doubles up to [`RETRY_DOUBLINGS`] times.
pub const RETRY_MILLIS: u64 = 1_000;
/// Doublings of [`RETRY_MILLIS`]: about a minute at the most.
pub const RETRY_DOUBLINGS: u32 = 6;
/// Milliseconds for which a peer that lied about a log is not asked for that log.
pub const AVOID_MILLIS: u64 = 600_000;
/// Milliseconds before blocks that nobody could deliver are asked for again.
pub const ABSENT_RETRY_MILLIS: u64 = 30_000;
