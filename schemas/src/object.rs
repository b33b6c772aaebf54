//! The objects of the ledger: what publishers sign, and what that refers to.
//!
//! Each object is a DAG-CBOR map with its fields, `$type` (the kind) and `v` (its version, 1).
//! The kinds are listed in [`Object`]; the fields stand in the structs below and in the CDDL
//! grammar. An object is read through [`decode`] only, which checks size, canonical form, fields
//! and the rules that types cannot say ([`Body::check`]).

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_cbor::Value;

use crate::cbor::{self, Item, Rules, Token};
use crate::chunk::Chunk;
use crate::cid::{
    AttestationId, ChunkId, Cid, Codec, ContentId, DatasetId, IdentityId, PieceId, RecipeId, ReleaseId,
    RetractionId, SnapshotId, StructureId,
};
use crate::key::PublicKey;
use crate::limits::BLOCK_BYTES_MAX;
use crate::structure::Shape;
use crate::text::{Name, Text};
use crate::verdict::Verdict;

/// The version of every object so far.
pub const VERSION: u64 = 1;

/// Root keys, and operating keys, of one identity.
pub const KEYS_MAX: usize = 16;
/// Inputs, and outputs, of one recipe.
pub const PORTS_MAX: usize = 32;
/// References to methodology, and reasons for deviation, in one recipe.
pub const NOTES_MAX: usize = 32;
/// Chunks of one content: what a whole block of links can hold.
pub const CHUNKS_MAX: usize = 16_384;
/// Codes of all code lists of one structure.
pub const CODES_MAX: usize = 16_384;

/// Why bytes are no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More bytes than a block may have.
    #[error("{0} bytes where at most {BLOCK_BYTES_MAX} are allowed")]
    Large(usize),
    /// Not strict DAG-CBOR, or not the fields of its kind.
    #[error(transparent)]
    Cbor(#[from] cbor::Error),
    /// No `$type`, or one that this version does not know.
    #[error("unknown kind of object `{0}`")]
    Kind(String),
    /// An object of another kind than expected.
    #[error("expected an object of kind `{expected}`, found `{found}`")]
    Other {
        /// The kind asked for.
        expected: &'static str,
        /// The kind found.
        found: String,
    },
    /// A version that this program does not know.
    #[error("version {0} of this kind of object is not known here")]
    Version(u64),
    /// The fields break a rule.
    #[error("{0}")]
    Rule(String),
}

/// What all kinds of object have in common.
pub trait Body: Serialize + DeserializeOwned {
    /// The value of `$type`.
    const TYPE: &'static str;
    /// The id of an object of this kind.
    type Id: TryFrom<Cid> + Into<Cid> + Copy;

    /// The rules that the types of the fields cannot say.
    ///
    /// # Errors
    /// A sentence that says which rule is broken.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    /// The blocks that must be held for this object to be whole, not counting what they need.
    fn needs(&self) -> Vec<Cid> {
        Vec::new()
    }
}

/// The canonical bytes of an object.
///
/// # Errors
/// [`Error::Rule`] when it breaks a rule of its kind, [`Error::Large`].
pub fn encode<T: Body>(body: &T) -> Result<Vec<u8>, Error> {
    body.check().map_err(Error::Rule)?;
    let Value::Map(mut map) = cbor::to_value(body)? else {
        return Err(Error::Rule("an object is a map".into()));
    };
    map.insert(Value::Text("$type".into()), Value::Text(T::TYPE.into()));
    map.insert(Value::Text("v".into()), Value::Integer(VERSION.into()));
    let bytes = cbor::to_bytes(&Value::Map(map))?;
    cbor::scan(&bytes, Rules::DagCbor, |_| {})?;
    if bytes.len() > BLOCK_BYTES_MAX { Err(Error::Large(bytes.len())) } else { Ok(bytes) }
}

/// Reads an object of one kind.
///
/// # Errors
/// Each variant of [`enum@Error`].
pub fn decode<T: Body>(bytes: &[u8]) -> Result<T, Error> {
    let head = head(bytes)?;
    if head.kind != T::TYPE {
        return Err(Error::Other { expected: T::TYPE, found: head.kind.to_owned() });
    }
    if head.version != VERSION {
        return Err(Error::Version(head.version));
    }
    let body: T = cbor::from_bytes(&head.fields)?;
    if encode(&body)? == bytes { Ok(body) } else { Err(cbor::Error::Canonical.into()) }
}

/// The kind, the version and the map without these two.
struct Head<'a> {
    kind: &'a str,
    version: u64,
    fields: Vec<u8>,
}

/// Splits `$type` and `v` from the fields: serde cannot flatten a struct whose fields carry tags.
fn head(bytes: &[u8]) -> Result<Head<'_>, Error> {
    if bytes.len() > BLOCK_BYTES_MAX {
        return Err(Error::Large(bytes.len()));
    }
    let mut pairs = 0;
    let mut starts: Vec<(usize, Option<&str>)> = Vec::new();
    let mut wanted: Option<&str> = None;
    let (mut kind, mut version) = (None, None);
    cbor::scan(bytes, Rules::DagCbor, |item: Item<'_>| match (item.depth, item.token) {
        (0, Token::Map(count)) => pairs = count,
        (1, Token::Text(text)) if item.key => {
            starts.push((item.start, Some(text)));
            wanted = Some(text);
        }
        (1, token) => match (wanted.take(), token) {
            (Some("$type"), Token::Text(text)) => kind = Some(text),
            (Some("v"), Token::Unsigned(value)) => version = Some(value),
            _ => {}
        },
        _ => {}
    })?;
    let (Some(kind), Some(version)) = (kind, version) else {
        return Err(Error::Kind(kind.unwrap_or_default().to_owned()));
    };
    Ok(Head { kind, version, fields: without_head(bytes, pairs, &starts) })
}

/// The map without the pairs `$type` and `v`, which [`head`] has found in it.
fn without_head(bytes: &[u8], pairs: u64, starts: &[(usize, Option<&str>)]) -> Vec<u8> {
    let ends = starts.iter().skip(1).map(|(start, _)| *start).chain([bytes.len()]);
    let mut fields = map_head(pairs.saturating_sub(2));
    for ((start, key), end) in starts.iter().zip(ends) {
        if !matches!(key, Some("$type" | "v")) {
            fields.extend_from_slice(bytes.get(*start..end).unwrap_or_default());
        }
    }
    fields
}

/// The head of a map of `pairs` pairs; no kind of object has more than 255.
fn map_head(pairs: u64) -> Vec<u8> {
    match u8::try_from(pairs) {
        Ok(few @ 0..=23) => vec![0xa0 | few],
        Ok(many) => vec![0xb8, many],
        Err(_) => vec![0xb9, 0xff, 0xff],
    }
}

macro_rules! objects {
    ($($name:ident $type:literal $id:ident;)*) => {
        /// An object of any kind.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Object {
            $(
                #[doc = concat!("See [`", stringify!($name), "`].")]
                $name($name),
            )*
        }

        impl Object {
            /// Reads an object of whatever kind it says it is.
            ///
            /// # Errors
            /// Each variant of [`enum@Error`].
            pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
                match head(bytes)?.kind {
                    $($type => decode::<$name>(bytes).map(Object::$name),)*
                    kind => Err(Error::Kind(kind.chars().take(40).collect())),
                }
            }

            /// The value of `$type`.
            pub fn kind(&self) -> &'static str {
                match self { $(Object::$name(_) => $type,)* }
            }

            /// As [`Body::needs`].
            pub fn needs(&self) -> Vec<Cid> {
                match self { $(Object::$name(body) => body.needs(),)* }
            }
        }

        $(impl From<$name> for Object {
            fn from(body: $name) -> Self {
                Object::$name(body)
            }
        })*
    };
}

objects! {
    Identity "identity" IdentityId;
    Snapshot "snapshot" SnapshotId;
    Structure "structure" StructureId;
    Content "content" ContentId;
    Chunk "chunk" ChunkId;
    Dataset "dataset" DatasetId;
    Recipe "recipe" RecipeId;
    Release "release" ReleaseId;
    Retraction "retraction" RetractionId;
    Attestation "attestation" AttestationId;
}

/// The blocks that a block needs: those of its object, none for raw bytes.
///
/// A chunk needs nothing, so only its head is read here; its columns are checked when the content
/// that it belongs to is unpacked.
///
/// # Errors
/// As [`Object::decode`].
pub fn needs(id: Cid, bytes: &[u8]) -> Result<Vec<Cid>, Error> {
    match id.codec() {
        Codec::Raw => Ok(Vec::new()),
        Codec::DagCbor if head(bytes)?.kind == Chunk::TYPE => Ok(Vec::new()),
        Codec::DagCbor => Object::decode(bytes).map(|object| object.needs()),
    }
}

/// What an operating key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// Data sets, recipes, releases, retractions.
    Publish,
    /// Attestations.
    Attest,
}

/// A key and what it may sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingKey {
    /// The key.
    pub key: PublicKey,
    /// Its uses, ascending, at least one.
    #[serde(rename = "use")]
    pub uses: Vec<Use>,
}

/// The genesis of a publisher's log: who signs from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// What the publisher calls itself. Not a proof of anything.
    pub name: Text<128>,
    /// Where to ask (a web or mail address).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Text<256>>,
    /// Root keys: they sign this entry and key operations, nothing else.
    pub roots: Vec<PublicKey>,
    /// BLAKE3-256 of the next root key (pre-rotation).
    #[serde(with = "serde_bytes")]
    pub next_root: [u8; 32],
    /// The keys that sign the log.
    pub keys: Vec<OperatingKey>,
}

impl Body for Identity {
    const TYPE: &'static str = "identity";
    type Id = IdentityId;

    fn check(&self) -> Result<(), String> {
        if self.name.as_str().trim().is_empty() {
            return Err("an identity has a name".into());
        }
        if !(1..=KEYS_MAX).contains(&self.roots.len()) || !(1..=KEYS_MAX).contains(&self.keys.len()) {
            return Err(format!("an identity has 1 to {KEYS_MAX} root keys and as many operating keys"));
        }
        let uses_ordered = |key: &OperatingKey| {
            !key.uses.is_empty() && key.uses.windows(2).all(|pair| matches!(pair, [a, b] if a < b))
        };
        if !self.keys.iter().all(uses_ordered) {
            return Err("the uses of a key are ascending, distinct, and at least one".into());
        }
        let mut all: Vec<&PublicKey> =
            self.roots.iter().chain(self.keys.iter().map(|key| &key.key)).collect();
        all.sort();
        all.dedup();
        if all.len() != self.roots.len() + self.keys.len() {
            return Err("every key of an identity is another".into());
        }
        Ok(())
    }
}

/// A source document kept whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The name of the file.
    pub name: Text<256>,
    /// Media type (RFC 6838), such as `text/csv`.
    pub media_type: Text<128>,
    /// Bytes of the whole document.
    pub size: u64,
    /// BLAKE3-256 of the whole document.
    #[serde(with = "serde_bytes")]
    pub blake3: [u8; 32],
    /// The document in pieces of `PIECE_BYTES_MAX` bytes, the last one shorter.
    pub pieces: Vec<PieceId>,
    /// Where it was fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Text<1024>>,
    /// When it was fetched: seconds since 1970-01-01T00:00:00Z, as the publisher claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched: Option<i64>,
    /// The agency that issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<Text<128>>,
    /// Its licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<Text<128>>,
}

impl Body for Snapshot {
    const TYPE: &'static str = "snapshot";
    type Id = SnapshotId;

    fn check(&self) -> Result<(), String> {
        use crate::limits::{PIECE_BYTES_MAX, SNAPSHOT_BYTES_MAX};
        let pieces = self.size.div_ceil(PIECE_BYTES_MAX as u64);
        if self.size > SNAPSHOT_BYTES_MAX || pieces != self.pieces.len() as u64 {
            return Err("the number of pieces does not fit the size of the document".into());
        }
        Ok(())
    }

    fn needs(&self) -> Vec<Cid> {
        self.pieces.iter().map(|piece| piece.cid()).collect()
    }
}

/// A code of a code list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// The code, as it stands in the data.
    pub id: Text<64>,
    /// What it means.
    pub name: Text<256>,
    /// Whether it stands for several others (a region, a group of countries).
    pub aggregate: bool,
}

/// What the columns of a content mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Structure {
    /// The components.
    pub components: Shape,
    /// Code lists by component; codes ascending.
    pub codes: BTreeMap<Name, Vec<Code>>,
}

impl Body for Structure {
    const TYPE: &'static str = "structure";
    type Id = StructureId;

    fn check(&self) -> Result<(), String> {
        if self.codes.values().map(Vec::len).sum::<usize>() > CODES_MAX {
            return Err(format!("a structure has at most {CODES_MAX} codes"));
        }
        for (component, codes) in &self.codes {
            if self.components.position(component.as_str()).is_none() {
                return Err(format!("a code list for `{component}`, which is no component"));
            }
            if !codes.windows(2).all(|pair| matches!(pair, [a, b] if a.id < b.id)) {
                return Err(format!("the codes of `{component}` are not strictly ascending"));
            }
        }
        Ok(())
    }
}

/// A chunk in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChunkRef {
    /// The chunk.
    pub chunk: ChunkId,
    /// Its rows.
    pub rows: u32,
}

/// The data of a data set, whoever published them: the same data have the same id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// What the columns mean.
    pub structure: StructureId,
    /// Rows in all chunks.
    pub rows: u64,
    /// The chunks in order of their keys.
    pub chunks: Vec<ChunkRef>,
}

impl Body for Content {
    const TYPE: &'static str = "content";
    type Id = ContentId;

    fn check(&self) -> Result<(), String> {
        let rows: u64 = self.chunks.iter().map(|chunk| u64::from(chunk.rows)).sum();
        if rows != self.rows || self.rows > crate::limits::ROWS_MAX as u64 {
            return Err("the rows of the chunks do not add up to the rows of the content".into());
        }
        if self.chunks.len() > CHUNKS_MAX || self.chunks.iter().any(|chunk| chunk.rows == 0) {
            return Err(format!("a content has at most {CHUNKS_MAX} chunks, none of them empty"));
        }
        Ok(())
    }

    fn needs(&self) -> Vec<Cid> {
        let chunks = self.chunks.iter().map(|chunk| chunk.chunk.cid());
        [self.structure.cid()].into_iter().chain(chunks).collect()
    }
}

/// Where the data of a data set come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Provenance {
    /// Read from a source document.
    Import {
        /// The document.
        snapshot: SnapshotId,
        /// The importer and its version, such as `worldbank/1`.
        importer: Text<64>,
    },
    /// An output of a release.
    Release {
        /// The release.
        release: ReleaseId,
        /// The output.
        output: Name,
    },
}

/// A content, published: what it is, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// The dataflow that it is a vintage of.
    pub dataflow: Name,
    /// A title for people.
    pub title: Text<256>,
    /// Unit of the measures, as the source says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Text<128>>,
    /// The data.
    pub content: ContentId,
    /// Where they come from.
    pub provenance: Provenance,
}

impl Body for Dataset {
    const TYPE: &'static str = "dataset";
    type Id = DatasetId;

    fn needs(&self) -> Vec<Cid> {
        let source = match &self.provenance {
            Provenance::Import { snapshot, .. } => snapshot.cid(),
            Provenance::Release { release, .. } => release.cid(),
        };
        vec![self.content.cid(), source]
    }
}

/// What a recipe may use at the most; part of its meaning, so the same on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Steps of the engine.
    pub steps: u64,
    /// Cells of all results alive.
    pub cells: u64,
}

/// What an input of a recipe must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// A title for people.
    pub title: Text<256>,
    /// The components that the data set must have (it may have more measures and attributes).
    pub components: Shape,
}

/// What an output of a recipe is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// A title for people.
    pub title: Text<256>,
    /// Unit of the measures, such as `per cent`.
    pub unit: Text<128>,
}

/// Why a recipe differs from another, usually the official one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// The recipe that it deviates from.
    pub recipe: RecipeId,
    /// A reason for each deviation.
    pub reasons: Vec<Text<1024>>,
}

/// A whole computation in VTL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// A title for people.
    pub title: Text<256>,
    /// What it measures: `inflation`, `unemployment`, `gdp`, …
    pub measure: Name,
    /// The script.
    pub script: Text<65_536>,
    /// The inputs by the name that the script uses.
    pub inputs: BTreeMap<Name, Input>,
    /// The persistent results by name.
    pub outputs: BTreeMap<Name, Output>,
    /// Version of the engine's semantics.
    pub semantics: u32,
    /// What a run may use.
    pub limits: Limits,
    /// What it does and why, for people.
    pub description: Text<4096>,
    /// Where the official method is described.
    pub references: Vec<Text<512>>,
    /// Licence of the script.
    pub licence: Text<64>,
    /// The recipe that it departs from, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviates_from: Option<Deviation>,
}

impl Body for Recipe {
    const TYPE: &'static str = "recipe";
    type Id = RecipeId;

    fn check(&self) -> Result<(), String> {
        let ports = 1..=PORTS_MAX;
        if !ports.contains(&self.inputs.len()) || !ports.contains(&self.outputs.len()) {
            return Err(format!("a recipe has 1 to {PORTS_MAX} inputs and as many outputs"));
        }
        let reasons = self.deviates_from.as_ref().map_or(1, |deviation| deviation.reasons.len());
        if self.references.len() > NOTES_MAX || !(1..=NOTES_MAX).contains(&reasons) {
            return Err(format!("a recipe has at most {NOTES_MAX} references, and a deviation has reasons"));
        }
        Ok(())
    }
}

/// Why a release takes the place of an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The source published other data.
    SourceRevision,
    /// The publisher had made a mistake.
    PublisherError,
    /// Another method.
    Method,
    /// Another base period.
    Rebase,
    /// Another seasonal adjustment.
    Seasonal,
}

/// What a release takes the place of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Supersedes {
    /// The earlier release.
    pub release: ReleaseId,
    /// Why.
    pub reason: Reason,
}

/// The claim: this recipe on these data sets gives these figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The dataflow that it is a vintage of.
    pub dataflow: Name,
    /// A name of the vintage for people, such as `2026-11`.
    pub vintage: Text<64>,
    /// The recipe.
    pub recipe: RecipeId,
    /// A data set for each input of the recipe.
    pub inputs: BTreeMap<Name, DatasetId>,
    /// The figures for each output of the recipe.
    pub results: BTreeMap<Name, ContentId>,
    /// Steps that the run took.
    pub steps: u64,
    /// What it takes the place of; absent in the first release of a dataflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<Supersedes>,
}

impl Body for Release {
    const TYPE: &'static str = "release";
    type Id = ReleaseId;

    fn check(&self) -> Result<(), String> {
        let ports = 1..=PORTS_MAX;
        if !ports.contains(&self.inputs.len()) || !ports.contains(&self.results.len()) {
            return Err(format!("a release has 1 to {PORTS_MAX} inputs and as many results"));
        }
        Ok(())
    }

    fn needs(&self) -> Vec<Cid> {
        let inputs = self.inputs.values().map(|id| id.cid());
        let results = self.results.values().map(|id| id.cid());
        [self.recipe.cid()].into_iter().chain(inputs).chain(results).collect()
    }
}

/// What a retraction takes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// The whole object.
    Whole,
    /// Single data points, by their keys as text.
    Points(Vec<Vec<Text<1024>>>),
}

/// The publisher takes something back. Nothing is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retraction {
    /// What is taken back.
    pub subject: Cid,
    /// How much of it.
    pub scope: Scope,
    /// Why.
    pub reason: Text<1024>,
    /// What to use instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<Cid>,
}

impl Body for Retraction {
    const TYPE: &'static str = "retraction";
    type Id = RetractionId;
}

/// Whether the attestor looked at the sources again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sources {
    /// The kept source documents were taken as they are.
    Kept,
    /// The source documents were fetched again and are the same.
    Refetched,
}

/// What somebody found who re-ran a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// The release.
    pub release: ReleaseId,
    /// What came of it.
    pub verdict: Verdict,
    /// The results obtained, by output; empty when there are none.
    pub results: BTreeMap<Name, ContentId>,
    /// Version of the engine's semantics.
    pub semantics: u32,
    /// The program that ran it, such as `assay/0.1.0`.
    pub build: Text<64>,
    /// Whether the sources were looked at again.
    pub sources: Sources,
}

impl Body for Attestation {
    const TYPE: &'static str = "attestation";
    type Id = AttestationId;

    fn check(&self) -> Result<(), String> {
        if self.results.len() > PORTS_MAX {
            return Err(format!("an attestation has at most {PORTS_MAX} results"));
        }
        self.verdict.check()
    }
}
