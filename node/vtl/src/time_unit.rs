//! Units of time of `dateadd`, shared by the type check and the evaluator.

use schemas::duration::Duration;
use schemas::period::Frequency;

/// Parses a unit of time: a duration, or `Y` for a year.
pub(crate) fn parse_unit(unit: &str) -> Result<Duration, String> {
    match unit {
        "Y" => Ok(Frequency::A.into()),
        _ => unit.parse().map_err(|_| {
            format!("invalid unit of time `{unit}`, expected `D`, `W`, `M`, `Q`, `S`, `Y` or as in `P1Y6M`")
        }),
    }
}

/// Returns the error of a unit of time, if it has one.
pub(crate) fn unit_error(unit: &str) -> Option<String> {
    parse_unit(unit).err()
}
