//! `assay export`: writes a bundle for offline verification.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use serde_json::json;

use crate::args::{ExportArgs, GlobalArgs};
use crate::backend::{Backend, open_home};
use crate::error::{CommandError, ErrorCategory};
use crate::format;
use crate::output::Printer;

pub(super) fn run(global: &GlobalArgs, args: &ExportArgs, printer: &Printer) -> Result<u8, CommandError> {
    let backend = Backend::open(&open_home(global)?)?;
    let id = backend.resolve_reference(&args.target)?;
    let bytes = backend.load_bundle(id)?;
    write_atomically(&args.output, &bytes).map_err(|error| {
        CommandError::new(
            ErrorCategory::Failure,
            "file",
            format!("cannot write `{}`: {error}", args.output.display()),
        )
    })?;
    printer.print_json(&json!({ "id": id, "file": args.output, "bytes": bytes.len() }));
    printer.print_field(
        "written",
        format!("{} ({} bytes)", args.output.display(), format::group_digits(bytes.len() as u64)),
    );
    printer.suggest_commands(&[format!("assay verify {}", args.output.display())]);
    Ok(0)
}

/// Writes a file under a temporary name and renames it, so that an incomplete file is never visible.
fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    // Synced before the rename: the name must not point to data that is not on disk.
    let done =
        File::create(&partial).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    if let Err(error) = done.and_then(|()| fs::rename(&partial, path)) {
        // The incomplete file is useless; report the first error, not one of its removal.
        let _ = fs::remove_file(&partial);
        return Err(error);
    }
    Ok(())
}
