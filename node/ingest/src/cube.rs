//! Observations under any key: dimensions, a period, a figure, attributes.
//!
//! Shared by the importers of formats that name their own dimensions (SDMX, JSON-stat, BLS …).
//! Owns the columns while a file is read; knows nothing of files and formats. The result has the
//! dimensions and TIME_PERIOD as identifiers, OBS_VALUE as measure, and those attributes that any
//! observation has.

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::structure::{Component, Role, Shape, Type};
use schemas::table::{Column, Table};
use schemas::text::Name;

use crate::Summary;
use crate::fault::Fault;
use crate::filling::Filling;
use crate::gaps::Gaps;
use crate::points::{self, OBSERVATIONS_MAX};
use crate::value;

/// Columns of text of a file: no published key has more dimensions and attributes.
pub(crate) const COLUMNS_MAX: usize = 128;

/// Observations in the order of the file.
pub(crate) struct Cube {
    dimensions: Vec<(Name, Filling)>,
    attributes: Vec<(Name, Filling, bool)>,
    periods: Vec<Option<Period>>,
    values: Vec<Option<Decimal>>,
    lines: Vec<u64>,
    /// Data rows read.
    pub(crate) rows: u64,
    /// Observations without a figure.
    missing: u64,
    /// The same by spelling, where the importer tells it.
    pub(crate) gaps: Gaps,
}

impl Cube {
    /// No observation yet. The names may not repeat, nor be TIME_PERIOD or OBS_VALUE.
    pub(crate) fn new(dimensions: &[&str], attributes: &[&str]) -> Result<Self, Fault> {
        if dimensions.len() + attributes.len() > COLUMNS_MAX {
            return Err(Fault::new("columns", format!("more than {COLUMNS_MAX} dimensions and attributes")));
        }
        let named = |id: &&str| Name::new(*id).map_err(|_| Fault::new("name", "expected an id").value(id));
        let text = || Filling::new(Type::String);
        let dimensions: Result<Vec<Name>, Fault> = dimensions.iter().map(named).collect();
        let attributes: Result<Vec<Name>, Fault> = attributes.iter().map(named).collect();
        Ok(Self {
            dimensions: dimensions?.into_iter().map(|id| (id, text())).collect(),
            attributes: attributes?.into_iter().map(|id| (id, text(), false)).collect(),
            periods: Vec::new(),
            values: Vec::new(),
            lines: Vec::new(),
            rows: 0,
            missing: 0,
            gaps: Gaps::default(),
        })
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
    ) -> Result<(), Fault> {
        if figure.is_none() {
            self.missing += 1;
            if !remarked {
                return Ok(());
            }
        }
        points::bounded(self.lines.len(), OBSERVATIONS_MAX, line)?;
        self.codes(key, line)?;
        for (at, (id, filling, used)) in self.attributes.iter_mut().enumerate() {
            match attributes.get(at).copied().unwrap_or_default() {
                "" => filling.push_missing(),
                text => {
                    push(filling, text).map_err(|fault| fault.line(line).column(id.as_str()))?;
                    *used = true;
                }
            }
        }
        self.periods.push(Some(period));
        self.values.push(figure);
        self.lines.push(line);
        Ok(())
    }

    fn codes(&mut self, key: &[&str], line: u64) -> Result<(), Fault> {
        for (at, (id, filling)) in self.dimensions.iter_mut().enumerate() {
            let code = key.get(at).copied().unwrap_or_default();
            if code.is_empty() {
                return Err(Fault::new("identifier", "an identifier may not be empty")
                    .line(line)
                    .column(id.as_str()));
            }
            push(filling, code).map_err(|fault| fault.line(line).column(id.as_str()))?;
        }
        Ok(())
    }

    /// The table and its counts.
    pub(crate) fn finish(self) -> Result<(Table, Summary), Fault> {
        let Self { dimensions, attributes, periods, values, lines, rows, missing, gaps } = self;
        if values.iter().all(Option::is_none) {
            return Err(points::empty(rows));
        }
        let time = Name::new("TIME_PERIOD").map_err(|error| Fault::new("name", error.to_string()))?;
        let figure = Name::new("OBS_VALUE").map_err(|error| Fault::new("name", error.to_string()))?;
        // In the order of a shape: identifiers, the measure, attributes.
        let mut parts: Vec<(Component, Column)> = dimensions
            .into_iter()
            .map(|(id, filling)| (Component::new(id, Role::Identifier, Type::String), filling.done()))
            .collect();
        parts.push((Component::new(time, Role::Identifier, Type::TimePeriod), Column::Period(periods)));
        parts.push((Component::new(figure, Role::Measure, Type::Number), Column::Number(values)));
        let said = attributes.into_iter().filter(|(_, _, used)| *used);
        parts.extend(
            said.map(|(id, filling, _)| (Component::new(id, Role::Attribute, Type::String), filling.done())),
        );
        let (components, columns) = parts.into_iter().unzip();
        let shape = Shape::new(components).map_err(|error| Fault::new("mapping", error.to_string()))?;
        let table = Table::new(shape, columns)
            .map_err(|error| points::refused(&error, |row| lines.get(row).copied()))?;
        let summary = Summary { rows, missing, gaps: gaps.spellings(), ..points::counted(&table) };
        Ok((table, summary))
    }
}

fn push(filling: &mut Filling, text: &str) -> Result<(), Fault> {
    let text = value::label(text)?;
    if let Filling::Text(dictionary, rows) = filling {
        rows.push(dictionary.code(text));
    }
    Ok(())
}
