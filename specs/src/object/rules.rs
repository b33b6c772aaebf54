//! The rules of each kind that the types of its fields cannot say.

use schemas::cid::{Cid, Codec};
use schemas::limits::{COMPONENTS_MAX, PIECE_BYTES_MAX, ROWS_MAX, SNAPSHOT_BYTES_MAX};
use schemas::object::{KEYS_MAX, NOTES_MAX, PORTS_MAX};
use schemas::verdict::MISSING_MAX;

use super::changed;
use crate::case::Case;
use crate::curve;
use crate::node::{Node, bytes, text};
use crate::sample;

pub(super) fn cases() -> Vec<Case> {
    [identities(), snapshots(), structures(), contents(), recipes(), releases(), attestations(), cells()]
        .concat()
}

fn link(seed: u8) -> Node {
    let id = Cid::of(Codec::DagCbor, &[seed]).to_bytes();
    Node::Tag(42, Box::new(bytes([&[0][..], &id].concat())))
}

fn public(seed: u8) -> Node {
    bytes(sample::key(seed).public().as_bytes())
}

fn keys(seeds: std::ops::Range<u8>) -> Node {
    Node::Array(seeds.map(public).collect())
}

fn identities() -> Vec<Case> {
    let case = |name: &str, expect: &str, reason: &str, change: &dyn Fn(&mut Node)| {
        changed(name, expect, &sample::identity(), reason, |node| change(node))
    };
    let uses = |node: &mut Node, uses: &[&str]| {
        let uses = uses.iter().map(|word| text(word)).collect();
        node.field("keys").items()[0].set(text("uses"), Node::Array(uses));
    };
    let many = KEYS_MAX as u8 + 20;
    vec![
        case("identity without a name", "rule", "a name that people can read", &|n| {
            n.set(text("name"), text(" "))
        }),
        case("identity without roots", "rule", "somebody signs the genesis", &|n| {
            n.set(text("roots"), keys(0..0))
        }),
        case("identity with 17 roots", "rule", "a bound on keys", &|n| n.set(text("roots"), keys(19..many))),
        case("identity without keys", "rule", "somebody signs the log", &|n| {
            n.set(text("keys"), Node::Array(vec![]));
        }),
        case("same root twice", "rule", "every key is another", &|n| {
            n.set(text("roots"), Node::Array(vec![public(1), public(1)]));
        }),
        case("root that signs the log", "rule", "root keys sign key operations only", &|n| {
            n.set(text("roots"), keys(2..3));
        }),
        case("key without a use", "rule", "at least one use", &|n| uses(n, &[])),
        case("uses out of order", "rule", "ascending: publish, attest", &|n| uses(n, &["attest", "publish"])),
        case("use twice", "rule", "distinct uses", &|n| uses(n, &["publish", "publish"])),
        case("unknown use", "shape", "uses are listed", &|n| uses(n, &["rule"])),
        case("root of small order", "shape", "anyone can sign under it", &|n| {
            n.set(text("roots"), Node::Array(vec![bytes(curve::torsion()[1])]));
        }),
        case("root of 31 bytes", "shape", "32 bytes", &|n| {
            n.set(text("roots"), Node::Array(vec![bytes([1; 31])]))
        }),
        case("next root of 33 bytes", "shape", "32 bytes", &|n| n.set(text("next_root"), bytes([1; 33]))),
    ]
}

fn snapshots() -> Vec<Case> {
    let size = |value: u64| move |node: &mut Node| node.set(text("size"), Node::Unsigned(value));
    let case = |name: &str, value: u64, reason: &str| {
        changed(name, "rule", &sample::snapshot(), reason, size(value))
    };
    vec![
        case("snapshot with a piece missing", PIECE_BYTES_MAX as u64 + 1, "pieces follow from the size"),
        case("snapshot with a piece too many", 0, "pieces follow from the size"),
        case("snapshot beyond the bound", SNAPSHOT_BYTES_MAX + 1, "a bound on documents"),
        case("snapshot of 2^64 - 1 bytes", u64::MAX, "no overflow"),
    ]
}

fn component(id: &str, role: &str, kind: &str) -> Node {
    Node::Map(vec![(text("id"), text(id)), (text("role"), text(role)), (text("type"), text(kind))])
}

fn structures() -> Vec<Case> {
    let case = |name: &str, expect: &str, reason: &str, change: &dyn Fn(&mut Node)| {
        changed(name, expect, &sample::structure(), reason, |node| change(node))
    };
    let components = |node: &mut Node, parts: Vec<Node>| {
        node.set(text("codes"), Node::Map(vec![]));
        node.set(text("components"), Node::Array(parts));
    };
    let many = (0..=COMPONENTS_MAX).map(|at| component(&format!("C{at}"), "measure", "number"));
    let many: Vec<Node> = many.collect();
    vec![
        case("codes out of order", "rule", "codes ascend", &|node| {
            node.field("codes").field("REF_AREA").items().swap(0, 1);
        }),
        case("code twice", "rule", "codes ascend strictly", &|node| {
            let codes = node.field("codes").field("REF_AREA").items();
            codes[1] = codes[0].clone();
        }),
        case("codes of no component", "rule", "a code list belongs to a component", &|node| {
            node.field("codes").set(text("NOBODY"), Node::Array(vec![]));
        }),
        case("measure before an identifier", "shape", "identifiers, measures, attributes", &|node| {
            components(
                node,
                vec![component("M", "measure", "number"), component("I", "identifier", "string")],
            );
        }),
        case("component twice", "shape", "names are distinct", &|node| {
            components(node, vec![component("M", "measure", "number"), component("M", "measure", "string")]);
        }),
        case("65 components", "shape", "a bound on columns", &|node| components(node, many.clone())),
        case("unknown role", "shape", "roles are listed", &|n| {
            components(n, vec![component("M", "key", "string")])
        }),
        case("unknown type", "shape", "types are listed", &|n| {
            components(n, vec![component("M", "measure", "float")])
        }),
    ]
}

fn contents() -> Vec<Case> {
    let case = |name: &str, reason: &str, change: &dyn Fn(&mut Node)| {
        changed(name, "rule", &sample::content().1, reason, |node| change(node))
    };
    let chunk = |rows: u64| Node::Map(vec![(text("rows"), Node::Unsigned(rows)), (text("chunk"), link(1))]);
    let chunks = |node: &mut Node, rows: u64, each: &[u64]| {
        node.set(text("rows"), Node::Unsigned(rows));
        node.set(text("chunks"), Node::Array(each.iter().map(|rows| chunk(*rows)).collect()));
    };
    let rows = ROWS_MAX as u64 + 1;
    vec![
        case("rows that do not add up", "chunks hold the rows", &|node| chunks(node, 4, &[3])),
        case("empty chunk", "a chunk holds a row", &|node| chunks(node, 3, &[3, 0])),
        case("rows beyond the bound", "a bound on rows", &|node| chunks(node, rows, &[rows])),
        changed("chunk rows of 2^32", "shape", &sample::content().1, "32 bits", |node| {
            chunks(node, 1 << 32, &[1 << 32]);
        }),
    ]
}

fn recipes() -> Vec<Case> {
    let case = |name: &str, reason: &str, change: &dyn Fn(&mut Node)| {
        changed(name, "rule", &sample::deviation(), reason, |node| change(node))
    };
    let ports = |node: &mut Node, field: &str, count: usize| {
        let port = node.field(field).pairs()[0].1.clone();
        node.set(text(field), Node::Map(vec![]));
        for at in 0..count {
            node.field(field).set(text(&format!("p{at}")), port.clone());
        }
    };
    let notes = |count: usize| Node::Array(vec![text("x"); count]);
    vec![
        case("recipe without inputs", "a computation reads something", &|node| ports(node, "inputs", 0)),
        case("recipe without outputs", "a computation gives something", &|node| ports(node, "outputs", 0)),
        case("recipe with 33 inputs", "a bound on inputs", &|node| ports(node, "inputs", PORTS_MAX + 1)),
        case("recipe with 33 outputs", "a bound on outputs", &|node| ports(node, "outputs", PORTS_MAX + 1)),
        case("recipe with 33 references", "a bound", &|node| {
            node.set(text("references"), notes(NOTES_MAX + 1))
        }),
        case("deviation without a reason", "who departs says why", &|node| {
            node.field("deviates_from").set(text("reasons"), notes(0));
        }),
        case("deviation with 33 reasons", "a bound", &|node| {
            node.field("deviates_from").set(text("reasons"), notes(NOTES_MAX + 1));
        }),
    ]
}

fn releases() -> Vec<Case> {
    let case = |name: &str, expect: &str, reason: &str, change: &dyn Fn(&mut Node)| {
        changed(name, expect, &sample::revision(), reason, |node| change(node))
    };
    let many = || Node::Map((0..=PORTS_MAX).map(|at| (text(&format!("p{at:02}")), link(1))).collect());
    vec![
        case("release without inputs", "rule", "as its recipe", &|n| {
            n.set(text("inputs"), Node::Map(vec![]))
        }),
        case("release without results", "rule", "as its recipe", &|n| {
            n.set(text("results"), Node::Map(vec![]))
        }),
        case("release with 33 inputs", "rule", "a bound", &|n| n.set(text("inputs"), many())),
        case("release with 33 results", "rule", "a bound", &|n| n.set(text("results"), many())),
        case("reason `first`", "shape", "the first release has no `supersedes`", &|node| {
            node.field("supersedes").set(text("reason"), text("first"));
        }),
        case("reason in snake case", "shape", "reasons are written in kebab case", &|node| {
            node.field("supersedes").set(text("reason"), text("source_revision"));
        }),
    ]
}

fn attestations() -> Vec<Case> {
    let [reproduced, differs, missing, _] =
        <[_; 4]>::try_from(sample::verdicts()).expect("four verdicts").map(sample::attestation);
    let ids = |node: &mut Node, named: usize, count: u64| {
        let missing = node.field("verdict").field("missing");
        missing.set(text("ids"), Node::Array((0..named as u8).map(link).collect()));
        missing.set(text("count"), Node::Unsigned(count));
    };
    let over = MISSING_MAX + 1;
    vec![
        changed("17 missing blocks named", "rule", &missing, "the rest is counted", |node| {
            ids(node, over, 17)
        }),
        changed("no missing block named", "rule", &missing, "at least the first", |node| ids(node, 0, 0)),
        changed("no cell differs", "rule", &differs, "then it is reproduced", |node| {
            node.field("verdict").field("differs").set(text("count"), Node::Unsigned(0));
        }),
        changed(
            "more cells differ than compared",
            "rule",
            &differs,
            "the count is of those compared",
            |node| {
                node.field("verdict").field("differs").set(text("count"), Node::Unsigned(10));
            },
        ),
        changed("more named than counted", "rule", &missing, "the count is of all", |node| ids(node, 2, 1)),
        changed("33 results", "rule", &reproduced, "a bound", |node| {
            let result = |at: usize| (text(&format!("p{at:02}")), link(1));
            node.set(text("results"), Node::Map((0..=PORTS_MAX).map(result).collect()));
        }),
        changed("verdict of two kinds", "shape", &reproduced, "a verdict is one", |node| {
            let failed = [(text("code"), text("x")), (text("message"), text("x"))];
            node.field("verdict").set(text("failed"), Node::Map(failed.to_vec()));
        }),
        changed("verdict as a boolean", "shape", &reproduced, "never one boolean", |node| {
            node.set(text("verdict"), Node::Bool(true));
        }),
        changed("sources unknown", "shape", &reproduced, "kept or refetched", |node| {
            node.set(text("sources"), text("maybe"));
        }),
    ]
}

/// Cells of a divergence: decimals, periods and texts have one spelling each.
fn cells() -> Vec<Case> {
    let differs = sample::attestation(sample::verdicts().swap_remove(1));
    let first = |name: &str, expect: &str, reason: &str, change: &dyn Fn(&mut Node)| {
        changed(name, expect, &differs, reason, |node| {
            change(node.field("verdict").field("differs").field("first"))
        })
    };
    let number = |name: &str, reason: &str, coefficient: Node, exponent: Node| {
        let pair = Node::Array(vec![coefficient, exponent]);
        first(name, "shape", reason, &|node| {
            node.set(text("computed"), Node::Map(vec![(text("number"), pair.clone())]));
        })
    };
    let key = |name: &str, expect: &str, reason: &str, kind: &str, value: &str| {
        let cell = Node::Map(vec![(text(kind), text(value))]);
        first(name, expect, reason, &|node| node.field("key").items()[0] = cell.clone())
    };
    let zero = || Node::Unsigned(0);
    let one_form = "a byte string only beyond 64 bits, shortest";
    let limit = 10_i128.pow(34).to_be_bytes();
    let limit = &limit[limit.iter().position(|byte| *byte != 0).unwrap_or(0)..];
    vec![
        number("small coefficient as bytes", one_form, bytes([0x5b]), zero()),
        number("coefficient of 2^63 as an integer", one_form, Node::Unsigned(1 << 63), zero()),
        number("coefficient of -2^63 - 1 as an integer", one_form, Node::Negative(1 << 63), zero()),
        number(
            "coefficient with a zero before",
            one_form,
            bytes([&[0, 0, 0x80][..], &[0; 7]].concat()),
            zero(),
        ),
        number("coefficient of 17 bytes", "at most 34 digits", bytes([1; 17]), zero()),
        number("coefficient of no bytes", one_form, bytes([]), zero()),
        number("coefficient of 35 digits", "at most 34 digits", bytes(limit), zero()),
        number("exponent beyond the range", "decimal128", Node::Unsigned(1), Node::Unsigned(6112)),
        number("exponent below the range", "decimal128", Node::Unsigned(1), Node::Negative(6176)),
        number("exponent of 2^32", "decimal128", Node::Unsigned(1), Node::Unsigned(1 << 32)),
        number("coefficient as text", "an exact pair", text("91"), zero()),
        first("number of three parts", "shape", "an exact pair", &|node| {
            let triple = Node::Array(vec![zero(), zero(), zero()]);
            node.set(text("computed"), Node::Map(vec![(text("number"), triple)]));
        }),
        first("number as a bare integer", "shape", "an exact pair", &|node| {
            node.set(text("computed"), Node::Map(vec![(text("number"), zero())]));
        }),
        key("period in another spelling", "shape", "`2010-M01`", "period", "2010-01"),
        key("period that is none", "shape", "twelve months", "period", "2010-M13"),
        key("cell of an unknown type", "shape", "types are listed", "float", "1"),
        key("cell beyond its bound", "rule", "1024 bytes", "text", &"x".repeat(1025)),
        first("key of 65 cells", "rule", "a bound on columns", &|node| {
            node.set(
                text("key"),
                Node::Array(vec![Node::Map(vec![(text("boolean"), Node::Bool(true))]); 65]),
            );
        }),
    ]
}
