//! From a recipe and its inputs to the blocks of a release.

use std::collections::BTreeMap;

use ledger::BlockSource;
use ledger::compute::{self, InputData, OutputFigures};
use ledger::revision::{Revision, compare_versions};
use schemas::cid::{DatasetId, RecipeId};
use schemas::content::{self, Block, encode_block};
use schemas::object::{Recipe, Release, Supersession, encode_object};
use schemas::table::Table;
use schemas::text::{Line, Name};

use crate::SubmitError;

/// A stored data set, loaded as an input.
#[derive(Debug, Clone)]
pub struct InputDataset {
    /// Its id.
    pub id: DatasetId,
    /// Name of its dataflow.
    pub dataflow: Name,
    /// Its rows, with their structure.
    pub source: InputData,
}

impl InputDataset {
    /// Loads a data set from the blocks that `fetch` finds.
    ///
    /// # Errors
    /// [`SubmitError::Compute`] when blocks are missing or invalid.
    pub fn load(id: DatasetId, fetch: BlockSource<'_>) -> Result<Self, SubmitError> {
        let (dataset, source) = compute::load_dataset(id, fetch)?;
        Ok(Self { id, dataflow: dataset.dataflow, source })
    }
}

/// The computed figures of a recipe.
#[derive(Debug, Clone)]
pub struct ReleaseFigures {
    /// Data sets that the figures were computed from, by input.
    pub inputs: BTreeMap<Name, DatasetId>,
    /// The figures by output.
    pub figures: BTreeMap<Name, OutputFigures>,
    /// Number of steps that the run took.
    pub steps: u64,
}

/// Labels of a release, chosen by its publisher.
#[derive(Debug, Clone)]
pub struct ReleaseLabels {
    /// Name of the dataflow.
    pub dataflow: Name,
    /// Label of the vintage.
    pub vintage: Line<64>,
    /// The release that this one supersedes, and the reason.
    pub supersedes: Option<Supersession>,
}

/// A release before it is signed.
#[derive(Debug, Clone)]
pub struct ReleaseDraft {
    /// The object to sign.
    pub release: Release,
    /// Blocks of its figures.
    pub blocks: Vec<Block>,
}

/// Checks that a recipe may be published, and encodes it.
///
/// # Errors
/// [`SubmitError::Compute`] when the script is invalid or leaves something to defaults,
/// [`SubmitError::Object`] when the recipe breaks a rule of its schema.
pub fn publishable_recipe(recipe: &Recipe) -> Result<(RecipeId, Block), SubmitError> {
    compute::check_publishable(recipe)?;
    Ok(encode_block(recipe)?)
}

/// Runs a recipe on its inputs.
///
/// # Errors
/// [`SubmitError::Compute`].
pub fn compute_figures(
    recipe: &Recipe,
    inputs: BTreeMap<Name, InputDataset>,
) -> Result<ReleaseFigures, SubmitError> {
    let ids = inputs.iter().map(|(name, input)| (name.clone(), input.id)).collect();
    let sources = inputs.into_iter().map(|(name, input)| (name, input.source)).collect();
    let outcome = compute::run_recipe(recipe, sources, &ledger::vtl::RunCeilings::default())?;
    Ok(ReleaseFigures { inputs: ids, figures: outcome.figures, steps: outcome.steps })
}

impl ReleaseFigures {
    /// The computed tables by output.
    pub fn tables(&self) -> impl Iterator<Item = (&Name, &Table)> {
        self.figures.iter().map(|(name, figures)| (name, &figures.table))
    }

    /// Returns whether a previous release has the same figures in every output.
    pub fn same_as(&self, previous: &Release) -> bool {
        self.figures.iter().all(|(name, figures)| previous.results.get(name) == Some(&figures.content))
    }

    /// Compares each output with that of a previous release. Outputs that the previous release lacks,
    /// or had with other identifiers, are left out: they are no revision.
    ///
    /// # Errors
    /// [`SubmitError::Compute`] when figures of the previous release are missing or invalid.
    pub fn revisions(
        &self,
        previous: &Release,
        fetch: BlockSource<'_>,
    ) -> Result<BTreeMap<Name, Revision>, SubmitError> {
        let mut revisions = BTreeMap::new();
        for (name, figures) in &self.figures {
            // A new output has nothing to be compared with.
            let Some(content) = previous.results.get(name) else { continue };
            let (_, table) = content::unpack_table(*content, fetch).map_err(compute::RunError::from)?;
            // Other identifiers make the versions incomparable, which does not prevent a release.
            if let Ok(revision) = compare_versions(&table, &figures.table) {
                revisions.insert(name.clone(), revision);
            }
        }
        Ok(revisions)
    }

    /// Makes the release of these figures. `recipe` is the id of the recipe that computed them.
    pub fn into_release(self, recipe: RecipeId, labels: ReleaseLabels) -> ReleaseDraft {
        let results = self.figures.iter().map(|(name, figures)| (name.clone(), figures.content)).collect();
        let release = Release {
            dataflow: labels.dataflow,
            vintage: labels.vintage,
            recipe,
            inputs: self.inputs,
            results,
            steps: self.steps,
            supersedes: labels.supersedes,
        };
        let blocks = self.figures.into_values().flat_map(|figures| figures.blocks).collect();
        ReleaseDraft { release, blocks }
    }
}

impl ReleaseDraft {
    /// Encodes the object to sign.
    ///
    /// # Errors
    /// [`SubmitError::Object`].
    pub fn encode(&self) -> Result<Vec<u8>, SubmitError> {
        Ok(encode_object(&self.release)?)
    }
}

#[cfg(test)]
mod tests {
    use schemas::cid::Cid;

    use super::*;
    use crate::dataset::{DatasetDraft, DatasetRequest, SourceDocument, draft_dataset};

    fn prices(last: &str) -> DatasetDraft {
        let text = format!("REF_AREA,TIME_PERIOD,OBS_VALUE\nFRA,2009,80\nFRA,2010,100\nFRA,2011,{last}\n");
        let document = SourceDocument { name: "CPI.csv".into(), bytes: text.into(), origin: None };
        draft_dataset(&[document], &DatasetRequest::default(), &mut |_| ()).unwrap()
    }

    /// Computes annual inflation; gives the figures and all blocks, so that they can be loaded again.
    fn figures(last: &str) -> (ReleaseFigures, RecipeId, BTreeMap<Cid, Vec<u8>>) {
        let draft = prices(last);
        let mut blocks: BTreeMap<Cid, Vec<u8>> = draft.blocks.iter().cloned().collect();
        let (id, dataset) = encode_block(&draft.dataset).unwrap();
        blocks.extend([dataset]);
        let input = InputDataset::load(id, &|id| blocks.get(&id).cloned()).unwrap();
        let recipe = recipes::find_recipe("inflation/cpi-annual").unwrap().recipe().unwrap();
        let (recipe_id, _) = publishable_recipe(&recipe).unwrap();
        let figures = compute_figures(&recipe, BTreeMap::from([(Name::new("CPI").unwrap(), input)])).unwrap();
        blocks.extend(figures.figures.values().flat_map(|figures| figures.blocks.clone()));
        (figures, recipe_id, blocks)
    }

    fn labels() -> ReleaseLabels {
        let (dataflow, vintage) = (Name::new("inflation").unwrap(), Line::new("2011").unwrap());
        ReleaseLabels { dataflow, vintage, supersedes: None }
    }

    #[test]
    fn figures_become_a_release() {
        let (figures, recipe, _) = figures("110");
        let draft = figures.clone().into_release(recipe, labels());
        assert_eq!((draft.release.recipe, draft.release.steps), (recipe, figures.steps));
        assert_eq!(draft.release.inputs, figures.inputs);
        assert!(!draft.blocks.is_empty() && draft.encode().is_ok());
    }

    #[test]
    fn a_previous_release_is_compared_figure_by_figure() {
        let (old, recipe, blocks) = figures("110");
        let previous = old.into_release(recipe, labels()).release;
        assert!(figures("110").0.same_as(&previous));
        let (new, _, _) = figures("120");
        assert!(!new.same_as(&previous));
        let revisions = new.revisions(&previous, &|id| blocks.get(&id).cloned()).unwrap();
        let counts: Vec<_> = revisions.values().map(|revision| (revision.revised, revision.same)).collect();
        assert_eq!(counts, [(1, 1)]);
        assert!(new.revisions(&previous, &|_| None).is_err(), "figures of the previous release are missing");
    }

    #[test]
    fn a_missing_input_is_an_error() {
        let recipe = recipes::find_recipe("inflation/cpi-annual").unwrap().recipe().unwrap();
        assert!(matches!(compute_figures(&recipe, BTreeMap::new()), Err(SubmitError::Compute(_))));
    }
}
