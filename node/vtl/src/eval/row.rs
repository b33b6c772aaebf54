//! Row-wise operators over columns (reference manual, "Numeric", "Comparison", "Boolean",
//! "Conditional", "String" operators).
//!
//! Null in, null out, but for the boolean operators, `if`, `nvl`, `isnull` and `||`. The branches of
//! `if` are evaluated only for the rows that take them, so `if` guards a division.

use std::cell::RefCell;
use std::cmp::Ordering;

use schemas::decimal::Decimal;
use schemas::duration::Duration;
use schemas::limits::CELL_BYTES_MAX;
use schemas::structure::Type;
use schemas::table::{Column, Texts};

use super::Value;
use super::cast::{Failed, cast};
use super::column::{Col, Numbers, Values, View};
use super::text::text;
use super::threads::{Threads, fill};
use super::time::time;
use super::window::window;
use crate::decimal128::{self as decimal, Error};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::op::Op;
use crate::plan::{Term, TypedExpr};

/// Why a row has no value.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) code: DiagnosticCode,
    pub(super) message: String,
    pub(super) span: Span,
    pub(super) row: usize,
}

impl Trouble {
    pub(super) fn fault(self, cell: Option<String>) -> Diagnostic {
        let hint = (self.code == DiagnosticCode::DivisionByZero)
            .then(|| "guard it: `if … <> 0 then … else null`, or filter those data points".to_owned());
        Diagnostic::new(self.code, self.span, self.message).with_optional_hint(hint).at_data_point(cell)
    }
}

/// The rows that an expression is evaluated over.
pub(super) struct Rows<'a> {
    pub(super) columns: &'a [Col],
    pub(super) rows: usize,
    pub(super) values: &'a [Option<Value>],
    /// Columns that are read once and by nobody else: they may be written over.
    pub(super) spare: RefCell<Vec<Option<Col>>>,
    pub(super) threads: Threads,
}

/// Rows that are evaluated; the others become null.
pub(super) type Mask<'m> = Option<&'m [bool]>;

impl<'a> Rows<'a> {
    /// One row without columns, over which a scalar is evaluated.
    pub(super) fn single(values: &'a [Option<Value>]) -> Self {
        Self { columns: &[], rows: 1, values, spare: RefCell::default(), threads: Threads::ONE }
    }

    pub(super) fn eval(&self, typed: &TypedExpr, mask: Mask<'_>) -> Result<Values, Trouble> {
        match &typed.term {
            Term::Column(at) => {
                let spare = self.spare.borrow_mut().get_mut(*at).and_then(Option::take);
                let column = spare.or_else(|| self.columns.get(*at).cloned());
                Ok(column.map_or(Values::Constant(None), Values::Column))
            }
            Term::Constant(cell) => Ok(Values::Constant(cell.clone())),
            Term::Scalar(step) => match self.values.get(*step) {
                Some(Some(Value::Scalar(cell))) => Ok(Values::Constant(cell.clone())),
                _ => Ok(Values::Constant(None)),
            },
            Term::Apply(Op::If, operands) => self.branch(typed, operands, mask),
            Term::Apply(op, operands) => {
                let values: Result<Vec<Values>, Trouble> =
                    operands.iter().map(|operand| self.eval(operand, mask)).collect();
                self.apply(*op, typed, values?, operands, mask)
            }
            Term::Window(frame) => {
                window(self, frame, typed.span).map(|column| Values::Column(Col::own(column)))
            }
        }
    }

    /// The first row that is evaluated.
    fn first(&self, mask: Mask<'_>) -> Option<usize> {
        match mask {
            None => (self.rows > 0).then_some(0),
            Some(mask) => mask.iter().position(|taken| *taken),
        }
    }

    /// `if`: each branch only for its rows.
    fn branch(&self, typed: &TypedExpr, operands: &[TypedExpr], mask: Mask<'_>) -> Result<Values, Trouble> {
        let [condition, then, other] = operands else { return Ok(Values::Constant(None)) };
        let condition = self.eval(condition, mask)?;
        let within = |row: usize| mask.is_none_or(|mask| mask.get(row).copied().unwrap_or(false));
        let yes: Vec<bool> = (0..self.rows).map(|row| within(row) && condition.truth(row)).collect();
        let no: Vec<bool> = (0..self.rows).map(|row| within(row) && !condition.truth(row)).collect();
        let then = self.eval(then, Some(&yes))?;
        let other = self.eval(other, Some(&no))?;
        let pick = |row: usize| if yes.get(row).copied().unwrap_or(false) { &then } else { &other };
        Ok(self.choose(typed.value_type, mask, pick))
    }

    /// A column whose value for each row comes from one of several values of one type.
    pub(super) fn choose<'v>(
        &self,
        kind: Option<Type>,
        mask: Mask<'_>,
        pick: impl Fn(usize) -> &'v Values,
    ) -> Values {
        let taken = |row: usize| mask.is_none_or(|mask| mask.get(row).copied().unwrap_or(false));
        let rows = (0..self.rows).map(|row| taken(row).then(|| pick(row)));
        let column = match kind {
            None => return Values::Constant(None),
            Some(Type::Number) => {
                Column::Number(rows.enumerate().map(|(row, v)| v.and_then(|v| v.numbers().at(row))).collect())
            }
            Some(Type::Integer) => Column::Integer(
                rows.enumerate().map(|(row, v)| v.and_then(|v| v.integers().at(row))).collect(),
            ),
            Some(Type::Boolean) => Column::Boolean(
                rows.enumerate().map(|(row, v)| v.and_then(|v| v.booleans().at(row))).collect(),
            ),
            Some(Type::TimePeriod | Type::Date) => {
                Column::Period(rows.enumerate().map(|(row, v)| v.and_then(|v| v.periods().at(row))).collect())
            }
            Some(Type::String | Type::Time | Type::Duration) => Column::Text(Texts::from_rows(
                rows.enumerate().map(|(row, v)| v.and_then(|v| v.strings().at(row))),
            )),
        };
        Values::Column(Col::own(column))
    }

    fn apply(
        &self,
        op: Op,
        typed: &TypedExpr,
        values: Vec<Values>,
        operands: &[TypedExpr],
        mask: Mask<'_>,
    ) -> Result<Values, Trouble> {
        let Some(first) = self.first(mask) else { return Ok(Values::Constant(None)) };
        let constant = values.iter().all(|value| matches!(value, Values::Constant(_)));
        // Constants alone give one value for all rows.
        let (rows, mask) = if constant { (1, None) } else { (self.rows, mask) };
        let kinds = operands.iter().map(|operand| operand.value_type).collect::<Vec<_>>();
        let scope = Scope {
            rows,
            mask,
            op,
            span: typed.span,
            kind: typed.value_type,
            kinds: &kinds,
            threads: self.threads,
        };
        let column = scope.compute(values).map_err(|mut trouble| {
            if constant {
                trouble.row = first;
            }
            trouble
        })?;
        Ok(if constant { Values::Constant(column.cell(0)) } else { Values::Column(Col::own(column)) })
    }
}

/// One operator over the values of its operands.
struct Scope<'a> {
    rows: usize,
    mask: Mask<'a>,
    op: Op,
    span: Span,
    kind: Option<Type>,
    kinds: &'a [Option<Type>],
    threads: Threads,
}

impl Scope<'_> {
    fn compute(&self, values: Vec<Values>) -> Result<Column, Trouble> {
        match (self.op, values.as_slice()) {
            (Op::IsNull, [a]) => self.booleans(|row| Ok(Some(a.is_null(row)))),
            (Op::Not, [a]) => {
                let a = a.booleans();
                self.booleans(|row| Ok(a.at(row).map(|a| !a)))
            }
            (Op::And | Op::Or | Op::Xor, [a, b]) => {
                let (a, b) = (a.booleans(), b.booleans());
                self.booleans(|row| Ok(logic(self.op, a.at(row), b.at(row))))
            }
            (Op::Nvl, [a, b]) => Ok(self.chosen(|row| if a.is_null(row) { b } else { a })),
            (Op::Limit(nullable), [a, fits]) => self.limited(a, fits, nullable),
            (Op::Concat, [a, b]) => self.concat(a, b),
            (Op::Year | Op::Month, [a]) => self.calendar(a),
            (Op::Cast(to), [a, mask @ ..]) => {
                let mask = mask.first().and_then(|mask| mask.strings().at(0));
                let from = self.kinds.first().copied().flatten();
                self.sound(cast(a, (from, to), mask, self.rows, self.mask))
            }
            (Op::Text(op), values) => self.sound(text(op, values, self.rows, self.mask)),
            (Op::Time(op), values) => {
                let from = self.kinds.first().copied().flatten();
                self.sound(time(op, values, from, self.kind, self.rows, self.mask))
            }
            (
                Op::Equal | Op::NotEqual | Op::Less | Op::LessEqual | Op::Greater | Op::GreaterEqual,
                [a, b],
            ) => {
                let compare = self.comparison(a, b);
                self.booleans(|row| self.related(self.op, compare(row)))
            }
            (Op::Between, [a, low, high]) => self.between(a, low, high),
            (Op::In | Op::NotIn, [a, list @ ..]) => self.element(a, list),
            _ => self.arithmetic(values),
        }
    }

    fn sound(&self, column: Result<Column, Failed>) -> Result<Column, Trouble> {
        let span = self.span;
        column.map_err(|((code, message), row)| Trouble { code, message, span, row })
    }

    fn taken(&self, row: usize) -> bool {
        self.mask.is_none_or(|mask| mask.get(row).copied().unwrap_or(false))
    }

    /// One value a row that is evaluated.
    fn each<T: Copy + Send>(
        &self,
        value: impl Fn(usize) -> Result<Option<T>, Error> + Sync,
    ) -> Result<Vec<Option<T>>, Trouble> {
        self.over(vec![None; self.rows], |row, _| value(row))
    }

    /// A new value for each row that is evaluated, from its old one.
    fn over<T: Copy + Send>(
        &self,
        mut rows: Vec<Option<T>>,
        value: impl Fn(usize, Option<T>) -> Result<Option<T>, Error> + Sync,
    ) -> Result<Vec<Option<T>>, Trouble> {
        let renew = |row: usize, slot: &mut Option<T>| {
            *slot = if self.taken(row) { value(row, *slot).map_err(|error| (error, row))? } else { None };
            Ok(())
        };
        fill(self.threads, &mut rows, renew)
            .map_err(|(error, row)| trouble(error, self.op.name(), self.span, row))?;
        Ok(rows)
    }

    fn booleans(
        &self,
        value: impl Fn(usize) -> Result<Option<bool>, Relate> + Sync,
    ) -> Result<Column, Trouble> {
        let mut made = vec![None; self.rows];
        let renew = |row: usize, slot: &mut Option<bool>| {
            if self.taken(row) {
                *slot = value(row).map_err(|Relate| row)?;
            }
            Ok(())
        };
        fill(self.threads, &mut made, renew).map_err(|row: usize| Trouble {
            code: DiagnosticCode::Frequency,
            message: format!("`{}` cannot order periods of different frequencies", self.op.name()),
            span: self.span,
            row,
        })?;
        Ok(Column::Boolean(made))
    }

    /// Orders the values of a row; `None` when one is null.
    fn comparison<'v>(
        &self,
        a: &'v Values,
        b: &'v Values,
    ) -> Box<dyn Fn(usize) -> Option<Compared> + Sync + 'v> {
        let kind = self.kinds.iter().copied().flatten().next();
        let plain = |order: Ordering| Compared { order, alike: true };
        match kind {
            Some(Type::Integer | Type::Number) => match (a.numbers(), b.numbers()) {
                (Numbers::Whole(a), Numbers::Whole(b)) => {
                    Box::new(move |row| Some(plain(a.at(row)?.cmp(&b.at(row)?))))
                }
                (a, b) => Box::new(move |row| Some(plain(a.at(row)?.compare(b.at(row)?)))),
            },
            Some(Type::String | Type::Time) => {
                let (a, b) = (a.strings(), b.strings());
                Box::new(move |row| Some(plain(a.at(row)?.cmp(b.at(row)?))))
            }
            Some(Type::Boolean) => {
                let (a, b) = (a.booleans(), b.booleans());
                Box::new(move |row| Some(plain(a.at(row)?.cmp(&b.at(row)?))))
            }
            Some(Type::TimePeriod | Type::Date) => {
                let (a, b) = (a.periods(), b.periods());
                Box::new(move |row| {
                    let (a, b) = (a.at(row)?, b.at(row)?);
                    Some(Compared { order: a.cmp(&b), alike: a.frequency() == b.frequency() })
                })
            }
            Some(Type::Duration) => {
                let (a, b) = (a.strings(), b.strings());
                let length = |text: Option<&str>| text?.parse::<Duration>().ok();
                Box::new(move |row| Some(plain(length(a.at(row))?.cmp(&length(b.at(row))?))))
            }
            None => Box::new(|_| None),
        }
    }

    fn related(&self, op: Op, compared: Option<Compared>) -> Result<Option<bool>, Relate> {
        let Some(Compared { order, alike }) = compared else { return Ok(None) };
        if !alike && !matches!(op, Op::Equal | Op::NotEqual) {
            return Err(Relate);
        }
        Ok(Some(match op {
            Op::Equal => order.is_eq(),
            Op::NotEqual => order.is_ne(),
            Op::Less => order.is_lt(),
            Op::LessEqual => order.is_le(),
            Op::Greater => order.is_gt(),
            _ => order.is_ge(),
        }))
    }

    /// `between`: at least the one and at most the other, with three-valued `and`.
    fn between(&self, a: &Values, low: &Values, high: &Values) -> Result<Column, Trouble> {
        let (least, most) = (self.comparison(a, low), self.comparison(a, high));
        self.booleans(|row| {
            let above = self.related(Op::GreaterEqual, least(row))?;
            let below = self.related(Op::LessEqual, most(row))?;
            Ok(logic(Op::And, above, below))
        })
    }

    /// `in`: equal to one of the list, with three-valued `or`.
    fn element(&self, a: &Values, list: &[Values]) -> Result<Column, Trouble> {
        let comparisons: Vec<_> = list.iter().map(|item| self.comparison(a, item)).collect();
        self.booleans(|row| {
            let mut found = Some(false);
            for compare in &comparisons {
                found = logic(Op::Or, found, self.related(Op::Equal, compare(row))?);
            }
            Ok(if self.op == Op::NotIn { found.map(|found| !found) } else { found })
        })
    }

    /// A column of the value that is chosen in each row.
    fn chosen<'v>(&self, pick: impl Fn(usize) -> &'v Values) -> Column {
        let rows = Rows {
            columns: &[],
            rows: self.rows,
            values: &[],
            spare: RefCell::default(),
            threads: self.threads,
        };
        (*rows.choose(self.kind, self.mask, pick).column(self.kind, self.rows)).clone()
    }

    /// The values of a parameter, all of which are of its type.
    fn limited(&self, a: &Values, fits: &Values, nullable: bool) -> Result<Column, Trouble> {
        let truths = fits.booleans();
        let outside = |row: &usize| {
            let fits = if a.is_null(*row) { nullable } else { truths.at(*row) == Some(true) };
            self.taken(*row) && !fits
        };
        match (0..self.rows).find(outside) {
            Some(row) => {
                let message = "the value is none of those of the parameter's type".to_owned();
                Err(Trouble { code: DiagnosticCode::Domain, message, span: self.span, row })
            }
            None => Ok(self.chosen(|_| a)),
        }
    }

    /// `||`: null is the empty text; the result stays within the bound of a cell.
    fn concat(&self, a: &Values, b: &Values) -> Result<Column, Trouble> {
        let (a, b) = (a.strings(), b.strings());
        let mut made: Vec<Option<String>> = Vec::with_capacity(self.rows);
        for row in 0..self.rows {
            if !self.taken(row) {
                made.push(None);
                continue;
            }
            let text = format!("{}{}", a.at(row).unwrap_or_default(), b.at(row).unwrap_or_default());
            if text.len() > CELL_BYTES_MAX {
                let message = format!("`||` makes a text of more than {CELL_BYTES_MAX} bytes");
                return Err(Trouble { code: DiagnosticCode::Overflow, message, span: self.span, row });
            }
            made.push(Some(text));
        }
        Ok(Column::Text(Texts::from_rows(made.iter().map(Option::as_deref))))
    }

    /// `getyear`, `getmonth`: of the first day of a period; the year of a week is its ISO year.
    fn calendar(&self, a: &Values) -> Result<Column, Trouble> {
        let periods = a.periods();
        let part = |row: usize| {
            let Some(period) = periods.at(row) else { return Ok(None) };
            let part = if self.op == Op::Year { period.year() } else { period.date().1 };
            Ok(Some(i64::from(part)))
        };
        self.each(part).map(Column::Integer)
    }

    fn arithmetic(&self, values: Vec<Values>) -> Result<Column, Trouble> {
        let whole = self.kinds.iter().all(|kind| *kind != Some(Type::Number));
        let mut values = values.into_iter();
        match (self.op, values.next(), values.next()) {
            (Op::Round | Op::Trunc | Op::Ceil | Op::Floor, Some(a), places) => {
                self.rounding(a, places.as_ref())
            }
            (Op::Sqrt, Some(a), None) => self.single(a, decimal::sqrt).map(Column::Number),
            (Op::Ln, Some(a), None) => self.single(a, decimal::ln).map(Column::Number),
            (Op::Exp, Some(a), None) => self.single(a, decimal::exp).map(Column::Number),
            (_, Some(a), None) if whole => {
                let a = a.integers();
                self.each(|row| a.at(row).map(|a| integer(self.op, 0, a)).transpose()).map(Column::Integer)
            }
            (_, Some(a), None) => self.single(a, |a| Ok(unary(self.op, a))).map(Column::Number),
            (_, Some(a), Some(b)) if whole && self.kind != Some(Type::Number) => {
                let (a, b) = (a.integers(), b.integers());
                let pair = |row| match (a.at(row), b.at(row)) {
                    (Some(a), Some(b)) => integer(self.op, a, b).map(Some),
                    _ => Ok(None),
                };
                self.each(pair).map(Column::Integer)
            }
            (_, Some(a), Some(b)) => self.binary(a, b).map(Column::Number),
            _ => self.each(|_| Ok(None)).map(Column::Integer),
        }
    }

    fn binary(&self, a: Values, b: Values) -> Result<Vec<Option<Decimal>>, Trouble> {
        // Each is a loop of its own.
        match self.op {
            Op::Add => self.pairs(a, b, decimal::add),
            Op::Subtract => self.pairs(a, b, decimal::sub),
            Op::Multiply => self.pairs(a, b, decimal::mul),
            Op::Divide => self.pairs(a, b, decimal::div),
            Op::Power => self.pairs(a, b, decimal::power),
            Op::Log => self.pairs(a, b, decimal::log),
            _ => self.pairs(a, b, decimal::modulo),
        }
    }

    /// An operator of two numbers; its result is written over an operand that nobody else reads.
    fn pairs(
        &self,
        a: Values,
        b: Values,
        apply: impl Fn(Decimal, Decimal) -> Result<Decimal, Error> + Sync,
    ) -> Result<Vec<Option<Decimal>>, Trouble> {
        let pair = |a: Option<Decimal>, b: Option<Decimal>| match (a, b) {
            (Some(a), Some(b)) => apply(a, b).map(Some),
            _ => Ok(None),
        };
        match (a.into_numbers(), b) {
            (Ok(rows), b) => {
                let b = b.decimals();
                self.over(rows, |row, a| pair(a, b.at(row)))
            }
            (Err(a), b) => match b.into_numbers() {
                Ok(rows) => {
                    let a = a.decimals();
                    self.over(rows, |row, b| pair(a.at(row), b))
                }
                Err(b) => {
                    let (a, b) = (a.decimals(), b.decimals());
                    self.each(|row| pair(a.at(row), b.at(row)))
                }
            },
        }
    }

    /// An operator of one number.
    fn single(
        &self,
        a: Values,
        apply: impl Fn(Decimal) -> Result<Decimal, Error> + Sync,
    ) -> Result<Vec<Option<Decimal>>, Trouble> {
        match a.into_numbers() {
            Ok(rows) => self.over(rows, |_, a| a.map(&apply).transpose()),
            Err(a) => {
                let a = a.numbers();
                self.each(|row| a.at(row).map(&apply).transpose())
            }
        }
    }

    /// `round`, `trunc`, `ceil`, `floor`; whole when no number of digits is given.
    fn rounding(&self, a: Values, places: Option<&Values>) -> Result<Column, Trouble> {
        let digits = places.map_or(View::Constant(Some(0)), Values::integers);
        let round = |number: Decimal, places: i64| match self.op {
            Op::Round => decimal::round(number, places),
            Op::Trunc => decimal::trunc(number, places),
            Op::Ceil => decimal::ceil(number),
            _ => decimal::floor(number),
        };
        if self.kind != Some(Type::Number) {
            let numbers = a.numbers();
            let value = |row: usize| match (numbers.at(row), digits.at(row)) {
                (Some(number), Some(places)) => decimal::integer(round(number, places)?).map(Some),
                _ => Ok(None),
            };
            return self.each(value).map(Column::Integer);
        }
        if let View::Constant(Some(places)) = digits {
            return self.single(a, |number| round(number, places)).map(Column::Number);
        }
        let numbers = a.numbers();
        let value = |row: usize| match (numbers.at(row), digits.at(row)) {
            (Some(number), Some(places)) => round(number, places).map(Some),
            _ => Ok(None),
        };
        self.each(value).map(Column::Number)
    }
}

/// Two values of a row, ordered, and whether an order between them means anything.
struct Compared {
    order: Ordering,
    alike: bool,
}

/// Periods of different frequencies have no order.
struct Relate;

pub(super) fn trouble(error: Error, name: &str, span: Span, row: usize) -> Trouble {
    let (code, message) = match error {
        Error::Zero => (DiagnosticCode::DivisionByZero, "division by zero".to_owned()),
        Error::Overflow => (DiagnosticCode::Overflow, format!("`{name}`: {error}")),
        Error::Domain | Error::Fraction => (DiagnosticCode::Domain, format!("`{name}`: {error}")),
    };
    Trouble { code, message, span, row }
}

/// Three-valued logic (reference manual, "Boolean operators").
fn logic(op: Op, a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match op {
        Op::And => match (a, b) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
        Op::Or => match (a, b) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        },
        _ => Some(a? != b?),
    }
}

fn unary(op: Op, a: Decimal) -> Decimal {
    match op {
        Op::Negate => decimal::negate(a),
        Op::Abs => decimal::abs(a),
        _ => a,
    }
}

/// Checked 64-bit arithmetic; a sign is an operation with 0 on the left.
fn integer(op: Op, a: i64, b: i64) -> Result<i64, Error> {
    let value = match op {
        Op::UnaryPlus => Some(b),
        Op::Negate => b.checked_neg(),
        Op::Abs => b.checked_abs(),
        Op::Add => a.checked_add(b),
        Op::Subtract => a.checked_sub(b),
        Op::Multiply => a.checked_mul(b),
        _ if b == 0 => Some(a),
        // INVARIANT: only `mod` is left; the remainder takes the sign of the divisor.
        _ => a
            .checked_rem(b)
            .or(Some(0))
            .map(|rest| if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }),
    };
    value.ok_or(Error::Overflow)
}
