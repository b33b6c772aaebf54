//! The extensions of this engine (`specs/vtl.md`, "Extensions"): operators called by name, which the
//! grammar of VTL reads as calls. An operator that the script defines under such a name goes first.

use schemas::structure::Type;

use super::component::widen;
use super::typing::found;
use super::{Checker, Value};
use crate::ast::{Expr, Ident};
use crate::fault::{Code, Span};
use crate::op::Analytic;
use crate::plan::Typed;

/// The names of the extensions.
pub(crate) const NAMES: [&str; 2] = ["chain_product", "ewma"];

impl Checker<'_> {
    /// `ewma(data set, weight)` or `chain_product(data set)`.
    pub(super) fn extension(&mut self, name: &Ident, arguments: &[Expr], span: Span) -> Option<Value> {
        let op = if name.text == "ewma" { Analytic::Ewma } else { Analytic::Product };
        let wanted = if op == Analytic::Ewma { 2 } else { 1 };
        if arguments.len() != wanted {
            let message = format!("`{}` takes {wanted} operands, found {}", name.text, arguments.len());
            return self.fault(Code::Syntax, span, message);
        }
        let step = self.data(arguments.first()?);
        let weight = match arguments.get(1) {
            Some(weight) => Some(self.weight(weight)?),
            None => None,
        };
        self.series(op, step?, weight, span).map(Value::Data)
    }

    fn weight(&mut self, expr: &Expr) -> Option<Typed> {
        match self.expr(expr)? {
            Value::Scalar(typed) if matches!(typed.kind, Some(Type::Integer | Type::Number)) => {
                Some(widen(typed, Some(Type::Number)))
            }
            Value::Scalar(typed) => {
                let message = format!("the weight of `ewma` is a number, found {}", found(typed.kind));
                self.fault(Code::Type, expr.span, message)
            }
            Value::Data(_) => {
                self.fault(Code::Type, expr.span, "the weight of `ewma` is a number, found a data set")
            }
        }
    }
}
