//! Whole loads: pages, resuming, what is the same, how often a host is asked.

use std::path::Path;

use fetch::{
    Agency, AgencyQuery, FetchError, FetchErrorCategory, FetchSource, LoadOutcome, LoadProgress,
    LoadedSource, Validators,
};

use super::server::{FetchFixture, Reply, START, ok, response};

const PAGED: &str = "https://api.worldbank.org/v2/country/all/indicator/FP.CPI.TOTL?format=json";

fn page(number: u32, pages: u32, updated: &str, rows: &str) -> String {
    format!(
        "[{{\"page\":{number},\"pages\":{pages},\"per_page\":20000,\"total\":9,\"lastupdated\":\"{updated}\"}},[{rows}]]"
    )
}

fn resumed(desk: &FetchFixture, source: &FetchSource, under: &Path) -> Result<LoadedSource, FetchError> {
    match desk.fetcher.load(source, None, Some(under), &mut |_| {})? {
        LoadOutcome::Loaded(loaded) => Ok(loaded),
        LoadOutcome::NotModified => panic!("nothing was known"),
    }
}

fn files(under: &Path) -> usize {
    let folders = std::fs::read_dir(under).into_iter().flatten().flatten();
    folders.map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten().count()).sum()
}

#[test]
fn one_page_comes_as_it_is() {
    let desk = FetchFixture::new(vec![ok("observation_date,GDP\n")]);
    let loaded = desk.load_url("https://fred.stlouisfed.org/graph/fredgraph.csv?id=GDP#top").expect("loaded");
    assert_eq!((loaded.name.as_str(), loaded.media_type.as_str()), ("GDP.csv", "text/csv"));
    assert_eq!((loaded.bytes.as_slice(), loaded.fetched), (b"observation_date,GDP\n".as_slice(), START));
    assert_eq!(loaded.requests[0].url, "https://fred.stlouisfed.org/graph/fredgraph.csv?id=GDP");
}

#[test]
fn the_name_and_type_follow_the_bytes() {
    let check = |body: &[u8], said: &str, name: &str, kind: &str| {
        let desk = FetchFixture::new(vec![response("200 OK", &format!("content-type: {said}\r\n"), body)]);
        let loaded = desk.load_url("https://data.example.org/a/x").expect("loaded");
        assert_eq!((loaded.name.as_str(), loaded.media_type.as_str()), (name, kind));
    };
    check(b"PK\x03\x04", "text/html", "x.zip", "application/zip");
    check(b" [1]", "text/plain", "x.json", "application/json");
    check(b"\xef\xbb\xbf<x/>", "text/plain", "x.xml", "application/xml");
    check(b"a\tb", "text/tab-separated-values;charset=utf-8", "x.tsv", "text/tab-separated-values");
    check(b"a,b", "", "x.csv", "text/csv");
}

#[test]
fn pages_of_the_world_bank_become_one_document() {
    let (one, two, three) = (page(1, 3, "d", "1"), page(2, 3, "d", "2"), page(3, 3, "d", "3"));
    let desk = FetchFixture::new(vec![ok(&one), ok(&two), ok(&three)]);
    let mut told = Vec::new();
    let source = desk.source(PAGED);
    let outcome = desk.fetcher.load(&source, None, None, &mut |progress: LoadProgress| told.push(progress));
    let LoadOutcome::Loaded(loaded) = outcome.expect("loaded") else { panic!("loaded") };
    assert_eq!(String::from_utf8_lossy(&loaded.bytes), format!("{one}\n{two}\n{three}"));
    let paths =
        |at: u32| format!("GET /v2/country/all/indicator/FP.CPI.TOTL?format=json&per_page=20000&page={at}");
    assert_eq!(desk.server.request_lines(), [paths(1), paths(2), paths(3)]);
    assert_eq!(desk.clock.waits(), [500, 500], "a host is asked twice a second at the most");
    let last = told.last().expect("progress");
    assert_eq!((last.page, last.pages, last.bytes), (3, Some(3), (one.len() * 3) as u64));
    assert_eq!(loaded.requests.len(), 3);
}

#[test]
fn a_page_that_does_not_belong_is_refused() {
    let check = |replies: Vec<String>, kind: FetchErrorCategory, code: &str| {
        let desk = FetchFixture::new(replies.iter().map(|body| ok(body)).collect());
        let fault = desk.load_url(PAGED).expect_err("refused");
        assert_eq!((fault.category, fault.code), (kind, code), "{fault}");
    };
    let message = "[{\"message\":[{\"id\":\"120\",\"key\":\"Invalid value\",\"value\":\"not valid\"}]}]";
    check(vec![message.into()], FetchErrorCategory::NotFound, "source-gone");
    check(vec!["<html>".into()], FetchErrorCategory::InvalidResponse, "pages");
    check(vec!["[]".into()], FetchErrorCategory::InvalidResponse, "pages");
    check(vec![page(1, 1_001, "d", "")], FetchErrorCategory::InvalidResponse, "pages");
    check(vec![page(1, u32::MAX, "d", "")], FetchErrorCategory::InvalidResponse, "pages");
    let twice = || vec![page(1, 2, "d", ""), page(1, 2, "d", ""), page(1, 2, "d", ""), page(1, 2, "d", "")];
    check(twice(), FetchErrorCategory::InvalidResponse, "pages-differ");
}

#[test]
fn a_source_that_changes_between_pages_is_asked_anew() {
    let bodies =
        [page(1, 2, "old", "1"), page(2, 2, "new", "2"), page(1, 2, "new", "1"), page(2, 2, "new", "2")];
    let desk = FetchFixture::new(bodies.iter().map(|body| ok(body)).collect());
    let loaded = desk.load_url(PAGED).expect("loaded");
    assert_eq!(String::from_utf8_lossy(&loaded.bytes), format!("{}\n{}", bodies[2], bodies[3]));
}

#[test]
fn a_load_goes_on_where_it_was_broken_off() {
    let under = tempfile::tempdir().expect("a folder");
    let (one, two) = (page(1, 2, "d", "1"), page(2, 2, "d", "2"));
    let broken = FetchFixture::new(vec![ok(&one), response("400 Bad Request", "", b"")]);
    let source = broken.source(PAGED);
    assert_eq!(resumed(&broken, &source, under.path()).expect_err("broken off").code, "source-status");
    assert_eq!(files(under.path()), 1);
    let desk = FetchFixture::new(vec![ok(&two)]);
    let loaded = resumed(&desk, &source, under.path()).expect("loaded");
    assert_eq!(String::from_utf8_lossy(&loaded.bytes), format!("{one}\n{two}"));
    assert_eq!(loaded.requests.iter().map(|asked| asked.resumed).collect::<Vec<_>>(), [true, false]);
    assert_eq!((desk.server.requests().len(), files(under.path())), (1, 0), "nothing stays behind");
}

#[test]
fn a_kept_page_that_was_tampered_with_is_asked_again() {
    let check = |spoil: fn(Vec<u8>) -> Vec<u8>| {
        let under = tempfile::tempdir().expect("a folder");
        let (one, two) = (page(1, 2, "d", "1"), page(2, 2, "d", "2"));
        let broken = FetchFixture::new(vec![ok(&one), response("400 Bad Request", "", b"")]);
        let source = broken.source(PAGED);
        resumed(&broken, &source, under.path()).expect_err("broken off");
        let folder = std::fs::read_dir(under.path()).expect("a folder").flatten().next().expect("one");
        let file = std::fs::read_dir(folder.path()).expect("files").flatten().next().expect("one").path();
        std::fs::write(&file, spoil(std::fs::read(&file).expect("a page"))).expect("written");
        let desk = FetchFixture::new(vec![ok(&one), ok(&two)]);
        let loaded = resumed(&desk, &source, under.path()).expect("loaded");
        assert_eq!(String::from_utf8_lossy(&loaded.bytes), format!("{one}\n{two}"));
        assert_eq!(desk.server.requests().len(), 2);
    };
    check(|_| Vec::new());
    check(|bytes| bytes[..bytes.len() - 1].to_vec());
    check(|bytes| String::from_utf8_lossy(&bytes).replace("[1]]", "[7]]").into_bytes());
    // A label of another day.
    check(|bytes| String::from_utf8_lossy(&bytes).replace(&START.to_string(), "1700000000").into_bytes());
    check(|_| b"{}\n".to_vec());
}

#[test]
fn bls_is_asked_in_batches_of_series_and_years() {
    let done = "{\"status\":\"REQUEST_SUCCEEDED\",\"Results\":{}}";
    let desk = FetchFixture::new((0..6).map(|_| ok(done)).collect());
    let series: Vec<String> = (0..26).map(|at| format!("S{at:02}")).collect();
    let ask = AgencyQuery {
        code: series.join(","),
        from: Some("2000".into()),
        to: Some("2025".into()),
        ..AgencyQuery::default()
    };
    let source =
        FetchSource::from_agency(desk.fetcher.url_policy(), Agency::Bls, &ask, 2026).expect("a source");
    let loaded = desk.load_source(&source).expect("loaded");
    let bodies: Vec<String> =
        desk.server.requests().iter().filter_map(|all| Some(all.split_once("\r\n\r\n")?.1.into())).collect();
    let years = |body: &String| {
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        let series = body["seriesid"].as_array().expect("series").len();
        format!(
            "{series} {}-{}",
            body["startyear"].as_str().expect("a year"),
            body["endyear"].as_str().expect("a year")
        )
    };
    let spans = ["2000-2009", "2010-2019", "2020-2025"];
    let expected: Vec<String> =
        [25, 1].iter().flat_map(|n| spans.map(|span| format!("{n} {span}"))).collect();
    assert_eq!(bodies.iter().map(years).collect::<Vec<_>>(), expected);
    assert_eq!(String::from_utf8_lossy(&loaded.bytes), [done; 6].join("\n"));
    assert!(desk.server.request_lines().iter().all(|line| line == "POST /publicAPI/v2/timeseries/data/"));
}

#[test]
fn a_question_that_bls_did_not_take_is_told() {
    let refused = "{\"status\":\"REQUEST_NOT_PROCESSED\",\"message\":[\"daily threshold reached\"]}";
    let desk = FetchFixture::new(vec![ok(refused)]);
    let fault =
        desk.load_url("https://api.bls.gov/publicAPI/v2/timeseries/data/CUUR0000SA0").expect_err("refused");
    assert_eq!((fault.category, fault.code), (FetchErrorCategory::AccessDenied, "source-denied"));
    assert!(fault.message.contains("daily threshold reached"), "{fault}");
}

#[test]
fn a_question_with_a_body_is_not_redirected() {
    let desk = FetchFixture::new(vec![response("307 Temporary Redirect", "location: /elsewhere\r\n", b"")]);
    let fault =
        desk.load_url("https://api.bls.gov/publicAPI/v2/timeseries/data/CUUR0000SA0").expect_err("refused");
    assert_eq!(fault.code, "redirect");
}

#[test]
fn a_source_can_say_that_nothing_changed() {
    let tagged = |body: &str| {
        response(
            "200 OK",
            "etag: \"v1\"\r\nlast-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
            body.as_bytes(),
        )
    };
    let desk = FetchFixture::new(vec![tagged("a"), response("304 Not Modified", "", b""), tagged("b")]);
    let source = desk.source("https://data.example.org/x.csv");
    let first = desk.load_source(&source).expect("loaded");
    let known = first.validators.clone();
    let expected =
        Validators { etag: Some("\"v1\"".into()), modified: Some("Sun, 06 Nov 1994 08:49:37 GMT".into()) };
    assert_eq!(known, expected);
    let again =
        |known: &Validators| desk.fetcher.load(&source, Some(known), None, &mut |_| {}).expect("an outcome");
    assert_eq!(again(&known), LoadOutcome::NotModified);
    assert!(
        desk.server.requests()[1].contains("if-none-match: \"v1\"\r\nif-modified-since: Sun, 06 Nov 1994")
    );
    assert!(matches!(again(&known), LoadOutcome::Loaded(loaded) if loaded.bytes == b"b"));
}

#[test]
fn media_types_are_asked_for_where_an_address_has_none() {
    let desk = FetchFixture::new(vec![ok("x"), ok("x"), ok("x")]);
    let accept =
        |text: &String| text.lines().find_map(|line| line.strip_prefix("accept: ").map(str::to_owned));
    for url in [
        "https://api.imf.org/external/sdmx/2.1/data/CPI/all",
        "https://bdm.insee.fr/series/sdmx/data/X",
        "https://data.example.org/x",
    ] {
        desk.load_url(url).expect("loaded");
    }
    let csv = "application/vnd.sdmx.data+csv;version=1.0.0";
    let xml = "application/vnd.sdmx.structurespecificdata+xml;version=2.1";
    let asked: Vec<Option<String>> = desk.server.requests().iter().map(accept).collect();
    assert_eq!(asked, [Some(csv.into()), Some(xml.into()), Some("*/*".into())]);
}

#[test]
fn a_load_has_an_end_in_bytes() {
    let rows = "1,".repeat(30_000) + "1";
    let desk = FetchFixture::new(vec![ok(&page(1, 2, "d", &rows)), ok(&page(2, 2, "d", &rows))]);
    let fault = desk.load_url(PAGED).expect_err("too large");
    assert_eq!((fault.category, fault.code), (FetchErrorCategory::TooLarge, "source-large"));
}

#[test]
fn a_load_has_an_end_in_time() {
    // Each page is had at the second try, after two minutes; an hour has thirty of them.
    let busy = || response("503 Service Unavailable", "retry-after: 120\r\n", b"");
    let replies = (1..=40).flat_map(|at| [busy(), ok(&page(at, 40, "d", "1"))]).collect::<Vec<Reply>>();
    let desk = FetchFixture::new(replies);
    let fault = desk.load_url(PAGED).expect_err("too late");
    assert_eq!((fault.category, fault.code), (FetchErrorCategory::Network, "time"), "{fault}");
}
