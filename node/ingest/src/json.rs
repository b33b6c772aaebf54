//! JSON as statistical services give it: documents one after another, and figures as they are
//! written.
//!
//! Owns the way from bytes to typed documents. A number is never read as one here: its digits
//! stay a text until they are a decimal. Depth is bounded by the parser, memory by the file.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fault::Fault;
use crate::records;

/// Documents of one file: more pages than any answer has.
const DOCUMENTS_MAX: usize = 10_000;

/// All documents of a file; pages of an answer may stand one after the other.
pub(crate) fn documents<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<Vec<T>, Fault> {
    let text = records::text(bytes)?;
    let mut documents = Vec::new();
    for document in serde_json::Deserializer::from_str(text).into_iter::<T>() {
        if documents.len() == DOCUMENTS_MAX {
            return Err(Fault::new("documents", format!("more than {DOCUMENTS_MAX} documents in one file")));
        }
        documents.push(document.map_err(|error| refused(&error))?);
    }
    Ok(documents)
}

/// One value of a document as a type.
pub(crate) fn value<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, Fault> {
    serde_json::from_str(raw.get()).map_err(|error| refused(&error))
}

fn refused(error: &serde_json::Error) -> Fault {
    let fault = Fault::new("json", error.to_string());
    let fault = if error.line() > 0 { fault.line(error.line() as u64) } else { fault };
    fault.hint("take the answer from its source again, as it was sent")
}

/// The text of a string, of a number as it is written, or of a word; that of null is `null`.
pub(crate) fn scalar(raw: &RawValue) -> Result<Cow<'_, str>, Fault> {
    match raw.get().as_bytes().first() {
        Some(b'"') => Ok(Cow::Owned(value(raw)?)),
        Some(b'{' | b'[') => {
            Err(Fault::new("json", "expected a number or a text").value(raw.get()).hint("take it again"))
        }
        _ => Ok(Cow::Borrowed(raw.get())),
    }
}

/// A number without a fraction.
pub(crate) fn count(raw: &RawValue) -> Result<u64, Fault> {
    let text = scalar(raw)?;
    text.parse().map_err(|_| Fault::new("json", "expected a whole number").value(&*text))
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
        assert_eq!(
            found,
            [(1, "1.50".into()), (2, "20".into()), (3, "1e400".into()), (4, "null".into())]
        );
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
