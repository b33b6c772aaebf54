//! Defaults that a published script must write out.
//!
//! The default partition and window are those of VTL 2.2; version 2.1 and other engines have different
//! ones. The frequency of a `date` depends on the data.

use schemas::structure::ValueType;

use crate::ast::{AnalyticInvocation, Expr, ExprNode};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::op::AnalyticOp;
use crate::plan::{ExecutionPlan, Operation, PlanStep};
use crate::script::Script;

impl Script {
    /// Returns each default that a published script must write out, in source order.
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
    /// Returns each step that infers the frequency of a `date` identifier from its values, in source
    /// order.
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
        let message = format!("`{name}` infers the frequency of `{}`, a `date`, from the data", column.name);
        let hint = "give the data set an identifier of type `time_period`";
        Some(Diagnostic::new(DiagnosticCode::Implicit, step.span, message).with_hint(hint))
    }
}

fn implicit_window_parts(window: &AnalyticInvocation, span: Span) -> Vec<Diagnostic> {
    let name = window.op.name();
    let mut found = Vec::new();
    if window.partition.is_none() {
        let message = format!("`{name}` uses the default partition: all identifiers that do not order");
        found.push(
            Diagnostic::new(DiagnosticCode::Implicit, span, message)
                .with_hint("write `partition by …` or `partition except all`"),
        );
    }
    // `lag`, `lead`, `rank` and `ratio_to_report` take no window.
    let framed = matches!(window.op, AnalyticOp::Aggregate(_) | AnalyticOp::First | AnalyticOp::Last);
    if framed && !window.order.is_empty() && window.frame.is_none() {
        let message = format!("`{name}` uses the default window, which differs between VTL 2.1 and 2.2");
        let hint = "write the window, for example `range between unbounded preceding and current data point`";
        found.push(Diagnostic::new(DiagnosticCode::Implicit, span, message).with_hint(hint));
    }
    found
}
