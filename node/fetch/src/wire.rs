//! One request and its answer: redirects followed by hand, every bound kept, every fault named.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use ureq::http::{Response, StatusCode, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};
use url::Url;

use crate::clock::Clock;
use crate::fault::{Fault, Kind, shown};
use crate::guard::{Guard, Names, Pinned};
use crate::key::{self, Keys};
use crate::patience::{busy, retry_after};

/// Redirects of one request.
const REDIRECTS_MAX: usize = 5;
/// Bytes of the head of an answer.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Bytes of an answer that says no, read for its reason.
const REASON_BYTES_MAX: u64 = 4 << 10;
/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;

/// Bounds of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the body, after it was unpacked.
    pub bytes_max: u64,
    /// Milliseconds until a connection stands.
    pub connect_ms: u64,
    /// Milliseconds until the head of the answer is there: a source may compute first.
    pub answer_ms: u64,
    /// Milliseconds for the whole of it.
    pub call_ms: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            bytes_max: schemas::limits::SNAPSHOT_BYTES_MAX,
            connect_ms: 20_000,
            answer_ms: 120_000,
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
pub struct Request {
    /// The address.
    pub url: Url,
    /// The media type that is wanted, where the address does not say it.
    pub accept: Option<&'static str>,
    /// A JSON body; makes it a POST.
    pub body: Option<serde_json::Value>,
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The document.
    Whole(Document),
    /// The document that the validators name is still the one.
    Same,
}

/// A document as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    pub bytes: Vec<u8>,
    pub media_type: String,
    pub validators: Validators,
}

/// The way to the sources.
#[derive(Debug)]
pub(crate) struct Wire {
    agent: Agent,
    guard: Guard,
    keys: Keys,
    bounds: Bounds,
    clock: Arc<dyn Clock>,
}

/// What only a test changes: where names lead and whom to believe.
#[derive(Debug, Default)]
pub(crate) struct Trial {
    pub names: Option<Arc<dyn Names>>,
    pub root: Option<Vec<u8>>,
}

/// What one hop led to.
enum Hop {
    Answer(Answer),
    Redirect(Url),
}

impl Wire {
    pub(crate) fn new(
        guard: Guard,
        keys: Keys,
        bounds: Bounds,
        contact: Option<&str>,
        clock: Arc<dyn Clock>,
        trial: Trial,
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
            .max_response_header_size(HEAD_BYTES_MAX)
            .timeout_resolve(ms(bounds.connect_ms))
            .timeout_connect(ms(bounds.connect_ms))
            .timeout_recv_response(ms(bounds.answer_ms))
            .timeout_global(ms(bounds.call_ms))
            .user_agent(match contact {
                // Some agencies turn away who does not say whom to write to.
                Some(contact) => format!("assay/{version} ({contact})"),
                None => format!("assay/{version}"),
            })
            .tls_config(tls(trial.root))
            .build();
        let pinned = Pinned { guard: guard.clone(), names: trial.names };
        let agent =
            Agent::with_parts(config, ureq::unversioned::transport::DefaultConnector::default(), pinned);
        Self { agent, guard, keys, bounds, clock }
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Asks once, and follows redirects; `progress` is told the bytes read so far. At most `room`
    /// bytes are taken.
    ///
    /// # Errors
    /// [`Fault`], never with a key in it.
    pub(crate) fn ask(
        &self,
        request: &Request,
        known: Option<&Validators>,
        room: u64,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Answer, Fault> {
        let mut url = request.url.clone();
        for _ in 0..=REDIRECTS_MAX {
            let hop = self.guard.check(&url).and_then(|()| self.hop(&url, request, known, room, progress));
            // A source may send back the key that it got, in any of its words.
            match hop.map_err(|fault| self.keys.hide(fault))? {
                Hop::Answer(answer) => return Ok(answer),
                Hop::Redirect(next) => url = key::strip(self.keys.of(&url), next)?,
            }
        }
        let message = format!("`{}` redirects more than {REDIRECTS_MAX} times", host(&request.url));
        Err(Fault::new(Kind::Refused, "redirects", message))
    }

    fn hop(
        &self,
        url: &Url,
        request: &Request,
        known: Option<&Validators>,
        room: u64,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Hop, Fault> {
        let failed = |fault| failed(url, fault);
        let mut answer = self.send(url, request, known).map_err(failed)?;
        let status = answer.status();
        if status == StatusCode::NOT_MODIFIED && known.is_some() {
            return Ok(Hop::Answer(Answer::Same));
        }
        if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return redirect(url, request, &answer);
        }
        if status != StatusCode::OK {
            return Err(self.refusal(url, &mut answer));
        }
        let room = room.min(self.bounds.bytes_max);
        let (media_type, validators) = (text(&answer, "content-type"), validators(&answer));
        let announced = text(&answer, "content-length").and_then(|length| length.parse::<u64>().ok());
        if announced.is_some_and(|length| length > room) {
            return Err(large(url, room));
        }
        let bytes = read(answer.body_mut(), room, progress).map_err(failed)?;
        let media_type = media_type.unwrap_or_default();
        Ok(Hop::Answer(Answer::Whole(Document { bytes, media_type, validators })))
    }

    fn send(
        &self,
        url: &Url,
        request: &Request,
        known: Option<&Validators>,
    ) -> Result<Response<Body>, ureq::Error> {
        let keyed = key::add(self.keys.of(url), url, request.body.as_ref());
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
    fn refusal(&self, url: &Url, answer: &mut Response<Body>) -> Fault {
        let status = answer.status();
        let after = text(answer, "retry-after").and_then(|text| retry_after(&text, self.clock.as_ref()));
        let said = reason(answer);
        let message = format!("`{}` answered {}{said}", host(url), status.as_u16());
        match status.as_u16() {
            408 | 425 | 429 | 500 | 502 | 503 | 504 => busy(message, after),
            404 | 410 => Fault::new(Kind::Gone, "source-gone", message).hint("check the code and the key"),
            401 | 403 => {
                let fault = Fault::new(Kind::Denied, "source-denied", message);
                match key::variable(url) {
                    Some(name) => fault.hint(format!("a key of this agency is read from {name}")),
                    None => fault.hint("some agencies want a contact: set ASSAY_CONTACT to a mail address"),
                }
            }
            _ => Fault::new(Kind::Answer, "source-status", message),
        }
    }
}

fn tls(root: Option<Vec<u8>>) -> TlsConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let roots = match root {
        None => RootCerts::WebPki,
        Some(root) => RootCerts::new_with_certs(&[ureq::tls::Certificate::from_der(&root).to_owned()]),
    };
    TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(provider).build()
}

fn redirect(url: &Url, request: &Request, answer: &Response<Body>) -> Result<Hop, Fault> {
    let refused = |message: String| Fault::new(Kind::Refused, "redirect", message);
    if request.body.is_some() {
        return Err(refused(format!("`{}` redirects a question with a body", host(url))));
    }
    let location = text(answer, header::LOCATION.as_str()).unwrap_or_default();
    let next = url.join(&location).ok().filter(|next| next.as_str().len() <= crate::guard::URL_CHARS_MAX);
    next.filter(|_| !location.is_empty()).map(Hop::Redirect).ok_or_else(|| {
        refused(format!("`{}` redirects to `{}`, which is no address", host(url), shown(&location)))
    })
}

fn read(body: &mut Body, room: u64, progress: &mut dyn FnMut(u64)) -> Result<Vec<u8>, ureq::Error> {
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
fn reason(answer: &mut Response<Body>) -> String {
    let kind = text(answer, "content-type").unwrap_or_default();
    let mut bytes = Vec::new();
    let reader = answer.body_mut().with_config().limit(REASON_BYTES_MAX).reader();
    // A reason that does not come is no reason to fail otherwise.
    let _ = reader.take(REASON_BYTES_MAX).read_to_end(&mut bytes);
    let said = shown(&String::from_utf8_lossy(&bytes));
    if said.is_empty() || kind.contains("html") { String::new() } else { format!(": {said}") }
}

fn validators(answer: &Response<Body>) -> Validators {
    Validators { etag: text(answer, "etag"), modified: text(answer, "last-modified") }
}

fn text(answer: &Response<Body>, name: &str) -> Option<String> {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

fn large(url: &Url, room: u64) -> Fault {
    Fault::new(Kind::Large, "source-large", format!("`{}` sends more than {room} bytes", host(url)))
        .hint("ask for less: a key, fewer areas, or `--from` and `--to`")
}

fn failed(url: &Url, fault: ureq::Error) -> Fault {
    let host = host(url);
    let way = |code, what: String| Fault::new(Kind::Way, code, format!("`{host}` {what}"));
    match fault {
        ureq::Error::Other(inner) => match inner.downcast::<Fault>() {
            Ok(fault) => *fault,
            Err(inner) => way("way", format!("cannot be asked: {inner}")),
        },
        ureq::Error::Timeout(which) => way("time", format!("took too long ({which})")).again(),
        ureq::Error::HostNotFound => way("name", "is not known to the network".into())
            .hint("is this machine online? proxies are not used"),
        ureq::Error::BodyExceedsLimit(room) => large(url, room),
        ureq::Error::LargeResponseHeader(_, max) => {
            Fault::new(Kind::Answer, "head-large", format!("`{host}` sends a head of more than {max} bytes"))
        }
        ureq::Error::Io(fault) if of_tls(&fault) => {
            way("certificate", format!("is not who it says: {fault}"))
        }
        ureq::Error::Io(fault) => way("connection", format!("broke off: {fault}")).again(),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => {
            way("certificate", format!("is not who it says: {fault}"))
        }
        ureq::Error::Decompress(_, inner) => Fault::new(
            Kind::Answer,
            "packing",
            format!("the packed answer of `{host}` does not read: {inner}"),
        ),
        other => {
            Fault::new(Kind::Answer, "protocol", format!("the answer of `{host}` does not read: {other}"))
        }
    }
}

fn of_tls(fault: &std::io::Error) -> bool {
    fault.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
}
