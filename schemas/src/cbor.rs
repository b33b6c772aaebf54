//! Strict DAG-CBOR: the only encoder and decoder of the project, serde_cbor behind a prescan.
//!
//! serde_cbor's decoder accepts non-minimal integers, indefinite lengths, unsorted and duplicate
//! keys, floats and unknown tags. So every input passes [`scan`] first, which reads the bytes once
//! without recursion or allocation and refuses all of these with an error of their own; then it is
//! decoded, encoded again and compared. Encoding goes through `Value`, whose maps sort as
//! DAG-CBOR requires (shorter keys first, then bytewise).
//!
//! Implements: DAG-CBOR specification, "Strictness"; RFC 8949, section 4.2.3 (length-first order).

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_cbor::Value;

use crate::cid::{self, Cid, TAG_LINK};
use crate::limits::{DEPTH_MAX, ITEMS_MAX};

/// Rejection of bytes that should be strict CBOR. `at` is the offset of the offending byte.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes end inside an item.
    #[error("truncated at byte {at}")]
    Truncated {
        /// Offset.
        at: usize,
    },
    /// Bytes follow the one item.
    #[error("more than one item: trailing bytes from {at}")]
    Trailing {
        /// Offset.
        at: usize,
    },
    /// A head that is not the shortest for its value.
    #[error("a number or length is not in its shortest form at byte {at}")]
    Minimal {
        /// Offset.
        at: usize,
    },
    /// An indefinite length or a reserved head.
    #[error("an indefinite length or reserved head at byte {at}")]
    Indefinite {
        /// Offset.
        at: usize,
    },
    /// A float, `undefined` or another simple value.
    #[error("a float or a simple value other than false, true and null at byte {at}")]
    Simple {
        /// Offset.
        at: usize,
    },
    /// A tag other than the one allowed here.
    #[error("tag {tag} at byte {at} is not allowed")]
    Tag {
        /// The tag.
        tag: u64,
        /// Offset.
        at: usize,
    },
    /// Tag 42 around something else than a CIDv1 with BLAKE3-256.
    #[error("a malformed link at byte {at}")]
    Link {
        /// Offset.
        at: usize,
    },
    /// A map key that is not text (or, in headers, not an integer or text).
    #[error("a map key of a forbidden type at byte {at}")]
    Key {
        /// Offset.
        at: usize,
    },
    /// Map keys out of order, or twice.
    #[error("map keys are not strictly ascending at byte {at}")]
    Order {
        /// Offset.
        at: usize,
    },
    /// Text that is not UTF-8.
    #[error("text is not UTF-8 at byte {at}")]
    Utf8 {
        /// Offset.
        at: usize,
    },
    /// Nesting deeper than [`DEPTH_MAX`].
    #[error("nested deeper than {DEPTH_MAX} at byte {at}")]
    Depth {
        /// Offset.
        at: usize,
    },
    /// More than [`ITEMS_MAX`] items.
    #[error("more than {ITEMS_MAX} items at byte {at}")]
    Items {
        /// Offset.
        at: usize,
    },
    /// The bytes are strict CBOR, but not a value of the expected type.
    #[error("{0}")]
    Shape(String),
    /// The value encodes to other bytes than it was read from.
    #[error("not the canonical encoding of its value")]
    Canonical,
}

/// Dialect of CBOR to accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CborRules {
    /// Objects: text keys, links.
    DagCbor,
    /// The parts of a COSE envelope: integer and text keys, no tag but 18 (RFC 9052, section 4.2).
    Cose,
}

/// An item visited by [`scan`].
#[derive(Debug, Clone, Copy)]
pub struct CborItem<'a> {
    /// Its head and content.
    pub token: CborToken<'a>,
    /// Containers around it.
    pub depth: usize,
    /// Offset of its first byte.
    pub start: usize,
    /// Whether it is the key of a map.
    pub key: bool,
}

/// The head of an item, with the content of strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CborToken<'a> {
    /// Major type 0: the value.
    Unsigned(u64),
    /// Major type 1: the value is `-1 - n`.
    Negative(u64),
    /// Major type 2.
    Bytes(&'a [u8]),
    /// Major type 3.
    Text(&'a str),
    /// Major type 4: the number of elements, which follow.
    Array(u64),
    /// Major type 5: the number of pairs, which follow.
    Map(u64),
    /// Major type 6; the tagged item follows.
    Tag(u64),
    /// False or true.
    Bool(bool),
    /// Null.
    Null,
}

#[derive(Clone, Copy, Default)]
struct ContainerFrame<'a> {
    /// Items still expected; a pair of a map counts as two.
    left: u64,
    map: bool,
    key_next: bool,
    last_key: Option<&'a [u8]>,
}

/// Scans `bytes`, which must be exactly one item under `rules`, and calls `visit` for each item.
///
/// # Errors
/// The first error in the bytes.
pub fn scan<'a>(bytes: &'a [u8], rules: CborRules, mut visit: impl FnMut(CborItem<'a>)) -> Result<(), Error> {
    let mut stack = [ContainerFrame::default(); DEPTH_MAX];
    let mut depth = 0_usize;
    let mut at = 0_usize;
    let mut items = 0_usize;
    loop {
        let start = at;
        let (token, next) = read_head(bytes, at, rules)?;
        at = next;
        items += 1;
        // A decoded item takes many times its one byte, so the input size alone does not bound memory.
        if items > ITEMS_MAX {
            return Err(Error::Items { at: start });
        }
        let mut key = false;
        if let Some(frame) = depth.checked_sub(1).and_then(|top| stack.get_mut(top)) {
            key = frame.map && frame.key_next;
            if key {
                check_key(frame, token, bytes.get(start..at).unwrap_or_default(), rules, start)?;
            }
        }
        visit(CborItem { token, depth, start, key });
        match token {
            CborToken::Tag(_) => {
                // The tagged item follows in the next turn; its container counts both as one item.
                check_tagged(bytes, at, rules)?;
                continue;
            }
            CborToken::Array(count) if count > 0 => {
                push_container(&mut stack, &mut depth, bytes, at, start, count, false)?;
                continue;
            }
            CborToken::Map(count) if count > 0 => {
                // A count that overflows when doubled exceeds the input as well: the same error.
                let both = count.checked_mul(2).ok_or(Error::Truncated { at })?;
                push_container(&mut stack, &mut depth, bytes, at, start, both, true)?;
                continue;
            }
            _ => {}
        }
        finish_item(&mut stack, &mut depth);
        if depth == 0 {
            break;
        }
    }
    if at == bytes.len() { Ok(()) } else { Err(Error::Trailing { at }) }
}

fn push_container<'a>(
    stack: &mut [ContainerFrame<'a>; DEPTH_MAX],
    depth: &mut usize,
    bytes: &[u8],
    at: usize,
    start: usize,
    left: u64,
    map: bool,
) -> Result<(), Error> {
    // Each item takes at least one byte, so a larger count is truncated; refusing it here costs nothing.
    if left > (bytes.len() - at) as u64 {
        return Err(Error::Truncated { at: bytes.len() });
    }
    let frame = stack.get_mut(*depth).ok_or(Error::Depth { at: start })?;
    *frame = ContainerFrame { left, map, key_next: map, last_key: None };
    *depth += 1;
    Ok(())
}

/// Counts a finished item in its container, and closes every container that it completes.
fn finish_item(stack: &mut [ContainerFrame<'_>; DEPTH_MAX], depth: &mut usize) {
    while let Some(frame) = depth.checked_sub(1).and_then(|top| stack.get_mut(top)) {
        // INVARIANT: empty containers are never pushed, so `left` is at least 1 here.
        frame.left -= 1;
        frame.key_next = frame.map && !frame.key_next;
        if frame.left > 0 {
            break;
        }
        *depth -= 1;
    }
}

fn check_key<'a>(
    frame: &mut ContainerFrame<'a>,
    token: CborToken<'a>,
    encoded: &'a [u8],
    rules: CborRules,
    at: usize,
) -> Result<(), Error> {
    match (token, rules) {
        (CborToken::Text(_), _) | (CborToken::Unsigned(_) | CborToken::Negative(_), CborRules::Cose) => {}
        _ => return Err(Error::Key { at }),
    }
    // The head carries the length, so comparing encodings by major type, length and bytes is
    // comparing encodings bytewise.
    if frame.last_key.is_some_and(|last| last >= encoded) {
        return Err(Error::Order { at });
    }
    frame.last_key = Some(encoded);
    Ok(())
}

/// Checks the item after a tag: a link in a byte string after tag 42, an array after tag 18.
fn check_tagged(bytes: &[u8], at: usize, rules: CborRules) -> Result<(), Error> {
    let (token, _) = read_head(bytes, at, rules)?;
    match (rules, token) {
        (CborRules::DagCbor, CborToken::Bytes(content)) => {
            cid::from_link(content).map(|_| ()).ok_or(Error::Link { at })
        }
        (CborRules::DagCbor, _) => Err(Error::Link { at }),
        (CborRules::Cose, CborToken::Array(_)) => Ok(()),
        (CborRules::Cose, _) => Err(Error::Tag { tag: 18, at }),
    }
}

/// Reads one head (and the content of a string) and the offset after it.
fn read_head(bytes: &[u8], at: usize, rules: CborRules) -> Result<(CborToken<'_>, usize), Error> {
    let first = *bytes.get(at).ok_or(Error::Truncated { at })?;
    let (major, info) = (first >> 5, first & 0x1f);
    if major == 7 {
        return match info {
            20 => Ok((CborToken::Bool(false), at + 1)),
            21 => Ok((CborToken::Bool(true), at + 1)),
            22 => Ok((CborToken::Null, at + 1)),
            // The break code only ends indefinite lengths (RFC 8949, section 3.2.1).
            31 => Err(Error::Indefinite { at }),
            _ => Err(Error::Simple { at }),
        };
    }
    let (value, next) = read_argument(bytes, at, info)?;
    let content = |kind: fn(usize) -> Error| {
        // A forged length may be up to 2^64 - 1: it must neither wrap nor be cut to 32 bits.
        let end = usize::try_from(value).ok().and_then(|length| next.checked_add(length));
        let end = end.filter(|end| *end <= bytes.len()).ok_or(kind(bytes.len()))?;
        Ok((bytes.get(next..end).unwrap_or_default(), end))
    };
    let truncated = |at| Error::Truncated { at };
    match major {
        0 => Ok((CborToken::Unsigned(value), next)),
        1 => Ok((CborToken::Negative(value), next)),
        2 => content(truncated).map(|(content, end)| (CborToken::Bytes(content), end)),
        3 => {
            let (content, end) = content(truncated)?;
            let text = std::str::from_utf8(content)
                .map_err(|error| Error::Utf8 { at: next + error.valid_up_to() })?;
            Ok((CborToken::Text(text), end))
        }
        4 => Ok((CborToken::Array(value), next)),
        5 => Ok((CborToken::Map(value), next)),
        _ => {
            let allowed = match rules {
                CborRules::DagCbor => value == TAG_LINK,
                // COSE_Sign1 is tagged once, around the whole envelope (RFC 9052, section 4.2).
                CborRules::Cose => value == 18 && at == 0,
            };
            if allowed { Ok((CborToken::Tag(value), next)) } else { Err(Error::Tag { tag: value, at }) }
        }
    }
}

/// Reads the argument of a head, which must be in its shortest form (RFC 8949, section 3).
fn read_argument(bytes: &[u8], at: usize, info: u8) -> Result<(u64, usize), Error> {
    let width = match info {
        0..=23 => return Ok((u64::from(info), at + 1)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return Err(Error::Indefinite { at }),
    };
    let end = at + 1 + width;
    let digits = bytes.get(at + 1..end).ok_or(Error::Truncated { at: bytes.len() })?;
    let value = digits.iter().fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    let shortest = match width {
        1 => value >= 24,
        2 => value > u64::from(u8::MAX),
        4 => value > u64::from(u16::MAX),
        _ => value > u64::from(u32::MAX),
    };
    if shortest { Ok((value, end)) } else { Err(Error::Minimal { at }) }
}

/// The links of a strict DAG-CBOR item, in order of appearance.
///
/// # Errors
/// As [`scan`].
pub fn find_links(bytes: &[u8]) -> Result<Vec<Cid>, Error> {
    let mut links = Vec::new();
    let mut tagged = false;
    scan(bytes, CborRules::DagCbor, |item| {
        if let (true, CborToken::Bytes(content)) = (tagged, item.token) {
            links.extend(cid::from_link(content));
        }
        tagged = matches!(item.token, CborToken::Tag(_));
    })?;
    Ok(links)
}

/// Encodes a value as canonical DAG-CBOR.
///
/// # Errors
/// [`Error::Shape`] when the value has no such encoding (a float, an integer beyond 64 bits).
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    let bytes = to_bytes(&to_value(value)?)?;
    // serde_cbor also writes floats and any tag; the scan keeps them out of every id.
    scan(&bytes, CborRules::DagCbor, |_| {})?;
    Ok(bytes)
}

/// Decodes a value from its canonical encoding.
///
/// # Errors
/// Every variant of [`enum@Error`].
pub fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    scan(bytes, CborRules::DagCbor, |_| {})?;
    let value: T = from_bytes(bytes)?;
    // Strict bytes may still hold what the type ignores, such as an unknown field.
    if encode(&value)? == bytes { Ok(value) } else { Err(Error::Canonical) }
}

/// Converts a value to a tree whose maps sort canonically. It goes through bytes, because the direct
/// conversion of serde_cbor drops tags.
pub(crate) fn to_value<T: Serialize>(value: &T) -> Result<Value, Error> {
    let unsorted = serde_cbor::to_vec(value).map_err(shape_error)?;
    serde_cbor::from_slice(&unsorted).map_err(shape_error)
}

/// The bytes of a tree.
pub(crate) fn to_bytes(value: &Value) -> Result<Vec<u8>, Error> {
    serde_cbor::to_vec(value).map_err(shape_error)
}

/// Decodes bytes that [`scan`] has passed.
pub(crate) fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    serde_cbor::from_slice(bytes).map_err(shape_error)
}

fn shape_error(error: serde_cbor::Error) -> Error {
    Error::Shape(error.to_string())
}
