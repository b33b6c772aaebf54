//! Clauses between square brackets (grammar rule `datasetClause`).

use super::{ParseResult, Parser};
use crate::ast::{Assignment, Clause, ComponentRef, Expr, ExprNode};
use crate::lexer::Token;

impl Parser<'_> {
    /// `operand [ clause ]`.
    pub(super) fn clause(&mut self, operand: Expr) -> ParseResult<Expr> {
        self.at += 1;
        let clause = match self.token() {
            Token::Word("filter") => self.filter()?,
            Token::Word("calc") => self.calc()?,
            Token::Word("keep") => self.keep()?,
            Token::Word("drop") => self.discard()?,
            Token::Word("rename") => self.rename()?,
            Token::Word("sub") => self.subspace()?,
            Token::Word("aggr") => self.aggr()?,
            Token::Word(word @ ("pivot" | "unpivot")) => self.turned(word == "pivot")?,
            _ => {
                return self.expected(
                    "`filter`, `calc`, `keep`, `drop`, `rename`, `sub`, `aggr`, `pivot` or `unpivot`",
                );
            }
        };
        self.require("]")?;
        let span = operand.span.to(self.past());
        self.node(ExprNode::Clause(Box::new(operand), Box::new(clause)), span)
    }

    pub(super) fn filter(&mut self) -> ParseResult<Clause> {
        self.at += 1;
        Ok(Clause::Filter(self.expr()?))
    }

    pub(super) fn calc(&mut self) -> ParseResult<Clause> {
        self.at += 1;
        Ok(Clause::Calc(self.list(Self::assign)?))
    }

    pub(super) fn keep(&mut self) -> ParseResult<Clause> {
        self.at += 1;
        Ok(Clause::Keep(self.list(Self::component)?))
    }

    pub(super) fn discard(&mut self) -> ParseResult<Clause> {
        self.at += 1;
        Ok(Clause::Drop(self.list(Self::component)?))
    }

    pub(super) fn rename(&mut self) -> ParseResult<Clause> {
        self.at += 1;
        let pair = |parser: &mut Self| -> ParseResult<(ComponentRef, ComponentRef)> {
            let from = parser.component()?;
            parser.require_word("to")?;
            Ok((from, parser.component()?))
        };
        Ok(Clause::Rename(self.list(pair)?))
    }

    fn subspace(&mut self) -> ParseResult<Clause> {
        self.at += 1;
        let item = |parser: &mut Self| -> ParseResult<(ComponentRef, Expr)> {
            let component = parser.component()?;
            parser.require("=")?;
            let value =
                if matches!(parser.token(), Token::Name(_)) { parser.prefix() } else { parser.scalar() };
            Ok((component, value?))
        };
        Ok(Clause::Sub(self.list(item)?))
    }

    /// `pivot identifier, measure` or `unpivot identifier, measure`.
    fn turned(&mut self, pivot: bool) -> ParseResult<Clause> {
        self.at += 1;
        let identifier = self.component()?;
        self.require(",")?;
        let measure = self.component()?;
        Ok(if pivot { Clause::Pivot(identifier, measure) } else { Clause::Unpivot(identifier, measure) })
    }

    pub(super) fn aggr(&mut self) -> ParseResult<Clause> {
        self.at += 1;
        let items = self.list(Self::assign)?;
        let (grouping, having) = self.grouping()?;
        Ok(Clause::Aggr { items, grouping, having })
    }

    /// `role target := expr`.
    fn assign(&mut self) -> ParseResult<Assignment> {
        let role = self.role()?.flatten();
        let target = self.component()?;
        self.require(":=")?;
        Ok(Assignment { role, target, expr: self.expr()? })
    }
}
