//! JSON as statistical services send it: several documents in a file, and figures with all digits.
//!
//! Owns the way from bytes to typed documents. A number is never parsed as a float: its digits stay a
//! text until they become a decimal. The parser bounds the depth, the size of the file the memory.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer as _};
use serde_json::value::RawValue;

use crate::csv::records;
use crate::error::ImportError;

/// Documents in one file; no response has as many pages.
const DOCUMENTS_MAX: usize = 10_000;

/// Parses all documents of a file: the pages of a response may follow each other.
pub(crate) fn parse_documents<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<Vec<T>, ImportError> {
    let text = records::decode_text(bytes)?;
    let mut documents = Vec::new();
    for document in serde_json::Deserializer::from_str(text).into_iter::<T>() {
        // `{}{}{}…` would take many times its size in memory.
        if documents.len() == DOCUMENTS_MAX {
            return Err(ImportError::new(
                "documents",
                format!("more than {DOCUMENTS_MAX} documents in one file"),
            ));
        }
        documents.push(document.map_err(|error| json_error(&error))?);
    }
    Ok(documents)
}

/// Parses the single document of a file.
pub(crate) fn parse_document<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, ImportError> {
    serde_json::from_str(text).map_err(|error| json_error(&error))
}

/// Visits the entries of an object in the order of the file, without collecting them.
pub(crate) fn for_each_entry<'a>(
    raw: &'a RawValue,
    each: &mut dyn FnMut(&str, &'a RawValue) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut error = None;
    let mut document = serde_json::Deserializer::from_str(raw.get());
    let read = document.deserialize_map(EntryVisitor { each, error: &mut error });
    match error {
        Some(error) => Err(error),
        None => read.map_err(|error| error_in_value(&error)),
    }
}

/// Calls `each` for every entry and keeps its error: serde can carry only a message.
struct EntryVisitor<'a, 'f> {
    each: &'f mut dyn FnMut(&str, &'a RawValue) -> Result<(), ImportError>,
    error: &'f mut Option<ImportError>,
}

/// A key, borrowed unless it has escapes.
#[derive(Deserialize)]
struct EntryKey<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Visitor<'a> for EntryVisitor<'a, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, value)) = map.next_entry::<EntryKey<'a>, &'a RawValue>()? {
            if let Err(error) = (self.each)(&key.0, value) {
                *self.error = Some(error);
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

/// Bytes of a description (a structure, a dimension): its parsed form takes many times as much.
const DESCRIPTION_BYTES_MAX: usize = 32 << 20;

/// Parses a value that describes the data, of at most `DESCRIPTION_BYTES_MAX` bytes.
pub(crate) fn parse_description<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, ImportError> {
    if raw.get().len() > DESCRIPTION_BYTES_MAX {
        return Err(ImportError::new(
            "json",
            format!("description of more than {DESCRIPTION_BYTES_MAX} bytes"),
        )
        .hint("request less, for example fewer dimensions"));
    }
    parse_value(raw)
}

/// A list of at most `MAX` items: short items take many times their size in memory.
pub(crate) struct BoundedList<T, const MAX: usize>(pub(crate) Vec<T>);

impl<T, const MAX: usize> Default for BoundedList<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'a, T: Deserialize<'a>, const MAX: usize> Deserialize<'a> for BoundedList<T, MAX> {
    fn deserialize<D: serde::Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor::<T, MAX>(PhantomData))
    }
}

struct ListVisitor<T, const MAX: usize>(PhantomData<T>);

impl<'a, T: Deserialize<'a>, const MAX: usize> Visitor<'a> for ListVisitor<T, MAX> {
    type Value = BoundedList<T, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            if list.len() == MAX {
                return Err(A::Error::custom(format!("a list of more than {MAX} items")));
            }
            list.push(item);
        }
        Ok(BoundedList(list))
    }
}

/// Visits the items of an array with their index, without collecting them.
pub(crate) fn for_each_item<'a>(
    raw: &'a RawValue,
    each: &mut dyn FnMut(u64, &'a RawValue) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut error = None;
    let mut document = serde_json::Deserializer::from_str(raw.get());
    let read = document.deserialize_seq(ItemVisitor { each, error: &mut error });
    match error {
        Some(error) => Err(error),
        None => read.map_err(|error| error_in_value(&error)),
    }
}

struct ItemVisitor<'a, 'f> {
    each: &'f mut dyn FnMut(u64, &'a RawValue) -> Result<(), ImportError>,
    error: &'f mut Option<ImportError>,
}

impl<'a> Visitor<'a> for ItemVisitor<'a, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<(), A::Error> {
        let mut at = 0;
        while let Some(item) = items.next_element::<&'a RawValue>()? {
            if let Err(error) = (self.each)(at, item) {
                *self.error = Some(error);
                return Err(A::Error::custom("refused"));
            }
            at += 1;
        }
        Ok(())
    }
}

/// Parses a value of a document.
pub(crate) fn parse_value<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, ImportError> {
    serde_json::from_str(raw.get()).map_err(|error| error_in_value(&error))
}

/// An error within a value, without a line: the parser counts lines from the start of the value.
fn error_in_value(error: &serde_json::Error) -> ImportError {
    ImportError { line: None, ..json_error(error) }
}

fn json_error(error: &serde_json::Error) -> ImportError {
    let refused = ImportError::new("json", error.to_string());
    let refused = if error.line() > 0 { refused.line(error.line() as u64) } else { refused };
    refused.hint("take the response from its source again, unchanged")
}

/// The text of a string, or a number, boolean or null exactly as written.
pub(crate) fn scalar_text(raw: &RawValue) -> Result<Cow<'_, str>, ImportError> {
    match raw.get().as_bytes().first() {
        Some(b'"') => Ok(Cow::Owned(parse_value(raw)?)),
        Some(b'{' | b'[') => Err(ImportError::new("json", "expected a number or a text")
            .value(raw.get())
            .hint("take the file from its source again")),
        _ => Ok(Cow::Borrowed(raw.get())),
    }
}

/// Parses a whole number, also one written as a string.
pub(crate) fn parse_count(raw: &RawValue) -> Result<u64, ImportError> {
    let text = scalar_text(raw)?;
    text.parse().map_err(|_| ImportError::new("json", "expected a whole number").value(&*text))
}

/// Finds the lines of values, queried in the order of the file.
pub(crate) struct LineFinder<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> LineFinder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, line: 1 }
    }

    /// The line of a value. A raw value borrows from the file, so its address is its offset.
    pub(crate) fn line_of(&mut self, raw: &RawValue) -> u64 {
        let offset = (raw.get().as_ptr() as usize).saturating_sub(self.bytes.as_ptr() as usize);
        if let Some(passed) = self.bytes.get(self.at..offset) {
            self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
            self.at = offset;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_their_digits_and_values_their_lines() {
        let text = "[1.50,\n\"2\\u0030\",\n1e400]\n[null]";
        let documents: Vec<Vec<&RawValue>> = parse_documents(text.as_bytes()).unwrap();
        let mut lines = LineFinder::new(text.as_bytes());
        let found: Vec<(u64, String)> = documents
            .iter()
            .flatten()
            .map(|raw| (lines.line_of(raw), scalar_text(raw).unwrap().into_owned()))
            .collect();
        assert_eq!(found, [(1, "1.50".into()), (2, "20".into()), (3, "1e400".into()), (4, "null".into())]);
    }

    #[test]
    fn invalid_json_is_refused_with_its_line() {
        let deep = "[".repeat(200_000);
        for (text, line) in [("[1,\n2", 2), ("{\"a\":1,}", 1), (deep.as_str(), 1)] {
            let error = parse_documents::<&RawValue>(text.as_bytes()).unwrap_err();
            assert_eq!((error.code, error.line), ("json", Some(line)), "{error}");
        }
        let nested: Vec<&RawValue> = parse_documents(b"[1]").unwrap();
        assert_eq!(scalar_text(nested[0]).unwrap_err().code, "json");
    }
}
