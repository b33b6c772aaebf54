//! The CDDL grammars of `schemas` against the vectors.

use schemas::cbor::CborRules;
use specs::cbor_tree::{CborNode, text_node};
use specs::vector::{VectorCase, VectorLevel};

use super::house::{none, read};
use super::vectors::open;

/// Names of cases of invalid texts; a grammar bounds their length only.
const TEXTS: [&str; 2] = ["line with ", "text with "];

/// Other invalid objects that a grammar cannot express: the target of a link, the characters of a text.
const BEYOND: &[&str] = &[
    "link to raw bytes for an object",
    "link to an object for raw bytes",
    "control character",
    "carriage return",
    "direction override",
    "byte order mark",
    "root of small order",
    "measure before an identifier",
    "component twice",
    "options without any",
    "coefficient with a zero before",
    "coefficient of 35 digits",
];

/// The grammars, adapted to the validator. It has no tags, so grammar and data represent a tag as a map
/// of one pair; and it does not anchor regular expressions, as RFC 8610 requires.
fn grammar() -> String {
    let files = ["common", "chunk", "object", "entry"];
    let rules = files.map(|file| read(&format!("schemas/{file}.cddl"))).join("\n");
    // It cannot parse the smallest 64-bit integer, so the range is one value shorter here.
    anchored(&untagged(&rules)).replace("-9223372036854775808", "-9223372036854775807")
}

fn untagged(rules: &str) -> String {
    let Some(start) = rules.find("#6.") else { return rules.to_owned() };
    let (before, tag) = rules.split_at(start);
    let open = tag.find('(').expect("a tag has an item");
    let close = closing(&tag[open..]) + open;
    let item = untagged(&tag[open + 1..close]);
    format!("{before}{{ \"{}\": {item} }}{}", &tag[..open], untagged(&tag[close + 1..]))
}

/// Offset of the parenthesis that closes the one at the start of the text.
fn closing(text: &str) -> usize {
    let mut depth = 0;
    let found = text.char_indices().find(|(_, c)| {
        depth += i32::from(*c == '(') - i32::from(*c == ')');
        depth == 0
    });
    found.expect("parentheses close").0
}

fn anchored(rules: &str) -> String {
    let mut parts = rules.split(".regexp \"");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (pattern, rest) = part.split_once('"').expect("quotes close");
        format!("{text}.regexp \"^({pattern})$\"{rest}")
    })
}

/// The same for data.
fn tagless(node: CborNode) -> CborNode {
    match node {
        CborNode::Tag(tag, item) => CborNode::Map(vec![(text_node(&format!("#6.{tag}")), tagless(*item))]),
        CborNode::Array(items) => CborNode::Array(items.into_iter().map(tagless).collect()),
        CborNode::Map(pairs) => {
            CborNode::Map(pairs.into_iter().map(|(key, value)| (key, tagless(value))).collect())
        }
        other => other,
    }
}

fn validate(grammar: &str, root: &str, case: &VectorCase, rules: CborRules) -> Result<(), String> {
    let input = tagless(CborNode::decode(&case.input(), rules)).encode();
    cddl_cat::validate_cbor_bytes(root, grammar, &input).map_err(|error| error.to_string())
}

fn positives(file: &str, root: &str, rules: CborRules) {
    let grammar = grammar();
    let mut errors = Vec::new();
    for case in open(file).cases.iter().filter(|case| case.expect == "ok") {
        // Validating by the rule of the object type too gives a more precise error.
        let kind = case.name.split([' ', ',']).next().unwrap_or_default();
        let close = root == "object" && grammar.contains(&format!("\n{kind} = {{\n  \"$type\": \"{kind}\""));
        for rule in [root, if close { kind } else { root }] {
            if let Err(error) = validate(&grammar, rule, case, rules) {
                errors.push(format!("{} as {rule}: {error}", case.name));
            }
        }
    }
    none(file, &errors);
}

#[test]
fn objects_fit_the_grammar() {
    positives("object.json", "object", CborRules::DagCbor);
    positives("chunk.json", "object", CborRules::DagCbor);
}

#[test]
fn entries_fit_the_grammar() {
    positives("entry.json", "entry", CborRules::Cose);
}

#[test]
fn wrong_shapes_do_not_fit() {
    let grammar = grammar();
    let mut errors = Vec::new();
    for case in open("object.json").cases.iter().chain(&open("chunk.json").cases) {
        let shape = case.level == VectorLevel::Object && !matches!(case.expect.as_str(), "ok" | "rule");
        let beyond =
            BEYOND.contains(&case.name.as_str()) || TEXTS.iter().any(|text| case.name.starts_with(text));
        if shape && beyond == validate(&grammar, "object", case, CborRules::DagCbor).is_err() {
            errors.push(format!("`{}` ({})", case.name, case.reason));
        }
    }
    none("shapes that the grammar should refuse, or that it now does", &errors);
}

/// Invalid headers that a grammar cannot express: agreement between parts, the target of an id, the
/// allowed characters.
const BEYOND_HEADER: &[&str] = &[
    "content type of another kind",
    "subject of another object",
    "id with an unreadable subject",
    "sequence number 0 with an entry before",
    "authority of its own place",
    "authority of a later place",
    "entry before that is an object",
];

#[test]
fn wrong_envelopes_do_not_fit() {
    let grammar = grammar();
    let mut errors = Vec::new();
    let payload = ["inline", "payload"];
    for case in open("entry.json").cases.iter().filter(|case| case.level == VectorLevel::Envelope) {
        let beyond = BEYOND_HEADER.contains(&case.name.as_str()) || payload.contains(&case.expect.as_str());
        if beyond == validate(&grammar, "entry", case, CborRules::Cose).is_err() {
            errors.push(format!("`{}` ({})", case.name, case.reason));
        }
    }
    none("envelopes that the grammar should refuse, or that it now does", &errors);
}
