//! Responses of the World Bank API, version 1 and 2: pages of records, newest first.
//!
//! Pages may follow each other in one file, in any order. A missing page is reported, since each page
//! is valid data; a duplicate page, or a page of another response, is refused. Version 1 writes numbers
//! as strings and areas only by two-letter codes, with codes of its own for aggregates.

use std::collections::{BTreeMap, BTreeSet};

use schemas::period::Period;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::build::dimensioned::{DimensionedBuilder, Observation};
use crate::build::metadata::Metadata;
use crate::detect::has_json_word;
use crate::error::ImportError;
use crate::formats::json;
use crate::import::ReadRequest;
use crate::values::areas::{AreaScheme, AreaTranslator};
use crate::values::cell;
use crate::{Format, ImportedTable};

/// Missing pages that a note lists.
const NAMED_MAX: usize = 10;

/// The first element of a page.
#[derive(Deserialize)]
struct PageHeader<'a> {
    #[serde(borrow)]
    page: Option<&'a RawValue>,
    #[serde(borrow)]
    pages: Option<&'a RawValue>,
    #[serde(borrow)]
    total: Option<&'a RawValue>,
    lastupdated: Option<String>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

/// A code and its name.
#[derive(Deserialize)]
struct CodeAndName {
    id: String,
    #[serde(default)]
    value: Option<String>,
}

/// A record: an observation or a gap.
#[derive(Deserialize)]
struct PageRecord<'a> {
    indicator: CodeAndName,
    country: CodeAndName,
    #[serde(default)]
    countryiso3code: String,
    #[serde(borrow)]
    date: &'a RawValue,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    #[serde(default)]
    obs_status: Option<String>,
}

/// A page with its records.
struct ResponsePage<'a> {
    page: u64,
    pages: u64,
    total: u64,
    updated: Option<String>,
    rows: Vec<PageRecord<'a>>,
}

/// Whether the first bytes of a JSON document are those of a response.
pub(crate) fn is_response(text: &str) -> bool {
    let has = |word| has_json_word(text, word);
    text.starts_with('[') && (has("per_page") && has("page") || has("message") && has("key"))
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, .. } = request;
    let documents: Vec<Vec<&RawValue>> = json::parse_documents(source.bytes)?;
    let pages: Result<Vec<ResponsePage<'_>>, ImportError> =
        documents.iter().map(|parts| parse_page(parts)).collect();
    let pages = pages?;
    let notes = check_pages(&pages)?;
    let indicators: BTreeMap<&str, &str> = pages
        .iter()
        .flat_map(|page| &page.rows)
        .map(|row| (row.indicator.id.as_str(), row.indicator.value.as_deref().unwrap_or_default()))
        .collect();
    let mut translator = AreaTranslator::new(AreaScheme::WorldBank);
    let builder = build_observations(source.bytes, &pages, indicators.len() > 1, &mut translator)?;
    let (id, title) = match indicators.first_key_value() {
        Some((id, title)) if indicators.len() == 1 => ((*id).to_owned(), (*title).to_owned()),
        _ => (cell::file_stem(source.name).to_owned(), String::new()),
    };
    let mut metadata = Metadata::new(Format::WorldBankJson, id).title(title).publisher("World Bank");
    let names = indicators.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect();
    metadata.vintage = pages.iter().filter_map(|page| cell::parse_iso_day(page.updated.as_deref()?)).max();
    metadata.notes.extend(notes);
    metadata.notes.extend(translator.untranslated_note());
    metadata.areas = translator.into_areas();
    metadata.with_code_names("INDICATOR", names).with_table(builder.into_table()?)
}

fn parse_page<'a>(parts: &[&'a RawValue]) -> Result<ResponsePage<'a>, ImportError> {
    let shape = || ImportError::new("json", "expected a page of a header and records");
    let header: PageHeader<'a> = json::parse_value(parts.first().ok_or_else(shape)?)?;
    if let Some(message) = header.message {
        return Err(ImportError::new("source-error", "the source responded with an error and no data")
            .value(message.get())
            .hint("correct the request and fetch it again"));
    }
    let number = |raw: Option<&RawValue>| raw.map_or_else(|| Err(shape()), json::parse_count);
    let rows: Option<Vec<PageRecord<'a>>> = parts.get(1).map_or(Ok(None), |raw| json::parse_value(raw))?;
    Ok(ResponsePage {
        page: number(header.page)?,
        pages: number(header.pages)?,
        total: number(header.total)?,
        updated: header.lastupdated,
        rows: rows.unwrap_or_default(),
    })
}

/// Refuses pages that do not belong together; returns a note on missing pages or records.
fn check_pages(pages: &[ResponsePage<'_>]) -> Result<Option<String>, ImportError> {
    let Some(first) = pages.first() else { return Err(ImportError::new("json", "expected a page")) };
    let mut found = BTreeSet::new();
    for page in pages {
        // A page of an older request may have other figures for the same keys.
        if (page.pages, page.total, &page.updated) != (first.pages, first.total, &first.updated) {
            let message = format!("pages {} and {} are of different responses", page.page, first.page);
            return Err(
                ImportError::new("page-other", message).hint("fetch all pages again, one after the other")
            );
        }
        if !found.insert(page.page) {
            return Err(ImportError::new("page-twice", format!("duplicate page {}", page.page))
                .hint("give each page once"));
        }
    }
    // Each page is valid by itself, so missing pages are a note, not an error.
    let absent = first.pages.saturating_sub(found.len() as u64);
    if absent > 0 {
        let named: Vec<String> = (1..=first.pages)
            .filter(|page| !found.contains(page))
            .take(NAMED_MAX)
            .map(|page| page.to_string())
            .collect();
        let more = if absent > NAMED_MAX as u64 { ", …" } else { "" };
        return Ok(Some(format!("missing: pages {1}{more} of {0}", first.pages, named.join(", "))));
    }
    let records: u64 = pages.iter().map(|page| page.rows.len() as u64).sum();
    Ok((records != first.total)
        .then(|| format!("{records} records in the file, {} according to the source", first.total)))
}

fn build_observations(
    bytes: &[u8],
    pages: &[ResponsePage<'_>],
    several: bool,
    translator: &mut AreaTranslator,
) -> Result<DimensionedBuilder, ImportError> {
    let dimensions: &[&str] = if several { &["REF_AREA", "INDICATOR"] } else { &["REF_AREA"] };
    let mut builder = DimensionedBuilder::new(dimensions, &["OBS_STATUS"])?;
    let mut lines = json::LineFinder::new(bytes);
    for row in pages.iter().flat_map(|page| &page.rows) {
        let line = lines.line_of(row.date);
        builder.rows += 1;
        add_record(&mut builder, row, translator, line).map_err(|error| error.line(line))?;
    }
    Ok(builder)
}

fn add_record(
    builder: &mut DimensionedBuilder,
    row: &PageRecord<'_>,
    translator: &mut AreaTranslator,
    line: u64,
) -> Result<(), ImportError> {
    let date = json::scalar_text(row.date)?;
    let period: Period = date.parse().map_err(|_| {
        ImportError::new("period", "expected a period like `2014`, `2014Q1` or `2014M05`")
            .column("date")
            .value(&*date)
    })?;
    let figure = match row.value.map(json::scalar_text).transpose()? {
        Some(text) if !matches!(&*text, "" | "..") => {
            Some(cell::parse_number(&text).map_err(|error| error.column("value"))?)
        }
        other => {
            builder.missing.count(other.as_deref().unwrap_or("null"));
            None
        }
    };
    // Version 1 lacks `countryiso3code`; some aggregates have it empty in version 2.
    let code = if row.countryiso3code.is_empty() { &row.country.id } else { &row.countryiso3code };
    let area = translator.translate(code, row.country.value.as_deref().unwrap_or_default());
    let status = row.obs_status.as_deref().unwrap_or_default();
    builder.push(&Observation {
        key: &[area, &row.indicator.id],
        period,
        figure,
        attributes: &[status],
        has_status: !status.is_empty(),
        line,
    })
}
