//! From a file of a statistical office to the blocks of a data set.

use std::collections::BTreeMap;
use std::path::Path;

use ingest::{Imported, Mapping, Options, Source};
use schemas::cid::PieceId;
use schemas::content::{self, Block, block};
use schemas::limits::{PIECE_BYTES_MAX, SNAPSHOT_BYTES_MAX};
use schemas::object::{Code, Dataset, Provenance, Snapshot, Structure};
use schemas::text::{Name, Text};

use crate::args::{Format, Import};
use crate::fault::Fault;
use crate::screen::Screen;

/// A file, read and ready to be signed.
pub struct Prepared {
    /// What was read.
    pub imported: Imported,
    /// The data set.
    pub dataset: Dataset,
    /// The blocks that it needs.
    pub blocks: Vec<Block>,
}

/// Reads a whole file within the bound of a source document.
///
/// # Errors
/// When it is not there, not readable, or too large.
pub fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    match node::home::read(path, SNAPSHOT_BYTES_MAX) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => {
            let message = format!("`{}` has more than {SNAPSHOT_BYTES_MAX} bytes", path.display());
            Err(Fault::usage("file-large", message).hint("split it by series or by period"))
        }
        Err(fault @ node::home::Error::Io { .. }) if !path.exists() => Err(Fault::absent(fault.to_string())),
        Err(fault) => Err(Fault::usage("file", fault.to_string())),
    }
}

/// Reads a local file as a table, whatever its format.
///
/// # Errors
/// Each fault of the importer.
pub fn table(path: &Path, options: &Options, screen: &Screen) -> Result<(Vec<u8>, Imported), Fault> {
    let bytes = read(path)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let bar = screen.bar(bytes.len() as u64, &name);
    let imported =
        ingest::import(Source { name: &name, bytes: &bytes }, options, &mut |done| bar.set_position(done));
    bar.finish_and_clear();
    Ok((bytes, imported?))
}

/// Reads the file that the flags name, and makes the objects of its data set.
///
/// # Errors
/// Each fault of the importer, and texts out of bounds.
pub fn prepare(args: &Import, screen: &Screen) -> Result<Prepared, Fault> {
    let (bytes, imported) = table(&args.file, &options(args)?, screen)?;
    let (snapshot, mut blocks) = snapshot(args, &bytes, &imported)?;
    let (content, content_blocks) = content::pack(&imported.table, codes(&imported)?)?;
    blocks.extend(content_blocks);
    let (snapshot, snapshot_block) = block(&snapshot)?;
    blocks.push(snapshot_block);
    let dataflow = args.dataflow.as_deref().map_or_else(|| Ok(imported.dataflow.clone()), Name::new)?;
    let dataset = Dataset {
        dataflow,
        title: Text::new(args.title.clone().unwrap_or_else(|| imported.title.clone()))?,
        unit: args.unit.as_deref().map(Text::new).transpose()?,
        content,
        provenance: Provenance::Import { snapshot, importer: Text::new(imported.importer.as_str())? },
        doubts: Vec::new(),
    };
    Ok(Prepared { imported, dataset, blocks })
}

fn options(args: &Import) -> Result<Options, Fault> {
    let frequency = args.frequency.as_deref().map(|code| {
        schemas::period::Frequency::from_code(code).ok_or_else(|| {
            Fault::usage("frequency", format!("`{code}` is no frequency (expected A, S, Q, M, W or D)"))
        })
    });
    Ok(Options {
        format: Some(match args.format {
            Format::Worldbank => ingest::Format::WorldBank,
            Format::Fred => ingest::Format::Fred,
            Format::Csv => ingest::Format::Csv,
        }),
        frequency: frequency.transpose()?,
        area: args.area.clone(),
        mapping: mapping(args)?,
        metadata: args.metadata.as_deref().map(read).transpose()?,
        threads: None,
    })
}

fn mapping(args: &Import) -> Result<Option<Mapping>, Fault> {
    if let Some(path) = &args.mapping {
        let name = path.display().to_string();
        let text = String::from_utf8(read(path)?)
            .map_err(|_| Fault::usage("mapping", format!("`{name}` is not UTF-8 text")))?;
        return Ok(Some(Mapping::parse(&name, &text)?));
    }
    if args.map.is_empty() {
        return Ok(None);
    }
    let links =
        args.map.iter().map(|flag| flag.parse()).collect::<Result<Vec<ingest::Link>, ingest::Fault>>()?;
    Ok(Some(Mapping { columns: links, ..Mapping::default() }))
}

fn snapshot(args: &Import, bytes: &[u8], imported: &Imported) -> Result<(Snapshot, Vec<Block>), Fault> {
    let name = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let pieces: Vec<Block> =
        bytes.chunks(PIECE_BYTES_MAX).map(|piece| (PieceId::of(piece).cid(), piece.to_vec())).collect();
    let media_type = if bytes.starts_with(b"PK") { "application/zip" } else { "text/csv" };
    let agency = args.agency.clone().or_else(|| imported.publisher.clone());
    let snapshot = Snapshot {
        name: Text::new(name)?,
        media_type: Text::new(media_type)?,
        size: bytes.len() as u64,
        blake3: *PieceId::of(bytes).cid().digest(),
        pieces: pieces.iter().filter_map(|(id, _)| PieceId::try_from(*id).ok()).collect(),
        url: args.url.as_deref().map(Text::new).transpose()?,
        fetched: None,
        agency: agency.map(Text::new).transpose()?,
        licence: args.licence.as_deref().map(Text::new).transpose()?,
    };
    Ok((snapshot, pieces))
}

/// The code list of the areas.
fn codes(imported: &Imported) -> Result<BTreeMap<Name, Vec<Code>>, Fault> {
    let mut codes = Vec::new();
    for area in &imported.areas {
        let (id, name) = (Text::new(area.code.as_str())?, Text::new(area.name.as_str())?);
        codes.push(Code { id, name, aggregate: area.aggregate });
    }
    if codes.is_empty() {
        return Ok(BTreeMap::new());
    }
    Ok(BTreeMap::from([(Name::new("REF_AREA")?, codes)]))
}

/// A local file as an input of a run that is not published.
///
/// # Errors
/// Each fault of the importer.
pub fn local(path: &Path, screen: &Screen) -> Result<ledger::compute::Source, Fault> {
    let (_, imported) = table(path, &Options::default(), screen)?;
    let structure = Structure { components: imported.table.shape().clone(), codes: codes(&imported)? };
    Ok(ledger::compute::Source { structure, table: imported.table })
}
