//! Running a plan: each step makes a table of columns from the tables before it.
//!
//! Owns the order of evaluation, the life of intermediate results and their budget. The operators
//! stand in the modules below, each columnar. It does no IO, reads no clock and has no state
//! beyond one run; the result is the same whatever the order of the rows of its inputs.

mod bounds;
mod cast;
mod column;
mod distance;
mod exists;
mod group;
mod join;
mod key;
mod mask;
mod moments;
mod pattern;
mod quantile;
mod rank;
mod rollup;
mod row;
mod series;
mod slide;
mod text;
mod threads;
mod time;
mod timeline;
mod union;
mod viral;
mod window;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use schemas::structure::Role;
use schemas::table::{Cell, Error, Table};

use crate::budget::{BudgetMeter, COPY_STEPS, NODE_STEPS, ROW_STEPS, RunLimits, row_steps, summary_steps};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::plan::{ExecutionPlan, Operation, PlanColumn, PlanStep, Term, TypedExpr};
use column::Col;
pub(crate) use mask::fault as mask_fault;
pub(crate) use pattern::{POSITIONS_MAX, fault as pattern_fault, positions};
use row::{Rows, Trouble};
pub use threads::Threads;
use threads::each;
pub(crate) use time::unit_fault;

/// What a run gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The persistent results by name; numbers are normalised.
    pub tables: BTreeMap<String, Table>,
    /// The persistent results that are scalars by name; `None` is null.
    pub scalars: BTreeMap<String, Option<Cell>>,
    /// Steps used.
    pub steps: u64,
    /// The most cells of intermediate results that lived at one time.
    pub cells: u64,
}

/// An intermediate result: columns in the order of the fields of its step, rows in canonical order.
#[derive(Debug, Clone)]
struct Relation {
    columns: Vec<Col>,
    rows: usize,
}

/// The value of a step.
#[derive(Debug, Clone)]
enum Value {
    Data(Relation),
    Scalar(Option<Cell>),
}

struct Run<'a> {
    plan: &'a ExecutionPlan,
    inputs: &'a BTreeMap<String, Arc<Table>>,
    values: Vec<Option<Value>>,
    /// For each step the last step that reads it.
    last: Vec<usize>,
    meter: BudgetMeter,
    threads: Threads,
}

/// Runs a plan on its inputs, with the threads that the machine offers.
///
/// `inputs` may hold more than the plan names. Each table must have the very shape that the plan
/// was checked with.
///
/// # Errors
/// The first fault met, steps in plan order, rows in canonical order: it is the same on every
/// machine.
pub fn run(
    plan: &ExecutionPlan,
    inputs: &BTreeMap<String, Arc<Table>>,
    limits: RunLimits,
) -> Result<Outcome, Diagnostic> {
    run_with(plan, inputs, limits, Threads::here())
}

/// As [`run`], with so many threads: the outcome or the fault is the same with any number of them.
///
/// # Errors
/// As [`run`].
pub fn run_with(
    plan: &ExecutionPlan,
    inputs: &BTreeMap<String, Arc<Table>>,
    limits: RunLimits,
    threads: Threads,
) -> Result<Outcome, Diagnostic> {
    let (values, last, meter) = (Vec::new(), lives(plan), BudgetMeter::new(limits));
    let mut run = Run { plan, inputs, values, last, meter, threads };
    run.meter.charge(usize::try_from(plan.nodes).unwrap_or(usize::MAX), NODE_STEPS, Span::default())?;
    for (at, step) in plan.steps.iter().enumerate() {
        let value = run.step(step)?;
        run.values.push(Some(value));
        run.release(at, step);
    }
    run.outcome()
}

/// For each step the last step that reads it; persistent results live to the end.
fn lives(plan: &ExecutionPlan) -> Vec<usize> {
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
            *slot = usize::MAX;
        }
    }
    last
}

impl Run<'_> {
    fn step(&mut self, step: &PlanStep) -> Result<Value, Diagnostic> {
        let relation = match &step.operation {
            Operation::Input(name) => return self.input(name).map(Value::Data),
            Operation::Scalar(typed) => return self.scalar(typed).map(Value::Scalar),
            Operation::Pick { input, column } => {
                let cell = self.relation(*input)?.columns.get(*column).and_then(|column| column.cell(0));
                return Ok(Value::Scalar(cell));
            }
            Operation::Map { input, outputs: columns } => self.map(*input, columns, step.span)?,
            Operation::Filter { input, condition } => self.filter(*input, condition, step.span)?,
            Operation::Rollup { input, rollup } => self.rollup(*input, rollup, step)?,
            Operation::Union { inputs } => {
                let operands: Result<Vec<Relation>, Diagnostic> =
                    inputs.iter().map(|input| self.relation(*input).cloned()).collect();
                let count = step.columns.iter().take_while(|field| field.role == Role::Identifier).count();
                union::union(&operands?, count, &mut self.meter, step.span)?
            }
            Operation::Join { left, right, keys, outputs: columns, matching } => {
                let sides = (self.relation(*left)?.clone(), self.relation(*right)?.clone());
                let count = step.columns.iter().take_while(|field| field.role == Role::Identifier).count();
                let spec = join::Spec { keys, columns, matching: *matching, identifiers: count };
                return join::join(&sides.0, &sides.1, &spec, &mut self.meter, step.span, self.threads)
                    .map(Value::Data);
            }
            Operation::SemiJoin { left, right, keys, present } => {
                let (left, right) = (self.relation(*left)?.clone(), self.relation(*right)?.clone());
                exists::semi(&left, &right, keys, *present, &mut self.meter, step.span)?
            }
            Operation::Exists { left, right, keys } => {
                let (left, right) = (self.relation(*left)?.clone(), self.relation(*right)?.clone());
                exists::exists(&left, &right, keys, &mut self.meter, step)?
            }
            Operation::Group { input, keys, summaries } => self.group(*input, keys, summaries, step)?,
            Operation::Rekey { input, column, value } => self.rekey(*input, *column, value, step)?,
            Operation::Series { input, time, time_type: kind, op } => {
                let relation = self.relation(*input)?.clone();
                timeline::series(&relation, (*time, *kind), *op, &mut self.meter, step)?
            }
            Operation::Shift { input, column, count } => self.shift(*input, *column, count, step)?,
        };
        Ok(Value::Data(relation))
    }

    fn input(&self, name: &str) -> Result<Relation, Diagnostic> {
        let missing = || {
            Diagnostic::new(DiagnosticCode::Input, Span::default(), format!("the input `{name}` is missing"))
        };
        let table = self.inputs.get(name).ok_or_else(missing)?;
        if self.plan.inputs.get(name) != Some(table.shape()) {
            let message = format!("the input `{name}` has another structure than the plan was checked with");
            return Err(Diagnostic::new(DiagnosticCode::Input, Span::default(), message));
        }
        let columns = (0..table.columns().len()).map(|at| Col::Of(Arc::clone(table), at)).collect();
        Ok(Relation { columns, rows: table.rows() })
    }

    /// The table of a step that the plan says is there.
    fn relation(&self, step: usize) -> Result<&Relation, Diagnostic> {
        match self.values.get(step) {
            Some(Some(Value::Data(relation))) => Ok(relation),
            _ => Err(Diagnostic::new(
                DiagnosticCode::Structure,
                Span::default(),
                "a step of the plan has no table",
            )),
        }
    }

    fn rows<'r>(&'r self, relation: &'r Relation) -> Rows<'r> {
        let spare = RefCell::default();
        Rows {
            columns: &relation.columns,
            rows: relation.rows,
            values: &self.values,
            spare,
            threads: self.threads,
        }
    }

    /// The table of a step for its last reader: what only that one reads may be written over.
    fn take(&mut self, step: usize) -> Result<Relation, Diagnostic> {
        let missing =
            || Diagnostic::new(DiagnosticCode::Structure, Span::default(), "a step of the plan has no table");
        let now = self.values.len();
        match self.values.get_mut(step) {
            Some(Some(Value::Data(relation))) if self.last.get(step) == Some(&now) => {
                // What stays behind has the same size: it is given back to the budget later.
                let columns = vec![Col::nothing(); relation.columns.len()];
                Ok(Relation {
                    columns: std::mem::replace(&mut relation.columns, columns),
                    rows: relation.rows,
                })
            }
            Some(Some(Value::Data(relation))) => Ok(relation.clone()),
            _ => Err(missing()),
        }
    }

    /// A scalar is a component expression over one row without columns.
    fn scalar(&mut self, typed: &TypedExpr) -> Result<Option<Cell>, Diagnostic> {
        self.meter.charge(1, row_steps(typed) + ROW_STEPS, typed.span)?;
        match Rows::single(&self.values).eval(typed, None) {
            Ok(value) => Ok(value.cell(0)),
            Err(trouble) => Err(trouble.fault(None)),
        }
    }

    fn map(&mut self, input: usize, columns: &[TypedExpr], span: Span) -> Result<Relation, Diagnostic> {
        let rows = self.relation(input)?.rows;
        let cost: u64 = columns.iter().map(row_steps).sum();
        self.meter.charge(rows, cost, span)?;
        self.meter.reserve(rows, columns.len(), span)?;
        let mut relation = self.take(input)?;
        let spare = RefCell::new(spare(&mut relation, columns, self.identifiers(input)));
        let rows = Rows { spare, ..self.rows(&relation) };
        let mut made = Vec::with_capacity(columns.len());
        for typed in columns {
            let value = rows.eval(typed, None).map_err(|trouble| self.blame(trouble, input, &relation))?;
            made.push(value.column(typed.value_type, relation.rows));
        }
        let relation = Relation { columns: made, rows: relation.rows };
        self.whole(&relation, columns, self.identifiers(input), span)?;
        Ok(relation)
    }

    /// How many identifiers a step has; they are its first columns.
    fn identifiers(&self, step: usize) -> usize {
        let fields = self.plan.steps.get(step).map_or(&[][..], |step| &step.columns);
        fields.iter().take_while(|field| field.role == Role::Identifier).count()
    }

    /// Identifiers made by `calc` must not be null; those of the operand are not.
    fn whole(
        &self,
        relation: &Relation,
        made: &[TypedExpr],
        known: usize,
        span: Span,
    ) -> Result<(), Diagnostic> {
        let Some(step) = self.plan.steps.get(self.values.len()) else { return Ok(()) };
        let pairs = step.columns.iter().zip(&relation.columns).zip(made);
        for ((field, column), typed) in pairs.take_while(|((field, _), _)| field.role == Role::Identifier) {
            let kept = matches!(typed.term, Term::Column(at) if at < known);
            if !kept && let Some(row) = column.first_null() {
                let message = format!("the identifier `{}` is null", field.name);
                return Err(Diagnostic::new(DiagnosticCode::NullIdentifier, span, message)
                    .at_data_point(point(&step.columns, relation, row)));
            }
        }
        Ok(())
    }

    fn filter(&mut self, input: usize, condition: &TypedExpr, span: Span) -> Result<Relation, Diagnostic> {
        let relation = self.relation(input)?.clone();
        self.meter.charge(relation.rows, row_steps(condition) + ROW_STEPS, span)?;
        let rows = self.rows(&relation);
        let value = rows.eval(condition, None).map_err(|trouble| self.blame(trouble, input, &relation))?;
        let kept: Vec<u32> =
            (0..relation.rows).filter(|row| value.truth(*row)).map(|row| row as u32).collect();
        self.meter.charge(kept.len() * relation.columns.len(), COPY_STEPS, span)?;
        self.meter.reserve(kept.len(), relation.columns.len(), span)?;
        if kept.len() == relation.rows {
            return Ok(relation);
        }
        let pick = |column: &Col| Col::own(column.gather(&kept));
        let columns = each(self.threads, relation.rows, &relation.columns, pick);
        Ok(Relation { columns, rows: kept.len() })
    }

    fn group(
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
            let rows = self.rows(&relation);
            let value = match &summary.operand {
                None => None,
                Some(typed) => {
                    let value =
                        rows.eval(typed, None).map_err(|trouble| self.blame(trouble, input, &relation))?;
                    Some(value.column(typed.value_type, relation.rows))
                }
            };
            operands.push(value);
        }
        group::group(&relation, keys, summaries, &operands, &mut self.meter, step, self.threads)
    }

    /// Rules between code items, their conditions evaluated for every row first.
    fn rollup(
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
        let rows = self.rows(&relation);
        let eval = |typed: &Option<TypedExpr>| match typed {
            None => Ok(None),
            Some(typed) => rows.eval(typed, None).map(Some),
        };
        let of = |rule: &crate::plan::RollupRule| {
            let parts: Result<_, Trouble> = rule.right.iter().map(|part| eval(&part.condition)).collect();
            Ok(rollup::Conditions { when: eval(&rule.when)?, parts: parts? })
        };
        let conditions: Result<Vec<rollup::Conditions>, Trouble> = rollup.rules.iter().map(of).collect();
        let conditions = conditions.map_err(|trouble| self.blame(trouble, input, &relation))?;
        rollup::rollup(&relation, rollup, &conditions, &mut self.meter, step)
    }

    /// An identifier replaced by a value of each data point.
    fn rekey(
        &mut self,
        input: usize,
        column: usize,
        value: &TypedExpr,
        step: &PlanStep,
    ) -> Result<Relation, Diagnostic> {
        let relation = self.relation(input)?.clone();
        self.meter.charge(relation.rows, row_steps(value), step.span)?;
        let rows = self.rows(&relation);
        let made = rows.eval(value, None).map_err(|trouble| self.blame(trouble, input, &relation))?;
        let made = made.column(value.value_type, relation.rows);
        timeline::rekeyed(relation, column, made, &mut self.meter, step)
    }

    /// Moves values of time; the calendar ends with a fault.
    fn shift(
        &mut self,
        input: usize,
        column: usize,
        count: &TypedExpr,
        step: &PlanStep,
    ) -> Result<Relation, Diagnostic> {
        let relation = self.relation(input)?.clone();
        let Some(Cell::Integer(count)) = self.scalar(count)? else {
            return Err(Diagnostic::new(DiagnosticCode::Type, step.span, "`timeshift` by null"));
        };
        timeline::shift(relation, column, count, &mut self.meter, step, self.threads)
    }

    /// Names the data point of a trouble in the rows of a step.
    fn blame(&self, trouble: Trouble, step: usize, relation: &Relation) -> Diagnostic {
        let fields = self.plan.steps.get(step).map_or(&[][..], |step| &step.columns);
        let cell = point(fields, relation, trouble.row);
        trouble.fault(cell)
    }

    /// Lets go of what no later step reads.
    fn release(&mut self, at: usize, step: &PlanStep) {
        let mut done = step.operation.inputs();
        done.push(at);
        done.sort_unstable();
        done.dedup();
        for input in done {
            if self.last.get(input) != Some(&at) {
                continue;
            }
            let counted =
                self.plan.steps.get(input).is_some_and(|step| !matches!(step.operation, Operation::Input(_)));
            if let Some(slot) = self.values.get_mut(input)
                && let Some(Value::Data(relation)) = slot.take_if(|value| matches!(value, Value::Data(_)))
                && counted
            {
                self.meter.release(relation.rows, relation.columns.len());
            }
        }
    }

    /// The value of a scalar step, numbers normalised.
    fn known(&self, step: usize) -> Option<Cell> {
        match self.values.get(step) {
            Some(Some(Value::Scalar(Some(Cell::Number(value))))) => Some(Cell::Number(value.normalized())),
            Some(Some(Value::Scalar(cell))) => cell.clone(),
            _ => None,
        }
    }

    fn outcome(mut self) -> Result<Outcome, Diagnostic> {
        let mut tables = BTreeMap::new();
        let mut scalars = BTreeMap::new();
        for (at, name) in self.plan.outputs.iter().enumerate() {
            if let Some((step, _)) = self.plan.scalars.get(name) {
                scalars.insert(name.clone(), self.known(*step));
                continue;
            }
            let Some((step, shape)) = self.plan.results.get(name) else { continue };
            let others = self.plan.outputs.iter().skip(at + 1).filter_map(|name| self.plan.results.get(name));
            let again = others.into_iter().any(|(other, _)| other == step);
            let relation = if again { self.relation(*step)?.clone() } else { self.last_of(*step)? };
            let columns = relation.columns.into_iter().map(|column| column::normal(column, self.threads));
            let span = self.plan.steps.get(*step).map_or(Span::default(), |step| step.span);
            let table =
                Table::new(shape.clone(), columns.collect()).map_err(|error| refused(name, &error, span))?;
            tables.insert(name.clone(), table);
        }
        Ok(Outcome { tables, scalars, steps: self.meter.steps, cells: self.meter.cells })
    }

    /// A table that nothing needs any more.
    fn last_of(&mut self, step: usize) -> Result<Relation, Diagnostic> {
        match self.values.get_mut(step).and_then(Option::take) {
            Some(Value::Data(relation)) => Ok(relation),
            _ => self.relation(step).cloned(),
        }
    }
}

/// Columns that one expression reads once, taken out: whoever reads them may write over them.
///
/// Identifiers stay, for they name the data point of a fault.
fn spare(relation: &mut Relation, made: &[TypedExpr], identifiers: usize) -> Vec<Option<Col>> {
    let mut reads = vec![0_usize; relation.columns.len()];
    let mut open: Vec<&TypedExpr> = made.iter().collect();
    while let Some(typed) = open.pop() {
        match &typed.term {
            Term::Column(at) => reads.get_mut(*at).into_iter().for_each(|count| *count += 1),
            Term::Apply(_, operands) => open.extend(operands),
            // A window reads columns by their place.
            Term::Window(_) => return Vec::new(),
            Term::Constant(_) | Term::Scalar(_) => {}
        }
    }
    let places = relation.columns.iter_mut().zip(reads).enumerate();
    let take = |(at, (column, reads)): (usize, (&mut Col, usize))| {
        (at >= identifiers && reads == 1).then(|| std::mem::replace(column, Col::nothing()))
    };
    places.map(take).collect()
}

/// A result that is no table.
fn refused(name: &str, error: &Error, span: Span) -> Diagnostic {
    let code = match error {
        Error::Null { .. } => DiagnosticCode::NullIdentifier,
        Error::Rows(_) | Error::Text(_) => DiagnosticCode::Budget,
        _ => DiagnosticCode::Structure,
    };
    Diagnostic::new(code, span, format!("`{name}` is no data set: {error}"))
}

/// The key of a row, as a fault names it.
fn point(fields: &[PlanColumn], relation: &Relation, row: usize) -> Option<String> {
    let identifiers =
        fields.iter().zip(&relation.columns).filter(|(field, _)| field.role == Role::Identifier);
    let parts: Vec<String> = identifiers
        .map(|(field, column)| match column.cell(row) {
            Some(cell) => format!("{} = {cell}", field.name),
            None => format!("{} = null", field.name),
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
