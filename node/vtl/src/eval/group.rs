//! Grouping and aggregates: exact, and independent of the order of data points (reference manual,
//! "Aggregate invocation"). Nulls are skipped; a group of nulls alone gives null.

use schemas::decimal::Decimal;
use schemas::table::{Column, Texts};

use super::column::Col;
use super::key::{codes, order, runs};
use super::moments::Moments;
use super::quantile::median;
use super::slide::Slide;
use super::{Relation, point};
use crate::budget::{Meter, SORT_STEPS};
use crate::decimal128::{self, Total};
use crate::fault::{Code, Fault};
use crate::op::Aggregator;
use crate::plan::{Key, Step, Summary};

/// Rows of the operand that make one data point of the result.
struct Groups {
    order: Option<Vec<usize>>,
    runs: Vec<(usize, usize)>,
}

impl Groups {
    fn rows(&self, run: (usize, usize)) -> impl Iterator<Item = usize> {
        (run.0..run.1).map(|place| {
            self.order.as_ref().map_or(place, |order| order.get(place).copied().unwrap_or(place))
        })
    }
}

pub(super) fn group(
    relation: &Relation,
    keys: &[Key],
    summaries: &[Summary],
    operands: &[Option<Col>],
    meter: &mut Meter,
    step: &Step,
) -> Result<Relation, Fault> {
    meter.charge(relation.rows, SORT_STEPS, step.span)?;
    let mut columns = Vec::new();
    for key in keys {
        columns.push(converted(relation, key, step)?);
    }
    let coded: Vec<Vec<i64>> = columns.iter().map(|column| codes(column)).collect();
    let order = order(&coded, relation.rows);
    let mut groups = Groups { runs: runs(&coded, order.as_deref(), relation.rows), order };
    if keys.is_empty() {
        // Without grouping there is one data point, even of an empty data set.
        groups.runs = vec![(0, relation.rows)];
    }
    let rows = groups.runs.len();
    meter.hold(rows, step.fields.len(), step.span)?;
    let firsts: Vec<usize> = groups.runs.iter().filter_map(|run| groups.rows(*run).next()).collect();
    let mut made: Vec<Col> = columns.iter().map(|column| Col::own(column.gather(&firsts))).collect();
    for (summary, operand) in summaries.iter().zip(operands) {
        let column = aggregate(summary, operand.as_deref(), &groups).map_err(|(error, at)| {
            let keys = Relation { columns: made.iter().take(keys.len()).cloned().collect(), rows };
            let message = format!("`{}`: {error}", summary.op.name());
            Fault::new(Code::Overflow, summary.span, message).at(point(&step.fields, &keys, at))
        })?;
        made.push(Col::own(column));
    }
    Ok(Relation { columns: made, rows })
}

/// The column of a key, its periods converted.
fn converted(relation: &Relation, key: &Key, step: &Step) -> Result<Col, Fault> {
    let missing = || Fault::new(Code::Structure, step.span, "a key of the plan has no column");
    let column = relation.columns.get(key.column).ok_or_else(missing)?;
    let (Some(frequency), Column::Period(periods)) = (key.convert, &**column) else {
        return Ok(column.clone());
    };
    let mut rows = Vec::with_capacity(periods.len());
    for period in periods {
        let coarse = period.and_then(|period| period.convert(frequency));
        if coarse.is_none() {
            let shown = period.map_or(String::new(), |period| period.to_string());
            let message = format!("`time_agg` cannot bring {shown} to the finer frequency {frequency}");
            return Err(Fault::new(Code::Frequency, step.span, message));
        }
        rows.push(coarse);
    }
    Ok(Col::own(Column::Period(rows)))
}

/// One value a group; an error names the group.
fn aggregate(
    summary: &Summary,
    operand: Option<&Column>,
    groups: &Groups,
) -> Result<Column, (decimal128::Error, usize)> {
    let Some(operand) = operand else {
        let counts = groups.runs.iter().map(|run| Some((run.1 - run.0) as i64));
        return Ok(Column::Integer(counts.collect()));
    };
    match summary.op {
        Aggregator::Count => {
            let count = |run: &(usize, usize)| groups.rows(*run).filter(|row| !operand.is_null(*row)).count();
            Ok(Column::Integer(groups.runs.iter().map(|run| Some(count(run) as i64)).collect()))
        }
        Aggregator::Sum | Aggregator::Avg => sums(summary.op, operand, groups),
        Aggregator::Min => Ok(extreme(operand, groups, false)),
        Aggregator::Max => Ok(extreme(operand, groups, true)),
        Aggregator::Median => medians(operand, groups),
        op => spreads(op, operand, groups),
    }
}

fn sums(op: Aggregator, operand: &Column, groups: &Groups) -> Result<Column, (decimal128::Error, usize)> {
    match (op, operand) {
        (Aggregator::Sum, Column::Integer(rows)) => {
            let mut sums = Vec::with_capacity(groups.runs.len());
            for (at, run) in groups.runs.iter().enumerate() {
                let known = groups.rows(*run).filter_map(|row| rows.get(row).copied().flatten());
                // INVARIANT: at most 2^24 values of 64 bits fit 128 bits.
                let (count, sum) =
                    known.fold((0, 0_i128), |(n, sum), value| (n + 1, sum + i128::from(value)));
                let sum = i64::try_from(sum).map_err(|_| (decimal128::Error::Overflow, at))?;
                sums.push((count > 0).then_some(sum));
            }
            Ok(Column::Integer(sums))
        }
        _ => {
            let mut sums = Vec::with_capacity(groups.runs.len());
            for (at, run) in groups.runs.iter().enumerate() {
                let (mut total, mut count) = (Total::default(), 0_u64);
                for value in groups.rows(*run).filter_map(|row| number(operand, row)) {
                    total.add(value);
                    count += 1;
                }
                let value = if op == Aggregator::Avg { total.mean(count) } else { total.sum() };
                let value = value.map_err(|error| (error, at))?;
                sums.push((count > 0).then_some(value));
            }
            Ok(Column::Number(sums))
        }
    }
}

fn medians(operand: &Column, groups: &Groups) -> Result<Column, (decimal128::Error, usize)> {
    let middle = |(at, run): (usize, &(usize, usize))| {
        let values = groups.rows(*run).filter_map(|row| number(operand, row)).collect();
        median(values).map_err(|error| (error, at))
    };
    groups.runs.iter().enumerate().map(middle).collect::<Result<_, _>>().map(Column::Number)
}

/// Variances and standard deviations.
fn spreads(op: Aggregator, operand: &Column, groups: &Groups) -> Result<Column, (decimal128::Error, usize)> {
    let spread = |(at, run): (usize, &(usize, usize))| {
        let mut moments = Moments::new(operand, op);
        groups.rows(*run).for_each(|row| moments.enter(row));
        moments.value().map_err(|error| (error, at))
    };
    groups.runs.iter().enumerate().map(spread).collect::<Result<_, _>>().map(Column::Number)
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
fn extreme(operand: &Column, groups: &Groups, greatest: bool) -> Column {
    let best = |run: &(usize, usize)| {
        let known = groups.rows(*run).filter(|row| !operand.is_null(*row));
        let best = known.reduce(|best, row| {
            let order = operand.compare(row, best);
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
