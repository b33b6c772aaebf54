//! Eurostat: TSV tables, and the spreadsheets of its data browser. Its SDMX and JSON-stat downloads
//! are read by `formats`.

pub(crate) mod spreadsheet;
pub(crate) mod tsv;
