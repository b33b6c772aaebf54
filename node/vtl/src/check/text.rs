//! String operators: result types, and literals that can be checked without data.

use schemas::structure::ValueType;
use schemas::table::Cell;

use super::Checker;
use super::typing::{ExprType, TypeMismatch, expect_all, expect_operand};
use crate::cast_mask::mask_error;
use crate::diagnostic::DiagnosticCode;
use crate::op::{Op, TextOp, TimeOp};
use crate::pattern::pattern_error;
use crate::plan::{Term, TypedExpr};
use crate::time_unit::unit_error;

/// Returns the result type of a string operator.
pub(super) fn text_result_type(op: TextOp, value_types: &[ExprType]) -> Result<ExprType, TypeMismatch> {
    let string = |value_type| value_type == ValueType::String;
    let integer = |value_type| value_type == ValueType::Integer;
    match op {
        TextOp::Substring => {
            expect_operand(value_types, 0, string, "a string")?;
            expect_operand(value_types, 1, integer, "an integer")?;
            expect_operand(value_types, 2, integer, "an integer")?;
        }
        TextOp::Position => {
            expect_operand(value_types, 0, string, "a string")?;
            expect_operand(value_types, 1, string, "a string")?;
            expect_operand(value_types, 2, integer, "an integer")?;
            expect_operand(value_types, 3, integer, "an integer")?;
        }
        _ => expect_all(value_types, string, "a string")?,
    }
    Ok(Some(match op {
        TextOp::Length | TextOp::Position => ValueType::Integer,
        TextOp::Match => ValueType::Boolean,
        TextOp::Distance(_) => ValueType::Number,
        _ => ValueType::String,
    }))
}

impl Checker<'_> {
    /// Reports an invalid literal mask, pattern or unit of time.
    pub(super) fn check_literals(&mut self, op: Op, operands: &[TypedExpr]) -> Option<()> {
        let text = |at: usize| match operands.get(at).map(|typed| &typed.term) {
            Some(Term::Constant(Some(Cell::Text(text)))) => Some(text.as_str()),
            _ => None,
        };
        let (code, place, reason) = match op {
            Op::Cast(to) => {
                let from = operands.first().and_then(|operand| operand.value_type);
                (DiagnosticCode::Cast, 1, text(1).and_then(|mask| mask_error(mask, from, to)))
            }
            Op::Text(TextOp::Match) => {
                (DiagnosticCode::Domain, 1, text(1).and_then(|text| self.check_pattern(text)))
            }
            Op::Time(TimeOp::Add) => (DiagnosticCode::Cast, 2, text(2).and_then(unit_error)),
            _ => return Some(()),
        };
        match (reason, operands.get(place)) {
            (Some(reason), Some(operand)) => self.report_error(code, operand.span, reason),
            _ => Some(()),
        }
    }
    /// Returns the error of a pattern. Results are cached, because calls repeat the same pattern many
    /// times.
    fn check_pattern(&mut self, pattern: &str) -> Option<String> {
        if let Some(known) = self.patterns.get(pattern) {
            return known.clone();
        }
        let diagnostic = pattern_error(pattern);
        self.patterns.insert(pattern.to_owned(), diagnostic.clone());
        diagnostic
    }
}
