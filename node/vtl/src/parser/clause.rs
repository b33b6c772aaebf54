//! Clauses between square brackets (grammar rule `datasetClause`).

use super::{Parsed, Parser};
use crate::ast::{Assign, Clause, Component, Expr, Node};
use crate::lexer::Token;

impl Parser<'_> {
    /// `operand [ clause ]`.
    pub(super) fn clause(&mut self, operand: Expr) -> Parsed<Expr> {
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
        self.node(Node::Clause(Box::new(operand), Box::new(clause)), span)
    }

    pub(super) fn filter(&mut self) -> Parsed<Clause> {
        self.at += 1;
        Ok(Clause::Filter(self.expr()?))
    }

    pub(super) fn calc(&mut self) -> Parsed<Clause> {
        self.at += 1;
        Ok(Clause::Calc(self.list(Self::assign)?))
    }

    pub(super) fn keep(&mut self) -> Parsed<Clause> {
        self.at += 1;
        Ok(Clause::Keep(self.list(Self::component)?))
    }

    pub(super) fn discard(&mut self) -> Parsed<Clause> {
        self.at += 1;
        Ok(Clause::Drop(self.list(Self::component)?))
    }

    pub(super) fn rename(&mut self) -> Parsed<Clause> {
        self.at += 1;
        let pair = |parser: &mut Self| -> Parsed<(Component, Component)> {
            let from = parser.component()?;
            parser.require_word("to")?;
            Ok((from, parser.component()?))
        };
        Ok(Clause::Rename(self.list(pair)?))
    }

    fn subspace(&mut self) -> Parsed<Clause> {
        self.at += 1;
        let item = |parser: &mut Self| -> Parsed<(Component, Expr)> {
            let component = parser.component()?;
            parser.require("=")?;
            let value =
                if matches!(parser.token(), Token::Name(_)) { parser.prefix() } else { parser.scalar() };
            Ok((component, value?))
        };
        Ok(Clause::Sub(self.list(item)?))
    }

    /// `pivot identifier, measure` or `unpivot identifier, measure`.
    fn turned(&mut self, pivot: bool) -> Parsed<Clause> {
        self.at += 1;
        let identifier = self.component()?;
        self.require(",")?;
        let measure = self.component()?;
        Ok(if pivot { Clause::Pivot(identifier, measure) } else { Clause::Unpivot(identifier, measure) })
    }

    pub(super) fn aggr(&mut self) -> Parsed<Clause> {
        self.at += 1;
        let items = self.list(Self::assign)?;
        let (grouping, having) = self.grouping()?;
        Ok(Clause::Aggr { items, grouping, having })
    }

    /// `role target := expr`.
    fn assign(&mut self) -> Parsed<Assign> {
        let role = self.role()?.flatten();
        let target = self.component()?;
        self.require(":=")?;
        Ok(Assign { role, target, expr: self.expr()? })
    }
}
