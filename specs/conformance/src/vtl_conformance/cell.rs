//! Parsing of the cells and tables of the manual, which has several spellings for one value.
//!
//! Periods are written `2010Q1` and `2010-Q1`, `2010`, `2010A` and `2010A1`; times as two days or as
//! two periods; booleans with or without a capital. An empty field is null, a quoted empty field is
//! the empty text.

use schemas::decimal::Decimal;
use schemas::duration::Duration;
use schemas::interval::Interval;
use schemas::period::{Frequency, Period};
use schemas::structure::{ComponentList, ValueType};
use schemas::table::{Cell, Column, Table, TextColumn};

use super::csv::CsvField;

/// Parses a field as a value of a type; `None` is null.
///
/// # Errors
/// The text is not a value of the type.
pub fn parse_field(kind: ValueType, field: &CsvField) -> Result<Option<Cell>, String> {
    // Blanks belong to a text; around other values they are layout.
    let text = if kind == ValueType::String { field.text.as_str() } else { field.text.trim() };
    if text.is_empty() && !(field.quoted && kind == ValueType::String) {
        return Ok(None);
    }
    parse_value(kind, text).map(Some).ok_or_else(|| format!("`{text}` is not a {}", kind.as_str()))
}

fn parse_value(kind: ValueType, text: &str) -> Option<Cell> {
    Some(match kind {
        ValueType::String => Cell::Text(text.to_owned()),
        ValueType::Integer => Cell::Integer(text.parse().ok()?),
        ValueType::Number => Cell::Number(Decimal::from_ascii(text.as_bytes()).ok()?),
        ValueType::Boolean => Cell::Boolean(text.to_ascii_lowercase().parse().ok()?),
        ValueType::TimePeriod => Cell::Period(text.parse().ok()?),
        ValueType::Date => {
            let day: Period = text.parse().ok()?;
            Cell::Period((day.frequency() == Frequency::D).then_some(day)?)
        }
        ValueType::Time => Cell::Text(text.parse::<Interval>().ok()?.to_string()),
        ValueType::Duration => Cell::Text(text.parse::<Duration>().ok()?.to_string()),
    })
}

/// Builds the table of a file: a line of names, then the data points.
///
/// # Errors
/// A component has no column, a line has another length, a cell does not fit its type, or the rows
/// are not a valid table.
pub fn build_table(shape: &ComponentList, lines: &[Vec<CsvField>]) -> Result<Table, String> {
    let (names, rows) = lines.split_first().ok_or("the file has no line of names")?;
    if let Some(row) = rows.iter().find(|row| row.len() != names.len()) {
        return Err(format!("a line has {} fields where {} are named", row.len(), names.len()));
    }
    let mut columns = Vec::new();
    for component in shape.components() {
        let id = component.id.as_str();
        let place = names.iter().position(|name| name.text.trim() == id);
        let place = place.ok_or_else(|| format!("component `{id}` has no column"))?;
        let cells = rows
            .iter()
            .filter_map(|row| row.get(place))
            .map(|field| parse_field(component.value_type, field));
        columns.push(build_column(component.value_type, cells.collect::<Result<_, _>>()?));
    }
    Table::new(shape.clone(), columns).map_err(|error| error.to_string())
}

fn build_column(kind: ValueType, cells: Vec<Option<Cell>>) -> Column {
    fn collect_values<T>(cells: Vec<Option<Cell>>, take: impl Fn(Cell) -> Option<T>) -> Vec<Option<T>> {
        cells.into_iter().map(|cell| cell.and_then(&take)).collect()
    }
    match kind {
        ValueType::String | ValueType::Time | ValueType::Duration => {
            let texts =
                collect_values(cells, |cell| if let Cell::Text(text) = cell { Some(text) } else { None });
            Column::Text(TextColumn::from_rows(texts.iter().map(Option::as_deref)))
        }
        ValueType::Integer => {
            Column::Integer(collect_values(cells, |c| if let Cell::Integer(v) = c { Some(v) } else { None }))
        }
        ValueType::Number => {
            Column::Number(collect_values(cells, |c| if let Cell::Number(v) = c { Some(v) } else { None }))
        }
        ValueType::Boolean => {
            Column::Boolean(collect_values(cells, |c| if let Cell::Boolean(v) = c { Some(v) } else { None }))
        }
        ValueType::TimePeriod | ValueType::Date => {
            Column::Period(collect_values(cells, |c| if let Cell::Period(v) = c { Some(v) } else { None }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(kind: ValueType, text: &str) -> Option<String> {
        let field = CsvField { text: text.to_owned(), quoted: false };
        parse_field(kind, &field).unwrap().map(|cell| cell.to_string())
    }

    #[test]
    fn each_spelling_of_the_manual_has_one_value() {
        for text in ["2010-Q1", "2010Q1"] {
            assert_eq!(spelled(ValueType::TimePeriod, text).as_deref(), Some("2010-Q1"));
        }
        for text in ["2010", "2010A", "2010A1"] {
            assert_eq!(spelled(ValueType::TimePeriod, text).as_deref(), Some("2010"));
        }
        for text in ["2010-01-01/2010-12-31", "2010M1/2010M12"] {
            assert_eq!(spelled(ValueType::Time, text).as_deref(), Some("2010-01-01/2010-12-31"));
        }
        assert_eq!(spelled(ValueType::Boolean, "True").as_deref(), Some("true"));
        assert_eq!(spelled(ValueType::Number, "2.1   ").as_deref(), Some("2.1"));
        assert_eq!(spelled(ValueType::String, "hi ").as_deref(), Some("hi "));
        assert_eq!((spelled(ValueType::String, ""), spelled(ValueType::Integer, " ")), (None, None));
        let empty = CsvField { text: String::new(), quoted: true };
        assert_eq!(parse_field(ValueType::String, &empty), Ok(Some(Cell::Text(String::new()))));
        assert!(parse_field(ValueType::Integer, &CsvField { text: "P1Y".into(), quoted: false }).is_err());
    }
}
