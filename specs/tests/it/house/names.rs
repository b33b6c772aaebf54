//! External crates that only one crate may use, and names that the pure crates must not use.

use super::layering::dependencies;
use super::{none, read, sources};

/// A foreign crate and the one crate of the house that may name it.
const OWNED: &[(&str, &str)] = &[
    ("serde_cbor", "schemas"),
    ("blake3", "schemas"),
    ("ed25519_dalek", "schemas"),
    ("sled", "node/store"),
    ("libp2p", "node/network"),
    ("libp2p_stream", "node/network"),
    ("axum", "node/api"),
    ("rustls", "node/fetch"),
];

/// The crates without IO, clock, randomness, random order and floating point.
const PURE: &[&str] = &["schemas", "node/vtl", "node/ledger", "node/replication"];

/// Names that the pure crates must not use.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::io",
    "SystemTime",
    "Instant",
    "tokio",
    "rand",
    "getrandom",
    "HashMap",
    "HashSet",
    "RandomState",
    "f32",
    "f64",
];

/// Macros that print.
const SPEECH: &[&str] = &["println!", "eprintln!", "print!", "eprint!"];

/// Crates that may print.
const SPEAKERS: &[&str] = &["cli", "specs/xtask"];

/// Exceptions: file, name and reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[(
    "node/vtl/src/eval/threads.rs",
    "std::thread",
    "scoped threads over ranges of rows: the result is that of one thread, which a test compares",
)];

const CRATES: &[&str] = &[
    "schemas",
    "node/vtl",
    "node/store",
    "node/replication",
    "node/recipes",
    "node/ledger",
    "node/network",
    "node/ingest",
    "node/fetch",
    "node/service",
    "node/submit",
    "node/api",
    "node/dashboard",
    "node",
    "cli",
    "specs",
    "specs/testkit",
    "specs/conformance",
    "specs/xtask",
];

/// The code of a file: comments, texts and the test module at its end taken out.
fn code(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let skip = comment(rest).or_else(|| quoted(rest));
        match skip {
            Some(length) => {
                code.push(' ');
                rest = rest.get(length..).unwrap_or_default();
            }
            None => {
                code.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    match code.find("#[cfg(test)]\nmod ") {
        Some(tests) => code[..tests].to_owned(),
        None => code,
    }
}

/// Bytes of the comment that the text begins with.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    text.starts_with("/*").then(|| text.find("*/").map_or(text.len(), |end| end + 2))
}

/// Bytes of the string or character that the text begins with.
fn quoted(text: &str) -> Option<usize> {
    if let Some(raw) = text.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let body = 1 + hashes + 1;
            return Some(text[body..].find(&close).map_or(text.len(), |end| body + end + close.len()));
        }
    }
    if text.starts_with('"') {
        return Some(closing(text, '"'));
    }
    // A lifetime has no closing quote within two characters.
    let escaped = text.starts_with("'\\");
    let single = text.starts_with('\'') && text.chars().nth(2) == Some('\'');
    (escaped || single).then(|| closing(text, '\''))
}

fn closing(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Words and signs; `::` is one sign, a number with its point is one word.
fn tokens(code: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            continue;
        }
        let mut token = String::from(c);
        if c.is_alphanumeric() || c == '_' {
            let field = tokens.last().is_some_and(|last| last == ".");
            while let Some(next) = chars.peek().copied() {
                let point = next == '.' && c.is_ascii_digit() && !field && !token.contains('.') && {
                    let mut ahead = chars.clone();
                    ahead.next();
                    ahead.peek().is_some_and(char::is_ascii_digit)
                };
                if !(next.is_alphanumeric() || next == '_' || point) {
                    break;
                }
                token.push(next);
                chars.next();
            }
        } else if c == ':' && chars.peek() == Some(&':') {
            token.push(':');
            chars.next();
        }
        tokens.push(token);
    }
    tokens
}

/// Whether `name` is used: a word, a macro (`name!`), a crate (`name::`, but no field or module
/// that is called like it) or a path (`std::fs`, also in a group).
fn speaks(tokens: &[String], name: &str) -> bool {
    if let Some(name) = name.strip_suffix("::") {
        return tokens.iter().enumerate().any(|(at, token)| {
            let before = at.checked_sub(1).and_then(|at| tokens.get(at)).map(String::as_str);
            let after = tokens.get(at + 1).map(String::as_str);
            let path = after == Some("::") && !matches!(before, Some("::" | "."));
            token == name && (path || matches!(before, Some("use" | "crate")))
        });
    }
    if let Some(name) = name.strip_suffix('!') {
        return tokens.windows(2).any(|pair| pair[0] == name && pair[1] == "!");
    }
    let Some((head, tail)) = name.split_once("::") else {
        return tokens.iter().any(|token| token == name);
    };
    tokens.windows(3).enumerate().any(|(at, part)| {
        let under = part[0] == head && part[1] == "::";
        under && (part[2] == tail || (part[2] == "{" && group(&tokens[at + 3..]).any(|name| name == tail)))
    })
}

/// The first names of a group of imports, up to its closing brace.
fn group(tokens: &[String]) -> impl Iterator<Item = &str> {
    let (mut depth, mut fresh) = (0, true);
    tokens.iter().map_while(move |token| {
        let first = fresh && depth == 0;
        match token.as_str() {
            "{" => depth += 1,
            "}" if depth == 0 => return None,
            "}" => depth -= 1,
            _ => {}
        }
        fresh = token == "," && depth == 0;
        Some(if first { token.as_str() } else { "" })
    })
}

/// Whether a floating-point number is written out.
fn floats(tokens: &[String]) -> bool {
    tokens.iter().any(|token| token.starts_with(|c: char| c.is_ascii_digit()) && token.contains('.'))
}

/// The names of `banned` that a file speaks.
fn spoken(path: &str, source: &str, banned: &[&str]) -> Vec<String> {
    let tokens = tokens(&code(source));
    let excused = |name: &str| EXCEPTIONS.iter().any(|(file, word, _)| *file == path && *word == name);
    let named = banned.iter().filter(|name| speaks(&tokens, name) && !excused(name));
    named.map(|name| format!("{path} uses `{name}`")).collect()
}

fn faults(folder: &str, banned: &[&str]) -> Vec<String> {
    let files = sources(&format!("{folder}/src"));
    files.iter().flat_map(|path| spoken(path, &read(path), banned)).collect()
}

#[test]
fn foreign_crates_have_one_owner() {
    let mut found = Vec::new();
    for folder in CRATES {
        let others = OWNED.iter().filter(|(_, owner)| owner != folder);
        let banned: Vec<&str> = others.map(|(name, _)| *name).collect();
        let paths: Vec<String> = banned.iter().map(|name| format!("{name}::")).collect();
        found.extend(faults(folder, &paths.iter().map(String::as_str).collect::<Vec<_>>()));
        let manifest = std::fs::read_to_string(super::root().join(folder).join("Cargo.toml"));
        let declared = dependencies(&manifest.unwrap_or_default(), "dependencies");
        let declared = declared.iter().map(|name| name.replace('-', "_"));
        found.extend(
            declared.filter(|name| banned.contains(&name.as_str())).map(|name| format!("{folder}: {name}")),
        );
    }
    none("names that belong to another crate", &found);
}

#[test]
fn pure_crates_stay_pure() {
    let mut found: Vec<String> = PURE.iter().flat_map(|folder| faults(folder, IMPURE)).collect();
    for path in PURE.iter().flat_map(|folder| sources(&format!("{folder}/src"))) {
        if floats(&tokens(&code(&read(&path)))) {
            found.push(format!("{path} writes a floating-point number"));
        }
    }
    none("impure names in pure crates", &found);
}

#[test]
fn only_the_command_line_prints() {
    let silent = CRATES.iter().filter(|folder| !SPEAKERS.contains(folder));
    none(
        "printing outside the command line",
        &silent.flat_map(|folder| faults(folder, SPEECH)).collect::<Vec<_>>(),
    );
}

/// The URL policy of the fetcher has an override for the servers of tests; programs must not use it.
#[test]
fn no_program_fetches_from_its_own_machine() {
    let callers = CRATES.iter().filter(|folder| **folder != "node/fetch");
    let errors: Vec<String> = callers.flat_map(|folder| faults(folder, &["fetch::Local"])).collect();
    none("use of the test-only override", &errors);
}

#[test]
fn exceptions_are_still_needed() {
    for (path, name, reason) in EXCEPTIONS {
        assert!(reason.len() > 20, "{path}: an exception has a reason");
        assert!(speaks(&tokens(&code(&read(path))), name), "{path} no longer uses `{name}`");
    }
}

#[test]
fn a_banned_name_is_caught() {
    let caught = |source: &str| !spoken("x.rs", source, &[IMPURE, SPEECH, &["sled::"]].concat()).is_empty();
    for bad in [
        "use std::fs;",
        "use std::{collections::BTreeMap, fs::File};",
        "use std::{\n    cmp,\n    net,\n};",
        "let now = Instant::now();",
        "fn f(x: f64) {}",
        "println!(\"x\");",
        "let x: std::collections::HashMap<u8, u8>;",
        "sled::open(path)",
        "use sled as store;",
        "fn f(db: &sled::Db) {}",
        "let quote = '\"'; use std::fs;",
        "let text = r#\"\"\"#; tokio::spawn(x);",
    ] {
        assert!(caught(bad), "{bad}");
    }
    for good in [
        "// std::fs is not for us",
        "let text = \"println! of std::fs\";",
        "/// See `HashMap`.\nfn f<'a>(x: &'a str) {}",
        "use std::{fmt, collections::fs_like};",
        "let rand_like = 1;",
        "let x = Snapshot { sled: 1 }; x.sled::<u8>(); crate::sled::f();",
        "fn f() {}\n#[cfg(test)]\nmod tests { use std::fs; }",
    ] {
        assert!(!caught(good), "{good}");
    }
    assert!(floats(&tokens("let x = 1.5;")));
    assert!(!floats(&tokens("for x in 1..5 { pair.0.1; 7.max(x) }")));
}
