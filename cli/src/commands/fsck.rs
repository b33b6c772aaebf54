//! `assay fsck`: is what is kept what it should be?

use node::store::{FsckFinding, Store};
use serde_json::json;

use crate::args::{Fsck, Global};
use crate::backend::home;
use crate::fault::{Fault, Kind};
use crate::screen::{Screen, Tone};
use crate::view;

pub(super) fn run(global: &Global, args: &Fsck, screen: &Screen) -> Result<u8, Fault> {
    let dir = home(global)?.store();
    let opened = if args.rebuild_index { Store::rebuild_index(&dir) } else { Store::open(&dir) };
    let (store, _) = opened.map_err(node::Error::from)?;
    let bar = screen.bar(1, "checking");
    let report = store.fsck(&mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let report = report.map_err(node::Error::from)?;
    let findings: Vec<String> = report.findings.iter().map(words).collect();
    screen.document(&json!({
        "clean": report.is_clean(), "blocks": report.blocks, "bytes": report.bytes,
        "findings": findings, "more": report.unlisted,
    }));
    screen.field(
        "checked",
        format!("{}, {} bytes", view::count(report.blocks, "block", "blocks"), view::grouped(report.bytes)),
    );
    if report.is_clean() {
        screen.field("result", screen.paint(Tone::Good, "clean"));
        return Ok(0);
    }
    for finding in &findings {
        screen.field("finding", finding);
    }
    let message = format!("{} findings", findings.len() as u64 + report.unlisted);
    Err(Fault::new(Kind::Failure, "fsck", message)
        .hint("`assay fsck --rebuild-index` makes a damaged index anew"))
}

fn words(finding: &FsckFinding) -> String {
    let hex = |key: &[u8]| key.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    match finding {
        FsckFinding::Damaged { segment, offset, detail, .. } => {
            format!("segment {segment}, byte {offset}: {detail}")
        }
        FsckFinding::Missing { tree, key } => format!("index `{tree}`: key {} is absent", hex(key)),
        FsckFinding::Orphaned { tree, key } => {
            format!("index `{tree}`: key {} is not in the archive", hex(key))
        }
        FsckFinding::Differs { tree, key } => {
            format!("index `{tree}`: key {} has another value than the archive", hex(key))
        }
        other => format!("{other:?}"),
    }
}
