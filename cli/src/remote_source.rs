//! The source that the arguments of `assay import` name, and the download of a remote one.

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
use submit::{DocumentOrigin, SourceDocument};

use crate::args::{GlobalArgs, ImportArgs};
use crate::backend::open_home;
use crate::error::{CommandError, ErrorCategory};
use crate::output::{Printer, escape_hidden};

/// File extensions that no code of an agency ends with: `FP.CPI.TOTL` is a code, `CPI.csv` a file.
const FILE_EXTENSIONS: &[&str] =
    &["csv", "dat", "gz", "json", "tab", "toml", "tsv", "txt", "xls", "xlsx", "xml", "zip"];

/// Mean length of a Gregorian year in seconds; precise enough to derive the current year.
const YEAR_SECONDS: i64 = 31_556_952;

/// The source of an import.
#[derive(Debug, PartialEq, Eq)]
pub enum ImportSource {
    /// Local files.
    File {
        /// Their format; detected when absent.
        format: Option<Format>,
        /// The file, followed by its further pages or code lists.
        paths: Vec<PathBuf>,
    },
    /// A source on the network.
    Remote(RemoteSource),
}

/// A source on the network.
#[derive(Debug, PartialEq, Eq)]
pub enum RemoteSource {
    /// A series or table of an agency, by its code.
    Agency(Agency, AgencyQuery),
    /// A document by its URL.
    Url(String),
}

/// A fetched document and the record of its download.
#[derive(Debug)]
pub struct FetchedDocument {
    /// The document with its origin.
    pub document: SourceDocument,
    /// The record of the download.
    pub download: DownloadRecord,
}

/// Record of a download: the requests, and the validators for asking later whether the source changed.
#[derive(Debug)]
pub struct DownloadRecord {
    url: String,
    requests: Vec<RequestRecord>,
    validators: Validators,
    history: FetchHistory,
}

/// Parses the positional arguments of an import: files, an agency with a code, or a URL.
///
/// # Errors
/// Usage errors, when the arguments are none of these.
pub fn parse_import_source(args: &ImportArgs) -> Result<ImportSource, CommandError> {
    let words: Vec<&str> = args.source.iter().map(String::as_str).collect();
    match words.as_slice() {
        // Every scheme counts as a URL here: the fetcher explains why it refuses one.
        [url] if url.contains("://") => Ok(ImportSource::Remote(RemoteSource::Url((*url).to_owned()))),
        [format, paths @ ..]
            if Format::from_code(format).is_some()
                && !paths.is_empty()
                && paths.iter().all(|path| is_file_argument(path)) =>
        {
            Ok(file_source(Format::from_code(format), paths))
        }
        paths if !paths.is_empty() && paths.iter().all(|path| is_file_argument(path)) => {
            Ok(file_source(None, paths))
        }
        [word] => Err(incomplete_source_error(word)),
        // Files after an unknown word: the word was meant as a format.
        [word, paths @ ..] if paths.iter().all(|path| is_file_argument(path)) => {
            Err(unknown_format_error(word))
        }
        [_, _, _, more, ..] => Err(CommandError::usage(
            "usage",
            format!("`{more}` is not a file, and a code takes one key only"),
        )),
        [agency, code, rest @ ..] => {
            let agency = Agency::from_code(agency).ok_or_else(|| unknown_agency_error(agency, code))?;
            let ask = AgencyQuery {
                code: (*code).to_owned(),
                key: rest.first().map(|key| (*key).to_owned()),
                country: args.country.clone(),
                from: args.from.clone(),
                to: args.to.clone(),
            };
            Ok(ImportSource::Remote(RemoteSource::Agency(agency, ask)))
        }
        [] => Err(CommandError::usage("usage", "expected a file, an agency with a code, or a URL")),
    }
}

/// Returns whether an argument names a file: the file exists, or the word looks like a path.
fn is_file_argument(word: &str) -> bool {
    let ending = Path::new(word).extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    Path::new(word).exists()
        || word.contains(['/', '\\'])
        || ending.is_some_and(|ending| FILE_EXTENSIONS.contains(&ending.as_str()))
}

fn file_source(format: Option<Format>, paths: &[&str]) -> ImportSource {
    ImportSource::File { format, paths: paths.iter().map(PathBuf::from).collect() }
}

/// The error for a word before a file that is not a format.
fn unknown_format_error(word: &str) -> CommandError {
    // Suggest the format with the same first and last letter, which catches most typing errors.
    let ends = |text: &str| (text.chars().next(), text.chars().next_back());
    let meant = Format::all().map(Format::code).find(|code| ends(code) == ends(word));
    let meant = meant.map_or(String::new(), |code| format!("did you mean `{code}`? "));
    CommandError::usage("format", format!("`{word}` is neither a format nor a file")).hint(format!(
        "{meant}formats: {}; without one, the format is detected",
        join_words(Format::all().map(Format::code))
    ))
}

fn unknown_agency_error(word: &str, code: &str) -> CommandError {
    let agencies = join_words(Agency::ALL.iter().map(|agency| agency.code()));
    if Format::from_code(word).is_some() {
        return CommandError::not_found(format!("file `{code}` does not exist"));
    }
    CommandError::usage("agency", format!("`{word}` is not an agency")).hint(format!("agencies: {agencies}"))
}

fn incomplete_source_error(word: &str) -> CommandError {
    let error = CommandError::usage("format", format!("`{word}` alone does not name a source"));
    error.hint("expected a file, an agency with a code, or a URL that begins with `https://`")
}

fn join_words(words: impl Iterator<Item = &'static str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// Fetches a remote source without asking whether it changed.
///
/// # Errors
/// Each error of the fetcher.
pub fn fetch_remote_source(
    global: &GlobalArgs,
    args: &ImportArgs,
    source: &RemoteSource,
    printer: &Printer,
) -> Result<FetchedDocument, CommandError> {
    let fetcher = build_fetcher(args)?;
    let source = match source {
        RemoteSource::Agency(agency, query) => {
            FetchSource::from_agency(fetcher.url_policy(), *agency, query, current_year())?
        }
        RemoteSource::Url(url) => FetchSource::from_url(fetcher.url_policy(), url)?,
    };
    let history = open_fetch_history(global)?;
    // No validators were sent, so "not modified" is a wrong response.
    fetch_document(&fetcher, &source, None, &history, printer)?.ok_or_else(|| {
        CommandError::new(ErrorCategory::Network, "source-status", "the source sent no document")
    })
}

/// Builds a fetcher with the API keys and the contact address of the environment.
///
/// # Errors
/// When an allowed host or a key is invalid.
pub fn build_fetcher(args: &ImportArgs) -> Result<Fetcher, CommandError> {
    let variable = |name: &str| std::env::var(name).ok();
    let contact = variable("ASSAY_CONTACT").filter(|contact| is_header_safe(contact));
    let policy = UrlPolicy::new(&args.allow_host)?;
    Ok(Fetcher::new(
        policy,
        ApiKeys::from_variables(variable)?,
        contact.as_deref(),
        Arc::new(SystemClock(Instant::now())),
    ))
}

/// Returns whether a contact address may stand in an HTTP header: at most 200 printable ASCII characters.
fn is_header_safe(contact: &str) -> bool {
    !contact.is_empty() && contact.len() <= 200 && contact.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
}

/// Opens the fetch history in the data directory: validators, partial downloads, results of checks.
///
/// # Errors
/// When there is no data directory.
pub fn open_fetch_history(global: &GlobalArgs) -> Result<FetchHistory, CommandError> {
    Ok(FetchHistory::new(open_home(global)?.path().join("fetch")))
}

/// Fetches a source with a progress display. Returns `None` when the source reports that the document
/// with the `known` validators has not changed.
///
/// # Errors
/// Each error of the fetcher.
pub fn fetch_document(
    fetcher: &Fetcher,
    source: &FetchSource,
    known: Option<&Validators>,
    history: &FetchHistory,
    printer: &Printer,
) -> Result<Option<FetchedDocument>, CommandError> {
    let bar = create_spinner(printer, &source.file_stem());
    // Complete pages are stored, so that an interrupted download resumes.
    let pages = history.pages_folder();
    let outcome = fetcher.load(source, known, Some(&pages), &mut |progress| update_spinner(&bar, &progress));
    bar.finish_and_clear();
    let LoadOutcome::Loaded(loaded) = outcome? else { return Ok(None) };
    let origin = DocumentOrigin {
        url: source.address().to_owned(),
        fetched: loaded.fetched,
        media_type: loaded.media_type,
        agency: source.agency().map(|agency| agency.name().to_owned()),
    };
    let download = DownloadRecord {
        url: origin.url.clone(),
        requests: loaded.requests,
        validators: loaded.validators,
        history: history.clone(),
    };
    let document = SourceDocument { name: loaded.name, bytes: loaded.bytes, origin: Some(origin) };
    Ok(Some(FetchedDocument { document, download }))
}

fn create_spinner(printer: &Printer, label: &str) -> ProgressBar {
    let hidden =
        printer.json || printer.progress_bar(0, label).is_hidden() || !std::io::stderr().is_terminal();
    // Most sources do not announce the size, so there is no bar.
    let bar = if hidden { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {bytes} {msg}") {
        bar.set_style(style);
    }
    bar.set_prefix(escape_hidden(label));
    bar
}

fn update_spinner(bar: &ProgressBar, progress: &LoadProgress) {
    bar.set_position(progress.bytes);
    bar.set_message(match (progress.waiting, progress.pages) {
        (Some(wait), _) => format!("the source is busy: next try in {} s", wait.div_ceil(1_000)),
        (None, Some(pages)) if pages > 1 => format!("page {} of {pages}", progress.page),
        (None, _) => String::new(),
    });
}

impl DownloadRecord {
    /// Saves the validators of the source, for asking later whether the document has changed.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn save_validators(&self, bytes: &[u8]) -> Result<(), CommandError> {
        let hash = *PieceId::of(bytes).cid().digest();
        Ok(self.history.record_validators(&self.url, &hash, &self.validators)?)
    }

    /// The requests as JSON.
    pub fn requests_json(&self) -> Value {
        let request = |sent: &RequestRecord| json!({ "url": sent.url, "at": sent.at, "bytes": sent.bytes, "resumed": sent.resumed });
        self.requests.iter().map(request).collect()
    }
}

/// The clock and the randomness of this machine.
#[derive(Debug)]
struct SystemClock(Instant);

impl FetchClock for SystemClock {
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
        // Randomness only spreads retries of many clients; a single one works without it.
        getrandom::u64().unwrap_or_default()
    }
}

fn current_year() -> i64 {
    1970 + node::unix_seconds() / YEAR_SECONDS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(line: &str) -> Result<ImportSource, CommandError> {
        parse_import_source(&ImportArgs {
            source: line.split_whitespace().map(str::to_owned).collect(),
            ..ImportArgs::default()
        })
    }

    #[test]
    fn files_codes_and_urls_are_told_apart() {
        let check = |line: &str, is_file: bool| {
            let found = parse_words(line).map(|found| matches!(found, ImportSource::File { .. }));
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
    fn invalid_arguments_are_usage_errors() {
        let check = |line: &str, code: &str| {
            assert_eq!(parse_words(line).map_err(|error| error.code), Err(code.into()), "{line}")
        };
        check("wordbank cpi.csv", "format");
        check("csv prices", "not-found");
        check("nobody CPI", "agency");
        check("oecd A B C D", "usage");
        check("fred", "format");
    }

    #[test]
    fn key_and_periods_become_part_of_the_query() {
        let args = ImportArgs {
            source: ["oecd", "A,B,1.0", "USA.M"].map(str::to_owned).to_vec(),
            from: Some("2000".into()),
            ..ImportArgs::default()
        };
        let Ok(ImportSource::Remote(RemoteSource::Agency(Agency::Oecd, ask))) = parse_import_source(&args)
        else {
            panic!("expected an agency query")
        };
        assert_eq!(
            (ask.code.as_str(), ask.key.as_deref(), ask.from.as_deref()),
            ("A,B,1.0", Some("USA.M"), Some("2000"))
        );
    }
}
