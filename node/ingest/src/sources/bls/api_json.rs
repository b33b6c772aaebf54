//! Responses of the API of the Bureau of Labor Statistics, version 1 or 2: the whole envelope, or the
//! object `Results` alone.
//!
//! Observations come newest first, figures are strings, and `[{}]` stands for no footnotes.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::PUBLISHER;
use crate::build::metadata::{CodeNames, Metadata};
use crate::detect::has_json_word;
use crate::error::{ImportError, printable};
use crate::formats::json;
use crate::import::ReadRequest;
use crate::values::cell;
use crate::{Format, ImportedTable};

/// Messages of the source that become notes.
const NOTES_MAX: usize = 8;

/// The envelope, or the object inside it.
#[derive(Deserialize)]
struct BlsResponse<'a> {
    status: Option<String>,
    #[serde(default)]
    message: Option<Vec<String>>,
    #[serde(borrow, rename = "Results")]
    results: Option<&'a RawValue>,
    #[serde(borrow)]
    series: Option<Vec<BlsSeries<'a>>>,
}

/// The object `Results`.
#[derive(Deserialize)]
struct BlsResults<'a> {
    #[serde(borrow, default)]
    series: Vec<BlsSeries<'a>>,
}

#[derive(Deserialize)]
struct BlsSeries<'a> {
    #[serde(rename = "seriesID")]
    id: String,
    catalog: Option<BlsCatalog>,
    #[serde(borrow, default)]
    data: Vec<BlsFigure<'a>>,
}

#[derive(Deserialize)]
struct BlsCatalog {
    series_title: Option<String>,
}

#[derive(Deserialize)]
struct BlsFigure<'a> {
    #[serde(borrow)]
    year: &'a RawValue,
    period: String,
    #[serde(borrow)]
    value: &'a RawValue,
    #[serde(default)]
    footnotes: Vec<BlsFootnote>,
}

#[derive(Deserialize)]
struct BlsFootnote {
    code: Option<String>,
}

/// Whether the first bytes of a JSON document are those of a response.
pub(crate) fn is_response(text: &str) -> bool {
    text.starts_with('{')
        && (has_json_word(text, "seriesID")
            || has_json_word(text, "Results") && has_json_word(text, "responseTime"))
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, .. } = request;
    let responses: Vec<BlsResponse<'_>> = json::parse_documents(source.bytes)?;
    let (mut notes, mut all) = (Vec::new(), Vec::new());
    for response in responses {
        // Such as `No Data Available for Series X Year: 2024`.
        notes.extend(response.message.iter().flatten().take(NOTES_MAX).map(|note| printable(note)));
        all.extend(response_series(response)?);
    }
    let (mut builder, mut names) = (super::series_builder()?, CodeNames::new());
    let mut lines = json::LineFinder::new(source.bytes);
    for series in &all {
        for row in &series.data {
            let line = lines.line_of(row.year);
            let codes: Vec<&str> = row.footnotes.iter().filter_map(|note| note.code.as_deref()).collect();
            let (year, figure) = (json::scalar_text(row.year)?, json::scalar_text(row.value)?);
            let figure = (&*figure, &*codes.join(","));
            super::add_figure(&mut builder, &series.id, (&year, &row.period), figure, line)?;
        }
        if let Some(title) = series.catalog.as_ref().and_then(|catalog| catalog.series_title.clone()) {
            names.insert(series.id.clone(), title);
        }
    }
    // A single series gives the file its name.
    let id = match all.as_slice() {
        [one] => one.id.as_str(),
        _ => cell::file_stem(source.name),
    };
    let title = names.get(id).cloned().unwrap_or_default();
    let mut metadata = Metadata::new(Format::BlsJson, id).title(title).publisher(PUBLISHER);
    metadata.notes = notes;
    metadata.with_code_names("SERIES", names).with_table(builder.into_table()?)
}

/// The series of a response. An error response becomes `source-error`.
fn response_series(response: BlsResponse<'_>) -> Result<Vec<BlsSeries<'_>>, ImportError> {
    if let Some(status) = response.status.filter(|status| status != "REQUEST_SUCCEEDED") {
        let message = response.message.unwrap_or_default().join("; ");
        return Err(ImportError::new(
            "source-error",
            format!("the source responded `{}`", printable(&status)),
        )
        .value(message)
        .hint("correct the request and fetch it again"));
    }
    match (response.series, response.results) {
        (Some(series), _) => Ok(series),
        // Version 1 wraps the object in a list.
        (None, Some(raw)) if raw.get().starts_with('[') => {
            let list: Vec<BlsResults<'_>> = json::parse_value(raw)?;
            Ok(list.into_iter().flat_map(|results| results.series).collect())
        }
        (None, Some(raw)) => Ok(json::parse_value::<BlsResults<'_>>(raw)?.series),
        (None, None) => Err(ImportError::new("json", "expected `Results` with its series")),
    }
}
