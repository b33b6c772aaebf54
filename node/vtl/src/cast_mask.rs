//! Masks of `cast`: how a text spells a value (reference manual, "Type Conversion and Formatting
//! Mask"; `specs/vtl.md`, "Casts").
//!
//! A mask is read once. It refuses what values of this engine do not have, the time of the clock
//! above all, so that nothing is lost in silence.

mod number;
mod time;

use schemas::structure::ValueType;
use schemas::table::Cell;

/// Bytes of a mask.
const MASK_BYTES_MAX: usize = 128;

/// A mask, and the type of the values that it spells.
pub(crate) enum CastMask {
    Number(number::NumberMask),
    Time(time::TimeMask, ValueType),
    /// A first and a last day.
    Interval(time::TimeMask, time::TimeMask),
    Duration(time::TimeMask),
}

impl CastMask {
    /// The mask of a cast from or to text.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn new(mask: &str, from: Option<ValueType>, to: ValueType) -> Result<Self, String> {
        let (kind, reading) = match from {
            Some(ValueType::String) | None => (to, true),
            Some(kind) => (kind, false),
        };
        if mask.len() > MASK_BYTES_MAX {
            return Err(format!("a mask of more than {MASK_BYTES_MAX} bytes"));
        }
        let made = match kind {
            ValueType::Integer | ValueType::Number => {
                number::NumberMask::new(mask, reading && kind == ValueType::Integer).map(Self::Number)
            }
            ValueType::Time => match mask.split_once('/') {
                Some((first, last)) => {
                    let day = |mask: &str| time::TimeMask::new(mask)?.for_dates(reading, true);
                    day(first).and_then(|first| Ok(Self::Interval(first, day(last)?)))
                }
                None => time::TimeMask::new(mask)
                    .and_then(|mask| mask.for_dates(reading, false))
                    .map(|mask| Self::Time(mask, kind)),
            },
            ValueType::Date | ValueType::TimePeriod => time::TimeMask::new(mask)
                .and_then(|mask| mask.for_dates(reading, kind == ValueType::Date))
                .map(|mask| Self::Time(mask, kind)),
            ValueType::Duration => {
                time::TimeMask::new(mask).and_then(time::TimeMask::for_durations).map(Self::Duration)
            }
            ValueType::String | ValueType::Boolean => Err(format!("`{}` has no masks", kind.as_str())),
        };
        made.map_err(|why| format!("the mask `{mask}` does not fit: {why}"))
    }

    /// A text as a value.
    pub(crate) fn parse(&self, text: &str) -> Option<Cell> {
        match self {
            Self::Number(mask) => mask.parse_number(text),
            Self::Time(mask, kind) => mask.parse_period(text, *kind),
            Self::Interval(first, last) => time::parse_interval(first, last, text),
            Self::Duration(mask) => mask.parse_duration(text),
        }
    }

    /// A value as a text.
    pub(crate) fn format(&self, cell: &Cell) -> Option<String> {
        match self {
            Self::Number(mask) => mask.format_number(cell),
            Self::Time(mask, _) => mask.format_cell(cell),
            Self::Interval(first, last) => time::format_interval(first, last, cell),
            Self::Duration(mask) => mask.format_duration(cell),
        }
    }
}

/// What is wrong with a mask.
pub(crate) fn mask_error(mask: &str, from: Option<ValueType>, to: ValueType) -> Option<String> {
    CastMask::new(mask, from, to).err()
}
