//! Phrases and URLs built from fields of API documents.

use serde_json::Value;

use super::standing::flow_doubt;
use crate::page_route::percent_encode;

pub(super) fn period_span<'a>(flows: impl Iterator<Item = &'a Value> + Clone) -> Option<String> {
    let first = flows.clone().map(|flow| text_at(flow, "first_period")).min()?;
    let last = flows.map(|flow| text_at(flow, "last_period")).max()?;
    Some(format!("{first}/{last}"))
}

pub(super) fn world_path(flow: &Value) -> String {
    let (publisher, dataflow) =
        (percent_encode(&text_at(flow, "publisher")), percent_encode(&text_at(flow, "dataflow")));
    format!(
        "/world/{}?method={publisher}/{dataflow}{}",
        percent_encode(&text_at(flow, "indicator")),
        output_query(flow, '&')
    )
}

/// Returns the `output` parameter if the dataflow has several outputs.
pub(super) fn output_query(flow: &Value, mark: char) -> String {
    let several = json_at(flow, "/outputs").as_u64() > Some(1);
    if several { format!("{mark}output={}", percent_encode(&text_at(flow, "output"))) } else { String::new() }
}

pub(super) fn flow_title(flow: &Value) -> String {
    let (title, output) = (text_at(flow, "title"), text_at(flow, "output_title"));
    let several = json_at(flow, "/outputs").as_u64() > Some(1) && !output.is_empty();
    if several { format!("{output} ({title})") } else { title }
}

pub(super) fn method_line(flow: &Value) -> String {
    let kind = if json_at(flow, "/official") == true { "official" } else { "alternative" };
    format!(
        "{}, {kind}, by {}, {} to {}{}",
        flow_title(flow),
        text_at(flow, "publisher_name"),
        text_at(flow, "first_period"),
        text_at(flow, "last_period"),
        flow_doubt(flow),
    )
}

/// Returns the suffix of a number in this unit.
pub(super) fn unit_suffix(unit: &str) -> String {
    let rate = unit.to_lowercase().replace("percent", "per cent").starts_with("per cent");
    if rate { "%".to_owned() } else { unit.to_owned() }
}

/// Sort key of indicators: the most popular first, the rest by name.
pub(super) fn indicator_rank(indicator: &str) -> (usize, String) {
    let first = ["inflation", "unemployment", "gdp"];
    (first.iter().position(|one| *one == indicator).unwrap_or(first.len()), indicator.to_owned())
}

pub(super) fn join_indicators(words: &[String]) -> String {
    let words: Vec<String> =
        words.iter().map(|word| if word == "gdp" { "GDP".into() } else { word.replace('-', " ") }).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => String::new(),
    }
}

pub(super) fn indicator_title(text: &str) -> String {
    if text == "gdp" {
        return "GDP".to_owned();
    }
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect::<String>())
        .unwrap_or_default()
        .replace('-', " ")
}

/// Returns the value at a JSON pointer; null if absent.
pub(super) fn json_at<'a>(value: &'a Value, place: &str) -> &'a Value {
    value.pointer(place).unwrap_or(&Value::Null)
}

pub(super) fn text_at(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub(super) fn array_items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Formats a time as a date, `2026-01-31`. Counts days since 0000-03-01 in eras of 400 years: in a year
/// that starts in March, the leap day comes last.
pub(super) fn calendar_day(time: i64) -> String {
    let days = time.div_euclid(86_400) + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * march + 2) / 5 + 1, (march + 2) % 12 + 1);
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_calendar() {
        for (time, expected) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_798_675_199, "2026-12-30"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(calendar_day(time), expected);
        }
    }

    #[test]
    fn lists_read_like_speech() {
        for (words, expected) in [
            (vec!["gdp"], "GDP"),
            (vec!["gdp", "a-b"], "GDP and a b"),
            (vec!["a", "b", "c"], "a, b and c"),
            (vec![], ""),
        ] {
            let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
            assert_eq!(join_indicators(&words), expected);
        }
    }
}
