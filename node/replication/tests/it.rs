//! The sync machine on a simulated network, honest and hostile.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

mod it {
    mod converge;
    mod liars;
    mod net;
    mod node;
    mod random;
    mod world;
}
