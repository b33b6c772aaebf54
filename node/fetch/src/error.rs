//! Errors of the fetcher. No error text contains an API key.

use std::fmt;

/// Limit on the characters of foreign text quoted in an error.
const FOREIGN_CHARS_MAX: usize = 200;

/// Category of a [`FetchError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchErrorCategory {
    /// The request is invalid: a malformed URL, code or period.
    InvalidRequest,
    /// The URL policy blocked a scheme, host, address or redirect.
    Blocked,
    /// The source does not have the requested data.
    NotFound,
    /// The source requires an API key or rejected the one sent.
    AccessDenied,
    /// The source is temporarily unavailable.
    Unavailable,
    /// The connection failed: name resolution, connection, certificate or timeout.
    Network,
    /// The response exceeds the size limit.
    TooLarge,
    /// The response violates its protocol.
    InvalidResponse,
    /// The folder of the resume cache or the history cannot be used.
    Storage,
}

/// Reason why a source was not fetched.
///
/// `Display` prints the message only; the caller prints the hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchError {
    /// Category.
    pub category: FetchErrorCategory,
    /// Stable code, as in `address-private`.
    pub code: &'static str,
    /// Message for the user.
    pub message: String,
    /// Suggestion for the user.
    pub hint: Option<String>,
    /// Whether a retry may succeed.
    pub retryable: bool,
    /// Wait requested by the source in `Retry-After`, in seconds.
    pub retry_after_seconds: Option<u64>,
}

impl FetchError {
    pub(crate) fn new(category: FetchErrorCategory, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            category,
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

    /// Replaces each occurrence of `secret` in the texts.
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

/// Makes foreign text safe for a terminal: one line of limited length, control characters escaped.
pub(crate) fn terminal_safe(text: &str) -> String {
    let mut words = String::new();
    let mut chars = text.trim().chars();
    for c in chars.by_ref().take(FOREIGN_CHARS_MAX) {
        // U+200E to U+202E and U+2060 to U+206F include bidirectional overrides, which can disguise
        // the text around them.
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
