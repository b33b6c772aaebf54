//! The tests of this crate, one binary.

mod it {
    mod agencies;
    mod faults;
    mod guard;
    mod keys;
    mod loads;
    mod server;
}
