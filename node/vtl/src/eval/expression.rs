//! Component expressions, evaluated column by column (reference manual, "Numeric", "Comparison",
//! "Boolean", "Conditional", "String" operators).
//!
//! A null operand gives null, except for the boolean operators, `if`, `nvl`, `isnull` and `||`. Each
//! branch of `if` is evaluated only for the rows that select it, so `if` can guard a division.
//!
//! This module and `window` call each other: an analytic invocation is an expression, and its operand
//! is an expression as well.

use std::cell::RefCell;
use std::cmp::Ordering;

use schemas::decimal::Decimal;
use schemas::duration::Duration;
use schemas::limits::CELL_BYTES_MAX;
use schemas::structure::ValueType;
use schemas::table::Column;

use super::cast::eval_cast;
use super::column::{ColumnarValue, NumberView, RowMask, SharedColumn, TypedView, repeat_cell, text_column};
use super::error::{EvalError, RowError, decimal_error};
use super::relation::StepResult;
use super::text_operators::eval_text;
use super::threads::{Threads, fill_slots};
use super::time_operators::eval_time;
use super::window::eval_window;
use crate::ceilings::{RunGuard, TextBuilder, value_bytes};
use crate::decimal128::{self as decimal, Error};
use crate::diagnostic::{DiagnosticCode, Span};
use crate::op::Op;
use crate::plan::{Term, TypedExpr};

/// Rows over which an expression is evaluated.
pub(super) struct RowContext<'a> {
    pub(super) columns: &'a [SharedColumn],
    pub(super) rows: usize,
    pub(super) values: &'a [Option<StepResult>],
    /// Columns with a single reader, which may overwrite them in place.
    pub(super) spare: RefCell<Vec<Option<SharedColumn>>>,
    pub(super) threads: Threads,
    pub(super) guard: &'a RunGuard,
}

impl<'a> RowContext<'a> {
    /// Context of a scalar: one row without columns.
    pub(super) fn for_scalar(values: &'a [Option<StepResult>], guard: &'a RunGuard) -> Self {
        Self { columns: &[], rows: 1, values, spare: RefCell::default(), threads: Threads::ONE, guard }
    }

    pub(super) fn eval(&self, typed: &TypedExpr, mask: RowMask<'_>) -> Result<ColumnarValue, EvalError> {
        match &typed.term {
            Term::Column(at) => {
                // A spare column has one reader, so it is handed out at most once.
                let spare = self.spare.borrow_mut().get_mut(*at).and_then(Option::take);
                let column = spare.or_else(|| self.columns.get(*at).cloned());
                Ok(column.map_or(ColumnarValue::Constant(None), ColumnarValue::Column))
            }
            Term::Constant(cell) => Ok(ColumnarValue::Constant(cell.clone())),
            Term::Scalar(step) => match self.values.get(*step) {
                Some(Some(StepResult::Scalar(cell))) => Ok(ColumnarValue::Constant(cell.clone())),
                _ => Ok(ColumnarValue::Constant(None)),
            },
            Term::Apply(Op::If, operands) => self.eval_if(typed, operands, mask),
            Term::Apply(op, operands) => {
                let values: Result<Vec<ColumnarValue>, EvalError> =
                    operands.iter().map(|operand| self.eval(operand, mask)).collect();
                self.apply_operator(*op, typed, values?, operands, mask)
            }
            Term::Window(call) => eval_window(self, call, typed.span).map(ColumnarValue::Column),
        }
    }

    /// Returns the first selected row.
    fn first_selected(&self, mask: RowMask<'_>) -> Option<usize> {
        match mask {
            None => (self.rows > 0).then_some(0),
            Some(mask) => mask.iter().position(|taken| *taken),
        }
    }

    /// Evaluates `if`, each branch only for the rows that select it.
    fn eval_if(
        &self,
        typed: &TypedExpr,
        operands: &[TypedExpr],
        mask: RowMask<'_>,
    ) -> Result<ColumnarValue, EvalError> {
        let [condition, then, other] = operands else { return Ok(ColumnarValue::Constant(None)) };
        let condition = self.eval(condition, mask)?;
        let within = |row: usize| mask.is_none_or(|mask| mask.get(row).copied().unwrap_or(false));
        // A null condition is not true, so it selects `else`.
        let _masks = self.guard.reserve_each(self.rows, 2 * size_of::<bool>() as u64)?;
        let yes: Vec<bool> = (0..self.rows).map(|row| within(row) && condition.is_true(row)).collect();
        let no: Vec<bool> = (0..self.rows).map(|row| within(row) && !condition.is_true(row)).collect();
        let then = self.eval(then, Some(&yes))?;
        let other = self.eval(other, Some(&no))?;
        let pick = |row: usize| if yes.get(row).copied().unwrap_or(false) { &then } else { &other };
        self.choose_values(typed.value_type, mask, pick)
    }

    /// Builds a column that takes each row from one of several values of one type.
    pub(super) fn choose_values<'v>(
        &self,
        value_type: Option<ValueType>,
        mask: RowMask<'_>,
        pick: impl Fn(usize) -> &'v ColumnarValue,
    ) -> Result<ColumnarValue, EvalError> {
        let Some(value_type) = value_type else { return Ok(ColumnarValue::Constant(None)) };
        let reserved = self.guard.reserve_each(self.rows, value_bytes(Some(value_type)))?;
        let column = choose_rows(self.rows, value_type, mask, self.guard, pick);
        drop(reserved);
        Ok(ColumnarValue::Column(SharedColumn::new(column, self.guard)))
    }

    fn apply_operator(
        &self,
        op: Op,
        typed: &TypedExpr,
        values: Vec<ColumnarValue>,
        operands: &[TypedExpr],
        mask: RowMask<'_>,
    ) -> Result<ColumnarValue, EvalError> {
        let Some(first) = self.first_selected(mask) else { return Ok(ColumnarValue::Constant(None)) };
        let constant = values.iter().all(|value| matches!(value, ColumnarValue::Constant(_)));
        // An operator of constants is evaluated once for all rows.
        let (rows, mask) = if constant { (1, None) } else { (self.rows, mask) };
        let value_types = operands.iter().map(|operand| operand.value_type).collect::<Vec<_>>();
        let scope = OperatorCall {
            rows,
            mask,
            op,
            span: typed.span,
            value_type: typed.value_type,
            value_types: &value_types,
            threads: self.threads,
            guard: self.guard,
        };
        let reserved = self.guard.reserve_each(rows, value_bytes(typed.value_type))?;
        let column = scope.eval_operator(values).map_err(|mut error| {
            if constant {
                error.row = first;
            }
            error
        })?;
        drop(reserved);
        Ok(if constant {
            ColumnarValue::Constant(column.cell(0))
        } else {
            ColumnarValue::Column(SharedColumn::new(column, self.guard))
        })
    }
}

/// Builds a column that takes each row from one of several values of one type; the caller has reserved the rows.
fn choose_rows<'v>(
    rows: usize,
    value_type: ValueType,
    mask: RowMask<'_>,
    guard: &RunGuard,
    pick: impl Fn(usize) -> &'v ColumnarValue,
) -> Column {
    let taken = |row: usize| mask.is_none_or(|mask| mask.get(row).copied().unwrap_or(false));
    let rows = (0..rows)
        .take_while(|row| !guard.is_stopped_at(*row))
        .map(|row| (row, taken(row).then(|| pick(row))));
    match value_type {
        ValueType::Number => {
            Column::Number(rows.map(|(row, v)| v.and_then(|v| v.as_numbers().at(row))).collect())
        }
        ValueType::Integer => {
            Column::Integer(rows.map(|(row, v)| v.and_then(|v| v.as_integers().at(row))).collect())
        }
        ValueType::Boolean => {
            Column::Boolean(rows.map(|(row, v)| v.and_then(|v| v.as_booleans().at(row))).collect())
        }
        ValueType::TimePeriod | ValueType::Date => {
            Column::Period(rows.map(|(row, v)| v.and_then(|v| v.as_periods().at(row))).collect())
        }
        ValueType::String | ValueType::Time | ValueType::Duration => {
            text_column(rows.map(|(row, v)| v.and_then(|v| v.as_texts().at(row))), guard)
        }
    }
}

/// Application of one operator to the values of its operands.
struct OperatorCall<'a> {
    rows: usize,
    mask: RowMask<'a>,
    op: Op,
    span: Span,
    value_type: Option<ValueType>,
    value_types: &'a [Option<ValueType>],
    threads: Threads,
    guard: &'a RunGuard,
}

impl OperatorCall<'_> {
    fn eval_operator(&self, values: Vec<ColumnarValue>) -> Result<Column, EvalError> {
        match (self.op, values.as_slice()) {
            (Op::IsNull, [a]) => self.map_booleans(|row| Ok(Some(a.is_null(row)))),
            (Op::Not, [a]) => {
                let a = a.as_booleans();
                self.map_booleans(|row| Ok(a.at(row).map(|a| !a)))
            }
            (Op::And | Op::Or | Op::Xor, [a, b]) => {
                let (a, b) = (a.as_booleans(), b.as_booleans());
                self.map_booleans(|row| Ok(three_valued(self.op, a.at(row), b.at(row))))
            }
            (Op::Nvl, [a, b]) => Ok(self.choose_column(|row| if a.is_null(row) { b } else { a })),
            (Op::Limit(nullable), [a, fits]) => self.check_parameter(a, fits, nullable),
            (Op::Concat, [a, b]) => self.eval_concat(a, b),
            (Op::Year | Op::Month, [a]) => self.eval_calendar(a),
            (Op::Cast(to), [a, mask @ ..]) => {
                let mask = mask.first().and_then(|mask| mask.as_texts().at(0));
                let from = self.value_types.first().copied().flatten();
                self.at_row(eval_cast(a, (from, to), mask, (self.rows, self.mask), self.guard))
            }
            (Op::Text(op), values) => self.at_row(eval_text(op, values, (self.rows, self.mask), self.guard)),
            (Op::Time(op), values) => {
                let from = self.value_types.first().copied().flatten();
                self.at_row(eval_time(
                    op,
                    values,
                    (from, self.value_type),
                    (self.rows, self.mask),
                    self.guard,
                ))
            }
            (
                Op::Equal | Op::NotEqual | Op::Less | Op::LessEqual | Op::Greater | Op::GreaterEqual,
                [a, b],
            ) => {
                let compare = self.comparator(a, b);
                self.map_booleans(|row| self.relation_holds(self.op, compare(row)))
            }
            (Op::Between, [a, low, high]) => self.eval_between(a, low, high),
            (Op::In | Op::NotIn, [a, list @ ..]) => self.eval_in(a, list),
            _ => self.eval_arithmetic(values),
        }
    }

    fn at_row(&self, column: Result<Column, RowError>) -> Result<Column, EvalError> {
        let span = self.span;
        column.map_err(|((code, message), row)| EvalError { code, message, span, row })
    }

    fn is_selected(&self, row: usize) -> bool {
        self.mask.is_none_or(|mask| mask.get(row).copied().unwrap_or(false))
    }

    /// Computes a value for each selected row.
    fn map_rows<T: Copy + Send>(
        &self,
        value: impl Fn(usize) -> Result<Option<T>, Error> + Sync,
    ) -> Result<Vec<Option<T>>, EvalError> {
        self.update_rows(vec![None; self.rows], |row, _| value(row))
    }

    /// Replaces the value of each selected row, in place; the other rows become null.
    fn update_rows<T: Copy + Send>(
        &self,
        mut rows: Vec<Option<T>>,
        value: impl Fn(usize, Option<T>) -> Result<Option<T>, Error> + Sync,
    ) -> Result<Vec<Option<T>>, EvalError> {
        let renew = |row: usize, slot: &mut Option<T>| {
            *slot =
                if self.is_selected(row) { value(row, *slot).map_err(|error| (error, row))? } else { None };
            Ok(())
        };
        fill_slots(self.threads, self.guard, &mut rows, renew)
            .map_err(|(error, row)| decimal_error(error, self.op.name(), self.span, row))?;
        Ok(rows)
    }

    fn map_booleans(
        &self,
        value: impl Fn(usize) -> Result<Option<bool>, IncomparablePeriods> + Sync,
    ) -> Result<Column, EvalError> {
        let mut made = vec![None; self.rows];
        let renew = |row: usize, slot: &mut Option<bool>| {
            if self.is_selected(row) {
                *slot = value(row).map_err(|IncomparablePeriods| row)?;
            }
            Ok(())
        };
        fill_slots(self.threads, self.guard, &mut made, renew).map_err(|row: usize| EvalError {
            code: DiagnosticCode::Frequency,
            message: format!("`{}` cannot order periods of different frequencies", self.op.name()),
            span: self.span,
            row,
        })?;
        Ok(Column::Boolean(made))
    }

    /// Returns a comparison of the operands at a row; `None` when either is null.
    fn comparator<'v>(
        &self,
        a: &'v ColumnarValue,
        b: &'v ColumnarValue,
    ) -> Box<dyn Fn(usize) -> Option<PairOrder> + Sync + 'v> {
        // The type is decided once for the whole column, not for each row.
        let value_type = self.value_types.iter().copied().flatten().next();
        let plain = |order: Ordering| PairOrder { order, same_frequency: true };
        match value_type {
            Some(ValueType::Integer | ValueType::Number) => match (a.as_numbers(), b.as_numbers()) {
                // Two integer columns compare without conversion to decimals.
                (NumberView::Integer(a), NumberView::Integer(b)) => {
                    Box::new(move |row| Some(plain(a.at(row)?.cmp(&b.at(row)?))))
                }
                (a, b) => Box::new(move |row| Some(plain(a.at(row)?.compare(b.at(row)?)))),
            },
            Some(ValueType::String | ValueType::Time) => {
                let (a, b) = (a.as_texts(), b.as_texts());
                Box::new(move |row| Some(plain(a.at(row)?.cmp(b.at(row)?))))
            }
            Some(ValueType::Boolean) => {
                let (a, b) = (a.as_booleans(), b.as_booleans());
                Box::new(move |row| Some(plain(a.at(row)?.cmp(&b.at(row)?))))
            }
            Some(ValueType::TimePeriod | ValueType::Date) => {
                let (a, b) = (a.as_periods(), b.as_periods());
                Box::new(move |row| {
                    let (a, b) = (a.at(row)?, b.at(row)?);
                    Some(PairOrder { order: a.cmp(&b), same_frequency: a.frequency() == b.frequency() })
                })
            }
            Some(ValueType::Duration) => {
                let (a, b) = (a.as_texts(), b.as_texts());
                let length = |text: Option<&str>| text?.parse::<Duration>().ok();
                Box::new(move |row| Some(plain(length(a.at(row))?.cmp(&length(b.at(row))?))))
            }
            None => Box::new(|_| None),
        }
    }

    fn relation_holds(
        &self,
        op: Op,
        compared: Option<PairOrder>,
    ) -> Result<Option<bool>, IncomparablePeriods> {
        let Some(PairOrder { order, same_frequency }) = compared else { return Ok(None) };
        if !same_frequency && !matches!(op, Op::Equal | Op::NotEqual) {
            return Err(IncomparablePeriods);
        }
        Ok(Some(match op {
            Op::Equal => order.is_eq(),
            Op::NotEqual => order.is_ne(),
            Op::Less => order.is_lt(),
            Op::LessEqual => order.is_le(),
            Op::Greater => order.is_gt(),
            _ => order.is_ge(),
        }))
    }

    /// Evaluates `between` as `>=` and `<=`; null when any operand is null, as in every comparison
    /// (specs/vtl.md, 3).
    fn eval_between(
        &self,
        a: &ColumnarValue,
        low: &ColumnarValue,
        high: &ColumnarValue,
    ) -> Result<Column, EvalError> {
        let (least, most) = (self.comparator(a, low), self.comparator(a, high));
        self.map_booleans(|row| {
            let (Some(least), Some(most)) = (least(row), most(row)) else { return Ok(None) };
            let above = self.relation_holds(Op::GreaterEqual, Some(least))?;
            let below = self.relation_holds(Op::LessEqual, Some(most))?;
            Ok(above.zip(below).map(|(above, below)| above && below))
        })
    }

    /// Evaluates `in` as equality with each element, joined by three-valued `or`.
    fn eval_in(&self, a: &ColumnarValue, list: &[ColumnarValue]) -> Result<Column, EvalError> {
        let comparisons: Vec<_> = list.iter().map(|item| self.comparator(a, item)).collect();
        self.map_booleans(|row| {
            let mut found = Some(false);
            for compare in &comparisons {
                found = three_valued(Op::Or, found, self.relation_holds(Op::Equal, compare(row))?);
            }
            Ok(if self.op == Op::NotIn { found.map(|found| !found) } else { found })
        })
    }

    /// Builds a column from the value picked for each row.
    fn choose_column<'v>(&self, pick: impl Fn(usize) -> &'v ColumnarValue) -> Column {
        match self.value_type {
            Some(value_type) => choose_rows(self.rows, value_type, self.mask, self.guard, pick),
            None => repeat_cell(None, None, self.rows),
        }
    }

    /// Checks that all values of a parameter belong to its type, and returns them.
    fn check_parameter(
        &self,
        a: &ColumnarValue,
        fits: &ColumnarValue,
        nullable: bool,
    ) -> Result<Column, EvalError> {
        let truths = fits.as_booleans();
        let outside = |row: &usize| {
            let fits = if a.is_null(*row) { nullable } else { truths.at(*row) == Some(true) };
            self.is_selected(*row) && !fits
        };
        let within = |row: &usize| !self.guard.is_stopped_at(*row);
        match (0..self.rows).take_while(within).find(outside) {
            Some(row) => {
                let message = "the value is outside the set of values of the parameter's type".to_owned();
                Err(EvalError { code: DiagnosticCode::Domain, message, span: self.span, row })
            }
            None => Ok(self.choose_column(|_| a)),
        }
    }

    /// Evaluates `||`: null counts as the empty text; a result above the size of a cell is an error.
    fn eval_concat(&self, a: &ColumnarValue, b: &ColumnarValue) -> Result<Column, EvalError> {
        let (a, b) = (a.as_texts(), b.as_texts());
        let mut made = TextBuilder::new(self.rows, self.guard);
        let mut text = String::new();
        for row in (0..self.rows).take_while(|row| !self.guard.is_stopped_at(*row)) {
            if !self.is_selected(row) {
                made.push(None);
                continue;
            }
            text.clear();
            text.push_str(a.at(row).unwrap_or_default());
            text.push_str(b.at(row).unwrap_or_default());
            if text.len() > CELL_BYTES_MAX {
                let message = format!("`||` makes a text of more than {CELL_BYTES_MAX} bytes");
                return Err(EvalError { code: DiagnosticCode::Overflow, message, span: self.span, row });
            }
            made.push(Some(&text));
        }
        Ok(made.finish())
    }

    /// Evaluates `getyear` and `getmonth` at the first day of a period; the year of a week is its ISO
    /// 8601 year.
    fn eval_calendar(&self, a: &ColumnarValue) -> Result<Column, EvalError> {
        let periods = a.as_periods();
        let part = |row: usize| {
            let Some(period) = periods.at(row) else { return Ok(None) };
            let part = if self.op == Op::Year { period.year() } else { period.start_date().1 };
            Ok(Some(i64::from(part)))
        };
        self.map_rows(part).map(Column::Integer)
    }

    fn eval_arithmetic(&self, values: Vec<ColumnarValue>) -> Result<Column, EvalError> {
        // Integers stay integers unless an operand or the result is a number.
        let whole = self.value_types.iter().all(|value_type| *value_type != Some(ValueType::Number));
        let mut values = values.into_iter();
        match (self.op, values.next(), values.next()) {
            (Op::Round | Op::Trunc | Op::Ceil | Op::Floor, Some(a), places) => {
                self.eval_rounding(a, places.as_ref())
            }
            (Op::Sqrt, Some(a), None) => self.map_numbers(a, decimal::sqrt).map(Column::Number),
            (Op::Ln, Some(a), None) => self.map_numbers(a, decimal::ln).map(Column::Number),
            (Op::Exp, Some(a), None) => self.map_numbers(a, decimal::exp).map(Column::Number),
            (_, Some(a), None) if whole => {
                let a = a.as_integers();
                self.map_rows(|row| a.at(row).map(|a| eval_integer(self.op, 0, a)).transpose())
                    .map(Column::Integer)
            }
            (_, Some(a), None) => self.map_numbers(a, |a| Ok(eval_unary(self.op, a))).map(Column::Number),
            (_, Some(a), Some(b)) if whole && self.value_type != Some(ValueType::Number) => {
                let (a, b) = (a.as_integers(), b.as_integers());
                let pair = |row| match (a.at(row), b.at(row)) {
                    (Some(a), Some(b)) => eval_integer(self.op, a, b).map(Some),
                    _ => Ok(None),
                };
                self.map_rows(pair).map(Column::Integer)
            }
            (_, Some(a), Some(b)) => self.eval_binary(a, b).map(Column::Number),
            _ => self.map_rows(|_| Ok(None)).map(Column::Integer),
        }
    }

    fn eval_binary(&self, a: ColumnarValue, b: ColumnarValue) -> Result<Vec<Option<Decimal>>, EvalError> {
        // One call each, so that the compiler specialises the loop for every operator.
        match self.op {
            Op::Add => self.map_pairs(a, b, decimal::add),
            Op::Subtract => self.map_pairs(a, b, decimal::sub),
            Op::Multiply => self.map_pairs(a, b, decimal::mul),
            Op::Divide => self.map_pairs(a, b, decimal::div),
            Op::Power => self.map_pairs(a, b, decimal::power),
            Op::Log => self.map_pairs(a, b, decimal::log),
            _ => self.map_pairs(a, b, decimal::modulo),
        }
    }

    /// Applies a binary operator; the result overwrites an operand that has no other owner.
    fn map_pairs(
        &self,
        a: ColumnarValue,
        b: ColumnarValue,
        apply: impl Fn(Decimal, Decimal) -> Result<Decimal, Error> + Sync,
    ) -> Result<Vec<Option<Decimal>>, EvalError> {
        let pair = |a: Option<Decimal>, b: Option<Decimal>| match (a, b) {
            (Some(a), Some(b)) => apply(a, b).map(Some),
            _ => Ok(None),
        };
        // `into_numbers` succeeds only for a column without other owners.
        match (a.into_numbers(), b) {
            (Ok(rows), b) => {
                let b = b.as_decimals();
                self.update_rows(rows, |row, a| pair(a, b.at(row)))
            }
            (Err(a), b) => match b.into_numbers() {
                Ok(rows) => {
                    let a = a.as_decimals();
                    self.update_rows(rows, |row, b| pair(a.at(row), b))
                }
                Err(b) => {
                    let (a, b) = (a.as_decimals(), b.as_decimals());
                    self.map_rows(|row| pair(a.at(row), b.at(row)))
                }
            },
        }
    }

    /// Applies a unary operator.
    fn map_numbers(
        &self,
        a: ColumnarValue,
        apply: impl Fn(Decimal) -> Result<Decimal, Error> + Sync,
    ) -> Result<Vec<Option<Decimal>>, EvalError> {
        match a.into_numbers() {
            Ok(rows) => self.update_rows(rows, |_, a| a.map(&apply).transpose()),
            Err(a) => {
                let a = a.as_numbers();
                self.map_rows(|row| a.at(row).map(&apply).transpose())
            }
        }
    }

    /// Evaluates `round`, `trunc`, `ceil` and `floor`; the result is an integer without a number of
    /// digits.
    fn eval_rounding(&self, a: ColumnarValue, places: Option<&ColumnarValue>) -> Result<Column, EvalError> {
        let digits = places.map_or(TypedView::Constant(Some(0)), ColumnarValue::as_integers);
        let round = |number: Decimal, places: i64| match self.op {
            Op::Round => decimal::round(number, places),
            Op::Trunc => decimal::trunc(number, places),
            Op::Ceil => decimal::ceil(number),
            _ => decimal::floor(number),
        };
        if self.value_type != Some(ValueType::Number) {
            let numbers = a.as_numbers();
            let value = |row: usize| match (numbers.at(row), digits.at(row)) {
                (Some(number), Some(places)) => decimal::to_integer(round(number, places)?).map(Some),
                _ => Ok(None),
            };
            return self.map_rows(value).map(Column::Integer);
        }
        // A constant number of digits permits rounding in place.
        if let TypedView::Constant(Some(places)) = digits {
            return self.map_numbers(a, |number| round(number, places)).map(Column::Number);
        }
        let numbers = a.as_numbers();
        let value = |row: usize| match (numbers.at(row), digits.at(row)) {
            (Some(number), Some(places)) => round(number, places).map(Some),
            _ => Ok(None),
        };
        self.map_rows(value).map(Column::Number)
    }
}

/// Order of two values, and whether `<` and `>` are defined between them.
struct PairOrder {
    order: Ordering,
    same_frequency: bool,
}

/// Error: periods of different frequencies have no order.
struct IncomparablePeriods;

/// Applies `and`, `or` or `xor` in three-valued logic (reference manual, "Boolean operators").
fn three_valued(op: Op, a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match op {
        Op::And => match (a, b) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
        Op::Or => match (a, b) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        },
        _ => Some(a? != b?),
    }
}

fn eval_unary(op: Op, a: Decimal) -> Decimal {
    match op {
        Op::Negate => decimal::negate(a),
        Op::Abs => decimal::abs(a),
        _ => a,
    }
}

/// Checked 64-bit arithmetic; unary operators pass 0 on the left.
fn eval_integer(op: Op, a: i64, b: i64) -> Result<i64, Error> {
    let value = match op {
        Op::UnaryPlus => Some(b),
        Op::Negate => b.checked_neg(),
        Op::Abs => b.checked_abs(),
        Op::Add => a.checked_add(b),
        Op::Subtract => a.checked_sub(b),
        Op::Multiply => a.checked_mul(b),
        _ if b == 0 => Some(a),
        // INVARIANT: only `mod` is left; the remainder takes the sign of the divisor. `checked_rem`
        // fails only for `i64::MIN % -1`, whose remainder is 0.
        _ => a
            .checked_rem(b)
            .or(Some(0))
            .map(|rest| if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }),
    };
    value.ok_or(Error::Overflow)
}
