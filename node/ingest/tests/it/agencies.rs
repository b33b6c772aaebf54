//! Files of Eurostat, ONS, the Federal Reserve Board, OECD and the table aat1: hand-written fixtures
//! with the quirks of each.

use super::{csv, plain};
use ingest::{Format, ImportedTable};

fn read(name: &str, text: &str, format: Format, table: &str) -> ImportedTable {
    let imported = plain(name, text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((imported.format, csv(&imported).as_str()), (format, table));
    imported
}

fn refused(name: &str, text: &str, code: &str, line: Option<u64>) {
    let error = plain(name, text.as_bytes()).unwrap_err();
    assert_eq!((error.code, error.line), (code, line), "{error}\n{text}");
}

const OLD: &str = "unit,geo\\time\t2014Q1 \t2013Q4 \n\
                   PC,EL\t12.50 bp\t: c\n\
                   PC,UK\t: \t1 \n\
                   PC,EU28\t-0.0 \t2.0 e\n";

#[test]
fn eurostat_old_and_new() {
    let table = "UNIT,REF_AREA,TIME_PERIOD,OBS_VALUE,OBS_STATUS\n\
                 PC,EU28,2013-Q4,2.0,e\nPC,EU28,2014-Q1,0.0,\n\
                 PC,GBR,2013-Q4,1,\n\
                 PC,GRC,2013-Q4,,c\nPC,GRC,2014-Q1,12.50,bp\n";
    let old = read("une_rt.tsv", OLD, Format::Eurostat, table);
    assert_eq!((old.summary.missing, old.summary.missing_spellings[":"], old.summary.rows), (2, 2, 3));
    assert_eq!((old.dataflow.as_str(), old.summary.aggregates), ("une_rt", 1));
    let new = OLD.replace("unit,geo\\time", "freq,unit,geo\\TIME_PERIOD").replace("PC,", "Q,PC,");
    let new = new.replace("2014Q1", "2014-Q1").replace("2013Q4", "2013-Q4");
    let table = table.replace("UNIT,", "FREQ,UNIT,").replace("PC,", "Q,PC,");
    read("une_rt.tsv", &new, Format::Eurostat, &table);
    let daily = "unit,geo\\time\t2014M01D31\nX,NA\t1\nX,AT11\t2\n";
    let daily = read(
        "d.tsv",
        daily,
        Format::Eurostat,
        "UNIT,REF_AREA,TIME_PERIOD,OBS_VALUE\nX,AT11,2014-01-31,2\nX,NAM,2014-01-31,1\n",
    );
    assert_eq!(daily.summary.notes.len(), 1);
    for (from, to, code, line) in [
        ("12.50 bp", "12.50 B*", "number", Some(2)),
        ("12.50", "12,50", "number", Some(2)),
        ("2013Q4", "2013Q9", "period", Some(1)),
        ("PC,UK\t", "PC,UK,X\t", "row-ragged", Some(3)),
        ("\t: c", "", "row-ragged", Some(2)),
        ("PC,UK", "PC,EL", "duplicate", Some(3)),
        ("unit,geo", "unit,unit", "mapping", None),
    ] {
        refused("a.tsv", &OLD.replacen(from, to, 1), code, line);
    }
}

const ONS: &str = "\"Title\",\"GDP \u{a3}m\"\n\"CDID\",\"ABMI\"\n\"Release date\",\"23-12-2024\"\n\
                   \"Important Notes\"\n\"1948\",\"429\"\n\"1955 Q1\",\"109.50\"\n\"1955 FEB\",\"\"\n\"1955 MAR\",\"3\"\n";

#[test]
fn three_frequencies_of_ons() {
    let imported = read(
        "series.csv",
        ONS,
        Format::Ons,
        "REF_AREA,FREQ,SERIES,TIME_PERIOD,OBS_VALUE\n\
         GBR,A,ABMI,1948,429\nGBR,M,ABMI,1955-M03,3\nGBR,Q,ABMI,1955-Q1,109.50\n",
    );
    assert_eq!((imported.dataflow.as_str(), imported.title.as_str()), ("ABMI", "GDP \u{a3}m"));
    assert_eq!(imported.vintage.unwrap().to_string(), "2024-12-23");
    assert_eq!(imported.summary.missing, 1);
    refused("a.csv", &ONS.replace("1955 Q1", "1955 Q5"), "period", Some(6));
    refused("a.csv", &ONS.replace("\"109.50\"", "\"109.50\",\"1\""), "row-ragged", Some(6));
    refused("a.csv", &ONS.replace("\"CDID\",\"ABMI\"\n", ""), "header-missing", Some(4));
    refused("a.csv", &ONS.replace("109.50", "n/a"), "number", Some(6));
}

const H15: &str = "\"Series Description\",\"Market yield   on securities\",\"Debt\"\r\n\"Unit:\",\"Percent:_Per_Year\",\"Currency\"\r\n\
                   \"Multiplier:\",\"1\",\"1000000\"\r\n\"Currency:\",\"NA\",\"USD\"\r\n\"Unique Identifier: \",\"H15/A\",\"H15/B\"\r\n\
                   \"Time Period\",\"A_N.M\",\"B_N.M\"\r\n1953-04,2.83,5\r\n1953-05,ND,6\r\n";

#[test]
fn series_of_the_federal_reserve_board() {
    let imported = read(
        "h15.csv",
        H15,
        Format::FedDdp,
        "REF_AREA,SERIES,TIME_PERIOD,OBS_VALUE,UNIT_MEASURE,UNIT_MULT\n\
         USA,A_N.M,1953-M04,2.83,Percent:_Per_Year,\n\
         USA,B_N.M,1953-M04,5,Currency,6\nUSA,B_N.M,1953-M05,6,Currency,6\n",
    );
    assert_eq!(imported.codes.values().next().unwrap()["A_N.M"], "Market yield on securities");
    assert_eq!(imported.summary.missing_spellings["ND"], 1);
    refused("a.csv", &H15.replace("1953-05", "5/1953"), "period", Some(8));
    refused("a.csv", &H15.replace("1000000", "200"), "multiplier", None);
    refused("a.csv", &H15.replace("Time Period", "Period"), "header-missing", Some(9));
}

const DP: &str = "\u{feff}\"LOCATION\",\"INDICATOR\",\"SUBJECT\",\"MEASURE\",\"FREQUENCY\",\"TIME\",\"Value\",\"Flag Codes\"\r\n\
                  \"EA19\",\"HUR\",\"TOT\",\"PC_LF\",\"M\",\"2003-06\",4.90,\"E\"\r\n\
                  \"AUT\",\"HUR\",\"TOT\",\"PC_LF\",\"M\",\"2003-06\",,\r\n\
                  \"AUT\",\"HUR\",\"TOT\",\"PC_LF\",\"Q\",\"2003-Q2\",5,\r\n";

#[test]
fn the_data_portal_of_the_oecd() {
    let imported = read(
        "dp.csv",
        DP,
        Format::OecdDp,
        "REF_AREA,INDICATOR,SUBJECT,MEASURE,FREQ,TIME_PERIOD,OBS_VALUE,OBS_STATUS\n\
         AUT,HUR,TOT,PC_LF,Q,2003-Q2,5,\nEA19,HUR,TOT,PC_LF,M,2003-M06,4.90,E\n",
    );
    assert_eq!((imported.summary.missing, imported.summary.aggregates), (1, 1));
    refused("a.csv", &DP.replace("2003-Q2", "Q2-2003"), "period", Some(4));
    refused("a.csv", &DP.replace("4.90", "4,90"), "row-ragged", Some(2));
}

fn aat1(rows: &str) -> String {
    format!(
        "     HOUSEHOLD DATA\r\n     1.  Employment status of the civilian noninstitutional population, 1940 to date\r\n\
         Persons 14 years of age and over\r\n{rows}\r\n\r\n       1 Not strictly comparable with data for prior years.\r\n"
    )
}

const YEAR: &str = "     1947......  106,018  60,168  56.8  57,812  54.5  8,256  49,557  2,356  3.9  45,850";

#[test]
fn two_populations_in_one_table() {
    let later = format!(
        "{YEAR}\r\n   Persons 16 years of age and over\r\n{}\r\n{}",
        YEAR.replace("2,356", "2,311"),
        YEAR.replace("1947......", "1953 (1)....")
    );
    let imported = plain("aat1.txt", aat1(&later).as_bytes()).unwrap();
    let text = csv(&imported);
    assert!(text.contains("\nUSA,Y_GE14,UNEMPLOYED,1947,2356,PS,3,\n"), "{text}");
    assert!(text.contains("\nUSA,Y_GE16,UNEMPLOYED,1947,2311,PS,3,\n"));
    assert!(text.contains("\nUSA,Y_GE16,UNEMPLOYED_RATE,1953,3.9,PC,,B\n"));
    assert_eq!(
        (imported.format, imported.summary.rows, imported.summary.observations),
        (Format::BlsTable, 3, 30)
    );
    assert_eq!(imported.codes.len(), 2);
    refused("a.txt", &aat1(&YEAR.replace("  45,850", "")), "row-ragged", Some(4));
    refused("a.txt", &aat1(&YEAR.replace("2,356", "2,3567")), "number", Some(4));
    refused("a.txt", &aat1(&format!("{YEAR}\r\n{YEAR}")), "duplicate", Some(5));
    refused("a.txt", &aat1(YEAR).replace("Persons 14", "Persons 15"), "row-ragged", Some(4));
}

fn answer(units: &str, count: u64, rows: &str) -> String {
    format!(
        r#"{{"realtime_start":"2023-05-09","units":"{units}","count":{count},"offset":0,"observations":[{rows}]}}"#
    )
}

fn known(start: &str, date: &str, figure: &str) -> String {
    format!(r#"{{"realtime_start":"{start}","realtime_end":"9999-12-31","date":"{date}","value":{figure}}}"#)
}

#[test]
fn responses_of_fred_and_their_vintages() {
    let (a, b) = (known("2023-05-09", "2010-01-01", "\"1.50\""), known("2023-05-09", "2010-04-01", "2.0"));
    let gap = known("2023-05-09", "2010-07-01", "\".\"");
    let both = read(
        "GDP.json",
        &answer("lin", 3, &format!("{a},\n{b},{gap}")),
        Format::FredJson,
        "REF_AREA,TIME_PERIOD,OBS_VALUE\nUSA,2010-Q1,1.50\nUSA,2010-Q2,2.0\n",
    );
    assert_eq!((both.dataflow.as_str(), both.summary.missing_spellings["."]), ("GDP", 1));
    assert!(both.summary.notes.is_empty());
    let pages = format!("{}\n{}", answer("pch", 3, &a), answer("pch", 3, &b));
    let pages = plain("GDP.json", pages.as_bytes()).unwrap();
    assert_eq!(
        pages.summary.notes,
        [
            "2 observations in the file, 3 according to the source",
            "the source transformed these figures: the units are `pch`"
        ]
    );
    let later = known("2023-06-01", "2010-01-01", "\"1.60\"");
    read(
        "GDP.json",
        &answer("lin", 3, &format!("{a},{b},{later}")),
        Format::FredJson,
        "REF_AREA,VINTAGE,TIME_PERIOD,OBS_VALUE\n\
         USA,2023-05-09,2010-Q1,1.50\nUSA,2023-05-09,2010-Q2,2.0\nUSA,2023-06-01,2010-Q1,1.60\n",
    );
    let columns = r#"{"date":"2010-01-01","GDP_20100301":"1","GDP_20100401":"2"},{"date":"2010-04-01","GDP_20100401":"3"}"#;
    let columns = read(
        "x.json",
        &answer("lin", 2, columns),
        Format::FredJson,
        "REF_AREA,VINTAGE,TIME_PERIOD,OBS_VALUE\n\
         USA,2010-03-01,2010-Q1,1\nUSA,2010-04-01,2010-Q1,2\nUSA,2010-04-01,2010-Q2,3\n",
    );
    assert_eq!(columns.dataflow.as_str(), "GDP");
    refused("a.json", &answer("lin", 3, &format!("{a},{a},{b}")), "duplicate", Some(1));
    refused(
        "a.json",
        &answer("lin", 2, &format!("{a},\n{}", b.replace("2.0", "\"n/a\""))),
        "number",
        Some(2),
    );
    refused("a.json", &answer("lin", 1, &a.replace("2010-01-01", "2010")), "period", Some(1));
    refused("a.json", &format!("{}{}", answer("lin", 1, &a), answer("lin", 2, &b)), "page-other", None);
    let error = r#"{"error_code":400,"error_message":"Bad Request. observations realtime_start"}"#;
    refused("a.json", error, "source-error", None);
}
