//! Report: totals by family, then every row that differs or did not run.

use std::collections::BTreeMap;
use std::fmt::Write;

use schemas::decimal::Decimal;
use serde_json::json;

use super::figure::PublishedFigure;
use super::official::SeriesComparison;

/// Result of checking a row.
#[derive(Debug, Clone, PartialEq)]
pub enum FigureFinding {
    /// The figure equals the published one, to the decimals of the row.
    Reproduced(Decimal),
    /// The figure differs; second, computed less published.
    Differs(Decimal, Decimal),
    /// No figure, with the reason.
    NotRun(String),
}

/// A row with its result.
#[derive(Debug, Clone)]
pub struct FigureLine {
    /// Row of `published_checks.csv`.
    pub row: PublishedFigure,
    /// Result.
    pub finding: FigureFinding,
}

/// Results of all rows, in their order, and of the series.
#[derive(Debug, Clone)]
pub struct FigureReport {
    /// Results of the rows.
    pub lines: Vec<FigureLine>,
    /// Results of the complete series.
    pub series: Vec<SeriesComparison>,
}

/// Totals of a family, or of all rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FigureCount {
    /// Rows.
    pub rows: usize,
    /// Rows expected to agree.
    pub agree: usize,
    /// Rows expected to agree that were reproduced.
    pub reproduced: usize,
    /// Rows expected to differ.
    pub disagree: usize,
    /// Rows expected to differ that do.
    pub differ: usize,
    /// Rows without a figure.
    pub not_run: usize,
}

impl FigureLine {
    pub(super) fn new(row: PublishedFigure, figure: Result<Decimal, String>) -> Self {
        let finding = match figure.and_then(|figure| Ok((figure, row.compare(figure)?))) {
            Ok((figure, None)) => FigureFinding::Reproduced(figure),
            Ok((figure, Some(gap))) => FigureFinding::Differs(figure, gap),
            Err(reason) => FigureFinding::NotRun(reason),
        };
        Self { row, finding }
    }

    fn agrees(&self) -> bool {
        self.row.agrees == "yes"
    }

    /// Whether the result is the one that the row expects.
    pub fn passes(&self) -> bool {
        match self.finding {
            FigureFinding::Reproduced(_) => self.agrees(),
            // A known difference must remain one, or its note is out of date.
            FigureFinding::Differs(..) => !self.agrees(),
            FigureFinding::NotRun(_) => false,
        }
    }

    fn text(&self) -> String {
        let PublishedFigure { family, ref_area, period, published_value, note, .. } = &self.row;
        let mark = if self.passes() { " " } else { "!" };
        let rest = match &self.finding {
            FigureFinding::Reproduced(figure) => format!("unexpectedly reproduced: {figure}"),
            FigureFinding::Differs(figure, gap) => {
                format!("computed {figure}, {gap} off{}", note_suffix(note))
            }
            FigureFinding::NotRun(reason) => format!("not run: {reason}"),
        };
        format!("{mark} {family} {ref_area} {period}: published {published_value}, {rest}\n")
    }
}

fn note_suffix(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!(" ({note})") }
}

impl FigureCount {
    fn add(&mut self, line: &FigureLine) {
        self.rows += 1;
        let agrees = usize::from(line.agrees());
        self.agree += agrees;
        self.disagree += 1 - agrees;
        match line.finding {
            FigureFinding::NotRun(_) => self.not_run += 1,
            FigureFinding::Reproduced(_) => self.reproduced += agrees,
            FigureFinding::Differs(..) => self.differ += 1 - agrees,
        }
    }
}

impl FigureReport {
    /// Whether every row and every series has the expected result.
    pub fn passes(&self) -> bool {
        self.lines.iter().all(FigureLine::passes) && self.series.iter().all(SeriesComparison::passes)
    }

    /// Totals of all rows.
    pub fn total(&self) -> FigureCount {
        let mut total = FigureCount::default();
        self.lines.iter().for_each(|line| total.add(line));
        total
    }

    /// Totals by family, in the order of the names.
    pub fn families(&self) -> BTreeMap<&str, FigureCount> {
        let mut counts: BTreeMap<&str, FigureCount> = BTreeMap::new();
        for line in &self.lines {
            counts.entry(line.row.family.as_str()).or_default().add(line);
        }
        counts
    }

    /// Report as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let width = self.lines.iter().map(|line| line.row.family.len()).max().unwrap_or(0).max(6);
        let line = |text: &mut String, name: &str, cells: [String; 4]| {
            let [rows, yes, no, none] = cells;
            let _ = writeln!(text, "{name:<width$}  {rows:>5}  {yes:>17}  {no:>19}  {none:>7}");
        };
        let heads = ["rows", "agree: reproduced", "do not agree: differ", "not run"].map(str::to_owned);
        line(&mut text, "family", heads);
        let cells = |count: &FigureCount| {
            let yes = format!("{} of {}", count.reproduced, count.agree);
            let no = format!("{} of {}", count.differ, count.disagree);
            [count.rows.to_string(), yes, no, count.not_run.to_string()]
        };
        for (name, count) in self.families() {
            line(&mut text, name, cells(&count));
        }
        line(&mut text, "all", cells(&self.total()));
        text.push('\n');
        for line in self
            .lines
            .iter()
            .filter(|line| !matches!(line.finding, FigureFinding::Reproduced(_) if line.passes()))
        {
            text += &line.text();
        }
        if !self.series.is_empty() {
            text += "\ncomplete series and the official ones\n";
        }
        self.series.iter().for_each(|series| text += &series.text());
        text
    }

    /// Report as JSON.
    pub fn json(&self) -> String {
        let lines: Vec<serde_json::Value> = self
            .lines
            .iter()
            .map(|line| {
                let (word, figure, gap, reason) = match &line.finding {
                    FigureFinding::Reproduced(figure) => ("reproduced", Some(figure), None, None),
                    FigureFinding::Differs(figure, gap) => ("differs", Some(figure), Some(gap), None),
                    FigureFinding::NotRun(reason) => ("not-run", None, None, Some(reason)),
                };
                let PublishedFigure {
                    family,
                    measure,
                    ref_area,
                    period,
                    published_value,
                    decimals,
                    agrees,
                    ..
                } = &line.row;
                json!({
                    "family": family, "measure": measure, "area": ref_area, "period": period,
                    "published": published_value, "decimals": decimals, "agrees": agrees, "found": word,
                    "figure": figure.map(ToString::to_string), "difference": gap.map(ToString::to_string),
                    "reason": reason, "as_expected": line.passes(),
                })
            })
            .collect();
        let series: Vec<serde_json::Value> = self.series.iter().map(SeriesComparison::json).collect();
        let total = self.total();
        let all = json!({
            "rows": total.rows, "agree": total.agree, "reproduced": total.reproduced,
            "disagree": total.disagree, "differ": total.differ, "not_run": total.not_run,
        });
        format!("{:#}\n", json!({ "total": all, "rows": lines, "series": series }))
    }
}
