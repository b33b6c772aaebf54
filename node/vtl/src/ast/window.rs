//! Analytic invocations as they are written (grammar rules `anFunction`, `anFunctionComponent`).

use super::{ComponentRef, Expr, GroupingMode};
use crate::op::AnalyticOp;

/// An analytic invocation.
#[derive(Debug, Clone)]
pub(crate) struct AnalyticInvocation {
    pub(crate) op: AnalyticOp,
    /// `rank` has none.
    pub(crate) operand: Option<Expr>,
    /// Of `lag` and `lead`: how many data points away, and what stands for one that is not there.
    pub(crate) offset: Option<Expr>,
    pub(crate) default: Option<Expr>,
    pub(crate) partition: Option<(GroupingMode, Vec<ComponentRef>)>,
    /// Components and whether they descend.
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

/// An end of a window.
#[derive(Debug, Clone)]
pub(crate) enum WindowLimit {
    /// `unbounded preceding`.
    First,
    /// `unbounded following`.
    Last,
    /// `current data point`.
    Current,
    /// A literal or the name of a scalar, `preceding`.
    Before(Expr),
    /// The same, `following`.
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
    /// The expressions in it: the operand, and those that are scalars.
    pub(super) fn children(&self) -> Vec<&Expr> {
        let given = self.operand.iter().chain(&self.offset).chain(&self.default);
        let limits = self.frame.iter().flat_map(|frame| [frame.from.count(), frame.to.count()]);
        given.chain(limits.flatten()).collect()
    }
}
