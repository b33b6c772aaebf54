//! Output: text or one JSON document on stdout, progress and errors on stderr.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;

use crate::args::{ColorChoice, GlobalArgs};
use crate::error::{CommandError, ErrorCategory};

/// Prints text, JSON, progress and errors as the global flags select.
#[derive(Debug, Clone)]
pub struct Printer {
    /// Prints one JSON document instead of text.
    pub json: bool,
    quiet: bool,
    color: bool,
}

/// Style of a text on a terminal with colours.
#[derive(Debug, Clone, Copy)]
pub enum TextStyle {
    /// Success.
    Good,
    /// Failure.
    Bad,
    /// Secondary text.
    Dim,
    /// Emphasis.
    Bold,
}

impl Printer {
    /// Creates a printer from the global flags, the environment and the terminal.
    pub fn new(global: &GlobalArgs) -> Self {
        let color = match global.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        };
        Self { json: global.json, quiet: global.quiet, color }
    }

    /// Creates a printer of JSON, for errors before the flags are parsed.
    pub fn json_only() -> Self {
        Self { json: true, quiet: false, color: false }
    }

    /// Asks the user for a line of text; `None` without a terminal or with an empty answer.
    pub fn ask_user(&self, question: &str) -> Option<String> {
        // A script cannot answer; the caller then reports the missing argument.
        if self.json || self.quiet || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return None;
        }
        write!(io::stderr(), "{question}: ").ok()?;
        let mut line = String::new();
        io::stdin().read_line(&mut line).ok()?;
        let answer = line.trim().to_owned();
        (!answer.is_empty()).then_some(answer)
    }

    /// Returns whether text goes to a terminal.
    pub fn is_interactive(&self) -> bool {
        !self.json && !self.quiet && io::stdout().is_terminal()
    }

    /// Prints a line of text; nothing with `--json` or `--quiet`.
    pub fn print_line(&self, line: impl Display) {
        if !self.json && !self.quiet {
            write_stdout(&format!("{line}\n"));
        }
    }

    /// Prints the result as one JSON document; nothing without `--json`.
    pub fn print_json(&self, value: &impl Serialize) {
        if self.json {
            write_stdout(&format!("{}\n", serde_json::to_string_pretty(value).unwrap_or_default()));
        }
    }

    /// Prints one line of a stream of JSON documents (NDJSON); nothing without `--json`.
    pub fn print_json_line(&self, value: &impl Serialize) {
        if self.json {
            write_stdout(&format!("{}\n", serde_json::to_string(value).unwrap_or_default()));
        }
    }

    /// Prints a text result such as CSV, regardless of the flags.
    pub fn print_raw(&self, text: &str) {
        write_stdout(text);
    }

    /// Streams a result to stdout that is too large for memory.
    pub fn write_stream(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if write(&mut io::stdout().lock()).is_err() {
            exit_on_closed_pipe();
        }
    }

    /// Returns a text with the escape codes of a style, or unchanged without colours.
    pub fn style_text(&self, tone: TextStyle, text: impl Display) -> String {
        if !self.color {
            return text.to_string();
        }
        // Only basic colours (ECMA-48), which follow the theme of the terminal.
        let code = match tone {
            TextStyle::Good => "32",
            TextStyle::Bad => "31",
            TextStyle::Dim => "2",
            TextStyle::Bold => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// Prints a name in the left column and a value in the right one.
    pub fn print_field(&self, name: &str, value: impl Display) {
        self.print_line(format_args!("{} {value}", self.style_text(TextStyle::Dim, format!("{name:<11}"))));
    }

    /// Prints commands that the user may run next.
    pub fn suggest_commands(&self, commands: &[String]) {
        if commands.is_empty() {
            return;
        }
        self.print_line("");
        for command in commands {
            self.print_line(format_args!("  {} {command}", self.style_text(TextStyle::Dim, "$")));
        }
    }

    /// Prints an error with its hints to stderr.
    pub fn print_error(&self, error: &CommandError) {
        let mut text = String::new();
        if self.json {
            let value = json!({ "error": {
                "code": error.code, "message": error.message, "hints": error.hints, "exit": error.exit_code(),
            }});
            text = format!("{}\n", serde_json::to_string_pretty(&value).unwrap_or_default());
        } else {
            text += &format!("{} {}\n", self.style_text(TextStyle::Bad, "error:"), error.message);
            for hint in &error.hints {
                text += &format!("{} {hint}\n", self.style_text(TextStyle::Dim, " hint:"));
            }
        }
        // stderr may be closed, and there is no other place to report that.
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// Creates a progress bar for `total` bytes; hidden unless stderr is a terminal.
    pub fn progress_bar(&self, total: u64, label: &str) -> ProgressBar {
        if self.json || self.quiet || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(total);
        let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(label.to_owned());
        bar
    }
}

/// Writes a file, whole or not at all.
///
/// # Errors
/// When the file cannot be written.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    write_atomically(path, bytes).map_err(|error| {
        CommandError::new(
            ErrorCategory::Failure,
            "file",
            format!("cannot write `{}`: {error}", path.display()),
        )
    })
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

/// Writes to stdout; ends the process when the reader has closed the pipe.
fn write_stdout(text: &str) {
    let mut out = io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        exit_on_closed_pipe();
    }
}

/// Ends the process with success: `assay … | head` is not a failure.
fn exit_on_closed_pipe() -> ! {
    std::process::exit(0);
}
