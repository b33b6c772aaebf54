//! `assay verify`: reads the documents of a release again, recomputes it and compares every cell; trusts
//! only signatures and arithmetic.

mod figure;
mod screen;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ledger::bundle::{BUNDLE_BYTES_MAX, Bundle};
use ledger::standing::{RootStanding, Standing};
use ledger::verify::{ChainLink, Verification, Verifier};
use ledger::vtl::RunCeilings;
use schemas::address::{Address, SCHEME};
use schemas::cid::{Cid, EntryId, PublisherId, ReleaseId};
use schemas::entry::Entry;
use schemas::seal::Sealed;
use schemas::verdict::Verdict;
use serde_json::{Value, json};

use crate::args::{GlobalArgs, VerifyArgs};
use crate::backend::{Backend, open_home};
use crate::error::{CommandError, EXIT_CONTESTED, EXIT_DIFFERS, EXIT_FAILURE, EXIT_MISSING, EXIT_UNTRUSTED};
use crate::output::Printer;
use figure::{FigureReport, FigureTarget};

/// Exit codes from the most to the least serious: of several roots the first of these decides.
const SEVERITY: [u8; 6] = [EXIT_UNTRUSTED, EXIT_DIFFERS, EXIT_MISSING, EXIT_FAILURE, EXIT_CONTESTED, 0];

/// A root with everything that was found about it.
struct RootReport<'a> {
    bundle: &'a Bundle,
    entry: &'a Sealed<Entry>,
    /// The own publisher of the data directory, whose attestations are shown apart.
    own: Option<PublisherId>,
    /// The verdict; absent when the rules of the object hold and nothing of it can be recomputed.
    verdict: Option<Verdict>,
    /// The verification, for a release.
    verification: Option<Verification>,
    /// The releases above that were run again, each with its verdict.
    runs_above: Vec<(ReleaseId, Verdict)>,
    standing: RootStanding,
    /// Data sets and releases above that are retracted, superseded or contested.
    above: Vec<(Cid, RootStanding)>,
    /// The figures that were named.
    figures: Vec<FigureReport>,
    seconds: f64,
}

pub(super) fn run(global: &GlobalArgs, args: &VerifyArgs, printer: &Printer) -> Result<u8, CommandError> {
    let (bytes, own) = load_bundle(global, &args.target)?;
    let bundle = Bundle::read(&bytes)?;
    let target = FigureTarget::parse(&args.target, args.figure.as_deref())?;
    let ceilings = start_deadline(Duration::from_secs(args.max_seconds));
    let mut reports = Vec::new();
    for root in &bundle.roots {
        reports.push(verify_root(&bundle, *root, own, &target, &ceilings)?);
    }
    if target.is_figure() && reports.iter().all(|report| report.figures.is_empty()) {
        let message = format!("the bundle has no figure {}", target.describe());
        return Err(CommandError::not_found(message).hint(
            "`assay verify` without the key and period verifies all figures; `assay show` lists them",
        ));
    }
    for (at, report) in reports.iter().enumerate() {
        if at > 0 {
            printer.print_line("");
        }
        screen::print_report(report, printer);
    }
    let documents: Vec<Value> = reports.iter().map(RootReport::json).collect();
    printer.print_json(&json!({ "verified": documents }));
    let codes: Vec<u8> = reports.iter().map(RootReport::exit_code).collect();
    Ok(SEVERITY.into_iter().find(|code| codes.contains(code)).unwrap_or(EXIT_FAILURE))
}

/// Loads a bundle: a file, or the bundle of a stored object with the own publisher.
fn load_bundle(global: &GlobalArgs, target: &str) -> Result<(Vec<u8>, Option<PublisherId>), CommandError> {
    let path = Path::new(target);
    if path.is_file() {
        let bytes = node::data_directory::read_bounded(path, BUNDLE_BYTES_MAX as u64)?;
        let bytes = bytes.ok_or_else(|| {
            CommandError::usage(
                "bundle",
                format!("`{target}` is larger than the largest bundle, {BUNDLE_BYTES_MAX} bytes"),
            )
        })?;
        return Ok((bytes, None));
    }
    let named = target.starts_with(SCHEME) || target.parse::<Cid>().is_ok();
    if !named {
        let message = format!("`{target}` is neither a file, an address nor an id");
        return Err(CommandError::not_found(message)
            .hint("addresses look like assay://<publisher>/<dataflow>/<key>/<period>"));
    }
    let backend = Backend::open(&open_home(global)?)?;
    let bytes = backend.load_bundle(backend.resolve_reference(target)?)?;
    Ok((bytes, backend.own_publisher()?))
}

/// The ceilings of a verification that ends after some time. Nobody has to trust the limits that the author
/// of a recipe wrote.
fn start_deadline(limit: Duration) -> RunCeilings {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    // The thread ends with the process; nothing waits for it.
    std::thread::spawn(move || {
        std::thread::sleep(limit);
        flag.store(true, Ordering::Relaxed);
    });
    RunCeilings { stop: Some(stop), ..RunCeilings::default() }
}

fn verify_root<'a>(
    bundle: &'a Bundle,
    root: EntryId,
    own: Option<PublisherId>,
    target: &FigureTarget,
    ceilings: &RunCeilings,
) -> Result<RootReport<'a>, CommandError> {
    let entry = bundle.entries.get(&root).ok_or_else(|| CommandError::not_found(format!("entry {root}")))?;
    let object = entry.value().object();
    let start = Instant::now();
    let fetch = |id: Cid| bundle.block(id);
    let mut verifier = Verifier::new(&fetch).with_ceilings(ceilings.clone());
    let release = ReleaseId::try_from(object).ok().filter(|_| entry.value().object_type == "release");
    let verification = release.map(|release| verifier.verify_release(release));
    let verdict = match &verification {
        Some(verification) => Some(verification.verdict.clone()),
        None => verifier.verify_object(object),
    };
    let seconds = start.elapsed().as_secs_f64();
    let runs = std::mem::take(&mut verifier.chain).into_iter().filter_map(|link| match link {
        ChainLink::Release { id, verdict } if id.cid() != object => Some((id, verdict)),
        _ => None,
    });
    let runs_above = runs.collect();
    let standing = bundle.standing(root);
    let figures = match &verification {
        Some(verification) => figure::find_figures(bundle, entry, verification, &standing, target)?,
        None => Vec::new(),
    };
    let above = bundle.contested_above(root);
    Ok(RootReport {
        bundle,
        entry,
        own,
        verdict,
        verification,
        runs_above,
        standing,
        above,
        figures,
        seconds,
    })
}

impl RootReport<'_> {
    /// The exit code of this root (specs/bundle.md, section 5): that of the figures that were named, else that
    /// of the verdict.
    fn exit_code(&self) -> u8 {
        let contested = self.standing.is_contested() || !self.above.is_empty();
        let verdict = match &self.verdict {
            Some(Verdict::Invalid { .. }) => EXIT_UNTRUSTED,
            Some(Verdict::Missing { .. }) => EXIT_MISSING,
            Some(Verdict::Failed { .. } | Verdict::NotRun { .. }) => EXIT_FAILURE,
            Some(Verdict::Differs { .. }) if self.figures.is_empty() => EXIT_DIFFERS,
            _ if contested && self.figures.is_empty() => EXIT_CONTESTED,
            _ => 0,
        };
        let figures = self.figures.iter().map(|figure| match figure.standing {
            Standing::Holds if !self.above.is_empty() => EXIT_CONTESTED,
            Standing::Holds => 0,
            Standing::DoesNotHold => EXIT_DIFFERS,
            Standing::Contested => EXIT_CONTESTED,
            Standing::Unchecked => EXIT_FAILURE,
        });
        let codes: Vec<u8> = figures.chain([verdict]).collect();
        SEVERITY.into_iter().find(|code| codes.contains(code)).unwrap_or(EXIT_FAILURE)
    }

    /// The name that a publisher chose for itself.
    fn publisher_name(&self, publisher: &PublisherId) -> String {
        self.bundle.identities.get(publisher).map(|identity| identity.name.to_string()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        let entry = self.entry.value();
        let publisher = self.entry.publisher();
        let mut document = json!({
            "entry": self.entry.id(), "kind": entry.object_type, "object": entry.object(),
            "publisher": publisher, "name": self.publisher_name(&publisher),
            "seq": entry.seq(), "time": entry.time, "signature": "valid",
            "verdict": self.verdict, "word": self.verdict.as_ref().map(Verdict::as_str),
            "standing": self.standing, "seconds": self.seconds,
            "runs_above": self.runs_above.iter().map(|(id, verdict)| json!({ "release": id, "verdict": verdict })).collect::<Vec<_>>(),
            "above": self.above.iter().map(|(id, standing)| json!({ "object": id, "standing": standing })).collect::<Vec<_>>(),
            "documents": screen::list_documents(self), "not_proven": screen::not_proven(self),
            "figure": if self.figures.is_empty() { Value::Null } else { json!(self.figures) },
        });
        if let (Some(verification), Value::Object(fields)) = (&self.verification, &mut document) {
            let attestations: Vec<Value> = self
                .bundle
                .attestations(verification.release.cid())
                .iter()
                .map(|(attestor, said)| {
                    json!({ "attestor": attestor, "name": self.publisher_name(attestor), "verdict": said.verdict })
                })
                .collect();
            let more = json!({
                "results": verification.results, "steps": verification.steps, "sources": verification.sources,
                "attestations": attestations,
            });
            fields.extend(more.as_object().cloned().unwrap_or_default());
        }
        document
    }
}

/// The components of a row by id, as text; null for a missing value.
fn row_cells(table: &schemas::table::Table, row: usize) -> BTreeMap<String, Option<String>> {
    let parts = table.shape().components().iter().zip(table.columns());
    parts.map(|(part, column)| (part.id.to_string(), column.cell(row).map(|cell| cell.to_string()))).collect()
}

/// The address of a figure in a release that the bundle carries.
fn figure_address(entry: &Sealed<Entry>, dataflow: &schemas::text::Name) -> Address {
    Address::new(entry.publisher(), dataflow.clone())
}
