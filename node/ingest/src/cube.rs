//! Observations under a key that is known before: dimensions, a period, a figure, attributes.
//!
//! A face of [`Sheet`] for importers of formats whose columns stand from the start (BLS, Eurostat, the
//! APIs …). It refuses what a sheet would mend: an empty code, a name that is no id, a text that may not
//! stand in a cell. The result has the dimensions and TIME_PERIOD as identifiers, OBS_VALUE as measure,
//! and those attributes that any observation has.

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::table::Table;
use schemas::text::Name;

use crate::ImportSummary;
use crate::error::ImportError;
use crate::gaps::Gaps;
use crate::sheet::Sheet;
use crate::value;

/// Observations in the order of the file.
pub(crate) struct Cube {
    sheet: Sheet,
    /// Ids and places of the dimensions.
    dimensions: Vec<(String, usize)>,
    attributes: Vec<(String, usize)>,
    /// Data rows read.
    pub(crate) rows: u64,
    /// Observations without a figure by spelling, where the importer tells it.
    pub(crate) gaps: Gaps,
}

impl Cube {
    /// No observation yet. The names may not repeat, nor be TIME_PERIOD or OBS_VALUE.
    pub(crate) fn new(dimensions: &[&str], attributes: &[&str]) -> Result<Self, ImportError> {
        let mut sheet = Sheet::new(&["OBS_VALUE"]);
        let mut places = |ids: &[&str]| -> Result<Vec<(String, usize)>, ImportError> {
            let place = |id: &&str| {
                Name::new(*id).map_err(|_| ImportError::new("name", "expected an id").value(id))?;
                if sheet.ids().any(|known| known == *id) {
                    return Err(ImportError::new("mapping", format!("two columns are called `{id}`")));
                }
                Ok(((*id).to_owned(), sheet.column(id)?))
            };
            ids.iter().map(place).collect()
        };
        let (dimensions, attributes) = (places(dimensions)?, places(attributes)?);
        Ok(Self { sheet, dimensions, attributes, rows: 0, gaps: Gaps::default() })
    }

    /// Adds an observation: the code of each dimension, the attributes (empty: none) in the order
    /// of `new`. One without a figure is counted as missing, and kept only if an attribute of
    /// its own (`remarked`) says something about it, as a status does.
    pub(crate) fn push(
        &mut self,
        key: &[&str],
        (period, figure): (Period, Option<Decimal>),
        (attributes, remarked): (&[&str], bool),
        line: u64,
    ) -> Result<(), ImportError> {
        if figure.is_some() || remarked {
            for (at, (id, place)) in self.dimensions.iter().enumerate() {
                let code = key.get(at).copied().unwrap_or_default();
                if code.is_empty() {
                    let fault = ImportError::new("identifier", "an identifier may not be empty");
                    return Err(fault.line(line).column(id.as_str()));
                }
                set(&mut self.sheet, (id, *place), code, line)?;
            }
            for (at, (id, place)) in self.attributes.iter().enumerate() {
                let text = attributes.get(at).copied().unwrap_or_default();
                set(&mut self.sheet, (id, *place), text, line)?;
            }
        }
        self.sheet.push(Some(period), &[figure], remarked, line)
    }

    /// The table and its counts.
    pub(crate) fn finish(mut self) -> Result<(Table, ImportSummary), ImportError> {
        // The importer counts: a row of its file may be no observation, or many.
        (self.sheet.rows, self.sheet.gaps) = (self.rows, self.gaps);
        let places =
            |columns: &[(String, usize)]| columns.iter().map(|(_, place)| *place).collect::<Vec<_>>();
        self.sheet.finish(&places(&self.dimensions), &places(&self.attributes))
    }
}

fn set(sheet: &mut Sheet, (id, place): (&str, usize), text: &str, line: u64) -> Result<(), ImportError> {
    value::label(text).map_err(|fault| fault.line(line).column(id))?;
    sheet.set(place, text);
    Ok(())
}
