//! Variances and standard deviations (reference manual, "Population variance" and the three after
//! it): exact quotients, rounded once; a deviation is the rounded root of the rounded variance.

use schemas::decimal::Decimal;
use schemas::table::Column;

use super::group::number;
use super::slide::Slide;
use crate::decimal128::{Error, Spread, sqrt};
use crate::op::AggregateOp;

/// The variance or deviation of values that come and go.
pub(super) struct Moments<'a> {
    operand: &'a Column,
    op: AggregateOp,
    spread: Spread,
}

impl<'a> Moments<'a> {
    pub(super) fn new(operand: &'a Column, op: AggregateOp) -> Self {
        Self { operand, op, spread: Spread::default() }
    }
}

impl Slide for Moments<'_> {
    type Value = Decimal;

    fn start(&mut self, _: &[usize]) {
        self.spread = Spread::default();
    }

    fn enter(&mut self, row: usize) {
        if let Some(value) = number(self.operand, row) {
            self.spread.add(value);
        }
    }

    fn leave(&mut self, row: usize) {
        if let Some(value) = number(self.operand, row) {
            self.spread.remove(value);
        }
    }

    fn value(&self) -> Result<Option<Decimal>, Error> {
        let sample = matches!(self.op, AggregateOp::StddevSamp | AggregateOp::VarSamp);
        let variance = self.spread.variance(sample)?;
        match self.op {
            AggregateOp::StddevPop | AggregateOp::StddevSamp => variance.map(sqrt).transpose(),
            _ => Ok(variance),
        }
    }
}
