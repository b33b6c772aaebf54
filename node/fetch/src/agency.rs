//! Statistical agencies: hosts, and the URL of a code, an SDMX key and years at each of them.
//!
//! CSV is requested where an agency offers it. No URL built here contains an API key.

use url::Url;

use crate::error::{FetchError, FetchErrorCategory, terminal_safe};

/// SDMX-CSV 1.0, for services that choose the format by the `Accept` header.
pub(crate) const SDMX_CSV: &str = "application/vnd.sdmx.data+csv;version=1.0.0";
/// SDMX-ML 2.1, for services that have no CSV.
pub(crate) const SDMX_ML: &str = "application/vnd.sdmx.structurespecificdata+xml;version=2.1";

/// Limit on the characters of a code or an SDMX key.
const CODE_CHARS_MAX: usize = 400;

/// Statistical agency with a public API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agency {
    /// World Bank, Indicators API.
    WorldBank,
    /// Federal Reserve Bank of St. Louis.
    Fred,
    /// U.S. Bureau of Labor Statistics, public API v2.
    Bls,
    /// Eurostat.
    Eurostat,
    /// OECD.
    Oecd,
    /// International Monetary Fund.
    Imf,
    /// International Labour Organization.
    Ilo,
    /// European Central Bank.
    Ecb,
    /// Institut national de la statistique et des études économiques.
    Insee,
}

/// Query of an agency.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AgencyQuery {
    /// Indicator, series (several separated by commas) or dataflow.
    pub code: String,
    /// SDMX key; all series when absent.
    pub key: Option<String>,
    /// Countries of a World Bank indicator, separated by semicolons; all when absent.
    pub country: Option<String>,
    /// First year or period.
    pub from: Option<String>,
    /// Last year or period.
    pub to: Option<String>,
}

impl Agency {
    /// All agencies.
    pub const ALL: &'static [Agency] = &[
        Agency::WorldBank,
        Agency::Fred,
        Agency::Bls,
        Agency::Eurostat,
        Agency::Oecd,
        Agency::Imf,
        Agency::Ilo,
        Agency::Ecb,
        Agency::Insee,
    ];

    /// Returns the name on the command line.
    pub fn code(self) -> &'static str {
        match self {
            Agency::WorldBank => "worldbank",
            Agency::Fred => "fred",
            Agency::Bls => "bls",
            Agency::Eurostat => "eurostat",
            Agency::Oecd => "oecd",
            Agency::Imf => "imf",
            Agency::Ilo => "ilo",
            Agency::Ecb => "ecb",
            Agency::Insee => "insee",
        }
    }

    /// Returns the full name.
    pub fn name(self) -> &'static str {
        match self {
            Agency::WorldBank => "World Bank",
            Agency::Fred => "Federal Reserve Bank of St. Louis",
            Agency::Bls => "U.S. Bureau of Labor Statistics",
            Agency::Eurostat => "Eurostat",
            Agency::Oecd => "OECD",
            Agency::Imf => "International Monetary Fund",
            Agency::Ilo => "International Labour Organization",
            Agency::Ecb => "European Central Bank",
            Agency::Insee => "INSEE",
        }
    }

    /// Returns the agency with this name on the command line.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|agency| agency.code() == code)
    }

    /// Returns the agency that serves a URL.
    pub fn of_url(url: &Url) -> Option<Self> {
        match url.host_str()? {
            "api.worldbank.org" => Some(Agency::WorldBank),
            "api.stlouisfed.org" | "fred.stlouisfed.org" => Some(Agency::Fred),
            "api.bls.gov" | "download.bls.gov" => Some(Agency::Bls),
            "ec.europa.eu" if url.path().starts_with("/eurostat/") => Some(Agency::Eurostat),
            "sdmx.oecd.org" => Some(Agency::Oecd),
            "api.imf.org" => Some(Agency::Imf),
            "rplumber.ilo.org" | "sdmx.ilo.org" => Some(Agency::Ilo),
            "data-api.ecb.europa.eu" => Some(Agency::Ecb),
            "bdm.insee.fr" | "api.insee.fr" => Some(Agency::Insee),
            _ => None,
        }
    }
}

/// Returns the `Accept` header for services that choose the format by it.
pub(crate) fn accept_header(url: &Url) -> Option<&'static str> {
    match url.host_str()? {
        "api.imf.org" | "sdmx.ilo.org" => Some(SDMX_CSV),
        "bdm.insee.fr" | "api.insee.fr" => Some(SDMX_ML),
        _ => None,
    }
}

/// Returns the URL of a query; `year` is the current year.
///
/// # Errors
/// [`FetchErrorCategory::InvalidRequest`] when a part of the query is not valid in a URL of this
/// agency.
pub(crate) fn query_url(agency: Agency, ask: &AgencyQuery, year: i64) -> Result<Url, FetchError> {
    let code = check_code("code", &ask.code)?;
    let key = ask.key.as_deref().map(|key| check_code("key", key)).transpose()?;
    for (what, period) in [("--from", &ask.from), ("--to", &ask.to)] {
        period.as_deref().map_or(Ok(()), |period| check_period(what, period))?;
    }
    let flow = key.unwrap_or("all");
    match agency {
        Agency::WorldBank => world_bank_url(code, ask),
        Agency::Fred => fred_url(code, ask),
        Agency::Bls => bls_url(code, ask, year),
        Agency::Eurostat => {
            let data = match key {
                Some(key) => format!("{code}/{key}"),
                None => code.to_owned(),
            };
            let base = "https://ec.europa.eu/eurostat/api/dissemination/sdmx/2.1/data";
            sdmx_url(&format!("{base}/{data}"), &[("format", "SDMX-CSV")], ask)
        }
        Agency::Oecd => {
            let fixed = [("dimensionAtObservation", "AllDimensions"), ("format", "csvfile")];
            sdmx_url(&format!("https://sdmx.oecd.org/public/rest/data/{code}/{flow}"), &fixed, ask)
        }
        Agency::Imf => {
            sdmx_url(&format!("https://api.imf.org/external/sdmx/2.1/data/{code}/{flow}"), &[], ask)
        }
        Agency::Ilo => {
            let code = if code.contains(',') { code.to_owned() } else { format!("ILO,{code}") };
            sdmx_url(&format!("https://sdmx.ilo.org/rest/data/{code}/{flow}"), &[("format", "csvfile")], ask)
        }
        Agency::Ecb => {
            let data =
                format!("https://data-api.ecb.europa.eu/service/data/{code}/{}", key.unwrap_or_default());
            sdmx_url(data.trim_end_matches('/'), &[("format", "csvdata")], ask)
        }
        Agency::Insee => {
            let data = format!("https://bdm.insee.fr/series/sdmx/data/{code}/{}", key.unwrap_or_default());
            sdmx_url(data.trim_end_matches('/'), &[], ask)
        }
    }
}

/// Returns the bulk download (ZIP) for all countries and years, and the paged JSON API otherwise.
fn world_bank_url(code: &str, ask: &AgencyQuery) -> Result<Url, FetchError> {
    let country = check_code("--country", ask.country.as_deref().unwrap_or("all"))?;
    let all = country.eq_ignore_ascii_case("all");
    let mut url = if all && ask.from.is_none() && ask.to.is_none() {
        parse_url(&format!("https://api.worldbank.org/v2/en/indicator/{code}"))?
    } else {
        parse_url(&format!("https://api.worldbank.org/v2/country/{country}/indicator/{code}"))?
    };
    match (&ask.from, &ask.to) {
        (None, None) if all => {
            url.query_pairs_mut().append_pair("downloadformat", "csv");
            return Ok(url);
        }
        (None, None) => {}
        (Some(from), Some(to)) => {
            url.query_pairs_mut().append_pair("date", &format!("{from}:{to}"));
        }
        _ => return Err(require_both_years()),
    }
    url.query_pairs_mut().append_pair("format", "json").append_pair("footnote", "y");
    Ok(url)
}

fn require_both_years() -> FetchError {
    FetchError::new(FetchErrorCategory::InvalidRequest, "period", "expected `--from` and `--to` together")
}

fn fred_url(code: &str, ask: &AgencyQuery) -> Result<Url, FetchError> {
    let mut url = parse_url("https://fred.stlouisfed.org/graph/fredgraph.csv")?;
    url.query_pairs_mut().append_pair("id", code);
    for (name, period, day) in [("cosd", &ask.from, "01-01"), ("coed", &ask.to, "12-31")] {
        if let Some(period) = period {
            let day = if period.len() == 4 { format!("{period}-{day}") } else { period.clone() };
            url.query_pairs_mut().append_pair(name, &day);
        }
    }
    Ok(url)
}

/// Returns one URL for all batches of series and years; the batches become POST requests later.
fn bls_url(code: &str, ask: &AgencyQuery, year: i64) -> Result<Url, FetchError> {
    let mut url = parse_url(&format!("https://api.bls.gov/publicAPI/v2/timeseries/data/{code}"))?;
    match (&ask.from, &ask.to) {
        (None, None) => {}
        (None, Some(_)) => return Err(require_both_years()),
        (Some(from), to) => {
            let to = to.clone().unwrap_or_else(|| year.to_string());
            url.query_pairs_mut().append_pair("startyear", from).append_pair("endyear", &to);
        }
    }
    Ok(url)
}

fn sdmx_url(text: &str, fixed: &[(&str, &str)], ask: &AgencyQuery) -> Result<Url, FetchError> {
    let mut url = parse_url(text)?;
    let periods = [("startPeriod", ask.from.as_deref()), ("endPeriod", ask.to.as_deref())];
    let periods = periods.iter().filter_map(|(name, period)| Some((*name, (*period)?)));
    let pairs: Vec<(&str, &str)> = periods.chain(fixed.iter().copied()).collect();
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    Ok(url)
}

fn parse_url(text: &str) -> Result<Url, FetchError> {
    Url::parse(text).map_err(|error| {
        FetchError::new(
            FetchErrorCategory::InvalidRequest,
            "url",
            format!("`{}`: {error}", terminal_safe(text)),
        )
    })
}

/// Checks that a code is a single path segment that cannot change the path of a URL.
fn check_code<'a>(what: &str, code: &'a str) -> Result<&'a str, FetchError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-,;+@*:".contains(c);
    if !code.is_empty() && code.len() <= CODE_CHARS_MAX && code.chars().all(plain) && !code.contains("..") {
        return Ok(code);
    }
    // Two dots are an empty dimension of an SDMX key, but the parent folder when they are the whole
    // path segment.
    let key = code.len() <= CODE_CHARS_MAX && code.chars().all(plain) && !matches!(code, "" | "." | "..");
    if what == "key" && key {
        return Ok(code);
    }
    let message = format!("the {what} `{}` is not valid in a URL", terminal_safe(code));
    Err(FetchError::new(FetchErrorCategory::InvalidRequest, "code", message)
        .with_hint("expected letters, digits and `. _ - , ; + @ * :`"))
}

fn check_period(what: &str, period: &str) -> Result<(), FetchError> {
    let year = period.get(..4).is_some_and(|year| year.bytes().all(|b| b.is_ascii_digit()));
    let plain = period.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if year && plain && period.len() <= 10 {
        return Ok(());
    }
    let message = format!("{what} `{}` is not a year or period", terminal_safe(period));
    Err(FetchError::new(FetchErrorCategory::InvalidRequest, "period", message)
        .with_hint("as in 2010, 2010-M03 or 2010-03-31"))
}
