//! Operators on time and texts whose syntax is their own (grammar rules `timeOperators`,
//! `stringOperators`).

use schemas::period::Frequency;
use schemas::table::Cell;

use super::{ParseResult, Parser};
use crate::ast::{Expr, ExprNode, SeriesOp};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::lexer::Token;
use crate::op::{Op, PeriodEnd, StringDistance, TextOp, TimeConversion, TimeOp};

impl Parser<'_> {
    /// `timeshift(operand, count)`.
    pub(super) fn shift(&mut self) -> ParseResult<Expr> {
        let start = self.span();
        self.at += 2;
        let operand = self.expr()?;
        self.require(",")?;
        let count = self.quantity()?;
        self.require(")")?;
        let span = start.to(self.past());
        self.node(ExprNode::Shift(Box::new(operand), Box::new(count)), span)
    }

    /// `fill_time_series(operand, single)`, `flow_to_stock(operand)`, `stock_to_flow(operand)`.
    pub(super) fn series(&mut self, op: SeriesOp) -> ParseResult<Expr> {
        let start = self.span();
        self.at += 2;
        let operand = self.expr()?;
        let mut op = op;
        if op.fills() && self.eat(",") {
            op = match self.token() {
                Token::Word("single") => SeriesOp::FillSingle,
                Token::Word("all") => SeriesOp::FillAll,
                _ => return self.expected("`single` or `all`"),
            };
            self.at += 1;
        }
        self.require(")")?;
        let span = start.to(self.past());
        self.node(ExprNode::Series(op, Box::new(operand)), span)
    }

    /// `string_distance(method, text, text)`.
    pub(super) fn distance(&mut self) -> ParseResult<Expr> {
        let start = self.span();
        self.at += 2;
        let method = match self.token() {
            Token::Word(word) => StringDistance::from_word(word),
            _ => None,
        };
        let Some(method) = method else {
            return self.expected("`levenshtein`, `damerau_levenshtein`, `hamming` or `jaro_winkler`");
        };
        self.at += 1;
        self.require(",")?;
        self.arguments(Op::Text(TextOp::Distance(method)), 2, 2, start)
    }

    /// `time_agg("A", "Q", operand, last)`: all but the first and the operand may be left out.
    pub(super) fn time_aggregate(&mut self) -> ParseResult<Expr> {
        let start = self.span();
        self.at += 2;
        let to = self.frequency()?;
        let mut convert = TimeConversion { to, from: None, end: None };
        let (mut operand, mut commas) = (None, 0);
        while self.eat(",") {
            commas += 1;
            convert.end = self.first_or_last();
            if convert.end.is_some() {
                break;
            }
            match self.token() {
                Token::Text(_) if commas == 1 => convert.from = Some(self.finer(to)?),
                Token::Symbol("_") => self.at += 1,
                _ if operand.is_none() => operand = Some(self.expr()?),
                _ => return self.expected("`first` or `last`"),
            }
        }
        let Some(operand) = operand else {
            let message = "`time_agg` needs an operand, unless it stands in a grouping clause";
            return self.fault(Diagnostic::new(DiagnosticCode::Syntax, start.to(self.span()), message));
        };
        self.require(")")?;
        let span = start.to(self.past());
        self.node(ExprNode::Apply(Op::Time(TimeOp::Aggregate(convert)), vec![operand]), span)
    }

    /// `time_agg("A", last)` behind the names of a grouping.
    pub(super) fn grouped_time(&mut self) -> ParseResult<(TimeConversion, Span)> {
        let start = self.span();
        self.at += 1;
        self.require("(")?;
        let mut convert = TimeConversion { to: self.frequency()?, from: None, end: None };
        if self.eat(",") {
            convert.end = self.first_or_last();
            if convert.end.is_none() {
                return self.expected("`first` or `last`");
            }
        }
        self.require(")")?;
        Ok((convert, start.to(self.past())))
    }

    fn first_or_last(&mut self) -> Option<PeriodEnd> {
        let end = match self.token() {
            Token::Word("first") => PeriodEnd::First,
            Token::Word("last") => PeriodEnd::Last,
            _ => return None,
        };
        self.at += 1;
        Some(end)
    }

    /// The source of `time_agg`, which is not coarser than what it is brought to.
    fn finer(&mut self, to: Frequency) -> ParseResult<Frequency> {
        let span = self.span();
        let from = self.frequency()?;
        if from < to {
            let message = format!("`time_agg` cannot bring {from} to the finer frequency {to}");
            return self.fault(Diagnostic::new(DiagnosticCode::Frequency, span, message));
        }
        Ok(from)
    }

    fn frequency(&mut self) -> ParseResult<Frequency> {
        let frequency = match self.token() {
            Token::Text(code) => Frequency::from_code(code),
            _ => None,
        };
        let Some(frequency) = frequency else {
            return self.expected("a frequency: `\"A\"`, `\"S\"`, `\"Q\"`, `\"M\"`, `\"W\"` or `\"D\"`");
        };
        self.at += 1;
        Ok(frequency)
    }

    /// What an operand is that is left out with `_` before others (reference manual: the first
    /// position).
    pub(super) fn default(&mut self, op: Op, operand: usize) -> Option<Expr> {
        match (op, operand) {
            (Op::Text(TextOp::Substring), 1) | (Op::Text(TextOp::Position), 2) => {
                let node = ExprNode::Constant(Some(Cell::Integer(1)));
                self.node(node, self.past()).ok()
            }
            _ => None,
        }
    }
}
