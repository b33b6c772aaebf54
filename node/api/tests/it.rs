//! Tests of the routes over a real socket on the loopback interface.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod it {
    mod admission;
    mod document;
    mod routes;
    mod sdmx;
    mod standing;
    mod test_node;
}
