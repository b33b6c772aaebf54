//! Joins and the clauses inside them (grammar rules `joinOperators`, `joinBody`).

use super::{Parsed, Parser};
use crate::ast::{Clause, Expr, Ident, Join, Node};
use crate::lexer::Token;

impl Parser<'_> {
    /// `inner_join(a as x, b as y using … filter … calc … keep … rename …)`.
    pub(super) fn join(&mut self) -> Parsed<Expr> {
        let start = self.span();
        let left = self.token() == Token::Word("left_join");
        self.at += 1;
        self.require("(")?;
        let operands = self.list(Self::operand)?;
        let using = if self.word("using") { Some(self.list(Self::component)?) } else { None };
        let clauses = self.body()?;
        self.require(")")?;
        let span = start.to(self.past());
        self.node(Node::Join(Box::new(Join { left, operands, using, clauses })), span)
    }

    fn operand(&mut self) -> Parsed<(Expr, Option<Ident>)> {
        let operand = self.expr()?;
        let alias = if self.word("as") { Some(self.name("an alias name")?) } else { None };
        Ok((operand, alias))
    }

    /// The clauses in the order that the grammar fixes.
    fn body(&mut self) -> Parsed<Vec<Clause>> {
        let mut clauses = Vec::new();
        if self.token() == Token::Symbol(",") {
            return self.unsupported("`nvl` in a join");
        }
        if self.token() == Token::Word("filter") {
            clauses.push(self.filter()?);
        }
        match self.token() {
            Token::Word("calc") => clauses.push(self.calc()?),
            Token::Word("aggr") => clauses.push(self.aggr()?),
            Token::Word("apply") => return self.unsupported("`apply`"),
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
