//! Formatter of scripts, for `recipe fmt`.
//!
//! Works on tokens and comments, so that no text is lost: the result has the tokens of the source, and
//! comments keep their position. A bracket that does not fit on a line is broken at its commas and
//! before its clauses. Formatting is idempotent.

use crate::diagnostic::Diagnostic;
use crate::lexer::{Comment, Lexeme, Token, lex_with_comments};

/// Maximum line width in columns, where a line can be broken.
const WIDTH: usize = 100;
/// Columns per indentation level.
const INDENT: usize = 2;

/// Formats a script.
///
/// # Errors
/// All syntax errors.
pub fn format_script(text: &str) -> Result<String, Vec<Diagnostic>> {
    crate::script::Script::parse(text)?;
    let (tokens, comments, _) = lex_with_comments(text);
    let items = collect_items(text, &tokens, &comments);
    let mut formatter = Formatter { out: String::new(), indent: 0 };
    for statement in split_statements(&items) {
        formatter.write_statement(statement);
    }
    Ok(formatter.out)
}

/// Joins the tokens of a piece of a script on one line, spaced as in [`format_script()`].
pub(crate) fn format_on_one_line(text: &str) -> String {
    let (tokens, _, _) = lex_with_comments(text);
    let items = collect_items(text, &tokens, &[]);
    join_on_one_line(&items)
}

/// Token or comment.
#[derive(Debug, Clone)]
struct FormatItem<'a> {
    text: &'a str,
    kind: ItemClass,
    /// Number of line breaks before the item in the source.
    breaks: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ItemClass {
    Name,
    Word,
    Literal,
    Open,
    Close,
    Comma,
    End,
    /// Infix operator or assignment.
    Infix,
    /// Sign before its operand.
    Prefix,
    /// `#`, written without spaces.
    Tie,
    /// Comment up to the end of the line.
    Comment,
    /// Comment between `/*` and `*/`.
    Block,
}

fn collect_items<'a>(text: &'a str, tokens: &[Lexeme<'a>], comments: &[Comment]) -> Vec<FormatItem<'a>> {
    let mut places: Vec<(usize, usize, Option<Token<'a>>)> = tokens
        .iter()
        .filter(|lexeme| lexeme.token != Token::End)
        .map(|lexeme| (lexeme.span.start, lexeme.span.end, Some(lexeme.token)))
        .collect();
    places.extend(comments.iter().map(|comment| (comment.span.start, comment.span.end, None)));
    // An unstable sort suffices: no two items start at one place.
    places.sort_unstable_by_key(|(start, ..)| *start);
    let mut items: Vec<FormatItem<'a>> = Vec::new();
    let mut before = 0;
    for (start, end, token) in places {
        let text_of = text.get(start..end).unwrap_or_default();
        let kind = match token {
            None if text_of.starts_with("//") => ItemClass::Comment,
            None => ItemClass::Block,
            Some(token) => classify_token(token, items.iter().rev().find(|item| !item.is_comment())),
        };
        let breaks = text.get(before..start).unwrap_or_default().matches('\n').count();
        items.push(FormatItem { text: text_of.trim_end(), kind, breaks });
        before = end;
    }
    items
}

fn classify_token(token: Token<'_>, before: Option<&FormatItem<'_>>) -> ItemClass {
    match token {
        Token::Name(_) => ItemClass::Name,
        Token::Word(_) => ItemClass::Word,
        Token::Integer(_) | Token::Number(_) | Token::Text(_) => ItemClass::Literal,
        Token::Symbol("(" | "[" | "{") => ItemClass::Open,
        Token::Symbol(")" | "]" | "}") => ItemClass::Close,
        Token::Symbol(",") => ItemClass::Comma,
        Token::Symbol(";") | Token::End => ItemClass::End,
        Token::Symbol("#") => ItemClass::Tie,
        Token::Symbol("_") => ItemClass::Literal,
        Token::Symbol("+" | "-") if !before.is_some_and(FormatItem::ends_operand) => ItemClass::Prefix,
        Token::Symbol(_) => ItemClass::Infix,
    }
}

impl FormatItem<'_> {
    fn is_comment(&self) -> bool {
        matches!(self.kind, ItemClass::Comment | ItemClass::Block)
    }

    /// Returns whether an operand may end here; a sign after it is then an infix operator.
    fn ends_operand(&self) -> bool {
        match self.kind {
            ItemClass::Name | ItemClass::Literal | ItemClass::Close => true,
            ItemClass::Word => matches!(self.text, "true" | "false" | "null"),
            _ => false,
        }
    }

    /// Returns whether a bracket after this item encloses arguments.
    fn takes_arguments(&self) -> bool {
        match self.kind {
            ItemClass::Name => true,
            ItemClass::Word => !matches!(
                self.text,
                "and"
                    | "or"
                    | "xor"
                    | "not"
                    | "in"
                    | "not_in"
                    | "if"
                    | "then"
                    | "else"
                    | "when"
                    | "case"
                    | "is"
                    | "over"
                    | "by"
                    | "except"
                    | "filter"
                    | "having"
                    | "using"
                    | "apply"
                    | "imbalance"
                    | "returns"
                    | "to"
                    | "calc"
                    | "aggr"
                    | "as"
            ),
            _ => false,
        }
    }
}

/// Returns whether a space separates two neighbours on a line.
fn needs_space(a: &FormatItem<'_>, b: &FormatItem<'_>) -> bool {
    match (a.kind, b.kind) {
        (_, ItemClass::Comma | ItemClass::End | ItemClass::Tie) | (ItemClass::Tie | ItemClass::Prefix, _) => {
            false
        }
        (ItemClass::Open, _) => a.text == "{",
        (_, ItemClass::Close) => b.text == "}",
        (_, ItemClass::Open) if b.text == "[" => !matches!(a.kind, ItemClass::Name | ItemClass::Close),
        (_, ItemClass::Open) if b.text == "(" => !a.takes_arguments(),
        (_, ItemClass::Infix) => b.text != ":",
        _ => true,
    }
}

/// Joins items on one line.
fn join_on_one_line(items: &[FormatItem<'_>]) -> String {
    let mut out = String::new();
    let mut before: Option<&FormatItem<'_>> = None;
    for item in items {
        if before.is_some_and(|before| needs_space(before, item)) {
            out.push(' ');
        }
        out.push_str(item.text);
        before = Some(item);
    }
    out
}

/// Splits items after each semicolon outside definitions, with a comment that follows on the same line.
fn split_statements<'i, 'a>(items: &'i [FormatItem<'a>]) -> Vec<&'i [FormatItem<'a>]> {
    let mut found = Vec::new();
    let (mut start, mut at, mut defining) = (0, 0, false);
    while let Some(item) = items.get(at) {
        at += 1;
        match item.kind {
            ItemClass::Word if item.text == "define" => defining = true,
            ItemClass::Word if item.text == "end" => defining = false,
            ItemClass::End if !defining => {
                // A comment on the same line belongs to the statement before it.
                if items.get(at).is_some_and(|next| next.is_comment() && next.breaks == 0) {
                    at += 1;
                }
                found.extend(items.get(start..at));
                start = at;
            }
            ItemClass::Comment | ItemClass::Block if start + 1 == at && !defining => {
                found.extend(items.get(start..at));
                start = at;
            }
            _ => {}
        }
    }
    found.extend(items.get(start..).filter(|rest| !rest.is_empty()));
    found
}

struct Formatter {
    out: String,
    indent: usize,
}

impl Formatter {
    fn write_statement(&mut self, items: &[FormatItem<'_>]) {
        // Of several blank lines one is kept.
        if !self.out.is_empty() && items.first().is_some_and(|first| first.breaks > 1) {
            self.out.push('\n');
        }
        self.indent = 0;
        if items.first().is_some_and(|first| first.text == "define") {
            self.write_definition(items);
        } else {
            self.write_items(items, 0);
        }
        while self.out.ends_with(' ') {
            self.out.pop();
        }
        self.out.push('\n');
    }

    fn current_column(&self) -> usize {
        self.out.rsplit('\n').next().unwrap_or_default().chars().count()
    }

    fn start_line(&mut self, level: usize) {
        while self.out.ends_with(' ') {
            self.out.pop();
        }
        self.out.push('\n');
        self.out.push_str(&" ".repeat(level * INDENT));
    }

    /// Writes a definition: head, indented body, end.
    fn write_definition(&mut self, items: &[FormatItem<'_>]) {
        let is = items.iter().position(|item| item.kind == ItemClass::Word && item.text == "is");
        let end = items.iter().rposition(|item| item.kind == ItemClass::Word && item.text == "end");
        let (Some(is), Some(end)) = (is, end) else { return self.write_items(items, 0) };
        self.write_items(items.get(..=is).unwrap_or_default(), 0);
        for rule in
            items.get(is + 1..end).unwrap_or_default().split_inclusive(|item| item.kind == ItemClass::End)
        {
            self.start_line(1);
            self.write_items(rule, 1);
        }
        self.start_line(0);
        self.write_items(items.get(end..).unwrap_or_default(), 0);
    }

    /// Writes items at an indentation level and breaks brackets that do not fit.
    fn write_items(&mut self, items: &[FormatItem<'_>], level: usize) {
        let mut at = 0;
        while let Some(item) = items.get(at) {
            let before = at.checked_sub(1).and_then(|at| items.get(at));
            if item.is_comment() {
                self.write_comment(item, before.is_some(), at + 1 < items.len(), level);
                at += 1;
                continue;
            }
            match before {
                Some(before) if before.kind == ItemClass::Comment => {}
                Some(before) if needs_space(before, item) => self.out.push(' '),
                _ => {}
            }
            let close = if item.kind == ItemClass::Open { matching_bracket(items, at) } else { None };
            match close {
                Some(close)
                    if !self
                        .fits_on_line(items.get(at..=close).unwrap_or_default(), items.get(close + 1)) =>
                {
                    self.write_broken_bracket(items.get(at..=close).unwrap_or_default(), level);
                    at = close + 1;
                }
                Some(close) => {
                    self.out.push_str(&join_on_one_line(items.get(at..=close).unwrap_or_default()));
                    at = close + 1;
                }
                None => {
                    self.out.push_str(item.text);
                    at += 1;
                }
            }
        }
    }

    fn write_comment(&mut self, item: &FormatItem<'_>, behind: bool, more: bool, level: usize) {
        if behind && item.breaks > 0 {
            self.start_line(level + 1);
        } else if behind && !self.out.ends_with(' ') {
            self.out.push_str(if item.kind == ItemClass::Comment { "  " } else { " " });
        }
        self.out.push_str(item.text);
        // What follows on the same line would become part of the comment.
        if item.kind == ItemClass::Comment && more {
            self.start_line(level + 1);
        }
    }

    /// Returns whether a bracket fits on the line together with the comma or semicolon after it.
    fn fits_on_line(&self, items: &[FormatItem<'_>], after: Option<&FormatItem<'_>>) -> bool {
        let tail =
            after.filter(|item| matches!(item.kind, ItemClass::End | ItemClass::Comma)).map_or(0, |_| 1);
        // Behind a line comment nothing can follow on its line.
        let plain = items.iter().all(|item| item.kind != ItemClass::Comment && !item.text.contains('\n'));
        plain && self.current_column() + join_on_one_line(items).chars().count() + tail <= WIDTH
    }

    /// Writes a bracket over several lines, one for each of its parts.
    fn write_broken_bracket(&mut self, items: &[FormatItem<'_>], level: usize) {
        let (Some(open), Some(close)) = (items.first(), items.last()) else { return };
        self.out.push_str(open.text);
        let inner = items.get(1..items.len() - 1).unwrap_or_default();
        for part in split_parts(inner) {
            self.start_line(level + 1);
            self.write_items(part, level + 1);
        }
        self.start_line(level);
        self.out.push_str(close.text);
    }
}

/// Returns the position of the bracket that closes the one at `open`.
fn matching_bracket(items: &[FormatItem<'_>], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, item) in items.iter().enumerate().skip(open) {
        match item.kind {
            ItemClass::Open => depth += 1,
            ItemClass::Close => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Splits the content of a bracket after commas and before the words that begin a clause.
fn split_parts<'i, 'a>(items: &'i [FormatItem<'a>]) -> Vec<&'i [FormatItem<'a>]> {
    let mut found = Vec::new();
    let (mut start, mut depth) = (0, 0_usize);
    for (at, item) in items.iter().enumerate() {
        match item.kind {
            ItemClass::Open => depth += 1,
            ItemClass::Close => depth = depth.saturating_sub(1),
            ItemClass::Comma if depth == 0 => {
                // A comment after the comma stays on its line.
                let behind =
                    items.get(at + 1).is_some_and(|next| next.kind == ItemClass::Comment && next.breaks == 0);
                let end = at + 1 + usize::from(behind);
                found.extend(items.get(start..end));
                start = end;
            }
            ItemClass::Word if depth == 0 && at > start && starts_part(item.text, items.get(at + 1)) => {
                found.extend(items.get(start..at));
                start = at;
            }
            _ => {}
        }
    }
    found.extend(items.get(start..).filter(|rest| !rest.is_empty()));
    found
}

/// Returns whether a word begins a separate part of a broken bracket.
fn starts_part(word: &str, next: Option<&FormatItem<'_>>) -> bool {
    match word {
        "group" | "having" | "partition" | "order" | "using" | "filter" | "calc" | "aggr" | "keep"
        | "drop" | "rename" | "apply" | "errorcode" | "errorlevel" | "imbalance" => true,
        "data" => next.is_some_and(|next| next.text == "points"),
        _ => false,
    }
}
