//! Runs the vectors of messages, and compares the table of constants in `specs/network.md`.

use std::path::{Path, PathBuf};

use replication::{Announcement, Error, SyncRequest, limits};
use schemas::cbor;
use serde_json::Value;
use testkit::hex::decode_hex;

fn specs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs")
}

/// The input of a case: `bytes`, then `repeat.unit` taken `repeat.count` times.
fn input(case: &Value) -> Vec<u8> {
    let mut input = decode_hex(case["bytes"].as_str().unwrap_or_default());
    if let Some(count) = case["repeat"]["count"].as_u64() {
        input.extend(decode_hex(case["repeat"]["unit"].as_str().unwrap()).repeat(count as usize));
    }
    input
}

/// The level and the code of a result (`specs/README.md`, "Codes").
fn level_and_code<T>(result: Result<T, Error>) -> (&'static str, &'static str) {
    match result {
        Ok(_) => ("message", "ok"),
        Err(Error::Size { .. }) => ("size", "large"),
        Err(Error::Count { .. }) => ("message", "count"),
        Err(Error::Overflow) => ("message", "overflow"),
        Err(Error::Cbor(cbor::Error::Truncated { .. })) => ("cbor", "truncated"),
        Err(Error::Cbor(cbor::Error::Trailing { .. })) => ("cbor", "trailing"),
        Err(Error::Cbor(cbor::Error::Order { .. })) => ("cbor", "order"),
        Err(Error::Cbor(cbor::Error::Link { .. })) => ("cbor", "link"),
        Err(Error::Cbor(_)) => ("message", "shape"),
    }
}

fn run<T>(name: &str, decode: impl Fn(&[u8]) -> Result<T, Error>) {
    let text = std::fs::read_to_string(specs().join("vectors").join(name)).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    for case in file["cases"].as_array().unwrap() {
        let expected = (case["level"].as_str().unwrap(), case["expect"].as_str().unwrap());
        assert_eq!(level_and_code(decode(&input(case))), expected, "{name}: {}", case["name"]);
    }
}

#[test]
fn announcements_decode_as_in_the_vectors() {
    run("announcement.json", Announcement::decode);
}

#[test]
fn requests_decode_as_in_the_vectors() {
    run("request.json", SyncRequest::decode);
}

#[test]
fn accepted_messages_encode_to_the_bytes_of_the_vectors() {
    let text = std::fs::read_to_string(specs().join("vectors").join("request.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let accepted = file["cases"].as_array().unwrap().iter().filter(|case| case["expect"] == "ok");
    for case in accepted {
        let bytes = input(case);
        assert_eq!(SyncRequest::decode(&bytes).unwrap().encode().unwrap(), bytes, "{}", case["name"]);
    }
}

#[test]
fn the_document_lists_the_constants_with_their_values() {
    let text = std::fs::read_to_string(specs().join("network.md")).unwrap();
    let constants = [
        ("HEADS_MAX", limits::HEADS_MAX as u64),
        ("ANNOUNCEMENT_BYTES_MAX", limits::ANNOUNCEMENT_BYTES_MAX as u64),
        ("ENTRIES_MAX", limits::ENTRIES_MAX),
        ("BLOCKS_MAX", limits::BLOCKS_MAX as u64),
        ("REQUEST_BYTES_MAX", limits::REQUEST_BYTES_MAX as u64),
        ("BLOCK_BYTES_MAX", schemas::limits::BLOCK_BYTES_MAX as u64),
        ("ENTRY_BYTES_MAX", schemas::limits::ENTRY_BYTES_MAX as u64),
        ("INITIAL_ANNOUNCEMENTS_MAX", limits::INITIAL_ANNOUNCEMENTS_MAX as u64),
        ("REQUESTS_MAX", limits::REQUESTS_MAX as u64),
        ("UNFOLLOWED_REQUESTS_MAX", limits::UNFOLLOWED_REQUESTS_MAX as u64),
        ("REQUESTS_PER_PEER_MAX", limits::REQUESTS_PER_PEER_MAX as u64),
        ("BLOCK_TIMEOUT_MILLIS", limits::BLOCK_TIMEOUT_MILLIS),
        ("REQUEST_TIMEOUT_MILLIS", limits::REQUEST_TIMEOUT_MILLIS),
        ("ANNOUNCE_MILLIS", limits::ANNOUNCE_MILLIS),
        ("REANNOUNCE_MILLIS", limits::REANNOUNCE_MILLIS),
        ("RETRY_MILLIS", limits::RETRY_MILLIS),
        ("RETRY_DOUBLINGS", u64::from(limits::RETRY_DOUBLINGS)),
        ("AVOID_MILLIS", limits::AVOID_MILLIS),
        ("ABSENT_RETRY_MILLIS", limits::ABSENT_RETRY_MILLIS),
    ];
    for (name, value) in constants {
        assert!(text.contains(&format!("| `{name}` | {value} | ")), "{name} is {value} in the code");
    }
}
