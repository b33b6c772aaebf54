//! Unions of intermediate results of one structure.

use super::Checker;
use crate::fault::Span;
use crate::plan::Operation;

impl Checker<'_> {
    /// The union of steps whose fields have the same names, roles and types in the same order.
    pub(super) fn union(&mut self, steps: &[usize], span: Span) -> Option<usize> {
        let fields = self.fields(*steps.first()?).to_vec();
        Some(self.push(Operation::Union { inputs: steps.to_vec() }, fields, span))
    }
}
