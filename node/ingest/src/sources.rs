//! Readers of the files of single agencies, a module for each agency.

pub(crate) mod bea;
pub(crate) mod bls;
pub(crate) mod eurostat;
pub(crate) mod fed;
pub(crate) mod fred;
pub(crate) mod oecd;
pub(crate) mod ons;
pub(crate) mod shiller;
pub(crate) mod world_bank;
