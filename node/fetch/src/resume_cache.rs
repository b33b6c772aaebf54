//! Cache of the pages of an unfinished load, from which an interrupted load resumes.
//!
//! Each page is one file, written atomically; its first line records the request and the hash of the
//! content. A file that does not match is ignored and the page requested again. The folder is removed
//! when the load completes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use schemas::cid::PieceId;
use serde::{Deserialize, Serialize};

use crate::error::{FetchError, FetchErrorCategory};
use crate::http::{FetchRequest, FetchedDocument, Validators};

/// Maximum age of a cached page, in seconds: the source may publish a new vintage the next day.
const PAGE_AGE_SECONDS_MAX: i64 = 6 * 3_600;

/// Cached pages of one load.
#[derive(Debug)]
pub(crate) struct ResumeCache {
    folder: Option<PathBuf>,
}

/// First line of a page file.
#[derive(Debug, Serialize, Deserialize)]
struct PageLabel {
    request: String,
    at: i64,
    media_type: String,
    validators: Validators,
    piece: String,
}

impl ResumeCache {
    /// Opens the cache of a source in `under`; without a folder nothing is cached.
    pub(crate) fn new(under: Option<&Path>, address: &str) -> Self {
        let name = PieceId::of(address.as_bytes()).cid().to_string();
        Self { folder: under.map(|under| under.join(name)) }
    }

    /// Returns the cached response to a request and its time, when it is intact and fresh.
    pub(crate) fn read_page(&self, request: &FetchRequest, now: i64) -> Option<(FetchedDocument, i64)> {
        let bytes = fs::read(self.page_path(request)?).ok()?;
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let label: PageLabel = serde_json::from_slice(bytes.get(..end)?).ok()?;
        let page = bytes.get(end + 1..)?;
        let fresh = (0..=PAGE_AGE_SECONDS_MAX).contains(&now.checked_sub(label.at)?);
        let own =
            label.request == request_text(request) && label.piece == PieceId::of(page).cid().to_string();
        let PageLabel { at, media_type, validators, .. } = label;
        (fresh && own).then(|| (FetchedDocument { bytes: page.to_vec(), media_type, validators }, at))
    }

    /// Stores a page.
    ///
    /// # Errors
    /// [`FetchErrorCategory::Storage`].
    pub(crate) fn store_page(
        &self,
        request: &FetchRequest,
        document: &FetchedDocument,
        at: i64,
    ) -> Result<(), FetchError> {
        let (Some(folder), Some(file)) = (&self.folder, self.page_path(request)) else { return Ok(()) };
        let label = PageLabel {
            request: request_text(request),
            at,
            media_type: document.media_type.clone(),
            validators: document.validators.clone(),
            piece: PieceId::of(&document.bytes).cid().to_string(),
        };
        // Write to a temporary file and rename it, so that no partial page is ever read.
        let part = file.with_extension("part");
        let written = || -> std::io::Result<()> {
            fs::create_dir_all(folder)?;
            let mut out = fs::File::create(&part)?;
            serde_json::to_writer(&mut out, &label)?;
            out.write_all(b"\n")?;
            out.write_all(&document.bytes)?;
            fs::rename(&part, &file)
        };
        written().map_err(|error| {
            FetchError::new(
                FetchErrorCategory::Storage,
                "disk",
                format!("cannot store a page in `{}`: {error}", folder.display()),
            )
        })
    }

    /// Removes all pages.
    pub(crate) fn clear(&self) {
        if let Some(folder) = &self.folder {
            // A leftover folder only takes disk space: pages are checked before use.
            let _ = fs::remove_dir_all(folder);
        }
    }

    fn page_path(&self, request: &FetchRequest) -> Option<PathBuf> {
        let name = PieceId::of(request_text(request).as_bytes()).cid().to_string();
        Some(self.folder.as_ref()?.join(name))
    }
}

/// Formats a request, which contains no API key, as the identity of its page.
fn request_text(request: &FetchRequest) -> String {
    let body = request.body.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{} {} {body}", request.url, request.accept.unwrap_or_default())
}
