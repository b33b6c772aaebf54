//! The sync machine on a simulated network, honest and hostile.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod it {
    mod converge;
    mod liars;
    mod net;
    mod node;
    mod random;
    mod rules;
    mod world;
}
