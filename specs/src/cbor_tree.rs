//! CBOR trees that may be invalid on purpose: the encoder writes exactly the nodes that it is given.

use schemas::cbor::{CborRules, CborToken, scan};

/// A CBOR item. Heads are minimal and maps keep their order, except inside [`CborNode::Raw`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CborNode {
    /// Major type 0.
    Unsigned(u64),
    /// Major type 1: `-1 - n`.
    Negative(u64),
    /// Major type 2.
    Bytes(Vec<u8>),
    /// Major type 3.
    Text(String),
    /// Major type 4.
    Array(Vec<CborNode>),
    /// Major type 5; pairs keep this order.
    Map(Vec<(CborNode, CborNode)>),
    /// Major type 6.
    Tag(u64, Box<CborNode>),
    /// False or true.
    Bool(bool),
    /// Null.
    Null,
    /// Bytes that are written unchanged.
    Raw(Vec<u8>),
}

/// A text node.
pub fn text_node(text: &str) -> CborNode {
    CborNode::Text(text.into())
}

/// A byte string node.
pub fn bytes_node(bytes: impl AsRef<[u8]>) -> CborNode {
    CborNode::Bytes(bytes.as_ref().to_vec())
}

/// Head of an item in its shortest form.
pub fn item_head(major: u8, value: u64) -> Vec<u8> {
    let width = match value {
        0..24 => 0,
        24..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    };
    item_head_of_width(major, value, width)
}

/// Head of an item with an argument of `width` bytes (0, 1, 2, 4 or 8), shortest or not.
pub fn item_head_of_width(major: u8, value: u64, width: usize) -> Vec<u8> {
    let info = match width {
        0 => value as u8,
        1 => 24,
        2 => 25,
        4 => 26,
        _ => 27,
    };
    let mut bytes = vec![(major << 5) | info];
    // A width of 0 leaves nothing to add: the value is in the first byte.
    bytes.extend_from_slice(&value.to_be_bytes()[8 - width..]);
    bytes
}

impl CborNode {
    /// Decodes strict CBOR.
    ///
    /// # Panics
    /// The input is not strict CBOR under `rules`.
    pub fn decode(input: &[u8], rules: CborRules) -> Self {
        let mut tokens = Vec::new();
        scan(input, rules, |item| tokens.push(item.token)).expect("strict CBOR");
        Self::build(&mut tokens.into_iter())
    }

    fn build<'a>(tokens: &mut impl Iterator<Item = CborToken<'a>>) -> Self {
        match tokens.next().expect("a token for every item") {
            CborToken::Unsigned(value) => CborNode::Unsigned(value),
            CborToken::Negative(value) => CborNode::Negative(value),
            CborToken::Bytes(content) => bytes_node(content),
            CborToken::Text(content) => text_node(content),
            CborToken::Array(count) => CborNode::Array((0..count).map(|_| Self::build(tokens)).collect()),
            CborToken::Map(count) => {
                // A tuple is evaluated from left to right, so the key is read before its value.
                CborNode::Map((0..count).map(|_| (Self::build(tokens), Self::build(tokens))).collect())
            }
            CborToken::Tag(tag) => CborNode::Tag(tag, Box::new(Self::build(tokens))),
            CborToken::Bool(value) => CborNode::Bool(value),
            CborToken::Null => CborNode::Null,
        }
    }

    /// Encodes the tree.
    pub fn encode(&self) -> Vec<u8> {
        let list = |major, count: usize, parts: Vec<Vec<u8>>| {
            [item_head(major, count as u64), parts.concat()].concat()
        };
        match self {
            CborNode::Unsigned(value) => item_head(0, *value),
            CborNode::Negative(value) => item_head(1, *value),
            CborNode::Bytes(content) => [item_head(2, content.len() as u64), content.clone()].concat(),
            CborNode::Text(content) => {
                [item_head(3, content.len() as u64), content.as_bytes().to_vec()].concat()
            }
            CborNode::Array(items) => list(4, items.len(), items.iter().map(CborNode::encode).collect()),
            CborNode::Map(pairs) => {
                let parts = pairs.iter().map(|(key, value)| [key.encode(), value.encode()].concat());
                list(5, pairs.len(), parts.collect())
            }
            CborNode::Tag(tag, item) => [item_head(6, *tag), item.encode()].concat(),
            // RFC 8949, section 3.3: false is 20 and true is 21 in major type 7.
            CborNode::Bool(value) => vec![0xf4 + u8::from(*value)],
            CborNode::Null => vec![0xf6],
            CborNode::Raw(bytes) => bytes.clone(),
        }
    }

    /// Pairs of a map. Panics for any other node.
    pub fn pairs(&mut self) -> &mut Vec<(CborNode, CborNode)> {
        match self {
            CborNode::Map(pairs) => pairs,
            other => panic!("not a map: {other:?}"),
        }
    }

    /// Elements of an array. Panics for any other node.
    pub fn items(&mut self) -> &mut Vec<CborNode> {
        match self {
            CborNode::Array(items) => items,
            other => panic!("not an array: {other:?}"),
        }
    }

    /// Value of a map key. Panics when the key is missing.
    pub fn value_at(&mut self, key: &CborNode) -> &mut CborNode {
        let found = self.pairs().iter_mut().find(|(known, _)| known == key);
        &mut found.unwrap_or_else(|| panic!("no {key:?}")).1
    }

    /// Value of a text key. Panics when the key is missing.
    pub fn field(&mut self, key: &str) -> &mut CborNode {
        self.value_at(&text_node(key))
    }

    /// Inserts or replaces a key and sorts the map by the canonical order.
    pub fn set(&mut self, key: CborNode, value: CborNode) {
        self.remove(&key);
        self.pairs().push((key, value));
        // The order of objects.md, section 1, and of labels: integers first, then shorter keys.
        self.pairs().sort_by_key(|(key, _)| {
            let encoded = key.encode();
            (encoded[0] >> 5, encoded.len(), encoded)
        });
    }

    /// Removes a key, if present.
    pub fn remove(&mut self, key: &CborNode) {
        self.pairs().retain(|(known, _)| known != key);
    }
}
