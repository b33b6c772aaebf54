//! The one owner of a node's state.
//!
//! [`Core`] holds the logs, the follow list and the sync machine over whatever keeps the bytes
//! ([`Keep`]: the disk, or memory in simulations). It takes one input at a time and answers with
//! outputs; it opens no socket and starts no task. [`Service`] runs a core on a thread of its own
//! and lets others send it commands. [`query`] reads what is kept, beside the owner.

mod claims;
mod core;
mod frontier;
mod intake;
pub mod keep;
mod publish;
pub mod query;
mod rows;
mod service;
mod sound;
mod view;

pub use ledger::verify::Verification;
pub use ledger::vtl::{ScriptDifference, compare_scripts};

pub use crate::core::{Core, Error, Output, STRANGER_ENTRIES_MAX, STRANGERS_MAX, Setup};
pub use crate::keep::{Keep, Memory};
pub use crate::publish::{Published, Signer};
pub use crate::service::{Command, Notice, Service};
