//! Operators in functional syntax: row-wise, aggregate, analytic, `cast`, `timeshift`.

use schemas::period::Frequency;
use schemas::structure::Type;

use super::{Parsed, Parser};
use crate::ast::{Aggregate, Expr, Grouping, Mode, Node, SetOp};
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
        if words::later(word) {
            return self.skip(Code::Unsupported, format!("`{word}` is not supported yet"));
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

    /// Reports a call that this engine does not take, and goes on after it.
    fn skip(&mut self, code: Code, message: String) -> Parsed<Expr> {
        let span = self.span();
        self.faults.push(Fault::new(code, span, message));
        self.at += 1;
        let mut open = 0_usize;
        loop {
            match self.token() {
                Token::Symbol("(") => open += 1,
                Token::Symbol(")") => open -= 1,
                Token::End | Token::Symbol(";") => break,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                break;
            }
        }
        self.node(Node::Constant(None), span)
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
    fn arguments(&mut self, op: Op, least: usize, most: usize, start: Span) -> Parsed<Expr> {
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
        let given: Vec<Expr> = operands.iter().flatten().cloned().collect();
        if given.len() != operands.len() || given.len() < least || given.len() > most {
            let wanted = if least == most { format!("{least}") } else { format!("{least} to {most}") };
            let message = format!("`{}` takes {wanted} operands, found {}", op.name(), operands.len());
            return self.fault(Fault::new(Code::Syntax, span, message));
        }
        self.node(Node::Apply(op, given), span)
    }

    /// `cast(operand, type)`.
    fn cast(&mut self) -> Parsed<Expr> {
        let start = self.span();
        self.at += 2;
        let operand = self.expr()?;
        self.require(",")?;
        let kind = match self.token() {
            Token::Word(word) => Type::from_word(word),
            _ => return self.expected("a type"),
        };
        let Some(kind) = kind else { return self.unsupported("`cast` to this type") };
        self.at += 1;
        if self.token() == Token::Symbol(",") {
            return self.unsupported("`cast` with a mask");
        }
        self.require(")")?;
        let span = start.to(self.past());
        self.node(Node::Apply(Op::Cast(kind), vec![operand]), span)
    }

    pub(super) fn unsupported<T>(&mut self, what: &str) -> Parsed<T> {
        self.fault(Fault::new(Code::Unsupported, self.span(), format!("{what} is not supported yet")))
    }

    /// `timeshift(operand, count)`.
    fn shift(&mut self) -> Parsed<Expr> {
        let start = self.span();
        self.at += 2;
        let operand = self.expr()?;
        self.require(",")?;
        let count = self.quantity()?;
        self.require(")")?;
        let span = start.to(self.past());
        self.node(Node::Shift(Box::new(operand), Box::new(count)), span)
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
        let time = if self.token() == Token::Word("time_agg") { Some(self.frequency()?) } else { None };
        let grouping = Grouping { mode, names, time, span: start.to(self.past()) };
        let having = if self.word("having") { Some(self.expr()?) } else { None };
        Ok((Some(grouping), having))
    }

    /// `time_agg("A")`.
    fn frequency(&mut self) -> Parsed<(Frequency, Span)> {
        let start = self.span();
        self.at += 1;
        self.require("(")?;
        let frequency = match self.token() {
            Token::Text(code) => Frequency::from_code(code),
            _ => None,
        };
        let Some(frequency) = frequency else {
            return self.expected("a frequency: `\"A\"`, `\"S\"`, `\"Q\"`, `\"M\"`, `\"W\"` or `\"D\"`");
        };
        self.at += 1;
        if self.token() == Token::Symbol(",") {
            return self.unsupported("`time_agg` with `first` or `last`");
        }
        self.require(")")?;
        Ok((frequency, start.to(self.past())))
    }
}
