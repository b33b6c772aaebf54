//! Structural difference between two scripts, for `recipe diff`.
//!
//! Statements and definitions are paired by name; for each pair the smallest differing parts are found.
//! Layout and comments are ignored.

use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{Expr, ExprNode, Statement};
use crate::diagnostic::{Diagnostic, Span};
use crate::format::format_on_one_line;
use crate::parser;

/// Difference between two scripts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScriptDifference {
    /// Data sets read by the first script only.
    pub inputs_before: Vec<String>,
    /// Data sets read by the second script only.
    pub inputs_after: Vec<String>,
    /// Differing statements and definitions in the order of the first script, then those that only the
    /// second has.
    pub steps: Vec<ChangedStatement>,
}

/// Statement or definition that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedStatement {
    /// Name of the result or definition.
    pub name: String,
    /// Text in the first script, on one line.
    pub before: Option<String>,
    /// Text in the second script, on one line.
    pub after: Option<String>,
    /// Smallest differing parts, if both scripts have the statement.
    pub parts: Vec<(String, String)>,
}

impl ScriptDifference {
    /// Returns whether the scripts are equal apart from layout and comments.
    pub fn is_empty(&self) -> bool {
        self.inputs_before.is_empty() && self.inputs_after.is_empty() && self.steps.is_empty()
    }
}

/// Script with its source text.
struct ScriptText<'a> {
    text: &'a str,
    script: crate::script::Script,
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

/// Compares two scripts.
///
/// # Errors
/// The syntax errors of the first script that has any.
pub fn compare_scripts(before: &str, after: &str) -> Result<ScriptDifference, Vec<Diagnostic>> {
    let a = ScriptText { text: before, script: crate::script::Script::parse(before)? };
    let b = ScriptText { text: after, script: crate::script::Script::parse(after)? };
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

/// Collects the smallest differing parts of two expressions.
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
        // A part that occurs several times is listed once.
        if !parts.contains(&(before.clone(), after.clone())) {
            parts.push((before, after));
        }
        return;
    }
    for (x, y) in inner.into_iter().zip(other) {
        collect_differing_parts(a, x, b, y, parts);
    }
}

/// Returns whether two nodes differ in their operands only.
fn same_node(a: &ScriptText<'_>, x: &Expr, b: &ScriptText<'_>, y: &Expr) -> bool {
    if std::mem::discriminant(&x.node) != std::mem::discriminant(&y.node) {
        return false;
    }
    match (&x.node, &y.node) {
        (ExprNode::Apply(one, _), ExprNode::Apply(other, _)) => one == other,
        _ => text_without_operands(a, x) == text_without_operands(b, y),
    }
}

/// Returns the text of a node with its operands elided.
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

/// Returns the definitions that differ, without their parts.
fn changed_definitions(before: &str, after: &str) -> Vec<ChangedStatement> {
    let (a, b) = (parser::definition_texts(before), parser::definition_texts(after));
    let shown =
        |texts: &BTreeMap<String, &str>, name: &str| texts.get(name).map(|text| format_on_one_line(text));
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let pairs = names.into_iter().map(|name| (name.clone(), shown(&a, name), shown(&b, name)));
    let changed = pairs.filter(|(_, before, after)| before != after);
    changed.map(|(name, before, after)| ChangedStatement { name, before, after, parts: Vec::new() }).collect()
}
