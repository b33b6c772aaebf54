//! What the machine may ask about what the node holds.

use schemas::cid::{Cid, EntryId, PublisherId};

use crate::messages::LogHead;

/// The node's holdings, read only. Answers must be those of the moment of the call.
pub trait LogView {
    /// The head of every log held. For a forked log a second head may name the entry that
    /// contradicts, so that others learn of it.
    fn all_heads(&self) -> Vec<LogHead>;

    /// The head of one log, `None` when nothing of it is held.
    fn log_head(&self, publisher: PublisherId) -> Option<LogHead>;

    /// The id of the entry with this sequence number in the log as held.
    fn entry_id(&self, publisher: PublisherId, sequence: u64) -> Option<EntryId>;

    /// Whether a contradiction in this log is proved already; then no more evidence is asked for.
    fn has_fork(&self, publisher: PublisherId) -> bool;

    /// Whether the log is kept whole: entries, and every block they lead to.
    fn is_followed(&self, publisher: PublisherId) -> bool;

    /// Whether more entries of this log are welcome: it is followed, or it is a stranger's within
    /// its quota; and it is not blocked.
    fn accepts_entries(&self, publisher: PublisherId) -> bool;

    /// Blocks of a followed log that are not held, those to ask for next first, at most `max`.
    /// Blocks that are blocked or were found invalid are left out.
    fn missing_blocks(&self, publisher: PublisherId, max: usize) -> Vec<Cid>;
}
