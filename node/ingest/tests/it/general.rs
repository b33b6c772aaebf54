//! A CSV of any kind under a mapping, and export as the way back.

use super::{csv, plain};
use ingest::{Fault, Format, Imported, Link, Mapping, Options, Source, import};

fn mapped(text: &str, mapping: &str) -> Result<Imported, Fault> {
    let options = Options { mapping: Some(Mapping::parse("m.toml", mapping)?), ..Options::default() };
    import(Source { name: "data.csv", bytes: text.as_bytes() }, &options, &mut |_| {})
}

const OFFICE: &str = r#"
delimiter = ";"
skip = 2
decimal_comma = true
frequency = "M"
dataflow = "UNRATE"
title = "Unemployment"

[[columns]]
from = "Rate"
to = "OBS_VALUE"

[[columns]]
from = "Stichtag"
to = "TIME_PERIOD"
dates = "day-month-year"

[[columns]]
constant = "DEU"
to = "REF_AREA"

[[columns]]
from = "Note"
to = "OBS_STATUS"
role = "attribute"

[[columns]]
from = "Zahl"
to = "PERSONS"
role = "measure"
type = "integer"
"#;

#[test]
fn an_office_with_its_own_ways() {
    let text = "Amt\n\"unclosed\nStichtag;Rate;Zahl;Note;x\n01.02.2010;8,60;12;p;\n01.01.2010;..;11;;\n01.03.2010;:;NA;;\n";
    let imported = mapped(text, OFFICE).unwrap();
    assert_eq!(
        csv(&imported),
        "TIME_PERIOD,REF_AREA,OBS_VALUE,PERSONS,OBS_STATUS\n2010-M01,DEU,,11,\n2010-M02,DEU,8.60,12,p\n"
    );
    assert_eq!((imported.dataflow.as_str(), imported.title.as_str()), ("UNRATE", "Unemployment"));
    assert_eq!((imported.summary.rows, imported.summary.observations, imported.summary.missing), (3, 2, 3));
    assert_eq!(imported.areas[0].name, "Germany");
    assert_eq!((imported.format, imported.importer.as_str()), (Format::Csv, "csv/2"));
}

/// A file large enough to be read in parts; every so often a row that is left out.
fn large(line: impl Fn(usize) -> String) -> String {
    let rows = (0..120_000).map(|at| {
        format!("A{:03},{:04}-M{:02},{}\n", at % 997, 1000 + at / 997 / 12, at / 997 % 12 + 1, line(at))
    });
    format!("REF_AREA,TIME_PERIOD,OBS_VALUE\n{}", rows.collect::<String>())
}

#[test]
fn a_large_file_gives_the_same_with_any_number_of_threads() {
    let value = |at: usize| if at % 1000 == 7 { String::new() } else { format!("{at}.50") };
    let good = large(value);
    let odd = large(|at| {
        if at == 90_001 {
            "1,2".to_owned()
        } else if at == 110_000 {
            "x".to_owned()
        } else {
            value(at)
        }
    });
    let twice = format!("{good}\nA000,1000-M01,1\n");
    let quoted = large(|at| if at == 100_000 { "\"1\"".to_owned() } else { value(at) });
    for (text, lines) in [(good, None), (quoted, None), (odd, Some(90_003)), (twice, Some(120_003))] {
        let read = |threads| {
            let options = Options { threads: std::num::NonZeroUsize::new(threads), ..Options::default() };
            import(Source { name: "data.csv", bytes: text.as_bytes() }, &options, &mut |_| {})
        };
        let one = read(1);
        assert_eq!(one.as_ref().err().map(|fault| fault.line), lines.map(Some));
        for threads in [2, 3, 7] {
            assert!(read(threads) == one, "{threads} threads");
        }
    }
}

#[test]
fn sdmx_ids_need_no_mapping_and_export_leads_back() {
    let text = "REF_AREA,SEX,TIME_PERIOD,OBS_VALUE,LOW,OBS_STATUS\r\nEA19,\"a \"\"b\"\", c\",2010-Q1,1.50,,\r\nNAM,F,2010-Q1,2,1,NA\r\n";
    let first = plain("a.csv", text.as_bytes()).unwrap();
    let exported = csv(&first);
    assert_eq!(exported, text.replace("\r\n", "\n").replace(",NA\n", ",\n"));
    assert_eq!(plain("a.csv", exported.as_bytes()).unwrap(), first);
    assert_eq!(first.summary.series, 2);
}

#[test]
fn flags_make_a_mapping() {
    let columns: Result<Vec<Link>, Fault> =
        ["REF_AREA=Land", "TIME_PERIOD=Jahr", "OBS_VALUE=Wert"].into_iter().map(str::parse).collect();
    let mapping = Mapping { columns: columns.unwrap(), ..Mapping::default() };
    let options = Options { mapping: Some(mapping), ..Options::default() };
    let source = Source { name: "x y.csv", bytes: b"Land,Jahr,Wert\nNA,2010,1\n" };
    let imported = import(source, &options, &mut |_| {}).unwrap();
    assert_eq!(csv(&imported), "REF_AREA,TIME_PERIOD,OBS_VALUE\nNA,2010,1\n");
    assert_eq!(imported.dataflow.as_str(), "x_y");
}

#[test]
fn what_does_not_fit_the_mapping_is_refused() {
    let link = |to: &str| format!("[[columns]]\nfrom = \"{to}\"\nto = \"{to}\"\n");
    let base = format!("{}{}{}", link("REF_AREA"), link("TIME_PERIOD"), link("OBS_VALUE"));
    for (text, mapping, code, line) in [
        ("REF_AREA,TIME_PERIOD\nUSA,2010\n", base.as_str(), "column-missing", Some(1)),
        ("REF_AREA,TIME_PERIOD,OBS_VALUE,OBS_VALUE\n", &base, "column-twice", Some(1)),
        ("REF_AREA,TIME_PERIOD,OBS_VALUE\n,2010,1\n", &base, "identifier", Some(2)),
        ("REF_AREA,TIME_PERIOD,OBS_VALUE\nUSA,2010-13,1\n", &base, "period", Some(2)),
        ("REF_AREA,TIME_PERIOD,OBS_VALUE\nUSA,2010,1\nUSA,2010,1\n", &base, "duplicate", Some(3)),
        ("REF_AREA,TIME_PERIOD,OBS_VALUE\nUSA,2010,1,2\n", &base, "row-ragged", Some(2)),
        ("REF_AREA,TIME_PERIOD,OBS_VALUE\nUSA,2010,a\n", &base, "number", Some(2)),
        ("REF_AREA,TIME_PERIOD,OBS_VALUE\nUSA,2010,.\n", &base, "no-data", None),
        ("a\n1\n", "[[columns]]\nto = \"A\"\n", "mapping", Some(1)),
        ("a\n1\n", "[[columns]]\nto = \"A\"\nfrom = \"a\"\ntype = \"number\"\n", "mapping", None),
        ("a\n1\n", "delimiter = '\"'\n", "mapping", None),
        ("a\n1\n", "skip = 5\n", "header-missing", None),
    ] {
        let fault = mapped(text, mapping).unwrap_err();
        assert_eq!((fault.code, fault.line), (code, line), "{fault}");
    }
}
