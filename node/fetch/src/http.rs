//! HTTP client for one request: follows redirects itself, enforces all limits, maps all errors.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use ureq::http::{Response, StatusCode, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};
use url::Url;

use crate::api_key::{self, ApiKeys};
use crate::clock::FetchClock;
use crate::error::{FetchError, FetchErrorCategory, terminal_safe};
use crate::retry::{parse_retry_after, unavailable_error};
use crate::url_policy::{HostResolver, PublicResolver, UrlPolicy};

/// Limit on redirects of one request.
const REDIRECTS_MAX: usize = 5;
/// Limit on the bytes of response headers.
const HEADER_BYTES_MAX: usize = 64 << 10;
/// Bytes read from an error response for its reason.
const REASON_BYTES_MAX: u64 = 4 << 10;
/// Bytes of the read buffer.
const READ_BYTES: usize = 64 << 10;

/// Limits of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    /// Bytes of the body after decompression.
    pub bytes_max: u64,
    /// Connect timeout, in milliseconds.
    pub connect_ms: u64,
    /// Timeout until the response headers, in milliseconds; some sources compute first.
    pub response_ms: u64,
    /// Timeout of the whole request, in milliseconds.
    pub call_ms: u64,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            bytes_max: schemas::limits::SNAPSHOT_BYTES_MAX,
            connect_ms: 20_000,
            response_ms: 120_000,
            call_ms: 900_000,
        }
    }
}

/// Validators of a document for conditional requests (RFC 9110, 8.8).
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub modified: Option<String>,
}

/// Request to a source, without API key.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchRequest {
    /// URL.
    pub url: Url,
    /// `Accept` header, for sources that choose the format by it.
    pub accept: Option<&'static str>,
    /// JSON body, which makes the request a POST.
    pub body: Option<serde_json::Value>,
}

/// Complete response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FetchResponse {
    /// A document (200).
    Document(FetchedDocument),
    /// The document of the validators is still current (304).
    NotModified,
}

/// Document as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FetchedDocument {
    pub bytes: Vec<u8>,
    pub media_type: String,
    pub validators: Validators,
}

/// HTTPS client with a URL policy and API keys.
#[derive(Debug)]
pub(crate) struct HttpClient {
    agent: Agent,
    policy: UrlPolicy,
    keys: ApiKeys,
    limits: RequestLimits,
    clock: Arc<dyn FetchClock>,
}

/// Overrides for tests: resolver and root certificate.
#[derive(Debug, Default)]
pub(crate) struct TestOverrides {
    pub resolver: Option<Arc<dyn HostResolver>>,
    pub root: Option<Vec<u8>>,
}

/// Result of one hop of a redirect chain.
enum HttpHop {
    Response(FetchResponse),
    Redirect(Url),
}

impl HttpClient {
    pub(crate) fn new(
        policy: UrlPolicy,
        keys: ApiKeys,
        limits: RequestLimits,
        contact: Option<&str>,
        clock: Arc<dyn FetchClock>,
        overrides: TestOverrides,
    ) -> Self {
        let ms = |millis| Some(Duration::from_millis(millis));
        let version = env!("CARGO_PKG_VERSION");
        let config = Agent::config_builder()
            .https_only(true)
            // A proxy would resolve the host again, bypassing `PublicResolver`.
            .proxy(None)
            // Redirects are followed here, so that each target is checked and keys are removed.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .max_response_header_size(HEADER_BYTES_MAX)
            .timeout_resolve(ms(limits.connect_ms))
            .timeout_connect(ms(limits.connect_ms))
            .timeout_recv_response(ms(limits.response_ms))
            .timeout_global(ms(limits.call_ms))
            .user_agent(match contact {
                // Some agencies reject clients without a contact in `User-Agent`.
                Some(contact) => format!("assay/{version} ({contact})"),
                None => format!("assay/{version}"),
            })
            .tls_config(tls_config(overrides.root))
            .build();
        let resolver = PublicResolver { policy: policy.clone(), resolver: overrides.resolver };
        let agent =
            Agent::with_parts(config, ureq::unversioned::transport::DefaultConnector::default(), resolver);
        Self { agent, policy, keys, limits, clock }
    }

    pub(crate) fn url_policy(&self) -> &UrlPolicy {
        &self.policy
    }

    /// Sends a request once and follows redirects. `progress` receives the bytes read so far; a body
    /// above `room` bytes is an error.
    ///
    /// # Errors
    /// [`FetchError`], never with an API key in it.
    pub(crate) fn fetch_document(
        &self,
        request: &FetchRequest,
        known: Option<&Validators>,
        room: u64,
        progress: &mut dyn FnMut(u64),
    ) -> Result<FetchResponse, FetchError> {
        let mut url = request.url.clone();
        for _ in 0..=REDIRECTS_MAX {
            let hop =
                self.policy.check(&url).and_then(|()| self.send_hop(&url, request, known, room, progress));
            // A source may echo the key in its response, so every error is redacted.
            match hop.map_err(|error| self.keys.redact_error(error))? {
                HttpHop::Response(response) => return Ok(response),
                HttpHop::Redirect(next) => url = api_key::strip_key(self.keys.for_url(&url), next)?,
            }
        }
        let message = format!("`{}` redirects more than {REDIRECTS_MAX} times", host_of(&request.url));
        Err(FetchError::new(FetchErrorCategory::Blocked, "redirects", message))
    }

    fn send_hop(
        &self,
        url: &Url,
        request: &FetchRequest,
        known: Option<&Validators>,
        room: u64,
        progress: &mut dyn FnMut(u64),
    ) -> Result<HttpHop, FetchError> {
        let failed = |error| transport_error(url, error);
        let mut response = self.send_request(url, request, known).map_err(failed)?;
        let status = response.status();
        if status == StatusCode::NOT_MODIFIED && known.is_some() {
            return Ok(HttpHop::Response(FetchResponse::NotModified));
        }
        if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return redirect_target(url, request, &response);
        }
        if status != StatusCode::OK {
            return Err(self.status_error(url, &mut response));
        }
        let room = room.min(self.limits.bytes_max);
        let (media_type, validators) =
            (header_text(&response, "content-type"), response_validators(&response));
        // Reject by `Content-Length` first; the body is bounded again while it is read.
        let announced =
            header_text(&response, "content-length").and_then(|length| length.parse::<u64>().ok());
        if announced.is_some_and(|length| length > room) {
            return Err(response_too_large(url, room));
        }
        let bytes = read_body(response.body_mut(), room, progress).map_err(failed)?;
        let media_type = media_type.unwrap_or_default();
        Ok(HttpHop::Response(FetchResponse::Document(FetchedDocument { bytes, media_type, validators })))
    }

    fn send_request(
        &self,
        url: &Url,
        request: &FetchRequest,
        known: Option<&Validators>,
    ) -> Result<Response<Body>, ureq::Error> {
        let keyed = api_key::add_key(self.keys.for_url(url), url, request.body.as_ref());
        let mut headers = Vec::new();
        headers.extend(request.accept.map(|kind| ("accept", kind.to_owned())));
        headers.extend(keyed.header);
        if let Some(known) = known {
            headers.extend(known.etag.clone().map(|etag| ("if-none-match", etag)));
            headers.extend(known.modified.clone().map(|date| ("if-modified-since", date)));
        }
        match keyed.body {
            None => {
                let get = self.agent.get(keyed.url.as_str());
                headers.iter().fold(get, |get, (name, value)| get.header(*name, value)).call()
            }
            Some(body) => {
                let post = self.agent.post(keyed.url.as_str()).header("content-type", "application/json");
                headers.iter().fold(post, |post, (name, value)| post.header(*name, value)).send(body)
            }
        }
    }

    /// Maps an error status to an error.
    fn status_error(&self, url: &Url, response: &mut Response<Body>) -> FetchError {
        let status = response.status();
        let after = header_text(response, "retry-after")
            .and_then(|text| parse_retry_after(&text, self.clock.as_ref()));
        let said = error_reason(response);
        let message = format!("`{}` answered {}{said}", host_of(url), status.as_u16());
        match status.as_u16() {
            408 | 425 | 429 | 500 | 502 | 503 | 504 => unavailable_error(message, after),
            404 | 410 => FetchError::new(FetchErrorCategory::NotFound, "source-gone", message)
                .with_hint("check the code and the key"),
            401 | 403 => {
                let error = FetchError::new(FetchErrorCategory::AccessDenied, "source-denied", message);
                match api_key::key_variable(url) {
                    Some(name) => error.with_hint(format!("a key of this agency is read from {name}")),
                    None => {
                        error.with_hint("some agencies want a contact: set ASSAY_CONTACT to a mail address")
                    }
                }
            }
            _ => FetchError::new(FetchErrorCategory::InvalidResponse, "source-status", message),
        }
    }
}

fn tls_config(root: Option<Vec<u8>>) -> TlsConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let roots = match root {
        None => RootCerts::WebPki,
        Some(root) => RootCerts::new_with_certs(&[ureq::tls::Certificate::from_der(&root).to_owned()]),
    };
    TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(provider).build()
}

fn redirect_target(
    url: &Url,
    request: &FetchRequest,
    response: &Response<Body>,
) -> Result<HttpHop, FetchError> {
    let refused = |message: String| FetchError::new(FetchErrorCategory::Blocked, "redirect", message);
    if request.body.is_some() {
        return Err(refused(format!("`{}` redirects a POST request", host_of(url))));
    }
    let location = header_text(response, header::LOCATION.as_str()).unwrap_or_default();
    let next =
        url.join(&location).ok().filter(|next| next.as_str().len() <= crate::url_policy::URL_CHARS_MAX);
    next.filter(|_| !location.is_empty()).map(HttpHop::Redirect).ok_or_else(|| {
        refused(format!("`{}` redirects to `{}`, which is not a URL", host_of(url), terminal_safe(&location)))
    })
}

fn read_body(body: &mut Body, room: u64, progress: &mut dyn FnMut(u64)) -> Result<Vec<u8>, ureq::Error> {
    let mut reader = body.with_config().limit(room).reader();
    let mut bytes = Vec::new();
    // Read in parts, so that progress is reported and memory follows the received bytes.
    let mut part = vec![0; READ_BYTES];
    loop {
        let count = reader.read(&mut part)?;
        let Some(read) = part.get(..count).filter(|read| !read.is_empty()) else { return Ok(bytes) };
        bytes.extend_from_slice(read);
        progress(bytes.len() as u64);
    }
}

/// Returns the text of an error response, unless it is HTML.
fn error_reason(response: &mut Response<Body>) -> String {
    let kind = header_text(response, "content-type").unwrap_or_default();
    let mut bytes = Vec::new();
    let reader = response.body_mut().with_config().limit(REASON_BYTES_MAX).reader();
    // The reason is optional: a failure to read it must not replace the status error.
    let _ = reader.take(REASON_BYTES_MAX).read_to_end(&mut bytes);
    let said = terminal_safe(&String::from_utf8_lossy(&bytes));
    if said.is_empty() || kind.contains("html") { String::new() } else { format!(": {said}") }
}

fn response_validators(response: &Response<Body>) -> Validators {
    Validators { etag: header_text(response, "etag"), modified: header_text(response, "last-modified") }
}

fn header_text(response: &Response<Body>, name: &str) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn host_of(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

fn response_too_large(url: &Url, room: u64) -> FetchError {
    FetchError::new(
        FetchErrorCategory::TooLarge,
        "source-large",
        format!("`{}` sent more than {room} bytes", host_of(url)),
    )
    .with_hint("ask for less: a key, fewer areas, or `--from` and `--to`")
}

fn transport_error(url: &Url, error: ureq::Error) -> FetchError {
    let host = host_of(url);
    let way =
        |code, what: String| FetchError::new(FetchErrorCategory::Network, code, format!("`{host}` {what}"));
    match error {
        ureq::Error::Other(inner) => match inner.downcast::<FetchError>() {
            Ok(error) => *error,
            Err(inner) => way("way", format!("cannot be reached: {inner}")),
        },
        ureq::Error::Timeout(which) => way("time", format!("took too long ({which})")).retryable(),
        ureq::Error::HostNotFound => {
            way("name", "cannot be resolved".into()).with_hint("is this machine online? proxies are not used")
        }
        ureq::Error::BodyExceedsLimit(room) => response_too_large(url, room),
        ureq::Error::LargeResponseHeader(_, max) => FetchError::new(
            FetchErrorCategory::InvalidResponse,
            "head-large",
            format!("`{host}` sent more than {max} bytes of headers"),
        ),
        // rustls errors during reads and writes arrive wrapped in `io::Error`.
        ureq::Error::Io(error) if is_tls_error(&error) => {
            way("certificate", format!("is not who it says: {error}"))
        }
        ureq::Error::Io(error) => way("connection", format!("closed the connection: {error}")).retryable(),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => {
            way("certificate", format!("is not who it says: {error}"))
        }
        ureq::Error::Decompress(_, inner) => FetchError::new(
            FetchErrorCategory::InvalidResponse,
            "packing",
            format!("cannot decompress the response of `{host}`: {inner}"),
        ),
        other => FetchError::new(
            FetchErrorCategory::InvalidResponse,
            "protocol",
            format!("invalid HTTP response from `{host}`: {other}"),
        ),
    }
}

fn is_tls_error(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
}
