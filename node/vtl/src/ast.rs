//! What the parser makes of a script: statements of expressions, each with its place.
//!
//! One tree serves data set level and component level; which one a node is at, is found by the
//! check. INVARIANT: no tree is deeper than [`DEPTH_MAX`], so recursion over it is bounded.

use schemas::period::Frequency;
use schemas::structure::Role;
use schemas::table::Cell;

use crate::fault::Span;
use crate::op::{Aggregator, Op};

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
    Aggregate(Box<Aggregate>),
    Window(Box<Window>),
    Clause(Box<Expr>, Box<Clause>),
    Join(Box<Join>),
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
    Aggr { items: Vec<Assign>, grouping: Option<Grouping>, having: Option<Expr> },
}

/// `group by`, `group except`, `group all`.
#[derive(Debug, Clone)]
pub(crate) struct Grouping {
    pub(crate) mode: Mode,
    pub(crate) names: Vec<Component>,
    /// `time_agg("A")`.
    pub(crate) time: Option<(Frequency, Span)>,
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

/// What an analytic invocation computes over its window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Analytic {
    Aggregate(Aggregator),
    /// The value this many data points before.
    Lag(u32),
}

/// An analytic invocation.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) op: Analytic,
    pub(crate) operand: Expr,
    pub(crate) partition: Option<(Mode, Vec<Component>)>,
    /// Components and whether they descend.
    pub(crate) order: Vec<(Component, bool)>,
    pub(crate) frame: Option<(Bound, Bound)>,
}

/// An end of a window, in data points relative to the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// `unbounded preceding`.
    First,
    /// `unbounded following`.
    Last,
    /// Negative before the current data point.
    Offset(i64),
}

/// A join and the clauses in it.
#[derive(Debug, Clone)]
pub(crate) struct Join {
    pub(crate) left: bool,
    pub(crate) operands: Vec<(Expr, Option<Ident>)>,
    pub(crate) using: Option<Vec<Component>>,
    pub(crate) clauses: Vec<Clause>,
}

impl Expr {
    /// The expressions directly under this one, those of clauses included.
    pub(crate) fn children(&self) -> Vec<&Expr> {
        match &self.node {
            Node::Constant(_) | Node::Name(_) => Vec::new(),
            Node::Member(operand, _) => vec![operand],
            Node::Apply(_, operands) => operands.iter().collect(),
            Node::Shift(operand, count) => vec![operand, count],
            Node::Aggregate(aggregate) => aggregate.operand.iter().chain(&aggregate.having).collect(),
            Node::Window(window) => vec![&window.operand],
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
            Clause::Filter(condition) => vec![condition],
            Clause::Calc(items) => items.iter().map(|item| &item.expr).collect(),
            Clause::Aggr { items, having, .. } => items.iter().map(|item| &item.expr).chain(having).collect(),
            Clause::Sub(items) => items.iter().map(|(_, value)| value).collect(),
            Clause::Keep(_) | Clause::Drop(_) | Clause::Rename(_) => Vec::new(),
        }
    }
}
