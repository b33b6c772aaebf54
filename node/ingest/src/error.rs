//! The error type of the crate: location, message, value found, hint.

use std::fmt;

/// Characters of a value that an error repeats.
const VALUE_CHARS_MAX: usize = 60;

/// The reason for which a file is refused.
///
/// Displayed as ``file:line, column `X`: message (found `v`)``; the caller prints the hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportError {
    /// Stable code, such as `number` or `row-ragged`.
    pub code: &'static str,
    /// The file; `archive/member` for a member of an archive.
    pub file: String,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The column: its title in the header, or its number from 1.
    pub column: Option<String>,
    /// The value found, shortened and without control characters.
    pub value: Option<String>,
    /// The expectation that the file does not meet.
    pub message: String,
    /// A way to mend it.
    pub hint: Option<String>,
}

impl ImportError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, file: String::new(), line: None, column: None, value: None, message, hint: None }
    }

    /// Sets the line, unless an inner function has set a more precise one.
    pub(crate) fn line(mut self, line: u64) -> Self {
        self.line.get_or_insert(line);
        self
    }

    pub(crate) fn column(mut self, column: impl AsRef<str>) -> Self {
        self.column.get_or_insert(printable(column.as_ref()));
        self
    }

    pub(crate) fn value(mut self, value: impl AsRef<str>) -> Self {
        self.value = Some(printable(value.as_ref()));
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets the file, unless an inner function has set a more precise one.
    pub(crate) fn in_file(mut self, file: &str) -> Self {
        if self.file.is_empty() {
            self.file = printable(file);
        }
        self
    }
}

/// A text of the file, made safe for a terminal: short, and without control characters.
pub(crate) fn printable(text: &str) -> String {
    printable_prefix(text, VALUE_CHARS_MAX)
}

/// The first `chars_max` characters of a text, without control characters.
pub(crate) fn printable_prefix(text: &str, chars_max: usize) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    for c in chars.by_ref().take(chars_max) {
        // U+202x and U+206x change the direction of the surrounding text.
        if c.is_control() || matches!(c, '\u{200e}'..='\u{202e}' | '\u{2060}'..='\u{206f}') {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    if chars.next().is_some() {
        out.push('…');
    }
    out
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column `{column}`")?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(value) = &self.value {
            write!(f, " (found `{value}`)")?;
        }
        Ok(())
    }
}

impl std::error::Error for ImportError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_location_comes_first() {
        let error = ImportError::new("number", "expected a number").line(7).column("1960").value("n/a");
        assert_eq!(
            error.in_file("a.csv").to_string(),
            "a.csv:7, column `1960`: expected a number (found `n/a`)"
        );
        assert_eq!(ImportError::new("file-empty", "empty file").in_file("b").to_string(), "b: empty file");
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(printable("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(printable("\u{202e}x"), "\\u{202e}x");
        assert_eq!(printable(&"x".repeat(61)), format!("{}…", "x".repeat(60)));
    }
}
