//! Verification of a release: re-run it and compare every cell.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use schemas::cid::{Cid, ContentId, RecipeId, ReleaseId};
use schemas::content;
use schemas::object::{self, Attestation, Recipe, Release, SourceCheck};
use schemas::structure::Component;
use schemas::table::Table;
use schemas::text::{Name, Text};
use schemas::verdict::{Divergence, MISSING_MAX, Verdict};

use crate::BlockSource;
use crate::compute::{self, InputData, RunError};

/// Result of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The release.
    pub release: ReleaseId,
    /// The verdict.
    pub verdict: Verdict,
    /// The results obtained, by output; empty when the recipe did not run.
    pub results: BTreeMap<Name, ContentId>,
    /// Steps that the run took; 0 when it did not run.
    pub steps: u64,
}

impl Verification {
    /// The attestation of this result. `build` is the name and version of the program.
    pub fn attestation(&self, build: Text<64>) -> Attestation {
        Attestation {
            release: self.release,
            verdict: self.verdict.clone(),
            results: self.results.clone(),
            semantics: vtl::SEMANTICS_VERSION,
            build,
            sources: SourceCheck::Kept,
        }
    }
}

/// Re-runs a release from blocks and compares every cell with the published one.
///
/// Never fails: missing blocks and errors of the recipe give the verdicts `Missing` and `Failed`.
pub fn verify_release(release: ReleaseId, fetch: BlockSource<'_>) -> Verification {
    let mut found =
        Verification { release, verdict: missing_verdict(Vec::new()), results: BTreeMap::new(), steps: 0 };
    found.verdict = match rerun_release(release, fetch, &mut found) {
        Ok(verdict) => verdict,
        Err(RunError::Missing(ids)) => missing_verdict(ids),
        Err(RunError::Failed { code, message } | RunError::TooCostly { code, message }) => {
            failed_verdict(&code, &message)
        }
    };
    found
}

fn missing_verdict(mut ids: Vec<Cid>) -> Verdict {
    let count = ids.len() as u64;
    ids.truncate(MISSING_MAX);
    Verdict::Missing { ids, count }
}

/// The verdict `Failed`, truncated to the bounds of an attestation.
fn failed_verdict(code: &str, message: &str) -> Verdict {
    Verdict::Failed { code: truncate_text(code), message: truncate_text(message) }
}

/// The longest prefix within the bound, without forbidden characters.
fn truncate_text<const MAX: usize>(text: &str) -> Text<MAX> {
    let mut kept = String::new();
    for c in text.chars() {
        if kept.len() + c.len_utf8() > MAX {
            break;
        }
        if Text::<MAX>::new(c.to_string()).is_ok() {
            kept.push(c);
        }
    }
    Text::new(kept).unwrap_or_default()
}

fn rerun_release(
    id: ReleaseId,
    fetch: BlockSource<'_>,
    found: &mut Verification,
) -> Result<Verdict, RunError> {
    let absent = crate::dependencies::walk_dependencies([id.cid()], fetch, usize::MAX);
    if !absent.missing.is_empty() {
        return Err(RunError::Missing(absent.missing));
    }
    let release: Release = read_object(id.cid(), fetch)?;
    let recipe: Recipe = read_object(RecipeId::cid(release.recipe), fetch)?;
    let stated: Vec<&Name> = release.results.keys().collect();
    if !recipe.outputs.keys().eq(stated.iter().copied()) {
        let message = "the release does not have exactly one result for each output of its recipe";
        return Err(RunError::Failed { code: "outputs".into(), message: message.into() });
    }
    let mut inputs: BTreeMap<Name, InputData> = BTreeMap::new();
    for (name, dataset) in &release.inputs {
        let (_, source) = compute::load_dataset(*dataset, fetch)?;
        inputs.insert(name.clone(), source);
    }
    let outcome = compute::run_recipe(&recipe, inputs, &vtl::RunCeilings::default())?;
    found.steps = outcome.steps;
    found.results = outcome.figures.iter().map(|(name, figures)| (name.clone(), figures.content)).collect();
    let mut comparison = Comparison::default();
    for (name, figures) in &outcome.figures {
        let Some(published) = release.results.get(name) else { continue };
        // Equal ids mean equal cells: the published blocks need not be read.
        if *published == figures.content {
            comparison.cells += count_cells(&figures.table);
            continue;
        }
        let (_, table) = content::unpack_table(*published, fetch)?;
        compare_tables(name, &table, &figures.table, &mut comparison);
    }
    Ok(comparison.verdict())
}

fn read_object<T: object::ObjectType>(id: Cid, fetch: BlockSource<'_>) -> Result<T, RunError> {
    let bytes = fetch(id).ok_or_else(|| RunError::Missing(vec![id]))?;
    object::decode_object(&bytes).map_err(|error| RunError::Failed {
        code: "object".into(),
        message: format!("{} {id}: {error}", T::TYPE),
    })
}

/// Cells of a table that are not part of a key.
fn count_cells(table: &Table) -> u64 {
    let measures = table.shape().components().len() - table.shape().identifier_count();
    (table.rows() as u64) * (measures as u64)
}

/// Running totals of a comparison.
#[derive(Debug, Default)]
pub struct Comparison {
    /// The first cell that differs.
    pub first: Option<Divergence>,
    /// Cells that differ.
    pub count: u64,
    /// Cells compared.
    pub cells: u64,
}

impl Comparison {
    fn add_difference(&mut self, cells: u64, divergence: impl FnOnce() -> Divergence) {
        self.count += cells;
        self.first.get_or_insert_with(divergence);
    }

    /// The verdict for these totals.
    pub fn verdict(self) -> Verdict {
        match self.first {
            None => Verdict::Reproduced { cells: self.cells },
            Some(first) => Verdict::Differs { first, count: self.count, cells: self.cells },
        }
    }
}

/// Compares two tables cell by cell, in the order of keys; numbers by value.
///
/// For a data point on one side only, all its cells count as different.
pub fn compare_tables(output: &Name, published: &Table, computed: &Table, comparison: &mut Comparison) {
    if published.shape() != computed.shape() {
        let all = count_cells(computed).max(count_cells(published)).max(1);
        comparison.cells += all;
        comparison.add_difference(all, || shape_divergence(output, published, computed));
        return;
    }
    let width = (published.shape().components().len() - published.shape().identifier_count()) as u64;
    let (mut a, mut b) = (0, 0);
    while a < published.rows() || b < computed.rows() {
        let order = match (a < published.rows(), b < computed.rows()) {
            (true, true) => published.compare_key(a, computed, b),
            (true, false) => Ordering::Less,
            _ => Ordering::Greater,
        };
        comparison.cells += width.max(1);
        match order {
            Ordering::Equal => compare_row(output, published, a, computed, b, comparison),
            Ordering::Less => {
                comparison.add_difference(width.max(1), || unmatched_row(output, published, a, true))
            }
            Ordering::Greater => {
                comparison.add_difference(width.max(1), || unmatched_row(output, computed, b, false))
            }
        }
        a += usize::from(order != Ordering::Greater);
        b += usize::from(order != Ordering::Less);
    }
}

fn compare_row(
    output: &Name,
    published: &Table,
    a: usize,
    computed: &Table,
    b: usize,
    comparison: &mut Comparison,
) {
    let keys = published.shape().identifier_count();
    let columns = published.columns().iter().zip(computed.columns());
    for (component, (left, right)) in published.shape().components().iter().zip(columns).skip(keys) {
        let (left, right) = (left.cell(a), right.cell(b));
        let same = match (&left, &right) {
            (Some(left), Some(right)) => left.same_value(right),
            (left, right) => left.is_none() && right.is_none(),
        };
        if !same {
            comparison.add_difference(1, || Divergence {
                output: output.clone(),
                key: published.key(a),
                component: Some(component.id.clone()),
                published: left,
                computed: right,
            });
        }
    }
}

/// The divergence of a data point that is in one table only, with its first cell that is not null.
fn unmatched_row(output: &Name, table: &Table, row: usize, published: bool) -> Divergence {
    let keys = table.shape().identifier_count();
    let cell = table.columns().iter().skip(keys).find_map(|column| column.cell(row));
    let (left, right) = if published { (cell, None) } else { (None, cell) };
    Divergence {
        output: output.clone(),
        key: table.key(row),
        component: None,
        published: left,
        computed: right,
    }
}

/// The divergence of tables with different components: the first component that is not in both.
fn shape_divergence(output: &Name, published: &Table, computed: &Table) -> Divergence {
    let (a, b) = (published.shape().components(), computed.shape().components());
    let only = |x: &[Component], y: &[Component]| x.iter().find(|c| !y.contains(c)).map(|c| c.id.clone());
    Divergence {
        output: output.clone(),
        key: Vec::new(),
        component: only(a, b).or_else(|| only(b, a)).or_else(|| a.first().map(|c| c.id.clone())),
        published: None,
        computed: None,
    }
}
