//! The CDDL grammars of `schemas` against the vectors.

use schemas::cbor::CborRules;
use specs::cbor_tree::{CborNode, text_node};
use specs::vector::{VectorCase, VectorLevel};

use super::house::{none, read};
use super::vectors::open;

/// Wrong shapes that a grammar cannot say: what a link names, and which characters a text holds.
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
    "coefficient with a zero before",
    "coefficient of 35 digits",
];

/// The grammars as the validator reads them. It knows no tags, so grammar and data both spell a
/// tag as a map of one pair; and it does not anchor regular expressions, as RFC 8610 does.
fn grammar() -> String {
    let files = ["common", "chunk", "object", "entry"];
    let rules = files.map(|file| read(&format!("schemas/{file}.cddl"))).join("\n");
    // Nor does it read the least 64-bit integer, so it is tried without that one.
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

/// Where the parenthesis closes that the text begins with.
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
    cddl_cat::validate_cbor_bytes(root, grammar, &input).map_err(|fault| fault.to_string())
}

fn positives(file: &str, root: &str, rules: CborRules) {
    let grammar = grammar();
    let mut faults = Vec::new();
    for case in open(file).cases.iter().filter(|case| case.expect == "ok") {
        // Through the rule of its kind too, so that the fault is told from close by.
        let kind = case.name.split([' ', ',']).next().unwrap_or_default();
        let close = root == "object" && grammar.contains(&format!("\n{kind} = {{\n  \"$type\": \"{kind}\""));
        for rule in [root, if close { kind } else { root }] {
            if let Err(fault) = validate(&grammar, rule, case, rules) {
                faults.push(format!("{} as {rule}: {fault}", case.name));
            }
        }
    }
    none(file, &faults);
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
    let mut faults = Vec::new();
    for case in open("object.json").cases.iter().chain(&open("chunk.json").cases) {
        let shape = case.level == VectorLevel::Object && !matches!(case.expect.as_str(), "ok" | "rule");
        let beyond = BEYOND.contains(&case.name.as_str());
        if shape && beyond == validate(&grammar, "object", case, CborRules::DagCbor).is_err() {
            faults.push(format!("`{}` ({})", case.name, case.reason));
        }
    }
    none("shapes that the grammar should refuse, or that it now does", &faults);
}

/// Faults of the header that a grammar cannot say: agreement between parts, and what an id names, and which
/// characters people may read.
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
    let mut faults = Vec::new();
    let payload = ["inline", "payload"];
    for case in open("entry.json").cases.iter().filter(|case| case.level == VectorLevel::Envelope) {
        let beyond = BEYOND_HEADER.contains(&case.name.as_str()) || payload.contains(&case.expect.as_str());
        if beyond == validate(&grammar, "entry", case, CborRules::Cose).is_err() {
            faults.push(format!("`{}` ({})", case.name, case.reason));
        }
    }
    none("envelopes that the grammar should refuse, or that it now does", &faults);
}
