//! Builders: from the observations of a file to its [`Table`](schemas::table::Table) and metadata.
//!
//! Which builder to take:
//!
//! | the file has | take | it refuses or mends |
//! |---|---|---|
//! | dimensions that its format fixes (BLS, World Bank, Eurostat, the APIs) | [`dimensioned::DimensionedBuilder`] | refuses an empty code, an invalid id, a control character |
//! | a column of dates and a column for each series (FRED, FRED-MD, BEA, Shiller) | [`wide_table`], on top of it | refuses dates of mixed form or without a frequency |
//! | columns that appear while it is read, or of unknown role (SDMX, JSON-stat) | [`observations::ObservationBuilder`] | mends ids, cuts long attributes |
//! | any columns of any type, described by a mapping | [`column_builder::ColumnBuilder`], one a column | nothing: its caller parses the cells |
//!
//! `DimensionedBuilder` is a strict front of `ObservationBuilder`: observations are stored in one place
//! only. Both return the table with an [`ImportSummary`](crate::ImportSummary) from [`summary`];
//! [`metadata::Metadata::with_table`] adds title, publisher, areas and code lists and makes the
//! [`ImportedTable`](crate::ImportedTable).

pub(crate) mod column_builder;
pub(crate) mod dimensioned;
pub(crate) mod metadata;
pub(crate) mod observations;
pub(crate) mod summary;
pub(crate) mod wide_table;
