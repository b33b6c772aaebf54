//! Sources that are unavailable, broken, slow or unbounded.

use std::io::Write;

use fetch::{ApiKeys, FetchErrorCategory, RequestLimits};

use super::server::{FetchFixture, Reply, START, TIGHT, TestServer, ok, response, response_head};

const URL: &str = "https://data.example.org/x.csv";

fn unavailable() -> Reply {
    response("503 Service Unavailable", "content-type: text/plain\r\n", b"maintenance")
}

#[test]
fn unavailable_sources_are_retried() {
    let check = |replies: Vec<Reply>, waits: &[u64]| {
        let asked = replies.len();
        let fixture = FetchFixture::new(replies);
        assert_eq!(fixture.load_url(URL).expect("loaded").bytes, b"a\n");
        assert_eq!((fixture.clock.waits(), fixture.server.requests().len()), (waits.to_vec(), asked));
    };
    let slow = |after: &str| response("429 Too Many Requests", &format!("retry-after: {after}\r\n"), b"");
    check(vec![ok("a\n")], &[]);
    check(vec![response("500 Internal Server Error", "", b""), ok("a\n")], &[500]);
    check(vec![unavailable(), unavailable(), unavailable(), ok("a\n")], &[500, 1_000, 2_000]);
    check(vec![slow("7"), ok("a\n")], &[7_000]);
    let date =
        httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(START as u64 + 30));
    check(vec![slow(&date), ok("a\n")], &[30_000]);
    check(vec![slow("Sun, 06 Nov 1994 08:49:37 GMT"), ok("a\n")], &[0, 500]);
    check(vec![slow("soon"), ok("a\n")], &[500]);
}

#[test]
fn retries_are_limited() {
    let check = |replies: Vec<Reply>, asked: usize, words: &str| {
        let fixture = FetchFixture::new(replies);
        let error = fixture.load_url(URL).expect_err("busy");
        assert_eq!(
            (error.category, fixture.server.requests().len()),
            (FetchErrorCategory::Unavailable, asked),
            "{error}"
        );
        assert!(format!("{error} {:?}", error.hint).contains(words), "{error:?}");
    };
    check((0..9).map(|_| unavailable()).collect(), 5, "answered 503: maintenance (5 tries)");
    check(vec![response("429 Too Many Requests", "retry-after: 3600\r\n", b"")], 1, "3600 seconds");
    let never = format!("retry-after: {}\r\n", u64::MAX);
    check(vec![response("429 Too Many Requests", &never, b"")], 1, "seconds");
}

fn check(reply: Reply, bounds: RequestLimits, kind: FetchErrorCategory, code: &str) {
    let fixture =
        FetchFixture::with(TestServer::start(vec![reply]), ApiKeys::default(), bounds, Default::default());
    let error = fixture.load_url(URL).expect_err("a error");
    assert_eq!((error.category, error.code), (kind, code), "{error}");
    assert_eq!(fixture.clock.waits(), Vec::<u64>::new(), "no second try: {error}");
}

#[test]
fn error_statuses_are_reported() {
    check(
        response("404 Not Found", "", b"no such series"),
        TIGHT,
        FetchErrorCategory::NotFound,
        "source-gone",
    );
    check(response("410 Gone", "", b""), TIGHT, FetchErrorCategory::NotFound, "source-gone");
    check(response("403 Forbidden", "", b""), TIGHT, FetchErrorCategory::AccessDenied, "source-denied");
    check(
        response("400 Bad Request", "", b"bad"),
        TIGHT,
        FetchErrorCategory::InvalidResponse,
        "source-status",
    );
    check(response("204 No Content", "", b""), TIGHT, FetchErrorCategory::InvalidResponse, "source-status");
    check(response("304 Not Modified", "", b""), TIGHT, FetchErrorCategory::InvalidResponse, "source-status");
    check(
        response("300 Multiple Choices", "location: /y\r\n", b""),
        TIGHT,
        FetchErrorCategory::InvalidResponse,
        "source-status",
    );
}

#[test]
fn error_texts_escape_control_characters() {
    let fixture = FetchFixture::new(vec![response("400 Bad Request", "", b"\x1b[2Jno\nway \xe2\x80\xae")]);
    let error = fixture.load_url(URL).expect_err("a error");
    assert_eq!(error.message, "`data.example.org` answered 400: \\u{1b}[2Jno way \\u{202e}");
}

#[test]
fn unbounded_responses_are_cut_off() {
    let large = RequestLimits { bytes_max: 10_000, ..TIGHT };
    check(
        Reply::Endless(response_head("content-type: text/csv\r\n")),
        large,
        FetchErrorCategory::TooLarge,
        "source-large",
    );
    check(
        Reply::Endless(response_head("content-length: 99999999999\r\n")),
        large,
        FetchErrorCategory::TooLarge,
        "source-large",
    );
    let many: String = (0..3_000).map(|at| format!("x-{at}: {}\r\n", "y".repeat(60))).collect();
    check(Reply::Bytes(response_head(&many)), large, FetchErrorCategory::InvalidResponse, "protocol");
    let long = format!("x-long: {}\r\n", "y".repeat(200_000));
    check(Reply::Bytes(response_head(&long)), large, FetchErrorCategory::InvalidResponse, "head-large");
}

#[test]
fn decompressed_size_is_limited() {
    let packed = |bytes: &[u8]| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(bytes).expect("packed");
        packer.finish().expect("packed")
    };
    let bomb = packed(&vec![0; 20_000_000]);
    assert!(bomb.len() < TIGHT.bytes_max as usize);
    check(
        response("200 OK", "content-encoding: gzip\r\n", &bomb),
        TIGHT,
        FetchErrorCategory::TooLarge,
        "source-large",
    );
    let whole = response("200 OK", "content-encoding: gzip\r\n", &packed(b"a,b\n"));
    assert_eq!(FetchFixture::new(vec![whole]).load_url(URL).expect("loaded").bytes, b"a,b\n");
}

/// A connection error may be transient: the next try gets the whole document.
#[test]
fn truncated_responses_are_retried() {
    let check = |broken: Vec<u8>| {
        let fixture = FetchFixture::new(vec![Reply::Bytes(broken), ok("a,b\n")]);
        assert_eq!(fixture.load_url(URL).expect("loaded").bytes, b"a,b\n");
        assert_eq!((fixture.server.requests().len(), fixture.clock.waits()), (2, vec![500]));
    };
    check([response_head("content-length: 100\r\n"), b"a,b".to_vec()].concat());
    check([response_head("transfer-encoding: chunked\r\n"), b"3\r\na,b\r\n".to_vec()].concat());
    check([response_head("transfer-encoding: chunked\r\n"), b"ff\r\na,b".to_vec()].concat());
    check(b"HTTP/1.1 200 OK\r\ncontent-".to_vec());
    check(Vec::new());
}

#[test]
fn invalid_http_is_a_protocol_error() {
    check(
        Reply::Bytes(b"SSH-2.0-x\r\n\r\n".to_vec()),
        TIGHT,
        FetchErrorCategory::InvalidResponse,
        "protocol",
    );
}

#[test]
fn slow_sources_time_out() {
    let slow = RequestLimits { response_ms: 150, call_ms: 200, ..TIGHT };
    let check = |replies: Vec<Reply>| {
        let asked = replies.len();
        let fixture =
            FetchFixture::with(TestServer::start(replies), ApiKeys::default(), slow, Default::default());
        let error = fixture.load_url(URL).expect_err("slow");
        assert_eq!((error.category, error.code), (FetchErrorCategory::Network, "time"), "{error}");
        assert_eq!(fixture.server.requests().len(), asked);
    };
    check((0..5).map(|_| Reply::Stall(Vec::new())).collect());
    check((0..5).map(|_| Reply::Stall(response_head("content-length: 9\r\n"))).collect());
    check((0..5).map(|_| Reply::Drip(response_head("content-length: 100000\r\n"))).collect());
}

#[test]
fn hosts_without_address_are_reported() {
    let others = [("data.example.org".to_owned(), Vec::new())].into();
    let fixture = FetchFixture::with(TestServer::start(vec![ok("x")]), ApiKeys::default(), TIGHT, others);
    assert_eq!(fixture.load_url(URL).expect_err("unknown").code, "name");
}
