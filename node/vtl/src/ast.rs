//! What the parser makes of a script: statements of expressions, each with its place.
//!
//! One tree serves data set level and component level; which one a node is at, is found by the
//! check. INVARIANT: no tree is deeper than [`DEPTH_MAX`], so recursion over it is bounded.

mod define;
mod window;

use schemas::structure::Role;
use schemas::table::Cell;

use crate::fault::Span;
use crate::op::{Aggregator, Convert, Op};

pub(crate) use define::{
    Constraint, DatapointRule, DatapointRuleset, Definitions, Error, HierarchicalRule, HierarchicalRuleset,
    Item, Kind, Merge, Operator, Parameter, Part, Propagation, Scalar, Signed, Subset,
};
pub(crate) use window::{Frame, Limit, Window};

/// Nodes from the root of an expression to its deepest leaf.
pub const DEPTH_MAX: u16 = 160;
/// Bytes of a script.
pub const SCRIPT_BYTES_MAX: usize = 64 << 10;

/// A name and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ident {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// `target := expr` or `target <- expr`.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) target: Ident,
    pub(crate) persistent: bool,
    pub(crate) expr: Expr,
}

/// An expression at any level.
#[derive(Debug, Clone)]
pub(crate) struct Expr {
    pub(crate) node: Node,
    pub(crate) span: Span,
    /// Nodes down to the deepest leaf, this one included.
    pub(crate) depth: u16,
}

#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// A literal; `None` is `null`.
    Constant(Option<Cell>),
    /// A data set, a scalar or a component.
    Name(String),
    /// `operand # name`.
    Member(Box<Expr>, Ident),
    /// A row-wise operator.
    Apply(Op, Vec<Expr>),
    /// `timeshift(operand, count)`.
    Shift(Box<Expr>, Box<Expr>),
    /// An operator along the time of each series of a data set.
    Series(Series, Box<Expr>),
    Aggregate(Box<Aggregate>),
    Window(Box<Window>),
    Clause(Box<Expr>, Box<Clause>),
    Join(Box<Join>),
    /// A call by name: an operator that the script defines, or an extension.
    Call(Ident, Vec<Expr>),
    /// `_`: an argument that is left out.
    Omitted,
    /// A list of values, as an argument.
    List(Vec<Expr>),
    /// `operand in domain`; `not_in` when negated.
    Domain {
        operand: Box<Expr>,
        domain: Ident,
        negated: bool,
    },
    Set(SetOp, Vec<Expr>),
    /// Data points with the value given, or all.
    ExistsIn(Box<Expr>, Box<Expr>, #[allow(dead_code, reason = "its check comes next")] Option<bool>),
    Check(Box<Check>),
    CheckDatapoint(Box<CheckDatapoint>),
    CheckHierarchy(Box<Hierarchy>),
    Hierarchy(Box<Hierarchy>),
}

/// An operator along the time of each series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Series {
    /// Within the limits of each series.
    FillSingle,
    /// Within the limits of the data set.
    FillAll,
    FlowToStock,
    StockToFlow,
}

impl Series {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FillSingle | Self::FillAll => "fill_time_series",
            Self::FlowToStock => "flow_to_stock",
            Self::StockToFlow => "stock_to_flow",
        }
    }

    /// Whether it adds data points.
    pub(crate) fn fills(self) -> bool {
        matches!(self, Self::FillSingle | Self::FillAll)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetOp {
    Union,
    Intersect,
    Setdiff,
    Symdiff,
}

impl SetOp {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Union => "union",
            Self::Intersect => "intersect",
            Self::Setdiff => "setdiff",
            Self::Symdiff => "symdiff",
        }
    }
}

/// What a validation gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Invalid,
    All,
    AllMeasures,
}

/// `check(operand errorcode … errorlevel … imbalance … invalid)`.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    pub(crate) operand: Expr,
    pub(crate) error: Error,
    pub(crate) imbalance: Option<Expr>,
    pub(crate) output: Output,
}

/// `check_datapoint(operand, ruleset components … invalid)`.
#[derive(Debug, Clone)]
pub(crate) struct CheckDatapoint {
    pub(crate) operand: Expr,
    pub(crate) ruleset: Ident,
    pub(crate) components: Vec<Component>,
    pub(crate) output: Output,
}

/// How missing and null code items count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    NonNull,
    NonZero,
    PartialNull,
    PartialZero,
    AlwaysNull,
    AlwaysZero,
}

/// Where the values of code items that other rules compute are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Dataset,
    DatasetPriority,
    Rule,
    RulePriority,
}

/// `hierarchy(operand, ruleset condition … rule … mode input output)`, and `check_hierarchy`.
#[derive(Debug, Clone)]
pub(crate) struct Hierarchy {
    pub(crate) operand: Expr,
    pub(crate) ruleset: Ident,
    pub(crate) conditions: Vec<Component>,
    pub(crate) rule: Option<Component>,
    pub(crate) missing: Missing,
    pub(crate) source: Source,
    /// `All` beside the computed data points the others, for `hierarchy`; `Invalid` is `computed`.
    pub(crate) output: Output,
}

/// A component, in a join perhaps with the alias of its operand.
#[derive(Debug, Clone)]
pub(crate) struct Component {
    pub(crate) alias: Option<Ident>,
    pub(crate) name: Ident,
}

/// `role target := expr`.
#[derive(Debug, Clone)]
pub(crate) struct Assign {
    pub(crate) role: Option<Role>,
    pub(crate) target: Component,
    pub(crate) expr: Expr,
}

/// What stands between square brackets, or after the operands of a join.
#[derive(Debug, Clone)]
pub(crate) enum Clause {
    Filter(Expr),
    Calc(Vec<Assign>),
    Keep(Vec<Component>),
    Drop(Vec<Component>),
    Rename(Vec<(Component, Component)>),
    Sub(Vec<(Component, Expr)>),
    Pivot(Component, Component),
    Unpivot(Component, Component),
    /// In a join: an expression over the operands by alias, for each measure that they share.
    Apply(Expr),
    Aggr {
        items: Vec<Assign>,
        grouping: Option<Grouping>,
        having: Option<Expr>,
    },
}

/// `group by`, `group except`, `group all`.
#[derive(Debug, Clone)]
pub(crate) struct Grouping {
    pub(crate) mode: Mode,
    pub(crate) names: Vec<Component>,
    /// `time_agg("A")`.
    pub(crate) time: Option<(Convert, Span)>,
    pub(crate) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    By,
    Except,
    All,
}

/// An aggregate invocation; without operand it counts data points.
#[derive(Debug, Clone)]
pub(crate) struct Aggregate {
    pub(crate) op: Aggregator,
    pub(crate) operand: Option<Expr>,
    pub(crate) grouping: Option<Grouping>,
    pub(crate) having: Option<Expr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinKind {
    Inner,
    Left,
    Full,
    Cross,
}

impl JoinKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Inner => "inner_join",
            Self::Left => "left_join",
            Self::Full => "full_join",
            Self::Cross => "cross_join",
        }
    }
}

/// A join and the clauses in it.
#[derive(Debug, Clone)]
pub(crate) struct Join {
    pub(crate) kind: JoinKind,
    pub(crate) operands: Vec<(Expr, Option<Ident>)>,
    pub(crate) using: Option<Vec<Component>>,
    /// Values of identifiers that a data point lacks.
    pub(crate) fallbacks: Vec<(Component, Option<Cell>)>,
    pub(crate) clauses: Vec<Clause>,
}

impl Expr {
    /// The expressions directly under this one, those of clauses included.
    pub(crate) fn children(&self) -> Vec<&Expr> {
        match &self.node {
            Node::Constant(_) | Node::Name(_) | Node::Omitted => Vec::new(),
            Node::Member(operand, _) | Node::Series(_, operand) | Node::Domain { operand, .. } => {
                vec![operand]
            }
            Node::Apply(_, operands)
            | Node::Call(_, operands)
            | Node::Set(_, operands)
            | Node::List(operands) => operands.iter().collect(),
            Node::Shift(a, b) | Node::ExistsIn(a, b, _) => vec![a, b],
            Node::Check(check) => std::iter::once(&check.operand).chain(&check.imbalance).collect(),
            Node::CheckDatapoint(check) => vec![&check.operand],
            Node::CheckHierarchy(hierarchy) | Node::Hierarchy(hierarchy) => vec![&hierarchy.operand],
            Node::Aggregate(aggregate) => aggregate.operand.iter().chain(&aggregate.having).collect(),
            Node::Window(window) => window.children(),
            Node::Clause(operand, clause) => std::iter::once(&**operand).chain(clause.children()).collect(),
            Node::Join(join) => {
                let operands = join.operands.iter().map(|(operand, _)| operand);
                operands.chain(join.clauses.iter().flat_map(Clause::children)).collect()
            }
        }
    }
}

impl Clause {
    /// The component expressions of the clause.
    pub(crate) fn children(&self) -> Vec<&Expr> {
        match self {
            Clause::Filter(expr) | Clause::Apply(expr) => vec![expr],
            Clause::Calc(items) => items.iter().map(|item| &item.expr).collect(),
            Clause::Aggr { items, having, .. } => items.iter().map(|item| &item.expr).chain(having).collect(),
            Clause::Sub(items) => items.iter().map(|(_, value)| value).collect(),
            Clause::Keep(_)
            | Clause::Drop(_)
            | Clause::Rename(_)
            | Clause::Pivot(..)
            | Clause::Unpivot(..) => Vec::new(),
        }
    }
}
