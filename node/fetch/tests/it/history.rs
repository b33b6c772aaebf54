//! State kept between two commands.

use fetch::{FetchHistory, SourceCheck, Validators};

#[test]
fn validators_belong_to_one_document_at_one_address() {
    let folder = tempfile::tempdir().expect("a folder");
    let history = FetchHistory::new(folder.path().join("fetch"));
    let (url, hash) = ("https://data.example.org/../../x", [7; 32]);
    let tag = Validators { etag: Some("\"v1\"".into()), modified: None };
    assert_eq!(history.validators(url, &hash), None);
    history.record_validators(url, &hash, &Validators::default()).expect("nothing to keep");
    assert_eq!(history.validators(url, &hash), None);
    history.record_validators(url, &hash, &tag).expect("kept");
    assert_eq!(history.validators(url, &hash), Some(tag));
    assert_eq!(history.validators(url, &[8; 32]), None, "another document");
    assert_eq!(history.validators("https://data.example.org/y", &hash), None, "another address");
}

#[test]
fn the_last_check_is_recorded() {
    let folder = tempfile::tempdir().expect("a folder");
    let history = FetchHistory::new(folder.path().to_owned());
    let check =
        |found: &str| SourceCheck { url: "https://data.example.org/x".into(), at: 7, found: found.into() };
    assert_eq!(history.last_check("bafy"), None);
    history.record_check("bafy", &check("same")).expect("kept");
    history.record_check("bafy", &check("changed")).expect("kept");
    assert_eq!(history.last_check("bafy"), Some(check("changed")));
    let file = std::fs::read_dir(folder.path().join("looks")).expect("a folder").flatten().next();
    std::fs::write(file.expect("one").path(), b"{").expect("spoiled");
    assert_eq!(history.last_check("bafy"), None, "an unreadable record counts as absent");
}
