//! A whole load: every page of a source, in turn, tried again where that helps, and resumed.

use std::path::Path;
use std::sync::Arc;

use crate::api_key::ApiKeys;
use crate::clock::FetchClock;
use crate::error::{FetchError, FetchErrorCategory};
use crate::http::{
    FetchRequest, FetchResponse, FetchedDocument, HttpClient, RequestLimits, TestOverrides, Validators,
};
use crate::resume_cache::ResumeCache;
use crate::retry::{self, RequestPacing};
use crate::source::FetchSource;
use crate::url_policy::{HostResolver, UrlPolicy};

/// Milliseconds of a whole load.
const LOAD_MS_MAX: u64 = 3_600_000;

/// Asks sources, politely and on guard.
#[derive(Debug)]
pub struct Fetcher {
    client: HttpClient,
    clock: Arc<dyn FetchClock>,
    pacing: RequestPacing,
    limits: RequestLimits,
}

/// A server on this machine that stands for sources: for tests only.
#[derive(Debug)]
pub struct LocalServer {
    /// Where the names of hosts lead.
    pub resolver: Arc<dyn HostResolver>,
    /// The certificate (DER) that signs for it.
    pub root: Vec<u8>,
    /// The bounds of a request.
    pub limits: RequestLimits,
}

/// One question, as it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// The address, without a key.
    pub url: String,
    /// When: seconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// Bytes of the answer.
    pub bytes: u64,
    /// Whether it came from a load that was broken off.
    pub resumed: bool,
}

/// A source, loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedSource {
    /// All of it: one page as it came, several as JSON texts one after the other.
    pub bytes: Vec<u8>,
    /// Media type (RFC 6838), without parameters.
    pub media_type: String,
    /// A file name.
    pub name: String,
    /// When the first page was asked: seconds since 1970-01-01T00:00:00Z.
    pub fetched: i64,
    /// To ask later whether it is the same; empty for several pages.
    pub validators: Validators,
    /// What was asked, in order.
    pub requests: Vec<RequestRecord>,
}

/// How a load ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadOutcome {
    /// With the document.
    Loaded(LoadedSource),
    /// The source says that what was known is still the document.
    NotModified,
}

/// How far a load is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadProgress {
    /// The page that is loaded, from 1.
    pub page: usize,
    /// How many there are, when that is known.
    pub pages: Option<usize>,
    /// Bytes of all pages so far.
    pub bytes: u64,
    /// Milliseconds until the next try, when the last one failed.
    pub waiting: Option<u64>,
}

/// The pages so far.
#[derive(Debug, Default)]
struct PageCollector {
    bytes: Vec<Vec<u8>>,
    asked: Vec<RequestRecord>,
    media_type: String,
    validators: Validators,
}

impl Fetcher {
    /// A fetcher under the rules of `guard`; `contact` is told to the sources.
    pub fn new(guard: UrlPolicy, keys: ApiKeys, contact: Option<&str>, clock: Arc<dyn FetchClock>) -> Self {
        let bounds = RequestLimits::default();
        let wire = HttpClient::new(guard, keys, bounds, contact, clock.clone(), TestOverrides::default());
        Self { client: wire, clock, pacing: RequestPacing::default(), limits: bounds }
    }

    /// A fetcher whose sources are a server on this machine: for tests only. All else is as always.
    pub fn with_local_server(
        guard: UrlPolicy,
        keys: ApiKeys,
        clock: Arc<dyn FetchClock>,
        local: LocalServer,
    ) -> Self {
        let LocalServer { resolver: names, root, limits } = local;
        let trial = TestOverrides { resolver: Some(names), root: Some(root) };
        let wire = HttpClient::new(guard.with_loopback(), keys, limits, None, clock.clone(), trial);
        Self { client: wire, clock, pacing: RequestPacing::default(), limits: limits }
    }

    /// The rules.
    pub fn url_policy(&self) -> &UrlPolicy {
        self.client.url_policy()
    }

    /// Loads a source. `known` asks whether a document of one page is still the same; `under` is
    /// the folder for pages of loads that are broken off.
    ///
    /// # Errors
    /// [`Fault`]; the pages that came are kept in `under`.
    pub fn load(
        &self,
        source: &FetchSource,
        known: Option<&Validators>,
        under: Option<&Path>,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<LoadOutcome, FetchError> {
        // One page is not resumed: it is asked as one.
        let under = under.filter(|_| !source.is_single());
        let known = known.filter(|known| source.is_single() && **known != Validators::default());
        let desk = ResumeCache::new(under, source.address());
        let outcome = match self.load_pages(source, known, &desk, progress) {
            Err(fault) if fault.code == "pages-differ" => {
                desk.clear();
                self.load_pages(source, known, &desk, progress)?
            }
            other => other?,
        };
        desk.clear();
        Ok(outcome)
    }

    fn load_pages(
        &self,
        source: &FetchSource,
        known: Option<&Validators>,
        desk: &ResumeCache,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<LoadOutcome, FetchError> {
        let end = self.clock.millis().saturating_add(LOAD_MS_MAX);
        let mut pages = PageCollector::default();
        let mut so_far = 0;
        while let Some(request) = source.page_request(pages.bytes.len(), &pages.bytes)? {
            let at = pages.bytes.len();
            let mut state = LoadProgress {
                page: at + 1,
                pages: source.page_count(&pages.bytes),
                bytes: so_far,
                waiting: None,
            };
            let kept = desk.read_page(&request, self.clock.seconds());
            let resumed = kept.is_some();
            let (document, when) = match kept {
                Some(kept) => kept,
                None => match self.fetch_page(&request, known, so_far, end, &mut state, progress)? {
                    (FetchResponse::Document(document), when) => (document, when),
                    (FetchResponse::NotModified, _) => return Ok(LoadOutcome::NotModified),
                },
            };
            source.check_page(at, &document.bytes, &pages.bytes)?;
            if !resumed {
                desk.store_page(&request, &document, when)?;
            }
            so_far += document.bytes.len() as u64;
            if so_far > self.limits.bytes_max {
                return Err(load_too_large(self.limits.bytes_max));
            }
            progress(LoadProgress { bytes: so_far, ..state });
            pages.push_page(&request, document, when, resumed);
        }
        Ok(LoadOutcome::Loaded(pages.into_source(source)))
    }

    /// One page, tried as often as it may help.
    fn fetch_page(
        &self,
        request: &FetchRequest,
        known: Option<&Validators>,
        so_far: u64,
        end: u64,
        state: &mut LoadProgress,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<(FetchResponse, i64), FetchError> {
        let room = self.limits.bytes_max.saturating_sub(so_far);
        for tries in 1.. {
            self.pacing.wait_turn(request.url.host_str().unwrap_or_default(), self.clock.as_ref());
            let when = self.clock.seconds();
            let mut told = |bytes| progress(LoadProgress { bytes: so_far + bytes, ..*state });
            let fault = match self.client.fetch_document(request, known, room, &mut told) {
                Ok(answer) => return Ok((answer, when)),
                Err(fault) => fault,
            };
            let late = load_timeout(&fault);
            let wait = retry::backoff_wait(fault, tries, self.clock.as_ref())?;
            if self.clock.millis().saturating_add(wait) > end {
                return Err(late);
            }
            progress(LoadProgress { waiting: Some(wait), ..*state });
            self.clock.wait(wait);
        }
        Err(load_too_large(room))
    }
}

impl PageCollector {
    fn push_page(&mut self, request: &FetchRequest, document: FetchedDocument, at: i64, resumed: bool) {
        let bytes = document.bytes.len() as u64;
        self.asked.push(RequestRecord { url: request.url.to_string(), at, bytes, resumed });
        self.media_type = document.media_type;
        self.validators = document.validators;
        self.bytes.push(document.bytes);
    }

    fn into_source(self, source: &FetchSource) -> LoadedSource {
        let single = self.bytes.len() == 1;
        let bytes = source.join_pages(self.bytes);
        let media_type = detect_media_type(&bytes, &self.media_type);
        LoadedSource {
            name: with_extension(source.file_stem(), media_type),
            media_type: media_type.to_owned(),
            fetched: self.asked.iter().map(|asked| asked.at).min().unwrap_or_default(),
            validators: if single { self.validators } else { Validators::default() },
            requests: self.asked,
            bytes,
        }
    }
}

/// The media type by what the bytes begin with, and only then by what the source says.
fn detect_media_type(bytes: &[u8], said: &str) -> &'static str {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        _ if bytes.starts_with(b"PK\x03\x04") => "application/zip",
        Some(b'{' | b'[') => "application/json",
        Some(b'<') => "application/xml",
        _ if said.contains("tab-separated") => "text/tab-separated-values",
        _ => "text/csv",
    }
}

/// A file name with the ending of its media type.
fn with_extension(name: String, media_type: &str) -> String {
    let ending = match media_type {
        "application/zip" => ".zip",
        "application/json" => ".json",
        "application/xml" => ".xml",
        "text/tab-separated-values" => ".tsv",
        _ => ".csv",
    };
    if name.to_ascii_lowercase().ends_with(ending) { name } else { format!("{name}{ending}") }
}

fn load_too_large(max: u64) -> FetchError {
    FetchError::new(
        FetchErrorCategory::TooLarge,
        "source-large",
        format!("the pages have more than {max} bytes together"),
    )
    .with_hint("ask for less: a key, fewer areas, or `--from` and `--to`")
}

fn load_timeout(fault: &FetchError) -> FetchError {
    let message = format!("{}; the time for the whole load is over", fault.message);
    FetchError::new(FetchErrorCategory::Network, "time", message)
        .with_hint("try again: what was loaded so far is kept")
}
