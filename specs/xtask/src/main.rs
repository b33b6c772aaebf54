//! Developer commands of this repository, run as `cargo xtask <command>`.
//!
//! The program starts cargo, git and the scripts of the repository; it has no dependency, so that it
//! builds in a second. Each command is a module. `cargo xtask` without arguments lists them.

// A tool for developers reports on the terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod changes;
mod quick;
mod web;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const USAGE: &str = "\
cargo xtask <command>

  quick     format, clippy and unit tests of the crates with changes; about two minutes
  full      every check of CI (.ci/run)
  vectors   writes the test vectors in specs/vectors
  web       builds the pages of the dashboard in node/dashboard/dist (needs npm);
            with --check, fails if the committed ones are not what a build gives
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = repository_root();
    let result = match words.as_slice() {
        ["quick"] => quick::check_changes(&root),
        ["full"] => run_command(Command::new(root.join(".ci/run")).current_dir(&root)),
        ["vectors"] => {
            run_command(cargo_command(&root).args(["run", "-q", "-p", "specs", "--bin", "vectors"]))
        }
        ["web", rest @ ..] => web::build_pages(&root, rest),
        [] | ["help" | "-h" | "--help"] => {
            print!("{USAGE}");
            Ok(())
        }
        [other, ..] => Err(format!("unknown command or too many arguments: `{other}`\n\n{USAGE}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Root of the repository: the folder above `specs/xtask`, wherever the command is started.
fn repository_root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_path_buf()
}

/// The cargo that started this program, in the root of the repository.
fn cargo_command(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Runs a command with the terminal of this program.
///
/// # Errors
/// The command does not start, or ends with another code than 0.
fn run_command(command: &mut Command) -> Result<(), String> {
    let line = command_line(command);
    println!("> {line}");
    let status = command.status().map_err(|error| format!("`{line}` does not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` failed: {status}")) }
}

/// The program name and the arguments of a command, as typed in a shell.
fn command_line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
