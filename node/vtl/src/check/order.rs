//! Order of statements: dependencies first, unique names, no cycles (user manual, "Transformations":
//! the written order does not matter).

use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{Definitions, Statement, clause_names, referenced_names};
use crate::diagnostic::{Diagnostic, DiagnosticCode, DiagnosticList, Span};

/// Sorts statements so that each follows those that it uses.
///
/// Independent statements keep the order of the script. Statements in or behind a cycle are left out.
pub(super) fn order_statements<'a>(
    statements: &'a [Statement],
    definitions: &Definitions,
    diagnostics: &mut DiagnosticList,
) -> Vec<&'a Statement> {
    let mut defined: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, statement) in statements.iter().enumerate() {
        if defined.contains_key(statement.target.text.as_str()) {
            let message = format!("`{}` is assigned twice", statement.target.text);
            diagnostics.push(Diagnostic::new(DiagnosticCode::Duplicate, statement.target.span, message));
        } else {
            defined.insert(&statement.target.text, at);
        }
    }
    // A statement that references no name is a scalar, which clauses may use.
    let plain: Vec<bool> = statements
        .iter()
        .map(|statement| referenced_names(&statement.expr, definitions).is_empty())
        .collect();
    let mut needs: Vec<usize> = Vec::new();
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); statements.len()];
    for (at, statement) in statements.iter().enumerate() {
        let used = statement_sources(statement, &plain, definitions, &defined);
        needs.push(used.len());
        for source in used {
            if let Some(list) = users.get_mut(source) {
                list.push(at);
            }
        }
    }
    // A sorted set keeps independent statements in the order of the script.
    let mut ready: BTreeSet<usize> =
        needs.iter().enumerate().filter(|(_, n)| **n == 0).map(|(at, _)| at).collect();
    let mut order = Vec::new();
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for user in users.get(at).map_or(&[][..], Vec::as_slice) {
            if let Some(left) = needs.get_mut(*user) {
                // No underflow: a statement counts each of its sources once.
                *left -= 1;
                if *left == 0 {
                    ready.insert(*user);
                }
            }
        }
    }
    if order.len() < statements.len() {
        report_cycle(statements, definitions, &defined, &needs, diagnostics);
    }
    order.iter().filter_map(|at| statements.get(*at)).collect()
}

/// Returns the statements that a statement uses: as data sets, and inside clauses as scalars.
fn statement_sources(
    statement: &Statement,
    plain: &[bool],
    definitions: &Definitions,
    defined: &BTreeMap<&str, usize>,
) -> BTreeSet<usize> {
    let outer = referenced_names(&statement.expr, definitions)
        .into_iter()
        .filter_map(|(name, _)| defined.get(name).copied());
    let scalar = |at: &usize| plain.get(*at).copied().unwrap_or(false);
    let inner = clause_names(&statement.expr).into_iter().filter_map(|name| defined.get(name).copied());
    outer.chain(inner.filter(scalar)).collect()
}

/// Reports one cycle, found by following dependencies from the first blocked statement.
fn report_cycle(
    statements: &[Statement],
    definitions: &Definitions,
    defined: &BTreeMap<&str, usize>,
    needs: &[usize],
    diagnostics: &mut DiagnosticList,
) {
    let waits = |at: usize| needs.get(at).is_some_and(|left| *left > 0);
    let mut path: Vec<usize> = Vec::new();
    let mut next = (0..statements.len()).find(|at| waits(*at));
    while let Some(at) = next {
        if let Some(from) = path.iter().position(|seen| *seen == at) {
            let ring = path.get(from..).unwrap_or_default().iter().chain([&at]);
            let names: Vec<String> =
                ring.filter_map(|at| statements.get(*at)).map(|s| format!("`{}`", s.target.text)).collect();
            let span = statements.get(at).map_or(Span::default(), |statement| statement.target.span);
            let message = format!("results depend on each other: {}", names.join(" needs "));
            diagnostics.push(Diagnostic::new(DiagnosticCode::Cycle, span, message));
            return;
        }
        // A blocked statement needs another blocked one, so the path returns to itself.
        path.push(at);
        next = statements.get(at).and_then(|statement| {
            referenced_names(&statement.expr, definitions)
                .iter()
                .filter_map(|(name, _)| defined.get(name))
                .copied()
                .find(|at| waits(*at))
        });
    }
}

/// Returns the spans where a name is used as a data set or scalar.
pub(super) fn reference_spans(statements: &[Statement], definitions: &Definitions, name: &str) -> Vec<Span> {
    let all = statements.iter().flat_map(|statement| referenced_names(&statement.expr, definitions));
    all.filter(|(found, _)| *found == name).map(|(_, span)| span).collect()
}
