//! Extensions of VTL (`specs/vtl.md`, "Extensions"). The grammar parses them as calls of user-defined
//! operators; a definition of the same name takes precedence.

use schemas::structure::ValueType;

use super::component::widen_to_number;
use super::typing::describe_type;
use super::{Checker, ExprValue};
use crate::ast::{Expr, Ident};
use crate::diagnostic::{DiagnosticCode, Span};
use crate::op::AnalyticOp;
use crate::plan::TypedExpr;

/// Names of the extensions.
pub(crate) const EXTENSIONS: [&str; 2] = ["chain_product", "ewma"];

impl Checker<'_> {
    /// Checks `ewma(data set, weight)` or `chain_product(data set)`.
    pub(super) fn check_extension(
        &mut self,
        name: &Ident,
        arguments: &[Expr],
        span: Span,
    ) -> Option<ExprValue> {
        let op = if name.text == "ewma" { AnalyticOp::Ewma } else { AnalyticOp::Product };
        let wanted = if op == AnalyticOp::Ewma { 2 } else { 1 };
        if arguments.len() != wanted {
            let message = format!("`{}` takes {wanted} operands, found {}", name.text, arguments.len());
            return self.report_error(DiagnosticCode::Syntax, span, message);
        }
        let step = self.check_dataset(arguments.first()?);
        let weight = match arguments.get(1) {
            Some(weight) => Some(self.check_weight(weight)?),
            None => None,
        };
        self.push_series_window(op, step?, weight, span).map(ExprValue::Data)
    }

    fn check_weight(&mut self, expr: &Expr) -> Option<TypedExpr> {
        match self.check_expr(expr)? {
            ExprValue::Scalar(typed)
                if matches!(typed.value_type, Some(ValueType::Integer | ValueType::Number)) =>
            {
                Some(widen_to_number(typed, Some(ValueType::Number)))
            }
            ExprValue::Scalar(typed) => {
                let message =
                    format!("the weight of `ewma` is a number, found {}", describe_type(typed.value_type));
                self.report_error(DiagnosticCode::Type, expr.span, message)
            }
            ExprValue::Data(_) => self.report_error(
                DiagnosticCode::Type,
                expr.span,
                "the weight of `ewma` is a number, found a data set",
            ),
        }
    }
}
