//! `assay export`: writes a bundle for offline verification.

use serde_json::json;

use crate::args::{ExportArgs, GlobalArgs};
use crate::backend::{Backend, open_home};
use crate::error::CommandError;
use crate::format;
use crate::output::{self, Printer};

pub(super) fn run(global: &GlobalArgs, args: &ExportArgs, printer: &Printer) -> Result<u8, CommandError> {
    let backend = Backend::open(&open_home(global)?)?;
    let id = backend.resolve_reference(&args.target)?;
    let bytes = backend.load_bundle(id)?;
    output::write_file(&args.output, &bytes)?;
    printer.print_json(&json!({ "id": id, "file": args.output, "bytes": bytes.len() }));
    printer.print_field(
        "written",
        format!("{} ({} bytes)", args.output.display(), format::group_digits(bytes.len() as u64)),
    );
    printer.suggest_commands(&[format!("assay verify {}", args.output.display())]);
    Ok(0)
}
