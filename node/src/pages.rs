//! Server-side part of the dashboard pages, rendered from the responses of the API.

use std::sync::Arc;

use dashboard::{DocumentQuery, PageRequest};

/// The page renderer for the API.
pub(crate) fn render_pages() -> api::PageRenderer {
    Arc::new(|asked: &api::PageRequest, documents: &dyn api::Documents| {
        let wanted = PageRequest {
            path: &asked.path,
            query: &asked.query,
            origin: &asked.origin,
            accept_encoding: &asked.accept_encoding,
            if_none_match: &asked.if_none_match,
        };
        let answer = dashboard::respond(wanted, &|ask| match ask {
            DocumentQuery::Flows => documents.flows(),
            DocumentQuery::Areas => documents.areas(),
            DocumentQuery::Country(area) => documents.country(area),
            DocumentQuery::Figure(place, output, vintage) => documents.figure(place, output, vintage),
            DocumentQuery::Recipe(id) => documents.recipe(id),
            DocumentQuery::Publisher(id) => documents.publisher(id),
        });
        api::PageResponse { status: answer.status, headers: answer.headers, body: answer.body }
    })
}
