//! Vectors of objects: one of each kind, and every rule of a kind broken once.

mod chunk;
mod rules;

use schemas::cbor::Rules;
use schemas::cid::{Cid, Codec};
use schemas::limits::BLOCK_BYTES_MAX;
use schemas::object::Body;

pub use chunk::chunks;

use crate::case::{Case, File, Level};
use crate::node::{Node, bytes, text};
use crate::sample;

/// `object.json`.
pub fn file() -> File {
    let cases = [accepted(), kinds(), shapes(), rules::cases(), sizes()].concat();
    let about = "Objects. Level object: strict DAG-CBOR, but not the fields or the rules of its kind.";
    File::new("object", about, cases)
}

/// An object that must be accepted, with its id.
fn good<T: Body>(name: &str, body: &T, reason: &str) -> Case {
    let bytes = sample::bytes(body);
    let id = Cid::of(Codec::DagCbor, &bytes);
    Case::good(name, Level::Object, &bytes, reason).with_id(id)
}

/// A sample after one change.
fn changed<T: Body>(
    name: &str,
    expect: &str,
    body: &T,
    reason: &str,
    change: impl FnOnce(&mut Node),
) -> Case {
    let mut node = Node::read(&sample::bytes(body), Rules::DagCbor);
    change(&mut node);
    Case::bad(name, Level::Object, expect, &node.write(), reason)
}

fn accepted() -> Vec<Case> {
    let mut cases = vec![
        good("identity", &sample::identity(), "two operating keys, a contact"),
        good("snapshot", &sample::snapshot(), "all optional fields"),
        good("structure", &sample::structure(), "five components, one code list"),
        good("chunk", &sample::chunk(), "a column of each kind, a null in each measure"),
        good("content", &sample::content().1, "one chunk"),
        good("dataset, imported", &sample::dataset(), "from a source document"),
        good("dataset, doubted", &sample::doubted(), "signed in spite of a doubt"),
        good("dataset, computed", &sample::derived(), "an output of a release"),
        good("recipe", &sample::recipe(), "one input, one output"),
        good("recipe that deviates", &sample::deviation(), "with its reason"),
        good("release", &sample::release(), "the first of its dataflow"),
        good("release that supersedes", &sample::revision(), "with its reason"),
        good("retraction", &sample::retraction(), "of a whole object"),
        good("retraction of a point", &sample::correction(), "with a replacement"),
        good("recipe beyond the inline bound", &sample::large(), "stands in the log by its id"),
    ];
    for verdict in sample::verdicts() {
        let name = format!("attestation, {}", verdict.word());
        cases.push(good(&name, &sample::attestation(verdict), "a verdict of each kind"));
    }
    let mut bare = sample::snapshot();
    (bare.url, bare.fetched, bare.agency, bare.licence) = (None, None, None, None);
    cases.push(good("snapshot without optional fields", &bare, "what is unknown is absent"));
    cases
}

fn kinds() -> Vec<Case> {
    let release = sample::release();
    let set = |key: &'static str, value: Node| move |node: &mut Node| node.set(text(key), value);
    let drop = |key: &'static str| move |node: &mut Node| node.drop(&text(key));
    let object =
        |name: &str, node: Node, reason: &str| Case::bad(name, Level::Object, "kind", &node.write(), reason);
    let known = "a version that is not known is refused, not guessed";
    vec![
        changed("unknown kind", "kind", &release, "kinds are listed", set("$type", text("relase"))),
        changed(
            "kind in capitals",
            "kind",
            &release,
            "kinds are spelled one way",
            set("$type", text("Release")),
        ),
        changed("no kind", "kind", &release, "every object says its kind", drop("$type")),
        changed(
            "kind that is no text",
            "kind",
            &release,
            "a kind is a text",
            set("$type", Node::Unsigned(1)),
        ),
        changed(
            "another kind's fields",
            "shape",
            &release,
            "fields belong to a kind",
            set("$type", text("recipe")),
        ),
        changed("no version", "kind", &release, "every object says its version", drop("v")),
        changed("version as text", "kind", &release, "a version is an integer", set("v", text("1"))),
        changed(
            "negative version",
            "kind",
            &release,
            "a version is not negative",
            set("v", Node::Negative(0)),
        ),
        changed("version 0", "version", &release, known, set("v", Node::Unsigned(0))),
        changed("version 2", "version", &release, known, set("v", Node::Unsigned(2))),
        object("an array", Node::Array(vec![text("$type"), text("release")]), "an object is a map"),
        object("a text", text("release"), "an object is a map"),
        object("an empty map", Node::Map(vec![]), "an object says its kind"),
    ]
}

/// Fields that are absent, unknown, of another type, or spelled in another way.
fn shapes() -> Vec<Case> {
    let (release, dataset) = (sample::release(), sample::dataset());
    let (snapshot, identity) = (sample::snapshot(), sample::identity());
    let set = |key: &'static str, value: Node| move |node: &mut Node| node.set(text(key), value);
    let shape = |name: &str, reason: &str, change: &dyn Fn(&mut Node)| {
        changed(name, "shape", &release, reason, |node| change(node))
    };
    let sample_link = |codec| {
        let id = Cid::of(codec, b"assay").to_bytes();
        Node::Tag(42, Box::new(bytes([&[0][..], &id].concat())))
    };
    let digest = [9; 31];
    let one_form = "a value has one form";
    vec![
        shape("unknown field", "nothing is signed that is not understood", &|n| {
            n.set(text("extra"), Node::Null)
        }),
        shape("unknown field inside", "at every depth", &|node| {
            let supersedes = [(text("note"), text("x"))];
            node.set(text("supersedes"), Node::Map(supersedes.to_vec()));
        }),
        shape("missing field", "only optional fields may be absent", &|node| node.drop(&text("steps"))),
        shape("null for an optional field", "what is absent is not written", &|node| {
            node.set(text("supersedes"), Node::Null);
        }),
        shape("null for a required field", "no field is null", &|node| node.set(text("steps"), Node::Null)),
        shape("text for an integer", "types are exact", &|node| node.set(text("steps"), text("42"))),
        shape("negative count", "a count is not negative", &|node| {
            node.set(text("steps"), Node::Negative(0))
        }),
        shape("array for a map", "types are exact", &|node| node.set(text("inputs"), Node::Array(vec![]))),
        shape("bytes for a link", "a link carries tag 42", &|node| {
            node.set(text("recipe"), bytes(Cid::of(Codec::DagCbor, b"assay").to_bytes()));
        }),
        shape("text for a link", "a link carries tag 42", &|node| {
            node.set(text("recipe"), text(&Cid::of(Codec::DagCbor, b"assay").to_string()));
        }),
        changed("link to raw bytes for an object", "shape", &dataset, "a link says what it names", |node| {
            node.set(text("content"), sample_link(Codec::Raw));
        }),
        changed("link to an object for raw bytes", "shape", &snapshot, "a link says what it names", |node| {
            node.set(text("pieces"), Node::Array(vec![sample_link(Codec::DagCbor)]));
        }),
        changed(
            "link on a text field",
            "shape",
            &dataset,
            "types are exact",
            set("title", sample_link(Codec::Raw)),
        ),
        changed(
            "digest of 31 bytes",
            "shape",
            &snapshot,
            "a digest has 32 bytes",
            set("blake3", bytes(digest)),
        ),
        changed("digest as an array", "shape", &snapshot, one_form, |node| {
            node.set(text("blake3"), Node::Array(vec![Node::Unsigned(9); 32]));
        }),
        changed("struct as an array", "shape", &identity, one_form, |node| {
            let pairs = node.field("keys").items()[0].pairs().clone();
            node.field("keys").items()[0] = Node::Array(pairs.into_iter().map(|(_, value)| value).collect());
        }),
        changed("variant as an array", "shape", &dataset, one_form, |node| {
            let pair = node.field("provenance").pairs()[0].clone();
            node.set(text("provenance"), Node::Array(vec![pair.0, pair.1]));
        }),
        changed("two variants at once", "shape", &dataset, "a choice is one", |node| {
            let release = [(text("output"), text("x")), (text("release"), sample_link(Codec::DagCbor))];
            node.field("provenance").set(text("release"), Node::Map(release.to_vec()));
        }),
        changed("unknown variant", "shape", &dataset, "choices are listed", |node| {
            node.set(text("provenance"), Node::Map(vec![(text("rumour"), Node::Map(vec![]))]));
        }),
        changed("word as a map", "shape", &sample::retraction(), one_form, |node| {
            node.set(text("scope"), Node::Map(vec![(text("whole"), Node::Null)]));
        }),
        changed(
            "text beyond its bound",
            "shape",
            &dataset,
            "256 bytes of title",
            set("title", text(&"x".repeat(257))),
        ),
        changed("control character", "shape", &dataset, "text is for people", set("title", text("a\u{7}b"))),
        changed("carriage return", "shape", &dataset, "line feed only", set("title", text("a\r\nb"))),
        changed(
            "direction override",
            "shape",
            &dataset,
            "text must not lie about its order",
            set("title", text("\u{202e}x")),
        ),
        changed("byte order mark", "shape", &dataset, "invisible", set("title", text("\u{feff}x"))),
        changed(
            "name with a blank",
            "shape",
            &dataset,
            "a name is a letter, then letters, digits, _ . -",
            set("dataflow", text("c p i")),
        ),
        changed("empty name", "shape", &dataset, "a name begins with a letter", set("dataflow", text(""))),
        changed("name of 65 bytes", "shape", &dataset, "64 bytes", set("dataflow", text(&"x".repeat(65)))),
    ]
}

fn sizes() -> Vec<Case> {
    let large = |name: &str, count: usize, reason: &str| {
        // The bound is on bytes, so what they are does not matter.
        Case::bad(name, Level::Size, "large", &[], reason).repeating(&[0], count, &[])
    };
    vec![
        large("one byte beyond the bound", BLOCK_BYTES_MAX + 1, "size is checked before anything is read"),
        large("twice the bound", 2 * BLOCK_BYTES_MAX, "size is checked before anything is read"),
    ]
}
