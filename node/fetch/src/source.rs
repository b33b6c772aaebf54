//! A source: one URL that identifies all its pages, and the requests for these pages.
//!
//! The URL alone is enough to load the same source again; snapshots record it.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use url::Url;

use crate::agency::{self, Agency, AgencyQuery};
use crate::error::{FetchError, FetchErrorCategory, terminal_safe};
use crate::http::FetchRequest;
use crate::url_policy::UrlPolicy;

/// Limit on the pages of one load.
pub(crate) const PAGES_MAX: usize = 1_000;
/// Rows of a World Bank page, slightly below the largest page that the API serves.
const WORLD_BANK_PAGE_ROWS: &str = "20000";
/// Series of one BLS request: the limit without an API key, which is below the limit with one.
const BLS_SERIES_MAX: usize = 25;
/// Years of one BLS request without an API key.
const BLS_YEARS_MAX: u16 = 10;
/// Limit on the characters of a file name derived from a URL.
const NAME_CHARS_MAX: usize = 100;

/// Source identified by its URL.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchSource {
    url: Url,
    pagination: Pagination,
}

/// Paging scheme of a source.
#[derive(Debug, Clone, PartialEq)]
enum Pagination {
    /// A single document.
    Single,
    /// Numbered pages, each with the total number of pages.
    WorldBank,
    /// Requests for batches of series and years.
    Bls(Vec<FetchRequest>),
}

/// Header of a World Bank page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
struct WorldBankHeader {
    #[serde(default)]
    page: u32,
    #[serde(default)]
    pages: u32,
    #[serde(default)]
    total: u64,
    #[serde(default)]
    lastupdated: Option<String>,
    #[serde(default)]
    message: Vec<WorldBankMessage>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct WorldBankMessage {
    #[serde(default)]
    value: String,
}

/// Status of a BLS response.
#[derive(Debug, Deserialize)]
struct BlsStatus {
    status: String,
    #[serde(default)]
    message: Vec<String>,
}

impl FetchSource {
    /// Creates the source of an agency query; `year` is the current year.
    ///
    /// # Errors
    /// [`FetchError`] for an invalid query or a blocked URL.
    pub fn from_agency(
        policy: &UrlPolicy,
        agency: Agency,
        ask: &AgencyQuery,
        year: i64,
    ) -> Result<Self, FetchError> {
        Self::new(policy.parse(agency::query_url(agency, ask, year)?.as_str())?)
    }

    /// Creates the source of a URL; the fragment is dropped.
    ///
    /// # Errors
    /// [`FetchError`] for an invalid or blocked URL.
    pub fn from_url(policy: &UrlPolicy, text: &str) -> Result<Self, FetchError> {
        let mut url = policy.parse(text)?;
        url.set_fragment(None);
        Self::new(url)
    }

    fn new(url: Url) -> Result<Self, FetchError> {
        let query = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value);
        let book = match Agency::of_url(&url) {
            Some(Agency::WorldBank)
                if query("format").as_deref() == Some("json") && query("page").is_none() =>
            {
                Pagination::WorldBank
            }
            Some(Agency::Bls) => match url.path().strip_prefix("/publicAPI/v2/timeseries/data/") {
                Some(series) if !series.is_empty() => Pagination::Bls(bls_requests(
                    series,
                    query("startyear").as_deref(),
                    query("endyear").as_deref(),
                )?),
                _ => Pagination::Single,
            },
            _ => Pagination::Single,
        };
        Ok(Self { url, pagination: book })
    }

    /// Returns the URL without API key.
    pub fn address(&self) -> &str {
        self.url.as_str()
    }

    /// Returns the agency, when the host belongs to a known one.
    pub fn agency(&self) -> Option<Agency> {
        Agency::of_url(&self.url)
    }

    /// Returns a file name without extension, derived from the requested series or indicator.
    pub fn file_stem(&self) -> String {
        let segments: Vec<&str> = self.url.path().split('/').filter(|part| !part.is_empty()).collect();
        let after = |word: &str| {
            let at = segments.iter().position(|part| *part == word)?;
            segments.get(at + 1).map(|part| (*part).to_owned())
        };
        let id = self.url.query_pairs().find(|(name, _)| matches!(&**name, "id" | "series_id"));
        let name =
            id.map(|(_, value)| value.into_owned()).or_else(|| after("indicator")).or_else(|| after("data"));
        let name = name.or_else(|| segments.last().map(|part| (*part).to_owned())).unwrap_or_default();
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-,".contains(c) { c } else { '_' };
        let name: String = name.trim_start_matches('.').chars().take(NAME_CHARS_MAX).map(plain).collect();
        if name.is_empty() { "source".into() } else { name }
    }

    pub(crate) fn is_single(&self) -> bool {
        self.pagination == Pagination::Single
    }

    /// Returns the request for page `at` (from 0), or `None` after the last; `pages` are the previous
    /// pages.
    ///
    /// # Errors
    /// [`FetchErrorCategory::InvalidResponse`] when the first page has no valid header or announces
    /// more than [`PAGES_MAX`] pages.
    pub(crate) fn page_request(
        &self,
        at: usize,
        pages: &[Vec<u8>],
    ) -> Result<Option<FetchRequest>, FetchError> {
        match &self.pagination {
            Pagination::Single if at == 0 => Ok(Some(FetchRequest {
                url: self.url.clone(),
                accept: agency::accept_header(&self.url),
                body: None,
            })),
            Pagination::Single => Ok(None),
            Pagination::Bls(questions) => Ok(questions.get(at).cloned()),
            Pagination::WorldBank => {
                let Some(first) = pages.first() else { return Ok(Some(self.numbered_request(1))) };
                let count = usize::try_from(parse_header(first)?.pages).unwrap_or(usize::MAX);
                if count > PAGES_MAX {
                    return Err(invalid_page(format!(
                        "the source has {count} pages, the limit is {PAGES_MAX}"
                    )));
                }
                Ok((at < count).then(|| self.numbered_request(at + 1)))
            }
        }
    }

    /// Returns the number of pages, when known.
    pub(crate) fn page_count(&self, pages: &[Vec<u8>]) -> Option<usize> {
        match &self.pagination {
            Pagination::Single => Some(1),
            Pagination::Bls(questions) => Some(questions.len()),
            Pagination::WorldBank => parse_header(pages.first()?).ok().map(|head| head.pages as usize),
        }
    }

    fn numbered_request(&self, page: usize) -> FetchRequest {
        let mut url = self.url.clone();
        if !url.query_pairs().any(|(name, _)| name == "per_page") {
            url.query_pairs_mut().append_pair("per_page", WORLD_BANK_PAGE_ROWS);
        }
        url.query_pairs_mut().append_pair("page", &page.to_string());
        FetchRequest { url, accept: None, body: None }
    }

    /// Checks that a document is page `at` after the previous pages, and not an error message.
    ///
    /// # Errors
    /// [`FetchError`]; code `pages-differ` when the source changed between two pages.
    pub(crate) fn check_page(&self, at: usize, bytes: &[u8], pages: &[Vec<u8>]) -> Result<(), FetchError> {
        match &self.pagination {
            Pagination::Single => Ok(()),
            Pagination::Bls(_) => check_bls_status(bytes),
            Pagination::WorldBank => {
                let this = parse_header(bytes)?;
                if let Some(message) = this.message.first() {
                    let said = format!("the World Bank answered: {}", terminal_safe(&message.value));
                    return Err(FetchError::new(FetchErrorCategory::NotFound, "source-gone", said)
                        .with_hint("check the indicator and the country"));
                }
                let first = pages.first().map_or_else(|| Ok(this.clone()), |first| parse_header(first))?;
                // A change of any of these shows that the source was updated between two pages.
                let same = (this.total, this.pages, &this.lastupdated)
                    == (first.total, first.pages, &first.lastupdated);
                // A response without rows has page number 0.
                let number = this.page as usize == at + 1 || (this.total == 0 && at == 0);
                if same && number { Ok(()) } else { Err(pages_differ()) }
            }
        }
    }

    /// Joins all pages to one document: JSON texts separated by line feeds.
    pub(crate) fn join_pages(&self, pages: Vec<Vec<u8>>) -> Vec<u8> {
        pages.join(&b'\n')
    }
}

fn invalid_page(message: String) -> FetchError {
    FetchError::new(FetchErrorCategory::InvalidResponse, "pages", message)
}

fn pages_differ() -> FetchError {
    FetchError::new(FetchErrorCategory::InvalidResponse, "pages-differ", "the source changed during the load")
        .with_hint("try again: the source is being updated")
}

fn parse_header(bytes: &[u8]) -> Result<WorldBankHeader, FetchError> {
    let whole = serde_json::from_slice::<(WorldBankHeader, IgnoredAny)>(bytes).map(|(head, _)| head);
    whole
        .or_else(|_| serde_json::from_slice::<(WorldBankHeader,)>(bytes).map(|(head,)| head))
        .map_err(|error| invalid_page(format!("expected a World Bank page in JSON: {error}")))
}

fn check_bls_status(bytes: &[u8]) -> Result<(), FetchError> {
    let verdict: BlsStatus = serde_json::from_slice(bytes)
        .map_err(|error| invalid_page(format!("expected a BLS response in JSON: {error}")))?;
    if verdict.status == "REQUEST_SUCCEEDED" {
        return Ok(());
    }
    let said = format!(
        "BLS answered {}: {}",
        terminal_safe(&verdict.status),
        terminal_safe(&verdict.message.join(" "))
    );
    let error = FetchError::new(FetchErrorCategory::AccessDenied, "source-denied", said);
    Err(error.with_hint("an API key in BLS_API_KEY raises the daily quota"))
}

/// Splits a query into BLS requests: batches of series, each for all spans of years.
fn bls_requests(series: &str, from: Option<&str>, to: Option<&str>) -> Result<Vec<FetchRequest>, FetchError> {
    let wrong = |what: &str| {
        FetchError::new(
            FetchErrorCategory::InvalidRequest,
            "period",
            format!("`{}` is not a year for BLS", terminal_safe(what)),
        )
    };
    let year = |text: &str| {
        text.parse::<u16>().ok().filter(|year| (1800..2200).contains(year)).ok_or_else(|| wrong(text))
    };
    let series: Vec<&str> = series.split([',', '/']).filter(|id| !id.is_empty()).collect();
    let spans = match (from, to) {
        (Some(from), Some(to)) => year_spans(year(from)?, year(to)?)?,
        _ => vec![None],
    };
    let url = Url::parse("https://api.bls.gov/publicAPI/v2/timeseries/data/");
    let url = url.map_err(|error| invalid_page(error.to_string()))?;
    let ask = |series: &[&str], span: &Option<(u16, u16)>| {
        let mut body = json!({ "seriesid": series });
        if let (Some((from, to)), Some(fields)) = (span, body.as_object_mut()) {
            fields.insert("startyear".into(), from.to_string().into());
            fields.insert("endyear".into(), to.to_string().into());
        }
        FetchRequest { url: url.clone(), accept: None, body: Some(body) }
    };
    let asked = series.chunks(BLS_SERIES_MAX).flat_map(|batch| spans.iter().map(move |span| (batch, span)));
    let questions: Vec<FetchRequest> =
        asked.map(|(batch, span)| ask(batch, span)).take(PAGES_MAX + 1).collect();
    if questions.len() > PAGES_MAX {
        return Err(FetchError::new(
            FetchErrorCategory::InvalidRequest,
            "pages",
            format!("the query needs more than {PAGES_MAX} BLS requests"),
        ));
    }
    Ok(questions)
}

fn year_spans(from: u16, to: u16) -> Result<Vec<Option<(u16, u16)>>, FetchError> {
    if from > to {
        let message = format!("the first year {from} is after the last year {to}");
        return Err(FetchError::new(FetchErrorCategory::InvalidRequest, "period", message));
    }
    Ok((from..=to)
        .step_by(usize::from(BLS_YEARS_MAX))
        .map(|start| Some((start, to.min(start + BLS_YEARS_MAX - 1))))
        .collect())
}
