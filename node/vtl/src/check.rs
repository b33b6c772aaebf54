//! Semantic checker: all checks that need no data.
//!
//! Owns the order of statements, name resolution and the construction of the plan. All diagnostics of a
//! script are reported together; an expression that depends on an erroneous one produces no further
//! diagnostics.

mod call;
mod clause;
mod component;
mod conditional;
mod dataset;
mod extension;
mod group;
mod hierarchy;
mod join;
mod order;
mod pivot;
mod set;
mod text;
mod time;
mod typing;
mod validate;
mod viral;
mod window;

use std::collections::{BTreeMap, BTreeSet};

use schemas::limits::COMPONENTS_MAX;
use schemas::structure::{ComponentList, Role, ValueType};

pub(crate) use extension::EXTENSIONS;

use crate::ast::{DEPTH_MAX, Definitions, Expr, Ident, Statement};
use crate::diagnostic::{Diagnostic, DiagnosticCode, DiagnosticList, Span, suggestion};
use crate::keywords;
use crate::plan::{self, ExecutionPlan, Operation, PlanColumn, PlanStep, Term, TypedExpr};
use crate::script::Script;

/// Value of an expression at data set level.
#[derive(Debug, Clone)]
enum ExprValue {
    /// Data set produced by this step.
    Data(usize),
    Scalar(TypedExpr),
}

/// Maximum steps of a plan, so that a hostile script cannot fill memory with its plan.
const STEPS_MAX: usize = 4096;
/// Maximum columns of an intermediate result. A join may have more than a data set until `keep` or
/// `drop` reduces them.
const FIELDS_MAX: usize = 2 * COMPONENTS_MAX;
/// Maximum number of reported diagnostics.
pub const DIAGNOSTICS_MAX: usize = 64;

struct Checker<'a> {
    shapes: &'a BTreeMap<String, ComponentList>,
    definitions: &'a Definitions,
    /// Names of results and definitions with syntax errors.
    broken: &'a BTreeSet<String>,
    steps: Vec<PlanStep>,
    /// Inputs and results; `None` marks a name whose definition has errors.
    names: BTreeMap<String, Option<ExprValue>>,
    /// Calls of user-defined operators whose bodies are being checked, outermost first.
    calls: Vec<call::ActiveCall>,
    /// Number of nodes that calls have expanded to.
    expansion: u64,
    /// Patterns checked so far and their errors.
    patterns: BTreeMap<String, Option<String>>,
    /// Depth of the node being checked, including the bodies of called operators.
    level: u16,
    diagnostics: DiagnosticList,
}

/// Checks a script against the structures of its inputs and returns its plan.
///
/// `inputs` may contain data sets that the script does not use. Components are matched by name; those
/// that the script does not mention are kept or dropped by the rules of VTL.
///
/// # Errors
/// All diagnostics that need no data, in source order.
pub fn check(
    script: &Script,
    inputs: &BTreeMap<String, ComponentList>,
) -> Result<ExecutionPlan, Vec<Diagnostic>> {
    let mut checker = Checker {
        shapes: inputs,
        definitions: &script.definitions,
        broken: &script.broken,
        steps: Vec::new(),
        names: BTreeMap::new(),
        calls: Vec::new(),
        expansion: 0,
        patterns: BTreeMap::new(),
        level: 0,
        diagnostics: DiagnosticList::default(),
    };
    let sequence = order::order_statements(&script.statements, &script.definitions, &mut checker.diagnostics);
    let mut plan = ExecutionPlan {
        steps: Vec::new(),
        inputs: BTreeMap::new(),
        results: BTreeMap::new(),
        scalars: BTreeMap::new(),
        outputs: Vec::new(),
        order: Vec::new(),
        nodes: script.count_nodes(),
    };
    checker.check_propagations();
    // A name without a value is an error already reported; its uses add no further diagnostics.
    checker.names.extend(script.broken.iter().map(|name| (name.clone(), None)));
    for name in script.inputs() {
        checker.add_input(name, script, &mut plan);
    }
    for statement in sequence {
        checker.check_statement(statement, &mut plan);
    }
    let persistent = script.statements.iter().filter(|statement| statement.persistent);
    plan.outputs = persistent.map(|statement| statement.target.text.clone()).collect();
    plan.order = script.statements.iter().map(|statement| statement.target.text.clone()).collect();
    if checker.diagnostics.len() > 0 {
        return Err(checker.diagnostics.into_sorted(DIAGNOSTICS_MAX));
    }
    // Each node of an expanded call costs a step (specs/vtl.md, 12).
    plan.nodes += checker.expansion;
    plan.steps = checker.steps;
    Ok(plan)
}

impl Checker<'_> {
    fn add_input(&mut self, name: &str, script: &Script, plan: &mut ExecutionPlan) {
        let value = match self.shapes.get(name) {
            Some(shape) => {
                plan.inputs.insert(name.to_owned(), shape.clone());
                let step = self.push_step(
                    Operation::Input(name.to_owned()),
                    plan::shape_columns(shape),
                    Span::default(),
                );
                Some(ExprValue::Data(step))
            }
            None => {
                self.report_unknown_dataset(name, script);
                None
            }
        };
        self.names.insert(name.to_owned(), value);
    }

    /// Reports an unknown data set at each of its references.
    fn report_unknown_dataset(&mut self, name: &str, script: &Script) {
        // Searching similar names is slow, and this diagnostic would not be shown.
        if self.diagnostics.len() > DIAGNOSTICS_MAX {
            return;
        }
        let results = script.statements.iter().map(|statement| statement.target.text.as_str());
        let hint = suggestion(name, self.shapes.keys().map(String::as_str).chain(results));
        for span in order::reference_spans(&script.statements, &script.definitions, name) {
            let message = format!("no data set is called `{name}`");
            self.diagnostics.push(
                Diagnostic::new(DiagnosticCode::UnknownName, span, message).with_optional_hint(hint.clone()),
            );
        }
    }

    fn check_statement(&mut self, statement: &Statement, plan: &mut ExecutionPlan) {
        let name = &statement.target.text;
        let value =
            self.check_expr(&statement.expr).and_then(|value| self.bind_result(statement, value, plan));
        // Bound without a value too, so that readers of a faulty result do not report it as unknown.
        self.names.insert(name.clone(), value);
    }

    /// Binds the value of a statement to its target.
    fn bind_result(
        &mut self,
        statement: &Statement,
        value: ExprValue,
        plan: &mut ExecutionPlan,
    ) -> Option<ExprValue> {
        let target = &statement.target;
        match value {
            ExprValue::Data(step) => {
                let shape = match plan::result_shape(self.step_columns(step)) {
                    Ok(shape) => shape,
                    Err(reason) => {
                        return self.report_error(DiagnosticCode::Structure, statement.expr.span, reason);
                    }
                };
                plan.results.insert(target.text.clone(), (step, shape));
                Some(ExprValue::Data(step))
            }
            ExprValue::Scalar(typed) => {
                let (value_type, span) = (typed.value_type, typed.span);
                let step = self.push_step(Operation::Scalar(typed), Vec::new(), span);
                plan.scalars.insert(target.text.clone(), (step, value_type));
                // Readers refer to the step: copies of the expression could double with each statement.
                Some(ExprValue::Scalar(TypedExpr { term: Term::Scalar(step), value_type, span }))
            }
        }
    }

    fn push_step(&mut self, operation: Operation, columns: Vec<PlanColumn>, span: Span) -> usize {
        let mut columns = columns;
        if self.steps.len() >= STEPS_MAX || columns.len() > FIELDS_MAX {
            // The step limit is reported once; steps beyond a limit have no columns.
            if self.steps.len() <= STEPS_MAX {
                let bounds = format!(
                    "more than {STEPS_MAX} steps, or a result with more than {FIELDS_MAX} components"
                );
                self.diagnostics.push(Diagnostic::new(DiagnosticCode::Size, span, bounds));
            }
            columns.clear();
        }
        self.steps.push(PlanStep { operation, columns, span });
        self.steps.len() - 1
    }

    fn step_columns(&self, step: usize) -> &[PlanColumn] {
        self.steps.get(step).map_or(&[], |step| &step.columns)
    }

    /// Reports a call of an unknown operator.
    fn unknown_operator<T>(&mut self, name: &Ident) -> Option<T> {
        if self.broken.contains(&name.text) {
            return None;
        }
        let defined = self.definitions.operators.keys().map(String::as_str);
        let known = defined
            .chain(extension::EXTENSIONS)
            .chain(keywords::reserved_words().map(|word| -> &str { word }));
        let hint = suggestion(&name.text, known);
        let message = format!("no operator is called `{}`", name.text);
        self.diagnostics
            .push(Diagnostic::new(DiagnosticCode::UnknownName, name.span, message).with_optional_hint(hint));
        None
    }

    /// Reports an error; returns `None` for use as the missing value.
    fn report_error<T>(&mut self, code: DiagnosticCode, span: Span, message: impl Into<String>) -> Option<T> {
        self.diagnostics.push(Diagnostic::new(code, span, message));
        None
    }

    /// Checks a nested node. INVARIANT: recursion is bounded by [`DEPTH_MAX`], through calls as well.
    fn check_nested<T>(&mut self, span: Span, check: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.level >= DEPTH_MAX {
            let message = format!("calls create an expression is nested more than {DEPTH_MAX} deep");
            return self.report_error(DiagnosticCode::Size, span, message);
        }
        self.level += 1;
        let checked = check(self);
        self.level -= 1;
        checked
    }

    /// Checks an expression that must be a data set.
    fn check_dataset(&mut self, expr: &Expr) -> Option<usize> {
        match self.check_expr(expr)? {
            ExprValue::Data(step) => Some(step),
            ExprValue::Scalar(_) => {
                self.report_error(DiagnosticCode::Type, expr.span, "expected a data set, found a scalar")
            }
        }
    }

    /// Adds a map step with its columns sorted by role.
    fn push_map(&mut self, input: usize, outputs: Vec<(PlanColumn, TypedExpr)>, span: Span) -> usize {
        let mut outputs = outputs;
        // Stable sort: columns of one role keep their order. Roles are ordered identifier first.
        outputs.sort_by_key(|(column, _)| column.role);
        let (columns, outputs) = outputs.into_iter().unzip();
        self.push_step(Operation::Map { input, outputs }, columns, span)
    }

    /// Returns the selected columns of a step unchanged.
    fn pass_columns(&self, step: usize, keep: impl Fn(&PlanColumn) -> bool) -> Vec<(PlanColumn, TypedExpr)> {
        let columns = self.step_columns(step).iter().enumerate().filter(|(_, column)| keep(column));
        columns.map(|(at, column)| (column.clone(), column_expr(at, column, Span::default()))).collect()
    }
}

/// Returns the expression of a column of the operand.
fn column_expr(at: usize, column: &PlanColumn, span: Span) -> TypedExpr {
    TypedExpr { term: Term::Column(at), value_type: Some(column.value_type), span }
}

/// Returns the positions of the columns with a role.
fn columns_with_role(columns: &[PlanColumn], role: Role) -> Vec<usize> {
    let found = columns.iter().enumerate().filter(|(_, column)| column.role == role);
    found.map(|(at, _)| at).collect()
}

/// Returns the position of the only identifier of type `time_period` or `date`, or the reason why there
/// is none.
fn time_identifier(columns: &[PlanColumn]) -> Result<usize, &'static str> {
    let timely = |column: &PlanColumn| {
        column.role == Role::Identifier
            && matches!(column.value_type, ValueType::TimePeriod | ValueType::Date)
    };
    let mut found = columns.iter().enumerate().filter(|(_, column)| timely(column)).map(|(at, _)| at);
    match (found.next(), found.next()) {
        (Some(at), None) => Ok(at),
        (None, _) => Err("the data set has no identifier of type `time_period` or `date`"),
        _ => Err("the data set has more than one identifier of type `time_period` or `date`"),
    }
}
