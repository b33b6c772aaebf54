//! The codes of faults: what a vector expects, for every fault that `schemas` can tell.

use schemas::{car, cbor, cid, content, entry, key, object};

use crate::case::Level;

/// Where a fault was found, and its code.
pub type Fault = (Level, &'static str);

/// Codes of strict CBOR.
pub fn cbor(fault: &cbor::Error) -> Fault {
    use cbor::Error as E;
    let code = match fault {
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
        // Which of the two notices depends on the decoder: a null where a field should be absent
        // may be a wrong type or a second spelling.
        E::Shape(_) | E::Canonical => return (Level::Object, "shape"),
    };
    (Level::Cbor, code)
}

/// Codes of objects.
pub fn object(fault: &object::Error) -> Fault {
    use object::Error as E;
    match fault {
        E::Large(_) => (Level::Size, "large"),
        E::Cbor(fault) => cbor(fault),
        E::Kind(_) => (Level::Object, "kind"),
        E::Other { .. } => (Level::Object, "other"),
        E::Version(_) => (Level::Object, "version"),
        E::Rule(_) => (Level::Object, "rule"),
    }
}

/// Codes of contents with their blocks.
pub fn content(fault: &content::Error) -> Fault {
    use content::Error as E;
    let code = match fault {
        E::Missing(_) => "missing",
        E::Object(_, fault) => return object(fault),
        E::Table(_) => "table",
        E::Canonical(..) => "canonical",
    };
    (Level::Content, code)
}

/// Codes of keys and signatures.
pub fn key(fault: key::Error) -> Fault {
    use key::Error as E;
    let code = match fault {
        E::Encoding => "key-encoding",
        E::Weak => "key-weak",
        E::Signature => "signature",
        E::Did => "did",
    };
    (Level::Signature, code)
}

/// What [`entry::Error::Envelope`] says, and its code.
const ENVELOPE: &[(&str, &str)] = &[
    ("tag 18 (COSE_Sign1) is missing", "no-tag"),
    ("not an array", "parts"),
    ("not four parts", "parts"),
    ("the unprotected header is not an empty map", "unprotected"),
    ("protected header, payload and signature are byte strings", "parts"),
    ("the signature has not 64 bytes", "signature-length"),
    ("the protected header is not a map", "header"),
    ("the algorithm is not EdDSA", "algorithm"),
    ("no key id", "key-id"),
    ("no content type", "content-type"),
    ("no claims", "claims"),
    ("no subject", "subject"),
    ("no time", "time"),
    ("a header label that is not ours", "label"),
    ("the issuer is no publisher id", "issuer"),
    ("the entry before is no entry id", "prev"),
    ("issuer, sequence number, entry before and authority do not fit together", "place"),
    ("a content type that is not ours", "content-type"),
    ("an object too large to stand inline", "inline"),
    ("the content type names another kind of object", "content-type"),
    ("the subject is not that of the object", "subject"),
    ("the content type names no kind of object", "content-type"),
    ("the subject is too long or holds control characters", "subject"),
    ("the payload is no content id", "payload"),
    ("the payload names no object", "payload"),
];

/// Codes of entries.
pub fn entry(fault: &entry::Error) -> Fault {
    use entry::Error as E;
    match fault {
        E::Large(_) => (Level::Size, "large"),
        E::Cbor(fault) => cbor(fault),
        E::Envelope(text) => {
            let known = ENVELOPE.iter().find(|(known, _)| known == text);
            (Level::Envelope, known.map_or("unnamed", |(_, code)| code))
        }
        E::Key(fault) => key(*fault),
        E::Object(fault) => object(fault),
    }
}

/// Codes of identifiers as text.
pub fn id(fault: &cid::Error) -> Fault {
    let code = match fault {
        cid::Error::Syntax(_) => "syntax",
        cid::Error::Kind => "kind",
    };
    (Level::Id, code)
}

/// Codes of files of blocks.
pub fn car(fault: &car::Error) -> Fault {
    use car::Error as E;
    let code = match fault {
        E::Header(_) => "header",
        E::Truncated { .. } => "truncated",
        E::Length { .. } => "length",
        E::Cid { .. } => "foreign",
        E::Hash { .. } => "hash",
    };
    (Level::Car, code)
}
