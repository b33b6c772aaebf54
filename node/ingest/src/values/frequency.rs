//! Inference of the frequency of dates, where the source writes a period as its first day.
//!
//! Strict: dates that fit no frequency are refused with the first outlier, since a wrong guess would
//! shift every later comparison. Gaps are allowed if at least one pair of neighbours is one period
//! apart.

use schemas::period::{Frequency, Period};

use crate::error::ImportError;

/// Frequencies that divide the year, with their length in months.
const STEPS: [(i32, Frequency); 4] =
    [(1, Frequency::M), (3, Frequency::Q), (6, Frequency::S), (12, Frequency::A)];
/// Days between neighbours of a daily series: a long weekend and one more day.
const DAILY_GAP_MAX: i32 = 5;

/// A date and its line.
pub(crate) type DayAndLine = (Period, u64);

/// Infers the frequency of `days`, in any order.
pub(crate) fn infer_frequency(days: &[DayAndLine]) -> Result<Frequency, ImportError> {
    let mut sorted = days.to_vec();
    sorted.sort();
    // Vintages repeat a date.
    sorted.dedup_by_key(|(day, _)| *day);
    if sorted.len() < 2 {
        return Err(unclear_frequency("cannot infer the frequency of a single date"));
    }
    let first_days = sorted.iter().filter(|(day, _)| day.start_date().2 == 1).count();
    if first_days == sorted.len() {
        return step_frequency(&sorted);
    }
    if is_daily_or_weekly(&sorted) {
        return Ok(Frequency::D);
    }
    let odd = days.iter().find(|(day, _)| day.start_date().2 != 1);
    let error = unclear_frequency("the dates fit no frequency: expected days, weeks or first days of months");
    Err(match odd {
        // If most dates are first days of months, the other one is probably the mistake.
        Some((day, line)) if first_days * 2 > sorted.len() => error.line(*line).value(day.to_string()),
        _ => error,
    })
}

/// The frequency of first days of months: the smallest step decides, all dates must fit it.
fn step_frequency(sorted: &[DayAndLine]) -> Result<Frequency, ImportError> {
    let month = |day: Period| {
        let (year, month, _) = day.start_date();
        year * 12 + month - 1
    };
    let steps = sorted.windows(2).filter_map(|pair| match pair {
        [(a, _), (b, _)] => Some(month(*b) - month(*a)),
        _ => None,
    });
    let smallest = steps.min().unwrap_or_default();
    let found = STEPS.into_iter().find(|(months, _)| *months == smallest);
    let Some((months, frequency)) = found else {
        return Err(unclear_frequency(format!("the closest dates are {smallest} months apart")));
    };
    match sorted.iter().find(|(day, _)| month(*day) % months != 0) {
        None => Ok(frequency),
        Some((day, line)) => {
            let message = format!("dates {months} months apart do not begin a calendar period");
            Err(unclear_frequency(message).line(*line).value(day.to_string()))
        }
    }
}

/// Whether the days are those of a daily series, or all on one weekday.
///
/// One step in ten may be longer than `DAILY_GAP_MAX`: markets have closed for weeks.
fn is_daily_or_weekly(sorted: &[DayAndLine]) -> bool {
    let gaps: Vec<i32> = sorted
        .windows(2)
        .filter_map(|pair| match pair {
            [(a, _), (b, _)] => Some(b.ordinal() - a.ordinal()),
            _ => None,
        })
        .collect();
    // Holidays make longer gaps than weekends.
    let short = gaps.iter().filter(|gap| **gap <= DAILY_GAP_MAX).count();
    gaps.iter().all(|gap| gap % 7 == 0) || short * 10 >= gaps.len() * 9
}

fn unclear_frequency(message: impl Into<String>) -> ImportError {
    ImportError::new("frequency", message)
        .hint("correct the dates, or state the frequency: A, S, Q, M, W or D")
}

/// The period of `frequency` that contains a day.
pub(crate) fn period_of_day(day: Period, frequency: Frequency) -> Result<Period, ImportError> {
    day.to_frequency(frequency).ok_or_else(|| {
        let message = format!("expected a date within a single period of frequency {frequency}");
        ImportError::new("period", message).value(day.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(days: &[&str], expected: Result<Frequency, Option<u64>>) {
        let dated: Vec<DayAndLine> =
            days.iter().enumerate().map(|(at, day)| (day.parse().unwrap(), at as u64 + 2)).collect();
        assert_eq!(infer_frequency(&dated).map_err(|error| error.line), expected, "{days:?}");
    }

    #[test]
    fn frequencies_are_inferred() {
        check(&["2010-01-01", "2010-02-01", "2010-05-01"], Ok(Frequency::M));
        check(&["2010-04-01", "2010-07-01", "2011-01-01"], Ok(Frequency::Q));
        check(&["2010-07-01", "2011-01-01"], Ok(Frequency::S));
        check(&["2010-01-01", "2011-01-01", "2014-01-01"], Ok(Frequency::A));
        check(&["2010-01-01", "2010-01-04", "2010-01-05", "2010-01-06"], Ok(Frequency::D));
        check(&["2010-01-06", "2010-01-13", "2010-01-27"], Ok(Frequency::D));
    }

    #[test]
    fn unclear_dates_are_refused() {
        check(&["2010-01-01"], Err(None));
        check(&["2010-01-01", "2010-03-01"], Err(None));
        check(&["2010-02-01", "2010-05-01"], Err(Some(2)));
        check(&["2010-07-01", "2011-07-01"], Err(Some(2)));
        check(&["2010-01-01", "2010-02-01", "2010-03-02", "2010-04-01"], Err(Some(4)));
    }
}
