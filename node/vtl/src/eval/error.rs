//! Runtime errors of the evaluator, from the value that failed to the diagnostic for the author.

use crate::ceilings::CeilingExceeded;
use crate::decimal128::Error;
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};

/// Runtime error of an expression at one row of its operand.
#[derive(Debug)]
pub(super) struct EvalError {
    pub(super) code: DiagnosticCode,
    pub(super) message: String,
    pub(super) span: Span,
    pub(super) row: usize,
}

impl EvalError {
    /// Converts to a diagnostic at the data point `cell`.
    pub(super) fn into_diagnostic(self, cell: Option<String>) -> Diagnostic {
        let hint = (self.code == DiagnosticCode::DivisionByZero)
            .then(|| "guard it: `if … <> 0 then … else null`, or filter those data points".to_owned());
        Diagnostic::new(self.code, self.span, self.message).with_optional_hint(hint).at_data_point(cell)
    }
}

impl From<CeilingExceeded> for EvalError {
    /// A placeholder: the run ends with the diagnostic of its guard.
    fn from(CeilingExceeded: CeilingExceeded) -> Self {
        let message = "the run is beyond a ceiling".to_owned();
        Self { code: DiagnosticCode::CeilingBytes, message, span: Span::default(), row: usize::MAX }
    }
}

impl From<CeilingExceeded> for Diagnostic {
    /// A placeholder: the run ends with the diagnostic of its guard.
    fn from(exceeded: CeilingExceeded) -> Self {
        EvalError::from(exceeded).into_diagnostic(None)
    }
}

/// Error of one value: code and message.
pub(super) type ValueError = (DiagnosticCode, String);

/// Error of a value and its row.
pub(super) type RowError = (ValueError, usize);

/// Arithmetic error and its row.
pub(super) type DecimalRowError = (Error, usize);

/// Keeps the error of the earlier row, so that the reported error does not depend on the order of
/// evaluation.
pub(super) fn keep_earlier(slot: &mut Option<DecimalRowError>, error: DecimalRowError) {
    if slot.as_ref().is_none_or(|(_, row)| error.1 < *row) {
        *slot = Some(error);
    }
}

/// Converts an arithmetic error of the operator `name`.
/// Converts an arithmetic error of the operator `name`.
pub(super) fn decimal_error(error: Error, name: &str, span: Span, row: usize) -> EvalError {
    let (code, message) = match error {
        Error::DivisionByZero => (DiagnosticCode::DivisionByZero, "division by zero".to_owned()),
        Error::Overflow => (DiagnosticCode::Overflow, format!("`{name}`: {error}")),
        Error::Domain | Error::NotInteger => (DiagnosticCode::Domain, format!("`{name}`: {error}")),
    };
    EvalError { code, message, span, row }
}
