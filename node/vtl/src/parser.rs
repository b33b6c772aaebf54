//! Recursive-descent parser (grammar `Vtl.g4` of VTL 2.2).
//!
//! Owns statements, expressions and operator precedence; the modules below parse clauses, joins,
//! aggregates and definitions. A syntax error ends its statement, not the script, so that all errors
//! are reported together. [`DEPTH_MAX`] bounds recursion and the depth of the trees.

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
use crate::lexer::{Lexeme, Token, lex_tokens};
use crate::op::Op;

/// Number of diagnostics after which parsing stops.
const DIAGNOSTICS_MAX: usize = 64;

/// Marker: the current statement cannot be parsed further; its diagnostic is already recorded.
#[derive(Debug)]
struct StatementAbort;

type ParseResult<T> = Result<T, StatementAbort>;

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Lexeme<'a>>,
    position: usize,
    nesting: u16,
    definitions: Definitions,
    broken: BTreeSet<String>,
    diagnostics: Vec<Diagnostic>,
}

/// Result of parsing, as far as the script could be read.
#[derive(Debug, Default)]
pub(crate) struct ParseOutput {
    pub(crate) statements: Vec<Statement>,
    pub(crate) definitions: Definitions,
    /// Names of results and definitions that could not be parsed.
    pub(crate) broken: BTreeSet<String>,
    /// Syntax errors in source order.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Parses a script, leaving out statements with errors.
pub(crate) fn parse_script(text: &str) -> ParseOutput {
    // Checked before lexing, which allocates in proportion to the text.
    if text.len() > SCRIPT_BYTES_MAX {
        let message = format!("the script has {} bytes, at most {SCRIPT_BYTES_MAX} are allowed", text.len());
        let diagnostic = Diagnostic::new(DiagnosticCode::Size, Span { start: 0, end: 0 }, message);
        return ParseOutput { diagnostics: vec![diagnostic], ..ParseOutput::default() };
    }
    let (tokens, diagnostics) = lex_tokens(text);
    let definitions = Definitions::default();
    let mut parser =
        Parser { text, tokens, position: 0, nesting: 0, definitions, broken: BTreeSet::new(), diagnostics };
    let statements = parser.parse_statements();
    // Lexical errors were recorded first; the lexer itself has no limit on their number.
    let mut diagnostics = parser.diagnostics;
    diagnostics.sort_by_key(|diagnostic| diagnostic.span);
    diagnostics.truncate(DIAGNOSTICS_MAX);
    ParseOutput { statements, definitions: parser.definitions, broken: parser.broken, diagnostics }
}

/// Returns the source text of each definition by name; the syntax must be valid.
pub(crate) fn definition_texts(text: &str) -> BTreeMap<String, &str> {
    let (tokens, _) = lex_tokens(text);
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
    fn parse_statements(&mut self) -> Vec<Statement> {
        let mut statements = Vec::new();
        while self.current_token() != Token::End && self.diagnostics.len() < DIAGNOSTICS_MAX {
            // A parser may record an error and still return a statement, so the number of errors
            // decides.
            let (start, before) = (self.position, self.diagnostics.len());
            let read = self.parse_statement();
            if read.is_err() {
                self.skip_statement(start);
            }
            match read {
                Ok(Some(statement)) if self.diagnostics.len() == before => statements.push(statement),
                Ok(None) if self.diagnostics.len() == before => {}
                _ => self.broken.extend(self.first_name(start)),
            }
        }
        statements
    }

    /// Returns the first name of the statement or definition that begins at a token.
    fn first_name(&self, start: usize) -> Option<String> {
        let tokens = self.tokens.get(start..self.position)?;
        tokens.iter().find_map(|lexeme| match lexeme.token {
            Token::Name(name) => Some(name.to_owned()),
            _ => None,
        })
    }

    /// Skips to after the next semicolon, or to after the end of the definition that began at `start`.
    fn skip_statement(&mut self, start: usize) {
        // An error leaves `parse_infix` before it restores the nesting.
        self.nesting = 0;
        let token = |at: usize| self.tokens.get(at).map_or(Token::End, |lexeme| lexeme.token);
        let mut at = self.position;
        if token(start) == Token::Word("define") {
            while !matches!(token(at), Token::End | Token::Word("end" | "define")) {
                at += 1;
            }
        }
        while !matches!(token(at), Token::End | Token::Symbol(";") | Token::Word("define")) {
            at += 1;
        }
        // An unclosed definition ends where the next one begins.
        self.position = at.max(start + 1);
        self.eat_symbol(";");
    }

    fn parse_statement(&mut self) -> ParseResult<Option<Statement>> {
        if self.current_token() == Token::Word("define") {
            return self.parse_definition().map(|()| None);
        }
        let target = self.parse_name("the name of a result")?;
        let persistent = match self.current_token() {
            Token::Symbol("<-") => true,
            Token::Symbol(":=") => false,
            _ => return self.report_expected("`:=` or `<-`"),
        };
        self.position += 1;
        let expr = self.parse_expr()?;
        self.expect_symbol(";")?;
        Ok(Some(Statement { target, persistent, expr }))
    }

    fn current_token(&self) -> Token<'a> {
        self.tokens.get(self.position).map_or(Token::End, |lexeme| lexeme.token)
    }

    fn next_token(&self) -> Token<'a> {
        self.tokens.get(self.position + 1).map_or(Token::End, |lexeme| lexeme.token)
    }

    fn current_span(&self) -> Span {
        let last = self.tokens.last().map_or(Span::default(), |lexeme| lexeme.span);
        self.tokens.get(self.position).map_or(last, |lexeme| lexeme.span)
    }

    /// Returns the span of the previous token.
    fn previous_span(&self) -> Span {
        self.tokens.get(self.position.saturating_sub(1)).map_or(Span::default(), |lexeme| lexeme.span)
    }

    fn eat_symbol(&mut self, symbol: &'static str) -> bool {
        self.eat_token(Token::Symbol(symbol))
    }

    fn eat_word(&mut self, word: &'static str) -> bool {
        self.eat_token(Token::Word(word))
    }

    fn eat_token(&mut self, token: Token<'_>) -> bool {
        let found = self.current_token() == token;
        self.position += usize::from(found);
        found
    }

    fn expect_symbol(&mut self, symbol: &'static str) -> ParseResult<()> {
        if self.eat_symbol(symbol) {
            return Ok(());
        }
        let open = self.open_bracket(symbol);
        let missing = self.report_expected(&format!("`{symbol}`"));
        // The more specific hint of `report_expected` takes precedence.
        if let Some(diagnostic) = self.diagnostics.last_mut().filter(|diagnostic| diagnostic.hint.is_none()) {
            diagnostic.hint = open;
        }
        missing
    }

    /// Returns a hint that names the bracket which `close` would close.
    fn open_bracket(&self, close: &str) -> Option<String> {
        let open = match close {
            ")" => "(",
            "]" => "[",
            "}" => "{",
            _ => return None,
        };
        // Walks backwards and skips closed pairs.
        let mut depth = 0_usize;
        let before = self.tokens.get(..self.position)?;
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
                format!("`{word}{open}` in column {column} is not closed")
            }
            _ => format!("`{open}` in column {column} is not closed"),
        })
    }

    fn expect_word(&mut self, word: &'static str) -> ParseResult<()> {
        if self.eat_word(word) { Ok(()) } else { self.report_expected(&format!("`{word}`")) }
    }

    /// Reports the current token as unexpected.
    fn report_expected<T>(&mut self, what: &str) -> ParseResult<T> {
        let (found, hint) = match self.current_token() {
            Token::End => ("the end of the script".to_owned(), None),
            Token::Name(text) => (format!("`{text}`"), suggestion(text, keywords::reserved_words())),
            Token::Word(text) => {
                let hint = format!("`{text}` is a reserved word; to use it as a name, write '{text}'");
                (format!("`{text}`"), what.contains("name").then_some(hint))
            }
            Token::Integer(text) | Token::Number(text) => (format!("`{text}`"), None),
            Token::Text(text) => (format!("the string `{text}`"), None),
            Token::Symbol(text) => (format!("`{text}`"), None),
        };
        let message = format!("expected {what}, found {found}");
        self.report_error(
            Diagnostic::new(DiagnosticCode::Syntax, self.current_span(), message).with_optional_hint(hint),
        )
    }

    fn report_error<T>(&mut self, diagnostic: Diagnostic) -> ParseResult<T> {
        self.diagnostics.push(diagnostic);
        Err(StatementAbort)
    }

    fn parse_name(&mut self, what: &str) -> ParseResult<Ident> {
        match self.current_token() {
            Token::Name(text) => {
                let ident = Ident { text: text.to_owned(), span: self.current_span() };
                self.position += 1;
                Ok(ident)
            }
            _ => self.report_expected(what),
        }
    }

    /// Parses `NAME` or `alias#NAME`.
    fn parse_component(&mut self) -> ParseResult<ComponentRef> {
        let first = self.parse_name("the name of a component")?;
        if !self.eat_symbol("#") {
            return Ok(ComponentRef { alias: None, name: first });
        }
        let name = self.parse_name("the name of a component")?;
        Ok(ComponentRef { alias: Some(first), name })
    }

    /// Parses one or more items separated by commas.
    fn parse_list<T>(&mut self, item: impl Fn(&mut Self) -> ParseResult<T>) -> ParseResult<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat_symbol(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn parse_expr(&mut self) -> ParseResult<Expr> {
        self.parse_infix(0)
    }

    /// Parses an expression whose infix operators bind at least as strongly as `least`.
    fn parse_infix(&mut self, least: u8) -> ParseResult<Expr> {
        self.nesting += 1;
        // Bounds the stack: without it, a script of brackets alone could overflow it.
        if self.nesting > DEPTH_MAX {
            return self.report_too_deep(self.current_span());
        }
        let mut left = self.parse_prefix()?;
        loop {
            left = match self.current_token() {
                Token::Symbol("[") => self.parse_clause(left)?,
                Token::Symbol("#") => self.parse_membership(left)?,
                // `in` binds like a comparison, but its right side is not an expression.
                Token::Word(word @ ("in" | "not_in")) if least <= COMPARISON => {
                    self.parse_element_of(left, word)?
                }
                token => match infix_operator(token) {
                    Some((op, binding)) if binding >= least => {
                        self.position += 1;
                        // All infix operators are left-associative: the right operand binds more
                        // strongly.
                        let right = self.parse_infix(binding + 1)?;
                        let span = left.span.to(right.span);
                        self.build_node(ExprNode::Apply(op, vec![left, right]), span)?
                    }
                    _ => break,
                },
            };
        }
        self.nesting -= 1;
        Ok(left)
    }

    fn report_too_deep<T>(&mut self, span: Span) -> ParseResult<T> {
        let message = format!("an expression is nested more than {DEPTH_MAX} deep");
        self.report_error(
            Diagnostic::new(DiagnosticCode::Size, span, message)
                .with_hint("assign a part of it to a name in its own statement"),
        )
    }

    /// Builds a node over its children, or reports it as too deep.
    fn build_node(&mut self, node: ExprNode, span: Span) -> ParseResult<Expr> {
        let mut expr = Expr { node, span, depth: 1 };
        let below = expr.children().iter().map(|child| child.depth).max().unwrap_or(0);
        // Chains of infix operators and clauses grow the tree without recursion in the parser.
        if below >= DEPTH_MAX {
            return self.report_too_deep(span);
        }
        expr.depth = below + 1;
        Ok(expr)
    }

    fn parse_membership(&mut self, operand: Expr) -> ParseResult<Expr> {
        self.position += 1;
        let name = self.parse_name("the name of a component")?;
        let span = operand.span.to(name.span);
        self.build_node(ExprNode::Member(Box::new(operand), name), span)
    }

    /// Parses the rest of `operand in { … }` or `operand in NAME`.
    fn parse_element_of(&mut self, operand: Expr, word: &str) -> ParseResult<Expr> {
        self.position += 1;
        if let Token::Name(_) = self.current_token() {
            let domain = self.parse_name("the name of a value domain")?;
            let span = operand.span.to(domain.span);
            let negated = word == "not_in";
            return self.build_node(ExprNode::Domain { operand: Box::new(operand), domain, negated }, span);
        }
        let op = if word == "in" { Op::In } else { Op::NotIn };
        let start = operand.span;
        self.expect_symbol("{")?;
        let mut operands = vec![operand];
        operands.extend(self.parse_list(Self::parse_literal)?);
        self.expect_symbol("}")?;
        let span = start.to(self.previous_span());
        self.build_node(ExprNode::Apply(op, operands), span)
    }

    /// Parses a literal, optionally signed, or a `cast` of one.
    fn parse_literal(&mut self) -> ParseResult<Expr> {
        match (self.current_token(), self.next_token()) {
            (Token::Word("cast"), _) => self.parse_prefix(),
            (Token::Symbol("-" | "+"), Token::Integer(_) | Token::Number(_)) => self.parse_signed_number(),
            (Token::Integer(_) | Token::Number(_) | Token::Text(_), _) => self.parse_prefix(),
            (Token::Word("true" | "false" | "null"), _) => self.parse_prefix(),
            _ => self.report_expected("a literal value"),
        }
    }

    fn parse_prefix(&mut self) -> ParseResult<Expr> {
        let span = self.current_span();
        match self.current_token() {
            Token::Symbol("(") => {
                self.position += 1;
                let inner = self.parse_expr()?;
                self.expect_symbol(")")?;
                Ok(Expr { span: span.to(self.previous_span()), ..inner })
            }
            // The sign belongs to the literal; otherwise the smallest 64-bit integer could not be
            // written.
            Token::Symbol("-" | "+") if matches!(self.next_token(), Token::Integer(_) | Token::Number(_)) => {
                self.parse_signed_number()
            }
            Token::Symbol("-") => self.parse_unary(Op::Negate),
            Token::Symbol("+") => self.parse_unary(Op::UnaryPlus),
            Token::Word("not") => self.parse_unary(Op::Not),
            Token::Integer(_) | Token::Number(_) => self.parse_number("", span),
            Token::Text(text) => self.build_literal(Some(Cell::Text(text.to_owned()))),
            Token::Word("true") => self.build_literal(Some(Cell::Boolean(true))),
            Token::Word("false") => self.build_literal(Some(Cell::Boolean(false))),
            Token::Word("null") => self.build_literal(None),
            Token::Word("if") => self.parse_if(),
            Token::Word("case") => self.parse_case(),
            Token::Word("inner_join") => self.parse_join(JoinType::Inner),
            Token::Word("left_join") => self.parse_join(JoinType::Left),
            Token::Word("full_join") => self.parse_join(JoinType::Full),
            Token::Word("cross_join") => self.parse_join(JoinType::Cross),
            Token::Word(word) => self.parse_call(word),
            Token::Name(_) if self.next_token() == Token::Symbol("(") => self.parse_operator_call(),
            Token::Name(name) => {
                self.position += 1;
                self.build_node(ExprNode::Name(name.to_owned()), span)
            }
            _ => self.report_expected("an expression"),
        }
    }

    fn parse_unary(&mut self, op: Op) -> ParseResult<Expr> {
        let span = self.current_span();
        self.position += 1;
        // Binds before comparisons: `not a = b` is `(not a) = b`, as in the grammar rule `expr`.
        let operand = self.parse_infix(UNARY)?;
        let span = span.to(operand.span);
        self.build_node(ExprNode::Apply(op, vec![operand]), span)
    }

    fn build_literal(&mut self, cell: Option<Cell>) -> ParseResult<Expr> {
        let span = self.current_span();
        self.position += 1;
        self.build_node(ExprNode::Constant(cell), span)
    }

    /// Parses a sign and a number as one literal.
    fn parse_signed_number(&mut self) -> ParseResult<Expr> {
        let span = self.current_span();
        let sign = if self.current_token() == Token::Symbol("-") { "-" } else { "" };
        self.position += 1;
        self.parse_number(sign, span)
    }

    fn parse_number(&mut self, sign: &str, start: Span) -> ParseResult<Expr> {
        let span = start.to(self.current_span());
        let cell = match self.current_token() {
            // An integer literal beyond 64 bits is the error `overflow`, never silently a number.
            Token::Integer(text) => format!("{sign}{text}").parse().map(Cell::Integer).ok(),
            Token::Number(text) => {
                format!("{sign}{text}").parse().map(|number: Decimal| Cell::Number(number.normalized())).ok()
            }
            _ => None,
        };
        self.position += 1;
        match cell {
            Some(cell) => self.build_node(ExprNode::Constant(Some(cell)), span),
            None => {
                let message = "the number is out of range: an integer has 64 bits, a number 34 digits";
                self.report_error(Diagnostic::new(DiagnosticCode::Overflow, span, message))
            }
        }
    }

    /// Parses `if … then … else …`.
    fn parse_if(&mut self) -> ParseResult<Expr> {
        let start = self.current_span();
        self.position += 1;
        let condition = self.parse_expr()?;
        self.expect_word("then")?;
        let then = self.parse_expr()?;
        self.expect_word("else")?;
        // The branch after `else` extends as far as possible (specs/vtl.md, 9).
        let other = self.parse_expr()?;
        let span = start.to(other.span);
        self.build_node(ExprNode::Apply(Op::If, vec![condition, then, other]), span)
    }

    /// Parses `case when … then … else …` into a chain of `if`.
    fn parse_case(&mut self) -> ParseResult<Expr> {
        let start = self.current_span();
        self.position += 1;
        let mut branches = Vec::new();
        while self.eat_word("when") {
            let condition = self.parse_expr()?;
            self.expect_word("then")?;
            branches.push((condition, self.parse_expr()?));
        }
        if branches.is_empty() {
            return self.report_expected("`when`");
        }
        self.expect_word("else")?;
        let mut result = self.parse_expr()?;
        // Built from the last branch outwards, as `else` is the innermost.
        let span = start.to(result.span);
        while let Some((condition, then)) = branches.pop() {
            result = self.build_node(ExprNode::Apply(Op::If, vec![condition, then, result]), span)?;
        }
        Ok(result)
    }
}

/// Binding strength of comparisons and of `in`.
const COMPARISON: u8 = 3;
/// Binding strength of the operand of a sign or of `not`.
const UNARY: u8 = 6;

/// Returns an infix operator and its binding strength, in the order of the alternatives of the grammar
/// rule `expr`.
fn infix_operator(token: Token<'_>) -> Option<(Op, u8)> {
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
