//! The program as people run it: the real binary, real data directories, real nodes on 127.0.0.1.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may panic"
)]

mod it {
    mod api;
    mod bundle;
    mod daemon;
    mod demo;
    mod desk;
    mod first;
    mod flow;
    mod http;
    mod input;
    mod kill;
    mod library;
    mod recipe;
    mod revisions;
    mod sample;
    mod screens;
    mod twins;
}
