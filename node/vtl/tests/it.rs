//! Everything that the engine promises, from text to table.

mod it {
    pub mod support;

    mod aggregates;
    mod arithmetic;
    mod clauses;
    mod faults;
    mod fuzz;
    mod joins;
    mod logic;
    mod order;
    mod recipes;
    mod vectors;
    mod windows;
}
