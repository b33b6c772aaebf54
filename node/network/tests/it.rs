//! Real nodes on the loopback: what they do for each other, and what strangers cannot do to them.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod it {
    mod bounds;
    mod common;
    mod connect;
    mod heads;
    mod hostile;
    mod pull;
    mod raw;
}
