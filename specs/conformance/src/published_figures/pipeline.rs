//! The full path of a figure: import, data set, recipe, release, signature, bundle, and verification
//! from the bundle alone. Data sets and releases are prepared by `submit`, as on the command line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ingest::{Format, ImportOptions};
use ledger::bundle::{self, Bundle};
use ledger::compute;
use ledger::log::Log;
use schemas::cid::{Cid, DatasetId, EntryId};
use schemas::content;
use schemas::decimal::Decimal;
use schemas::entry;
use schemas::key::SecretKey;
use schemas::object::{ObjectType, Release, Structure, encode_object};
use schemas::period::Period;
use schemas::structure::Role;
use schemas::table::{Cell, Table};
use schemas::text::Name;
use schemas::verdict::Verdict;
use submit::release::publishable_recipe;
use submit::{DatasetRequest, InputDataset, ReleaseLabels, SourceDocument};

use super::family::{InputFile, RecipeRun};
use super::figure::PublishedFigure;
use testkit::sample;

/// Formats that `families.toml` may name.
const FORMATS: [Format; 3] = [Format::WorldBank, Format::Fred, Format::Csv];

/// A publisher with its blocks, and the folder of files that it publishes from.
pub struct Pipeline {
    data: PathBuf,
    key: SecretKey,
    log: Log,
    blocks: BTreeMap<Cid, Vec<u8>>,
    /// Data sets by file and mapping; each file is imported once.
    held: Vec<(InputFile, DatasetId)>,
}

/// Verified figures of a run, by output.
#[derive(Debug, Clone)]
pub struct VerifiedFigures(BTreeMap<Name, Table>);

impl Pipeline {
    /// A publisher with an empty log and files in the folder `data`.
    pub fn new(data: &Path) -> Self {
        let genesis = sample::genesis_entry();
        let blocks = BTreeMap::from([(genesis.id().cid(), genesis.bytes().to_vec())]);
        let log = Log::from_genesis(&genesis).unwrap();
        Self { data: data.to_owned(), key: sample::secret_key(2), log, blocks, held: Vec::new() }
    }

    /// Publishes the release of a run and returns its figures, verified from a bundle alone.
    ///
    /// # Errors
    /// The step that failed and its error.
    pub fn compute_figures(&mut self, run: &RecipeRun) -> Result<VerifiedFigures, String> {
        let mut inputs = BTreeMap::new();
        for (name, input) in run.inputs() {
            let name = Name::new(name.as_str()).map_err(|error| error.to_string())?;
            inputs.insert(name, self.import_dataset(input)?);
        }
        let release = self.build_release(run, inputs)?;
        let entry = self.sign_release(&release)?;
        let fetch = |id: Cid| self.blocks.get(&id).cloned();
        let file =
            bundle::write_bundle(&[entry], &[], &fetch).map_err(|reach| format!("bundle: {reach:?}"))?;
        // From the bundle alone: nothing that this process still holds may help.
        verify_bundle(&file)
    }

    fn build_release(
        &mut self,
        run: &RecipeRun,
        inputs: BTreeMap<Name, DatasetId>,
    ) -> Result<Release, String> {
        let (recipe, (cid, bytes)) =
            publishable_recipe(&run.recipe).map_err(|error| format!("recipe: {error}"))?;
        let mut datasets: BTreeMap<Name, InputDataset> = BTreeMap::new();
        for (name, id) in inputs {
            let fetch = |id: Cid| self.blocks.get(&id).cloned();
            let dataset = InputDataset::load(id, &fetch).map_err(|error| format!("data set: {error}"))?;
            datasets.insert(name, dataset);
        }
        let figures =
            submit::compute_figures(&run.recipe, datasets).map_err(|error| format!("run: {error}"))?;
        let labels = ReleaseLabels {
            dataflow: run.recipe.indicator.clone(),
            vintage: sample::make_text("published"),
            supersedes: None,
        };
        let draft = figures.into_release(recipe, labels);
        self.blocks.insert(cid, bytes);
        self.blocks.extend(draft.blocks);
        Ok(draft.release)
    }

    /// Imports a file and returns its figures unchanged.
    ///
    /// # Errors
    /// The file cannot be read or imported.
    pub fn import_table(&mut self, input: &InputFile) -> Result<Table, String> {
        let id = self.import_dataset(input)?;
        let fetch = |id: Cid| self.blocks.get(&id).cloned();
        compute::load_dataset(id, &fetch).map(|(_, source)| source.table).map_err(|error| error.to_string())
    }

    /// Imports a file, once.
    fn import_dataset(&mut self, input: &InputFile) -> Result<DatasetId, String> {
        if let Some((_, id)) = self.held.iter().find(|(known, _)| known == input) {
            return Ok(*id);
        }
        let file = || std::fs::read(self.data.join(&input.file));
        let bytes = input.text.as_ref().map_or_else(file, |text| Ok(text.clone().into_bytes()));
        let bytes = bytes.map_err(|error| format!("{}: {error}", input.file))?;
        let name = input.file.rsplit('/').next().unwrap_or_default().to_owned();
        let document = SourceDocument { name, bytes, origin: None };
        let request = DatasetRequest { options: importer_options(input)?, ..DatasetRequest::default() };
        let draft = submit::draft_dataset(&[document], &request, &mut |_| ())
            .map_err(|error| format!("import: {error}"))?;
        self.blocks.extend(draft.blocks);
        let id = self.store_object(&draft.dataset)?;
        self.held.push((input.clone(), id));
        Ok(id)
    }

    fn store_object<T: ObjectType>(&mut self, body: &T) -> Result<T::Id, String> {
        let (id, (cid, bytes)) = content::encode_block(body).map_err(|error| error.to_string())?;
        self.blocks.insert(cid, bytes);
        Ok(id)
    }

    fn sign_release(&mut self, release: &Release) -> Result<EntryId, String> {
        self.store_object(release)?;
        let object = encode_object(release).map_err(|error| error.to_string())?;
        let entry = entry::sign_entry(self.log.next_position(), sample::TIME, &object, &self.key)
            .map_err(|error| error.to_string())?;
        // The log checks the entry by the rules that every node applies.
        self.log.append(&entry).map_err(|error| error.to_string())?;
        self.blocks.insert(entry.id().cid(), entry.bytes().to_vec());
        Ok(entry.id())
    }
}

fn importer_options(input: &InputFile) -> Result<ImportOptions, String> {
    let format = |code: &String| {
        let found = FORMATS.into_iter().find(|format| format.code() == code);
        found.ok_or_else(|| format!("import: `{code}` is not a format"))
    };
    Ok(ImportOptions {
        format: input.format.as_ref().map(format).transpose()?,
        mapping: input.mapping.clone(),
        ..ImportOptions::default()
    })
}

/// Verifies the release at the root of a bundle, with no other source of blocks.
fn verify_bundle(file: &[u8]) -> Result<VerifiedFigures, String> {
    let bundle = Bundle::read(file).map_err(|error| format!("bundle: {error}"))?;
    let entry = bundle.roots.first().and_then(|id| bundle.entries.get(id)).ok_or("bundle: no root")?;
    let release = entry.value().object();
    let id = release.try_into().map_err(|_| "bundle: the root is not a release")?;
    let fetch = |id: Cid| bundle.block(id);
    let found = ledger::verify::verify_release(id, &fetch);
    if !matches!(found.verdict, Verdict::Reproduced { .. }) {
        return Err(format!("verify: {}", found.verdict));
    }
    let table = |(name, content)| {
        let (_, table): (Structure, Table) =
            content::unpack_table(content, fetch).map_err(|error| error.to_string())?;
        Ok((name, table))
    };
    Ok(VerifiedFigures(found.results.into_iter().map(table).collect::<Result<_, String>>()?))
}

impl VerifiedFigures {
    /// Table of an output.
    ///
    /// # Errors
    /// The release has no output of that name.
    pub fn output_table(&self, output: &str) -> Result<&Table, String> {
        let table = self.0.iter().find(|(name, _)| name.as_str() == output).map(|(_, table)| table);
        table.ok_or_else(|| format!("the release has no output `{output}`"))
    }

    /// Figure of a row.
    ///
    /// # Errors
    /// The release has no such figure.
    pub fn figure_at(&self, run: &RecipeRun, row: &PublishedFigure) -> Result<Decimal, String> {
        let (output, component) = run.figure_component();
        let table = self.output_table(output)?;
        let column =
            table.column(component).ok_or_else(|| format!("`{output}` has no component `{component}`"))?;
        let place = (0..table.rows()).find(|place| key_matches(table, *place, run, row));
        let cell = place.and_then(|place| column.cell(place));
        match cell {
            Some(Cell::Number(value)) => Ok(value),
            Some(Cell::Integer(value)) => Ok(value.into()),
            _ => Err(format!("the release has no figure for {} {}", row.ref_area, row.period)),
        }
    }
}

fn key_matches(table: &Table, place: usize, run: &RecipeRun, row: &PublishedFigure) -> bool {
    let identifiers =
        table.shape().components().iter().filter(|component| component.role == Role::Identifier);
    identifiers.zip(table.key(place)).all(|(component, cell)| {
        let wanted = run.expected_key(component.id.as_str(), row);
        match cell {
            // `2010-01` and `2010-M01` are one period.
            Cell::Period(period) => wanted.and_then(|text| text.parse::<Period>().ok()) == Some(period),
            cell => wanted == Some(cell.to_string().as_str()),
        }
    })
}
