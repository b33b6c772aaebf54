//! The program as people run it: the real binary, real data directories, real nodes on 127.0.0.1.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may panic"
)]

mod it {
    mod addresses;
    mod api;
    mod bad_input;
    mod bundle;
    mod crash_safety;
    mod demo;
    mod figures;
    mod first_steps;
    mod foreign_text;
    mod http_client;
    mod library;
    mod node_process;
    mod openapi;
    mod recipe;
    mod revisions;
    mod same_content;
    mod sample;
    mod screens;
    mod workflow;
    mod workspace;
}
