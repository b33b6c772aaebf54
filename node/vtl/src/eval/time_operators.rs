//! Time operators, row by row (reference manual, "Time operators").
//!
//! A null operand gives null. A result outside the calendar or the range of durations is an overflow.

use schemas::duration::Duration;
use schemas::interval::Interval;
use schemas::period::{Frequency, Period};
use schemas::structure::ValueType;
use schemas::table::{Cell, Column};

use super::column::{ColumnBuilder, ColumnarValue, RowMask};
use super::error::{RowError, ValueError};
use crate::ceilings::RunGuard;
use crate::diagnostic::DiagnosticCode;
use crate::op::{PeriodEnd, TimeConversion, TimeOp};
use crate::time_unit::parse_unit;

/// Days of a year and of a month when durations are converted to days (reference manual, "Duration to
/// number days").
const YEAR_DAYS: i64 = 365;
const MONTH_DAYS: i64 = 30;

/// Evaluates a time operator.
pub(super) fn eval_time(
    op: TimeOp,
    values: &[ColumnarValue],
    (from, to): (Option<ValueType>, Option<ValueType>),
    (rows, mask): (usize, RowMask<'_>),
    guard: &RunGuard,
) -> Result<Column, RowError> {
    let taken = |row: usize| mask.is_none_or(|mask| mask.get(row).copied().unwrap_or(false));
    let mut made = ColumnBuilder::new(to.unwrap_or(ValueType::String), rows, guard);
    for row in (0..rows).take_while(|row| !guard.is_stopped_at(*row)) {
        let operands: Option<Vec<Cell>> =
            if taken(row) { values.iter().map(|value| value.cell_at(row)).collect() } else { None };
        match operands {
            None => made.push(None),
            Some(operands) => {
                made.push(Some(&apply_time(op, &operands, from).map_err(|wrong| (wrong, row))?));
            }
        }
    }
    Ok(made.finish())
}

fn apply_time(op: TimeOp, operands: &[Cell], value_type: Option<ValueType>) -> Result<Cell, ValueError> {
    let whole = |value: i32| Cell::Integer(i64::from(value));
    Ok(match (op, operands) {
        (TimeOp::Aggregate(convert), [cell]) => {
            aggregate_time(cell, convert, value_type == Some(ValueType::Date))?
        }
        (TimeOp::Indicator, [Cell::Period(period)]) => {
            Cell::Text(Duration::from(period.frequency()).to_string())
        }
        (TimeOp::DayOfMonth, [Cell::Period(period)]) => whole(period.start_date().2),
        (TimeOp::DayOfYear, [Cell::Period(period)]) => whole(period.first_day().index()),
        (TimeOp::Difference, [Cell::Period(from), Cell::Period(to)]) => {
            whole(to.last_day().ordinal() - from.last_day().ordinal())
        }
        (TimeOp::Add, [Cell::Period(period), Cell::Integer(count), Cell::Text(unit)]) => {
            Cell::Period(add_duration(*period, *count, unit)?)
        }
        (TimeOp::DaysToYear | TimeOp::DaysToMonth, [Cell::Integer(days)]) => {
            Cell::Text(days_to_duration(op, *days)?.to_string())
        }
        (TimeOp::YearToDays | TimeOp::MonthToDays, [Cell::Text(text)]) => {
            Cell::Integer(duration_to_days(op, text)?)
        }
        _ => {
            return Err((
                DiagnosticCode::Type,
                format!("`{}` does not take operands of these types", op.name()),
            ));
        }
    })
}

/// Evaluates `time_agg`: the coarser period, interval or date that contains a value.
pub(super) fn aggregate_time(cell: &Cell, convert: TimeConversion, date: bool) -> Result<Cell, ValueError> {
    let to = convert.to;
    let finer = || {
        let message = format!("`time_agg` cannot convert {cell} to the finer frequency {to}");
        (DiagnosticCode::Frequency, message)
    };
    match cell {
        Cell::Period(period) => {
            let coarse = period.to_frequency(to).ok_or_else(finer)?;
            if date {
                let first = convert.end == Some(PeriodEnd::First);
                return Ok(Cell::Period(if first { coarse.first_day() } else { coarse.last_day() }));
            }
            check_frequency(*period, convert)?;
            Ok(Cell::Period(coarse))
        }
        Cell::Text(text) => {
            let interval: Interval = text.parse().map_err(|_| finer())?;
            let coarse = match interval.period() {
                Some(period) => {
                    check_frequency(period, convert)?;
                    period.to_frequency(to).ok_or_else(finer)?
                }
                None => comprising_period(interval, to).ok_or_else(|| {
                    let message = format!("no period of frequency {to} contains {interval}");
                    (DiagnosticCode::Frequency, message)
                })?,
            };
            Ok(Cell::Text(Interval::from(coarse).to_string()))
        }
        _ => Err(finer()),
    }
}

/// Checks that a period has the source frequency named by `time_agg`.
fn check_frequency(period: Period, convert: TimeConversion) -> Result<(), ValueError> {
    match convert.from {
        Some(from) if from != period.frequency() => Err((
            DiagnosticCode::Frequency,
            format!("`time_agg` expected periods of frequency {from}, found {period}"),
        )),
        _ => Ok(()),
    }
}

/// Returns the period that contains a whole interval.
fn comprising_period(interval: Interval, to: Frequency) -> Option<Period> {
    let period = interval.first().to_frequency(to)?;
    (interval.last() <= period.last_day()).then_some(period)
}

/// Evaluates `dateadd`: adds a multiple of a duration; a day beyond the end of a shorter month becomes
/// its last day.
fn add_duration(period: Period, count: i64, unit: &str) -> Result<Period, ValueError> {
    let unit = parse_unit(unit).map_err(|reason| (DiagnosticCode::Cast, reason))?;
    let moved = || {
        let months = count.checked_mul(i64::from(unit.months()))?;
        let days = count.checked_mul(i64::from(unit.days()))?;
        let (_, _, day) = period.last_day().start_date();
        // Months are added before days.
        let month = period.last_day().to_frequency(Frequency::M)?.shift(months)?;
        let last = month.last_day();
        Period::from_date(month.year(), month.index(), day.min(last.start_date().2))?.shift(days)
    };
    let beyond = || (DiagnosticCode::Overflow, "`dateadd` leaves the calendar (years 1 to 9999)".to_owned());
    moved().ok_or_else(beyond)
}

/// Converts days to years and days, or to months and days.
fn days_to_duration(op: TimeOp, days: i64) -> Result<Duration, ValueError> {
    let (each, months) = if op == TimeOp::DaysToYear { (YEAR_DAYS, 12) } else { (MONTH_DAYS, 1) };
    let part = |count: i64| u32::try_from(count).ok();
    let made = || Duration::new(part(days.checked_div(each)?)?.checked_mul(months)?, part(days % each)?);
    let message = || format!("`{}`: {days} days are outside the range of durations", op.name());
    made().ok_or_else(|| (DiagnosticCode::Overflow, message()))
}

/// Converts years and days, or months and days, to days.
fn duration_to_days(op: TimeOp, text: &str) -> Result<i64, ValueError> {
    let years = op == TimeOp::YearToDays;
    let parsed: Option<Duration> = text.parse().ok();
    let fitting = parsed.filter(|duration| !years || duration.months().is_multiple_of(12));
    let Some(duration) = fitting else {
        let units = if years { "years and days" } else { "months and days" };
        return Err((DiagnosticCode::Domain, format!("`{}` takes {units}, found {text}", op.name())));
    };
    let (months, days) = (i64::from(duration.months()), i64::from(duration.days()));
    Ok(days + if years { months / 12 * YEAR_DAYS } else { months * MONTH_DAYS })
}
