//! Integration tests of the fetcher against a local TLS server.

// As in the crate: an error ends the load.
#![allow(clippy::result_large_err)]

#[cfg(test)]
mod it {
    mod agencies;
    mod errors;
    mod history;
    mod keys;
    mod loads;
    mod server;
    mod url_policy;
}
