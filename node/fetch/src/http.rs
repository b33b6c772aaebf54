//! One request and its answer: redirects followed by hand, every bound kept, every fault named.

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

/// Redirects of one request.
const REDIRECTS_MAX: usize = 5;
/// Bytes of the head of an answer.
const HEADER_BYTES_MAX: usize = 64 << 10;
/// Bytes of an answer that says no, read for its reason.
const REASON_BYTES_MAX: u64 = 4 << 10;
/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;

/// Bounds of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    /// Bytes of the body, after it was unpacked.
    pub bytes_max: u64,
    /// Milliseconds until a connection stands.
    pub connect_ms: u64,
    /// Milliseconds until the head of the answer is there: a source may compute first.
    pub response_ms: u64,
    /// Milliseconds for the whole of it.
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

/// What a source said about a document, to ask later whether it is still the same (RFC 9110, 8.8).
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub modified: Option<String>,
}

/// A question to a source, without any key.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchRequest {
    /// The address.
    pub url: Url,
    /// The media type that is wanted, where the address does not say it.
    pub accept: Option<&'static str>,
    /// A JSON body; makes it a POST.
    pub body: Option<serde_json::Value>,
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FetchResponse {
    /// The document.
    Document(FetchedDocument),
    /// The document that the validators name is still the one.
    NotModified,
}

/// A document as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FetchedDocument {
    pub bytes: Vec<u8>,
    pub media_type: String,
    pub validators: Validators,
}

/// The way to the sources.
#[derive(Debug)]
pub(crate) struct HttpClient {
    agent: Agent,
    guard: UrlPolicy,
    keys: ApiKeys,
    bounds: RequestLimits,
    clock: Arc<dyn FetchClock>,
}

/// What only a test changes: where names lead and whom to believe.
#[derive(Debug, Default)]
pub(crate) struct TestOverrides {
    pub resolver: Option<Arc<dyn HostResolver>>,
    pub root: Option<Vec<u8>>,
}

/// What one hop led to.
enum HttpHop {
    Response(FetchResponse),
    Redirect(Url),
}

impl HttpClient {
    pub(crate) fn new(
        guard: UrlPolicy,
        keys: ApiKeys,
        bounds: RequestLimits,
        contact: Option<&str>,
        clock: Arc<dyn FetchClock>,
        trial: TestOverrides,
    ) -> Self {
        let ms = |millis| Some(Duration::from_millis(millis));
        let version = env!("CARGO_PKG_VERSION");
        let config = Agent::config_builder()
            .https_only(true)
            // A proxy would resolve the name again, unchecked.
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .max_response_header_size(HEADER_BYTES_MAX)
            .timeout_resolve(ms(bounds.connect_ms))
            .timeout_connect(ms(bounds.connect_ms))
            .timeout_recv_response(ms(bounds.response_ms))
            .timeout_global(ms(bounds.call_ms))
            .user_agent(match contact {
                // Some agencies turn away who does not say whom to write to.
                Some(contact) => format!("assay/{version} ({contact})"),
                None => format!("assay/{version}"),
            })
            .tls_config(tls_config(trial.root))
            .build();
        let pinned = PublicResolver { policy: guard.clone(), resolver: trial.resolver };
        let agent =
            Agent::with_parts(config, ureq::unversioned::transport::DefaultConnector::default(), pinned);
        Self { agent, guard, keys, bounds, clock }
    }

    pub(crate) fn url_policy(&self) -> &UrlPolicy {
        &self.guard
    }

    /// Asks once, and follows redirects; `progress` is told the bytes read so far. At most `room`
    /// bytes are taken.
    ///
    /// # Errors
    /// [`Fault`], never with a key in it.
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
                self.guard.check(&url).and_then(|()| self.send_hop(&url, request, known, room, progress));
            // A source may send back the key that it got, in any of its words.
            match hop.map_err(|fault| self.keys.redact_error(fault))? {
                HttpHop::Response(answer) => return Ok(answer),
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
        let failed = |fault| transport_error(url, fault);
        let mut answer = self.send_request(url, request, known).map_err(failed)?;
        let status = answer.status();
        if status == StatusCode::NOT_MODIFIED && known.is_some() {
            return Ok(HttpHop::Response(FetchResponse::NotModified));
        }
        if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return redirect_target(url, request, &answer);
        }
        if status != StatusCode::OK {
            return Err(self.status_error(url, &mut answer));
        }
        let room = room.min(self.bounds.bytes_max);
        let (media_type, validators) = (header_text(&answer, "content-type"), response_validators(&answer));
        let announced = header_text(&answer, "content-length").and_then(|length| length.parse::<u64>().ok());
        if announced.is_some_and(|length| length > room) {
            return Err(response_too_large(url, room));
        }
        let bytes = read_body(answer.body_mut(), room, progress).map_err(failed)?;
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

    /// Why a source did not give the document.
    fn status_error(&self, url: &Url, answer: &mut Response<Body>) -> FetchError {
        let status = answer.status();
        let after =
            header_text(answer, "retry-after").and_then(|text| parse_retry_after(&text, self.clock.as_ref()));
        let said = error_reason(answer);
        let message = format!("`{}` answered {}{said}", host_of(url), status.as_u16());
        match status.as_u16() {
            408 | 425 | 429 | 500 | 502 | 503 | 504 => unavailable_error(message, after),
            404 | 410 => FetchError::new(FetchErrorCategory::NotFound, "source-gone", message)
                .with_hint("check the code and the key"),
            401 | 403 => {
                let fault = FetchError::new(FetchErrorCategory::AccessDenied, "source-denied", message);
                match api_key::key_variable(url) {
                    Some(name) => fault.with_hint(format!("a key of this agency is read from {name}")),
                    None => {
                        fault.with_hint("some agencies want a contact: set ASSAY_CONTACT to a mail address")
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
    answer: &Response<Body>,
) -> Result<HttpHop, FetchError> {
    let refused = |message: String| FetchError::new(FetchErrorCategory::Blocked, "redirect", message);
    if request.body.is_some() {
        return Err(refused(format!("`{}` redirects a question with a body", host_of(url))));
    }
    let location = header_text(answer, header::LOCATION.as_str()).unwrap_or_default();
    let next =
        url.join(&location).ok().filter(|next| next.as_str().len() <= crate::url_policy::URL_CHARS_MAX);
    next.filter(|_| !location.is_empty()).map(HttpHop::Redirect).ok_or_else(|| {
        refused(format!(
            "`{}` redirects to `{}`, which is no address",
            host_of(url),
            terminal_safe(&location)
        ))
    })
}

fn read_body(body: &mut Body, room: u64, progress: &mut dyn FnMut(u64)) -> Result<Vec<u8>, ureq::Error> {
    let mut reader = body.with_config().limit(room).reader();
    let mut bytes = Vec::new();
    let mut part = vec![0; READ_BYTES];
    loop {
        let count = reader.read(&mut part)?;
        let Some(read) = part.get(..count).filter(|read| !read.is_empty()) else { return Ok(bytes) };
        bytes.extend_from_slice(read);
        progress(bytes.len() as u64);
    }
}

/// What the source says about its refusal, as far as it is text.
fn error_reason(answer: &mut Response<Body>) -> String {
    let kind = header_text(answer, "content-type").unwrap_or_default();
    let mut bytes = Vec::new();
    let reader = answer.body_mut().with_config().limit(REASON_BYTES_MAX).reader();
    // A reason that does not come is no reason to fail otherwise.
    let _ = reader.take(REASON_BYTES_MAX).read_to_end(&mut bytes);
    let said = terminal_safe(&String::from_utf8_lossy(&bytes));
    if said.is_empty() || kind.contains("html") { String::new() } else { format!(": {said}") }
}

fn response_validators(answer: &Response<Body>) -> Validators {
    Validators { etag: header_text(answer, "etag"), modified: header_text(answer, "last-modified") }
}

fn header_text(answer: &Response<Body>, name: &str) -> Option<String> {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn host_of(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

fn response_too_large(url: &Url, room: u64) -> FetchError {
    FetchError::new(
        FetchErrorCategory::TooLarge,
        "source-large",
        format!("`{}` sends more than {room} bytes", host_of(url)),
    )
    .with_hint("ask for less: a key, fewer areas, or `--from` and `--to`")
}

fn transport_error(url: &Url, fault: ureq::Error) -> FetchError {
    let host = host_of(url);
    let way =
        |code, what: String| FetchError::new(FetchErrorCategory::Network, code, format!("`{host}` {what}"));
    match fault {
        ureq::Error::Other(inner) => match inner.downcast::<FetchError>() {
            Ok(fault) => *fault,
            Err(inner) => way("way", format!("cannot be asked: {inner}")),
        },
        ureq::Error::Timeout(which) => way("time", format!("took too long ({which})")).retryable(),
        ureq::Error::HostNotFound => way("name", "is not known to the network".into())
            .with_hint("is this machine online? proxies are not used"),
        ureq::Error::BodyExceedsLimit(room) => response_too_large(url, room),
        ureq::Error::LargeResponseHeader(_, max) => FetchError::new(
            FetchErrorCategory::InvalidResponse,
            "head-large",
            format!("`{host}` sends a head of more than {max} bytes"),
        ),
        ureq::Error::Io(fault) if is_tls_error(&fault) => {
            way("certificate", format!("is not who it says: {fault}"))
        }
        ureq::Error::Io(fault) => way("connection", format!("broke off: {fault}")).retryable(),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => {
            way("certificate", format!("is not who it says: {fault}"))
        }
        ureq::Error::Decompress(_, inner) => FetchError::new(
            FetchErrorCategory::InvalidResponse,
            "packing",
            format!("the packed answer of `{host}` does not read: {inner}"),
        ),
        other => FetchError::new(
            FetchErrorCategory::InvalidResponse,
            "protocol",
            format!("the answer of `{host}` does not read: {other}"),
        ),
    }
}

fn is_tls_error(fault: &std::io::Error) -> bool {
    fault.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
}
