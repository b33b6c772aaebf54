//! Lexer (grammar `VtlTokens.g4` of VTL 2.2).
//!
//! Owns the spelling of names, literals, symbols, comments and reserved words. It reports each invalid
//! character sequence and continues after it.

use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::keywords;

/// Token; texts are slices of the script.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Token<'a> {
    /// Regular or quoted name, without its quotes.
    Name(&'a str),
    /// Reserved word.
    Word(&'a str),
    /// Integer literal.
    Integer(&'a str),
    /// Number literal with a decimal point.
    Number(&'a str),
    /// String literal, without its quotes.
    Text(&'a str),
    /// Operator, bracket or separator.
    Symbol(&'static str),
    /// End of the script.
    End,
}

/// Token and its span.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lexeme<'a> {
    pub(crate) token: Token<'a>,
    pub(crate) span: Span,
}

/// Symbols with longer ones first, so that the longest match wins.
pub(crate) const SYMBOLS: [&str; 26] = [
    ":=", "<-", "<=", ">=", "<>", "||", "->", ":", ",", "/", ".", ";", "=", "{", "}", "(", ")", "[", "]",
    "<", ">", "#", "-", "+", "*", "_",
];

/// Span of a comment, including its delimiters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Comment {
    pub(crate) span: Span,
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    comments: Vec<Comment>,
    diagnostics: Vec<Diagnostic>,
}

/// Returns the tokens of `text`, ended by [`Token::End`], and the lexical errors.
pub(crate) fn lex_tokens(text: &str) -> (Vec<Lexeme<'_>>, Vec<Diagnostic>) {
    let (tokens, _, diagnostics) = lex_with_comments(text);
    (tokens, diagnostics)
}

/// Returns the tokens, the comments and the lexical errors of `text`.
pub(crate) fn lex_with_comments(text: &str) -> (Vec<Lexeme<'_>>, Vec<Comment>, Vec<Diagnostic>) {
    let mut lexer = Lexer { text, at: 0, comments: Vec::new(), diagnostics: Vec::new() };
    let mut tokens = Vec::new();
    while lexer.skip_blank() {
        let start = lexer.at;
        if let Some(token) = lexer.next_token() {
            tokens.push(Lexeme { token, span: Span { start, end: lexer.at } });
        }
    }
    let span = Span { start: text.len(), end: text.len() };
    tokens.push(Lexeme { token: Token::End, span });
    (tokens, lexer.comments, lexer.diagnostics)
}

impl<'a> Lexer<'a> {
    fn remaining(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Skips white space and comments; returns false at the end of the text.
    fn skip_blank(&mut self) -> bool {
        loop {
            let rest = self.remaining();
            let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{c}']);
            self.at += rest.len() - trimmed.len();
            let start = self.at;
            if trimmed.starts_with("//") {
                self.at += trimmed.find(['\r', '\n']).unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                self.skip_block_comment(trimmed);
            } else {
                return !trimmed.is_empty();
            }
            self.comments.push(Comment { span: Span { start, end: self.at } });
        }
    }

    fn skip_block_comment(&mut self, rest: &str) {
        match rest.get(2..).and_then(|inner| inner.find("*/")) {
            // Comments do not nest (`ML_COMMENT` of the grammar). Four bytes are those of both marks.
            Some(end) => self.at += end + 4,
            None => {
                self.report_error(2, "unclosed comment: `/*` without `*/`");
                self.at = self.text.len();
            }
        }
    }

    fn report_error(&mut self, length: usize, message: impl Into<String>) {
        let span = Span { start: self.at, end: self.at + length };
        self.diagnostics.push(Diagnostic::new(DiagnosticCode::Syntax, span, message));
    }

    /// Consumes `length` bytes and returns them.
    fn take_bytes(&mut self, length: usize) -> &'a str {
        let taken = self.remaining().get(..length).unwrap_or_default();
        self.at += length;
        taken
    }

    fn next_token(&mut self) -> Option<Token<'a>> {
        let rest = self.remaining();
        let first = rest.chars().next()?;
        match first {
            '0'..='9' => self.lex_number(),
            '"' => self.lex_quoted('"').map(Token::Text),
            '\'' => self.lex_quoted('\'').map(Token::Name),
            _ if first.is_ascii_alphabetic() => Some(self.lex_word()),
            '_' if rest.strip_prefix('_').is_some_and(|rest| rest.starts_with(continues_name)) => {
                Some(self.lex_word())
            }
            _ => self.lex_symbol(first),
        }
    }

    fn lex_symbol(&mut self, first: char) -> Option<Token<'a>> {
        let rest = self.remaining();
        if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            self.at += symbol.len();
            return Some(Token::Symbol(symbol));
        }
        self.report_error(first.len_utf8(), format!("unexpected character `{}`", first.escape_debug()));
        self.at += first.len_utf8();
        None
    }

    fn lex_number(&mut self) -> Option<Token<'a>> {
        let rest = self.remaining();
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let whole = digits(rest);
        let fraction = rest.get(whole..).and_then(|rest| rest.strip_prefix('.')).map_or(0, digits);
        // A point needs digits after it; a lone one is reported below.
        let length = if fraction > 0 { whole + 1 + fraction } else { whole };
        let tail = rest.get(length..).unwrap_or_default();
        let stuck =
            tail.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')).count();
        if stuck > 0 {
            let word = rest.get(..length + stuck).unwrap_or_default();
            self.report_error(length + stuck, format!("`{word}` is neither a number nor a name"));
            let hint = "write a number as digits with one point; write a name that begins with a digit in single quotes";
            if let Some(diagnostic) = self.diagnostics.last_mut() {
                diagnostic.hint = Some(hint.to_owned());
            }
            self.at += length + stuck;
            return None;
        }
        let text = self.take_bytes(length);
        Some(if fraction > 0 { Token::Number(text) } else { Token::Integer(text) })
    }

    /// Reads a string or quoted name. Strings of VTL 2.2 have no escapes; `\'` in names is not
    /// supported.
    fn lex_quoted(&mut self, quote: char) -> Option<&'a str> {
        let inner = self.remaining().get(1..).unwrap_or_default();
        match inner.find(quote) {
            Some(end) => {
                self.at += end + 2;
                inner.get(..end)
            }
            None => {
                // Reading on behind the quote would report the text itself as a row of syntax errors.
                self.report_error(1, format!("unclosed text: no closing `{quote}`"));
                self.at = self.text.len();
                None
            }
        }
    }

    /// Reads a reserved word or a name, optionally with agency and version: `AGENCY:NAME(1.0)`.
    fn lex_word(&mut self) -> Token<'a> {
        let rest = self.remaining();
        let run = |text: &str| text.find(|c| !continues_name(c)).unwrap_or(text.len());
        let mut length = run(rest);
        let word = rest.get(..length).unwrap_or_default();
        if keywords::is_reserved(word) {
            return Token::Word(self.take_bytes(length));
        }
        let after = rest.get(length..).unwrap_or_default();
        // `:` begins an agency only before a name; `r:A` in `r := A` is an assignment.
        if let Some(second) = after.strip_prefix(':').filter(|text| text.starts_with(starts_name)) {
            length += 1 + run(second);
            length += version_suffix_length(rest.get(length..).unwrap_or_default());
            length += series_key_length(rest.get(length..).unwrap_or_default());
        }
        Token::Name(self.take_bytes(length))
    }
}

fn starts_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn continues_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.')
}

/// Returns the length of a version such as `(1.0)`, `(1.0.+)` or `(*)` at the start of `text`, or 0.
fn version_suffix_length(text: &str) -> usize {
    let wild = |c: char| matches!(c, '_' | '+' | '*' | '~');
    let Some(inner) = text.strip_prefix('(') else { return 0 };
    let Some((inner, _)) = inner.split_once(')') else { return 0 };
    let mut parts: Vec<&str> = inner.split('.').collect();
    let last = parts.last().copied().unwrap_or_default();
    if last.len() == 1 && last.starts_with(wild) {
        parts.pop();
    }
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.iter().all(digits) && !inner.is_empty() { inner.len() + 2 } else { 0 }
}

/// Returns the length of a series key such as `:A.USD..` at the start of `text`, or 0.
fn series_key_length(text: &str) -> usize {
    let Some(key) = text.strip_prefix(':') else { return 0 };
    let end = key.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(key.len());
    if end > 0 { end + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token<'_>> {
        let (tokens, diagnostics) = lex_tokens(text);
        assert_eq!(diagnostics, []);
        tokens.into_iter().map(|lexeme| lexeme.token).collect()
    }

    #[test]
    fn a_statement() {
        let want = [
            Token::Name("X_1"),
            Token::Symbol("<-"),
            Token::Word("round"),
            Token::Symbol("("),
            Token::Name("my name"),
            Token::Symbol("#"),
            Token::Name("A.B"),
            Token::Symbol(","),
            Token::Number("1.50"),
            Token::Symbol(")"),
            Token::Symbol("||"),
            Token::Text("é // no comment"),
            Token::Symbol(";"),
            Token::End,
        ];
        assert_eq!(tokens("X_1<-round('my name'#A.B, /* c */ 1.50)||\"é // no comment\"; // end"), want);
        assert_eq!(tokens("_"), [Token::Symbol("_"), Token::End]);
        assert_eq!(tokens("EU:CPI(1.0) x:=3").first(), Some(&Token::Name("EU:CPI(1.0)")));
        for name in ["E:X(*):A.USD...", "E:X:A.GBP...", "E:X(1.0.+)", "E:X(1.0):....", "E:X", "E:X:A"] {
            assert_eq!(tokens(name), [Token::Name(name), Token::End]);
        }
        assert_eq!(tokens("E:X(1, 2)").first(), Some(&Token::Name("E:X")));
        assert_eq!(tokens("r:A := 1").get(1), Some(&Token::Symbol(":=")));
    }

    #[test]
    fn what_is_no_token_is_reported_and_skipped() {
        for bad in ["1.5E2", "12abc", "€", "\"open", "/* open", "'open", "@"] {
            let (_, diagnostics) = lex_tokens(bad);
            assert_eq!(diagnostics.len(), 1, "{bad}");
        }
        assert_eq!(lex_tokens("@ a ? b").1.len(), 2);
    }
}
