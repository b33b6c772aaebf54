//! SDMX in front of a node: `/sdmx/v1` (REST 1.5) and `/sdmx/v2` (REST 2), as `specs/sdmx.md` says.
//!
//! Owns the paths and the choice of format. Paths are split by hand, since clients encode commas and
//! colons, leave tails out and end with a slash. Whatever is not built answers 501. Reads only.

mod catalogue;
mod csv;
mod cube;
mod fault;
mod ids;
mod jsondata;
mod jsonstructure;
mod select;
mod structures;
mod wanted;
mod xml;
mod xmldata;
mod xmlstructure;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use service::Keep;
use tokio::sync::Semaphore;

use crate::State;
use catalogue::Catalogue;
use fault::Fault;
use structures::{Kind, Set};
use wanted::Wanted;
pub(crate) use xml::time;

/// Answers that are made at the same time; each holds a table in memory.
const ANSWERS_MAX: usize = 2;

/// Which of the two interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    /// REST 1.5.
    One,
    /// REST 2.
    Two,
}

/// What goes out.
pub(crate) struct Message {
    /// The media type.
    pub(crate) kind: &'static str,
    /// The text.
    pub(crate) body: String,
}

const GENERIC: &str = "application/vnd.sdmx.genericdata+xml;version=2.1";
const SPECIFIC: &str = "application/vnd.sdmx.structurespecificdata+xml;version=2.1";
const CSV_ONE: &str = "application/vnd.sdmx.data+csv;version=1.0.0";
const CSV_TWO: &str = "application/vnd.sdmx.data+csv;version=2.0.0";
const JSON_DATA: &str = "application/vnd.sdmx.data+json;version=2.0.0";
const XML_STRUCTURE: &str = "application/vnd.sdmx.structure+xml;version=2.1";
const JSON_STRUCTURE: &str = "application/vnd.sdmx.structure+json;version=2.0.0";

/// The routes below `/sdmx`.
pub(crate) fn routes<K: Keep>() -> Router<State<K>> {
    let gate = Arc::new(Semaphore::new(ANSWERS_MAX));
    let route = |base: Base| {
        let gate = Arc::clone(&gate);
        get(move |Shared(state): Shared<State<K>>, request: Request| {
            let gate = Arc::clone(&gate);
            async move { respond(base, state, request, &gate).await }
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

async fn respond<K: Keep>(base: Base, state: State<K>, request: Request, gate: &Semaphore) -> Response {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let accept = accepted(request.headers());
    let Ok(_permit) = gate.acquire().await else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let work = move || answer(base, &state, &path, &query, &accept);
    let made = match tokio::task::spawn_blocking(work).await {
        Ok(made) => made,
        Err(_) => Err(Fault::internal("the answer could not be made")),
    };
    let (status, message) = match made {
        Ok(message) => (StatusCode::OK, message),
        Err(fault) => (fault.status, fault.message(base)),
    };
    let headers = [
        (header::CONTENT_TYPE, message.kind),
        (header::VARY, "Accept, Accept-Encoding"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    (status, headers, message.body).into_response()
}

fn accepted(headers: &HeaderMap) -> String {
    let all = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    all.collect::<Vec<_>>().join(",").to_ascii_lowercase().replace(' ', "")
}

fn answer<K: Keep>(
    base: Base,
    state: &State<K>,
    path: &str,
    query: &str,
    accept: &str,
) -> Result<Message, Fault> {
    let tail = path.splitn(3, '/').nth(2).unwrap_or_default();
    let parts = wanted::path(tail)?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let wanted = Wanted::parse(query)?;
    let (query, keep) = (state.service.query(), state.service.keep());
    let catalogue = Catalogue { query, index: state.index.catalogue()?, keep, now: (state.clock)() };
    match (base, parts.as_slice()) {
        (_, ["data", rest @ ..]) => data(base, &catalogue, rest, &wanted, accept),
        (Base::Two, ["structure", kind, rest @ ..]) => {
            structure(base, &catalogue, Kind::parse(kind)?, rest, &wanted, accept)
        }
        (Base::Two, ["availability" | "schema", "dataflow", agency, id, rest @ ..]) => {
            available(&catalogue, parts.first() == Some(&"schema"), (agency, id), rest, &wanted, accept)
        }
        (Base::One, [kind, rest @ ..]) => {
            structure(base, &catalogue, Kind::parse(kind)?, rest, &wanted, accept)
        }
        _ => Err(Fault::unbuilt(format!("`/{tail}`"))),
    }
}

fn structure<K: Keep>(
    base: Base,
    catalogue: &Catalogue<'_, K>,
    kind: Kind,
    rest: &[&str],
    wanted: &Wanted,
    accept: &str,
) -> Result<Message, Fault> {
    if rest.len() > 3 {
        return Err(Fault::unbuilt("an item of a scheme"));
    }
    let set = structures::find(catalogue, kind, rest, wanted)?;
    structure_message(base, &set, accept)
}

fn structure_message(base: Base, set: &Set, accept: &str) -> Result<Message, Fault> {
    let xml = || Message { kind: XML_STRUCTURE, body: xmlstructure::write(set) };
    let json = || Message { kind: JSON_STRUCTURE, body: jsonstructure::write(set) };
    let any = any(accept);
    match base {
        Base::One if any || accept.contains("xml") => Ok(xml()),
        Base::Two if any || accept.contains("json") => Ok(json()),
        Base::Two if accept.contains("structure+xml;version=2.1") => Ok(xml()),
        _ => Err(Fault::format(accept)),
    }
}

/// Whether any format will do.
fn any(accept: &str) -> bool {
    accept.is_empty() || accept.contains("*/*") || accept.contains("application/*")
}

fn available<K: Keep>(
    catalogue: &Catalogue<'_, K>,
    schema: bool,
    (agency, id): (&str, &str),
    rest: &[&str],
    wanted: &Wanted,
    accept: &str,
) -> Result<Message, Fault> {
    ids::version(rest.first().copied().unwrap_or("*"), ids::VERSION)?;
    let flow = catalogue.one(agency, id, wanted.asof)?;
    let cube = catalogue.cube(&flow)?;
    let mut set = Set::whole(flow, &cube);
    if !schema {
        let selected = select::select(&cube, &wanted.keyed(rest.get(1).copied()), None)?;
        set.narrow(&cube, &selected);
    }
    structure_message(Base::Two, &set, accept)
}

fn data<K: Keep>(
    base: Base,
    catalogue: &Catalogue<'_, K>,
    rest: &[&str],
    wanted: &Wanted,
    accept: &str,
) -> Result<Message, Fault> {
    let (agency, id, version, key) = reference(base, rest)?;
    ids::version(&version, ids::VERSION)?;
    let flow = catalogue.one(&agency, &id, wanted.asof)?;
    let cube = catalogue.cube(&flow)?;
    let wanted = &wanted.keyed(key.as_deref());
    let earlier = wanted.updated_after.map(|time| catalogue.before(&flow, time)).transpose()?.flatten();
    let selected = select::select(&cube, wanted, earlier.as_ref())?;
    let view = select::View { flow: &flow, cube: &cube, rows: selected, wanted };
    let (generic, specific) = (accept.contains("genericdata+xml"), accept.contains("structurespecificdata"));
    match base {
        Base::One if specific && !generic => Ok(Message { kind: SPECIFIC, body: xmldata::specific(&view) }),
        Base::One if accept.contains("data+csv") || accept.contains("text/csv") => {
            Ok(Message { kind: CSV_ONE, body: csv::one(&view) })
        }
        Base::One if any(accept) || accept.contains("xml") => {
            Ok(Message { kind: GENERIC, body: xmldata::generic(&view) })
        }
        Base::Two if accept.contains("data+json") || accept.contains("application/json") => {
            Ok(Message { kind: JSON_DATA, body: jsondata::write(&view) })
        }
        Base::Two if any(accept) || accept.contains("csv") => {
            Ok(Message { kind: CSV_TWO, body: csv::two(&view) })
        }
        _ => Err(Fault::format(accept)),
    }
}

/// Agency, id, version and key that a path of data names.
type Reference = (String, String, String, Option<String>);

fn reference(base: Base, rest: &[&str]) -> Result<Reference, Fault> {
    let owned = |text: &&str| (*text).to_owned();
    match (base, rest) {
        (Base::One, [flow, tail @ ..]) if tail.len() < 3 => {
            let parts: Vec<&str> = flow.split(',').collect();
            let (agency, id, version) = match parts.as_slice() {
                [id] => ("all", *id, "latest"),
                [agency, id] => (*agency, *id, "latest"),
                [agency, id, version] => (*agency, *id, *version),
                _ => {
                    return Err(Fault::syntax(format!(
                        "`{flow}` is no dataflow: expected AGENCY,ID,VERSION"
                    )));
                }
            };
            if !matches!(tail.get(1), None | Some(&"all")) {
                return Err(Fault::unbuilt("a choice of providers"));
            }
            Ok((agency.into(), id.into(), version.into(), tail.first().map(owned)))
        }
        (Base::Two, ["dataflow", agency, id, tail @ ..]) if tail.len() < 3 => {
            let version = tail.first().copied().unwrap_or("*");
            Ok((owned(agency), owned(id), version.into(), tail.get(1).map(owned)))
        }
        _ => Err(Fault::unbuilt("data of that context")),
    }
}
