//! What is remembered between two commands.

use fetch::{FetchHistory, SourceCheck, Validators};

#[test]
fn validators_belong_to_one_document_at_one_address() {
    let folder = tempfile::tempdir().expect("a folder");
    let memory = FetchHistory::new(folder.path().join("fetch"));
    let (url, hash) = ("https://data.example.org/../../x", [7; 32]);
    let tag = Validators { etag: Some("\"v1\"".into()), modified: None };
    assert_eq!(memory.validators(url, &hash), None);
    memory.record_validators(url, &hash, &Validators::default()).expect("nothing to keep");
    assert_eq!(memory.validators(url, &hash), None);
    memory.record_validators(url, &hash, &tag).expect("kept");
    assert_eq!(memory.validators(url, &hash), Some(tag));
    assert_eq!(memory.validators(url, &[8; 32]), None, "another document");
    assert_eq!(memory.validators("https://data.example.org/y", &hash), None, "another address");
}

#[test]
fn the_last_look_is_remembered() {
    let folder = tempfile::tempdir().expect("a folder");
    let memory = FetchHistory::new(folder.path().to_owned());
    let look =
        |found: &str| SourceCheck { url: "https://data.example.org/x".into(), at: 7, found: found.into() };
    assert_eq!(memory.last_check("bafy"), None);
    memory.record_check("bafy", &look("same")).expect("kept");
    memory.record_check("bafy", &look("changed")).expect("kept");
    assert_eq!(memory.last_check("bafy"), Some(look("changed")));
    let file = std::fs::read_dir(folder.path().join("looks")).expect("a folder").flatten().next();
    std::fs::write(file.expect("one").path(), b"{").expect("spoiled");
    assert_eq!(memory.last_check("bafy"), None, "what does not read is not there");
}
