//! Comparison of a result with the printed one: structure by name, data points by key.
//!
//! The order of components and of data points is ignored. Numbers are compared exactly first, then to
//! the printed digits. Where types differ but the identifiers agree, the data are compared all the
//! same, so that a wrong type does not hide a wrong figure.

use std::collections::BTreeMap;

use schemas::decimal::Decimal;
use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::table::{Cell, Table};

use super::csv::CsvField;
use super::{ExampleFinding, FailureClass, cell};

/// Compares a data set with its expected structure and lines.
pub fn compare_table(expected: &ComponentList, lines: &[Vec<CsvField>], found: &Table) -> ExampleFinding {
    let structure = compare_structure(expected, found.shape());
    let data = if identifier_names(expected) == identifier_names(found.shape()) {
        compare_data(lines, found)
    } else {
        // Without common identifiers no points match; the structure reports the difference.
        Ok(Agreement::Exact)
    };
    match (structure, data) {
        (None, Ok(Agreement::Exact)) => ExampleFinding::Exact,
        (None, Ok(Agreement::Digits)) => ExampleFinding::Digits,
        (Some(difference), Ok(_)) => ExampleFinding::Differs(FailureClass::Structure, difference),
        (None, Err(difference)) => ExampleFinding::Differs(FailureClass::Data, difference),
        (Some(first), Err(second)) => {
            ExampleFinding::Differs(FailureClass::Data, format!("{second}; {first}"))
        }
    }
}

/// Compares a scalar with its expected type and value.
pub fn compare_scalar(
    kind: ValueType,
    lines: &[Vec<CsvField>],
    found_kind: Option<ValueType>,
    found: Option<&Cell>,
) -> ExampleFinding {
    let field = lines.get(1).and_then(|line| line.first()).cloned().unwrap_or_default();
    let agreement = match compare_field(&field, found_kind.unwrap_or(kind), found) {
        Ok(agreement) => agreement,
        Err(difference) => {
            return ExampleFinding::Differs(FailureClass::Data, format!("the scalar is {difference}"));
        }
    };
    match (found_kind, agreement) {
        (Some(other), _) if other != kind => {
            let difference = format!("the scalar is of type {}, expected {}", other.as_str(), kind.as_str());
            ExampleFinding::Differs(FailureClass::Structure, difference)
        }
        (_, Agreement::Digits) => ExampleFinding::Digits,
        _ => ExampleFinding::Exact,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Agreement {
    Exact,
    Digits,
}

fn identifier_names(shape: &ComponentList) -> Vec<&str> {
    let identifiers = shape.components().iter().take(shape.identifier_count());
    let mut names: Vec<&str> = identifiers.map(|component| component.id.as_str()).collect();
    names.sort_unstable();
    names
}

/// The first difference of two structures and the number of the others.
fn compare_structure(expected: &ComponentList, found: &ComponentList) -> Option<String> {
    let has = |shape: &ComponentList, component: &Component| shape.position(component.id.as_str()).is_some();
    let missing = expected.components().iter().filter(|component| !has(found, component));
    let missing = missing.map(|component| format!("{} is missing", describe_component(component)));
    let more = found.components().iter().filter(|component| !has(expected, component));
    let more = more.map(|component| format!("{} is not expected", describe_component(component)));
    let other = found.components().iter().filter_map(|component| {
        let place = expected.position(component.id.as_str())?;
        let wanted = expected.components().get(place).filter(|wanted| !component_fits(wanted, component))?;
        let wanted = format!("{} of type {}", wanted.role.as_str(), wanted.value_type.as_str());
        Some(format!("{}, expected {wanted}", describe_component(component)))
    });
    summarise_differences(missing.chain(more).chain(other).collect())
}

/// Whether a component matches the expected one. An integer is accepted as a number.
fn component_fits(wanted: &Component, found: &Component) -> bool {
    // VTL makes integer a subtype of number.
    let number = wanted.value_type == ValueType::Number && found.value_type == ValueType::Integer;
    wanted == found || (number && wanted.id == found.id && wanted.role == found.role)
}

fn describe_component(component: &Component) -> String {
    let Component { id, role, value_type: kind } = component;
    let article = if matches!(role, Role::Identifier | Role::Attribute) { "an" } else { "a" };
    format!("`{id}`, {article} {} of type {},", role.as_str(), kind.as_str()).trim_end_matches(',').to_owned()
}

fn summarise_differences(differences: Vec<String>) -> Option<String> {
    let first = differences.first()?;
    match differences.len() - 1 {
        0 => Some(first.clone()),
        more => Some(format!("{first} (and {more} more)")),
    }
}

/// Compares printed data points with those of a table with the same identifiers.
fn compare_data(lines: &[Vec<CsvField>], found: &Table) -> Result<Agreement, String> {
    let (names, rows) = lines.split_first().ok_or("the expected data have no line of names")?;
    let mut left: BTreeMap<Vec<String>, usize> =
        (0..found.rows()).map(|row| (row_key(found, row), row)).collect();
    let mut agreement = Agreement::Exact;
    let mut differences = Vec::new();
    for fields in rows {
        let point = ExpectedPoint::new(names, fields, found);
        let Some(row) = left.remove(&point.key()) else {
            differences.push(format!("there is no data point ({})", point.key().join(", ")));
            continue;
        };
        for difference in point.compare_row(row) {
            match difference {
                Ok(found) => agreement = agreement.max(found),
                Err(difference) => differences.push(difference),
            }
        }
    }
    differences.extend(left.keys().map(|key| format!("data point ({}) is not expected", key.join(", "))));
    summarise_differences(differences).map_or(Ok(agreement), Err)
}

fn row_key(table: &Table, row: usize) -> Vec<String> {
    table.key(row).iter().map(|cell| normalised_cell(cell).to_string()).collect()
}

fn normalised_cell(cell: &Cell) -> Cell {
    match cell {
        // Keys are compared as texts, so `1` and `1.0` need one spelling.
        Cell::Number(number) => Cell::Number(number.normalized()),
        other => other.clone(),
    }
}

/// An expected data point, with the table that should contain it.
struct ExpectedPoint<'a> {
    fields: BTreeMap<&'a str, &'a CsvField>,
    found: &'a Table,
}

impl<'a> ExpectedPoint<'a> {
    fn new(names: &'a [CsvField], fields: &'a [CsvField], found: &'a Table) -> Self {
        let named = names.iter().map(|name| name.text.trim()).zip(fields);
        Self { fields: named.collect(), found }
    }

    fn key(&self) -> Vec<String> {
        let keys = self.found.shape().components().iter().take(self.found.shape().identifier_count());
        let text = |component: &Component| {
            let field = self.fields.get(component.id.as_str())?;
            let cell = cell::parse_field(component.value_type, field).ok().flatten();
            // A field that cannot be read keeps its text, so that the report shows it.
            Some(cell.map_or_else(|| field.text.clone(), |cell| normalised_cell(&cell).to_string()))
        };
        keys.map(|component| text(component).unwrap_or_default()).collect()
    }

    /// Compares the measures and attributes that both sides have.
    fn compare_row(&self, row: usize) -> Vec<Result<Agreement, String>> {
        let pairs = self.found.shape().components().iter().zip(self.found.columns());
        let rest = pairs.skip(self.found.shape().identifier_count());
        let compare = |(component, column): (&Component, &schemas::table::Column)| {
            let field = self.fields.get(component.id.as_str())?;
            let agreement = compare_field(field, component.value_type, column.cell(row).as_ref());
            Some(agreement.map_err(|difference| {
                format!("`{}` at ({}) is {difference}", component.id, self.key().join(", "))
            }))
        };
        rest.filter_map(compare).collect()
    }
}

/// Compares a field with the found value; the error reads `found, expected …`.
fn compare_field(field: &CsvField, kind: ValueType, found: Option<&Cell>) -> Result<Agreement, String> {
    let shown = || found.map_or_else(|| "null".to_owned(), |cell| format!("`{cell}`"));
    let differs = |expected: &str| Err(format!("{}, expected {expected}", shown()));
    match (parse_number(field), found.and_then(cell_decimal)) {
        (Some(expected), Some(found)) if found.same_value(expected) => Ok(Agreement::Exact),
        (Some(expected), Some(found)) if equals_as_printed(field, expected, found) => Ok(Agreement::Digits),
        (Some(_), Some(_)) => differs(&format!("`{}`", field.text.trim())),
        _ => match cell::parse_field(kind, field) {
            Ok(expected) if expected.as_ref() == found => Ok(Agreement::Exact),
            Ok(None) => differs("null"),
            _ => differs(&format!("`{}`", field.text)),
        },
    }
}

fn parse_number(field: &CsvField) -> Option<Decimal> {
    Decimal::from_ascii(field.text.trim().as_bytes()).ok()
}

fn cell_decimal(cell: &Cell) -> Option<Decimal> {
    match cell {
        Cell::Number(number) => Some(*number),
        Cell::Integer(integer) => Decimal::new(i128::from(*integer), 0).ok(),
        _ => None,
    }
}

/// Whether `found` gives the printed digits when rounded or truncated to the decimals of the field.
/// A number without a decimal point is printed in full, so it must be equal.
fn equals_as_printed(field: &CsvField, expected: Decimal, found: Decimal) -> bool {
    let decimals = field.text.trim().split_once('.').map_or(0, |(_, digits)| digits.len());
    let place = u32::try_from(decimals).unwrap_or(u32::MAX);
    if place == 0 || expected.is_negative() != found.is_negative() {
        return false;
    }
    let (Some(cut), Some(wanted)) = (cut_decimals(found, place), cut_decimals(expected, place)) else {
        return false;
    };
    // The manual rounds in some examples and truncates in others.
    let up = cut.0 + u128::from(cut.1 >= 5);
    wanted.0 == cut.0 || wanted.0 == up
}

/// Magnitude in units of the last of `decimals` decimal places, and the digit after it.
fn cut_decimals(number: Decimal, decimals: u32) -> Option<(u128, u128)> {
    let shift = i64::from(number.exponent()) + i64::from(decimals);
    let power = |exponent: i64| u32::try_from(exponent).ok().and_then(|e| 10_u128.checked_pow(e));
    if shift >= 0 {
        return Some((number.magnitude().checked_mul(power(shift)?)?, 0));
    }
    let Some(unit) = power(-shift) else { return Some((0, 0)) };
    // INVARIANT: `shift` is negative here, so `unit` is at least 10.
    Some((number.magnitude() / unit, number.magnitude() % unit / (unit / 10)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreement(field: &str, found: &str) -> Option<Agreement> {
        let field = CsvField { text: field.to_owned(), quoted: false };
        compare_field(&field, ValueType::Number, Some(&Cell::Number(found.parse().unwrap()))).ok()
    }

    #[test]
    fn numbers_agree_in_value_or_in_the_digits_printed() {
        for (field, found) in [("11.0", "11"), ("-0.3", "-0.30"), ("7", "7.0")] {
            assert_eq!(agreement(field, found), Some(Agreement::Exact), "{field} {found}");
        }
        for (field, found) in [
            ("7.38905", "7.389056"),
            ("7.38906", "7.389056"),
            ("-1.41", "-1.4142"),
            ("0.0", "0.04"),
            ("1.0", "0.95"),
        ] {
            assert_eq!(agreement(field, found), Some(Agreement::Digits), "{field} {found}");
        }
        for (field, found) in
            [("7.38907", "7.389056"), ("7.38904", "7.389056"), ("-1.4", "1.4"), ("7", "7.1"), ("", "0")]
        {
            assert_eq!(agreement(field, found), None, "{field} {found}");
        }
    }

    #[test]
    fn null_and_empty_text_are_told_apart() {
        let empty = Cell::Text(String::new());
        let field = |quoted| CsvField { text: String::new(), quoted };
        assert!(compare_field(&field(true), ValueType::String, Some(&empty)).is_ok());
        assert!(compare_field(&field(false), ValueType::String, None).is_ok());
        let difference = compare_field(&field(false), ValueType::String, Some(&Cell::Text("x".into())));
        assert_eq!(difference, Err("`x`, expected null".to_owned()));
    }
}
