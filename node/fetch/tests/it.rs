//! The fetcher from outside, against a server on this machine that answers over TLS.

// As in the crate: a fault ends the load.
#![allow(clippy::result_large_err)]

#[cfg(test)]
mod it {
    mod agencies;
    mod faults;
    mod guard;
    mod keys;
    mod loads;
    mod memory;
    mod server;
}
