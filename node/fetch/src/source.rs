//! A source: one address that stands for all its pages, and the requests that they are asked by.
//!
//! The address is enough to ask for the same again: it is what a snapshot keeps.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use url::Url;

use crate::agency::{self, Agency, AgencyQuery};
use crate::error::{FetchError, FetchErrorCategory, terminal_safe};
use crate::http::FetchRequest;
use crate::url_policy::UrlPolicy;

/// Pages of one load.
pub(crate) const PAGES_MAX: usize = 1_000;
/// Rows of a page of the World Bank: the largest that it serves is a little larger.
const WORLD_BANK_PAGE_ROWS: &str = "20000";
/// Series of one question to BLS without a key, which fits those with one.
const BLS_SERIES_MAX: usize = 25;
/// Years of one question to BLS without a key.
const BLS_YEARS_MAX: u16 = 10;
/// Characters of a file name made from an address.
const NAME_CHARS_MAX: usize = 100;

/// What can be asked for, now and again.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchSource {
    url: Url,
    pagination: Pagination,
}

/// How the pages hang together.
#[derive(Debug, Clone, PartialEq)]
enum Pagination {
    /// One document.
    Single,
    /// Pages with a number, each of which says how many there are.
    WorldBank,
    /// Questions of some series and years each.
    Bls(Vec<FetchRequest>),
}

/// What a page of the World Bank says of all of them.
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

/// What BLS says of a question.
#[derive(Debug, Deserialize)]
struct BlsStatus {
    status: String,
    #[serde(default)]
    message: Vec<String>,
}

impl FetchSource {
    /// What an agency has under a code; `year` is the present one.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be asked.
    pub fn from_agency(
        guard: &UrlPolicy,
        agency: Agency,
        ask: &AgencyQuery,
        year: i64,
    ) -> Result<Self, FetchError> {
        Self::new(guard.parse(agency::query_url(agency, ask, year)?.as_str())?)
    }

    /// What is at an address.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be asked.
    pub fn from_url(guard: &UrlPolicy, text: &str) -> Result<Self, FetchError> {
        let mut url = guard.parse(text)?;
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

    /// Its address, without a key.
    pub fn address(&self) -> &str {
        self.url.as_str()
    }

    /// The agency, when it is one that is known.
    pub fn agency(&self) -> Option<Agency> {
        Agency::of_url(&self.url)
    }

    /// A name for the file: what was asked for, without an ending.
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

    /// The request of page `at` (from 0); none after the last. `pages` are those before it.
    ///
    /// # Errors
    /// [`Kind::Answer`] when the pages so far do not belong together.
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
                        "the source has {count} pages where {PAGES_MAX} are asked at the most"
                    )));
                }
                Ok((at < count).then(|| self.numbered_request(at + 1)))
            }
        }
    }

    /// How many pages there are, as far as it is known.
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

    /// Checks that the document is page `at` of the pages before it, and not a message in its place.
    ///
    /// # Errors
    /// [`Fault`]; `pages-differ` when the source changed between two pages.
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
                let same = (this.total, this.pages, &this.lastupdated)
                    == (first.total, first.pages, &first.lastupdated);
                // An answer without a row says that it has no page.
                let number = this.page as usize == at + 1 || (this.total == 0 && at == 0);
                if same && number { Ok(()) } else { Err(pages_differ()) }
            }
        }
    }

    /// All pages as one document: JSON texts one after the other, each in lines of its own.
    pub(crate) fn join_pages(&self, pages: Vec<Vec<u8>>) -> Vec<u8> {
        pages.join(&b'\n')
    }
}

fn invalid_page(message: String) -> FetchError {
    FetchError::new(FetchErrorCategory::InvalidResponse, "pages", message)
}

fn pages_differ() -> FetchError {
    FetchError::new(
        FetchErrorCategory::InvalidResponse,
        "pages-differ",
        "the source changed while its pages were loaded",
    )
    .with_hint("try again: the source is being updated")
}

fn parse_header(bytes: &[u8]) -> Result<WorldBankHeader, FetchError> {
    let whole = serde_json::from_slice::<(WorldBankHeader, IgnoredAny)>(bytes).map(|(head, _)| head);
    whole
        .or_else(|_| serde_json::from_slice::<(WorldBankHeader,)>(bytes).map(|(head,)| head))
        .map_err(|fault| invalid_page(format!("expected a page of the World Bank as JSON: {fault}")))
}

fn check_bls_status(bytes: &[u8]) -> Result<(), FetchError> {
    let verdict: BlsStatus = serde_json::from_slice(bytes)
        .map_err(|fault| invalid_page(format!("expected an answer of BLS as JSON: {fault}")))?;
    if verdict.status == "REQUEST_SUCCEEDED" {
        return Ok(());
    }
    let said = format!(
        "BLS answered {}: {}",
        terminal_safe(&verdict.status),
        terminal_safe(&verdict.message.join(" "))
    );
    let fault = FetchError::new(FetchErrorCategory::AccessDenied, "source-denied", said);
    Err(fault.with_hint("a key lifts the daily number of questions: it is read from BLS_API_KEY"))
}

/// The questions to BLS: series in batches, years in spans, in the order of the series.
fn bls_requests(series: &str, from: Option<&str>, to: Option<&str>) -> Result<Vec<FetchRequest>, FetchError> {
    let wrong = |what: &str| {
        FetchError::new(
            FetchErrorCategory::InvalidRequest,
            "period",
            format!("`{}` is no year of BLS", terminal_safe(what)),
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
    let url = url.map_err(|fault| invalid_page(fault.to_string()))?;
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
            format!("more than {PAGES_MAX} questions to BLS"),
        ));
    }
    Ok(questions)
}

fn year_spans(from: u16, to: u16) -> Result<Vec<Option<(u16, u16)>>, FetchError> {
    if from > to {
        let message = format!("the first year {from} comes after the last, {to}");
        return Err(FetchError::new(FetchErrorCategory::InvalidRequest, "period", message));
    }
    Ok((from..=to)
        .step_by(usize::from(BLS_YEARS_MAX))
        .map(|start| Some((start, to.min(start + BLS_YEARS_MAX - 1))))
        .collect())
}
