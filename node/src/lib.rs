//! A whole node: the data directory, and the wiring of store, service, network and API.
//!
//! Owns start and orderly stop. It takes no decision about the ledger: it hands events of the
//! network to the service, actions of the service to the network, and time to both.

mod clock;
pub mod home;
mod pages;
mod running;
mod score;
mod wiring;

pub use clock::{now, system};
pub use home::Home;
/// The owner of a node's state, for those who open a data directory without running a node.
pub use network;
pub use running::{Config, Error, Node, open, start};
pub use service;
/// The keeping of blocks, for the same.
pub use store;
pub use wiring::Sighting;
