//! Response cache: adds an `ETag`, compresses, and stores responses until the state of the node changes.

use std::collections::{HashMap, VecDeque};
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use schemas::cid::{Cid, Codec};
use service::Storage;

use super::header_text;
use crate::Problem;
use crate::state::State;

/// Bytes of all cached responses.
const CACHE_BYTES_MAX: usize = 64 << 20;
/// Bytes of one response.
const RESPONSE_BYTES_MAX: usize = 64 << 20;
/// Smaller bodies are not compressed.
const GZIP_BYTES_MIN: usize = 1024;

/// A response with its compressed form.
#[derive(Clone)]
struct CachedResponse {
    headers: HeaderMap,
    etag: HeaderValue,
    plain: Bytes,
    gzip: Option<Bytes>,
}

/// Recent responses of one generation of the node's state.
#[derive(Default)]
pub(crate) struct ResponseCache(Mutex<CacheEntries>);

#[derive(Default)]
struct CacheEntries {
    generation: u64,
    responses: HashMap<String, CachedResponse>,
    order: VecDeque<String>,
    bytes: usize,
}

impl ResponseCache {
    fn get(&self, key: &str, generation: u64) -> Option<CachedResponse> {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A new generation invalidates all entries at once.
        if cache.generation != generation {
            *cache = CacheEntries { generation, ..CacheEntries::default() };
        }
        cache.responses.get(key).cloned()
    }

    fn put(&self, key: String, generation: u64, response: &CachedResponse) {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.generation != generation || response.byte_count() > CACHE_BYTES_MAX / 4 {
            return;
        }
        if cache.responses.insert(key.clone(), response.clone()).is_none() {
            cache.bytes += response.byte_count();
            cache.order.push_back(key);
        }
        // The oldest entries are evicted first; recency is not tracked.
        while cache.bytes > CACHE_BYTES_MAX {
            let Some(oldest) = cache.order.pop_front() else { return };
            let oldest = cache.responses.remove(&oldest);
            cache.bytes -= oldest.map_or(0, |oldest| oldest.byte_count());
        }
    }
}

impl CachedResponse {
    async fn from_response(response: Response) -> Result<Self, Problem> {
        let (parts, body) = response.into_parts();
        let large = |_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "large", "the response is too large");
        let plain = to_bytes(body, RESPONSE_BYTES_MAX).await.map_err(large)?;
        let etag = format!("\"{}\"", Cid::of(Codec::Raw, &plain));
        let etag = HeaderValue::from_str(&etag).map_err(|_| Problem::no_response())?;
        // Compressed once when stored, on the blocking pool, not for each reader.
        let gzip = if plain.len() >= GZIP_BYTES_MIN {
            let bytes = plain.clone();
            tokio::task::spawn_blocking(move || gzip_bytes(&bytes)).await.ok().flatten()
        } else {
            None
        };
        Ok(Self { headers: parts.headers, etag, plain, gzip })
    }

    fn byte_count(&self) -> usize {
        self.plain.len() + self.gzip.as_ref().map_or(0, Bytes::len)
    }

    /// Returns the response to a client that has cached `known` and accepts `encodings`.
    fn into_response(self, if_none_match: &str, accept_encoding: &str) -> Response {
        let mut response = Response::new(Body::empty());
        *response.headers_mut() = self.headers;
        // A substring test suffices: tags are quoted hashes, and none contains another.
        let not_modified =
            if_none_match == "*" || self.etag.to_str().is_ok_and(|etag| if_none_match.contains(etag));
        let headers = response.headers_mut();
        // The length of the plain body is wrong for the compressed one; hyper sets the right one.
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::ETAG, self.etag);
        // `no-cache` allows storing the response but requires revalidation.
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if not_modified {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        match self.gzip.filter(|_| accept_encoding.contains("gzip")) {
            Some(gzip) => {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                *response.body_mut() = Body::from(gzip);
            }
            None => *response.body_mut() = Body::from(self.plain),
        }
        response
    }
}

fn gzip_bytes(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).ok()?;
    Some(encoder.finish().ok()?.into())
}

/// Answers from the cache, or calls the route and caches the response.
pub(crate) async fn cached<K: Storage>(
    Shared(state): Shared<State<K>>,
    request: Request,
    next: Next,
) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let if_none_match = header_text(request.headers(), header::IF_NONE_MATCH).unwrap_or_default().to_owned();
    let accept_encoding =
        header_text(request.headers(), header::ACCEPT_ENCODING).unwrap_or_default().to_owned();
    let key = request.uri().to_string();
    // Read before the route runs: if the state changes meanwhile, `put` drops the response.
    let generation = match state.views.generation() {
        Ok(generation) => generation,
        Err(error) => return Problem::from(error).into_response(),
    };
    if let Some(response) = state.response_cache.get(&key, generation) {
        return response.into_response(&if_none_match, &accept_encoding);
    }
    let response = next.run(request).await;
    if response.status() != StatusCode::OK {
        return response;
    }
    match CachedResponse::from_response(response).await {
        Ok(response) => {
            state.response_cache.put(key, generation, &response);
            response.into_response(&if_none_match, &accept_encoding)
        }
        Err(problem) => problem.into_response(),
    }
}
