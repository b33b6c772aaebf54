//! The dashboard: the program in `web/`, built and embedded, and what its pages say before it runs.
//!
//! Owns which path is a file, which is a page and which is neither, the head that search engines and
//! social sites read, the text of those who run no scripts, and the policy that a browser must keep.
//! Knows no data: what a page is about comes in as documents of the API, of which it makes [`Facts`].
//! Answers no request itself; whoever serves HTTP asks [`answer`].

mod assets;
mod page_facts;
mod page_metadata;
pub mod page_route;

use std::borrow::Cow;

pub use page_facts::{DataDownload, DocumentQuery, DocumentSource, NotFound, PageFacts};
pub use page_route::PageRoute;

/// Scripts, styles and requests of this node only; nothing inline; no page of somebody else around it.
pub const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
     connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// The same for what is made to be shown inside other pages.
pub const EMBED_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *";

/// What a request for a page or a file says.
#[derive(Debug, Clone, Copy, Default)]
pub struct PageRequest<'a> {
    /// The path, percent-encoded as it came.
    pub path: &'a str,
    /// What stands after `?`, as it came.
    pub query: &'a str,
    /// Scheme, host and port under which the reader came here; without a slash at its end.
    pub origin: &'a str,
    /// `Accept-Encoding`.
    pub accept_encoding: &'a str,
    /// `If-None-Match`.
    pub if_none_match: &'a str,
}

/// An answer: what HTTP needs, and nothing of any library for HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageResponse {
    /// 200, 304, or 404 with a page that says so.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The bytes.
    pub body: Cow<'static, [u8]>,
}

/// Whether the program was built in; without it every page is a plain one that says how.
pub fn is_built() -> bool {
    assets::find_asset("/index.html").is_some()
}

/// The answer for a path that is no route of the API; documents are asked for pages only.
pub fn respond(wanted: PageRequest<'_>, ask: DocumentSource<'_>) -> PageResponse {
    if let Some(file) = assets::find_asset(wanted.path).filter(|file| file.path != "/index.html") {
        return file.respond(wanted);
    }
    let place = PageRoute::parse(wanted.path, wanted.query);
    let facts = place.as_ref().map_or(Err(NotFound), |place| page_facts::page_facts(place, ask));
    let shell = assets::find_asset("/index.html").map(|file| file.bytes);
    let html = page_metadata::render_page(shell, place.as_ref(), wanted, &facts);
    let embed = place.as_ref().is_some_and(|place| place.embed);
    let mut answer = PageResponse {
        status: if facts.is_ok() { 200 } else { 404 },
        headers: security_headers(embed),
        body: Cow::Owned(html.into_bytes()),
    };
    answer.headers.push(("content-type", "text/html; charset=utf-8".into()));
    answer.headers.push(("cache-control", "no-cache".into()));
    answer
}

/// Headers that every answer has.
fn security_headers(embed: bool) -> Vec<(&'static str, Cow<'static, str>)> {
    let policy = if embed { EMBED_POLICY } else { CONTENT_POLICY };
    vec![
        ("content-security-policy", policy.into()),
        ("x-content-type-options", "nosniff".into()),
        ("referrer-policy", "no-referrer".into()),
    ]
}
