//! Analytic invocations (grammar rules `anFunction`, `anFunctionComponent`).

use super::{ParseResult, Parser};
use crate::ast::{
    AnalyticInvocation, ComponentRef, Expr, ExprNode, GroupingMode, WindowLimit, WindowingClause,
};
use crate::diagnostic::Span;
use crate::lexer::Token;
use crate::op::AnalyticOp;

impl Parser<'_> {
    /// Parses `first_value(…)`, `lag(…)`, `rank(…)`, `ratio_to_report(…)` and the like.
    pub(super) fn parse_analytic(&mut self, op: AnalyticOp) -> ParseResult<Expr> {
        let start = self.current_span();
        self.position += 2;
        let operand = if op == AnalyticOp::Rank { None } else { Some(self.parse_expr()?) };
        let (mut offset, mut default) = (None, None);
        if matches!(op, AnalyticOp::Lag | AnalyticOp::Lead) && self.eat_symbol(",") {
            offset = Some(self.parse_quantity()?);
            if self.eat_symbol(",") {
                default = Some(self.parse_literal()?);
            }
        }
        self.expect_word("over")?;
        let window = AnalyticInvocation {
            op,
            operand,
            offset,
            default,
            partition: None,
            order: Vec::new(),
            frame: None,
        };
        self.parse_over_clause(window, start)
    }

    /// Parses the rest of an aggregate over a window, after `over`.
    pub(super) fn parse_aggregate_over(
        &mut self,
        op: AnalyticOp,
        operand: Expr,
        start: Span,
    ) -> ParseResult<Expr> {
        let window = AnalyticInvocation {
            op,
            operand: Some(operand),
            offset: None,
            default: None,
            partition: None,
            order: Vec::new(),
            frame: None,
        };
        self.parse_over_clause(window, start)
    }

    /// Parses `(partition by … order by … data points between … and …)` and the closing bracket.
    fn parse_over_clause(&mut self, mut window: AnalyticInvocation, start: Span) -> ParseResult<Expr> {
        self.expect_symbol("(")?;
        if self.eat_word("partition") {
            window.partition = Some(self.parse_partition()?);
        }
        if self.eat_word("order") {
            self.expect_word("by")?;
            window.order = self.parse_list(Self::parse_order_item)?;
        }
        window.frame = self.parse_windowing_clause()?;
        self.expect_symbol(")")?;
        self.expect_symbol(")")?;
        let span = start.to(self.previous_span());
        self.build_node(ExprNode::Window(Box::new(window)), span)
    }

    fn parse_order_item(&mut self) -> ParseResult<(ComponentRef, bool)> {
        let component = self.parse_component()?;
        let down = self.eat_word("desc");
        if !down {
            self.eat_word("asc");
        }
        Ok((component, down))
    }

    fn parse_partition(&mut self) -> ParseResult<(GroupingMode, Vec<ComponentRef>)> {
        let mode = match self.current_token() {
            Token::Word("by") => GroupingMode::By,
            Token::Word("except") => GroupingMode::Except,
            _ => return self.report_expected("`by` or `except`"),
        };
        self.position += 1;
        if mode == GroupingMode::Except && self.eat_word("all") {
            return Ok((GroupingMode::All, Vec::new()));
        }
        Ok((mode, self.parse_list(Self::parse_component)?))
    }

    fn parse_windowing_clause(&mut self) -> ParseResult<Option<WindowingClause>> {
        let range = self.eat_word("range");
        if !range {
            if !self.eat_word("data") {
                return Ok(None);
            }
            self.expect_word("points")?;
        }
        self.expect_word("between")?;
        let from = self.parse_window_limit()?;
        self.expect_word("and")?;
        Ok(Some(WindowingClause { range, from, to: self.parse_window_limit()? }))
    }

    fn parse_window_limit(&mut self) -> ParseResult<WindowLimit> {
        if self.eat_word("current") {
            self.expect_word("data")?;
            self.expect_word("point")?;
            return Ok(WindowLimit::Current);
        }
        let count = if self.eat_word("unbounded") { None } else { Some(self.parse_quantity()?) };
        let before = match self.current_token() {
            Token::Word("preceding") => true,
            Token::Word("following") => false,
            _ => return self.report_expected("`preceding` or `following`"),
        };
        self.position += 1;
        Ok(match (count, before) {
            (None, true) => WindowLimit::First,
            (None, false) => WindowLimit::Last,
            (Some(count), true) => WindowLimit::Before(count),
            (Some(count), false) => WindowLimit::After(count),
        })
    }

    /// Parses a literal number or the name of a scalar.
    pub(super) fn parse_quantity(&mut self) -> ParseResult<Expr> {
        match self.current_token() {
            Token::Name(_) => {
                let name = self.parse_name("the name of a scalar")?;
                self.build_node(ExprNode::Name(name.text), name.span)
            }
            Token::Symbol("-" | "+") | Token::Integer(_) | Token::Number(_) => self.parse_literal(),
            _ => self.report_expected("a whole number or the name of a scalar"),
        }
    }
}
