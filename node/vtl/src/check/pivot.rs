//! `unpivot` and `pivot` (reference manual, "Unpivoting", "Pivoting").
//!
//! The values of an identifier name the measures that `pivot` creates. Because structures are known
//! before data, a filter or an `unpivot` must first limit the identifier to a list of values.

use schemas::structure::{Role, ValueType};
use schemas::table::Cell;

use super::component::{constant_expr, widen_to_number};
use super::dataset::is_carried;
use super::{Checker, column_expr, columns_with_role};
use crate::ast::ComponentRef;
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::op::Op;
use crate::plan::{JoinColumn, JoinMode, Operation, PlanColumn, Term, TypedExpr};

impl Checker<'_> {
    /// Checks `unpivot`: one data point for each measure that is not null.
    pub(super) fn check_unpivot(
        &mut self,
        step: usize,
        identifier: &ComponentRef,
        measure: &ComponentRef,
        span: Span,
    ) -> Option<usize> {
        let (identifier, measure) =
            (&self.substitute_component(identifier), &self.substitute_component(measure));
        let columns = self.step_columns(step).to_vec();
        let measures = columns_with_role(&columns, Role::Measure);
        let value_type = self.common_measure_type(&columns, &measures, span)?;
        for component in [identifier, measure] {
            let name = &component.name;
            let taken = |column: &PlanColumn| column.role == Role::Identifier && column.name == name.text;
            if columns.iter().any(taken) || identifier.name.text == measure.name.text {
                let message = format!("the data set already has a component `{}`", name.text);
                return self.report_error(DiagnosticCode::Duplicate, name.span, message);
            }
        }
        let mut parts = Vec::new();
        for at in measures {
            let column = columns.get(at)?;
            let value = column_expr(at, column, span);
            // Reference manual, "Unpivoting": a null measure makes no data point.
            let known = self.apply_operator(Op::IsNull, vec![value.clone()], span)?;
            let known = self.apply_operator(Op::Not, vec![known], span)?;
            let points =
                self.push_step(Operation::Filter { input: step, condition: known }, columns.clone(), span);
            let mut outputs = self.pass_columns(points, is_carried);
            let name = constant_expr(Some(Cell::Text(column.name.clone())), span);
            outputs.push((PlanColumn::new(&identifier.name.text, Role::Identifier, ValueType::String), name));
            outputs.push((
                PlanColumn::new(&measure.name.text, Role::Measure, value_type),
                widen_to_number(value, Some(value_type)),
            ));
            parts.push(self.push_map(points, outputs, span));
        }
        self.push_union(&parts, span)
    }

    /// Returns the common type of all measures.
    fn common_measure_type(
        &mut self,
        columns: &[PlanColumn],
        measures: &[usize],
        span: Span,
    ) -> Option<ValueType> {
        let value_types: Vec<ValueType> =
            measures.iter().filter_map(|at| columns.get(*at)).map(|f| f.value_type).collect();
        match value_types.split_first() {
            Some((first, rest)) if rest.iter().all(|value_type| value_type == first) => Some(*first),
            Some(_)
                if value_types
                    .iter()
                    .all(|value_type| matches!(value_type, ValueType::Integer | ValueType::Number)) =>
            {
                Some(ValueType::Number)
            }
            Some(_) => {
                self.report_error(DiagnosticCode::Type, span, "`unpivot` needs measures of the same type")
            }
            None => self.report_error(
                DiagnosticCode::Structure,
                span,
                "`unpivot` needs a measure, but the data set has none",
            ),
        }
    }

    /// Checks `pivot`: one data point per group of the other identifiers, with a measure for each
    /// value.
    pub(super) fn check_pivot(
        &mut self,
        step: usize,
        identifier: &ComponentRef,
        measure: &ComponentRef,
        span: Span,
    ) -> Option<usize> {
        let columns = self.step_columns(step).to_vec();
        let (key, value) =
            (self.component_position(identifier, &columns)?, self.component_position(measure, &columns)?);
        let (from, of) = (columns.get(key)?, columns.get(value)?);
        if from.role != Role::Identifier || from.value_type != ValueType::String || of.role != Role::Measure {
            let message = "`pivot` needs an identifier of type `string` and a measure";
            return self.report_error(DiagnosticCode::Structure, span, message);
        }
        // Structures are known before data (specs/vtl.md, 5).
        let Some(codes) = self.known_values(step, key) else {
            let name = &from.name;
            let message =
                format!("the values of `{name}` depend on data, so the measures of the result are unknown");
            let hint = format!(
                "limit them first: `DS[filter {name} in {{\"A\", \"B\"}}][pivot {name}, {}]`",
                of.name
            );
            self.diagnostics.push(Diagnostic::new(DiagnosticCode::Structure, span, message).with_hint(hint));
            return None;
        };
        let mut result: Option<usize> = None;
        for code in codes {
            let part = self.push_pivot_value(step, (key, value), &code, &columns, span)?;
            result = Some(match result {
                None => part,
                Some(before) => self.push_full_join(before, part, span),
            });
        }
        result
    }

    /// Adds the data points with one value: the other identifiers, and the measure named by the value.
    fn push_pivot_value(
        &mut self,
        step: usize,
        (key, value): (usize, usize),
        code: &str,
        columns: &[PlanColumn],
        span: Span,
    ) -> Option<usize> {
        let (from, of) = (columns.get(key)?, columns.get(value)?);
        let wanted = constant_expr(Some(Cell::Text(code.to_owned())), span);
        let condition = self.apply_operator(Op::Equal, vec![column_expr(key, from, span), wanted], span)?;
        let points = self.push_step(Operation::Filter { input: step, condition }, columns.to_vec(), span);
        let mut outputs =
            self.pass_columns(points, |column| column.role == Role::Identifier && column.name != from.name);
        outputs.push((PlanColumn::new(code, Role::Measure, of.value_type), column_expr(value, of, span)));
        Some(self.push_map(points, outputs, span))
    }

    /// Adds a full join of two results with the same identifiers.
    fn push_full_join(&mut self, left: usize, right: usize, span: Span) -> usize {
        let (a, b) = (self.step_columns(left).to_vec(), self.step_columns(right).to_vec());
        // INVARIANT: both sides have the same identifiers, which `push_map` puts first.
        let count = columns_with_role(&a, Role::Identifier).len();
        let keys: Vec<(usize, usize)> = (0..count).map(|at| (at, at)).collect();
        let mut outputs: Vec<(JoinColumn, Option<Cell>)> =
            keys.iter().map(|(x, y)| (JoinColumn::Either(*x, *y), None)).collect();
        outputs.extend((count..a.len()).map(|at| (JoinColumn::Left(at), None)));
        outputs.extend((count..b.len()).map(|at| (JoinColumn::Right(at), None)));
        let mut columns = a;
        columns.extend(b.into_iter().skip(count));
        let operation = Operation::Join { left, right, keys, outputs, matching: JoinMode::Full };
        self.push_step(operation, columns, span)
    }

    /// Returns an upper bound of the values of a string column in ascending order, if the plan limits
    /// them.
    fn known_values(&self, step: usize, at: usize) -> Option<Vec<String>> {
        let found = match &self.steps.get(step)?.operation {
            Operation::Filter { input, condition } => {
                values_allowed_by(condition, at).or_else(|| self.known_values(*input, at))?
            }
            Operation::Map { input, outputs } => match &outputs.get(at)?.term {
                Term::Column(source) => self.known_values(*input, *source)?,
                Term::Constant(Some(Cell::Text(text))) => vec![text.clone()],
                _ => return None,
            },
            Operation::Union { inputs } => {
                let all: Option<Vec<Vec<String>>> =
                    inputs.iter().map(|input| self.known_values(*input, at)).collect();
                all?.concat()
            }
            _ => return None,
        };
        let mut found = found;
        // Sorted, so that the order of measures does not depend on how the filter is written.
        found.sort_unstable();
        found.dedup();
        Some(found)
    }
}

/// Returns the values that a condition allows for a column: `= "A"` or `in {"A", "B"}`, combined by
/// `and` and `or`.
fn values_allowed_by(condition: &TypedExpr, at: usize) -> Option<Vec<String>> {
    let Term::Apply(op, operands) = &condition.term else { return None };
    let this = |typed: &TypedExpr| matches!(typed.term, Term::Column(column) if column == at);
    let text = |typed: &TypedExpr| match &typed.term {
        Term::Constant(Some(Cell::Text(text))) => Some(text.clone()),
        _ => None,
    };
    match (op, operands.as_slice()) {
        (Op::Equal | Op::In, [operand, list @ ..]) if this(operand) => list.iter().map(text).collect(),
        (Op::Equal, [value, operand]) if this(operand) => Some(vec![text(value)?]),
        // One side of `and` suffices as an upper bound; `or` needs both.
        (Op::And, [a, b]) => values_allowed_by(a, at).or_else(|| values_allowed_by(b, at)),
        (Op::Or, [a, b]) => Some([values_allowed_by(a, at)?, values_allowed_by(b, at)?].concat()),
        _ => None,
    }
}
