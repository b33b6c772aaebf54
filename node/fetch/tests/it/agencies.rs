//! URLs of the agencies.

use fetch::{Agency, AgencyQuery, FetchSource, UrlPolicy};

fn query(code: &str, rest: &[(&str, &str)]) -> AgencyQuery {
    let mut ask = AgencyQuery { code: code.into(), ..AgencyQuery::default() };
    for (name, value) in rest {
        let place = match *name {
            "key" => &mut ask.key,
            "country" => &mut ask.country,
            "from" => &mut ask.from,
            _ => &mut ask.to,
        };
        *place = Some((*value).into());
    }
    ask
}

#[test]
fn queries_map_to_urls_and_file_names() {
    let policy = UrlPolicy::new(&[]).expect("no hosts");
    let check = |agency: &str, code: &str, rest: &[(&str, &str)], address: &str, name: &str| {
        let agency = Agency::from_code(agency).expect("an agency");
        let source = FetchSource::from_agency(&policy, agency, &query(code, rest), 2026).expect("a source");
        assert_eq!(
            (source.address(), source.file_stem().as_str(), source.agency()),
            (address, name, Some(agency))
        );
        assert_eq!(
            FetchSource::from_url(&policy, address).expect("again"),
            source,
            "the address alone leads back"
        );
    };
    let wb = "https://api.worldbank.org/v2";
    let zip = format!("{wb}/en/indicator/FP.CPI.TOTL?downloadformat=csv");
    check("worldbank", "FP.CPI.TOTL", &[], &zip, "FP.CPI.TOTL");
    check("worldbank", "FP.CPI.TOTL", &[("country", "all")], &zip, "FP.CPI.TOTL");
    let part = format!("{wb}/country/USA;FRA/indicator/FP.CPI.TOTL?date=2000%3A2005&format=json&footnote=y");
    let years = [("country", "USA;FRA"), ("from", "2000"), ("to", "2005")];
    check("worldbank", "FP.CPI.TOTL", &years, &part, "FP.CPI.TOTL");
    let fred = "https://fred.stlouisfed.org/graph/fredgraph.csv?id=CPIAUCNS";
    check("fred", "CPIAUCNS", &[], fred, "CPIAUCNS");
    let span = format!("{fred}&cosd=2000-01-01&coed=2005-12-31");
    check("fred", "CPIAUCNS", &[("from", "2000"), ("to", "2005")], &span, "CPIAUCNS");
    let bls = "https://api.bls.gov/publicAPI/v2/timeseries/data/CUUR0000SA0";
    check("bls", "CUUR0000SA0", &[], bls, "CUUR0000SA0");
    let open = format!("{bls}?startyear=2000&endyear=2026");
    check("bls", "CUUR0000SA0", &[("from", "2000")], &open, "CUUR0000SA0");
    let eurostat = "https://ec.europa.eu/eurostat/api/dissemination/sdmx/2.1/data";
    let flow = format!("{eurostat}/prc_hicp_midx/M.I15.CP00.DE?startPeriod=2010&format=SDMX-CSV");
    check("eurostat", "prc_hicp_midx", &[("key", "M.I15.CP00.DE"), ("from", "2010")], &flow, "prc_hicp_midx");
    let oecd = "https://sdmx.oecd.org/public/rest/data/OECD.SDD.TPS,DSD_PRICES@DF_PRICES_ALL,1.0/all\
                ?dimensionAtObservation=AllDimensions&format=csvfile";
    let name = "OECD.SDD.TPS,DSD_PRICES_DF_PRICES_ALL,1.0";
    check("oecd", "OECD.SDD.TPS,DSD_PRICES@DF_PRICES_ALL,1.0", &[], oecd, name);
    let imf = "https://api.imf.org/external/sdmx/2.1/data/CPI/USA.CPI._T..M";
    check("imf", "CPI", &[("key", "USA.CPI._T..M")], imf, "CPI");
    let ilo = "https://sdmx.ilo.org/rest/data/ILO,DF_UNE_DEAP_SEX_AGE_RT/all?format=csvfile";
    check("ilo", "DF_UNE_DEAP_SEX_AGE_RT", &[], ilo, "ILO,DF_UNE_DEAP_SEX_AGE_RT");
    let ecb = "https://data-api.ecb.europa.eu/service/data/EXR/M.USD.EUR.SP00.A?format=csvdata";
    check("ecb", "EXR", &[("key", "M.USD.EUR.SP00.A")], ecb, "EXR");
    let insee = "https://bdm.insee.fr/series/sdmx/data/SERIES_BDM/001763852";
    check("insee", "SERIES_BDM", &[("key", "001763852")], insee, "SERIES_BDM");
}

#[test]
fn codes_cannot_change_the_path() {
    let policy = UrlPolicy::new(&[]).expect("no hosts");
    let check = |agency: &str, code: &str, rest: &[(&str, &str)], word: &str| {
        let agency = Agency::from_code(agency).expect("an agency");
        let error = FetchSource::from_agency(&policy, agency, &query(code, rest), 2026).expect_err(code);
        assert_eq!(error.code, word, "{agency:?} {code} {rest:?}: {error}");
    };
    for agency in Agency::ALL {
        for code in ["", "a/b", "../x", "..", "a?b=c", "a#b", "a&b", "a%2fb", "a b", "ä", "a\\b", "a\nb"] {
            check(agency.code(), code, &[], "code");
        }
        check(agency.code(), "x", &[("from", "2000&x=1"), ("to", "2001")], "period");
        check(agency.code(), "x", &[("from", "20"), ("to", "2001")], "period");
    }
    check("ecb", "EXR", &[("key", "..")], "code");
    check("worldbank", "x", &[("country", "USA/..")], "code");
    check("worldbank", "x", &[("from", "2000")], "period");
    check("bls", "x", &[("to", "2000")], "period");
    check("bls", "x", &[("from", "2005"), ("to", "2000")], "period");
    check("bls", "x", &[("from", "2005-M1")], "period");
    check("ecb", &"x".repeat(401), &[], "code");
}

#[test]
fn every_agency_has_a_code_and_a_name() {
    for agency in Agency::ALL {
        assert_eq!(Agency::from_code(agency.code()), Some(*agency));
        assert!(!agency.name().is_empty());
    }
    assert_eq!(Agency::from_code("nobody"), None);
}
