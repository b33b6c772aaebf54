//! Joins and the clauses inside them (grammar rules `joinOperators`, `joinBody`).

use schemas::table::Cell;

use super::{ParseResult, Parser};
use crate::ast::{Clause, ComponentRef, Expr, ExprNode, Ident, JoinCall, JoinType};
use crate::lexer::Token;

impl Parser<'_> {
    /// Parses `inner_join(a as x, b as y using … filter … calc … keep … rename …)`.
    pub(super) fn parse_join(&mut self, join_type: JoinType) -> ParseResult<Expr> {
        let start = self.current_span();
        self.position += 1;
        self.expect_symbol("(")?;
        let operands = self.parse_list(Self::parse_join_operand)?;
        let mut using = None;
        let mut fallbacks = Vec::new();
        // A cross join has no keys; `nvl` only makes sense where data points may lack an identifier.
        if join_type != JoinType::Cross && self.eat_word("using") {
            using = Some(self.parse_using()?);
            while join_type != JoinType::Inner && self.current_token() == Token::Symbol(",") {
                fallbacks.push(self.parse_nvl_fallback()?);
            }
        }
        let clauses = self.parse_join_clauses()?;
        self.expect_symbol(")")?;
        let span = start.to(self.previous_span());
        self.build_node(
            ExprNode::Join(Box::new(JoinCall { join_type, operands, using, fallbacks, clauses })),
            span,
        )
    }

    fn parse_join_operand(&mut self) -> ParseResult<(Expr, Option<Ident>)> {
        let operand = self.parse_expr()?;
        let alias = if self.eat_word("as") { Some(self.parse_name("an alias name")?) } else { None };
        Ok((operand, alias))
    }

    /// Parses the components of `using`; a comma before `nvl` ends the list.
    fn parse_using(&mut self) -> ParseResult<Vec<ComponentRef>> {
        let mut keys = vec![self.parse_component()?];
        while self.current_token() == Token::Symbol(",") && self.next_token() != Token::Word("nvl") {
            self.position += 1;
            keys.push(self.parse_component()?);
        }
        Ok(keys)
    }

    /// Parses `, nvl(component, value)`.
    fn parse_nvl_fallback(&mut self) -> ParseResult<(ComponentRef, Option<Cell>)> {
        self.expect_symbol(",")?;
        self.expect_word("nvl")?;
        self.expect_symbol("(")?;
        let component = self.parse_component()?;
        self.expect_symbol(",")?;
        let value = self.parse_constant()?;
        self.expect_symbol(")")?;
        Ok((component, value))
    }

    /// Parses the clauses in the order that the grammar rule `joinBody` fixes.
    fn parse_join_clauses(&mut self) -> ParseResult<Vec<Clause>> {
        let mut clauses = Vec::new();
        if self.current_token() == Token::Word("filter") {
            clauses.push(self.parse_filter()?);
        }
        match self.current_token() {
            Token::Word("calc") => clauses.push(self.parse_calc()?),
            Token::Word("aggr") => clauses.push(self.parse_aggr()?),
            Token::Word("apply") => {
                self.position += 1;
                clauses.push(Clause::Apply(self.parse_expr()?));
            }
            _ => {}
        }
        match self.current_token() {
            Token::Word("keep") => clauses.push(self.parse_keep()?),
            Token::Word("drop") => clauses.push(self.parse_drop()?),
            _ => {}
        }
        if self.current_token() == Token::Word("rename") {
            clauses.push(self.parse_rename()?);
        }
        Ok(clauses)
    }
}
