//! The one owner of a node's state.
//!
//! [`Core`] holds the logs, the follow list and the sync machine over whatever keeps the bytes
//! ([`Keep`]: the disk, or memory in simulations). It takes one input at a time and answers with
//! outputs; it opens no socket and starts no task. [`Service`] runs a core on a thread of its own
//! and lets others send it commands. [`query`] reads what is kept, beside the owner.

mod core;
mod frontier;
mod index_rows;
mod intake;
mod length_claims;
mod publish;
pub mod query;
mod references;
mod service;
pub mod storage;
mod sync_view;

pub use ledger::verify::Verification;
pub use ledger::vtl::{ScriptDifference, compare_scripts};

pub use crate::core::{Core, CoreOutput, CoreSetup, Error, STRANGER_ENTRIES_MAX, STRANGERS_MAX};
pub use crate::publish::{PublishReceipt, Signer};
pub use crate::service::{NodeEvent, Service, ServiceCommand};
pub use crate::storage::{MemoryStorage, Storage};
