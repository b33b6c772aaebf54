//! String operators, row by row (reference manual, "String operators", "Match characters").
//!
//! A null operand gives null. Positions and lengths count code points, positions from 1. A result
//! above the size of a cell is rejected before it is built.

use schemas::limits::CELL_BYTES_MAX;
use schemas::table::Column;

use super::column::{ColumnarValue, RowMask, TextView, TypedView};
use super::distance::string_distance;
use super::error::{RowError, ValueError};
use crate::ceilings::{RunGuard, TextBuilder};
use crate::diagnostic::DiagnosticCode;
use crate::op::TextOp;
use crate::pattern::CharacterPattern;

/// Operands of a string operator: texts and integers.
struct TextOperands<'v> {
    text: TextView<'v>,
    other: TextView<'v>,
    third: TextView<'v>,
    counts: [TypedView<'v, i64>; 2],
}

/// Evaluates a string operator.
pub(super) fn eval_text(
    op: TextOp,
    values: &[ColumnarValue],
    (rows, mask): (usize, RowMask<'_>),
    guard: &RunGuard,
) -> Result<Column, RowError> {
    let null = ColumnarValue::Constant(None);
    let value = |at: usize| values.get(at).unwrap_or(&null);
    let counts = if op == TextOp::Substring { [value(1), value(2)] } else { [value(2), value(3)] };
    let operands = TextOperands {
        text: value(0).as_texts(),
        other: value(1).as_texts(),
        third: value(2).as_texts(),
        counts: counts.map(ColumnarValue::as_integers),
    };
    let each = NonNullRows { values, rows, mask, guard };
    let given = values.len();
    match op {
        TextOp::Length => each
            .map_rows(|row| Ok(operands.text.at(row).unwrap_or_default().chars().count() as i64))
            .map(Column::Integer),
        TextOp::Position => each.map_rows(|row| operands.find_occurrence(row, given)).map(Column::Integer),
        TextOp::Match => {
            let mut last: Option<(&str, CharacterPattern)> = None;
            let matches = |row: usize| {
                let wanted = operands.other.at(row).unwrap_or_default();
                // Adjacent rows with the same pattern share its compiled form.
                if last.as_ref().is_none_or(|(pattern, _)| *pattern != wanted) {
                    last = Some((
                        wanted,
                        CharacterPattern::new(wanted).map_err(|reason| (DiagnosticCode::Domain, reason))?,
                    ));
                }
                let text = operands.text.at(row).unwrap_or_default();
                Ok(last.as_ref().is_some_and(|(_, pattern)| pattern.matches(text)))
            };
            each.map_rows(matches).map(Column::Boolean)
        }
        TextOp::Distance(method) => {
            let between = |row: usize| {
                let (a, b) = (operands.text.at(row), operands.other.at(row));
                string_distance(method, a.unwrap_or_default(), b.unwrap_or_default())
                    .map_err(|reason| (DiagnosticCode::Domain, reason))
            };
            each.map_rows(between).map(Column::Number)
        }
        _ => {
            let mut made = TextBuilder::new(rows, guard);
            each.visit_rows(|row, known| {
                let text = if known { Some(operands.transform_text(op, row, given)?) } else { None };
                made.push(text.as_deref());
                Ok(())
            })?;
            Ok(made.finish())
        }
    }
}

/// Rows that are selected and have no null operand.
struct NonNullRows<'a> {
    values: &'a [ColumnarValue],
    rows: usize,
    mask: RowMask<'a>,
    guard: &'a RunGuard,
}

impl NonNullRows<'_> {
    fn map_rows<T>(
        &self,
        mut value: impl FnMut(usize) -> Result<T, ValueError>,
    ) -> Result<Vec<Option<T>>, RowError> {
        let mut made = Vec::with_capacity(self.rows);
        self.visit_rows(|row, known| {
            made.push(if known { Some(value(row)?) } else { None });
            Ok(())
        })?;
        Ok(made)
    }

    /// Visits each row, and tells whether it is selected and has no null operand.
    fn visit_rows(
        &self,
        mut visit: impl FnMut(usize, bool) -> Result<(), ValueError>,
    ) -> Result<(), RowError> {
        let taken = |row: usize| self.mask.is_none_or(|mask| mask.get(row).copied().unwrap_or(false));
        for row in (0..self.rows).take_while(|row| !self.guard.is_stopped_at(*row)) {
            let known = taken(row) && !self.values.iter().any(|operand| operand.is_null(row));
            visit(row, known).map_err(|wrong| (wrong, row))?;
        }
        Ok(())
    }
}

impl TextOperands<'_> {
    /// Evaluates an operator that maps a text to a text.
    fn transform_text(&self, op: TextOp, row: usize, given: usize) -> Result<String, ValueError> {
        let text = self.text.at(row).unwrap_or_default();
        let made = match op {
            TextOp::Trim => text.trim().to_owned(),
            TextOp::TrimLeft => text.trim_start().to_owned(),
            TextOp::TrimRight => text.trim_end().to_owned(),
            // Case mapping at most triples the length in UTF-8, so checking afterwards is bounded.
            TextOp::Upper => text.to_uppercase(),
            TextOp::Lower => text.to_lowercase(),
            TextOp::Substring => self.substring(text, row, given)?,
            _ => {
                let (old, new) =
                    (self.other.at(row).unwrap_or_default(), self.third.at(row).unwrap_or_default());
                let count = if old.is_empty() { 0 } else { text.matches(old).count() };
                // INVARIANT: matches do not overlap, so the subtraction cannot underflow.
                check_text_size(op, text.len() - count * old.len() + count * new.len())?;
                if count == 0 { text.to_owned() } else { text.replace(old, new) }
            }
        };
        check_text_size(op, made.len())?;
        Ok(made)
    }

    /// Evaluates `substr`: a number of characters from a position, or all to the end.
    fn substring(&self, text: &str, row: usize, given: usize) -> Result<String, ValueError> {
        let start = self.positive_count(0, row, given > 1, "the start of `substr`")?;
        let length = match self.counts.get(1).and_then(|count| count.at(row)) {
            Some(length) if length < 0 => {
                return Err((
                    DiagnosticCode::Domain,
                    format!("the length of `substr` must be at least 0, found {length}"),
                ));
            }
            Some(length) => usize::try_from(length).unwrap_or(usize::MAX),
            None => usize::MAX,
        };
        Ok(text.chars().skip(start - 1).take(length).collect())
    }

    /// Evaluates `instr`: position of the n-th occurrence from a start position on; 0 for none.
    fn find_occurrence(&self, row: usize, given: usize) -> Result<i64, ValueError> {
        let start = self.positive_count(0, row, given > 2, "the start of `instr`")?;
        let nth = self.positive_count(1, row, given > 3, "the occurrence of `instr`")?;
        let (text, wanted) = (self.text.at(row).unwrap_or_default(), self.other.at(row).unwrap_or_default());
        // The empty text has no occurrence.
        if wanted.is_empty() {
            return Ok(0);
        }
        let places = text.char_indices().enumerate().skip(start - 1);
        let mut found =
            places.filter(|(_, (at, _))| text.get(*at..).is_some_and(|rest| rest.starts_with(wanted)));
        Ok(found.nth(nth - 1).map_or(0, |(place, _)| place as i64 + 1))
    }

    /// Returns a positive argument; 1 when it is omitted.
    fn positive_count(&self, at: usize, row: usize, given: bool, what: &str) -> Result<usize, ValueError> {
        let count = self.counts.get(at).and_then(|count| count.at(row)).filter(|_| given).unwrap_or(1);
        if count < 1 {
            return Err((DiagnosticCode::Domain, format!("{what} must be at least 1, found {count}")));
        }
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }
}

fn check_text_size(op: TextOp, bytes: usize) -> Result<(), ValueError> {
    if bytes > CELL_BYTES_MAX {
        let message = format!("`{}` makes a text of more than {CELL_BYTES_MAX} bytes", op.name());
        return Err((DiagnosticCode::Overflow, message));
    }
    Ok(())
}
