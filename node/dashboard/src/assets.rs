//! Embedded files of the web app, with digests and compressed forms. `cargo xtask web` builds them from
//! `web/` and writes the table; they are committed, so that a build of Assay needs no Node.js and no npm.

use std::borrow::Cow;

use crate::{PageRequest, PageResponse, security_headers};

/// An embedded file.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Path with a leading slash.
    pub(crate) path: &'static str,
    media_type: &'static str,
    etag: &'static str,
    /// Uncompressed content.
    pub(crate) bytes: &'static [u8],
    br: Option<&'static [u8]>,
    gz: Option<&'static [u8]>,
}

const FILES: &[Asset] = include!("../dist/files.rs");

/// HTML shell of every page of the web app.
pub(crate) const SHELL: &str = include_str!("../dist/index.html");

/// Returns the file at a path.
pub(crate) fn find_asset(path: &str) -> Option<&'static Asset> {
    FILES.iter().find(|file| file.path == path)
}

impl Asset {
    /// Responds with the smallest form that the client accepts, or 304 if it has the file.
    pub(crate) fn respond(&self, wanted: PageRequest<'_>) -> PageResponse {
        let mut headers = security_headers(false);
        // File names below `/assets/` contain a content digest, so they can be cached forever.
        let forever = self.path.starts_with("/assets/");
        let cache = if forever { "public, max-age=31536000, immutable" } else { "public, max-age=86400" };
        headers.push(("cache-control", cache.into()));
        headers.push(("etag", self.etag.into()));
        headers.push(("vary", "accept-encoding".into()));
        // Caches may weaken a tag (RFC 9110, section 8.8.1).
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

/// Whether `Accept-Encoding` lists `wanted` with a weight above 0.
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
