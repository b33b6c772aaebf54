//! Computes published figures again: `published-checks FOLDER [--family TEXT] [--json]`.
//!
//! `FOLDER` contains `published_checks.csv` and the files of the agencies. Exit code 1: a row has
//! another result than expected (reproduced, or a known difference); 2: nothing could run.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Default)]
struct Arguments {
    data: PathBuf,
    family: String,
    json: bool,
}

fn main() -> ExitCode {
    let report = parse_arguments().and_then(|arguments| {
        conformance::published_figures::check_figures(&arguments.data, &arguments.family)
            .map(|report| (arguments, report))
    });
    let (text, code) = match report {
        Ok((arguments, report)) => {
            let text = if arguments.json { report.json() } else { report.text() };
            (text, u8::from(!report.passes()))
        }
        Err(error) => (format!("{error}\n"), 2),
    };
    // A closed pipe is not an error: the reader has seen enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::from(code)
}

fn parse_arguments() -> Result<Arguments, String> {
    let mut found = Arguments::default();
    let mut given = std::env::args().skip(1);
    while let Some(word) = given.next() {
        match word.as_str() {
            "--family" => found.family = given.next().ok_or("`--family` needs a value")?,
            "--json" => found.json = true,
            _ if word.starts_with('-') => {
                return Err(format!("`{word}` is not an option of published-checks"));
            }
            _ => found.data = word.into(),
        }
    }
    if found.data.as_os_str().is_empty() {
        return Err("published-checks FOLDER [--family TEXT] [--json]".to_owned());
    }
    Ok(found)
}
