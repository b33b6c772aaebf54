//! Joins and the clauses inside them (grammar rules `joinOperators`, `joinBody`).

use schemas::table::Cell;

use super::{ParseResult, Parser};
use crate::ast::{Clause, ComponentRef, Expr, ExprNode, Ident, JoinCall, JoinType};
use crate::lexer::Token;

impl Parser<'_> {
    /// `inner_join(a as x, b as y using … filter … calc … keep … rename …)`.
    pub(super) fn join(&mut self, join_type: JoinType) -> ParseResult<Expr> {
        let start = self.span();
        self.at += 1;
        self.require("(")?;
        let operands = self.list(Self::operand)?;
        let mut using = None;
        let mut fallbacks = Vec::new();
        if join_type != JoinType::Cross && self.word("using") {
            using = Some(self.keys()?);
            while join_type != JoinType::Inner && self.token() == Token::Symbol(",") {
                fallbacks.push(self.fallback()?);
            }
        }
        let clauses = self.body()?;
        self.require(")")?;
        let span = start.to(self.past());
        self.node(ExprNode::Join(Box::new(JoinCall { join_type, operands, using, fallbacks, clauses })), span)
    }

    fn operand(&mut self) -> ParseResult<(Expr, Option<Ident>)> {
        let operand = self.expr()?;
        let alias = if self.word("as") { Some(self.name("an alias name")?) } else { None };
        Ok((operand, alias))
    }

    /// The components of `using`; a comma before `nvl` ends them.
    fn keys(&mut self) -> ParseResult<Vec<ComponentRef>> {
        let mut keys = vec![self.component()?];
        while self.token() == Token::Symbol(",") && self.after() != Token::Word("nvl") {
            self.at += 1;
            keys.push(self.component()?);
        }
        Ok(keys)
    }

    /// `, nvl(component, value)`.
    fn fallback(&mut self) -> ParseResult<(ComponentRef, Option<Cell>)> {
        self.require(",")?;
        self.require_word("nvl")?;
        self.require("(")?;
        let component = self.component()?;
        self.require(",")?;
        let value = self.constant()?;
        self.require(")")?;
        Ok((component, value))
    }

    /// The clauses in the order that the grammar fixes.
    fn body(&mut self) -> ParseResult<Vec<Clause>> {
        let mut clauses = Vec::new();
        if self.token() == Token::Word("filter") {
            clauses.push(self.filter()?);
        }
        match self.token() {
            Token::Word("calc") => clauses.push(self.calc()?),
            Token::Word("aggr") => clauses.push(self.aggr()?),
            Token::Word("apply") => {
                self.at += 1;
                clauses.push(Clause::Apply(self.expr()?));
            }
            _ => {}
        }
        match self.token() {
            Token::Word("keep") => clauses.push(self.keep()?),
            Token::Word("drop") => clauses.push(self.discard()?),
            _ => {}
        }
        if self.token() == Token::Word("rename") {
            clauses.push(self.rename()?);
        }
        Ok(clauses)
    }
}
