//! Tokens to statements (grammar `Vtl.g4` of VTL 2.2), by recursive descent.
//!
//! Owns statements, expressions and their precedence; clauses, joins and aggregates stand in the
//! modules below. A fault of syntax ends its statement, not the script: all are reported at once.
//! Recursion and the depth of the trees are bounded by [`DEPTH_MAX`].

mod call;
mod clause;
mod define;
mod join;
mod time;
mod validate;
mod window;

use std::collections::{BTreeMap, BTreeSet};

use schemas::decimal::Decimal;
use schemas::table::Cell;

use crate::ast::{
    ComponentRef, DEPTH_MAX, Definitions, Expr, ExprNode, Ident, JoinType, SCRIPT_BYTES_MAX, Statement,
};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span, suggestion};
use crate::keywords;
use crate::lexer::{Lexeme, Token, lex};
use crate::op::Op;

/// Faults after which the parser gives up.
const DIAGNOSTICS_MAX: usize = 64;

/// The statement cannot be read further; the fault is on the list.
#[derive(Debug)]
struct StatementAbort;

type ParseResult<T> = Result<T, StatementAbort>;

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Lexeme<'a>>,
    at: usize,
    level: u16,
    definitions: Definitions,
    broken: BTreeSet<String>,
    faults: Vec<Diagnostic>,
}

/// What a script says, as far as it could be read.
#[derive(Debug, Default)]
pub(crate) struct ParseOutput {
    pub(crate) statements: Vec<Statement>,
    pub(crate) definitions: Definitions,
    /// Names of results and definitions that could not be read.
    pub(crate) broken: BTreeSet<String>,
    /// Every fault of syntax, in the order of their places.
    pub(crate) faults: Vec<Diagnostic>,
}

/// Reads a script; what has a fault is left out, the rest is there.
pub(crate) fn read(text: &str) -> ParseOutput {
    if text.len() > SCRIPT_BYTES_MAX {
        let message =
            format!("a script of {} bytes where at most {SCRIPT_BYTES_MAX} are allowed", text.len());
        let fault = Diagnostic::new(DiagnosticCode::Size, Span { start: 0, end: 0 }, message);
        return ParseOutput { faults: vec![fault], ..ParseOutput::default() };
    }
    let (tokens, faults) = lex(text);
    let definitions = Definitions::default();
    let mut parser = Parser { text, tokens, at: 0, level: 0, definitions, broken: BTreeSet::new(), faults };
    let statements = parser.statements();
    let mut faults = parser.faults;
    faults.sort_by_key(|fault| fault.span);
    faults.truncate(DIAGNOSTICS_MAX);
    ParseOutput { statements, definitions: parser.definitions, broken: parser.broken, faults }
}

/// The text of each definition of a script whose syntax is right, by name.
pub(crate) fn definition_texts(text: &str) -> BTreeMap<String, &str> {
    let (tokens, _) = lex(text);
    let mut found = BTreeMap::new();
    let mut open: Option<usize> = None;
    for (at, lexeme) in tokens.iter().enumerate() {
        match (lexeme.token, open) {
            (Token::Word("define"), _) => open = Some(at),
            (Token::Word("end"), Some(start)) => {
                let within = tokens.get(start..at).unwrap_or_default();
                let name = within.iter().find_map(|lexeme| match lexeme.token {
                    Token::Name(name) => Some(name.to_owned()),
                    _ => None,
                });
                let place = within.first().map_or(0, |lexeme| lexeme.span.start)..lexeme.span.end;
                if let (Some(name), Some(text)) = (name, text.get(place)) {
                    found.insert(name, text);
                }
                open = None;
            }
            _ => {}
        }
    }
    found
}

impl<'a> Parser<'a> {
    fn statements(&mut self) -> Vec<Statement> {
        let mut statements = Vec::new();
        while self.token() != Token::End && self.faults.len() < DIAGNOSTICS_MAX {
            let (start, before) = (self.at, self.faults.len());
            let read = self.statement();
            if read.is_err() {
                self.resume(start);
            }
            match read {
                Ok(Some(statement)) if self.faults.len() == before => statements.push(statement),
                Ok(None) if self.faults.len() == before => {}
                _ => self.broken.extend(self.named(start)),
            }
        }
        statements
    }

    /// The first name of the statement or definition that begins at a token.
    fn named(&self, start: usize) -> Option<String> {
        let tokens = self.tokens.get(start..self.at)?;
        tokens.iter().find_map(|lexeme| match lexeme.token {
            Token::Name(name) => Some(name.to_owned()),
            _ => None,
        })
    }

    /// Goes on after the next semicolon; after the end of a definition that began at `start`.
    fn resume(&mut self, start: usize) {
        self.level = 0;
        let token = |at: usize| self.tokens.get(at).map_or(Token::End, |lexeme| lexeme.token);
        let mut at = self.at;
        if token(start) == Token::Word("define") {
            while !matches!(token(at), Token::End | Token::Word("end" | "define")) {
                at += 1;
            }
        }
        while !matches!(token(at), Token::End | Token::Symbol(";") | Token::Word("define")) {
            at += 1;
        }
        // A definition that is never closed ends where the next one begins.
        self.at = at.max(start + 1);
        self.eat(";");
    }

    fn statement(&mut self) -> ParseResult<Option<Statement>> {
        if self.token() == Token::Word("define") {
            return self.definition().map(|()| None);
        }
        let target = self.name("the name of a result")?;
        let persistent = match self.token() {
            Token::Symbol("<-") => true,
            Token::Symbol(":=") => false,
            _ => return self.expected("`:=` or `<-`"),
        };
        self.at += 1;
        let expr = self.expr()?;
        self.require(";")?;
        Ok(Some(Statement { target, persistent, expr }))
    }

    fn token(&self) -> Token<'a> {
        self.tokens.get(self.at).map_or(Token::End, |lexeme| lexeme.token)
    }

    fn after(&self) -> Token<'a> {
        self.tokens.get(self.at + 1).map_or(Token::End, |lexeme| lexeme.token)
    }

    fn span(&self) -> Span {
        let last = self.tokens.last().map_or(Span::default(), |lexeme| lexeme.span);
        self.tokens.get(self.at).map_or(last, |lexeme| lexeme.span)
    }

    /// The place of the token before this one.
    fn past(&self) -> Span {
        self.tokens.get(self.at.saturating_sub(1)).map_or(Span::default(), |lexeme| lexeme.span)
    }

    fn eat(&mut self, symbol: &'static str) -> bool {
        self.take(Token::Symbol(symbol))
    }

    fn word(&mut self, word: &'static str) -> bool {
        self.take(Token::Word(word))
    }

    fn take(&mut self, token: Token<'_>) -> bool {
        let found = self.token() == token;
        self.at += usize::from(found);
        found
    }

    fn require(&mut self, symbol: &'static str) -> ParseResult<()> {
        if self.eat(symbol) {
            return Ok(());
        }
        let open = self.open_bracket(symbol);
        let missing = self.expected(&format!("`{symbol}`"));
        if let Some(fault) = self.faults.last_mut().filter(|fault| fault.hint.is_none()) {
            fault.hint = open;
        }
        missing
    }

    /// Which bracket a closing one would close.
    fn open_bracket(&self, close: &str) -> Option<String> {
        let open = match close {
            ")" => "(",
            "]" => "[",
            "}" => "{",
            _ => return None,
        };
        let mut depth = 0_usize;
        let before = self.tokens.get(..self.at)?;
        let found = before.iter().enumerate().rev().find(|(_, lexeme)| match lexeme.token {
            Token::Symbol(symbol) if symbol == close => {
                depth += 1;
                false
            }
            Token::Symbol(symbol) if symbol == open => {
                let own = depth == 0;
                depth = depth.saturating_sub(1);
                own
            }
            _ => false,
        });
        let (at, lexeme) = found?;
        let name = at.checked_sub(1).and_then(|at| before.get(at)).map(|lexeme| lexeme.token);
        let (_, column) = lexeme.span.line_and_column(self.text);
        Some(match name {
            Some(Token::Word(word) | Token::Name(word)) => {
                format!("`{word}{open}` of column {column} is not closed yet")
            }
            _ => format!("`{open}` of column {column} is not closed yet"),
        })
    }

    fn require_word(&mut self, word: &'static str) -> ParseResult<()> {
        if self.word(word) { Ok(()) } else { self.expected(&format!("`{word}`")) }
    }

    /// Reports that something else was expected here.
    fn expected<T>(&mut self, what: &str) -> ParseResult<T> {
        let (found, hint) = match self.token() {
            Token::End => ("the end of the script".to_owned(), None),
            Token::Name(text) => (format!("`{text}`"), suggestion(text, keywords::reserved_words())),
            Token::Word(text) => {
                let hint =
                    format!("`{text}` is a reserved word; as a name it stands in single quotes: '{text}'");
                (format!("`{text}`"), what.contains("name").then_some(hint))
            }
            Token::Integer(text) | Token::Number(text) => (format!("`{text}`"), None),
            Token::Text(text) => (format!("the string `{text}`"), None),
            Token::Symbol(text) => (format!("`{text}`"), None),
        };
        let message = format!("expected {what}, found {found}");
        self.fault(Diagnostic::new(DiagnosticCode::Syntax, self.span(), message).with_optional_hint(hint))
    }

    fn fault<T>(&mut self, fault: Diagnostic) -> ParseResult<T> {
        self.faults.push(fault);
        Err(StatementAbort)
    }

    fn name(&mut self, what: &str) -> ParseResult<Ident> {
        match self.token() {
            Token::Name(text) => {
                let ident = Ident { text: text.to_owned(), span: self.span() };
                self.at += 1;
                Ok(ident)
            }
            _ => self.expected(what),
        }
    }

    /// `NAME` or `alias#NAME`.
    fn component(&mut self) -> ParseResult<ComponentRef> {
        let first = self.name("the name of a component")?;
        if !self.eat("#") {
            return Ok(ComponentRef { alias: None, name: first });
        }
        let name = self.name("the name of a component")?;
        Ok(ComponentRef { alias: Some(first), name })
    }

    /// One or more, with commas between.
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> ParseResult<T>) -> ParseResult<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn expr(&mut self) -> ParseResult<Expr> {
        self.binary(0)
    }

    /// An expression whose infix operators bind at least as strongly as `least`.
    fn binary(&mut self, least: u8) -> ParseResult<Expr> {
        self.level += 1;
        if self.level > DEPTH_MAX {
            return self.deep(self.span());
        }
        let mut left = self.prefix()?;
        loop {
            left = match self.token() {
                Token::Symbol("[") => self.clause(left)?,
                Token::Symbol("#") => self.member(left)?,
                Token::Word(word @ ("in" | "not_in")) if least <= COMPARISON => self.element(left, word)?,
                token => match infix(token) {
                    Some((op, binding)) if binding >= least => {
                        self.at += 1;
                        let right = self.binary(binding + 1)?;
                        let span = left.span.to(right.span);
                        self.node(ExprNode::Apply(op, vec![left, right]), span)?
                    }
                    _ => break,
                },
            };
        }
        self.level -= 1;
        Ok(left)
    }

    fn deep<T>(&mut self, span: Span) -> ParseResult<T> {
        let message = format!("an expression nested more than {DEPTH_MAX} deep");
        self.fault(
            Diagnostic::new(DiagnosticCode::Size, span, message)
                .with_hint("give a part of it a name in a statement of its own"),
        )
    }

    /// A node over its children, refused when it would be too deep.
    fn node(&mut self, node: ExprNode, span: Span) -> ParseResult<Expr> {
        let mut expr = Expr { node, span, depth: 1 };
        let below = expr.children().iter().map(|child| child.depth).max().unwrap_or(0);
        if below >= DEPTH_MAX {
            return self.deep(span);
        }
        expr.depth = below + 1;
        Ok(expr)
    }

    fn member(&mut self, operand: Expr) -> ParseResult<Expr> {
        self.at += 1;
        let name = self.name("the name of a component")?;
        let span = operand.span.to(name.span);
        self.node(ExprNode::Member(Box::new(operand), name), span)
    }

    /// `operand in { … }`.
    fn element(&mut self, operand: Expr, word: &str) -> ParseResult<Expr> {
        self.at += 1;
        if let Token::Name(_) = self.token() {
            let domain = self.name("the name of a value domain")?;
            let span = operand.span.to(domain.span);
            let negated = word == "not_in";
            return self.node(ExprNode::Domain { operand: Box::new(operand), domain, negated }, span);
        }
        let op = if word == "in" { Op::In } else { Op::NotIn };
        let start = operand.span;
        self.require("{")?;
        let mut operands = vec![operand];
        operands.extend(self.list(Self::scalar)?);
        self.require("}")?;
        let span = start.to(self.past());
        self.node(ExprNode::Apply(op, operands), span)
    }

    /// A literal, perhaps signed, or a `cast` of one.
    fn scalar(&mut self) -> ParseResult<Expr> {
        match (self.token(), self.after()) {
            (Token::Word("cast"), _) => self.prefix(),
            (Token::Symbol("-" | "+"), Token::Integer(_) | Token::Number(_)) => self.signed(),
            (Token::Integer(_) | Token::Number(_) | Token::Text(_), _) => self.prefix(),
            (Token::Word("true" | "false" | "null"), _) => self.prefix(),
            _ => self.expected("a literal value"),
        }
    }

    fn prefix(&mut self) -> ParseResult<Expr> {
        let span = self.span();
        match self.token() {
            Token::Symbol("(") => {
                self.at += 1;
                let inner = self.expr()?;
                self.require(")")?;
                Ok(Expr { span: span.to(self.past()), ..inner })
            }
            Token::Symbol("-" | "+") if matches!(self.after(), Token::Integer(_) | Token::Number(_)) => {
                self.signed()
            }
            Token::Symbol("-") => self.unary(Op::Negate),
            Token::Symbol("+") => self.unary(Op::UnaryPlus),
            Token::Word("not") => self.unary(Op::Not),
            Token::Integer(_) | Token::Number(_) => self.numeral("", span),
            Token::Text(text) => self.literal(Some(Cell::Text(text.to_owned()))),
            Token::Word("true") => self.literal(Some(Cell::Boolean(true))),
            Token::Word("false") => self.literal(Some(Cell::Boolean(false))),
            Token::Word("null") => self.literal(None),
            Token::Word("if") => self.condition(),
            Token::Word("case") => self.case(),
            Token::Word("inner_join") => self.join(JoinType::Inner),
            Token::Word("left_join") => self.join(JoinType::Left),
            Token::Word("full_join") => self.join(JoinType::Full),
            Token::Word("cross_join") => self.join(JoinType::Cross),
            Token::Word(word) => self.call(word),
            Token::Name(_) if self.after() == Token::Symbol("(") => self.invocation(),
            Token::Name(name) => {
                self.at += 1;
                self.node(ExprNode::Name(name.to_owned()), span)
            }
            _ => self.expected("an expression"),
        }
    }

    fn unary(&mut self, op: Op) -> ParseResult<Expr> {
        let span = self.span();
        self.at += 1;
        let operand = self.binary(UNARY)?;
        let span = span.to(operand.span);
        self.node(ExprNode::Apply(op, vec![operand]), span)
    }

    fn literal(&mut self, cell: Option<Cell>) -> ParseResult<Expr> {
        let span = self.span();
        self.at += 1;
        self.node(ExprNode::Constant(cell), span)
    }

    /// A sign and a numeral.
    fn signed(&mut self) -> ParseResult<Expr> {
        let span = self.span();
        let sign = if self.token() == Token::Symbol("-") { "-" } else { "" };
        self.at += 1;
        self.numeral(sign, span)
    }

    fn numeral(&mut self, sign: &str, start: Span) -> ParseResult<Expr> {
        let span = start.to(self.span());
        let cell = match self.token() {
            Token::Integer(text) => format!("{sign}{text}").parse().map(Cell::Integer).ok(),
            Token::Number(text) => {
                format!("{sign}{text}").parse().map(|number: Decimal| Cell::Number(number.normalized())).ok()
            }
            _ => None,
        };
        self.at += 1;
        match cell {
            Some(cell) => self.node(ExprNode::Constant(Some(cell)), span),
            None => {
                let message = "a number that does not fit: whole numbers have 64 bits, others 34 digits";
                self.fault(Diagnostic::new(DiagnosticCode::Overflow, span, message))
            }
        }
    }

    /// `if … then … else …`.
    fn condition(&mut self) -> ParseResult<Expr> {
        let start = self.span();
        self.at += 1;
        let condition = self.expr()?;
        self.require_word("then")?;
        let then = self.expr()?;
        self.require_word("else")?;
        let other = self.expr()?;
        let span = start.to(other.span);
        self.node(ExprNode::Apply(Op::If, vec![condition, then, other]), span)
    }

    /// `case when … then … else …`, which is a chain of `if`.
    fn case(&mut self) -> ParseResult<Expr> {
        let start = self.span();
        self.at += 1;
        let mut branches = Vec::new();
        while self.word("when") {
            let condition = self.expr()?;
            self.require_word("then")?;
            branches.push((condition, self.expr()?));
        }
        if branches.is_empty() {
            return self.expected("`when`");
        }
        self.require_word("else")?;
        let mut result = self.expr()?;
        let span = start.to(result.span);
        while let Some((condition, then)) = branches.pop() {
            result = self.node(ExprNode::Apply(Op::If, vec![condition, then, result]), span)?;
        }
        Ok(result)
    }
}

/// Binding of comparisons and of `in`.
const COMPARISON: u8 = 3;
/// Binding of the operand of a sign or of `not`.
const UNARY: u8 = 6;

/// An infix operator and how strongly it binds, in the order of the alternatives of the grammar.
fn infix(token: Token<'_>) -> Option<(Op, u8)> {
    Some(match token {
        Token::Word("or") => (Op::Or, 1),
        Token::Word("xor") => (Op::Xor, 1),
        Token::Word("and") => (Op::And, 2),
        Token::Symbol("=") => (Op::Equal, COMPARISON),
        Token::Symbol("<>") => (Op::NotEqual, COMPARISON),
        Token::Symbol("<") => (Op::Less, COMPARISON),
        Token::Symbol("<=") => (Op::LessEqual, COMPARISON),
        Token::Symbol(">") => (Op::Greater, COMPARISON),
        Token::Symbol(">=") => (Op::GreaterEqual, COMPARISON),
        Token::Symbol("+") => (Op::Add, 4),
        Token::Symbol("-") => (Op::Subtract, 4),
        Token::Symbol("||") => (Op::Concat, 4),
        Token::Symbol("*") => (Op::Multiply, 5),
        Token::Symbol("/") => (Op::Divide, 5),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
