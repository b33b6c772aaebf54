//! Validation, hierarchies and set operators (grammar rules `validationOperators`,
//! `hierarchyOperators`, `setOperators`, `existInAtom`).

use super::{Parsed, Parser};
use crate::ast::{
    Check, CheckDatapoint, Component, Expr, Hierarchy, Ident, Missing, Node, Output, SetOp, Source,
};
use crate::fault::{Code, Fault};
use crate::lexer::Token;

impl Parser<'_> {
    /// `check(operand errorcode … errorlevel … imbalance … all)`.
    pub(super) fn check(&mut self) -> Parsed<Expr> {
        let start = self.span();
        self.at += 2;
        let operand = self.expr()?;
        let error = self.error()?;
        let imbalance = if self.word("imbalance") { Some(self.expr()?) } else { None };
        let output = self.output(Output::All)?;
        if output == Output::AllMeasures {
            self.at -= 1;
            return self.expected("`invalid` or `all`");
        }
        self.require(")")?;
        let check = Check { operand, error, imbalance, output };
        self.node(Node::Check(Box::new(check)), start.to(self.past()))
    }

    fn output(&mut self, default: Output) -> Parsed<Output> {
        let output = match self.token() {
            Token::Word("invalid") => Output::Invalid,
            Token::Word("all") => Output::All,
            Token::Word("all_measures") => Output::AllMeasures,
            _ => return Ok(default),
        };
        self.at += 1;
        Ok(output)
    }

    /// `operand , ruleset`.
    fn ruled(&mut self) -> Parsed<(Expr, Ident)> {
        self.at += 2;
        let operand = self.expr()?;
        self.require(",")?;
        Ok((operand, self.name("the name of a ruleset")?))
    }

    /// `check_datapoint(operand, ruleset components … all)`.
    pub(super) fn check_datapoint(&mut self) -> Parsed<Expr> {
        let start = self.span();
        let (operand, ruleset) = self.ruled()?;
        let components = if self.word("components") { self.list(Self::component)? } else { Vec::new() };
        let output = self.output(Output::Invalid)?;
        self.require(")")?;
        let check = CheckDatapoint { operand, ruleset, components, output };
        self.node(Node::CheckDatapoint(Box::new(check)), start.to(self.past()))
    }

    /// `hierarchy(…)`, or `check_hierarchy(…)` when `check`.
    pub(super) fn hierarchy(&mut self, check: bool) -> Parsed<Expr> {
        let start = self.span();
        let (operand, ruleset) = self.ruled()?;
        let conditions = if self.word("condition") { self.list(Self::component)? } else { Vec::new() };
        let rule = self.rule_component()?;
        let missing = self.missing();
        let source = self.source(check);
        let output = if check { self.output(Output::Invalid)? } else { self.computed() };
        self.require(")")?;
        let hierarchy = Box::new(Hierarchy { operand, ruleset, conditions, rule, missing, source, output });
        let node = if check { Node::CheckHierarchy(hierarchy) } else { Node::Hierarchy(hierarchy) };
        self.node(node, start.to(self.past()))
    }

    /// `rule COMPONENT`; `rule` alone is a source.
    fn rule_component(&mut self) -> Parsed<Option<Component>> {
        if self.token() != Token::Word("rule") || !matches!(self.after(), Token::Name(_)) {
            return Ok(None);
        }
        self.at += 1;
        self.component().map(Some)
    }

    fn missing(&mut self) -> Missing {
        let missing = match self.token() {
            Token::Word("non_null") => Missing::NonNull,
            Token::Word("non_zero") => Missing::NonZero,
            Token::Word("partial_null") => Missing::PartialNull,
            Token::Word("partial_zero") => Missing::PartialZero,
            Token::Word("always_null") => Missing::AlwaysNull,
            Token::Word("always_zero") => Missing::AlwaysZero,
            _ => return Missing::NonNull,
        };
        self.at += 1;
        missing
    }

    fn source(&mut self, check: bool) -> Source {
        let source = match (self.token(), check) {
            (Token::Word("dataset"), _) => Source::Dataset,
            (Token::Word("dataset_priority"), true) => Source::DatasetPriority,
            (Token::Word("rule"), false) => Source::Rule,
            (Token::Word("rule_priority"), false) => Source::RulePriority,
            (_, true) => return Source::Dataset,
            (_, false) => return Source::Rule,
        };
        self.at += 1;
        source
    }

    /// `computed` or `all`.
    fn computed(&mut self) -> Output {
        if self.word("all") {
            return Output::All;
        }
        self.word("computed");
        Output::Invalid
    }

    /// `union(…)` and its like.
    pub(super) fn set(&mut self, op: SetOp) -> Parsed<Expr> {
        let start = self.span();
        self.at += 2;
        let operands = self.list(Self::expr)?;
        self.require(")")?;
        let span = start.to(self.past());
        let many = matches!(op, SetOp::Union | SetOp::Intersect);
        if operands.len() < 2 || (operands.len() > 2 && !many) {
            let wanted = if many { "at least 2" } else { "2" };
            let message = format!("`{}` takes {wanted} operands, found {}", op.name(), operands.len());
            return self.fault(Fault::new(Code::Syntax, span, message));
        }
        self.node(Node::Set(op, operands), span)
    }

    /// `exists_in(left, right, all)`.
    pub(super) fn exists_in(&mut self) -> Parsed<Expr> {
        let start = self.span();
        self.at += 2;
        let left = self.expr()?;
        self.require(",")?;
        let right = self.expr()?;
        let mut retain = None;
        if self.eat(",") {
            retain = match self.token() {
                Token::Word("true") => Some(true),
                Token::Word("false") => Some(false),
                Token::Word("all") => None,
                _ => return self.expected("`true`, `false` or `all`"),
            };
            self.at += 1;
        }
        self.require(")")?;
        let span = start.to(self.past());
        self.node(Node::ExistsIn(Box::new(left), Box::new(right), retain), span)
    }
}
