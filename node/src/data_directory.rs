//! The data directory of a node: store, keys, API token and the address of the running node.
//!
//! ```text
//! store/          archive and index
//! keys/root       seed of the root key: signs the genesis and key operations
//! keys/next-root  seed of the next root key (pre-rotation)
//! keys/operating  seed of the key that signs the log
//! keys/node       seed of the network key; may be deleted
//! token           bearer token of the local API
//! running.json    process and API address of the running node; absent when none runs
//! ```
//!
//! Key files have mode 0600 and contain one line of text. They are never sent anywhere.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use schemas::entry::{self, Entry, EntryPosition};
use schemas::key::{KEY_BYTES, SecretKey};
use schemas::object::{Identity, KeyUse, OperatingKey, encode_object};
use schemas::seal::Sealed;
use schemas::text::Line;
use serde::{Deserialize, Serialize};

/// Prefix of the hexadecimal seed in a key file.
const KEY_PREFIX: &str = "assay-ed25519-seed-1:";

/// Failure to use a data directory.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An I/O error.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// The failed action.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// An invalid key file.
    #[error("`{}` is not a key file", .0.display())]
    InvalidKey(PathBuf),
    /// The system random number generator failed.
    #[error("the system random number generator failed: {0}")]
    Random(String),
    /// The name or contact of an identity is invalid.
    #[error("invalid identity: {0}")]
    Identity(String),
}

/// Role of a key of a data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRole {
    /// Signs the genesis.
    Root,
    /// The next root key (pre-rotation).
    NextRoot,
    /// Signs the log.
    Operating,
    /// Identifies the node on the network.
    Node,
}

impl KeyRole {
    fn file_name(self) -> &'static str {
        match self {
            KeyRole::Root => "root",
            KeyRole::NextRoot => "next-root",
            KeyRole::Operating => "operating",
            KeyRole::Node => "node",
        }
    }
}

/// The process that uses the data directory, and the address of its API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningInfo {
    /// Process id.
    pub pid: u32,
    /// Address of the API, such as `http://127.0.0.1:7171`.
    pub api: String,
}

/// A data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDirectory(PathBuf);

impl DataDirectory {
    /// Opens the data directory at `path`, and creates it if it does not exist (mode 0700).
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let home = Self(path.into());
        let keys = home.0.join("keys");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&keys).map_err(io_error("make", &keys))?;
        Ok(home)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The folder of the store.
    pub fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    /// Reads a key, if it exists.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::InvalidKey`].
    pub fn key(&self, key: KeyRole) -> Result<Option<SecretKey>, Error> {
        let path = self.key_path(key);
        match fs::read_to_string(&path) {
            Ok(text) => parse_key_file(&text)
                .map(|seed| Some(SecretKey::from_seed(&seed)))
                .ok_or(Error::InvalidKey(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error("read", &path)(error)),
        }
    }

    /// Reads a key, and generates it if it does not exist.
    ///
    /// # Errors
    /// [`enum@Error`].
    pub fn make_key(&self, key: KeyRole) -> Result<SecretKey, Error> {
        if let Some(found) = self.key(key)? {
            return Ok(found);
        }
        let seed = random_bytes::<KEY_BYTES>()?;
        write_secret(&self.key_path(key), &format!("{KEY_PREFIX}{}\n", hex_encode(&seed)))?;
        Ok(SecretKey::from_seed(&seed))
    }

    fn key_path(&self, key: KeyRole) -> PathBuf {
        self.0.join("keys").join(key.file_name())
    }

    /// Creates the keys of a publisher and signs the genesis of its log. Existing keys are reused, so an
    /// interrupted call can be repeated.
    ///
    /// # Errors
    /// [`enum@Error`].
    pub fn create_identity(
        &self,
        name: &str,
        contact: Option<&str>,
        time: i64,
    ) -> Result<Sealed<Entry>, Error> {
        let bad = |error: String| Error::Identity(error);
        let name = Line::new(name).map_err(|error| bad(format!("the name: {error}")))?;
        let contact =
            contact.map(Line::new).transpose().map_err(|error| bad(format!("the contact: {error}")))?;
        let root = self.make_key(KeyRole::Root)?;
        let next = self.make_key(KeyRole::NextRoot)?;
        let operating = self.make_key(KeyRole::Operating)?;
        let identity = Identity {
            name,
            contact,
            roots: vec![root.public()],
            // Only its hash is published: the next root key stays unknown until a rotation reveals it.
            next_root: *schemas::cid::PieceId::of(next.public().as_bytes()).cid().digest(),
            keys: vec![OperatingKey { key: operating.public(), uses: vec![KeyUse::Publish, KeyUse::Attest] }],
        };
        let object = encode_object(&identity).map_err(|error| bad(error.to_string()))?;
        entry::sign_entry(EntryPosition::Genesis, time, &object, &root)
            .map_err(|error| bad(error.to_string()))
    }

    /// Reads the token of the local API, and generates it if it does not exist.
    ///
    /// # Errors
    /// [`enum@Error`].
    pub fn token(&self) -> Result<String, Error> {
        let path = self.0.join("token");
        match fs::read_to_string(&path) {
            Ok(token) => Ok(token.trim().to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let token = hex_encode(&random_bytes::<KEY_BYTES>()?);
                write_secret(&path, &format!("{token}\n"))?;
                Ok(token)
            }
            Err(error) => Err(io_error("read", &path)(error)),
        }
    }

    /// The running node according to its file, which is stale after a kill.
    pub fn running(&self) -> Option<RunningInfo> {
        let text = fs::read_to_string(self.0.join("running.json")).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Records the running node, or that none runs.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn set_running(&self, running: Option<&RunningInfo>) -> Result<(), Error> {
        let path = self.0.join("running.json");
        let done = match running {
            Some(running) => {
                let text =
                    serde_json::to_string(running).map_err(|error| io_error("write", &path)(error.into()))?;
                fs::write(&path, text)
            }
            None => match fs::remove_file(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                done => done,
            },
        };
        done.map_err(io_error("write", &path))
    }
}

fn io_error<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Error + 'a {
    move |source| Error::Io { action, path: path.to_owned(), source }
}

/// Random bytes of the operating system.
fn random_bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::Random(error.to_string()))?;
    Ok(bytes)
}

/// Writes a file readable by its owner only, durably and atomically: to a temporary name, then renamed.
fn write_secret(path: &Path, text: &str) -> Result<(), Error> {
    let partial = path.with_extension("partial");
    let write = || -> io::Result<()> {
        let mut file =
            // The mode is set on creation, so that the secret is not even briefly readable by others.
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
        file.write_all(text.as_bytes())?;
        // Before the rename: a crash could otherwise leave an empty file under the final name.
        file.sync_all()?;
        fs::rename(&partial, path)?;
        path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
    };
    write().map_err(io_error("write", path))
}

fn hex_encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parse_key_file(text: &str) -> Option<[u8; KEY_BYTES]> {
    let digits = text.trim_end().strip_prefix(KEY_PREFIX)?;
    if digits.len() != 2 * KEY_BYTES || !digits.is_ascii() {
        return None;
    }
    let mut seed = [0; KEY_BYTES];
    for (place, byte) in seed.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(seed)
}

/// Reads a file of at most `max` bytes; `None` when it is larger, which is checked before reading.
///
/// # Errors
/// [`Error::Io`].
pub fn read_bounded(path: &Path, max: u64) -> Result<Option<Vec<u8>>, Error> {
    let opened = RandomAccessFile::open(path)?;
    if opened.size > max {
        return Ok(None);
    }
    if let Some(bytes) = read_in_halves(&opened) {
        return bytes.map(Some).map_err(io_error("read", path));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(opened.size).unwrap_or_default() + 1);
    // The file may grow while it is read.
    opened.file.take(max + 1).read_to_end(&mut bytes).map_err(io_error("read", path))?;
    Ok((bytes.len() as u64 <= max).then_some(bytes))
}

/// Size in bytes from which two threads read a file faster than one.
const HALVES_BYTES_MIN: usize = 4 << 20;

/// Reads a large file, at its present size, in two halves in parallel.
fn read_in_halves(file: &RandomAccessFile) -> Option<io::Result<Vec<u8>>> {
    let size = usize::try_from(file.size).ok().filter(|size| *size >= HALVES_BYTES_MIN)?;
    let mut bytes = vec![0; size];
    let (first, second) = bytes.split_at_mut(size / 2);
    let middle = first.len() as u64;
    let read = std::thread::scope(|scope| {
        let other = scope.spawn(|| file.read_at(middle, second));
        let first = file.read_at(0, first);
        let second = other.join().unwrap_or_else(|_| Err(io::Error::other("a reader thread panicked")));
        first.and(second)
    });
    Some(read.map(|()| bytes))
}

/// An open file with positioned reads, usable from any thread.
#[derive(Debug)]
pub struct RandomAccessFile {
    file: File,
    size: u64,
}

impl RandomAccessFile {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(io_error("open", path))?;
        let size = file.metadata().map_err(io_error("read", path))?.len();
        Ok(Self { file, size })
    }

    /// Size in bytes when it was opened.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Fills `into` with the bytes at offset `at`.
    ///
    /// # Errors
    /// When the file is shorter, or reading fails.
    pub fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(into, at)
    }
}
