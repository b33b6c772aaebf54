//! The rules of the ledger on whole publications: what holds, what differs, what cannot be checked.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod it {
    mod bundle;
    mod standing;
    mod verify;
}
