//! Execution plan of a checked script: a list of columnar steps with their structures.
//!
//! Owns the closed set of columnar operators. Expressions at data set level are reduced to them: an
//! operator between data sets becomes a join and a map, `having` a filter after a grouping. INVARIANT:
//! a step reads earlier steps only; identifiers are its first columns; the rows of its result are in
//! canonical order (identifiers ascending) with distinct keys.

use std::collections::BTreeMap;

use schemas::structure::{Component, ComponentList, Error, Role, ValueType};
use schemas::table::Cell;
use schemas::text::Name;

use crate::ast::{HierarchyInput, HierarchyMode, PropagationRule, SeriesOp, ValidationOutput};
use crate::diagnostic::Span;
use crate::op::{AggregateOp, AnalyticOp, Op, TimeConversion};

/// Component of an intermediate result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PlanColumn {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) value_type: ValueType,
    /// Inside a join, aliases of the operands that the column comes from.
    pub(crate) aliases: Vec<String>,
}

impl PlanColumn {
    /// Creates a column outside of any join.
    pub(crate) fn new(name: &str, role: Role, value_type: ValueType) -> Self {
        Self { name: name.to_owned(), role, value_type, aliases: Vec::new() }
    }

    /// Creates a measure outside of any join.
    pub(crate) fn measure(name: &str, value_type: ValueType) -> Self {
        Self::new(name, Role::Measure, value_type)
    }
}

/// Expression at component level with its type; `None` is the type of `null`.
#[derive(Debug, Clone)]
pub(crate) struct TypedExpr {
    pub(crate) term: Term,
    pub(crate) value_type: Option<ValueType>,
    pub(crate) span: Span,
}

#[derive(Debug, Clone)]
pub(crate) enum Term {
    /// Position of a column of the operand.
    Column(usize),
    Constant(Option<Cell>),
    /// Result of a scalar step.
    Scalar(usize),
    Apply(Op, Vec<TypedExpr>),
    Window(Box<WindowCall>),
}

/// Analytic invocation over the columns of the operand.
#[derive(Debug, Clone)]
pub(crate) struct WindowCall {
    pub(crate) op: AnalyticOp,
    pub(crate) operand: TypedExpr,
    /// Scalar operand: distance in data points for `lag` and `lead`, weight for `ewma`.
    pub(crate) offset: Option<TypedExpr>,
    /// Value of `lag` and `lead` outside the partition; a scalar of the type of the operand.
    pub(crate) default: Option<TypedExpr>,
    pub(crate) partition: Vec<usize>,
    /// Ordering columns; `true` means descending.
    pub(crate) order: Vec<(usize, bool)>,
    /// Ordering columns with durations; their text does not sort by length.
    pub(crate) lengths: Vec<usize>,
    /// Whether limits are differences of the ordering component instead of numbers of data points.
    pub(crate) range: bool,
    pub(crate) from: WindowBound,
    pub(crate) to: WindowBound,
}

/// Bound of a window.
#[derive(Debug, Clone)]
pub(crate) enum WindowBound {
    First,
    Last,
    Current,
    /// Scalar distance; `true` means preceding.
    Offset(TypedExpr, bool),
}

/// Grouping column, with the conversion applied to its periods before grouping.
#[derive(Debug, Clone)]
pub(crate) struct GroupKey {
    pub(crate) column: usize,
    pub(crate) convert: Option<TimeConversion>,
}

/// Aggregate column; without operand it counts data points.
#[derive(Debug, Clone)]
pub(crate) struct AggregateColumn {
    pub(crate) op: AggregateOp,
    pub(crate) operand: Option<TypedExpr>,
    pub(crate) value_type: ValueType,
    pub(crate) span: Span,
    /// Set when the operand is a viral attribute; its values are then merged by this instead of `op`.
    pub(crate) viral: Option<ViralMerge>,
}

/// Merge of the values of a viral attribute: by the propagation rule of the script, if there is one.
#[derive(Debug, Clone)]
pub(crate) struct ViralMerge(pub(crate) Option<PropagationRule>);

/// Source of a column of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinColumn {
    Left(usize),
    Right(usize),
    /// Key: from the left side, or from the right where the left has no data point.
    Either(usize, usize),
}

/// Data points without a partner that a join keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinMode {
    Inner,
    Left,
    Full,
}

/// Rules of `hierarchy` or `check_hierarchy`.
#[derive(Debug, Clone)]
pub(crate) struct Rollup {
    /// Column of the code items.
    pub(crate) rule: usize,
    /// Column of the measure.
    pub(crate) value: usize,
    /// Columns of the other identifiers.
    pub(crate) keys: Vec<usize>,
    /// Viral attributes with their types and rules.
    pub(crate) virals: Vec<(usize, ValueType, Option<PropagationRule>)>,
    /// Sorted so that each rule follows those that it takes values from.
    pub(crate) rules: Vec<RollupRule>,
    /// Whether the rules are checked instead of computed.
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

/// Code item of the right side with its condition.
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
    /// Value of a column of a data set without identifiers, which has at most one data point.
    Pick {
        input: usize,
        column: usize,
    },
    /// New columns over the same data points.
    Map {
        input: usize,
        outputs: Vec<TypedExpr>,
    },
    /// Data points with a true condition.
    Filter {
        input: usize,
        condition: TypedExpr,
    },
    /// Data points of both operands with equal keys, and those without partner that `matching` keeps.
    /// Each output has a fallback for data points that lack it.
    Join {
        left: usize,
        right: usize,
        keys: Vec<(usize, usize)>,
        outputs: Vec<(JoinColumn, Option<Cell>)>,
        matching: JoinMode,
    },
    /// One data point per group: keys, then aggregates.
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
    /// Data points of operands with equal structures; for equal keys, the one of the first operand.
    Union {
        inputs: Vec<usize>,
    },
    /// Data points of the left side whose key is present, or absent, on the right side.
    SemiJoin {
        left: usize,
        right: usize,
        keys: Vec<(usize, usize)>,
        present: bool,
    },
    /// Identifiers of the left side, and whether the right side has their key.
    Exists {
        left: usize,
        right: usize,
        keys: Vec<(usize, usize)>,
    },
    /// Time identifier shifted by a scalar number of periods.
    Shift {
        input: usize,
        column: usize,
        count: TypedExpr,
    },
    /// Identifier replaced by a value computed for each data point; keys stay distinct.
    Rekey {
        input: usize,
        column: usize,
        value: TypedExpr,
    },
    /// Operator along the time of each series.
    Series {
        input: usize,
        time: usize,
        /// Type of the time identifier.
        time_type: ValueType,
        op: SeriesOp,
    },
}

impl Operation {
    /// Returns the steps whose results are read.
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

/// Operation and the structure of its result.
#[derive(Debug, Clone)]
pub(crate) struct PlanStep {
    pub(crate) operation: Operation,
    pub(crate) columns: Vec<PlanColumn>,
    pub(crate) span: Span,
}

/// Checked script with the structure of every result.
#[derive(Debug, Clone)]
pub struct ExecutionPlan {
    pub(crate) steps: Vec<PlanStep>,
    pub(crate) inputs: BTreeMap<String, ComponentList>,
    /// Data sets assigned by statements, with their steps.
    pub(crate) results: BTreeMap<String, (usize, ComponentList)>,
    /// Scalars assigned by statements, with their steps and types.
    pub(crate) scalars: BTreeMap<String, (usize, Option<ValueType>)>,
    /// Persistent results in the order of the script.
    pub(crate) outputs: Vec<String>,
    /// All results in the order of the script.
    pub(crate) order: Vec<String>,
    /// Number of nodes of all expressions, which is part of the cost.
    pub(crate) nodes: u64,
}

impl ExecutionPlan {
    /// Returns the structure of an input or result, persistent or not.
    pub fn shape(&self, name: &str) -> Option<&ComponentList> {
        self.results.get(name).map(|(_, shape)| shape).or_else(|| self.inputs.get(name))
    }

    /// Returns the persistent scalars with their types (`None` is the type of `null`), in the order of
    /// the script.
    pub fn scalars(&self) -> Vec<(&str, Option<ValueType>)> {
        let named = self.outputs.iter().filter_map(|name| Some((name.as_str(), self.scalars.get(name)?.1)));
        named.collect()
    }

    /// Returns the plan with every result kept as if it were persistent, to inspect intermediate
    /// results.
    #[must_use]
    pub fn with_every_result(self) -> ExecutionPlan {
        ExecutionPlan { outputs: self.order.clone(), ..self }
    }

    /// Returns the persistent data sets with their structures, in the order of the script.
    pub fn outputs(&self) -> Vec<(&str, &ComponentList)> {
        let named = self.outputs.iter().filter_map(|name| Some((name.as_str(), self.shape(name)?)));
        named.collect()
    }

    /// Returns the inputs that the script reads with the structures it was checked against, by name.
    pub fn inputs(&self) -> Vec<(&str, &ComponentList)> {
        self.inputs.iter().map(|(name, shape)| (name.as_str(), shape)).collect()
    }
}

/// Returns the structure of a result, or the reason why a name is not a valid component name.
pub(crate) fn result_shape(columns: &[PlanColumn]) -> Result<ComponentList, String> {
    let mut components = Vec::new();
    for column in columns {
        let id = Name::new(column.name.clone()).map_err(|error| error.to_string())?;
        components.push(Component::new(id, column.role, column.value_type));
    }
    ComponentList::new(components).map_err(|error: Error| error.to_string())
}

/// Returns the columns of a structure.
pub(crate) fn shape_columns(shape: &ComponentList) -> Vec<PlanColumn> {
    let column =
        |component: &Component| PlanColumn::new(component.id.as_str(), component.role, component.value_type);
    shape.components().iter().map(column).collect()
}
