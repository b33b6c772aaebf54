//! Cost of a run in steps and cells; part of the semantics, independent of any clock.
//!
//! Owns the cost table. Each charge depends only on the script and on row counts, and precedes the work
//! that it pays for, so that a run over its limits ends at the same point on every machine.

use schemas::limits::ROWS_MAX;
use schemas::structure::ValueType;
use schemas::table::Cell;

use crate::ast::PropagationRule;
use crate::ceilings::{RunCeilings, RunGuard, ceiling_diagnostic};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::op::{AggregateOp, AnalyticOp, Op, StringDistance, TextOp};
use crate::pattern::{POSITIONS_MAX, count_positions};
use crate::plan::{AggregateColumn, Term, TypedExpr, ViralMerge, WindowBound, WindowCall};

/// Limits of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLimits {
    /// Maximum steps, by the cost table in `specs/vtl.md`.
    pub steps: u64,
    /// Maximum cells (rows × columns) of intermediate results that are alive together; inputs are free.
    pub cells: u64,
}

/// Steps per node of the expressions of a script.
pub const NODE_STEPS: u64 = 1;
/// Steps per row of a simple row-wise operator, column or aggregate.
pub const ROW_STEPS: u64 = 1;
/// Steps per row of a division or remainder.
pub const DIVIDE_STEPS: u64 = 4;
/// Steps per row of `power` with an `integer` exponent: up to 128 multiplications.
pub const POWER_STEPS: u64 = 128;
/// Steps per row of `sqrt`.
pub const ROOT_STEPS: u64 = 16;
/// Steps per row of `ln` or `exp`, at 704 bits: more are needed by no known operand.
pub const SERIES_STEPS: u64 = 1024;
/// Steps per row of an operator on time values, or of one that reads or writes values as text.
pub const TEXT_STEPS: u64 = 8;
/// Steps per row of a string operator; a string has up to 1,024 bytes.
pub const LONG_TEXT_STEPS: u64 = 32;
/// Steps per row and position of the pattern of `match_characters`.
pub const POSITION_STEPS: u64 = 256;
/// Steps per row of a `string_distance` that compares all pairs of characters.
pub const DISTANCE_STEPS: u64 = 4096;
/// Steps per row of a sort, merge or regrouping.
pub const SORT_STEPS: u64 = 8;
/// Steps per value that enters or leaves a median.
pub const QUANTILE_STEPS: u64 = 8;
/// Steps per value that enters or leaves a variance; its square may have 25,000 digits.
pub const MOMENT_STEPS: u64 = 64;
/// Steps per cell copied into a new order.
pub const COPY_STEPS: u64 = 1;

/// Accumulates the cost of a run and compares it to the limits and the ceilings.
#[derive(Debug)]
pub(crate) struct BudgetMeter {
    limits: RunLimits,
    ceilings: RunCeilings,
    guard: RunGuard,
    pub(crate) steps: u64,
    live: u64,
    /// Maximum number of cells alive together so far.
    pub(crate) cells: u64,
}

impl BudgetMeter {
    pub(crate) fn new(limits: RunLimits, ceilings: &RunCeilings) -> Self {
        let guard = RunGuard::new(ceilings);
        Self { limits, ceilings: ceilings.clone(), guard, steps: 0, live: 0, cells: 0 }
    }

    /// Returns the memory and the stop flag of the run.
    pub(crate) fn guard(&self) -> RunGuard {
        self.guard.clone()
    }

    /// Charges `each` steps for each of `count` items.
    pub(crate) fn charge(&mut self, count: usize, each: u64, span: Span) -> Result<(), Diagnostic> {
        // An overflow must exceed the limit, not wrap below it.
        self.steps = self.steps.saturating_add((count as u64).saturating_mul(each));
        if self.steps <= self.limits.steps.min(self.ceilings.steps) {
            return Ok(());
        }
        // The limit of the author is part of the semantics: at or below the ceiling it fails everywhere.
        if self.limits.steps <= self.ceilings.steps {
            let message = format!("the recipe needs more than {} steps", self.limits.steps);
            return Err(Diagnostic::new(DiagnosticCode::Budget, span, message));
        }
        let message = format!("the run needs more than {} steps", self.ceilings.steps);
        Err(ceiling_diagnostic(DiagnosticCode::CeilingSteps, message, span))
    }

    /// Adds the cells of a new result to the live cells.
    pub(crate) fn reserve(&mut self, rows: usize, columns: usize, span: Span) -> Result<(), Diagnostic> {
        // A separate limit: a result with few columns would otherwise have nearly as many rows as cells.
        if rows > ROWS_MAX {
            let message = format!("a result has more than {ROWS_MAX} rows");
            return Err(Diagnostic::new(DiagnosticCode::Budget, span, message));
        }
        self.live = self.live.saturating_add((rows as u64).saturating_mul(columns as u64));
        self.cells = self.cells.max(self.live);
        if self.live <= self.limits.cells.min(self.ceilings.cells) {
            return Ok(());
        }
        if self.limits.cells <= self.ceilings.cells {
            let message = format!("the recipe needs more than {} cells at a time", self.limits.cells);
            return Err(Diagnostic::new(DiagnosticCode::Budget, span, message));
        }
        let message = format!("the run needs more than {} cells at a time", self.ceilings.cells);
        Err(ceiling_diagnostic(DiagnosticCode::CeilingCells, message, span))
    }

    /// Removes the cells of a result that is no longer needed.
    pub(crate) fn release(&mut self, rows: usize, columns: usize) {
        self.live = self.live.saturating_sub((rows as u64).saturating_mul(columns as u64));
    }
}

/// Returns the steps per row of a component expression; a lone column or literal costs nothing.
pub(crate) fn row_steps(typed: &TypedExpr) -> u64 {
    match &typed.term {
        Term::Column(_) | Term::Constant(_) | Term::Scalar(_) => 0,
        Term::Apply(op, operands) => {
            operands.iter().map(row_steps).sum::<u64>() + operator_steps(*op, operands)
        }
        Term::Window(frame) => row_steps(&frame.operand) + window_steps(frame),
    }
}

fn operator_steps(op: Op, operands: &[TypedExpr]) -> u64 {
    match op {
        Op::Divide | Op::Modulo => DIVIDE_STEPS,
        Op::Power if is_integer_typed(operands.get(1)) => POWER_STEPS,
        // A logarithm and an exponential, or two logarithms.
        Op::Power | Op::Log => 2 * SERIES_STEPS,
        Op::Ln | Op::Exp => SERIES_STEPS,
        Op::Sqrt => ROOT_STEPS,
        Op::Text(TextOp::Match) => TEXT_STEPS + POSITION_STEPS * pattern_positions(operands.get(1)),
        Op::Text(TextOp::Distance(method)) if method != StringDistance::Hamming => DISTANCE_STEPS,
        Op::Concat | Op::Text(_) => LONG_TEXT_STEPS,
        Op::Cast(_) | Op::Time(_) => TEXT_STEPS,
        // Each listed value is compared, so that a long list is not as cheap as one comparison.
        Op::In | Op::NotIn => ROW_STEPS * operands.len() as u64,
        _ => ROW_STEPS,
    }
}

/// Returns whether the operand has the type `integer`, whatever its value.
fn is_integer_typed(operand: Option<&TypedExpr>) -> bool {
    operand.is_some_and(|operand| operand.value_type == Some(ValueType::Integer))
}

/// Returns the positions of a literal pattern, and the maximum for any other pattern.
fn pattern_positions(pattern: Option<&TypedExpr>) -> u64 {
    match pattern.map(|pattern| &pattern.term) {
        Some(Term::Constant(Some(Cell::Text(pattern)))) => count_positions(pattern),
        _ => POSITIONS_MAX,
    }
}

/// Returns the steps per row of an analytic invocation: the sort, and the work for a data point that
/// enters and leaves the window.
fn window_steps(frame: &WindowCall) -> u64 {
    let each = match frame.op {
        // Each data point enters and leaves the window once.
        AnalyticOp::Aggregate(op) => 2 * aggregate_steps(op) + DIVIDE_STEPS,
        AnalyticOp::Ewma | AnalyticOp::Product => 3 * ROW_STEPS,
        _ => 2 * DIVIDE_STEPS,
    };
    let scalars = frame.offset.iter().chain(&frame.default).map(row_steps).sum::<u64>();
    SORT_STEPS + each + scalars + limit_steps(&frame.from) + limit_steps(&frame.to)
}

fn limit_steps(limit: &WindowBound) -> u64 {
    if let WindowBound::Offset(count, _) = limit { row_steps(count) } else { 0 }
}

/// Returns the steps per row of an aggregate column, without those of its operand.
pub(crate) fn summary_steps(summary: &AggregateColumn) -> u64 {
    match &summary.viral {
        Some(ViralMerge(rule)) => merge_steps(rule.as_ref()),
        None => aggregate_steps(summary.op),
    }
}

/// Returns the steps per merged value of a viral attribute.
pub(crate) fn merge_steps(rule: Option<&PropagationRule>) -> u64 {
    match rule {
        Some(PropagationRule::Enumerated { clauses, .. }) => TEXT_STEPS + ROW_STEPS * clauses.len() as u64,
        _ => TEXT_STEPS,
    }
}

/// Returns the steps per value of an aggregate.
fn aggregate_steps(op: AggregateOp) -> u64 {
    match op {
        AggregateOp::Sum | AggregateOp::Avg | AggregateOp::Count | AggregateOp::Min | AggregateOp::Max => {
            ROW_STEPS
        }
        AggregateOp::Median => QUANTILE_STEPS,
        AggregateOp::StddevPop | AggregateOp::StddevSamp | AggregateOp::VarPop | AggregateOp::VarSamp => {
            MOMENT_STEPS
        }
    }
}
