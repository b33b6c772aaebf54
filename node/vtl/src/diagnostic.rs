//! Faults: what is wrong, where, and what might help.
//!
//! Owns the codes, the places (byte ranges of the script) and the rendering with a caret. A diagnostic
//! is a value for the author of a script; it is never a bug of the engine.

use std::fmt;

use schemas::limits::NAME_BYTES_MAX;

/// Bytes `start..end` of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The range from the start of this one to the end of `other`.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start, end: other.end.max(self.end) }
    }

    /// Line and column of the start in `source`, both from 1; columns count characters.
    pub fn line_and_column(self, source: &str) -> (usize, usize) {
        let before = source.get(..self.start.min(source.len())).unwrap_or(source);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

/// The stable kinds of diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiagnosticCode {
    /// The text is not VTL.
    Syntax,
    /// The script is longer or deeper than the bounds.
    Size,
    /// A part of VTL that this engine does not know yet.
    Unsupported,
    /// An operator whose result would depend on the clock, on chance or on other software.
    Refused,
    /// No data set, component or operator has this name.
    UnknownName,
    /// A name that stands for several things.
    Ambiguous,
    /// A name that is given twice, or a key that two data points would have.
    Duplicate,
    /// A value or component of the wrong type.
    Type,
    /// Components that do not fit the operator: identifiers, measures, roles.
    Structure,
    /// Results defined by each other.
    Cycle,
    /// Something left to a default that a published script must write out.
    Implicit,
    /// A division by zero.
    DivisionByZero,
    /// A value for which an operator has no result: the root of a negative number, a text that is no
    /// pattern.
    Domain,
    /// A value beyond the range of its type.
    Overflow,
    /// Periods of frequencies that cannot be related.
    Frequency,
    /// A null in an identifier.
    NullIdentifier,
    /// A text that the type named cannot hold.
    Cast,
    /// More steps, cells or rows than allowed.
    Budget,
    /// An input that is missing or is not what the plan was checked with.
    Input,
}

impl DiagnosticCode {
    /// The code as it stands in reports and in the wire format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Size => "size",
            Self::Unsupported => "unsupported",
            Self::Refused => "refused",
            Self::UnknownName => "unknown-name",
            Self::Ambiguous => "ambiguous",
            Self::Duplicate => "duplicate",
            Self::Type => "type",
            Self::Structure => "structure",
            Self::Cycle => "cycle",
            Self::Implicit => "implicit",
            Self::DivisionByZero => "division-by-zero",
            Self::Domain => "domain",
            Self::Overflow => "overflow",
            Self::Frequency => "frequency",
            Self::NullIdentifier => "null-identifier",
            Self::Cast => "cast",
            Self::Budget => "budget",
            Self::Input => "input",
        }
    }
}

impl DiagnosticCode {
    /// The category and group of the technical notes of VTL 2.2 ("Error messages"): 1 syntax,
    /// 2 semantic, 3 runtime.
    pub fn category(self) -> &'static str {
        match self {
            Self::Syntax | Self::Size => "1",
            Self::UnknownName => "2-6",
            Self::Type => "2-7",
            Self::Structure => "2-2",
            Self::Unsupported
            | Self::Refused
            | Self::Ambiguous
            | Self::Duplicate
            | Self::Implicit
            | Self::Cycle => "2",
            Self::Cast => "3-1",
            Self::Input => "3-3",
            Self::Budget => "3-4",
            _ => "3",
        }
    }
}

impl fmt::Display for DiagnosticCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong with a script, its structures or its data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Diagnostic {
    /// Its kind, stable over versions.
    pub code: DiagnosticCode,
    /// What is wrong, in lower case, the author's words in backticks.
    pub message: String,
    /// Where in the script.
    pub span: Span,
    /// What might help.
    pub hint: Option<String>,
    /// The data point, when one is to blame: `REF_AREA = FR, TIME_PERIOD = 2013-M01`.
    pub data_point: Option<String>,
}

impl Diagnostic {
    /// A diagnostic without hint or data point.
    pub fn new(code: DiagnosticCode, span: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span, hint: None, data_point: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a hint, if there is one.
    #[must_use]
    pub fn with_optional_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// The same at a data point.
    #[must_use]
    pub fn at_data_point(mut self, data_point: Option<String>) -> Self {
        self.data_point = data_point.or(self.data_point);
        self
    }
}

/// The diagnostic as a person reads it: code and message, the line with a caret, data point and hint.
pub fn render_diagnostic(source: &str, diagnostic: &Diagnostic) -> String {
    let (line, column) = diagnostic.span.line_and_column(source);
    let text = source.split('\n').nth(line - 1).unwrap_or_default().trim_end_matches('\r');
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let (text, column) = excerpt_around(text, column);
    let room = text.chars().count().saturating_sub(column - 1).max(1);
    let inside = source.get(diagnostic.span.start..diagnostic.span.end).unwrap_or_default();
    let width = inside.split('\n').next().unwrap_or_default().chars().count().clamp(1, room);
    let blank: String = text.chars().take(column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let mut out = format!("{}: {}\n", diagnostic.code, diagnostic.message);
    out.push_str(&format!("{margin}--> line {line}, column {}\n", diagnostic.span.line_and_column(source).1));
    out.push_str(&format!("{number} | {text}\n{margin} | {blank}{}\n", "^".repeat(width)));
    if let Some(cell) = &diagnostic.data_point {
        out.push_str(&format!("{margin} = data point: {cell}\n"));
    }
    if let Some(hint) = &diagnostic.hint {
        out.push_str(&format!("{margin} = hint: {hint}\n"));
    }
    out
}

/// Characters of a line that are shown; a longer line is cut around the place.
const LINE_CHARACTERS_MAX: usize = 160;

/// The part of a line around a column, and the column within that part.
fn excerpt_around(text: &str, column: usize) -> (String, usize) {
    if text.chars().count() <= LINE_CHARACTERS_MAX {
        return (text.to_owned(), column);
    }
    let skip = (column - 1).saturating_sub(LINE_CHARACTERS_MAX / 2);
    (text.chars().skip(skip).take(LINE_CHARACTERS_MAX).collect(), column - skip)
}

/// Faults that are kept while a script is read; those told of are fewer.
const COLLECTED_MAX: usize = 1024;

/// Faults as they are found. What is too much is let go, so that a script of nothing but diagnostics
/// does not fill memory with hints.
#[derive(Debug, Default)]
pub(crate) struct DiagnosticList(Vec<Diagnostic>);

impl DiagnosticList {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if !self.is_full() {
            self.0.push(diagnostic);
        }
    }

    /// Whether no more are kept: hints need not be sought.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= COLLECTED_MAX
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes back what was found from a place in the list on.
    pub(crate) fn truncate(&mut self, before: usize) {
        self.0.truncate(before);
    }

    /// Those found from a place in the list on.
    pub(crate) fn iter_mut_from(&mut self, before: usize) -> impl Iterator<Item = &mut Diagnostic> {
        self.0.iter_mut().skip(before)
    }

    /// The first so many in the order of their places, each once.
    pub(crate) fn into_sorted(self, most: usize) -> Vec<Diagnostic> {
        let mut diagnostics = self.0;
        diagnostics.sort_by_key(|diagnostic| diagnostic.span);
        diagnostics.dedup_by(|a, b| (a.span, &a.message) == (b.span, &b.message));
        diagnostics.truncate(most);
        diagnostics
    }
}

/// The hint `did you mean …?` with the nearest of `known`, if one is near.
pub(crate) fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let far = 1 + name.chars().count() / 4;
    let close = known
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= far && *candidate != name)
        .min()?;
    Some(format!("did you mean `{}`?", close.1))
}

/// Insertions, deletions, replacements and case changes (which cost nothing) between two names.
fn edit_distance(a: &str, b: &str) -> usize {
    let clip = |text: &str| -> Vec<char> {
        text.chars().take(NAME_BYTES_MAX).map(|c| c.to_ascii_lowercase()).collect()
    };
    let (a, b) = (clip(a), clip(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, above) in b.iter().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(x != y)).min(above + 1).min(left + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_shows_its_place() {
        let source = "A := B;\nX <- CPY * 2;";
        let diagnostic = Diagnostic::new(
            DiagnosticCode::UnknownName,
            Span { start: 13, end: 16 },
            "no data set is called `CPY`",
        )
        .with_hint("did you mean `CPI`?");
        let want = "unknown-name: no data set is called `CPY`\n --> line 2, column 6\n2 | X <- CPY * 2;\n  |      ^^^\n  = hint: did you mean `CPI`?\n";
        assert_eq!(render_diagnostic(source, &diagnostic), want);
        assert_eq!(Span { start: 900, end: 901 }.line_and_column(source), (2, 14));
    }

    #[test]
    fn near_names_are_found() {
        let known = ["OBS_VALUE", "REF_AREA"];
        assert_eq!(suggestion("OBS_VALU", known.into_iter()).as_deref(), Some("did you mean `OBS_VALUE`?"));
        assert_eq!(suggestion("obs_value", known.into_iter()).as_deref(), Some("did you mean `OBS_VALUE`?"));
        assert_eq!(suggestion("PRICE", known.into_iter()), None);
    }
}
