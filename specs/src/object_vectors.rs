//! Vectors of objects: one of each type, and one violation of every rule.

mod chunk;
mod rules;
mod texts;

use schemas::cbor::CborRules;
use schemas::cid::{Cid, Codec};
use schemas::limits::BLOCK_BYTES_MAX;
use schemas::object::ObjectType;
use schemas::verdict::{ComparedTable, Verdict};

pub use chunk::chunk_file;

use crate::cbor_tree::{CborNode, bytes_node, text_node};
use crate::vector::{VectorCase, VectorFile, VectorLevel};
use testkit::sample;

/// `object.json`.
pub fn vector_file() -> VectorFile {
    let cases = [
        accepted_cases(),
        type_cases(),
        field_cases(),
        texts::text_cases(),
        rules::rule_cases(),
        size_cases(),
    ]
    .concat();
    let about = "Objects. Level object: strict DAG-CBOR, but not the fields or the rules of its kind.";
    VectorFile::new("object", about, cases)
}

/// An accepted object with its id.
fn accepted_object<T: ObjectType>(name: &str, body: &T, reason: &str) -> VectorCase {
    let bytes = sample::encode_object(body);
    let id = Cid::of(Codec::DagCbor, &bytes);
    VectorCase::accepted(name, VectorLevel::Object, &bytes, reason).with_id(id)
}

/// A sample object with one change.
fn changed_object<T: ObjectType>(
    name: &str,
    expect: &str,
    body: &T,
    reason: &str,
    change: impl FnOnce(&mut CborNode),
) -> VectorCase {
    let mut node = CborNode::decode(&sample::encode_object(body), CborRules::DagCbor);
    change(&mut node);
    VectorCase::refused(name, VectorLevel::Object, expect, &node.encode(), reason)
}

fn accepted_cases() -> Vec<VectorCase> {
    let mut cases = vec![
        accepted_object("identity", &sample::identity_object(), "two operating keys, a contact"),
        accepted_object("snapshot", &sample::snapshot_object(), "all optional fields"),
        accepted_object("structure", &sample::structure_object(), "five components, one code list"),
        accepted_object("chunk", &sample::chunk_object(), "a column of each kind, a null in each measure"),
        accepted_object("content", &sample::content_object().1, "one chunk"),
        accepted_object("dataset, imported", &sample::dataset_object(), "from a source document"),
        accepted_object(
            "dataset, doubted",
            &sample::implausible_dataset(),
            "signed with a plausibility warning",
        ),
        accepted_object("dataset, stated", &sample::stated_dataset(), "without a document"),
        accepted_object("dataset with options", &sample::mapped_dataset(), "every option of a reader"),
        accepted_object("dataset, computed", &sample::derived_dataset(), "an output of a release"),
        accepted_object("recipe", &sample::recipe_object(), "one input, one output"),
        accepted_object("recipe that deviates", &sample::deviating_recipe(), "with its reason"),
        accepted_object("release", &sample::release_object(), "the first of its dataflow"),
        accepted_object("release that supersedes", &sample::revised_release(), "with its reason"),
        accepted_object("retraction", &sample::retraction_object(), "of a whole object"),
        accepted_object("retraction of a point", &sample::point_retraction(), "with a replacement"),
        accepted_object(
            "recipe beyond the inline bound",
            &sample::large_recipe(),
            "stands in the log by its id",
        ),
    ];
    for verdict in sample::all_verdicts() {
        let table = match &verdict {
            Verdict::Differs { first, .. } => match first.table {
                ComparedTable::Output(_) => " in a result",
                ComparedTable::Dataset(_) => " in a data set",
                ComparedTable::Steps => " in its steps",
            },
            _ => "",
        };
        let name = format!("attestation, {}{table}", verdict.as_str());
        cases.push(accepted_object(&name, &sample::attestation_object(verdict), "a verdict of each kind"));
    }
    let mut bare = sample::snapshot_object();
    (bare.url, bare.fetched, bare.agency, bare.licence) = (None, None, None, None);
    cases.push(accepted_object("snapshot without optional fields", &bare, "unknown facts are absent"));
    cases
}

fn type_cases() -> Vec<VectorCase> {
    let release = sample::release_object();
    let set = |key: &'static str, value: CborNode| move |node: &mut CborNode| node.set(text_node(key), value);
    let drop = |key: &'static str| move |node: &mut CborNode| node.remove(&text_node(key));
    let object = |name: &str, node: CborNode, reason: &str| {
        VectorCase::refused(name, VectorLevel::Object, "kind", &node.encode(), reason)
    };
    let known = "unknown versions are refused";
    vec![
        changed_object(
            "unknown kind",
            "kind",
            &release,
            "kinds are listed",
            set("$type", text_node("relase")),
        ),
        changed_object(
            "kind in capitals",
            "kind",
            &release,
            "kinds are spelled one way",
            set("$type", text_node("Release")),
        ),
        changed_object("no kind", "kind", &release, "every object says its kind", drop("$type")),
        changed_object(
            "kind that is no text",
            "kind",
            &release,
            "a kind is a text",
            set("$type", CborNode::Unsigned(1)),
        ),
        changed_object(
            "another kind's fields",
            "shape",
            &release,
            "fields belong to a kind",
            set("$type", text_node("recipe")),
        ),
        changed_object("no version", "kind", &release, "every object says its version", drop("v")),
        changed_object(
            "version as text",
            "kind",
            &release,
            "a version is an integer",
            set("v", text_node("1")),
        ),
        changed_object(
            "negative version",
            "kind",
            &release,
            "a version is not negative",
            set("v", CborNode::Negative(0)),
        ),
        changed_object("version 0", "version", &release, known, set("v", CborNode::Unsigned(0))),
        changed_object("version 2", "version", &release, known, set("v", CborNode::Unsigned(2))),
        object(
            "an array",
            CborNode::Array(vec![text_node("$type"), text_node("release")]),
            "an object is a map",
        ),
        object("a text", text_node("release"), "an object is a map"),
        object("an empty map", CborNode::Map(vec![]), "an object says its kind"),
    ]
}

/// Fields that are absent, unknown, of another type, or not canonical.
fn field_cases() -> Vec<VectorCase> {
    let (release, dataset) = (sample::release_object(), sample::dataset_object());
    let (snapshot, identity) = (sample::snapshot_object(), sample::identity_object());
    let set = |key: &'static str, value: CborNode| move |node: &mut CborNode| node.set(text_node(key), value);
    let shape = |name: &str, reason: &str, change: &dyn Fn(&mut CborNode)| {
        changed_object(name, "shape", &release, reason, |node| change(node))
    };
    let sample_link = |codec| {
        let id = Cid::of(codec, b"assay").to_bytes();
        CborNode::Tag(42, Box::new(bytes_node([&[0][..], &id].concat())))
    };
    let digest = [9; 31];
    let one_form = "a value has one form";
    vec![
        shape("unknown field", "unknown fields are refused", &|n| n.set(text_node("extra"), CborNode::Null)),
        shape("unknown field inside", "at every depth", &|node| {
            let supersedes = [(text_node("note"), text_node("x"))];
            node.set(text_node("supersedes"), CborNode::Map(supersedes.to_vec()));
        }),
        shape("missing field", "only optional fields may be absent", &|node| {
            node.remove(&text_node("steps"))
        }),
        shape("null for an optional field", "absent fields are not encoded", &|node| {
            node.set(text_node("supersedes"), CborNode::Null);
        }),
        shape("null for a required field", "no field is null", &|node| {
            node.set(text_node("steps"), CborNode::Null)
        }),
        shape("text for an integer", "types are exact", &|node| {
            node.set(text_node("steps"), text_node("42"))
        }),
        shape("negative count", "a count is not negative", &|node| {
            node.set(text_node("steps"), CborNode::Negative(0))
        }),
        shape("array for a map", "types are exact", &|node| {
            node.set(text_node("inputs"), CborNode::Array(vec![]))
        }),
        shape("bytes for a link", "a link carries tag 42", &|node| {
            node.set(text_node("recipe"), bytes_node(Cid::of(Codec::DagCbor, b"assay").to_bytes()));
        }),
        shape("text for a link", "a link carries tag 42", &|node| {
            node.set(text_node("recipe"), text_node(&Cid::of(Codec::DagCbor, b"assay").to_string()));
        }),
        changed_object(
            "link to raw bytes for an object",
            "shape",
            &dataset,
            "a link says what it names",
            |node| {
                node.set(text_node("content"), sample_link(Codec::Raw));
            },
        ),
        changed_object(
            "link to an object for raw bytes",
            "shape",
            &snapshot,
            "a link says what it names",
            |node| {
                node.set(text_node("pieces"), CborNode::Array(vec![sample_link(Codec::DagCbor)]));
            },
        ),
        changed_object(
            "link on a text field",
            "shape",
            &dataset,
            "types are exact",
            set("title", sample_link(Codec::Raw)),
        ),
        changed_object(
            "digest of 31 bytes",
            "shape",
            &snapshot,
            "a digest has 32 bytes",
            set("blake3", bytes_node(digest)),
        ),
        changed_object("digest as an array", "shape", &snapshot, one_form, |node| {
            node.set(text_node("blake3"), CborNode::Array(vec![CborNode::Unsigned(9); 32]));
        }),
        changed_object("struct as an array", "shape", &identity, one_form, |node| {
            let pairs = node.field("keys").items()[0].pairs().clone();
            node.field("keys").items()[0] =
                CborNode::Array(pairs.into_iter().map(|(_, value)| value).collect());
        }),
        changed_object("variant as an array", "shape", &dataset, one_form, |node| {
            let pair = node.field("provenance").pairs()[0].clone();
            node.set(text_node("provenance"), CborNode::Array(vec![pair.0, pair.1]));
        }),
        changed_object("two variants at once", "shape", &dataset, "a choice is one", |node| {
            let release =
                [(text_node("output"), text_node("x")), (text_node("release"), sample_link(Codec::DagCbor))];
            node.field("provenance").set(text_node("release"), CborNode::Map(release.to_vec()));
        }),
        changed_object("unknown variant", "shape", &dataset, "choices are listed", |node| {
            node.set(
                text_node("provenance"),
                CborNode::Map(vec![(text_node("rumour"), CborNode::Map(vec![]))]),
            );
        }),
        changed_object("word as a map", "shape", &sample::retraction_object(), one_form, |node| {
            node.set(text_node("scope"), CborNode::Map(vec![(text_node("whole"), CborNode::Null)]));
        }),
        changed_object(
            "text beyond its bound",
            "shape",
            &dataset,
            "256 bytes of title",
            set("title", text_node(&"x".repeat(257))),
        ),
        changed_object(
            "control character",
            "shape",
            &dataset,
            "no control characters",
            set("title", text_node("a\u{7}b")),
        ),
        changed_object(
            "carriage return",
            "shape",
            &dataset,
            "line feed only",
            set("title", text_node("a\r\nb")),
        ),
        changed_object(
            "direction override",
            "shape",
            &dataset,
            "no characters that change the reading order",
            set("title", text_node("\u{202e}x")),
        ),
        changed_object(
            "byte order mark",
            "shape",
            &dataset,
            "invisible",
            set("title", text_node("\u{feff}x")),
        ),
        changed_object(
            "name with a blank",
            "shape",
            &dataset,
            "a name is a letter, then letters, digits, _ . -",
            set("dataflow", text_node("c p i")),
        ),
        changed_object(
            "empty name",
            "shape",
            &dataset,
            "a name begins with a letter",
            set("dataflow", text_node("")),
        ),
        changed_object(
            "name of 65 bytes",
            "shape",
            &dataset,
            "64 bytes",
            set("dataflow", text_node(&"x".repeat(65))),
        ),
    ]
}

fn size_cases() -> Vec<VectorCase> {
    let large = |name: &str, count: usize, reason: &str| {
        // Only the number of bytes counts, so zeros will do.
        VectorCase::refused(name, VectorLevel::Size, "large", &[], reason).repeating(&[0], count, &[])
    };
    vec![
        large("one byte beyond the bound", BLOCK_BYTES_MAX + 1, "size is checked before anything is read"),
        large("twice the bound", 2 * BLOCK_BYTES_MAX, "size is checked before anything is read"),
    ]
}
