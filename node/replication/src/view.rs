//! What the machine may ask about what the node holds.

use schemas::cid::{Cid, EntryId, PublisherId};

use crate::wire::Head;

/// The node's holdings, read only. Answers must be those of the moment of the call.
pub trait View {
    /// The head of every log held. For a forked log a second head may name the entry that
    /// contradicts, so that others learn of it.
    fn heads(&self) -> Vec<Head>;

    /// The head of one log, `None` when nothing of it is held.
    fn head(&self, publisher: PublisherId) -> Option<Head>;

    /// The id of the entry with this sequence number in the log as held.
    fn entry(&self, publisher: PublisherId, sequence: u64) -> Option<EntryId>;

    /// Whether a contradiction in this log is proved already; then no more evidence is asked for.
    fn forked(&self, publisher: PublisherId) -> bool;

    /// Whether the log is kept whole: entries, and every block they lead to.
    fn follows(&self, publisher: PublisherId) -> bool;

    /// Whether more entries of this log are welcome: it is followed, or it is a stranger's within
    /// its quota; and it is not blocked.
    fn wants(&self, publisher: PublisherId) -> bool;

    /// Blocks of a followed log that are not held, those to ask for next first, at most `max`.
    /// Blocks that are blocked or were found invalid are left out.
    fn missing(&self, publisher: PublisherId, max: usize) -> Vec<Cid>;
}
