//! Evaluation of an execution plan: each step computes a relation from the results of earlier steps.
//!
//! Owns the order of evaluation, the lifetime of intermediate results and their budget. The columnar
//! operators are in the submodules. Evaluation does no IO, reads no clock and keeps no state beyond
//! one run; results do not depend on the order of input rows.

mod attribute_propagation;
mod cast;
mod column;
mod distance;
mod error;
mod expression;
mod group;
mod join;
mod key_ranks;
mod median;
mod navigation;
mod recurrence;
mod relation;
mod rollup;
mod semi_join;
mod sliding_window;
mod text_operators;
mod threads;
mod time_operators;
mod time_series;
mod union;
mod variance;
mod window;
mod window_bounds;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use schemas::structure::Role;
use schemas::table::{Cell, Error, Table};

use crate::budget::{BudgetMeter, COPY_STEPS, NODE_STEPS, ROW_STEPS, RunLimits, row_steps, summary_steps};
use crate::ceilings::{RunCeilings, RunGuard, SORT_BYTES, dictionary_bytes, row_bytes};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::plan::{ExecutionPlan, Operation, PlanStep, Term, TypedExpr};
use column::SharedColumn;
use error::EvalError;
use expression::RowContext;
use relation::{Relation, StepResult, data_point_key};
pub use threads::Threads;

/// Results and resource use of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOutput {
    /// Persistent data sets by name, numbers normalised.
    pub tables: BTreeMap<String, Table>,
    /// Persistent scalars by name; `None` is null.
    pub scalars: BTreeMap<String, Option<Cell>>,
    /// Budget steps used.
    pub steps: u64,
    /// Peak number of cells in intermediate results.
    pub cells: u64,
}

struct Evaluator<'a> {
    plan: &'a ExecutionPlan,
    inputs: &'a BTreeMap<String, Arc<Table>>,
    values: Vec<Option<StepResult>>,
    /// Last reader of each step.
    last: Vec<usize>,
    meter: BudgetMeter,
    guard: RunGuard,
    threads: Threads,
}

/// Runs a plan on its inputs, with all threads of the machine.
///
/// `inputs` may hold tables that the plan does not use. Each used table must have exactly the shape
/// that the plan was checked with.
///
/// # Errors
/// The first error in plan order of steps and canonical order of rows, the same on every machine; or, with a code
/// of its own, the ceiling of this machine that the run exceeds ([`DiagnosticCode::is_ceiling`]).
pub fn run_plan(
    plan: &ExecutionPlan,
    inputs: &BTreeMap<String, Arc<Table>>,
    limits: RunLimits,
    ceilings: &RunCeilings,
) -> Result<RunOutput, Diagnostic> {
    run_plan_with(plan, inputs, limits, ceilings, Threads::available())
}

/// Runs a plan as [`run_plan`] does, with a given number of threads, which does not affect the
/// result.
///
/// # Errors
/// As [`run_plan`].
pub fn run_plan_with(
    plan: &ExecutionPlan,
    inputs: &BTreeMap<String, Arc<Table>>,
    limits: RunLimits,
    ceilings: &RunCeilings,
    threads: Threads,
) -> Result<RunOutput, Diagnostic> {
    let (values, last, meter) = (Vec::new(), last_readers(plan), BudgetMeter::new(limits, ceilings));
    let guard = meter.guard();
    let mut run = Evaluator { plan, inputs, values, last, meter, guard: guard.clone(), threads };
    // Charge the script itself first, so that a large script on empty data is not free.
    run.meter.charge(usize::try_from(plan.nodes).unwrap_or(usize::MAX), NODE_STEPS, Span::default())?;
    // They live to the end of the run, whoever else holds them.
    let _inputs = guard.count(input_bytes(plan, inputs));
    guard.check(Span::default())?;
    for (at, step) in plan.steps.iter().enumerate() {
        let value = run.eval_step(step);
        // What a run beyond a ceiling has found is incomplete, an error as well.
        guard.check(step.span)?;
        run.values.push(Some(value?));
        run.release_unread(at, step);
    }
    let output = run.into_output();
    guard.check(Span::default())?;
    output
}

/// Returns the memory of the inputs that a plan reads.
fn input_bytes(plan: &ExecutionPlan, inputs: &BTreeMap<String, Arc<Table>>) -> u64 {
    let columns = plan.inputs.keys().filter_map(|name| inputs.get(name)).flat_map(|table| table.columns());
    columns.map(|column| row_bytes(column, column.len()).saturating_add(dictionary_bytes(column))).sum()
}

/// Returns the last reader of each step; `usize::MAX` for persistent results, which live to the end.
fn last_readers(plan: &ExecutionPlan) -> Vec<usize> {
    let mut last: Vec<usize> = (0..plan.steps.len()).collect();
    for (at, step) in plan.steps.iter().enumerate() {
        for input in step.operation.inputs() {
            if let Some(slot) = last.get_mut(input) {
                *slot = at;
            }
        }
    }
    let persistent = plan.outputs.iter().filter_map(|name| plan.results.get(name));
    for (step, _) in persistent {
        if let Some(slot) = last.get_mut(*step) {
            // No step has this index, so the relation is never moved out.
            *slot = usize::MAX;
        }
    }
    last
}

impl Evaluator<'_> {
    fn eval_step(&mut self, step: &PlanStep) -> Result<StepResult, Diagnostic> {
        let relation = match &step.operation {
            Operation::Input(name) => return self.read_input(name).map(StepResult::Data),
            Operation::Scalar(typed) => return self.eval_scalar(typed).map(StepResult::Scalar),
            Operation::Pick { input, column } => {
                let cell = self.relation(*input)?.columns.get(*column).and_then(|column| column.cell(0));
                return Ok(StepResult::Scalar(cell));
            }
            Operation::Map { input, outputs: columns } => self.eval_map(*input, columns, step.span)?,
            Operation::Filter { input, condition } => self.eval_filter(*input, condition, step.span)?,
            Operation::Rollup { input, rollup } => self.eval_rollup(*input, rollup, step)?,
            Operation::Union { inputs } => {
                let operands: Result<Vec<Relation>, Diagnostic> =
                    inputs.iter().map(|input| self.relation(*input).cloned()).collect();
                let count = step.columns.iter().take_while(|field| field.role == Role::Identifier).count();
                union::eval_union(&operands?, count, &mut self.meter, step.span)?
            }
            Operation::Join { left, right, keys, outputs: columns, matching } => {
                let sides = (self.relation(*left)?.clone(), self.relation(*right)?.clone());
                let count = step.columns.iter().take_while(|field| field.role == Role::Identifier).count();
                let spec = join::JoinSpec { keys, columns, matching: *matching, identifiers: count };
                return join::eval_join(&sides.0, &sides.1, &spec, &mut self.meter, step.span, self.threads)
                    .map(StepResult::Data);
            }
            Operation::SemiJoin { left, right, keys, present } => {
                let (left, right) = (self.relation(*left)?.clone(), self.relation(*right)?.clone());
                semi_join::eval_semi_join(&left, &right, keys, *present, &mut self.meter, step.span)?
            }
            Operation::Exists { left, right, keys } => {
                let (left, right) = (self.relation(*left)?.clone(), self.relation(*right)?.clone());
                semi_join::eval_exists(&left, &right, keys, &mut self.meter, step)?
            }
            Operation::Group { input, keys, summaries } => self.eval_group(*input, keys, summaries, step)?,
            Operation::Rekey { input, column, value } => self.eval_rekey(*input, *column, value, step)?,
            Operation::Series { input, time, time_type: value_type, op } => {
                let relation = self.relation(*input)?.clone();
                time_series::eval_time_series(&relation, (*time, *value_type), *op, &mut self.meter, step)?
            }
            Operation::Shift { input, column, count } => self.eval_shift(*input, *column, count, step)?,
        };
        Ok(StepResult::Data(relation))
    }

    fn read_input(&self, name: &str) -> Result<Relation, Diagnostic> {
        let missing = || {
            Diagnostic::new(DiagnosticCode::Input, Span::default(), format!("the input `{name}` is missing"))
        };
        let table = self.inputs.get(name).ok_or_else(missing)?;
        if self.plan.inputs.get(name) != Some(table.shape()) {
            let message =
                format!("the input `{name}` does not have the structure that the plan was checked with");
            return Err(Diagnostic::new(DiagnosticCode::Input, Span::default(), message));
        }
        let columns =
            (0..table.columns().len()).map(|at| SharedColumn::OfTable(Arc::clone(table), at)).collect();
        Ok(Relation { columns, rows: table.rows() })
    }

    /// Returns the relation of an earlier step.
    fn relation(&self, step: usize) -> Result<&Relation, Diagnostic> {
        match self.values.get(step) {
            Some(Some(StepResult::Data(relation))) => Ok(relation),
            _ => Err(Diagnostic::new(
                DiagnosticCode::Structure,
                Span::default(),
                "a step of the plan has no table",
            )),
        }
    }

    fn row_context<'r>(&'r self, relation: &'r Relation) -> RowContext<'r> {
        let spare = RefCell::default();
        RowContext {
            columns: &relation.columns,
            rows: relation.rows,
            values: &self.values,
            spare,
            threads: self.threads,
            guard: &self.guard,
        }
    }

    /// Returns the relation of a step, moved out when the current step is its last reader, so that its
    /// columns may be overwritten in place.
    fn take_relation(&mut self, step: usize) -> Result<Relation, Diagnostic> {
        let missing =
            || Diagnostic::new(DiagnosticCode::Structure, Span::default(), "a step of the plan has no table");
        let now = self.values.len();
        match self.values.get_mut(step) {
            Some(Some(StepResult::Data(relation))) if self.last.get(step) == Some(&now) => {
                // Placeholders of the same number keep `release_unread` accounting for the cells.
                let columns = vec![SharedColumn::Empty; relation.columns.len()];
                Ok(Relation {
                    columns: std::mem::replace(&mut relation.columns, columns),
                    rows: relation.rows,
                })
            }
            Some(Some(StepResult::Data(relation))) => Ok(relation.clone()),
            _ => Err(missing()),
        }
    }

    /// Evaluates a scalar: a component expression over one row without columns.
    fn eval_scalar(&mut self, typed: &TypedExpr) -> Result<Option<Cell>, Diagnostic> {
        self.meter.charge(1, row_steps(typed) + ROW_STEPS, typed.span)?;
        match RowContext::for_scalar(&self.values, &self.guard).eval(typed, None) {
            Ok(value) => Ok(value.cell_at(0)),
            Err(error) => Err(error.into_diagnostic(None)),
        }
    }

    fn eval_map(&mut self, input: usize, columns: &[TypedExpr], span: Span) -> Result<Relation, Diagnostic> {
        let rows = self.relation(input)?.rows;
        let cost: u64 = columns.iter().map(row_steps).sum();
        self.meter.charge(rows, cost, span)?;
        self.meter.reserve(rows, columns.len(), span)?;
        let mut relation = self.take_relation(input)?;
        let spare = RefCell::new(take_spare_columns(&mut relation, columns, self.identifier_count(input)));
        let rows = RowContext { spare, ..self.row_context(&relation) };
        let mut made = Vec::with_capacity(columns.len());
        for typed in columns {
            let value = rows.eval(typed, None).map_err(|error| self.locate_error(error, input, &relation))?;
            made.push(value.into_column(typed.value_type, relation.rows, &self.guard)?);
        }
        let relation = Relation { columns: made, rows: relation.rows };
        self.check_identifiers(&relation, columns, self.identifier_count(input), span)?;
        Ok(relation)
    }

    /// Returns the number of identifiers of a step, which are its first columns.
    fn identifier_count(&self, step: usize) -> usize {
        let fields = self.plan.steps.get(step).map_or(&[][..], |step| &step.columns);
        fields.iter().take_while(|field| field.role == Role::Identifier).count()
    }

    /// Rejects nulls in computed identifiers; identifiers of the operand were checked before.
    fn check_identifiers(
        &self,
        relation: &Relation,
        made: &[TypedExpr],
        known: usize,
        span: Span,
    ) -> Result<(), Diagnostic> {
        let Some(step) = self.plan.steps.get(self.values.len()) else { return Ok(()) };
        let pairs = step.columns.iter().zip(&relation.columns).zip(made);
        for ((field, column), typed) in pairs.take_while(|((field, _), _)| field.role == Role::Identifier) {
            let kept = matches ! ( typed . term , Term :: Column ( at ) if at < known );
            if !kept && let Some(row) = column.first_null() {
                let message = format!("the identifier `{}` is null", field.name);
                return Err(Diagnostic::new(DiagnosticCode::NullIdentifier, span, message)
                    .at_data_point(data_point_key(&step.columns, relation, row)));
            }
        }
        Ok(())
    }

    fn eval_filter(
        &mut self,
        input: usize,
        condition: &TypedExpr,
        span: Span,
    ) -> Result<Relation, Diagnostic> {
        let relation = self.relation(input)?.clone();
        self.meter.charge(relation.rows, row_steps(condition) + ROW_STEPS, span)?;
        let rows = self.row_context(&relation);
        let value = rows.eval(condition, None).map_err(|error| self.locate_error(error, input, &relation))?;
        let _rows = self.guard.reserve_each(relation.rows, size_of::<u32>() as u64)?;
        let kept: Vec<u32> =
            (0..relation.rows).filter(|row| value.is_true(*row)).map(|row| row as u32).collect();
        self.meter.charge(kept.len() * relation.columns.len(), COPY_STEPS, span)?;
        self.meter.reserve(kept.len(), relation.columns.len(), span)?;
        // All rows pass: share the columns instead of copying them.
        if kept.len() == relation.rows {
            return Ok(relation);
        }
        relation.pick(&kept, self.threads, &self.guard).map_err(Diagnostic::from)
    }

    fn eval_group(
        &mut self,
        input: usize,
        keys: &[crate::plan::GroupKey],
        summaries: &[crate::plan::AggregateColumn],
        step: &PlanStep,
    ) -> Result<Relation, Diagnostic> {
        let relation = self.relation(input)?.clone();
        let mut operands = Vec::new();
        for summary in summaries {
            let cost = summary.operand.as_ref().map_or(0, row_steps) + summary_steps(summary);
            self.meter.charge(relation.rows, cost, step.span)?;
            let rows = self.row_context(&relation);
            let value = match &summary.operand {
                None => None,
                Some(typed) => {
                    let value =
                        rows.eval(typed, None).map_err(|error| self.locate_error(error, input, &relation))?;
                    Some(value.into_column(typed.value_type, relation.rows, &self.guard)?)
                }
            };
            operands.push(value);
        }
        group::eval_group(&relation, keys, summaries, &operands, &mut self.meter, step, self.threads)
    }

    /// Evaluates `hierarchy` or `check_hierarchy`; rule conditions are evaluated for all rows first.
    fn eval_rollup(
        &mut self,
        input: usize,
        rollup: &crate::plan::Rollup,
        step: &PlanStep,
    ) -> Result<Relation, Diagnostic> {
        let relation = self.relation(input)?.clone();
        let conditions = rollup.rules.iter().flat_map(|rule| {
            rule.when.iter().chain(rule.right.iter().filter_map(|part| part.condition.as_ref()))
        });
        let cost: u64 = conditions.map(row_steps).sum();
        self.meter.charge(relation.rows, cost, step.span)?;
        let rows = self.row_context(&relation);
        let eval = |typed: &Option<TypedExpr>| match typed {
            None => Ok(None),
            Some(typed) => rows.eval(typed, None).map(Some),
        };
        let of = |rule: &crate::plan::RollupRule| {
            let parts: Result<_, EvalError> = rule.right.iter().map(|part| eval(&part.condition)).collect();
            Ok(rollup::RuleConditions { when: eval(&rule.when)?, parts: parts? })
        };
        let conditions: Result<Vec<rollup::RuleConditions>, EvalError> =
            rollup.rules.iter().map(of).collect();
        let conditions = conditions.map_err(|error| self.locate_error(error, input, &relation))?;
        rollup::eval_rollup(&relation, rollup, &conditions, &mut self.meter, step)
    }

    /// Replaces an identifier by a computed value.
    fn eval_rekey(
        &mut self,
        input: usize,
        column: usize,
        value: &TypedExpr,
        step: &PlanStep,
    ) -> Result<Relation, Diagnostic> {
        let relation = self.relation(input)?.clone();
        self.meter.charge(relation.rows, row_steps(value), step.span)?;
        let rows = self.row_context(&relation);
        let made = rows.eval(value, None).map_err(|error| self.locate_error(error, input, &relation))?;
        let made = made.into_column(value.value_type, relation.rows, &self.guard)?;
        time_series::replace_identifier(relation, column, made, &mut self.meter, step)
    }

    /// Evaluates `timeshift`; leaving the calendar is an error.
    fn eval_shift(
        &mut self,
        input: usize,
        column: usize,
        count: &TypedExpr,
        step: &PlanStep,
    ) -> Result<Relation, Diagnostic> {
        let relation = self.relation(input)?.clone();
        let Some(Cell::Integer(count)) = self.eval_scalar(count)? else {
            return Err(Diagnostic::new(DiagnosticCode::Type, step.span, "`timeshift` by null"));
        };
        time_series::eval_timeshift(relation, column, count, &mut self.meter, step, self.threads)
    }

    /// Adds the key of the failing data point to an error.
    fn locate_error(&self, error: EvalError, step: usize, relation: &Relation) -> Diagnostic {
        let fields = self.plan.steps.get(step).map_or(&[][..], |step| &step.columns);
        let cell = data_point_key(fields, relation, error.row);
        error.into_diagnostic(cell)
    }

    /// Frees results that no later step reads.
    fn release_unread(&mut self, at: usize, step: &PlanStep) {
        let mut done = step.operation.inputs();
        // A result without readers is freed by its own step.
        done.push(at);
        done.sort_unstable();
        done.dedup();
        for input in done {
            if self.last.get(input) != Some(&at) {
                continue;
            }
            // Inputs were never charged to the budget.
            let counted =
                self.plan.steps.get(input).is_some_and(|step| !matches!(step.operation, Operation::Input(_)));
            if let Some(slot) = self.values.get_mut(input)
                && let Some(StepResult::Data(relation)) =
                    slot.take_if(|value| matches!(value, StepResult::Data(_)))
                && counted
            {
                self.meter.release(relation.rows, relation.columns.len());
            }
        }
    }

    /// Returns the value of a scalar step, numbers normalised.
    fn scalar_result(&self, step: usize) -> Option<Cell> {
        match self.values.get(step) {
            Some(Some(StepResult::Scalar(Some(Cell::Number(value))))) => {
                Some(Cell::Number(value.normalized()))
            }
            Some(Some(StepResult::Scalar(cell))) => cell.clone(),
            _ => None,
        }
    }

    fn into_output(mut self) -> Result<RunOutput, Diagnostic> {
        let mut tables = BTreeMap::new();
        let mut scalars = BTreeMap::new();
        let mut given = Vec::new();
        for (at, name) in self.plan.outputs.iter().enumerate() {
            if let Some((step, _)) = self.plan.scalars.get(name) {
                scalars.insert(name.clone(), self.scalar_result(*step));
                continue;
            }
            let Some((step, shape)) = self.plan.results.get(name) else { continue };
            let others = self.plan.outputs.iter().skip(at + 1).filter_map(|name| self.plan.results.get(name));
            // Several outputs may name one step; only the last of them may move its columns.
            let again = others.into_iter().any(|(other, _)| other == step);
            let relation = if again { self.relation(*step)?.clone() } else { self.take_result(*step)? };
            // Checking a table ranks its rows; of the columns that it then holds nothing is freed before the end.
            let _ranks = self.guard.reserve_each(relation.rows, SORT_BYTES)?;
            let mut columns = Vec::with_capacity(relation.columns.len());
            for column in relation.columns {
                let (column, reserved) = column::normalize_column(column, self.threads, &self.guard)?;
                columns.push(column);
                given.push(reserved);
            }
            let span = self.plan.steps.get(*step).map_or(Span::default(), |step| step.span);
            let table =
                Table::new(shape.clone(), columns).map_err(|error| invalid_table(name, &error, span))?;
            tables.insert(name.clone(), table);
        }
        Ok(RunOutput { tables, scalars, steps: self.meter.steps, cells: self.meter.cells })
    }

    /// Takes a relation that nothing reads any more.
    fn take_result(&mut self, step: usize) -> Result<Relation, Diagnostic> {
        match self.values.get_mut(step).and_then(Option::take) {
            Some(StepResult::Data(relation)) => Ok(relation),
            _ => self.relation(step).cloned(),
        }
    }
}

/// Takes out the columns that are read exactly once, so that their reader may overwrite them.
///
/// Identifiers stay in place: error messages name the data point by them.
fn take_spare_columns(
    relation: &mut Relation,
    made: &[TypedExpr],
    identifiers: usize,
) -> Vec<Option<SharedColumn>> {
    let mut reads = vec![0_usize; relation.columns.len()];
    let mut open: Vec<&TypedExpr> = made.iter().collect();
    while let Some(typed) = open.pop() {
        match &typed.term {
            Term::Column(at) => reads.get_mut(*at).into_iter().for_each(|count| *count += 1),
            Term::Apply(_, operands) => open.extend(operands),
            // A window reads columns by index, which this count does not see.
            Term::Window(_) => return Vec::new(),
            Term::Constant(_) | Term::Scalar(_) => {}
        }
    }
    let places = relation.columns.iter_mut().zip(reads).enumerate();
    let take = |(at, (column, reads)): (usize, (&mut SharedColumn, usize))| {
        (at >= identifiers && reads == 1).then(|| std::mem::replace(column, SharedColumn::Empty))
    };
    places.map(take).collect()
}

/// Error of a result that is not a valid table.
fn invalid_table(name: &str, error: &Error, span: Span) -> Diagnostic {
    let code = match error {
        Error::Null { .. } => DiagnosticCode::NullIdentifier,
        Error::Rows(_) | Error::Text(_) => DiagnosticCode::Budget,
        _ => DiagnosticCode::Structure,
    };
    Diagnostic::new(code, span, format!("the result `{name}` is not a valid data set: {error}"))
}
