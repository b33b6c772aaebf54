//! Entries that no honest program signs: any payload under any kind, with a signature that holds.

use ledger::log::Log;
use schemas::cid::Cid;
use schemas::entry::{Entry, EntryPosition};
use schemas::key::SecretKey;
use schemas::seal::Sealed;

/// The beginning of a CBOR item.
fn head(major: u8, value: usize) -> Vec<u8> {
    let major = major << 5;
    match value {
        0..=23 => vec![major | value as u8],
        24..=0xff => vec![major | 24, value as u8],
        _ => [&[major | 25][..], &u16::try_from(value).unwrap().to_be_bytes()].concat(),
    }
}

fn bytes(bytes: &[u8]) -> Vec<u8> {
    [head(2, bytes.len()), bytes.to_vec()].concat()
}

fn text(text: &str) -> Vec<u8> {
    [head(3, text.len()), text.as_bytes().to_vec()].concat()
}

fn array(items: &[Vec<u8>]) -> Vec<u8> {
    [head(4, items.len()), items.concat()].concat()
}

fn map(mut pairs: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<u8> {
    pairs.sort();
    let items: Vec<Vec<u8>> = pairs.iter().map(|(key, value)| [key.as_slice(), value].concat()).collect();
    [head(5, items.len()), items.concat()].concat()
}

/// The next entry of a log, which links to `object` as one of `kind` about `subject`.
pub(crate) fn linked(log: &Log, kind: &str, subject: &str, object: Cid, key: &SecretKey) -> Sealed<Entry> {
    let EntryPosition::Next { publisher, seq, prev, authority } = log.next_position() else {
        panic!("a log has begun")
    };
    let number = |value: u64| head(0, value as usize);
    let claims = map(vec![
        (number(1), text(&publisher.to_string())),
        (number(2), text(subject)),
        (number(6), number(0)),
    ]);
    let content_type = format!("application/vnd.assay.{kind}+cid");
    let header = map(vec![
        (number(1), head(1, 7)),
        (number(3), text(&content_type)),
        (number(4), bytes(key.public().as_bytes())),
        (number(15), claims),
        (text("assay-seq"), number(seq)),
        (text("assay-prev"), bytes(&prev.cid().to_bytes())),
        (text("assay-auth"), number(authority)),
    ]);
    let payload = object.to_bytes();
    let signed = array(&[text("Signature1"), bytes(&header), bytes(&[]), bytes(&payload)]);
    let signature = key.sign(&signed);
    let envelope = array(&[bytes(&header), map(Vec::new()), bytes(&payload), bytes(&signature)]);
    Sealed::open([vec![0xd2], envelope].concat()).unwrap()
}
