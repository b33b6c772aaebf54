//! Grouping and aggregates, exact and independent of the order of data points (reference manual,
//! "Aggregate invocation"). Nulls are skipped; a group of nulls only gives null.

use std::ops::Range;

use schemas::decimal::Decimal;
use schemas::structure::ValueType;
use schemas::table::{Cell, Column, TextColumn};

use super::attribute_propagation::propagate_attribute;
use super::column::{ColumnBuilder, SharedColumn, number_at};
use super::key_ranks::{duration_ranks, equal_runs, rank_rows, sort_order};
use super::median::median_of;
use super::relation::{Relation, data_point_key, pick_columns};
use super::sliding_window::WindowAggregate;
use super::threads::{Threads, fill_slots, map_items};
use super::time_operators;
use super::variance::WindowVariance;
use crate::budget::{BudgetMeter, SORT_STEPS};
use crate::ceilings::{RunGuard, SORT_BYTES, row_bytes, value_bytes};
use crate::decimal128::{self, ExactSum};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::op::AggregateOp;
use crate::plan::{AggregateColumn, GroupKey, PlanStep, ViralMerge};

/// Groups of operand rows, one for each data point of the result.
struct RowGroups {
    order: Option<Vec<u32>>,
    runs: Vec<(usize, usize)>,
    guard: RunGuard,
}

/// Average number of rows from which blocks are sorted separately.
const BLOCK_ROWS_MIN: usize = 1 << 9;

/// Returns the row ranges of equal first key, or `None` when they are shorter than
/// [`BLOCK_ROWS_MIN`] on average.
fn first_key_blocks(columns: &[SharedColumn], rows: usize) -> Option<Vec<Range<usize>>> {
    let first = columns.first()?;
    let ends = (1..rows).filter(|row| first.compare(row - 1, *row).is_ne()).chain([rows]);
    let blocks: Vec<Range<usize>> =
        ends.scan(0, |from, end| Some(std::mem::replace(from, end)..end)).collect();
    (rows >= blocks.len().saturating_mul(BLOCK_ROWS_MIN)).then_some(blocks)
}

impl RowGroups {
    /// Groups rows by keys.
    fn by_keys<'c>(columns: impl IntoIterator<Item = &'c Column>, rows: usize, guard: &RunGuard) -> Self {
        let ranks = rank_rows(columns, rows);
        let order = sort_order(&ranks);
        RowGroups { runs: equal_runs(&ranks, order.as_deref()), order, guard: guard.clone() }
    }

    /// Groups blocks of rows that have distinct first keys: each block fits the cache and is sorted by
    /// the remaining keys only.
    fn by_blocks(
        blocks: Vec<Range<usize>>,
        columns: &[SharedColumn],
        rows: usize,
        threads: Threads,
        guard: &RunGuard,
    ) -> Self {
        let others = columns.get(1..).unwrap_or_default();
        let parts = map_items(threads, rows, &blocks, |block| {
            let slices: Vec<Column> = others.iter().map(|column| column.slice(block.clone())).collect();
            Self::by_keys(&slices, block.len(), guard)
        });
        // When every block is sorted, groups are plain ranges and need no permutation.
        let sorted = parts.iter().all(|part| part.order.is_none());
        let order = (!sorted).then(|| Vec::with_capacity(rows));
        let mut groups = Self { order, runs: Vec::new(), guard: guard.clone() };
        for (part, block) in parts.into_iter().zip(blocks) {
            let start = block.start;
            groups.runs.extend(part.runs.into_iter().map(|(from, to)| (from + start, to + start)));
            let Some(order) = &mut groups.order else { continue };
            match part.order {
                Some(part) => order.extend(part.into_iter().map(|row| row + start as u32)),
                None => order.extend(block.map(|row| row as u32)),
            }
        }
        groups
    }

    fn rows(&self, run: (usize, usize)) -> impl Iterator<Item = usize> {
        let within = |place: &usize| !self.guard.is_stopped_at(*place);
        (run.0..run.1).take_while(within).map(|place| {
            self.order.as_ref().map_or(place, |order| order.get(place).map_or(place, |row| *row as usize))
        })
    }
}

/// Groups a relation by keys and aggregates each group (reference manual, "Aggregate invocation").
pub(super) fn eval_group(
    relation: &Relation,
    keys: &[GroupKey],
    summaries: &[AggregateColumn],
    operands: &[Option<SharedColumn>],
    meter: &mut BudgetMeter,
    step: &PlanStep,
    threads: Threads,
) -> Result<Relation, Diagnostic> {
    meter.charge(relation.rows, SORT_STEPS, step.span)?;
    let guard = meter.guard();
    let mut columns = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        let value_type = step.columns.get(at).map(|field| field.value_type);
        columns.push(key_column(relation, key, value_type, step, (threads, &guard))?);
    }
    // Blocks copy their keys before they are ranked.
    let copied: u64 = columns.iter().map(|column| row_bytes(column, relation.rows)).sum();
    let ranks = guard.reserve_each(relation.rows, SORT_BYTES)?;
    let copied = guard.reserve(copied)?;
    // Rows are in canonical order, so rows of equal first identifier are adjacent.
    let first = keys.first().is_some_and(|key| key.column == 0 && key.convert.is_none());
    let blocks = if first { first_key_blocks(&columns, relation.rows) } else { None };
    let mut groups = match blocks {
        Some(blocks) => RowGroups::by_blocks(blocks, &columns, relation.rows, threads, &guard),
        None => RowGroups::by_keys(columns.iter().map(|column| &**column), relation.rows, &guard),
    };
    drop(copied);
    if keys.is_empty() {
        // Without keys the result is one data point, even for an empty data set.
        groups.runs = vec![(0, relation.rows)];
    }
    let rows = groups.runs.len();
    meter.reserve(rows, step.columns.len(), step.span)?;
    // The keys of a group are those of its first row.
    let firsts: Vec<u32> =
        groups.runs.iter().filter_map(|run| groups.rows(*run).next()).map(|row| row as u32).collect();
    let mut made = pick_columns(&columns, &firsts, Threads::ONE, &guard)?;
    drop(columns);
    for (summary, operand) in summaries.iter().zip(operands) {
        let reserved = guard.reserve_each(rows, value_bytes(Some(summary.value_type)))?;
        let column =
            aggregate_groups(summary, operand.as_deref(), &groups, threads).map_err(|(error, at)| {
                let keys = Relation { columns: made.iter().take(keys.len()).cloned().collect(), rows };
                let message = format!("`{}`: {error}", summary.op.name());
                Diagnostic::new(DiagnosticCode::Overflow, summary.span, message)
                    .at_data_point(data_point_key(&step.columns, &keys, at))
            })?;
        drop(reserved);
        made.push(SharedColumn::new(column, &guard));
    }
    drop(ranks);
    Ok(Relation { columns: made, rows })
}

/// Returns the column of a key, converted to a coarser frequency when `time_agg` asks for it.
fn key_column(
    relation: &Relation,
    key: &GroupKey,
    value_type: Option<ValueType>,
    step: &PlanStep,
    (threads, guard): (Threads, &RunGuard),
) -> Result<SharedColumn, Diagnostic> {
    let missing = || Diagnostic::new(DiagnosticCode::Structure, step.span, "a key of the plan has no column");
    let column = relation.columns.get(key.column).ok_or_else(missing)?;
    let Some(convert) = key.convert else { return Ok(column.clone()) };
    let coarse = |cell: &Cell| {
        time_operators::aggregate_time(cell, convert, value_type == Some(ValueType::Date))
            .map_err(|(code, message)| Diagnostic::new(code, step.span, message))
    };
    // Periods are converted in place and in parallel, other time values cell by cell.
    if let Column::Period(periods) = &**column {
        let reserved = guard.reserve(row_bytes(column, relation.rows))?;
        let mut rows = periods.clone();
        fill_slots(threads, guard, &mut rows, |_, slot| {
            if let Some(period) = *slot
                && let Cell::Period(period) = coarse(&Cell::Period(period))?
            {
                *slot = Some(period);
            }
            Ok::<(), Diagnostic>(())
        })?;
        drop(reserved);
        return Ok(SharedColumn::new(Column::Period(rows), guard));
    }
    let reserved = guard.reserve_each(relation.rows, value_bytes(Some(ValueType::Time)))?;
    let mut made = ColumnBuilder::new(ValueType::Time, relation.rows, guard);
    for row in (0..relation.rows).take_while(|row| !guard.is_stopped_at(*row)) {
        made.push(column.cell(row).map(|cell| coarse(&cell)).transpose()?.as_ref());
    }
    let column = made.finish();
    drop(reserved);
    Ok(SharedColumn::new(column, guard))
}

/// Aggregates each group; an error carries the index of the group.
fn aggregate_groups(
    summary: &AggregateColumn,
    operand: Option<&Column>,
    groups: &RowGroups,
    threads: Threads,
) -> Result<Column, GroupError> {
    let Some(operand) = operand else {
        let counts = groups.runs.iter().map(|run| Some((run.1 - run.0) as i64));
        return Ok(Column::Integer(counts.collect()));
    };
    if let Some(ViralMerge(rule)) = &summary.viral {
        let folded = |run| {
            propagate_attribute(
                rule.as_ref(),
                summary.value_type,
                groups.rows(run).map(|row| operand.cell(row)),
            )
        };
        let mut made = ColumnBuilder::new(summary.value_type, groups.runs.len(), &groups.guard);
        for (block, runs) in groups.runs.chunks(FOLDED_GROUPS).enumerate() {
            let cells = map_runs(groups, runs, threads, folded);
            let cells = cells.map_err(|(error, at)| (error, block * FOLDED_GROUPS + at))?;
            cells.iter().for_each(|cell| made.push(cell.as_ref()));
        }
        return Ok(made.finish());
    }
    match (summary.op, operand) {
        (AggregateOp::Count, _) => {
            let count = |run| Ok(Some(groups.rows(run).filter(|row| !operand.is_null(*row)).count() as i64));
            map_groups(groups, threads, count).map(Column::Integer)
        }
        // Integer sums stay in 128-bit integers: exact, and faster than decimals.
        (AggregateOp::Sum, Column::Integer(rows)) => {
            map_groups(groups, threads, |run| integer_sum_by_group(groups, run, rows)).map(Column::Integer)
        }
        (AggregateOp::Sum | AggregateOp::Avg, _) => {
            map_groups(groups, threads, |run| sum_by_group(summary.op, operand, groups, run))
                .map(Column::Number)
        }
        (op @ (AggregateOp::Min | AggregateOp::Max), _) => {
            Ok(extreme_by_group(operand, summary.value_type, groups, op == AggregateOp::Max))
        }
        (AggregateOp::Median, _) => map_groups(groups, threads, |run| {
            median_of(groups.rows(run).filter_map(|row| number_at(operand, row)).collect())
        })
        .map(Column::Number),
        (op, _) => map_groups(groups, threads, |run| {
            let mut moments = WindowVariance::new(operand, op);
            groups.rows(run).for_each(|row| moments.enter(row));
            moments.value()
        })
        .map(Column::Number),
    }
}

/// Groups whose viral attributes are held as cells at a time: each copies a text.
const FOLDED_GROUPS: usize = 1 << 16;

/// Arithmetic error and the index of its group.
type GroupError = (decimal128::Error, usize);

/// Computes a value for each group.
fn map_groups<T: Clone + Send>(
    groups: &RowGroups,
    threads: Threads,
    value: impl Fn((usize, usize)) -> Result<Option<T>, decimal128::Error> + Sync,
) -> Result<Vec<Option<T>>, GroupError> {
    map_runs(groups, &groups.runs, threads, value)
}

/// Computes a value for each of some groups.
fn map_runs<T: Clone + Send>(
    groups: &RowGroups,
    runs: &[(usize, usize)],
    threads: Threads,
    value: impl Fn((usize, usize)) -> Result<Option<T>, decimal128::Error> + Sync,
) -> Result<Vec<Option<T>>, GroupError> {
    let mut made = vec![None; runs.len()];
    fill_slots(threads, &groups.guard, &mut made, |at, slot| {
        *slot = value(runs.get(at).copied().unwrap_or_default()).map_err(|error| (error, at))?;
        Ok(())
    })?;
    Ok(made)
}

fn integer_sum_by_group(
    groups: &RowGroups,
    run: (usize, usize),
    rows: &[Option<i64>],
) -> Result<Option<i64>, decimal128::Error> {
    let known = groups.rows(run).filter_map(|row| rows.get(row).copied().flatten());
    // INVARIANT: the sum of at most 2^24 64-bit values fits 128 bits.
    let (count, sum) = known.fold((0, 0_i128), |(n, sum), value| (n + 1, sum + i128::from(value)));
    let sum = i64::try_from(sum).map_err(|_| decimal128::Error::Overflow)?;
    Ok((count > 0).then_some(sum))
}

fn sum_by_group(
    op: AggregateOp,
    operand: &Column,
    groups: &RowGroups,
    run: (usize, usize),
) -> Result<Option<Decimal>, decimal128::Error> {
    let (mut total, mut count) = (ExactSum::default(), 0_u64);
    for value in groups.rows(run).filter_map(|row| number_at(operand, row)) {
        total.add(value);
        count += 1;
    }
    if count == 0 {
        return Ok(None);
    }
    if op == AggregateOp::Avg { total.mean(count).map(Some) } else { total.sum().map(Some) }
}

/// Returns the minimum or maximum of each group in the canonical order of the type.
fn extreme_by_group(operand: &Column, value_type: ValueType, groups: &RowGroups, greatest: bool) -> Column {
    // The text order of durations differs from the order of their lengths.
    let lengths = (value_type == ValueType::Duration).then(|| duration_ranks(operand));
    let best = |run: &(usize, usize)| {
        let known = groups.rows(*run).filter(|row| !operand.is_null(*row));
        // Ties keep the first row in canonical order.
        let best = known.reduce(|best, row| {
            let order = lengths
                .as_ref()
                .map_or_else(|| operand.compare(row, best), |codes| codes.get(row).cmp(&codes.get(best)));
            if (greatest && order.is_gt()) || (!greatest && order.is_lt()) { row } else { best }
        });
        // An index out of range gathers as null.
        best.unwrap_or(usize::MAX)
    };
    let rows: Vec<usize> = groups.runs.iter().map(best).collect();
    match operand {
        Column::Text(texts) if rows.is_empty() => {
            Column::Text(TextColumn::from_parts(texts.dictionary().to_vec(), Vec::new()).unwrap_or_default())
        }
        other => other.gather(&rows),
    }
}
