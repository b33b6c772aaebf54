//! SDMX in front of a node: `/sdmx/v1` (REST 1.5) and `/sdmx/v2` (REST 2), as `specs/sdmx.md` says.
//!
//! Owns the paths and the choice of format. Paths are split by hand, since clients encode commas and
//! colons, leave tails out and end with a slash. Whatever is not built answers 501. Reads only.

mod accept;
mod catalogue;
mod csv;
mod cube;
mod data;
mod fault;
mod ids;
mod jsondata;
mod jsonstructure;
mod select;
mod stream;
mod structures;
mod view;
mod wanted;
mod xml;
mod xmldata;
mod xmlstructure;

use std::io::Write;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use schemas::cid::{Cid, Codec};
use service::Keep;
use tokio::sync::Semaphore;

use crate::State;
use accept::{Served, chosen};
use catalogue::Catalogue;
use fault::Fault;
use structures::{Kind, Set};
use wanted::Wanted;
pub(crate) use xml::time;

/// Answers that are made at the same time; each holds a table in memory, or two.
const ANSWERS_MAX: usize = 3;

/// Which of the two interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    /// REST 1.5.
    One,
    /// REST 2.
    Two,
}

/// What is asked.
struct Question {
    base: Base,
    path: String,
    query: String,
    /// Without spaces, in small letters.
    accept: String,
    /// The tags of answers that the asker has.
    known: String,
}

impl Question {
    /// A name of the answer: another one when what it is made of is another. Weak, for an answer
    /// says when it was made.
    fn tag(&self, kind: &str, made_of: impl Iterator<Item = String>) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let mut text = format!("{version}\n{kind}\n{}\n{}", self.path, self.query);
        for part in made_of {
            text += "\n";
            text += &part;
        }
        format!("W/\"{}\"", Cid::of(Codec::Raw, text.as_bytes()))
    }

    /// Whether the asker has it.
    fn knows(&self, tag: &str) -> bool {
        self.known == "*" || self.known.contains(tag.trim_start_matches("W/"))
    }
}

/// What goes out.
struct Message {
    /// The media type.
    kind: &'static str,
    tag: String,
    /// Writes the text.
    work: stream::Work,
}

/// What comes of a question.
enum Reply {
    Made(Message),
    /// The asker has it.
    Same(String),
}

const XML_STRUCTURE: &str = "application/vnd.sdmx.structure+xml;version=2.1";
const JSON_STRUCTURE: &str = "application/vnd.sdmx.structure+json;version=2.0.0";

/// The routes below `/sdmx`.
pub(crate) fn routes<K: Keep>() -> Router<State<K>> {
    let gate = Arc::new(Semaphore::new(ANSWERS_MAX));
    let route = |base: Base| {
        let gate = Arc::clone(&gate);
        get(move |Shared(state): Shared<State<K>>, request: Request| {
            let gate = Arc::clone(&gate);
            async move { respond(base, state, request, gate).await }
        })
    };
    Router::new()
        .route("/v1", route(Base::One))
        .route("/v1/", route(Base::One))
        .route("/v1/{*path}", route(Base::One))
        .route("/v2", route(Base::Two))
        .route("/v2/", route(Base::Two))
        .route("/v2/{*path}", route(Base::Two))
}

async fn respond<K: Keep>(base: Base, state: State<K>, request: Request, gate: Arc<Semaphore>) -> Response {
    let question = Question {
        base,
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        accept: texts(request.headers(), header::ACCEPT).to_ascii_lowercase().replace(' ', ""),
        known: texts(request.headers(), header::IF_NONE_MATCH),
    };
    let compressed = texts(request.headers(), header::ACCEPT_ENCODING).contains("gzip");
    let Ok(place) = gate.acquire_owned().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    // The place goes with the work, which goes on when nobody waits for it any more.
    let work = move || answer(&state, &question).map(|reply| (reply, place));
    let made = tokio::task::spawn_blocking(work).await;
    let response = match made.unwrap_or_else(|_| Err(Fault::internal("the answer could not be made"))) {
        Err(fault) => refused(base, &fault),
        Ok((Reply::Same(tag), _)) => tagged(StatusCode::NOT_MODIFIED.into_response(), &tag),
        Ok((Reply::Made(Message { kind, tag, work }), place)) => {
            match stream::body(work, compressed, place, stream::PATIENCE).await {
                Err(fault) => refused(base, &Fault::internal(fault.to_string())),
                Ok(body) => tagged(encoded(kind, compressed, body), &tag),
            }
        }
    };
    dressed(response)
}

fn refused(base: Base, fault: &Fault) -> Response {
    let (kind, body) = fault.message(base);
    (fault.status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

fn encoded(kind: &'static str, compressed: bool, body: Body) -> Response {
    let mut response = ([(header::CONTENT_TYPE, kind)], body).into_response();
    if compressed {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn tagged(mut response: Response, tag: &str) -> Response {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Adds what every answer has.
fn dressed(mut response: Response) -> Response {
    let every = [
        (header::VARY, "Accept, Accept-Encoding"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    for (name, value) in every {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn texts(headers: &HeaderMap, name: HeaderName) -> String {
    let all = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    all.collect::<Vec<_>>().join(",")
}

fn answer<K: Keep>(state: &State<K>, question: &Question) -> Result<Reply, Fault> {
    let tail = question.path.splitn(3, '/').nth(2).unwrap_or_default();
    let parts = wanted::path(tail)?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let wanted = Wanted::parse(&question.query)?;
    let (query, keep) = (state.service.query(), state.service.keep());
    let catalogue = Catalogue { query, index: state.index.catalogue()?, keep, now: (state.clock)() };
    match (question.base, parts.as_slice()) {
        (_, ["data", rest @ ..]) => data::answer(&catalogue, question, rest, wanted),
        (Base::Two, ["structure", kind, rest @ ..]) | (Base::One, [kind, rest @ ..]) => {
            if rest.len() > 3 {
                return Err(Fault::unbuilt("an item of a scheme"));
            }
            let set = structures::find(&catalogue, Kind::parse(kind)?, rest, &wanted)?;
            structure(question, set)
        }
        (Base::Two, ["availability", "dataflow", agency, id, rest @ ..]) => {
            structure(question, available(&catalogue, (agency, id), rest, wanted, true)?)
        }
        (Base::Two, ["schema", "dataflow", agency, id, rest @ ..]) => {
            structure(question, available(&catalogue, (agency, id), rest, wanted, false)?)
        }
        _ => Err(Fault::unbuilt(format!("`/{tail}`"))),
    }
}

/// Writes a message of structures.
type Writer = fn(&Set) -> String;

/// A message of structures; its tag is of what it says, for that is short.
fn structure(question: &Question, set: Set) -> Result<Reply, Fault> {
    let mut served: Vec<Served<Writer>> = Vec::new();
    if question.base == Base::Two {
        let (kind, also) = (JSON_STRUCTURE, &["application/json"][..]);
        served.push(Served { kind, also, format: jsonstructure::write });
    }
    let also = &["application/xml", "text/xml"][..];
    served.push(Served { kind: XML_STRUCTURE, also, format: xmlstructure::write });
    let Served { kind, format: write, .. } = chosen(&question.accept, served)?;
    let tag = question.tag(kind, [write(&Set { now: 0, ..set.clone() })].into_iter());
    if question.knows(&tag) {
        return Ok(Reply::Same(tag));
    }
    let work = move |out: &mut dyn Write| out.write_all(write(&set).as_bytes());
    Ok(Reply::Made(Message { kind, tag, work: Box::new(work) }))
}

/// The structure of a dataflow, with what there is where `counted`.
fn available<K: Keep>(
    catalogue: &Catalogue<'_, K>,
    (agency, id): (&str, &str),
    rest: &[&str],
    wanted: Wanted,
    counted: bool,
) -> Result<Set, Fault> {
    ids::version(rest.first().copied().unwrap_or("*"), ids::VERSION)?;
    let flow = catalogue.one(agency, id, wanted.asof, false)?;
    let cube = catalogue.cube(&flow)?;
    let mut set = Set::whole(flow, &cube);
    if counted {
        let wanted = wanted.keyed(rest.get(1).copied(), true);
        set.narrow(&cube, &select::select(&cube, &wanted)?);
    }
    Ok(set)
}
