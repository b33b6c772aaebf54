//! Bounded text: names of components and free text, checked on construction.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::NAME_BYTES_MAX;

/// Rejection of a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Longer than its bound, in bytes of UTF-8.
    #[error("text of {bytes} bytes where at most {max} are allowed")]
    TooLong {
        /// Bytes found.
        bytes: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// A control character other than tab and line feed, or a text direction override.
    #[error("forbidden character U+{0:04X} in a text")]
    Control(u32),
    /// Not a name: a letter first, then letters, digits, `_`, `.`, `-`, at most 64 bytes.
    #[error("`{0}` is not a valid name (expected a letter first, then letters, digits, `_`, `.` or `-`)")]
    Name(String),
}

/// Whether a character is allowed in text for readers.
fn is_allowed(c: char) -> bool {
    match c {
        '\n' | '\t' => true,
        // Direction overrides and the byte order mark: a text must look like its code points.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => false,
        c => !c.is_control(),
    }
}

/// Whether all characters of a text are allowed in text for readers.
pub(crate) fn is_readable(text: &str) -> bool {
    text.chars().all(is_allowed)
}

/// Free text of at most `MAX` bytes, without control characters or direction overrides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// Checks `text`.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::Control`].
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        if text.len() > MAX {
            return Err(Error::TooLong { bytes: text.len(), max: MAX });
        }
        match text.chars().find(|c| !is_allowed(*c)) {
            Some(c) => Err(Error::Control(c as u32)),
            None => Ok(Self(text)),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<const MAX: usize> Serialize for Text<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The name of a component, an input, an output, a dataflow: a VTL regular name, with
/// `-` allowed after the first character for dataflows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Checks `text`.
    ///
    /// # Errors
    /// [`Error::Name`].
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        let first = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
        let rest = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
        if first && rest && text.len() <= NAME_BYTES_MAX {
            Ok(Self(text))
        } else {
            Err(Error::Name(text.chars().take(NAME_BYTES_MAX).collect()))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_text_are_checked() {
        assert!(Name::new("OBS_VALUE").is_ok() && Name::new("cpi-12").is_ok());
        for bad in ["", "1A", "_a", "a b", "é", "a/b", &"a".repeat(65)] {
            assert!(Name::new(bad).is_err(), "{bad}");
        }
        assert_eq!(Text::<3>::new("abcd"), Err(Error::TooLong { bytes: 4, max: 3 }));
        assert_eq!(Text::<9>::new("a\u{202e}b"), Err(Error::Control(0x202e)));
        assert_eq!(Text::<9>::new("a\u{7}"), Err(Error::Control(7)));
        assert!(Text::<9>::new("a\tb\nc").is_ok());
    }
}
