//! Time operators (reference manual, "Time operators").

use schemas::period::Frequency;

/// Row-wise operator on time values.
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

/// Frequency conversion of `time_agg`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeConversion {
    pub(crate) to: Frequency,
    /// Frequency required of the periods; any finer frequency when `None`.
    pub(crate) from: Option<Frequency>,
    /// Day that represents the period of a date; the last day when `None`.
    pub(crate) end: Option<PeriodEnd>,
}

/// First or last day of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeriodEnd {
    First,
    Last,
}

impl TimeOp {
    /// Returns the operator of a reserved word, with its minimum and maximum number of operands.
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

    /// Returns whether the result type differs from the operand type. `time_agg` keeps it; `dateadd`
    /// changes the time identifier of a data set instead of a measure.
    pub(crate) fn changes_type(self) -> bool {
        !matches!(self, Self::Aggregate(_) | Self::Add)
    }
}
