//! Builder for formats whose dimensions are fixed: a key, a period, a figure, attributes.
//!
//! A strict front of [`ObservationBuilder`]. It refuses what the other one mends: an empty code, an
//! invalid id, a text with control characters. The table has the dimensions and TIME_PERIOD as
//! identifiers, OBS_VALUE as measure, and every attribute that some observation has.

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::table::Table;
use schemas::text::Name;

use crate::ImportSummary;
use crate::build::observations::ObservationBuilder;
use crate::error::ImportError;
use crate::values::cell;
use crate::values::missing_values::MissingValues;

/// Observations in the order of the file.
pub(crate) struct DimensionedBuilder {
    observations: ObservationBuilder,
    /// Ids and columns of the dimensions.
    dimensions: Vec<(String, usize)>,
    /// Ids and columns of the attributes.
    attributes: Vec<(String, usize)>,
    /// Data rows read; counted by the reader.
    pub(crate) rows: u64,
    /// Observations without a figure by spelling; counted by the reader.
    pub(crate) missing: MissingValues,
}

/// An observation, or the statement that there is none.
pub(crate) struct Observation<'a> {
    /// The code of each dimension, in the order of [`DimensionedBuilder::new`].
    pub(crate) key: &'a [&'a str],
    pub(crate) period: Period,
    /// Absent where the source has no figure.
    pub(crate) figure: Option<Decimal>,
    /// The attributes in the order of [`DimensionedBuilder::new`]; the empty text is a null.
    pub(crate) attributes: &'a [&'a str],
    /// Whether an attribute explains this observation, as a status does. An observation without a
    /// figure is kept only with a status; otherwise it only counts as missing.
    pub(crate) has_status: bool,
    pub(crate) line: u64,
}

impl DimensionedBuilder {
    /// An empty builder. The ids must be unique, and differ from TIME_PERIOD and OBS_VALUE.
    pub(crate) fn new(dimensions: &[&str], attributes: &[&str]) -> Result<Self, ImportError> {
        let mut observations = ObservationBuilder::new(&["OBS_VALUE"]);
        let mut columns = |ids: &[&str]| -> Result<Vec<(String, usize)>, ImportError> {
            let column = |id: &&str| {
                Name::new(*id).map_err(|_| ImportError::new("name", "expected an id").value(id))?;
                if observations.column_ids().any(|known| known == *id) {
                    return Err(ImportError::new("mapping", format!("two columns are called `{id}`")));
                }
                Ok(((*id).to_owned(), observations.column_index(id)?))
            };
            ids.iter().map(column).collect()
        };
        let (dimensions, attributes) = (columns(dimensions)?, columns(attributes)?);
        Ok(Self { observations, dimensions, attributes, rows: 0, missing: MissingValues::default() })
    }

    /// Adds an observation.
    ///
    /// # Errors
    /// `identifier` for an empty code, `text` for a text that a cell cannot hold, `rows` beyond the
    /// size of a table.
    pub(crate) fn push(&mut self, observation: &Observation<'_>) -> Result<(), ImportError> {
        let Observation { period, figure, has_status, line, .. } = *observation;
        if figure.is_some() || has_status {
            for (at, (id, column)) in self.dimensions.iter().enumerate() {
                let code = observation.key.get(at).copied().unwrap_or_default();
                if code.is_empty() {
                    let error = ImportError::new("identifier", "an identifier must not be empty");
                    return Err(error.line(line).column(id.as_str()));
                }
                set_checked(&mut self.observations, (id, *column), code, line)?;
            }
            for (at, (id, column)) in self.attributes.iter().enumerate() {
                let text = observation.attributes.get(at).copied().unwrap_or_default();
                set_checked(&mut self.observations, (id, *column), text, line)?;
            }
        }
        self.observations.push(Some(period), &[figure], has_status, line)
    }

    /// Number of observations that were kept.
    pub(crate) fn observation_count(&self) -> usize {
        self.observations.observation_count()
    }

    /// The table and its counts.
    pub(crate) fn into_table(mut self) -> Result<(Table, ImportSummary), ImportError> {
        // The reader counts: a row of its file may be no observation, or many.
        (self.observations.rows, self.observations.missing) = (self.rows, self.missing);
        let columns = |named: &[(String, usize)]| named.iter().map(|(_, column)| *column).collect::<Vec<_>>();
        self.observations.into_table(&columns(&self.dimensions), &columns(&self.attributes))
    }
}

fn set_checked(
    observations: &mut ObservationBuilder,
    (id, column): (&str, usize),
    text: &str,
    line: u64,
) -> Result<(), ImportError> {
    cell::check_text(text).map_err(|error| error.line(line).column(id))?;
    observations.set_value(column, text);
    Ok(())
}
