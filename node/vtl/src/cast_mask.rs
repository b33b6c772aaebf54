//! Formatting masks of `cast` (reference manual, "Type Conversion and Formatting Mask";
//! `specs/vtl.md`, "Casts").
//!
//! A mask is parsed once for each operator. Symbols for parts that values of this engine do not have,
//! such as hours and minutes, are rejected rather than ignored. The type check uses this module for
//! literal masks.

mod number;
mod time;

use schemas::structure::ValueType;
use schemas::table::Cell;

/// Limit on the bytes of a mask.
const MASK_BYTES_MAX: usize = 128;

/// Parsed mask with the type of its values.
pub(crate) enum CastMask {
    Number(number::NumberMask),
    Time(time::TimeMask, ValueType),
    /// Masks of the first and the last day.
    Interval(time::TimeMask, time::TimeMask),
    Duration(time::TimeMask),
}

impl CastMask {
    /// Parses the mask of a cast from or to text.
    ///
    /// # Errors
    /// The message for the author of the script.
    pub(crate) fn new(mask: &str, from: Option<ValueType>, to: ValueType) -> Result<Self, String> {
        let (value_type, reading) = match from {
            Some(ValueType::String) | None => (to, true),
            Some(value_type) => (value_type, false),
        };
        if mask.len() > MASK_BYTES_MAX {
            return Err(format!("the mask has more than {MASK_BYTES_MAX} bytes"));
        }
        let made = match value_type {
            ValueType::Integer | ValueType::Number => {
                number::NumberMask::new(mask, reading && value_type == ValueType::Integer).map(Self::Number)
            }
            ValueType::Time => match mask.split_once('/') {
                Some((first, last)) => {
                    let day = |mask: &str| time::TimeMask::new(mask)?.for_dates(reading, true);
                    day(first).and_then(|first| Ok(Self::Interval(first, day(last)?)))
                }
                None => time::TimeMask::new(mask)
                    .and_then(|mask| mask.for_dates(reading, false))
                    .map(|mask| Self::Time(mask, value_type)),
            },
            ValueType::Date | ValueType::TimePeriod => time::TimeMask::new(mask)
                .and_then(|mask| mask.for_dates(reading, value_type == ValueType::Date))
                .map(|mask| Self::Time(mask, value_type)),
            ValueType::Duration => {
                time::TimeMask::new(mask).and_then(time::TimeMask::for_durations).map(Self::Duration)
            }
            ValueType::String | ValueType::Boolean => {
                Err(format!("values of type `{}` have no masks", value_type.as_str()))
            }
        };
        made.map_err(|why| format!("invalid mask `{mask}`: {why}"))
    }

    /// Parses a text as a value.
    pub(crate) fn parse(&self, text: &str) -> Option<Cell> {
        match self {
            Self::Number(mask) => mask.parse_number(text),
            Self::Time(mask, value_type) => mask.parse_period(text, *value_type),
            Self::Interval(first, last) => time::parse_interval(first, last, text),
            Self::Duration(mask) => mask.parse_duration(text),
        }
    }

    /// Formats a value as a text.
    pub(crate) fn format(&self, cell: &Cell) -> Option<String> {
        match self {
            Self::Number(mask) => mask.format_number(cell),
            Self::Time(mask, _) => mask.format_cell(cell),
            Self::Interval(first, last) => time::format_interval(first, last, cell),
            Self::Duration(mask) => mask.format_duration(cell),
        }
    }
}

/// Returns the error of a mask, if it has one.
pub(crate) fn mask_error(mask: &str, from: Option<ValueType>, to: ValueType) -> Option<String> {
    CastMask::new(mask, from, to).err()
}
