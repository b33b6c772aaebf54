//! The chain rules of `specs/log.md`, written down once more as plainly as possible.
//!
//! An oracle: the ledger's own check is tried on the same vectors in its crate.

use schemas::entry::{Entry, Payload, Place};
use schemas::object::{Identity, Object, Use};
use schemas::seal::Sealed;
use specs::case::unhex;

use super::vectors::open;

/// The code of the first entry that does not fit, or `ok`.
fn check(log: &[Sealed<Entry>]) -> &'static str {
    let Some(first) = log.first() else { return "genesis" };
    let Some(identity) = genesis(first) else { return "genesis" };
    let pairs = log.iter().zip(log.iter().skip(1));
    let fault =
        pairs.map(|(before, entry)| follow(first, identity, before, entry)).find(|code| *code != "ok");
    fault.unwrap_or("ok")
}

/// The identity, when the entry is a genesis signed by one of its root keys.
fn genesis(entry: &Sealed<Entry>) -> Option<&Identity> {
    let entry = entry.value();
    let Payload::Inline(object, _) = &entry.payload else { return None };
    let Object::Identity(identity) = object.as_ref() else { return None };
    (entry.place == Place::Genesis && identity.roots.contains(&entry.key)).then_some(identity)
}

fn follow(
    first: &Sealed<Entry>,
    identity: &Identity,
    before: &Sealed<Entry>,
    entry: &Sealed<Entry>,
) -> &'static str {
    let value = entry.value();
    let Place::Next { publisher, seq, prev, authority } = value.place else { return "genesis" };
    if publisher != first.publisher() {
        return "publisher";
    }
    if seq != before.value().seq() + 1 {
        return "seq";
    }
    if prev != before.id() {
        return "prev";
    }
    if value.kind == "identity" {
        return "genesis";
    }
    if authority != 0 {
        return "authority";
    }
    let Some(key) = identity.keys.iter().find(|key| key.key == value.key) else { return "key" };
    let needed = if value.kind == "attestation" { Use::Attest } else { Use::Publish };
    if key.uses.contains(&needed) { "ok" } else { "use" }
}

#[test]
fn logs_hold_together() {
    for case in open("chain.json").cases {
        let entries = case.entries.iter().map(|entry| Sealed::<Entry>::open(unhex(entry)));
        let entries: Vec<_> = entries.collect::<Result<_, _>>().expect("every entry holds by itself");
        assert_eq!(check(&entries), case.expect, "{}: {}", case.name, case.reason);
    }
}
