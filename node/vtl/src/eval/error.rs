//! Runtime errors of the evaluator, from the value that failed to the diagnostic for the author.

use crate::decimal128::Error;
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};

/// Why a row has no value.
#[derive(Debug)]
pub(super) struct EvalError {
    pub(super) code: DiagnosticCode,
    pub(super) message: String,
    pub(super) span: Span,
    pub(super) row: usize,
}

impl EvalError {
    pub(super) fn into_diagnostic(self, cell: Option<String>) -> Diagnostic {
        let hint = (self.code == DiagnosticCode::DivisionByZero)
            .then(|| "guard it: `if … <> 0 then … else null`, or filter those data points".to_owned());
        Diagnostic::new(self.code, self.span, self.message).with_optional_hint(hint).at_data_point(cell)
    }
}

/// Code and message.
pub(super) type ValueError = (DiagnosticCode, String);

/// Code and message, and the row.
pub(super) type RowError = ((DiagnosticCode, String), usize);

/// Why a row has no value.
pub(super) type DecimalRowError = (Error, usize);

/// Of two faults that of the row that comes first in canonical order.
pub(super) fn keep_earlier(slot: &mut Option<DecimalRowError>, failed: DecimalRowError) {
    if slot.as_ref().is_none_or(|(_, row)| failed.1 < *row) {
        *slot = Some(failed);
    }
}

pub(super) fn decimal_error(error: Error, name: &str, span: Span, row: usize) -> EvalError {
    let (code, message) = match error {
        Error::DivisionByZero => (DiagnosticCode::DivisionByZero, "division by zero".to_owned()),
        Error::Overflow => (DiagnosticCode::Overflow, format!("`{name}`: {error}")),
        Error::Domain | Error::NotInteger => (DiagnosticCode::Domain, format!("`{name}`: {error}")),
    };
    EvalError { code, message, span, row }
}
