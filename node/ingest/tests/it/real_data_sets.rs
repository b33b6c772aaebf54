//! Published files of SDMX and JSON-stat, if present; see `real_files.rs`.

use super::real_files::folder;
use super::{csv, plain, round_trip};
use ingest::{Format, ImportError, ImportedTable};

/// Reads a file twice and compares the results.
fn read(path: &str) -> Option<Result<ImportedTable, ImportError>> {
    let bytes = std::fs::read(folder()?.join(path)).unwrap();
    let name = path.rsplit('/').next().unwrap();
    let imported = plain(name, &bytes);
    assert_eq!(plain(name, &bytes), imported, "{path}");
    Some(imported)
}

/// Counts of a file (rows, missing figures, series), its id, and the beginning of its table.
type Counts<'a> = (&'a str, u64, u64, u64, &'a str, &'a str);

fn check(format: Format, (path, rows, missing, series, dataflow, head): Counts<'_>) -> Option<ImportedTable> {
    let imported = read(path)?.unwrap_or_else(|error| panic!("{error}"));
    let summary = &imported.summary;
    let found = (imported.format, summary.rows, summary.missing, summary.series, imported.dataflow.as_str());
    assert_eq!(found, (format, rows, missing, series, dataflow), "{path}");
    assert_eq!(summary.missing_spellings.values().sum::<u64>(), missing, "{path}");
    let text = csv(&imported);
    assert!(round_trip(&imported) == text, "{path}: out and back");
    assert!(text.starts_with(head), "{path}: {}", text.lines().take(2).collect::<Vec<_>>().join("\n"));
    Some(imported)
}

#[test]
fn messages_in_xml() {
    const RATES: &str = "FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_VAR,TIME_PERIOD,OBS_VALUE,COLL_METHOD,CONF_STATUS_OBS,\
        DECIMALS,OBS_STATUS,TITLE,UNIT_MEASURE,UNIT_MULT\nM,CHF,EUR,SP00,E,2010-M08,1.3413,Average of observations through period,\
        F,4,A,\"ECB reference exchange rate, Swiss franc/Euro\",CHF,0\n";
    for (file, rows, missing, series, dataflow, head) in [
        (
            "ml20_compact_OECD_QNA.xml",
            8,
            0,
            2,
            "QNA",
            "LOCATION,SUBJECT,MEASURE,FREQUENCY,TIME_PERIOD,OBS_VALUE,POWERCODE,REFERENCEPERIOD,TIME_FORMAT,UNIT\n\
             AUS,B1_GE,VOBARSA,Q,2011-Q1,1372218.630675,6,2010,P3M,AUD\n",
        ),
        (
            "ml20_generic_OECD_QNA.xml",
            8,
            0,
            2,
            "QNA",
            "LOCATION,SUBJECT,MEASURE,FREQUENCY,TIME_PERIOD,OBS_VALUE,POWERCODE,REFERENCEPERIOD,TEST,TIME_FORMAT,UNIT\n\
             AUS,B1_GE,VOBARSA,Q,2011-Q1,1372218.630675,6,2010,1,P3M,AUD\n",
        ),
        ("ml21_generic_ECB_EXR.xml", 12, 0, 4, "ECB_EXR_RG", RATES),
        ("ml21_ss_ECB_EXR.xml", 12, 0, 4, "ECB_EXR_CG", RATES),
        ("ml21_ss_flat_ECB_EXR.xml", 12, 0, 4, "ECB_EXR_RG", RATES),
        (
            "ml21_generic_ECB_EXR_USD_monthly.xml",
            252,
            0,
            1,
            "ECB_EXR1",
            "FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE,COLLECTION,DECIMALS,",
        ),
        (
            "ml21_generic_INSEE_CNA.xml",
            2,
            0,
            1,
            "CNA-2010-CONSO-SI-A17",
            "SECT-INST,OPERATION,PRODUIT,PRIX,TIME_PERIOD",
        ),
        (
            "ml21_ss_IMF_WEO.xml",
            1,
            0,
            1,
            "WEO",
            "COUNTRY,INDICATOR,FREQUENCY,TIME_PERIOD,OBS_VALUE,ACCESS_SHARING_LEVEL,",
        ),
        (
            "ml30_ECB_EXR_CA.xml",
            3,
            0,
            1,
            "EXR",
            "FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,",
        ),
    ] {
        let path = format!("sdmx/{file}");
        if check(Format::SdmxMl, (&path, rows, missing, series, dataflow, head)).is_none() {
            return;
        }
    }
    let path = "eurostat/sdmx21_ss_NAMA_10_GDP.xml";
    let head = "geo,na_item,unit,freq,TIME_PERIOD,OBS_VALUE\nLU,B1GQ,CP_MEUR,A,2012,46526.2\n";
    check(Format::SdmxMl, (path, 4, 0, 1, "NAMA_10_GDP", head));
    // The scale says 9 although the figure is in full units: both are kept as they are.
    let outlook = read("sdmx/ml21_ss_IMF_WEO.xml").unwrap().unwrap();
    assert!(csv(&outlook).contains(",94669000000,") && outlook.table.column("SCALE").is_some());
}

#[test]
fn messages_in_json() {
    const RATES: &str = "FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE,";
    for (file, rows, series, dataflow, head) in [
        ("json10_ECB_EXR_ts.json", 4, 2, "EXR", RATES),
        ("json10_ECB_EXR_flat.json", 4, 2, "EXR", RATES),
        ("json20_ECB_EXR_ts.json", 4, 2, "EXR", RATES),
        ("json10_OECD_PART2.json", 7, 7, "PART2", "LOCATION,IND,PER,GRD,FLD,MSR,OBS_VALUE,"),
        (
            "json10_OECD_QNA_AUS_AUT_BEL_CAN_CHL.json",
            60,
            5,
            "QNA",
            "LOCATION,SUBJECT,MEASURE,FREQUENCY,TIME_PERIOD,OBS_VALUE,TIME_FORMAT,UNIT,POWERCODE,REFERENCEPERIOD\n\
             AUS,B1_GE,VOBARSA,Q,2009-Q1,1321158.283224,P3M,AUD,6,2010\n",
        ),
    ] {
        let path = format!("sdmx/{file}");
        let Some(imported) = check(Format::SdmxJson, (&path, rows, 0, series, dataflow, head)) else {
            return;
        };
        assert!(imported.codes.len() > 4 && imported.publisher.is_some(), "{file}");
    }
}

#[test]
fn files_in_csv() {
    let Some(prices) = check(
        Format::SdmxCsv,
        (
            "sdmx/csv10_IMF_CPI_multi.csv",
            7833,
            741,
            1000,
            "CPI",
            "DATA_DOMAIN,REF_AREA,INDICATOR,COUNTERPART_AREA,FREQ,TIME_PERIOD,OBS_VALUE\n",
        ),
    ) else {
        return;
    };
    assert_eq!(
        (prices.summary.observations, prices.summary.missing_spellings["nan"], prices.areas.len()),
        (7092, 741, 167)
    );
    let quarters = csv(&prices).contains("128,PCPIM_PC_PP_PT,W1,Q,2018-Q1,-0.429326287978868\n");
    assert!(quarters, "the codes of areas are those of the IMF, and quarters are quarters");
    let head = "FREQ,DER_TYPE,DER_INSTR,DER_RISK,DER_REP_CTY,DER_SECTOR_CPY,DER_CPC,DER_SECTOR_UDL,DER_CURR_LEG1,\
        DER_CURR_LEG2,DER_ISSUE_MAT,DER_RATING,DER_EX_METHOD,DER_BASIS,TIME_PERIOD,OBS_VALUE,AVAILABILITY,COLLECTION,\
        OBS_STATUS,OBS_CONF\nA,U,A,B,5J,A,1E,A,HKD,TO1,A,A,3,C,2002,,K,S,M,F\n";
    let flow = "WEBSTATS_DER_DATAFLOW";
    let derivatives = check(Format::SdmxCsv, ("sdmx/csv10_BIS.csv", 1000, 640, 42, flow, head)).unwrap();
    // What is missing has the status M, and stays.
    assert_eq!(derivatives.summary.observations, 1000);
    let both = "DIM1,DIM2,ATT1,ATT2,TIME_PERIOD,OBS_VALUE\nA,B,C,D,2020,1\n";
    let parts = "DIM_1,DIM_2,DIM_3,OBS_VALUE,";
    for (file, rows, missing, series, dataflow, head) in [
        ("csv20_csv_keys_both.csv", 1, 0, 1, "MD_TEST", both),
        ("csv20_csv_labels_both.csv", 1, 0, 1, "MD_TEST", both),
        ("csv20_data_v2.csv", 20, 13, 2, "BIS_DER", head),
        ("csv20_spec_example-01.csv", 2, 0, 2, "NA_MAIN", parts),
        (
            "csv20_spec_example-04.csv",
            2,
            0,
            2,
            "NA_MAIN",
            "DIM_1,DIM_2,DIM_3,OBS_VALUE,ATTR_2,ATTR_3,ATTR_1\nA,B,2014-01,12.4,",
        ),
        ("csv20_spec_example-05.csv", 2, 0, 2, "NA_MAIN", parts),
        ("csv20_spec_example-06.csv", 2, 0, 2, "NA_MAIN", parts),
        ("csv20_spec_example-09A.csv", 3, 0, 3, "DF_NA_MAIN", parts),
    ] {
        check(Format::SdmxCsv, (&format!("sdmx/{file}"), rows, missing, series, dataflow, head)).unwrap();
    }
}

#[test]
fn data_sets_of_json_stat() {
    let path = "oecd/jsonstat2_oecd_unemployment_2003-2014.json";
    let head =
        "concept,area,TIME_PERIOD,OBS_VALUE,OBS_STATUS,UNIT_MEASURE,DECIMALS\nUNR,AT,2003,4.278559338,,%,9\n";
    let Some(oecd) = check(Format::JsonStat, (path, 432, 0, 36, "oecd", head)) else { return };
    let marked = csv(&oecd).lines().filter(|line| line.contains(",e,")).count();
    assert!(marked > 0, "forecasts are marked");
    let path = "bls/jsonstat2_us-unr_counties_2012.json";
    let head = "county,labor,TIME_PERIOD,OBS_VALUE,UNIT_MEASURE\n01001,unr,2012,6.5,";
    check(Format::JsonStat, (path, 3220, 0, 3220, "us-unr", head));
    let path = "eurostat/jsonstat_nama_10_gdp_2010-2011.json";
    let head = "unit,na_item,geo,TIME_PERIOD,OBS_VALUE,OBS_STATUS\nCP_MEUR,B1GQ,AL,2010,8996.6,\n";
    check(Format::JsonStat, (path, 90, 2, 45, "nama_10_gdp", head));
    let path = "eurostat/jsonstat1_nama_gdp_c_geo_IT.json";
    let head = "unit,indic_na,geo,TIME_PERIOD,OBS_VALUE,OBS_STATUS\nEUR_HAB,B1GM,IT,1946,,:\n";
    check(Format::JsonStat, (path, 69, 45, 1, "nama_gdp_c", head));
}

#[test]
fn files_to_be_refused() {
    for (path, code, word) in [
        ("sdmx/csv20_data_v2_action_col.csv", "row-ragged", "23 cells"),
        ("sdmx/csv20_data_v2_three_actions.csv", "column-missing", "OBS_VALUE"),
        ("sdmx/csv20_spec_example-14.csv", "column-missing", "OBS_VALUE"),
        ("sdmx/json20_constructed_full.json", "number", "2013-03-18T11:00:00"),
        ("eurostat/footer_async.xml", "no-data", "written to a file"),
    ] {
        let Some(read) = read(path) else { return };
        let error = read.unwrap_err();
        assert!(error.code == code && error.to_string().contains(word) && error.hint.is_some(), "{error}");
    }
}
