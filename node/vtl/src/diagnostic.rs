//! Diagnostics: code, message, span, hint and data point.
//!
//! Owns the stable codes, the byte ranges and the rendering with a caret. A diagnostic addresses the
//! author of a script and never reports a bug of the engine.

use std::fmt;

use schemas::limits::NAME_BYTES_MAX;

/// Byte range `start..end` of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// Returns the range from the start of `self` to the later of both ends.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start, end: other.end.max(self.end) }
    }

    /// Returns line and column of the start in `source`, both counted from 1; columns count characters.
    pub fn line_and_column(self, source: &str) -> (usize, usize) {
        let before = source.get(..self.start.min(source.len())).unwrap_or(source);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

/// Stable diagnostic codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiagnosticCode {
    /// The text is not valid VTL.
    Syntax,
    /// A script or expression exceeds a size limit.
    Size,
    /// Part of VTL that this engine does not support.
    Unsupported,
    /// Operator whose result depends on the clock, on randomness or on other software.
    Refused,
    /// Unknown data set, component, scalar, operator or ruleset.
    UnknownName,
    /// Name with more than one possible meaning.
    Ambiguous,
    /// Name given twice, or two data points with the same key.
    Duplicate,
    /// A value or component of the wrong type.
    Type,
    /// Components that do not fit the operator: identifiers, measures or roles.
    Structure,
    /// Results or rules that depend on each other.
    Cycle,
    /// Default that a published script must write out.
    Implicit,
    /// Division by zero.
    DivisionByZero,
    /// Value for which an operator is undefined, such as the square root of a negative number or an
    /// invalid pattern.
    Domain,
    /// Value outside the range of its type.
    Overflow,
    /// Periods with incompatible frequencies.
    Frequency,
    /// Null in an identifier.
    NullIdentifier,
    /// Text that cannot be converted to the target type.
    Cast,
    /// Run that exceeds its limit of steps, cells or rows.
    Budget,
    /// Run that takes more steps than this machine allows.
    CeilingSteps,
    /// Run that holds more cells than this machine allows.
    CeilingCells,
    /// Run that holds more bytes than this machine allows.
    CeilingBytes,
    /// Run that was stopped from outside.
    CeilingTime,
    /// Input that is missing or whose structure differs from the checked one.
    Input,
}

impl DiagnosticCode {
    /// Returns the code used in reports and in the wire format.
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
            Self::CeilingSteps => "ceiling-steps",
            Self::CeilingCells => "ceiling-cells",
            Self::CeilingBytes => "ceiling-bytes",
            Self::CeilingTime => "ceiling-time",
            Self::Input => "input",
        }
    }
}

impl DiagnosticCode {
    /// Returns category and group from the technical notes of VTL 2.2 ("Error messages"): 1 is syntax,
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
            Self::Budget
            | Self::CeilingSteps
            | Self::CeilingCells
            | Self::CeilingBytes
            | Self::CeilingTime => "3-4",
            _ => "3",
        }
    }

    /// Returns whether a ceiling of this machine ended the run, which says nothing about the recipe.
    pub fn is_ceiling(self) -> bool {
        matches!(self, Self::CeilingSteps | Self::CeilingCells | Self::CeilingBytes | Self::CeilingTime)
    }
}

impl fmt::Display for DiagnosticCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Error in a script, in the structures of its inputs or in its data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Diagnostic {
    /// Stable code.
    pub code: DiagnosticCode,
    /// Message in lower case, with words of the script in backticks.
    pub message: String,
    /// Location in the script.
    pub span: Span,
    /// Suggested correction.
    pub hint: Option<String>,
    /// Data point that caused the error, as in `REF_AREA = FR, TIME_PERIOD = 2013-M01`.
    pub data_point: Option<String>,
}

impl Diagnostic {
    /// Creates a diagnostic without hint or data point.
    pub fn new(code: DiagnosticCode, span: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span, hint: None, data_point: None }
    }

    /// Sets the hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets the hint if there is one; keeps the current hint otherwise.
    #[must_use]
    pub fn with_optional_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// Sets the data point if there is one; keeps the current one otherwise.
    #[must_use]
    pub fn at_data_point(mut self, data_point: Option<String>) -> Self {
        self.data_point = data_point.or(self.data_point);
        self
    }
}

/// Renders code, message, source line with caret, data point and hint as text of several lines.
pub fn render_diagnostic(source: &str, diagnostic: &Diagnostic) -> String {
    let (line, column) = diagnostic.span.line_and_column(source);
    let text = source.split('\n').nth(line - 1).unwrap_or_default().trim_end_matches('\r');
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let (text, column) = excerpt_around(text, column);
    // The caret does not extend beyond the shown line.
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

/// Maximum number of characters shown of a line; longer lines are cut around the span.
const LINE_CHARACTERS_MAX: usize = 160;

/// Returns the part of a line around a column, and the column within that part.
fn excerpt_around(text: &str, column: usize) -> (String, usize) {
    if text.chars().count() <= LINE_CHARACTERS_MAX {
        return (text.to_owned(), column);
    }
    let skip = (column - 1).saturating_sub(LINE_CHARACTERS_MAX / 2);
    (text.chars().skip(skip).take(LINE_CHARACTERS_MAX).collect(), column - skip)
}

/// Maximum number of diagnostics collected while a script is checked; fewer are reported.
const COLLECTED_MAX: usize = 1024;

/// Bounded list of diagnostics. Those beyond [`COLLECTED_MAX`] are dropped, so that a script of nothing
/// but errors cannot fill memory with hints.
#[derive(Debug, Default)]
pub(crate) struct DiagnosticList(Vec<Diagnostic>);

impl DiagnosticList {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if !self.is_full() {
            self.0.push(diagnostic);
        }
    }

    /// Returns whether further diagnostics are dropped; callers then skip the search for a hint.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= COLLECTED_MAX
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Removes the diagnostics from position `before` on.
    pub(crate) fn truncate(&mut self, before: usize) {
        self.0.truncate(before);
    }

    /// Iterates over the diagnostics from position `before` on.
    pub(crate) fn iter_mut_from(&mut self, before: usize) -> impl Iterator<Item = &mut Diagnostic> {
        self.0.iter_mut().skip(before)
    }

    /// Returns at most `most` distinct diagnostics in source order.
    pub(crate) fn into_sorted(self, most: usize) -> Vec<Diagnostic> {
        let mut diagnostics = self.0;
        diagnostics.sort_by_key(|diagnostic| diagnostic.span);
        // The body of an operator is checked at each call and may report the same error each time.
        diagnostics.dedup_by(|a, b| (a.span, &a.message) == (b.span, &b.message));
        diagnostics.truncate(most);
        diagnostics
    }
}

/// Returns the hint `did you mean …?` for the candidate nearest to `name`, if one is close enough.
pub(crate) fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    // One edit per four characters, at least one: more distant names are rarely meant.
    let far = 1 + name.chars().count() / 4;
    let close = known
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= far && *candidate != name)
        .min()?;
    Some(format!("did you mean `{}`?", close.1))
}

/// Returns the Levenshtein distance of two names, ignoring ASCII case.
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
