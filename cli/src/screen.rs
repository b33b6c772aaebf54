//! What people and programs see: text or one JSON document on stdout, progress and errors on
//! stderr.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;

use crate::args::{Color, Global};
use crate::fault::Fault;

/// Where output goes, and how.
#[derive(Debug, Clone)]
pub struct Screen {
    /// One JSON document instead of text.
    pub json: bool,
    quiet: bool,
    color: bool,
}

/// How a word is to look where colour is shown.
#[derive(Debug, Clone, Copy)]
pub enum Tone {
    /// Good news.
    Good,
    /// Bad news.
    Bad,
    /// Of less weight.
    Dim,
    /// Of more weight.
    Bold,
}

impl Screen {
    /// As the global flags, the environment and the terminal say.
    pub fn new(global: &Global) -> Self {
        let color = match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        };
        Self { json: global.json, quiet: global.quiet, color }
    }

    /// For a program, before the flags could be read.
    pub fn documents() -> Self {
        Self { json: true, quiet: false, color: false }
    }

    /// Asks a person at the terminal; `None` when nobody is there to answer.
    pub fn ask(&self, question: &str) -> Option<String> {
        if self.json || self.quiet || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return None;
        }
        write!(io::stderr(), "{question}: ").ok()?;
        let mut line = String::new();
        io::stdin().read_line(&mut line).ok()?;
        let answer = line.trim().to_owned();
        (!answer.is_empty()).then_some(answer)
    }

    /// A line for people; nothing when a program listens.
    pub fn say(&self, line: impl Display) {
        if !self.json && !self.quiet {
            print(&format!("{line}\n"));
        }
    }

    /// The result for programs: one document.
    pub fn document(&self, value: &impl Serialize) {
        if self.json {
            print(&format!("{}\n", serde_json::to_string_pretty(value).unwrap_or_default()));
        }
    }

    /// One line of a stream of documents (NDJSON).
    pub fn record(&self, value: &impl Serialize) {
        if self.json {
            print(&format!("{}\n", serde_json::to_string(value).unwrap_or_default()));
        }
    }

    /// Text that is the result itself (CSV), whatever the other flags.
    pub fn raw(&self, text: &str) {
        print(text);
    }

    /// A result that is too large to be held as text.
    pub fn stream(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if write(&mut io::stdout().lock()).is_err() {
            gone();
        }
    }

    /// A word in its tone.
    pub fn paint(&self, tone: Tone, word: impl Display) -> String {
        if !self.color {
            return word.to_string();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Dim => "2",
            Tone::Bold => "1",
        };
        format!("\x1b[{code}m{word}\x1b[0m")
    }

    /// A word on the left, what it is about on the right.
    pub fn field(&self, name: &str, value: impl Display) {
        self.say(format_args!("{} {value}", self.paint(Tone::Dim, format!("{name:<11}"))));
    }

    /// The next commands to try.
    pub fn next(&self, commands: &[String]) {
        if commands.is_empty() {
            return;
        }
        self.say("");
        for command in commands {
            self.say(format_args!("  {} {command}", self.paint(Tone::Dim, "$")));
        }
    }

    /// An error, with its hints.
    pub fn fault(&self, fault: &Fault) {
        let mut text = String::new();
        if self.json {
            let value = json!({ "error": {
                "code": fault.code, "message": fault.message, "hints": fault.hints, "exit": fault.exit(),
            }});
            text = format!("{}\n", serde_json::to_string_pretty(&value).unwrap_or_default());
        } else {
            text += &format!("{} {}\n", self.paint(Tone::Bad, "error:"), fault.message);
            for hint in &fault.hints {
                text += &format!("{} {hint}\n", self.paint(Tone::Dim, " hint:"));
            }
        }
        // Nobody may be reading.
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// A bar for work of `total` bytes; hidden unless a person watches.
    pub fn bar(&self, total: u64, what: &str) -> ProgressBar {
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
fn print(text: &str) {
    let mut out = io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        gone();
    }
}

/// Nobody reads any more.
fn gone() -> ! {
    std::process::exit(0);
}
