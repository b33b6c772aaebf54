//! What a run may cost, in steps and in cells: part of the semantics, never a clock.
//!
//! Owns the table of costs. Every charge depends on the script and the numbers of rows only, and is
//! made before the work is done, so a run ends at the same place on every machine.

use schemas::limits::ROWS_MAX;
use schemas::structure::ValueType;
use schemas::table::Cell;

use crate::ast::PropagationRule;
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::eval::{POSITIONS_MAX, count_positions};
use crate::op::{AggregateOp, AnalyticOp, Op, StringDistance, TextOp};
use crate::plan::{AggregateColumn, Term, TypedExpr, ViralMerge, WindowBound, WindowCall};

/// What a run may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLimits {
    /// Units of work; the table of costs stands in `specs/vtl.md`.
    pub steps: u64,
    /// Cells (rows × columns) of all intermediate results that live at one time; inputs are free.
    pub cells: u64,
}

/// Steps for each node of the expressions of a script.
pub const NODE_STEPS: u64 = 1;
/// Steps for each row and each simple row-wise operator, column or aggregate.
pub const ROW_STEPS: u64 = 1;
/// Steps for each row and each division or remainder.
pub const DIVIDE_STEPS: u64 = 4;
/// Steps for each row and each `power` whose exponent is an `integer`: up to 128 multiplications.
pub const POWER_STEPS: u64 = 128;
/// Steps for each row and each `sqrt`.
pub const ROOT_STEPS: u64 = 16;
/// Steps for each row and each `ln` or `exp`, at the largest working precision.
pub const SERIES_STEPS: u64 = 1024;
/// Steps for each row and each operator on values of time, or that reads or writes values as text.
pub const TEXT_STEPS: u64 = 8;
/// Steps for each row and each operator on texts, which may have 1,024 bytes.
pub const LONG_TEXT_STEPS: u64 = 32;
/// Steps for each row and each position of the pattern of `match_characters`.
pub const POSITION_STEPS: u64 = 256;
/// Steps for each row and a `string_distance` that compares every character with every other.
pub const DISTANCE_STEPS: u64 = 4096;
/// Steps for each row and each sort, merge or regrouping.
pub const SORT_STEPS: u64 = 8;
/// Steps for each value that a median takes in or lets go.
pub const QUANTILE_STEPS: u64 = 8;
/// Steps for each value that a variance takes in or lets go: its squares may have 25,000 digits.
pub const MOMENT_STEPS: u64 = 64;
/// Steps for each cell that is copied into a new order.
pub const COPY_STEPS: u64 = 1;

/// Counts what a run uses against its limits.
#[derive(Debug)]
pub(crate) struct BudgetMeter {
    limits: RunLimits,
    pub(crate) steps: u64,
    live: u64,
    /// The most cells that lived at one time.
    pub(crate) cells: u64,
}

impl BudgetMeter {
    pub(crate) fn new(limits: RunLimits) -> Self {
        Self { limits, steps: 0, live: 0, cells: 0 }
    }

    /// Charges `each` steps for each of `count` things.
    pub(crate) fn charge(&mut self, count: usize, each: u64, span: Span) -> Result<(), Diagnostic> {
        self.steps = self.steps.saturating_add((count as u64).saturating_mul(each));
        if self.steps <= self.limits.steps {
            return Ok(());
        }
        let message = format!("the recipe needs more than {} steps", self.limits.steps);
        Err(Diagnostic::new(DiagnosticCode::Budget, span, message))
    }

    /// Counts the cells of a new result.
    pub(crate) fn reserve(&mut self, rows: usize, outputs: usize, span: Span) -> Result<(), Diagnostic> {
        if rows > ROWS_MAX {
            let message = format!("a result of more than {ROWS_MAX} rows");
            return Err(Diagnostic::new(DiagnosticCode::Budget, span, message));
        }
        self.live = self.live.saturating_add((rows as u64).saturating_mul(outputs as u64));
        self.cells = self.cells.max(self.live);
        if self.live <= self.limits.cells {
            return Ok(());
        }
        let message = format!("the recipe holds more than {} cells at a time", self.limits.cells);
        Err(Diagnostic::new(DiagnosticCode::Budget, span, message))
    }

    /// Gives back the cells of a result that is no longer needed.
    pub(crate) fn release(&mut self, rows: usize, outputs: usize) {
        self.live = self.live.saturating_sub((rows as u64).saturating_mul(outputs as u64));
    }
}

/// Steps for each row of a component expression; a column or a literal alone costs nothing.
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
        Op::Power | Op::Log => 2 * SERIES_STEPS,
        Op::Ln | Op::Exp => SERIES_STEPS,
        Op::Sqrt => ROOT_STEPS,
        Op::Text(TextOp::Match) => TEXT_STEPS + POSITION_STEPS * pattern_positions(operands.get(1)),
        Op::Text(TextOp::Distance(method)) if method != StringDistance::Hamming => DISTANCE_STEPS,
        Op::Concat | Op::Text(_) => LONG_TEXT_STEPS,
        Op::Cast(_) | Op::Time(_) => TEXT_STEPS,
        Op::In | Op::NotIn => ROW_STEPS * operands.len() as u64,
        _ => ROW_STEPS,
    }
}

/// Whether an operand is an integer by its type.
fn is_integer_typed(operand: Option<&TypedExpr>) -> bool {
    operand.is_some_and(|operand| operand.value_type == Some(ValueType::Integer))
}

/// Positions of a pattern; of one that is not a literal the most there may be.
fn pattern_positions(pattern: Option<&TypedExpr>) -> u64 {
    match pattern.map(|pattern| &pattern.term) {
        Some(Term::Constant(Some(Cell::Text(pattern)))) => count_positions(pattern),
        _ => POSITIONS_MAX,
    }
}

/// Steps for each row of an analytic invocation: sorting, and what its operator does to a data point
/// that enters and leaves the window.
fn window_steps(frame: &WindowCall) -> u64 {
    let each = match frame.op {
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

/// Steps for each row of a column that aggregates, without those of its operand.
pub(crate) fn summary_steps(summary: &AggregateColumn) -> u64 {
    match &summary.viral {
        Some(ViralMerge(rule)) => merge_steps(rule.as_ref()),
        None => aggregate_steps(summary.op),
    }
}

/// Steps for each value of a viral attribute that becomes one with another.
pub(crate) fn merge_steps(rule: Option<&PropagationRule>) -> u64 {
    match rule {
        Some(PropagationRule::Enumerated { clauses, .. }) => TEXT_STEPS + ROW_STEPS * clauses.len() as u64,
        _ => TEXT_STEPS,
    }
}

/// Steps for each value that an aggregate takes in.
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
