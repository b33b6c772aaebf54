//! SDMX requests as sent by clients. Assertions on client quirks name the client that needs them.

mod formats;
mod responses;
mod vintages;

use std::collections::{BTreeMap, BTreeSet};

use crate::it::test_node::{self, Row, TestNode};

const GENERIC: &str = "application/vnd.sdmx.genericdata+xml;version=2.1";
const SPECIFIC: &str = "application/vnd.sdmx.structurespecificdata+xml;version=2.1";
const CSV: &str = "application/vnd.sdmx.data+csv;version=2.0.0";
const JSON: &str = "application/vnd.sdmx.data+json;version=2.0.0";

/// Returns the observations of a response in SDMX-CSV 2.0.
#[track_caller]
fn rows(node: &TestNode, path: &str) -> BTreeSet<Row> {
    let actions = rows_by_action(node, path);
    assert!(actions.keys().all(|action| action == "I"), "{path}");
    actions.into_values().flatten().collect()
}

/// Returns the observations of a response in SDMX-CSV 2.0 by action.
#[track_caller]
fn rows_by_action(node: &TestNode, path: &str) -> BTreeMap<String, BTreeSet<Row>> {
    let mut actions: BTreeMap<String, BTreeSet<Row>> = BTreeMap::new();
    for (action, row) in actions_and_rows(node, path) {
        assert!(actions.entry(action).or_default().insert(row), "{path}: twice");
    }
    actions
}

/// Returns the rows of a response in SDMX-CSV 2.0 in order, each with its action.
#[track_caller]
fn actions_and_rows(node: &TestNode, path: &str) -> Vec<(String, Row)> {
    let response = node.get(&format!("/sdmx/v2/data/dataflow/*/labour/1.0{path}"), CSV);
    assert_eq!(response.status, 200, "{path}: {}", response.body);
    let mut lines = response.body.lines();
    let head = "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,SEX,TIME_PERIOD,OBS_VALUE";
    assert!(lines.next().unwrap().starts_with(head), "pysdmx wants STRUCTURE first, sdmx1 ACTION");
    let cells = lines.map(|line| line.split(',').collect::<Vec<&str>>());
    let row = |cells: Vec<&str>| {
        assert_eq!(cells[0], "dataflow");
        (cells[2].to_owned(), [3, 4, 5, 6, 7].map(|at| cells[at].to_owned()))
    };
    cells.map(row).collect()
}

/// Returns a value in thousandths; -1 if null.
fn thousandths(row: &Row) -> i64 {
    row[4].replace('.', "").parse::<i64>().map_or(-1, |value| value / 10)
}

/// Returns the sample observations that pass a filter.
fn matching_rows(fits: impl Fn(&Row) -> bool) -> BTreeSet<Row> {
    test_node::latest_rows().into_iter().filter(|row| fits(row)).collect()
}

#[test]
fn filters_match_a_scan_of_all_observations() {
    let node = TestNode::start();
    type Fits = fn(&Row) -> bool;
    let year = |row: &Row| row[3][..4].parse::<i32>().unwrap();
    let cases: &[(&str, Fits)] = &[
        ("", |_| true),
        ("/", |_| true),
        ("/*", |_| true),
        ("/*.*.*", |_| true),
        ("/A..", |row| row[0] == "A"),
        ("/.AUT+BEL.F", |row| row[1] != "FRA" && row[2] == "F"),
        ("/.AUT%2BBEL.F/", |row| row[1] != "FRA" && row[2] == "F"),
        ("/A.AUT.F,Q.BEL.M", |row| {
            matches!([&*row[0], &row[1], &row[2]], ["A", "AUT", "F"] | ["Q", "BEL", "M"])
        }),
        ("?c[REF_AREA]=AUT", |row| row[1] == "AUT"),
        ("?c%5BREF_AREA%5D=AUT%2CFRA&c%5BSEX%5D=ne%3AF", |row| row[1] != "BEL" && row[2] != "F"),
        ("?c[REF_AREA]=ge:B+lt:C", |row| row[1] == "BEL"),
        ("?c[REF_AREA]=gt:AUT+le:BEL", |row| row[1] == "BEL"),
        ("?c[REF_AREA]=sw:A,ew:A", |row| row[1] == "AUT" || row[1] == "FRA"),
        ("?c[REF_AREA]=co:E", |row| row[1].contains('E')),
        ("?c[REF_AREA]=nc:E", |row| !row[1].contains('E')),
        ("?c[REF_AREA]=XXX", |_| false),
        ("/Q", |row| row[0] == "Q"),
        ("?c[NOTE]=co:%3Cb%3E", |_| true),
        ("?c[NOTE]=sw:b", |_| false),
        ("?c[FREQ]=Q&c[OBS_VALUE]=ge:3.5%2Blt:5", |row| {
            row[0] == "Q" && (3500..5000).contains(&thousandths(row))
        }),
        ("?c[OBS_VALUE]=gt:10", |_| false),
        ("?c[OBS_VALUE]=ge:0.000", |row| !row[4].is_empty()),
        ("?c[OBS_VALUE]=ne:2.513", |row| !matches!(thousandths(row), 2513 | -1)),
        ("?c[OBS_VALUE]=2.513000", |row| thousandths(row) == 2513),
        ("?c[OBS_VALUE]=ew:0", |row| !row[4].is_empty()),
    ];
    for (path, fits) in cases {
        assert_eq!(rows(&node, path), matching_rows(fits), "{path}");
    }
    for (from, to) in [(2019, 2021), (2020, 2020), (2022, 2019)] {
        let inside = matching_rows(|row| (from..=to).contains(&year(row)));
        assert_eq!(rows(&node, &format!("?startPeriod={from}&endPeriod={to}")), inside);
        assert_eq!(rows(&node, &format!("?c[TIME_PERIOD]=ge:{from}%2Ble:{to}")), inside);
    }
    assert_eq!(rows(&node, "?startPeriod=2020-04"), matching_rows(|row| *row[3] > *"2020-Q1"));
    assert_eq!(rows(&node, "?c[TIME_PERIOD]=2020-Q2"), matching_rows(|row| row[3] == "2020-Q2"));
    assert_eq!(rows(&node, "?c[TIME_PERIOD]=ne:2020-Q2"), matching_rows(|row| row[3] != "2020-Q2"));
    assert_eq!(rows(&node, "?c[TIME_PERIOD]=lt:2020"), matching_rows(|row| year(row) < 2020));
    assert_eq!(rows(&node, "?c[TIME_PERIOD]=gt:2020"), matching_rows(|row| year(row) > 2020));
}

#[test]
fn first_and_last_observations_of_each_series() {
    let node = TestNode::start();
    let rank = |row: &Row, back: bool| {
        let same = test_node::latest_rows().into_iter().filter(|other| other[..3] == row[..3]);
        same.filter(|other| if back { other[3] > row[3] } else { other[3] < row[3] }).count()
    };
    assert_eq!(rows(&node, "?firstNObservations=1"), matching_rows(|row| rank(row, false) < 1));
    assert_eq!(rows(&node, "?lastNObservations=2"), matching_rows(|row| rank(row, true) < 2));
    let both = matching_rows(|row| rank(row, false) < 1 || rank(row, true) < 1);
    assert_eq!(rows(&node, "?firstNObservations=1&lastNObservations=1"), both);
    assert_eq!(rows(&node, "?lastNObservations=18446744073709551615"), matching_rows(|_| true));
}

#[test]
fn importers_read_the_responses_back() {
    let node = TestNode::start();
    let (one, two) = ("/sdmx/v1/data/labour", "/sdmx/v2/data/dataflow/*/labour");
    let csv = "application/vnd.sdmx.data+csv;version=1.0.0";
    for (path, accept) in [(one, GENERIC), (one, SPECIFIC), (one, csv), (two, CSV), (two, JSON)] {
        let response = node.get(path, accept);
        assert_eq!((response.status, response.content_type.as_str()), (200, accept));
        let source = ingest::SourceFile { name: "response", bytes: response.body.as_bytes() };
        let read = ingest::import(source, &ingest::ImportOptions::default(), &mut |_| ()).unwrap();
        let cell = |id: &str, row| read.table.column(id)?.cell(row).map(|cell| cell.to_string());
        let ids = ["FREQ", "REF_AREA", "SEX", "TIME_PERIOD", "OBS_VALUE"];
        let found: BTreeSet<Row> = (0..read.table.rows())
            .map(|row| ids.map(|id| cell(id, row).unwrap_or_default()))
            .filter(|row| !row[4].is_empty())
            .collect();
        assert_eq!(found, matching_rows(|row| !row[4].is_empty()), "{accept}");
    }
}

#[test]
fn client_requirements_are_met() {
    let node = TestNode::start();
    let data = node.get("/sdmx/v1/data/labour/", "*/*");
    assert_eq!(data.content_type, GENERIC, "sdmx1 sends any");
    assert!(data.body.starts_with("<?xml"), "pysdmx");
    assert!(data.body.contains("<com:Structure>"), "pandasdmx");
    assert!(!data.body.contains("StructureUsage"), "pandasdmx");
    assert_eq!(data.vary, "Accept, Accept-Encoding");
    let none = node.get("/sdmx/v1/data/labour/A.AUT.F?startPeriod=2999", "*/*");
    assert_eq!(none.status, 200, "sdmx1 does not read 204");
    assert!(none.body.contains("<mes:DataSet"), "rsdmx wants a data set");
    assert!(!none.body.contains("<gen:Series>"));
    let keys = node.get("/sdmx/v1/data/labour?detail=serieskeysonly", "*/*");
    assert!(keys.body.contains("<gen:SeriesKey>") && !keys.body.contains("<gen:Obs>"), "sdmx1 series_keys");
    let agency = node.agency();
    let flows = node.get(&format!("/sdmx/v1/dataflow/{agency}/latest"), "application/xml");
    assert_eq!(flows.status, 200, "pandasdmx leaves the id out");
    assert!(flows.body.contains("str:Dataflow ") && !flows.body.contains("DataStructures"), "rsdmx");
    let all = node.get(&format!("/sdmx/v1/dataflow/{agency}/labour/latest?references=all"), "*/*");
    for part in
        ["<str:Dataflow id=\"labour\"", "<str:DataStructure id=\"labour\"", "CL_FREQ", "ConceptScheme"]
    {
        assert!(all.body.contains(part), "sdmx1, rsdmx: {part}");
    }
    let codes = node.get("/sdmx/v2/structure/codelist/SDMX/CL_FREQ/2.1/", "application/json");
    assert!(codes.body.contains("\"codes\":[") && !codes.body.contains("[]"), "pysdmx");
    let path = format!("/sdmx/v2/availability/dataflow/{agency}/labour/1.0?references=all");
    let available = node.get(&path, "application/vnd.sdmx.structure+json;version=2.0.0");
    let count = format!("\"id\":\"obs_count\",\"title\":\"{}\"", test_node::latest_rows().len());
    assert!(available.body.contains(&count), "pysdmx: {}", available.body);
    assert!(
        !available.body.contains("[]") && !available.body.contains("measureRelationship"),
        "pysdmx, sdmx1"
    );
    let encoded = node.get(&format!("/sdmx/v1/data/{agency}%2Clabour%2C1.0/A.AUT.F/"), "*/*");
    assert_eq!(encoded.body.matches("<gen:Series>").count(), 1, "pysdmx encodes commas");
}

#[test]
fn unsupported_and_invalid_requests_are_refused() {
    let node = TestNode::start();
    let two = "/sdmx/v2/data/dataflow/*/labour/1.0";
    let cases = [
        ("/sdmx/v1/categoryscheme", 501),
        ("/sdmx/v1", 501),
        ("/sdmx/v2/metadata/x", 501),
        (&format!("{two}?includeHistory=maybe"), 400),
        (&format!("{two}?dimensionAtObservation=SEX"), 501),
        (&format!("{two}?reportingYearStartDay=--07-01"), 501),
        (&format!("{two}?c[OBS_VALUE]=much"), 400),
        (&format!("{two}?sort=NOTHING"), 400),
        (&format!("{two}?sort=SEX:up"), 400),
        (&format!("{two}?limit=-1"), 400),
        (&format!("{two}?attributes=NOTHING"), 400),
        (&format!("{two}?measures=NOTHING"), 400),
        (&format!("{two}?asOf=2026-11-02&updatedAfter=2026-11-03"), 400),
        ("/sdmx/v1/data/labour?limit=1", 501),
        (&format!("{two}/A.AUT.F.2020"), 400),
        (&format!("{two}?nonsense=1"), 501),
        ("/sdmx/v1/data/nowhere", 404),
        ("/sdmx/v1/data/labour,x,9.9,1", 400),
        ("/sdmx/v1/data/ZZ,labour,9.9", 404),
        ("/sdmx/v1/data/labour/A.AUT", 400),
        ("/sdmx/v1/data/labour/%zz", 400),
        ("/sdmx/v1/data/labour/%ff%fe", 400),
        ("/sdmx/v1/data/labour/%00", 400),
        (&format!("{two}?startPeriod=soon"), 400),
        (&format!("{two}?c[NOTHING]=1"), 400),
        (&format!("{two}?firstNObservations=-1"), 400),
        (&format!("{two}?asOf=2026-99-99"), 400),
        (&format!("{two}?c[SEX]={}", "F,".repeat(600)), 413),
        (&format!("{two}?c[SEX]={}", "F".repeat(20_000)), 400),
    ];
    for (path, status) in cases {
        let response = node.get(path, "*/*");
        assert_eq!(response.status, status, "{path}: {}", response.body);
        let code = if path.starts_with("/sdmx/v1") { "<mes:ErrorMessage code=" } else { "\"errors\":[" };
        assert!(response.body.contains(code), "{path}: {}", response.body);
    }
    let other = [
        ("/sdmx/v1/data/labour", "application/json"),
        ("/sdmx/v1/dataflow", "application/vnd.sdmx.structure+xml;version=3.0.0"),
        ("/sdmx/v2/data/dataflow/*/labour", "application/vnd.sdmx.data+json;version=1.0.0"),
        ("/sdmx/v2/data/dataflow/*/labour", "application/vnd.sdmx.data+csv;version=2.0.0;labels=both"),
    ];
    for (path, accept) in other {
        assert_eq!(node.get(path, accept).status, 406, "{accept}");
    }
    let echoed = node.get("/sdmx/v1/data/%3Cscript%3E", "*/*");
    assert!(echoed.body.contains("&lt;script&gt;") && !echoed.body.contains("<script>"));
    let named = node.get("/sdmx/v1/agencyscheme", "*/*");
    assert!(named.body.contains("Office &lt;of&gt; &amp; &quot;tests&quot;"), "{}", named.body);
    let noted = node.get("/sdmx/v1/data/labour", "*/*");
    assert!(noted.body.contains("a &lt;b&gt; &amp; &quot;c&quot;"));
}

#[test]
fn no_request_breaks_the_node() {
    let node = TestNode::start();
    let most = usize::MAX;
    let texts =
        ["", "*", "+", ":", ",", "%2B%2B", "ge:", "%F0%9F%98%80", "-0", "1e999999999", "9999-12-31", "~"];
    let names = [
        "c[OBS_VALUE]",
        "c[TIME_PERIOD]",
        "c[NOTE]",
        "c[]",
        "c[",
        "startPeriod",
        "asOf",
        "updatedAfter",
        "sort",
        "offset",
        "limit",
        "firstNObservations",
        "detail",
        "attributes",
        "measures",
        "includeHistory",
        "references",
        "dimensionAtObservation",
        "",
        "%5B%5D",
    ];
    let mut queries: Vec<String> =
        names.iter().flat_map(|name| texts.iter().map(move |text| format!("{name}={text}"))).collect();
    queries.push(format!("offset={most}&limit={most}&includeHistory=true&lastNObservations={most}"));
    queries.push("sort=*%2Bseries_key%2BOBS_VALUE:desc%2BNOTE&limit=3&includeHistory=true".into());
    queries.push("asOf=9999-12-31T23:59:59-14:00&updatedAfter=0001-01-01T00:00:00%2B14:00".into());
    for query in queries {
        for (path, accept) in [("/sdmx/v1/data/labour", "*/*"), ("/sdmx/v2/data/dataflow/*/labour", JSON)] {
            let status = node.get(&format!("{path}?{query}"), accept).status;
            assert!([200, 400, 404, 413, 501].contains(&status), "{query}: {status}");
        }
    }
    for key in ["....", "+++", ",,,", "A.AUT.F,*", "A.*.*.*.*.*", "%2B", "A.AUT+.F"] {
        let status = node.get(&format!("/sdmx/v2/data/dataflow/*/labour/1.0/{key}"), CSV).status;
        assert!([200, 400].contains(&status), "{key}: {status}");
    }
}
