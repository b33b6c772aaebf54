//! Loads: paging, resumption, conditional requests, pacing.

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

fn load_resumable(
    fixture: &FetchFixture,
    source: &FetchSource,
    under: &Path,
) -> Result<LoadedSource, FetchError> {
    match fixture.fetcher.load(source, None, Some(under), &mut |_| {})? {
        LoadOutcome::Loaded(loaded) => Ok(loaded),
        LoadOutcome::NotModified => panic!("nothing was known"),
    }
}

fn count_files(under: &Path) -> usize {
    let folders = std::fs::read_dir(under).into_iter().flatten().flatten();
    folders.map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten().count()).sum()
}

#[test]
fn a_single_page_is_unchanged() {
    let fixture = FetchFixture::new(vec![ok("observation_date,GDP\n")]);
    let loaded =
        fixture.load_url("https://fred.stlouisfed.org/graph/fredgraph.csv?id=GDP#top").expect("loaded");
    assert_eq!((loaded.name.as_str(), loaded.media_type.as_str()), ("GDP.csv", "text/csv"));
    assert_eq!((loaded.bytes.as_slice(), loaded.fetched), (b"observation_date,GDP\n".as_slice(), START));
    assert_eq!(loaded.requests[0].url, "https://fred.stlouisfed.org/graph/fredgraph.csv?id=GDP");
}

#[test]
fn media_type_and_extension_follow_the_content() {
    let check = |body: &[u8], said: &str, name: &str, kind: &str| {
        let fixture = FetchFixture::new(vec![response("200 OK", &format!("content-type: {said}\r\n"), body)]);
        let loaded = fixture.load_url("https://data.example.org/a/x").expect("loaded");
        assert_eq!((loaded.name.as_str(), loaded.media_type.as_str()), (name, kind));
    };
    check(b"PK\x03\x04", "text/html", "x.zip", "application/zip");
    check(b" [1]", "text/plain", "x.json", "application/json");
    check(b"\xef\xbb\xbf<x/>", "text/plain", "x.xml", "application/xml");
    check(b"a\tb", "text/tab-separated-values;charset=utf-8", "x.tsv", "text/tab-separated-values");
    check(b"a,b", "", "x.csv", "text/csv");
}

#[test]
fn world_bank_pages_are_joined() {
    let (one, two, three) = (page(1, 3, "d", "1"), page(2, 3, "d", "2"), page(3, 3, "d", "3"));
    let fixture = FetchFixture::new(vec![ok(&one), ok(&two), ok(&three)]);
    let mut reports = Vec::new();
    let source = fixture.source(PAGED);
    let outcome =
        fixture.fetcher.load(&source, None, None, &mut |progress: LoadProgress| reports.push(progress));
    let LoadOutcome::Loaded(loaded) = outcome.expect("loaded") else { panic!("loaded") };
    assert_eq!(String::from_utf8_lossy(&loaded.bytes), format!("{one}\n{two}\n{three}"));
    let paths =
        |at: u32| format!("GET /v2/country/all/indicator/FP.CPI.TOTL?format=json&per_page=20000&page={at}");
    assert_eq!(fixture.server.request_lines(), [paths(1), paths(2), paths(3)]);
    assert_eq!(fixture.clock.waits(), [500, 500], "at most two requests a second to a host");
    let last = reports.last().expect("progress");
    assert_eq!((last.page, last.pages, last.bytes), (3, Some(3), (one.len() * 3) as u64));
    assert_eq!(loaded.requests.len(), 3);
}

#[test]
fn pages_that_do_not_match_are_rejected() {
    let check = |replies: Vec<String>, kind: FetchErrorCategory, code: &str| {
        let fixture = FetchFixture::new(replies.iter().map(|body| ok(body)).collect());
        let error = fixture.load_url(PAGED).expect_err("refused");
        assert_eq!((error.category, error.code), (kind, code), "{error}");
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
fn a_source_that_changes_between_pages_is_reloaded() {
    let bodies =
        [page(1, 2, "old", "1"), page(2, 2, "new", "2"), page(1, 2, "new", "1"), page(2, 2, "new", "2")];
    let fixture = FetchFixture::new(bodies.iter().map(|body| ok(body)).collect());
    let loaded = fixture.load_url(PAGED).expect("loaded");
    assert_eq!(String::from_utf8_lossy(&loaded.bytes), format!("{}\n{}", bodies[2], bodies[3]));
}

#[test]
fn interrupted_loads_resume() {
    let under = tempfile::tempdir().expect("a folder");
    let (one, two) = (page(1, 2, "d", "1"), page(2, 2, "d", "2"));
    let broken = FetchFixture::new(vec![ok(&one), response("400 Bad Request", "", b"")]);
    let source = broken.source(PAGED);
    assert_eq!(load_resumable(&broken, &source, under.path()).expect_err("broken off").code, "source-status");
    assert_eq!(count_files(under.path()), 1);
    let fixture = FetchFixture::new(vec![ok(&two)]);
    let loaded = load_resumable(&fixture, &source, under.path()).expect("loaded");
    assert_eq!(String::from_utf8_lossy(&loaded.bytes), format!("{one}\n{two}"));
    assert_eq!(loaded.requests.iter().map(|asked| asked.resumed).collect::<Vec<_>>(), [true, false]);
    assert_eq!((fixture.server.requests().len(), count_files(under.path())), (1, 0), "the cache is removed");
}

#[test]
fn corrupt_cached_pages_are_requested_again() {
    let check = |spoil: fn(Vec<u8>) -> Vec<u8>| {
        let under = tempfile::tempdir().expect("a folder");
        let (one, two) = (page(1, 2, "d", "1"), page(2, 2, "d", "2"));
        let broken = FetchFixture::new(vec![ok(&one), response("400 Bad Request", "", b"")]);
        let source = broken.source(PAGED);
        load_resumable(&broken, &source, under.path()).expect_err("broken off");
        let folder = std::fs::read_dir(under.path()).expect("a folder").flatten().next().expect("one");
        let file = std::fs::read_dir(folder.path()).expect("files").flatten().next().expect("one").path();
        std::fs::write(&file, spoil(std::fs::read(&file).expect("a page"))).expect("written");
        let fixture = FetchFixture::new(vec![ok(&one), ok(&two)]);
        let loaded = load_resumable(&fixture, &source, under.path()).expect("loaded");
        assert_eq!(String::from_utf8_lossy(&loaded.bytes), format!("{one}\n{two}"));
        assert_eq!(fixture.server.requests().len(), 2);
    };
    check(|_| Vec::new());
    check(|bytes| bytes[..bytes.len() - 1].to_vec());
    check(|bytes| String::from_utf8_lossy(&bytes).replace("[1]]", "[7]]").into_bytes());
    // A label from another day.
    check(|bytes| String::from_utf8_lossy(&bytes).replace(&START.to_string(), "1700000000").into_bytes());
    check(|_| b"{}\n".to_vec());
}

#[test]
fn bls_requests_are_batched_by_series_and_years() {
    let done = "{\"status\":\"REQUEST_SUCCEEDED\",\"Results\":{}}";
    let fixture = FetchFixture::new((0..6).map(|_| ok(done)).collect());
    let series: Vec<String> = (0..26).map(|at| format!("S{at:02}")).collect();
    let ask = AgencyQuery {
        code: series.join(","),
        from: Some("2000".into()),
        to: Some("2025".into()),
        ..AgencyQuery::default()
    };
    let source =
        FetchSource::from_agency(fixture.fetcher.url_policy(), Agency::Bls, &ask, 2026).expect("a source");
    let loaded = fixture.load_source(&source).expect("loaded");
    let bodies: Vec<String> = fixture
        .server
        .requests()
        .iter()
        .filter_map(|all| Some(all.split_once("\r\n\r\n")?.1.into()))
        .collect();
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
    assert!(fixture.server.request_lines().iter().all(|line| line == "POST /publicAPI/v2/timeseries/data/"));
}

#[test]
fn unprocessed_bls_requests_are_reported() {
    let refused = "{\"status\":\"REQUEST_NOT_PROCESSED\",\"message\":[\"daily threshold reached\"]}";
    let fixture = FetchFixture::new(vec![ok(refused)]);
    let error = fixture
        .load_url("https://api.bls.gov/publicAPI/v2/timeseries/data/CUUR0000SA0")
        .expect_err("refused");
    assert_eq!((error.category, error.code), (FetchErrorCategory::AccessDenied, "source-denied"));
    assert!(error.message.contains("daily threshold reached"), "{error}");
}

#[test]
fn post_requests_are_not_redirected() {
    let fixture =
        FetchFixture::new(vec![response("307 Temporary Redirect", "location: /elsewhere\r\n", b"")]);
    let error = fixture
        .load_url("https://api.bls.gov/publicAPI/v2/timeseries/data/CUUR0000SA0")
        .expect_err("refused");
    assert_eq!(error.code, "redirect");
}

#[test]
fn unchanged_sources_are_not_modified() {
    let tagged = |body: &str| {
        response(
            "200 OK",
            "etag: \"v1\"\r\nlast-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
            body.as_bytes(),
        )
    };
    let fixture = FetchFixture::new(vec![tagged("a"), response("304 Not Modified", "", b""), tagged("b")]);
    let source = fixture.source("https://data.example.org/x.csv");
    let first = fixture.load_source(&source).expect("loaded");
    let known = first.validators.clone();
    let expected =
        Validators { etag: Some("\"v1\"".into()), modified: Some("Sun, 06 Nov 1994 08:49:37 GMT".into()) };
    assert_eq!(known, expected);
    let again = |known: &Validators| {
        fixture.fetcher.load(&source, Some(known), None, &mut |_| {}).expect("an outcome")
    };
    assert_eq!(again(&known), LoadOutcome::NotModified);
    assert!(
        fixture.server.requests()[1].contains("if-none-match: \"v1\"\r\nif-modified-since: Sun, 06 Nov 1994")
    );
    assert!(matches!(again(&known), LoadOutcome::Loaded(loaded) if loaded.bytes == b"b"));
}

#[test]
fn accept_headers_are_sent_where_the_url_has_no_format() {
    let fixture = FetchFixture::new(vec![ok("x"), ok("x"), ok("x")]);
    let accept =
        |text: &String| text.lines().find_map(|line| line.strip_prefix("accept: ").map(str::to_owned));
    for url in [
        "https://api.imf.org/external/sdmx/2.1/data/CPI/all",
        "https://bdm.insee.fr/series/sdmx/data/X",
        "https://data.example.org/x",
    ] {
        fixture.load_url(url).expect("loaded");
    }
    let csv = "application/vnd.sdmx.data+csv;version=1.0.0";
    let xml = "application/vnd.sdmx.structurespecificdata+xml;version=2.1";
    let asked: Vec<Option<String>> = fixture.server.requests().iter().map(accept).collect();
    assert_eq!(asked, [Some(csv.into()), Some(xml.into()), Some("*/*".into())]);
}

#[test]
fn loads_are_limited_in_bytes() {
    let rows = "1,".repeat(30_000) + "1";
    let fixture = FetchFixture::new(vec![ok(&page(1, 2, "d", &rows)), ok(&page(2, 2, "d", &rows))]);
    let error = fixture.load_url(PAGED).expect_err("too large");
    assert_eq!((error.category, error.code), (FetchErrorCategory::TooLarge, "source-large"));
}

#[test]
fn loads_are_limited_in_time() {
    // Each page takes two tries, two minutes apart; an hour fits thirty of them.
    let busy = || response("503 Service Unavailable", "retry-after: 120\r\n", b"");
    let replies = (1..=40).flat_map(|at| [busy(), ok(&page(at, 40, "d", "1"))]).collect::<Vec<Reply>>();
    let fixture = FetchFixture::new(replies);
    let error = fixture.load_url(PAGED).expect_err("too late");
    assert_eq!((error.category, error.code), (FetchErrorCategory::Network, "time"), "{error}");
}
