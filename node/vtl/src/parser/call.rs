//! Operators in functional syntax: row-wise, aggregate, analytic, `cast`, `timeshift`.

use schemas::structure::Type;

use super::{Parsed, Parser};
use crate::ast::{Aggregate, Expr, Grouping, Mode, Node, Series, SetOp};
use crate::fault::{Code, Fault, Span};
use crate::lexer::Token;
use crate::op::{Aggregator, Analytic, Op};
use crate::words;

impl Parser<'_> {
    /// A call of a reserved word.
    pub(super) fn call(&mut self, word: &str) -> Parsed<Expr> {
        if self.after() != Token::Symbol("(") {
            return self.expected("an expression");
        }
        if let Some(reason) = words::refused(word) {
            return self.refused(word, reason);
        }
        let start = self.span();
        if let Some((op, least, most)) = Op::function(word) {
            self.at += 2;
            return self.arguments(op, least, most, start);
        }
        if let Some(op) = Aggregator::from_word(word) {
            self.at += 2;
            return self.aggregate(op, start);
        }
        if let Some(op) = Analytic::from_word(word) {
            return self.analytic(op);
        }
        match word {
            "cast" => self.cast(),
            "timeshift" => self.shift(),
            "time_agg" => self.time_aggregate(),
            "fill_time_series" => self.series(Series::FillAll),
            "flow_to_stock" => self.series(Series::FlowToStock),
            "stock_to_flow" => self.series(Series::StockToFlow),
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
    fn refused(&mut self, word: &str, reason: &str) -> Parsed<Expr> {
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
        self.faults.push(Fault::new(Code::Refused, span, reason));
        self.node(Node::Constant(None), span)
    }

    /// `routine(…) language "…" returns type`.
    fn routine(&mut self) -> Parsed<()> {
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
    pub(super) fn invocation(&mut self) -> Parsed<Expr> {
        let name = self.name("the name of an operator")?;
        self.at += 1;
        let arguments =
            if self.token() == Token::Symbol(")") { Vec::new() } else { self.list(Self::argument)? };
        self.require(")")?;
        let span = name.span.to(self.past());
        self.node(Node::Call(name, arguments), span)
    }

    /// An expression, a list of values, or `_`.
    fn argument(&mut self) -> Parsed<Expr> {
        let span = self.span();
        if self.eat("_") {
            return self.node(Node::Omitted, span);
        }
        if !self.eat("{") {
            return self.expr();
        }
        let values = self.list(Self::scalar)?;
        self.require("}")?;
        self.node(Node::List(values), span.to(self.past()))
    }

    /// Arguments up to the closing bracket; `_` stands for one that is left out.
    pub(super) fn arguments(&mut self, op: Op, least: usize, most: usize, start: Span) -> Parsed<Expr> {
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
            return self.fault(Fault::new(Code::Syntax, span, message));
        }
        self.node(Node::Apply(op, given), span)
    }

    /// `cast(operand, type)`, perhaps with a mask, which is a literal.
    fn cast(&mut self) -> Parsed<Expr> {
        let start = self.span();
        self.at += 2;
        let mut operands = vec![self.expr()?];
        self.require(",")?;
        let kind = match self.token() {
            Token::Word(word) => Type::from_word(word),
            Token::Name(domain) => {
                let message = format!("the value domain `{domain}` is not known here");
                let hint = format!("types: {}", Type::ALL.map(Type::word).join(", "));
                self.faults.push(Fault::new(Code::UnknownName, self.span(), message).hint(hint));
                Some(Type::String)
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
        self.node(Node::Apply(Op::Cast(kind), operands), span)
    }

    /// After `sum(` and the like: an aggregate invocation, or an analytic one when `over` follows.
    fn aggregate(&mut self, op: Aggregator, start: Span) -> Parsed<Expr> {
        let empty = op == Aggregator::Count && self.token() == Token::Symbol(")");
        let operand = if empty { None } else { Some(self.expr()?) };
        if let Some(operand) = &operand
            && self.word("over")
        {
            return self.aggregate_over(Analytic::Aggregate(op), operand.clone(), start);
        }
        let (grouping, having) = self.grouping()?;
        self.require(")")?;
        let span = start.to(self.past());
        self.node(Node::Aggregate(Box::new(Aggregate { op, operand, grouping, having })), span)
    }

    /// `group …` and `having …`, when they follow.
    pub(super) fn grouping(&mut self) -> Parsed<(Option<Grouping>, Option<Expr>)> {
        let start = self.span();
        if !self.word("group") {
            let having = if self.word("having") { Some(self.expr()?) } else { None };
            return Ok((None, having));
        }
        let mode = match self.token() {
            Token::Word("by") => Mode::By,
            Token::Word("except") => Mode::Except,
            Token::Word("all") => Mode::All,
            _ => return self.expected("`by` or `except`"),
        };
        self.at += 1;
        let names = if mode == Mode::All { Vec::new() } else { self.list(Self::component)? };
        let time = if self.token() == Token::Word("time_agg") { Some(self.grouped_time()?) } else { None };
        let grouping = Grouping { mode, names, time, span: start.to(self.past()) };
        let having = if self.word("having") { Some(self.expr()?) } else { None };
        Ok((Some(grouping), having))
    }
}
