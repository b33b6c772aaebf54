//! Stable codes of the errors of `schemas`, as the vectors expect them.

use schemas::{car, cbor, cid, content, entry, key, object};

use crate::vector::VectorLevel;

/// Step that found an error, and the code of the error.
pub type LevelCode = (VectorLevel, &'static str);

/// Codes of strict CBOR.
pub fn cbor_code(error: &cbor::Error) -> LevelCode {
    use cbor::Error as E;
    let code = match error {
        E::Truncated { .. } => "truncated",
        E::Trailing { .. } => "trailing",
        E::Minimal { .. } => "minimal",
        E::Indefinite { .. } => "indefinite",
        E::Simple { .. } => "simple",
        E::Tag { .. } => "tag",
        E::Link { .. } => "link",
        E::Key { .. } => "map-key",
        E::Order { .. } => "order",
        E::Utf8 { .. } => "utf8",
        E::Depth { .. } => "depth",
        E::Items { .. } => "items",
        // Decoders differ in which of the two they report: a null for an absent field may count as
        // a wrong type or as a non-canonical encoding.
        E::Shape(_) | E::Canonical => return (VectorLevel::Object, "shape"),
    };
    (VectorLevel::Cbor, code)
}

/// Codes of objects.
pub fn object_code(error: &object::Error) -> LevelCode {
    use object::Error as E;
    match error {
        E::TooLarge(_) => (VectorLevel::Size, "large"),
        E::Cbor(error) => cbor_code(error),
        E::UnknownType(_) => (VectorLevel::Object, "kind"),
        E::WrongType { .. } => (VectorLevel::Object, "other"),
        E::Version(_) => (VectorLevel::Object, "version"),
        E::Rule(_) => (VectorLevel::Object, "rule"),
    }
}

/// Codes of contents with their blocks.
pub fn content_code(error: &content::Error) -> LevelCode {
    use content::Error as E;
    let code = match error {
        E::Missing(_) => "missing",
        E::Object(_, error) => return object_code(error),
        E::Table(_) => "table",
        E::Canonical(..) => "canonical",
    };
    (VectorLevel::Content, code)
}

/// Codes of keys and signatures.
pub fn key_code(error: key::Error) -> LevelCode {
    use key::Error as E;
    let code = match error {
        E::Encoding => "key-encoding",
        E::Weak => "key-weak",
        E::Signature => "signature",
        E::Did => "did",
    };
    (VectorLevel::Signature, code)
}

/// Messages of [`entry::Error::Envelope`], each with its code.
const ENVELOPE_CODES: &[(&str, &str)] = &[
    ("tag 18 (COSE_Sign1) is missing", "no-tag"),
    ("not an array", "parts"),
    ("not four parts", "parts"),
    ("the unprotected header is not an empty map", "unprotected"),
    ("protected header, payload and signature are byte strings", "parts"),
    ("the signature has not 64 bytes", "signature-length"),
    ("the protected header is not a map", "header"),
    ("the algorithm is not EdDSA", "algorithm"),
    ("the key id is missing", "key-id"),
    ("the content type is missing", "content-type"),
    ("the CWT claims are missing", "claims"),
    ("the subject is missing", "subject"),
    ("the issue time is missing", "time"),
    ("unknown header label", "label"),
    ("the issuer is not a publisher id", "issuer"),
    ("`assay-prev` is not an entry id", "prev"),
    ("issuer, sequence number, previous entry and authority are not all present and consistent", "place"),
    ("unknown content type", "content-type"),
    ("the inline object is too large", "inline"),
    ("the content type does not match the object type", "content-type"),
    ("the subject does not match the object", "subject"),
    ("the content type names no known object type", "content-type"),
    ("the subject is too long or not one line", "subject"),
    ("the payload is not a content id", "payload"),
    ("the payload is not the id of an object", "payload"),
];

/// Codes of entries.
pub fn entry_code(error: &entry::Error) -> LevelCode {
    use entry::Error as E;
    match error {
        E::TooLarge(_) => (VectorLevel::Size, "large"),
        E::Cbor(error) => cbor_code(error),
        E::Envelope(text) => {
            let known = ENVELOPE_CODES.iter().find(|(known, _)| known == text);
            // No vector expects `unnamed`, so a text that is not listed fails its test.
            (VectorLevel::Envelope, known.map_or("unnamed", |(_, code)| code))
        }
        E::Key(error) => key_code(*error),
        E::Object(error) => object_code(error),
    }
}

/// Codes of identifiers as text.
pub fn id_code(error: &cid::Error) -> LevelCode {
    let code = match error {
        cid::Error::Syntax(_) => "syntax",
        cid::Error::Unsupported => "kind",
    };
    (VectorLevel::Id, code)
}

/// Codes of files of blocks.
pub fn car_code(error: &car::Error) -> LevelCode {
    use car::Error as E;
    let code = match error {
        E::Header(_) => "header",
        E::Truncated { .. } => "truncated",
        E::Length { .. } => "length",
        E::Cid { .. } => "foreign",
        E::Hash { .. } => "hash",
    };
    (VectorLevel::Car, code)
}
