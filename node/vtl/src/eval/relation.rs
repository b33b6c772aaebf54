//! Intermediate results of a run, and the key of a data point for error messages.

use schemas::structure::Role;
use schemas::table::Cell;

use super::column::SharedColumn;
use super::threads::{Threads, map_items};
use crate::ceilings::{CeilingExceeded, RunGuard, row_bytes};
use crate::plan::PlanColumn;

/// Intermediate data set: columns in the order of the step's components, rows in canonical order.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) columns: Vec<SharedColumn>,
    pub(super) rows: usize,
}

impl Relation {
    /// Returns the rows named by `rows`, in that order.
    pub(super) fn pick(
        &self,
        rows: &[u32],
        threads: Threads,
        guard: &RunGuard,
    ) -> Result<Relation, CeilingExceeded> {
        let columns = pick_columns(&self.columns, rows, threads, guard)?;
        Ok(Relation { columns, rows: rows.len() })
    }
}

/// Returns the rows of columns named by `rows`, in that order.
pub(super) fn pick_columns(
    columns: &[SharedColumn],
    rows: &[u32],
    threads: Threads,
    guard: &RunGuard,
) -> Result<Vec<SharedColumn>, CeilingExceeded> {
    let reserved = guard.reserve(columns.iter().map(|column| row_bytes(column, rows.len())).sum())?;
    let picked =
        map_items(threads, rows.len(), columns, |column| (!guard.is_stopped()).then(|| column.gather(rows)));
    drop(reserved);
    let pairs = columns.iter().zip(picked);
    pairs.map(|(source, made)| Ok(source.derive(made.ok_or(CeilingExceeded)?, guard))).collect()
}

/// Result of a step.
#[derive(Debug, Clone)]
pub(super) enum StepResult {
    Data(Relation),
    Scalar(Option<Cell>),
}

/// Formats the key of a row for an error message: `REF_AREA = FR, TIME_PERIOD = 2013-M01`.
pub(super) fn data_point_key(fields: &[PlanColumn], relation: &Relation, row: usize) -> Option<String> {
    let identifiers =
        fields.iter().zip(&relation.columns).filter(|(field, _)| field.role == Role::Identifier);
    let parts: Vec<String> = identifiers
        .map(|(field, column)| match column.cell(row) {
            Some(cell) => format!("{} = {cell}", field.name),
            None => format!("{} = null", field.name),
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
