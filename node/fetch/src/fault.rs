//! Why a source could not be fetched: one type, without a secret in any of its words.

use std::fmt;

/// Characters of a foreign text that a fault repeats.
const SAID_CHARS_MAX: usize = 200;

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What was asked for cannot be asked: a wrong address, code or period.
    Asked,
    /// The guard refused: a scheme, host, address or redirect that is not allowed.
    Refused,
    /// The source says that there is no such thing.
    Gone,
    /// The source wants a key, or does not take the one it got.
    Denied,
    /// The source cannot answer now.
    Busy,
    /// The way to the source failed: name, connection, certificate, time.
    Way,
    /// More bytes than are allowed.
    Large,
    /// The answer is not what its protocol says.
    Answer,
    /// The folder of a load that was broken off cannot be used.
    Disk,
}

/// A source that was not fetched.
///
/// Displayed as its message; hints are left to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its kind.
    pub kind: Kind,
    /// Stable word for it, as in `address-private`.
    pub code: &'static str,
    /// What is wrong and where.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether another try can help.
    pub again: bool,
    /// Seconds that the source asks to wait before.
    pub after: Option<u64>,
}

impl Fault {
    pub(crate) fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), hint: None, again: false, after: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn again(mut self) -> Self {
        self.again = true;
        self
    }

    pub(crate) fn after(mut self, seconds: Option<u64>) -> Self {
        self.after = seconds;
        self
    }

    /// The fault with each place of `secret` in its words taken out.
    pub(crate) fn without(mut self, secret: &str) -> Self {
        self.message = hide(&self.message, secret);
        self.hint = self.hint.map(|hint| hide(&hint, secret));
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

fn hide(text: &str, secret: &str) -> String {
    if secret.is_empty() { text.to_owned() } else { text.replace(secret, "…") }
}

/// Foreign words, fit for a terminal: one short line, without characters that steer it.
pub(crate) fn shown(text: &str) -> String {
    let mut words = String::new();
    let mut chars = text.trim().chars();
    for c in chars.by_ref().take(SAID_CHARS_MAX) {
        // U+202x and U+206x override the direction of the text around them.
        match c {
            '\n' | '\r' | '\t' => words.push(' '),
            c if c.is_control() => words.extend(c.escape_default()),
            '\u{200e}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => words.extend(c.escape_default()),
            c => words.push(c),
        }
    }
    if chars.next().is_some() {
        words.push('…');
    }
    words
}
