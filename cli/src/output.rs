//! Output: text or one JSON document on stdout, progress and errors on stderr.
//!
//! Names, titles, reasons, cells and error messages come from strangers, and must not look like lines of this
//! program. So a [`Printer`] writes exactly one line for each call of [`Printer::print_line`] and
//! [`Printer::print_field`], whatever the value contains, and shows hidden characters as escapes (`\u{200b}`).
//! Foreign text of several lines goes through [`Printer::print_quoted`], which marks each line with `| `. A
//! foreign text never stands first in a line: a label, a mark or a blank comes before it.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use schemas::text::is_hidden;
use serde::Serialize;
use serde_json::json;

use crate::args::{ColorChoice, GlobalArgs};
use crate::error::{CommandError, ErrorCategory};
use crate::format;

/// Prints text, JSON, progress and errors as the global flags select.
#[derive(Debug, Clone)]
pub struct Printer {
    /// Prints one JSON document instead of text.
    pub json: bool,
    quiet: bool,
    color: bool,
}

/// Width of the column of labels.
const LABEL_WIDTH: usize = 11;

/// Indentation of the lines of an error after its first one, which follows `error: `.
const ERROR_INDENT: &str = "       ";

/// The codes that [`Printer::style_text`] writes.
const STYLE_CODES: [&str; 5] = ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m"];

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

    /// Prints one line of text; nothing with `--json` or `--quiet`. A line feed in `line` is shown as an
    /// escape, like every hidden character.
    pub fn print_line(&self, line: impl Display) {
        if !self.json && !self.quiet {
            write_stdout(&format!("{}\n", self.escape_unstyled(&line.to_string())));
        }
    }

    /// Escapes hidden characters, except the style codes of this printer.
    fn escape_unstyled(&self, line: &str) -> String {
        let mut parts = line.split('\x1b');
        let mut text = escape_hidden(parts.next().unwrap_or_default());
        for part in parts {
            let code = STYLE_CODES.iter().filter_map(|code| code.strip_prefix('\x1b'));
            match code.into_iter().find(|code| self.color && part.starts_with(code)) {
                Some(code) => {
                    text += &format!("\x1b{code}{}", escape_hidden(part.strip_prefix(code).unwrap_or(part)))
                }
                None => text += &escape_hidden(&format!("\x1b{part}")),
            }
        }
        text
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

    /// Prints a name in the left column and a value of one line in the right one.
    pub fn print_field(&self, name: &str, value: impl Display) {
        let label = self.style_text(TextStyle::Dim, format!("{name:<LABEL_WIDTH$}"));
        self.print_line(format_args!("{label} {value}"));
    }

    /// Prints a foreign text of any number of lines in the right column, each line after the mark `| `.
    /// Long lines are wrapped, so that a terminal does not begin a line with the text.
    pub fn print_quoted(&self, name: &str, text: &str) {
        let mark = self.style_text(TextStyle::Dim, "|");
        let mut name = name;
        for line in text.trim_end().split('\n') {
            for part in format::wrap_line(&line.replace('\t', "    "), LABEL_WIDTH + 3) {
                self.print_field(name, format_args!("{mark} {part}"));
                name = "";
            }
        }
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
            text +=
                &format!("{} {}\n", self.style_text(TextStyle::Bad, "error:"), indent_lines(&error.message));
            for hint in &error.hints {
                text += &format!("{} {}\n", self.style_text(TextStyle::Dim, " hint:"), indent_lines(hint));
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
        bar.set_message(escape_hidden(label));
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

/// Shows hidden characters of a foreign text as escapes, such as `\u{200b}`; the result is one line.
pub fn escape_hidden(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            line.extend(c.escape_unicode());
        } else {
            line.push(c);
        }
    }
    line
}

/// Escapes the lines of a message and indents those after the first: no line but the first has a label.
fn indent_lines(message: &str) -> String {
    let mut lines = message.split('\n').map(|line| escape_hidden(&line.replace('\t', "    ")));
    let first = lines.next().unwrap_or_default();
    lines.fold(first, |text, line| match line.as_str() {
        "" => text + "\n",
        line => format!("{text}\n{ERROR_INDENT}{line}"),
    })
}

/// Standard error for logs: one line for each event, with hidden characters as escapes.
#[derive(Debug, Clone, Copy)]
pub struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        // The subscriber writes an event with one call, and ends it with a line feed.
        let text = String::from_utf8_lossy(event);
        let line = escape_hidden(text.strip_suffix('\n').unwrap_or(&text));
        io::stderr().write_all(format!("{line}\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn printer(color: bool) -> Printer {
        Printer { json: false, quiet: false, color }
    }

    #[test]
    fn hidden_characters_are_shown() {
        assert_eq!(escape_hidden("a\nb\u{202e}\u{200b}é"), "a\\u{a}b\\u{202e}\\u{200b}é");
        assert_eq!(indent_lines("a\n\nb\tc\r\nd\n"), "a\n\n       b    c\\u{d}\n       d\n");
    }

    #[test]
    fn only_own_style_codes_reach_a_terminal() {
        let check = |color: bool, line: &str, shown: &str| {
            assert_eq!(printer(color).escape_unstyled(line), shown, "{line:?}");
        };
        let styled = printer(true).style_text(TextStyle::Good, "a\nb");
        check(true, &styled, "\x1b[32ma\\u{a}b\x1b[0m");
        check(true, "\x1b[2K\x1b[1Aa", "\\u{1b}[2K\\u{1b}[1Aa");
        check(true, "\x1b]0;title\x07\x1b", "\\u{1b}]0;title\\u{7}\\u{1b}");
        check(false, "\x1b[32ma", "\\u{1b}[32ma");
    }
}
