//! From words on a command line to a document fetched from its source.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use fetch::{
    Agency, AgencyQuery, ApiKeys, FetchClock, FetchHistory, FetchSource, Fetcher, LoadOutcome, LoadProgress,
    RequestRecord, UrlPolicy, Validators,
};
use indicatif::{ProgressBar, ProgressStyle};
use ingest::Format;
use schemas::cid::PieceId;
use serde_json::{Value, json};

use crate::args::{Global, Import};
use crate::backend::home;
use crate::fault::Fault;
use crate::screen::Screen;

/// Endings that a code has not: `FP.CPI.TOTL` is one, `CPI.csv` is a file.
const ENDINGS: &[&str] =
    &["csv", "dat", "gz", "json", "tab", "toml", "tsv", "txt", "xls", "xlsx", "xml", "zip"];

/// Seconds of a year, on average: close enough to name the present one.
const YEAR_SECONDS: i64 = 31_556_952;

/// What the words of an import mean.
#[derive(Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A file here.
    File {
        /// Its format.
        format: Option<Format>,
        /// The file, and after it further pages or the lists of its codes.
        paths: Vec<PathBuf>,
    },
    /// A source on the net.
    Net(Place),
}

/// A source on the net.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// What an agency has under a code.
    Agency(Agency, AgencyQuery),
    /// What is at an address.
    Url(String),
}

/// What is known of the source of a document.
#[derive(Debug)]
pub struct Origin {
    /// The address that stands for all that was asked; without a key.
    pub url: String,
    /// When: seconds since 1970-01-01T00:00:00Z.
    pub fetched: i64,
    /// Media type of the document.
    pub media_type: String,
    /// The agency, when it is known.
    pub agency: Option<&'static str>,
    asked: Vec<RequestRecord>,
    validators: Validators,
    memory: FetchHistory,
}

/// A fetched document.
#[derive(Debug)]
pub struct Loaded {
    /// A name for the file.
    pub name: String,
    /// The document.
    pub bytes: Vec<u8>,
    /// Where it came from.
    pub origin: Origin,
}

/// Reads the words of an import.
///
/// # Errors
/// When they are neither a format and a file, nor an agency and a code, nor an address.
pub fn wanted(args: &Import) -> Result<Wanted, Fault> {
    let words: Vec<&str> = args.what.iter().map(String::as_str).collect();
    match words.as_slice() {
        [url] if url.contains("://") => Ok(Wanted::Net(Place::Url((*url).to_owned()))),
        [format, paths @ ..]
            if Format::from_code(format).is_some()
                && !paths.is_empty()
                && paths.iter().all(|path| file(path)) =>
        {
            Ok(files(Format::from_code(format), paths))
        }
        paths if !paths.is_empty() && paths.iter().all(|path| file(path)) => Ok(files(None, paths)),
        [word] => Err(unknown(word)),
        [word, paths @ ..] if paths.iter().all(|path| file(path)) => Err(misnamed(word)),
        [_, _, _, more, ..] => {
            Err(Fault::usage("usage", format!("`{more}` is no file, and a code has one key")))
        }
        [agency, code, rest @ ..] => {
            let agency = Agency::from_code(agency).ok_or_else(|| unnamed(agency, code))?;
            let ask = AgencyQuery {
                code: (*code).to_owned(),
                key: rest.first().map(|key| (*key).to_owned()),
                country: args.country.clone(),
                from: args.from.clone(),
                to: args.to.clone(),
            };
            Ok(Wanted::Net(Place::Agency(agency, ask)))
        }
        [] => Err(Fault::usage("usage", "expected a file, a code of an agency, or an address")),
    }
}

/// Whether a word is a file: it is there, or looks like one.
fn file(word: &str) -> bool {
    let ending = Path::new(word).extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    Path::new(word).exists()
        || word.contains(['/', '\\'])
        || ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

fn files(format: Option<Format>, paths: &[&str]) -> Wanted {
    Wanted::File { format, paths: paths.iter().map(PathBuf::from).collect() }
}

/// The fault for a word before a file that is no format.
fn misnamed(word: &str) -> Fault {
    // The one that begins and ends as it does.
    let ends = |text: &str| (text.chars().next(), text.chars().next_back());
    let meant = Format::all().map(Format::code).find(|code| ends(code) == ends(word));
    let meant = meant.map_or(String::new(), |code| format!("did you mean `{code}`? "));
    Fault::usage("format", format!("`{word}` is neither a format nor a file")).hint(format!(
        "{meant}formats are {}; without one it is recognised",
        listed(Format::all().map(Format::code))
    ))
}

fn unnamed(word: &str, code: &str) -> Fault {
    let agencies = listed(Agency::ALL.iter().map(|agency| agency.code()));
    if Format::from_code(word).is_some() {
        return Fault::absent(format!("there is no file `{code}`"));
    }
    Fault::usage("agency", format!("`{word}` is no agency")).hint(format!("agencies are {agencies}"))
}

fn unknown(word: &str) -> Fault {
    let fault = Fault::usage("format", format!("`{word}` alone is not enough"));
    fault.hint("a file, an agency and a code, or an address that begins with https://")
}

fn listed(words: impl Iterator<Item = &'static str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// Fetches a source.
///
/// # Errors
/// Each fault of the fetcher.
pub fn load(global: &Global, args: &Import, place: &Place, screen: &Screen) -> Result<Loaded, Fault> {
    let fetcher = fetcher(args)?;
    let source = match place {
        Place::Agency(agency, ask) => FetchSource::from_agency(fetcher.url_policy(), *agency, ask, year())?,
        Place::Url(url) => FetchSource::from_url(fetcher.url_policy(), url)?,
    };
    let memory = memory(global)?;
    match ask(&fetcher, &source, None, &memory, screen)? {
        Some(loaded) => Ok(loaded),
        // Nothing was said to be known.
        None => Err(Fault::new(crate::fault::Kind::Network, "source-status", "the source sent nothing")),
    }
}

/// A fetcher with the keys of the environment.
///
/// # Errors
/// When a host or key is none.
pub fn fetcher(args: &Import) -> Result<Fetcher, Fault> {
    let variable = |name: &str| std::env::var(name).ok();
    let contact = variable("ASSAY_CONTACT").filter(|contact| plain(contact));
    let guard = UrlPolicy::new(&args.allow_host)?;
    Ok(Fetcher::new(
        guard,
        ApiKeys::from_variables(variable)?,
        contact.as_deref(),
        Arc::new(Wall(Instant::now())),
    ))
}

/// Whether a contact can stand in a header.
fn plain(contact: &str) -> bool {
    !contact.is_empty() && contact.len() <= 200 && contact.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
}

/// What is remembered of sources in the data directory.
///
/// # Errors
/// When there is none.
pub fn memory(global: &Global) -> Result<FetchHistory, Fault> {
    Ok(FetchHistory::new(home(global)?.path().join("fetch")))
}

/// Asks a source, with progress for people; none when what is known is still the document.
///
/// # Errors
/// Each fault of the fetcher.
pub fn ask(
    fetcher: &Fetcher,
    source: &FetchSource,
    known: Option<&Validators>,
    memory: &FetchHistory,
    screen: &Screen,
) -> Result<Option<Loaded>, Fault> {
    let bar = bar(screen, &source.file_stem());
    let pages = memory.pages_folder();
    let outcome = fetcher.load(source, known, Some(&pages), &mut |progress| tell(&bar, &progress));
    bar.finish_and_clear();
    let LoadOutcome::Loaded(loaded) = outcome? else { return Ok(None) };
    let origin = Origin {
        url: source.address().to_owned(),
        fetched: loaded.fetched,
        media_type: loaded.media_type,
        agency: source.agency().map(Agency::name),
        asked: loaded.requests,
        validators: loaded.validators,
        memory: memory.clone(),
    };
    Ok(Some(Loaded { name: loaded.name, bytes: loaded.bytes, origin }))
}

fn bar(screen: &Screen, what: &str) -> ProgressBar {
    let hidden = screen.json || screen.bar(0, what).is_hidden() || !std::io::stderr().is_terminal();
    let bar = if hidden { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {bytes} {msg}") {
        bar.set_style(style);
    }
    bar.set_prefix(what.to_owned());
    bar
}

fn tell(bar: &ProgressBar, progress: &LoadProgress) {
    bar.set_position(progress.bytes);
    bar.set_message(match (progress.waiting, progress.pages) {
        (Some(wait), _) => format!("the source is busy: next try in {} s", wait.div_ceil(1_000)),
        (None, Some(pages)) if pages > 1 => format!("page {} of {pages}", progress.page),
        (None, _) => String::new(),
    });
}

impl Origin {
    /// Remembers how to ask whether the document is still the same.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn remember(&self, bytes: &[u8]) -> Result<(), Fault> {
        let hash = *PieceId::of(bytes).cid().digest();
        Ok(self.memory.record_validators(&self.url, &hash, &self.validators)?)
    }

    /// What was asked, for programs.
    pub fn document(&self) -> Value {
        let one = |asked: &RequestRecord| json!({ "url": asked.url, "at": asked.at, "bytes": asked.bytes, "resumed": asked.resumed });
        self.asked.iter().map(one).collect()
    }
}

#[cfg(test)]
impl Loaded {
    /// A document as if it had been fetched.
    pub fn sample(bytes: &str) -> Self {
        let origin = Origin {
            url: "https://www.ons.gov.uk/x.csv".into(),
            fetched: 0,
            media_type: "text/csv".into(),
            agency: None,
            asked: Vec::new(),
            validators: Validators::default(),
            memory: FetchHistory::new(PathBuf::new()),
        };
        Self { name: "x.csv".into(), bytes: bytes.into(), origin }
    }
}

/// The clock of this machine.
#[derive(Debug)]
struct Wall(Instant);

impl FetchClock for Wall {
    fn seconds(&self) -> i64 {
        node::unix_seconds()
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn wait(&self, millis: u64) {
        thread::sleep(Duration::from_millis(millis));
    }

    fn random(&self) -> u64 {
        // Without chance all wait alike, which is no harm to one.
        getrandom::u64().unwrap_or_default()
    }
}

fn year() -> i64 {
    1970 + node::unix_seconds() / YEAR_SECONDS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Wanted, Fault> {
        wanted(&Import { what: line.split_whitespace().map(str::to_owned).collect(), ..Import::default() })
    }

    #[test]
    fn a_word_after_a_format_is_a_file_or_a_code() {
        let check = |line: &str, is_file: bool| {
            let found = words(line).map(|found| matches!(found, Wanted::File { .. }));
            assert_eq!(found, Ok(is_file), "{line}");
        };
        check("worldbank API_FP.CPI.TOTL_DS2_en_csv_v2.zip", true);
        check("fred CPIAUCNS.CSV", true);
        check("csv ./prices", true);
        check("csv Cargo.toml", true);
        check("csv src", true);
        check("cpi.csv", true);
        check("page1.json page2.json page3.json page4.json", true);
        check("bls Cargo.toml src", true);
        check("worldbank FP.CPI.TOTL", false);
        check("fred CPIAUCNS", false);
        check("ecb EXR M.USD.EUR.SP00.A", false);
        check("https://data.example.org/x.csv", false);
        check("http://data.example.org/x.csv", false);
    }

    #[test]
    fn words_that_mean_nothing_are_told() {
        let check = |line: &str, code: &str| {
            assert_eq!(words(line).map_err(|fault| fault.code), Err(code.into()), "{line}")
        };
        check("wordbank cpi.csv", "format");
        check("csv prices", "not-found");
        check("nobody CPI", "agency");
        check("oecd A B C D", "usage");
        check("fred", "format");
    }

    #[test]
    fn a_key_and_years_reach_the_question() {
        let args = Import {
            what: ["oecd", "A,B,1.0", "USA.M"].map(str::to_owned).to_vec(),
            from: Some("2000".into()),
            ..Import::default()
        };
        let Ok(Wanted::Net(Place::Agency(Agency::Oecd, ask))) = wanted(&args) else { panic!("a question") };
        assert_eq!(
            (ask.code.as_str(), ask.key.as_deref(), ask.from.as_deref()),
            ("A,B,1.0", Some("USA.M"), Some("2000"))
        );
    }
}
