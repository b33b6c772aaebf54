//! File format of the test vectors: one case tests one rule.

use serde::{Deserialize, Serialize};
use testkit::hex::{decode_hex, encode_hex};

/// Verification step that decides a case. The input passes every earlier step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VectorLevel {
    /// Size in bytes.
    Size,
    /// Strict CBOR encoding, independent of the meaning.
    Cbor,
    /// Fields and rules of an object type.
    Object,
    /// Blocks of a content, taken together.
    Content,
    /// COSE envelope and header.
    Envelope,
    /// Keys and signatures.
    Signature,
    /// Position of an entry in its log.
    Chain,
    /// Identifier as text.
    Id,
    /// Period or decimal as text.
    Value,
    /// Framing of blocks in a CAR file.
    Car,
    /// A whole bundle, with everything that it proves.
    Bundle,
    /// The fields and counts of a message between nodes.
    Message,
    /// The length prefix of a message on a stream.
    Frame,
    /// The records and the end marker of a stream of blocks.
    Stream,
}

/// Input too long to be written out: after `bytes` of the case, `unit` repeated `count` times, then `tail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepeatedBytes {
    /// Repeated bytes, hexadecimal.
    pub unit: String,
    /// Number of repetitions.
    pub count: usize,
    /// Bytes after the repetition, hexadecimal.
    pub tail: String,
}

/// An input and its expected result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorCase {
    /// Name, unique within the file.
    pub name: String,
    /// The rule that the case tests, in a few words.
    pub reason: String,
    /// Step that decides the case.
    pub level: VectorLevel,
    /// `ok`, or the error code (`specs/README.md`, "Codes").
    pub expect: String,
    /// Id of an accepted block; absent where there is no block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The public key of a signature, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The message of a signature, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Value of an accepted text, in its canonical form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The entries of a log in order, hexadecimal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<String>,
    /// The blocks of a content, hexadecimal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<String>,
    /// Input, hexadecimal; empty where the input is text, entries or blocks.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub bytes: String,
    /// Input, where it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Further input after `bytes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<RepeatedBytes>,
}

impl VectorCase {
    /// A case with an accepted input.
    pub fn accepted(name: &str, level: VectorLevel, bytes: &[u8], reason: &str) -> Self {
        Self::refused(name, level, "ok", bytes, reason)
    }

    /// A case that is refused with the code `expect` at this level.
    pub fn refused(name: &str, level: VectorLevel, expect: &str, bytes: &[u8], reason: &str) -> Self {
        Self {
            name: name.into(),
            reason: reason.into(),
            level,
            expect: expect.into(),
            id: None,
            key: None,
            message: None,
            value: None,
            entries: Vec::new(),
            blocks: Vec::new(),
            bytes: encode_hex(bytes),
            text: None,
            repeat: None,
        }
    }

    /// A case with a text as input.
    pub fn from_text(name: &str, level: VectorLevel, expect: &str, text: &str, reason: &str) -> Self {
        Self { text: Some(text.into()), ..Self::refused(name, level, expect, &[], reason) }
    }

    /// Sets the id of the accepted block.
    pub fn with_id(self, id: impl ToString) -> Self {
        Self { id: Some(id.to_string()), ..self }
    }

    /// Appends repeated bytes and a tail to the input.
    pub fn repeating(self, unit: &[u8], count: usize, tail: &[u8]) -> Self {
        Self { repeat: Some(RepeatedBytes { unit: encode_hex(unit), count, tail: encode_hex(tail) }), ..self }
    }

    /// The complete input: `bytes`, then the repetition.
    pub fn input(&self) -> Vec<u8> {
        let mut input = decode_hex(&self.bytes);
        if let Some(repeat) = &self.repeat {
            input.extend(decode_hex(&repeat.unit).repeat(repeat.count));
            input.extend(decode_hex(&repeat.tail));
        }
        input
    }
}

/// One vector file: cases on one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorFile {
    /// File name without its extension.
    #[serde(skip)]
    pub name: String,
    /// Subject of the cases.
    pub about: String,
    /// The cases.
    pub cases: Vec<VectorCase>,
}

impl VectorFile {
    /// Creates a file. Panics when two cases have the same name.
    pub fn new(name: &str, about: &str, cases: Vec<VectorCase>) -> Self {
        // A failing test shows the name of its case only, so names are distinct.
        let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        names.sort_unstable();
        let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
        assert!(twice.is_none(), "duplicate case name in {name}: {twice:?}");
        Self { name: name.into(), about: about.into(), cases }
    }

    /// The file as JSON, with a final line feed.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("plain data has a JSON form");
        text.push('\n');
        text
    }

    /// Parses the JSON of a file.
    ///
    /// # Errors
    /// Invalid JSON, an unknown field or a missing one.
    pub fn parse(name: &str, text: &str) -> Result<Self, serde_json::Error> {
        let file: Self = serde_json::from_str(text)?;
        Ok(Self { name: name.into(), ..file })
    }
}
