//! Parsed scripts: their statements, definitions, inputs and outputs.

use std::collections::BTreeSet;

use crate::ast::{Definitions, Expr, Statement, referenced_names};
use crate::diagnostic::Diagnostic;
use crate::parser;

/// Parsed script.
#[derive(Debug, Clone)]
pub struct Script {
    pub(crate) statements: Vec<Statement>,
    pub(crate) definitions: Definitions,
    /// Names of results and definitions that could not be parsed; the checker reports nothing about
    /// them.
    pub(crate) broken: BTreeSet<String>,
}

impl Script {
    /// Parses a script of at most [`SCRIPT_BYTES_MAX`](crate::SCRIPT_BYTES_MAX) bytes.
    ///
    /// # Errors
    /// All syntax errors and all refused or unsupported operators, in source order.
    pub fn parse(text: &str) -> Result<Script, Vec<Diagnostic>> {
        match Self::parse_partial(text) {
            (script, diagnostics) if diagnostics.is_empty() => Ok(script),
            (_, diagnostics) => Err(diagnostics),
        }
    }

    /// Parses what it can and returns it with the diagnostics for the rest.
    pub(crate) fn parse_partial(text: &str) -> (Script, Vec<Diagnostic>) {
        let parser::ParseOutput { statements, definitions, broken, diagnostics } = parser::parse_script(text);
        (Script { statements, definitions, broken }, diagnostics)
    }

    /// Returns the data sets that the script uses and never assigns, in ascending order.
    pub fn inputs(&self) -> Vec<&str> {
        let assigned: BTreeSet<&str> =
            self.statements.iter().map(|statement| statement.target.text.as_str()).collect();
        let used =
            self.statements.iter().flat_map(|statement| referenced_names(&statement.expr, &self.definitions));
        let inputs: BTreeSet<&str> = used
            .map(|(name, _)| name)
            .filter(|name| !assigned.contains(name) && !self.broken.contains(*name))
            .collect();
        inputs.into_iter().collect()
    }

    /// Returns the persistent results (`<-`) in the order of the script.
    pub fn outputs(&self) -> Vec<&str> {
        let persistent = self.statements.iter().filter(|statement| statement.persistent);
        persistent.map(|statement| statement.target.text.as_str()).collect()
    }

    /// Counts the nodes of all expressions, which are part of the cost of a run.
    pub(crate) fn count_nodes(&self) -> u64 {
        // An explicit stack: counts without recursion.
        let mut open: Vec<&Expr> = self.statements.iter().map(|statement| &statement.expr).collect();
        let mut count = 0;
        while let Some(expr) = open.pop() {
            count += 1;
            open.extend(expr.children());
        }
        count
    }
}
