//! Validation, hierarchies and set operators (grammar rules `validationOperators`,
//! `hierarchyOperators`, `setOperators`, `existInAtom`).

use super::{ParseResult, Parser};
use crate::ast::{
    CheckCall, CheckDatapointCall, ComponentRef, Expr, ExprNode, HierarchyCall, HierarchyInput,
    HierarchyMode, Ident, SetOp, ValidationOutput,
};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::lexer::Token;

impl Parser<'_> {
    /// `check(operand errorcode … errorlevel … imbalance … all)`.
    pub(super) fn check(&mut self) -> ParseResult<Expr> {
        let start = self.span();
        self.at += 2;
        let operand = self.expr()?;
        let error = self.error()?;
        let imbalance = if self.word("imbalance") { Some(self.expr()?) } else { None };
        let output = self.output(ValidationOutput::All)?;
        if output == ValidationOutput::AllMeasures {
            self.at -= 1;
            return self.expected("`invalid` or `all`");
        }
        self.require(")")?;
        let check = CheckCall { operand, error, imbalance, output };
        self.node(ExprNode::Check(Box::new(check)), start.to(self.past()))
    }

    fn output(&mut self, default: ValidationOutput) -> ParseResult<ValidationOutput> {
        let output = match self.token() {
            Token::Word("invalid") => ValidationOutput::Invalid,
            Token::Word("all") => ValidationOutput::All,
            Token::Word("all_measures") => ValidationOutput::AllMeasures,
            _ => return Ok(default),
        };
        self.at += 1;
        Ok(output)
    }

    /// `operand , ruleset`.
    fn ruled(&mut self) -> ParseResult<(Expr, Ident)> {
        self.at += 2;
        let operand = self.expr()?;
        self.require(",")?;
        Ok((operand, self.name("the name of a ruleset")?))
    }

    /// `check_datapoint(operand, ruleset components … all)`.
    pub(super) fn check_datapoint(&mut self) -> ParseResult<Expr> {
        let start = self.span();
        let (operand, ruleset) = self.ruled()?;
        let components = if self.word("components") { self.list(Self::component)? } else { Vec::new() };
        let output = self.output(ValidationOutput::Invalid)?;
        self.require(")")?;
        let check = CheckDatapointCall { operand, ruleset, components, output };
        self.node(ExprNode::CheckDatapoint(Box::new(check)), start.to(self.past()))
    }

    /// `hierarchy(…)`, or `check_hierarchy(…)` when `check`.
    pub(super) fn hierarchy(&mut self, check: bool) -> ParseResult<Expr> {
        let start = self.span();
        let (operand, ruleset) = self.ruled()?;
        let conditions = if self.word("condition") { self.list(Self::component)? } else { Vec::new() };
        let rule = self.rule_component()?;
        let missing = self.missing();
        let source = self.source(check);
        let output = if check { self.output(ValidationOutput::Invalid)? } else { self.computed() };
        self.require(")")?;
        let hierarchy =
            Box::new(HierarchyCall { operand, ruleset, conditions, rule, missing, source, output });
        let node = if check { ExprNode::CheckHierarchy(hierarchy) } else { ExprNode::Hierarchy(hierarchy) };
        self.node(node, start.to(self.past()))
    }

    /// `rule COMPONENT`; `rule` alone is a source.
    fn rule_component(&mut self) -> ParseResult<Option<ComponentRef>> {
        if self.token() != Token::Word("rule") || !matches!(self.after(), Token::Name(_)) {
            return Ok(None);
        }
        self.at += 1;
        self.component().map(Some)
    }

    fn missing(&mut self) -> HierarchyMode {
        let missing = match self.token() {
            Token::Word("non_null") => HierarchyMode::NonNull,
            Token::Word("non_zero") => HierarchyMode::NonZero,
            Token::Word("partial_null") => HierarchyMode::PartialNull,
            Token::Word("partial_zero") => HierarchyMode::PartialZero,
            Token::Word("always_null") => HierarchyMode::AlwaysNull,
            Token::Word("always_zero") => HierarchyMode::AlwaysZero,
            _ => return HierarchyMode::NonNull,
        };
        self.at += 1;
        missing
    }

    fn source(&mut self, check: bool) -> HierarchyInput {
        let source = match (self.token(), check) {
            (Token::Word("dataset"), _) => HierarchyInput::Dataset,
            (Token::Word("dataset_priority"), true) => HierarchyInput::DatasetPriority,
            (Token::Word("rule"), false) => HierarchyInput::Rule,
            (Token::Word("rule_priority"), false) => HierarchyInput::RulePriority,
            (_, true) => return HierarchyInput::Dataset,
            (_, false) => return HierarchyInput::Rule,
        };
        self.at += 1;
        source
    }

    /// `computed` or `all`.
    fn computed(&mut self) -> ValidationOutput {
        if self.word("all") {
            return ValidationOutput::All;
        }
        self.word("computed");
        ValidationOutput::Invalid
    }

    /// `union(…)` and its like.
    pub(super) fn set(&mut self, op: SetOp) -> ParseResult<Expr> {
        let start = self.span();
        self.at += 2;
        let operands = self.list(Self::expr)?;
        self.require(")")?;
        let span = start.to(self.past());
        let many = matches!(op, SetOp::Union | SetOp::Intersect);
        if operands.len() < 2 || (operands.len() > 2 && !many) {
            let wanted = if many { "at least 2" } else { "2" };
            let message = format!("`{}` takes {wanted} operands, found {}", op.name(), operands.len());
            return self.fault(Diagnostic::new(DiagnosticCode::Syntax, span, message));
        }
        self.node(ExprNode::Set(op, operands), span)
    }

    /// `exists_in(left, right, all)`.
    pub(super) fn exists_in(&mut self) -> ParseResult<Expr> {
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
        self.node(ExprNode::ExistsIn(Box::new(left), Box::new(right), retain), span)
    }
}
