//! JSON as statistical services give it: documents one after another, and figures as they are
//! written.
//!
//! Owns the way from bytes to typed documents. A number is never read as one here: its digits
//! stay a text until they are a decimal. Depth is bounded by the parser, memory by the file.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer as _};
use serde_json::value::RawValue;

use crate::error::ImportError;
use crate::records;

/// Documents of one file: more pages than any answer has.
const DOCUMENTS_MAX: usize = 10_000;

/// All documents of a file; pages of an answer may stand one after the other.
pub(crate) fn documents<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<Vec<T>, ImportError> {
    let text = records::text(bytes)?;
    let mut documents = Vec::new();
    for document in serde_json::Deserializer::from_str(text).into_iter::<T>() {
        if documents.len() == DOCUMENTS_MAX {
            return Err(ImportError::new(
                "documents",
                format!("more than {DOCUMENTS_MAX} documents in one file"),
            ));
        }
        documents.push(document.map_err(|error| refused(&error))?);
    }
    Ok(documents)
}

/// The one document of a file.
pub(crate) fn document<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, ImportError> {
    serde_json::from_str(text).map_err(|error| refused(&error))
}

/// Goes through the entries of an object in the order of the file, without keeping them.
pub(crate) fn entries<'a>(
    raw: &'a RawValue,
    each: &mut dyn FnMut(&str, &'a RawValue) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut fault = None;
    let mut document = serde_json::Deserializer::from_str(raw.get());
    let read = document.deserialize_map(Entries { each, fault: &mut fault });
    match fault {
        Some(fault) => Err(fault),
        None => read.map_err(|error| within(&error)),
    }
}

/// What is called for each entry, and the fault that it ended with.
struct Entries<'a, 'f> {
    each: &'f mut dyn FnMut(&str, &'a RawValue) -> Result<(), ImportError>,
    fault: &'f mut Option<ImportError>,
}

/// A key, in place where it has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Visitor<'a> for Entries<'a, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, value)) = map.next_entry::<Key<'a>, &'a RawValue>()? {
            if let Err(fault) = (self.each)(&key.0, value) {
                *self.fault = Some(fault);
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

/// Bytes of a description (a structure, a dimension): what is made of it takes many times as much.
const PART_BYTES_MAX: usize = 32 << 20;

/// One value of a document that describes others, within the bound of such.
pub(crate) fn part<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, ImportError> {
    if raw.get().len() > PART_BYTES_MAX {
        return Err(ImportError::new("json", format!("a description of more than {PART_BYTES_MAX} bytes"))
            .hint("ask for less, for example fewer dimensions"));
    }
    value(raw)
}

/// A list of at most `MAX` items, so that short items cannot fill the memory.
pub(crate) struct List<T, const MAX: usize>(pub(crate) Vec<T>);

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'a, T: Deserialize<'a>, const MAX: usize> Deserialize<'a> for List<T, MAX> {
    fn deserialize<D: serde::Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Listed::<T, MAX>(PhantomData))
    }
}

struct Listed<T, const MAX: usize>(PhantomData<T>);

impl<'a, T: Deserialize<'a>, const MAX: usize> Visitor<'a> for Listed<T, MAX> {
    type Value = List<T, MAX>;

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
        Ok(List(list))
    }
}

/// Goes through the items of an array in the same way, with their places from 0.
pub(crate) fn items<'a>(
    raw: &'a RawValue,
    each: &mut dyn FnMut(u64, &'a RawValue) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut fault = None;
    let mut document = serde_json::Deserializer::from_str(raw.get());
    let read = document.deserialize_seq(Items { each, fault: &mut fault });
    match fault {
        Some(fault) => Err(fault),
        None => read.map_err(|error| within(&error)),
    }
}

struct Items<'a, 'f> {
    each: &'f mut dyn FnMut(u64, &'a RawValue) -> Result<(), ImportError>,
    fault: &'f mut Option<ImportError>,
}

impl<'a> Visitor<'a> for Items<'a, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<(), A::Error> {
        let mut at = 0;
        while let Some(item) = items.next_element::<&'a RawValue>()? {
            if let Err(fault) = (self.each)(at, item) {
                *self.fault = Some(fault);
                return Err(A::Error::custom("refused"));
            }
            at += 1;
        }
        Ok(())
    }
}

/// One value of a document as a type.
pub(crate) fn value<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, ImportError> {
    serde_json::from_str(raw.get()).map_err(|error| within(&error))
}

/// A fault within a value: the parser counts lines from where the value begins.
fn within(error: &serde_json::Error) -> ImportError {
    ImportError { line: None, ..refused(error) }
}

fn refused(error: &serde_json::Error) -> ImportError {
    let fault = ImportError::new("json", error.to_string());
    let fault = if error.line() > 0 { fault.line(error.line() as u64) } else { fault };
    fault.hint("take the answer from its source again, as it was sent")
}

/// The text of a string, of a number as it is written, or of a word; that of null is `null`.
pub(crate) fn scalar(raw: &RawValue) -> Result<Cow<'_, str>, ImportError> {
    match raw.get().as_bytes().first() {
        Some(b'"') => Ok(Cow::Owned(value(raw)?)),
        Some(b'{' | b'[') => Err(ImportError::new("json", "expected a number or a text")
            .value(raw.get())
            .hint("take it again")),
        _ => Ok(Cow::Borrowed(raw.get())),
    }
}

/// A number without a fraction.
pub(crate) fn count(raw: &RawValue) -> Result<u64, ImportError> {
    let text = scalar(raw)?;
    text.parse().map_err(|_| ImportError::new("json", "expected a whole number").value(&*text))
}

/// The lines of values that are asked for in the order of the file.
pub(crate) struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, line: 1 }
    }

    /// The line in which a value stands.
    pub(crate) fn of(&mut self, raw: &RawValue) -> u64 {
        let place = (raw.get().as_ptr() as usize).saturating_sub(self.bytes.as_ptr() as usize);
        if let Some(passed) = self.bytes.get(self.at..place) {
            self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
            self.at = place;
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
        let documents: Vec<Vec<&RawValue>> = documents(text.as_bytes()).unwrap();
        let mut lines = Lines::new(text.as_bytes());
        let found: Vec<(u64, String)> = documents
            .iter()
            .flatten()
            .map(|raw| (lines.of(raw), scalar(raw).unwrap().into_owned()))
            .collect();
        assert_eq!(found, [(1, "1.50".into()), (2, "20".into()), (3, "1e400".into()), (4, "null".into())]);
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_line() {
        let deep = "[".repeat(200_000);
        for (text, line) in [("[1,\n2", 2), ("{\"a\":1,}", 1), (deep.as_str(), 1)] {
            let fault = documents::<&RawValue>(text.as_bytes()).unwrap_err();
            assert_eq!((fault.code, fault.line), ("json", Some(line)), "{fault}");
        }
        let nested: Vec<&RawValue> = documents(b"[1]").unwrap();
        assert_eq!(scalar(nested[0]).unwrap_err().code, "json");
    }
}
