//! From a file of a statistical office to the blocks of a data set.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ingest::{ColumnMapping, CompanionFile, ImportOptions, ImportedTable, Mapping, SourceFile};
use schemas::cid::PieceId;
use schemas::content::{self, Block, encode_block};
use schemas::limits::{PIECE_BYTES_MAX, SNAPSHOT_BYTES_MAX};
use schemas::object::{Code, Dataset, Provenance, Snapshot, Structure};
use schemas::structure::{Component, ComponentList};
use schemas::text::{Name, Text};

use crate::args::{Global, Import};
use crate::fault::Fault;
use crate::net::{self, Wanted};
use crate::screen::Screen;

/// A document, read from a file or fetched from its source.
pub struct Given {
    /// Its format, where the command line says it.
    pub format: Option<ingest::Format>,
    /// Name of the file.
    pub name: String,
    /// All of it.
    pub bytes: Vec<u8>,
    /// Files that explain its codes.
    pub companions: Vec<CompanionFile>,
    /// What is known of its source.
    pub origin: Option<net::Origin>,
}

impl Given {
    /// A file.
    ///
    /// # Errors
    /// As [`read`].
    pub fn file(format: Option<ingest::Format>, path: &Path) -> Result<Self, Fault> {
        Ok(Given { format, name: base(path), bytes: read(path)?, companions: Vec::new(), origin: None })
    }

    /// Adds a file that came with it: pages in JSON make one document stream, other files explain
    /// the first.
    fn add(&mut self, path: &Path) -> Result<(), Fault> {
        let bytes = read(path)?;
        let json = |bytes: &[u8]| matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['));
        if json(&self.bytes) && json(&bytes) {
            self.bytes.push(b'\n');
            self.bytes.extend(bytes);
        } else {
            self.companions.push(CompanionFile { name: base(path), bytes });
        }
        Ok(())
    }

    /// What people call it: the file as they typed it, or its name at the source.
    pub fn shown<'a>(&'a self, args: &'a Import) -> &'a str {
        let first = args.what.iter().find(|word| word.ends_with(&self.name));
        match (&self.origin, first) {
            (None, Some(path)) => path,
            _ => &self.name,
        }
    }
}

/// A file, read and ready to be signed.
pub struct Prepared {
    /// What was given.
    pub given: Given,
    /// What was read.
    pub imported: ImportedTable,
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
    match node::data_directory::read_bounded(path, SNAPSHOT_BYTES_MAX) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => {
            let message = format!("`{}` has more than {SNAPSHOT_BYTES_MAX} bytes", path.display());
            Err(Fault::usage("file-large", message).hint("split it by series or by period"))
        }
        Err(fault) => Err(absent(path, fault)),
    }
}

/// The fault of a file that cannot be opened.
fn absent(path: &Path, fault: node::data_directory::Error) -> Fault {
    match fault {
        node::data_directory::Error::Io { .. } if !path.exists() => Fault::absent(fault.to_string()),
        _ => Fault::usage("file", fault.to_string()),
    }
}

/// A file that is read piece by piece.
struct OnDisk(node::data_directory::RandomAccessFile);

impl ingest::ReadAt for OnDisk {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> std::io::Result<()> {
        self.0.read_at(at, into)
    }
}

fn import(
    name: &str,
    bytes: &[u8],
    options: &ImportOptions,
    screen: &Screen,
) -> Result<ImportedTable, Fault> {
    let bar = screen.bar(bytes.len() as u64, name);
    let imported = ingest::import(SourceFile { name, bytes }, options, &mut |done| bar.set_position(done));
    bar.finish_and_clear();
    Ok(imported?)
}

/// The name of a file without its folders.
fn base(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Reads or fetches what the command line names.
///
/// # Errors
/// When it is not there, or each fault of the fetcher.
pub fn given(global: &Global, args: &Import, screen: &Screen) -> Result<Given, Fault> {
    match net::wanted(args)? {
        Wanted::Net(ask) => {
            let loaded = net::load(global, args, &ask, screen)?;
            let (name, bytes) = (loaded.name, loaded.bytes);
            Ok(Given { format: None, name, bytes, companions: Vec::new(), origin: Some(loaded.origin) })
        }
        Wanted::File { format, paths } => {
            let (first, more) =
                paths.split_first().ok_or_else(|| Fault::usage("usage", "expected a file to import"))?;
            let mut given = Given::file(format, first)?;
            more.iter().chain(&args.metadata).try_for_each(|path| given.add(path))?;
            Ok(given)
        }
    }
}

/// Reads a document as the flags say.
///
/// # Errors
/// Each fault of the importer.
pub fn reread(args: &Import, given: &Given, screen: &Screen) -> Result<ImportedTable, Fault> {
    import(&given.name, &given.bytes, &options(args, given)?, screen)
}

/// Reads a document as the flags say, and makes the objects of its data set.
///
/// # Errors
/// Each fault of the importer, and texts out of bounds.
pub fn prepare(args: &Import, given: Given, screen: &Screen) -> Result<Prepared, Fault> {
    let mut imported = reread(args, &given, screen)?;
    imported.summary.notes.extend(unkept(&given.companions));
    let (snapshot, mut blocks) = snapshot(args, &given, &imported)?;
    let (content, content_blocks) = content::pack_table(&imported.table, codes(&imported)?)?;
    blocks.extend(content_blocks);
    let (snapshot, snapshot_block) = encode_block(&snapshot)?;
    blocks.push(snapshot_block);
    let dataflow = args.dataflow.as_deref().map_or_else(|| Ok(imported.dataflow.clone()), Name::new)?;
    let dataset = Dataset {
        dataflow,
        title: Text::new(args.title.clone().unwrap_or_else(|| imported.title.clone()))?,
        unit: args.unit.as_deref().map(Text::new).transpose()?,
        content,
        provenance: Provenance::Import { snapshot, importer: Text::new(imported.importer.as_str())? },
        plausibility_warnings: Vec::new(),
    };
    Ok(Prepared { given, imported, dataset, blocks })
}

fn options(args: &Import, given: &Given) -> Result<ImportOptions, Fault> {
    let frequency = args.frequency.as_deref().map(|code| {
        schemas::period::Frequency::from_code(code).ok_or_else(|| {
            Fault::usage("frequency", format!("`{code}` is no frequency (expected A, S, Q, M, W or D)"))
        })
    });
    Ok(ImportOptions {
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
    let links = args
        .map
        .iter()
        .map(|flag| flag.parse())
        .collect::<Result<Vec<ingest::ColumnMapping>, ingest::ImportError>>()?;
    Ok(Some(Mapping { columns: links, ..Mapping::default() }))
}

fn snapshot(args: &Import, given: &Given, imported: &ImportedTable) -> Result<(Snapshot, Vec<Block>), Fault> {
    let bytes = given.bytes.as_slice();
    let pieces: Vec<Block> =
        bytes.chunks(PIECE_BYTES_MAX).map(|piece| (PieceId::of(piece).cid(), piece.to_vec())).collect();
    let origin = given.origin.as_ref();
    let media_type = origin.map_or(media_type(bytes, &given.name), |origin| origin.media_type.as_str());
    let agency = args.agency.clone().or_else(|| imported.publisher.clone());
    let agency = agency.or_else(|| origin.and_then(|origin| origin.agency.map(str::to_owned)));
    let url = args.url.as_deref().or(origin.map(|origin| origin.url.as_str()));
    let snapshot = Snapshot {
        name: Text::new(given.name.as_str())?,
        media_type: Text::new(media_type)?,
        size: bytes.len() as u64,
        blake3: *PieceId::of(bytes).cid().digest(),
        pieces: pieces.iter().filter_map(|(id, _)| PieceId::try_from(*id).ok()).collect(),
        url: url.map(Text::new).transpose()?,
        fetched: origin.map(|origin| origin.fetched),
        agency: agency.map(Text::new).transpose()?,
        licence: args.licence.as_deref().map(Text::new).transpose()?,
    };
    Ok((snapshot, pieces))
}

/// What a person should know of files that came with the document (specs/decisions/0009).
fn unkept(companions: &[CompanionFile]) -> Option<String> {
    let names: Vec<&str> = companions.iter().map(|companion| companion.name.as_str()).collect();
    (!names.is_empty()).then(|| format!("codes are named by {}; only the names are kept", names.join(", ")))
}

/// The id of the figures alone.
///
/// # Errors
/// Texts out of bounds.
pub fn content(imported: &ImportedTable) -> Result<schemas::cid::ContentId, Fault> {
    Ok(content::pack_table(&imported.table, codes(imported)?)?.0)
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
fn codes(imported: &ImportedTable) -> Result<BTreeMap<Name, Vec<Code>>, Fault> {
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

/// A local file as an input of a run that is not published. What the run wants of it says the types of
/// its columns where the file does not, as of an identifier that is a whole number.
///
/// # Errors
/// Each fault of the importer.
pub fn local(
    path: &Path,
    wanted: Option<&ComponentList>,
    screen: &Screen,
) -> Result<ledger::compute::InputData, Fault> {
    let mut imported = in_pieces(path, &ImportOptions::default(), screen)?;
    if let Some(mapping) = wanted.and_then(|wanted| retyped(imported.table.shape(), wanted)) {
        let options = ImportOptions { mapping: Some(mapping), ..ImportOptions::default() };
        // What is no table of these types stays as it was read: the run says what does not fit.
        imported = in_pieces(path, &options, screen).unwrap_or(imported);
    }
    let structure = Structure { components: imported.table.shape().clone(), codes: codes(&imported)? };
    Ok(ledger::compute::InputData { structure, table: imported.table })
}

/// Reads a file piece by piece; a pipe, which has no places, as a whole.
fn in_pieces(path: &Path, options: &ImportOptions, screen: &Screen) -> Result<ImportedTable, Fault> {
    if !path.is_file() {
        return import(&base(path), &read(path)?, options, screen);
    }
    let file =
        OnDisk(node::data_directory::RandomAccessFile::open(path).map_err(|fault| absent(path, fault))?);
    let bar = screen.bar(file.0.size(), &base(path));
    let imported = ingest::import_document(&base(path), &file, options, &mut |done| bar.set_position(done));
    bar.finish_and_clear();
    Ok(imported?)
}

/// The columns as they are wanted, when they were found under the same names as something else.
fn retyped(found: &ComponentList, wanted: &ComponentList) -> Option<Mapping> {
    let ids =
        |shape: &ComponentList| shape.components().iter().map(|one| one.id.clone()).collect::<BTreeSet<_>>();
    if found == wanted || ids(found) != ids(wanted) {
        return None;
    }
    let link = |one: &Component| ColumnMapping {
        role: Some(one.role),
        value_type: Some(one.value_type),
        ..ColumnMapping::column(one.id.as_str(), one.id.clone())
    };
    Some(Mapping { columns: wanted.components().iter().map(link).collect(), ..Mapping::default() })
}
