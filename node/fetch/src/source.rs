//! A source: one address that stands for all its pages, and the requests that they are asked by.
//!
//! The address is enough to ask for the same again: it is what a snapshot keeps.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use url::Url;

use crate::agency::{self, Agency, Ask};
use crate::fault::{Fault, Kind, shown};
use crate::guard::Guard;
use crate::wire::Request;

/// Pages of one load.
pub(crate) const PAGES_MAX: usize = 1_000;
/// Rows of a page of the World Bank: the largest that it serves is a little larger.
const ROWS: &str = "20000";
/// Series of one question to BLS without a key, which fits those with one.
const SERIES: usize = 25;
/// Years of one question to BLS without a key.
const YEARS: u16 = 10;
/// Characters of a file name made from an address.
const NAME_CHARS_MAX: usize = 100;

/// What can be asked for, now and again.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    url: Url,
    book: Book,
}

/// How the pages hang together.
#[derive(Debug, Clone, PartialEq)]
enum Book {
    /// One document.
    Single,
    /// Pages with a number, each of which says how many there are.
    WorldBank,
    /// Questions of some series and years each.
    Bls(Vec<Request>),
}

/// What a page of the World Bank says of all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
struct Head {
    #[serde(default)]
    page: u32,
    #[serde(default)]
    pages: u32,
    #[serde(default)]
    total: u64,
    #[serde(default)]
    lastupdated: Option<String>,
    #[serde(default)]
    message: Vec<Message>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Message {
    #[serde(default)]
    value: String,
}

/// What BLS says of a question.
#[derive(Debug, Deserialize)]
struct Verdict {
    status: String,
    #[serde(default)]
    message: Vec<String>,
}

impl Source {
    /// What an agency has under a code; `year` is the present one.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be asked.
    pub fn ask(guard: &Guard, agency: Agency, ask: &Ask, year: i64) -> Result<Self, Fault> {
        Self::new(guard.parse(agency::address(agency, ask, year)?.as_str())?)
    }

    /// What is at an address.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be asked.
    pub fn url(guard: &Guard, text: &str) -> Result<Self, Fault> {
        let mut url = guard.parse(text)?;
        url.set_fragment(None);
        Self::new(url)
    }

    fn new(url: Url) -> Result<Self, Fault> {
        let query = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value);
        let book = match Agency::of(&url) {
            Some(Agency::WorldBank)
                if query("format").as_deref() == Some("json") && query("page").is_none() =>
            {
                Book::WorldBank
            }
            Some(Agency::Bls) => match url.path().strip_prefix("/publicAPI/v2/timeseries/data/") {
                Some(series) if !series.is_empty() => {
                    Book::Bls(questions(series, query("startyear").as_deref(), query("endyear").as_deref())?)
                }
                _ => Book::Single,
            },
            _ => Book::Single,
        };
        Ok(Self { url, book })
    }

    /// Its address, without a key.
    pub fn address(&self) -> &str {
        self.url.as_str()
    }

    /// The agency, when it is one that is known.
    pub fn agency(&self) -> Option<Agency> {
        Agency::of(&self.url)
    }

    /// A name for the file: what was asked for, without an ending.
    pub fn name(&self) -> String {
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
        self.book == Book::Single
    }

    /// The request of page `at` (from 0); none after the last. `pages` are those before it.
    ///
    /// # Errors
    /// [`Kind::Answer`] when the pages so far do not belong together.
    pub(crate) fn page(&self, at: usize, pages: &[Vec<u8>]) -> Result<Option<Request>, Fault> {
        match &self.book {
            Book::Single if at == 0 => {
                Ok(Some(Request { url: self.url.clone(), accept: agency::accept(&self.url), body: None }))
            }
            Book::Single => Ok(None),
            Book::Bls(questions) => Ok(questions.get(at).cloned()),
            Book::WorldBank => {
                let Some(first) = pages.first() else { return Ok(Some(self.numbered(1))) };
                let count = usize::try_from(head(first)?.pages).unwrap_or(usize::MAX);
                if count > PAGES_MAX {
                    return Err(odd(format!(
                        "the source has {count} pages where {PAGES_MAX} are asked at the most"
                    )));
                }
                Ok((at < count).then(|| self.numbered(at + 1)))
            }
        }
    }

    /// How many pages there are, as far as it is known.
    pub(crate) fn count(&self, pages: &[Vec<u8>]) -> Option<usize> {
        match &self.book {
            Book::Single => Some(1),
            Book::Bls(questions) => Some(questions.len()),
            Book::WorldBank => head(pages.first()?).ok().map(|head| head.pages as usize),
        }
    }

    fn numbered(&self, page: usize) -> Request {
        let mut url = self.url.clone();
        if !url.query_pairs().any(|(name, _)| name == "per_page") {
            url.query_pairs_mut().append_pair("per_page", ROWS);
        }
        url.query_pairs_mut().append_pair("page", &page.to_string());
        Request { url, accept: None, body: None }
    }

    /// Checks that the document is page `at` of the pages before it, and not a message in its place.
    ///
    /// # Errors
    /// [`Fault`]; `pages-differ` when the source changed between two pages.
    pub(crate) fn fits(&self, at: usize, bytes: &[u8], pages: &[Vec<u8>]) -> Result<(), Fault> {
        match &self.book {
            Book::Single => Ok(()),
            Book::Bls(_) => processed(bytes),
            Book::WorldBank => {
                let this = head(bytes)?;
                if let Some(message) = this.message.first() {
                    let said = format!("the World Bank answered: {}", shown(&message.value));
                    return Err(Fault::new(Kind::Gone, "source-gone", said)
                        .hint("check the indicator and the country"));
                }
                let first = pages.first().map_or_else(|| Ok(this.clone()), |first| head(first))?;
                let same = (this.total, this.pages, &this.lastupdated)
                    == (first.total, first.pages, &first.lastupdated);
                // An answer without a row says that it has no page.
                let number = this.page as usize == at + 1 || (this.total == 0 && at == 0);
                if same && number { Ok(()) } else { Err(differ()) }
            }
        }
    }

    /// All pages as one document: JSON texts one after the other, each in lines of its own.
    pub(crate) fn bind(&self, pages: Vec<Vec<u8>>) -> Vec<u8> {
        pages.join(&b'\n')
    }
}

fn odd(message: String) -> Fault {
    Fault::new(Kind::Answer, "pages", message)
}

fn differ() -> Fault {
    Fault::new(Kind::Answer, "pages-differ", "the source changed while its pages were loaded")
        .hint("try again: the source is being updated")
}

fn head(bytes: &[u8]) -> Result<Head, Fault> {
    let whole = serde_json::from_slice::<(Head, IgnoredAny)>(bytes).map(|(head, _)| head);
    whole
        .or_else(|_| serde_json::from_slice::<(Head,)>(bytes).map(|(head,)| head))
        .map_err(|fault| odd(format!("expected a page of the World Bank as JSON: {fault}")))
}

fn processed(bytes: &[u8]) -> Result<(), Fault> {
    let verdict: Verdict = serde_json::from_slice(bytes)
        .map_err(|fault| odd(format!("expected an answer of BLS as JSON: {fault}")))?;
    if verdict.status == "REQUEST_SUCCEEDED" {
        return Ok(());
    }
    let said = format!("BLS answered {}: {}", shown(&verdict.status), shown(&verdict.message.join(" ")));
    let fault = Fault::new(Kind::Denied, "source-denied", said);
    Err(fault.hint("a key lifts the daily number of questions: it is read from BLS_API_KEY"))
}

/// The questions to BLS: series in batches, years in spans, in the order of the series.
fn questions(series: &str, from: Option<&str>, to: Option<&str>) -> Result<Vec<Request>, Fault> {
    let wrong =
        |what: &str| Fault::new(Kind::Asked, "period", format!("`{}` is no year of BLS", shown(what)));
    let year = |text: &str| {
        text.parse::<u16>().ok().filter(|year| (1800..2200).contains(year)).ok_or_else(|| wrong(text))
    };
    let series: Vec<&str> = series.split([',', '/']).filter(|id| !id.is_empty()).collect();
    let spans = match (from, to) {
        (Some(from), Some(to)) => spans(year(from)?, year(to)?)?,
        _ => vec![None],
    };
    let url = Url::parse("https://api.bls.gov/publicAPI/v2/timeseries/data/");
    let url = url.map_err(|fault| odd(fault.to_string()))?;
    let ask = |series: &[&str], span: &Option<(u16, u16)>| {
        let mut body = json!({ "seriesid": series });
        if let (Some((from, to)), Some(fields)) = (span, body.as_object_mut()) {
            fields.insert("startyear".into(), from.to_string().into());
            fields.insert("endyear".into(), to.to_string().into());
        }
        Request { url: url.clone(), accept: None, body: Some(body) }
    };
    let asked = series.chunks(SERIES).flat_map(|batch| spans.iter().map(move |span| (batch, span)));
    let questions: Vec<Request> = asked.map(|(batch, span)| ask(batch, span)).take(PAGES_MAX + 1).collect();
    if questions.len() > PAGES_MAX {
        return Err(Fault::new(Kind::Asked, "pages", format!("more than {PAGES_MAX} questions to BLS")));
    }
    Ok(questions)
}

fn spans(from: u16, to: u16) -> Result<Vec<Option<(u16, u16)>>, Fault> {
    if from > to {
        let message = format!("the first year {from} comes after the last, {to}");
        return Err(Fault::new(Kind::Asked, "period", message));
    }
    Ok((from..=to)
        .step_by(usize::from(YEARS))
        .map(|start| Some((start, to.min(start + YEARS - 1))))
        .collect())
}
