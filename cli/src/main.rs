//! The `assay` command, the only crate that prints and reads the command line.

// An error ends the command: it is made once, and its size costs nothing.
#![allow(clippy::result_large_err)]

mod args;
mod backend;
mod commands;
mod dataset_versions;
mod error;
mod format;
mod output;
mod recipe_source;
mod remote_source;
mod source_document;

use std::process::ExitCode;

use clap::Parser;

use crate::args::CommandLine;
use crate::error::CommandError;
use crate::output::Printer;

fn main() -> ExitCode {
    let args = match CommandLine::try_parse() {
        Ok(args) => args,
        // The arguments were not parsed, so the flag is looked up among the words.
        Err(usage) if usage.use_stderr() && std::env::args().any(|arg| arg == "--json") => {
            let error = CommandError::from_parser(&usage.to_string());
            Printer::json_only().print_error(&error);
            return ExitCode::from(error.exit_code());
        }
        Err(usage) => {
            // `--help` arrives here too. A pipe that the reader closed is not a failure.
            let _ = usage.print();
            return ExitCode::from(if usage.use_stderr() { 2 } else { 0 });
        }
    };
    let printer = Printer::new(&args.global);
    match commands::run(args, &printer) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            printer.print_error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}
