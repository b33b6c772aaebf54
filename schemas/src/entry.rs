//! Entries of a publisher's log: COSE_Sign1 envelopes around objects.
//!
//! An entry is `18([protected, {}, payload, signature])` in canonical CBOR. The protected header names
//! the signing key, the object and its position in the log; the payload is the object itself up to
//! [`INLINE_BYTES_MAX`] bytes, otherwise its id. This module checks the envelope, and the signature with
//! the key in the header; whether that key may sign at that position is a rule of the ledger.
//!
//! Implements: RFC 9052, sections 4.2 and 4.4 (COSE_Sign1, Sig_structure); RFC 9053, section 2.2
//! (EdDSA); RFC 9597 (CWT claims in headers); the shape of a SCITT signed statement.

use std::collections::BTreeMap;

use serde_cbor::Value;

use crate::cbor::{self, CborRules};
use crate::cid::{Cid, Codec, EntryId, PublisherId};
use crate::key::{self, PublicKey, SIGNATURE_BYTES, SecretKey};
use crate::limits::{ENTRY_BYTES_MAX, INLINE_BYTES_MAX};
use crate::object::{self, Object};
use crate::seal::{Seal, Sealed};
use crate::text::Line;

/// COSE header label: algorithm.
const ALG: i128 = 1;
/// COSE header label: content type.
const CONTENT_TYPE: i128 = 3;
/// COSE header label: key id; here the 32 bytes of the public key.
const KID: i128 = 4;
/// COSE header label: CWT claims (RFC 9597).
const CLAIMS: i128 = 15;
/// CWT claim: issuer, here the publisher id as text.
const ISS: i128 = 1;
/// CWT claim: subject.
const SUB: i128 = 2;
/// CWT claim: issued at, seconds since 1970.
const IAT: i128 = 6;
/// COSE algorithm: EdDSA.
const EDDSA: i128 = -8;
/// Our header label: sequence number of the key operation that allows the key.
const AUTH: &str = "assay-auth";
/// Our header label: id of the entry before.
const PREV: &str = "assay-prev";
/// Our header label: sequence number.
const SEQ: &str = "assay-seq";
/// First bytes of every Sig_structure.
const CONTEXT: &str = "Signature1";

/// Position of an entry in its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryPosition {
    /// The first entry: it carries the identity, and its id is the publisher's.
    Genesis,
    /// A later entry.
    Next {
        /// The log.
        publisher: PublisherId,
        /// Sequence number, from 1.
        seq: u64,
        /// The entry before.
        prev: EntryId,
        /// Sequence number of the entry that allows the key.
        authority: u64,
    },
}

/// The object of an entry, inline or linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// The object itself, with its canonical bytes.
    Inline(Box<Object>, Vec<u8>),
    /// The id of an object that is larger than [`INLINE_BYTES_MAX`].
    Linked(Cid),
}

/// A log entry with a checked envelope and signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its position in the log.
    pub position: EntryPosition,
    /// The key that signed it.
    pub key: PublicKey,
    /// Signing time as claimed by the publisher: seconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    /// The type of the object.
    pub object_type: String,
    /// The subject: a dataflow, an indicator, a release (see [`object_subject`]).
    pub subject: String,
    /// The object or its id.
    pub payload: Payload,
}

/// Rejection of bytes that should be an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More bytes than an entry may have.
    #[error("an entry of {0} bytes where at most {ENTRY_BYTES_MAX} are allowed")]
    TooLarge(usize),
    /// The envelope is not canonical CBOR.
    #[error("envelope: {0}")]
    Cbor(#[from] cbor::Error),
    /// The envelope is canonical CBOR, but not an Assay entry.
    #[error("envelope: {0}")]
    Envelope(&'static str),
    /// The key is invalid, or signature verification failed.
    #[error(transparent)]
    Key(#[from] key::Error),
    /// The inline object is invalid.
    #[error("payload: {0}")]
    Object(#[from] object::Error),
}

impl Entry {
    /// The sequence number.
    pub fn seq(&self) -> u64 {
        match self.position {
            EntryPosition::Genesis => 0,
            EntryPosition::Next { seq, .. } => seq,
        }
    }

    /// The id of the object.
    pub fn object(&self) -> Cid {
        match &self.payload {
            Payload::Inline(_, bytes) => Cid::of(Codec::DagCbor, bytes),
            Payload::Linked(id) => *id,
        }
    }
}

impl Sealed<Entry> {
    /// The log that this entry belongs to.
    pub fn publisher(&self) -> PublisherId {
        match self.value().position {
            EntryPosition::Genesis => self.id().into(),
            EntryPosition::Next { publisher, .. } => publisher,
        }
    }
}

/// The subject of an object, as it stands in the header of its entry.
pub fn object_subject(object: &Object) -> String {
    match object {
        Object::Identity(identity) => identity.name.to_string(),
        Object::Dataset(dataset) => dataset.dataflow.to_string(),
        Object::Recipe(recipe) => recipe.indicator.to_string(),
        Object::Release(release) => release.dataflow.to_string(),
        Object::Retraction(retraction) => retraction.subject.to_string(),
        Object::Attestation(attestation) => attestation.release.to_string(),
        // Dependencies of other objects; they have no entries (specs/log.md, section 5).
        Object::Snapshot(_) | Object::Structure(_) | Object::Content(_) | Object::Chunk(_) => String::new(),
    }
}

/// Signs an object at a position of a log. `time` is the claimed time in seconds since 1970.
///
/// # Errors
/// [`Error::Object`] when `object` is not a valid encoded object.
pub fn sign_entry(
    position: EntryPosition,
    time: i64,
    object: &[u8],
    key: &SecretKey,
) -> Result<Sealed<Entry>, Error> {
    let value = Object::decode(object)?;
    let id = Cid::of(Codec::DagCbor, object);
    let inline = object.len() <= INLINE_BYTES_MAX;
    let payload = if inline { object.to_vec() } else { id.to_bytes().to_vec() };
    let protected = encode_protected_header(position, time, &value, inline, &key.public())?;
    let signature = key.sign(&to_be_signed(&protected, &payload)?);
    // Opened again, so that an entry which other nodes would reject never leaves this function.
    Sealed::open(encode_envelope(protected, payload, signature.to_vec())?)
}

/// Encodes the protected header.
fn encode_protected_header(
    position: EntryPosition,
    time: i64,
    object: &Object,
    inline: bool,
    key: &PublicKey,
) -> Result<Vec<u8>, Error> {
    let text = |text: &str| Value::Text(text.into());
    let mut claims = BTreeMap::from([
        (Value::Integer(SUB), Value::Text(object_subject(object))),
        (Value::Integer(IAT), Value::Integer(time.into())),
    ]);
    let mut header = BTreeMap::from([
        (Value::Integer(ALG), Value::Integer(EDDSA)),
        (Value::Integer(CONTENT_TYPE), Value::Text(content_type(object.object_type(), inline))),
        (Value::Integer(KID), Value::Bytes(key.as_bytes().to_vec())),
    ]);
    if let EntryPosition::Next { publisher, seq, prev, authority } = position {
        claims.insert(Value::Integer(ISS), Value::Text(publisher.to_string()));
        header.insert(text(SEQ), Value::Integer(seq.into()));
        header.insert(text(PREV), Value::Bytes(prev.cid().to_bytes().to_vec()));
        header.insert(text(AUTH), Value::Integer(authority.into()));
    }
    header.insert(Value::Integer(CLAIMS), Value::Map(claims));
    Ok(cbor::to_bytes(&Value::Map(header))?)
}

fn content_type(kind: &str, inline: bool) -> String {
    let suffix = if inline { "dag-cbor" } else { "cid" };
    format!("application/vnd.assay.{kind}+{suffix}")
}

/// Encodes the Sig_structure (RFC 9052, section 4.4).
fn to_be_signed(protected: &[u8], payload: &[u8]) -> Result<Vec<u8>, Error> {
    let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
    // The third item is `external_aad`: empty, but present (RFC 9052, section 4.4).
    let parts = vec![Value::Text(CONTEXT.into()), bytes(protected), bytes(&[]), bytes(payload)];
    Ok(cbor::to_bytes(&Value::Array(parts))?)
}

fn encode_envelope(protected: Vec<u8>, payload: Vec<u8>, signature: Vec<u8>) -> Result<Vec<u8>, Error> {
    let parts = vec![
        Value::Bytes(protected),
        // No unprotected header: it is not signed, so anyone could change it and thereby the id.
        Value::Map(BTreeMap::new()),
        Value::Bytes(payload),
        Value::Bytes(signature),
    ];
    Ok(cbor::to_bytes(&Value::Tag(18, Box::new(Value::Array(parts))))?)
}

impl Seal for Entry {
    type Id = EntryId;
    type Error = Error;

    fn open(bytes: &[u8]) -> Result<(EntryId, Entry), Error> {
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(Error::TooLarge(bytes.len()));
        }
        // The scan bounds depth and items before serde_cbor recurses and allocates.
        cbor::scan(bytes, CborRules::Cose, |_| {})?;
        let (protected, payload, signature) = split_envelope(cbor::from_bytes(bytes)?)?;
        // The header is a byte string of the envelope, so the first scan did not look inside.
        cbor::scan(&protected, CborRules::Cose, |_| {})?;
        let Value::Map(header) = cbor::from_bytes(&protected)? else {
            return Err(Error::Envelope("the protected header is not a map"));
        };
        let entry = read_entry(header, &payload)?;
        entry.key.verify(&to_be_signed(&protected, &payload)?, &signature)?;
        Ok((EntryId::of(bytes), entry))
    }
}

type EnvelopeParts = (Vec<u8>, Vec<u8>, [u8; SIGNATURE_BYTES]);

/// Splits the envelope into its parts: exactly four items of the right types behind tag 18.
fn split_envelope(value: Value) -> Result<EnvelopeParts, Error> {
    let Value::Tag(18, array) = value else {
        return Err(Error::Envelope("tag 18 (COSE_Sign1) is missing"));
    };
    let Value::Array(items) = *array else {
        return Err(Error::Envelope("not an array"));
    };
    let [protected, unprotected, payload, signature] =
        <[Value; 4]>::try_from(items).map_err(|_| Error::Envelope("not four parts"))?;
    if unprotected != Value::Map(BTreeMap::new()) {
        return Err(Error::Envelope("the unprotected header is not an empty map"));
    }
    let (Value::Bytes(protected), Value::Bytes(payload), Value::Bytes(signature)) =
        (protected, payload, signature)
    else {
        return Err(Error::Envelope("protected header, payload and signature are byte strings"));
    };
    let signature = signature.try_into().map_err(|_| Error::Envelope("the signature has not 64 bytes"))?;
    Ok((protected, payload, signature))
}

/// The labels of a header. Known ones are removed as they are read, so the rest is unknown.
struct HeaderLabels(BTreeMap<Value, Value>);

impl HeaderLabels {
    fn integer(&mut self, label: Value) -> Option<i128> {
        match self.0.remove(&label)? {
            Value::Integer(value) => Some(value),
            _ => None,
        }
    }

    fn text(&mut self, label: Value) -> Option<String> {
        match self.0.remove(&label)? {
            Value::Text(value) => Some(value),
            _ => None,
        }
    }

    fn bytes(&mut self, label: Value) -> Option<Vec<u8>> {
        match self.0.remove(&label)? {
            Value::Bytes(value) => Some(value),
            _ => None,
        }
    }

    fn done(&self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Envelope("unknown header label")) }
    }
}

fn read_entry(header: BTreeMap<Value, Value>, payload: &[u8]) -> Result<Entry, Error> {
    let mut header = HeaderLabels(header);
    if header.integer(Value::Integer(ALG)) != Some(EDDSA) {
        return Err(Error::Envelope("the algorithm is not EdDSA"));
    }
    let kid = header.bytes(Value::Integer(KID)).ok_or(Error::Envelope("the key id is missing"))?;
    let key = PublicKey::new(&kid)?;
    let content_type =
        header.text(Value::Integer(CONTENT_TYPE)).ok_or(Error::Envelope("the content type is missing"))?;
    let Some(Value::Map(claims)) = header.0.remove(&Value::Integer(CLAIMS)) else {
        return Err(Error::Envelope("the CWT claims are missing"));
    };
    let mut claims = HeaderLabels(claims);
    let subject = claims.text(Value::Integer(SUB)).ok_or(Error::Envelope("the subject is missing"))?;
    let time = claims.integer(Value::Integer(IAT)).and_then(|time| i64::try_from(time).ok());
    let time = time.ok_or(Error::Envelope("the issue time is missing"))?;
    let position = read_position(&mut header, claims.text(Value::Integer(ISS)))?;
    // Labels are removed as they are read, so one that is left is unknown (specs/log.md, section 2).
    header.done()?;
    claims.done()?;
    let (kind, payload) = read_payload(&content_type, &subject, payload)?;
    Ok(Entry { position, key, time, object_type: kind, subject, payload })
}

/// Reads the position: the genesis has none of issuer, sequence number, previous entry and authority;
/// every other entry has all four.
fn read_position(header: &mut HeaderLabels, issuer: Option<String>) -> Result<EntryPosition, Error> {
    let number = |header: &mut HeaderLabels, label: &str| {
        header.integer(Value::Text(label.into())).and_then(|value| u64::try_from(value).ok())
    };
    let (seq, authority) = (number(header, SEQ), number(header, AUTH));
    let prev = header.bytes(Value::Text(PREV.into()));
    match (issuer, seq, authority, prev) {
        (None, None, None, None) => Ok(EntryPosition::Genesis),
        // The entry that grants the key its uses must come before this one (specs/log.md, section 2).
        (Some(issuer), Some(seq @ 1..), Some(authority), Some(prev)) if authority < seq => {
            let publisher =
                issuer.parse().map_err(|_| Error::Envelope("the issuer is not a publisher id"))?;
            let prev = Cid::from_bytes(&prev).and_then(EntryId::try_from);
            let prev = prev.map_err(|_| Error::Envelope("`assay-prev` is not an entry id"))?;
            Ok(EntryPosition::Next { publisher, seq, prev, authority })
        }
        _ => Err(Error::Envelope(
            "issuer, sequence number, previous entry and authority are not all present and consistent",
        )),
    }
}

/// Reads the object type from the content type, and the payload.
fn read_payload(content_type: &str, stated: &str, payload: &[u8]) -> Result<(String, Payload), Error> {
    let unknown = Error::Envelope("unknown content type");
    let rest = content_type.strip_prefix("application/vnd.assay.").ok_or(unknown.clone())?;
    match rest.split_once('+') {
        Some((kind, "dag-cbor")) => {
            if payload.len() > INLINE_BYTES_MAX {
                return Err(Error::Envelope("the inline object is too large"));
            }
            let object = Object::decode(payload)?;
            if object.object_type() != kind {
                return Err(Error::Envelope("the content type does not match the object type"));
            }
            if object_subject(&object) != stated {
                return Err(Error::Envelope("the subject does not match the object"));
            }
            Ok((kind.to_owned(), Payload::Inline(Box::new(object), payload.to_vec())))
        }
        Some((kind, "cid")) => {
            let id =
                Cid::from_bytes(payload).map_err(|_| Error::Envelope("the payload is not a content id"))?;
            if id.codec() != Codec::DagCbor {
                return Err(Error::Envelope("the payload is not the id of an object"));
            }
            if !object::OBJECT_TYPES.contains(&kind) {
                return Err(Error::Envelope("the content type names no known object type"));
            }
            // The object may not be stored yet, so only the form of its subject can be checked here.
            if Line::<256>::new(stated).is_err() {
                return Err(Error::Envelope("the subject is too long or not one line"));
            }
            Ok((kind.to_owned(), Payload::Linked(id)))
        }
        _ => Err(unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{Identity, KeyUse, OperatingKey, Retraction, RetractionScope, encode_object};
    fn identity(root: &SecretKey, operating: &SecretKey) -> Vec<u8> {
        let key = OperatingKey { key: operating.public(), uses: vec![KeyUse::Publish, KeyUse::Attest] };
        let identity = Identity {
            name: Line::new("Publisher").unwrap(),
            contact: None,
            roots: vec![root.public()],
            next_root: [9; 32],
            keys: vec![key],
        };
        encode_object(&identity).unwrap()
    }

    fn log() -> (Sealed<Entry>, Sealed<Entry>) {
        let (root, operating) = (SecretKey::from_seed(&[1; 32]), SecretKey::from_seed(&[2; 32]));
        let genesis =
            sign_entry(EntryPosition::Genesis, 1_700_000_000, &identity(&root, &operating), &root).unwrap();
        let retraction = Retraction {
            subject: genesis.id().cid(),
            scope: RetractionScope::Whole,
            reason: crate::text::Text::new("a test").unwrap(),
            replacement: None,
        };
        let position =
            EntryPosition::Next { publisher: genesis.publisher(), seq: 1, prev: genesis.id(), authority: 0 };
        let next =
            sign_entry(position, 1_700_000_060, &encode_object(&retraction).unwrap(), &operating).unwrap();
        (genesis, next)
    }

    #[test]
    fn entries_lead_back() {
        let (genesis, next) = log();
        assert_eq!(genesis.value().position, EntryPosition::Genesis);
        assert_eq!((next.publisher(), next.value().seq()), (genesis.publisher(), 1));
        assert_eq!(next.value().object_type, "retraction");
        let again = Sealed::<Entry>::open(next.bytes().to_vec()).unwrap();
        assert_eq!(again, next);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let (_, next) = log();
        for at in 0..next.bytes().len() {
            for bit in 0..8 {
                let mut changed = next.bytes().to_vec();
                changed[at] ^= 1 << bit;
                assert!(Sealed::<Entry>::open(changed).is_err(), "byte {at}, bit {bit}");
            }
        }
    }
}
