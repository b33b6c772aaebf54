//! The store from outside: what is acknowledged is there, what is damaged is said.

#[path = "it/basics.rs"]
mod basics;
#[path = "it/common.rs"]
mod common;
