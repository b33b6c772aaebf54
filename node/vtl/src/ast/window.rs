//! Analytic invocations as they are written (grammar rules `anFunction`, `anFunctionComponent`).

use super::{Component, Expr, Mode};
use crate::op::Analytic;

/// An analytic invocation.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) op: Analytic,
    /// `rank` has none.
    pub(crate) operand: Option<Expr>,
    /// Of `lag` and `lead`: how many data points away, and what stands for one that is not there.
    pub(crate) offset: Option<Expr>,
    pub(crate) default: Option<Expr>,
    pub(crate) partition: Option<(Mode, Vec<Component>)>,
    /// Components and whether they descend.
    pub(crate) order: Vec<(Component, bool)>,
    pub(crate) frame: Option<Frame>,
}

/// `data points between … and …` or `range between … and …`.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) range: bool,
    pub(crate) from: Limit,
    pub(crate) to: Limit,
}

/// An end of a window.
#[derive(Debug, Clone)]
pub(crate) enum Limit {
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

impl Limit {
    fn count(&self) -> Option<&Expr> {
        match self {
            Limit::Before(count) | Limit::After(count) => Some(count),
            Limit::First | Limit::Last | Limit::Current => None,
        }
    }
}

impl Window {
    /// The expressions in it: the operand, and those that are scalars.
    pub(super) fn children(&self) -> Vec<&Expr> {
        let given = self.operand.iter().chain(&self.offset).chain(&self.default);
        let limits = self.frame.iter().flat_map(|frame| [frame.from.count(), frame.to.count()]);
        given.chain(limits.flatten()).collect()
    }
}
