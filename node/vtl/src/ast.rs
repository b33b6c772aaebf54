//! Syntax tree of a script: statements of expressions, each with its span.
//!
//! One tree type serves data set level and component level; the checker decides the level of a node.
//! INVARIANT: no tree is deeper than [`DEPTH_MAX`], so recursion over it is bounded.

mod define;
mod names;
mod window;

use schemas::structure::Role;
use schemas::table::Cell;

use crate::diagnostic::Span;
use crate::op::{AggregateOp, Op, TimeConversion};

pub(crate) use define::{
    CodeItem, ComponentConstraint, DatapointRule, DatapointRuleset, Definitions, ErrorLabels,
    HierarchicalRule, HierarchicalRuleset, OperatorDefinition, Parameter, ParameterType, PropagationRule,
    ScalarConstraint, SignatureItem, SignedCodeItem, ValueSubset, ViralPropagation,
};
pub(crate) use names::{clause_names, referenced_names};
pub(crate) use window::{AnalyticInvocation, WindowLimit, WindowingClause};

/// Maximum depth of an expression: nodes from its root to its deepest leaf.
pub const DEPTH_MAX: u16 = 160;
/// Maximum length of a script, in bytes.
pub const SCRIPT_BYTES_MAX: usize = 64 << 10;

/// Name and its span.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ident {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// Statement `target := expr` or `target <- expr`.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) target: Ident,
    pub(crate) persistent: bool,
    pub(crate) expr: Expr,
}

/// Expression at data set level or component level.
#[derive(Debug, Clone)]
pub(crate) struct Expr {
    pub(crate) node: ExprNode,
    pub(crate) span: Span,
    /// Height of the subtree, this node included.
    pub(crate) depth: u16,
}

#[derive(Debug, Clone)]
pub(crate) enum ExprNode {
    /// A literal; `None` is `null`.
    Constant(Option<Cell>),
    /// Name of a data set, a scalar or a component.
    Name(String),
    /// Membership: `operand # name`.
    Member(Box<Expr>, Ident),
    /// Row-wise operator over its operands.
    Apply(Op, Vec<Expr>),
    /// `timeshift(operand, count)`.
    Shift(Box<Expr>, Box<Expr>),
    /// Operator along the time of each series of a data set.
    Series(SeriesOp, Box<Expr>),
    Aggregate(Box<AggregateInvocation>),
    Window(Box<AnalyticInvocation>),
    Clause(Box<Expr>, Box<Clause>),
    Join(Box<JoinCall>),
    /// Call of a user-defined operator or of an extension.
    Call(Ident, Vec<Expr>),
    /// Omitted argument: `_`.
    Omitted,
    /// List of values as an argument.
    List(Vec<Expr>),
    /// `operand in domain`, or `not_in` when negated.
    Domain {
        operand: Box<Expr>,
        domain: Ident,
        negated: bool,
    },
    Set(SetOp, Vec<Expr>),
    /// `exists_in`: retain the data points with this value, or all of them.
    ExistsIn(Box<Expr>, Box<Expr>, #[allow(dead_code, reason = "its check comes next")] Option<bool>),
    Check(Box<CheckCall>),
    CheckDatapoint(Box<CheckDatapointCall>),
    CheckHierarchy(Box<HierarchyCall>),
    Hierarchy(Box<HierarchyCall>),
}

/// Operator along the time of each series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeriesOp {
    /// `fill_time_series(…, single)`: fills within the limits of each series.
    FillSingle,
    /// `fill_time_series(…, all)`: fills within the limits of the data set.
    FillAll,
    FlowToStock,
    StockToFlow,
}

impl SeriesOp {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FillSingle | Self::FillAll => "fill_time_series",
            Self::FlowToStock => "flow_to_stock",
            Self::StockToFlow => "stock_to_flow",
        }
    }

    /// Returns whether the operator adds data points.
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

/// Output parameter of the validation operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValidationOutput {
    Invalid,
    All,
    AllMeasures,
}

/// `check(operand errorcode … errorlevel … imbalance … invalid)`.
#[derive(Debug, Clone)]
pub(crate) struct CheckCall {
    pub(crate) operand: Expr,
    pub(crate) error: ErrorLabels,
    pub(crate) imbalance: Option<Expr>,
    pub(crate) output: ValidationOutput,
}

/// `check_datapoint(operand, ruleset components … invalid)`.
#[derive(Debug, Clone)]
pub(crate) struct CheckDatapointCall {
    pub(crate) operand: Expr,
    pub(crate) ruleset: Ident,
    pub(crate) components: Vec<ComponentRef>,
    pub(crate) output: ValidationOutput,
}

/// Validation mode: treatment of missing and null code items (reference manual, "Hierarchical
/// roll-up").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HierarchyMode {
    NonNull,
    NonZero,
    PartialNull,
    PartialZero,
    AlwaysNull,
    AlwaysZero,
}

/// Input mode: source of the values of code items that other rules compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HierarchyInput {
    Dataset,
    DatasetPriority,
    Rule,
    RulePriority,
}

/// `hierarchy(operand, ruleset condition … rule … mode input output)` or `check_hierarchy(…)`.
#[derive(Debug, Clone)]
pub(crate) struct HierarchyCall {
    pub(crate) operand: Expr,
    pub(crate) ruleset: Ident,
    pub(crate) conditions: Vec<ComponentRef>,
    pub(crate) rule: Option<ComponentRef>,
    pub(crate) missing: HierarchyMode,
    pub(crate) source: HierarchyInput,
    /// For `hierarchy`, `Invalid` stands for `computed` and `All` for `all`.
    pub(crate) output: ValidationOutput,
}

/// Reference to a component, in a join optionally qualified by the alias of an operand.
#[derive(Debug, Clone)]
pub(crate) struct ComponentRef {
    pub(crate) alias: Option<Ident>,
    pub(crate) name: Ident,
}

/// Assignment `role target := expr` in `calc` or `aggr`.
#[derive(Debug, Clone)]
pub(crate) struct Assignment {
    pub(crate) role: Option<Role>,
    pub(crate) target: ComponentRef,
    pub(crate) expr: Expr,
}

/// Clause between square brackets, or after the operands of a join.
#[derive(Debug, Clone)]
pub(crate) enum Clause {
    Filter(Expr),
    Calc(Vec<Assignment>),
    Keep(Vec<ComponentRef>),
    Drop(Vec<ComponentRef>),
    Rename(Vec<(ComponentRef, ComponentRef)>),
    Sub(Vec<(ComponentRef, Expr)>),
    Pivot(ComponentRef, ComponentRef),
    Unpivot(ComponentRef, ComponentRef),
    /// `apply` in a join: an expression over the operands by alias, evaluated for each shared measure.
    Apply(Expr),
    Aggr {
        items: Vec<Assignment>,
        grouping: Option<GroupingClause>,
        having: Option<Expr>,
    },
}

/// `group by`, `group except`, `group all`.
#[derive(Debug, Clone)]
pub(crate) struct GroupingClause {
    pub(crate) mode: GroupingMode,
    pub(crate) names: Vec<ComponentRef>,
    /// `time_agg("A")`.
    pub(crate) time: Option<(TimeConversion, Span)>,
    pub(crate) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupingMode {
    By,
    Except,
    All,
}

/// Aggregate invocation; `count()` has no operand.
#[derive(Debug, Clone)]
pub(crate) struct AggregateInvocation {
    pub(crate) op: AggregateOp,
    pub(crate) operand: Option<Expr>,
    pub(crate) grouping: Option<GroupingClause>,
    pub(crate) having: Option<Expr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinType {
    Inner,
    Left,
    Full,
    Cross,
}

impl JoinType {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Inner => "inner_join",
            Self::Left => "left_join",
            Self::Full => "full_join",
            Self::Cross => "cross_join",
        }
    }
}

/// Join with its clauses.
#[derive(Debug, Clone)]
pub(crate) struct JoinCall {
    pub(crate) join_type: JoinType,
    pub(crate) operands: Vec<(Expr, Option<Ident>)>,
    pub(crate) using: Option<Vec<ComponentRef>>,
    /// Values that `nvl` gives to identifiers absent from a data point.
    pub(crate) fallbacks: Vec<(ComponentRef, Option<Cell>)>,
    pub(crate) clauses: Vec<Clause>,
}

impl Expr {
    /// Returns the direct subexpressions, including those of clauses.
    pub(crate) fn children(&self) -> Vec<&Expr> {
        match &self.node {
            ExprNode::Constant(_) | ExprNode::Name(_) | ExprNode::Omitted => Vec::new(),
            ExprNode::Member(operand, _)
            | ExprNode::Series(_, operand)
            | ExprNode::Domain { operand, .. } => {
                vec![operand]
            }
            ExprNode::Apply(_, operands)
            | ExprNode::Call(_, operands)
            | ExprNode::Set(_, operands)
            | ExprNode::List(operands) => operands.iter().collect(),
            ExprNode::Shift(a, b) | ExprNode::ExistsIn(a, b, _) => vec![a, b],
            ExprNode::Check(check) => std::iter::once(&check.operand).chain(&check.imbalance).collect(),
            ExprNode::CheckDatapoint(check) => vec![&check.operand],
            ExprNode::CheckHierarchy(hierarchy) | ExprNode::Hierarchy(hierarchy) => vec![&hierarchy.operand],
            ExprNode::Aggregate(aggregate) => aggregate.operand.iter().chain(&aggregate.having).collect(),
            ExprNode::Window(window) => window.children(),
            ExprNode::Clause(operand, clause) => {
                std::iter::once(&**operand).chain(clause.children()).collect()
            }
            ExprNode::Join(join) => {
                let operands = join.operands.iter().map(|(operand, _)| operand);
                operands.chain(join.clauses.iter().flat_map(Clause::children)).collect()
            }
        }
    }
}

impl Clause {
    /// Returns the component expressions of the clause.
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
