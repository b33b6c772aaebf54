//! Vectors of logs: every entry is valid on its own, but the log may not be.

use schemas::cid::{EntryId, PublisherId};
use schemas::entry::{self, Entry, EntryPosition};
use schemas::object::{Identity, KeyUse, ObjectType, OperatingKey};
use schemas::seal::Sealed;
use schemas::verdict::Verdict;

use crate::vector::{VectorCase, VectorFile, VectorLevel};
use testkit::hex::encode_hex;
use testkit::sample;

/// `chain.json`.
pub fn vector_file() -> VectorFile {
    let cases = [accepted_cases(), genesis_cases(), sequence_cases(), key_cases()].concat();
    let about =
        "Logs. Every entry is valid on its own; the code is that of the first entry that the log refuses.";
    VectorFile::new("chain", about, cases)
}

fn log_case(name: &str, expect: &str, entries: &[&Sealed<Entry>], reason: &str) -> VectorCase {
    let entries = entries.iter().map(|entry| encode_hex(entry.bytes())).collect();
    VectorCase { entries, ..VectorCase::refused(name, VectorLevel::Chain, expect, &[], reason) }
}

fn sign_at<T: ObjectType>(place: EntryPosition, body: &T, seed: u8) -> Sealed<Entry> {
    entry::sign_entry(place, sample::TIME, &sample::encode_object(body), &sample::secret_key(seed))
        .expect("an entry")
}

fn next_position(publisher: PublisherId, seq: u64, prev: EntryId, authority: u64) -> EntryPosition {
    EntryPosition::Next { publisher, seq, prev, authority }
}

fn accepted_cases() -> Vec<VectorCase> {
    let log = sample::sample_log();
    let all: Vec<&Sealed<Entry>> = log.iter().collect();
    let earlier = entry::sign_entry(
        sample::position_after(&log[0]),
        0,
        &sample::encode_object(&sample::dataset_object()),
        &sample::secret_key(2),
    );
    let earlier = earlier.expect("an entry");
    let large = sample::sign_after(&log[0], &sample::large_recipe(), 2);
    vec![
        log_case("log of the samples", "ok", &all, "six entries under two keys"),
        log_case("genesis alone", "ok", &all[..1], "a log may be short"),
        log_case(
            "time that goes back",
            "ok",
            &[&log[0], &earlier],
            "validity depends on the position, not on the clock",
        ),
        log_case("object by its id", "ok", &[&log[0], &large], "a linked object counts like an inline one"),
    ]
}

fn genesis_cases() -> Vec<VectorCase> {
    let log = sample::sample_log();
    // Seeds of the samples: 1 is the root key, 2 publishes, 3 attests.
    let stranger = sign_at(EntryPosition::Genesis, &sample::identity_object(), 7);
    let operating = sign_at(EntryPosition::Genesis, &sample::identity_object(), 2);
    let other = sign_at(EntryPosition::Genesis, &sample::retraction_object(), 1);
    let part = sample::sign_after(&log[0], &sample::snapshot_object(), 2);
    let again = sample::sign_after(&log[0], &sample::identity_object(), 2);
    vec![
        log_case("no genesis", "genesis", &[&log[1], &log[2]], "a log begins at 0"),
        log_case("genesis signed by a stranger", "genesis", &[&stranger], "one of its root keys signs it"),
        log_case(
            "genesis signed by an operating key",
            "genesis",
            &[&operating],
            "one of its root keys signs it",
        ),
        log_case("genesis without an identity", "genesis", &[&other], "the genesis carries the identity"),
        log_case("second genesis", "fork", &[&log[0], &log[0]], "sequence number 0 is taken"),
        log_case("identity later in the log", "kind", &[&log[0], &again], "an identity is only allowed at 0"),
        log_case(
            "snapshot in the log",
            "kind",
            &[&log[0], &part],
            "a snapshot is part of a data set and has no entry",
        ),
    ]
}

fn sequence_cases() -> Vec<VectorCase> {
    let log = sample::sample_log();
    let publisher = sample::publisher_id();
    let release = sample::release_object();
    let elsewhere: PublisherId = EntryId::of(b"another log").into();
    let lost = sign_at(next_position(publisher, 1, EntryId::of(b"an entry that nobody has"), 0), &release, 2);
    let jump = sign_at(next_position(publisher, 2, log[0].id(), 0), &release, 2);
    let skipped = sign_at(next_position(publisher, 3, log[1].id(), 0), &release, 2);
    let other = sign_at(next_position(elsewhere, 1, log[0].id(), 0), &release, 2);
    let fork = sign_at(next_position(publisher, 2, log[1].id(), 0), &release, 2);
    let over = sign_at(next_position(publisher, 3, log[0].id(), 0), &release, 2);
    vec![
        log_case("number left out", "gap", &[&log[0], &jump], "sequence numbers ascend by one"),
        log_case(
            "number left out later",
            "gap",
            &[&log[0], &log[1], &skipped],
            "sequence numbers ascend by one",
        ),
        log_case("entry left out", "gap", &[&log[0], &log[2]], "sequence numbers ascend by one"),
        log_case("entry twice", "fork", &[&log[0], &log[1], &log[1]], "the sequence number is taken"),
        log_case(
            "two entries of one number",
            "fork",
            &[&log[0], &log[1], &log[2], &fork],
            "a fork is evidence, not part of a log",
        ),
        log_case("unknown entry before", "prev", &[&log[0], &lost], "the hash is of the entry before"),
        log_case(
            "entry before the last",
            "prev",
            &[&log[0], &log[1], &log[2], &over],
            "the hash is of the entry before",
        ),
        log_case("another publisher", "publisher", &[&log[0], &other], "a log has one publisher"),
    ]
}

/// Use of keys: an entry is signed by an operating key of the identity at `authority`, which lists the use.
fn key_cases() -> Vec<VectorCase> {
    let log = sample::sample_log();
    let (first, publisher) = (&log[0], sample::publisher_id());
    let attestation = sample::attestation_object(Verdict::Reproduced { cells: 9, read: 9 });
    let next = |seed| sample::sign_after(first, &sample::release_object(), seed);
    let attested = |seed| sample::sign_after(first, &attestation, seed);
    // Entry 1 is a data set, which grants no uses.
    let assumed = sign_at(next_position(publisher, 2, log[1].id(), 1), &sample::release_object(), 2);
    let both = Identity {
        keys: vec![OperatingKey {
            key: sample::secret_key(2).public(),
            uses: vec![KeyUse::Publish, KeyUse::Attest],
        }],
        ..sample::identity_object()
    };
    let start = sign_at(EntryPosition::Genesis, &both, 1);
    let here = |before: &Sealed<Entry>, seq| next_position(start.publisher(), seq, before.id(), 0);
    let published = sign_at(here(&start, 1), &sample::release_object(), 2);
    let found = sign_at(here(&published, 2), &attestation, 2);
    vec![
        log_case("key with both uses", "ok", &[&start, &published, &found], "uses add up"),
        log_case("key of a stranger", "key", &[first, &next(7)], "an operating key of the identity"),
        log_case("root key signs a release", "key", &[first, &next(1)], "root keys sign key operations only"),
        log_case("attesting key signs a release", "key", &[first, &next(3)], "use publish"),
        log_case("publishing key signs an attestation", "key", &[first, &attested(2)], "use attest"),
        log_case(
            "authority that is no identity",
            "key",
            &[first, &log[1], &assumed],
            "a key operation allows keys",
        ),
    ]
}
