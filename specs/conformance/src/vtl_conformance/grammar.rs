//! Grammar tests of the standard: scripts that its grammar accepts, and scripts that it rejects.
//!
//! A file is a sequence of scripts, separated by blank lines. A line `## …` before a script is the
//! parse tree of the standard's parser, and is skipped. The scripts to reject have no final semicolon;
//! it is added, so that they are rejected for their own error. Only syntax errors count: operators
//! that the engine refuses by name (`eval`, unsupported ones) are accepted by the grammar.

use vtl::{DiagnosticCode, Script};

use super::{ExampleCase, ExampleFinding, FailureClass};

/// A script of a test file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrammarScript {
    /// First line, counted from 1.
    pub line: usize,
    /// Text of the script.
    pub text: String,
}

/// Cases of both files whose path contains `only`.
pub fn grammar_cases([positive, negative]: &[String; 2], only: &str) -> Vec<ExampleCase> {
    let named = |file: &str, sample: &GrammarScript| format!("Grammar/{file}/line {}", sample.line);
    let positive = split_scripts(positive).into_iter().map(|sample| ExampleCase {
        path: named("PositiveTests", &sample),
        finding: check_accepted(&sample.text),
    });
    let negative = split_scripts(negative).into_iter().map(|sample| ExampleCase {
        path: named("NegativeTests", &sample),
        finding: check_rejected(&sample.text),
    });
    positive.chain(negative).filter(|case| case.path.contains(only)).collect()
}

fn split_scripts(file: &str) -> Vec<GrammarScript> {
    let mut found: Vec<GrammarScript> = Vec::new();
    let mut open = false;
    for (at, line) in file.lines().enumerate() {
        if line.trim().is_empty() {
            open = false;
        } else if line.starts_with("## ") && !open {
            // The parse tree of the script that follows.
        } else if open {
            found.iter_mut().next_back().into_iter().for_each(|sample| sample.text += &format!("{line}\n"));
        } else {
            found.push(GrammarScript { line: at + 1, text: format!("{line}\n") });
            open = true;
        }
    }
    found
}

fn check_accepted(text: &str) -> ExampleFinding {
    match syntax_error(text) {
        None => ExampleFinding::Exact,
        Some(error) => {
            ExampleFinding::Differs(FailureClass::Parse, format!("{} — {error}", single_line(text)))
        }
    }
}

fn check_rejected(text: &str) -> ExampleFinding {
    match syntax_error(&format!("{text};")) {
        Some(_) => ExampleFinding::Exact,
        None => ExampleFinding::Differs(FailureClass::Accepted, single_line(text)),
    }
}

/// First syntax error of a script.
fn syntax_error(text: &str) -> Option<String> {
    let errors = Script::parse(text).err()?;
    let error =
        errors.iter().find(|error| matches!(error.code, DiagnosticCode::Syntax | DiagnosticCode::Size))?;
    let (line, column) = error.span.line_and_column(text);
    Some(format!("{error} (line {line}, column {column})"))
}

/// A script on one line.
fn single_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_split_at_blank_lines_and_lose_their_trees() {
        let found = split_scripts("// one\nA := B;\n\n\n## Start[X]\nC := D\n+ E;\n");
        let want = [(1, "// one\nA := B;\n"), (6, "C := D\n+ E;\n")];
        assert_eq!(found.iter().map(|s| (s.line, s.text.as_str())).collect::<Vec<_>>(), want);
    }

    #[test]
    fn what_is_refused_by_name_is_accepted_by_the_grammar() {
        assert_eq!(check_accepted("A := B + 1;"), ExampleFinding::Exact);
        assert_eq!(check_accepted("A := random(B, 1);"), ExampleFinding::Exact);
        assert!(matches!(check_accepted("A := B +;"), ExampleFinding::Differs(FailureClass::Parse, _)));
        assert_eq!(check_rejected("A := B +"), ExampleFinding::Exact);
        assert_eq!(
            check_rejected("A := B"),
            ExampleFinding::Differs(FailureClass::Accepted, "A := B".to_owned())
        );
    }
}
