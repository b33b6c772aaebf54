//! Description of a plan in words, for `recipe explain`: each step with the structure of its result.

use schemas::structure::{Role, ValueType};
use schemas::table::Cell;

use crate::diagnostic::Span;
use crate::op::{Op, TextOp, TimeOp};
use crate::plan::{
    ExecutionPlan, JoinColumn, JoinMode, Operation, PlanColumn, PlanStep, Term, TypedExpr, WindowBound,
    WindowCall,
};

/// Description of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepExplanation {
    /// Step number, counted from 1.
    pub number: usize,
    /// Names of the results that this step computes.
    pub results: Vec<String>,
    /// Operation in words; other steps are given by number.
    pub action: String,
    /// Numbers of the steps that this one reads.
    pub reads: Vec<usize>,
    /// Name, role and type of each component of the result; empty for a scalar.
    pub components: Vec<(String, Role, ValueType)>,
    /// Source of the step in the script.
    pub span: Span,
}

impl ExecutionPlan {
    /// Describes the steps in the order in which they run.
    pub fn explain(&self) -> Vec<StepExplanation> {
        self.steps.iter().enumerate().map(|(at, step)| self.explain_step(at, step)).collect()
    }

    fn explain_step(&self, at: usize, step: &PlanStep) -> StepExplanation {
        let data = self.results.iter().map(|(name, (step, _))| (name, step));
        let scalars = self.scalars.iter().map(|(name, (step, _))| (name, step));
        let results = data.chain(scalars).filter(|(_, step)| **step == at).map(|(name, _)| name.clone());
        StepExplanation {
            number: at + 1,
            results: results.collect(),
            action: self.describe_step(step),
            reads: step.operation.inputs().into_iter().map(|input| input + 1).collect(),
            components: step.columns.iter().map(|f| (f.name.clone(), f.role, f.value_type)).collect(),
            span: step.span,
        }
    }

    fn step_columns(&self, step: usize) -> &[PlanColumn] {
        self.steps.get(step).map_or(&[], |step| &step.columns)
    }

    fn describe_step(&self, step: &PlanStep) -> String {
        match &step.operation {
            Operation::Input(name) => format!("input `{name}`"),
            Operation::Scalar(typed) => format!("scalar {}", self.describe_term(typed, &[])),
            Operation::Pick { input, column } => {
                format!("{} of {} as a scalar", column_name(self.step_columns(*input), *column), input + 1)
            }
            Operation::Map { input, outputs } => self.describe_map(*input, outputs, &step.columns),
            Operation::Filter { input, condition } => {
                format!(
                    "filter {} where {}",
                    input + 1,
                    self.describe_term(condition, self.step_columns(*input))
                )
            }
            Operation::Join { left, right, keys, outputs, matching } => {
                self.describe_join((*left, *right), keys, outputs, *matching)
            }
            Operation::Group { input, keys, summaries } => {
                let columns = self.step_columns(*input);
                let names: Vec<String> = keys
                    .iter()
                    .map(|key| {
                        let name = column_name(columns, key.column);
                        key.convert.map_or(name.clone(), |convert| format!("{name} as {}", convert.to))
                    })
                    .collect();
                let made: Vec<String> = summaries
                    .iter()
                    .map(|summary| {
                        let operand =
                            summary.operand.as_ref().map(|typed| self.describe_term(typed, columns));
                        format!("{}({})", summary.op.name(), operand.unwrap_or_default())
                    })
                    .collect();
                let by = if names.is_empty() {
                    "as a whole".to_owned()
                } else {
                    format!("by {}", names.join(", "))
                };
                format!("group {} {by}: {}", input + 1, made.join(", "))
            }
            Operation::Shift { input, column, count } => {
                let columns = self.step_columns(*input);
                format!(
                    "shift {} of {} by {}",
                    column_name(columns, *column),
                    input + 1,
                    self.describe_term(count, &[])
                )
            }
            Operation::Rekey { input, column, value } => {
                let columns = self.step_columns(*input);
                format!(
                    "{} of {} becomes {}",
                    column_name(columns, *column),
                    input + 1,
                    self.describe_term(value, columns)
                )
            }
            Operation::Series { input, time, op, .. } => {
                format!(
                    "{} of {} along {}",
                    op.name(),
                    input + 1,
                    column_name(self.step_columns(*input), *time)
                )
            }
            Operation::Union { inputs } => {
                let inputs: Vec<String> = inputs.iter().map(|input| (input + 1).to_string()).collect();
                format!("union of {}", inputs.join(", "))
            }
            Operation::SemiJoin { left, right, keys, present } => {
                let names: Vec<String> =
                    keys.iter().map(|(key, _)| column_name(self.step_columns(*left), *key)).collect();
                let with = if *present { "that have" } else { "that lack" };
                format!(
                    "data points of {} {with} a partner in {} by {}",
                    left + 1,
                    right + 1,
                    names.join(", ")
                )
            }
            Operation::Exists { left, right, keys } => {
                let names: Vec<String> =
                    keys.iter().map(|(key, _)| column_name(self.step_columns(*left), *key)).collect();
                format!(
                    "whether data points of {} have a partner in {} by {}",
                    left + 1,
                    right + 1,
                    names.join(", ")
                )
            }
            Operation::Rollup { input, rollup } => {
                let verb = if rollup.check { "check" } else { "compute" };
                let item = column_name(self.step_columns(*input), rollup.rule);
                format!("{verb} {} rules between values of {item} in {}", rollup.rules.len(), input + 1)
            }
        }
    }

    /// Describes a map by the columns that it changes.
    fn describe_map(&self, input: usize, outputs: &[TypedExpr], columns: &[PlanColumn]) -> String {
        let from = self.step_columns(input);
        let mut made = Vec::new();
        for (typed, column) in outputs.iter().zip(columns) {
            match &typed.term {
                Term::Column(at) if column_name(from, *at) == column.name => {}
                _ => made.push(format!("{} := {}", column.name, self.describe_term(typed, from))),
            }
        }
        if made.is_empty() {
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            return format!("keep {} of {}", names.join(", "), input + 1);
        }
        format!("calculate {} from {}", made.join(", "), input + 1)
    }

    fn describe_join(
        &self,
        sides: (usize, usize),
        keys: &[(usize, usize)],
        outputs: &[(JoinColumn, Option<Cell>)],
        matching: JoinMode,
    ) -> String {
        let verb = match matching {
            JoinMode::Inner => "join",
            JoinMode::Left => "left join",
            JoinMode::Full => "full join",
        };
        let names: Vec<String> =
            keys.iter().map(|(key, _)| column_name(self.step_columns(sides.0), *key)).collect();
        let on = if names.is_empty() { "as pairs".to_owned() } else { format!("on {}", names.join(", ")) };
        let filled = outputs.iter().filter(|(_, fallback)| fallback.is_some()).count();
        let filled = if filled == 0 { String::new() } else { format!(", {filled} identifiers filled") };
        format!("{verb} {} and {} {on}{filled}", sides.0 + 1, sides.1 + 1)
    }

    /// Writes a component expression over these columns.
    fn describe_term(&self, typed: &TypedExpr, columns: &[PlanColumn]) -> String {
        match &typed.term {
            Term::Column(at) => column_name(columns, *at),
            Term::Constant(None) => "null".to_owned(),
            Term::Constant(Some(Cell::Text(text))) => format!("\"{text}\""),
            Term::Constant(Some(cell)) => cell.to_string(),
            Term::Scalar(step) => {
                let found = self.scalars.iter().find(|(_, (at, _))| at == step);
                found.map_or_else(|| format!("scalar {}", step + 1), |(name, _)| name.clone())
            }
            Term::Apply(op, operands) => {
                let operands: Vec<String> =
                    operands.iter().map(|operand| self.describe_term(operand, columns)).collect();
                format_application(*op, &operands)
            }
            Term::Window(frame) => self.describe_window(frame, columns),
        }
    }

    fn describe_bound(&self, limit: &WindowBound) -> String {
        match limit {
            WindowBound::First => "unbounded preceding".to_owned(),
            WindowBound::Last => "unbounded following".to_owned(),
            WindowBound::Current => "current data point".to_owned(),
            WindowBound::Offset(typed, true) => format!("{} preceding", self.describe_term(typed, &[])),
            WindowBound::Offset(typed, false) => format!("{} following", self.describe_term(typed, &[])),
        }
    }

    fn describe_window(&self, frame: &WindowCall, columns: &[PlanColumn]) -> String {
        let operand = self.describe_term(&frame.operand, columns);
        let names = |outputs: &[usize]| -> Vec<String> {
            outputs.iter().map(|at| column_name(columns, *at)).collect()
        };
        let order: Vec<String> = frame
            .order
            .iter()
            .map(|(at, down)| format!("{}{}", column_name(columns, *at), if *down { " desc" } else { "" }))
            .collect();
        let offset = frame.offset.as_ref().map(|offset| format!(", {}", self.describe_term(offset, columns)));
        let call = format!("{}({operand}{})", frame.op.name(), offset.unwrap_or_default());
        let (from, to) = (self.describe_bound(&frame.from), self.describe_bound(&frame.to));
        let partition = names(&frame.partition).join(", ");
        let unit = if frame.range { "range" } else { "data points" };
        format!("{call} over [{partition}] ordered by [{}], {unit} from {from} to {to}", order.join(", "))
    }
}

/// Returns the name of a column, with a prime for each preceding column of the same name.
fn column_name(columns: &[PlanColumn], at: usize) -> String {
    let Some(column) = columns.get(at) else { return format!("column {at}") };
    let before = columns.iter().take(at).filter(|other| other.name == column.name).count();
    format!("{}{}", column.name, "\u{2032}".repeat(before))
}

fn format_application(op: Op, operands: &[String]) -> String {
    match (op, operands) {
        (Op::If, [condition, then, other]) => format!("(if {condition} then {then} else {other})"),
        (Op::Cast(value_type), [operand]) => format!("cast({operand}, {})", value_type.as_str()),
        (Op::Cast(value_type), [operand, mask]) => {
            format!("cast({operand}, {}, {mask})", value_type.as_str())
        }
        (Op::Text(TextOp::Distance(method)), [a, b]) => {
            format!("string_distance({}, {a}, {b})", method.name())
        }
        (Op::Time(TimeOp::Aggregate(convert)), [operand]) => {
            format!("time_agg(\"{}\", {operand})", convert.to)
        }
        (Op::In | Op::NotIn, [operand, list @ ..]) => {
            format!("{operand} {} {{ {} }}", op.name(), list.join(", "))
        }
        (Op::Limit(_), [value, condition]) => format!("({value} where {condition})"),
        (Op::Not, [operand]) => format!("not {operand}"),
        (_, [a, b])
            if !op.name().starts_with(|c: char| c.is_ascii_alphabetic())
                || matches!(op, Op::And | Op::Or | Op::Xor) =>
        {
            format!("({a} {} {b})", op.name())
        }
        _ => format!("{}({})", op.name(), operands.join(", ")),
    }
}
