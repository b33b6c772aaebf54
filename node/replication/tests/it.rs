//! The sync machine on a simulated network, honest and hostile.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod it {
    mod cluster;
    mod convergence;
    mod machine_rules;
    mod misbehaviour;
    mod simulated_network;
    mod test_node;
    mod vectors;
}
