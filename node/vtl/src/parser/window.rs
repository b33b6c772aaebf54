//! Analytic invocations (grammar rules `anFunction`, `anFunctionComponent`).

use super::{ParseResult, Parser};
use crate::ast::{
    AnalyticInvocation, ComponentRef, Expr, ExprNode, GroupingMode, WindowLimit, WindowingClause,
};
use crate::diagnostic::Span;
use crate::lexer::Token;
use crate::op::AnalyticOp;

impl Parser<'_> {
    /// `first_value(…)`, `lag(…)`, `rank(…)`, `ratio_to_report(…)` and their like.
    pub(super) fn analytic(&mut self, op: AnalyticOp) -> ParseResult<Expr> {
        let start = self.span();
        self.at += 2;
        let operand = if op == AnalyticOp::Rank { None } else { Some(self.expr()?) };
        let (mut offset, mut default) = (None, None);
        if matches!(op, AnalyticOp::Lag | AnalyticOp::Lead) && self.eat(",") {
            offset = Some(self.quantity()?);
            if self.eat(",") {
                default = Some(self.scalar()?);
            }
        }
        self.require_word("over")?;
        let window = AnalyticInvocation {
            op,
            operand,
            offset,
            default,
            partition: None,
            order: Vec::new(),
            frame: None,
        };
        self.over(window, start)
    }

    /// After `sum(… over`.
    pub(super) fn aggregate_over(&mut self, op: AnalyticOp, operand: Expr, start: Span) -> ParseResult<Expr> {
        let window = AnalyticInvocation {
            op,
            operand: Some(operand),
            offset: None,
            default: None,
            partition: None,
            order: Vec::new(),
            frame: None,
        };
        self.over(window, start)
    }

    /// After `over`: `(partition by … order by … data points between … and …))`.
    fn over(&mut self, mut window: AnalyticInvocation, start: Span) -> ParseResult<Expr> {
        self.require("(")?;
        if self.word("partition") {
            window.partition = Some(self.partition()?);
        }
        if self.word("order") {
            self.require_word("by")?;
            window.order = self.list(Self::order_item)?;
        }
        window.frame = self.frame()?;
        self.require(")")?;
        self.require(")")?;
        let span = start.to(self.past());
        self.node(ExprNode::Window(Box::new(window)), span)
    }

    fn order_item(&mut self) -> ParseResult<(ComponentRef, bool)> {
        let component = self.component()?;
        let down = self.word("desc");
        if !down {
            self.word("asc");
        }
        Ok((component, down))
    }

    fn partition(&mut self) -> ParseResult<(GroupingMode, Vec<ComponentRef>)> {
        let mode = match self.token() {
            Token::Word("by") => GroupingMode::By,
            Token::Word("except") => GroupingMode::Except,
            _ => return self.expected("`by` or `except`"),
        };
        self.at += 1;
        if mode == GroupingMode::Except && self.word("all") {
            return Ok((GroupingMode::All, Vec::new()));
        }
        Ok((mode, self.list(Self::component)?))
    }

    fn frame(&mut self) -> ParseResult<Option<WindowingClause>> {
        let range = self.word("range");
        if !range {
            if !self.word("data") {
                return Ok(None);
            }
            self.require_word("points")?;
        }
        self.require_word("between")?;
        let from = self.limit()?;
        self.require_word("and")?;
        Ok(Some(WindowingClause { range, from, to: self.limit()? }))
    }

    fn limit(&mut self) -> ParseResult<WindowLimit> {
        if self.word("current") {
            self.require_word("data")?;
            self.require_word("point")?;
            return Ok(WindowLimit::Current);
        }
        let count = if self.word("unbounded") { None } else { Some(self.quantity()?) };
        let before = match self.token() {
            Token::Word("preceding") => true,
            Token::Word("following") => false,
            _ => return self.expected("`preceding` or `following`"),
        };
        self.at += 1;
        Ok(match (count, before) {
            (None, true) => WindowLimit::First,
            (None, false) => WindowLimit::Last,
            (Some(count), true) => WindowLimit::Before(count),
            (Some(count), false) => WindowLimit::After(count),
        })
    }

    /// A literal number or the name of a scalar.
    pub(super) fn quantity(&mut self) -> ParseResult<Expr> {
        match self.token() {
            Token::Name(_) => {
                let name = self.name("the name of a scalar")?;
                self.node(ExprNode::Name(name.text), name.span)
            }
            Token::Symbol("-" | "+") | Token::Integer(_) | Token::Number(_) => self.scalar(),
            _ => self.expected("a whole number or the name of a scalar"),
        }
    }
}
