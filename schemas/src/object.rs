//! The objects of the ledger: signed objects and the objects they refer to.
//!
//! Each object is a DAG-CBOR map with its fields, `$type` and `v` (its version, 1).
//! The object types are listed in [`Object`]; the fields stand in the structs below and in the CDDL
//! grammar. An object is read through [`decode_object`] only, which checks size, canonical form, fields
//! and the rules that Rust types do not express ([`ObjectType::check_rules`]).

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_cbor::Value;

use crate::cbor::{self, CborItem, CborRules, CborToken};
use crate::chunk::Chunk;
use crate::cid::{Cid, Codec};
use crate::limits::BLOCK_BYTES_MAX;

mod data;
mod identity;
mod reader;
mod recipe;
mod release;

pub use data::{
    CHUNKS_MAX, CODES_MAX, ChunkRef, Code, Content, DOCUMENTS_MAX, Dataset, Import, Provenance, Snapshot,
    Structure,
};
pub use identity::{Identity, KEYS_MAX, KeyUse, OperatingKey};
pub use reader::{
    DayOrder, MISSING_SPELLINGS, MISSING_SPELLINGS_MAX, MappedColumn, Reader, ReaderOptions, TableMapping,
};
pub use recipe::{Deviation, NOTES_MAX, PORTS_MAX, Recipe, RecipeInput, RecipeOutput, RunLimits};
pub use release::{
    Attestation, POINTS_MAX, Release, Retraction, RetractionScope, RevisionReason, SourceCounts, Supersession,
};

/// The version of every object so far.
pub const VERSION: u64 = 1;

/// Rejection of bytes that should be an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More bytes than a block may have.
    #[error("{0} bytes where at most {BLOCK_BYTES_MAX} are allowed")]
    TooLarge(usize),
    /// Not strict DAG-CBOR, or not the fields of the object type.
    #[error(transparent)]
    Cbor(#[from] cbor::Error),
    /// No `$type`, or an unknown one.
    #[error("unknown object type `{0}`")]
    UnknownType(String),
    /// An object of another type than expected.
    #[error("expected an object of type `{expected}`, found `{found}`")]
    WrongType {
        /// The type expected.
        expected: &'static str,
        /// The type found.
        found: String,
    },
    /// A version that this program does not support.
    #[error("unsupported version {0} of this object type (supported: {VERSION})")]
    Version(u64),
    /// The fields break a rule of the object type.
    #[error("{0}")]
    Rule(String),
}

/// The interface shared by all object types.
pub trait ObjectType: Serialize + DeserializeOwned {
    /// The value of `$type`.
    const TYPE: &'static str;
    /// The id type of such an object.
    type Id: TryFrom<Cid> + Into<Cid> + Copy;

    /// Checks the rules that the types of the fields do not express.
    ///
    /// # Errors
    /// A sentence naming the broken rule.
    fn check_rules(&self) -> Result<(), String> {
        Ok(())
    }

    /// The direct dependencies: the blocks that must be stored for this object to be complete, without
    /// their own dependencies.
    fn dependencies(&self) -> Vec<Cid> {
        Vec::new()
    }
}

/// Encodes an object canonically.
///
/// # Errors
/// [`Error::Rule`] when it breaks a rule of its type, [`Error::TooLarge`].
pub fn encode_object<T: ObjectType>(body: &T) -> Result<Vec<u8>, Error> {
    body.check_rules().map_err(Error::Rule)?;
    let Value::Map(mut map) = cbor::to_value(body)? else {
        return Err(Error::Rule("an object is a map".into()));
    };
    map.insert(Value::Text("$type".into()), Value::Text(T::TYPE.into()));
    map.insert(Value::Text("v".into()), Value::Integer(VERSION.into()));
    let bytes = cbor::to_bytes(&Value::Map(map))?;
    cbor::scan(&bytes, CborRules::DagCbor, |_| {})?;
    if bytes.len() > BLOCK_BYTES_MAX { Err(Error::TooLarge(bytes.len())) } else { Ok(bytes) }
}

/// Decodes an object of a given type.
///
/// # Errors
/// Each variant of [`enum@Error`].
pub fn decode_object<T: ObjectType>(bytes: &[u8]) -> Result<T, Error> {
    let head = read_header(bytes)?;
    if head.object_type != T::TYPE {
        return Err(Error::WrongType { expected: T::TYPE, found: head.object_type.to_owned() });
    }
    if head.version != VERSION {
        return Err(Error::Version(head.version));
    }
    let body: T = cbor::from_bytes(&head.fields)?;
    // Catches fields in another order, defaults that are spelled out, and non-canonical values.
    if encode_object(&body)? == bytes { Ok(body) } else { Err(cbor::Error::Canonical.into()) }
}

/// The object type, the version and the map without these two.
struct ObjectHeader<'a> {
    object_type: &'a str,
    version: u64,
    fields: Vec<u8>,
}

/// Splits `$type` and `v` from the fields: serde cannot flatten a struct whose fields carry tags.
fn read_header(bytes: &[u8]) -> Result<ObjectHeader<'_>, Error> {
    if bytes.len() > BLOCK_BYTES_MAX {
        return Err(Error::TooLarge(bytes.len()));
    }
    let mut pairs = 0;
    let mut starts: Vec<(usize, Option<&str>)> = Vec::new();
    let mut wanted: Option<&str> = None;
    let (mut kind, mut version) = (None, None);
    cbor::scan(bytes, CborRules::DagCbor, |item: CborItem<'_>| match (item.depth, item.token) {
        (0, CborToken::Map(count)) => pairs = count,
        (1, CborToken::Text(text)) if item.key => {
            starts.push((item.start, Some(text)));
            wanted = Some(text);
        }
        (1, token) => match (wanted.take(), token) {
            (Some("$type"), CborToken::Text(text)) => kind = Some(text),
            (Some("v"), CborToken::Unsigned(value)) => version = Some(value),
            _ => {}
        },
        _ => {}
    })?;
    let (Some(kind), Some(version)) = (kind, version) else {
        return Err(Error::UnknownType(kind.unwrap_or_default().to_owned()));
    };
    Ok(ObjectHeader { object_type: kind, version, fields: without_head(bytes, pairs, &starts) })
}

/// Encodes the map without the pairs `$type` and `v`, which [`read_header`] located.
fn without_head(bytes: &[u8], pairs: u64, starts: &[(usize, Option<&str>)]) -> Vec<u8> {
    let ends = starts.iter().skip(1).map(|(start, _)| *start).chain([bytes.len()]);
    let mut fields = map_head(pairs.saturating_sub(2));
    for ((start, key), end) in starts.iter().zip(ends) {
        if !matches!(key, Some("$type" | "v")) {
            fields.extend_from_slice(bytes.get(*start..end).unwrap_or_default());
        }
    }
    fields
}

/// Encodes the head of a map of `pairs` pairs; no object type has more than 255.
fn map_head(pairs: u64) -> Vec<u8> {
    match u8::try_from(pairs) {
        Ok(few @ 0..=23) => vec![0xa0 | few],
        Ok(many) => vec![0xb8, many],
        // No object type has 256 fields, so the decoder refuses the map under any head.
        Err(_) => vec![0xb9, 0xff, 0xff],
    }
}

macro_rules! objects {
    ($($name:ident $type:literal;)*) => {
        /// An object of any type.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Object {
            $(
                #[doc = concat!("See [`", stringify!($name), "`].")]
                $name($name),
            )*
        }

        /// The value of `$type` of every object type.
        pub const OBJECT_TYPES: &[&str] = &[$($type),*];

        impl Object {
            /// Decodes an object of the type that its `$type` names.
            ///
            /// # Errors
            /// Each variant of [`enum@Error`].
            pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
                match read_header(bytes)?.object_type {
                    $($type => decode_object::<$name>(bytes).map(Object::$name),)*
                    kind => Err(Error::UnknownType(kind.chars().take(40).collect())),
                }
            }

            /// The value of `$type`.
            pub fn object_type(&self) -> &'static str {
                match self { $(Object::$name(_) => $type,)* }
            }

            /// As [`ObjectType::dependencies`].
            pub fn dependencies(&self) -> Vec<Cid> {
                match self { $(Object::$name(body) => body.dependencies(),)* }
            }
        }

        $(impl From<$name> for Object {
            fn from(body: $name) -> Self {
                Object::$name(body)
            }
        })*
    };
}

objects! {
    Identity "identity";
    Snapshot "snapshot";
    Structure "structure";
    Content "content";
    Chunk "chunk";
    Dataset "dataset";
    Recipe "recipe";
    Release "release";
    Retraction "retraction";
    Attestation "attestation";
}

/// The direct dependencies of a block; raw bytes have none.
///
/// A chunk has no dependencies, so only its header is read here; its columns are checked when its
/// content is unpacked.
///
/// # Errors
/// As [`Object::decode`].
pub fn block_dependencies(id: Cid, bytes: &[u8]) -> Result<Vec<Cid>, Error> {
    match id.codec() {
        Codec::Raw => Ok(Vec::new()),
        Codec::DagCbor if read_header(bytes)?.object_type == Chunk::TYPE => Ok(Vec::new()),
        Codec::DagCbor => Object::decode(bytes).map(|object| object.dependencies()),
    }
}
