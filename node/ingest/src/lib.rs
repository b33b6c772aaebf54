//! Importers of foreign formats: pure functions from bytes to a canonical table.
//!
//! Owns the reading of every [`Format`], from the files of statistical agencies to any CSV described
//! by a [`Mapping`], and the writing of a table as CSV. Opens no file, uses no network, reads no clock
//! and rounds nothing: a number keeps the digits that its source wrote. Refuses anything ambiguous;
//! every [`ImportError`] names file, line, column and value, and says what to do.
//!
//! The same bytes under the same options give the same [`ImportedTable`] on every machine.
//!
//! Where things are:
//! - `import` is the entry point, `detect` recognises a format, `registry` lists all formats;
//! - `sources` has a module for each statistical agency, `formats` one for each general format;
//! - `csv` reads and writes CSV text, `values` parses cells, `build` assembles tables;
//! - `plausibility` checks a finished table before it is signed.

// An error ends the import: it is made once, so its size costs nothing.
#![allow(clippy::result_large_err)]

mod build;
mod csv;
mod detect;
mod error;
mod formats;
mod import;
mod plausibility;
mod positions;
mod provenance;
mod read_at;
mod registry;
mod sources;
mod values;

pub use crate::csv::export::export_csv;
pub use error::ImportError;
pub use formats::mapping::{ColumnMapping, DateFormat, Mapping};
pub use import::{
    CompanionFile, ImportOptions, ImportSummary, ImportedTable, SourceFile, import, import_document,
    join_documents,
};
pub use plausibility::{PlausibilityWarning, check_plausibility};
pub use positions::CellPosition;
pub use read_at::ReadAt;
pub use registry::Format;
pub use values::areas::{Area, AreaScheme};
