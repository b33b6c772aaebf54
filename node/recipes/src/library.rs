//! The list: one line a recipe, in the order in which people look for them.

use crate::Entry;

macro_rules! library {
    ($($name:literal),* $(,)?) => {
        /// Every recipe that comes with the program.
        pub const LIBRARY: &[Entry] = &[$(Entry {
            name: $name,
            toml: include_str!(concat!("../", $name, ".toml")),
            script: include_str!(concat!("../", $name, ".vtl")),
        }),*];
    };
}

library!(
    "inflation/cpi-12-month",
    "inflation/cpi-annual",
    "inflation/housing-alternative",
    "unemployment/u3",
    "gdp/per-person",
);
