//! Standing of figures, outputs and publishers, in the words of the web app.

use serde_json::Value;

use super::phrases::{array_items, json_at};

/// Standing of a figure, as rendered without scripts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StandingFacts {
    /// `holds`, `does_not_hold`, `contested` or `unchecked`.
    pub word: String,
    /// The published number, struck through when it does not hold.
    pub struck: Option<String>,
    /// One sentence without its full stop, beginning with the word.
    pub sentence: String,
}

impl StandingFacts {
    /// The standing of a figure; `shown` is its number with its unit.
    pub(super) fn of_figure(standing: &Value, own: bool, shown: &str) -> Self {
        let word = standing_word(standing);
        let struck = (word == "does_not_hold").then(|| shown.to_owned());
        Self { word: word.to_owned(), struck, sentence: capitalize_sentence(&figure_phrase(standing, own)) }
    }
}

fn standing_word(standing: &Value) -> &str {
    json_at(standing, "/word").as_str().unwrap_or("unchecked")
}

fn capitalize_sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Standing of a figure, as a clause that begins with the word. `own`: this node signs for its publisher.
pub(super) fn figure_phrase(standing: &Value, own: bool) -> String {
    let value = |pointer| json_at(standing, pointer).as_str().unwrap_or("no value").to_owned();
    match standing_word(standing) {
        "holds" if array_items(json_at(standing, "/stated")).is_empty() => {
            format!("holds: source read again and recipe run again {}", describe_runs(standing))
        }
        "holds" => {
            let clause = "on data stated by the publisher, without a document";
            format!("holds: recipe run again {}, {clause}", describe_runs(standing))
        }
        "does_not_hold" => {
            let contests = contest_clause(standing).map(|said| format!("; {said}")).unwrap_or_default();
            format!(
                "does not hold: published {}, computed {}{contests}",
                value("/published"),
                value("/computed")
            )
        }
        "contested" => {
            format!(
                "contested: {}{}",
                contest_clause(standing).unwrap_or_default(),
                describe_replacement(standing)
            )
        }
        _ if own => "unchecked: signed by this node, run by no publisher that it follows".into(),
        _ => "unchecked: run neither here nor by a publisher that this node follows".into(),
    }
}

/// Names of those who ran it.
fn describe_runs(standing: &Value) -> String {
    let here = json_at(standing, "/checked_here/cell") == "holds";
    let others = match array_items(json_at(standing, "/confirmed_by")).len() {
        0 => None,
        1 => Some("by 1 followed publisher".to_owned()),
        count => Some(format!("by {count} followed publishers")),
    };
    let who: Vec<String> = here.then(|| "here".to_owned()).into_iter().chain(others).collect();
    who.join(" and ")
}

/// Contests of a figure or an output.
pub(super) fn contest_clause(standing: &Value) -> Option<String> {
    let words = array_items(json_at(standing, "/contests")).iter().filter_map(|one| {
        Some(match one.as_str()? {
            "forked" => "its publisher signed two histories",
            "retracted" => "its publisher retracted the release",
            "point_retracted" => "its publisher retracted this data point",
            "superseded" => "a later release supersedes it",
            _ => return None,
        })
    });
    let mut clauses: Vec<String> = words.map(str::to_owned).collect();
    let points = json_at(standing, "/retracted_points").as_u64().unwrap_or(0);
    clauses.extend(
        (points > 0).then(|| format!("its publisher retracted {}", format_count(points, "data point"))),
    );
    Some(clauses.join("; ")).filter(|clauses| !clauses.is_empty())
}

fn describe_replacement(standing: &Value) -> String {
    let seq = json_at(standing, "/superseded/seq").as_u64();
    seq.map(|seq| format!(" (entry {seq})")).unwrap_or_default()
}

fn format_count(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Suffix of a line about a number: what is wrong with it, or nothing.
pub(super) fn doubt_suffix(word: &str) -> &'static str {
    match word {
        "does_not_hold" => " (does not hold)",
        "contested" => " (contested)",
        _ => "",
    }
}

/// Faults of the output of a flow, as a clause after its title.
pub(super) fn flow_doubt(flow: &Value) -> String {
    let standing = json_at(flow, "/standing");
    let wrong = json_at(standing, "/does_not_hold").as_u64().unwrap_or(0);
    let figures = match wrong {
        0 => None,
        1 => Some("1 figure does not hold".to_owned()),
        wrong => Some(format!("{wrong} figures do not hold")),
    };
    let contested = contest_clause(standing).map(|said| format!("contested: {said}"));
    figures.into_iter().chain(contested).map(|said| format!("; {said}")).collect()
}

/// Faults caught of a publisher, then the figures that hold, as sentences.
pub(super) fn publisher_record(publisher: &Value) -> String {
    let count = |name: &str| json_at(publisher, &format!("/record/{name}")).as_u64().unwrap_or(0);
    let forks = array_items(json_at(publisher, "/forks")).len() as u64;
    let caught: Vec<String> = [
        (count("does_not_hold"), "release that does not hold", "releases that do not hold"),
        (count("retracted"), "retraction", "retractions"),
        (forks, "fork of its log", "forks of its log"),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
    .collect();
    let caught = if caught.is_empty() { "nothing".to_owned() } else { caught.join(", ") };
    format!(
        "Caught: {caught}. Of {}, {} hold and {} are unchecked.",
        format_count(count("releases"), "release"),
        count("holds"),
        count("unchecked"),
    )
}
