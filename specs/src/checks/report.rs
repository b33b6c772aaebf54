//! The report: a table by family, then every row that is not reproduced or was not run.

use std::collections::BTreeMap;
use std::fmt::Write;

use schemas::decimal::Decimal;
use serde_json::json;

use super::row::Row;

/// What came of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// The figure is the published one, to the decimals of the row.
    Reproduced(Decimal),
    /// It is not; the second is what it lies above the published one.
    Differs(Decimal, Decimal),
    /// There is no figure, and why.
    NotRun(String),
}

/// A row and what came of it.
#[derive(Debug, Clone)]
pub struct Line {
    /// The row.
    pub row: Row,
    /// What came of it.
    pub finding: Finding,
}

/// All lines, in the order of the rows.
#[derive(Debug, Clone)]
pub struct Report {
    /// The lines.
    pub lines: Vec<Line>,
}

/// Numbers of a family, or of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Rows.
    pub rows: usize,
    /// Rows that are said to agree.
    pub agree: usize,
    /// Of these, the reproduced ones.
    pub reproduced: usize,
    /// Rows that are said not to agree.
    pub disagree: usize,
    /// Of these, the ones that differ.
    pub differ: usize,
    /// Rows without a figure.
    pub not_run: usize,
}

impl Line {
    pub(super) fn new(row: Row, figure: Result<Decimal, String>) -> Self {
        let finding = match figure.and_then(|figure| Ok((figure, row.compare(figure)?))) {
            Ok((figure, None)) => Finding::Reproduced(figure),
            Ok((figure, Some(gap))) => Finding::Differs(figure, gap),
            Err(reason) => Finding::NotRun(reason),
        };
        Self { row, finding }
    }

    fn agrees(&self) -> bool {
        self.row.agrees == "yes"
    }

    /// Whether it came out as the row says.
    pub fn passes(&self) -> bool {
        match self.finding {
            Finding::Reproduced(_) => self.agrees(),
            Finding::Differs(..) => !self.agrees(),
            Finding::NotRun(_) => false,
        }
    }

    fn text(&self) -> String {
        let Row { family, ref_area, period, published_value, note, .. } = &self.row;
        let mark = if self.passes() { " " } else { "!" };
        let rest = match &self.finding {
            Finding::Reproduced(figure) => format!("reproduced, which was not expected: {figure}"),
            Finding::Differs(figure, gap) => format!("computed {figure}, {gap} off{}", noted(note)),
            Finding::NotRun(reason) => format!("not run: {reason}"),
        };
        format!("{mark} {family} {ref_area} {period}: published {published_value}, {rest}\n")
    }
}

fn noted(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!(" ({note})") }
}

impl Count {
    fn add(&mut self, line: &Line) {
        self.rows += 1;
        let agrees = usize::from(line.agrees());
        self.agree += agrees;
        self.disagree += 1 - agrees;
        match line.finding {
            Finding::NotRun(_) => self.not_run += 1,
            Finding::Reproduced(_) => self.reproduced += agrees,
            Finding::Differs(..) => self.differ += 1 - agrees,
        }
    }
}

impl Report {
    /// Whether every row came out as it says.
    pub fn passes(&self) -> bool {
        self.lines.iter().all(Line::passes)
    }

    /// The numbers of all rows.
    pub fn total(&self) -> Count {
        let mut total = Count::default();
        self.lines.iter().for_each(|line| total.add(line));
        total
    }

    /// The numbers by family, in the order of the names.
    pub fn families(&self) -> BTreeMap<&str, Count> {
        let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
        for line in &self.lines {
            counts.entry(line.row.family.as_str()).or_default().add(line);
        }
        counts
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let width = self.lines.iter().map(|line| line.row.family.len()).max().unwrap_or(0).max(6);
        let line = |text: &mut String, name: &str, cells: [String; 4]| {
            let [rows, yes, no, none] = cells;
            let _ = writeln!(text, "{name:<width$}  {rows:>5}  {yes:>17}  {no:>19}  {none:>7}");
        };
        let heads = ["rows", "agree: reproduced", "do not agree: differ", "not run"].map(str::to_owned);
        line(&mut text, "family", heads);
        let cells = |count: &Count| {
            let yes = format!("{} of {}", count.reproduced, count.agree);
            let no = format!("{} of {}", count.differ, count.disagree);
            [count.rows.to_string(), yes, no, count.not_run.to_string()]
        };
        for (name, count) in self.families() {
            line(&mut text, name, cells(&count));
        }
        line(&mut text, "all", cells(&self.total()));
        text.push('\n');
        for line in
            self.lines.iter().filter(|line| !matches!(line.finding, Finding::Reproduced(_) if line.passes()))
        {
            text += &line.text();
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> String {
        let lines: Vec<serde_json::Value> = self
            .lines
            .iter()
            .map(|line| {
                let (word, figure, gap, reason) = match &line.finding {
                    Finding::Reproduced(figure) => ("reproduced", Some(figure), None, None),
                    Finding::Differs(figure, gap) => ("differs", Some(figure), Some(gap), None),
                    Finding::NotRun(reason) => ("not-run", None, None, Some(reason)),
                };
                let Row { family, measure, ref_area, period, published_value, decimals, agrees, .. } =
                    &line.row;
                json!({
                    "family": family, "measure": measure, "area": ref_area, "period": period,
                    "published": published_value, "decimals": decimals, "agrees": agrees, "found": word,
                    "figure": figure.map(ToString::to_string), "difference": gap.map(ToString::to_string),
                    "reason": reason, "as_expected": line.passes(),
                })
            })
            .collect();
        let total = self.total();
        let all = json!({
            "rows": total.rows, "agree": total.agree, "reproduced": total.reproduced,
            "disagree": total.disagree, "differ": total.differ, "not_run": total.not_run,
        });
        format!("{:#}\n", json!({ "total": all, "rows": lines }))
    }
}
