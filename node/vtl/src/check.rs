//! The semantic check: everything that can be wrong without looking at data.
//!
//! Owns the order of statements, the meaning of names and the making of the plan. All faults of a
//! script are reported at once; what depends on something faulty is left out in silence.

mod call;
mod choice;
mod clause;
mod component;
mod dataset;
mod extension;
mod group;
mod hierarchy;
mod join;
mod order;
mod set;
mod text;
mod time;
mod turn;
mod typing;
mod validate;
mod viral;
mod window;

use std::collections::{BTreeMap, BTreeSet};

use schemas::limits::COMPONENTS_MAX;
use schemas::structure::{Role, Shape, Type};

pub(crate) use extension::NAMES as EXTENSIONS;
pub(crate) use order::names;

use crate::Script;
use crate::ast::{DEPTH_MAX, Definitions, Expr, Ident, Statement};
use crate::fault::{Code, Fault, Faults, Span, near};
use crate::plan::{self, Field, Operation, Plan, Step, Term, Typed};
use crate::words;

/// What an expression at data set level stands for.
#[derive(Debug, Clone)]
enum Value {
    /// A data set: the result of this step.
    Data(usize),
    Scalar(Typed),
}

/// Steps of a plan, so that a hostile script cannot make a plan that fills memory.
const STEPS_MAX: usize = 4096;
/// Components of an intermediate result: a join may have more than a data set, until it keeps some.
const FIELDS_MAX: usize = 2 * COMPONENTS_MAX;
/// Faults that are reported; so many say enough.
pub const FAULTS_MAX: usize = 64;

struct Checker<'a> {
    shapes: &'a BTreeMap<String, Shape>,
    definitions: &'a Definitions,
    /// Names of what has a fault of syntax.
    broken: &'a BTreeSet<String>,
    steps: Vec<Step>,
    /// Inputs and results; `None` is one whose definition has a fault.
    names: BTreeMap<String, Option<Value>>,
    /// The calls of operators whose bodies are being checked, outermost first.
    calls: Vec<call::Call>,
    /// Nodes that calls expanded to.
    expansion: u64,
    /// Patterns that were read, and what is wrong with them.
    patterns: BTreeMap<String, Option<String>>,
    /// Nodes around the one that is being checked, those of the bodies of operators too.
    level: u16,
    faults: Faults,
}

/// Checks a script against the structures of its inputs.
///
/// `inputs` may hold more than the script names. Components are matched by name; whatever the
/// shape holds beyond what the script uses is carried or dropped as VTL says.
///
/// # Errors
/// Every fault that needs no data, in the order of their places.
pub fn check(script: &Script, inputs: &BTreeMap<String, Shape>) -> Result<Plan, Vec<Fault>> {
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
        faults: Faults::default(),
    };
    let sequence = order::sequence(&script.statements, &script.definitions, &mut checker.faults);
    let mut plan = Plan {
        steps: Vec::new(),
        inputs: BTreeMap::new(),
        results: BTreeMap::new(),
        scalars: BTreeMap::new(),
        outputs: Vec::new(),
        order: Vec::new(),
        nodes: script.nodes(),
    };
    checker.propagations();
    checker.names.extend(script.broken.iter().map(|name| (name.clone(), None)));
    for name in script.inputs() {
        checker.input(name, script, &mut plan);
    }
    for statement in sequence {
        checker.statement(statement, &mut plan);
    }
    let persistent = script.statements.iter().filter(|statement| statement.persistent);
    plan.outputs = persistent.map(|statement| statement.target.text.clone()).collect();
    plan.order = script.statements.iter().map(|statement| statement.target.text.clone()).collect();
    if checker.faults.len() > 0 {
        return Err(checker.faults.told(FAULTS_MAX));
    }
    plan.nodes += checker.expansion;
    plan.steps = checker.steps;
    Ok(plan)
}

impl Checker<'_> {
    fn input(&mut self, name: &str, script: &Script, plan: &mut Plan) {
        let value = match self.shapes.get(name) {
            Some(shape) => {
                plan.inputs.insert(name.to_owned(), shape.clone());
                let step = self.push(Operation::Input(name.to_owned()), plan::fields(shape), Span::default());
                Some(Value::Data(step))
            }
            None => {
                self.unknown_data(name, script);
                None
            }
        };
        self.names.insert(name.to_owned(), value);
    }

    /// A name that is neither an input nor a result, at each place where it stands for a data set.
    fn unknown_data(&mut self, name: &str, script: &Script) {
        if self.faults.len() > FAULTS_MAX {
            return;
        }
        let results = script.statements.iter().map(|statement| statement.target.text.as_str());
        let hint = near(name, self.shapes.keys().map(String::as_str).chain(results));
        for span in order::places(&script.statements, &script.definitions, name) {
            let message = format!("no data set is called `{name}`");
            self.faults.push(Fault::new(Code::UnknownName, span, message).hinted(hint.clone()));
        }
    }

    fn statement(&mut self, statement: &Statement, plan: &mut Plan) {
        let name = &statement.target.text;
        let value = self.expr(&statement.expr).and_then(|value| self.result(statement, value, plan));
        self.names.insert(name.clone(), value);
    }

    /// Gives the value of a statement its name.
    fn result(&mut self, statement: &Statement, value: Value, plan: &mut Plan) -> Option<Value> {
        let target = &statement.target;
        match value {
            Value::Data(step) => {
                let shape = match plan::shape(self.fields(step)) {
                    Ok(shape) => shape,
                    Err(reason) => return self.fault(Code::Structure, statement.expr.span, reason),
                };
                plan.results.insert(target.text.clone(), (step, shape));
                Some(Value::Data(step))
            }
            Value::Scalar(typed) => {
                let (kind, span) = (typed.kind, typed.span);
                let step = self.push(Operation::Scalar(typed), Vec::new(), span);
                plan.scalars.insert(target.text.clone(), (step, kind));
                Some(Value::Scalar(Typed { term: Term::Scalar(step), kind, span }))
            }
        }
    }

    fn push(&mut self, operation: Operation, fields: Vec<Field>, span: Span) -> usize {
        let mut fields = fields;
        if self.steps.len() >= STEPS_MAX || fields.len() > FIELDS_MAX {
            if self.steps.len() <= STEPS_MAX {
                let bounds =
                    format!("more than {STEPS_MAX} steps or a result of more than {FIELDS_MAX} components");
                self.faults.push(Fault::new(Code::Size, span, bounds));
            }
            fields.clear();
        }
        self.steps.push(Step { operation, fields, span });
        self.steps.len() - 1
    }

    fn fields(&self, step: usize) -> &[Field] {
        self.steps.get(step).map_or(&[], |step| &step.fields)
    }

    /// An operator that nobody defined.
    fn stranger<T>(&mut self, name: &Ident) -> Option<T> {
        if self.broken.contains(&name.text) {
            return None;
        }
        let defined = self.definitions.operators.keys().map(String::as_str);
        let known = defined.chain(extension::NAMES).chain(words::all().map(|word| -> &str { word }));
        let hint = near(&name.text, known);
        let message = format!("no operator is called `{}`", name.text);
        self.faults.push(Fault::new(Code::UnknownName, name.span, message).hinted(hint));
        None
    }

    /// Pushes a fault; there is no value.
    fn fault<T>(&mut self, code: Code, span: Span, message: impl Into<String>) -> Option<T> {
        self.faults.push(Fault::new(code, span, message));
        None
    }

    /// Checks a node within others. INVARIANT: recursion is bounded through calls too.
    fn deeper<T>(&mut self, span: Span, check: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.level >= DEPTH_MAX {
            let message = format!("calls make an expression nested more than {DEPTH_MAX} deep");
            return self.fault(Code::Size, span, message);
        }
        self.level += 1;
        let checked = check(self);
        self.level -= 1;
        checked
    }

    /// An expression that must be a data set.
    fn data(&mut self, expr: &Expr) -> Option<usize> {
        match self.expr(expr)? {
            Value::Data(step) => Some(step),
            Value::Scalar(_) => self.fault(Code::Type, expr.span, "expected a data set, found a scalar"),
        }
    }

    /// A map step whose fields are brought into the order of their roles.
    fn map(&mut self, input: usize, columns: Vec<(Field, Typed)>, span: Span) -> usize {
        let mut columns = columns;
        columns.sort_by_key(|(field, _)| field.role);
        let (fields, columns) = columns.into_iter().unzip();
        self.push(Operation::Map { input, columns }, fields, span)
    }

    /// The fields of a step that pass, each as it is.
    fn pass(&self, step: usize, keep: impl Fn(&Field) -> bool) -> Vec<(Field, Typed)> {
        let fields = self.fields(step).iter().enumerate().filter(|(_, field)| keep(field));
        fields.map(|(at, field)| (field.clone(), column(at, field, Span::default()))).collect()
    }
}

/// A column of the operand.
fn column(at: usize, field: &Field, span: Span) -> Typed {
    Typed { term: Term::Column(at), kind: Some(field.kind), span }
}

/// Positions of the fields of a role.
fn positions(fields: &[Field], role: Role) -> Vec<usize> {
    let found = fields.iter().enumerate().filter(|(_, field)| field.role == role);
    found.map(|(at, _)| at).collect()
}

/// The single identifier of a time type, or why there is none.
fn time_identifier(fields: &[Field]) -> Result<usize, &'static str> {
    let timely =
        |field: &Field| field.role == Role::Identifier && matches!(field.kind, Type::TimePeriod | Type::Date);
    let mut found = fields.iter().enumerate().filter(|(_, field)| timely(field)).map(|(at, _)| at);
    match (found.next(), found.next()) {
        (Some(at), None) => Ok(at),
        (None, _) => Err("the data set has no identifier of type `time_period` or `date`"),
        _ => Err("the data set has more than one identifier of type `time_period` or `date`"),
    }
}
