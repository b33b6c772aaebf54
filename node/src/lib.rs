//! A complete node: the data directory, and the wiring of store, service, network and API.
//!
//! Owns start and orderly shutdown. It makes no decision about the ledger: it forwards network events to
//! the service, actions of the service to the network, and time to both.

mod clock;
pub mod data_directory;
mod pages;
mod peer_scores;
mod running;
mod wiring;

pub use clock::{monotonic_millis, unix_seconds};
pub use data_directory::DataDirectory;
pub use running::{Error, NodeConfig, RunningNode, open_core, start_node};
pub use wiring::NetworkEvent;
