//! Access to the ledger: through the data directory, or through the API of the node that runs on it.
//!
//! A data directory has one process at a time. While a node runs, commands use its API.

use std::time::Duration;

use node::DataDirectory;
use schemas::address::{Address, SCHEME};
use schemas::car;
use schemas::cid::{Cid, Codec, PublisherId, SnapshotId};
use schemas::content::Block;
use schemas::digest::DocumentDigests;
use schemas::object::{Snapshot, decode_object};
use serde::de::DeserializeOwned;
use serde_json::Value;
use service::query::{DatasetInfo, LedgerQuery, LogInfo, RecipeInfo, ReleaseInfo, ResolvedReference};
use service::{Core, PublishReceipt};
use store::Store;

use crate::args::GlobalArgs;
use crate::error::{CommandError, ErrorCategory};

/// Time limit for a response of the local node; a large bundle takes a while.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(120);
/// Largest response in bytes: the bound of a bundle.
const RESPONSE_BYTES_MAX: u64 = 1 << 30;

/// Access to the ledger.
pub enum Backend {
    /// No node is running: this process has opened the data directory.
    Local(Box<Core<Store>>),
    /// A node is running.
    Remote(NodeClient),
}

/// Client of the API of a running node.
pub struct NodeClient {
    agent: ureq::Agent,
    api: String,
    token: String,
}

/// Opens the data directory of `--data`, or the default one.
///
/// # Errors
/// When it cannot be created, or neither `XDG_DATA_HOME` nor `HOME` is set.
pub fn open_home(global: &GlobalArgs) -> Result<DataDirectory, CommandError> {
    let path = match &global.data {
        Some(path) => path.clone(),
        None => default_home()?,
    };
    Ok(DataDirectory::open(path)?)
}

fn default_home() -> Result<std::path::PathBuf, CommandError> {
    let set =
        // XDG Base Directory Specification: an empty variable counts as unset.
        |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(std::path::PathBuf::from);
    let base = set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local").join("share")));
    base.map(|base| base.join("assay")).ok_or_else(|| {
        CommandError::usage(
            "data-directory",
            "no default data directory: neither XDG_DATA_HOME nor HOME is set",
        )
        .hint("choose one with `--data DIR`")
    })
}

impl Backend {
    /// Connects to the node that runs on a data directory, or opens the directory.
    ///
    /// # Errors
    /// When another process uses the directory and does not respond.
    pub fn open(home: &DataDirectory) -> Result<Self, CommandError> {
        if let Some(running) = home.running() {
            let remote = NodeClient::new(running.api, home.token()?);
            // A killed node leaves `running.json` behind: only a response proves that one is running.
            if remote.get::<Value>("status").is_ok() {
                return Ok(Backend::Remote(remote));
            }
        }
        let (core, _) = node::open_core(home, false)?;
        Ok(Backend::Local(Box::new(core)))
    }

    /// Lists all logs.
    ///
    /// # Errors
    /// Errors of the store or of the node.
    pub fn list_logs(&self) -> Result<Vec<LogInfo>, CommandError> {
        match self {
            Backend::Local(core) => Ok(LedgerQuery(core.storage().as_ref()).list_logs()?),
            Backend::Remote(remote) => remote.get("logs"),
        }
    }

    /// Lists all releases.
    ///
    /// # Errors
    /// Errors of the store or of the node.
    pub fn list_releases(&self) -> Result<Vec<ReleaseInfo>, CommandError> {
        match self {
            Backend::Local(core) => Ok(LedgerQuery(core.storage().as_ref()).list_releases()?),
            Backend::Remote(remote) => remote.get_list("releases"),
        }
    }

    /// Lists all data sets.
    ///
    /// # Errors
    /// Errors of the store or of the node.
    pub fn list_datasets(&self) -> Result<Vec<DatasetInfo>, CommandError> {
        match self {
            Backend::Local(core) => Ok(LedgerQuery(core.storage().as_ref()).list_datasets()?),
            Backend::Remote(remote) => remote.get_list("datasets"),
        }
    }

    /// Lists all recipes.
    ///
    /// # Errors
    /// Errors of the store or of the node.
    pub fn list_recipes(&self) -> Result<Vec<RecipeInfo>, CommandError> {
        match self {
            Backend::Local(core) => Ok(LedgerQuery(core.storage().as_ref()).list_recipes()?),
            Backend::Remote(remote) => remote.get_list("recipes"),
        }
    }

    /// Resolves an address or an id.
    ///
    /// # Errors
    /// When the text is neither, or nothing is stored under it.
    pub fn resolve_reference(&self, text: &str) -> Result<Cid, CommandError> {
        check_reference(text)?;
        match self {
            Backend::Local(core) => match LedgerQuery(core.storage().as_ref()).resolve(text)? {
                ResolvedReference::Id(id) => Ok(id),
                ResolvedReference::Address(_, release) => Ok(release.cid()),
            },
            Backend::Remote(remote) => {
                let answer: Value = remote.get(&format!("resolve?q={}", percent_encode(text)))?;
                let id = answer.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
                id.ok_or_else(|| {
                    CommandError::new(ErrorCategory::Network, "answer", "the response of the node has no id")
                })
            }
        }
    }

    /// Loads a block; `None` when it is not stored.
    ///
    /// # Errors
    /// Errors of the store or of the node.
    pub fn load_block(&self, id: Cid) -> Result<Option<Vec<u8>>, CommandError> {
        match self {
            Backend::Local(core) => {
                core.storage().get(id).map_err(|error| service::Error::from(error).into())
            }
            Backend::Remote(remote) => match remote.get_bytes(&format!("blocks/{id}")) {
                // The id proves the bytes, so the node need not be trusted.
                Ok(get_bytes) if id.matches(&get_bytes) => Ok(Some(get_bytes)),
                Ok(_) => Err(CommandError::new(
                    ErrorCategory::Trust,
                    "block",
                    format!("hash mismatch: the node sent other bytes for block {id}"),
                )),
                Err(error) if error.category == ErrorCategory::NotFound => Ok(None),
                Err(error) => Err(error),
            },
        }
    }

    /// Loads a source document: its snapshot and its bytes.
    ///
    /// # Errors
    /// When a block is not stored, or the bytes do not have the digests that the snapshot states.
    pub fn load_document(&self, id: SnapshotId) -> Result<(Snapshot, Vec<u8>), CommandError> {
        let missing =
            |id: Cid| CommandError::not_found(format!("block {id} of the document is not stored here"));
        let block = self.load_block(id.cid())?.ok_or_else(|| missing(id.cid()))?;
        let snapshot: Snapshot = decode_object(&block)?;
        let mut bytes = Vec::new();
        for piece in &snapshot.pieces {
            bytes.extend(self.load_block(piece.cid())?.ok_or_else(|| missing(piece.cid()))?);
        }
        let digests = DocumentDigests::of(&bytes);
        if bytes.len() as u64 != snapshot.size
            || digests != (DocumentDigests { blake3: snapshot.blake3, sha256: snapshot.sha256 })
        {
            let message = format!("the document does not have the size and digests that {id} states");
            return Err(CommandError::new(ErrorCategory::Trust, "document", message));
        }
        Ok((snapshot, bytes))
    }

    /// Returns a block reader for the pure crates. It reports a failed read as a missing block.
    pub fn block_reader(&self) -> impl Fn(Cid) -> Option<Vec<u8>> + '_ {
        |id| self.load_block(id).ok().flatten()
    }

    /// Exports the bundle of an object or entry.
    ///
    /// # Errors
    /// When blocks of it are missing.
    pub fn load_bundle(&self, id: Cid) -> Result<Vec<u8>, CommandError> {
        match self {
            Backend::Local(core) => Ok(LedgerQuery(core.storage().as_ref()).export_bundle(id)?),
            Backend::Remote(remote) => remote.get_bytes(&format!("bundles/{id}")),
        }
    }

    /// Signs an object into the own log, with the blocks that it depends on.
    ///
    /// # Errors
    /// Errors of the store or of the node.
    pub fn publish_object(
        &mut self,
        object: &[u8],
        blocks: Vec<Block>,
    ) -> Result<PublishReceipt, CommandError> {
        match self {
            Backend::Local(core) => Ok(core.publish(object, blocks, node::unix_seconds())?),
            Backend::Remote(remote) => {
                let root = Cid::of(Codec::DagCbor, object);
                // The root is the object to sign; the other blocks are its dependencies.
                let mut body = car::encode_header(&[root]);
                body.extend(car::encode_record(root, object));
                for (id, bytes) in blocks {
                    body.extend(car::encode_record(id, &bytes));
                }
                remote.post("publish", "application/vnd.ipld.car", &body)
            }
        }
    }

    /// The own publisher, if an identity exists.
    ///
    /// # Errors
    /// Errors of the store or of the node.
    pub fn own_publisher(&self) -> Result<Option<PublisherId>, CommandError> {
        Ok(self.list_logs()?.into_iter().find(|log| log.own).map(|log| log.publisher))
    }

    /// Starts or stops following a publisher.
    ///
    /// # Errors
    /// Errors of the store or of the node.
    pub fn set_following(&mut self, publisher: PublisherId, follow: bool) -> Result<(), CommandError> {
        match self {
            Backend::Local(core) if follow => Ok(core.follow(publisher)?),
            Backend::Local(core) => Ok(core.unfollow(publisher)?),
            Backend::Remote(remote) if follow => {
                remote.post(&format!("follows/{publisher}"), "text/plain", &[])
            }
            Backend::Remote(remote) => remote.delete(&format!("follows/{publisher}")),
        }
    }

    /// Lists known peers as JSON objects with `peer`, `address` and `connected`.
    ///
    /// # Errors
    /// Errors of the store or of the node.
    pub fn list_peers(&self) -> Result<Vec<Value>, CommandError> {
        match self {
            Backend::Local(core) => {
                let peers = LedgerQuery(core.storage().as_ref()).list_peers()?.into_iter();
                Ok(peers
                    .map(
                        |address| serde_json::json!({ "peer": null, "address": address, "connected": false }),
                    )
                    .collect())
            }
            Backend::Remote(remote) => remote.get("peers"),
        }
    }

    /// Adds a known peer, and connects to it if a node is running.
    ///
    /// # Errors
    /// When the node cannot connect.
    pub fn add_peer(&mut self, address: &str) -> Result<(), CommandError> {
        match self {
            Backend::Local(core) => Ok(core.add_peer(address)?),
            Backend::Remote(remote) => {
                let body = serde_json::json!({ "address": address }).to_string();
                remote.post("peers", "application/json", body.as_bytes())
            }
        }
    }

    /// Returns whether a node is running.
    pub fn is_node_running(&self) -> bool {
        matches!(self, Backend::Remote(_))
    }
}

impl NodeClient {
    /// Creates a client of the API at `api`, a URL without a path.
    pub fn new(api: String, token: String) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(RESPONSE_TIMEOUT))
            // The node runs on this machine, so a connection takes no longer.
            .timeout_connect(Some(Duration::from_secs(2)))
            // The body of an error is a problem document with the message to show.
            .http_status_as_error(false)
            // A proxy from the environment must not see the token.
            .proxy(None)
            .build();
        Self { agent: config.new_agent(), api, token }
    }

    fn endpoint_url(&self, path: &str) -> String {
        format!("{}/api/v1/{path}", self.api)
    }

    /// Requests a JSON document.
    ///
    /// # Errors
    /// Errors of the node or of the connection.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CommandError> {
        parse_json(&self.get_bytes(path)?)
    }

    /// Requests all pages of a list.
    fn get_list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, CommandError> {
        let (mut all, mut path) = (Vec::new(), path.to_owned());
        loop {
            let answer = self.agent.get(self.endpoint_url(&path)).call();
            let link = answer.as_ref().ok().and_then(|answer| answer.headers().get("link"));
            let next = link.and_then(|link| next_page_path(link.to_str().ok()?)).map(str::to_owned);
            let part: Vec<T> = parse_json(&self.read_response(answer)?)?;
            // An empty page ends the list, so that a wrong link cannot cause an endless loop.
            let is_last = part.is_empty();
            all.extend(part);
            match next.filter(|_| !is_last) {
                Some(next) => path = next,
                None => return Ok(all),
            }
        }
    }

    fn get_bytes(&self, path: &str) -> Result<Vec<u8>, CommandError> {
        self.read_response(self.agent.get(self.endpoint_url(path)).call())
    }

    fn post<T: DeserializeOwned>(&self, path: &str, kind: &str, body: &[u8]) -> Result<T, CommandError> {
        let request = self.agent.post(self.endpoint_url(path)).header("content-type", kind);
        let request = request.header("authorization", format!("Bearer {}", self.token));
        parse_json(&self.read_response(request.send(body))?)
    }

    fn delete(&self, path: &str) -> Result<(), CommandError> {
        let request = self.agent.delete(self.endpoint_url(path));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        self.read_response(request.call()).map(|_| ())
    }

    fn read_response(
        &self,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Vec<u8>, CommandError> {
        let unreachable = |error: ureq::Error| {
            CommandError::new(
                ErrorCategory::Network,
                "node",
                format!("the node at {} does not respond: {error}", self.api),
            )
        };
        let mut answer = answer.map_err(unreachable)?;
        let bytes =
            answer.body_mut().with_config().limit(RESPONSE_BYTES_MAX).read_to_vec().map_err(unreachable)?;
        if answer.status().is_success() {
            Ok(bytes)
        } else {
            Err(problem_error(answer.status().as_u16(), &bytes))
        }
    }
}

/// Path of the next page in a `Link` header (RFC 8288), relative to the API root.
fn next_page_path(link: &str) -> Option<&str> {
    let (target, rest) = link.strip_prefix("</api/v1/")?.split_once('>')?;
    rest.contains("rel=\"next\"").then_some(target)
}

fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CommandError> {
    // A response without content (204) stands for unit.
    let text = if bytes.is_empty() { b"null" } else { bytes };
    serde_json::from_slice(text).map_err(|error| {
        CommandError::new(ErrorCategory::Network, "answer", format!("invalid response of the node: {error}"))
    })
}

/// Converts a problem document (RFC 9457) to an error.
fn problem_error(status: u16, bytes: &[u8]) -> CommandError {
    // Another program on this port sends no problem document; then the status has to do.
    let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (code, detail) = (text("code"), text("detail"));
    let category = match (status, code.as_str()) {
        (404, _) => ErrorCategory::NotFound,
        (401 | 403, _) | (_, "behind" | "refused") => ErrorCategory::Trust,
        (_, "address") => ErrorCategory::Network,
        (400..=499, _) => ErrorCategory::Usage,
        _ => ErrorCategory::Failure,
    };
    let message = if detail.is_empty() { format!("the node responded with status {status}") } else { detail };
    let error = CommandError::new(category, &code, message);
    if code == "no-identity" {
        error.hint("stop the node, then create one with `assay init --name \"Your institute\"`")
    } else {
        error
    }
}

/// Checks that a text is an id or an address.
fn check_reference(text: &str) -> Result<(), CommandError> {
    match (text.parse::<Cid>(), text.parse::<Address>()) {
        (Err(_), Err(error)) if text.starts_with(SCHEME) => {
            Err(CommandError::usage("address", error.to_string()))
        }
        (Err(_), Err(_)) => {
            Err(CommandError::usage("address", format!("`{text}` is neither an address nor an id"))
                .hint("addresses look like assay://<publisher>/<dataflow>/<key>/<period>")
                .hint("`assay show` lists everything stored here"))
        }
        _ => Ok(()),
    }
}

/// Percent-encodes a query value (RFC 3986, section 3.4).
fn percent_encode(text: &str) -> String {
    // RFC 3986: unreserved characters, and those that a query may contain as they are.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:@".contains(&byte);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
