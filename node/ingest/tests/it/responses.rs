//! JSON responses of APIs: pages, figures as strings or numbers, errors instead of data.

use super::{csv, plain};

fn page(header: &str, rows: &str) -> String {
    format!("[{{{header}}},{rows}]")
}

fn row(country: &str, iso: &str, date: &str, value: &str) -> String {
    format!(
        r#"{{"indicator":{{"id":"NY.X","value":"Some product"}},"country":{{"id":"{country}","value":"Name"}},{iso}"date":"{date}","value":{value},"decimal":0}}"#
    )
}

const FIRST: &str = r#""page":1,"pages":2,"per_page":"2","total":3,"lastupdated":"2026-07-13""#;

#[test]
fn pages_of_the_world_bank() {
    let iso = |code: &str| format!(r#""countryiso3code":"{code}","#);
    let one = page(
        FIRST,
        &format!("[{},\n{}]", row("NA", &iso("NAM"), "2014", "\"1.50\""), row("1W", "", "2014", "100")),
    );
    let second = FIRST.replace("\"page\":1", "\"page\":\"2\"");
    let two = page(&second, &format!("[{}]", row("ZZ", &iso(""), "2014Q1", "null")));
    let both = plain("a.json", format!("{one}\n{two}").as_bytes()).unwrap();
    assert_eq!(csv(&both), "REF_AREA,TIME_PERIOD,OBS_VALUE\nNAM,2014,1.50\nWLD,2014,100\n");
    assert_eq!(both, plain("a.json", format!("{two}{one}").as_bytes()).unwrap());
    assert_eq!(both.summary.missing_spellings["null"], 1);
    assert_eq!(
        both.summary.notes,
        ["area codes that are not in ISO 3166 are kept unchanged: 1, such as `ZZ`"]
    );
    assert_eq!((both.areas[1].aggregate, both.title.as_str()), (true, "Some product"));
    let alone = plain("a.json", one.as_bytes()).unwrap();
    assert_eq!(alone.summary.notes, ["missing: pages 2 of 2"]);
    let other = two.replace("\"total\":3", "\"total\":4");
    for (text, code) in [
        (format!("{one}{one}"), "page-twice"),
        (format!("{one}{other}"), "page-other"),
        (one.replace("\"1.50\"", "\"1,50\""), "number"),
        (one.replace("\"2014\"", "\"14\""), "period"),
        (one.replace("\"value\":100", "\"value\":[1]"), "json"),
        (two.replace("\"page\":\"2\"", "\"page\":\"two\""), "json"),
        (page(&second, "null"), "no-data"),
        (r#"[{"message":[{"id":"120","key":"Invalid value","value":"x"}]}]"#.to_owned(), "source-error"),
        ("[{\"per_page\":1, \"page\": 2}".to_owned(), "json"),
    ] {
        let error = plain("a.json", text.as_bytes()).unwrap_err();
        assert_eq!(error.code, code, "{text}: {error}");
    }
}

#[test]
fn several_indicators_have_a_dimension() {
    let rows =
        format!("[{},{}]", row("US", "", "2014", "1"), row("US", "", "2014", "2").replace("NY.X", "NY.Y"));
    let header = FIRST.replace("\"pages\":2", "\"pages\":1").replace("\"total\":3", "\"total\":2");
    let imported = plain("two.json", page(&header, &rows).as_bytes()).unwrap();
    assert_eq!(
        csv(&imported),
        "REF_AREA,INDICATOR,TIME_PERIOD,OBS_VALUE\nUSA,NY.X,2014,1\nUSA,NY.Y,2014,2\n"
    );
    assert_eq!((imported.dataflow.as_str(), imported.codes.len()), ("two", 1));
}
