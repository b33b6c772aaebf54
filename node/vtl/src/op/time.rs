//! Operators on values of time (reference manual, "Time operators").

use schemas::period::Frequency;

/// An operator on values of time, row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeOp {
    Indicator,
    DayOfMonth,
    DayOfYear,
    Add,
    Difference,
    DaysToYear,
    DaysToMonth,
    YearToDays,
    MonthToDays,
    Aggregate(TimeConversion),
}

/// `time_agg`: to what values of time are brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeConversion {
    pub(crate) to: Frequency,
    /// The frequency that periods must have, when it is given.
    pub(crate) from: Option<Frequency>,
    /// The day that stands for the period of a date; the last when it is not given.
    pub(crate) end: Option<PeriodEnd>,
}

/// A day of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeriodEnd {
    First,
    Last,
}

impl TimeOp {
    /// The operator of a reserved word, with its least and most operands.
    pub(crate) fn from_function_name(word: &str) -> Option<(Self, usize, usize)> {
        Some(match word {
            "dateadd" => (Self::Add, 3, 3),
            "datediff" => (Self::Difference, 2, 2),
            "dayofmonth" => (Self::DayOfMonth, 1, 1),
            "dayofyear" => (Self::DayOfYear, 1, 1),
            "daytomonth" => (Self::DaysToMonth, 1, 1),
            "daytoyear" => (Self::DaysToYear, 1, 1),
            "monthtoday" => (Self::MonthToDays, 1, 1),
            "period_indicator" => (Self::Indicator, 0, 1),
            "yeartoday" => (Self::YearToDays, 1, 1),
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Indicator => "period_indicator",
            Self::DayOfMonth => "dayofmonth",
            Self::DayOfYear => "dayofyear",
            Self::Add => "dateadd",
            Self::Difference => "datediff",
            Self::DaysToYear => "daytoyear",
            Self::DaysToMonth => "daytomonth",
            Self::YearToDays => "yeartoday",
            Self::MonthToDays => "monthtoday",
            Self::Aggregate(_) => "time_agg",
        }
    }

    /// Whether the result is of another type than the operand; `time_agg` keeps it, and `dateadd`
    /// moves the identifier of a data set.
    pub(crate) fn changes_type(self) -> bool {
        !matches!(self, Self::Aggregate(_) | Self::Add)
    }
}
