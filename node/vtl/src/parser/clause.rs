//! Clauses between square brackets (grammar rule `datasetClause`).

use super::{ParseResult, Parser};
use crate::ast::{Assignment, Clause, ComponentRef, Expr, ExprNode};
use crate::lexer::Token;

impl Parser<'_> {
    /// Parses the clause of `operand [ clause ]`.
    pub(super) fn parse_clause(&mut self, operand: Expr) -> ParseResult<Expr> {
        self.position += 1;
        let clause = match self.current_token() {
            Token::Word("filter") => self.parse_filter()?,
            Token::Word("calc") => self.parse_calc()?,
            Token::Word("keep") => self.parse_keep()?,
            Token::Word("drop") => self.parse_drop()?,
            Token::Word("rename") => self.parse_rename()?,
            Token::Word("sub") => self.parse_sub()?,
            Token::Word("aggr") => self.parse_aggr()?,
            Token::Word(word @ ("pivot" | "unpivot")) => self.parse_pivot(word == "pivot")?,
            _ => {
                return self.report_expected(
                    "`filter`, `calc`, `keep`, `drop`, `rename`, `sub`, `aggr`, `pivot` or `unpivot`",
                );
            }
        };
        self.expect_symbol("]")?;
        let span = operand.span.to(self.previous_span());
        self.build_node(ExprNode::Clause(Box::new(operand), Box::new(clause)), span)
    }

    pub(super) fn parse_filter(&mut self) -> ParseResult<Clause> {
        self.position += 1;
        Ok(Clause::Filter(self.parse_expr()?))
    }

    pub(super) fn parse_calc(&mut self) -> ParseResult<Clause> {
        self.position += 1;
        Ok(Clause::Calc(self.parse_list(Self::parse_assignment)?))
    }

    pub(super) fn parse_keep(&mut self) -> ParseResult<Clause> {
        self.position += 1;
        Ok(Clause::Keep(self.parse_list(Self::parse_component)?))
    }

    pub(super) fn parse_drop(&mut self) -> ParseResult<Clause> {
        self.position += 1;
        Ok(Clause::Drop(self.parse_list(Self::parse_component)?))
    }

    pub(super) fn parse_rename(&mut self) -> ParseResult<Clause> {
        self.position += 1;
        let pair = |parser: &mut Self| -> ParseResult<(ComponentRef, ComponentRef)> {
            let from = parser.parse_component()?;
            parser.expect_word("to")?;
            Ok((from, parser.parse_component()?))
        };
        Ok(Clause::Rename(self.parse_list(pair)?))
    }

    fn parse_sub(&mut self) -> ParseResult<Clause> {
        self.position += 1;
        let item = |parser: &mut Self| -> ParseResult<(ComponentRef, Expr)> {
            let component = parser.parse_component()?;
            parser.expect_symbol("=")?;
            let value = if matches!(parser.current_token(), Token::Name(_)) {
                parser.parse_prefix()
            } else {
                parser.parse_literal()
            };
            Ok((component, value?))
        };
        Ok(Clause::Sub(self.parse_list(item)?))
    }

    /// Parses `pivot identifier, measure` or `unpivot identifier, measure`.
    fn parse_pivot(&mut self, pivot: bool) -> ParseResult<Clause> {
        self.position += 1;
        let identifier = self.parse_component()?;
        self.expect_symbol(",")?;
        let measure = self.parse_component()?;
        Ok(if pivot { Clause::Pivot(identifier, measure) } else { Clause::Unpivot(identifier, measure) })
    }

    pub(super) fn parse_aggr(&mut self) -> ParseResult<Clause> {
        self.position += 1;
        let items = self.parse_list(Self::parse_assignment)?;
        let (grouping, having) = self.parse_grouping()?;
        Ok(Clause::Aggr { items, grouping, having })
    }

    /// Parses `role target := expr`.
    fn parse_assignment(&mut self) -> ParseResult<Assignment> {
        let role = self.parse_role()?.flatten();
        let target = self.parse_component()?;
        self.expect_symbol(":=")?;
        Ok(Assignment { role, target, expr: self.parse_expr()? })
    }
}
