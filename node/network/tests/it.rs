//! Real nodes on the loopback interface: connections, announcements, requests, limits, hostile peers.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod it {
    mod announcements;
    mod connect;
    mod fixture;
    mod hostile_peers;
    mod limits;
    mod raw_peer;
    mod requests;
}
