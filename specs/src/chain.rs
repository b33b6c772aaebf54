//! Vectors of whole logs: entries that hold one by one, and do not hold together.

use schemas::cid::{EntryId, PublisherId};
use schemas::entry::{self, Entry, Place};
use schemas::object::{Body, Identity, OperatingKey, Use};
use schemas::seal::Sealed;
use schemas::verdict::Verdict;

use crate::case::{Case, File, Level, hex};
use crate::sample;

/// `chain.json`.
pub fn file() -> File {
    let cases = [accepted(), beginnings(), sequences(), keys()].concat();
    let about = "Logs. Every entry holds by itself; the code is that of the first entry that does not fit.";
    File::new("chain", about, cases)
}

fn case(name: &str, expect: &str, entries: &[&Sealed<Entry>], reason: &str) -> Case {
    let entries = entries.iter().map(|entry| hex(entry.bytes())).collect();
    Case { entries, ..Case::bad(name, Level::Chain, expect, &[], reason) }
}

fn signed<T: Body>(place: Place, body: &T, seed: u8) -> Sealed<Entry> {
    entry::sign(place, sample::TIME, &sample::bytes(body), &sample::key(seed)).expect("an entry")
}

fn place(publisher: PublisherId, seq: u64, prev: EntryId, authority: u64) -> Place {
    Place::Next { publisher, seq, prev, authority }
}

fn accepted() -> Vec<Case> {
    let log = sample::log();
    let all: Vec<&Sealed<Entry>> = log.iter().collect();
    let earlier = entry::sign(sample::after(&log[0]), 0, &sample::bytes(&sample::dataset()), &sample::key(2));
    let earlier = earlier.expect("an entry");
    let large = sample::next(&log[0], &sample::large(), 2);
    vec![
        case("log of the samples", "ok", &all, "six entries under two keys"),
        case("genesis alone", "ok", &all[..1], "a log may be short"),
        case("time that goes back", "ok", &[&log[0], &earlier], "validity goes by place, not by clock"),
        case("object by its id", "ok", &[&log[0], &large], "as good as inline"),
    ]
}

fn beginnings() -> Vec<Case> {
    let log = sample::log();
    let stranger = signed(Place::Genesis, &sample::identity(), 7);
    let operating = signed(Place::Genesis, &sample::identity(), 2);
    let other = signed(Place::Genesis, &sample::retraction(), 1);
    let part = sample::next(&log[0], &sample::snapshot(), 2);
    let again = sample::next(&log[0], &sample::identity(), 2);
    vec![
        case("no genesis", "genesis", &[&log[1], &log[2]], "a log begins at 0"),
        case("genesis signed by a stranger", "genesis", &[&stranger], "one of its root keys signs it"),
        case("genesis signed by an operating key", "genesis", &[&operating], "one of its root keys signs it"),
        case("genesis without an identity", "genesis", &[&other], "it carries the identity"),
        case("second genesis", "fork", &[&log[0], &log[0]], "number 0 is taken"),
        case("identity later in the log", "kind", &[&log[0], &again], "it stands at 0 only"),
        case("snapshot in the log", "kind", &[&log[0], &part], "parts of a data set travel with it"),
    ]
}

fn sequences() -> Vec<Case> {
    let log = sample::log();
    let publisher = sample::publisher();
    let release = sample::release();
    let elsewhere: PublisherId = EntryId::of(b"another log").into();
    let lost = signed(place(publisher, 1, EntryId::of(b"an entry that nobody has"), 0), &release, 2);
    let jump = signed(place(publisher, 2, log[0].id(), 0), &release, 2);
    let skipped = signed(place(publisher, 3, log[1].id(), 0), &release, 2);
    let other = signed(place(elsewhere, 1, log[0].id(), 0), &release, 2);
    let fork = signed(place(publisher, 2, log[1].id(), 0), &release, 2);
    let over = signed(place(publisher, 3, log[0].id(), 0), &release, 2);
    vec![
        case("number left out", "gap", &[&log[0], &jump], "numbers go up by one"),
        case("number left out later", "gap", &[&log[0], &log[1], &skipped], "numbers go up by one"),
        case("entry left out", "gap", &[&log[0], &log[2]], "numbers go up by one"),
        case("entry twice", "fork", &[&log[0], &log[1], &log[1]], "its number is taken"),
        case(
            "two entries of one number",
            "fork",
            &[&log[0], &log[1], &log[2], &fork],
            "a fork: evidence, and no log",
        ),
        case("unknown entry before", "prev", &[&log[0], &lost], "the hash is of the entry before"),
        case(
            "entry before the last",
            "prev",
            &[&log[0], &log[1], &log[2], &over],
            "the hash is of the entry before",
        ),
        case("another publisher", "publisher", &[&log[0], &other], "one log, one publisher"),
    ]
}

/// Which key may sign what: an operating key of the identity at `authority`, with the use.
fn keys() -> Vec<Case> {
    let log = sample::log();
    let (first, publisher) = (&log[0], sample::publisher());
    let attestation = sample::attestation(Verdict::Reproduced { cells: 9 });
    let next = |seed| sample::next(first, &sample::release(), seed);
    let attested = |seed| sample::next(first, &attestation, seed);
    let assumed = signed(place(publisher, 2, log[1].id(), 1), &sample::release(), 2);
    let both = Identity {
        keys: vec![OperatingKey { key: sample::key(2).public(), uses: vec![Use::Publish, Use::Attest] }],
        ..sample::identity()
    };
    let start = signed(Place::Genesis, &both, 1);
    let here = |before: &Sealed<Entry>, seq| place(start.publisher(), seq, before.id(), 0);
    let published = signed(here(&start, 1), &sample::release(), 2);
    let found = signed(here(&published, 2), &attestation, 2);
    vec![
        case("key with both uses", "ok", &[&start, &published, &found], "uses add up"),
        case("key of a stranger", "key", &[first, &next(7)], "an operating key of the identity"),
        case("root key signs a release", "key", &[first, &next(1)], "root keys sign key operations only"),
        case("attesting key signs a release", "key", &[first, &next(3)], "use publish"),
        case("publishing key signs an attestation", "key", &[first, &attested(2)], "use attest"),
        case(
            "authority that is no identity",
            "key",
            &[first, &log[1], &assumed],
            "a key operation allows keys",
        ),
    ]
}
