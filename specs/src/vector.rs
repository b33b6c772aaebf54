//! One case, one reason: the form of a vector.

use serde::{Deserialize, Serialize};

/// The step at which a case is decided. A case passes every step before its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VectorLevel {
    /// The number of bytes.
    Size,
    /// Strict CBOR, whatever it means.
    Cbor,
    /// The fields of an object and the rules of its kind.
    Object,
    /// The blocks of a content together.
    Content,
    /// The COSE envelope and its header.
    Envelope,
    /// Keys and signatures.
    Signature,
    /// The place in the log.
    Chain,
    /// Identifiers as text.
    Id,
    /// Periods and decimals as text.
    Value,
    /// The framing of blocks in a file.
    Car,
}

/// Bytes too many to be written out: `unit` times `count`, then `tail`, after the case's `bytes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepeatedBytes {
    /// Hexadecimal.
    pub unit: String,
    /// How often.
    pub count: usize,
    /// Hexadecimal.
    pub tail: String,
}

/// An input and what must come of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorCase {
    /// Its name, unique within the file.
    pub name: String,
    /// Why it must come out like this.
    pub reason: String,
    /// Where it is decided.
    pub level: VectorLevel,
    /// `ok`, or the code of the fault (`specs/README.md`, "Codes").
    pub expect: String,
    /// The id of the block, where it is accepted and has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The public key of a signature, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The message of a signature, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What the text means, in the canonical spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The entries of a log in order, hexadecimal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<String>,
    /// The blocks of a content, hexadecimal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<String>,
    /// The input, hexadecimal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub bytes: String,
    /// The input, where it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// More input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<RepeatedBytes>,
}

impl VectorCase {
    /// A case that must be accepted.
    pub fn accepted(name: &str, level: VectorLevel, bytes: &[u8], reason: &str) -> Self {
        Self::refused(name, level, "ok", bytes, reason)
    }

    /// A case that must be refused with this code at this level.
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

    /// A case about text.
    pub fn from_text(name: &str, level: VectorLevel, expect: &str, text: &str, reason: &str) -> Self {
        Self { text: Some(text.into()), ..Self::refused(name, level, expect, &[], reason) }
    }

    /// With the id of what is accepted.
    pub fn with_id(self, id: impl ToString) -> Self {
        Self { id: Some(id.to_string()), ..self }
    }

    /// With more input after `bytes`.
    pub fn repeating(self, unit: &[u8], count: usize, tail: &[u8]) -> Self {
        Self { repeat: Some(RepeatedBytes { unit: encode_hex(unit), count, tail: encode_hex(tail) }), ..self }
    }

    /// The whole input.
    pub fn input(&self) -> Vec<u8> {
        let mut input = decode_hex(&self.bytes);
        if let Some(repeat) = &self.repeat {
            input.extend(decode_hex(&repeat.unit).repeat(repeat.count));
            input.extend(decode_hex(&repeat.tail));
        }
        input
    }
}

/// The cases of one theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorFile {
    /// The name of the file without its ending.
    #[serde(skip)]
    pub name: String,
    /// What the cases have in common.
    pub about: String,
    /// The cases.
    pub cases: Vec<VectorCase>,
}

impl VectorFile {
    /// A file; case names must be unique.
    pub fn new(name: &str, about: &str, cases: Vec<VectorCase>) -> Self {
        let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        names.sort_unstable();
        let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
        assert!(twice.is_none(), "two cases of {name} have one name: {twice:?}");
        Self { name: name.into(), about: about.into(), cases }
    }

    /// The text of the file.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("plain data has a JSON form");
        text.push('\n');
        text
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// What is wrong with the JSON.
    pub fn parse(name: &str, text: &str) -> Result<Self, serde_json::Error> {
        let file: Self = serde_json::from_str(text)?;
        Ok(Self { name: name.into(), ..file })
    }
}

/// Hexadecimal, lower case.
pub fn encode_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hexadecimal text.
///
/// # Panics
/// On anything else.
pub fn decode_hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "an even number of digits");
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(byte).collect()
}
