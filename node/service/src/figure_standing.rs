//! How one figure stands at this node: its own run, the runs of followed publishers, and what the
//! publisher said afterwards.

use std::collections::BTreeSet;

use ledger::standing::{
    CellReference, CellStanding, Contest, RootStanding, Standing, cell_standing, is_after,
};
use schemas::cid::{Cid, PublisherId, ReleaseId};
use schemas::column::Cell;
use schemas::content;
use schemas::object::{Attestation, Dataset, Provenance};
use schemas::text::Name;
use schemas::verdict::{DIFFERENCES_MAX, Verdict};
use serde::{Deserialize, Serialize};
use store::IndexTree;

use crate::core::Error;
use crate::query::{LedgerQuery, ReleaseInfo};
use crate::storage::Storage;

/// The standing of one figure. Strangers never count: attestors are followed publishers other than that of
/// the figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigureStanding {
    /// The word that every surface shows.
    pub word: Standing,
    /// What the run says that decided: that of this node, or that of an attestor.
    #[serde(flatten)]
    pub cell: CellStanding,
    /// What the run of this node says.
    pub checked_here: CellStanding,
    /// Statements and evidence that change how the figure is to be taken.
    pub contests: Vec<Contest>,
    /// Attestors whose run gives this figure.
    pub confirmed_by: Vec<PublisherId>,
    /// Attestors whose run gives another figure.
    pub contradicted_by: Vec<PublisherId>,
    /// Data sets of the release that have no document.
    pub stated: Vec<String>,
}

impl<K: Storage> LedgerQuery<'_, K> {
    /// The standing of a figure of a release.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn figure_standing(
        &self,
        info: &ReleaseInfo,
        root: &RootStanding,
        cell: CellReference<'_>,
    ) -> Result<FigureStanding, Error> {
        let checked_here = match self.local_attestation(info.id)? {
            Some(own) => self.attested_cell(&own, cell),
            None => CellStanding::Unchecked,
        };
        let (mut confirmed_by, mut contradicted_by) = (Vec::new(), Vec::new());
        let mut deciding = checked_here.clone();
        for said in &info.attestations {
            let attestor = said.position.publisher;
            if attestor == info.position.publisher || !self.is_followed(attestor)? {
                continue;
            }
            let found = self.attested_cell(&said.attestation, cell);
            match &found {
                CellStanding::Holds => confirmed_by.push(attestor),
                CellStanding::DoesNotHold { .. } => contradicted_by.push(attestor),
                CellStanding::Unchecked => continue,
            }
            // The own run decides; of others, one that contradicts before one that confirms.
            let contradicts = matches!(found, CellStanding::DoesNotHold { .. });
            if checked_here == CellStanding::Unchecked && (deciding == CellStanding::Unchecked || contradicts)
            {
                deciding = found;
            }
        }
        let contests = root.contests(cell.key);
        Ok(FigureStanding {
            word: Standing::of(&deciding, &contests),
            cell: deciding,
            checked_here,
            contests,
            confirmed_by,
            contradicted_by,
            stated: self.stated_inputs(info)?,
        })
    }

    /// What an attestation says of one cell.
    pub fn attested_cell(&self, said: &Attestation, cell: CellReference<'_>) -> CellStanding {
        cell_standing(&said.verdict, &said.results, cell, &|id| self.0.get(id).ok().flatten())
    }

    /// The attestation of this node on a release, signed or not.
    fn local_attestation(&self, release: ReleaseId) -> Result<Option<Attestation>, Error> {
        let Some(row) = self.0.row(IndexTree::Verdicts, &release.cid().to_bytes())? else { return Ok(None) };
        let id = Cid::from_bytes(&row).map_err(|_| Error::CorruptRow("verdicts"))?;
        self.read_object(id).map(Some)
    }

    fn is_followed(&self, publisher: PublisherId) -> Result<bool, Error> {
        Ok(self.0.row(IndexTree::Follows, &publisher.cid().to_bytes())?.is_some())
    }

    /// The dataflows of the inputs of a release that have no document.
    fn stated_inputs(&self, info: &ReleaseInfo) -> Result<Vec<String>, Error> {
        let mut stated = Vec::new();
        for id in info.release.inputs.values() {
            let dataset: Dataset = self.read_object(id.cid())?;
            stated.extend((dataset.provenance == Provenance::Stated).then(|| dataset.dataflow.to_string()));
        }
        Ok(stated)
    }
}

/// The standing of every figure of one output, for tables and files.
#[derive(Debug, Clone, Default)]
pub struct OutputStandings {
    is_checked: bool,
    /// Keys, as text, whose figure differs, for the component that was asked for.
    differing: BTreeSet<Vec<String>>,
    /// Keys beyond the end of a table of differences are not known.
    last_known: Option<Vec<Cell>>,
    root: RootStanding,
}

fn key_texts(key: &[Cell]) -> Vec<String> {
    key.iter().map(Cell::to_string).collect()
}

impl OutputStandings {
    /// The word for the figure with this key.
    pub fn word(&self, key: &[Cell]) -> Standing {
        let value = || CellStanding::DoesNotHold { published: None, computed: None };
        let cell = match () {
            () if self.differing.contains(&key_texts(key)) => value(),
            () if self.is_checked && self.last_known.as_deref().is_none_or(|last| !is_after(key, last)) => {
                CellStanding::Holds
            }
            () => CellStanding::Unchecked,
        };
        Standing::of(&cell, &self.root.contests(key))
    }
}

impl<K: Storage> LedgerQuery<'_, K> {
    /// The standings of all figures of an output, by the rules of [`LedgerQuery::figure_standing`]; the
    /// tables of differences are read once.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn output_standings(
        &self,
        info: &ReleaseInfo,
        output: &Name,
        component: &Name,
    ) -> Result<OutputStandings, Error> {
        let root = self.release_standing(info)?;
        let mut standings = OutputStandings { root, ..OutputStandings::default() };
        let own = self.local_attestation(info.id)?;
        if own.is_some_and(|own| self.add_attestation(&mut standings, &own, output, component)) {
            return Ok(standings);
        }
        for said in &info.attestations {
            let attestor = said.position.publisher;
            if attestor != info.position.publisher && self.is_followed(attestor)? {
                self.add_attestation(&mut standings, &said.attestation, output, component);
            }
        }
        Ok(standings)
    }

    /// Adds what an attestation says of an output; `false` when it says nothing.
    fn add_attestation(
        &self,
        standings: &mut OutputStandings,
        said: &Attestation,
        output: &Name,
        component: &Name,
    ) -> bool {
        let table = match &said.verdict {
            Verdict::Reproduced { .. } => None,
            Verdict::Differs { differences, .. } if said.results.contains_key(output) => {
                match differences
                    .get(output)
                    .map(|id| content::unpack_table(*id, |id| self.0.get(id).ok().flatten()))
                {
                    Some(Ok((_, table))) => Some(table),
                    Some(Err(_)) => return false,
                    None => None,
                }
            }
            _ => return false,
        };
        standings.is_checked = true;
        let Some(table) = table else { return true };
        for row in 0..table.rows() {
            let mut key = table.key(row);
            let of_component = key.pop() == Some(Cell::Text(component.to_string()));
            // A full table may have been cut after its last row.
            if row + 1 == table.rows() && table.rows() >= DIFFERENCES_MAX {
                standings.last_known = Some(key.clone());
            }
            if of_component {
                standings.differing.insert(key_texts(&key));
            }
        }
        true
    }
}
