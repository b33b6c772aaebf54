//! Operators in functional syntax: row-wise, aggregate and analytic operators, `cast`, calls.

use schemas::structure::ValueType;

use super::{ParseResult, Parser};
use crate::ast::{AggregateInvocation, Expr, ExprNode, GroupingClause, GroupingMode, SeriesOp, SetOp};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::keywords;
use crate::lexer::Token;
use crate::op::{AggregateOp, AnalyticOp, Op};

impl Parser<'_> {
    /// Parses a call of a reserved word.
    pub(super) fn parse_call(&mut self, word: &str) -> ParseResult<Expr> {
        if self.next_token() != Token::Symbol("(") {
            return self.report_expected("an expression");
        }
        if let Some(reason) = keywords::refusal_reason(word) {
            return self.parse_refused_call(word, reason);
        }
        let start = self.current_span();
        if let Some((op, least, most)) = Op::from_function_name(word) {
            self.position += 2;
            return self.parse_arguments(op, least, most, start);
        }
        if let Some(op) = AggregateOp::from_word(word) {
            self.position += 2;
            return self.parse_aggregate(op, start);
        }
        if let Some(op) = AnalyticOp::from_word(word) {
            return self.parse_analytic(op);
        }
        match word {
            "cast" => self.parse_cast(),
            "timeshift" => self.parse_timeshift(),
            "time_agg" => self.parse_time_agg(),
            "fill_time_series" => self.parse_series_operator(SeriesOp::FillAll),
            "flow_to_stock" => self.parse_series_operator(SeriesOp::FlowToStock),
            "stock_to_flow" => self.parse_series_operator(SeriesOp::StockToFlow),
            "string_distance" => self.parse_string_distance(),
            "check" => self.parse_check(),
            "check_datapoint" => self.parse_check_datapoint(),
            "check_hierarchy" => self.parse_hierarchy(true),
            "hierarchy" => self.parse_hierarchy(false),
            "union" => self.parse_set_operator(SetOp::Union),
            "intersect" => self.parse_set_operator(SetOp::Intersect),
            "setdiff" => self.parse_set_operator(SetOp::Setdiff),
            "symdiff" => self.parse_set_operator(SetOp::Symdiff),
            "exists_in" => self.parse_exists_in(),
            _ => self.report_expected("an expression"),
        }
    }

    /// Parses a call of a refused operator. Its syntax is checked too, so that one error does not hide
    /// another.
    fn parse_refused_call(&mut self, word: &str, reason: &str) -> ParseResult<Expr> {
        let span = self.current_span();
        self.position += 2;
        match word {
            "eval" => self.parse_external_routine()?,
            "random" => {
                self.parse_expr()?;
                self.expect_symbol(",")?;
                self.parse_expr()?;
            }
            _ => {}
        }
        self.expect_symbol(")")?;
        // Parsing goes on with a null, to find further errors of the script.
        self.diagnostics.push(Diagnostic::new(DiagnosticCode::Refused, span, reason));
        self.build_node(ExprNode::Constant(None), span)
    }

    /// Parses `routine(…) language "…" returns type`.
    fn parse_external_routine(&mut self) -> ParseResult<()> {
        self.parse_name("the name of a routine")?;
        self.expect_symbol("(")?;
        if self.current_token() != Token::Symbol(")") {
            self.parse_list(|parser| match parser.current_token() {
                Token::Name(_) => parser.parse_component().map(|_| ()),
                _ => parser.parse_literal().map(|_| ()),
            })?;
        }
        self.expect_symbol(")")?;
        if self.eat_word("language") && !matches!(self.current_token(), Token::Text(_)) {
            return self.report_expected("the name of a language");
        }
        self.position += usize::from(matches!(self.current_token(), Token::Text(_)));
        if self.eat_word("returns") {
            self.parse_parameter_type()?;
        }
        Ok(())
    }

    /// Parses a call of a user-defined operator or of an extension.
    pub(super) fn parse_operator_call(&mut self) -> ParseResult<Expr> {
        let name = self.parse_name("the name of an operator")?;
        self.position += 1;
        let arguments = if self.current_token() == Token::Symbol(")") {
            Vec::new()
        } else {
            self.parse_list(Self::parse_argument)?
        };
        self.expect_symbol(")")?;
        let span = name.span.to(self.previous_span());
        self.build_node(ExprNode::Call(name, arguments), span)
    }

    /// Parses an expression, a list of values, or `_`.
    fn parse_argument(&mut self) -> ParseResult<Expr> {
        let span = self.current_span();
        if self.eat_symbol("_") {
            return self.build_node(ExprNode::Omitted, span);
        }
        if !self.eat_symbol("{") {
            return self.parse_expr();
        }
        let values = self.parse_list(Self::parse_literal)?;
        self.expect_symbol("}")?;
        self.build_node(ExprNode::List(values), span.to(self.previous_span()))
    }

    /// Parses arguments up to the closing bracket; `_` omits one.
    pub(super) fn parse_arguments(
        &mut self,
        op: Op,
        least: usize,
        most: usize,
        start: Span,
    ) -> ParseResult<Expr> {
        let mut operands = Vec::new();
        if self.current_token() != Token::Symbol(")") {
            operands = self.parse_list(|parser| {
                if parser.eat_symbol("_") { Ok(None) } else { parser.parse_expr().map(Some) }
            })?;
        }
        // Trailing `_` beyond the required operands equal omitted ones.
        while operands.len() > least && operands.last().is_some_and(Option::is_none) {
            operands.pop();
        }
        self.expect_symbol(")")?;
        let span = start.to(self.previous_span());
        let operands = operands.into_iter().enumerate();
        let operands: Vec<Option<Expr>> =
            operands.map(|(at, operand)| operand.or_else(|| self.default_operand(op, at))).collect();
        let given: Vec<Expr> = operands.iter().flatten().cloned().collect();
        if given.len() != operands.len() || given.len() < least || given.len() > most {
            let wanted = if least == most { format!("{least}") } else { format!("{least} to {most}") };
            let message = format!("`{}` takes {wanted} operands, found {}", op.name(), operands.len());
            return self.report_error(Diagnostic::new(DiagnosticCode::Syntax, span, message));
        }
        self.build_node(ExprNode::Apply(op, given), span)
    }

    /// Parses `cast(operand, type)`, optionally with a literal mask.
    fn parse_cast(&mut self) -> ParseResult<Expr> {
        let start = self.current_span();
        self.position += 2;
        let mut operands = vec![self.parse_expr()?];
        self.expect_symbol(",")?;
        let kind = match self.current_token() {
            Token::Word(word) => ValueType::from_name(word),
            Token::Name(domain) => {
                let message = format!("unknown value domain `{domain}`");
                let hint = format!("types: {}", ValueType::ALL.map(ValueType::as_str).join(", "));
                self.diagnostics.push(
                    Diagnostic::new(DiagnosticCode::UnknownName, self.current_span(), message)
                        .with_hint(hint),
                );
                // Any type will do: the statement already has an error.
                Some(ValueType::String)
            }
            _ => return self.report_expected("a type"),
        };
        let Some(kind) = kind else { return self.report_expected("a type") };
        self.position += 1;
        if self.eat_symbol(",") {
            match self.current_token() {
                Token::Text(_) => operands.push(self.parse_prefix()?),
                _ => return self.report_expected("a mask in double quotes"),
            }
        }
        self.expect_symbol(")")?;
        let span = start.to(self.previous_span());
        self.build_node(ExprNode::Apply(Op::Cast(kind), operands), span)
    }

    /// Parses the rest of an aggregate invocation, or of an analytic one when `over` follows.
    fn parse_aggregate(&mut self, op: AggregateOp, start: Span) -> ParseResult<Expr> {
        let empty = op == AggregateOp::Count && self.current_token() == Token::Symbol(")");
        let operand = if empty { None } else { Some(self.parse_expr()?) };
        if let Some(operand) = &operand
            && self.eat_word("over")
        {
            return self.parse_aggregate_over(AnalyticOp::Aggregate(op), operand.clone(), start);
        }
        let (grouping, having) = self.parse_grouping()?;
        self.expect_symbol(")")?;
        let span = start.to(self.previous_span());
        self.build_node(
            ExprNode::Aggregate(Box::new(AggregateInvocation { op, operand, grouping, having })),
            span,
        )
    }

    /// Parses the optional clauses `group …` and `having …`.
    pub(super) fn parse_grouping(&mut self) -> ParseResult<(Option<GroupingClause>, Option<Expr>)> {
        let start = self.current_span();
        if !self.eat_word("group") {
            let having = if self.eat_word("having") { Some(self.parse_expr()?) } else { None };
            return Ok((None, having));
        }
        let mode = match self.current_token() {
            Token::Word("by") => GroupingMode::By,
            Token::Word("except") => GroupingMode::Except,
            Token::Word("all") => GroupingMode::All,
            _ => return self.report_expected("`by` or `except`"),
        };
        self.position += 1;
        let names =
            if mode == GroupingMode::All { Vec::new() } else { self.parse_list(Self::parse_component)? };
        let time = if self.current_token() == Token::Word("time_agg") {
            Some(self.parse_grouped_time_agg()?)
        } else {
            None
        };
        let grouping = GroupingClause { mode, names, time, span: start.to(self.previous_span()) };
        let having = if self.eat_word("having") { Some(self.parse_expr()?) } else { None };
        Ok((Some(grouping), having))
    }
}
