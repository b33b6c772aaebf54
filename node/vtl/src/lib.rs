//! VTL 2.2, the Validation and Transformation Language of the SDMX community, on exact decimals.
//!
//! A script goes from text to tokens to statements ([`Script::parse`]), is checked against the
//! structures of its inputs ([`check()`]), and runs on tables ([`run`]). Same script, same tables,
//! same limits: same result or same diagnostic, on every machine. The normative text is `specs/vtl.md`.
//!
//! The crate stands alone: it knows nothing of ledgers, does no IO, reads no clock, has no
//! randomness and no floating point. It refuses by name what VTL has of these.

mod ast;
mod budget;
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
mod plan;

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

/// The version of the semantics: what a result means may change only together with it.
pub const SEMANTICS_VERSION: u32 = 1;

/// Every operator of VTL, by the symbol or reserved word that stands for it, and the extensions.
pub fn operator_names() -> impl Iterator<Item = &'static str> {
    keywords::OPERATORS.iter().copied().chain(check::EXTENSIONS)
}

/// A script whose syntax is right.
#[derive(Debug, Clone)]
pub struct Script {
    statements: Vec<ast::Statement>,
    definitions: ast::Definitions,
    /// Names of what could not be read, when diagnostics of the rest are looked for.
    broken: BTreeSet<String>,
}

/// Reads and checks a script in one go, for those who want every diagnostic at once: what has a diagnostic of
/// syntax is left out of the check, and what depends on it is left out in silence.
///
/// # Errors
/// The diagnostics of syntax, and those of [`check()`] in all that could be read.
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
    /// Reads a script of at most [`SCRIPT_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// Every diagnostic of syntax, and every operator that is refused or not supported yet, in the order
    /// of their places.
    pub fn parse(text: &str) -> Result<Script, Vec<Diagnostic>> {
        match Self::read(text) {
            (script, diagnostics) if diagnostics.is_empty() => Ok(script),
            (_, diagnostics) => Err(diagnostics),
        }
    }

    /// What could be read, and the diagnostics of the rest.
    fn read(text: &str) -> (Script, Vec<Diagnostic>) {
        let parser::ParseOutput { statements, definitions, broken, diagnostics } = parser::parse_script(text);
        (Script { statements, definitions, broken }, diagnostics)
    }

    /// The data sets that the script uses and never assigns, in ascending order.
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

    /// The persistent results (`<-`) in the order of the script.
    pub fn outputs(&self) -> Vec<&str> {
        let persistent = self.statements.iter().filter(|statement| statement.persistent);
        persistent.map(|statement| statement.target.text.as_str()).collect()
    }

    /// Nodes of all expressions: part of the cost of a run.
    fn nodes(&self) -> u64 {
        let mut open: Vec<&ast::Expr> = self.statements.iter().map(|statement| &statement.expr).collect();
        let mut count = 0;
        while let Some(expr) = open.pop() {
            count += 1;
            open.extend(expr.children());
        }
        count
    }
}
