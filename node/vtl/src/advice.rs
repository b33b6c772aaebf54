//! What a script leaves to defaults that others may read otherwise.
//!
//! A window without partition or limits has those of VTL 2.2; version 2.1 and other engines have
//! others. A script that is published writes them out.

use crate::Script;
use crate::ast::{Expr, Node, Window};
use crate::fault::{Code, Fault, Span};
use crate::op::Analytic;

impl Script {
    /// Every place where a published script must say what it means, in the order of the places.
    pub fn advice(&self) -> Vec<Fault> {
        let statements = self.statements.iter().map(|statement| &statement.expr);
        let bodies = self.definitions.operators.values().map(|operator| &operator.body);
        let mut open: Vec<&Expr> = statements.chain(bodies).collect();
        let mut found = Vec::new();
        while let Some(expr) = open.pop() {
            if let Node::Window(window) = &expr.node {
                found.extend(left_out(window, expr.span));
            }
            open.extend(expr.children());
        }
        found.sort_by_key(|fault| fault.span);
        found
    }
}

fn left_out(window: &Window, span: Span) -> Vec<Fault> {
    let name = window.op.name();
    let mut found = Vec::new();
    if window.partition.is_none() {
        let message =
            format!("`{name}` leaves its partition to the default: the identifiers that do not order");
        found.push(
            Fault::new(Code::Implicit, span, message)
                .hint("write `partition by …` or `partition except all`"),
        );
    }
    let framed = matches!(window.op, Analytic::Aggregate(_) | Analytic::First | Analytic::Last);
    if framed && !window.order.is_empty() && window.frame.is_none() {
        let message =
            format!("`{name}` leaves its window to the default, which VTL 2.1 and 2.2 have differently");
        let hint = "write `range between unbounded preceding and current data point`, or what is meant";
        found.push(Fault::new(Code::Implicit, span, message).hint(hint));
    }
    found
}
