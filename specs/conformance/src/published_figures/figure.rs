//! Rows of `published_checks.csv` and the comparison of a computed figure with one.

use std::path::Path;

use schemas::decimal::Decimal;
use serde::Deserialize;
use vtl::decimal128;

/// One published figure.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PublishedFigure {
    /// Indicator that was published.
    pub measure: String,
    /// Area or series.
    pub ref_area: String,
    /// Period.
    pub period: String,
    /// Published figure, as printed.
    pub published_value: String,
    /// Decimal places of the comparison.
    pub decimals: u32,
    /// Method in words; selects among the runs of a family.
    pub how: String,
    /// Figure computed by the collector of the rows; not used in the comparison.
    pub recomputed_value: String,
    /// Whether the computed figure equals the published one: `yes` or `no`.
    pub agrees: String,
    /// Family: rows of one source and method.
    pub family: String,
    /// Reason for a difference, in words.
    pub note: String,
}

impl PublishedFigure {
    /// Compares a figure with the published one: the difference after rounding, or `None` if equal.
    ///
    /// # Errors
    /// The published value is not a number, or the difference exceeds the decimal range.
    pub fn compare(&self, figure: Decimal) -> Result<Option<Decimal>, String> {
        let published: Decimal = self
            .published_value
            .parse()
            .map_err(|_| format!("`{}` is not a number", self.published_value))?;
        let (published, figure) =
            (round_half_up(published, self.decimals), round_half_up(figure, self.decimals));
        let gap = decimal128::sub(figure, published).map_err(|error| error.to_string())?;
        Ok(Some(gap).filter(|gap| !gap.is_zero()))
    }
}

/// Rounds half away from zero to `places` decimals.
pub fn round_half_up(value: Decimal, places: u32) -> Decimal {
    let drop = (-value.exponent()).saturating_sub(places as i32);
    if drop <= 0 {
        return value;
    }
    // More digits are dropped than a coefficient has, so nothing is left to round up.
    let Some(unit) = 10i128.checked_pow(drop as u32) else { return Decimal::ZERO };
    let coefficient = value.coefficient();
    let (whole, rest) = (coefficient / unit, coefficient % unit);
    // INVARIANT: a coefficient is below 10^34, so doubling the rest does not overflow.
    let up = if rest.abs() * 2 >= unit { coefficient.signum() } else { 0 };
    Decimal::new(whole + up, -(places as i32)).unwrap_or(value)
}

/// Reads the rows.
///
/// # Errors
/// The file cannot be read, or a column is missing.
pub fn read_figures(path: &Path) -> Result<Vec<PublishedFigure>, String> {
    let error = |error: csv::Error| format!("{}: {error}", path.display());
    let mut reader = csv::Reader::from_path(path).map_err(error)?;
    reader.deserialize().map(|row| row.map_err(error)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_away_from_zero() {
        for (value, places, wanted) in [
            ("2.345", 2, "2.35"),
            ("-2.345", 2, "-2.35"),
            ("2.3449", 2, "2.34"),
            ("7", 2, "7"),
            ("0.4", 0, "0"),
            ("-93.75", 1, "-93.8"),
        ] {
            let found = round_half_up(value.parse().unwrap(), places);
            assert!(found.same_value(wanted.parse().unwrap()), "{value}: {found}");
        }
    }
}
