//! SDMX as clients ask for it. Each test of a rule names the client that needs it.

mod answers;
mod shapes;
mod vintages;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use world::{Row, World};

const GENERIC: &str = "application/vnd.sdmx.genericdata+xml;version=2.1";
const SPECIFIC: &str = "application/vnd.sdmx.structurespecificdata+xml;version=2.1";
const CSV: &str = "application/vnd.sdmx.data+csv;version=2.0.0";
const JSON: &str = "application/vnd.sdmx.data+json;version=2.0.0";

/// The observations of an answer in SDMX-CSV 2.0.
#[track_caller]
fn rows(world: &World, path: &str) -> BTreeSet<Row> {
    let actions = by_action(world, path);
    assert!(actions.keys().all(|action| action == "I"), "{path}");
    actions.into_values().flatten().collect()
}

/// The observations of an answer in SDMX-CSV 2.0, by what is to be done with them.
#[track_caller]
fn by_action(world: &World, path: &str) -> BTreeMap<String, BTreeSet<Row>> {
    let mut actions: BTreeMap<String, BTreeSet<Row>> = BTreeMap::new();
    for (action, row) in listed(world, path) {
        assert!(actions.entry(action).or_default().insert(row), "{path}: twice");
    }
    actions
}

/// The rows of an answer in SDMX-CSV 2.0 in their order, each with its action.
#[track_caller]
fn listed(world: &World, path: &str) -> Vec<(String, Row)> {
    let answer = world.get(&format!("/sdmx/v2/data/dataflow/*/labour/1.0{path}"), CSV);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    let mut lines = answer.body.lines();
    let head = "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,SEX,TIME_PERIOD,OBS_VALUE";
    assert!(lines.next().unwrap().starts_with(head), "pysdmx wants STRUCTURE first, sdmx1 ACTION");
    let cells = lines.map(|line| line.split(',').collect::<Vec<&str>>());
    let row = |cells: Vec<&str>| {
        assert_eq!(cells[0], "dataflow");
        (cells[2].to_owned(), [3, 4, 5, 6, 7].map(|at| cells[at].to_owned()))
    };
    cells.map(row).collect()
}

/// A figure in thousandths; -1 where it is null.
fn milli(row: &Row) -> i64 {
    row[4].replace('.', "").parse::<i64>().map_or(-1, |value| value / 10)
}

/// What a filter over all observations leaves.
fn left(fits: impl Fn(&Row) -> bool) -> BTreeSet<Row> {
    world::rows().into_iter().filter(|row| fits(row)).collect()
}

#[test]
fn filters_give_what_a_look_at_every_observation_gives() {
    let world = World::start();
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
        ("?c[FREQ]=Q&c[OBS_VALUE]=ge:3.5%2Blt:5", |row| row[0] == "Q" && (3500..5000).contains(&milli(row))),
        ("?c[OBS_VALUE]=gt:10", |_| false),
        ("?c[OBS_VALUE]=ge:0.000", |row| !row[4].is_empty()),
        ("?c[OBS_VALUE]=ne:2.513", |row| !matches!(milli(row), 2513 | -1)),
        ("?c[OBS_VALUE]=2.513000", |row| milli(row) == 2513),
        ("?c[OBS_VALUE]=ew:0", |row| !row[4].is_empty()),
    ];
    for (path, fits) in cases {
        assert_eq!(rows(&world, path), left(fits), "{path}");
    }
    for (from, to) in [(2019, 2021), (2020, 2020), (2022, 2019)] {
        let inside = left(|row| (from..=to).contains(&year(row)));
        assert_eq!(rows(&world, &format!("?startPeriod={from}&endPeriod={to}")), inside);
        assert_eq!(rows(&world, &format!("?c[TIME_PERIOD]=ge:{from}%2Ble:{to}")), inside);
    }
    assert_eq!(rows(&world, "?startPeriod=2020-04"), left(|row| *row[3] > *"2020-Q1"));
    assert_eq!(rows(&world, "?c[TIME_PERIOD]=2020-Q2"), left(|row| row[3] == "2020-Q2"));
    assert_eq!(rows(&world, "?c[TIME_PERIOD]=ne:2020-Q2"), left(|row| row[3] != "2020-Q2"));
    assert_eq!(rows(&world, "?c[TIME_PERIOD]=lt:2020"), left(|row| year(row) < 2020));
    assert_eq!(rows(&world, "?c[TIME_PERIOD]=gt:2020"), left(|row| year(row) > 2020));
}

#[test]
fn the_first_and_the_last_of_each_series() {
    let world = World::start();
    let place = |row: &Row, back: bool| {
        let same = world::rows().into_iter().filter(|other| other[..3] == row[..3]);
        same.filter(|other| if back { other[3] > row[3] } else { other[3] < row[3] }).count()
    };
    assert_eq!(rows(&world, "?firstNObservations=1"), left(|row| place(row, false) < 1));
    assert_eq!(rows(&world, "?lastNObservations=2"), left(|row| place(row, true) < 2));
    let both = left(|row| place(row, false) < 1 || place(row, true) < 1);
    assert_eq!(rows(&world, "?firstNObservations=1&lastNObservations=1"), both);
    assert_eq!(rows(&world, "?lastNObservations=18446744073709551615"), left(|_| true));
}

#[test]
fn our_own_importers_read_it_back() {
    let world = World::start();
    let (one, two) = ("/sdmx/v1/data/labour", "/sdmx/v2/data/dataflow/*/labour");
    let csv = "application/vnd.sdmx.data+csv;version=1.0.0";
    for (path, accept) in [(one, GENERIC), (one, SPECIFIC), (one, csv), (two, CSV), (two, JSON)] {
        let answer = world.get(path, accept);
        assert_eq!((answer.status, answer.kind.as_str()), (200, accept));
        let source = ingest::SourceFile { name: "answer", bytes: answer.body.as_bytes() };
        let read = ingest::import(source, &ingest::ImportOptions::default(), &mut |_| ()).unwrap();
        let cell = |id: &str, row| read.table.column(id)?.cell(row).map(|cell| cell.to_string());
        let ids = ["FREQ", "REF_AREA", "SEX", "TIME_PERIOD", "OBS_VALUE"];
        let found: BTreeSet<Row> = (0..read.table.rows())
            .map(|row| ids.map(|id| cell(id, row).unwrap_or_default()))
            .filter(|row| !row[4].is_empty())
            .collect();
        assert_eq!(found, left(|row| !row[4].is_empty()), "{accept}");
    }
}

#[test]
fn rules_that_clients_need() {
    let world = World::start();
    let data = world.get("/sdmx/v1/data/labour/", "*/*");
    assert_eq!(data.kind, GENERIC, "sdmx1 sends any");
    assert!(data.body.starts_with("<?xml"), "pysdmx");
    assert!(data.body.contains("<com:Structure>"), "pandasdmx");
    assert!(!data.body.contains("StructureUsage"), "pandasdmx");
    assert_eq!(data.vary, "Accept, Accept-Encoding");
    let none = world.get("/sdmx/v1/data/labour/A.AUT.F?startPeriod=2999", "*/*");
    assert_eq!(none.status, 200, "sdmx1 does not read 204");
    assert!(none.body.contains("<mes:DataSet"), "rsdmx wants a data set");
    assert!(!none.body.contains("<gen:Series>"));
    let keys = world.get("/sdmx/v1/data/labour?detail=serieskeysonly", "*/*");
    assert!(keys.body.contains("<gen:SeriesKey>") && !keys.body.contains("<gen:Obs>"), "sdmx1 series_keys");
    let agency = world.agency();
    let flows = world.get(&format!("/sdmx/v1/dataflow/{agency}/latest"), "application/xml");
    assert_eq!(flows.status, 200, "pandasdmx leaves the id out");
    assert!(flows.body.contains("str:Dataflow ") && !flows.body.contains("DataStructures"), "rsdmx");
    let all = world.get(&format!("/sdmx/v1/dataflow/{agency}/labour/latest?references=all"), "*/*");
    for part in
        ["<str:Dataflow id=\"labour\"", "<str:DataStructure id=\"labour\"", "CL_FREQ", "ConceptScheme"]
    {
        assert!(all.body.contains(part), "sdmx1, rsdmx: {part}");
    }
    let codes = world.get("/sdmx/v2/structure/codelist/SDMX/CL_FREQ/2.1/", "application/json");
    assert!(codes.body.contains("\"codes\":[") && !codes.body.contains("[]"), "pysdmx");
    let path = format!("/sdmx/v2/availability/dataflow/{agency}/labour/1.0?references=all");
    let available = world.get(&path, "application/vnd.sdmx.structure+json;version=2.0.0");
    let count = format!("\"id\":\"obs_count\",\"title\":\"{}\"", world::rows().len());
    assert!(available.body.contains(&count), "pysdmx: {}", available.body);
    assert!(
        !available.body.contains("[]") && !available.body.contains("measureRelationship"),
        "pysdmx, sdmx1"
    );
    let encoded = world.get(&format!("/sdmx/v1/data/{agency}%2Clabour%2C1.0/A.AUT.F/"), "*/*");
    assert_eq!(encoded.body.matches("<gen:Series>").count(), 1, "pysdmx encodes commas");
}

#[test]
fn what_is_not_built_or_wrong_is_told() {
    let world = World::start();
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
        let answer = world.get(path, "*/*");
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        let code = if path.starts_with("/sdmx/v1") { "<mes:ErrorMessage code=" } else { "\"errors\":[" };
        assert!(answer.body.contains(code), "{path}: {}", answer.body);
    }
    let other = [
        ("/sdmx/v1/data/labour", "application/json"),
        ("/sdmx/v1/dataflow", "application/vnd.sdmx.structure+xml;version=3.0.0"),
        ("/sdmx/v2/data/dataflow/*/labour", "application/vnd.sdmx.data+json;version=1.0.0"),
        ("/sdmx/v2/data/dataflow/*/labour", "application/vnd.sdmx.data+csv;version=2.0.0;labels=both"),
    ];
    for (path, accept) in other {
        assert_eq!(world.get(path, accept).status, 406, "{accept}");
    }
    let echoed = world.get("/sdmx/v1/data/%3Cscript%3E", "*/*");
    assert!(echoed.body.contains("&lt;script&gt;") && !echoed.body.contains("<script>"));
    let named = world.get("/sdmx/v1/agencyscheme", "*/*");
    assert!(named.body.contains("Office &lt;of&gt; &amp; &quot;tests&quot;"), "{}", named.body);
    let noted = world.get("/sdmx/v1/data/labour", "*/*");
    assert!(noted.body.contains("a &lt;b&gt; &amp; &quot;c&quot;"));
}

#[test]
fn nothing_that_is_asked_breaks_the_node() {
    let world = World::start();
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
            let status = world.get(&format!("{path}?{query}"), accept).status;
            assert!([200, 400, 404, 413, 501].contains(&status), "{query}: {status}");
        }
    }
    for key in ["....", "+++", ",,,", "A.AUT.F,*", "A.*.*.*.*.*", "%2B", "A.AUT+.F"] {
        let status = world.get(&format!("/sdmx/v2/data/dataflow/*/labour/1.0/{key}"), CSV).status;
        assert!([200, 400].contains(&status), "{key}: {status}");
    }
}
