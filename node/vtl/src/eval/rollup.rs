//! `hierarchy` and `check_hierarchy` (reference manual, "Hierarchical roll-up", "Check hierarchy"):
//! within each group of data points that differ only in their code item, rules compute or check sums
//! of code items.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use schemas::decimal::Decimal;
use schemas::limits::ROWS_MAX;
use schemas::structure::Role;
use schemas::table::{Cell, Column};

use super::attribute_propagation::propagate_attribute;
use super::column::{ColumnarValue, SharedColumn, column_from_cells, number_at};
use super::key_ranks::{equal_runs, rank_rows, sort_order};
use super::relation::{Relation, data_point_key};
use super::threads::Threads;
use crate::ast::{HierarchyInput, HierarchyMode, ValidationOutput};
use crate::budget::{BudgetMeter, ROW_STEPS, SORT_STEPS, merge_steps};
use crate::ceilings::{CeilingExceeded, RunGuard, SORT_BYTES};
use crate::decimal128::{self as decimal, Error, ExactSum};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::op::Op;
use crate::plan::{PlanStep, Rollup};

/// Evaluated conditions of a rule and of the items on its right side.
pub(super) struct RuleConditions {
    pub(super) when: Option<ColumnarValue>,
    pub(super) parts: Vec<Option<ColumnarValue>>,
}

/// Computed data points by code item, each with its rule.
type ComputedItems = BTreeMap<usize, (usize, ItemValue)>;

/// Value and viral attributes of a code item.
#[derive(Debug, Clone)]
struct ItemValue {
    value: Option<Decimal>,
    virals: Vec<Option<Cell>>,
}

/// Right side of a rule in one group.
struct RightSide {
    /// Items with their sign (`true` is minus); `None` for a missing data point.
    points: Vec<(bool, Option<ItemValue>)>,
    sum: Option<Decimal>,
}

/// Data point of the result.
struct RollupRow {
    /// A row of the group.
    row: usize,
    rule: usize,
    left: Option<Decimal>,
    truth: Option<bool>,
    imbalance: Option<Decimal>,
    virals: Vec<Option<Cell>>,
}

impl RollupRow {
    /// Returns its memory; a vector that grows has room for twice as many.
    fn bytes(&self) -> u64 {
        let cells = self.virals.iter().map(|cell| match cell {
            Some(Cell::Text(text)) => size_of::<Option<Cell>>() + text.len(),
            _ => size_of::<Option<Cell>>(),
        });
        2 * size_of::<Self>() as u64 + cells.sum::<usize>() as u64
    }
}

struct RollupEvaluator<'a> {
    relation: &'a Relation,
    rollup: &'a Rollup,
    conditions: &'a [RuleConditions],
    /// Code items of all rules, ascending.
    items: Vec<&'a str>,
    /// Rules that compute each code item.
    computing: Vec<Vec<usize>>,
    result_rows: Vec<RollupRow>,
    guard: RunGuard,
}

/// Evaluates the rules of a hierarchical ruleset on each group of a relation.
pub(super) fn eval_rollup(
    relation: &Relation,
    rollup: &Rollup,
    conditions: &[RuleConditions],
    meter: &mut BudgetMeter,
    step: &PlanStep,
) -> Result<Relation, Diagnostic> {
    meter.charge(relation.rows, SORT_STEPS, step.span)?;
    let guard = meter.guard();
    let _ranks = guard.reserve_each(relation.rows, SORT_BYTES + size_of::<Option<usize>>() as u64)?;
    let mut made = guard.reserve(0)?;
    let keys = rollup.keys.iter().filter_map(|at| relation.columns.get(*at)).map(|column| &**column);
    let ranks = rank_rows(keys, relation.rows);
    let order = sort_order(&ranks);
    let groups = equal_runs(&ranks, order.as_deref());
    let parts: usize = rollup.rules.iter().map(|rule| rule.right.len() + 1).sum();
    let virals: u64 = rollup.virals.iter().map(|(_, _, rule)| merge_steps(rule.as_ref())).sum();
    meter.charge(groups.len().saturating_mul(parts), SORT_STEPS + virals, step.span)?;
    let mut run = RollupEvaluator::new(relation, rollup, conditions, guard.clone());
    let places = run.item_by_row();
    for (start, end) in groups {
        let rows = (start..end)
            .map(|place| order.as_ref().and_then(|o| o.get(place)).map_or(place, |row| *row as usize));
        // One slot for each code item of the rules; other items take no part.
        let mut points = vec![None; run.items.len()];
        let mut first = None;
        for row in rows {
            first.get_or_insert(row);
            if let Some(slot) = places.get(row).copied().flatten().and_then(|item| points.get_mut(item)) {
                *slot = Some(row);
            }
        }
        if guard.is_stopped() {
            return Err(CeilingExceeded.into());
        }
        let before = run.result_rows.len();
        run.apply_rules(&points, first.unwrap_or_default())
            .map_err(|(error, rule)| run.rule_error(error, rule, first, step))?;
        meter.reserve(run.result_rows.len() - before, step.columns.len(), step.span)?;
        run.result_rows.get(before..).unwrap_or_default().iter().for_each(|row| made.grow(row.bytes()));
        if run.result_rows.len() > ROWS_MAX {
            return Err(Diagnostic::new(
                DiagnosticCode::Budget,
                step.span,
                format!("a result of more than {ROWS_MAX} rows"),
            ));
        }
    }
    meter.charge(run.result_rows.len(), ROW_STEPS + SORT_STEPS, step.span)?;
    Ok(run.result_relation(step)?)
}

impl<'a> RollupEvaluator<'a> {
    fn new(
        relation: &'a Relation,
        rollup: &'a Rollup,
        conditions: &'a [RuleConditions],
        guard: RunGuard,
    ) -> Self {
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
        Self { relation, rollup, conditions, items, computing, result_rows: Vec::new(), guard }
    }

    fn item_index(&self, code: &str) -> Option<usize> {
        self.items.binary_search(&code).ok()
    }

    /// Returns the index of the code item of each row.
    fn item_by_row(&self) -> Vec<Option<usize>> {
        let column = self.relation.columns.get(self.rollup.rule).map(|column| &**column);
        match column {
            Some(Column::Text(texts)) => {
                let known: Vec<Option<usize>> =
                    texts.dictionary().iter().map(|code| self.item_index(code)).collect();
                texts.codes().iter().map(|code| known.get(*code as usize).copied().flatten()).collect()
            }
            Some(Column::Integer(rows)) => {
                rows.iter().map(|value| self.item_index(&value.as_ref()?.to_string())).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Applies all rules to one group; an error carries the index of the rule.
    fn apply_rules(&mut self, rows: &[Option<usize>], first: usize) -> Result<(), (Error, usize)> {
        let mut computed = ComputedItems::new();
        for at in 0..self.rollup.rules.len() {
            self.apply_rule(at, rows, first, &mut computed).map_err(|error| (error, at))?;
        }
        Ok(())
    }

    fn apply_rule(
        &mut self,
        at: usize,
        rows: &[Option<usize>],
        first: usize,
        computed: &mut ComputedItems,
    ) -> Result<(), Error> {
        let (Some(rule), Some(conditions)) = (self.rollup.rules.get(at), self.conditions.get(at)) else {
            return Ok(());
        };
        // `when` is evaluated at the first row of the group.
        if conditions.when.as_ref().is_some_and(|when| !when.is_true(first)) {
            return Ok(());
        }
        let right = self.right_side(at, rows, first, computed)?;
        if self.rollup.check {
            self.compare_sides(at, rows, first, &right, computed)?;
        }
        let item = self.item_index(&rule.left).filter(|item| !computed.contains_key(item));
        let given = self.is_produced(&right);
        let found = right.points.iter().any(|(_, point)| point.is_some());
        let Some(item) = item.filter(|_| rule.relation == Op::Equal && (given || found)) else {
            return Ok(());
        };
        let virals = self.propagate_attributes(right.points.iter().map(|(_, point)| point))?;
        computed.insert(item, (at, ItemValue { value: right.sum, virals: virals.clone() }));
        if given && !self.rollup.check {
            let left = right.sum;
            self.result_rows.push(RollupRow {
                row: first,
                rule: at,
                left,
                truth: None,
                imbalance: None,
                virals,
            });
        }
        Ok(())
    }

    fn right_side(
        &self,
        at: usize,
        rows: &[Option<usize>],
        first: usize,
        computed: &ComputedItems,
    ) -> Result<RightSide, Error> {
        let mut points = Vec::new();
        let parts = self.rollup.rules.get(at).map_or(&[][..], |rule| &rule.right);
        let conditions = self.conditions.get(at).map_or(&[][..], |conditions| &conditions.parts);
        for (part, condition) in parts.iter().zip(conditions) {
            let row = self.item_index(&part.code).and_then(|item| rows.get(item).copied().flatten());
            if condition.as_ref().is_none_or(|condition| condition.is_true(row.unwrap_or(first))) {
                points.push((part.minus, self.item_value(&part.code, at, rows, computed)));
            }
        }
        let sum = self.sum_parts(&points)?;
        Ok(RightSide { points, sum })
    }

    /// Returns the data point of a code item for a rule: from the operand, or computed by another
    /// rule, as the input mode requires.
    fn item_value(
        &self,
        code: &str,
        rule: usize,
        rows: &[Option<usize>],
        computed: &ComputedItems,
    ) -> Option<ItemValue> {
        let item = self.item_index(code)?;
        let given = || rows.get(item).copied().flatten().map(|row| self.operand_value(row));
        let others = self.computing.get(item).is_some_and(|rules| rules.iter().any(|other| *other != rule));
        let other = || computed.get(&item).filter(|(by, _)| *by != rule).map(|(_, point)| point.clone());
        let known = |point: &ItemValue| point.value.is_some();
        match self.rollup.source {
            // No other rule computes the item, so every mode reads the operand.
            _ if !others => given(),
            HierarchyInput::Dataset => given(),
            HierarchyInput::Rule => other(),
            HierarchyInput::RulePriority => other().filter(known).or_else(given),
            HierarchyInput::DatasetPriority => given().filter(known).or_else(other).or_else(given),
        }
    }

    fn operand_value(&self, row: usize) -> ItemValue {
        let cell = |at: &usize| self.relation.columns.get(*at).and_then(|column| column.cell(row));
        ItemValue {
            value: self.relation.columns.get(self.rollup.value).and_then(|column| number_at(column, row)),
            virals: self.rollup.virals.iter().map(|(at, ..)| cell(at)).collect(),
        }
    }

    /// Returns the value of a data point; a missing one is zero or null, depending on the mode.
    fn value_or_zero(&self, point: Option<&ItemValue>) -> Option<Decimal> {
        let zero = matches!(
            self.rollup.missing,
            HierarchyMode::NonZero | HierarchyMode::PartialZero | HierarchyMode::AlwaysZero
        );
        match point {
            Some(point) => point.value,
            None => zero.then_some(Decimal::ZERO),
        }
    }

    /// Returns the exact sum of a right side, rounded once; null when an item is null.
    fn sum_parts(&self, right: &[(bool, Option<ItemValue>)]) -> Result<Option<Decimal>, Error> {
        let mut total = ExactSum::default();
        for (minus, point) in right {
            match self.value_or_zero(point.as_ref()) {
                Some(value) if *minus => total.add(decimal::negate(value)),
                Some(value) => total.add(value),
                None => return Ok(None),
            }
        }
        self.check_integer(total.sum()?).map(Some)
    }

    /// Checks that a sum or difference of integers fits an integer.
    fn check_integer(&self, value: Decimal) -> Result<Decimal, Error> {
        let column = self.relation.columns.get(self.rollup.value);
        if matches!(column.map(|column| &**column), Some(Column::Integer(_))) {
            decimal::to_integer(value)?;
        }
        Ok(value)
    }

    /// Returns whether `hierarchy` outputs the sum of a right side in its mode.
    fn is_produced(&self, right: &RightSide) -> bool {
        match self.rollup.missing {
            HierarchyMode::NonNull => right.sum.is_some(),
            HierarchyMode::NonZero => !right.sum.is_some_and(Decimal::is_zero),
            HierarchyMode::PartialNull | HierarchyMode::PartialZero => {
                right.points.iter().any(|(_, point)| point.is_some())
            }
            HierarchyMode::AlwaysNull | HierarchyMode::AlwaysZero => true,
        }
    }

    /// Returns whether `check_hierarchy` outputs a comparison of these data points in its mode.
    fn is_compared(&self, points: &[Option<&ItemValue>]) -> bool {
        let value = |point: &Option<&ItemValue>| point.and_then(|point| point.value);
        match self.rollup.missing {
            HierarchyMode::NonNull => points.iter().all(|point| value(point).is_some()),
            HierarchyMode::NonZero => {
                points.iter().any(|point| value(point).is_some_and(|value| !value.is_zero()))
            }
            HierarchyMode::PartialNull | HierarchyMode::PartialZero => points.iter().any(Option::is_some),
            HierarchyMode::AlwaysNull | HierarchyMode::AlwaysZero => true,
        }
    }

    fn compare_sides(
        &mut self,
        at: usize,
        rows: &[Option<usize>],
        first: usize,
        right: &RightSide,
        computed: &ComputedItems,
    ) -> Result<(), Error> {
        let Some(rule) = self.rollup.rules.get(at) else { return Ok(()) };
        let left = self.item_value(&rule.left, at, rows, computed);
        let points: Vec<Option<&ItemValue>> = std::iter::once(left.as_ref())
            .chain(right.points.iter().map(|(_, point)| point.as_ref()))
            .collect();
        if !self.is_compared(&points) {
            return Ok(());
        }
        let value = self.value_or_zero(left.as_ref());
        let truth =
            value.zip(right.sum).map(|(value, sum)| relation_holds(rule.relation, value.compare(sum)));
        // `invalid` outputs failures only; a comparison with null is not a failure.
        if self.rollup.output == ValidationOutput::Invalid && truth != Some(false) {
            return Ok(());
        }
        let imbalance = match value.zip(right.sum) {
            Some((value, sum)) => Some(self.check_integer(decimal::sub(value, sum)?)?),
            None => None,
        };
        let all = std::iter::once(&left).chain(right.points.iter().map(|(_, point)| point));
        let virals = self.propagate_attributes(all)?;
        self.result_rows.push(RollupRow { row: first, rule: at, left: value, truth, imbalance, virals });
        Ok(())
    }

    /// Combines the viral attributes of data points; a missing data point contributes null.
    fn propagate_attributes<'p>(
        &self,
        points: impl Iterator<Item = &'p Option<ItemValue>> + Clone,
    ) -> Result<Vec<Option<Cell>>, Error> {
        let of =
            |at: usize| points.clone().map(move |point| point.as_ref()?.virals.get(at).cloned().flatten());
        let virals = self.rollup.virals.iter().enumerate();
        virals
            .map(|(at, (_, value_type, rule))| propagate_attribute(rule.as_ref(), *value_type, of(at)))
            .collect()
    }

    fn rule_error(&self, error: Error, rule: usize, row: Option<usize>, step: &PlanStep) -> Diagnostic {
        let span = self.rollup.rules.get(rule).map_or(step.span, |rule| rule.span);
        let keys: Vec<_> = self.rollup.keys.iter().filter_map(|at| step.columns.get(*at)).cloned().collect();
        let columns = self.rollup.keys.iter().filter_map(|at| self.relation.columns.get(*at)).cloned();
        let relation = Relation { columns: columns.collect(), rows: self.relation.rows };
        Diagnostic::new(DiagnosticCode::Overflow, span, error.to_string())
            .at_data_point(row.and_then(|row| data_point_key(&keys, &relation, row)))
    }

    /// Builds the result in canonical order.
    fn result_relation(&self, step: &PlanStep) -> Result<Relation, CeilingExceeded> {
        let mut identifiers = 0;
        let mut virals = 0;
        let mut columns: Vec<SharedColumn> = Vec::new();
        let source: Vec<usize> = self.result_rows.iter().map(|made| made.row).collect();
        for field in &step.columns {
            let column = match field.role {
                Role::Identifier
                    if field.name == "ruleid"
                        && self.rollup.check
                        && identifiers > self.rollup.keys.len() =>
                {
                    self.row_column(field.value_type, |made| {
                        self.rule_of(made).map(|rule| Cell::Text(rule.name.clone()))
                    })
                }
                Role::Identifier if identifiers == self.rollup.rule => self
                    .row_column(field.value_type, |made| {
                        self.rule_of(made).and_then(|rule| code_cell(&rule.left, field.value_type))
                    }),
                Role::Identifier => {
                    let column = self.relation.columns.get(identifiers);
                    column.map_or(Ok(SharedColumn::Empty), |column| column.pick(&source, &self.guard))
                }
                Role::ViralAttribute => {
                    let at = virals;
                    virals += 1;
                    self.row_column(field.value_type, |made| made.virals.get(at).cloned().flatten())
                }
                _ => self.measure_column(&field.name, field.value_type),
            };
            identifiers += usize::from(field.role == Role::Identifier);
            columns.push(column?);
        }
        let relation = Relation { columns, rows: self.result_rows.len() };
        let _ranks = self.guard.reserve_each(relation.rows, SORT_BYTES)?;
        let keys = relation.columns.iter().take(identifiers).map(|column| &**column);
        match sort_order(&rank_rows(keys, relation.rows)) {
            None => Ok(relation),
            Some(order) => relation.pick(&order, Threads::ONE, &self.guard),
        }
    }

    fn rule_of(&self, made: &RollupRow) -> Option<&'a crate::plan::RollupRule> {
        self.rollup.rules.get(made.rule)
    }

    fn row_column(
        &self,
        value_type: schemas::structure::ValueType,
        cell: impl Fn(&RollupRow) -> Option<Cell>,
    ) -> Result<SharedColumn, CeilingExceeded> {
        column_from_cells(self.result_rows.iter().map(cell), value_type, &self.guard)
    }

    /// Builds a measure of the result by name.
    fn measure_column(
        &self,
        name: &str,
        value_type: schemas::structure::ValueType,
    ) -> Result<SharedColumn, CeilingExceeded> {
        let value = |number: Option<Decimal>| {
            let number = number?;
            match value_type {
                schemas::structure::ValueType::Integer => decimal::to_integer(number).ok().map(Cell::Integer),
                _ => Some(Cell::Number(number)),
            }
        };
        let wrong = |made: &RollupRow| (made.truth == Some(false)).then(|| self.rule_of(made)).flatten();
        match name {
            "bool_var" if self.rollup.check => {
                self.row_column(value_type, |made| made.truth.map(Cell::Boolean))
            }
            "imbalance" if self.rollup.check => self.row_column(value_type, |made| value(made.imbalance)),
            "errorcode" if self.rollup.check => {
                self.row_column(value_type, |made| wrong(made)?.error.code.clone())
            }
            "errorlevel" if self.rollup.check => {
                self.row_column(value_type, |made| wrong(made)?.error.level.clone())
            }
            _ => self.row_column(value_type, |made| value(made.left)),
        }
    }
}

/// Converts a code item to a value of its identifier.
fn code_cell(code: &str, value_type: schemas::structure::ValueType) -> Option<Cell> {
    match value_type {
        schemas::structure::ValueType::Integer => code.parse().ok().map(Cell::Integer),
        _ => Some(Cell::Text(code.to_owned())),
    }
}

fn relation_holds(relation: Op, order: Ordering) -> bool {
    match relation {
        Op::Less => order.is_lt(),
        Op::LessEqual => order.is_le(),
        Op::Greater => order.is_gt(),
        Op::GreaterEqual => order.is_ge(),
        Op::NotEqual => order.is_ne(),
        _ => order.is_eq(),
    }
}
