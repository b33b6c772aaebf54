//! One binary for all tests of the project as a whole.

mod it {
    mod house;
}
