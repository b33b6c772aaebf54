//! Why a source could not be fetched: one type, without a secret in any of its words.

use std::fmt;

/// Characters of a foreign text that a fault repeats.
const FOREIGN_CHARS_MAX: usize = 200;

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchErrorCategory {
    /// What was asked for cannot be asked: a wrong address, code or period.
    InvalidRequest,
    /// The guard refused: a scheme, host, address or redirect that is not allowed.
    Blocked,
    /// The source says that there is no such thing.
    NotFound,
    /// The source wants a key, or does not take the one it got.
    AccessDenied,
    /// The source cannot answer now.
    Unavailable,
    /// The way to the source failed: name, connection, certificate, time.
    Network,
    /// More bytes than are allowed.
    TooLarge,
    /// The answer is not what its protocol says.
    InvalidResponse,
    /// The folder of a load that was broken off cannot be used.
    Storage,
}

/// A source that was not fetched.
///
/// Displayed as its message; hints are left to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchError {
    /// Its kind.
    pub category: FetchErrorCategory,
    /// Stable word for it, as in `address-private`.
    pub code: &'static str,
    /// What is wrong and where.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether another try can help.
    pub retryable: bool,
    /// Seconds that the source asks to wait before.
    pub retry_after_seconds: Option<u64>,
}

impl FetchError {
    pub(crate) fn new(kind: FetchErrorCategory, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            category: kind,
            code,
            message: message.into(),
            hint: None,
            retryable: false,
            retry_after_seconds: None,
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    pub(crate) fn after_seconds(mut self, seconds: Option<u64>) -> Self {
        self.retry_after_seconds = seconds;
        self
    }

    /// The fault with each place of `secret` in its words taken out.
    pub(crate) fn redacted(mut self, secret: &str) -> Self {
        self.message = redact_secret(&self.message, secret);
        self.hint = self.hint.map(|hint| redact_secret(&hint, secret));
        self
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FetchError {}

fn redact_secret(text: &str, secret: &str) -> String {
    if secret.is_empty() { text.to_owned() } else { text.replace(secret, "…") }
}

/// Foreign words, fit for a terminal: one short line, without characters that steer it.
pub(crate) fn terminal_safe(text: &str) -> String {
    let mut words = String::new();
    let mut chars = text.trim().chars();
    for c in chars.by_ref().take(FOREIGN_CHARS_MAX) {
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
