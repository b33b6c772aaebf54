//! Versions of a data set, selected by id or by dataflow and vintage.

use std::collections::BTreeSet;

use schemas::address;
use schemas::cid::DatasetId;
use schemas::period::{Frequency, Period};
use service::query::DatasetInfo;

use crate::backend::Backend;
use crate::error::CommandError;
use crate::format;

/// Finds a data set by id, `NAME`, `NAME@first`, `NAME@seq=3` or `NAME@asof=2024-01-31`.
///
/// # Errors
/// When none is stored, when several publishers have one of this name, or when the vintage is invalid.
pub fn find_dataset(backend: &Backend, reference: &str) -> Result<DatasetId, CommandError> {
    if let Ok(id) = reference.parse::<DatasetId>() {
        return Ok(id);
    }
    let (name, vintage) = reference.split_once('@').unwrap_or((reference, "latest"));
    let versions = list_versions(backend, name)?;
    let found = match vintage.split_once('=') {
        None if vintage == "latest" => versions.last(),
        None if vintage == "first" => versions.first(),
        Some(("seq", seq)) => versions.iter().find(|info| info.position.seq.to_string() == seq),
        Some(("asof", day)) => {
            // A vintage as of a day includes the whole day in UTC.
            let end = end_of_day(day)?;
            versions.iter().rev().find(|info| info.position.time < end)
        }
        _ => {
            return Err(CommandError::usage("vintage", format!("`@{vintage}` is not a vintage"))
                .hint("vintages: latest, first, seq=<n>, asof=<date>"));
        }
    };
    found.map(|info| info.id).ok_or_else(|| {
        let known: Vec<String> = versions
            .iter()
            .map(|info| format!("@seq={} of {}", info.position.seq, format::format_day(info.position.time)))
            .collect();
        CommandError::not_found(format!("`{name}` has no version `@{vintage}`"))
            .hint(format!("versions: {}", known.join(", ")))
    })
}

/// Lists the versions of a dataflow, oldest first.
///
/// # Errors
/// As [`find_dataset`].
pub fn list_versions(backend: &Backend, name: &str) -> Result<Vec<DatasetInfo>, CommandError> {
    let stored = backend.list_datasets()?;
    let mut matching: Vec<DatasetInfo> =
        stored.iter().filter(|info| info.dataset.dataflow.as_str() == name).cloned().collect();
    let publishers: BTreeSet<_> = matching.iter().map(|info| info.position.publisher).collect();
    if publishers.len() > 1 {
        let message = format!("several publishers have data sets called `{name}`");
        let ids: Vec<String> =
            matching.iter().map(|info| format!("{} ({})", info.id, info.position.name)).collect();
        return Err(
            CommandError::usage("ambiguous", message).hint(format!("choose one by id: {}", ids.join(", ")))
        );
    }
    if matching.is_empty() {
        let names: BTreeSet<&str> = stored.iter().map(|info| info.dataset.dataflow.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let hint = if names.is_empty() {
            "import one with `assay import`".into()
        } else {
            format!("data sets here: {}", names.join(", "))
        };
        return Err(CommandError::not_found(format!("no data set `{name}` is stored here")).hint(hint));
    }
    // By sequence number: times are claims of the publisher.
    matching.sort_by_key(|info| info.position.seq);
    Ok(matching)
}

fn end_of_day(day: &str) -> Result<i64, CommandError> {
    let parsed = day.parse::<Period>().ok().filter(|parsed| parsed.frequency() == Frequency::D);
    parsed.map(address::end_of_day).ok_or_else(|| {
        CommandError::usage("vintage", format!("`{day}` is not a day (expected a form like 2024-01-31)"))
    })
}
