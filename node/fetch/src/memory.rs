//! What is remembered of sources between two commands: how to ask whether one is still the same,
//! and what the last look at it found.
//!
//! Small JSON files in one folder; one that does not read is as if it were not there.

use std::fs;
use std::path::PathBuf;

use schemas::cid::PieceId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Kind};
use crate::wire::Validators;

/// Bytes of a file of the memory.
const NOTE_BYTES_MAX: u64 = 64 << 10;

/// The folder.
#[derive(Debug, Clone)]
pub struct Memory(PathBuf);

/// What a source said about a document.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    url: String,
    /// BLAKE3-256 of the document.
    blake3: [u8; 32],
    validators: Validators,
}

/// What a look at a source found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// The address.
    pub url: String,
    /// When: seconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// `same`, `changed` or `gone`.
    pub found: String,
}

impl Memory {
    /// The memory in a folder, which need not be there yet.
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The folder for pages of loads that are broken off.
    pub fn pages(&self) -> PathBuf {
        self.0.join("pages")
    }

    /// How to ask whether the document with this hash is still the one at `url`.
    pub fn validators(&self, url: &str, blake3: &[u8; 32]) -> Option<Validators> {
        let note: Note = self.read(&self.file("known", url))?;
        (note.url == url && note.blake3 == *blake3).then_some(note.validators)
    }

    /// Remembers that.
    ///
    /// # Errors
    /// [`Kind::Disk`].
    pub fn know(&self, url: &str, blake3: &[u8; 32], validators: &Validators) -> Result<(), Fault> {
        if *validators == Validators::default() {
            return Ok(());
        }
        let note = Note { url: url.into(), blake3: *blake3, validators: validators.clone() };
        self.write(&self.file("known", url), &note)
    }

    /// The last look at the source of a data set.
    pub fn look(&self, dataset: &str) -> Option<Look> {
        self.read(&self.file("looks", dataset))
    }

    /// Remembers a look.
    ///
    /// # Errors
    /// [`Kind::Disk`].
    pub fn looked(&self, dataset: &str, look: &Look) -> Result<(), Fault> {
        self.write(&self.file("looks", dataset), look)
    }

    fn file(&self, kind: &str, name: &str) -> PathBuf {
        // A hash: what a foreign name says must not become a path.
        self.0.join(kind).join(PieceId::of(name.as_bytes()).cid().to_string()).with_extension("json")
    }

    fn read<T: DeserializeOwned>(&self, file: &PathBuf) -> Option<T> {
        let size = fs::metadata(file).ok()?.len();
        if size > NOTE_BYTES_MAX {
            return None;
        }
        serde_json::from_slice(&fs::read(file).ok()?).ok()
    }

    fn write(&self, file: &PathBuf, value: &impl Serialize) -> Result<(), Fault> {
        let part = file.with_extension("part");
        let written = || -> std::io::Result<()> {
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&part, serde_json::to_vec(value)?)?;
            fs::rename(&part, file)
        };
        written().map_err(|fault| {
            Fault::new(Kind::Disk, "disk", format!("cannot write `{}`: {fault}", file.display()))
        })
    }
}
