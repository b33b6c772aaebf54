//! API keys are sent to their host and appear nowhere else.

use fetch::{Agency, AgencyQuery, ApiKeys, FetchSource};

use super::server::{FetchFixture, TIGHT, TestServer, ok, response};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn keys() -> ApiKeys {
    ApiKeys::from_variables(|name| (name != "IMF_API_KEY").then(|| format!(" {KEY}\n"))).expect("keys")
}

fn fixture(replies: Vec<super::server::Reply>) -> FetchFixture {
    FetchFixture::with(TestServer::start(replies), keys(), TIGHT, Default::default())
}

#[test]
fn keys_are_sent_where_their_host_expects_them() {
    let fixture = fixture(vec![ok("x"), ok("{\"status\":\"REQUEST_SUCCEEDED\"}"), ok("<x/>"), ok("x")]);
    let fred = fixture
        .load_url("https://api.stlouisfed.org/fred/series/observations?series_id=GDP")
        .expect("loaded");
    let ask = AgencyQuery { code: "CUUR0000SA0".into(), ..AgencyQuery::default() };
    let bls = fixture.load_source(
        &FetchSource::from_agency(fixture.fetcher.url_policy(), Agency::Bls, &ask, 2026).expect("a source"),
    );
    fixture.load_url("https://api.insee.fr/series/x").expect("loaded");
    fixture.load_url("https://data.example.org/x").expect("loaded");
    let asked = fixture.server.requests();
    assert!(asked[0].starts_with(&format!("GET /fred/series/observations?series_id=GDP&api_key={KEY} ")));
    assert!(asked[1].ends_with(&format!("{{\"registrationkey\":\"{KEY}\",\"seriesid\":[\"CUUR0000SA0\"]}}")));
    assert!(asked[2].to_lowercase().contains(&format!("x-insee-api-key-integration: {KEY}\r\n")));
    assert!(!asked[3].contains(KEY), "hosts without a key receive none");
    assert!(!format!("{fred:?} {bls:?} {:?}", keys()).contains(KEY));
}

#[test]
fn redirects_to_another_host_drop_the_key() {
    let away = format!("location: https://data.example.org/x?api_key={KEY}&y=1\r\n");
    let back = format!("location: https://api.stlouisfed.org/z?api_key={KEY}\r\n");
    let fixture =
        fixture(vec![response("302 Found", &back, b""), response("302 Found", &away, b""), ok("x")]);
    fixture.load_url("https://api.stlouisfed.org/y").expect("loaded");
    let (key, asked) = (format!("?api_key={KEY}"), fixture.server.request_lines());
    assert_eq!(asked, [format!("GET /y{key}"), format!("GET /z{key}"), "GET /x?y=1".into()]);
    assert!(fixture.server.requests()[2].matches(KEY).count() == 0);
}

#[test]
fn errors_never_contain_a_key() {
    let echo = format!("bad api_key={KEY}");
    let away = format!("location: http://elsewhere.example.org/{KEY}\r\n");
    let odd = format!("location: https://{KEY}:x:y/\r\n");
    for reply in [
        response("400 Bad Request", "", echo.as_bytes()),
        response("403 Forbidden", "", echo.as_bytes()),
        response("302 Found", &away, b""),
        response("302 Found", &odd, b""),
        response("302 Found", &format!("location: https://{KEY}.example.org/\r\n"), b""),
        response("302 Found", &format!("location: https://data.example.org/{KEY}\r\n"), b""),
    ] {
        let fixture = fixture(vec![reply]);
        let error = fixture.load_url("https://api.stlouisfed.org/y").expect_err("a error");
        assert!(!format!("{error} {error:?}").contains(KEY), "{error}");
    }
}

#[test]
fn invalid_keys_are_rejected_without_showing_them() {
    let error = ApiKeys::from_variables(|_| Some("secret key&x=1".into())).expect_err("refused");
    assert!(error.message.contains("FRED_API_KEY") && !error.message.contains("secret"), "{error}");
    assert_eq!(format!("{:?}", ApiKeys::from_variables(|_| Some("  ".into())).expect("none")), "Keys(0)");
}
