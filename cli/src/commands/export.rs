//! `assay export`: a bundle for offline verification.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use serde_json::json;

use crate::args::{Export, Global};
use crate::backend::{Backend, home};
use crate::fault::{Fault, Kind};
use crate::screen::Screen;
use crate::view;

pub(super) fn run(global: &Global, args: &Export, screen: &Screen) -> Result<u8, Fault> {
    let backend = Backend::open(&home(global)?)?;
    let id = backend.resolve(&args.target)?;
    let bytes = backend.bundle(id)?;
    write(&args.output, &bytes).map_err(|fault| {
        Fault::new(Kind::Failure, "file", format!("cannot write `{}`: {fault}", args.output.display()))
    })?;
    screen.document(&json!({ "id": id, "file": args.output, "bytes": bytes.len() }));
    screen
        .field("written", format!("{} ({} bytes)", args.output.display(), view::grouped(bytes.len() as u64)));
    screen.next(&[format!("assay verify {}", args.output.display())]);
    Ok(0)
}

/// Writes the whole file under another name first, so that nobody finds half of it.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let done =
        File::create(&partial).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    if let Err(fault) = done.and_then(|()| fs::rename(&partial, path)) {
        // What was begun is of no use to anybody; the first fault is the one to tell.
        let _ = fs::remove_file(&partial);
        return Err(fault);
    }
    Ok(())
}
