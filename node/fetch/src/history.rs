//! What is remembered of sources between two commands: how to ask whether one is still the same,
//! and what the last look at it found.
//!
//! Small JSON files in one folder; one that does not read is as if it were not there.

use std::fs;
use std::path::PathBuf;

use schemas::cid::PieceId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{FetchError, FetchErrorCategory};
use crate::http::Validators;

/// Bytes of a file of the memory.
const RECORD_BYTES_MAX: u64 = 64 << 10;

/// The folder.
#[derive(Debug, Clone)]
pub struct FetchHistory(PathBuf);

/// What a source said about a document.
#[derive(Debug, Serialize, Deserialize)]
struct KnownDocument {
    url: String,
    /// BLAKE3-256 of the document.
    blake3: [u8; 32],
    validators: Validators,
}

/// What a look at a source found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCheck {
    /// The address.
    pub url: String,
    /// When: seconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// `same`, `changed` or `gone`.
    pub found: String,
}

impl FetchHistory {
    /// The memory in a folder, which need not be there yet.
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The folder for pages of loads that are broken off.
    pub fn pages_folder(&self) -> PathBuf {
        self.0.join("pages")
    }

    /// How to ask whether the document with this hash is still the one at `url`.
    pub fn validators(&self, url: &str, blake3: &[u8; 32]) -> Option<Validators> {
        let note: KnownDocument = self.read_record(&self.record_path("known", url))?;
        (note.url == url && note.blake3 == *blake3).then_some(note.validators)
    }

    /// Remembers that.
    ///
    /// # Errors
    /// [`Kind::Disk`].
    pub fn record_validators(
        &self,
        url: &str,
        blake3: &[u8; 32],
        validators: &Validators,
    ) -> Result<(), FetchError> {
        if *validators == Validators::default() {
            return Ok(());
        }
        let note = KnownDocument { url: url.into(), blake3: *blake3, validators: validators.clone() };
        self.write_record(&self.record_path("known", url), &note)
    }

    /// The last look at the source of a data set.
    pub fn last_check(&self, dataset: &str) -> Option<SourceCheck> {
        self.read_record(&self.record_path("looks", dataset))
    }

    /// Remembers a look.
    ///
    /// # Errors
    /// [`Kind::Disk`].
    pub fn record_check(&self, dataset: &str, look: &SourceCheck) -> Result<(), FetchError> {
        self.write_record(&self.record_path("looks", dataset), look)
    }

    fn record_path(&self, kind: &str, name: &str) -> PathBuf {
        // A hash: what a foreign name says must not become a path.
        self.0.join(kind).join(PieceId::of(name.as_bytes()).cid().to_string()).with_extension("json")
    }

    fn read_record<T: DeserializeOwned>(&self, file: &PathBuf) -> Option<T> {
        let size = fs::metadata(file).ok()?.len();
        if size > RECORD_BYTES_MAX {
            return None;
        }
        serde_json::from_slice(&fs::read(file).ok()?).ok()
    }

    fn write_record(&self, file: &PathBuf, value: &impl Serialize) -> Result<(), FetchError> {
        let part = file.with_extension("part");
        let written = || -> std::io::Result<()> {
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&part, serde_json::to_vec(value)?)?;
            fs::rename(&part, file)
        };
        written().map_err(|fault| {
            FetchError::new(
                FetchErrorCategory::Storage,
                "disk",
                format!("cannot write `{}`: {fault}", file.display()),
            )
        })
    }
}
