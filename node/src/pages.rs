//! The dashboard in front of the API: its pages are made of what the routes answer.

use std::sync::Arc;

use dashboard::{Ask, Wanted};

/// Pages about what the node holds.
pub(crate) fn made() -> api::Pages {
    Arc::new(|asked: &api::Asked, documents: &dyn api::Documents| {
        let wanted = Wanted {
            path: &asked.path,
            query: &asked.query,
            origin: &asked.origin,
            encodings: &asked.encodings,
            known: &asked.known,
        };
        let answer = dashboard::answer(wanted, &|ask| match ask {
            Ask::Flows => documents.flows(),
            Ask::Areas => documents.areas(),
            Ask::Country(area) => documents.country(area),
            Ask::Figure(place, output, vintage) => documents.figure(place, output, vintage),
            Ask::Recipe(id) => documents.recipe(id),
            Ask::Publisher(id) => documents.publisher(id),
        });
        api::Page { status: answer.status, headers: answer.headers, body: answer.body }
    })
}
