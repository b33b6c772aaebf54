//! The structural difference between two scripts: `diff` of recipes.
//!
//! Statements and definitions are paired by name; in a pair the smallest parts that differ are
//! found. Layout and comments do not count, only tokens do.

use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{Expr, ExprNode, Statement};
use crate::diagnostic::{Diagnostic, Span};
use crate::format::format_on_one_line;
use crate::parser;

/// What differs between two scripts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScriptDifference {
    /// Data sets that only the first script reads.
    pub inputs_before: Vec<String>,
    /// Data sets that only the second script reads.
    pub inputs_after: Vec<String>,
    /// Steps that differ: in the order of the first script, then those that only the second has.
    pub steps: Vec<ChangedStatement>,
}

/// A statement or definition that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedStatement {
    /// The name that it gives.
    pub name: String,
    /// Its text in the first script, on one line.
    pub before: Option<String>,
    /// Its text in the second script.
    pub after: Option<String>,
    /// The smallest parts that differ, when both scripts have it.
    pub parts: Vec<(String, String)>,
}

impl ScriptDifference {
    /// Whether both scripts say the same.
    pub fn is_empty(&self) -> bool {
        self.inputs_before.is_empty() && self.inputs_after.is_empty() && self.steps.is_empty()
    }
}

/// A script with its text, so that parts of it can be shown.
struct ScriptText<'a> {
    text: &'a str,
    script: crate::Script,
}

impl ScriptText<'_> {
    fn source_text(&self, span: Span) -> String {
        format_on_one_line(self.text.get(span.start..span.end).unwrap_or_default())
    }

    fn find_statement(&self, name: &str) -> Option<&Statement> {
        self.script.statements.iter().find(|statement| statement.target.text == name)
    }

    fn statement_text(&self, statement: &Statement) -> String {
        let arrow = if statement.persistent { "<-" } else { ":=" };
        format!("{} {arrow} {}", statement.target.text, self.source_text(statement.expr.span))
    }
}

/// The difference between two scripts.
///
/// # Errors
/// The diagnostics of syntax of the first script that has any.
pub fn compare_scripts(before: &str, after: &str) -> Result<ScriptDifference, Vec<Diagnostic>> {
    let a = ScriptText { text: before, script: crate::Script::parse(before)? };
    let b = ScriptText { text: after, script: crate::Script::parse(after)? };
    let (x, y): (BTreeSet<&str>, BTreeSet<&str>) =
        (a.script.inputs().into_iter().collect(), b.script.inputs().into_iter().collect());
    let only =
        |x: &BTreeSet<&str>, y: &BTreeSet<&str>| x.difference(y).map(|name| (*name).to_owned()).collect();
    let mut steps = Vec::new();
    for statement in &a.script.statements {
        steps.extend(changed_statement(&a, statement, &b));
    }
    for statement in &b.script.statements {
        if a.find_statement(&statement.target.text).is_none() {
            let after = Some(b.statement_text(statement));
            steps.push(ChangedStatement {
                name: statement.target.text.clone(),
                before: None,
                after,
                parts: Vec::new(),
            });
        }
    }
    steps.extend(changed_definitions(before, after));
    Ok(ScriptDifference { inputs_before: only(&x, &y), inputs_after: only(&y, &x), steps })
}

fn changed_statement(
    a: &ScriptText<'_>,
    statement: &Statement,
    b: &ScriptText<'_>,
) -> Option<ChangedStatement> {
    let name = statement.target.text.clone();
    let before = a.statement_text(statement);
    let Some(other) = b.find_statement(&name) else {
        return Some(ChangedStatement { name, before: Some(before), after: None, parts: Vec::new() });
    };
    let after = b.statement_text(other);
    if before == after {
        return None;
    }
    let mut parts = Vec::new();
    collect_differing_parts(a, &statement.expr, b, &other.expr, &mut parts);
    parts.dedup();
    Some(ChangedStatement { name, before: Some(before), after: Some(after), parts })
}

/// Finds the smallest parts that differ.
fn collect_differing_parts(
    a: &ScriptText<'_>,
    x: &Expr,
    b: &ScriptText<'_>,
    y: &Expr,
    parts: &mut Vec<(String, String)>,
) {
    let (before, after) = (a.source_text(x.span), b.source_text(y.span));
    if before == after {
        return;
    }
    let (inner, other) = (x.children(), y.children());
    let alike = same_node(a, x, b, y) && inner.len() == other.len() && !inner.is_empty();
    if !alike {
        if !parts.contains(&(before.clone(), after.clone())) {
            parts.push((before, after));
        }
        return;
    }
    for (x, y) in inner.into_iter().zip(other) {
        collect_differing_parts(a, x, b, y, parts);
    }
}

/// Whether two nodes differ in their operands at most.
fn same_node(a: &ScriptText<'_>, x: &Expr, b: &ScriptText<'_>, y: &Expr) -> bool {
    if std::mem::discriminant(&x.node) != std::mem::discriminant(&y.node) {
        return false;
    }
    match (&x.node, &y.node) {
        (ExprNode::Apply(one, _), ExprNode::Apply(other, _)) => one == other,
        _ => text_without_operands(a, x) == text_without_operands(b, y),
    }
}

/// The text of a node with its operands left out.
fn text_without_operands(side: &ScriptText<'_>, expr: &Expr) -> String {
    let mut spans: Vec<Span> = expr.children().iter().map(|child| child.span).collect();
    spans.sort_unstable();
    let mut out = String::new();
    let mut at = expr.span.start;
    for span in spans {
        out.push_str(side.text.get(at..span.start.max(at)).unwrap_or_default());
        out.push_str(" \u{2026} ");
        at = at.max(span.end);
    }
    out.push_str(side.text.get(at..expr.span.end.max(at)).unwrap_or_default());
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Definitions that differ, whole.
fn changed_definitions(before: &str, after: &str) -> Vec<ChangedStatement> {
    let (a, b) = (parser::definition_texts(before), parser::definition_texts(after));
    let shown =
        |texts: &BTreeMap<String, &str>, name: &str| texts.get(name).map(|text| format_on_one_line(text));
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let pairs = names.into_iter().map(|name| (name.clone(), shown(&a, name), shown(&b, name)));
    let changed = pairs.filter(|(_, before, after)| before != after);
    changed.map(|(name, before, after)| ChangedStatement { name, before, after, parts: Vec::new() }).collect()
}
