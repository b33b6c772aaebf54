//! Variance and standard deviation (reference manual, "Population variance" and the three sections
//! after it). A variance is an exact quotient, rounded once; a standard deviation is the rounded square
//! root of the rounded variance.

use schemas::decimal::Decimal;
use schemas::table::Column;

use super::column::number_at;
use super::sliding_window::WindowAggregate;
use crate::decimal128::{Error, ExactVariance, sqrt};
use crate::op::AggregateOp;

/// Variance or standard deviation over a sliding window.
pub(super) struct WindowVariance<'a> {
    operand: &'a Column,
    op: AggregateOp,
    variance: ExactVariance,
}

impl<'a> WindowVariance<'a> {
    pub(super) fn new(operand: &'a Column, op: AggregateOp) -> Self {
        Self { operand, op, variance: ExactVariance::default() }
    }
}

impl WindowAggregate for WindowVariance<'_> {
    type Value = Decimal;

    fn start_partition(&mut self, _: &[usize]) {
        self.variance = ExactVariance::default();
    }

    fn enter(&mut self, row: usize) {
        if let Some(value) = number_at(self.operand, row) {
            self.variance.add(value);
        }
    }

    fn leave(&mut self, row: usize) {
        if let Some(value) = number_at(self.operand, row) {
            self.variance.remove(value);
        }
    }

    fn value(&self) -> Result<Option<Decimal>, Error> {
        let sample = matches!(self.op, AggregateOp::StddevSamp | AggregateOp::VarSamp);
        let variance = self.variance.variance(sample)?;
        match self.op {
            AggregateOp::StddevPop | AggregateOp::StddevSamp => variance.map(sqrt).transpose(),
            _ => Ok(variance),
        }
    }
}
