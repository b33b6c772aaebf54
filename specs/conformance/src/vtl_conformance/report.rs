//! The report on a manual: what fails, what fails as the list says, totals by category.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::faulty::FaultyList;
use super::{ExampleCase, ExampleFinding, FailureClass};

/// How an example stands to the list of faulty ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ExampleVerdict {
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
pub struct ReportLine {
    /// The example.
    pub path: String,
    /// How it stands.
    pub verdict: ExampleVerdict,
    /// How it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    /// The first difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
    /// What the list says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Numbers of examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ExampleTotals {
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
pub struct KitReport {
    /// One line for each example.
    pub lines: Vec<ReportLine>,
    /// By category.
    pub categories: BTreeMap<String, ExampleTotals>,
    /// Of all.
    pub total: ExampleTotals,
}

impl KitReport {
    /// Sets the cases against the list. `whole` says that every example of the manual is among them,
    /// so that one that is only on the list is told.
    pub fn new(cases: &[ExampleCase], faulty: &FaultyList, whole: bool) -> Self {
        let mut categories: BTreeMap<String, ExampleTotals> = BTreeMap::new();
        let mut lines: Vec<ReportLine> = Vec::new();
        for case in cases {
            let line = judge_example(case, faulty);
            categories.entry(example_category(&case.path).to_owned()).or_default().count(line.verdict);
            lines.push(line);
        }
        let mut total = ExampleTotals::default();
        lines.iter().for_each(|line| total.count(line.verdict));
        if whole {
            // The grammar tests may have been left out as a whole.
            let known = |path: &str| cases.iter().any(|case| case.path == path);
            let absent =
                faulty.keys().filter(|path| !known(path) && categories.contains_key(example_category(path)));
            lines.extend(absent.map(|path| ReportLine::new(path, ExampleVerdict::Absent, None)));
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
        self.section(&mut out, ExampleVerdict::Fails, "fails");
        self.section(&mut out, ExampleVerdict::Faulty, "faulty in the manual, as the list says");
        self.section(&mut out, ExampleVerdict::Design, "not done by design, as the list says");
        self.section(&mut out, ExampleVerdict::Digits, "the same to the digits printed");
        self.section(&mut out, ExampleVerdict::Passes, "on the list, but passes");
        self.section(&mut out, ExampleVerdict::Absent, "on the list, but not in the manual");
        let total = [("total", &self.total)];
        let rows = self.categories.iter().map(|(name, totals)| (name.as_str(), totals)).chain(total);
        write_row(&mut out, "", ["all", "exact", "digits", "faulty", "design", "fails"].map(str::to_owned));
        for (name, totals) in rows {
            let ExampleTotals { examples, exact, digits, faulty, design, fails } = totals;
            write_row(&mut out, name, [examples, exact, digits, faulty, design, fails].map(usize::to_string));
        }
        out
    }

    fn section(&self, out: &mut String, verdict: ExampleVerdict, title: &str) {
        let lines: Vec<&ReportLine> = self.lines.iter().filter(|line| line.verdict == verdict).collect();
        if lines.is_empty() {
            return;
        }
        out.push_str(&format!("{title}:\n"));
        for line in lines {
            let class = line.class.map_or_else(String::new, |class| format!("  {}", class.word()));
            let told = line
                .reason
                .iter()
                .filter(|_| matches!(verdict, ExampleVerdict::Faulty | ExampleVerdict::Design))
                .chain(&line.difference)
                .next();
            let told = told.map_or_else(String::new, |told| format!("  {told}"));
            out.push_str(&format!("  {}{class}{told}\n", line.path));
        }
        out.push('\n');
    }
}

/// The first part of a path.
fn example_category(path: &str) -> &str {
    path.split('/').next().unwrap_or_default()
}

fn write_row(out: &mut String, name: &str, cells: [String; 6]) {
    // Writing to a text does not fail.
    let _ = write!(out, "{name:32}");
    for cell in cells {
        let _ = write!(out, "{cell:>8}");
    }
    out.push('\n');
}

fn judge_example(case: &ExampleCase, faulty: &FaultyList) -> ReportLine {
    let entry = faulty.get(&case.path);
    let verdict =
        match (&case.finding, entry) {
            (ExampleFinding::Exact | ExampleFinding::Digits, Some(_)) => ExampleVerdict::Passes,
            (ExampleFinding::Exact, None) => ExampleVerdict::Exact,
            (ExampleFinding::Digits, None) => ExampleVerdict::Digits,
            (ExampleFinding::Differs(class, _), Some(entry)) if entry.class == *class => {
                if entry.by_design() { ExampleVerdict::Design } else { ExampleVerdict::Faulty }
            }
            (ExampleFinding::Differs(..), _) => ExampleVerdict::Fails,
        };
    let difference = match &case.finding {
        ExampleFinding::Differs(class, difference) => Some((*class, difference.as_str())),
        _ => None,
    };
    ReportLine {
        reason: entry.map(|entry| entry.reason.clone()),
        ..ReportLine::new(&case.path, verdict, difference)
    }
}

impl ReportLine {
    fn new(path: &str, verdict: ExampleVerdict, difference: Option<(FailureClass, &str)>) -> Self {
        let class = difference.map(|(class, _)| class);
        let difference = difference.map(|(_, difference)| difference.to_owned());
        Self { path: path.to_owned(), verdict, class, difference, reason: None }
    }
}

impl ExampleTotals {
    fn count(&mut self, verdict: ExampleVerdict) {
        self.examples += 1;
        match verdict {
            ExampleVerdict::Exact | ExampleVerdict::Passes => self.exact += 1,
            ExampleVerdict::Digits => self.digits += 1,
            ExampleVerdict::Faulty => self.faulty += 1,
            ExampleVerdict::Design => self.design += 1,
            ExampleVerdict::Fails => self.fails += 1,
            ExampleVerdict::Absent => {}
        }
    }
}
