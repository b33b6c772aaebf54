//! Readers of general formats, which many agencies use.

pub(crate) mod json;
pub(crate) mod json_stat;
pub(crate) mod mapped_csv;
pub(crate) mod mapping;
pub(crate) mod sdmx;
pub(crate) mod xlsx;
pub(crate) mod zip_archive;
