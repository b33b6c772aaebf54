//! Bounded text: names of components, one-line text and long text, checked on construction.
//!
//! The forms are those of specs/objects.md, section 3. Whoever writes a text is not trusted: a line cannot
//! look like two, and every character of it can be seen.

use std::fmt;
use std::marker::PhantomData;

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
    /// A hidden character (a control or format character, among others), or in a line white space other
    /// than a blank.
    #[error("forbidden character U+{0:04X} in a text")]
    Forbidden(u32),
    /// A line with a blank at an end, or two in succession.
    #[error("forbidden blank: a line has no blank at its ends and no two in succession")]
    Blank,
    /// Not a name: a letter first, then letters, digits, `_`, `.`, `-`, at most 64 bytes.
    #[error("`{0}` is not a valid name (expected a letter first, then letters, digits, `_`, `.` or `-`)")]
    Name(String),
}

/// Characters without a visible form: the table of specs/objects.md, section 3.
///
/// Written down rather than taken from a crate: readers with other versions of Unicode must agree on it.
const HIDDEN: &[(char, char)] = &[
    ('\0', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{e000}', '\u{f8ff}'),
    ('\u{fdd0}', '\u{fdef}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{fffe}', '\u{ffff}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
    ('\u{f0000}', '\u{10ffff}'),
];

/// Whether a character has no visible form, such as a line feed, an escape code, a zero-width space or a
/// change of the direction of writing.
pub fn is_hidden(c: char) -> bool {
    if matches!(c, ' '..='~') {
        return false;
    }
    // The last two code points of each plane are noncharacters.
    let listed = HIDDEN.binary_search_by(|(first, last)| {
        if *last < c {
            std::cmp::Ordering::Less
        } else if *first > c {
            std::cmp::Ordering::Greater
        } else {
            std::cmp::Ordering::Equal
        }
    });
    listed.is_ok() || (c as u32) & 0xfffe == 0xfffe
}

/// Whether a character is allowed in *text*.
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}') || !is_hidden(c)
}

/// Whether all characters of a text are allowed in *text*, as in the cells of a content.
pub(crate) fn is_readable(text: &str) -> bool {
    text.chars().all(is_allowed)
}

/// Makes a text one line: runs of white space and control characters become one blank, other hidden
/// characters are removed, then blanks at both ends.
///
/// For texts of foreign documents that name something. Cells are never changed.
pub fn to_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else if !is_hidden(c) {
            line.push(c);
        }
    }
    line.truncate(line.trim_end_matches(' ').len());
    line
}

/// A form of text: the rule for its characters.
pub trait TextForm {
    /// Checks the characters of `text`.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Blank`].
    fn check(text: &str) -> Result<(), Error>;
}

/// Form of [`Text`]: tab and line feed are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LongForm;

/// Form of [`Line`]: one line without hidden characters, its only white space single blanks inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LineForm;

impl TextForm for LongForm {
    fn check(text: &str) -> Result<(), Error> {
        text.chars().find(|c| !is_allowed(*c)).map_or(Ok(()), |c| Err(Error::Forbidden(c as u32)))
    }
}

impl TextForm for LineForm {
    fn check(text: &str) -> Result<(), Error> {
        let forbidden = |c: &char| is_hidden(*c) || (c.is_whitespace() && *c != ' ');
        if let Some(c) = text.chars().find(forbidden) {
            return Err(Error::Forbidden(c as u32));
        }
        let blank = text.starts_with(' ') || text.ends_with(' ') || text.contains("  ");
        if blank { Err(Error::Blank) } else { Ok(()) }
    }
}

/// Text of at most `MAX` bytes without hidden characters; tabs and line feeds are allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text<const MAX: usize, F = LongForm>(String, PhantomData<F>);

/// One line of at most `MAX` bytes; it may be empty.
pub type Line<const MAX: usize> = Text<MAX, LineForm>;

impl<const MAX: usize, F: TextForm> Text<MAX, F> {
    /// Checks `text`.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::Forbidden`], [`Error::Blank`].
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        if text.len() > MAX {
            return Err(Error::TooLong { bytes: text.len(), max: MAX });
        }
        F::check(&text)?;
        Ok(Self(text, PhantomData))
    }
}

impl<const MAX: usize, F> Text<MAX, F> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize, F> fmt::Display for Text<MAX, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<const MAX: usize, F> Serialize for Text<MAX, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, const MAX: usize, F: TextForm> Deserialize<'de> for Text<MAX, F> {
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
        assert_eq!(Text::<9>::new("a\u{202e}b"), Err(Error::Forbidden(0x202e)));
        assert_eq!(Text::<9>::new("a\u{7}"), Err(Error::Forbidden(7)));
        for good in ["a\tb\nc", " a  b ", "a\u{a0}b", "\u{645}\u{200c}\u{6cc}", "\u{2764}\u{fe0f}"] {
            assert!(Text::<16>::new(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_line_is_one_line_and_all_of_it_is_visible() {
        for good in ["", "a", "a b", "Côte d'Ivoire", "統計局", "\u{fffd}", "\u{378}"] {
            assert!(Line::<64>::new(good).is_ok(), "{good:?}");
        }
        for bad in [" ", " a", "a ", "a  b"] {
            assert_eq!(Line::<64>::new(bad), Err(Error::Blank), "{bad:?}");
        }
        let hidden = "\n\r\t\u{85}\u{a0}\u{ad}\u{61c}\u{3164}\u{200b}\u{200d}\u{200e}\u{2028}\u{2029}\u{202e}\
            \u{2066}\u{2800}\u{3000}\u{e000}\u{fdd0}\u{fe0f}\u{feff}\u{1fffe}\u{e0041}\u{10ffff}\u{1b}";
        for c in hidden.chars() {
            assert_eq!(Line::<64>::new(format!("a{c}b")), Err(Error::Forbidden(c as u32)), "{c:?}");
        }
    }

    #[test]
    fn the_table_is_in_order() {
        assert!(HIDDEN.iter().all(|(first, last)| first <= last));
        assert!(HIDDEN.windows(2).all(|pair| pair[0].1 < pair[1].0));
    }

    #[test]
    fn foreign_texts_become_one_line() {
        let check = |text: &str, line: &str| {
            assert_eq!(to_line(text), line, "{text:?}");
            assert!(Line::<64>::new(to_line(text)).is_ok(), "{text:?}");
        };
        check("Korea,\u{a0}Rep.", "Korea, Rep.");
        check("\u{feff} soft\u{ad}ware \u{200b} \n\t end\u{200b} ", "software end");
        check("\u{1b}[31m", "[31m");
        check(" \u{200b} ", "");
    }
}
