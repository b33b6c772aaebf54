//! HTTP behaviour of SDMX responses: entity tags, compression, chunks, disconnecting readers.

use std::io::Read;

use super::{CSV, GENERIC, JSON, SPECIFIC};
use crate::it::test_node::TestNode;

const TWO: &str = "/sdmx/v2/data/dataflow/*/labour";

#[test]
fn matching_entity_tags_get_304() {
    let node = TestNode::start();
    let paths = [
        ("/sdmx/v1/data/labour", GENERIC),
        ("/sdmx/v1/data/labour", SPECIFIC),
        (TWO, CSV),
        (TWO, JSON),
        ("/sdmx/v1/dataflow", "*/*"),
        ("/sdmx/v1/agencyscheme", "*/*"),
        ("/sdmx/v2/structure/dataflow?references=all", "*/*"),
    ];
    let mut tags = std::collections::BTreeSet::new();
    for (path, accept) in paths {
        let response = node.get(path, accept);
        assert!(response.etag.starts_with("W/\"") && tags.insert(response.etag.clone()), "{path} {accept}");
        let again =
            node.get_with_headers(path, accept, &format!("If-None-Match: \"x\", {}\r\n", response.etag));
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{path} {accept}");
        assert_eq!((again.etag, again.vary), (response.etag, "Accept, Accept-Encoding".into()));
    }
    let other = node.get_with_headers(TWO, CSV, "If-None-Match: W/\"x\"\r\n");
    assert_eq!(other.status, 200);
    // The same request to a node with more publications has another tag.
    let later = TestNode::with_retraction();
    for (path, accept) in [paths[0], paths[2]] {
        assert!(!tags.contains(&later.get(path, accept).etag), "{path}");
    }
    assert!(tags.contains(&node.get(TWO, CSV).etag));
    assert!(!tags.contains(&node.get(&format!("{TWO}?limit=1"), CSV).etag));
}

#[test]
fn responses_are_compressed_on_request() {
    let node = TestNode::start();
    for (path, accept) in
        [("/sdmx/v1/data/labour", GENERIC), (TWO, CSV), (TWO, JSON), ("/sdmx/v1/dataflow", "*/*")]
    {
        let (plain, packed) =
            (node.get(path, accept), node.get_with_headers(path, accept, "Accept-Encoding: gzip, br\r\n"));
        assert_eq!((plain.encoding.as_str(), packed.encoding.as_str()), ("", "gzip"));
        assert_eq!((plain.body, plain.vary), (packed.body, packed.vary), "{path} {accept}");
        assert_eq!(plain.etag, packed.etag);
    }
    let refused = node.get_with_headers("/sdmx/v1/data/nowhere", "*/*", "Accept-Encoding: gzip\r\n");
    assert_eq!((refused.status, refused.vary.as_str()), (404, "Accept, Accept-Encoding"));
}

#[test]
fn large_responses_are_complete() {
    let node = TestNode::with_many_series(300);
    for (path, accept) in
        [("/sdmx/v1/data/labour", GENERIC), ("/sdmx/v1/data/labour", SPECIFIC), (TWO, CSV), (TWO, JSON)]
    {
        let plain = node.get(path, accept);
        assert_eq!(plain.status, 200);
        assert!(plain.body.len() > 300 << 10, "{} bytes are few pieces", plain.body.len());
        let count = plain.body.matches(".5\"").count().max(plain.body.matches(".5,").count());
        assert_eq!(count, 300 * 40, "{accept}");
        let packed = node.get_with_headers(path, accept, "Accept-Encoding: gzip\r\n");
        assert_eq!(packed.body, plain.body, "{accept}");
    }
}

#[test]
fn disconnected_readers_release_their_permits() {
    let node = TestNode::with_many_series(300);
    for _ in 0..8 {
        let mut stream = node.open_stream(TWO, CSV);
        let mut some = [0; 64];
        stream.read_exact(&mut some).unwrap();
        assert!(some.starts_with(b"HTTP/1.1 200"));
    }
    assert_eq!(node.get(&format!("{TWO}?limit=1"), CSV).body.lines().count(), 2);
}
