//! Files of the Bureau of Labor Statistics: flat files, JSON responses, the data viewer.

use super::{csv, plain};
use ingest::{CompanionFile, Format, ImportError, ImportOptions, SourceFile, import};

const FLAT: &str = "series_id\tyear\tperiod\tvalue\tfootnote_codes\r\n\
                    CUUR0000SA0      \t2017\tM12\t     246.524\t        \r\n\
                    CUUR0000SA0      \t2017\tM13\t     245.120\t        \r\n\
                    CUUR0000SA0      \t2017\tS01\t     244.076\t       R\r\n\
                    CUUR0000SA0      \t2018\tM01\t           -\t       X\r\n\
                    CUUR0000SA0      \t2018\tM02\t           -\t        \r\n";

#[test]
fn a_flat_file_keeps_its_frequencies_apart() {
    let imported = plain("cu.data.1.AllItems", FLAT.as_bytes()).unwrap();
    assert_eq!(
        csv(&imported),
        "FREQ,SERIES,TIME_PERIOD,OBS_VALUE,OBS_STATUS\n\
         A,CUUR0000SA0,2017,245.120,\n\
         M,CUUR0000SA0,2017-M12,246.524,\n\
         M,CUUR0000SA0,2018-M01,,X\n\
         S,CUUR0000SA0,2017-S1,244.076,R\n"
    );
    assert_eq!((imported.format, imported.dataflow.as_str()), (Format::Bls, "cu.data.1.AllItems"));
    let summary = imported.summary;
    assert_eq!((summary.rows, summary.missing, summary.missing_spellings["-"]), (5, 2, 2));
    assert_eq!(summary.frequency, None);
}

fn with(companions: &[(&str, &str)]) -> Result<Vec<(String, String)>, ImportError> {
    let companion =
        |(name, text): &(&str, &str)| CompanionFile { name: (*name).into(), bytes: (*text).into() };
    let options =
        ImportOptions { companions: companions.iter().map(companion).collect(), ..ImportOptions::default() };
    let source = SourceFile { name: "cu.data.1.AllItems", bytes: FLAT.as_bytes() };
    let imported = import(source, &options, &mut |_| {})?;
    Ok(imported.codes.into_values().flatten().collect())
}

#[test]
fn companion_lists_name_the_series() {
    let area = ("cu.area", "area_code\tarea_name\r\n0000\tU.S. city average\r\n");
    let item = ("cu.item", "item_code\titem_name\r\nSA0\tAll items\r\n");
    let series = "series_id\tarea_code\titem_code\tseasonal\r\nCUUR0000SA0 \t0000\tSA0\tU\r\n";
    let named = |title: &str| Ok(vec![("CUUR0000SA0".to_owned(), title.to_owned())]);
    let lists = [area, item, ("cu.series", series)];
    assert_eq!(with(&lists), named("All items in U.S. city average, not seasonally adjusted"));
    let titled = "series_id\tseries_title\r\nCUUR0000SA0 \tAll items, U.S.\r\n";
    assert_eq!(with(&[("cu.series", titled)]), named("All items, U.S."));
    assert_eq!(with(&[area]), Ok(Vec::new()));
    let periods = "period\tperiod_abbr\tperiod_name\r\nM01\tJAN\tJanuary\r\nM13\tAN AV\tAnnual Average\r\n";
    let error = with(&[("cu.period", periods)]).unwrap_err();
    let (line, value) = (error.line, error.value.as_deref());
    assert_eq!(
        (error.code, error.column.as_deref(), value),
        ("period", Some("period"), Some("M12")),
        "{line:?}"
    );
    let all = FLAT.lines().skip(1).map(|row| format!("{}\tx\ty\r\n", row.split('\t').nth(2).unwrap().trim()));
    let all = format!("period\tperiod_abbr\tperiod_name\r\n{}", all.collect::<String>());
    assert_eq!(with(&[("cu.period", &all)]), Ok(Vec::new()));
    let error = with(&[("cu.series", "a\tb\n")]).unwrap_err();
    assert_eq!((error.code, error.file.as_str(), error.line), ("column-missing", "cu.series", Some(1)));
    let error = with(&[("cu.series", "<<<<<<< HEAD\nseries_id\n")]).unwrap_err();
    assert_eq!((error.code, error.line), ("merge-marker", Some(1)));
}

#[test]
fn invalid_rows_are_refused() {
    for (from, to, code, line) in [
        ("\tM12\t", "\tM14\t", "period", 2),
        ("\t2017\tM12", "\t17\tM12", "period", 2),
        ("246.524", "246.524p", "number", 2),
        ("\tM12\t", "\tM12", "row-ragged", 2),
        ("S01", "M13", "duplicate", 4),
        ("CUUR0000SA0      \t2017\tM12", " \t2017\tM12", "identifier", 2),
    ] {
        let error = plain("cu.data.0", FLAT.replacen(from, to, 1).as_bytes()).unwrap_err();
        assert_eq!((error.code, error.line), (code, Some(line)), "{error}");
    }
}

const RESULTS: &str = r#"{"series":[{"seriesID":"LNS1","data":[
{"year":"2016","period":"M05","periodName":"May","value":"4.70","footnotes":[{"code":"P","text":"preliminary"}]},
{"year":"2016","period":"M04","periodName":"April","value":"-","footnotes":[{}]},
{"year":"2015","period":"M13","periodName":"Annual","value":"5.3","footnotes":[{}]}]}]}"#;

#[test]
fn the_envelope_and_the_bare_results() {
    let table = "FREQ,SERIES,TIME_PERIOD,OBS_VALUE,OBS_STATUS\nA,LNS1,2015,5.3,\nM,LNS1,2016-M05,4.70,P\n";
    let bare = plain("a.json", RESULTS.as_bytes()).unwrap();
    assert_eq!((csv(&bare).as_str(), bare.dataflow.as_str()), (table, "LNS1"));
    let envelope = |results: &str| {
        format!(
            r#"{{"status":"REQUEST_SUCCEEDED","responseTime":1,"message":["No Data for X"],"Results":{results}}}"#
        )
    };
    for results in [RESULTS.to_owned(), format!("[{RESULTS}]")] {
        let whole = plain("a.json", envelope(&results).as_bytes()).unwrap();
        assert_eq!(
            (whole.table, whole.summary.notes),
            (bare.table.clone(), vec!["No Data for X".to_owned()])
        );
    }
    let refused = envelope("{}").replace("REQUEST_SUCCEEDED", "REQUEST_NOT_PROCESSED");
    let error = plain("a.json", refused.as_bytes()).unwrap_err();
    assert_eq!((error.code, error.value.as_deref()), ("source-error", Some("No Data for X")));
    assert_eq!(plain("a.json", envelope("{}").as_bytes()).unwrap_err().code, "no-data");
    let error = plain("a.json", RESULTS.replace("5.3", "5,3").as_bytes()).unwrap_err();
    assert_eq!((error.code, error.line), ("number", Some(4)));
    let error = plain("a.json", &RESULTS.as_bytes()[..200]).unwrap_err();
    assert_eq!((error.code, error.line), ("json", Some(3)));
}

#[test]
fn a_series_of_the_data_viewer() {
    let text = "Series ID,Year,Period,Label,Value\nX,1967,M01,1967 Jan,34.8\nX,1967,M02,1967 Feb,\n";
    let imported = plain("file.csv", text.as_bytes()).unwrap();
    assert_eq!(csv(&imported), "FREQ,SERIES,TIME_PERIOD,OBS_VALUE\nM,X,1967-M01,34.8\n");
    assert_eq!((imported.dataflow.as_str(), imported.summary.missing), ("X", 1));
    let two = plain("file.csv", text.replace("X,1967,M02", "Y,1967,M02").replace("Feb,", "Feb,1").as_bytes());
    assert_eq!(two.unwrap().dataflow.as_str(), "file");
}
