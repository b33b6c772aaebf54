//! Text form of tables, times, numbers and ids.

use schemas::object::Recipe;
use schemas::period::Period;
use schemas::structure::Role;
use schemas::table::Table;
use schemas::text::Name;
use schemas::verdict::Verdict;

use crate::output::{Printer, TextStyle, escape_hidden};

/// Rows of a table that are shown without `--csv`.
const ROWS_SHOWN: usize = 8;

/// Length of a line of running text.
const LINE_CHARACTERS: usize = 100;

/// Formats the first and last rows of a table in aligned columns.
pub fn format_table(table: &Table) -> Vec<String> {
    let components = table.shape().components();
    let header: Vec<String> = components.iter().map(|component| component.id.to_string()).collect();
    let cells = |row: usize| -> Vec<String> {
        let cell =
            |column: &schemas::table::Column| column.cell(row).map_or_else(|| "·".into(), |c| c.to_string());
        table.columns().iter().map(cell).collect()
    };
    let mut rows = vec![header];
    // Both ends of a sorted table are shown: the first key and the last.
    let hidden = table.rows().saturating_sub(ROWS_SHOWN);
    let head = if hidden > 0 { ROWS_SHOWN / 2 } else { table.rows() };
    rows.extend((0..head).map(cells));
    rows.extend((table.rows() - (if hidden > 0 { ROWS_SHOWN / 2 } else { 0 })..table.rows()).map(cells));
    let right = |index: usize| components.get(index).is_some_and(|component| component.role == Role::Measure);
    let mut lines = align_columns(&rows, right);
    if hidden > 0 {
        lines.insert(1 + head, format!("… {hidden} more"));
    }
    lines
}

/// Prints the figures of each output under its title.
pub fn print_figures<'a>(
    recipe: &Recipe,
    tables: impl IntoIterator<Item = (&'a Name, &'a Table)>,
    printer: &Printer,
) {
    for (name, figures) in tables {
        let output = recipe.outputs.get(name).filter(|output| !output.title.as_str().is_empty());
        let title = output.map(|output| format!(" {}, {}", output.title, output.unit));
        printer.print_line(format_args!(
            "{}{}",
            printer.style_text(TextStyle::Bold, name),
            title.unwrap_or_default()
        ));
        for line in format_table(figures) {
            printer.print_line(format_args!("  {line}"));
        }
    }
}

/// Selects rows of a table by position; the positions ascend.
pub fn select_rows(table: Table, rows: &[usize]) -> Table {
    let columns = table.columns().iter().map(|column| column.gather(rows)).collect();
    // INVARIANT: rows of a canonical table, in their order, form a canonical table.
    Table::from_sorted(table.shape().clone(), columns).unwrap_or(table)
}

/// Aligns rows of texts in columns; `right` selects the columns that are aligned to the right.
pub fn align_columns(rows: &[Vec<String>], right: impl Fn(usize) -> bool) -> Vec<String> {
    // Escapes are wider than what they stand for, so they come before the widths.
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| escape_hidden(cell)).collect()).collect();
    let mut widths: Vec<usize> = Vec::new();
    for row in &rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            // Characters, not bytes: names of places have accents.
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(index, (cell, width))| {
            if right(index) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Wraps a line at white space, so that each part has at most [`LINE_CHARACTERS`] with an indentation of
/// `indent`. A word that is longer stays whole.
pub fn wrap_line(line: &str, indent: usize) -> Vec<String> {
    let room = LINE_CHARACTERS.saturating_sub(indent);
    let (mut parts, mut part, mut length) = (Vec::new(), String::new(), 0);
    for word in line.split_inclusive(char::is_whitespace) {
        let width = word.trim_end().chars().count();
        if length > 0 && length + width > room {
            parts.push(std::mem::take(&mut part).trim_end().to_owned());
            length = 0;
        }
        part += word;
        length += word.chars().count();
    }
    parts.push(part.trim_end().to_owned());
    parts
}

/// Formats a verdict without the message of a failure, which may have several lines.
pub fn summarize_verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Failed { code, .. } => format!("failed: {code}"),
        verdict => verdict.to_string(),
    }
}

/// Formats seconds since 1970-01-01T00:00:00Z as `2026-11-22 21:35 UTC`.
pub fn format_time(seconds: i64) -> String {
    let day = seconds.div_euclid(86_400);
    let rest = seconds.rem_euclid(86_400);
    // The time is a claim of its publisher and may lie outside the calendar.
    let date = i32::try_from(day).ok().and_then(|day| {
        let epoch = Period::from_date(1970, 1, 1)?;
        epoch.shift(i64::from(day))
    });
    match date {
        Some(date) => format!("{date} {:02}:{:02} UTC", rest / 3600, rest % 3600 / 60),
        None => format!("{seconds} s"),
    }
}

/// Formats the day of a time as `2026-11-22`.
pub fn format_day(seconds: i64) -> String {
    format_time(seconds).split(' ').next().unwrap_or_default().to_owned()
}

/// Shortens an id to its beginning and its end, for context that names its type.
pub fn shorten_id(id: impl ToString) -> String {
    let text = id.to_string();
    let start: String = text.chars().take(6).collect();
    let end: String = text.chars().skip(text.chars().count().saturating_sub(8)).collect();
    format!("{start}…{end}")
}

/// Formats a count with the singular or plural of its noun.
pub fn format_count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", group_digits(number), if number == 1 { one } else { many })
}

/// Formats a number with a comma every three digits.
pub fn group_digits(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_numbers_and_texts_are_formatted() {
        assert_eq!(format_time(0), "1970-01-01 00:00 UTC");
        assert_eq!(format_time(1_795_384_500), "2026-11-22 21:55 UTC");
        assert_eq!(format_time(-1), "1969-12-31 23:59 UTC");
        assert_eq!(group_digits(1_234_567), "1,234,567");
        assert_eq!(format_count(1, "cell", "cells"), "1 cell");
    }

    #[test]
    fn lines_are_wrapped_at_white_space() {
        let long = "a".repeat(60);
        assert_eq!(wrap_line("one two", 2), ["one two"]);
        assert_eq!(wrap_line("", 2), [""]);
        assert_eq!(wrap_line("  one", 2), ["  one"]);
        assert_eq!(wrap_line(&format!("{long} {long}"), 2), [long.as_str(), &long]);
        assert_eq!(wrap_line(&format!("{long}\u{a0}{long}"), 2), [long.as_str(), &long]);
        assert_eq!(wrap_line(&long.repeat(2), 2), [long.repeat(2)]);
    }
}
