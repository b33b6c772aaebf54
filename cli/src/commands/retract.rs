//! `assay retract`: retracts one of the own releases.

use schemas::cid::{Cid, PublisherId};
use schemas::object::{Retraction, RetractionScope, encode_object};
use schemas::text::Text;
use serde_json::json;
use service::query::ReleaseInfo;

use crate::args::{GlobalArgs, RetractArgs};
use crate::backend::{Backend, open_home};
use crate::error::{CommandError, ErrorCategory};
use crate::output::Printer;

pub(super) fn run(global: &GlobalArgs, args: &RetractArgs, printer: &Printer) -> Result<u8, CommandError> {
    let mut backend = Backend::open(&open_home(global)?)?;
    let own = backend.own_publisher()?.ok_or(service::Error::NoIdentity)?;
    let subject = backend.resolve_reference(&args.target)?;
    let release = find_own_release(&backend, own, subject)?.release;
    let replacement = args.replacement.as_ref().map(|text| backend.resolve_reference(text)).transpose()?;
    if replacement == Some(subject) {
        let message = format!("{subject} cannot replace itself");
        return Err(CommandError::usage("replacement", message));
    }
    let reason = Text::new(args.reason.as_str())?;
    let retraction = Retraction { subject, scope: RetractionScope::Whole, reason, replacement };
    let published = backend.publish_object(&encode_object(&retraction)?, Vec::new())?;
    printer
        .print_json(&json!({ "retraction": published.object, "subject": subject, "published": published }));
    printer
        .print_field("retracted", format!("{subject} ({}, vintage {})", release.dataflow, release.vintage));
    printer.print_quoted("reason", &args.reason);
    printer.print_field("signed", format!("entry {} of {own}", published.seq));
    printer.print_line("it stays in the public log; addresses without a vintage no longer resolve to it");
    printer.suggest_commands(&[format!("assay show {subject}")]);
    Ok(0)
}

/// Finds the release, which must be in the own log.
fn find_own_release(backend: &Backend, own: PublisherId, subject: Cid) -> Result<ReleaseInfo, CommandError> {
    let release = backend.list_releases()?.into_iter().find(|info| info.id.cid() == subject);
    let release = release.ok_or_else(|| {
        CommandError::not_found(format!("{subject} is not a release stored here"))
            .hint("`assay show` lists the stored releases")
    })?;
    // A retraction in the log of another publisher has no effect (specs/objects.md, section 4).
    if release.position.publisher == own {
        return Ok(release);
    }
    let message =
        format!("the release belongs to {}; a publisher can only retract its own", release.position.name);
    Err(CommandError::new(ErrorCategory::Trust, "retract", message)
        .hint("`assay verify` recomputes it; a node with an identity attests the result"))
}
