//! Names and comments: types named by what they are, functions named by verb and object, comments
//! that open with their subject.
//!
//! Where a rule does not hold everywhere yet, a limit for each crate may only be lowered.

use std::collections::BTreeMap;

use super::{none, read, sources};

/// Largest numbers of exceptions in a crate.
struct WordingLimit {
    /// Folder of the crate.
    folder: &'static str,
    /// Free functions with a name of one word.
    one_word_functions: usize,
    /// Doc comments that open with a question word.
    question_openings: usize,
}

const fn limit(folder: &'static str, one_word_functions: usize, question_openings: usize) -> WordingLimit {
    WordingLimit { folder, one_word_functions, question_openings }
}

/// Limits of all crates. Lower a number when a crate has fewer; never raise one.
const LIMITS: &[WordingLimit] = &[
    limit("schemas", 4, 72),
    limit("node/vtl", 25, 0),
    limit("node/store", 0, 0),
    limit("node/replication", 1, 2),
    limit("node/recipes", 0, 13),
    limit("node/ingest", 4, 0),
    limit("node/ledger", 0, 16),
    limit("node/network", 1, 1),
    limit("node/fetch", 0, 0),
    limit("node/submit", 1, 0),
    limit("node/service", 0, 51),
    limit("node/api", 9, 0),
    limit("node/dashboard", 2, 0),
    limit("node", 0, 21),
    limit("cli", 17, 0),
    limit("specs", 0, 0),
    limit("specs/testkit", 0, 0),
    limit("specs/conformance", 0, 0),
    limit("specs/xtask", 0, 0),
];

/// Question words that make a riddle of a comment: it should say the answer at once.
const QUESTION_WORDS: &[&str] = &["What", "Who", "Whom", "Whose", "Where", "Which", "How", "Why", "When"];

/// Participles that do not end in `ed`.
const IRREGULAR: &[&str] = &[
    "Held", "Kept", "Given", "Found", "Known", "Met", "Made", "Told", "Said", "Shown", "Drawn", "Written",
    "Taken", "Sent", "Spoilt",
];

/// Types that may be named by a participle, each with its reason.
const PARTICIPLES: &[(&str, &str)] =
    &[("Sealed", "`Sealed<Entry>` reads as a noun: the type parameter says what is sealed")];

/// Types of one name in the whole project, modules aside.
const SAME_NAME_MAX: usize = 2;

/// Names that every module may define: the error type of a module, and its result.
const COMMON_TYPES: &[&str] = &["Error", "Result"];

/// The text of a source file without the test module at its end.
fn without_tests(source: &str) -> &str {
    source.split("#[cfg(test)]\nmod ").next().unwrap_or_default()
}

/// A line without visibility and the qualifiers of a function.
fn without_qualifiers(line: &str) -> &str {
    let mut rest = line;
    loop {
        let shorter = ["pub ", "pub(crate) ", "pub(super) ", "const ", "async ", "unsafe "];
        match shorter.iter().find_map(|word| rest.strip_prefix(word)) {
            Some(after) => rest = after,
            None => return rest,
        }
    }
}

fn first_name(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// Free functions whose name is one word. Methods are named with their type, so they do not count.
fn one_word_functions(source: &str) -> Vec<String> {
    // An indented definition is a method or a helper inside a function.
    let names = without_tests(source).lines().filter_map(|line| without_qualifiers(line).strip_prefix("fn "));
    let one_word = names.map(first_name).filter(|name| !name.contains('_') && *name != "main");
    one_word.map(str::to_owned).collect()
}

/// First lines of the doc comments that open with a question word.
fn question_openings(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_comment = false;
    for line in without_tests(source).lines() {
        let line = line.trim_start();
        let text = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")).map(str::trim_start);
        if let Some(text) = text.filter(|text| !in_comment && QUESTION_WORDS.contains(&first_name(text))) {
            found.push(text.to_owned());
        }
        in_comment = text.is_some();
    }
    found
}

/// Types that a file defines at its top level.
fn type_names(source: &str) -> Vec<String> {
    let kinds = ["struct ", "enum ", "trait ", "type "];
    let lines = without_tests(source).lines().map(without_qualifiers);
    let names = lines.filter_map(|line| kinds.iter().find_map(|kind| line.strip_prefix(kind)));
    names.map(|name| first_name(name).to_owned()).collect()
}

/// Whether a type name is a participle and nothing else: `Asked`, but not `AskedBlocks`.
fn is_participle(name: &str) -> bool {
    let one_word = !name.chars().skip(1).any(|c| c.is_uppercase() || c.is_ascii_digit());
    one_word && (IRREGULAR.contains(&name) || (name.len() > 4 && name.ends_with("ed")))
}

/// Rust files of all crates, each once although folders of crates lie in one another.
fn all_sources() -> Vec<String> {
    let paths = ["schemas", "node", "cli", "specs"].into_iter().flat_map(sources);
    paths.filter(|path| path.contains("/src/")).collect()
}

#[test]
fn types_are_not_named_by_a_participle() {
    let excepted = |name: &str| PARTICIPLES.iter().any(|(known, _)| *known == name);
    let mut errors = Vec::new();
    for path in all_sources() {
        let names = type_names(&read(&path));
        let bad = names.into_iter().filter(|name| is_participle(name) && !excepted(name));
        errors.extend(bad.map(|name| format!("{path}: `{name}`")));
    }
    none("types named by a participle alone", &errors);
}

#[test]
fn at_most_two_types_have_one_name() {
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in all_sources() {
        for name in type_names(&read(&path)) {
            files.entry(name).or_default().push(path.clone());
        }
    }
    let common = |name: &str| COMMON_TYPES.contains(&name);
    let many = files.iter().filter(|(name, files)| files.len() > SAME_NAME_MAX && !common(name));
    let errors: Vec<String> = many.map(|(name, files)| format!("`{name}`: {}", files.join(", "))).collect();
    none("names with more than two types", &errors);
}

#[test]
fn wording_stays_within_the_limits() {
    let mut errors = Vec::new();
    for limit in LIMITS {
        let (mut functions, mut openings) = (Vec::new(), Vec::new());
        for path in sources(&format!("{}/src", limit.folder)) {
            let source = read(&path);
            functions.extend(one_word_functions(&source).into_iter().map(|name| format!("{path}: {name}")));
            openings.extend(question_openings(&source).into_iter().map(|text| format!("{path}: {text}")));
        }
        for (what, found, allowed) in [
            ("free functions of one word", functions, limit.one_word_functions),
            ("comments that open with a question word", openings, limit.question_openings),
        ] {
            if found.len() > allowed {
                let list = found.join("\n    ");
                errors.push(format!(
                    "{}: {} {what}, allowed {allowed}:\n    {list}",
                    limit.folder,
                    found.len()
                ));
            }
        }
    }
    none("wording", &errors);
}

#[test]
fn bad_wording_is_caught() {
    assert_eq!(one_word_functions("pub fn take(x: u8) {}\nfn take_entry() {}\n    fn get() {}\n"), ["take"]);
    let source = "/// What is sent.\nfn f() {}\n/// The sent bytes.\n/// Which are many.\nfn g() {}\n";
    assert_eq!(question_openings(source), ["What is sent."]);
    assert_eq!(type_names("pub struct Held<T>(T);\nenum Kind {}\n    type Item = u8;\n"), ["Held", "Kind"]);
    assert!(is_participle("Held") && is_participle("Placed") && !is_participle("PlacedOrder"));
    assert!(!is_participle("Seed"), "a noun");
}
