//! The single owner of the state of a node.
//!
//! [`Core`] contains the logs, the follow list and the sync machine, on top of a [`Storage`] (disk, or
//! memory in simulations). It handles one input at a time and returns outputs; it opens no socket and
//! starts no task. [`Service`] runs a core on its own thread and sends commands to it. [`query`] reads the
//! storage concurrently with the owner.

mod core;
mod figure_standing;
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

pub use ledger::standing;
pub use ledger::verify::Verification;
pub use ledger::vtl::{ScriptDifference, compare_scripts};

pub use crate::core::{Core, CoreOutput, CoreSetup, Error, STRANGER_ENTRIES_MAX, STRANGERS_MAX, Signer};
pub use crate::figure_standing::{FigureStanding, OutputStanding, OutputStandings};
pub use crate::publish::PublishReceipt;
pub use crate::service::{NodeEvent, Service, ServiceCommand};
pub use crate::storage::{MemoryStorage, Storage};
