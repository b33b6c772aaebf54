//! Analytic invocations (grammar rules `anFunction`, `anFunctionComponent`).

use super::{Parsed, Parser};
use crate::ast::{Component, Expr, Frame, Limit, Mode, Node, Window};
use crate::fault::Span;
use crate::lexer::Token;
use crate::op::Analytic;

impl Parser<'_> {
    /// `first_value(…)`, `lag(…)`, `rank(…)`, `ratio_to_report(…)` and their like.
    pub(super) fn analytic(&mut self, op: Analytic) -> Parsed<Expr> {
        let start = self.span();
        self.at += 2;
        let operand = if op == Analytic::Rank { None } else { Some(self.expr()?) };
        let (mut offset, mut default) = (None, None);
        if matches!(op, Analytic::Lag | Analytic::Lead) && self.eat(",") {
            offset = Some(self.quantity()?);
            if self.eat(",") {
                default = Some(self.scalar()?);
            }
        }
        self.require_word("over")?;
        let window = Window { op, operand, offset, default, partition: None, order: Vec::new(), frame: None };
        self.over(window, start)
    }

    /// After `sum(… over`.
    pub(super) fn aggregate_over(&mut self, op: Analytic, operand: Expr, start: Span) -> Parsed<Expr> {
        let window = Window {
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
    fn over(&mut self, mut window: Window, start: Span) -> Parsed<Expr> {
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
        self.node(Node::Window(Box::new(window)), span)
    }

    fn order_item(&mut self) -> Parsed<(Component, bool)> {
        let component = self.component()?;
        let down = self.word("desc");
        if !down {
            self.word("asc");
        }
        Ok((component, down))
    }

    fn partition(&mut self) -> Parsed<(Mode, Vec<Component>)> {
        let mode = match self.token() {
            Token::Word("by") => Mode::By,
            Token::Word("except") => Mode::Except,
            _ => return self.expected("`by` or `except`"),
        };
        self.at += 1;
        if mode == Mode::Except && self.word("all") {
            return Ok((Mode::All, Vec::new()));
        }
        Ok((mode, self.list(Self::component)?))
    }

    fn frame(&mut self) -> Parsed<Option<Frame>> {
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
        Ok(Some(Frame { range, from, to: self.limit()? }))
    }

    fn limit(&mut self) -> Parsed<Limit> {
        if self.word("current") {
            self.require_word("data")?;
            self.require_word("point")?;
            return Ok(Limit::Current);
        }
        let count = if self.word("unbounded") { None } else { Some(self.quantity()?) };
        let before = match self.token() {
            Token::Word("preceding") => true,
            Token::Word("following") => false,
            _ => return self.expected("`preceding` or `following`"),
        };
        self.at += 1;
        Ok(match (count, before) {
            (None, true) => Limit::First,
            (None, false) => Limit::Last,
            (Some(count), true) => Limit::Before(count),
            (Some(count), false) => Limit::After(count),
        })
    }

    /// A literal number or the name of a scalar.
    pub(super) fn quantity(&mut self) -> Parsed<Expr> {
        match self.token() {
            Token::Name(_) => {
                let name = self.name("the name of a scalar")?;
                self.node(Node::Name(name.text), name.span)
            }
            Token::Symbol("-" | "+") | Token::Integer(_) | Token::Number(_) => self.scalar(),
            _ => self.expected("a whole number or the name of a scalar"),
        }
    }
}
