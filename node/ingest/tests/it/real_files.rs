//! Published files, if present: in the folder `ASSAY_DATA`, or `shared/data` beside the workspace. They
//! are not part of the project; without them these tests print a notice and pass.

use std::path::{Path, PathBuf};

use super::{csv, plain};
use ingest::{Format, ImportedTable};

/// The folder of published files, if it exists.
pub(super) fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("ASSAY_DATA").map_or(beside, PathBuf::from);
    if !folder.is_dir() {
        eprintln!("no real files at {}: not tested (set ASSAY_DATA)", folder.display());
        return None;
    }
    Some(folder)
}

/// Imports a file twice, compares the results, and checks the counts.
fn check(path: &str, format: Format, observations: u64, missing: u64, areas: usize) -> Option<ImportedTable> {
    let bytes = std::fs::read(folder()?.join(path)).unwrap();
    let name = path.rsplit('/').next().unwrap();
    let imported = plain(name, &bytes).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(plain(name, &bytes).unwrap(), imported, "{path}");
    let summary = &imported.summary;
    let found = (imported.format, summary.observations, summary.missing, imported.areas.len());
    assert_eq!(found, (format, observations, missing, areas), "{path}");
    let exported = csv(&imported);
    assert_eq!(csv(&plain(name, exported.as_bytes()).unwrap()), exported, "{path}");
    Some(imported)
}

#[test]
fn world_bank_files() {
    for (file, observations, missing, areas, dataflow) in [
        ("API_FP.CPI.TOTL.ZG_DS2_en_csv_v2_285.csv", 11472, 6018, 265, "FP.CPI.TOTL.ZG"),
        ("API_FP.CPI.TOTL_DS2_en_csv_v2_315921.csv", 7779, 7797, 264, "FP.CPI.TOTL"),
        ("API_NY.GDP.DEFL.KD.ZG_DS2_en_csv_v2_145.csv", 13778, 3246, 266, "NY.GDP.DEFL.KD.ZG"),
        ("API_NY.GDP.MKTP.CD_DS2_en_csv_v2_2788787.csv", 13980, 3044, 266, "NY.GDP.MKTP.CD"),
        ("API_NY.GDP.MKTP.KD.ZG_DS2_en_csv_v2_57.csv", 14323, 3167, 265, "NY.GDP.MKTP.KD.ZG"),
        ("API_NY.GDP.MKTP.KD_DS2_en_csv_v2_3630701.zip", 12177, 4049, 266, "NY.GDP.MKTP.KD"),
        ("API_SL.UEM.TOTL.NE.ZS_DS2_en_csv_v2_2817174.csv", 5576, 11448, 266, "SL.UEM.TOTL.NE.ZS"),
        ("API_SL.UEM.TOTL.ZS_DS2_en_csv_v2_33398.csv", 8176, 9314, 265, "SL.UEM.TOTL.ZS"),
        ("vintage2016_FP.CPI.TOTL.ZG_wide.csv", 7991, 5897, 248, "FP.CPI.TOTL.ZG"),
        ("vintage2016_FP.CPI.TOTL_long.csv", 6936, 0, 177, "FP.CPI.TOTL"),
        ("wdi_long_2026-07-01_ny.gdp.mktp.cd.csv", 14743, 0, 261, "NY.GDP.MKTP.CD"),
        ("wdi_long_2026-07-01_ny.gdp.pcap.cd.csv", 14743, 0, 261, "NY.GDP.PCAP.CD"),
        ("wdi_long_2026-07-01_sl.tlf.totl.in.csv", 8446, 0, 235, "SL.TLF.TOTL.IN"),
        ("wdi_long_2026-07-01_sl.uem.totl.zs.csv", 8176, 0, 234, "SL.UEM.TOTL.ZS"),
        ("wdi_long_2026-07-01_sp.pop.totl.csv", 17394, 0, 264, "SP.POP.TOTL"),
    ] {
        let path = format!("worldbank/{file}");
        let Some(imported) = check(&path, Format::WorldBank, observations, missing, areas) else { return };
        assert_eq!(imported.dataflow.as_str(), dataflow, "{file}");
    }
}

#[test]
fn fred_files() {
    let (d, m, q) = ("D", "M", "Q");
    for (file, observations, missing, frequency) in [
        ("A191RL1Q225SBEA_2024-11.csv", 310, 0, q),
        ("CPALTT01USM657N.csv", 766, 0, m),
        ("CPALTT01USM659N.csv", 766, 0, m),
        ("CPALTT01USM661S.csv", 766, 0, m),
        ("CPIAUCNS.csv", 1347, 0, m),
        ("CPIAUCSL_2017-06.csv", 845, 0, m),
        ("DGS10.csv", 15170, 675, d),
        ("DGS10_lowercase.csv", 11499, 502, d),
        ("DGS2.csv", 11578, 507, d),
        ("DGS2_lowercase.csv", 11499, 502, d),
        ("GCE.csv", 290, 0, q),
        ("GDP.csv", 291, 0, q),
        ("GDPC1_2026-05.csv", 317, 0, q),
        ("GDPDEF.csv", 290, 0, q),
        ("GDP_units_pca.csv", 290, 0, q),
        ("GPDI.csv", 290, 0, q),
        ("LNS12032194_excel_dates.csv", 786, 0, m),
        ("LNU05026642_marginally_attached.csv", 55, 1, m),
        ("NETEXP.csv", 290, 0, q),
        ("PCEC.csv", 290, 0, q),
        ("T10Y2Y_lowercase.csv", 11500, 502, d),
        ("U5RATE.csv", 359, 0, m),
        ("U6RATE.csv", 334, 0, m),
        ("UNEMPLOY.csv", 911, 0, m),
        ("UNRATE_monthly_2021-10.csv", 886, 0, m),
        ("UNRATE_quarterly_avg_2026-05.csv", 313, 1, q),
        ("components_2023-12/CPIAPPNS.csv", 1065, 243, m),
        ("components_2023-12/CPIAUCNS.csv", 1331, 0, m),
        ("components_2023-12/CPIEDUNS.csv", 371, 0, m),
        ("components_2023-12/CPIENGNS.csv", 803, 0, m),
        ("components_2023-12/CPIFABNS.csv", 683, 0, m),
        ("components_2023-12/CPIHOSNS.csv", 683, 0, m),
        ("components_2023-12/CPILFENS.csv", 803, 0, m),
        ("components_2023-12/CPIMEDNS.csv", 971, 94, m),
        ("components_2023-12/CPIOGSNS.csv", 683, 0, m),
        ("components_2023-12/CPIRECNS.csv", 371, 0, m),
        ("components_2023-12/CPITRNNS.csv", 971, 94, m),
        ("components_2023-12/CPIUFDNS.csv", 1331, 0, m),
        ("components_2023-12/CUUR0000SAH1.csv", 852, 0, m),
        ("components_2023-12/CUUR0000SEHA.csv", 1047, 261, m),
        ("components_2023-12/CUUR0000SETA02.csv", 846, 6, m),
        ("components_2023-12/CUUR0000SETB01.csv", 916, 149, m),
    ] {
        let path = format!("fred/{file}");
        let Some(imported) = check(&path, Format::Fred, observations, missing, 1) else { return };
        assert_eq!(imported.summary.frequency.unwrap().code(), frequency, "{file}");
        let id = file.rsplit('/').next().unwrap().split(['_', '.']).next().unwrap();
        assert_eq!(imported.dataflow.as_str(), id, "{file}");
    }
}

#[test]
fn wide_tables() {
    for (path, format, observations, missing, series, gaps) in [
        ("fred/fred-md_current_2025-02.csv", Format::FredMd, 98969, 949, 126, [("", 949)]),
        ("bea/gdplev_quarter_2025-06.csv", Format::Bea, 1248, 0, 4, [("", 0)]),
        ("bea/gdplev_year_2025-06.csv", Format::Bea, 380, 0, 4, [("", 0)]),
        ("markets/shiller_sp500_monthly.csv", Format::Shiller, 16398, 396, 9, [("0.0", 396)]),
    ] {
        let Some(imported) = check(path, format, observations, missing, 1) else { return };
        assert_eq!(imported.summary.series, series, "{path}");
        let found = imported.summary.missing_spellings.iter().map(|(word, count)| (word.as_str(), *count));
        assert!(found.eq(gaps.into_iter().filter(|(_, count)| *count > 0)), "{path}");
    }
}

#[test]
fn labour_statistics() {
    for (path, format, observations, series, title) in [
        ("bls/cu.data.1.AllItems", Format::Bls, 55_879, 376, "cu.data.1.AllItems"),
        ("bls/api_v2_results_object_2016-06.json", Format::BlsJson, 51, 3, "api_v2_results_object_2016-06"),
        ("bls/bls_web_CUUR0000SAF.csv", Format::BlsCsv, 698, 1, "CUUR0000SAF"),
    ] {
        let Some(imported) = check(path, format, observations, 0, 0) else { return };
        assert_eq!((imported.summary.series, imported.title.as_str()), (series, title), "{path}");
    }
    let Some(flat) = check("bls/cu.data.1.AllItems", Format::Bls, 55_879, 0, 0) else { return };
    let text = csv(&flat);
    // `M13` of a monthly series and `S03` of a half-yearly one are annual; 2829 second half years.
    let count = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!((count("A,"), count("S,"), count("M,")), (5492 + 2837, 2907 + 2829, 41_814));
    assert!(text.contains("\nA,CUURS300SA0,2007,202.825\n"));
    assert!(text.contains("\nM,CUSR0000SA0,1947-M03,22.00\n"));
}

#[test]
fn responses_of_the_world_bank() {
    let path = "worldbank/api_v2_FP.CPI.TOTL_USA.json";
    let Some(imported) = check(path, Format::WorldBankJson, 35, 1, 1) else { return };
    assert!(csv(&imported).contains("USA,2010,100\n"));
    assert_eq!((imported.dataflow.as_str(), imported.summary.notes.len()), ("FP.CPI.TOTL", 0));
    assert_eq!(imported.vintage.unwrap().to_string(), "2026-07-13");
    assert_eq!(imported.summary.missing_spellings["null"], 1);

    let page = |number: u32| {
        let path = format!("worldbank/api_v1_2016_NY.GDP.MKTP.CD_page{number}.json");
        std::fs::read(folder().unwrap().join(path)).unwrap()
    };
    let path = "worldbank/api_v1_2016_NY.GDP.MKTP.CD_page5.json";
    let Some(one) = check(path, Format::WorldBankJson, 41, 7, 41) else { return };
    assert_eq!(one.summary.notes, ["missing: pages 1, 2, 3, 4 of 5"]);
    let all = [5, 2, 3, 1, 4].map(page).concat();
    let together = plain("pages.json", &all).unwrap();
    let mut in_order = plain("pages.json", &[1, 2, 3, 4, 5].map(page).concat()).unwrap();
    // The lines of the figures follow the order of the pages; nothing else does.
    in_order.summary.lines.clone_from(&together.summary.lines);
    assert_eq!(together, in_order);
    assert_eq!(together.summary.notes, ["214 records in the file, 248 according to the source"]);
    assert_eq!((together.summary.observations, together.summary.missing), (185, 29));
    // The two-letter code of Namibia is no missing value, and Kosovo has one that ISO does not list.
    let code =
        |name: &str| together.areas.iter().find(|area| area.name == name).map(|area| area.code.as_str());
    assert_eq!((code("Namibia"), code("Kosovo")), (Some("NAM"), Some("XKX")));
    let twice = plain("pages.json", &[1, 2, 2].map(page).concat()).unwrap_err();
    assert_eq!(twice.code, "page-twice");
}

#[test]
fn other_agencies() {
    for (path, format, observations, missing, areas, series) in [
        ("eurostat/gov_10dd_edpt1.tsv", Format::Eurostat, 51_709, 74_731, 35, 6322),
        ("uk/ons_gdp_ABMI_timeseries.csv", Format::Ons, 355, 0, 1, 2),
        ("markets/fed_h15_gs10_monthly_raw.csv", Format::FedDdp, 879, 0, 1, 1),
        ("oecd/unemployment_europe_monthly_dp_live.csv", Format::OecdDp, 5732, 0, 24, 24),
        ("bls/aat1.txt", Format::BlsTable, 720, 0, 1, 20),
        ("eurostat/une_rt_m_custom_export.xlsx", Format::Xlsx, 11_699, 2128, 33, 33),
        ("fred/json_gdp.json", Format::FredJson, 97, 0, 1, 1),
        ("fred/json_observations_cpi_growth.json", Format::FredJson, 292, 0, 1, 1),
    ] {
        let Some(imported) = check(path, format, observations, missing, areas) else { return };
        assert_eq!(imported.summary.series, series, "{path}");
    }
    let file = "eurostat/gov_10dd_edpt1.tsv";
    let Some(debt) = check(file, Format::Eurostat, 51_709, 74_731, 35) else { return };
    let text = csv(&debt);
    assert!(text.starts_with("UNIT,SECTOR,NA_ITEM,REF_AREA,TIME_PERIOD,OBS_VALUE\n"));
    assert!(text.contains("\nMIO_EUR,S1,B1GQ,AUT,2014,329295.6\n"));
    assert!(text.contains(",GRC,") && text.contains(",GBR,") && !text.contains(",EL,"));
    let groups = debt.areas.iter().filter(|area| area.aggregate).map(|area| area.code.as_str());
    assert!(groups.eq(["EA17", "EA18", "EA19", "EU25", "EU27", "EU28"]));
    let Some(gdp) = check("uk/ons_gdp_ABMI_timeseries.csv", Format::Ons, 355, 0, 1) else { return };
    assert!(csv(&gdp).contains("\nGBR,Q,ABMI,2024-Q3,639452\n"));
    assert_eq!(gdp.vintage.unwrap().to_string(), "2024-12-23");
    assert!(gdp.title.ends_with("\u{a3}m"));
    let Some(table) = check("bls/aat1.txt", Format::BlsTable, 720, 0, 1) else { return };
    assert!(csv(&table).contains("\nUSA,Y_GE16,UNEMPLOYED,2010,14825,PS,3,B\n"));
}

/// Files without an importer of their own, with their mappings.
#[test]
fn files_under_a_mapping() {
    let Some(folder) = folder() else { return };
    let mapped = |path: &str, mapping: &str| {
        let options = ingest::ImportOptions {
            mapping: Some(ingest::Mapping::parse("m.toml", mapping).unwrap()),
            ..ingest::ImportOptions::default()
        };
        let bytes = std::fs::read(folder.join(path)).unwrap();
        ingest::import(ingest::SourceFile { name: path, bytes: &bytes }, &options, &mut |_| {})
    };
    let link = |from: &str, to: &str| format!("[[columns]]\nfrom = \"{from}\"\nto = \"{to}\"\n");
    let area = "[[columns]]\nconstant = \"GBR\"\nto = \"REF_AREA\"\n";
    let columns = link("Date", "TIME_PERIOD") + &link("Price Index", "OBS_VALUE") + area;
    let prices = mapped("uk/cpi-uk-monthly.csv", &format!("frequency = \"M\"\n{columns}")).unwrap();
    assert_eq!(prices.summary.observations, 788);
    let columns =
        link("item_name", "ITEM") + &link("year_weight", "TIME_PERIOD") + &link("weight", "OBS_VALUE");
    let path = "bls/cpi_relative_importance_2022-2025_from_mtkonczal.csv";
    let weights = mapped(path, &columns);
    assert_eq!(weights.unwrap().summary.observations, 1274);
}

#[test]
fn figures_keep_the_digits_of_the_file() {
    let Some(imported) = check("fred/CPIAUCNS.csv", Format::Fred, 1347, 0, 1) else { return };
    assert!(csv(&imported).starts_with("REF_AREA,TIME_PERIOD,OBS_VALUE\nUSA,1913-M01,9.800\n"));
    let path = "worldbank/API_FP.CPI.TOTL_DS2_en_csv_v2_315921.csv";
    let Some(imported) = check(path, Format::WorldBank, 7779, 7797, 264) else { return };
    assert!(csv(&imported).contains("\nABW,1984,31.9826181318074\n") || csv(&imported).contains("ABW,1984,"));
    assert_eq!(imported.title, "Consumer price index (2010 = 100)");
    assert_eq!(imported.vintage.unwrap().to_string(), "2019-10-16");
}

#[test]
fn aggregates_are_marked() {
    let path = "worldbank/API_NY.GDP.MKTP.KD_DS2_en_csv_v2_3630701.zip";
    let Some(zipped) = check(path, Format::WorldBank, 12177, 4049, 266) else { return };
    let file = "worldbank/API_NY.GDP.MKTP.CD_DS2_en_csv_v2_2788787.csv";
    let Some(listed) = check(file, Format::WorldBank, 13980, 3044, 266) else { return };
    // By the metadata in the archive, and by the built-in list.
    assert_eq!((zipped.summary.aggregates, listed.summary.aggregates), (49, 49));
}

#[test]
fn files_to_be_refused() {
    let Some(folder) = folder() else { return };
    for (path, code, line) in [
        ("worldbank/vintage2025_cpi_MISLABELLED_is_inflation_rate.csv", "implausible", Some(26)),
        (
            "worldbank/Metadata_Country_API_NY.GDP.MKTP.CD_DS2_en_csv_v2_2788787.csv",
            "column-missing",
            Some(1),
        ),
        ("worldbank/Metadata_Indicator_API_NY.GDP.MKTP.CD_DS2_en_csv_v2_2788787.csv", "code-list", Some(1)),
        (
            "worldbank/Metadata_Indicator_API_SL.UEM.TOTL.NE.ZS_DS2_en_csv_v2_2817174.csv",
            "code-list",
            Some(1),
        ),
        ("bls/cu.item.clean", "code-list", Some(1)),
        ("bls/palewire_items.csv", "code-list", Some(1)),
        ("codes/country-codes.csv", "code-list", Some(1)),
        ("codes/iso3166_all.csv", "code-list", Some(1)),
        ("uk/cpi-uk-monthly.csv", "format-unknown", Some(1)),
        ("bls/cpi_relative_importance_2022-2025_from_mtkonczal.csv", "format-unknown", Some(1)),
        ("bls/cu.item", "merge-marker", Some(1)),
        ("eurostat/footer_async.xml", "no-data", None),
        ("markets/quantconnect_eurusd_hour_bidask.zip", "time-of-day", Some(1)),
    ] {
        let bytes = std::fs::read(folder.join(path)).unwrap();
        let error = plain(path, &bytes).unwrap_err();
        assert_eq!((error.code, error.line), (code, line), "{error}");
        assert!(error.hint.is_some(), "{error}");
    }
}

#[test]
fn the_strict_reader_agrees_with_the_csv_crate() {
    let Some(folder) = folder() else { return };
    for path in ["worldbank/wdi_long_2026-07-01_sp.pop.totl.csv", "fred/DGS10.csv"] {
        let bytes = std::fs::read(folder.join(path)).unwrap();
        let imported = plain(path, &bytes).unwrap();
        let mut figures: Vec<String> = csv::Reader::from_reader(bytes.as_slice())
            .records()
            .map(|record| record.unwrap().iter().next_back().unwrap().to_owned())
            .filter(|figure| figure != ".")
            .collect();
        let mut found: Vec<String> =
            csv(&imported).lines().skip(1).map(|line| line.rsplit(',').next().unwrap().to_owned()).collect();
        figures.sort();
        found.sort();
        assert_eq!(found, figures, "{path}");
    }
}

#[test]
fn the_demo_sample_needs_no_mapping() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cli/sample");
    for (file, rows, areas, measures) in [
        ("cpi.csv", 252, 36, 1),
        ("gdp.csv", 252, 36, 1),
        ("population.csv", 252, 36, 1),
        ("labour.csv", 72, 1, 2),
    ] {
        let bytes = std::fs::read(sample.join(file)).unwrap();
        let imported = plain(file, &bytes).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            (imported.format, imported.table.rows(), imported.areas.len()),
            (Format::Csv, rows, areas)
        );
        assert_eq!(imported.table.columns().len(), 2 + measures, "{file}");
        assert_eq!(csv(&imported).as_bytes(), bytes, "{file} is in canonical order");
        assert!(imported.areas.iter().all(|area| !area.aggregate && area.name != area.code));
    }
}

/// Published files are plausible.
#[test]
fn real_files_are_plausible() {
    let Some(folder) = folder() else { return };
    let mut looked = 0;
    for sub in ["worldbank", "fred"] {
        let entries = std::fs::read_dir(folder.join(sub)).unwrap().map(|entry| entry.unwrap().path());
        for path in entries.filter(|path| path.is_file()) {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let Ok(imported) = plain(&name, &std::fs::read(&path).unwrap()) else { continue };
            let words = format!("{} {}", imported.dataflow, imported.title);
            let aggregate =
                |code: &str| imported.areas.iter().any(|area| area.code == code && area.aggregate);
            assert_eq!(ingest::check_plausibility(&imported.table, &words, None, aggregate), [], "{name}");
            looked += 1;
        }
    }
    assert!(looked > 30, "{looked} files");
}
