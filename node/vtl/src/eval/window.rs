//! Analytic invocations (reference manual, "Analytic invocation"): partitions, their order, and the
//! operator over the window of each data point.
//!
//! Rows of a partition that tie in the `order by` clause keep canonical order, so every result is
//! determined. Sliding aggregates are in `sliding_window.rs`.

use std::collections::BTreeMap;

use schemas::decimal::Decimal;
use schemas::structure::ValueType;
use schemas::table::{Cell, Column};

use super::column::{ColumnarValue, SharedColumn};
use super::error::{DecimalRowError, EvalError, decimal_error};
use super::expression::RowContext;
use super::key_ranks::duration_rank_column;
use super::key_ranks::{equal_runs, rank_rows as ranked, sort_order};
use super::median::WindowMedian;
use super::navigation::{self, rank_points};
use super::recurrence::{chain_product, exponential_average};
use super::sliding_window::{
    NonNullMinimum, WindowCount, WindowExtreme, WindowIntegerSum, WindowMean, WindowSum, slide_windows,
};
use super::variance::WindowVariance;
use super::window_bounds::{PartitionedRows, RangeScale, WindowEdge};
use crate::ceilings::{WINDOW_BYTES, value_bytes};
use crate::diagnostic::{DiagnosticCode, Span};
use crate::op::{AggregateOp, AnalyticOp};
use crate::plan::{TypedExpr, WindowBound, WindowCall};

/// Evaluates an analytic invocation: one value for each row.
pub(super) fn eval_window(
    rows: &RowContext<'_>,
    call: &WindowCall,
    span: Span,
) -> Result<SharedColumn, EvalError> {
    let operand = rows.eval(&call.operand, None)?;
    // No result is wider than a number.
    let result = value_bytes(Some(ValueType::Number));
    let reserved = rows.guard.reserve_each(rows.rows, WINDOW_BYTES.saturating_add(result))?;
    let column = eval_analytic(rows, call, operand, span)?;
    drop(reserved);
    Ok(SharedColumn::new(column, rows.guard))
}

/// Evaluates the operator; the caller has reserved its memory.
fn eval_analytic(
    rows: &RowContext<'_>,
    call: &WindowCall,
    operand: ColumnarValue,
    span: Span,
) -> Result<Column, EvalError> {
    let windows = partition_rows(rows, call)?;
    let times = call.order.first().and_then(|(at, _)| rows.columns.get(*at)).map(|column| &**column);
    let failed = |(error, row)| decimal_error(error, call.op.name(), span, row);
    match call.op {
        AnalyticOp::Aggregate(op) => {
            let column = operand.into_column(call.operand.value_type, rows.rows, rows.guard)?;
            aggregate_windows(op, &column, call.operand.value_type, &windows).map_err(failed)
        }
        AnalyticOp::Viral => {
            let column = operand.into_column(call.operand.value_type, rows.rows, rows.guard)?;
            let sources = slide_windows(&windows, NonNullMinimum::new(&column, call.operand.value_type))
                .map_err(failed)?;
            Ok(gather_optional(&column, &sources))
        }
        AnalyticOp::Rank => Ok(Column::Integer(rank_points(&windows))),
        AnalyticOp::First | AnalyticOp::Last => {
            let column = operand.into_column(call.operand.value_type, rows.rows, rows.guard)?;
            Ok(column.gather(&navigation::first_or_last(&column, &windows, call.op == AnalyticOp::Last)))
        }
        AnalyticOp::Lag | AnalyticOp::Lead => eval_lag_lead(rows, call, operand, &windows),
        AnalyticOp::Ratio => {
            navigation::ratios_to_report(&operand.as_numbers(), &windows).map(Column::Number).map_err(failed)
        }
        AnalyticOp::Ewma => {
            let weight = eval_weight(rows, call, span)?;
            exponential_average(&operand.as_numbers(), &weight, &windows, times)
                .map(Column::Number)
                .map_err(failed)
        }
        AnalyticOp::Product => {
            chain_product(&operand.as_numbers(), &windows, times).map(Column::Number).map_err(failed)
        }
    }
}

/// Sorts the rows into partitions and evaluates the window bounds.
fn partition_rows(rows: &RowContext<'_>, call: &WindowCall) -> Result<PartitionedRows, EvalError> {
    let given = |at: usize| rows.columns.get(at).map(|column| &**column);
    // Durations sort by length, so ranks take the place of their columns.
    let long = call.lengths.iter().filter_map(|at| Some((*at, duration_rank_column(given(*at)?))));
    let long: BTreeMap<usize, Column> = long.collect();
    let column = |at: usize| long.get(&at).or_else(|| given(at));
    let partition = ranked(call.partition.iter().filter_map(|at| column(*at)), rows.rows);
    let up = call.partition.iter().map(|at| (*at, false));
    let directed = |keys: &[(usize, bool)]| {
        let keys: Vec<_> = keys.iter().filter_map(|(at, down)| Some((column(*at)?, *down))).collect();
        schemas::sort_key::directed_sort_keys(&keys, rows.rows)
    };
    let order = sort_order(&directed(&up.chain(call.order.iter().copied()).collect::<Vec<_>>()));
    let parts = equal_runs(&partition, order.as_deref());
    let order = match order {
        None => (0..rows.rows).collect(),
        Some(order) => order.into_iter().map(|row| row as usize).collect(),
    };
    let schemas::sort_key::SortKeys { sides: [peers], .. } = directed(&call.order);
    let (from, to) = (eval_edge(rows, &call.from)?, eval_edge(rows, &call.to)?);
    let scale = match call.order.as_slice() {
        // Only offsets need distances; other ends compare ranks.
        [(at, down)] if from.is_offset() || to.is_offset() => {
            rows.columns.get(*at).map_or(RangeScale::None, |column| RangeScale::new(column, *down))
        }
        _ => RangeScale::None,
    };
    Ok(PartitionedRows {
        order,
        parts,
        peers,
        range: call.range,
        from,
        to,
        scale,
        rows: rows.rows,
        guard: rows.guard.clone(),
    })
}

/// Evaluates the offset of a window end.
fn eval_edge(rows: &RowContext<'_>, limit: &WindowBound) -> Result<WindowEdge, EvalError> {
    Ok(match limit {
        WindowBound::First => WindowEdge::First,
        WindowBound::Last => WindowEdge::Last,
        WindowBound::Current => WindowEdge::Current,
        WindowBound::Offset(count, before) => match eval_number(rows, count)? {
            Some(count) => WindowEdge::Offset(if *before { crate::decimal128::negate(count) } else { count }),
            None => return Err(invalid_scalar("the limit of a window is null".to_owned(), count.span)),
        },
    })
}

fn eval_scalar(rows: &RowContext<'_>, typed: &TypedExpr) -> Result<Option<Cell>, EvalError> {
    Ok(RowContext::for_scalar(rows.values, rows.guard).eval(typed, None)?.cell_at(0))
}

fn eval_number(rows: &RowContext<'_>, typed: &TypedExpr) -> Result<Option<Decimal>, EvalError> {
    Ok(match eval_scalar(rows, typed)? {
        Some(Cell::Integer(count)) => Some(count.into()),
        Some(Cell::Number(number)) => Some(number),
        _ => None,
    })
}

/// Error of a scalar argument; it belongs to no data point.
fn invalid_scalar(message: String, span: Span) -> EvalError {
    EvalError { code: DiagnosticCode::Type, message, span, row: usize::MAX }
}

/// Evaluates the weight of `ewma`, in `(0, 1]`.
fn eval_weight(rows: &RowContext<'_>, call: &WindowCall, span: Span) -> Result<Decimal, EvalError> {
    let given = call.offset.as_ref().map_or(Ok(None), |weight| eval_number(rows, weight))?;
    let fits =
        |weight: &Decimal| weight.compare(Decimal::ZERO).is_gt() && weight.compare(Decimal::from(1)).is_le();
    let place = call.offset.as_ref().map_or(span, |weight| weight.span);
    given.filter(fits).ok_or_else(|| {
        let shown = given.map_or("null".to_owned(), |weight| weight.to_string());
        invalid_scalar(format!("the weight of `ewma` must be above 0 and at most 1, found {shown}"), place)
    })
}

/// Evaluates `lag` and `lead`: the value at an offset of data points, or the default beyond the
/// partition.
fn eval_lag_lead(
    rows: &RowContext<'_>,
    call: &WindowCall,
    operand: ColumnarValue,
    windows: &PartitionedRows,
) -> Result<Column, EvalError> {
    let count = match &call.offset {
        None => 1,
        Some(offset) => match eval_scalar(rows, offset)? {
            Some(Cell::Integer(count)) if count > 0 => usize::try_from(count).unwrap_or(usize::MAX),
            other => {
                let shown = other.map_or("null".to_owned(), |cell| cell.to_string());
                let message = format!(
                    "`{}` requires an offset of at least 1 data point, found {shown}",
                    call.op.name()
                );
                return Err(invalid_scalar(message, offset.span));
            }
        },
    };
    let sources = navigation::offset_sources(windows, count, call.op == AnalyticOp::Lead);
    let default = match &call.default {
        Some(default) => eval_scalar(rows, default)?,
        None => None,
    };
    let column = operand.into_column(call.operand.value_type, rows.rows, rows.guard)?;
    // Rows beyond the partition gather as null.
    if default.is_none() {
        return Ok(column.gather(&sources));
    }
    let inside: Vec<bool> = sources.iter().map(|source| *source != usize::MAX).collect();
    let values = ColumnarValue::Column(column.pick(&sources, rows.guard)?);
    let default = ColumnarValue::Constant(default);
    let pick = |row: usize| if inside.get(row).copied().unwrap_or(false) { &values } else { &default };
    let chosen = rows.choose_values(call.operand.value_type, None, pick)?.into_column(
        call.operand.value_type,
        rows.rows,
        rows.guard,
    )?;
    Ok((*chosen).clone())
}

fn aggregate_windows(
    op: AggregateOp,
    operand: &Column,
    value_type: Option<ValueType>,
    windows: &PartitionedRows,
) -> Result<Column, DecimalRowError> {
    Ok(match (op, operand) {
        (AggregateOp::Count, _) => Column::Integer(slide_windows(windows, WindowCount::new(operand))?),
        (AggregateOp::Sum, Column::Integer(rows)) => {
            Column::Integer(slide_windows(windows, WindowIntegerSum::new(rows))?)
        }
        (AggregateOp::Sum, _) => Column::Number(slide_windows(windows, WindowSum::new(operand))?),
        (AggregateOp::Avg, _) => Column::Number(slide_windows(windows, WindowMean::new(operand))?),
        (AggregateOp::Min | AggregateOp::Max, _) => {
            let extremes = WindowExtreme::new(operand, value_type, op == AggregateOp::Max);
            gather_optional(operand, &slide_windows(windows, extremes)?)
        }
        (AggregateOp::Median, _) => Column::Number(slide_windows(windows, WindowMedian::new(operand))?),
        (spread, _) => Column::Number(slide_windows(windows, WindowVariance::new(operand, spread))?),
    })
}

/// Gathers values by row; `None` gives null.
fn gather_optional(operand: &Column, sources: &[Option<usize>]) -> Column {
    let rows: Vec<usize> = sources.iter().map(|row| row.unwrap_or(usize::MAX)).collect();
    operand.gather(&rows)
}
