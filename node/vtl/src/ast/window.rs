//! Syntax tree of analytic invocations (grammar rules `anFunction`, `anFunctionComponent`).

use super::{ComponentRef, Expr, GroupingMode};
use crate::op::AnalyticOp;

/// Analytic invocation.
#[derive(Debug, Clone)]
pub(crate) struct AnalyticInvocation {
    pub(crate) op: AnalyticOp,
    /// `None` for `rank`.
    pub(crate) operand: Option<Expr>,
    /// Distance of `lag` and `lead` in data points; `default` replaces a data point outside the
    /// partition.
    pub(crate) offset: Option<Expr>,
    pub(crate) default: Option<Expr>,
    pub(crate) partition: Option<(GroupingMode, Vec<ComponentRef>)>,
    /// Components of `order by`; `true` means descending.
    pub(crate) order: Vec<(ComponentRef, bool)>,
    pub(crate) frame: Option<WindowingClause>,
}

/// `data points between … and …` or `range between … and …`.
#[derive(Debug, Clone)]
pub(crate) struct WindowingClause {
    pub(crate) range: bool,
    pub(crate) from: WindowLimit,
    pub(crate) to: WindowLimit,
}

/// Limit of a window.
#[derive(Debug, Clone)]
pub(crate) enum WindowLimit {
    /// `unbounded preceding`.
    First,
    /// `unbounded following`.
    Last,
    /// `current data point`.
    Current,
    /// `… preceding`; the count is a literal or the name of a scalar.
    Before(Expr),
    /// `… following`, likewise.
    After(Expr),
}

impl WindowLimit {
    fn count(&self) -> Option<&Expr> {
        match self {
            WindowLimit::Before(count) | WindowLimit::After(count) => Some(count),
            WindowLimit::First | WindowLimit::Last | WindowLimit::Current => None,
        }
    }
}

impl AnalyticInvocation {
    /// Returns the operand and the scalar subexpressions.
    pub(super) fn children(&self) -> Vec<&Expr> {
        let given = self.operand.iter().chain(&self.offset).chain(&self.default);
        let limits = self.frame.iter().flat_map(|frame| [frame.from.count(), frame.to.count()]);
        given.chain(limits.flatten()).collect()
    }
}
