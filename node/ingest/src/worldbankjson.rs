//! Answers of the World Bank's API, version 1 and 2: pages of records, newest first.
//!
//! Pages may stand one after the other in one file, in any order. A page that is not there is
//! reported, since a page alone is sound data; a page that is there twice or belongs to another
//! answer is refused. Version 1 writes numbers as texts, and knows an area only by its two-letter
//! code, with codes of its own for aggregates.

use std::collections::{BTreeMap, BTreeSet};

use schemas::period::Period;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::areas::{AreaScheme, Roll};
use crate::cube::Cube;
use crate::error::ImportError;
use crate::heading::Heading;
use crate::{Format, ImportedTable, SourceFile, json, value};

/// Pages that are named in a note.
const NAMED_MAX: usize = 10;

/// What an answer says of itself.
#[derive(Deserialize)]
struct Header<'a> {
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

/// An id and what it stands for.
#[derive(Deserialize)]
struct Named {
    id: String,
    #[serde(default)]
    value: Option<String>,
}

/// A record.
#[derive(Deserialize)]
struct Row<'a> {
    indicator: Named,
    country: Named,
    #[serde(default)]
    countryiso3code: String,
    #[serde(borrow)]
    date: &'a RawValue,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    #[serde(default)]
    obs_status: Option<String>,
}

/// A page: its number, and its records.
struct Page<'a> {
    page: u64,
    pages: u64,
    total: u64,
    updated: Option<String>,
    rows: Vec<Row<'a>>,
}

/// Reads a file.
pub(crate) fn read(source: SourceFile<'_>) -> Result<ImportedTable, ImportError> {
    let documents: Vec<Vec<&RawValue>> = json::documents(source.bytes)?;
    let pages: Result<Vec<Page<'_>>, ImportError> = documents.iter().map(|parts| page(parts)).collect();
    let pages = pages?;
    let notes = complete(&pages)?;
    let indicators: BTreeMap<&str, &str> = pages
        .iter()
        .flat_map(|page| &page.rows)
        .map(|row| (row.indicator.id.as_str(), row.indicator.value.as_deref().unwrap_or_default()))
        .collect();
    let mut roll = Roll::new(AreaScheme::WorldBank);
    let cube = filled(source.bytes, &pages, indicators.len() > 1, &mut roll)?;
    let (id, title) = match indicators.first_key_value() {
        Some((id, title)) if indicators.len() == 1 => ((*id).to_owned(), (*title).to_owned()),
        _ => (value::stem(source.name).to_owned(), String::new()),
    };
    let mut heading = Heading::new(Format::WorldBankJson, id).title(title).publisher("World Bank");
    let names = indicators.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect();
    heading.vintage = pages.iter().filter_map(|page| value::day(page.updated.as_deref()?)).max();
    heading.notes.extend(notes);
    heading.notes.extend(roll.note());
    heading.areas = roll.areas();
    heading.named("INDICATOR", names).over(cube.finish()?)
}

fn page<'a>(parts: &[&'a RawValue]) -> Result<Page<'a>, ImportError> {
    let shape = || ImportError::new("json", "expected a page: its header and its records");
    let header: Header<'a> = json::value(parts.first().ok_or_else(shape)?)?;
    if let Some(message) = header.message {
        return Err(ImportError::new("source-error", "the source answered with an error and no data")
            .value(message.get())
            .hint("correct the request and fetch it again"));
    }
    let number = |raw: Option<&RawValue>| raw.map_or_else(|| Err(shape()), json::count);
    let rows: Option<Vec<Row<'a>>> = parts.get(1).map_or(Ok(None), |raw| json::value(raw))?;
    Ok(Page {
        page: number(header.page)?,
        pages: number(header.pages)?,
        total: number(header.total)?,
        updated: header.lastupdated,
        rows: rows.unwrap_or_default(),
    })
}

/// Refuses pages that do not belong together; says what is not there.
fn complete(pages: &[Page<'_>]) -> Result<Option<String>, ImportError> {
    let Some(first) = pages.first() else { return Err(ImportError::new("json", "expected a page")) };
    let mut found = BTreeSet::new();
    for page in pages {
        if (page.pages, page.total, &page.updated) != (first.pages, first.total, &first.updated) {
            let message = format!("page {} is of another answer than page {}", page.page, first.page);
            return Err(
                ImportError::new("page-other", message).hint("fetch all pages again, one after the other")
            );
        }
        if !found.insert(page.page) {
            return Err(ImportError::new("page-twice", format!("page {} is there twice", page.page))
                .hint("give each page once"));
        }
    }
    let absent = first.pages.saturating_sub(found.len() as u64);
    if absent > 0 {
        let named: Vec<String> = (1..=first.pages)
            .filter(|page| !found.contains(page))
            .take(NAMED_MAX)
            .map(|page| page.to_string())
            .collect();
        let more = if absent > NAMED_MAX as u64 { ", …" } else { "" };
        return Ok(Some(format!("of {} pages {}{more} are not here", first.pages, named.join(", "))));
    }
    let records: u64 = pages.iter().map(|page| page.rows.len() as u64).sum();
    Ok((records != first.total)
        .then(|| format!("{records} records where the source says that there are {}", first.total)))
}

fn filled(bytes: &[u8], pages: &[Page<'_>], several: bool, roll: &mut Roll) -> Result<Cube, ImportError> {
    let dimensions: &[&str] = if several { &["REF_AREA", "INDICATOR"] } else { &["REF_AREA"] };
    let mut cube = Cube::new(dimensions, &["OBS_STATUS"])?;
    let mut lines = json::Lines::new(bytes);
    for row in pages.iter().flat_map(|page| &page.rows) {
        let line = lines.of(row.date);
        cube.rows += 1;
        add(&mut cube, row, roll, line).map_err(|fault| fault.line(line))?;
    }
    Ok(cube)
}

fn add(cube: &mut Cube, row: &Row<'_>, roll: &mut Roll, line: u64) -> Result<(), ImportError> {
    let date = json::scalar(row.date)?;
    let period: Period = date.parse().map_err(|_| {
        ImportError::new("period", "expected a period like `2014`, `2014Q1` or `2014M05`")
            .column("date")
            .value(&*date)
    })?;
    let figure = match row.value.map(json::scalar).transpose()? {
        Some(text) if !matches!(&*text, "" | "..") => {
            Some(value::number(&text).map_err(|fault| fault.column("value"))?)
        }
        other => {
            cube.gaps.count(other.as_deref().unwrap_or("null"));
            None
        }
    };
    let code = if row.countryiso3code.is_empty() { &row.country.id } else { &row.countryiso3code };
    let area = roll.code(code, row.country.value.as_deref().unwrap_or_default());
    let status = row.obs_status.as_deref().unwrap_or_default();
    cube.push(&[area, &row.indicator.id], (period, figure), (&[status], !status.is_empty()), line)
}
