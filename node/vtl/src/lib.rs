//! Engine for VTL 2.2, the Validation and Transformation Language of SDMX, on exact decimals.
//!
//! A script is parsed ([`Script::parse`]), checked against the structures of its inputs ([`check()`])
//! and run on tables ([`run_plan`]). The same script, tables and limits give the same result or the same
//! diagnostic on every machine, within the ceilings of that machine ([`RunCeilings`]). The normative text is `specs/vtl.md`.
//!
//! Of the workspace the crate depends on `schemas` only and knows nothing of ledgers. It does no IO and uses no clock,
//! no randomness and no floating point; operators of VTL that need these are refused by name.

mod ast;
mod budget;
mod cast_mask;
mod ceilings;
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
mod script;
mod time_unit;

use std::collections::BTreeMap;

use schemas::structure::ComponentList;

pub use ast::{DEPTH_MAX, SCRIPT_BYTES_MAX};
pub use budget::RunLimits;
pub use ceilings::RunCeilings;
pub use check::{DIAGNOSTICS_MAX, check};
pub use diagnostic::{Diagnostic, DiagnosticCode, Span, render_diagnostic};
pub use difference::{ChangedStatement, ScriptDifference, compare_scripts};
pub use eval::{RunOutput, Threads, run_plan, run_plan_with};
pub use explain::StepExplanation;
pub use format::format_script;
pub use plan::ExecutionPlan;
pub use script::Script;

/// Version of the semantics; the meaning of a result changes only together with it.
pub const SEMANTICS_VERSION: u32 = 1;

/// Returns the symbol or reserved word of every VTL operator, then the names of the extensions.
pub fn operator_names() -> impl Iterator<Item = &'static str> {
    keywords::OPERATORS.iter().copied().chain(check::EXTENSIONS)
}

/// Parses and checks a script, reporting syntax errors and semantic errors together.
///
/// Statements with syntax errors are left out of the check; statements that depend on them produce no
/// further diagnostics.
///
/// # Errors
/// The syntax errors, and the diagnostics of [`check()`] for all that could be parsed.
pub fn parse_and_check(
    text: &str,
    inputs: &BTreeMap<String, ComponentList>,
) -> Result<(Script, ExecutionPlan), Vec<Diagnostic>> {
    let (script, mut diagnostics) = Script::parse_partial(text);
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
