//! Digests of documents: BLAKE3-256, by which blocks are addressed, and SHA-256, which agencies publish.

use sha2::{Digest, Sha256};

/// The digests of one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentDigests {
    /// BLAKE3-256.
    pub blake3: [u8; 32],
    /// SHA-256 (FIPS 180-4).
    pub sha256: [u8; 32],
}

impl DocumentDigests {
    /// The digests of a whole document.
    pub fn of(document: &[u8]) -> Self {
        Self { blake3: *blake3::hash(document).as_bytes(), sha256: Sha256::digest(document).into() }
    }
}

/// A digest in lower-case hexadecimal, as agencies publish them.
pub fn format_hex(digest: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a `String` never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_agree_with_the_standards() {
        let empty = DocumentDigests::of(b"");
        // FIPS 180-4 and the test vectors of BLAKE3.
        let sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let blake3 = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        assert_eq!((format_hex(&empty.sha256), format_hex(&empty.blake3)), (sha256.into(), blake3.into()));
    }
}
