//! The forms of World Bank files in circulation.

use super::{ROWS, csv, plain, wide, zip};
use ingest::{Format, ImportOptions, SourceFile, import};

const TABLE: &str = "REF_AREA,TIME_PERIOD,OBS_VALUE\nWLD,1960,1\nWLD,1961,0.002\nYEM,1961,9.80\n";

#[test]
fn the_bulk_file_as_served() {
    let imported = plain("API_FP.CPI.TOTL_DS2.csv", wide(ROWS).as_bytes()).unwrap();
    assert_eq!(csv(&imported), TABLE);
    assert_eq!((imported.format, imported.importer.as_str()), (Format::WorldBank, "worldbank/1"));
    assert_eq!((imported.dataflow.as_str(), imported.title.as_str()), ("FP.CPI.TOTL", "Price index"));
    assert_eq!(imported.publisher.as_deref(), Some("World Development Indicators"));
    assert_eq!(imported.vintage.unwrap().to_string(), "2019-10-16");
    let areas: Vec<_> =
        imported.areas.iter().map(|a| (a.code.as_str(), a.name.as_str(), a.aggregate)).collect();
    assert_eq!(areas, [("WLD", "World", true), ("YEM", "Yemen, Rep.", false)]);
    let summary = imported.summary;
    assert_eq!((summary.rows, summary.observations, summary.missing), (2, 3, 1));
    assert_eq!((summary.series, summary.aggregates), (2, 1));
    assert_eq!(
        format!("{:?} {:?} {:?}", summary.first, summary.last, summary.frequency),
        "Some(1960) Some(1961) Some(A)"
    );
}

#[test]
fn line_ends_and_order_change_nothing() {
    let served = plain("a.csv", wide(ROWS).as_bytes()).unwrap();
    let unix = plain("a.csv", wide(ROWS).replace("\r\n", "\n").as_bytes()).unwrap();
    assert_eq!(served, unix);
    let mut rows: Vec<&str> = ROWS.split_inclusive("\r\n").collect();
    rows.reverse();
    let mut reversed = plain("a.csv", wide(&rows.concat()).as_bytes()).unwrap();
    assert_eq!((&served.summary.lines, &reversed.summary.lines), (&vec![7, 7, 6], &vec![6, 6, 7]));
    reversed.summary.lines.clone_from(&served.summary.lines);
    assert_eq!(served, reversed);
}

#[test]
fn the_header_on_line_one_and_the_long_form() {
    let wide = "Country Name,Country Code,1960,1961\n\"Yemen, Rep.\",YEM,,9.80\nWorld,WLD,1,2E-3\n";
    let imported = plain("v_FP.CPI.TOTL_wide.csv", wide.as_bytes()).unwrap();
    assert_eq!((csv(&imported).as_str(), imported.dataflow.as_str()), (TABLE, "FP.CPI.TOTL"));
    for year in ["1961", "1961-01-01"] {
        let long = format!(
            "Country Name,Country Code,Year,Value\r\nWorld,WLD,1960,1\r\nWorld,WLD,{year},2E-3\r\n\"Yemen, Rep.\",YEM,{year},9.80\r\n"
        );
        let imported = plain("wdi_fp.cpi.totl.csv", long.as_bytes()).unwrap();
        assert_eq!((csv(&imported).as_str(), imported.dataflow.as_str()), (TABLE, "FP.CPI.TOTL"));
    }
    let named = plain("data.csv", b"Country Name,Country Code,Year,CPI\nWorld,WLD,1960,1\n").unwrap();
    assert_eq!(named.dataflow.as_str(), "CPI");
}

#[test]
fn the_archive_as_served() {
    let metadata = "\u{feff}\"Country Code\",\"Region\",\"SpecialNotes\",\r\n\"YEM\",\"\",\"a\n\nb\",\r\n\"WLD\",\"x\",\"\",\r\n";
    let data = wide(ROWS);
    let archive = zip(&[
        ("Metadata_Indicator_API_X.csv", b"x"),
        ("sub/API_X.csv", b"not this one"),
        ("API_X.csv", data.as_bytes()),
        ("Metadata_Country_API_X.csv", metadata.as_bytes()),
    ]);
    let mut done = Vec::new();
    let source = SourceFile { name: "x.zip", bytes: &archive };
    let imported = import(source, &ImportOptions::default(), &mut |bytes| done.push(bytes)).unwrap();
    assert_eq!(csv(&imported), TABLE);
    // The metadata overrules the list, here to show that it is read.
    assert_eq!(imported.areas.iter().map(|area| area.aggregate).collect::<Vec<_>>(), [false, true]);
    assert_eq!(done.last(), Some(&(archive.len() as u64)));
    assert!(done.is_sorted());
    let beside = ImportOptions {
        companions: vec![ingest::CompanionFile { name: "x".into(), bytes: metadata.into() }],
        ..ImportOptions::default()
    };
    let bare = import(SourceFile { name: "x.csv", bytes: data.as_bytes() }, &beside, &mut |_| {}).unwrap();
    assert_eq!(bare.areas, imported.areas);
}
