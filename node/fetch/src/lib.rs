//! The one place that fetches a foreign source: an agency and a code, or an https address, in;
//! the bytes of all its pages, and what was asked when, out.
//!
//! Owns the list of hosts that may be asked, the guard before every request and connection, the
//! addresses of each agency, keys, paging, patience with sources that are slow or busy, and the
//! folder that a broken-off load resumes from. Refuses all but https, hosts that nobody allowed,
//! addresses that are not public, and more bytes, time, redirects or tries than its bounds say. It
//! reads no format beyond what paging needs, and keeps nothing of a load that is done.

// A fault ends the load: it is made once, and its size costs nothing.
#![allow(clippy::result_large_err)]

mod address;
mod agency;
mod clock;
mod desk;
mod fault;
mod guard;
mod key;
mod load;
mod memory;
mod patience;
mod source;
mod wire;

pub use address::public;
pub use agency::{Agency, Ask};
pub use clock::Clock;
pub use fault::{Fault, Kind};
pub use guard::{Guard, HOSTS, Names, URL_CHARS_MAX};
pub use key::Keys;
pub use load::{Asked, Fetcher, Loaded, Local, Outcome, Progress};
pub use memory::{Look, Memory};
pub use source::Source;
pub use wire::{Bounds, Validators};
