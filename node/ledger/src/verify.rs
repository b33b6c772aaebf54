//! Verification from the documents to the cells (specs/bundle.md, section 3).
//!
//! A release is verified by reading its source documents again, running the recipes on what they give and
//! comparing every published cell with the result. [`verify_release`] gives the verdict;
//! [`Verifier`] also verifies data sets, recipes and attestations, and keeps what it found on the way.

mod closure;
mod comparison;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use schemas::cid::{Cid, ContentId, DatasetId, RecipeId, ReleaseId, SnapshotId};
use schemas::content::{self, Block};
use schemas::limits::CELLS_MAX;
use schemas::object::{Attestation, Object, Recipe, Release, SourceCounts};
use schemas::table::Cell;
use schemas::text::{Line, Name, Text, TextForm};
use schemas::verdict::{ComparedTable, Divergence, MISSING_MAX, Verdict};

pub use comparison::{Comparison, compare_tables, count_cells};

use crate::BlockSource;
use crate::compute::{self, InputData, OutputFigures, RunError};
use source::DatasetCheck;

/// Releases above one root that are run again.
pub const RELEASES_ABOVE_MAX: usize = 64;
/// Depth of releases above one root.
pub const RELEASE_DEPTH_MAX: usize = 8;

/// Result of the verification of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The release.
    pub release: ReleaseId,
    /// The verdict.
    pub verdict: Verdict,
    /// The results of the run, by output; empty when the recipe did not run.
    pub results: BTreeMap<Name, ContentId>,
    /// Steps that the run took; 0 when it did not run.
    pub steps: u64,
    /// The sources that were read, and those that could not be.
    pub sources: SourceCounts,
    /// Blocks of the tables of differences.
    pub blocks: Vec<Block>,
}

impl Verification {
    /// The attestation of this result. `build` is the name and version of the program.
    pub fn attestation(&self, build: Line<64>) -> Attestation {
        Attestation {
            release: self.release,
            verdict: self.verdict.clone(),
            results: self.results.clone(),
            semantics: vtl::SEMANTICS_VERSION,
            build,
            sources: self.sources,
        }
    }
}

/// An object on the way from a root to its documents, with what was found about it.
#[derive(Debug, Clone)]
pub enum ChainLink {
    /// A data set compared with its source.
    Dataset {
        /// The data set.
        id: DatasetId,
        /// Its data beside those of its source.
        comparison: Comparison,
    },
    /// A release that was run again.
    Release {
        /// The release.
        id: ReleaseId,
        /// The verdict on it.
        verdict: Verdict,
    },
}

/// Verifies a release from blocks: reads its documents again, runs its recipe and compares every cell.
///
/// Never fails: whatever keeps it from a comparison is a verdict.
pub fn verify_release(release: ReleaseId, fetch: BlockSource<'_>) -> Verification {
    Verifier::new(fetch).verify_release(release)
}

/// A verdict that ends the verification: any other than `Reproduced` and `Differs`.
#[derive(Debug, Clone)]
pub(crate) struct Stop(Box<Verdict>);

impl Stop {
    fn missing(mut ids: Vec<Cid>) -> Self {
        let count = ids.len() as u64;
        ids.truncate(MISSING_MAX);
        Self(Box::new(Verdict::Missing { ids, count }))
    }

    fn invalid(object: Cid, code: &str, message: &str) -> Self {
        let (code, message) = (truncate_text(code), truncate_text(message));
        Self(Box::new(Verdict::Invalid { object, code, message }))
    }

    fn failed(code: &str, message: &str) -> Self {
        Self(Box::new(Verdict::Failed { code: truncate_text(code), message: truncate_text(message) }))
    }

    fn not_run(code: &str, message: &str) -> Self {
        Self(Box::new(Verdict::NotRun { code: truncate_text(code), message: truncate_text(message) }))
    }

    /// Whether the verdict stands although a difference was found before.
    fn overrules_difference(&self) -> bool {
        matches!(*self.0, Verdict::Missing { .. } | Verdict::Invalid { .. })
    }
}

impl From<RunError> for Stop {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Missing(ids) => Self::missing(ids),
            RunError::Failed { code, message } => Self::failed(&code, &message),
            RunError::TooCostly { code, message } => Self::not_run(&code, &message),
        }
    }
}

/// The longest prefix within the bound, without forbidden characters.
fn truncate_text<const MAX: usize, F: TextForm + Default>(text: &str) -> Text<MAX, F> {
    let mut kept = String::new();
    for c in text.chars() {
        if kept.len() + c.len_utf8() > MAX {
            break;
        }
        // A blank alone is no text, but it may stand inside one.
        if c == ' ' || Text::<MAX, F>::new(c.to_string()).is_ok() {
            kept.push(c);
        }
    }
    Text::new(kept.trim()).unwrap_or_default()
}

/// Verifies objects from blocks, each object once.
pub struct Verifier<'a> {
    fetch: BlockSource<'a>,
    ceilings: vtl::RunCeilings,
    contents: BTreeMap<ContentId, Arc<InputData>>,
    /// Cells of the tables in `contents`.
    cached_cells: usize,
    datasets: BTreeMap<DatasetId, Arc<DatasetCheck>>,
    releases: BTreeMap<ReleaseId, Arc<ReleaseCheck>>,
    /// The data sets and releases verified so far, those above before those below.
    pub chain: Vec<ChainLink>,
}

/// A release that was run again.
#[derive(Debug)]
struct ReleaseCheck {
    verdict: Verdict,
    /// Its figures; empty when its recipe does not run on what its documents give.
    figures: BTreeMap<Name, OutputFigures>,
    steps: u64,
    blocks: Vec<Block>,
    /// Outputs whose cells have a counterpart in the run.
    comparable: BTreeSet<Name>,
    documents: BTreeSet<SnapshotId>,
    stated: BTreeSet<DatasetId>,
}

/// Totals of the comparisons of one release.
#[derive(Debug, Default)]
struct ReleaseTotals {
    first: Option<Divergence>,
    count: u64,
    cells: u64,
    read: u64,
}

impl ReleaseTotals {
    fn add_difference(&mut self, first: Option<Divergence>, count: u64) {
        self.count += count;
        if self.first.is_none() {
            self.first = first;
        }
    }

    fn into_verdict(self, differences: BTreeMap<Name, ContentId>) -> Verdict {
        let Self { first, count, cells, read } = self;
        match first {
            None => Verdict::Reproduced { cells, read },
            Some(first) => Verdict::Differs { first, count, cells, read, differences },
        }
    }
}

impl<'a> Verifier<'a> {
    /// A verifier of the blocks that `fetch` finds.
    pub fn new(fetch: BlockSource<'a>) -> Self {
        Self {
            fetch,
            ceilings: vtl::RunCeilings::default(),
            contents: BTreeMap::new(),
            cached_cells: 0,
            datasets: BTreeMap::new(),
            releases: BTreeMap::new(),
            chain: Vec::new(),
        }
    }

    /// Sets the ceilings of the verifier, which stand above the limits of the recipes.
    #[must_use]
    pub fn with_ceilings(self, ceilings: vtl::RunCeilings) -> Self {
        Self { ceilings, ..self }
    }

    /// Ends the verification when its caller has raised the stop flag.
    fn check_stop(&self) -> Result<(), Stop> {
        match &self.ceilings.stop {
            Some(stop) if stop.load(Ordering::Relaxed) => {
                Err(Stop::not_run("ceiling-time", "not run here: the time of this verifier is over"))
            }
            _ => Ok(()),
        }
    }

    /// Verifies a release.
    pub fn verify_release(&mut self, release: ReleaseId) -> Verification {
        let checked = self.check_closure(release.cid()).and_then(|()| self.check_release(release, 0));
        match checked {
            Ok(check) => {
                let comparable = check.figures.iter().filter(|(name, _)| check.comparable.contains(*name));
                Verification {
                    release,
                    verdict: check.verdict.clone(),
                    results: comparable.map(|(name, figures)| (name.clone(), figures.content)).collect(),
                    steps: check.steps,
                    sources: SourceCounts {
                        read: check.documents.len() as u64,
                        stated: check.stated.len() as u64,
                    },
                    blocks: check.blocks.clone(),
                }
            }
            Err(Stop(verdict)) => Verification {
                release,
                verdict: *verdict,
                results: BTreeMap::new(),
                steps: 0,
                sources: SourceCounts::default(),
                blocks: Vec::new(),
            },
        }
    }

    /// Verifies an object of any type. `None` when its rules hold and nothing of it can be recomputed.
    pub fn verify_object(&mut self, id: Cid) -> Option<Verdict> {
        match self.check_object(id) {
            Ok(verdict) => verdict,
            Err(Stop(verdict)) => Some(*verdict),
        }
    }

    fn check_object(&mut self, id: Cid) -> Result<Option<Verdict>, Stop> {
        self.check_closure(id)?;
        let bytes = (self.fetch)(id).ok_or_else(|| Stop::missing(vec![id]))?;
        let object =
            Object::decode(&bytes).map_err(|error| Stop::invalid(id, "object", &error.to_string()))?;
        match object {
            Object::Release(_) => Ok(Some(self.check_release(typed_id(id)?, 0)?.verdict.clone())),
            Object::Dataset(dataset) => {
                let check = self.check_dataset(typed_id(id)?, 0)?;
                let Comparison { first, count, cells, .. } = check.comparison.clone();
                let totals = ReleaseTotals { first, count, cells: 0, read: cells };
                let stated = matches!(dataset.provenance, schemas::object::Provenance::Stated);
                Ok((!stated).then(|| totals.into_verdict(BTreeMap::new())))
            }
            Object::Recipe(recipe) => {
                compute::check_recipe(&recipe)?;
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Runs a release on what its documents give, and compares its results.
    fn check_release(&mut self, id: ReleaseId, depth: usize) -> Result<Arc<ReleaseCheck>, Stop> {
        if let Some(check) = self.releases.get(&id) {
            return Ok(Arc::clone(check));
        }
        if depth > RELEASE_DEPTH_MAX || self.releases.len() > RELEASES_ABOVE_MAX {
            let message = format!(
                "more than {RELEASES_ABOVE_MAX} releases above, or more than {RELEASE_DEPTH_MAX} one above the other"
            );
            return Err(Stop::not_run("depth", &message));
        }
        let release: Release = self.read(id.cid())?;
        let recipe: Recipe = self.read(RecipeId::cid(release.recipe))?;
        let mut totals = ReleaseTotals::default();
        let (mut documents, mut stated) = (BTreeSet::new(), BTreeSet::new());
        let mut inputs = BTreeMap::new();
        for (name, dataset) in &release.inputs {
            let check = self.check_dataset(*dataset, depth)?;
            totals.read += check.comparison.cells;
            totals.add_difference(check.comparison.first.clone(), check.comparison.count);
            documents.extend(&check.documents);
            stated.extend(&check.stated);
            inputs.insert(name.clone(), InputData::clone(&check.data));
        }
        let fitting = check_ports(&release, &recipe);
        let run = fitting.and_then(|()| Ok(compute::run_recipe(&recipe, inputs, &self.ceilings)?));
        let outcome = match run {
            // A source that differs explains why its recipe does not run.
            Err(stop) if totals.count > 0 && !stop.overrules_difference() => None,
            Err(stop) => return Err(stop),
            Ok(outcome) => Some(outcome),
        };
        let (figures, steps) = outcome.map(|outcome| (outcome.figures, outcome.steps)).unwrap_or_default();
        let compared = self.compare_results(&release, &figures, &mut totals)?;
        if totals.count == 0 && steps != release.steps {
            totals.add_difference(Some(steps_divergence(release.steps, steps)), 1);
        }
        let verdict = totals.into_verdict(compared.differences);
        self.chain.push(ChainLink::Release { id, verdict: verdict.clone() });
        let (blocks, comparable) = (compared.blocks, compared.comparable);
        let check = Arc::new(ReleaseCheck { verdict, figures, steps, blocks, comparable, documents, stated });
        self.releases.insert(id, Arc::clone(&check));
        Ok(check)
    }

    /// Compares the published results of a release with those of its run.
    fn compare_results(
        &mut self,
        release: &Release,
        figures: &BTreeMap<Name, OutputFigures>,
        totals: &mut ReleaseTotals,
    ) -> Result<ComparedResults, Stop> {
        let mut compared = ComparedResults::default();
        for (name, figures) in figures {
            let Some(published) = release.results.get(name) else { continue };
            compared.comparable.insert(name.clone());
            // Equal ids mean equal cells: the published blocks need not be read.
            if *published == figures.content {
                totals.cells += count_cells(&figures.table);
                continue;
            }
            let data = self.unpack_content(*published)?;
            let output = ComparedTable::Output(name.clone());
            let comparison = compare_tables(&output, &data.table, &figures.table);
            totals.cells += comparison.cells;
            if comparison.count == 0 {
                let message = format!(
                    "the result `{name}` has the cells of the run under another id, {} instead of {}",
                    published, figures.content
                );
                return Err(Stop::invalid(published.cid(), "canonical", &message));
            }
            if !comparison.same_shape {
                compared.comparable.remove(name);
            }
            if let Some((_, blocks)) = comparison.difference_table(data.table.shape()) {
                let content = blocks.last().and_then(|(id, _)| ContentId::try_from(*id).ok());
                compared.differences.extend(content.map(|content| (name.clone(), content)));
                compared.blocks.extend(blocks);
            }
            totals.add_difference(comparison.first, comparison.count);
        }
        Ok(compared)
    }

    /// Unpacks a content, and keeps it as long as all kept tables together are no larger than one may be.
    fn unpack_content(&mut self, id: ContentId) -> Result<Arc<InputData>, Stop> {
        self.check_stop()?;
        if let Some(data) = self.contents.get(&id) {
            return Ok(Arc::clone(data));
        }
        let (structure, table) =
            content::unpack_table(id, self.fetch).map_err(|error| closure::content_error(id, error))?;
        let cells = table.rows().saturating_mul(table.columns().len());
        let data = Arc::new(InputData { structure, table });
        if self.cached_cells.saturating_add(cells) <= CELLS_MAX {
            self.cached_cells += cells;
            self.contents.insert(id, Arc::clone(&data));
        }
        Ok(data)
    }
}

/// The comparison of all results of a release.
#[derive(Debug, Default)]
struct ComparedResults {
    differences: BTreeMap<Name, ContentId>,
    blocks: Vec<Block>,
    comparable: BTreeSet<Name>,
}

/// Checks that a release has the outputs and inputs of its recipe.
fn check_ports(release: &Release, recipe: &Recipe) -> Result<(), Stop> {
    if !recipe.outputs.keys().eq(release.results.keys()) {
        let message = "the release does not have exactly one result for each output of its recipe";
        return Err(Stop::failed("outputs", message));
    }
    if !recipe.inputs.keys().eq(release.inputs.keys()) {
        let message = "the release does not have exactly one data set for each input of its recipe";
        return Err(Stop::failed("inputs", message));
    }
    Ok(())
}

fn typed_id<T: TryFrom<Cid>>(id: Cid) -> Result<T, Stop> {
    T::try_from(id).map_err(|_| Stop::invalid(id, "object", "an object with the codec of raw bytes"))
}

fn steps_divergence(published: u64, computed: u64) -> Divergence {
    // More steps than an integer cell holds are beyond every limit.
    let cell = |steps: u64| i64::try_from(steps).ok().map(Cell::Integer);
    Divergence {
        table: ComparedTable::Steps,
        position: None,
        key: Vec::new(),
        component: None,
        published: cell(published),
        computed: cell(computed),
    }
}
