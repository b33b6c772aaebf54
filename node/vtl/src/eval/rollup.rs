//! Rules between code items (reference manual, "Hierarchical roll-up", "Check hierarchy"): in each
//! group of data points that differ in the code item only, sums of items, computed or compared.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use schemas::decimal::Decimal;
use schemas::limits::ROWS_MAX;
use schemas::structure::Role;
use schemas::table::{Cell, Column};

use super::cast::gathered;
use super::column::{Col, Values};
use super::group::number;
use super::key::{order, ranks, runs};
use super::viral::fold;
use super::{Relation, point};
use crate::ast::{HierarchyInput, HierarchyMode, ValidationOutput};
use crate::budget::{BudgetMeter, ROW_STEPS, SORT_STEPS, merge_steps};
use crate::decimal128::{self as decimal, Error, Total};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::op::Op;
use crate::plan::{PlanStep, Rollup};

/// Whether a rule applies, and its parts, for each row.
pub(super) struct Conditions {
    pub(super) when: Option<Values>,
    pub(super) parts: Vec<Option<Values>>,
}

/// For each code item the rule that computed it, and its data point.
type Computed = BTreeMap<usize, (usize, Point)>;

/// A data point of a code item: its value, and those of its viral attributes.
#[derive(Debug, Clone)]
struct Point {
    value: Option<Decimal>,
    virals: Vec<Option<Cell>>,
}

/// The right side of a rule in one group.
struct Right {
    /// The parts, and whether they are taken away; one may be missing.
    points: Vec<(bool, Option<Point>)>,
    sum: Option<Decimal>,
}

/// A data point of the result.
struct Made {
    /// A row of the group.
    row: usize,
    rule: usize,
    left: Option<Decimal>,
    truth: Option<bool>,
    imbalance: Option<Decimal>,
    virals: Vec<Option<Cell>>,
}

struct Run<'a> {
    relation: &'a Relation,
    rollup: &'a Rollup,
    conditions: &'a [Conditions],
    /// The code items of the rules, ascending.
    items: Vec<&'a str>,
    /// For each code item the rules that compute it.
    computing: Vec<Vec<usize>>,
    made: Vec<Made>,
}

pub(super) fn rollup(
    relation: &Relation,
    rollup: &Rollup,
    conditions: &[Conditions],
    meter: &mut BudgetMeter,
    step: &PlanStep,
) -> Result<Relation, Diagnostic> {
    meter.charge(relation.rows, SORT_STEPS, step.span)?;
    let keys = rollup.keys.iter().filter_map(|at| relation.columns.get(*at)).map(|column| &**column);
    let ranks = ranks(keys, relation.rows);
    let order = order(&ranks);
    let groups = runs(&ranks, order.as_deref());
    let parts: usize = rollup.rules.iter().map(|rule| rule.right.len() + 1).sum();
    let virals: u64 = rollup.virals.iter().map(|(_, _, rule)| merge_steps(rule.as_ref())).sum();
    meter.charge(groups.len().saturating_mul(parts), SORT_STEPS + virals, step.span)?;
    let mut run = Run::new(relation, rollup, conditions);
    let places = run.places();
    for (start, end) in groups {
        let rows = (start..end)
            .map(|place| order.as_ref().and_then(|o| o.get(place)).map_or(place, |row| *row as usize));
        let mut points = vec![None; run.items.len()];
        let mut first = None;
        for row in rows {
            first.get_or_insert(row);
            if let Some(slot) = places.get(row).copied().flatten().and_then(|item| points.get_mut(item)) {
                *slot = Some(row);
            }
        }
        let before = run.made.len();
        run.group(&points, first.unwrap_or_default())
            .map_err(|(error, rule)| run.blame(error, rule, first, step))?;
        meter.reserve(run.made.len() - before, step.columns.len(), step.span)?;
        if run.made.len() > ROWS_MAX {
            return Err(Diagnostic::new(
                DiagnosticCode::Budget,
                step.span,
                format!("a result of more than {ROWS_MAX} rows"),
            ));
        }
    }
    meter.charge(run.made.len(), ROW_STEPS + SORT_STEPS, step.span)?;
    Ok(run.relation(step))
}

impl<'a> Run<'a> {
    fn new(relation: &'a Relation, rollup: &'a Rollup, conditions: &'a [Conditions]) -> Self {
        let parts = rollup.rules.iter().flat_map(|rule| rule.right.iter().map(|part| part.code.as_str()));
        let mut items: Vec<&str> = rollup.rules.iter().map(|rule| rule.left.as_str()).chain(parts).collect();
        items.sort_unstable();
        items.dedup();
        let mut computing = vec![Vec::new(); items.len()];
        for (at, rule) in rollup.rules.iter().enumerate().filter(|(_, rule)| rule.relation == Op::Equal) {
            if let Some(rules) =
                items.binary_search(&rule.left.as_str()).ok().and_then(|item| computing.get_mut(item))
            {
                rules.push(at);
            }
        }
        Self { relation, rollup, conditions, items, computing, made: Vec::new() }
    }

    fn item(&self, code: &str) -> Option<usize> {
        self.items.binary_search(&code).ok()
    }

    /// For each row the place of its code item.
    fn places(&self) -> Vec<Option<usize>> {
        let column = self.relation.columns.get(self.rollup.rule).map(|column| &**column);
        match column {
            Some(Column::Text(texts)) => {
                let known: Vec<Option<usize>> =
                    texts.dictionary().iter().map(|code| self.item(code)).collect();
                texts.codes().iter().map(|code| known.get(*code as usize).copied().flatten()).collect()
            }
            Some(Column::Integer(rows)) => {
                rows.iter().map(|value| self.item(&value.as_ref()?.to_string())).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Applies every rule to the rows of one group; an error names the rule.
    fn group(&mut self, rows: &[Option<usize>], first: usize) -> Result<(), (Error, usize)> {
        let mut computed = Computed::new();
        for at in 0..self.rollup.rules.len() {
            self.apply(at, rows, first, &mut computed).map_err(|error| (error, at))?;
        }
        Ok(())
    }

    fn apply(
        &mut self,
        at: usize,
        rows: &[Option<usize>],
        first: usize,
        computed: &mut Computed,
    ) -> Result<(), Error> {
        let (Some(rule), Some(conditions)) = (self.rollup.rules.get(at), self.conditions.get(at)) else {
            return Ok(());
        };
        if conditions.when.as_ref().is_some_and(|when| !when.truth(first)) {
            return Ok(());
        }
        let right = self.right(at, rows, first, computed)?;
        if self.rollup.check {
            self.compare(at, rows, first, &right, computed)?;
        }
        let item = self.item(&rule.left).filter(|item| !computed.contains_key(item));
        let given = self.produced(&right);
        let found = right.points.iter().any(|(_, point)| point.is_some());
        let Some(item) = item.filter(|_| rule.relation == Op::Equal && (given || found)) else {
            return Ok(());
        };
        let virals = self.propagated(right.points.iter().map(|(_, point)| point))?;
        computed.insert(item, (at, Point { value: right.sum, virals: virals.clone() }));
        if given && !self.rollup.check {
            let left = right.sum;
            self.made.push(Made { row: first, rule: at, left, truth: None, imbalance: None, virals });
        }
        Ok(())
    }

    fn right(
        &self,
        at: usize,
        rows: &[Option<usize>],
        first: usize,
        computed: &Computed,
    ) -> Result<Right, Error> {
        let mut points = Vec::new();
        let parts = self.rollup.rules.get(at).map_or(&[][..], |rule| &rule.right);
        let conditions = self.conditions.get(at).map_or(&[][..], |conditions| &conditions.parts);
        for (part, condition) in parts.iter().zip(conditions) {
            let row = self.item(&part.code).and_then(|item| rows.get(item).copied().flatten());
            if condition.as_ref().is_none_or(|condition| condition.truth(row.unwrap_or(first))) {
                points.push((part.minus, self.taken(&part.code, at, rows, computed)));
            }
        }
        let sum = self.sum(&points)?;
        Ok(Right { points, sum })
    }

    /// The data point of a code item for a rule: of the operand, or computed by another rule.
    fn taken(&self, code: &str, rule: usize, rows: &[Option<usize>], computed: &Computed) -> Option<Point> {
        let item = self.item(code)?;
        let given = || rows.get(item).copied().flatten().map(|row| self.point(row));
        let others = self.computing.get(item).is_some_and(|rules| rules.iter().any(|other| *other != rule));
        let other = || computed.get(&item).filter(|(by, _)| *by != rule).map(|(_, point)| point.clone());
        let known = |point: &Point| point.value.is_some();
        match self.rollup.source {
            _ if !others => given(),
            HierarchyInput::Dataset => given(),
            HierarchyInput::Rule => other(),
            HierarchyInput::RulePriority => other().filter(known).or_else(given),
            HierarchyInput::DatasetPriority => given().filter(known).or_else(other).or_else(given),
        }
    }

    fn point(&self, row: usize) -> Point {
        let cell = |at: &usize| self.relation.columns.get(*at).and_then(|column| column.cell(row));
        Point {
            value: self.relation.columns.get(self.rollup.value).and_then(|column| number(column, row)),
            virals: self.rollup.virals.iter().map(|(at, ..)| cell(at)).collect(),
        }
    }

    /// The value of a data point that may be missing.
    fn value(&self, point: Option<&Point>) -> Option<Decimal> {
        let zero = matches!(
            self.rollup.missing,
            HierarchyMode::NonZero | HierarchyMode::PartialZero | HierarchyMode::AlwaysZero
        );
        match point {
            Some(point) => point.value,
            None => zero.then_some(Decimal::ZERO),
        }
    }

    /// The sum of a right side: exact, rounded once; null when a part is null.
    fn sum(&self, right: &[(bool, Option<Point>)]) -> Result<Option<Decimal>, Error> {
        let mut total = Total::default();
        for (minus, point) in right {
            match self.value(point.as_ref()) {
                Some(value) if *minus => total.add(decimal::negate(value)),
                Some(value) => total.add(value),
                None => return Ok(None),
            }
        }
        self.fit(total.sum()?).map(Some)
    }

    /// A sum or a difference; of integers it must be one.
    fn fit(&self, value: Decimal) -> Result<Decimal, Error> {
        let column = self.relation.columns.get(self.rollup.value);
        if matches!(column.map(|column| &**column), Some(Column::Integer(_))) {
            decimal::integer(value)?;
        }
        Ok(value)
    }

    /// Whether `hierarchy` gives the sum of a right side.
    fn produced(&self, right: &Right) -> bool {
        match self.rollup.missing {
            HierarchyMode::NonNull => right.sum.is_some(),
            HierarchyMode::NonZero => !right.sum.is_some_and(Decimal::is_zero),
            HierarchyMode::PartialNull | HierarchyMode::PartialZero => {
                right.points.iter().any(|(_, point)| point.is_some())
            }
            HierarchyMode::AlwaysNull | HierarchyMode::AlwaysZero => true,
        }
    }

    /// Whether `check_hierarchy` gives a comparison of these data points.
    fn compared(&self, points: &[Option<&Point>]) -> bool {
        let value = |point: &Option<&Point>| point.and_then(|point| point.value);
        match self.rollup.missing {
            HierarchyMode::NonNull => points.iter().all(|point| value(point).is_some()),
            HierarchyMode::NonZero => {
                points.iter().any(|point| value(point).is_some_and(|value| !value.is_zero()))
            }
            HierarchyMode::PartialNull | HierarchyMode::PartialZero => points.iter().any(Option::is_some),
            HierarchyMode::AlwaysNull | HierarchyMode::AlwaysZero => true,
        }
    }

    fn compare(
        &mut self,
        at: usize,
        rows: &[Option<usize>],
        first: usize,
        right: &Right,
        computed: &Computed,
    ) -> Result<(), Error> {
        let Some(rule) = self.rollup.rules.get(at) else { return Ok(()) };
        let left = self.taken(&rule.left, at, rows, computed);
        let points: Vec<Option<&Point>> = std::iter::once(left.as_ref())
            .chain(right.points.iter().map(|(_, point)| point.as_ref()))
            .collect();
        if !self.compared(&points) {
            return Ok(());
        }
        let value = self.value(left.as_ref());
        let truth = value.zip(right.sum).map(|(value, sum)| holds(rule.relation, value.compare(sum)));
        if self.rollup.output == ValidationOutput::Invalid && truth != Some(false) {
            return Ok(());
        }
        let imbalance = match value.zip(right.sum) {
            Some((value, sum)) => Some(self.fit(decimal::sub(value, sum)?)?),
            None => None,
        };
        let all = std::iter::once(&left).chain(right.points.iter().map(|(_, point)| point));
        let virals = self.propagated(all)?;
        self.made.push(Made { row: first, rule: at, left: value, truth, imbalance, virals });
        Ok(())
    }

    /// The viral attributes of data points that become one; of one that is missing they are null.
    fn propagated<'p>(
        &self,
        points: impl Iterator<Item = &'p Option<Point>> + Clone,
    ) -> Result<Vec<Option<Cell>>, Error> {
        let of = |at: usize| {
            let cells = points.clone().map(|point| point.as_ref()?.virals.get(at).cloned().flatten());
            cells.collect::<Vec<Option<Cell>>>()
        };
        let virals = self.rollup.virals.iter().enumerate();
        virals.map(|(at, (_, kind, rule))| fold(rule.as_ref(), *kind, of(at))).collect()
    }

    fn blame(&self, error: Error, rule: usize, row: Option<usize>, step: &PlanStep) -> Diagnostic {
        let span = self.rollup.rules.get(rule).map_or(step.span, |rule| rule.span);
        let keys: Vec<_> = self.rollup.keys.iter().filter_map(|at| step.columns.get(*at)).cloned().collect();
        let columns = self.rollup.keys.iter().filter_map(|at| self.relation.columns.get(*at)).cloned();
        let relation = Relation { columns: columns.collect(), rows: self.relation.rows };
        Diagnostic::new(DiagnosticCode::Overflow, span, error.to_string())
            .at_data_point(row.and_then(|row| point(&keys, &relation, row)))
    }

    /// The result in canonical order.
    fn relation(&self, step: &PlanStep) -> Relation {
        let mut identifiers = 0;
        let mut virals = 0;
        let mut columns: Vec<Column> = Vec::new();
        let source: Vec<usize> = self.made.iter().map(|made| made.row).collect();
        for field in &step.columns {
            let column = match field.role {
                Role::Identifier
                    if field.name == "ruleid"
                        && self.rollup.check
                        && identifiers > self.rollup.keys.len() =>
                {
                    self.cells(field.value_type, |made| {
                        self.rule(made).map(|rule| Cell::Text(rule.name.clone()))
                    })
                }
                Role::Identifier if identifiers == self.rollup.rule => self.cells(field.value_type, |made| {
                    self.rule(made).and_then(|rule| code_cell(&rule.left, field.value_type))
                }),
                Role::Identifier => {
                    let column = self.relation.columns.get(identifiers);
                    column.map_or(Column::Integer(Vec::new()), |column| column.gather(&source))
                }
                Role::ViralAttribute => {
                    let at = virals;
                    virals += 1;
                    self.cells(field.value_type, |made| made.virals.get(at).cloned().flatten())
                }
                _ => self.measured(&field.name, field.value_type),
            };
            identifiers += usize::from(field.role == Role::Identifier);
            columns.push(column);
        }
        let rows = self.made.len();
        let columns = match order(&ranks(columns.iter().take(identifiers), rows)) {
            None => columns.into_iter().map(Col::own).collect(),
            Some(order) => columns.iter().map(|column| Col::own(column.gather(&order))).collect(),
        };
        Relation { columns, rows }
    }

    fn rule(&self, made: &Made) -> Option<&'a crate::plan::RollupRule> {
        self.rollup.rules.get(made.rule)
    }

    fn cells(&self, kind: schemas::structure::Type, cell: impl Fn(&Made) -> Option<Cell>) -> Column {
        gathered(&self.made.iter().map(cell).collect::<Vec<_>>(), kind)
    }

    /// A measure of the result by name.
    fn measured(&self, name: &str, kind: schemas::structure::Type) -> Column {
        let value = |number: Option<Decimal>| {
            let number = number?;
            match kind {
                schemas::structure::Type::Integer => decimal::integer(number).ok().map(Cell::Integer),
                _ => Some(Cell::Number(number)),
            }
        };
        let wrong = |made: &Made| (made.truth == Some(false)).then(|| self.rule(made)).flatten();
        match name {
            "bool_var" if self.rollup.check => self.cells(kind, |made| made.truth.map(Cell::Boolean)),
            "imbalance" if self.rollup.check => self.cells(kind, |made| value(made.imbalance)),
            "errorcode" if self.rollup.check => self.cells(kind, |made| wrong(made)?.error.code.clone()),
            "errorlevel" if self.rollup.check => self.cells(kind, |made| wrong(made)?.error.level.clone()),
            _ => self.cells(kind, |made| value(made.left)),
        }
    }
}

/// A code item as a value of the identifier.
fn code_cell(code: &str, kind: schemas::structure::Type) -> Option<Cell> {
    match kind {
        schemas::structure::Type::Integer => code.parse().ok().map(Cell::Integer),
        _ => Some(Cell::Text(code.to_owned())),
    }
}

fn holds(relation: Op, order: Ordering) -> bool {
    match relation {
        Op::Less => order.is_lt(),
        Op::LessEqual => order.is_le(),
        Op::Greater => order.is_gt(),
        Op::GreaterEqual => order.is_ge(),
        Op::NotEqual => order.is_ne(),
        _ => order.is_eq(),
    }
}
