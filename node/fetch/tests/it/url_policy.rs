//! URL policy: blocked hosts, addresses and redirects.

use std::collections::BTreeMap;
use std::net::IpAddr;

use fetch::{ApiKeys, FetchErrorCategory, UrlPolicy, is_public};

use super::server::{FetchFixture, TIGHT, TestServer, ok, response};

#[test]
fn private_addresses_are_not_public() {
    let private = [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "169.254.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::10.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:10::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ];
    let open = [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "168.63.129.15",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.167.255.255",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2600::1",
        "2a00:1450::1",
        "64:ff9b::8.8.8.8",
        "::ffff:8.8.8.8",
    ];
    let judged = |text: &str| is_public(text.parse::<IpAddr>().expect(text));
    assert_eq!(private.into_iter().filter(|text| judged(text)).collect::<Vec<_>>(), Vec::<&str>::new());
    assert_eq!(open.into_iter().filter(|text| !judged(text)).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn only_allowed_urls_pass() {
    let policy = UrlPolicy::new(&["Data.Example.ORG".into()]).expect("a host");
    let check = |url: &str, code: &str| {
        let found = policy.parse(url).map_or_else(|error| error.code, |_| "");
        assert_eq!(found, code, "{url}");
    };
    check("https://api.worldbank.org/v2/country", "");
    check("https://API.worldbank.ORG:443/v2/country", "");
    check("https://data.example.org/x.csv", "");
    check("http://api.worldbank.org/v2", "url-scheme");
    check("file:///etc/passwd", "url-scheme");
    check("ftp://data.example.org/x", "url-scheme");
    check("gopher://data.example.org/x", "url-scheme");
    check("https://api.worldbank.org:8443/", "url-port");
    check("https://me:secret@api.worldbank.org/", "url-user");
    check("https://me@api.worldbank.org/", "url-user");
    check("https://api.worldbank.org@evil.example.org/", "url-user");
    check("https://api.worldbank.org.evil.example.org/", "host");
    check("https://evil.example.org/#@api.worldbank.org", "host");
    check("https://api.worldbank.org./", "host");
    check("https://www.worldbank.org/", "host");
    check("https://localhost/", "host");
    check("https://127.0.0.1/", "host-address");
    check("https://2130706433/", "host-address");
    check("https://0x7f.1/", "host-address");
    check("https://017700000001/", "host-address");
    check("https://[::1]/", "host-address");
    check("https://[::ffff:127.0.0.1]/", "host-address");
    check("https://api.stlouisfed.org/fred/series?api_key=x", "url-secret");
    check("https://api.bls.gov/x?REGISTRATIONKEY=x", "url-secret");
    check("https:///x", "host");
    check("api.worldbank.org/v2", "url");
    check(&format!("https://api.worldbank.org/{}", "x".repeat(1_000)), "url");
}

#[test]
fn allowed_hosts_must_be_names() {
    for bad in [
        "",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "*.example.org",
        "a b.org",
        "example.org/x",
        "https://example.org",
    ] {
        let error = UrlPolicy::new(&[bad.to_owned()]).expect_err(bad);
        assert_eq!((error.category, error.code), (FetchErrorCategory::InvalidRequest, "host-name"), "{bad}");
    }
}

#[test]
fn hosts_with_private_addresses_are_blocked() {
    let check = |addresses: &[&str]| {
        let found = addresses.iter().map(|text| text.parse().expect("an address")).collect();
        let others = BTreeMap::from([("evil.example.org".to_owned(), found)]);
        let fixture = FetchFixture::with(TestServer::start(vec![ok("x")]), ApiKeys::default(), TIGHT, others);
        let error = fixture.load_url("https://evil.example.org/x.csv").expect_err("refused");
        assert_eq!(
            (error.category, error.code),
            (FetchErrorCategory::Blocked, "address-private"),
            "{addresses:?}: {error}"
        );
        assert_eq!(fixture.server.requests(), Vec::<String>::new());
        assert_eq!(fixture.clock.waits(), Vec::<u64>::new(), "no retry");
    };
    check(&["169.254.169.254"]);
    check(&["10.0.0.7"]);
    check(&["::ffff:192.168.0.1"]);
    check(&["fd00:ec2::254"]);
    check(&["1.1.1.1", "10.0.0.7"]);
}

#[test]
fn redirects_are_checked_like_the_first_url() {
    let check = |location: &str, code: &str| {
        let found = vec!["10.0.0.7".parse().expect("an address")];
        let others = BTreeMap::from([("evil.example.org".to_owned(), found)]);
        let replies = vec![response("302 Found", &format!("location: {location}\r\n"), b"")];
        let fixture = FetchFixture::with(TestServer::start(replies), ApiKeys::default(), TIGHT, others);
        let error = fixture.load_url("https://data.example.org/x.csv").expect_err("refused");
        assert_eq!((error.category, error.code), (FetchErrorCategory::Blocked, code), "{location}: {error}");
        assert_eq!(fixture.server.requests().len(), 1, "{location}");
    };
    check("https://169.254.169.254/latest/meta-data/", "host-address");
    check("http://169.254.169.254/latest/meta-data/", "url-scheme");
    check("http://data.example.org/x.csv", "url-scheme");
    check("file:///etc/passwd", "url-scheme");
    check("//elsewhere.example.org/x.csv", "host");
    check("https://data.example.org:8443/x.csv", "url-port");
    check("https://me:pw@data.example.org/x.csv", "url-user");
    check("https://evil.example.org/x.csv", "address-private");
    check("https://[::1]/", "host-address");
    check("https://", "redirect");
    check("", "redirect");
}

#[test]
fn redirects_are_limited() {
    let turn = || response("301 Moved Permanently", "location: /again\r\n", b"");
    let fixture = FetchFixture::new((0..20).map(|_| turn()).collect());
    let error = fixture.load_url("https://data.example.org/x.csv").expect_err("refused");
    assert_eq!(error.code, "redirects");
    assert_eq!(fixture.server.requests().len(), 6);
}

#[test]
fn allowed_redirects_are_followed() {
    let moved = response("307 Temporary Redirect", "location: https://www.ons.gov.uk/y.csv?z=1\r\n", b"");
    let fixture = FetchFixture::new(vec![moved, ok("a,b\n")]);
    let loaded = fixture.load_url("https://data.example.org/x.csv").expect("loaded");
    assert_eq!(loaded.bytes, b"a,b\n");
    assert_eq!(fixture.server.request_lines(), ["GET /x.csv", "GET /y.csv?z=1"]);
}

#[test]
fn wrong_certificates_are_rejected() {
    let server = TestServer::named(vec!["elsewhere.example.org".into()], vec![ok("x")]);
    let fixture = FetchFixture::with(server, ApiKeys::default(), TIGHT, BTreeMap::new());
    let error = fixture.load_url("https://data.example.org/x.csv").expect_err("refused");
    assert_eq!(error.code, "certificate", "{error}");
    assert_eq!(fixture.server.requests(), Vec::<String>::new());
}
