//! What people and programs see: text or one JSON document on stdout, progress and errors on
//! stderr.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;

use crate::args::{ColorChoice, GlobalArgs};
use crate::error::CommandError;

/// Where output goes, and how.
#[derive(Debug, Clone)]
pub struct Printer {
    /// One JSON document instead of text.
    pub json: bool,
    quiet: bool,
    color: bool,
}

/// How a word is to look where colour is shown.
#[derive(Debug, Clone, Copy)]
pub enum TextStyle {
    /// Good news.
    Good,
    /// Bad news.
    Bad,
    /// Of less weight.
    Dim,
    /// Of more weight.
    Bold,
}

impl Printer {
    /// As the global flags, the environment and the terminal say.
    pub fn new(global: &GlobalArgs) -> Self {
        let color = match global.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        };
        Self { json: global.json, quiet: global.quiet, color }
    }

    /// For a program, before the flags could be read.
    pub fn json_only() -> Self {
        Self { json: true, quiet: false, color: false }
    }

    /// Asks a person at the terminal; `None` when nobody is there to answer.
    pub fn ask_user(&self, question: &str) -> Option<String> {
        if self.json || self.quiet || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return None;
        }
        write!(io::stderr(), "{question}: ").ok()?;
        let mut line = String::new();
        io::stdin().read_line(&mut line).ok()?;
        let answer = line.trim().to_owned();
        (!answer.is_empty()).then_some(answer)
    }

    /// Whether a person reads along at a terminal.
    pub fn is_interactive(&self) -> bool {
        !self.json && !self.quiet && io::stdout().is_terminal()
    }

    /// A line for people; nothing when a program listens.
    pub fn print_line(&self, line: impl Display) {
        if !self.json && !self.quiet {
            write_stdout(&format!("{line}\n"));
        }
    }

    /// The result for programs: one document.
    pub fn print_json(&self, value: &impl Serialize) {
        if self.json {
            write_stdout(&format!("{}\n", serde_json::to_string_pretty(value).unwrap_or_default()));
        }
    }

    /// One line of a stream of documents (NDJSON).
    pub fn print_json_line(&self, value: &impl Serialize) {
        if self.json {
            write_stdout(&format!("{}\n", serde_json::to_string(value).unwrap_or_default()));
        }
    }

    /// Text that is the result itself (CSV), whatever the other flags.
    pub fn print_raw(&self, text: &str) {
        write_stdout(text);
    }

    /// A result that is too large to be held as text.
    pub fn write_stream(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if write(&mut io::stdout().lock()).is_err() {
            exit_on_closed_pipe();
        }
    }

    /// A word in its tone.
    pub fn style_text(&self, tone: TextStyle, word: impl Display) -> String {
        if !self.color {
            return word.to_string();
        }
        let code = match tone {
            TextStyle::Good => "32",
            TextStyle::Bad => "31",
            TextStyle::Dim => "2",
            TextStyle::Bold => "1",
        };
        format!("\x1b[{code}m{word}\x1b[0m")
    }

    /// A word on the left, what it is about on the right.
    pub fn print_field(&self, name: &str, value: impl Display) {
        self.print_line(format_args!("{} {value}", self.style_text(TextStyle::Dim, format!("{name:<11}"))));
    }

    /// The next commands to try.
    pub fn suggest_commands(&self, commands: &[String]) {
        if commands.is_empty() {
            return;
        }
        self.print_line("");
        for command in commands {
            self.print_line(format_args!("  {} {command}", self.style_text(TextStyle::Dim, "$")));
        }
    }

    /// An error, with its hints.
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
        // Nobody may be reading.
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// A bar for work of `total` bytes; hidden unless a person watches.
    pub fn progress_bar(&self, total: u64, what: &str) -> ProgressBar {
        if self.json || self.quiet || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(total);
        let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar
    }
}

/// Writes to stdout. A reader that has gone away ends the command in peace.
fn write_stdout(text: &str) {
    let mut out = io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        exit_on_closed_pipe();
    }
}

/// Nobody reads any more.
fn exit_on_closed_pipe() -> ! {
    std::process::exit(0);
}
