//! The objects of the ledger: what publishers sign, and what that refers to.
//!
//! Each object is a DAG-CBOR map with its fields, `$type` (the kind) and `v` (its version, 1).
//! The kinds are listed in [`Object`]; the fields stand in the structs below and in the CDDL
//! grammar. An object is read through [`decode`] only, which checks size, canonical form, fields
//! and the rules that types cannot say ([`Body::check`]).

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_cbor::Value;

use crate::cbor::{self, CborItem, CborRules, CborToken};
use crate::chunk::Chunk;
use crate::cid::{Cid, Codec};
use crate::limits::BLOCK_BYTES_MAX;

mod data;
mod identity;
mod recipe;
mod release;

pub use data::{CHUNKS_MAX, CODES_MAX, ChunkRef, Code, Content, Dataset, Provenance, Snapshot, Structure};
pub use identity::{Identity, KEYS_MAX, KeyUse, OperatingKey};
pub use recipe::{Deviation, NOTES_MAX, PORTS_MAX, Recipe, RecipeInput, RecipeOutput, RunLimits};
pub use release::{
    Attestation, POINTS_MAX, Release, Retraction, RetractionScope, RevisionReason, SourceCheck, Supersession,
};

/// The version of every object so far.
pub const VERSION: u64 = 1;

/// Why bytes are no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More bytes than a block may have.
    #[error("{0} bytes where at most {BLOCK_BYTES_MAX} are allowed")]
    TooLarge(usize),
    /// Not strict DAG-CBOR, or not the fields of its kind.
    #[error(transparent)]
    Cbor(#[from] cbor::Error),
    /// No `$type`, or one that this version does not know.
    #[error("unknown kind of object `{0}`")]
    UnknownType(String),
    /// An object of another kind than expected.
    #[error("expected an object of kind `{expected}`, found `{found}`")]
    WrongType {
        /// The kind asked for.
        expected: &'static str,
        /// The kind found.
        found: String,
    },
    /// A version that this program does not know.
    #[error("version {0} of this kind of object is not known here")]
    Version(u64),
    /// The fields break a rule.
    #[error("{0}")]
    Rule(String),
}

/// What all kinds of object have in common.
pub trait ObjectType: Serialize + DeserializeOwned {
    /// The value of `$type`.
    const TYPE: &'static str;
    /// The id of an object of this kind.
    type Id: TryFrom<Cid> + Into<Cid> + Copy;

    /// The rules that the types of the fields cannot say.
    ///
    /// # Errors
    /// A sentence that says which rule is broken.
    fn check_rules(&self) -> Result<(), String> {
        Ok(())
    }

    /// The blocks that must be held for this object to be whole, not counting what they need.
    fn dependencies(&self) -> Vec<Cid> {
        Vec::new()
    }
}

/// The canonical bytes of an object.
///
/// # Errors
/// [`Error::Rule`] when it breaks a rule of its kind, [`Error::Large`].
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

/// Reads an object of one kind.
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
    if encode_object(&body)? == bytes { Ok(body) } else { Err(cbor::Error::Canonical.into()) }
}

/// The kind, the version and the map without these two.
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

/// The map without the pairs `$type` and `v`, which [`head`] has found in it.
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

/// The head of a map of `pairs` pairs; no kind of object has more than 255.
fn map_head(pairs: u64) -> Vec<u8> {
    match u8::try_from(pairs) {
        Ok(few @ 0..=23) => vec![0xa0 | few],
        Ok(many) => vec![0xb8, many],
        Err(_) => vec![0xb9, 0xff, 0xff],
    }
}

macro_rules! objects {
    ($($name:ident $type:literal;)*) => {
        /// An object of any kind.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Object {
            $(
                #[doc = concat!("See [`", stringify!($name), "`].")]
                $name($name),
            )*
        }

        /// The value of `$type` of every kind of object.
        pub const OBJECT_TYPES: &[&str] = &[$($type),*];

        impl Object {
            /// Reads an object of whatever kind it says it is.
            ///
            /// # Errors
            /// Each variant of [`enum@Error`].
            pub fn decode_object(bytes: &[u8]) -> Result<Self, Error> {
                match read_header(bytes)?.object_type {
                    $($type => decode_object::<$name>(bytes).map(Object::$name),)*
                    kind => Err(Error::UnknownType(kind.chars().take(40).collect())),
                }
            }

            /// The value of `$type`.
            pub fn object_type(&self) -> &'static str {
                match self { $(Object::$name(_) => $type,)* }
            }

            /// As [`Body::needs`].
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

/// The blocks that a block needs: those of its object, none for raw bytes.
///
/// A chunk needs nothing, so only its head is read here; its columns are checked when the content
/// that it belongs to is unpacked.
///
/// # Errors
/// As [`Object::decode`].
pub fn block_dependencies(id: Cid, bytes: &[u8]) -> Result<Vec<Cid>, Error> {
    match id.codec() {
        Codec::Raw => Ok(Vec::new()),
        Codec::DagCbor if read_header(bytes)?.object_type == Chunk::TYPE => Ok(Vec::new()),
        Codec::DagCbor => Object::decode_object(bytes).map(|object| object.dependencies()),
    }
}
