//! Time and string operators with a syntax of their own (grammar rules `timeOperators`,
//! `stringOperators`).

use schemas::period::Frequency;
use schemas::table::Cell;

use super::{ParseResult, Parser};
use crate::ast::{Expr, ExprNode, SeriesOp};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::lexer::Token;
use crate::op::{Op, PeriodEnd, StringDistance, TextOp, TimeConversion, TimeOp};

impl Parser<'_> {
    /// Parses `timeshift(operand, count)`.
    pub(super) fn parse_timeshift(&mut self) -> ParseResult<Expr> {
        let start = self.current_span();
        self.position += 2;
        let operand = self.parse_expr()?;
        self.expect_symbol(",")?;
        let count = self.parse_quantity()?;
        self.expect_symbol(")")?;
        let span = start.to(self.previous_span());
        self.build_node(ExprNode::Shift(Box::new(operand), Box::new(count)), span)
    }

    /// Parses `fill_time_series(operand, single)`, `flow_to_stock(operand)` or
    /// `stock_to_flow(operand)`.
    pub(super) fn parse_series_operator(&mut self, op: SeriesOp) -> ParseResult<Expr> {
        let start = self.current_span();
        self.position += 2;
        let operand = self.parse_expr()?;
        let mut op = op;
        if op.fills() && self.eat_symbol(",") {
            op = match self.current_token() {
                Token::Word("single") => SeriesOp::FillSingle,
                Token::Word("all") => SeriesOp::FillAll,
                _ => return self.report_expected("`single` or `all`"),
            };
            self.position += 1;
        }
        self.expect_symbol(")")?;
        let span = start.to(self.previous_span());
        self.build_node(ExprNode::Series(op, Box::new(operand)), span)
    }

    /// Parses `string_distance(method, text, text)`.
    pub(super) fn parse_string_distance(&mut self) -> ParseResult<Expr> {
        let start = self.current_span();
        self.position += 2;
        let method = match self.current_token() {
            Token::Word(word) => StringDistance::from_word(word),
            _ => None,
        };
        let Some(method) = method else {
            return self.report_expected("`levenshtein`, `damerau_levenshtein`, `hamming` or `jaro_winkler`");
        };
        self.position += 1;
        self.expect_symbol(",")?;
        self.parse_arguments(Op::Text(TextOp::Distance(method)), 2, 2, start)
    }

    /// Parses `time_agg("A", "Q", operand, last)`; only the first argument and the operand are
    /// required.
    pub(super) fn parse_time_agg(&mut self) -> ParseResult<Expr> {
        let start = self.current_span();
        self.position += 2;
        let to = self.parse_frequency()?;
        let mut convert = TimeConversion { to, from: None, end: None };
        let (mut operand, mut commas) = (None, 0);
        while self.eat_symbol(",") {
            commas += 1;
            convert.end = self.parse_period_end();
            if convert.end.is_some() {
                break;
            }
            match self.current_token() {
                Token::Text(_) if commas == 1 => convert.from = Some(self.parse_source_frequency(to)?),
                Token::Symbol("_") => self.position += 1,
                _ if operand.is_none() => operand = Some(self.parse_expr()?),
                _ => return self.report_expected("`first` or `last`"),
            }
        }
        let Some(operand) = operand else {
            let message = "`time_agg` needs an operand outside a grouping clause";
            return self.report_error(Diagnostic::new(
                DiagnosticCode::Syntax,
                start.to(self.current_span()),
                message,
            ));
        };
        self.expect_symbol(")")?;
        let span = start.to(self.previous_span());
        self.build_node(ExprNode::Apply(Op::Time(TimeOp::Aggregate(convert)), vec![operand]), span)
    }

    /// Parses `time_agg("A", last)` after the names of a grouping clause.
    pub(super) fn parse_grouped_time_agg(&mut self) -> ParseResult<(TimeConversion, Span)> {
        let start = self.current_span();
        self.position += 1;
        self.expect_symbol("(")?;
        let mut convert = TimeConversion { to: self.parse_frequency()?, from: None, end: None };
        if self.eat_symbol(",") {
            convert.end = self.parse_period_end();
            if convert.end.is_none() {
                return self.report_expected("`first` or `last`");
            }
        }
        self.expect_symbol(")")?;
        Ok((convert, start.to(self.previous_span())))
    }

    fn parse_period_end(&mut self) -> Option<PeriodEnd> {
        let end = match self.current_token() {
            Token::Word("first") => PeriodEnd::First,
            Token::Word("last") => PeriodEnd::Last,
            _ => return None,
        };
        self.position += 1;
        Some(end)
    }

    /// Parses the source frequency of `time_agg`, which must not be coarser than `to`.
    fn parse_source_frequency(&mut self, to: Frequency) -> ParseResult<Frequency> {
        let span = self.current_span();
        let from = self.parse_frequency()?;
        // Frequencies are ordered from coarse to fine.
        if from < to {
            let message = format!("`time_agg` cannot convert {from} to the finer frequency {to}");
            return self.report_error(Diagnostic::new(DiagnosticCode::Frequency, span, message));
        }
        Ok(from)
    }

    fn parse_frequency(&mut self) -> ParseResult<Frequency> {
        let frequency = match self.current_token() {
            Token::Text(code) => Frequency::from_code(code),
            _ => None,
        };
        let Some(frequency) = frequency else {
            return self
                .report_expected("a frequency: `\"A\"`, `\"S\"`, `\"Q\"`, `\"M\"`, `\"W\"` or `\"D\"`");
        };
        self.position += 1;
        Ok(frequency)
    }

    /// Returns the value of an omitted operand that other operands follow: position 1 (reference
    /// manual, "Sub-string extraction", "String pattern location").
    pub(super) fn default_operand(&mut self, op: Op, operand: usize) -> Option<Expr> {
        match (op, operand) {
            (Op::Text(TextOp::Substring), 1) | (Op::Text(TextOp::Position), 2) => {
                let node = ExprNode::Constant(Some(Cell::Integer(1)));
                self.build_node(node, self.previous_span()).ok()
            }
            _ => None,
        }
    }
}
