//! What a script leaves to defaults that others may read otherwise.
//!
//! A window without partition or limits has those of VTL 2.2; version 2.1 and other engines have
//! others; a `date` has the frequency that its data set seems to have. A script that is published
//! writes them out.

use schemas::structure::ValueType;

use crate::Script;
use crate::ast::{AnalyticInvocation, Expr, ExprNode};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::op::AnalyticOp;
use crate::plan::{ExecutionPlan, Operation, PlanStep};

impl Script {
    /// Every place where a published script must say what it means, in the order of the places.
    pub fn lint(&self) -> Vec<Diagnostic> {
        let statements = self.statements.iter().map(|statement| &statement.expr);
        let bodies = self.definitions.operators.values().map(|operator| &operator.body);
        let mut open: Vec<&Expr> = statements.chain(bodies).collect();
        let mut found = Vec::new();
        while let Some(expr) = open.pop() {
            if let ExprNode::Window(window) = &expr.node {
                found.extend(implicit_window_parts(window, expr.span));
            }
            open.extend(expr.children());
        }
        found.sort_by_key(|diagnostic| diagnostic.span);
        found
    }
}

impl ExecutionPlan {
    /// Every step that takes its meaning from the data that happen to be there: where the frequency
    /// of a `date` identifier is found from its values.
    pub fn lint(&self) -> Vec<Diagnostic> {
        let mut found: Vec<Diagnostic> =
            self.steps.iter().filter_map(|step| self.inferred_frequency(step)).collect();
        found.sort_by_key(|diagnostic| diagnostic.span);
        found
    }

    fn inferred_frequency(&self, step: &PlanStep) -> Option<Diagnostic> {
        let (name, time) = match &step.operation {
            Operation::Shift { column, .. } => ("timeshift", *column),
            Operation::Series { time, op, .. } if op.fills() => (op.name(), *time),
            _ => return None,
        };
        let column = step.columns.get(time).filter(|column| column.value_type == ValueType::Date)?;
        let message = format!("`{name}` finds the frequency of `{}`, a `date`, from the data", column.name);
        let hint = "give the data set an identifier of type `time_period`";
        Some(Diagnostic::new(DiagnosticCode::Implicit, step.span, message).with_hint(hint))
    }
}

fn implicit_window_parts(window: &AnalyticInvocation, span: Span) -> Vec<Diagnostic> {
    let name = window.op.name();
    let mut found = Vec::new();
    if window.partition.is_none() {
        let message =
            format!("`{name}` leaves its partition to the default: the identifiers that do not order");
        found.push(
            Diagnostic::new(DiagnosticCode::Implicit, span, message)
                .with_hint("write `partition by …` or `partition except all`"),
        );
    }
    let framed = matches!(window.op, AnalyticOp::Aggregate(_) | AnalyticOp::First | AnalyticOp::Last);
    if framed && !window.order.is_empty() && window.frame.is_none() {
        let message =
            format!("`{name}` leaves its window to the default, which VTL 2.1 and 2.2 have differently");
        let hint = "write `range between unbounded preceding and current data point`, or what is meant";
        found.push(Diagnostic::new(DiagnosticCode::Implicit, span, message).with_hint(hint));
    }
    found
}
