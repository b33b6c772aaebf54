//! Ed25519 keys and signatures, verified strictly.
//!
//! A public key is checked on construction: canonical encoding, not of small order (a forged signature
//! under such a key passes ordinary verification). Signatures are checked with `verify_strict` only, so
//! all nodes agree on which ones are valid.
//!
//! Implements: RFC 8032, section 5.1; the strict reading of "Taming the many EdDSAs" (2020).

use std::fmt;
use std::str::FromStr;

use cid::multibase::{self, Base};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes of a public key, and of a secret seed.
pub const KEY_BYTES: usize = 32;
/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;

/// Multicodec prefix of an Ed25519 public key in a `did:key`.
const DID_PREFIX: [u8; 2] = [0xed, 0x01];

/// Rejection of a key or a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not 32 bytes, not canonical, or not a point of the curve.
    #[error("not an Ed25519 public key in canonical form")]
    Encoding,
    /// A point of small order, for which anyone can forge signatures.
    #[error("weak key: a point of small order, for which anyone can forge signatures")]
    Weak,
    /// Signature verification failed.
    #[error("signature verification failed")]
    Signature,
    /// Not a `did:key` of Ed25519.
    #[error("not a did:key of Ed25519")]
    Did,
}

/// A checked public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; KEY_BYTES]);

/// 2^255 - 19, little endian: the y coordinate of a canonical key is below it.
const FIELD: [u8; KEY_BYTES] = {
    let mut prime = [0xff; KEY_BYTES];
    prime[0] = 0xed;
    prime[31] = 0x7f;
    prime
};

impl PublicKey {
    /// Checks the encoding and the order of a key.
    ///
    /// # Errors
    /// [`Error::Encoding`], [`Error::Weak`].
    pub fn new(bytes: &[u8]) -> Result<Self, Error> {
        let bytes: [u8; KEY_BYTES] = bytes.try_into().map_err(|_| Error::Encoding)?;
        // ed25519-dalek also accepts y + p, which would give one key two encodings.
        if !below_field(bytes) {
            return Err(Error::Encoding);
        }
        let point = VerifyingKey::from_bytes(&bytes).map_err(|_| Error::Encoding)?;
        if point.is_weak() { Err(Error::Weak) } else { Ok(Self(bytes)) }
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Checks a signature over `message`.
    ///
    /// # Errors
    /// [`Error::Signature`].
    pub fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> Result<(), Error> {
        let point = VerifyingKey::from_bytes(&self.0).map_err(|_| Error::Encoding)?;
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        point.verify_strict(message, &signature).map_err(|_| Error::Signature)
    }

    /// The key as a `did:key`.
    pub fn did(&self) -> String {
        let prefixed: Vec<u8> = DID_PREFIX.iter().chain(&self.0).copied().collect();
        format!("did:key:{}", multibase::encode(Base::Base58Btc, prefixed))
    }
}

/// Whether the y coordinate (without the sign bit of x) is below the field's prime.
fn below_field(mut bytes: [u8; KEY_BYTES]) -> bool {
    if let Some(last) = bytes.last_mut() {
        // The top bit is the sign of x, not part of y (RFC 8032, section 5.1.2).
        *last &= 0x7f;
    }
    bytes.iter().rev().lt(FIELD.iter().rev())
}

impl FromStr for PublicKey {
    type Err = Error;

    /// Reads a `did:key`.
    fn from_str(text: &str) -> Result<Self, Error> {
        // Decoding base58 takes quadratic time, so a long text is refused first.
        let encoded = text.strip_prefix("did:key:").filter(|rest| rest.len() < 100).ok_or(Error::Did)?;
        let (base, bytes) = multibase::decode(encoded).map_err(|_| Error::Did)?;
        if base != Base::Base58Btc {
            return Err(Error::Did);
        }
        Self::new(bytes.strip_prefix(&DID_PREFIX).ok_or(Error::Did)?)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.did())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.did())
    }
}

impl Serialize for PublicKey {
    /// A byte string in CBOR, a `did:key` in formats for people.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        if deserializer.is_human_readable() {
            return String::deserialize(deserializer)?.parse().map_err(D::Error::custom);
        }
        let bytes = serde_bytes::ByteBuf::deserialize(deserializer)?;
        Self::new(&bytes).map_err(D::Error::custom)
    }
}

/// A secret key. Its bytes are zeroed on drop, and `Debug` prints the public key only.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// The key of a seed of 32 random bytes.
    pub fn from_seed(seed: &[u8; KEY_BYTES]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The seed. Callers must keep it secret.
    pub fn seed(&self) -> [u8; KEY_BYTES] {
        self.0.to_bytes()
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The secret must not reach a log.
        write!(f, "SecretKey({})", self.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_hold_for_their_message_and_key_only() {
        let key = SecretKey::from_seed(&[7; 32]);
        let signature = key.sign(b"figure");
        assert_eq!(key.public().verify(b"figure", &signature), Ok(()));
        assert_eq!(key.public().verify(b"Figure", &signature), Err(Error::Signature));
        assert!(SecretKey::from_seed(&[8; 32]).public().verify(b"figure", &signature).is_err());
    }

    #[test]
    fn a_did_leads_back_to_its_key() {
        let key = SecretKey::from_seed(&[7; 32]).public();
        assert!(key.did().starts_with("did:key:z6Mk"));
        assert_eq!(key.did().parse(), Ok(key));
    }

    #[test]
    fn weak_and_non_canonical_keys_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(PublicKey::new(&identity), Err(Error::Weak));
        assert_eq!(PublicKey::new(&[0; 32]), Err(Error::Weak));
        let mut beyond = FIELD;
        beyond[0] = 0xee; // y = p + 1, which a lax decoder reads as 1
        assert_eq!(PublicKey::new(&beyond), Err(Error::Encoding));
        assert_eq!(PublicKey::new(&[1; 31]), Err(Error::Encoding));
    }
}
