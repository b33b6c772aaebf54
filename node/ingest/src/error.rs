//! Why a file was refused: one type, with the place, the value and a hint.

use std::fmt;

/// Characters of a found value that a fault repeats.
const VALUE_CHARS_MAX: usize = 60;

/// A fault in a file.
///
/// Displayed as ``file:line, column `X`: message (found `v`)``; the hint is left to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportError {
    /// Stable word for the kind of fault, as in `number` or `row-ragged`.
    pub code: &'static str,
    /// The file, with `archive/member` for a member of an archive.
    pub file: String,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The column: its name in the header, or its number from 1.
    pub column: Option<String>,
    /// What was found, shortened and without control characters.
    pub value: Option<String>,
    /// What is wrong: what was expected.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl ImportError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, file: String::new(), line: None, column: None, value: None, message, hint: None }
    }

    /// Sets the line, unless a deeper place set it.
    pub(crate) fn line(mut self, line: u64) -> Self {
        self.line.get_or_insert(line);
        self
    }

    pub(crate) fn column(mut self, column: impl AsRef<str>) -> Self {
        self.column.get_or_insert(shown(column.as_ref()));
        self
    }

    pub(crate) fn value(mut self, value: impl AsRef<str>) -> Self {
        self.value = Some(shown(value.as_ref()));
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets the file, unless a deeper place set it.
    pub(crate) fn within(mut self, file: &str) -> Self {
        if self.file.is_empty() {
            self.file = shown(file);
        }
        self
    }
}

/// The words of a file, fit for a terminal: short, and without characters that steer it.
pub(crate) fn shown(text: &str) -> String {
    readable(text, VALUE_CHARS_MAX)
}

/// The first `chars_max` characters of a text, likewise.
pub(crate) fn readable(text: &str, chars_max: usize) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    for c in chars.by_ref().take(chars_max) {
        // U+202x and U+206x override the direction of the text around them.
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
    fn a_fault_says_its_place_first() {
        let fault = ImportError::new("number", "expected a number").line(7).column("1960").value("n/a");
        assert_eq!(
            fault.within("a.csv").to_string(),
            "a.csv:7, column `1960`: expected a number (found `n/a`)"
        );
        assert_eq!(ImportError::new("file-empty", "empty file").within("b").to_string(), "b: empty file");
    }

    #[test]
    fn the_words_of_a_file_cannot_steer_a_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(shown("\u{202e}x"), "\\u{202e}x");
        assert_eq!(shown(&"x".repeat(61)), format!("{}…", "x".repeat(60)));
    }
}
