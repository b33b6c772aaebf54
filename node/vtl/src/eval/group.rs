//! Grouping and aggregates: exact, and independent of the order of data points (reference manual,
//! "Aggregate invocation"). Nulls are skipped; a group of nulls alone gives null.

use std::ops::Range;

use schemas::decimal::Decimal;
use schemas::structure::Type;
use schemas::table::{Cell, Column, Texts};

use super::cast::gathered;
use super::column::Col;
use super::key::{order, ranks, runs};
use super::moments::Moments;
use super::quantile::median;
use super::rank::lengths;
use super::slide::Slide;
use super::threads::{Threads, each as parts, fill};
use super::time;
use super::viral::fold;
use super::{Relation, point};
use crate::budget::{BudgetMeter, SORT_STEPS};
use crate::decimal128::{self, Total};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::op::AggregateOp;
use crate::plan::{AggregateColumn, GroupKey, PlanStep, ViralMerge};

/// Rows of the operand that make one data point of the result.
struct Groups {
    order: Option<Vec<u32>>,
    runs: Vec<(usize, usize)>,
}

/// Rows that are worth a sorting of their own.
const BLOCK_ROWS: usize = 1 << 9;

/// The ranges of rows of one value of the first key, when they are long enough.
fn blocks(columns: &[Col], rows: usize) -> Option<Vec<Range<usize>>> {
    let first = columns.first()?;
    let ends = (1..rows).filter(|row| first.compare(row - 1, *row).is_ne()).chain([rows]);
    let blocks: Vec<Range<usize>> =
        ends.scan(0, |from, end| Some(std::mem::replace(from, end)..end)).collect();
    (rows >= blocks.len().saturating_mul(BLOCK_ROWS)).then_some(blocks)
}

impl Groups {
    /// The groups of rows by these keys.
    fn of(columns: &[Col], rows: usize) -> Self {
        let ranks = ranks(columns.iter().map(|column| &**column), rows);
        let order = order(&ranks);
        Groups { runs: runs(&ranks, order.as_deref()), order }
    }

    /// The groups of blocks of rows, which do not mix: each block is sorted for itself, near the
    /// processor, and by the keys behind the first.
    fn joined(blocks: Vec<Range<usize>>, columns: &[Col], rows: usize, threads: Threads) -> Self {
        let others = columns.get(1..).unwrap_or_default();
        let parts = parts(threads, rows, &blocks, |block| {
            let slices: Vec<Col> =
                others.iter().map(|column| Col::own(column.slice(block.clone()))).collect();
            Self::of(&slices, block.len())
        });
        let sorted = parts.iter().all(|part| part.order.is_none());
        let mut groups = Self { order: (!sorted).then(|| Vec::with_capacity(rows)), runs: Vec::new() };
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
        (run.0..run.1).map(|place| {
            self.order.as_ref().map_or(place, |order| order.get(place).map_or(place, |row| *row as usize))
        })
    }
}

pub(super) fn group(
    relation: &Relation,
    keys: &[GroupKey],
    summaries: &[AggregateColumn],
    operands: &[Option<Col>],
    meter: &mut BudgetMeter,
    step: &PlanStep,
    threads: Threads,
) -> Result<Relation, Diagnostic> {
    meter.charge(relation.rows, SORT_STEPS, step.span)?;
    let mut columns = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        let kind = step.columns.get(at).map(|field| field.value_type);
        columns.push(converted(relation, key, kind, step, threads)?);
    }
    // Rows stand in the order of their identifiers: those of one value of the first stand together.
    let first = keys.first().is_some_and(|key| key.column == 0 && key.convert.is_none());
    let blocks = if first { blocks(&columns, relation.rows) } else { None };
    let mut groups = match blocks {
        Some(blocks) => Groups::joined(blocks, &columns, relation.rows, threads),
        None => Groups::of(&columns, relation.rows),
    };
    if keys.is_empty() {
        // Without grouping there is one data point, even of an empty data set.
        groups.runs = vec![(0, relation.rows)];
    }
    let rows = groups.runs.len();
    meter.reserve(rows, step.columns.len(), step.span)?;
    let firsts: Vec<u32> =
        groups.runs.iter().filter_map(|run| groups.rows(*run).next()).map(|row| row as u32).collect();
    let mut made: Vec<Col> = columns.iter().map(|column| Col::own(column.gather(&firsts))).collect();
    for (summary, operand) in summaries.iter().zip(operands) {
        let column = aggregate(summary, operand.as_deref(), &groups, threads).map_err(|(error, at)| {
            let keys = Relation { columns: made.iter().take(keys.len()).cloned().collect(), rows };
            let message = format!("`{}`: {error}", summary.op.name());
            Diagnostic::new(DiagnosticCode::Overflow, summary.span, message).at_data_point(point(
                &step.columns,
                &keys,
                at,
            ))
        })?;
        made.push(Col::own(column));
    }
    Ok(Relation { columns: made, rows })
}

/// The column of a key, its values of time converted.
fn converted(
    relation: &Relation,
    key: &GroupKey,
    kind: Option<Type>,
    step: &PlanStep,
    threads: Threads,
) -> Result<Col, Diagnostic> {
    let missing = || Diagnostic::new(DiagnosticCode::Structure, step.span, "a key of the plan has no column");
    let column = relation.columns.get(key.column).ok_or_else(missing)?;
    let Some(convert) = key.convert else { return Ok(column.clone()) };
    let coarse = |cell: &Cell| {
        time::converted(cell, convert, kind == Some(Type::Date))
            .map_err(|(code, message)| Diagnostic::new(code, step.span, message))
    };
    if let Column::Period(periods) = &**column {
        let mut rows = periods.clone();
        fill(threads, &mut rows, |_, slot| {
            if let Some(period) = *slot
                && let Cell::Period(period) = coarse(&Cell::Period(period))?
            {
                *slot = Some(period);
            }
            Ok(())
        })?;
        return Ok(Col::own(Column::Period(rows)));
    }
    let cells = (0..relation.rows).map(|row| column.cell(row).map(|cell| coarse(&cell)).transpose());
    let cells: Result<Vec<Option<Cell>>, Diagnostic> = cells.collect();
    Ok(Col::own(gathered(&cells?, Type::Time)))
}

/// One value a group; an error names the group.
fn aggregate(
    summary: &AggregateColumn,
    operand: Option<&Column>,
    groups: &Groups,
    threads: Threads,
) -> Result<Column, Failed> {
    let Some(operand) = operand else {
        let counts = groups.runs.iter().map(|run| Some((run.1 - run.0) as i64));
        return Ok(Column::Integer(counts.collect()));
    };
    if let Some(ViralMerge(rule)) = &summary.viral {
        let folded = |run| {
            fold(rule.as_ref(), summary.value_type, groups.rows(run).map(|row| operand.cell(row)).collect())
        };
        return each(groups, threads, folded).map(|cells| gathered(&cells, summary.value_type));
    }
    match (summary.op, operand) {
        (AggregateOp::Count, _) => {
            let count = |run| Ok(Some(groups.rows(run).filter(|row| !operand.is_null(*row)).count() as i64));
            each(groups, threads, count).map(Column::Integer)
        }
        (AggregateOp::Sum, Column::Integer(rows)) => {
            each(groups, threads, |run| whole_sum(groups, run, rows)).map(Column::Integer)
        }
        (AggregateOp::Sum | AggregateOp::Avg, _) => {
            each(groups, threads, |run| sum(summary.op, operand, groups, run)).map(Column::Number)
        }
        (op @ (AggregateOp::Min | AggregateOp::Max), _) => {
            Ok(extreme(operand, summary.value_type, groups, op == AggregateOp::Max))
        }
        (AggregateOp::Median, _) => each(groups, threads, |run| {
            median(groups.rows(run).filter_map(|row| number(operand, row)).collect())
        })
        .map(Column::Number),
        (op, _) => each(groups, threads, |run| {
            let mut moments = Moments::new(operand, op);
            groups.rows(run).for_each(|row| moments.enter(row));
            moments.value()
        })
        .map(Column::Number),
    }
}

/// An error and its group.
type Failed = (decimal128::Error, usize);

/// The value of each group.
fn each<T: Clone + Send>(
    groups: &Groups,
    threads: Threads,
    value: impl Fn((usize, usize)) -> Result<Option<T>, decimal128::Error> + Sync,
) -> Result<Vec<Option<T>>, Failed> {
    let mut made = vec![None; groups.runs.len()];
    fill(threads, &mut made, |at, slot| {
        *slot = value(groups.runs.get(at).copied().unwrap_or_default()).map_err(|error| (error, at))?;
        Ok(())
    })?;
    Ok(made)
}

fn whole_sum(
    groups: &Groups,
    run: (usize, usize),
    rows: &[Option<i64>],
) -> Result<Option<i64>, decimal128::Error> {
    let known = groups.rows(run).filter_map(|row| rows.get(row).copied().flatten());
    // INVARIANT: at most 2^24 values of 64 bits fit 128 bits.
    let (count, sum) = known.fold((0, 0_i128), |(n, sum), value| (n + 1, sum + i128::from(value)));
    let sum = i64::try_from(sum).map_err(|_| decimal128::Error::Overflow)?;
    Ok((count > 0).then_some(sum))
}

fn sum(
    op: AggregateOp,
    operand: &Column,
    groups: &Groups,
    run: (usize, usize),
) -> Result<Option<Decimal>, decimal128::Error> {
    let (mut total, mut count) = (Total::default(), 0_u64);
    for value in groups.rows(run).filter_map(|row| number(operand, row)) {
        total.add(value);
        count += 1;
    }
    if count == 0 {
        return Ok(None);
    }
    if op == AggregateOp::Avg { total.mean(count).map(Some) } else { total.sum().map(Some) }
}

/// A number of a column, whole or not.
pub(super) fn number(column: &Column, row: usize) -> Option<Decimal> {
    match column {
        Column::Integer(rows) => rows.get(row).copied().flatten().map(Decimal::from),
        Column::Number(rows) => rows.get(row).copied().flatten(),
        _ => None,
    }
}

/// The least or greatest value of each group, in the canonical order of the type.
fn extreme(operand: &Column, kind: Type, groups: &Groups, greatest: bool) -> Column {
    // Durations are spelled in another order than they have.
    let lengths = (kind == Type::Duration).then(|| lengths(operand));
    let best = |run: &(usize, usize)| {
        let known = groups.rows(*run).filter(|row| !operand.is_null(*row));
        let best = known.reduce(|best, row| {
            let order = lengths
                .as_ref()
                .map_or_else(|| operand.compare(row, best), |codes| codes.get(row).cmp(&codes.get(best)));
            if (greatest && order.is_gt()) || (!greatest && order.is_lt()) { row } else { best }
        });
        // A row that does not exist gathers as null.
        best.unwrap_or(usize::MAX)
    };
    let rows: Vec<usize> = groups.runs.iter().map(best).collect();
    match operand {
        Column::Text(texts) if rows.is_empty() => {
            Column::Text(Texts::from_parts(texts.dictionary().to_vec(), Vec::new()).unwrap_or_default())
        }
        other => other.gather(&rows),
    }
}
