//! Regular expressions of `match_characters`: POSIX extended ones, in time linear in the text.
//!
//! Defines the dialect (`specs/vtl.md`, "Texts"). A pattern is parsed and bounded here, then
//! translated to an explicit form for the `regex` crate: character classes are ASCII, so matches do
//! not depend on the Unicode tables of a release. The type check and the cost table use this module
//! too.

use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

/// Limit on the positions of a pattern: characters, classes and dots, each counted with its
/// repetitions.
pub(crate) const POSITIONS_MAX: u64 = 256;
/// Limit on the bytes of a pattern.
const PATTERN_BYTES_MAX: usize = 256;
/// Limit on nested groups.
const GROUPS_MAX: usize = 32;
/// Limit on the bytes of a compiled pattern.
const AUTOMATON_BYTES_MAX: usize = 1 << 20;

/// Compiled pattern that matches whole texts.
pub(crate) struct CharacterPattern(Regex);

impl CharacterPattern {
    /// Parses and compiles a pattern.
    ///
    /// # Errors
    /// The message for the author of the script.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        let (spelled, _) = parse_pattern(pattern)?;
        // Anchored at both ends: `match_characters` matches whole texts.
        RegexBuilder::new(&format!("\\A(?:{spelled})\\z"))
            .dot_matches_new_line(true)
            .size_limit(AUTOMATON_BYTES_MAX)
            .build()
            .map(Self)
            .map_err(|_| invalid_pattern(pattern, "it is too large"))
    }

    /// Returns whether a whole text matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// Returns the error of a pattern, if it has one.
pub(crate) fn pattern_error(pattern: &str) -> Option<String> {
    CharacterPattern::new(pattern).err()
}

/// Counts the positions of a pattern; [`POSITIONS_MAX`] for an invalid one.
pub(crate) fn count_positions(pattern: &str) -> u64 {
    parse_pattern(pattern).map_or(POSITIONS_MAX, |(_, positions)| positions)
}

fn invalid_pattern(pattern: &str, why: &str) -> String {
    let shown: String = pattern.chars().take(40).collect();
    format!("invalid pattern `{shown}`: {why}")
}

/// Translates a pattern for the `regex` crate; returns the translation and the number of positions.
fn parse_pattern(pattern: &str) -> Result<(String, u64), String> {
    // Patterns may come from data, not only from the script, so their size is checked first.
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(invalid_pattern(pattern, &format!("it has more than {PATTERN_BYTES_MAX} bytes")));
    }
    let mut reader = PatternParser { rest: pattern.chars().peekable(), out: String::new(), groups: 0 };
    let positions = reader.parse_alternatives().map_err(|why| invalid_pattern(pattern, why))?;
    match reader.rest.next() {
        None => Ok((reader.out, positions)),
        Some(_) => Err(invalid_pattern(pattern, "unmatched `)`")),
    }
}

struct PatternParser<'p> {
    rest: Peekable<Chars<'p>>,
    out: String,
    groups: usize,
}

type PatternResult<T> = Result<T, &'static str>;

/// Characters that start a repetition.
const REPEATS: [char; 4] = ['*', '+', '?', '{'];

impl PatternParser<'_> {
    fn eat_char(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).is_some()
    }

    /// Parses branches separated by `|`.
    fn parse_alternatives(&mut self) -> PatternResult<u64> {
        let mut positions = self.parse_branch()?;
        while self.eat_char('|') {
            self.out.push('|');
            positions += self.parse_branch()?;
        }
        check_positions(positions)
    }

    fn parse_branch(&mut self) -> PatternResult<u64> {
        let mut positions = 0;
        let mut empty = true;
        while self.rest.peek().is_some_and(|next| !matches!(next, '|' | ')')) {
            positions = check_positions(positions + self.parse_piece()?)?;
            empty = false;
        }
        if empty { Err("a branch is empty") } else { Ok(positions) }
    }

    /// Parses an atom with an optional repetition.
    fn parse_piece(&mut self) -> PatternResult<u64> {
        let anchor = matches!(self.rest.peek(), Some('^' | '$'));
        let positions = self.parse_atom()?;
        let Some(repeat) = self.rest.next_if(|next| REPEATS.contains(next)) else { return Ok(positions) };
        if anchor {
            return Err("`^` and `$` cannot be repeated");
        }
        let times = if repeat == '{' {
            self.parse_repeat_count()?
        } else {
            self.out.push(repeat);
            1
        };
        if self.rest.peek().is_some_and(|next| REPEATS.contains(next)) {
            return Err("a repetition follows another repetition");
        }
        // Cannot overflow: both factors have passed `check_positions` (`times` may be one greater).
        check_positions(positions * times)
    }

    /// Parses `n}`, `n,}` or `n,m}`; returns the number of copies in the automaton.
    fn parse_repeat_count(&mut self) -> PatternResult<u64> {
        let least = self.parse_number()?.ok_or("a repetition is `{2}`, `{2,}` or `{2,3}`")?;
        let mut most = Some(least);
        if self.eat_char(',') {
            most = self.parse_number()?;
        }
        if !self.eat_char('}') || most.is_some_and(|most| most < least) {
            return Err("a repetition is `{2}`, `{2,}` or `{2,3}`");
        }
        match most {
            Some(most) => self.out.push_str(&format!("{{{least},{most}}}")),
            None => self.out.push_str(&format!("{{{least},}}")),
        }
        // An open repetition needs one copy more, for its loop.
        Ok(most.unwrap_or(least + 1).max(1))
    }

    fn parse_number(&mut self) -> PatternResult<Option<u64>> {
        let mut number = None;
        while let Some(digit) = self.rest.next_if(char::is_ascii_digit) {
            let digit = u64::from(digit) - u64::from('0');
            // Checked at each digit, so that a long number cannot overflow.
            number = Some(check_positions(number.unwrap_or(0) * 10 + digit)?);
        }
        Ok(number)
    }

    fn parse_atom(&mut self) -> PatternResult<u64> {
        match self.rest.next().ok_or("unexpected end")? {
            '(' => return self.parse_group(),
            '[' => self.parse_bracket()?,
            '.' => self.out.push('.'),
            // POSIX anchors are those of the text; a line within it has none.
            '^' => self.out.push_str("\\A"),
            '$' => self.out.push_str("\\z"),
            '\\' => self.parse_escape()?,
            next if REPEATS.contains(&next) => return Err("nothing to repeat"),
            next => self.push_literal(next),
        }
        Ok(1)
    }

    fn parse_group(&mut self) -> PatternResult<u64> {
        self.groups += 1;
        // Bounds the recursion of this parser and of the `regex` crate.
        if self.groups > GROUPS_MAX {
            return Err("groups are nested too deeply");
        }
        self.out.push_str("(?:");
        let positions = self.parse_alternatives()?;
        self.out.push(')');
        self.groups -= 1;
        if self.eat_char(')') { Ok(positions) } else { Err("unclosed `(`") }
    }

    fn push_literal(&mut self, character: char) {
        // A hexadecimal escape has no special meaning in any context.
        self.out.push_str(&format!("\\x{{{:X}}}", u32::from(character)));
    }

    /// Parses an escape outside of brackets, after the backslash.
    fn parse_escape(&mut self) -> PatternResult<()> {
        let next = self.rest.next().ok_or("a backslash at the end")?;
        match character_class(next.to_ascii_lowercase()) {
            Some(class) => {
                let negated = if next.is_ascii_uppercase() { "^" } else { "" };
                self.out.push_str(&format!("[{negated}{class}]"));
            }
            None if next.is_ascii_punctuation() => self.push_literal(next),
            None => return Err("a backslash must be followed by punctuation or one of `d w s D W S`"),
        }
        Ok(())
    }

    /// Parses a bracket expression, after `[`.
    fn parse_bracket(&mut self) -> PatternResult<()> {
        self.out.push('[');
        if self.eat_char('^') {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let next = self.rest.next().ok_or("unclosed `[`")?;
            match next {
                // `]` is literal as the first character (POSIX.1-2017, 9.3.5).
                ']' if !first => break,
                '[' if matches!(self.rest.peek(), Some(':' | '.' | '=')) => self.parse_named_class()?,
                '\\' if self.rest.peek().is_some_and(|next| character_class(*next).is_some()) => {
                    let name = self.rest.next().and_then(character_class).unwrap_or_default();
                    self.out.push_str(name);
                }
                _ => self.parse_range(next)?,
            }
            first = false;
        }
        self.out.push(']');
        Ok(())
    }

    /// Parses a named class such as `[:alpha:]`.
    fn parse_named_class(&mut self) -> PatternResult<()> {
        let mark = self.rest.next();
        let mut name = String::new();
        while let Some(letter) = self.rest.next_if(char::is_ascii_lowercase) {
            name.push(letter);
        }
        let closed = self.eat_char(':') && self.eat_char(']');
        if mark != Some(':') || !closed || !CLASSES.contains(&name.as_str()) {
            return Err(
                "unknown character class, expected one of the twelve of POSIX, such as `[:alpha:]` or `[:digit:]`",
            );
        }
        self.out.push_str(&format!("[:{name}:]"));
        Ok(())
    }

    /// Parses a character or a range of characters.
    fn parse_range(&mut self, first: char) -> PatternResult<()> {
        let first = self.parse_bracket_char(first)?;
        self.push_literal(first);
        // `-` is literal at the end of the brackets (POSIX.1-2017, 9.3.5).
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('-') || matches!(ahead.peek(), None | Some(']')) {
            return Ok(());
        }
        self.rest.next();
        let last = self.rest.next().ok_or("unclosed `[`")?;
        let last = self.parse_bracket_char(last)?;
        if last < first {
            return Err("a character range ends before it starts");
        }
        self.out.push('-');
        self.push_literal(last);
        Ok(())
    }

    /// Parses one character in brackets, optionally escaped.
    fn parse_bracket_char(&mut self, character: char) -> PatternResult<char> {
        if character != '\\' {
            return Ok(character);
        }
        let sign = self.rest.next_if(char::is_ascii_punctuation);
        sign.ok_or("in brackets a backslash must be followed by punctuation or one of `d w s`")
    }
}

/// Character classes of POSIX, restricted to ASCII.
const CLASSES: [&str; 12] = [
    "alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
    "xdigit",
];

/// Returns the class of an escaped letter.
fn character_class(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => "0-9",
        'w' => "0-9A-Za-z_",
        's' => " \\t\\n\\r\\x0B\\x0C",
        _ => return None,
    })
}

fn check_positions(positions: u64) -> PatternResult<u64> {
    if positions > POSITIONS_MAX { Err("it expands to too many positions") } else { Ok(positions) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, yes, no) in [
            ("[A-Za-z]{2}[0-9]{3}", "AX123", "AX2J5"),
            ("[abc]+\\d\\d", "cab42", "42"),
            ("a|bc", "bc", "ab"),
            ("(a|b)*c?", "abab", "abcab"),
            ("^x$", "x", "xx"),
            ("[^[:digit:]]+", "ab-é", "a1"),
            ("[]a-]+", "]a-", "b"),
            ("a{2,}", "aaa", "a"),
            (".\\.é", "x.é", "xyé"),
            ("[\\d\\]]", "]", "d"),
            ("a{0}b", "b", "ab"),
            ("\\W\\S", " x", "xx"),
        ] {
            let compiled = CharacterPattern::new(pattern).unwrap();
            assert!(compiled.matches(yes) && !compiled.matches(no), "{pattern}");
        }
    }

    #[test]
    fn invalid_patterns_are_reported() {
        for pattern in [
            "",
            "a|",
            "()",
            "(a",
            "a)",
            "*a",
            "a**",
            "a+?",
            "a{2",
            "a{3,2}",
            "a{257}",
            "(a{16}){17}",
            "[a",
            "[z-a]",
            "[[:foo:]]",
            "[[.a.]]",
            "\\q",
            "a\\",
            "^*",
            "(?i)a",
            "[\\D]",
        ] {
            assert!(pattern_error(pattern).is_some(), "{pattern}");
        }
        assert!(pattern_error(&"(".repeat(200)).is_some() && pattern_error(&"a".repeat(257)).is_some());
        assert!(CharacterPattern::new(&"[^a]".repeat(64)).is_ok());
        assert!(CharacterPattern::new("[^a]{256}").is_ok());
        assert_eq!((count_positions("[a-z]{2}(b|c)*"), count_positions("(")), (4, POSITIONS_MAX));
    }
}
