//! Analytic invocations (reference manual, "Analytic invocation"): partitions, their order, and the
//! operator over the window of each data point.
//!
//! Rows of one partition that the order does not tell apart follow each other in canonical order,
//! so every result is determined. What slides over windows stands in `slide.rs`.

use std::collections::BTreeMap;

use schemas::decimal::Decimal;
use schemas::structure::Type;
use schemas::table::{Cell, Column};

use super::bounds::{Bounds, Edge, Scale};
use super::column::Values;
use super::key::{order, ranks as ranked, runs};
use super::moments::Moments;
use super::quantile::Medians;
use super::rank::{self, ranks};
use super::row::{Rows, Trouble, trouble};
use super::series::{average, product};
use super::slide::{Counts, Extremes, Least, Means, Sums, WholeSums, slide};
use crate::decimal128::Error;
use crate::diagnostic::{DiagnosticCode, Span};
use crate::op::{AggregateOp, AnalyticOp};
use crate::plan::{TypedExpr, WindowBound, WindowCall};

/// Why a row has no value.
pub(super) type Failed = (Error, usize);

/// The rows in their partitions and order, and the windows over them.
pub(super) struct Windows {
    order: Vec<usize>,
    parts: Vec<(usize, usize)>,
    /// The rank of each row by what orders, turned round where that descends.
    pub(super) peers: Vec<u64>,
    range: bool,
    from: Edge,
    to: Edge,
    scale: Scale,
    pub(super) rows: usize,
}

impl Windows {
    /// The rows of each partition, in order.
    pub(super) fn parts(&self) -> impl Iterator<Item = &[usize]> {
        self.parts.iter().map(|(start, end)| self.order.get(*start..*end).unwrap_or_default())
    }

    /// The windows of the data points of a partition, first to last.
    pub(super) fn bounds<'w>(&'w self, points: &'w [usize]) -> Bounds<'w> {
        let scale = if self.range { Some((&self.scale, self.peers.as_slice())) } else { None };
        Bounds::new(points, self.from, self.to, scale)
    }
}

/// One value a row.
pub(super) fn window(rows: &Rows<'_>, frame: &WindowCall, span: Span) -> Result<Column, Trouble> {
    let operand = rows.eval(&frame.operand, None)?;
    let windows = arranged(rows, frame)?;
    let failed = |(error, row)| trouble(error, frame.op.name(), span, row);
    match frame.op {
        AnalyticOp::Aggregate(op) => {
            let column = operand.column(frame.operand.value_type, rows.rows);
            aggregate(op, &column, frame.operand.value_type, &windows).map_err(failed)
        }
        AnalyticOp::Viral => {
            let column = operand.column(frame.operand.value_type, rows.rows);
            let sources = slide(&windows, Least::new(&column, frame.operand.value_type)).map_err(failed)?;
            Ok(picked(&column, &sources))
        }
        AnalyticOp::Rank => Ok(Column::Integer(ranks(&windows))),
        AnalyticOp::First | AnalyticOp::Last => {
            let column = operand.column(frame.operand.value_type, rows.rows);
            Ok(column.gather(&rank::ends(&column, &windows, frame.op == AnalyticOp::Last)))
        }
        AnalyticOp::Lag | AnalyticOp::Lead => moved(rows, frame, operand, &windows),
        AnalyticOp::Ratio => rank::ratios(&operand.numbers(), &windows).map(Column::Number).map_err(failed),
        AnalyticOp::Ewma => {
            let weight = weight(rows, frame, span)?;
            average(&operand.numbers(), &weight, &windows, rows, frame).map(Column::Number).map_err(failed)
        }
        AnalyticOp::Product => {
            product(&operand.numbers(), &windows, rows, frame).map(Column::Number).map_err(failed)
        }
    }
}

/// Brings the rows into their partitions and order.
fn arranged(rows: &Rows<'_>, frame: &WindowCall) -> Result<Windows, Trouble> {
    let given = |at: usize| rows.columns.get(at).map(|column| &**column);
    let long = frame.lengths.iter().filter_map(|at| Some((*at, rank::places(given(*at)?))));
    let long: BTreeMap<usize, Column> = long.collect();
    let column = |at: usize| long.get(&at).or_else(|| given(at));
    let partition = ranked(frame.partition.iter().filter_map(|at| column(*at)), rows.rows);
    let up = frame.partition.iter().map(|at| (*at, false));
    let directed = |keys: &[(usize, bool)]| {
        let keys: Vec<_> = keys.iter().filter_map(|(at, down)| Some((column(*at)?, *down))).collect();
        schemas::rank::directed(&keys, rows.rows)
    };
    let order = order(&directed(&up.chain(frame.order.iter().copied()).collect::<Vec<_>>()));
    let parts = runs(&partition, order.as_deref());
    let order = match order {
        None => (0..rows.rows).collect(),
        Some(order) => order.into_iter().map(|row| row as usize).collect(),
    };
    let schemas::rank::Ranks { sides: [peers], .. } = directed(&frame.order);
    let (from, to) = (edge(rows, &frame.from)?, edge(rows, &frame.to)?);
    let scale = match frame.order.as_slice() {
        [(at, down)] if from.counts() || to.counts() => {
            rows.columns.get(*at).map_or(Scale::None, |column| Scale::new(column, *down))
        }
        _ => Scale::None,
    };
    Ok(Windows { order, parts, peers, range: frame.range, from, to, scale, rows: rows.rows })
}

/// The end of a window, its scalar evaluated.
fn edge(rows: &Rows<'_>, limit: &WindowBound) -> Result<Edge, Trouble> {
    Ok(match limit {
        WindowBound::First => Edge::First,
        WindowBound::Last => Edge::Last,
        WindowBound::Current => Edge::Current,
        WindowBound::Offset(count, before) => match number(rows, count)? {
            Some(count) => Edge::Offset(if *before { crate::decimal128::negate(count) } else { count }),
            None => return Err(invalid("the limit of a window is null".to_owned(), count.span)),
        },
    })
}

fn scalar(rows: &Rows<'_>, typed: &TypedExpr) -> Result<Option<Cell>, Trouble> {
    Ok(Rows::single(rows.values).eval(typed, None)?.cell(0))
}

fn number(rows: &Rows<'_>, typed: &TypedExpr) -> Result<Option<Decimal>, Trouble> {
    Ok(match scalar(rows, typed)? {
        Some(Cell::Integer(count)) => Some(count.into()),
        Some(Cell::Number(number)) => Some(number),
        _ => None,
    })
}

/// A scalar that an operator cannot take; no data point is to blame.
fn invalid(message: String, span: Span) -> Trouble {
    Trouble { code: DiagnosticCode::Type, message, span, row: usize::MAX }
}

/// The weight of `ewma`: above 0 and at most 1.
fn weight(rows: &Rows<'_>, frame: &WindowCall, span: Span) -> Result<Decimal, Trouble> {
    let given = frame.offset.as_ref().map_or(Ok(None), |weight| number(rows, weight))?;
    let fits =
        |weight: &Decimal| weight.compare(Decimal::ZERO).is_gt() && weight.compare(Decimal::from(1)).is_le();
    let place = frame.offset.as_ref().map_or(span, |weight| weight.span);
    given.filter(fits).ok_or_else(|| {
        let shown = given.map_or("null".to_owned(), |weight| weight.to_string());
        invalid(format!("the weight of `ewma` is above 0 and at most 1, found {shown}"), place)
    })
}

/// `lag` and `lead`: the value so many data points away, or the default beyond the partition.
fn moved(rows: &Rows<'_>, frame: &WindowCall, operand: Values, windows: &Windows) -> Result<Column, Trouble> {
    let count = match &frame.offset {
        None => 1,
        Some(offset) => match scalar(rows, offset)? {
            Some(Cell::Integer(count)) if count > 0 => usize::try_from(count).unwrap_or(usize::MAX),
            other => {
                let shown = other.map_or("null".to_owned(), |cell| cell.to_string());
                let message =
                    format!("`{}` needs a number of data points above 0, found {shown}", frame.op.name());
                return Err(invalid(message, offset.span));
            }
        },
    };
    let sources = rank::sources(windows, count, frame.op == AnalyticOp::Lead);
    let default = match &frame.default {
        Some(default) => scalar(rows, default)?,
        None => None,
    };
    let column = operand.column(frame.operand.value_type, rows.rows);
    if default.is_none() {
        return Ok(column.gather(&sources));
    }
    let inside: Vec<bool> = sources.iter().map(|source| *source != usize::MAX).collect();
    let values = Values::Column(super::column::Col::own(column.gather(&sources)));
    let default = Values::Constant(default);
    let pick = |row: usize| if inside.get(row).copied().unwrap_or(false) { &values } else { &default };
    let chosen =
        rows.choose(frame.operand.value_type, None, pick).column(frame.operand.value_type, rows.rows);
    Ok((*chosen).clone())
}

fn aggregate(
    op: AggregateOp,
    operand: &Column,
    kind: Option<Type>,
    windows: &Windows,
) -> Result<Column, Failed> {
    Ok(match (op, operand) {
        (AggregateOp::Count, _) => Column::Integer(slide(windows, Counts::new(operand))?),
        (AggregateOp::Sum, Column::Integer(rows)) => Column::Integer(slide(windows, WholeSums::new(rows))?),
        (AggregateOp::Sum, _) => Column::Number(slide(windows, Sums::new(operand))?),
        (AggregateOp::Avg, _) => Column::Number(slide(windows, Means::new(operand))?),
        (AggregateOp::Min | AggregateOp::Max, _) => {
            let extremes = Extremes::new(operand, kind, op == AggregateOp::Max);
            picked(operand, &slide(windows, extremes)?)
        }
        (AggregateOp::Median, _) => Column::Number(slide(windows, Medians::new(operand))?),
        (spread, _) => Column::Number(slide(windows, Moments::new(operand, spread))?),
    })
}

/// The values of the rows named; of none it is null.
fn picked(operand: &Column, sources: &[Option<usize>]) -> Column {
    let rows: Vec<usize> = sources.iter().map(|row| row.unwrap_or(usize::MAX)).collect();
    operand.gather(&rows)
}
