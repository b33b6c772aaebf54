//! SDMX web services: `/sdmx/v1` (REST 1.5) and `/sdmx/v2` (REST 2), specified in `specs/sdmx.md`.
//!
//! Owns the paths and content negotiation. Paths are split by hand because clients percent-encode commas
//! and colons, omit trailing segments and append slashes. Features that are not implemented get 501.
//! Read-only.

mod csv;
mod cube;
mod data;
mod data_set;
mod dataflows;
mod error;
mod ids;
mod json_data;
mod json_structure;
mod negotiation;
mod request;
mod selection;
mod stream;
mod structures;
mod xml;
mod xml_data;
mod xml_structure;

use std::io::Write;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use schemas::cid::{Cid, Codec};
use service::Storage;
use tokio::sync::Semaphore;

use crate::State;
use dataflows::DataflowCatalogue;
use error::SdmxError;
use negotiation::{FormatOffer, negotiate};
use request::DataRequest;
use structures::{ArtefactType, StructureSet};
pub(crate) use xml::date_time;

/// Responses prepared at a time. Each holds one table in memory, or two when it compares vintages.
const RESPONSES_MAX: usize = 3;

/// Version of the SDMX REST interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RestVersion {
    /// REST 1.5.
    V1,
    /// REST 2.
    V2,
}

/// An SDMX request, split into the parts that decide the response.
struct SdmxRequest {
    version: RestVersion,
    path: String,
    query: String,
    /// `Accept`, lower case and without spaces.
    accept: String,
    /// `If-None-Match`.
    if_none_match: String,
}

impl SdmxRequest {
    /// Returns the entity tag of a response built from `made_of`. The tag is weak because the body
    /// contains the time of preparation.
    fn etag(&self, kind: &str, made_of: impl Iterator<Item = String>) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let mut text = format!("{version}\n{kind}\n{}\n{}", self.path, self.query);
        for part in made_of {
            text += "\n";
            text += &part;
        }
        format!("W/\"{}\"", Cid::of(Codec::Raw, text.as_bytes()))
    }

    /// Whether the client already has the response with this tag.
    fn has_cached(&self, tag: &str) -> bool {
        self.if_none_match == "*" || self.if_none_match.contains(tag.trim_start_matches("W/"))
    }
}

/// A successful response that is not written yet.
struct SdmxMessage {
    /// Media type of the body.
    media_type: &'static str,
    tag: String,
    /// Writes the body.
    writer: stream::BodyWriter,
}

/// Outcome of a request.
enum SdmxReply {
    Message(SdmxMessage),
    /// The client has the current version (304).
    NotModified(String),
}

const XML_STRUCTURE: &str = "application/vnd.sdmx.structure+xml;version=2.1";
const JSON_STRUCTURE: &str = "application/vnd.sdmx.structure+json;version=2.0.0";

/// Returns the routes below `/sdmx`.
pub(crate) fn sdmx_routes<K: Storage>() -> Router<State<K>> {
    let gate = Arc::new(Semaphore::new(RESPONSES_MAX));
    let route = |version: RestVersion| {
        let gate = Arc::clone(&gate);
        get(move |Shared(state): Shared<State<K>>, http: Request| {
            let gate = Arc::clone(&gate);
            async move { handle_request(version, state, http, gate).await }
        })
    };
    Router::new()
        .route("/v1", route(RestVersion::V1))
        .route("/v1/", route(RestVersion::V1))
        .route("/v1/{*path}", route(RestVersion::V1))
        .route("/v2", route(RestVersion::V2))
        .route("/v2/", route(RestVersion::V2))
        .route("/v2/{*path}", route(RestVersion::V2))
}

async fn handle_request<K: Storage>(
    version: RestVersion,
    state: State<K>,
    http: Request,
    gate: Arc<Semaphore>,
) -> Response {
    let request = SdmxRequest {
        version,
        path: http.uri().path().to_owned(),
        query: http.uri().query().unwrap_or_default().to_owned(),
        accept: header_values(http.headers(), header::ACCEPT).to_ascii_lowercase().replace(' ', ""),
        if_none_match: header_values(http.headers(), header::IF_NONE_MATCH),
    };
    let compressed = header_values(http.headers(), header::ACCEPT_ENCODING).contains("gzip");
    let Ok(permit) = gate.acquire_owned().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    // The permit moves into the task: the task keeps running when the client has disconnected.
    let work = move || prepare_reply(&state, &request).map(|reply| (reply, permit));
    let result = tokio::task::spawn_blocking(work).await;
    let response = match result.unwrap_or_else(|_| Err(SdmxError::internal("internal error"))) {
        Err(error) => error_response(version, &error),
        Ok((SdmxReply::NotModified(tag), _)) => with_etag(StatusCode::NOT_MODIFIED.into_response(), &tag),
        Ok((SdmxReply::Message(SdmxMessage { media_type, tag, writer }), permit)) => {
            match stream::stream_body(writer, compressed, permit, stream::READ_TIMEOUT).await {
                Err(error) => error_response(version, &SdmxError::internal(error.to_string())),
                Ok(body) => with_etag(data_response(media_type, compressed, body), &tag),
            }
        }
    };
    with_common_headers(response)
}

fn error_response(version: RestVersion, error: &SdmxError) -> Response {
    let (kind, body) = error.to_message(version);
    (error.status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

fn data_response(kind: &'static str, compressed: bool, body: Body) -> Response {
    let mut response = ([(header::CONTENT_TYPE, kind)], body).into_response();
    if compressed {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn with_etag(mut response: Response, tag: &str) -> Response {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Adds the headers common to all SDMX responses.
fn with_common_headers(mut response: Response) -> Response {
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

fn header_values(headers: &HeaderMap, name: HeaderName) -> String {
    let all = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    all.collect::<Vec<_>>().join(",")
}

fn prepare_reply<K: Storage>(state: &State<K>, request: &SdmxRequest) -> Result<SdmxReply, SdmxError> {
    // The nested router strips `/sdmx`, so the tail follows the version segment.
    let tail = request.path.splitn(3, '/').nth(2).unwrap_or_default();
    let parts = request::split_path(tail)?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let parameters = DataRequest::parse(&request.query)?;
    let (query, keep) = (state.service.query(), state.service.storage());
    let catalogue = DataflowCatalogue {
        query,
        catalogue: state.views.catalogue()?,
        storage: keep,
        prepared: (state.clock)(),
    };
    match (request.version, parts.as_slice()) {
        (_, ["data", rest @ ..]) => data::prepare_data(&catalogue, request, rest, parameters),
        (RestVersion::V2, ["structure", kind, rest @ ..]) | (RestVersion::V1, [kind, rest @ ..]) => {
            if rest.len() > 3 {
                return Err(SdmxError::not_implemented("a request for a single item of a scheme"));
            }
            let set = structures::find_structures(&catalogue, ArtefactType::parse(kind)?, rest, &parameters)?;
            structure_reply(request, set)
        }
        (RestVersion::V2, ["availability", "dataflow", agency, id, rest @ ..]) => {
            structure_reply(request, available_structure(&catalogue, (agency, id), rest, parameters, true)?)
        }
        (RestVersion::V2, ["schema", "dataflow", agency, id, rest @ ..]) => {
            structure_reply(request, available_structure(&catalogue, (agency, id), rest, parameters, false)?)
        }
        _ => Err(SdmxError::not_implemented(format!("`/{tail}`"))),
    }
}

/// Serialises a structure message.
type StructureWriter = fn(&StructureSet) -> String;

/// Builds a structure message. Its entity tag hashes the body, which is small.
fn structure_reply(request: &SdmxRequest, set: StructureSet) -> Result<SdmxReply, SdmxError> {
    let mut served: Vec<FormatOffer<StructureWriter>> = Vec::new();
    if request.version == RestVersion::V2 {
        let (kind, also) = (JSON_STRUCTURE, &["application/json"][..]);
        served.push(FormatOffer {
            media_type: kind,
            aliases: also,
            format: json_structure::write_structures,
        });
    }
    let also = &["application/xml", "text/xml"][..];
    served.push(FormatOffer {
        media_type: XML_STRUCTURE,
        aliases: also,
        format: xml_structure::write_structures,
    });
    let FormatOffer { media_type: kind, format: write, .. } = negotiate(&request.accept, served)?;
    // The time of preparation is excluded from the tag.
    let tag = request.etag(kind, [write(&StructureSet { prepared: 0, ..set.clone() })].into_iter());
    if request.has_cached(&tag) {
        return Ok(SdmxReply::NotModified(tag));
    }
    let work = move |out: &mut dyn Write| out.write_all(write(&set).as_bytes());
    Ok(SdmxReply::Message(SdmxMessage { media_type: kind, tag, writer: Box::new(work) }))
}

/// Returns the structure of a dataflow; with `counted`, restricted to the codes that occur in the
/// selected observations, and with their counts.
fn available_structure<K: Storage>(
    catalogue: &DataflowCatalogue<'_, K>,
    (agency, id): (&str, &str),
    rest: &[&str],
    parameters: DataRequest,
    counted: bool,
) -> Result<StructureSet, SdmxError> {
    ids::check_version(rest.first().copied().unwrap_or("*"), ids::VERSION)?;
    let flow = catalogue.find_dataflow(agency, id, parameters.as_of, false)?;
    let cube = catalogue.load_cube(&flow)?;
    let mut set = StructureSet::complete(flow, &cube);
    if counted {
        let parameters = parameters.with_key(rest.get(1).copied(), true);
        set.restrict_to(&cube, &selection::select_observations(&cube, &parameters)?);
    }
    Ok(set)
}
