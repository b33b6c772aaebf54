//! Proof in a type: bytes whose size, canonical form, hash and (for entries) signature were checked.
//!
//! Checking is the only constructor of [`Sealed`]; blocks from disk, gossip, sync, HTTP and bundles all
//! go through it. The bytes are authoritative: they are hashed, stored and forwarded as received.

use crate::cid::Cid;
use crate::object::{self, Object, ObjectType};

/// A type whose encoded form can be checked.
pub trait Seal: Sized {
    /// The id of such a block.
    type Id: Copy + Into<Cid>;
    /// Rejection of bytes.
    type Error;

    /// Checks and decodes `bytes`.
    ///
    /// # Errors
    /// The first check that fails.
    fn open(bytes: &[u8]) -> Result<(Self::Id, Self), Self::Error>;
}

/// A checked value, its id and the bytes that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed<T: Seal> {
    id: T::Id,
    value: T,
    bytes: Vec<u8>,
}

impl<T: Seal> Sealed<T> {
    /// Checks `bytes`.
    ///
    /// # Errors
    /// As [`Seal::open`].
    pub fn open(bytes: impl Into<Vec<u8>>) -> Result<Self, T::Error> {
        let bytes = bytes.into();
        let (id, value) = T::open(&bytes)?;
        Ok(Self { id, value, bytes })
    }

    /// The id.
    pub fn id(&self) -> T::Id {
        self.id
    }

    /// The decoded value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The bytes as received.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Consumes the value and returns its bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl<T: ObjectType> Seal for T {
    type Id = T::Id;
    type Error = object::Error;

    fn open(bytes: &[u8]) -> Result<(T::Id, T), object::Error> {
        let body = object::decode_object(bytes)?;
        let id = T::Id::try_from(Cid::of(crate::cid::Codec::DagCbor, bytes));
        id.map(|id| (id, body)).map_err(|_| object::Error::UnknownType(T::TYPE.into()))
    }
}

impl Seal for Object {
    type Id = Cid;
    type Error = object::Error;

    fn open(bytes: &[u8]) -> Result<(Cid, Object), object::Error> {
        Ok((Cid::of(crate::cid::Codec::DagCbor, bytes), Object::decode(bytes)?))
    }
}
