//! State of sources between two commands: validators for conditional requests, and the result of the
//! last check of each source.
//!
//! Small JSON files in one folder; an unreadable file counts as absent.

use std::fs;
use std::path::PathBuf;

use schemas::cid::PieceId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{FetchError, FetchErrorCategory};
use crate::http::Validators;

/// Limit on the bytes of a record.
const RECORD_BYTES_MAX: u64 = 64 << 10;

/// Folder of records.
#[derive(Debug, Clone)]
pub struct FetchHistory(PathBuf);

/// Validators of a document.
#[derive(Debug, Serialize, Deserialize)]
struct KnownDocument {
    url: String,
    /// BLAKE3-256 of the document.
    blake3: [u8; 32],
    validators: Validators,
}

/// Result of checking a source for changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCheck {
    /// URL of the source.
    pub url: String,
    /// Time of the check, in seconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// `same`, `changed` or `gone`.
    pub found: String,
}

impl FetchHistory {
    /// Opens the history in a folder, which need not exist yet.
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Returns the folder of the resume cache.
    pub fn pages_folder(&self) -> PathBuf {
        self.0.join("pages")
    }

    /// Returns the validators of the document with this hash at `url`.
    pub fn validators(&self, url: &str, blake3: &[u8; 32]) -> Option<Validators> {
        let note: KnownDocument = self.read_record(&self.record_path("known", url))?;
        (note.url == url && note.blake3 == *blake3).then_some(note.validators)
    }

    /// Records the validators of a document; empty ones are not recorded.
    ///
    /// # Errors
    /// [`FetchErrorCategory::Storage`].
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

    /// Returns the last check of the source of a data set.
    pub fn last_check(&self, dataset: &str) -> Option<SourceCheck> {
        self.read_record(&self.record_path("looks", dataset))
    }

    /// Records a check.
    ///
    /// # Errors
    /// [`FetchErrorCategory::Storage`].
    pub fn record_check(&self, dataset: &str, look: &SourceCheck) -> Result<(), FetchError> {
        self.write_record(&self.record_path("looks", dataset), look)
    }

    fn record_path(&self, kind: &str, name: &str) -> PathBuf {
        // Hash the foreign name, so that it cannot escape the folder.
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
        // Write to a temporary file and rename it, so that no partial record is ever read.
        let part = file.with_extension("part");
        let written = || -> std::io::Result<()> {
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&part, serde_json::to_vec(value)?)?;
            fs::rename(&part, file)
        };
        written().map_err(|error| {
            FetchError::new(
                FetchErrorCategory::Storage,
                "disk",
                format!("cannot write `{}`: {error}", file.display()),
            )
        })
    }
}
