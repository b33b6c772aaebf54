//! Units of time of `dateadd`: read by the type check and by the evaluator.

use schemas::duration::Duration;
use schemas::period::Frequency;

/// A unit of time: a duration, or `Y` for a year.
pub(crate) fn parse_unit(unit: &str) -> Result<Duration, String> {
    match unit {
        "Y" => Ok(Frequency::A.into()),
        _ => unit
            .parse()
            .map_err(|_| format!("`{unit}` is no unit of time: `D`, `W`, `M`, `Q`, `S`, `Y`, `P1Y6M`")),
    }
}

/// What is wrong with a unit of time.
pub(crate) fn unit_error(unit: &str) -> Option<String> {
    parse_unit(unit).err()
}
