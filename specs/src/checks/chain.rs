//! The whole way of a figure: import, data set, recipe, release, signature, bundle, verification by
//! somebody who has nothing but the bundle.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ingest::{Format, ImportOptions, ImportedTable};
use ledger::bundle::{self, Bundle};
use ledger::compute::{self, Source};
use ledger::log::Log;
use schemas::cid::{Cid, DatasetId, EntryId, PieceId};
use schemas::content;
use schemas::decimal::Decimal;
use schemas::entry::{self, Place};
use schemas::key::SecretKey;
use schemas::limits::PIECE_BYTES_MAX;
use schemas::object::{Body, Dataset, Provenance, Release, Snapshot, Structure, encode};
use schemas::period::Period;
use schemas::structure::Role;
use schemas::table::{Cell, Table};
use schemas::text::{Name, Text};
use schemas::verdict::Verdict;

use super::family::{Input, Run};
use super::row::Row;
use crate::sample;

/// Formats by their words.
const FORMATS: [Format; 3] = [Format::WorldBank, Format::Fred, Format::Csv];

/// A publisher with its blocks, and the folder of files that it publishes.
pub struct Chain {
    data: PathBuf,
    key: SecretKey,
    log: Log,
    blocks: BTreeMap<Cid, Vec<u8>>,
    /// Data sets by file and mapping, so that each is read once.
    held: Vec<(Input, DatasetId)>,
}

/// The verified figures of a run, by output.
#[derive(Debug, Clone)]
pub struct Figures(BTreeMap<Name, Table>);

impl Chain {
    /// A publisher without anything yet.
    pub fn new(data: &Path) -> Self {
        let root = sample::key(1);
        let genesis = entry::sign(Place::Genesis, 0, &sample::bytes(&sample::identity()), &root).unwrap();
        let blocks = BTreeMap::from([(genesis.id().cid(), genesis.bytes().to_vec())]);
        let log = Log::begin(&genesis).unwrap();
        Self { data: data.to_owned(), key: sample::key(2), log, blocks, held: Vec::new() }
    }

    /// The figures of a run, verified from a bundle alone.
    ///
    /// # Errors
    /// Which step failed, and why.
    pub fn figures(&mut self, run: &Run) -> Result<Figures, String> {
        let mut inputs = BTreeMap::new();
        for (name, input) in run.inputs() {
            let name = Name::new(name.as_str()).map_err(|fault| fault.to_string())?;
            inputs.insert(name, self.dataset(input)?);
        }
        let release = self.release(run, inputs)?;
        let entry = self.sign(&release)?;
        let fetch = |id: Cid| self.blocks.get(&id).cloned();
        let file = bundle::write(&[entry], &[], &fetch).map_err(|reach| format!("bundle: {reach:?}"))?;
        verified(&file)
    }

    fn release(&mut self, run: &Run, inputs: BTreeMap<Name, DatasetId>) -> Result<Release, String> {
        compute::publishable(&run.recipe).map_err(|fault| format!("recipe: {fault}"))?;
        let mut sources: BTreeMap<Name, Source> = BTreeMap::new();
        for (name, id) in &inputs {
            let fetch = |id: Cid| self.blocks.get(&id).cloned();
            let (_, source) = compute::load(*id, &fetch).map_err(|fault| format!("data set: {fault}"))?;
            sources.insert(name.clone(), source);
        }
        let outcome = compute::run(&run.recipe, sources).map_err(|fault| format!("run: {fault}"))?;
        let results = outcome.figures.iter().map(|(name, figures)| (name.clone(), figures.content)).collect();
        self.blocks.extend(outcome.figures.into_values().flat_map(|figures| figures.blocks));
        let recipe = self.put(&run.recipe)?;
        Ok(Release {
            dataflow: run.recipe.indicator.clone(),
            vintage: sample::text("published"),
            recipe,
            inputs,
            results,
            steps: outcome.steps,
            supersedes: None,
        })
    }

    /// The figures of a file as they are.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn table(&mut self, input: &Input) -> Result<Table, String> {
        let id = self.dataset(input)?;
        let fetch = |id: Cid| self.blocks.get(&id).cloned();
        compute::load(id, &fetch).map(|(_, source)| source.table).map_err(|fault| fault.to_string())
    }

    /// Imports a file, once.
    fn dataset(&mut self, input: &Input) -> Result<DatasetId, String> {
        if let Some((_, id)) = self.held.iter().find(|(known, _)| known == input) {
            return Ok(*id);
        }
        let file = || std::fs::read(self.data.join(&input.file));
        let bytes = input.text.as_ref().map_or_else(file, |text| Ok(text.clone().into_bytes()));
        let bytes = bytes.map_err(|error| format!("{}: {error}", input.file))?;
        let imported = import(input, &bytes).map_err(|fault| format!("import: {fault}"))?;
        let snapshot = self.snapshot(&input.file, &bytes)?;
        let (content, blocks) =
            content::pack(&imported.table, BTreeMap::new()).map_err(|fault| fault.to_string())?;
        self.blocks.extend(blocks);
        let importer = Text::new(imported.importer.as_str()).map_err(|fault| fault.to_string())?;
        let id = self.put(&Dataset {
            dataflow: imported.dataflow,
            title: sample::text("as imported"),
            unit: None,
            content,
            provenance: Provenance::Import { snapshot, importer },
            plausibility_warnings: Vec::new(),
        })?;
        self.held.push((input.clone(), id));
        Ok(id)
    }

    fn snapshot(&mut self, file: &str, bytes: &[u8]) -> Result<schemas::cid::SnapshotId, String> {
        let pieces: Vec<(PieceId, &[u8])> =
            bytes.chunks(PIECE_BYTES_MAX).map(|piece| (PieceId::of(piece), piece)).collect();
        self.blocks.extend(pieces.iter().map(|(id, piece)| (id.cid(), piece.to_vec())));
        self.put(&Snapshot {
            name: Text::new(file).map_err(|fault| fault.to_string())?,
            media_type: sample::text("application/octet-stream"),
            size: bytes.len() as u64,
            blake3: *PieceId::of(bytes).cid().digest(),
            pieces: pieces.into_iter().map(|(id, _)| id).collect(),
            url: None,
            fetched: None,
            agency: None,
            licence: None,
        })
    }

    fn put<T: Body>(&mut self, body: &T) -> Result<T::Id, String> {
        let (id, (cid, bytes)) = content::block(body).map_err(|fault| fault.to_string())?;
        self.blocks.insert(cid, bytes);
        Ok(id)
    }

    fn sign(&mut self, release: &Release) -> Result<EntryId, String> {
        self.put(release)?;
        let object = encode(release).map_err(|fault| fault.to_string())?;
        let entry = entry::sign(self.log.next(), sample::TIME, &object, &self.key)
            .map_err(|fault| fault.to_string())?;
        self.log.take(&entry).map_err(|fault| fault.to_string())?;
        self.blocks.insert(entry.id().cid(), entry.bytes().to_vec());
        Ok(entry.id())
    }
}

fn import(input: &Input, bytes: &[u8]) -> Result<ImportedTable, String> {
    let word = |word: &String| {
        let found = FORMATS.into_iter().find(|format| format.code() == word);
        found.ok_or_else(|| format!("`{word}` is no format"))
    };
    let options = ImportOptions {
        format: input.format.as_ref().map(word).transpose()?,
        mapping: input.mapping.clone(),
        ..ImportOptions::default()
    };
    let name = input.file.rsplit('/').next().unwrap_or_default();
    ingest::import(ingest::SourceFile { name, bytes }, &options, &mut |_| ())
        .map_err(|fault| fault.to_string())
}

/// What somebody finds who has the bundle and nothing else.
fn verified(file: &[u8]) -> Result<Figures, String> {
    let bundle = Bundle::read(file).map_err(|fault| format!("bundle: {fault}"))?;
    let entry = bundle.roots.first().and_then(|id| bundle.entries.get(id)).ok_or("bundle: it has no root")?;
    let release = entry.value().object();
    let id = release.try_into().map_err(|_| "bundle: its root is no release")?;
    let fetch = |id: Cid| bundle.block(id);
    let found = ledger::verify::verify(id, &fetch);
    if !matches!(found.verdict, Verdict::Reproduced { .. }) {
        return Err(format!("verify: {}", found.verdict));
    }
    let table = |(name, content)| {
        let (_, table): (Structure, Table) =
            content::unpack(content, fetch).map_err(|fault| fault.to_string())?;
        Ok((name, table))
    };
    Ok(Figures(found.results.into_iter().map(table).collect::<Result<_, String>>()?))
}

impl Figures {
    /// The table of an output.
    ///
    /// # Errors
    /// When the release has none of that name.
    pub fn table(&self, output: &str) -> Result<&Table, String> {
        let table = self.0.iter().find(|(name, _)| name.as_str() == output).map(|(_, table)| table);
        table.ok_or_else(|| format!("the release has no output `{output}`"))
    }

    /// The figure of a row.
    ///
    /// # Errors
    /// When the release has none.
    pub fn find(&self, run: &Run, row: &Row) -> Result<Decimal, String> {
        let (output, component) = run.place();
        let table = self.table(output)?;
        let column =
            table.column(component).ok_or_else(|| format!("`{output}` has no component `{component}`"))?;
        let place = (0..table.rows()).find(|place| fits(table, *place, run, row));
        let cell = place.and_then(|place| column.cell(place));
        match cell {
            Some(Cell::Number(value)) => Ok(value),
            Some(Cell::Integer(value)) => Ok(value.into()),
            _ => Err(format!("the release has no figure for {} {}", row.ref_area, row.period)),
        }
    }
}

fn fits(table: &Table, place: usize, run: &Run, row: &Row) -> bool {
    let identifiers =
        table.shape().components().iter().filter(|component| component.role == Role::Identifier);
    identifiers.zip(table.key(place)).all(|(component, cell)| {
        let wanted = run.wanted(component.id.as_str(), row);
        match cell {
            Cell::Period(period) => wanted.and_then(|text| text.parse::<Period>().ok()) == Some(period),
            cell => wanted == Some(cell.to_string().as_str()),
        }
    })
}
