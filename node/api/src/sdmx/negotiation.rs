//! Content negotiation by `Accept`.
//!
//! A media type with an unsupported version or parameter (`labels=both`) does not match: the response
//! would differ from the request.

use crate::sdmx::error::SdmxError;

/// A supported format: its media type with version, and generic media types that also select it.
pub(crate) struct FormatOffer<T> {
    pub(crate) media_type: &'static str,
    pub(crate) aliases: &'static [&'static str],
    pub(crate) format: T,
}

/// Returns the best match for `Accept`. Of equal weights the first one listed wins; a wildcard selects
/// the first format served.
///
/// # Errors
/// If no format matches.
pub(crate) fn negotiate<T>(accept: &str, offers: Vec<FormatOffer<T>>) -> Result<FormatOffer<T>, SdmxError> {
    let mut ranges: Vec<(u32, &str)> =
        accept.split(',').filter(|range| !range.is_empty()).map(parse_weight).collect();
    if ranges.is_empty() {
        ranges.push((1000, "*/*"));
    }
    // The sort is stable: ranges of equal weight keep their order.
    ranges.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let found = ranges.iter().filter(|(weight, _)| *weight > 0);
    let found = found.filter_map(|(_, range)| {
        offers.iter().position(|one| accepts_type(range, one.media_type, one.aliases))
    });
    let at = found.into_iter().next();
    at.and_then(|at| offers.into_iter().nth(at)).ok_or_else(|| SdmxError::not_acceptable(accept))
}

/// Returns the weight (`q`) of a media range in thousandths.
fn parse_weight(range: &str) -> (u32, &str) {
    let weight = range.split(';').find_map(|part| part.strip_prefix("q=")).map(parse_thousandths);
    (weight.unwrap_or(1000), range)
}

/// Parses `0.85` as 850; an invalid weight counts as 1000.
fn parse_thousandths(text: &str) -> u32 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = format!("{part:0<3}").get(..3).and_then(|part| part.parse::<u32>().ok());
    match (whole, part) {
        ("0", Some(part)) => part,
        _ => 1000,
    }
}

fn accepts_type(range: &str, kind: &str, also: &[&str]) -> bool {
    let mut parts = range.split(';');
    let plain = parts.next().unwrap_or_default();
    if matches!(plain, "*/*" | "application/*") || also.contains(&plain) {
        return true;
    }
    let (name, version) = kind.split_once(";version=").unwrap_or((kind, ""));
    plain == name
        && parts.all(|part| match part.split_once('=') {
            Some(("version", ranges)) => ranges == version || format!("{ranges}.0") == version,
            Some(("labels", value)) => value == "id",
            Some(("timeformat", value)) => value == "original",
            Some(("keys", value)) => value == "none",
            _ => true,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_suits_is_chosen() {
        let offers = || {
            let one = |kind, also| FormatOffer { media_type: kind, aliases: also, format: () };
            vec![
                one("application/vnd.sdmx.data+csv;version=2.0.0", &["text/csv"][..]),
                one("application/vnd.sdmx.data+json;version=2.0.0", &["application/json"][..]),
            ]
        };
        let cases = [
            ("", Some("csv")),
            ("*/*", Some("csv")),
            ("application/*;q=0.1", Some("csv")),
            ("text/html,*/*;q=0.8", Some("csv")),
            ("application/json", Some("json")),
            ("application/json;q=0.9,text/csv;q=0.95", Some("csv")),
            ("application/json,text/csv", Some("json")),
            ("application/vnd.sdmx.data+json", Some("json")),
            ("application/vnd.sdmx.data+json;version=2.0", Some("json")),
            ("application/vnd.sdmx.data+json;version=1.0.0,*/*;q=0.1", Some("csv")),
            ("application/vnd.sdmx.data+csv;version=2.0.0;labels=id;keys=none", Some("csv")),
            ("application/vnd.sdmx.data+csv;version=2.0.0;labels=both", None),
            ("application/vnd.sdmx.data+csv;version=2.1.0", None),
            ("application/json;q=0", None),
            ("text/html", None),
            (";;;=,;q=", None),
        ];
        for (accept, expected) in cases {
            let found = negotiate(accept, offers()).ok().map(|one| one.media_type);
            let expected = expected.map(|word| format!("application/vnd.sdmx.data+{word};version=2.0.0"));
            assert_eq!(found, expected.as_deref(), "{accept}");
        }
    }
}
