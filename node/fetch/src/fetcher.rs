//! Loading of a source: all its pages in turn, with retries, pacing and resumption.

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

/// Time limit of a load, in milliseconds.
const LOAD_MS_MAX: u64 = 3_600_000;

/// Client for sources with retry, pacing and a URL policy.
#[derive(Debug)]
pub struct Fetcher {
    client: HttpClient,
    clock: Arc<dyn FetchClock>,
    pacing: RequestPacing,
    limits: RequestLimits,
}

/// Local server that replaces all sources, for tests only.
#[derive(Debug)]
pub struct LocalServer {
    /// Resolver that leads host names to the server.
    pub resolver: Arc<dyn HostResolver>,
    /// Root certificate of the server, DER.
    pub root: Vec<u8>,
    /// Limits of a request.
    pub limits: RequestLimits,
}

/// Record of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// URL without API key.
    pub url: String,
    /// Time of the request, in seconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// Bytes of the response body.
    pub bytes: u64,
    /// Whether the page came from the resume cache.
    pub resumed: bool,
}

/// Content of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedSource {
    /// Content: a single page unchanged, several pages as concatenated JSON texts.
    pub bytes: Vec<u8>,
    /// Media type (RFC 6838), without parameters.
    pub media_type: String,
    /// File name with extension.
    pub name: String,
    /// Time of the first request, in seconds since 1970-01-01T00:00:00Z.
    pub fetched: i64,
    /// Validators for a later conditional request; empty for several pages.
    pub validators: Validators,
    /// Requests in order.
    pub requests: Vec<RequestRecord>,
}

/// Outcome of a load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadOutcome {
    /// The content was loaded.
    Loaded(LoadedSource),
    /// The known content is still current (304).
    NotModified,
}

/// Progress of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadProgress {
    /// Current page, from 1.
    pub page: usize,
    /// Number of pages, when known.
    pub pages: Option<usize>,
    /// Bytes loaded so far, over all pages.
    pub bytes: u64,
    /// Wait before the next try after a failure, in milliseconds.
    pub waiting: Option<u64>,
}

/// Pages loaded so far.
#[derive(Debug, Default)]
struct PageCollector {
    bytes: Vec<Vec<u8>>,
    requests: Vec<RequestRecord>,
    media_type: String,
    validators: Validators,
}

impl Fetcher {
    /// Creates a fetcher; `contact` is sent to the sources in `User-Agent`.
    pub fn new(policy: UrlPolicy, keys: ApiKeys, contact: Option<&str>, clock: Arc<dyn FetchClock>) -> Self {
        let limits = RequestLimits::default();
        let client = HttpClient::new(policy, keys, limits, contact, clock.clone(), TestOverrides::default());
        Self { client, clock, pacing: RequestPacing::default(), limits }
    }

    /// Creates a fetcher whose sources are a local server, for tests only. All other rules apply.
    pub fn with_local_server(
        policy: UrlPolicy,
        keys: ApiKeys,
        clock: Arc<dyn FetchClock>,
        local: LocalServer,
    ) -> Self {
        let LocalServer { resolver, root, limits } = local;
        let overrides = TestOverrides { resolver: Some(resolver), root: Some(root) };
        let client = HttpClient::new(policy.with_loopback(), keys, limits, None, clock.clone(), overrides);
        Self { client, clock, pacing: RequestPacing::default(), limits }
    }

    /// Returns the URL policy.
    pub fn url_policy(&self) -> &UrlPolicy {
        self.client.url_policy()
    }

    /// Loads a source. `known` makes the request of a single page conditional; `under` is the folder
    /// of the resume cache.
    ///
    /// # Errors
    /// [`FetchError`]; pages loaded so far stay in `under`.
    pub fn load(
        &self,
        source: &FetchSource,
        known: Option<&Validators>,
        under: Option<&Path>,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<LoadOutcome, FetchError> {
        // A single page cannot be resumed, and conditional requests apply only to a single page.
        let under = under.filter(|_| !source.is_single());
        let known = known.filter(|known| source.is_single() && **known != Validators::default());
        let cache = ResumeCache::new(under, source.address());
        // A source that changed between two pages is loaded once more from the first page.
        let outcome = match self.load_pages(source, known, &cache, progress) {
            Err(error) if error.code == "pages-differ" => {
                cache.clear();
                self.load_pages(source, known, &cache, progress)?
            }
            other => other?,
        };
        cache.clear();
        Ok(outcome)
    }

    fn load_pages(
        &self,
        source: &FetchSource,
        known: Option<&Validators>,
        cache: &ResumeCache,
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
            let kept = cache.read_page(&request, self.clock.seconds());
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
                cache.store_page(&request, &document, when)?;
            }
            so_far += document.bytes.len() as u64;
            // Cached pages bypass the limit of the client, so the total is checked here.
            if so_far > self.limits.bytes_max {
                return Err(load_too_large(self.limits.bytes_max));
            }
            progress(LoadProgress { bytes: so_far, ..state });
            pages.push_page(&request, document, when, resumed);
        }
        Ok(LoadOutcome::Loaded(pages.into_source(source)))
    }

    /// Fetches one page, retrying with backoff; returns the response and the time of the request.
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
            let mut report = |bytes| progress(LoadProgress { bytes: so_far + bytes, ..*state });
            let error = match self.client.fetch_document(request, known, room, &mut report) {
                Ok(response) => return Ok((response, when)),
                Err(error) => error,
            };
            // Built first, since `backoff_wait` consumes the error.
            let late = load_timeout(&error);
            let wait = retry::backoff_wait(error, tries, self.clock.as_ref())?;
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
        self.requests.push(RequestRecord { url: request.url.to_string(), at, bytes, resumed });
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
            fetched: self.requests.iter().map(|request| request.at).min().unwrap_or_default(),
            validators: if single { self.validators } else { Validators::default() },
            requests: self.requests,
            bytes,
        }
    }
}

/// Detects the media type by the first bytes; the `Content-Type` decides only between text formats.
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

/// Adds the file extension of a media type.
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
        format!("the pages exceed {max} bytes in total"),
    )
    .with_hint("ask for less: a key, fewer areas, or `--from` and `--to`")
}

fn load_timeout(error: &FetchError) -> FetchError {
    let message = format!("{}; the time limit of the load is exceeded", error.message);
    FetchError::new(FetchErrorCategory::Network, "time", message)
        .with_hint("try again: the pages loaded so far are kept")
}
