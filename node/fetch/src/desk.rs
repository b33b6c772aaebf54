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

use crate::fault::{Fault, Kind};
use crate::wire::{Document, Request, Validators};

/// Seconds that a page is good for: a source may be a later vintage the next day.
const FRESH_SECONDS: i64 = 6 * 3_600;

/// The pages of one load.
#[derive(Debug)]
pub(crate) struct Desk {
    folder: Option<PathBuf>,
}

/// The first line of a page.
#[derive(Debug, Serialize, Deserialize)]
struct Label {
    request: String,
    at: i64,
    media_type: String,
    validators: Validators,
    piece: String,
}

impl Desk {
    /// The folder for a source, in `under`; none keeps nothing.
    pub(crate) fn new(under: Option<&Path>, address: &str) -> Self {
        let name = PieceId::of(address.as_bytes()).cid().to_string();
        Self { folder: under.map(|under| under.join(name)) }
    }

    /// The page that answers a request, when it is whole and fresh, and when it was fetched.
    pub(crate) fn page(&self, request: &Request, now: i64) -> Option<(Document, i64)> {
        let bytes = fs::read(self.file(request)?).ok()?;
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let label: Label = serde_json::from_slice(bytes.get(..end)?).ok()?;
        let page = bytes.get(end + 1..)?;
        let fresh = (0..=FRESH_SECONDS).contains(&now.checked_sub(label.at)?);
        let own = label.request == text(request) && label.piece == PieceId::of(page).cid().to_string();
        let Label { at, media_type, validators, .. } = label;
        (fresh && own).then(|| (Document { bytes: page.to_vec(), media_type, validators }, at))
    }

    /// Keeps a page.
    ///
    /// # Errors
    /// [`Kind::Disk`].
    pub(crate) fn keep(&self, request: &Request, document: &Document, at: i64) -> Result<(), Fault> {
        let (Some(folder), Some(file)) = (&self.folder, self.file(request)) else { return Ok(()) };
        let label = Label {
            request: text(request),
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
            Fault::new(Kind::Disk, "disk", format!("cannot keep a page in `{}`: {fault}", folder.display()))
        })
    }

    /// Throws all pages away.
    pub(crate) fn clear(&self) {
        if let Some(folder) = &self.folder {
            // A folder that stays behind costs room, and its pages are checked before use.
            let _ = fs::remove_dir_all(folder);
        }
    }

    fn file(&self, request: &Request) -> Option<PathBuf> {
        let name = PieceId::of(text(request).as_bytes()).cid().to_string();
        Some(self.folder.as_ref()?.join(name))
    }
}

/// A request as text; it has no key.
fn text(request: &Request) -> String {
    let body = request.body.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{} {} {body}", request.url, request.accept.unwrap_or_default())
}
