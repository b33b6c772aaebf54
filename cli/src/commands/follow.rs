//! `assay follow` and `assay unfollow`.

use schemas::cid::PublisherId;
use serde_json::json;

use crate::args::{Follow, Global};
use crate::backend::{Backend, home};
use crate::fault::Fault;
use crate::screen::Screen;

pub(super) fn run(global: &Global, args: &Follow, screen: &Screen, follow: bool) -> Result<u8, Fault> {
    let publisher: PublisherId = args.publisher.parse().map_err(|fault: schemas::cid::Error| {
        Fault::usage("publisher", fault.to_string())
            .hint("`assay show` lists publishers, `assay init` prints one's own id")
    })?;
    let mut backend = Backend::open(&home(global)?)?;
    backend.follow(publisher, follow)?;
    screen.document(&json!({ "publisher": publisher, "followed": follow }));
    let words = if follow { "following" } else { "no longer following" };
    screen.field(words, publisher);
    if follow && !backend.is_remote() {
        screen.next(&["assay peer add <multiaddr>".into(), "assay node".into()]);
    }
    Ok(0)
}
