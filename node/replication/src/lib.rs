//! The sync state machine: decides which peer to ask for which log, and when.
//!
//! The crate owns the messages that two nodes exchange about logs ([`LogHead`], [`SyncRequest`],
//! [`Announcement`]) and the decisions about them ([`SyncMachine`]). The caller reports
//! [`SyncEvent`]s and carries out the [`SyncAction`]s that they return; the machine reads the
//! stored logs through a [`LogView`]. It does no IO, reads no clock and draws no random numbers:
//! time comes in as [`Millis`]. Every table is bounded by a constant in [`limits`].
//!
//! The machine never sees a block. Blocks go from the network to the service, which checks and
//! stores them and reports the result ([`SyncEvent::BlockReceived`]). Progress is not remembered
//! here but read from the view each time, so a sync resumes at any entry or block.
//!
//! Normative text: `specs/network.md`.

pub mod limits;

mod action;
mod active_request;
mod announcements;
mod event;
mod fetch_queue;
mod log_view;
mod machine;
mod messages;
mod outcome;
mod peers;
mod scheduler;

pub use action::{Severity, SyncAction};
pub use event::{BlockRefusal, Millis, Peer, RequestId, StreamError, StreamOutcome, SyncEvent};
pub use log_view::LogView;
pub use machine::{SyncLoad, SyncMachine};
pub use messages::{Announcement, Error, LogHead, SyncRequest};
