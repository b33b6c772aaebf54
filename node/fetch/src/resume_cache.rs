//! The folder of a load that is under way: its pages, so that it goes on where it was broken off.
//!
//! A page is one file, written whole or not at all; its first line says which request it answers
//! and what its bytes are. What does not fit is thrown away and asked again. The folder is gone
//! when the load is done.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use schemas::cid::PieceId;
use serde::{Deserialize, Serialize};

use crate::error::{FetchError, FetchErrorCategory};
use crate::http::{FetchRequest, FetchedDocument, Validators};

/// Seconds that a page is good for: a source may be a later vintage the next day.
const PAGE_AGE_SECONDS_MAX: i64 = 6 * 3_600;

/// The pages of one load.
#[derive(Debug)]
pub(crate) struct ResumeCache {
    folder: Option<PathBuf>,
}

/// The first line of a page.
#[derive(Debug, Serialize, Deserialize)]
struct PageLabel {
    request: String,
    at: i64,
    media_type: String,
    validators: Validators,
    piece: String,
}

impl ResumeCache {
    /// The folder for a source, in `under`; none keeps nothing.
    pub(crate) fn new(under: Option<&Path>, address: &str) -> Self {
        let name = PieceId::of(address.as_bytes()).cid().to_string();
        Self { folder: under.map(|under| under.join(name)) }
    }

    /// The page that answers a request, when it is whole and fresh, and when it was fetched.
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

    /// Keeps a page.
    ///
    /// # Errors
    /// [`Kind::Disk`].
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
        let part = file.with_extension("part");
        let written = || -> std::io::Result<()> {
            fs::create_dir_all(folder)?;
            let mut out = fs::File::create(&part)?;
            serde_json::to_writer(&mut out, &label)?;
            out.write_all(b"\n")?;
            out.write_all(&document.bytes)?;
            fs::rename(&part, &file)
        };
        written().map_err(|fault| {
            FetchError::new(
                FetchErrorCategory::Storage,
                "disk",
                format!("cannot keep a page in `{}`: {fault}", folder.display()),
            )
        })
    }

    /// Throws all pages away.
    pub(crate) fn clear(&self) {
        if let Some(folder) = &self.folder {
            // A folder that stays behind costs room, and its pages are checked before use.
            let _ = fs::remove_dir_all(folder);
        }
    }

    fn page_path(&self, request: &FetchRequest) -> Option<PathBuf> {
        let name = PieceId::of(request_text(request).as_bytes()).cid().to_string();
        Some(self.folder.as_ref()?.join(name))
    }
}

/// A request as text; it has no key.
fn request_text(request: &FetchRequest) -> String {
    let body = request.body.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{} {} {body}", request.url, request.accept.unwrap_or_default())
}
