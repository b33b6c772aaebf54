//! Answers as HTTP: tags, compression, pieces, readers that go away.

use std::io::Read;

use super::world::World;
use super::{CSV, GENERIC, JSON, SPECIFIC};

const TWO: &str = "/sdmx/v2/data/dataflow/*/labour";

#[test]
fn who_has_an_answer_is_not_sent_it_again() {
    let world = World::start();
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
        let answer = world.get(path, accept);
        assert!(answer.etag.starts_with("W/\"") && tags.insert(answer.etag.clone()), "{path} {accept}");
        let again = world.ask(path, accept, &format!("If-None-Match: \"x\", {}\r\n", answer.etag));
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{path} {accept}");
        assert_eq!((again.etag, again.vary), (answer.etag, "Accept, Accept-Encoding".into()));
    }
    let other = world.ask(TWO, CSV, "If-None-Match: W/\"x\"\r\n");
    assert_eq!(other.status, 200);
    // The same words of a world in which more was published are another answer.
    let later = World::withdrawn();
    for (path, accept) in [paths[0], paths[2]] {
        assert!(!tags.contains(&later.get(path, accept).etag), "{path}");
    }
    assert!(tags.contains(&world.get(TWO, CSV).etag));
    assert!(!tags.contains(&world.get(&format!("{TWO}?limit=1"), CSV).etag));
}

#[test]
fn answers_are_compressed_for_those_who_want_it() {
    let world = World::start();
    for (path, accept) in
        [("/sdmx/v1/data/labour", GENERIC), (TWO, CSV), (TWO, JSON), ("/sdmx/v1/dataflow", "*/*")]
    {
        let (plain, packed) =
            (world.get(path, accept), world.ask(path, accept, "Accept-Encoding: gzip, br\r\n"));
        assert_eq!((plain.encoding.as_str(), packed.encoding.as_str()), ("", "gzip"));
        assert_eq!((plain.body, plain.vary), (packed.body, packed.vary), "{path} {accept}");
        assert_eq!(plain.etag, packed.etag);
    }
    let refused = world.ask("/sdmx/v1/data/nowhere", "*/*", "Accept-Encoding: gzip\r\n");
    assert_eq!((refused.status, refused.vary.as_str()), (404, "Accept, Accept-Encoding"));
}

#[test]
fn large_answers_come_whole() {
    let world = World::large(300);
    for (path, accept) in
        [("/sdmx/v1/data/labour", GENERIC), ("/sdmx/v1/data/labour", SPECIFIC), (TWO, CSV), (TWO, JSON)]
    {
        let plain = world.get(path, accept);
        assert_eq!(plain.status, 200);
        assert!(plain.body.len() > 300 << 10, "{} bytes are few pieces", plain.body.len());
        let count = plain.body.matches(".5\"").count().max(plain.body.matches(".5,").count());
        assert_eq!(count, 300 * 40, "{accept}");
        let packed = world.ask(path, accept, "Accept-Encoding: gzip\r\n");
        assert_eq!(packed.body, plain.body, "{accept}");
    }
}

#[test]
fn readers_that_go_away_leave_their_places() {
    let world = World::large(300);
    for _ in 0..8 {
        let mut stream = world.open(TWO, CSV);
        let mut some = [0; 64];
        stream.read_exact(&mut some).unwrap();
        assert!(some.starts_with(b"HTTP/1.1 200"));
    }
    assert_eq!(world.get(&format!("{TWO}?limit=1"), CSV).body.lines().count(), 2);
}
