//! Read access to the logs and blocks that the node stores.

use schemas::cid::{Cid, EntryId, PublisherId};

use crate::messages::LogHead;

/// The stored logs, read only. Every result describes the moment of the call.
pub trait LogView {
    /// Returns the head of every stored log. A forked log may have a second head that names the
    /// contradicting entry, so that other nodes learn of the fork.
    fn all_heads(&self) -> Vec<LogHead>;

    /// Returns the head of one log; `None` if no entry of it is stored.
    fn log_head(&self, publisher: PublisherId) -> Option<LogHead>;

    /// Returns the id of the stored entry with this sequence number.
    fn entry_id(&self, publisher: PublisherId, sequence: u64) -> Option<EntryId>;

    /// Returns whether a fork of this log is proved already; then no evidence is requested.
    fn has_fork(&self, publisher: PublisherId) -> bool;

    /// Returns whether the log is kept complete: its entries, and every block that they need.
    fn is_followed(&self, publisher: PublisherId) -> bool;

    /// Returns whether the node stores more entries of this log: it is followed, or unfollowed
    /// within its quota; and it is not blocked.
    fn accepts_entries(&self, publisher: PublisherId) -> bool;

    /// Returns up to `max` missing blocks of a followed log, those to request first at the front.
    /// Blocks that are blocked or were found invalid are left out.
    fn missing_blocks(&self, publisher: PublisherId, max: usize) -> Vec<Cid>;
}
