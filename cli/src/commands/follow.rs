//! `assay follow` and `assay unfollow`.

use schemas::cid::PublisherId;
use serde_json::json;

use crate::args::{FollowArgs, GlobalArgs};
use crate::backend::{Backend, open_home};
use crate::error::CommandError;
use crate::output::Printer;

pub(super) fn run(
    global: &GlobalArgs,
    args: &FollowArgs,
    printer: &Printer,
    follow: bool,
) -> Result<u8, CommandError> {
    let publisher: PublisherId = args.publisher.parse().map_err(|error: schemas::cid::Error| {
        CommandError::usage("publisher", error.to_string())
            .hint("`assay show` lists publishers with their ids; `assay init` prints your own")
    })?;
    let mut backend = Backend::open(&open_home(global)?)?;
    backend.set_following(publisher, follow)?;
    printer.print_json(&json!({ "publisher": publisher, "followed": follow }));
    let words = if follow { "following" } else { "no longer following" };
    printer.print_field(words, publisher);
    if follow && !backend.is_node_running() {
        printer.suggest_commands(&["assay peer add <multiaddr>".into(), "assay node".into()]);
    }
    Ok(0)
}
