//! Bounds of the sync protocol, each with its unit and its reason.
//!
//! The table in `specs/network.md` lists those that another implementation can observe; a test of
//! this crate compares the two.

/// Heads in one announcement: 256 of about 110 bytes stay below [`ANNOUNCEMENT_BYTES_MAX`].
pub const HEADS_MAX: usize = 256;
/// Bytes of one encoded announcement, which every node of the network may have to forward.
pub const ANNOUNCEMENT_BYTES_MAX: usize = 48 << 10;
/// Entries in one request: at most 16 MiB of entries, a few seconds on a slow line.
pub const ENTRIES_MAX: u64 = 256;
/// Blocks in one request: at most 64 MiB, and a lost stream costs one round trip for 64 blocks.
pub const BLOCKS_MAX: usize = 64;
/// Bytes of one encoded request: [`BLOCKS_MAX`] links of 41 bytes and the framing around them.
pub const REQUEST_BYTES_MAX: usize = 4 << 10;

/// Peers known at once. The network allows fewer connections; this bound does not rely on it.
pub const PEERS_MAX: usize = 256;
/// Heads remembered per peer: about 150 bytes each, 40 MiB if all peers are at the limit.
pub const HEADS_PER_PEER_MAX: usize = 1024;
/// Logs in the fetch queue: as many as one node can hope to follow, with room for unfollowed ones.
pub const FETCHES_MAX: usize = 4096;
/// Undelivered blocks remembered per log, so that the blocks behind them are requested too.
pub const ABSENT_BLOCKS_MAX: usize = 1024;
/// Open requests: enough to use the full bandwidth, few enough that buffers stay small.
pub const REQUESTS_MAX: usize = 32;
/// Open requests for unfollowed logs, so that these never starve the followed ones.
pub const UNFOLLOWED_REQUESTS_MAX: usize = 16;
/// Open requests per peer. A server's own limit on streams must not be lower.
pub const REQUESTS_PER_PEER_MAX: usize = 4;
/// Announcements sent to a new peer at once; the periodic ones carry the rest.
pub const INITIAL_ANNOUNCEMENTS_MAX: usize = 4;
/// Logs scheduled in one round: bounds the work that one event can cause.
pub const LOGS_PER_ROUND_MAX: usize = 64;
/// Grown logs that wait to be announced. The periodic round announces those beyond the limit.
pub const PENDING_HEADS_MAX: usize = 1024;

/// Milliseconds between two [`crate::SyncEvent::Tick`]s that the machine expects.
pub const TICK_MILLIS: u64 = 1_000;
/// Milliseconds without a block after which a request is abandoned.
pub const BLOCK_TIMEOUT_MILLIS: u64 = 30_000;
/// Milliseconds that a request may take in total: ends a stream that delivers each block just in
/// time.
pub const REQUEST_TIMEOUT_MILLIS: u64 = 300_000;
/// Milliseconds between two periodic announcements. Any message may be lost; this repairs the loss.
pub const REANNOUNCE_MILLIS: u64 = 60_000;
/// Milliseconds between two announcements of grown logs: combines the entries of a long sync.
pub const ANNOUNCE_MILLIS: u64 = 500;
/// Milliseconds before the first retry after a failure; doubles up to [`RETRY_DOUBLINGS`] times.
pub const RETRY_MILLIS: u64 = 1_000;
/// Doublings of [`RETRY_MILLIS`]: about a minute at most.
pub const RETRY_DOUBLINGS: u32 = 6;
/// Milliseconds for which a peer that misbehaved with a log is not asked for that log.
pub const AVOID_MILLIS: u64 = 600_000;
/// Milliseconds before blocks that no peer could deliver are requested again.
pub const ABSENT_RETRY_MILLIS: u64 = 30_000;
