//! Rules of the object types beyond the types of their fields.

use schemas::cid::{Cid, Codec};
use schemas::limits::{COMPONENTS_MAX, PIECE_BYTES_MAX, ROWS_MAX, SNAPSHOT_BYTES_MAX};
use schemas::object::{KEYS_MAX, NOTES_MAX, PORTS_MAX};
use schemas::verdict::MISSING_MAX;

use super::changed_object;
use crate::bad_points;
use crate::cbor_tree::{CborNode, bytes_node, text_node};
use crate::vector::VectorCase;
use testkit::sample;

pub(super) fn rule_cases() -> Vec<VectorCase> {
    [
        identity_cases(),
        snapshot_cases(),
        structure_cases(),
        content_cases(),
        import_cases(),
        recipe_cases(),
        release_cases(),
        attestation_cases(),
        cell_cases(),
    ]
    .concat()
}

fn link_node(seed: u8) -> CborNode {
    let id = Cid::of(Codec::DagCbor, &[seed]).to_bytes();
    CborNode::Tag(42, Box::new(bytes_node([&[0][..], &id].concat())))
}

fn public_key_node(seed: u8) -> CborNode {
    bytes_node(sample::secret_key(seed).public().as_bytes())
}

fn key_list(seeds: std::ops::Range<u8>) -> CborNode {
    CborNode::Array(seeds.map(public_key_node).collect())
}

fn identity_cases() -> Vec<VectorCase> {
    let case = |name: &str, expect: &str, reason: &str, change: &dyn Fn(&mut CborNode)| {
        changed_object(name, expect, &sample::identity_object(), reason, |node| change(node))
    };
    let uses = |node: &mut CborNode, uses: &[&str]| {
        let uses = uses.iter().map(|word| text_node(word)).collect();
        node.field("keys").items()[0].set(text_node("uses"), CborNode::Array(uses));
    };
    // 17 seeds from 19 on: none of them is an operating key of the sample.
    let many = KEYS_MAX as u8 + 20;
    vec![
        case("identity without a name", "rule", "the name is not empty", &|n| {
            n.set(text_node("name"), text_node(""))
        }),
        case("identity without roots", "rule", "at least one root key", &|n| {
            n.set(text_node("roots"), key_list(0..0))
        }),
        case("identity with 17 roots", "rule", "a bound on keys", &|n| {
            n.set(text_node("roots"), key_list(19..many))
        }),
        case("identity without keys", "rule", "at least one operating key", &|n| {
            n.set(text_node("keys"), CborNode::Array(vec![]));
        }),
        case("same root twice", "rule", "keys are distinct", &|n| {
            n.set(text_node("roots"), CborNode::Array(vec![public_key_node(1), public_key_node(1)]));
        }),
        case("root that signs the log", "rule", "root keys sign key operations only", &|n| {
            n.set(text_node("roots"), key_list(2..3));
        }),
        case("key without a use", "rule", "at least one use", &|n| uses(n, &[])),
        case("uses out of order", "rule", "ascending: publish, attest", &|n| uses(n, &["attest", "publish"])),
        case("use twice", "rule", "distinct uses", &|n| uses(n, &["publish", "publish"])),
        case("unknown use", "shape", "uses are listed", &|n| uses(n, &["rule"])),
        case("root of small order", "shape", "anyone can sign for such a key", &|n| {
            n.set(text_node("roots"), CborNode::Array(vec![bytes_node(bad_points::torsion_points()[1])]));
        }),
        case("root of 31 bytes", "shape", "32 bytes", &|n| {
            n.set(text_node("roots"), CborNode::Array(vec![bytes_node([1; 31])]))
        }),
        case("next root of 33 bytes", "shape", "32 bytes", &|n| {
            n.set(text_node("next_root"), bytes_node([1; 33]))
        }),
    ]
}

fn snapshot_cases() -> Vec<VectorCase> {
    let size = |value: u64| move |node: &mut CborNode| node.set(text_node("size"), CborNode::Unsigned(value));
    let case = |name: &str, value: u64, reason: &str| {
        changed_object(name, "rule", &sample::snapshot_object(), reason, size(value))
    };
    vec![
        case("snapshot with a piece missing", PIECE_BYTES_MAX as u64 + 1, "pieces follow from the size"),
        case("snapshot with a piece too many", 0, "pieces follow from the size"),
        case("snapshot beyond the bound", SNAPSHOT_BYTES_MAX + 1, "a bound on documents"),
        case("snapshot of 2^64 - 1 bytes", u64::MAX, "no overflow"),
    ]
}

/// Provenance of imports: documents, readers and options in canonical form.
fn import_cases() -> Vec<VectorCase> {
    let case = |name: &str, expect: &str, reason: &str, change: &dyn Fn(&mut CborNode)| {
        let dataset = sample::mapped_dataset();
        changed_object(name, expect, &dataset, reason, |node| {
            change(node.field("provenance").field("import"))
        })
    };
    let links = |count: u8| CborNode::Array((0..count).map(link_node).collect());
    let mapping = |node: &mut CborNode, key: &str, value: CborNode| {
        node.field("options").field("mapping").set(text_node(key), value);
    };
    vec![
        case("import without a document", "rule", "1 to 64 documents", &|node| {
            node.set(text_node("documents"), links(0))
        }),
        case("import with 65 documents", "rule", "1 to 64 documents and companions", &|node| {
            node.set(text_node("documents"), links(65))
        }),
        case("import with 64 documents and a companion", "rule", "64 in all", &|node| {
            node.set(text_node("documents"), links(64))
        }),
        case("import with a document twice", "rule", "documents are distinct", &|node| {
            let twice = vec![link_node(1), link_node(1)];
            node.set(text_node("documents"), CborNode::Array(twice))
        }),
        case("companions without any", "shape", "no companions are an absent field", &|node| {
            node.set(text_node("companions"), links(0))
        }),
        case("options without any", "shape", "no options are an absent field", &|node| {
            node.set(text_node("options"), CborNode::Map(Vec::new()))
        }),
        case("reader of version 0", "rule", "versions begin with 1", &|node| {
            node.field("reader").set(text_node("version"), CborNode::Unsigned(0))
        }),
        case("frequency B", "shape", "frequencies are listed", &|node| {
            node.field("options").set(text_node("frequency"), text_node("B"))
        }),
        case("mapping without a field", "rule", "the default is absent", &|node| {
            node.field("options").set(text_node("mapping"), CborNode::Map(Vec::new()))
        }),
        case("mapping with a comma", "rule", "the default is absent", &|node| {
            mapping(node, "delimiter", text_node(","))
        }),
        case("mapping with a wide delimiter", "shape", "one ASCII character", &|node| {
            mapping(node, "delimiter", text_node("\u{a6}"))
        }),
        case("mapping that skips nothing", "shape", "the default is absent", &|node| {
            mapping(node, "skip", CborNode::Unsigned(0))
        }),
        case("mapping with the default spellings", "rule", "the default is absent", &|node| {
            let words = ["", ".", "..", ":", "NA", "nan"].map(text_node).to_vec();
            mapping(node, "missing", CborNode::Array(words))
        }),
        case("column from nothing", "rule", "a column of the document or a constant", &|node| {
            let columns = node.field("options").field("mapping").field("columns");
            if let Some(column) = columns.items().first_mut() {
                column.remove(&text_node("from"));
            }
        }),
        case("column from two", "rule", "a column of the document or a constant", &|node| {
            let columns = node.field("options").field("mapping").field("columns");
            if let Some(column) = columns.items().first_mut() {
                column.set(text_node("constant"), text_node("AUT"));
            }
        }),
    ]
}

fn component_node(id: &str, role: &str, kind: &str) -> CborNode {
    CborNode::Map(vec![
        (text_node("id"), text_node(id)),
        (text_node("role"), text_node(role)),
        (text_node("type"), text_node(kind)),
    ])
}

fn structure_cases() -> Vec<VectorCase> {
    let case = |name: &str, expect: &str, reason: &str, change: &dyn Fn(&mut CborNode)| {
        changed_object(name, expect, &sample::structure_object(), reason, |node| change(node))
    };
    let components = |node: &mut CborNode, parts: Vec<CborNode>| {
        // A code list without its component would be an error of its own.
        node.set(text_node("codes"), CborNode::Map(vec![]));
        node.set(text_node("components"), CborNode::Array(parts));
    };
    let many = (0..=COMPONENTS_MAX).map(|at| component_node(&format!("C{at}"), "measure", "number"));
    let many: Vec<CborNode> = many.collect();
    vec![
        case("codes out of order", "rule", "codes ascend", &|node| {
            node.field("codes").field("REF_AREA").items().swap(0, 1);
        }),
        case("code twice", "rule", "codes ascend strictly", &|node| {
            let codes = node.field("codes").field("REF_AREA").items();
            codes[1] = codes[0].clone();
        }),
        case("codes of no component", "rule", "a code list belongs to a component", &|node| {
            node.field("codes").set(text_node("NOBODY"), CborNode::Array(vec![]));
        }),
        case("measure before an identifier", "shape", "identifiers, measures, attributes", &|node| {
            components(
                node,
                vec![component_node("M", "measure", "number"), component_node("I", "identifier", "string")],
            );
        }),
        case("component twice", "shape", "names are distinct", &|node| {
            components(
                node,
                vec![component_node("M", "measure", "number"), component_node("M", "measure", "string")],
            );
        }),
        case("65 components", "shape", "a bound on columns", &|node| components(node, many.clone())),
        case("unknown role", "shape", "roles are listed", &|n| {
            components(n, vec![component_node("M", "key", "string")])
        }),
        case("unknown type", "shape", "types are listed", &|n| {
            components(n, vec![component_node("M", "measure", "float")])
        }),
    ]
}

fn content_cases() -> Vec<VectorCase> {
    let case = |name: &str, reason: &str, change: &dyn Fn(&mut CborNode)| {
        changed_object(name, "rule", &sample::content_object().1, reason, |node| change(node))
    };
    let chunk = |rows: u64| {
        CborNode::Map(vec![(text_node("rows"), CborNode::Unsigned(rows)), (text_node("chunk"), link_node(1))])
    };
    let chunks = |node: &mut CborNode, rows: u64, each: &[u64]| {
        node.set(text_node("rows"), CborNode::Unsigned(rows));
        node.set(text_node("chunks"), CborNode::Array(each.iter().map(|rows| chunk(*rows)).collect()));
    };
    let rows = ROWS_MAX as u64 + 1;
    vec![
        case("rows that do not add up", "chunks hold the rows", &|node| chunks(node, 4, &[3])),
        case("empty chunk", "a chunk holds a row", &|node| chunks(node, 3, &[3, 0])),
        case("rows beyond the bound", "a bound on rows", &|node| chunks(node, rows, &[rows])),
        changed_object("chunk rows of 2^32", "shape", &sample::content_object().1, "32 bits", |node| {
            chunks(node, 1 << 32, &[1 << 32]);
        }),
    ]
}

fn recipe_cases() -> Vec<VectorCase> {
    let case = |name: &str, reason: &str, change: &dyn Fn(&mut CborNode)| {
        changed_object(name, "rule", &sample::deviating_recipe(), reason, |node| change(node))
    };
    let ports = |node: &mut CborNode, field: &str, count: usize| {
        let port = node.field(field).pairs()[0].1.clone();
        node.set(text_node(field), CborNode::Map(vec![]));
        for at in 0..count {
            node.field(field).set(text_node(&format!("p{at}")), port.clone());
        }
    };
    let notes = |count: usize| CborNode::Array(vec![text_node("x"); count]);
    vec![
        case("recipe without inputs", "at least one input", &|node| ports(node, "inputs", 0)),
        case("recipe without outputs", "at least one output", &|node| ports(node, "outputs", 0)),
        case("recipe with 33 inputs", "a bound on inputs", &|node| ports(node, "inputs", PORTS_MAX + 1)),
        case("recipe with 33 outputs", "a bound on outputs", &|node| ports(node, "outputs", PORTS_MAX + 1)),
        case("recipe with 33 references", "a bound", &|node| {
            node.set(text_node("references"), notes(NOTES_MAX + 1))
        }),
        case("deviation without a reason", "a deviation gives a reason", &|node| {
            node.field("deviates_from").set(text_node("reasons"), notes(0));
        }),
        case("deviation with 33 reasons", "a bound", &|node| {
            node.field("deviates_from").set(text_node("reasons"), notes(NOTES_MAX + 1));
        }),
    ]
}

fn release_cases() -> Vec<VectorCase> {
    let case = |name: &str, expect: &str, reason: &str, change: &dyn Fn(&mut CborNode)| {
        changed_object(name, expect, &sample::revised_release(), reason, |node| change(node))
    };
    let many =
        // Two digits each, so that the names are in canonical order as they are made.
        || CborNode::Map((0..=PORTS_MAX).map(|at| (text_node(&format!("p{at:02}")), link_node(1))).collect());
    vec![
        case("release without inputs", "rule", "as many as the recipe has, so at least one", &|n| {
            n.set(text_node("inputs"), CborNode::Map(vec![]))
        }),
        case("release without results", "rule", "as many as the recipe has, so at least one", &|n| {
            n.set(text_node("results"), CborNode::Map(vec![]))
        }),
        case("release with 33 inputs", "rule", "a bound", &|n| n.set(text_node("inputs"), many())),
        case("release with 33 results", "rule", "a bound", &|n| n.set(text_node("results"), many())),
        case("reason `first`", "shape", "the first release has no `supersedes`", &|node| {
            node.field("supersedes").set(text_node("reason"), text_node("first"));
        }),
        case("reason in snake case", "shape", "reasons are written in kebab case", &|node| {
            node.field("supersedes").set(text_node("reason"), text_node("source_revision"));
        }),
    ]
}

fn attestation_cases() -> Vec<VectorCase> {
    let [reproduced, differs, _, _, missing, ..] =
        <[_; 8]>::try_from(sample::all_verdicts()).expect("eight verdicts").map(sample::attestation_object);
    let ids = |node: &mut CborNode, named: usize, count: u64| {
        let missing = node.field("verdict").field("missing");
        missing.set(text_node("ids"), CborNode::Array((0..named as u8).map(link_node).collect()));
        missing.set(text_node("count"), CborNode::Unsigned(count));
    };
    let over = MISSING_MAX + 1;
    vec![
        changed_object("17 missing blocks named", "rule", &missing, "the rest is counted", |node| {
            ids(node, over, 17)
        }),
        changed_object("no missing block named", "rule", &missing, "at least the first", |node| {
            ids(node, 0, 0)
        }),
        changed_object("no cell differs", "rule", &differs, "then it is reproduced", |node| {
            node.field("verdict").field("differs").set(text_node("count"), CborNode::Unsigned(0));
        }),
        changed_object(
            "more cells differ than compared",
            "rule",
            &differs,
            "the count is of those compared",
            |node| {
                // The sample compares 9 cells of a result and reads 9 of a data set.
                node.field("verdict").field("differs").set(text_node("count"), CborNode::Unsigned(20));
            },
        ),
        changed_object("more named than counted", "rule", &missing, "the count is of all", |node| {
            ids(node, 2, 1)
        }),
        changed_object("33 results", "rule", &reproduced, "a bound", |node| {
            let result = |at: usize| (text_node(&format!("p{at:02}")), link_node(1));
            node.set(text_node("results"), CborNode::Map((0..=PORTS_MAX).map(result).collect()));
        }),
        changed_object("verdict of two kinds", "shape", &reproduced, "a verdict is one", |node| {
            let failed = [(text_node("code"), text_node("x")), (text_node("message"), text_node("x"))];
            node.field("verdict").set(text_node("failed"), CborNode::Map(failed.to_vec()));
        }),
        changed_object("verdict as a boolean", "shape", &reproduced, "never one boolean", |node| {
            node.set(text_node("verdict"), CborNode::Bool(true));
        }),
        changed_object("sources unknown", "shape", &reproduced, "sources are counted", |node| {
            node.set(text_node("sources"), text_node("maybe"));
        }),
    ]
}

/// Cells of a divergence: decimals, periods and texts have one encoding each.
fn cell_cases() -> Vec<VectorCase> {
    let differs = sample::attestation_object(sample::all_verdicts().swap_remove(1));
    let first = |name: &str, expect: &str, reason: &str, change: &dyn Fn(&mut CborNode)| {
        changed_object(name, expect, &differs, reason, |node| {
            change(node.field("verdict").field("differs").field("first"))
        })
    };
    let number = |name: &str, reason: &str, coefficient: CborNode, exponent: CborNode| {
        let pair = CborNode::Array(vec![coefficient, exponent]);
        first(name, "shape", reason, &|node| {
            node.set(text_node("computed"), CborNode::Map(vec![(text_node("number"), pair.clone())]));
        })
    };
    let key = |name: &str, expect: &str, reason: &str, kind: &str, value: &str| {
        let cell = CborNode::Map(vec![(text_node(kind), text_node(value))]);
        first(name, expect, reason, &|node| node.field("key").items()[0] = cell.clone())
    };
    let zero = || CborNode::Unsigned(0);
    let one_form = "a byte string only beyond 64 bits, shortest";
    let limit = 10_i128.pow(34).to_be_bytes();
    // The shortest form, so that only the number of digits is wrong.
    let limit = &limit[limit.iter().position(|byte| *byte != 0).unwrap_or(0)..];
    vec![
        number("small coefficient as bytes", one_form, bytes_node([0x5b]), zero()),
        number("coefficient of 2^63 as an integer", one_form, CborNode::Unsigned(1 << 63), zero()),
        number("coefficient of -2^63 - 1 as an integer", one_form, CborNode::Negative(1 << 63), zero()),
        number(
            "coefficient with a zero before",
            one_form,
            bytes_node([&[0, 0, 0x80][..], &[0; 7]].concat()),
            zero(),
        ),
        number("coefficient of 17 bytes", "at most 34 digits", bytes_node([1; 17]), zero()),
        number("coefficient of no bytes", one_form, bytes_node([]), zero()),
        number("coefficient of 35 digits", "at most 34 digits", bytes_node(limit), zero()),
        number("exponent beyond the range", "decimal128", CborNode::Unsigned(1), CborNode::Unsigned(6112)),
        // `Negative(n)` is -1 - n (RFC 8949, section 3.1).
        number("exponent below the range", "decimal128", CborNode::Unsigned(1), CborNode::Negative(6176)),
        number("exponent of 2^32", "decimal128", CborNode::Unsigned(1), CborNode::Unsigned(1 << 32)),
        number("coefficient as text", "an exact pair", text_node("91"), zero()),
        first("number of three parts", "shape", "an exact pair", &|node| {
            let triple = CborNode::Array(vec![zero(), zero(), zero()]);
            node.set(text_node("computed"), CborNode::Map(vec![(text_node("number"), triple)]));
        }),
        first("number as a bare integer", "shape", "an exact pair", &|node| {
            node.set(text_node("computed"), CborNode::Map(vec![(text_node("number"), zero())]));
        }),
        key("period in another spelling", "shape", "`2010-M01`", "period", "2010-01"),
        key("period that is none", "shape", "twelve months", "period", "2010-M13"),
        key("cell of an unknown type", "shape", "types are listed", "float", "1"),
        key("cell beyond its bound", "rule", "1024 bytes", "text", &"x".repeat(1025)),
        first("key of 65 cells", "rule", "a bound on columns", &|node| {
            node.set(
                text_node("key"),
                CborNode::Array(vec![CborNode::Map(vec![(text_node("boolean"), CborNode::Bool(true))]); 65]),
            );
        }),
    ]
}
