//! `assay retract`: take a release of one's own back.

use node::service::query::ReleaseInfo;
use schemas::cid::{Cid, PublisherId};
use schemas::object::{Retraction, RetractionScope, encode_object};
use schemas::text::Text;
use serde_json::json;

use crate::args::{Global, Retract};
use crate::backend::{Backend, home};
use crate::fault::{Fault, Kind};
use crate::screen::Screen;

pub(super) fn run(global: &Global, args: &Retract, screen: &Screen) -> Result<u8, Fault> {
    let mut backend = Backend::open(&home(global)?)?;
    let own = backend.own()?.ok_or(node::service::Error::NoIdentity)?;
    let subject = backend.resolve(&args.target)?;
    let release = mine(&backend, own, subject)?.release;
    let replacement = args.replacement.as_ref().map(|text| backend.resolve(text)).transpose()?;
    if replacement == Some(subject) {
        let message = format!("{subject} cannot take its own place");
        return Err(Fault::usage("replacement", message));
    }
    let reason = Text::new(args.reason.as_str())?;
    let retraction = Retraction { subject, scope: RetractionScope::Whole, reason, replacement };
    let published = backend.publish(&encode_object(&retraction)?, Vec::new())?;
    screen.document(&json!({ "retraction": published.object, "subject": subject, "published": published }));
    screen.field("retracted", format!("{subject} ({}, vintage {})", release.dataflow, release.vintage));
    screen.field("reason", &args.reason);
    screen.field("signed", format!("entry {} of {own}", published.seq));
    screen.say("it stays in the log for everybody to see; addresses without a vintage no longer lead to it");
    screen.next(&[format!("assay show {subject}")]);
    Ok(0)
}

/// The release, which has to stand in the own log.
fn mine(backend: &Backend, own: PublisherId, subject: Cid) -> Result<ReleaseInfo, Fault> {
    let release = backend.releases()?.into_iter().find(|info| info.id.cid() == subject);
    let release = release.ok_or_else(|| {
        Fault::absent(format!("{subject} is no release that is held here")).hint("`assay show` lists them")
    })?;
    if release.position.publisher == own {
        return Ok(release);
    }
    let message =
        format!("the release is of {}, and a publisher takes back its own only", release.position.name);
    Err(Fault::new(Kind::Trust, "retract", message)
        .hint("`assay verify` says whether it holds; a node with an identity attests what it finds"))
}
