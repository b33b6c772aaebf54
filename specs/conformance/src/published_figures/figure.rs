//! The rows of `published_checks.csv`, and how a figure is compared with one.

use std::path::Path;

use schemas::decimal::Decimal;
use serde::Deserialize;
use vtl::decimal128;

/// One published figure.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PublishedFigure {
    /// What was published.
    pub measure: String,
    /// Of which area (or series).
    pub ref_area: String,
    /// For which period.
    pub period: String,
    /// The figure as it was published.
    pub published_value: String,
    /// Decimals to which it is compared.
    pub decimals: u32,
    /// How it is computed, in words.
    pub how: String,
    /// What whoever collected the rows computed: the figure that is to be met.
    pub recomputed_value: String,
    /// Whether that is what was published: `yes` or `no`.
    pub agrees: String,
    /// Rows of one source and method.
    pub family: String,
    /// Why it does not agree.
    pub note: String,
}

impl PublishedFigure {
    /// Whether the figure comes out as published, and by how much it does not.
    ///
    /// # Errors
    /// When the published value is no number.
    pub fn compare(&self, figure: Decimal) -> Result<Option<Decimal>, String> {
        let published: Decimal =
            self.published_value.parse().map_err(|_| format!("`{}` is no number", self.published_value))?;
        let (published, figure) =
            (round_half_up(published, self.decimals), round_half_up(figure, self.decimals));
        let gap = decimal128::sub(figure, published).map_err(|fault| fault.to_string())?;
        Ok(Some(gap).filter(|gap| !gap.is_zero()))
    }
}

/// Rounded half up, that is half away from zero, to `places` decimals.
pub fn round_half_up(value: Decimal, places: u32) -> Decimal {
    let drop = (-value.exponent()).saturating_sub(places as i32);
    if drop <= 0 {
        return value;
    }
    let Some(unit) = 10i128.checked_pow(drop as u32) else { return Decimal::ZERO };
    let coefficient = value.coefficient();
    let (whole, rest) = (coefficient / unit, coefficient % unit);
    let up = if rest.abs() * 2 >= unit { coefficient.signum() } else { 0 };
    Decimal::new(whole + up, -(places as i32)).unwrap_or(value)
}

/// Reads the rows.
///
/// # Errors
/// When the file is not there or has not the columns.
pub fn read_figures(path: &Path) -> Result<Vec<PublishedFigure>, String> {
    let fault = |error: csv::Error| format!("{}: {error}", path.display());
    let mut reader = csv::Reader::from_path(path).map_err(fault)?;
    reader.deserialize().map(|row| row.map_err(fault)).collect()
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
