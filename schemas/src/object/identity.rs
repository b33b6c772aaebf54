//! The identity of a publisher: the object in the first entry of its log.

use serde::{Deserialize, Serialize};

use super::ObjectType;
use crate::cid::IdentityId;
use crate::key::PublicKey;
use crate::text::Line;

/// Root keys, and operating keys, of one identity.
pub const KEYS_MAX: usize = 16;

/// A permitted use of an operating key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyUse {
    /// Data sets, recipes, releases, retractions.
    Publish,
    /// Attestations.
    Attest,
}

/// An operating key with its permitted uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingKey {
    /// The key.
    pub key: PublicKey,
    /// Its uses: ascending, distinct, at least one.
    pub uses: Vec<KeyUse>,
}

/// The identity of a publisher: the keys that may sign its log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Name as chosen by the publisher. It proves nothing.
    pub name: Line<128>,
    /// Contact (a web or mail address).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Line<256>>,
    /// Root keys: they sign this entry and key operations, nothing else.
    pub roots: Vec<PublicKey>,
    /// BLAKE3-256 of the next root key (pre-rotation).
    #[serde(with = "serde_bytes")]
    pub next_root: [u8; 32],
    /// The keys that sign the log.
    pub keys: Vec<OperatingKey>,
}

impl ObjectType for Identity {
    const TYPE: &'static str = "identity";
    type Id = IdentityId;

    fn check_rules(&self) -> Result<(), String> {
        if self.name.as_str().is_empty() {
            return Err("the name of an identity is empty".into());
        }
        if !(1..=KEYS_MAX).contains(&self.roots.len()) || !(1..=KEYS_MAX).contains(&self.keys.len()) {
            return Err(format!("an identity has 1 to {KEYS_MAX} root keys and as many operating keys"));
        }
        let uses_ordered = |key: &OperatingKey| {
            !key.uses.is_empty() && key.uses.windows(2).all(|pair| matches!(pair, [a, b] if a < b))
        };
        if !self.keys.iter().all(uses_ordered) {
            return Err("the uses of a key are ascending, distinct, and at least one".into());
        }
        let mut all: Vec<&PublicKey> =
            self.roots.iter().chain(self.keys.iter().map(|key| &key.key)).collect();
        all.sort();
        all.dedup();
        if all.len() != self.roots.len() + self.keys.len() {
            return Err("the keys of an identity are not distinct".into());
        }
        Ok(())
    }
}
