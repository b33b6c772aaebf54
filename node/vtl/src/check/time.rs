//! Operators on time: the types of row-wise ones, and those that work on the time identifier of a
//! data set.

use schemas::structure::{Role, Type};

use super::component::widen;
use super::dataset::carried;
use super::typing::{Kind, Misfit, at, each, found};
use super::{Checker, Value, column};
use crate::ast::{Expr, Series};
use crate::fault::{Code, Span};
use crate::op::{Op, Time, default_name};
use crate::plan::{Field, Operation, Typed};

/// The type that an operator on values of time gives.
pub(super) fn result(op: Time, kinds: &[Kind]) -> Result<Kind, Misfit> {
    let day = |kind| matches!(kind, Type::TimePeriod | Type::Date);
    let timely = |kind| matches!(kind, Type::TimePeriod | Type::Date | Type::Time);
    match op {
        Time::Indicator => each(kinds, |kind| kind == Type::TimePeriod, "a `time_period`")?,
        Time::DayOfMonth | Time::DayOfYear | Time::Difference => {
            each(kinds, day, "a time period or a date")?;
        }
        Time::Add => {
            at(kinds, 0, day, "a time period or a date")?;
            at(kinds, 1, |kind| kind == Type::Integer, "an integer")?;
            at(kinds, 2, |kind| matches!(kind, Type::String | Type::Duration), "a duration")?;
        }
        Time::DaysToYear | Time::DaysToMonth => {
            each(kinds, |kind| kind == Type::Integer, "an integer")?;
        }
        Time::YearToDays | Time::MonthToDays => {
            each(kinds, |kind| kind == Type::Duration, "a `duration`")?;
        }
        Time::Aggregate(convert) if convert.end.is_some() => {
            each(kinds, |kind| kind == Type::Date, "a `date`, which `first` and `last` are for")?;
        }
        Time::Aggregate(_) => each(kinds, timely, "a time period, a date or a time")?,
    }
    Ok(match op {
        Time::Indicator | Time::DaysToYear | Time::DaysToMonth => Some(Type::Duration),
        Time::Add => Some(Type::Date),
        Time::Aggregate(_) => kinds.first().copied().flatten(),
        _ => Some(Type::Integer),
    })
}

/// The single identifier of a type of time, or why there is none.
pub(super) fn reference(fields: &[Field]) -> Result<usize, &'static str> {
    let timely = |field: &Field| {
        let kind = matches!(field.kind, Type::TimePeriod | Type::Date | Type::Time);
        kind && field.role == Role::Identifier
    };
    let mut found = fields.iter().enumerate().filter(|(_, field)| timely(field)).map(|(at, _)| at);
    match (found.next(), found.next()) {
        (Some(at), None) => Ok(at),
        (None, _) => Err("the data set has no identifier of type `time_period`, `date` or `time`"),
        _ => Err("the data set has more than one identifier of type `time_period`, `date` or `time`"),
    }
}

impl Checker<'_> {
    /// The time identifier of a data set.
    fn clock(&mut self, fields: &[Field], span: Span) -> Option<usize> {
        match reference(fields) {
            Ok(at) => Some(at),
            Err(reason) => self.fault(Code::Structure, span, reason),
        }
    }

    /// `period_indicator()` in a clause: of the one identifier that is a `time_period`.
    pub(super) fn own_indicator(&mut self, fields: &[Field], span: Span) -> Option<Typed> {
        let at = self.periods(fields, span)?;
        let operand = column(at, fields.get(at)?, span);
        self.apply(Op::Time(Time::Indicator), vec![operand], span)
    }

    fn periods(&mut self, fields: &[Field], span: Span) -> Option<usize> {
        let fits = |field: &Field| field.role == Role::Identifier && field.kind == Type::TimePeriod;
        let mut found = fields.iter().enumerate().filter(|(_, field)| fits(field)).map(|(at, _)| at);
        match (found.next(), found.next()) {
            (Some(at), None) => Some(at),
            _ => {
                let message = "`period_indicator` needs one identifier of type `time_period`";
                self.fault(Code::Structure, span, message)
            }
        }
    }

    /// Operators on a whole data set that work on its time identifier, not on its measures.
    pub(super) fn timely(&mut self, op: Time, step: usize, values: &[Value], span: Span) -> Option<usize> {
        let fields = self.fields(step).to_vec();
        if op == Time::Indicator {
            let typed = self.own_indicator(&fields, span)?;
            let mut columns = self.pass(step, carried);
            let name = default_name(Type::Duration).to_owned();
            let field = Field { name, role: Role::Measure, kind: Type::Duration, from: Vec::new() };
            columns.push((field, typed));
            return Some(self.map(step, columns, span));
        }
        let at = self.clock(&fields, span)?;
        let operands = values.iter().map(|value| match value {
            Value::Data(_) => fields.get(at).map(|field| column(at, field, span)),
            Value::Scalar(typed) => Some(typed.clone()),
        });
        let operands: Option<Vec<Typed>> = operands.collect();
        let value = self.apply(Op::Time(op), operands?, span)?;
        let mut fields = fields;
        fields.get_mut(at)?.kind = value.kind?;
        Some(self.push(Operation::Rekey { input: step, column: at, value }, fields, span))
    }

    /// `fill_time_series`, `flow_to_stock`, `stock_to_flow`: along the time of each series.
    pub(super) fn along(&mut self, op: Series, operand: &Expr, span: Span) -> Option<usize> {
        let step = self.data(operand)?;
        let fields = self.fields(step).to_vec();
        let time = self.clock(&fields, operand.span)?;
        let kind = fields.get(time)?.kind;
        if !op.fills() {
            let measures: Vec<&Field> = fields.iter().filter(|field| field.role == Role::Measure).collect();
            let numeric = |field: &&Field| matches!(field.kind, Type::Integer | Type::Number);
            if let Some(other) = measures.iter().find(|field| !numeric(field)) {
                let message = format!("`{}` expected a number, found {}", op.name(), found(Some(other.kind)));
                return self.fault(Code::Type, operand.span, message);
            }
            if measures.is_empty() {
                let message = format!("`{}` needs a measure, the data set has none", op.name());
                return self.fault(Code::Structure, operand.span, message);
            }
        }
        Some(self.push(Operation::Series { input: step, time, kind, op }, fields, span))
    }

    /// `timeshift` moves the values of the single time identifier.
    pub(super) fn shift(&mut self, operand: &Expr, count: &Expr, span: Span) -> Option<Value> {
        let step = self.data(operand);
        let count = self.count(count);
        let (step, count) = (step?, count?);
        let fields = self.fields(step).to_vec();
        let column = self.clock(&fields, operand.span)?;
        Some(Value::Data(self.push(Operation::Shift { input: step, column, count }, fields, span)))
    }

    /// The number of periods of a shift: a scalar integer.
    fn count(&mut self, count: &Expr) -> Option<Typed> {
        match self.expr(count)? {
            Value::Scalar(typed) if typed.kind == Some(Type::Integer) => {
                Some(widen(typed, Some(Type::Integer)))
            }
            Value::Scalar(typed) => {
                let message = format!("`timeshift` expected an integer, found {}", found(typed.kind));
                self.fault(Code::Type, count.span, message)
            }
            Value::Data(_) => {
                self.fault(Code::Type, count.span, "`timeshift` expected an integer, found a data set")
            }
        }
    }
}
