//! The files of the program, with their digests and their compressed forms, as `build.rs` made them.

use std::borrow::Cow;

use crate::{PageRequest, PageResponse, security_headers};

/// A file.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Its path, with a slash before it.
    pub(crate) path: &'static str,
    media_type: &'static str,
    etag: &'static str,
    /// As it is.
    pub(crate) bytes: &'static [u8],
    br: Option<&'static [u8]>,
    gz: Option<&'static [u8]>,
}

const FILES: &[Asset] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The file at a path.
pub(crate) fn find_asset(path: &str) -> Option<&'static Asset> {
    FILES.iter().find(|file| file.path == path)
}

impl Asset {
    /// The file in the best form that the reader takes, or 304 when it has it.
    pub(crate) fn respond(&self, wanted: PageRequest<'_>) -> PageResponse {
        let mut headers = security_headers(false);
        // Names under `/assets/` hold a digest of the content.
        let forever = self.path.starts_with("/assets/");
        let cache = if forever { "public, max-age=31536000, immutable" } else { "public, max-age=86400" };
        headers.push(("cache-control", cache.into()));
        headers.push(("etag", self.etag.into()));
        headers.push(("vary", "accept-encoding".into()));
        if wanted.if_none_match.split(',').any(|known| known.trim().trim_start_matches("W/") == self.etag) {
            return PageResponse { status: 304, headers, body: Cow::Borrowed(&[]) };
        }
        let (encoding, body) = self.best_encoding(wanted.accept_encoding);
        headers.push(("content-type", self.media_type.into()));
        if let Some(encoding) = encoding {
            headers.push(("content-encoding", encoding.into()));
        }
        PageResponse { status: 200, headers, body: Cow::Borrowed(body) }
    }

    fn best_encoding(&self, encodings: &str) -> (Option<&'static str>, &'static [u8]) {
        match (self.br, self.gz) {
            (Some(br), _) if accepts_encoding(encodings, "br") => (Some("br"), br),
            (_, Some(gz)) if accepts_encoding(encodings, "gzip") => (Some("gzip"), gz),
            _ => (None, self.bytes),
        }
    }
}

/// Whether `Accept-Encoding` names `wanted` without refusing it (`q=0`).
fn accepts_encoding(encodings: &str, wanted: &str) -> bool {
    encodings.split(',').any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case(wanted) && weight.is_none_or(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_taken_as_offered() {
        for (offer, br) in
            [("gzip, deflate, br", true), ("br;q=0.5", true), ("gzip", false), ("br;q=0", false), ("", false)]
        {
            assert_eq!(accepts_encoding(offer, "br"), br, "{offer}");
        }
    }
}
