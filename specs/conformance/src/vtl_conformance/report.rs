//! Report on a manual: failures, listed failures, and totals by category.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::faulty::FaultyList;
use super::{ExampleCase, ExampleFinding, FailureClass};

/// Result of an example in view of the list of faulty ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ExampleVerdict {
    /// Passes exactly.
    Exact,
    /// Passes to the printed digits.
    Digits,
    /// Fails as listed, because the manual is wrong.
    Faulty,
    /// Fails as listed, because the project departs from the manual.
    Design,
    /// Fails and is not listed, or fails in another class than listed.
    Fails,
    /// Is listed and passes.
    Passes,
    /// Is listed, but the manual has no such example.
    Absent,
}

/// A line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportLine {
    /// Path of the example.
    pub path: String,
    /// Result.
    pub verdict: ExampleVerdict,
    /// Class of the failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    /// The first difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
    /// Reason in the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Counts of examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ExampleTotals {
    /// All examples.
    pub examples: usize,
    /// Examples that pass exactly, listed or not.
    pub exact: usize,
    /// Examples that pass to the printed digits.
    pub digits: usize,
    /// Examples that fail as listed, because the manual is wrong.
    pub faulty: usize,
    /// Examples that fail as listed, by design.
    pub design: usize,
    /// Examples that fail otherwise.
    pub fails: usize,
}

/// Report on a manual.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KitReport {
    /// One line for each example.
    pub lines: Vec<ReportLine>,
    /// Totals by category.
    pub categories: BTreeMap<String, ExampleTotals>,
    /// Totals of all examples.
    pub total: ExampleTotals,
}

impl KitReport {
    /// Judges the cases by the list. With `complete`, the cases are all examples of the manual, so listed
    /// examples without a case are reported as absent.
    pub fn new(cases: &[ExampleCase], faulty: &FaultyList, complete: bool) -> Self {
        let mut categories: BTreeMap<String, ExampleTotals> = BTreeMap::new();
        let mut lines: Vec<ReportLine> = Vec::new();
        for case in cases {
            let line = judge_example(case, faulty);
            categories.entry(example_category(&case.path).to_owned()).or_default().count(line.verdict);
            lines.push(line);
        }
        let mut total = ExampleTotals::default();
        lines.iter().for_each(|line| total.count(line.verdict));
        if complete {
            // The grammar tests may have been left out as a whole.
            let known = |path: &str| cases.iter().any(|case| case.path == path);
            let absent =
                faulty.keys().filter(|path| !known(path) && categories.contains_key(example_category(path)));
            lines.extend(absent.map(|path| ReportLine::new(path, ExampleVerdict::Absent, None)));
        }
        Self { lines, categories, total }
    }

    /// Whether every failure is listed.
    pub fn passes(&self) -> bool {
        self.total.fails == 0
    }

    /// Report as JSON.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Report as text.
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.section(&mut out, ExampleVerdict::Fails, "fails");
        self.section(&mut out, ExampleVerdict::Faulty, "faulty in the manual, as listed");
        self.section(&mut out, ExampleVerdict::Design, "not supported by design, as listed");
        self.section(&mut out, ExampleVerdict::Digits, "equal to the printed digits");
        self.section(&mut out, ExampleVerdict::Passes, "listed, but passes");
        self.section(&mut out, ExampleVerdict::Absent, "listed, but not in the manual");
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
            let detail = line
                .reason
                .iter()
                .filter(|_| matches!(verdict, ExampleVerdict::Faulty | ExampleVerdict::Design))
                .chain(&line.difference)
                .next();
            let detail = detail.map_or_else(String::new, |detail| format!("  {detail}"));
            out.push_str(&format!("  {}{class}{detail}\n", line.path));
        }
        out.push('\n');
    }
}

/// Category of an example: the first part of its path.
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
