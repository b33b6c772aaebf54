//! Keys reach the wire and nothing else.

use fetch::{Agency, AgencyQuery, ApiKeys, FetchSource};

use super::server::{FetchFixture, TIGHT, TestServer, ok, response};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn keys() -> ApiKeys {
    ApiKeys::from_variables(|name| (name != "IMF_API_KEY").then(|| format!(" {KEY}\n"))).expect("keys")
}

fn desk(replies: Vec<super::server::Reply>) -> FetchFixture {
    FetchFixture::with(TestServer::start(replies), keys(), TIGHT, Default::default())
}

#[test]
fn a_key_goes_where_its_host_wants_it() {
    let desk = desk(vec![ok("x"), ok("{\"status\":\"REQUEST_SUCCEEDED\"}"), ok("<x/>"), ok("x")]);
    let fred =
        desk.load_url("https://api.stlouisfed.org/fred/series/observations?series_id=GDP").expect("loaded");
    let ask = AgencyQuery { code: "CUUR0000SA0".into(), ..AgencyQuery::default() };
    let bls = desk.load_source(
        &FetchSource::from_agency(desk.fetcher.url_policy(), Agency::Bls, &ask, 2026).expect("a source"),
    );
    desk.load_url("https://api.insee.fr/series/x").expect("loaded");
    desk.load_url("https://data.example.org/x").expect("loaded");
    let asked = desk.server.requests();
    assert!(asked[0].starts_with(&format!("GET /fred/series/observations?series_id=GDP&api_key={KEY} ")));
    assert!(asked[1].ends_with(&format!("{{\"registrationkey\":\"{KEY}\",\"seriesid\":[\"CUUR0000SA0\"]}}")));
    assert!(asked[2].to_lowercase().contains(&format!("x-insee-api-key-integration: {KEY}\r\n")));
    assert!(!asked[3].contains(KEY), "a host without a key gets none");
    assert!(!format!("{fred:?} {bls:?} {:?}", keys()).contains(KEY));
}

#[test]
fn a_redirect_to_another_host_loses_the_key() {
    let away = format!("location: https://data.example.org/x?api_key={KEY}&y=1\r\n");
    let back = format!("location: https://api.stlouisfed.org/z?api_key={KEY}\r\n");
    let desk = desk(vec![response("302 Found", &back, b""), response("302 Found", &away, b""), ok("x")]);
    desk.load_url("https://api.stlouisfed.org/y").expect("loaded");
    let (key, asked) = (format!("?api_key={KEY}"), desk.server.request_lines());
    assert_eq!(asked, [format!("GET /y{key}"), format!("GET /z{key}"), "GET /x?y=1".into()]);
    assert!(desk.server.requests()[2].matches(KEY).count() == 0);
}

#[test]
fn no_fault_tells_a_key() {
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
        let desk = desk(vec![reply]);
        let fault = desk.load_url("https://api.stlouisfed.org/y").expect_err("a fault");
        assert!(!format!("{fault} {fault:?}").contains(KEY), "{fault}");
    }
}

#[test]
fn a_key_with_odd_characters_is_refused_without_telling_it() {
    let fault = ApiKeys::from_variables(|_| Some("secret key&x=1".into())).expect_err("refused");
    assert!(fault.message.contains("FRED_API_KEY") && !fault.message.contains("secret"), "{fault}");
    assert_eq!(format!("{:?}", ApiKeys::from_variables(|_| Some("  ".into())).expect("none")), "Keys(0)");
}
