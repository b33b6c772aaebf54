//! CARv1: the framing of blocks in archives, streams and bundles.
//!
//! A header (`{roots, version: 1}` in DAG-CBOR behind its length as a varint), then one record a
//! block: a varint length, the 36 bytes of the CID, the bytes. The reader refuses records beyond
//! [`BLOCK_BYTES_MAX`], unsupported CIDs, and blocks whose hash does not match their CID.
//!
//! Implements: "Content Addressable aRchives (CARv1) specification".

use serde::{Deserialize, Serialize};

use crate::cbor;
use crate::cid::{CID_BYTES, Cid};
use crate::limits::BLOCK_BYTES_MAX;

/// Roots of one file: entries asked for in one export.
pub const ROOTS_MAX: usize = 4096;

/// Largest header in bytes: [`ROOTS_MAX`] links of 41 bytes, and 64 bytes for the map around them.
pub const HEADER_BYTES_MAX: usize = ROOTS_MAX * 41 + 64;

/// Largest varint in bytes: 28 bits are enough for a record or header length.
const VARINT_BYTES_MAX: usize = 4;

/// Rejection of bytes that should be a CAR file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The header is not `{roots, version: 1}`.
    #[error("not a CARv1 file: {0}")]
    Header(String),
    /// The bytes end inside a record.
    #[error("truncated record at byte {at}")]
    Truncated {
        /// Offset of the record.
        at: usize,
    },
    /// A record length out of bounds or not in its shortest form.
    #[error("invalid record length at byte {at}")]
    Length {
        /// Offset of the record.
        at: usize,
    },
    /// An unsupported CID.
    #[error("unsupported content id at byte {at}")]
    Cid {
        /// Offset of the record.
        at: usize,
    },
    /// A block whose hash does not match its id.
    #[error("hash mismatch: block {id} at byte {at}")]
    Hash {
        /// The id in the record.
        id: Cid,
        /// Offset of the record.
        at: usize,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CarHeader {
    roots: Vec<Cid>,
    version: u8,
}

/// Encodes the header of a file with these roots; a reader refuses more than [`ROOTS_MAX`].
pub fn encode_header(roots: &[Cid]) -> Vec<u8> {
    // INVARIANT: a list of so many links and a small integer always have an encoding.
    let body = cbor::encode(&CarHeader { roots: roots.to_vec(), version: 1 }).unwrap_or_default();
    let mut bytes = encode_varint(body.len());
    bytes.extend(body);
    bytes
}

/// Encodes the record of a block.
pub fn encode_record(id: Cid, block: &[u8]) -> Vec<u8> {
    let mut bytes = encode_record_header(id, block.len());
    bytes.extend_from_slice(block);
    bytes
}

/// Encodes the part of a record before the bytes of a block of `length` bytes.
pub fn encode_record_header(id: Cid, length: usize) -> Vec<u8> {
    let mut bytes = encode_varint(CID_BYTES + length);
    bytes.extend_from_slice(&id.to_bytes());
    bytes
}

/// Encodes an unsigned LEB128 (multiformats "unsigned-varint").
pub fn encode_varint(value: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(VARINT_BYTES_MAX);
    let mut rest = value;
    while rest >= 0x80 {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

/// Result of [`read_varint`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Varint {
    /// A value and its length in bytes.
    Value(usize, usize),
    /// More bytes are needed.
    More,
    /// Too long, or not in its shortest form.
    Bad,
}

/// Reads a varint of at most four bytes in its shortest form.
pub fn read_varint(bytes: &[u8]) -> Varint {
    let mut value = 0_usize;
    for (at, byte) in bytes.iter().take(VARINT_BYTES_MAX).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            // A last byte of zero adds no bits, so the value has a shorter form.
            return if *byte == 0 && at > 0 { Varint::Bad } else { Varint::Value(value, at + 1) };
        }
    }
    if bytes.len() < VARINT_BYTES_MAX { Varint::More } else { Varint::Bad }
}

/// Location of a record in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CarRecord {
    /// The id it claims.
    pub id: Cid,
    /// Offset of the block's first byte.
    pub start: usize,
    /// Offset after the block's last byte.
    pub end: usize,
}

/// Reads the header: the roots, and the offset of the first record.
///
/// # Errors
/// [`Error::Header`].
pub fn read_header(bytes: &[u8]) -> Result<(Vec<Cid>, usize), Error> {
    let bad = |text: &str| Error::Header(text.into());
    let Varint::Value(length, start) = read_varint(bytes) else { return Err(bad("no header")) };
    if length > HEADER_BYTES_MAX {
        return Err(bad("the header is too long"));
    }
    let body = bytes.get(start..start + length).ok_or_else(|| bad("the header is cut off"))?;
    let header: CarHeader = cbor::decode(body).map_err(|error| Error::Header(error.to_string()))?;
    if header.version != 1 {
        return Err(bad("the version is not 1"));
    }
    if header.roots.len() > ROOTS_MAX {
        return Err(bad("it has too many roots"));
    }
    Ok((header.roots, start + length))
}

/// Reads the record at `at`, without checking the hash; `None` at the end of the bytes.
///
/// # Errors
/// [`Error::Truncated`], [`Error::Length`], [`Error::Cid`].
pub fn read_record(bytes: &[u8], at: usize) -> Option<Result<CarRecord, Error>> {
    let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
    Some(record_at(rest, at))
}

fn record_at(rest: &[u8], at: usize) -> Result<CarRecord, Error> {
    let (length, head) = match read_varint(rest) {
        Varint::Value(length, head) => (length, head),
        Varint::More => return Err(Error::Truncated { at }),
        Varint::Bad => return Err(Error::Length { at }),
    };
    if !(CID_BYTES..=CID_BYTES + BLOCK_BYTES_MAX).contains(&length) {
        return Err(Error::Length { at });
    }
    let id = rest.get(head..head + CID_BYTES).ok_or(Error::Truncated { at })?;
    let id = Cid::from_bytes(id).map_err(|_| Error::Cid { at })?;
    if rest.len() < head + length {
        return Err(Error::Truncated { at });
    }
    Ok(CarRecord { id, start: at + head + CID_BYTES, end: at + head + length })
}

/// Iterator over the checked blocks of a file.
#[derive(Debug)]
pub struct CarBlocks<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Opens a file: its roots, and its blocks, each checked against its id when the iterator reaches it.
///
/// # Errors
/// [`Error::Header`].
pub fn open_archive(bytes: &[u8]) -> Result<(Vec<Cid>, CarBlocks<'_>), Error> {
    let (roots, at) = read_header(bytes)?;
    Ok((roots, CarBlocks { bytes, at }))
}

impl<'a> Iterator for CarBlocks<'a> {
    type Item = Result<(Cid, &'a [u8]), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at;
        let record = match read_record(self.bytes, at)? {
            Ok(record) => record,
            Err(error) => {
                // Without a valid length the next record cannot be found, so the iteration ends.
                self.at = self.bytes.len();
                return Some(Err(error));
            }
        };
        self.at = record.end;
        let block = self.bytes.get(record.start..record.end).unwrap_or_default();
        if record.id.matches(block) {
            Some(Ok((record.id, block)))
        } else {
            // The length was valid, so the caller may continue with the next record.
            Some(Err(Error::Hash { id: record.id, at }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cid::Codec;

    fn sample() -> (Cid, Vec<u8>) {
        let id = Cid::of(Codec::Raw, b"block");
        let mut file = encode_header(&[id]);
        file.extend(encode_record(id, b"block"));
        (id, file)
    }

    #[test]
    fn a_file_leads_back_to_its_blocks() {
        let (id, file) = sample();
        let (roots, blocks) = open_archive(&file).unwrap();
        assert_eq!(roots, [id]);
        assert_eq!(blocks.collect::<Result<Vec<_>, _>>().unwrap(), [(id, b"block".as_slice())]);
    }

    #[test]
    fn every_flipped_byte_and_every_cut_is_noticed() {
        let (id, file) = sample();
        let whole = |file: &[u8]| {
            let (roots, blocks) = open_archive(file)?;
            blocks.collect::<Result<Vec<_>, _>>().map(|blocks| (roots, blocks.len()))
        };
        for at in 0..file.len() {
            for flip in [1, 0x80] {
                let mut changed = file.clone();
                changed[at] ^= flip;
                assert!(whole(&changed).ok() != Some((vec![id], 1)), "byte {at}");
            }
            assert!(whole(&file[..at]).ok() != Some((vec![id], 1)), "cut at {at}");
        }
    }

    #[test]
    fn varints_have_one_form() {
        for value in [0, 1, 127, 128, 16_383, 16_384, BLOCK_BYTES_MAX + CID_BYTES] {
            let bytes = encode_varint(value);
            assert_eq!(read_varint(&bytes), Varint::Value(value, bytes.len()));
        }
        assert_eq!(read_varint(&[0x80, 0]), Varint::Bad);
        assert_eq!(read_varint(&[0x80]), Varint::More);
        assert_eq!(read_varint(&[0xff; 4]), Varint::Bad);
    }
}
