//! Log vectors: checked by the ledger, and by a second, deliberately simple implementation of the rules
//! of `specs/log.md`.

use ledger::log::{Log, LogError};
use schemas::entry::{Entry, EntryPosition, Payload};
use schemas::object::{Identity, KeyUse, Object};
use schemas::seal::Sealed;
use testkit::hex::decode_hex;

use super::vectors::open;

/// Error code of the first entry that the rules refuse, or `ok`.
fn check(log: &[Sealed<Entry>]) -> &'static str {
    let Some(identity) = log.first().and_then(genesis) else { return "genesis" };
    let pairs = log.iter().zip(log.iter().skip(1));
    let error = pairs.map(|(before, entry)| follow(identity, before, entry)).find(|code| *code != "ok");
    error.unwrap_or("ok")
}

/// The identity, when the entry is a genesis signed by one of its root keys.
fn genesis(entry: &Sealed<Entry>) -> Option<&Identity> {
    let entry = entry.value();
    let Payload::Inline(object, _) = &entry.payload else { return None };
    let Object::Identity(identity) = object.as_ref() else { return None };
    (entry.position == EntryPosition::Genesis && identity.roots.contains(&entry.key)).then_some(identity)
}

fn follow(identity: &Identity, before: &Sealed<Entry>, entry: &Sealed<Entry>) -> &'static str {
    let value = entry.value();
    let EntryPosition::Next { seq, prev, authority, .. } = value.position else { return "fork" };
    let needed = match value.object_type.as_str() {
        "attestation" => Some(KeyUse::Attest),
        "dataset" | "recipe" | "release" | "retraction" => Some(KeyUse::Publish),
        _ => None,
    };
    let key = identity.keys.iter().find(|key| key.key == value.key);
    let next = before.value().seq() + 1;
    match needed {
        _ if entry.publisher() != before.publisher() => "publisher",
        _ if seq < next => "fork",
        _ if seq > next => "gap",
        _ if prev != before.id() => "prev",
        None => "kind",
        Some(needed) if authority == 0 && key.is_some_and(|key| key.uses.contains(&needed)) => "ok",
        Some(_) => "key",
    }
}

/// The same check by the ledger.
fn take(entries: &[Sealed<Entry>]) -> Result<(), LogError> {
    let mut log = Log::from_genesis(&entries[0])?;
    entries[1..].iter().try_for_each(|entry| log.append(entry))
}

fn code(error: &LogError) -> &'static str {
    match error {
        LogError::Genesis(_) => "genesis",
        LogError::WrongPublisher { .. } => "publisher",
        LogError::Gap { .. } => "gap",
        LogError::Fork { .. } => "fork",
        LogError::Prev { .. } => "prev",
        LogError::Key(_) => "key",
        LogError::ObjectType(_) => "kind",
        LogError::Object { .. } => "object",
    }
}

#[test]
fn logs_hold_together() {
    for case in open("chain.json").cases {
        let entries = case.entries.iter().map(|entry| Sealed::<Entry>::open(decode_hex(entry)));
        let entries: Vec<_> = entries.collect::<Result<_, _>>().expect("every entry holds by itself");
        assert_eq!(check(&entries), case.expect, "{}: {}", case.name, case.reason);
        let taken = take(&entries).map_or_else(|error| code(&error), |()| "ok");
        assert_eq!(taken, case.expect, "{} in the ledger: {}", case.name, case.reason);
    }
}
