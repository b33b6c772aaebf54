//! What a checked script is run as: a list of steps over outputs, each with its structure.
//!
//! Owns the closed set of columnar operators. Everything at data set level is brought to these:
//! an operator between data sets is a join and a map, `having` is a filter behind a grouping.
//! INVARIANT: a step only names steps before it; identifiers come first in its columns; rows of its
//! result are in canonical order (identifiers ascending) with distinct keys.

use std::collections::BTreeMap;

use schemas::structure::{Component, ComponentList, Error, Role, ValueType};
use schemas::table::Cell;
use schemas::text::Name;

use crate::ast::{HierarchyInput, HierarchyMode, PropagationRule, SeriesOp, ValidationOutput};
use crate::diagnostic::Span;
use crate::op::{AggregateOp, AnalyticOp, Op, TimeConversion};

/// A component of an intermediate result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PlanColumn {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) value_type: ValueType,
    /// Inside a join: the aliases of the operands that it comes from.
    pub(crate) from: Vec<String>,
}

/// A component-level expression with its type; `None` is the type of `null` alone.
#[derive(Debug, Clone)]
pub(crate) struct TypedExpr {
    pub(crate) term: Term,
    pub(crate) value_type: Option<ValueType>,
    pub(crate) span: Span,
}

#[derive(Debug, Clone)]
pub(crate) enum Term {
    /// A column of the operand.
    Column(usize),
    Constant(Option<Cell>),
    /// The value of a scalar step.
    Scalar(usize),
    Apply(Op, Vec<TypedExpr>),
    Window(Box<WindowCall>),
}

/// An analytic invocation over outputs of the operand.
#[derive(Debug, Clone)]
pub(crate) struct WindowCall {
    pub(crate) op: AnalyticOp,
    pub(crate) operand: TypedExpr,
    /// The scalar of `lag`, `lead` (data points) and `ewma` (weight).
    pub(crate) offset: Option<TypedExpr>,
    /// What `lag` and `lead` give beyond the partition: a scalar of the type of the operand.
    pub(crate) default: Option<TypedExpr>,
    pub(crate) partition: Vec<usize>,
    /// Columns and whether they descend.
    pub(crate) order: Vec<(usize, bool)>,
    /// Those of them that are durations, which are spelled in another order than they have.
    pub(crate) lengths: Vec<usize>,
    /// RunLimits are differences of the one component that orders, not numbers of data points.
    pub(crate) range: bool,
    pub(crate) from: WindowBound,
    pub(crate) to: WindowBound,
}

/// An end of a window.
#[derive(Debug, Clone)]
pub(crate) enum WindowBound {
    First,
    Last,
    Current,
    /// A scalar, and whether it counts backwards.
    Offset(TypedExpr, bool),
}

/// A column that groups; its periods are first converted when `convert` is given.
#[derive(Debug, Clone)]
pub(crate) struct GroupKey {
    pub(crate) column: usize,
    pub(crate) convert: Option<TimeConversion>,
}

/// A column that aggregates; without operand it counts data points.
#[derive(Debug, Clone)]
pub(crate) struct AggregateColumn {
    pub(crate) op: AggregateOp,
    pub(crate) operand: Option<TypedExpr>,
    pub(crate) value_type: ValueType,
    pub(crate) span: Span,
    /// The operand is a viral attribute, whose values become one by this instead of `op`.
    pub(crate) viral: Option<ViralMerge>,
}

/// How values of a viral attribute become one: by the rule that the script defines, if it does.
#[derive(Debug, Clone)]
pub(crate) struct ViralMerge(pub(crate) Option<PropagationRule>);

/// Which operand of a join a column is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinColumn {
    Left(usize),
    Right(usize),
    /// A key: of the left, or of the right where the left has no data point.
    Either(usize, usize),
}

/// Which data points a join keeps that have no partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinMode {
    Inner,
    Left,
    Full,
}

/// What `hierarchy` and `check_hierarchy` do.
#[derive(Debug, Clone)]
pub(crate) struct Rollup {
    /// The column of the code items.
    pub(crate) rule: usize,
    /// The column of the measure.
    pub(crate) value: usize,
    /// The other identifiers.
    pub(crate) keys: Vec<usize>,
    /// The viral attributes, their types and their rules.
    pub(crate) virals: Vec<(usize, ValueType, Option<PropagationRule>)>,
    /// In an order in which each comes after those that it takes values from.
    pub(crate) rules: Vec<RollupRule>,
    /// Whether the rules are checked, not used to compute.
    pub(crate) check: bool,
    pub(crate) missing: HierarchyMode,
    pub(crate) source: HierarchyInput,
    pub(crate) output: ValidationOutput,
}

#[derive(Debug, Clone)]
pub(crate) struct RollupRule {
    pub(crate) name: String,
    pub(crate) when: Option<TypedExpr>,
    pub(crate) left: String,
    pub(crate) relation: Op,
    pub(crate) right: Vec<RollupItem>,
    pub(crate) error: crate::ast::ErrorLabels,
    pub(crate) span: Span,
}

/// A code item of the right side, where its condition holds.
#[derive(Debug, Clone)]
pub(crate) struct RollupItem {
    pub(crate) minus: bool,
    pub(crate) code: String,
    pub(crate) condition: Option<TypedExpr>,
}

#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Input(String),
    Scalar(TypedExpr),
    /// The value of a column of a data set without identifiers, which has one data point at most.
    Pick {
        input: usize,
        column: usize,
    },
    /// New outputs over the same data points.
    Map {
        input: usize,
        outputs: Vec<TypedExpr>,
    },
    /// The data points for which the condition is true.
    Filter {
        input: usize,
        condition: TypedExpr,
    },
    /// Data points of both operands with equal keys, and those without partner that `matching` keeps.
    /// Each column has a value for data points that lack it.
    Join {
        left: usize,
        right: usize,
        keys: Vec<(usize, usize)>,
        outputs: Vec<(JoinColumn, Option<Cell>)>,
        matching: JoinMode,
    },
    /// One data point a group: its keys, then its summaries.
    Group {
        input: usize,
        keys: Vec<GroupKey>,
        summaries: Vec<AggregateColumn>,
    },
    /// Rules between code items, in groups of data points that differ in the code item only.
    Rollup {
        input: usize,
        rollup: Box<Rollup>,
    },
    /// The data points of all operands, which have one structure; of equal keys the first.
    Union {
        inputs: Vec<usize>,
    },
    /// The data points of the left of which the right has the keys, or has them not.
    SemiJoin {
        left: usize,
        right: usize,
        keys: Vec<(usize, usize)>,
        present: bool,
    },
    /// The identifiers of the left, and whether the right has those that are keys.
    Exists {
        left: usize,
        right: usize,
        keys: Vec<(usize, usize)>,
    },
    /// A time identifier moved by a scalar number of periods.
    Shift {
        input: usize,
        column: usize,
        count: TypedExpr,
    },
    /// An identifier replaced by a value of each data point, all of which stay distinct.
    Rekey {
        input: usize,
        column: usize,
        value: TypedExpr,
    },
    /// An operator along the time of each series.
    Series {
        input: usize,
        time: usize,
        /// The type of the time identifier.
        time_type: ValueType,
        op: SeriesOp,
    },
}

impl Operation {
    /// The steps whose tables are read.
    pub(crate) fn inputs(&self) -> Vec<usize> {
        match self {
            Operation::Input(_) | Operation::Scalar(_) => Vec::new(),
            Operation::Map { input, .. }
            | Operation::Pick { input, .. }
            | Operation::Filter { input, .. }
            | Operation::Group { input, .. }
            | Operation::Rollup { input, .. }
            | Operation::Rekey { input, .. }
            | Operation::Series { input, .. }
            | Operation::Shift { input, .. } => vec![*input],
            Operation::Join { left, right, .. }
            | Operation::SemiJoin { left, right, .. }
            | Operation::Exists { left, right, .. } => vec![*left, *right],
            Operation::Union { inputs } => inputs.clone(),
        }
    }
}

/// An operator and the structure of its result.
#[derive(Debug, Clone)]
pub(crate) struct PlanStep {
    pub(crate) operation: Operation,
    pub(crate) columns: Vec<PlanColumn>,
    pub(crate) span: Span,
}

/// A script checked against the structures of its inputs: the shape of every result is known.
#[derive(Debug, Clone)]
pub struct ExecutionPlan {
    pub(crate) steps: Vec<PlanStep>,
    pub(crate) inputs: BTreeMap<String, ComponentList>,
    /// Every data set that a statement defines, with its step.
    pub(crate) results: BTreeMap<String, (usize, ComponentList)>,
    /// Every scalar that a statement defines, with its step and its type.
    pub(crate) scalars: BTreeMap<String, (usize, Option<ValueType>)>,
    /// Persistent results in the order of the script.
    pub(crate) outputs: Vec<String>,
    /// All results in the order of the script.
    pub(crate) order: Vec<String>,
    /// Nodes of the expressions of the script: part of its cost.
    pub(crate) nodes: u64,
}

impl ExecutionPlan {
    /// The shape of an input or of a result of a statement, persistent or not.
    pub fn shape(&self, name: &str) -> Option<&ComponentList> {
        self.results.get(name).map(|(_, shape)| shape).or_else(|| self.inputs.get(name))
    }

    /// The persistent results that are scalars and their types (`None` is the type of `null`), in the
    /// order of the script.
    pub fn scalars(&self) -> Vec<(&str, Option<ValueType>)> {
        let named = self.outputs.iter().filter_map(|name| Some((name.as_str(), self.scalars.get(name)?.1)));
        named.collect()
    }

    /// The same plan with every result of a statement kept, as if all were persistent: to look at
    /// what a script does on its way.
    #[must_use]
    pub fn with_every_result(self) -> ExecutionPlan {
        ExecutionPlan { outputs: self.order.clone(), ..self }
    }

    /// The persistent results that are data sets and their shapes, in the order of the script.
    pub fn outputs(&self) -> Vec<(&str, &ComponentList)> {
        let named = self.outputs.iter().filter_map(|name| Some((name.as_str(), self.shape(name)?)));
        named.collect()
    }

    /// The inputs that the script reads and the shapes that it was checked with, by name.
    pub fn inputs(&self) -> Vec<(&str, &ComponentList)> {
        self.inputs.iter().map(|(name, shape)| (name.as_str(), shape)).collect()
    }
}

/// The shape of a result; its names must be names of components.
pub(crate) fn result_shape(columns: &[PlanColumn]) -> Result<ComponentList, String> {
    let mut components = Vec::new();
    for column in columns {
        let id = Name::new(column.name.clone()).map_err(|error| error.to_string())?;
        components.push(Component::new(id, column.role, column.value_type));
    }
    ComponentList::new(components).map_err(|error: Error| error.to_string())
}

/// The columns of a shape.
pub(crate) fn shape_columns(shape: &ComponentList) -> Vec<PlanColumn> {
    let column = |component: &Component| PlanColumn {
        name: component.id.as_str().to_owned(),
        role: component.role,
        value_type: component.value_type,
        from: Vec::new(),
    };
    shape.components().iter().map(column).collect()
}
