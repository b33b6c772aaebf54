//! From a file of a statistical office to the blocks of a data set.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ingest::{Companion, Imported, Mapping, Options, Source};
use schemas::cid::PieceId;
use schemas::content::{self, Block, block};
use schemas::limits::{PIECE_BYTES_MAX, SNAPSHOT_BYTES_MAX};
use schemas::object::{Code, Dataset, Provenance, Snapshot, Structure};
use schemas::text::{Name, Text};

use crate::args::{self, Import};
use crate::fault::Fault;
use crate::screen::Screen;

/// A file, read and ready to be signed.
pub struct Prepared {
    /// Name of the file.
    pub name: String,
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
    let imported = import(&base(path), &bytes, options, screen)?;
    Ok((bytes, imported))
}

fn import(name: &str, bytes: &[u8], options: &Options, screen: &Screen) -> Result<Imported, Fault> {
    let bar = screen.bar(bytes.len() as u64, name);
    let imported = ingest::import(Source { name, bytes }, options, &mut |done| bar.set_position(done));
    bar.finish_and_clear();
    Ok(imported?)
}

/// The name of a file without its folders.
fn base(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The files of a command line, read.
struct Given {
    format: Option<ingest::Format>,
    name: String,
    /// The file; pages of one answer one after the other.
    bytes: Vec<u8>,
    companions: Vec<Companion>,
}

/// Reads the files: pages in JSON become one document stream, other files explain the first.
fn given(args: &Import) -> Result<Given, Fault> {
    let (format, paths) = worded(args)?;
    let mut paths = paths.iter();
    let first = paths.next().ok_or_else(|| Fault::usage("file-missing", "expected a file to import"))?;
    let mut given = Given { format, name: base(first), bytes: read(first)?, companions: Vec::new() };
    let json = |bytes: &[u8]| matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['));
    for path in paths.chain(&args.metadata) {
        let bytes = read(path)?;
        if json(&given.bytes) && json(&bytes) {
            given.bytes.push(b'\n');
            given.bytes.extend(bytes);
        } else {
            given.companions.push(Companion { name: base(path), bytes });
        }
    }
    Ok(given)
}

/// The format and the files: the first word may be a format, unless it is a file alone.
fn worded(args: &Import) -> Result<(Option<ingest::Format>, &[PathBuf]), Fault> {
    let Some((first, rest)) = args.files.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return Ok((args.format, &args.files));
    };
    let word = first.to_string_lossy();
    if let Some(format) = ingest::Format::from_code(&word) {
        return Ok((Some(format), rest));
    }
    if !first.exists() && !word.contains(['.', '/', '\\']) {
        return Err(Fault::usage("format", format!("`{word}` is neither a format nor a file"))
            .hint(format!("formats are {}; without one it is recognised", args::formats())));
    }
    Ok((args.format, &args.files))
}

/// Reads the file that the flags name, and makes the objects of its data set.
///
/// # Errors
/// Each fault of the importer, and texts out of bounds.
pub fn prepare(args: &Import, screen: &Screen) -> Result<Prepared, Fault> {
    let given = given(args)?;
    let imported = import(&given.name, &given.bytes, &options(args, &given)?, screen)?;
    let (snapshot, mut blocks) = snapshot(args, &given, &imported)?;
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
    Ok(Prepared { name: given.name, imported, dataset, blocks })
}

fn options(args: &Import, given: &Given) -> Result<Options, Fault> {
    let frequency = args.frequency.as_deref().map(|code| {
        schemas::period::Frequency::from_code(code).ok_or_else(|| {
            Fault::usage("frequency", format!("`{code}` is no frequency (expected A, S, Q, M, W or D)"))
        })
    });
    Ok(Options {
        format: given.format,
        frequency: frequency.transpose()?,
        area: args.area.clone(),
        mapping: mapping(args)?,
        companions: given.companions.clone(),
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

fn snapshot(args: &Import, given: &Given, imported: &Imported) -> Result<(Snapshot, Vec<Block>), Fault> {
    let bytes = given.bytes.as_slice();
    let pieces: Vec<Block> =
        bytes.chunks(PIECE_BYTES_MAX).map(|piece| (PieceId::of(piece).cid(), piece.to_vec())).collect();
    let agency = args.agency.clone().or_else(|| imported.publisher.clone());
    let snapshot = Snapshot {
        name: Text::new(given.name.as_str())?,
        media_type: Text::new(media_type(bytes, &given.name))?,
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

/// The media type of a file, by its first bytes.
fn media_type(bytes: &[u8], name: &str) -> &'static str {
    match bytes.trim_ascii_start() {
        [b'P', b'K', ..] if name.ends_with(".xlsx") => {
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        }
        [b'P', b'K', ..] => "application/zip",
        [b'{' | b'[', ..] => "application/json",
        [b'<', ..] => "application/xml",
        text => match text.split(|byte| *byte == b'\n').next() {
            Some(line) if line.contains(&b'\t') => "text/tab-separated-values",
            _ => "text/csv",
        },
    }
}

/// The code lists of the areas and of what else the source names.
fn codes(imported: &Imported) -> Result<BTreeMap<Name, Vec<Code>>, Fault> {
    let mut lists = BTreeMap::new();
    for (dimension, names) in &imported.codes {
        let code = |(id, name): (&String, &String)| -> Result<Code, Fault> {
            Ok(Code { id: Text::new(id.as_str())?, name: Text::new(name.as_str())?, aggregate: false })
        };
        lists.insert(dimension.clone(), names.iter().map(code).collect::<Result<_, Fault>>()?);
    }
    let mut codes = Vec::new();
    for area in &imported.areas {
        let (id, name) = (Text::new(area.code.as_str())?, Text::new(area.name.as_str())?);
        codes.push(Code { id, name, aggregate: area.aggregate });
    }
    if !codes.is_empty() {
        lists.insert(Name::new("REF_AREA")?, codes);
    }
    Ok(lists)
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
