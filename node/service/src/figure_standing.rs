//! How a figure stands at this node: its own run, the runs of followed publishers, and what the publisher
//! said afterwards.
//!
//! [`OutputStandings`] is the one place that decides. Pages, files, SDMX and catalogue all ask it, for one
//! figure or for all of a table; it reads each table of differences once.

use std::collections::{BTreeMap, BTreeSet};

use ledger::standing::{
    CellFindings, CellReference, CellStanding, Contest, RootStanding, Standing, cell_standing,
};
use ledger::verify::RELEASE_DEPTH_MAX;
use schemas::cid::{Cid, PublisherId, ReleaseId};
use schemas::column::Cell;
use schemas::object::{Attestation, Dataset, Provenance, Release};
use schemas::text::Name;
use schemas::verdict::Verdict;
use serde::{Deserialize, Serialize};
use store::IndexTree;

use crate::core::Error;
use crate::query::{LedgerQuery, ReleaseInfo};
use crate::storage::Storage;

/// The standing of one figure. Strangers never count: attestors are followed publishers other than this
/// node and the publisher of the figure.
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
    /// Dataflows of the data sets without a document, of the release and of those above it.
    pub stated: Vec<String>,
}

/// The standing of an output as a whole, for lists of dataflows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputStanding {
    /// `does_not_hold` as soon as one figure does not, `contested` as soon as one is.
    pub word: Standing,
    /// Figures that do not hold, as far as tables of differences name them.
    pub does_not_hold: usize,
    /// What the run of this node says: never `contested`.
    pub checked_here: Standing,
    /// Statements and evidence against the release.
    pub contests: Vec<Contest>,
    /// Data points that the publisher retracted.
    pub retracted_points: usize,
    /// Attestors whose run gives all figures.
    pub confirmed_by: Vec<PublisherId>,
    /// Attestors whose run gives another figure.
    pub contradicted_by: Vec<PublisherId>,
    /// Dataflows of the data sets without a document, of the release and of those above it.
    pub stated: Vec<String>,
}

/// The standings of all figures of one output, for the component that was asked for.
#[derive(Debug, Clone, Default)]
pub struct OutputStandings {
    here: CellFindings,
    attestors: Vec<(PublisherId, CellFindings)>,
    root: RootStanding,
    stated: Vec<String>,
}

impl OutputStandings {
    /// The standing of the figure with this key, in the order of the identifiers.
    pub fn figure(&self, key: &[Cell]) -> FigureStanding {
        let (mut confirmed_by, mut contradicted_by) = (Vec::new(), Vec::new());
        for (attestor, findings) in &self.attestors {
            match findings.cell(key) {
                CellStanding::Holds => confirmed_by.push(*attestor),
                CellStanding::DoesNotHold { .. } => contradicted_by.push(*attestor),
                CellStanding::Unchecked => {}
            }
        }
        let (cell, contests) = (self.deciding_cell(key), self.root.contests(key));
        FigureStanding {
            word: Standing::of(&cell, &contests),
            cell,
            checked_here: self.here.cell(key),
            contests,
            confirmed_by,
            contradicted_by,
            stated: self.stated.clone(),
        }
    }

    /// The word for the figure with this key.
    pub fn word(&self, key: &[Cell]) -> Standing {
        Standing::of(&self.deciding_cell(key), &self.root.contests(key))
    }

    /// The run of this node decides; of others, one that contradicts before one that confirms.
    fn deciding_cell(&self, key: &[Cell]) -> CellStanding {
        let mut deciding = self.here.cell(key);
        if deciding != CellStanding::Unchecked {
            return deciding;
        }
        for (_, findings) in &self.attestors {
            match findings.cell(key) {
                differing @ CellStanding::DoesNotHold { .. } => return differing,
                CellStanding::Holds => deciding = CellStanding::Holds,
                CellStanding::Unchecked => {}
            }
        }
        deciding
    }

    /// Whether some figure stands otherwise than the others of the release: it differs, or was retracted alone.
    pub fn has_marks(&self) -> bool {
        let all = self.attestors.iter().map(|(_, findings)| findings).chain([&self.here]);
        let mut keys = all.flat_map(|findings| findings.differing_keys());
        keys.next().is_some() || !self.root.retracted_points.is_empty()
    }

    /// The word for a figure that stands otherwise than the others of the release.
    pub fn mark(&self, key: &[Cell]) -> Option<Standing> {
        match self.deciding_cell(key) {
            CellStanding::DoesNotHold { .. } => Some(Standing::DoesNotHold),
            _ if self.root.contests(key).contains(&Contest::PointRetracted) => Some(Standing::Contested),
            _ => None,
        }
    }

    /// What its publisher said of the release, and evidence against it.
    pub fn root(&self) -> &RootStanding {
        &self.root
    }

    /// The standing of the output as a whole.
    pub fn summary(&self) -> OutputStanding {
        let is_checked = |findings: &CellFindings| findings.is_computed();
        let agrees =
            |findings: &CellFindings| findings.is_computed() && findings.differing_keys().next().is_none();
        let differs = |findings: &CellFindings| findings.differing_keys().next().is_some();
        let deciding: Vec<&CellFindings> = match is_checked(&self.here) {
            true => vec![&self.here],
            false => self.attestors.iter().map(|(_, findings)| findings).collect(),
        };
        let keys: BTreeSet<_> = deciding.iter().flat_map(|findings| findings.differing_keys()).collect();
        let retracted_points = self.root.retracted_points.len();
        let contests = self.root.contests(&[]);
        let word = match () {
            () if !keys.is_empty() => Standing::DoesNotHold,
            () if !contests.is_empty() || retracted_points > 0 => Standing::Contested,
            () if deciding.iter().any(|findings| is_checked(findings)) => Standing::Holds,
            () => Standing::Unchecked,
        };
        let attestors = |test: &dyn Fn(&CellFindings) -> bool| {
            self.attestors.iter().filter(|(_, findings)| test(findings)).map(|(id, _)| *id).collect()
        };
        OutputStanding {
            word,
            does_not_hold: keys.len(),
            checked_here: match () {
                () if differs(&self.here) => Standing::DoesNotHold,
                () if agrees(&self.here) => Standing::Holds,
                () => Standing::Unchecked,
            },
            contests,
            retracted_points,
            confirmed_by: attestors(&agrees),
            contradicted_by: attestors(&differs),
            stated: self.stated.clone(),
        }
    }
}

impl<K: Storage> LedgerQuery<'_, K> {
    /// The standings of all figures of an output.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn output_standings(
        &self,
        info: &ReleaseInfo,
        output: &Name,
        component: &Name,
    ) -> Result<OutputStandings, Error> {
        self.output_standings_under(self.release_standing(info)?, info, output, component)
    }

    /// The standings of all figures of an output whose release stands like `root`.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn output_standings_under(
        &self,
        root: RootStanding,
        info: &ReleaseInfo,
        output: &Name,
        component: &Name,
    ) -> Result<OutputStandings, Error> {
        let read = |said: &Attestation| {
            let fetch = |id| self.0.get(id).ok().flatten();
            CellFindings::read(&said.verdict, &said.results, output, component, &fetch)
        };
        let attestors = self.counting_attestations(info)?;
        Ok(OutputStandings {
            here: self.local_attestation(info.id)?.as_ref().map(read).unwrap_or_default(),
            attestors: attestors.into_iter().map(|(attestor, said)| (attestor, read(said))).collect(),
            root,
            stated: self.stated_datasets(info)?,
        })
    }

    /// What the runs that count say of a release as a whole: `does_not_hold` when a cell differs, of a result
    /// or of a data set, or when an object is not what it claims to be.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn release_finding(&self, info: &ReleaseInfo) -> Result<Standing, Error> {
        let finding = |verdict: &Verdict| match verdict {
            Verdict::Reproduced { .. } => Standing::Holds,
            Verdict::Differs { .. } | Verdict::Invalid { .. } => Standing::DoesNotHold,
            _ => Standing::Unchecked,
        };
        let own = info.verdict.as_ref().map(finding).filter(|word| *word != Standing::Unchecked);
        if let Some(word) = own {
            return Ok(word);
        }
        let attested = self.counting_attestations(info)?;
        let words: Vec<Standing> = attested.values().map(|said| finding(&said.verdict)).collect();
        let first = [Standing::DoesNotHold, Standing::Holds].into_iter().find(|word| words.contains(word));
        Ok(first.unwrap_or(Standing::Unchecked))
    }

    /// What an attestation says of one cell.
    pub fn attested_cell(&self, said: &Attestation, cell: CellReference<'_>) -> CellStanding {
        cell_standing(&said.verdict, &said.results, cell, &|id| self.0.get(id).ok().flatten())
    }

    /// Text that changes whenever the standing of a figure of this release may, later releases apart. Reads
    /// no table.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn standing_fingerprint(&self, info: &ReleaseInfo) -> Result<String, Error> {
        let (own, root) = (self.local_attestation(info.id)?, self.release_statements(info)?);
        Ok(format!("{own:?} {root:?} {:?}", self.counting_attestations(info)?))
    }

    /// The last attestation of each publisher that counts: followed, neither this node nor the publisher of
    /// the release.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn counting_attestations<'i>(
        &self,
        info: &'i ReleaseInfo,
    ) -> Result<BTreeMap<PublisherId, &'i Attestation>, Error> {
        let own = self.own_publisher()?;
        let mut counting = BTreeMap::new();
        // Ascending by sequence number: a later attestation replaces an earlier one.
        for said in &info.attestations {
            let attestor = said.position.publisher;
            if attestor != info.position.publisher && Some(attestor) != own && self.is_followed(attestor)? {
                counting.insert(attestor, &said.attestation);
            }
        }
        Ok(counting)
    }

    /// The attestation of this node on a release, signed or not.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn local_attestation(&self, release: ReleaseId) -> Result<Option<Attestation>, Error> {
        let Some(row) = self.0.row(IndexTree::Verdicts, &release.cid().to_bytes())? else { return Ok(None) };
        let id = Cid::from_bytes(&row).map_err(|_| Error::CorruptRow("verdicts"))?;
        self.read_object(id).map(Some)
    }

    fn is_followed(&self, publisher: PublisherId) -> Result<bool, Error> {
        Ok(self.0.row(IndexTree::Follows, &publisher.cid().to_bytes())?.is_some())
    }

    /// The dataflows of the data sets without a document, of a release and of those above it.
    fn stated_datasets(&self, info: &ReleaseInfo) -> Result<Vec<String>, Error> {
        let (mut stated, mut seen) = (BTreeSet::new(), BTreeSet::from([info.id]));
        let mut pending = vec![(info.release.clone(), 0)];
        while let Some((release, depth)) = pending.pop() {
            for id in release.inputs.values() {
                let dataset: Dataset = self.read_object(id.cid())?;
                match dataset.provenance {
                    Provenance::Stated => {
                        stated.insert(dataset.dataflow.to_string());
                    }
                    Provenance::Release { release, .. }
                        if depth < RELEASE_DEPTH_MAX && seen.insert(release) =>
                    {
                        pending.push((self.read_object::<Release>(release.cid())?, depth + 1));
                    }
                    _ => {}
                }
            }
        }
        Ok(stated.into_iter().collect())
    }
}
