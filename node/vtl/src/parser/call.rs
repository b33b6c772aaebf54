//! Operators in functional syntax: row-wise, aggregate, analytic, `cast`, `timeshift`.

use schemas::structure::ValueType;

use super::{ParseResult, Parser};
use crate::ast::{AggregateInvocation, Expr, ExprNode, GroupingClause, GroupingMode, SeriesOp, SetOp};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::keywords;
use crate::lexer::Token;
use crate::op::{AggregateOp, AnalyticOp, Op};

impl Parser<'_> {
    /// A call of a reserved word.
    pub(super) fn call(&mut self, word: &str) -> ParseResult<Expr> {
        if self.after() != Token::Symbol("(") {
            return self.expected("an expression");
        }
        if let Some(reason) = keywords::refusal_reason(word) {
            return self.refused(word, reason);
        }
        let start = self.span();
        if let Some((op, least, most)) = Op::function(word) {
            self.at += 2;
            return self.arguments(op, least, most, start);
        }
        if let Some(op) = AggregateOp::from_word(word) {
            self.at += 2;
            return self.aggregate(op, start);
        }
        if let Some(op) = AnalyticOp::from_word(word) {
            return self.analytic(op);
        }
        match word {
            "cast" => self.cast(),
            "timeshift" => self.shift(),
            "time_agg" => self.time_aggregate(),
            "fill_time_series" => self.series(SeriesOp::FillAll),
            "flow_to_stock" => self.series(SeriesOp::FlowToStock),
            "stock_to_flow" => self.series(SeriesOp::StockToFlow),
            "string_distance" => self.distance(),
            "check" => self.check(),
            "check_datapoint" => self.check_datapoint(),
            "check_hierarchy" => self.hierarchy(true),
            "hierarchy" => self.hierarchy(false),
            "union" => self.set(SetOp::Union),
            "intersect" => self.set(SetOp::Intersect),
            "setdiff" => self.set(SetOp::Setdiff),
            "symdiff" => self.set(SetOp::Symdiff),
            "exists_in" => self.exists_in(),
            _ => self.expected("an expression"),
        }
    }

    /// A call of an operator that is refused by name; its syntax must be right all the same.
    fn refused(&mut self, word: &str, reason: &str) -> ParseResult<Expr> {
        let span = self.span();
        self.at += 2;
        match word {
            "eval" => self.routine()?,
            "random" => {
                self.expr()?;
                self.require(",")?;
                self.expr()?;
            }
            _ => {}
        }
        self.require(")")?;
        self.faults.push(Diagnostic::new(DiagnosticCode::Refused, span, reason));
        self.node(ExprNode::Constant(None), span)
    }

    /// `routine(…) language "…" returns type`.
    fn routine(&mut self) -> ParseResult<()> {
        self.name("the name of a routine")?;
        self.require("(")?;
        if self.token() != Token::Symbol(")") {
            self.list(|parser| match parser.token() {
                Token::Name(_) => parser.component().map(|_| ()),
                _ => parser.scalar().map(|_| ()),
            })?;
        }
        self.require(")")?;
        if self.word("language") && !matches!(self.token(), Token::Text(_)) {
            return self.expected("the name of a language");
        }
        self.at += usize::from(matches!(self.token(), Token::Text(_)));
        if self.word("returns") {
            self.kind()?;
        }
        Ok(())
    }

    /// A call by name: an operator that the script defines, or an extension.
    pub(super) fn invocation(&mut self) -> ParseResult<Expr> {
        let name = self.name("the name of an operator")?;
        self.at += 1;
        let arguments =
            if self.token() == Token::Symbol(")") { Vec::new() } else { self.list(Self::argument)? };
        self.require(")")?;
        let span = name.span.to(self.past());
        self.node(ExprNode::Call(name, arguments), span)
    }

    /// An expression, a list of values, or `_`.
    fn argument(&mut self) -> ParseResult<Expr> {
        let span = self.span();
        if self.eat("_") {
            return self.node(ExprNode::Omitted, span);
        }
        if !self.eat("{") {
            return self.expr();
        }
        let values = self.list(Self::scalar)?;
        self.require("}")?;
        self.node(ExprNode::List(values), span.to(self.past()))
    }

    /// Arguments up to the closing bracket; `_` stands for one that is left out.
    pub(super) fn arguments(&mut self, op: Op, least: usize, most: usize, start: Span) -> ParseResult<Expr> {
        let mut operands = Vec::new();
        if self.token() != Token::Symbol(")") {
            operands =
                self.list(|parser| if parser.eat("_") { Ok(None) } else { parser.expr().map(Some) })?;
        }
        while operands.len() > least && operands.last().is_some_and(Option::is_none) {
            operands.pop();
        }
        self.require(")")?;
        let span = start.to(self.past());
        let operands = operands.into_iter().enumerate();
        let operands: Vec<Option<Expr>> =
            operands.map(|(at, operand)| operand.or_else(|| self.default(op, at))).collect();
        let given: Vec<Expr> = operands.iter().flatten().cloned().collect();
        if given.len() != operands.len() || given.len() < least || given.len() > most {
            let wanted = if least == most { format!("{least}") } else { format!("{least} to {most}") };
            let message = format!("`{}` takes {wanted} operands, found {}", op.name(), operands.len());
            return self.fault(Diagnostic::new(DiagnosticCode::Syntax, span, message));
        }
        self.node(ExprNode::Apply(op, given), span)
    }

    /// `cast(operand, type)`, perhaps with a mask, which is a literal.
    fn cast(&mut self) -> ParseResult<Expr> {
        let start = self.span();
        self.at += 2;
        let mut operands = vec![self.expr()?];
        self.require(",")?;
        let kind = match self.token() {
            Token::Word(word) => ValueType::from_name(word),
            Token::Name(domain) => {
                let message = format!("the value domain `{domain}` is not known here");
                let hint = format!("types: {}", ValueType::ALL.map(ValueType::as_str).join(", "));
                self.faults
                    .push(Diagnostic::new(DiagnosticCode::UnknownName, self.span(), message).with_hint(hint));
                Some(ValueType::String)
            }
            _ => return self.expected("a type"),
        };
        let Some(kind) = kind else { return self.expected("a type") };
        self.at += 1;
        if self.eat(",") {
            match self.token() {
                Token::Text(_) => operands.push(self.prefix()?),
                _ => return self.expected("a mask in double quotes"),
            }
        }
        self.require(")")?;
        let span = start.to(self.past());
        self.node(ExprNode::Apply(Op::Cast(kind), operands), span)
    }

    /// After `sum(` and the like: an aggregate invocation, or an analytic one when `over` follows.
    fn aggregate(&mut self, op: AggregateOp, start: Span) -> ParseResult<Expr> {
        let empty = op == AggregateOp::Count && self.token() == Token::Symbol(")");
        let operand = if empty { None } else { Some(self.expr()?) };
        if let Some(operand) = &operand
            && self.word("over")
        {
            return self.aggregate_over(AnalyticOp::Aggregate(op), operand.clone(), start);
        }
        let (grouping, having) = self.grouping()?;
        self.require(")")?;
        let span = start.to(self.past());
        self.node(ExprNode::Aggregate(Box::new(AggregateInvocation { op, operand, grouping, having })), span)
    }

    /// `group …` and `having …`, when they follow.
    pub(super) fn grouping(&mut self) -> ParseResult<(Option<GroupingClause>, Option<Expr>)> {
        let start = self.span();
        if !self.word("group") {
            let having = if self.word("having") { Some(self.expr()?) } else { None };
            return Ok((None, having));
        }
        let mode = match self.token() {
            Token::Word("by") => GroupingMode::By,
            Token::Word("except") => GroupingMode::Except,
            Token::Word("all") => GroupingMode::All,
            _ => return self.expected("`by` or `except`"),
        };
        self.at += 1;
        let names = if mode == GroupingMode::All { Vec::new() } else { self.list(Self::component)? };
        let time = if self.token() == Token::Word("time_agg") { Some(self.grouped_time()?) } else { None };
        let grouping = GroupingClause { mode, names, time, span: start.to(self.past()) };
        let having = if self.word("having") { Some(self.expr()?) } else { None };
        Ok((Some(grouping), having))
    }
}
