//! Runs the examples of a VTL manual:
//! `vtl-kit FOLDER [--only TEXT] [--grammar] [--json] [--faulty FILE]`.
//!
//! `FOLDER` is `v2.2` or `v2.1` of a checkout of `github.com/sdmx-twg/vtl`, or its reference manual.
//! Exit code 1: an example fails that is not on the list of faulty ones; 2: nothing could run.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use conformance::vtl_conformance::report::KitReport;
use conformance::vtl_conformance::{faulty, folder, grammar, run_examples};

#[derive(Default)]
struct Arguments {
    manual: PathBuf,
    only: String,
    grammar: bool,
    json: bool,
    faulty: Option<PathBuf>,
}

fn main() -> ExitCode {
    let report =
        parse_arguments().and_then(|arguments| run_kit(&arguments).map(|report| (arguments, report)));
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

fn run_kit(arguments: &Arguments) -> Result<KitReport, String> {
    let list = arguments.faulty.clone().unwrap_or_else(|| faulty::list_path(&arguments.manual));
    let text = std::fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
    let faulty = faulty::parse_list(&text).map_err(|error| format!("{}: {error}", list.display()))?;
    let mut cases = run_examples(&arguments.manual, &arguments.only)?;
    if arguments.grammar {
        cases
            .extend(grammar::grammar_cases(&folder::read_grammar_tests(&arguments.manual)?, &arguments.only));
    }
    // With `--only` the other listed examples are left out, not absent.
    Ok(KitReport::new(&cases, &faulty, arguments.only.is_empty()))
}

fn parse_arguments() -> Result<Arguments, String> {
    let mut found = Arguments::default();
    let mut given = std::env::args().skip(1);
    while let Some(word) = given.next() {
        let mut next = || given.next().ok_or_else(|| format!("`{word}` needs a value"));
        match word.as_str() {
            "--only" => found.only = next()?,
            "--faulty" => found.faulty = Some(next()?.into()),
            "--grammar" => found.grammar = true,
            "--json" => found.json = true,
            _ if word.starts_with('-') => return Err(format!("`{word}` is not an option of vtl-kit")),
            _ => found.manual = word.into(),
        }
    }
    if found.manual.as_os_str().is_empty() {
        return Err("vtl-kit FOLDER [--only TEXT] [--grammar] [--json] [--faulty FILE]".to_owned());
    }
    Ok(found)
}
