//! Preparation of what a publisher signs: source documents become data sets, and recipes with their
//! inputs become releases.
//!
//! The command line, the harness of published figures and a scheduler take the same path:
//!
//! ```text
//! dataset   SourceDocument ─ draft_dataset ─▶ DatasetDraft ─ review ─▶ object and blocks to sign
//! release   data sets ─ choose_recipe ─▶ recipe ─ compute_figures ─▶ ReleaseFigures ─ into_release ─▶ ReleaseDraft
//! ```
//!
//! Owns the rules for names, titles, media types, code lists, plausibility warnings and the choice of a
//! library recipe. The crate is pure: bytes in, blocks and typed errors out. It opens no file, reads no
//! clock, prints nothing and signs nothing; hints and exit codes belong to the caller.

// An error ends the preparation: it is made once, and its size costs nothing.
#![allow(clippy::result_large_err)]

pub mod dataset;
pub mod recipe_choice;
pub mod release;

pub use dataset::{DatasetDraft, DatasetRequest, DocumentOrigin, SourceDocument, draft_dataset};
pub use recipe_choice::{CandidateDataset, ChoiceError, choose_recipe, is_indicator, match_inputs};
pub use release::{InputDataset, ReleaseDraft, ReleaseFigures, ReleaseLabels, compute_figures};

/// Failure to prepare a data set or a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The source document cannot be read.
    #[error(transparent)]
    Import(#[from] ingest::ImportError),
    /// The recipe cannot be published or run.
    #[error(transparent)]
    Compute(#[from] ledger::compute::RunError),
    /// No single recipe or data set fits.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// An object breaks a rule of its schema.
    #[error(transparent)]
    Object(#[from] schemas::object::Error),
    /// A name or text is out of bounds.
    #[error(transparent)]
    Text(#[from] schemas::text::Error),
}
