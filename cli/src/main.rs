//! The `assay` command: the only part of the project that talks to a person.

// An error ends the command: it is made once, and its size costs nothing.
#![allow(clippy::result_large_err)]

mod args;
mod backend;
mod commands;
mod fault;
mod net;
mod pick;
mod plan;
mod screen;
mod source;
mod versions;
mod view;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;
use crate::fault::Fault;
use crate::screen::Screen;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(asked) if asked.use_stderr() && std::env::args().any(|arg| arg == "--json") => {
            let fault = Fault::misuse(&asked.to_string());
            Screen::documents().fault(&fault);
            return ExitCode::from(fault.exit());
        }
        Err(asked) => {
            // A pipe closed by the reader is no failure.
            let _ = asked.print();
            return ExitCode::from(if asked.use_stderr() { 2 } else { 0 });
        }
    };
    let screen = Screen::new(&args.global);
    match commands::run(args, &screen) {
        Ok(code) => ExitCode::from(code),
        Err(fault) => {
            screen.fault(&fault);
            ExitCode::from(fault.exit())
        }
    }
}
