//! Answers of the API of the Bureau of Labor Statistics, version 1 or 2: the whole envelope, or
//! the object `Results` alone. Newest first; figures are texts; `[{}]` is no footnote.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{ImportError, shown};
use crate::heading::{Heading, Names};
use crate::{Format, ImportedTable, SourceFile, bls, json, value};

/// Notes of the source that are repeated.
const NOTES_MAX: usize = 8;

/// The envelope, or what stands in it.
#[derive(Deserialize)]
struct Answer<'a> {
    status: Option<String>,
    #[serde(default)]
    message: Option<Vec<String>>,
    #[serde(borrow, rename = "Results")]
    results: Option<&'a RawValue>,
    #[serde(borrow)]
    series: Option<Vec<Series<'a>>>,
}

/// The object `Results`.
#[derive(Deserialize)]
struct Results<'a> {
    #[serde(borrow, default)]
    series: Vec<Series<'a>>,
}

#[derive(Deserialize)]
struct Series<'a> {
    #[serde(rename = "seriesID")]
    id: String,
    catalog: Option<Catalog>,
    #[serde(borrow, default)]
    data: Vec<Row<'a>>,
}

#[derive(Deserialize)]
struct Catalog {
    series_title: Option<String>,
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    year: &'a RawValue,
    period: String,
    #[serde(borrow)]
    value: &'a RawValue,
    #[serde(default)]
    footnotes: Vec<Footnote>,
}

#[derive(Deserialize)]
struct Footnote {
    code: Option<String>,
}

/// Reads a file.
pub(crate) fn read(source: SourceFile<'_>) -> Result<ImportedTable, ImportError> {
    let answers: Vec<Answer<'_>> = json::documents(source.bytes)?;
    let (mut notes, mut all) = (Vec::new(), Vec::new());
    for answer in answers {
        notes.extend(answer.message.iter().flatten().take(NOTES_MAX).map(|note| shown(note)));
        all.extend(series(answer)?);
    }
    let (mut cube, mut names, mut lines) = (bls::cube()?, Names::new(), json::Lines::new(source.bytes));
    for series in &all {
        for row in &series.data {
            let line = lines.of(row.year);
            let marks: Vec<&str> = row.footnotes.iter().filter_map(|note| note.code.as_deref()).collect();
            let (year, figure) = (json::scalar(row.year)?, json::scalar(row.value)?);
            bls::add(&mut cube, &series.id, (&year, &row.period), (&figure, &marks.join(",")), line)?;
        }
        if let Some(title) = series.catalog.as_ref().and_then(|catalog| catalog.series_title.clone()) {
            names.insert(series.id.clone(), title);
        }
    }
    let id = match all.as_slice() {
        [one] => one.id.as_str(),
        _ => value::stem(source.name),
    };
    let title = names.get(id).cloned().unwrap_or_default();
    let mut heading = Heading::new(Format::BlsJson, id).title(title).publisher(bls::PUBLISHER);
    heading.notes = notes;
    heading.named("SERIES", names).over(cube.finish()?)
}

/// The series of an answer, unless it is that of an error.
fn series(answer: Answer<'_>) -> Result<Vec<Series<'_>>, ImportError> {
    if let Some(status) = answer.status.filter(|status| status != "REQUEST_SUCCEEDED") {
        let said = answer.message.unwrap_or_default().join("; ");
        return Err(ImportError::new("source-error", format!("the source answered `{}`", shown(&status)))
            .value(said)
            .hint("correct the request and fetch it again"));
    }
    match (answer.series, answer.results) {
        (Some(series), _) => Ok(series),
        // Version 1 puts a list around it.
        (None, Some(raw)) if raw.get().starts_with('[') => {
            let list: Vec<Results<'_>> = json::value(raw)?;
            Ok(list.into_iter().flat_map(|results| results.series).collect())
        }
        (None, Some(raw)) => Ok(json::value::<Results<'_>>(raw)?.series),
        (None, None) => Err(ImportError::new("json", "expected `Results` with its series")),
    }
}
