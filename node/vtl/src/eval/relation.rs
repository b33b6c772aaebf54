//! Intermediate results of a run.

use schemas::structure::Role;
use schemas::table::Cell;

use super::column::SharedColumn;
use crate::plan::PlanColumn;

/// An intermediate result: columns in the order of the fields of its step, rows in canonical order.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) columns: Vec<SharedColumn>,
    pub(super) rows: usize,
}

/// The value of a step.
#[derive(Debug, Clone)]
pub(super) enum StepResult {
    Data(Relation),
    Scalar(Option<Cell>),
}

/// The key of a row, as a fault names it.
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
