//! The frequency of a column of dates, where the source writes each period as its first day.
//!
//! Strict: a column that fits no frequency is refused with the first date that stands out, since
//! a wrong guess would shift every later comparison. Gaps are allowed, as long as somewhere two
//! neighbours stand one period apart.

use schemas::period::{Frequency, Period};

use crate::error::ImportError;

/// Frequencies that divide the year, with their months.
const STEPS: [(i32, Frequency); 4] =
    [(1, Frequency::M), (3, Frequency::Q), (6, Frequency::S), (12, Frequency::A)];
/// Days between neighbours of a daily series: a long weekend and a day more.
const DAILY_GAP_MAX: i32 = 5;

/// A date and the line it stands in.
pub(crate) type Dated = (Period, u64);

/// The frequency of `days`.
pub(crate) fn infer(days: &[Dated]) -> Result<Frequency, ImportError> {
    let mut sorted = days.to_vec();
    sorted.sort();
    sorted.dedup_by_key(|(day, _)| *day);
    if sorted.len() < 2 {
        return Err(unclear("one date does not tell a frequency"));
    }
    let first_days = sorted.iter().filter(|(day, _)| day.start_date().2 == 1).count();
    if first_days == sorted.len() {
        return monthly(&sorted);
    }
    if steady(&sorted) {
        return Ok(Frequency::D);
    }
    let odd = days.iter().find(|(day, _)| day.start_date().2 != 1);
    let fault = unclear("the dates fit no frequency: neither days, weeks nor first days of months");
    Err(match odd {
        Some((day, line)) if first_days * 2 > sorted.len() => fault.line(*line).value(day.to_string()),
        _ => fault,
    })
}

/// First days of months: the smallest step decides, and every other one must fit it.
fn monthly(sorted: &[Dated]) -> Result<Frequency, ImportError> {
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
        return Err(unclear(format!("the closest dates are {smallest} months apart")));
    };
    match sorted.iter().find(|(day, _)| month(*day) % months != 0) {
        None => Ok(frequency),
        Some((day, line)) => {
            let message = format!("dates {months} months apart begin no period of the calendar");
            Err(unclear(message).line(*line).value(day.to_string()))
        }
    }
}

/// Whether the days are those of a daily series, or of one weekday.
fn steady(sorted: &[Dated]) -> bool {
    let gaps: Vec<i32> = sorted
        .windows(2)
        .filter_map(|pair| match pair {
            [(a, _), (b, _)] => Some(b.ordinal() - a.ordinal()),
            _ => None,
        })
        .collect();
    let short = gaps.iter().filter(|gap| **gap <= DAILY_GAP_MAX).count();
    gaps.iter().all(|gap| gap % 7 == 0) || short * 10 >= gaps.len() * 9
}

fn unclear(message: impl Into<String>) -> ImportError {
    ImportError::new("frequency", message).hint("correct the dates, or say the frequency: A, S, Q, M, W or D")
}

/// The period of `frequency` that a day stands for.
pub(crate) fn period(day: Period, frequency: Frequency) -> Result<Period, ImportError> {
    day.to_frequency(frequency).ok_or_else(|| {
        let message = format!("expected a period that lies in one of frequency {frequency}");
        ImportError::new("period", message).value(day.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(days: &[&str], expected: Result<Frequency, Option<u64>>) {
        let dated: Vec<Dated> =
            days.iter().enumerate().map(|(at, day)| (day.parse().unwrap(), at as u64 + 2)).collect();
        assert_eq!(infer(&dated).map_err(|fault| fault.line), expected, "{days:?}");
    }

    #[test]
    fn columns_that_tell_their_frequency() {
        check(&["2010-01-01", "2010-02-01", "2010-05-01"], Ok(Frequency::M));
        check(&["2010-04-01", "2010-07-01", "2011-01-01"], Ok(Frequency::Q));
        check(&["2010-07-01", "2011-01-01"], Ok(Frequency::S));
        check(&["2010-01-01", "2011-01-01", "2014-01-01"], Ok(Frequency::A));
        check(&["2010-01-01", "2010-01-04", "2010-01-05", "2010-01-06"], Ok(Frequency::D));
        check(&["2010-01-06", "2010-01-13", "2010-01-27"], Ok(Frequency::D));
    }

    #[test]
    fn columns_that_do_not() {
        check(&["2010-01-01"], Err(None));
        check(&["2010-01-01", "2010-03-01"], Err(None));
        check(&["2010-02-01", "2010-05-01"], Err(Some(2)));
        check(&["2010-07-01", "2011-07-01"], Err(Some(2)));
        check(&["2010-01-01", "2010-02-01", "2010-03-02", "2010-04-01"], Err(Some(4)));
    }
}
