//! Mutated inputs from a seed: bytes flipped, cut, joined; items of the tree swapped and changed.

use schemas::cbor::{CborRules, scan};
use specs::cbor_tree::{CborNode, bytes_node, text_node};

/// Xorshift (Marsaglia, 2003): the same numbers on every machine.
pub struct Random(u64);

impl Random {
    /// A sequence; the seed is not 0.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// An input of the pool after one to three changes.
pub fn mutate(pool: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = random.pick(pool).clone();
    for _ in 0..=random.below(3) {
        let strict = scan(&input, CborRules::DagCbor, |_| {}).is_ok();
        if strict && random.below(2) == 0 {
            let mut tree = CborNode::decode(&input, CborRules::DagCbor);
            change(&mut tree, random);
            input = tree.encode();
        } else {
            scramble(&mut input, pool, random);
        }
    }
    input
}

fn scramble(input: &mut Vec<u8>, pool: &[Vec<u8>], random: &mut Random) {
    let at = random.below(input.len());
    let to = at + random.below(input.len() - at.min(input.len()) + 1).min(16);
    let to = to.min(input.len());
    match random.below(6) {
        0 if !input.is_empty() => input[at] ^= 1 << random.below(8),
        1 if !input.is_empty() => input[at] = *random.pick(&EDGES),
        2 => input.insert(at, *random.pick(&EDGES)),
        3 => drop(input.drain(at..to)),
        4 => {
            let other = random.pick(pool);
            let from = random.below(other.len());
            input.splice(at..to, other[from..].iter().copied());
        }
        _ => {
            let part = input[at..to].to_vec();
            input.splice(at..at, part);
        }
    }
}

/// Heads at which something changes.
const EDGES: [u8; 20] = [
    0x00, 0x17, 0x18, 0x19, 0x1b, 0x1f, 0x20, 0x40, 0x58, 0x60, 0x78, 0x80, 0x81, 0xa0, 0xa1, 0xd8, 0xf6,
    0xf7, 0xf9, 0xff,
];

/// Changes one item somewhere in the tree; most trees stay strict.
pub fn change(node: &mut CborNode, random: &mut Random) {
    match node {
        CborNode::Array(items) if !items.is_empty() && random.below(4) > 0 => {
            let at = random.below(items.len());
            change(&mut items[at], random);
        }
        CborNode::Map(pairs) if !pairs.is_empty() && random.below(4) > 0 => {
            let at = random.below(pairs.len());
            change(&mut pairs[at].1, random);
        }
        CborNode::Array(items) => match random.below(3) {
            0 => drop(items.pop()),
            1 => items.push(leaf(random)),
            _ => items.reverse(),
        },
        CborNode::Map(pairs) => match random.below(4) {
            0 => drop(pairs.pop()),
            1 => {
                let key = *random.pick(&["a", "v", "$type", "rows", "zz"]);
                node.set(text_node(key), leaf(random));
            }
            2 => pairs.reverse(),
            _ => pairs.push((leaf(random), CborNode::Null)),
        },
        CborNode::Unsigned(value) => *value = value.wrapping_add(1 << random.below(64)),
        CborNode::Text(content) if random.below(2) == 0 => content.push('é'),
        CborNode::Bytes(content) if random.below(2) == 0 && !content.is_empty() => {
            let at = random.below(content.len());
            content[at] ^= 1 << random.below(8);
        }
        // A link stays a link to something else.
        CborNode::Tag(_, item) => change(item, random),
        other => *other = leaf(random),
    }
}

fn leaf(random: &mut Random) -> CborNode {
    match random.below(8) {
        0 => CborNode::Unsigned(random.below(1 << 20) as u64),
        1 => CborNode::Negative(u64::MAX >> random.below(64)),
        2 => bytes_node([7; 5]),
        3 => text_node("leaf"),
        4 => CborNode::Bool(true),
        5 => CborNode::Array(vec![CborNode::Null]),
        6 => CborNode::Map(vec![(text_node("b"), CborNode::Null), (text_node("aa"), CborNode::Null)]),
        _ => CborNode::Null,
    }
}
