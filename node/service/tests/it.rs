//! The state of a node from outside: what is acknowledged stays, what is wrong is refused, and
//! nothing that a publisher or a peer sends stops it.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod it {
    mod crash;
    mod fixtures;
    mod forge;
    mod intake;
    mod own;
    mod peer;
    mod publish;
}
