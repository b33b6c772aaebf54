//! The list of recipes, one line each, most common methods first.

use crate::LibraryRecipe;

macro_rules! library {
    ($($name:literal),* $(,)?) => {
        /// Every recipe of the library.
        pub const LIBRARY: &[LibraryRecipe] = &[$(LibraryRecipe {
            name: $name,
            toml: include_str!(concat!("../", $name, ".toml")),
            script: include_str!(concat!("../", $name, ".vtl")),
        }),*];
    };
}

library!(
    "inflation/cpi-12-month",
    "inflation/cpi-1-month",
    "inflation/cpi-annual",
    "inflation/annual-average",
    "inflation/rebase",
    "inflation/laspeyres",
    "inflation/chain-linked",
    "inflation/contributions",
    "inflation/core",
    "inflation/housing-alternative",
    "inflation/trimmed-mean",
    "unemployment/u3",
    "unemployment/u4",
    "unemployment/u5",
    "unemployment/u6",
    "unemployment/long-term-discouraged",
    "unemployment/employment-to-population",
    "gdp/expenditure",
    "gdp/real",
    "gdp/growth-annual",
    "gdp/growth-year-on-year",
    "gdp/growth-annualised",
    "gdp/per-person",
    "gdp/without-government",
    "gdp/purchasing-power",
    "indicators/yield-curve",
    "indicators/bear-market",
    "indicators/moving-average",
    "indicators/rsi",
    "indicators/catapult",
    "indicators/sahm-rule",
);
