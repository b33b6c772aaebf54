//! The report on a manual: what fails, what fails as the list says, totals by category.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::faulty::Faulty;
use super::{Case, Class, Finding};

/// How an example stands to the list of faulty ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Passes, as it should.
    Exact,
    /// Passes to the digits printed.
    Digits,
    /// Fails as the list says: the manual is wrong.
    Faulty,
    /// Fails as the list says: the project departs from the manual.
    Design,
    /// Fails, and is not on the list, or fails otherwise than the list says.
    Fails,
    /// Is on the list and passes.
    Passes,
    /// Is on the list, but the manual has no such example.
    Absent,
}

/// A line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The example.
    pub path: String,
    /// How it stands.
    pub verdict: Verdict,
    /// How it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// The first difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
    /// What the list says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Numbers of examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Totals {
    /// All.
    pub examples: usize,
    /// Those that pass exactly.
    pub exact: usize,
    /// Those that pass to the digits printed.
    pub digits: usize,
    /// Those that fail as the list says, because the manual is wrong.
    pub faulty: usize,
    /// Those that fail as the list says, by design.
    pub design: usize,
    /// Those that fail otherwise.
    pub fails: usize,
}

/// The report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// One line for each example.
    pub lines: Vec<Line>,
    /// By category.
    pub categories: BTreeMap<String, Totals>,
    /// Of all.
    pub total: Totals,
}

impl Report {
    /// Sets the cases against the list. `whole` says that every example of the manual is among them,
    /// so that one that is only on the list is told.
    pub fn new(cases: &[Case], faulty: &Faulty, whole: bool) -> Self {
        let mut categories: BTreeMap<String, Totals> = BTreeMap::new();
        let mut lines: Vec<Line> = Vec::new();
        for case in cases {
            let line = line(case, faulty);
            categories.entry(category(&case.path).to_owned()).or_default().count(line.verdict);
            lines.push(line);
        }
        let mut total = Totals::default();
        lines.iter().for_each(|line| total.count(line.verdict));
        if whole {
            // The grammar tests may have been left out as a whole.
            let known = |path: &str| cases.iter().any(|case| case.path == path);
            let absent = faulty.keys().filter(|path| !known(path) && categories.contains_key(category(path)));
            lines.extend(absent.map(|path| Line::new(path, Verdict::Absent, None)));
        }
        Self { lines, categories, total }
    }

    /// Whether nothing fails that is not on the list.
    pub fn passes(&self) -> bool {
        self.total.fails == 0
    }

    /// As JSON.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// As a person reads it.
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.section(&mut out, Verdict::Fails, "fails");
        self.section(&mut out, Verdict::Faulty, "faulty in the manual, as the list says");
        self.section(&mut out, Verdict::Design, "not done by design, as the list says");
        self.section(&mut out, Verdict::Digits, "the same to the digits printed");
        self.section(&mut out, Verdict::Passes, "on the list, but passes");
        self.section(&mut out, Verdict::Absent, "on the list, but not in the manual");
        let total = [("total", &self.total)];
        let rows = self.categories.iter().map(|(name, totals)| (name.as_str(), totals)).chain(total);
        row(&mut out, "", ["all", "exact", "digits", "faulty", "design", "fails"].map(str::to_owned));
        for (name, totals) in rows {
            let Totals { examples, exact, digits, faulty, design, fails } = totals;
            row(&mut out, name, [examples, exact, digits, faulty, design, fails].map(usize::to_string));
        }
        out
    }

    fn section(&self, out: &mut String, verdict: Verdict, title: &str) {
        let lines: Vec<&Line> = self.lines.iter().filter(|line| line.verdict == verdict).collect();
        if lines.is_empty() {
            return;
        }
        out.push_str(&format!("{title}:\n"));
        for line in lines {
            let class = line.class.map_or_else(String::new, |class| format!("  {}", class.word()));
            let told = line
                .reason
                .iter()
                .filter(|_| matches!(verdict, Verdict::Faulty | Verdict::Design))
                .chain(&line.difference)
                .next();
            let told = told.map_or_else(String::new, |told| format!("  {told}"));
            out.push_str(&format!("  {}{class}{told}\n", line.path));
        }
        out.push('\n');
    }
}

/// The first part of a path.
fn category(path: &str) -> &str {
    path.split('/').next().unwrap_or_default()
}

fn row(out: &mut String, name: &str, cells: [String; 6]) {
    // Writing to a text does not fail.
    let _ = write!(out, "{name:32}");
    for cell in cells {
        let _ = write!(out, "{cell:>8}");
    }
    out.push('\n');
}

fn line(case: &Case, faulty: &Faulty) -> Line {
    let entry = faulty.get(&case.path);
    let verdict = match (&case.finding, entry) {
        (Finding::Exact | Finding::Digits, Some(_)) => Verdict::Passes,
        (Finding::Exact, None) => Verdict::Exact,
        (Finding::Digits, None) => Verdict::Digits,
        (Finding::Differs(class, _), Some(entry)) if entry.class == *class => {
            if entry.by_design() {
                Verdict::Design
            } else {
                Verdict::Faulty
            }
        }
        (Finding::Differs(..), _) => Verdict::Fails,
    };
    let difference = match &case.finding {
        Finding::Differs(class, difference) => Some((*class, difference.as_str())),
        _ => None,
    };
    Line { reason: entry.map(|entry| entry.reason.clone()), ..Line::new(&case.path, verdict, difference) }
}

impl Line {
    fn new(path: &str, verdict: Verdict, difference: Option<(Class, &str)>) -> Self {
        let class = difference.map(|(class, _)| class);
        let difference = difference.map(|(_, difference)| difference.to_owned());
        Self { path: path.to_owned(), verdict, class, difference, reason: None }
    }
}

impl Totals {
    fn count(&mut self, verdict: Verdict) {
        self.examples += 1;
        match verdict {
            Verdict::Exact | Verdict::Passes => self.exact += 1,
            Verdict::Digits => self.digits += 1,
            Verdict::Faulty => self.faulty += 1,
            Verdict::Design => self.design += 1,
            Verdict::Fails => self.fails += 1,
            Verdict::Absent => {}
        }
    }
}
