//! Forms of text: what one line is, and which characters no text has.

use schemas::object::{Identity, Retraction, RetractionScope};

use super::{accepted_object, changed_object};
use crate::cbor_tree::{CborNode, text_node};
use crate::vector::VectorCase;
use testkit::sample;

/// A name that prints lines of its own, as if the program had written them.
const FORGED_LINES: &str = "X\nsignature   holds\nrun here    reproduced: 999 of 999 cells";

pub(super) fn text_cases() -> Vec<VectorCase> {
    [accepted_cases(), line_cases(), field_cases(), long_cases()].concat()
}

fn accepted_cases() -> Vec<VectorCase> {
    let identity = |name: &str| Identity { name: sample::make_text(name), ..sample::identity_object() };
    let retraction = |reason: &str| Retraction {
        reason: sample::make_text(reason),
        scope: RetractionScope::Whole,
        ..sample::retraction_object()
    };
    vec![
        accepted_object("identity in three scripts", &identity("Büro 統計局 إحصاء"), "letters of any script"),
        accepted_object("identity of an unassigned character", &identity("\u{378}"), "the table is fixed"),
        accepted_object("identity, not normalised", &identity("Bu\u{308}ro"), "texts are not normalised"),
        accepted_object(
            "retraction in several lines",
            &retraction(" a\n\n\tb  c\n"),
            "text has lines and tabs",
        ),
        accepted_object(
            "retraction with joiners",
            &retraction("\u{645}\u{6cc}\u{200c}\u{634}\u{648}\u{62f} \u{2764}\u{fe0f}\u{200d}\u{a0}"),
            "U+200C, U+200D and U+FE0F are part of words; any white space",
        ),
    ]
}

/// Titles that are not one line, or not visible: one of each row of the table, and each kind of blank.
fn line_cases() -> Vec<VectorCase> {
    let dataset = sample::dataset_object();
    let case = |name: &str, title: &str, reason: &str| {
        changed_object(&format!("line with {name}"), "shape", &dataset, reason, |node| {
            node.set(text_node("title"), text_node(title));
        })
    };
    let hidden = "a hidden character";
    let blank = "the only white space is U+0020, single and inside";
    vec![
        case("a line feed", "a\nb", "one line"),
        case("a tab", "a\tb", "one line"),
        case("an escape code", "\u{1b}[2K\u{1b}[1Aa", "no control character"),
        case("a delete", "a\u{7f}", "no control character"),
        case("U+0085", "a\u{85}b", "a line end of some terminals"),
        case("U+2028", "a\u{2028}b", "a line separator"),
        case("U+2029", "a\u{2029}b", "a paragraph separator"),
        case("a soft hyphen", "a\u{ad}b", hidden),
        case("a zero-width space", "a\u{200b}b", hidden),
        case("a joiner", "a\u{200d}b", "two names that look the same"),
        case("a left-to-right mark", "a\u{200e}b", hidden),
        case("an Arabic letter mark", "a\u{61c}b", hidden),
        case("an isolate", "a\u{2067}b\u{2069}", "no change of the direction of writing"),
        case("a word joiner", "a\u{2060}b", hidden),
        case("an annotation", "a\u{fff9}b\u{fffb}", hidden),
        case("a musical control", "a\u{1d173}b", hidden),
        case("a tag", "a\u{e0041}b", hidden),
        case("a variation selector", "a\u{fe0f}b", hidden),
        case("a variation selector of plane 14", "a\u{e0100}b", hidden),
        case("a grapheme joiner", "a\u{34f}b", hidden),
        case("a Hangul filler", "\u{3164}", "a letter without a form: a blank name"),
        case("an empty Braille pattern", "\u{2800}", "a blank name"),
        case("a character of private use", "a\u{e000}b", "of no agreed meaning"),
        case("a character of private use of plane 16", "a\u{100000}b", "of no agreed meaning"),
        case("a noncharacter", "a\u{fdd0}b", "no character"),
        case("the last code point of plane 1", "a\u{1ffff}b", "no character"),
        case("a blank alone", " ", blank),
        case("a blank before", " a", blank),
        case("a blank after", "a ", blank),
        case("two blanks", "a  b", blank),
        case("a no-break space", "a\u{a0}b", blank),
        case("an ideographic space", "a\u{3000}b", blank),
    ]
}

/// A line break in each field that is one line.
fn field_cases() -> Vec<VectorCase> {
    let reason = "a field of one line";
    let set = |key: &'static str| move |node: &mut CborNode| node.set(text_node(key), text_node("a\nb"));
    let within = |parts: &'static [&'static str], key: &'static str| {
        move |node: &mut CborNode| {
            let inner = parts.iter().fold(node, |node, part| node.field(part));
            inner.set(text_node(key), text_node("a\nb"));
        }
    };
    let code = |key: &'static str| {
        move |node: &mut CborNode| {
            node.field("codes").field("REF_AREA").items()[0].set(text_node(key), text_node("A\nB"));
        }
    };
    let identity = |name: &str, change: &dyn Fn(&mut CborNode)| {
        changed_object(name, "shape", &sample::identity_object(), reason, |node| change(node))
    };
    let snapshot = |key: &'static str| {
        let name = format!("line with a break: snapshot {key}");
        changed_object(&name, "shape", &sample::snapshot_object(), reason, set(key))
    };
    let (dataset, recipe) = (sample::dataset_object(), sample::recipe_object());
    let (release, structure) = (sample::release_object(), sample::structure_object());
    let [reproduced, .., failed, _] =
        <[_; 8]>::try_from(sample::all_verdicts()).expect("eight verdicts").map(sample::attestation_object);
    let warned = sample::implausible_dataset();
    vec![
        identity("line with forged lines: identity name", &|node| {
            node.set(text_node("name"), text_node(FORGED_LINES));
        }),
        identity("line with a break: identity contact", &set("contact")),
        snapshot("name"),
        snapshot("media_type"),
        snapshot("url"),
        snapshot("agency"),
        snapshot("licence"),
        changed_object("line with a break: code", "shape", &structure, reason, code("id")),
        changed_object("line with a break: name of a code", "shape", &structure, reason, code("name")),
        changed_object("line with a break: unit", "shape", &dataset, reason, set("unit")),
        changed_object("line with a break: plausibility warning", "shape", &warned, reason, |node| {
            node.set(text_node("plausibility_warnings"), CborNode::Array(vec![text_node("spike: a\nb")]));
        }),
        changed_object("line with a break: recipe title", "shape", &recipe, reason, set("title")),
        changed_object("line with a break: recipe licence", "shape", &recipe, reason, set("licence")),
        changed_object(
            "line with a break: input title",
            "shape",
            &recipe,
            reason,
            within(&["inputs", "prices"], "title"),
        ),
        changed_object(
            "line with a break: output title",
            "shape",
            &recipe,
            reason,
            within(&["outputs", "inflation"], "title"),
        ),
        changed_object(
            "line with a break: output unit",
            "shape",
            &recipe,
            reason,
            within(&["outputs", "inflation"], "unit"),
        ),
        changed_object("line with a break: vintage", "shape", &release, reason, set("vintage")),
        changed_object("line with a break: build", "shape", &reproduced, reason, set("build")),
        changed_object(
            "line with a break: code of a failure",
            "shape",
            &failed,
            reason,
            within(&["verdict", "failed"], "code"),
        ),
        changed_object("data set without a title", "rule", &dataset, "not empty", |node| {
            node.set(text_node("title"), text_node(""));
        }),
        changed_object("recipe without a title", "rule", &recipe, "not empty", |node| {
            node.set(text_node("title"), text_node(""));
        }),
    ]
}

/// Characters that long texts do not have either.
fn long_cases() -> Vec<VectorCase> {
    let retraction = sample::retraction_object();
    let case = |name: &str, text: &str| {
        changed_object(&format!("text with {name}"), "shape", &retraction, "a hidden character", |node| {
            node.set(text_node("reason"), text_node(text));
        })
    };
    let differs = sample::attestation_object(sample::all_verdicts().swap_remove(1));
    vec![
        case("an escape code", "a\u{1b}[1Ab"),
        case("a carriage return", "a\r\nb"),
        case("U+2028", "a\u{2028}b"),
        case("a direction override", "a\u{202e}b"),
        case("a left-to-right mark", "a\u{200e}b"),
        case("a zero-width space", "a\u{200b}b"),
        case("a soft hyphen", "a\u{ad}b"),
        case("a tag", "a\u{e0041}b"),
        case("a character of private use", "a\u{e000}b"),
        changed_object("cell with an escape code", "rule", &differs, "no data set holds it", |node| {
            let cell = CborNode::Map(vec![(text_node("text"), text_node("a\u{1b}[1Ab"))]);
            node.field("verdict").field("differs").field("first").field("key").items()[0] = cell;
        }),
    ]
}
