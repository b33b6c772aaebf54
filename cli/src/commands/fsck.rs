//! `assay fsck`: checks the blocks and the index of the data directory.

use serde_json::json;
use store::{FsckFinding, Store};

use crate::args::{FsckArgs, GlobalArgs};
use crate::backend::open_home;
use crate::error::{CommandError, ErrorCategory};
use crate::format;
use crate::output::{Printer, TextStyle};

pub(super) fn run(global: &GlobalArgs, args: &FsckArgs, printer: &Printer) -> Result<u8, CommandError> {
    let dir = open_home(global)?.store();
    let opened = if args.rebuild_index { Store::rebuild_index(&dir) } else { Store::open(&dir) };
    let (store, _) = opened.map_err(node::Error::from)?;
    // The total is known only when the check has begun.
    let bar = printer.progress_bar(1, "checking");
    let report = store.fsck(&mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let report = report.map_err(node::Error::from)?;
    let findings: Vec<String> = report.findings.iter().map(describe_finding).collect();
    printer.print_json(&json!({
        "clean": report.is_clean(), "blocks": report.blocks, "bytes": report.bytes,
        "findings": findings, "more": report.unlisted,
    }));
    printer.print_field(
        "checked",
        format!(
            "{}, {} bytes",
            format::format_count(report.blocks, "block", "blocks"),
            format::group_digits(report.bytes)
        ),
    );
    if report.is_clean() {
        printer.print_field("result", printer.style_text(TextStyle::Good, "clean"));
        return Ok(0);
    }
    for finding in &findings {
        printer.print_field("finding", finding);
    }
    let message = format!("{} findings", findings.len() as u64 + report.unlisted);
    Err(CommandError::new(ErrorCategory::Failure, "fsck", message)
        .hint("`assay fsck --rebuild-index` rebuilds a damaged index from the archive"))
}

fn describe_finding(finding: &FsckFinding) -> String {
    let hex = |key: &[u8]| key.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    match finding {
        FsckFinding::Damaged { segment, offset, detail, .. } => {
            format!("segment {segment}, byte {offset}: {detail}")
        }
        FsckFinding::Missing { tree, key } => format!("index `{tree}`: key {} is missing", hex(key)),
        FsckFinding::Orphaned { tree, key } => {
            format!("index `{tree}`: key {} is not in the archive", hex(key))
        }
        FsckFinding::Differs { tree, key } => {
            format!("index `{tree}`: key {} differs from the archive", hex(key))
        }
        // `FsckFinding` is non-exhaustive: a finding that is not known here is shown as it is.
        other => format!("{other:?}"),
    }
}
