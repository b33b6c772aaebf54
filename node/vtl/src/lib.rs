//! Engine for VTL 2.2, the Validation and Transformation Language of SDMX, on exact decimals.
//! A script is parsed ([`Script::parse`]), checked against the structures of its inputs ([`check()`])
//! and run on tables ([`run`]). The same script, tables and limits give the same result or the same
//! diagnostic on every machine. The normative text is `specs/vtl.md`.
//! The crate depends on `schemas` only and knows nothing of ledgers. It does no IO and uses no clock,
//! no randomness and no floating point; operators of VTL that need these are refused by name.

mod ast;
mod budget;
mod cast_mask;
mod check;
pub mod decimal128;
mod diagnostic;
mod difference;
mod eval;
mod explain;
mod format;
mod keywords;
mod lexer;
mod lint;
mod op;
mod parser;
mod pattern;
mod plan;
mod time_unit;

use std::collections::{BTreeMap, BTreeSet};

use schemas::structure::ComponentList;

pub use ast::{DEPTH_MAX, SCRIPT_BYTES_MAX};
pub use budget::RunLimits;
pub use check::{DIAGNOSTICS_MAX, check};
pub use diagnostic::{Diagnostic, DiagnosticCode, Span, render_diagnostic};
pub use difference::{ChangedStatement, ScriptDifference, compare_scripts};
pub use eval::{RunOutput, Threads, run_plan, run_plan_with};
pub use explain::StepExplanation;
pub use format::format_script;
pub use plan::ExecutionPlan;

/// Version of the semantics; the meaning of a result changes only together with it.
pub const SEMANTICS_VERSION: u32 = 1;

/// Returns the symbol or reserved word of every VTL operator, then the names of the extensions.
pub fn operator_names() -> impl Iterator<Item = &'static str> {
    keywords::OPERATORS.iter().copied().chain(check::EXTENSIONS)
}

/// Parsed script.
#[derive(Debug, Clone)]
pub struct Script {
    statements: Vec<ast::Statement>,
    definitions: ast::Definitions,
    /// Names of results and definitions that could not be parsed; the checker reports nothing about
    /// them.
    broken: BTreeSet<String>,
}

/// Parses and checks a script, reporting syntax errors and semantic errors together.
/// Statements with syntax errors are left out of the check; statements that depend on them produce no
/// further diagnostics.
/// # Errors
/// The syntax errors, and the diagnostics of [`check()`] for all that could be parsed.
pub fn parse_and_check(
    text: &str,
    inputs: &BTreeMap<String, ComponentList>,
) -> Result<(Script, ExecutionPlan), Vec<Diagnostic>> {
    let (script, mut diagnostics) = Script::read(text);
    let plan = check(&script, inputs);
    match plan {
        Ok(plan) if diagnostics.is_empty() => Ok((script, plan)),
        Ok(_) => Err(diagnostics),
        Err(others) => {
            diagnostics.extend(others);
            diagnostics.sort_by_key(|diagnostic| diagnostic.span);
            diagnostics.truncate(DIAGNOSTICS_MAX);
            Err(diagnostics)
        }
    }
}

impl Script {
    /// Parses a script of at most [`SCRIPT_BYTES_MAX`] bytes.
    /// # Errors
    /// All syntax errors and all refused or unsupported operators, in source order.
    pub fn parse(text: &str) -> Result<Script, Vec<Diagnostic>> {
        match Self::read(text) {
            (script, diagnostics) if diagnostics.is_empty() => Ok(script),
            (_, diagnostics) => Err(diagnostics),
        }
    }

    /// Parses what it can and returns it with the diagnostics for the rest.
    fn read(text: &str) -> (Script, Vec<Diagnostic>) {
        let parser::ParseOutput { statements, definitions, broken, diagnostics } = parser::parse_script(text);
        (Script { statements, definitions, broken }, diagnostics)
    }

    /// Returns the data sets that the script uses and never assigns, in ascending order.
    pub fn inputs(&self) -> Vec<&str> {
        let assigned: BTreeSet<&str> =
            self.statements.iter().map(|statement| statement.target.text.as_str()).collect();
        let used = self
            .statements
            .iter()
            .flat_map(|statement| check::referenced_names(&statement.expr, &self.definitions));
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
    fn nodes(&self) -> u64 {
        // An explicit stack: counts without recursion.
        let mut open: Vec<&ast::Expr> = self.statements.iter().map(|statement| &statement.expr).collect();
        let mut count = 0;
        while let Some(expr) = open.pop() {
            count += 1;
            open.extend(expr.children());
        }
        count
    }
}
