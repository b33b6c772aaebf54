//! Whole logs: the ledger's own check, and the rules of `specs/log.md` written once more as plainly
//! as possible.

use ledger::log::{Fault, Log};
use schemas::entry::{Entry, Payload, Place};
use schemas::object::{Identity, Object, Use};
use schemas::seal::Sealed;
use specs::vector::decode_hex;

use super::vectors::open;

/// The code of the first entry that does not fit, or `ok`.
fn check(log: &[Sealed<Entry>]) -> &'static str {
    let Some(identity) = log.first().and_then(genesis) else { return "genesis" };
    let pairs = log.iter().zip(log.iter().skip(1));
    let fault = pairs.map(|(before, entry)| follow(identity, before, entry)).find(|code| *code != "ok");
    fault.unwrap_or("ok")
}

/// The identity, when the entry is a genesis signed by one of its root keys.
fn genesis(entry: &Sealed<Entry>) -> Option<&Identity> {
    let entry = entry.value();
    let Payload::Inline(object, _) = &entry.payload else { return None };
    let Object::Identity(identity) = object.as_ref() else { return None };
    (entry.place == Place::Genesis && identity.roots.contains(&entry.key)).then_some(identity)
}

fn follow(identity: &Identity, before: &Sealed<Entry>, entry: &Sealed<Entry>) -> &'static str {
    let value = entry.value();
    let Place::Next { seq, prev, authority, .. } = value.place else { return "fork" };
    let needed = match value.kind.as_str() {
        "attestation" => Some(Use::Attest),
        "dataset" | "recipe" | "release" | "retraction" => Some(Use::Publish),
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

/// The same by the ledger.
fn take(entries: &[Sealed<Entry>]) -> Result<(), Fault> {
    let mut log = Log::begin(&entries[0])?;
    entries[1..].iter().try_for_each(|entry| log.take(entry))
}

fn code(fault: &Fault) -> &'static str {
    match fault {
        Fault::Genesis(_) => "genesis",
        Fault::Foreign { .. } => "publisher",
        Fault::Gap { .. } => "gap",
        Fault::Fork { .. } => "fork",
        Fault::Prev { .. } => "prev",
        Fault::Key(_) => "key",
        Fault::Kind(_) => "kind",
        Fault::Object { .. } => "object",
    }
}

#[test]
fn logs_hold_together() {
    for case in open("chain.json").cases {
        let entries = case.entries.iter().map(|entry| Sealed::<Entry>::open(decode_hex(entry)));
        let entries: Vec<_> = entries.collect::<Result<_, _>>().expect("every entry holds by itself");
        assert_eq!(check(&entries), case.expect, "{}: {}", case.name, case.reason);
        let taken = take(&entries).map_or_else(|fault| code(&fault), |()| "ok");
        assert_eq!(taken, case.expect, "{} in the ledger: {}", case.name, case.reason);
    }
}
