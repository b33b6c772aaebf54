//! General CSV under a mapping, and the round trip through an export.

use super::{csv, plain};
use ingest::{
    ColumnMapping, Format, ImportError, ImportOptions, ImportedTable, Mapping, SourceFile, import,
    import_document,
};

fn mapped(text: &str, mapping: &str) -> Result<ImportedTable, ImportError> {
    let options =
        ImportOptions { mapping: Some(Mapping::parse("m.toml", mapping)?), ..ImportOptions::default() };
    import(SourceFile { name: "data.csv", bytes: text.as_bytes() }, &options, &mut |_| {})
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
fn a_csv_with_semicolons_and_decimal_commas() {
    let text = "Amt\n\"unclosed\nStichtag;Rate;Zahl;Note;x\n01.02.2010;8,60;12;p;\n01.01.2010;..;11;;\n01.03.2010;:;NA;;\n";
    let imported = mapped(text, OFFICE).unwrap();
    assert_eq!(
        csv(&imported),
        "TIME_PERIOD,REF_AREA,OBS_VALUE,PERSONS,OBS_STATUS\n2010-M01,DEU,,11,\n2010-M02,DEU,8.60,12,p\n"
    );
    assert_eq!((imported.dataflow.as_str(), imported.title.as_str()), ("UNRATE", "Unemployment"));
    assert_eq!((imported.summary.rows, imported.summary.observations, imported.summary.missing), (3, 2, 3));
    assert_eq!(imported.areas[0].name, "Germany");
    assert_eq!((imported.format, imported.importer.as_str()), (Format::Csv, "csv/3"));
}

/// A file large enough to be read in chunks, with some rows that are dropped.
fn large(line: impl Fn(usize) -> String) -> String {
    let rows = (0..120_000).map(|at| {
        format!("A{:03},{:04}-M{:02},{}\n", at % 997, 1000 + at / 997 / 12, at / 997 % 12 + 1, line(at))
    });
    format!("REF_AREA,TIME_PERIOD,OBS_VALUE\n{}", rows.collect::<String>())
}

#[test]
fn the_result_does_not_depend_on_threads() {
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
    let returned = good.replace('\n', "\r\n");
    let cases = [(good, None), (returned, None), (quoted, None), (odd, Some(90_003)), (twice, Some(120_003))];
    for (text, lines) in cases {
        let read = |threads| {
            let options =
                ImportOptions { threads: std::num::NonZeroUsize::new(threads), ..ImportOptions::default() };
            import(SourceFile { name: "data.csv", bytes: text.as_bytes() }, &options, &mut |_| {})
        };
        let one = read(1);
        assert_eq!(one.as_ref().err().map(|error| error.line), lines.map(Some));
        for threads in [2, 3, 7] {
            assert!(read(threads) == one, "{threads} threads");
        }
        let pieces = import_document("data.csv", &text.as_bytes(), &ImportOptions::default(), &mut |_| {});
        assert!(pieces == one, "in pieces");
    }
}

#[test]
fn a_read_error_is_reported() {
    struct Broken(u64);
    impl ingest::ReadAt for Broken {
        fn size(&self) -> u64 {
            3 << 20
        }
        fn read_at(&self, at: u64, into: &mut [u8]) -> std::io::Result<()> {
            if at + into.len() as u64 > self.0 {
                return Err(std::io::Error::other("the disk is gone"));
            }
            let text = b"REF_AREA,TIME_PERIOD,OBS_VALUE\n".iter().chain(b"USA,2010,1\n".iter().cycle());
            into.iter_mut().zip(text.skip(at as usize)).for_each(|(slot, byte)| *slot = *byte);
            Ok(())
        }
    }
    for until in [0, 1 << 17, 2 << 20] {
        let read = import_document("data.csv", &Broken(until), &ImportOptions::default(), &mut |_| {});
        let error = read.unwrap_err();
        assert_eq!((error.code, error.file.as_str()), ("file-read", "data.csv"), "{until}");
        assert!(error.message.contains("the disk is gone"));
    }
}

#[test]
fn sdmx_ids_need_no_mapping_and_exports_round_trip() {
    let text = "REF_AREA,SEX,TIME_PERIOD,OBS_VALUE,LOW,OBS_STATUS\r\nEA19,\"a \"\"b\"\", c\",2010-Q1,1.50,,\r\nNAM,F,2010-Q1,2,1,NA\r\n";
    let first = plain("a.csv", text.as_bytes()).unwrap();
    let exported = csv(&first);
    assert_eq!(exported, text.replace("\r\n", "\n").replace(",NA\n", ",\n"));
    assert_eq!(plain("a.csv", exported.as_bytes()).unwrap(), first);
    assert_eq!(first.summary.series, 2);
}

#[test]
fn flags_make_a_mapping() {
    let columns: Result<Vec<ColumnMapping>, ImportError> =
        ["REF_AREA=Land", "TIME_PERIOD=Jahr", "OBS_VALUE=Wert"].into_iter().map(str::parse).collect();
    let mapping = Mapping { columns: columns.unwrap(), ..Mapping::default() };
    let options = ImportOptions { mapping: Some(mapping), ..ImportOptions::default() };
    let source = SourceFile { name: "x y.csv", bytes: b"Land,Jahr,Wert\nNA,2010,1\n" };
    let imported = import(source, &options, &mut |_| {}).unwrap();
    assert_eq!(csv(&imported), "REF_AREA,TIME_PERIOD,OBS_VALUE\nNA,2010,1\n");
    assert_eq!(imported.dataflow.as_str(), "x_y");
}

/// Area codes of the IMF and of Eurostat become ISO codes; groups in no list are kept.
#[test]
fn area_codes_are_translated() {
    let mapping = |scheme: &str| {
        format!(
            "[[columns]]\nfrom = \"A\"\nto = \"REF_AREA\"\nareas = \"{scheme}\"\n[[columns]]\nfrom = \"V\"\nto = \"OBS_VALUE\"\n"
        )
    };
    for (scheme, code, ours) in [
        ("imf", "U2", "EMU"),
        ("imf", "DE", "DEU"),
        ("iso", "276", "DEU"),
        ("eurostat", "EL", "GRC"),
        ("worldbank", "1W", "WLD"),
        ("oecd", "DEU", "DEU"),
    ] {
        let imported = mapped(&format!("A,V\n{code},1\nX99,2\n"), &mapping(scheme)).unwrap();
        let mut rows = [format!("{ours},1\n"), "X99,2\n".to_owned()];
        rows.sort();
        assert_eq!(csv(&imported), format!("REF_AREA,OBS_VALUE\n{}", rows.concat()), "{scheme}");
        assert_eq!(imported.areas.iter().filter(|area| area.name != area.code).count(), 1, "{scheme}");
        let [note] = imported.summary.notes.as_slice() else { panic!("{:?}", imported.summary) };
        assert!(note.starts_with("area codes that are not") && note.contains("`X99`"), "{note}");
    }
    assert_eq!(mapped("A,V\nDE,1\n", &mapping("dhl")).unwrap_err().code, "mapping");
    let number = mapping("iso").replace("from = \"V\"", "areas = \"iso\"\nfrom = \"V\"");
    assert_eq!(mapped("A,V\nDE,1\n", &number).unwrap_err().code, "mapping");
}

/// Intraday times are refused with their own error, also inside an archive.
#[test]
fn times_of_day_are_refused() {
    let rows = "20070330 00:00,1.33\n20070330 01:00,1.34\n";
    for (name, bytes) in
        [("x.csv", rows.as_bytes().to_vec()), ("x.zip", super::zip(&[("x.csv", rows.as_bytes())]))]
    {
        let error = plain(name, &bytes).unwrap_err();
        assert_eq!((error.code, error.line), ("time-of-day", Some(1)), "{error}");
    }
    let error = plain("x.csv", b"REF_AREA,TIME_PERIOD,OBS_VALUE\nA,2007-03-30T01:00,1\n").unwrap_err();
    assert_eq!((error.code, error.line), ("time-of-day", Some(2)), "{error}");
    for period in ["2007-03-30 x", "about 01:00", "2007 01:00"] {
        let text = format!("REF_AREA,TIME_PERIOD,OBS_VALUE\nA,{period},1\n");
        assert_eq!(plain("x.csv", text.as_bytes()).unwrap_err().code, "period", "{period}");
    }
}

/// `zero_is_missing` concerns one column; zeros of other columns are figures.
#[test]
fn zeros_may_be_missing() {
    let link = |to: &str, more: &str| format!("[[columns]]\nfrom = \"{to}\"\nto = \"{to}\"\n{more}");
    let number = "type = \"number\"\n";
    let zero = format!("{number}zero_is_missing = true\n");
    let mapping = [link("TIME_PERIOD", ""), link("PE", &zero), link("CHANGE", number)].concat();
    let text = "TIME_PERIOD,PE,CHANGE\n2010,0.0,0\n2011,12.5,0.0\n2012,-0,\n2013,0E+00,.\n2014,0.01,0\n";
    let imported = mapped(text, &mapping).unwrap();
    assert_eq!(csv(&imported), "TIME_PERIOD,PE,CHANGE\n2010,,0\n2011,12.5,0.0\n2014,0.01,0\n");
    assert_eq!((imported.summary.rows, imported.summary.missing), (5, 5));
    let gaps = [("", 1), (".", 1), ("0", 3)].map(|(spelling, count)| (spelling.to_owned(), count));
    assert_eq!(imported.summary.missing_spellings, gaps.into());
    let error = mapped(text, &link("TIME_PERIOD", "zero_is_missing = true\n")).unwrap_err();
    assert_eq!(error.code, "mapping", "{error}");
}

#[test]
fn values_that_violate_the_mapping_are_refused() {
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
        let error = mapped(text, mapping).unwrap_err();
        assert_eq!((error.code, error.line), (code, line), "{error}");
    }
}

/// A duration is stored in its canonical spelling, which may be a spelling of a missing value elsewhere.
#[test]
fn a_canonical_spelling_does_not_hide_a_missing_value() {
    let mapping = "missing = ['A']\n[[columns]]\nfrom = 'area'\nto = 'REF_AREA'\n\
        [[columns]]\nfrom = 'span'\nto = 'SPAN'\ntype = 'duration'\nrole = 'attribute'\n\
        [[columns]]\nfrom = 'value'\nto = 'OBS_VALUE'\n";
    let rows = ["FRA,P1Y,1\n", "DEU,A,2\n"];
    let read = |rows: String| {
        let options = ImportOptions {
            mapping: Some(Mapping::parse("m.toml", mapping).unwrap()),
            ..ImportOptions::default()
        };
        let text = format!("area,span,value\n{rows}");
        import(SourceFile { name: "a.csv", bytes: text.as_bytes() }, &options, &mut |_| ()).unwrap().table
    };
    let reversed: String = rows.iter().rev().copied().collect();
    assert_eq!(read(rows.concat()), read(reversed), "the order of rows decides nothing");
}
