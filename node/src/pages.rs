//! The dashboard in front of the store: what the head of a page says of its figures.

use std::sync::Arc;

use dashboard::place::Page;
use dashboard::{Facts, Place, Wanted};
use service::query::ReleaseInfo;
use service::{Keep, Service};

/// Pages about what `service` holds.
pub(crate) fn of<K: Keep>(service: &Service<K>) -> api::Pages {
    let service = service.clone();
    Arc::new(move |asked: &api::Asked| {
        let wanted = Wanted {
            path: &asked.path,
            origin: &asked.origin,
            encodings: &asked.encodings,
            known: &asked.known,
        };
        // A head without facts is still a head.
        let answer = dashboard::answer(wanted, |place| facts(place, &service.query().releases().ok()?));
        api::Page { status: answer.status, headers: answer.headers, body: answer.body }
    })
}

/// What is known of the newest release that a page is about.
fn facts(place: &Place, releases: &[ReleaseInfo]) -> Option<Facts> {
    let newest = |about: &dyn Fn(&ReleaseInfo) -> bool| {
        releases.iter().filter(|info| about(info)).max_by_key(|info| (info.placed.time, info.placed.seq))
    };
    match &place.page {
        Page::World(Some(measure)) => {
            let info = newest(&|info| info.measure == *measure)?;
            let description = format!("{}. {}", info.title, PROMISE);
            Some(Facts {
                title: Some(format!("{}: the world", capital(measure))),
                ..about(info, description)
            })
        }
        Page::Figure { publisher, dataflow, key, period } => {
            let same = |info: &ReleaseInfo| {
                info.placed.publisher.to_string() == *publisher
                    && info.release.dataflow.to_string() == *dataflow
            };
            let info = newest(&same)?;
            let title = format!("{}, {key}, {period}", info.title);
            let download = place.download();
            let description = format!("Published by {}. {}", info.placed.name, PROMISE);
            Some(Facts {
                title: Some(title),
                period: Some(period.clone()),
                download,
                ..about(info, description)
            })
        }
        _ => None,
    }
}

const PROMISE: &str =
    "Signed by its publisher, with the source data and the formula, so that anyone can run it again.";

fn about(info: &ReleaseInfo, description: String) -> Facts {
    Facts { description: Some(description), publisher: Some(info.placed.name.clone()), ..Facts::default() }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
