//! The rules of the ledger on whole publications: what holds, what differs, what cannot be checked.

mod it {
    mod bundle;
    mod desk;
    mod verify;
}
