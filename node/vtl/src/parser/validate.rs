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
    /// Parses `check(operand errorcode … errorlevel … imbalance … all)`.
    pub(super) fn parse_check(&mut self) -> ParseResult<Expr> {
        let start = self.current_span();
        self.position += 2;
        let operand = self.parse_expr()?;
        let error = self.parse_error_labels()?;
        let imbalance = if self.eat_word("imbalance") { Some(self.parse_expr()?) } else { None };
        let output = self.parse_validation_output(ValidationOutput::All)?;
        if output == ValidationOutput::AllMeasures {
            // Steps back so that the error points at `all_measures`, which `check` does not have.
            self.position -= 1;
            return self.report_expected("`invalid` or `all`");
        }
        self.expect_symbol(")")?;
        let check = CheckCall { operand, error, imbalance, output };
        self.build_node(ExprNode::Check(Box::new(check)), start.to(self.previous_span()))
    }

    fn parse_validation_output(&mut self, default: ValidationOutput) -> ParseResult<ValidationOutput> {
        let output = match self.current_token() {
            Token::Word("invalid") => ValidationOutput::Invalid,
            Token::Word("all") => ValidationOutput::All,
            Token::Word("all_measures") => ValidationOutput::AllMeasures,
            _ => return Ok(default),
        };
        self.position += 1;
        Ok(output)
    }

    /// Parses `operand, ruleset` after the opening bracket.
    fn parse_operand_and_ruleset(&mut self) -> ParseResult<(Expr, Ident)> {
        self.position += 2;
        let operand = self.parse_expr()?;
        self.expect_symbol(",")?;
        Ok((operand, self.parse_name("the name of a ruleset")?))
    }

    /// Parses `check_datapoint(operand, ruleset components … all)`.
    pub(super) fn parse_check_datapoint(&mut self) -> ParseResult<Expr> {
        let start = self.current_span();
        let (operand, ruleset) = self.parse_operand_and_ruleset()?;
        let components =
            if self.eat_word("components") { self.parse_list(Self::parse_component)? } else { Vec::new() };
        let output = self.parse_validation_output(ValidationOutput::Invalid)?;
        self.expect_symbol(")")?;
        let check = CheckDatapointCall { operand, ruleset, components, output };
        self.build_node(ExprNode::CheckDatapoint(Box::new(check)), start.to(self.previous_span()))
    }

    /// Parses `hierarchy(…)`, or `check_hierarchy(…)` when `check`.
    pub(super) fn parse_hierarchy(&mut self, check: bool) -> ParseResult<Expr> {
        let start = self.current_span();
        let (operand, ruleset) = self.parse_operand_and_ruleset()?;
        let conditions =
            if self.eat_word("condition") { self.parse_list(Self::parse_component)? } else { Vec::new() };
        let rule = self.parse_rule_component()?;
        let missing = self.parse_hierarchy_mode();
        let source = self.parse_hierarchy_input(check);
        let output = if check {
            self.parse_validation_output(ValidationOutput::Invalid)?
        } else {
            self.parse_hierarchy_output()
        };
        self.expect_symbol(")")?;
        let hierarchy =
            Box::new(HierarchyCall { operand, ruleset, conditions, rule, missing, source, output });
        let node = if check { ExprNode::CheckHierarchy(hierarchy) } else { ExprNode::Hierarchy(hierarchy) };
        self.build_node(node, start.to(self.previous_span()))
    }

    /// Parses an optional `rule COMPONENT`; a lone `rule` is the input mode.
    fn parse_rule_component(&mut self) -> ParseResult<Option<ComponentRef>> {
        if self.current_token() != Token::Word("rule") || !matches!(self.next_token(), Token::Name(_)) {
            return Ok(None);
        }
        self.position += 1;
        self.parse_component().map(Some)
    }

    fn parse_hierarchy_mode(&mut self) -> HierarchyMode {
        let missing = match self.current_token() {
            Token::Word("non_null") => HierarchyMode::NonNull,
            Token::Word("non_zero") => HierarchyMode::NonZero,
            Token::Word("partial_null") => HierarchyMode::PartialNull,
            Token::Word("partial_zero") => HierarchyMode::PartialZero,
            Token::Word("always_null") => HierarchyMode::AlwaysNull,
            Token::Word("always_zero") => HierarchyMode::AlwaysZero,
            _ => return HierarchyMode::NonNull,
        };
        self.position += 1;
        missing
    }

    fn parse_hierarchy_input(&mut self, check: bool) -> HierarchyInput {
        let source = match (self.current_token(), check) {
            (Token::Word("dataset"), _) => HierarchyInput::Dataset,
            (Token::Word("dataset_priority"), true) => HierarchyInput::DatasetPriority,
            (Token::Word("rule"), false) => HierarchyInput::Rule,
            (Token::Word("rule_priority"), false) => HierarchyInput::RulePriority,
            (_, true) => return HierarchyInput::Dataset,
            (_, false) => return HierarchyInput::Rule,
        };
        self.position += 1;
        source
    }

    /// Parses the optional `computed` or `all`.
    fn parse_hierarchy_output(&mut self) -> ValidationOutput {
        if self.eat_word("all") {
            return ValidationOutput::All;
        }
        self.eat_word("computed");
        ValidationOutput::Invalid
    }

    /// Parses a set operator such as `union(…)`.
    pub(super) fn parse_set_operator(&mut self, op: SetOp) -> ParseResult<Expr> {
        let start = self.current_span();
        self.position += 2;
        let operands = self.parse_list(Self::parse_expr)?;
        self.expect_symbol(")")?;
        let span = start.to(self.previous_span());
        let many = matches!(op, SetOp::Union | SetOp::Intersect);
        if operands.len() < 2 || (operands.len() > 2 && !many) {
            let wanted = if many { "at least 2" } else { "2" };
            let message = format!("`{}` takes {wanted} operands, found {}", op.name(), operands.len());
            return self.report_error(Diagnostic::new(DiagnosticCode::Syntax, span, message));
        }
        self.build_node(ExprNode::Set(op, operands), span)
    }

    /// Parses `exists_in(left, right, all)`.
    pub(super) fn parse_exists_in(&mut self) -> ParseResult<Expr> {
        let start = self.current_span();
        self.position += 2;
        let left = self.parse_expr()?;
        self.expect_symbol(",")?;
        let right = self.parse_expr()?;
        let mut retain = None;
        if self.eat_symbol(",") {
            retain = match self.current_token() {
                Token::Word("true") => Some(true),
                Token::Word("false") => Some(false),
                Token::Word("all") => None,
                _ => return self.report_expected("`true`, `false` or `all`"),
            };
            self.position += 1;
        }
        self.expect_symbol(")")?;
        let span = start.to(self.previous_span());
        self.build_node(ExprNode::ExistsIn(Box::new(left), Box::new(right), retain), span)
    }
}
