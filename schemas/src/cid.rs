//! Content identifiers: CIDv1 over BLAKE3-256, 36 bytes, text in base32 lower case.
//!
//! Two codecs only: `dag-cbor` for objects and `raw` for everything else (log entries, pieces of
//! source documents). Each kind of object has an id type of its own; [`Cid`] is common to all of them.

use std::fmt;
use std::str::FromStr;

use cid::CidGeneric;
use multihash::Multihash;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_cbor::tags::Tagged;

/// The tag of a link (DAG-CBOR specification, "Links").
pub const TAG_LINK: u64 = 42;

/// Bytes of an identifier in binary form.
pub const CID_BYTES: usize = 36;

/// Multihash code of BLAKE3 (multicodec table).
const BLAKE3: u64 = 0x1e;

/// Encoding of a block (multicodec table).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// Any bytes.
    Raw,
    /// Strict DAG-CBOR.
    DagCbor,
}

impl Codec {
    /// The code of the multicodec table.
    pub fn code(self) -> u8 {
        match self {
            Codec::Raw => 0x55,
            Codec::DagCbor => 0x71,
        }
    }
}

/// The identifier of a block.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cid {
    codec: Codec,
    digest: [u8; 32],
}

/// Rejection of a text or bytes that should be an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a CID, or not in lower-case base32.
    #[error("`{0}` is not a content id (CIDv1, base32, beginning with `b`)")]
    Syntax(String),
    /// A CID with another version, codec or hash.
    #[error("unsupported content id (expected CIDv1, dag-cbor or raw, BLAKE3-256)")]
    Unsupported,
}

impl Cid {
    /// The identifier of `bytes`.
    pub fn of(codec: Codec, bytes: &[u8]) -> Self {
        Self { codec, digest: *blake3::hash(bytes).as_bytes() }
    }

    /// The codec.
    pub fn codec(self) -> Codec {
        self.codec
    }

    /// The BLAKE3-256 digest.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Whether `bytes` have this id.
    pub fn matches(self, bytes: &[u8]) -> bool {
        self == Self::of(self.codec, bytes)
    }

    /// The binary form: version, codec, hash, length, digest.
    pub fn to_bytes(self) -> [u8; CID_BYTES] {
        let mut bytes = [0; CID_BYTES];
        let (head, digest) = bytes.split_at_mut(4);
        head.copy_from_slice(&[1, self.codec.code(), BLAKE3 as u8, 32]);
        digest.copy_from_slice(&self.digest);
        bytes
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for anything but 36 bytes with a supported version, codec and hash.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        // One version, two codecs, one hash and one length exist (specs/objects.md, section 2).
        let (codec, digest) = match bytes {
            [1, 0x55, 0x1e, 32, digest @ ..] => (Codec::Raw, digest),
            [1, 0x71, 0x1e, 32, digest @ ..] => (Codec::DagCbor, digest),
            _ => return Err(Error::Unsupported),
        };
        let digest = digest.try_into().map_err(|_| Error::Unsupported)?;
        Ok(Self { codec, digest })
    }
}

/// The link inside tag 42: a zero byte and a CID (DAG-CBOR specification, "Links").
pub(crate) fn from_link(content: &[u8]) -> Option<Cid> {
    // DAG-CBOR puts the multibase prefix of plain bytes, zero, before the id.
    Cid::from_bytes(content.strip_prefix(&[0])?).ok()
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = Multihash::<32>::wrap(BLAKE3, &self.digest).map_err(|_| fmt::Error)?;
        f.pad(&CidGeneric::<32>::new_v1(u64::from(self.codec.code()), hash).to_string())
    }
}

impl fmt::Debug for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Cid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let syntax = || Error::Syntax(text.chars().take(80).collect());
        // An id has 59 characters; a much longer text need not be decoded.
        if !text.starts_with('b') || text.len() > 80 {
            return Err(syntax());
        }
        let generic = CidGeneric::<32>::try_from(text).map_err(|_| syntax())?;
        let id = Self::from_bytes(&generic.to_bytes())?;
        // The parser of the `cid` crate accepts spellings that this format forbids.
        if id.to_string() == text { Ok(id) } else { Err(syntax()) }
    }
}

impl Serialize for Cid {
    /// A link (tag 42) in CBOR, base32 text in formats for people.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // JSON has no tags, so the id is a text there.
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        let mut link = [0; CID_BYTES + 1];
        link.split_at_mut(1).1.copy_from_slice(&self.to_bytes());
        Tagged::new(Some(TAG_LINK), serde_bytes::Bytes::new(&link)).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Cid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        if deserializer.is_human_readable() {
            return String::deserialize(deserializer)?.parse().map_err(D::Error::custom);
        }
        let link = Tagged::<serde_bytes::ByteBuf>::deserialize(deserializer)?;
        match (link.tag, from_link(&link.value)) {
            (Some(TAG_LINK), Some(id)) => Ok(id),
            _ => Err(D::Error::custom("expected a link")),
        }
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident: $codec:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Cid);

        impl $name {
            /// The codec of every such block.
            pub const CODEC: Codec = Codec::$codec;

            /// The id of the block with these bytes.
            pub fn of(bytes: &[u8]) -> Self {
                Self(Cid::of(Self::CODEC, bytes))
            }

            /// The untyped id.
            pub fn cid(self) -> Cid {
                self.0
            }
        }

        impl TryFrom<Cid> for $name {
            type Error = Error;
            fn try_from(id: Cid) -> Result<Self, Error> {
                if id.codec() == Self::CODEC { Ok(Self(id)) } else { Err(Error::Unsupported) }
            }
        }

        impl From<$name> for Cid {
            fn from(id: $name) -> Cid {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self, Error> {
                Self::try_from(text.parse::<Cid>()?)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::try_from(Cid::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A log entry: the CID of its COSE_Sign1 bytes.
    EntryId: Raw;
    /// A publisher: the id of the genesis entry of its log.
    PublisherId: Raw;
    /// A piece of a source document.
    PieceId: Raw;
    /// An `identity` object.
    IdentityId: DagCbor;
    /// A `snapshot` object.
    SnapshotId: DagCbor;
    /// A `structure` object.
    StructureId: DagCbor;
    /// A `content` object: the data, independent of the publisher.
    ContentId: DagCbor;
    /// A `chunk` object.
    ChunkId: DagCbor;
    /// A `dataset` object.
    DatasetId: DagCbor;
    /// A `recipe` object.
    RecipeId: DagCbor;
    /// A `release` object.
    ReleaseId: DagCbor;
    /// A `retraction` object.
    RetractionId: DagCbor;
    /// An `attestation` object.
    AttestationId: DagCbor;
}

impl PublisherId {
    /// The first entry of the publisher's log.
    pub fn genesis(self) -> EntryId {
        EntryId(self.0)
    }
}

impl From<EntryId> for PublisherId {
    /// The publisher whose log begins with this entry.
    fn from(genesis: EntryId) -> Self {
        Self(genesis.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_lead_back() {
        for codec in [Codec::Raw, Codec::DagCbor] {
            let id = Cid::of(codec, b"assay");
            assert_eq!(id.to_string().parse(), Ok(id));
            assert_eq!(Cid::from_bytes(&id.to_bytes()), Ok(id));
            assert!(id.matches(b"assay") && !id.matches(b"Assay"));
        }
        let raw = Cid::of(Codec::Raw, b"assay");
        assert!(ReleaseId::try_from(raw).is_err(), "a release is an object");
    }

    #[test]
    fn foreign_identifiers_are_refused() {
        let id = Cid::of(Codec::DagCbor, b"assay").to_string();
        let sha256 = "bafyreib4pff766vhpbxbhjbqqnsh5emeznvujayjj4z2iu533cprgbz23m";
        for text in ["", "b", sha256, &id.to_uppercase(), &format!("{id}a"), &format!("z{id}")] {
            assert!(text.parse::<Cid>().is_err(), "{text}");
        }
        assert!(Cid::from_bytes(&[1, 0x71, 0x1e, 32, 0]).is_err());
    }
}
