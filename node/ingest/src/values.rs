//! Values of cells: numbers, dates, texts, frequencies, areas, and spellings of a missing figure.

pub(crate) mod areas;
pub(crate) mod cell;
pub(crate) mod frequency;
pub(crate) mod missing_values;
