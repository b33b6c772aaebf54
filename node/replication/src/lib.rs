//! Which log to ask of whom, and when: the sync state machine.
//!
//! The crate owns the messages that two nodes exchange about logs ([`Head`], [`Request`],
//! [`Announcement`]) and the decisions taken on them ([`Machine`]). A caller feeds it [`Event`]s
//! and carries out the [`Action`]s it answers with; what the node holds is read through a
//! [`View`]. It refuses to do IO, to read a clock, to draw random numbers and to keep anything
//! without a bound: time comes in as [`Millis`], and every table has a constant in [`limits`].
//!
//! It never sees a block. Blocks go from the network to the service, which checks and stores
//! them; the machine learns what became of them ([`Event::Received`]). Progress is never
//! remembered here: it is read from the view each time, so a sync resumes at any entry or block.
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
