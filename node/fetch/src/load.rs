//! A whole load: every page of a source, in turn, tried again where that helps, and resumed.

use std::path::Path;
use std::sync::Arc;

use crate::clock::Clock;
use crate::desk::Desk;
use crate::fault::{Fault, Kind};
use crate::guard::{Guard, Names};
use crate::key::Keys;
use crate::patience::{self, Pace};
use crate::source::Source;
use crate::wire::{Answer, Bounds, Document, Request, Trial, Validators, Wire};

/// Milliseconds of a whole load.
const LOAD_MS_MAX: u64 = 3_600_000;

/// Asks sources, politely and on guard.
#[derive(Debug)]
pub struct Fetcher {
    wire: Wire,
    clock: Arc<dyn Clock>,
    pace: Pace,
    bounds: Bounds,
}

/// A server on this machine that stands for sources: for tests only.
#[derive(Debug)]
pub struct Local {
    /// Where the names of hosts lead.
    pub names: Arc<dyn Names>,
    /// The certificate (DER) that signs for it.
    pub root: Vec<u8>,
    /// The bounds of a request.
    pub bounds: Bounds,
}

/// One question, as it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
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
pub struct Loaded {
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
    pub asked: Vec<Asked>,
}

/// How a load ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// With the document.
    Loaded(Loaded),
    /// The source says that what was known is still the document.
    Same,
}

/// How far a load is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
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
struct Pages {
    bytes: Vec<Vec<u8>>,
    asked: Vec<Asked>,
    media_type: String,
    validators: Validators,
}

impl Fetcher {
    /// A fetcher under the rules of `guard`; `contact` is told to the sources.
    pub fn new(guard: Guard, keys: Keys, contact: Option<&str>, clock: Arc<dyn Clock>) -> Self {
        let bounds = Bounds::default();
        let wire = Wire::new(guard, keys, bounds, contact, clock.clone(), Trial::default());
        Self { wire, clock, pace: Pace::default(), bounds }
    }

    /// A fetcher whose sources are a server on this machine: for tests only. All else is as always.
    pub fn local(guard: Guard, keys: Keys, clock: Arc<dyn Clock>, local: Local) -> Self {
        let Local { names, root, bounds } = local;
        let trial = Trial { names: Some(names), root: Some(root) };
        let wire = Wire::new(guard.with_loopback(), keys, bounds, None, clock.clone(), trial);
        Self { wire, clock, pace: Pace::default(), bounds }
    }

    /// The rules.
    pub fn guard(&self) -> &Guard {
        self.wire.guard()
    }

    /// Loads a source. `known` asks whether a document of one page is still the same; `under` is
    /// the folder for pages of loads that are broken off.
    ///
    /// # Errors
    /// [`Fault`]; the pages that came are kept in `under`.
    pub fn load(
        &self,
        source: &Source,
        known: Option<&Validators>,
        under: Option<&Path>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Outcome, Fault> {
        // One page is not resumed: it is asked as one.
        let under = under.filter(|_| !source.is_single());
        let known = known.filter(|known| source.is_single() && **known != Validators::default());
        let desk = Desk::new(under, source.address());
        let outcome = match self.turn(source, known, &desk, progress) {
            Err(fault) if fault.code == "pages-differ" => {
                desk.clear();
                self.turn(source, known, &desk, progress)?
            }
            other => other?,
        };
        desk.clear();
        Ok(outcome)
    }

    fn turn(
        &self,
        source: &Source,
        known: Option<&Validators>,
        desk: &Desk,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Outcome, Fault> {
        let end = self.clock.millis().saturating_add(LOAD_MS_MAX);
        let mut pages = Pages::default();
        let mut so_far = 0;
        while let Some(request) = source.page(pages.bytes.len(), &pages.bytes)? {
            let at = pages.bytes.len();
            let mut state =
                Progress { page: at + 1, pages: source.count(&pages.bytes), bytes: so_far, waiting: None };
            let kept = desk.page(&request, self.clock.seconds());
            let resumed = kept.is_some();
            let (document, when) = match kept {
                Some(kept) => kept,
                None => match self.page(&request, known, so_far, end, &mut state, progress)? {
                    (Answer::Whole(document), when) => (document, when),
                    (Answer::Same, _) => return Ok(Outcome::Same),
                },
            };
            source.fits(at, &document.bytes, &pages.bytes)?;
            if !resumed {
                desk.keep(&request, &document, when)?;
            }
            so_far += document.bytes.len() as u64;
            if so_far > self.bounds.bytes_max {
                return Err(too_large(self.bounds.bytes_max));
            }
            progress(Progress { bytes: so_far, ..state });
            pages.add(&request, document, when, resumed);
        }
        Ok(Outcome::Loaded(pages.bind(source)))
    }

    /// One page, tried as often as it may help.
    fn page(
        &self,
        request: &Request,
        known: Option<&Validators>,
        so_far: u64,
        end: u64,
        state: &mut Progress,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Answer, i64), Fault> {
        let room = self.bounds.bytes_max.saturating_sub(so_far);
        for tries in 1.. {
            self.pace.turn(request.url.host_str().unwrap_or_default(), self.clock.as_ref());
            let when = self.clock.seconds();
            let mut told = |bytes| progress(Progress { bytes: so_far + bytes, ..*state });
            let fault = match self.wire.ask(request, known, room, &mut told) {
                Ok(answer) => return Ok((answer, when)),
                Err(fault) => fault,
            };
            let late = late(&fault);
            let wait = patience::wait(fault, tries, self.clock.as_ref())?;
            if self.clock.millis().saturating_add(wait) > end {
                return Err(late);
            }
            progress(Progress { waiting: Some(wait), ..*state });
            self.clock.wait(wait);
        }
        Err(too_large(room))
    }
}

impl Pages {
    fn add(&mut self, request: &Request, document: Document, at: i64, resumed: bool) {
        let bytes = document.bytes.len() as u64;
        self.asked.push(Asked { url: request.url.to_string(), at, bytes, resumed });
        self.media_type = document.media_type;
        self.validators = document.validators;
        self.bytes.push(document.bytes);
    }

    fn bind(self, source: &Source) -> Loaded {
        let single = self.bytes.len() == 1;
        let bytes = source.bind(self.bytes);
        let media_type = media_type(&bytes, &self.media_type);
        Loaded {
            name: named(source.name(), media_type),
            media_type: media_type.to_owned(),
            fetched: self.asked.iter().map(|asked| asked.at).min().unwrap_or_default(),
            validators: if single { self.validators } else { Validators::default() },
            asked: self.asked,
            bytes,
        }
    }
}

/// The media type by what the bytes begin with, and only then by what the source says.
fn media_type(bytes: &[u8], said: &str) -> &'static str {
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
fn named(name: String, media_type: &str) -> String {
    let ending = match media_type {
        "application/zip" => ".zip",
        "application/json" => ".json",
        "application/xml" => ".xml",
        "text/tab-separated-values" => ".tsv",
        _ => ".csv",
    };
    if name.to_ascii_lowercase().ends_with(ending) { name } else { format!("{name}{ending}") }
}

fn too_large(max: u64) -> Fault {
    Fault::new(Kind::Large, "source-large", format!("the pages have more than {max} bytes together"))
        .hint("ask for less: a key, fewer areas, or `--from` and `--to`")
}

fn late(fault: &Fault) -> Fault {
    let message = format!("{}; the time for the whole load is over", fault.message);
    Fault::new(Kind::Way, "time", message).hint("try again: what was loaded so far is kept")
}
