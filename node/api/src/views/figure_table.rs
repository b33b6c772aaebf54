//! A table of figures, indexed by series.

use std::collections::BTreeMap;

use schemas::address::SeriesKey;
use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::structure::{Role, ValueType};
use schemas::table::{Cell, Column, Table};
use serde::Serialize;
use service::OutputStandings;
use service::standing::Standing;

/// Id of the area dimension.
pub(crate) const AREA: &str = "REF_AREA";
/// Significant digits of chart values.
const PLOT_DIGITS: usize = 7;

/// A figure that does not hold, or was retracted alone, among the others of its release.
#[derive(Debug, Serialize)]
pub(crate) struct FigureMark {
    key: SeriesKey,
    period: String,
    word: Standing,
}

/// A table with an index of its series.
pub(crate) struct FigureTable {
    /// The table.
    pub(crate) table: Table,
    /// Rows of each series, by key: the codes of all dimensions except time.
    pub(crate) series: BTreeMap<SeriesKey, Vec<u32>>,
    /// All periods, ascending.
    pub(crate) periods: Vec<Period>,
    /// Column indexes of all dimensions except time.
    pub(crate) key_columns: Vec<usize>,
    time_column: Option<usize>,
    measure_column: Option<usize>,
}

impl FigureTable {
    pub(crate) fn new(table: Table) -> Self {
        let components = table.shape().components();
        let keys = table.shape().identifier_count();
        let time = (0..keys)
            .find(|at| components.get(*at).is_some_and(|one| one.value_type == ValueType::TimePeriod));
        let others: Vec<usize> = (0..keys).filter(|at| Some(*at) != time).collect();
        let numeric = |kind: ValueType| matches!(kind, ValueType::Number | ValueType::Integer);
        let measure = components.iter().position(|one| one.role == Role::Measure && numeric(one.value_type));
        let mut series: BTreeMap<SeriesKey, Vec<u32>> = BTreeMap::new();
        let mut last: Option<SeriesKey> = None;
        for row in 0..table.rows() {
            let key = series_key(&table, &others, row);
            // Rows of a series are adjacent if time is the last dimension, so most lookups are avoided.
            if last.as_ref() != Some(&key) {
                series.entry(key.clone()).or_default();
                last = Some(key);
            }
            if let Some(rows) = last.as_ref().and_then(|key| series.get_mut(key)) {
                rows.push(row as u32);
            }
        }
        let mut periods = match time.and_then(|time| table.columns().get(time)) {
            Some(Column::Period(rows)) => rows.iter().flatten().copied().collect(),
            _ => Vec::new(),
        };
        periods.sort_unstable();
        periods.dedup();
        Self { table, series, periods, key_columns: others, time_column: time, measure_column: measure }
    }

    /// Returns the number of cells, as an estimate of memory.
    pub(crate) fn cell_count(&self) -> usize {
        self.table.rows().saturating_mul(self.table.columns().len() + 1)
    }

    /// Returns the dimension ids; time comes last.
    pub(crate) fn dimension_ids(&self) -> Vec<String> {
        let name = |at: &usize| self.table.shape().components().get(*at).map(|one| one.id.to_string());
        self.key_columns.iter().chain(&self.time_column).filter_map(name).collect()
    }

    /// Returns the position of the area in a key.
    pub(crate) fn area_position(&self) -> Option<usize> {
        self.dimension_ids().iter().take(self.key_columns.len()).position(|name| name == AREA)
    }

    /// Returns the key of a row.
    pub(crate) fn key(&self, row: usize) -> SeriesKey {
        series_key(&self.table, &self.key_columns, row)
    }

    /// Returns the period of a row.
    pub(crate) fn period(&self, row: usize) -> Option<Period> {
        match self.table.columns().get(self.time_column?)? {
            Column::Period(rows) => rows.get(row).copied().flatten(),
            _ => None,
        }
    }

    /// Returns the value of a row.
    pub(crate) fn value(&self, row: usize) -> Option<Decimal> {
        match self.table.columns().get(self.measure_column?)? {
            Column::Number(rows) => rows.get(row).copied().flatten(),
            Column::Integer(rows) => rows.get(row).copied().flatten().map(Decimal::from),
            _ => None,
        }
    }

    /// Returns the row of a key and period.
    pub(crate) fn find_row(&self, key: &SeriesKey, period: Period) -> Option<usize> {
        let rows = self.series.get(key)?;
        rows.iter().map(|row| *row as usize).find(|row| self.period(*row) == Some(period))
    }

    /// Returns the figures of some rows that stand otherwise than the others of their release.
    pub(crate) fn marks(
        &self,
        rows: impl Iterator<Item = usize>,
        standings: &OutputStandings,
    ) -> Vec<FigureMark> {
        if !standings.has_marks() {
            return Vec::new();
        }
        let mark = |row| {
            let word = standings.mark(&self.table.key(row))?;
            Some(FigureMark { key: self.key(row), period: self.period(row)?.to_string(), word })
        };
        rows.filter_map(mark).collect()
    }

    /// Id of the measure component.
    pub(crate) fn measure_id(&self) -> Option<String> {
        Some(self.table.shape().components().get(self.measure_column?)?.id.to_string())
    }

    /// Returns the periods and chart values of a series.
    pub(crate) fn plot_points(&self, rows: &[u32]) -> (Vec<String>, Vec<Option<f64>>) {
        let points = rows.iter().map(|row| *row as usize);
        points
            .filter_map(|row| Some((self.period(row)?.to_string(), self.value(row).map(plot_value))))
            .unzip()
    }
}

fn series_key(table: &Table, others: &[usize], row: usize) -> SeriesKey {
    let cell = |at: &usize| table.columns().get(*at).and_then(|column| column.cell(row));
    let text = |cell: Option<Cell>| cell.map_or_else(String::new, |cell| cell.to_string());
    SeriesKey::new(others.iter().map(|at| text(cell(at))).collect())
}

/// Returns a chart value, rounded to seven significant digits.
pub(crate) fn plot_value(value: Decimal) -> f64 {
    // Formatting with a fixed precision rounds half to even.
    let exact: f64 = value.to_string().parse().unwrap_or(f64::NAN);
    format!("{exact:.*e}", PLOT_DIGITS - 1).parse().unwrap_or(exact)
}
