//! Time operators: types of the row-wise ones, and operators on the time identifier of a data set.

use schemas::structure::{Role, ValueType};

use super::component::widen_to_number;
use super::dataset::is_carried;
use super::typing::{ExprType, TypeMismatch, describe_type, expect_all, expect_operand};
use super::{Checker, ExprValue, column_expr};
use crate::ast::{Expr, SeriesOp};
use crate::diagnostic::{DiagnosticCode, Span};
use crate::op::{Op, TimeOp, default_measure_name};
use crate::plan::{Operation, PlanColumn, TypedExpr};

/// Returns the result type of a row-wise time operator.
pub(super) fn time_result_type(op: TimeOp, value_types: &[ExprType]) -> Result<ExprType, TypeMismatch> {
    let day = |value_type| matches!(value_type, ValueType::TimePeriod | ValueType::Date);
    let timely = |value_type| matches!(value_type, ValueType::TimePeriod | ValueType::Date | ValueType::Time);
    match op {
        TimeOp::Indicator => {
            expect_all(value_types, |value_type| value_type == ValueType::TimePeriod, "a `time_period`")?
        }
        TimeOp::DayOfMonth | TimeOp::DayOfYear | TimeOp::Difference => {
            expect_all(value_types, day, "a time period or a date")?;
        }
        TimeOp::Add => {
            expect_operand(value_types, 0, day, "a time period or a date")?;
            expect_operand(value_types, 1, |value_type| value_type == ValueType::Integer, "an integer")?;
            expect_operand(
                value_types,
                2,
                |value_type| matches!(value_type, ValueType::String | ValueType::Duration),
                "a duration",
            )?;
        }
        TimeOp::DaysToYear | TimeOp::DaysToMonth => {
            expect_all(value_types, |value_type| value_type == ValueType::Integer, "an integer")?;
        }
        TimeOp::YearToDays | TimeOp::MonthToDays => {
            expect_all(value_types, |value_type| value_type == ValueType::Duration, "a `duration`")?;
        }
        TimeOp::Aggregate(convert) if convert.end.is_some() => {
            expect_all(
                value_types,
                |value_type| value_type == ValueType::Date,
                "a `date`, as `first` and `last` require",
            )?;
        }
        TimeOp::Aggregate(_) => expect_all(value_types, timely, "a time period, a date or a time")?,
    }
    Ok(match op {
        TimeOp::Indicator | TimeOp::DaysToYear | TimeOp::DaysToMonth => Some(ValueType::Duration),
        TimeOp::Add => Some(ValueType::Date),
        TimeOp::Aggregate(_) => value_types.first().copied().flatten(),
        _ => Some(ValueType::Integer),
    })
}

/// Returns the position of the only time identifier, or the reason why there is none.
pub(super) fn time_reference(columns: &[PlanColumn]) -> Result<usize, &'static str> {
    let timely = |column: &PlanColumn| {
        let value_type =
            matches!(column.value_type, ValueType::TimePeriod | ValueType::Date | ValueType::Time);
        value_type && column.role == Role::Identifier
    };
    let mut found = columns.iter().enumerate().filter(|(_, column)| timely(column)).map(|(at, _)| at);
    match (found.next(), found.next()) {
        (Some(at), None) => Ok(at),
        (None, _) => Err("the data set has no identifier of type `time_period`, `date` or `time`"),
        _ => Err("the data set has more than one identifier of type `time_period`, `date` or `time`"),
    }
}

impl Checker<'_> {
    /// Returns the time identifier of a data set, or reports why there is none.
    fn time_column(&mut self, columns: &[PlanColumn], span: Span) -> Option<usize> {
        match time_reference(columns) {
            Ok(at) => Some(at),
            Err(reason) => self.report_error(DiagnosticCode::Structure, span, reason),
        }
    }

    /// Checks `period_indicator()` in a clause, which applies to the only identifier of type
    /// `time_period`.
    pub(super) fn indicator_of_identifier(
        &mut self,
        columns: &[PlanColumn],
        span: Span,
    ) -> Option<TypedExpr> {
        let at = self.period_column(columns, span)?;
        let operand = column_expr(at, columns.get(at)?, span);
        self.apply_operator(Op::Time(TimeOp::Indicator), vec![operand], span)
    }

    fn period_column(&mut self, columns: &[PlanColumn], span: Span) -> Option<usize> {
        let fits = |column: &PlanColumn| {
            column.role == Role::Identifier && column.value_type == ValueType::TimePeriod
        };
        let mut found = columns.iter().enumerate().filter(|(_, column)| fits(column)).map(|(at, _)| at);
        match (found.next(), found.next()) {
            (Some(at), None) => Some(at),
            _ => {
                let message = "`period_indicator` needs exactly one identifier of type `time_period`";
                self.report_error(DiagnosticCode::Structure, span, message)
            }
        }
    }

    /// Checks a time operator on a data set, which applies to the time identifier and not to measures.
    pub(super) fn check_time_operator(
        &mut self,
        op: TimeOp,
        step: usize,
        values: &[ExprValue],
        span: Span,
    ) -> Option<usize> {
        let columns = self.step_columns(step).to_vec();
        if op == TimeOp::Indicator {
            let typed = self.indicator_of_identifier(&columns, span)?;
            let mut outputs = self.pass_columns(step, is_carried);
            let name = default_measure_name(ValueType::Duration);
            let column = PlanColumn::measure(name, ValueType::Duration);
            outputs.push((column, typed));
            return Some(self.push_map(step, outputs, span));
        }
        let at = self.time_column(&columns, span)?;
        let operands = values.iter().map(|value| match value {
            ExprValue::Data(_) => columns.get(at).map(|column| column_expr(at, column, span)),
            ExprValue::Scalar(typed) => Some(typed.clone()),
        });
        let operands: Option<Vec<TypedExpr>> = operands.collect();
        let value = self.apply_operator(Op::Time(op), operands?, span)?;
        let mut columns = columns;
        columns.get_mut(at)?.value_type = value.value_type?;
        // The identifier moves: the run restores canonical order and reports data points of equal keys.
        Some(self.push_step(Operation::Rekey { input: step, column: at, value }, columns, span))
    }

    /// Checks `fill_time_series`, `flow_to_stock` or `stock_to_flow`.
    pub(super) fn check_series_operator(
        &mut self,
        op: SeriesOp,
        operand: &Expr,
        span: Span,
    ) -> Option<usize> {
        let step = self.check_dataset(operand)?;
        let columns = self.step_columns(step).to_vec();
        let time = self.time_column(&columns, operand.span)?;
        let time_type = columns.get(time)?.value_type;
        if !op.fills() {
            let measures: Vec<&PlanColumn> =
                columns.iter().filter(|column| column.role == Role::Measure).collect();
            let numeric =
                |column: &&PlanColumn| matches!(column.value_type, ValueType::Integer | ValueType::Number);
            if let Some(other) = measures.iter().find(|column| !numeric(column)) {
                let message = format!(
                    "`{}` expected a number, found {}",
                    op.name(),
                    describe_type(Some(other.value_type))
                );
                return self.report_error(DiagnosticCode::Type, operand.span, message);
            }
            if measures.is_empty() {
                let message = format!("`{}` needs a measure, but the data set has none", op.name());
                return self.report_error(DiagnosticCode::Structure, operand.span, message);
            }
        }
        Some(self.push_step(Operation::Series { input: step, time, time_type, op }, columns, span))
    }

    /// Checks `timeshift`, which moves the values of the time identifier.
    pub(super) fn check_timeshift(&mut self, operand: &Expr, count: &Expr, span: Span) -> Option<ExprValue> {
        let step = self.check_dataset(operand);
        let count = self.check_shift_count(count);
        // Both are checked before either ends the check, so that errors of both are reported.
        let (step, count) = (step?, count?);
        let columns = self.step_columns(step).to_vec();
        let column = self.time_column(&columns, operand.span)?;
        Some(ExprValue::Data(self.push_step(Operation::Shift { input: step, column, count }, columns, span)))
    }

    /// Checks the number of periods of a shift: an integer scalar.
    fn check_shift_count(&mut self, count: &Expr) -> Option<TypedExpr> {
        match self.check_expr(count)? {
            ExprValue::Scalar(typed) if typed.value_type == Some(ValueType::Integer) => {
                Some(widen_to_number(typed, Some(ValueType::Integer)))
            }
            ExprValue::Scalar(typed) => {
                let message =
                    format!("`timeshift` expected an integer, found {}", describe_type(typed.value_type));
                self.report_error(DiagnosticCode::Type, count.span, message)
            }
            ExprValue::Data(_) => self.report_error(
                DiagnosticCode::Type,
                count.span,
                "`timeshift` expected an integer, found a data set",
            ),
        }
    }
}
