//! The dashboard: the embedded web app built from `web/`, and the server-rendered parts of its pages.
//!
//! Owns the routing of paths to files and pages, the metadata for search engines and social sites, the
//! static text for clients without scripts, and the content security policy. Has no access to data: it
//! derives [`PageFacts`] from API documents. Does no HTTP itself; the server calls [`respond`].

mod assets;
mod page_facts;
mod page_metadata;
pub mod page_route;

use std::borrow::Cow;

pub use page_facts::{DataDownload, DocumentQuery, DocumentSource, NotFound, PageFacts};
pub use page_route::PageRoute;

/// Content security policy of pages: scripts, styles and requests of this node only, nothing inline, no
/// framing by other sites.
pub const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
     connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// Content security policy of embeddable pages, which other sites may frame.
pub const EMBED_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *";

/// Request for a page or file.
#[derive(Debug, Clone, Copy, Default)]
pub struct PageRequest<'a> {
    /// Path, percent-encoded as received.
    pub path: &'a str,
    /// Query string without `?`, as received.
    pub query: &'a str,
    /// Scheme, host and port as seen by the client, without a trailing slash.
    pub origin: &'a str,
    /// `Accept-Encoding`.
    pub accept_encoding: &'a str,
    /// `If-None-Match`.
    pub if_none_match: &'a str,
}

/// Response, independent of any HTTP library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageResponse {
    /// HTTP status: 200, 304, or 404 with an error page.
    pub status: u16,
    /// Header names and values.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// Body.
    pub body: Cow<'static, [u8]>,
}

/// Responds to a path that is not a route of the API. Documents are requested for pages only.
pub fn respond(wanted: PageRequest<'_>, ask: DocumentSource<'_>) -> PageResponse {
    // `/index.html` is the shell of all pages and is not served by itself.
    if let Some(file) = assets::find_asset(wanted.path).filter(|file| file.path != "/index.html") {
        return file.respond(wanted);
    }
    let place = PageRoute::parse(wanted.path, wanted.query);
    let facts = place.as_ref().map_or(Err(NotFound), |place| page_facts::page_facts(place, ask));
    let html = page_metadata::render_page(assets::SHELL, place.as_ref(), wanted, &facts);
    let embed = place.as_ref().is_some_and(|place| place.embed);
    let mut response = PageResponse {
        status: if facts.is_ok() { 200 } else { 404 },
        headers: security_headers(embed),
        body: Cow::Owned(html.into_bytes()),
    };
    response.headers.push(("content-type", "text/html; charset=utf-8".into()));
    response.headers.push(("cache-control", "no-cache".into()));
    response
}

/// Headers common to all responses.
fn security_headers(embed: bool) -> Vec<(&'static str, Cow<'static, str>)> {
    let policy = if embed { EMBED_POLICY } else { CONTENT_POLICY };
    vec![
        ("content-security-policy", policy.into()),
        ("x-content-type-options", "nosniff".into()),
        ("referrer-policy", "no-referrer".into()),
    ]
}
