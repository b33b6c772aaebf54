//! Server-rendered facts of a page, taken from API documents: title, description, figures and canonical
//! URL.
//!
//! Requests documents from a [`DocumentSource`] and does not know where they come from. Missing fields
//! are omitted.

mod phrases;
mod standing;

use serde_json::Value;

use crate::page_route::{PageKind, PageRoute, percent_decode, percent_encode};
use phrases::{
    array_items, calendar_day, flow_title, indicator_rank, indicator_title, join_indicators, json_at,
    method_line, output_query, period_span, text_at, unit_suffix, world_path,
};
pub use standing::StandingFacts;
use standing::{doubt_suffix, figure_phrase, flow_doubt, publisher_record};

/// A document of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentQuery<'a> {
    /// All flows.
    Flows,
    /// All areas.
    Areas,
    /// An area with its series.
    Country(&'a str),
    /// A figure: publisher, dataflow, key, period; output; vintage.
    Figure([&'a str; 4], Option<&'a str>, Option<&'a str>),
    /// A recipe.
    Recipe(&'a str),
    /// A publisher.
    Publisher(&'a str),
}

/// Returns documents; `None` if there is no such document.
pub type DocumentSource<'a> = &'a dyn Fn(DocumentQuery<'_>) -> Option<Value>;

/// Facts of a page; every field is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageFacts {
    /// For example `Inflation, Germany, 2020: 1.4 %`.
    pub title: Option<String>,
    /// One or two sentences.
    pub description: Option<String>,
    /// Canonical path and query, without parameters that only change the view.
    pub canonical: Option<String>,
    /// Name of the publisher.
    pub publisher: Option<String>,
    /// Date of publication, as `2026-01-31`.
    pub published: Option<String>,
    /// Vintage.
    pub vintage: Option<String>,
    /// First and last period, as `1960/2024`.
    pub period: Option<String>,
    /// Variable and unit.
    pub variable: Option<(String, String)>,
    /// Name of the area.
    pub area: Option<String>,
    /// Method.
    pub method: Option<String>,
    /// Permanent identifier.
    pub identifier: Option<String>,
    /// Standing of the figure of the page.
    pub standing: Option<StandingFacts>,
    /// URLs or names of the source documents.
    pub sources: Vec<String>,
    /// Downloads of the data.
    pub downloads: Vec<DataDownload>,
    /// Links shown without scripts: text and path.
    pub lines: Vec<(String, Option<String>)>,
}

/// A download of the data of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDownload {
    /// Title.
    pub title: String,
    /// Path below the origin.
    pub path: String,
    /// Media type.
    pub media_type: &'static str,
}

/// Links per page.
const LINKS_MAX: usize = 40;
const VERIFIABLE: &str =
    "Signed by its publisher, with source data and formula, so that anyone can recompute it.";

/// Returns the facts of a page; `None` if the page needs none.
///
/// # Errors
/// [`NotFound`] if the subject of the page does not exist.
pub fn page_facts(place: &PageRoute, ask: DocumentSource<'_>) -> Result<Option<PageFacts>, NotFound> {
    let found = match &place.page {
        PageKind::World(None) => return Ok(world_facts(place, None, ask)),
        PageKind::World(indicator) => world_facts(place, indicator.as_deref(), ask),
        PageKind::Country(area) => country_facts(place, area, ask),
        PageKind::Figure { publisher, dataflow, key, period } => {
            figure_facts(place, [publisher, dataflow, key, period], ask)
        }
        PageKind::Recipe(id) => recipe_facts(id, ask),
        PageKind::Publisher(id) => publisher_facts(id, ask),
        PageKind::Network | PageKind::Search => return Ok(None),
    };
    found.map(Some).ok_or(NotFound)
}

/// The subject of the page does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotFound;

fn world_facts(place: &PageRoute, indicator: Option<&str>, ask: DocumentSource<'_>) -> Option<PageFacts> {
    let flows = ask(DocumentQuery::Flows)?;
    let mapped = array_items(&flows)
        .iter()
        .filter(|flow| array_items(json_at(flow, "/dimensions")).iter().any(|one| one == "REF_AREA"));
    let Some(indicator) = indicator else {
        return Some(PageFacts {
            lines: indicator_links(mapped),
            canonical: Some("/".into()),
            ..PageFacts::default()
        });
    };
    let mut methods: Vec<&Value> = mapped.filter(|flow| json_at(flow, "/indicator") == indicator).collect();
    methods.sort_by_key(|flow| method_rank(flow));
    let named = |flow: &&&Value| {
        let name = format!("{}/{}", text_at(flow, "publisher"), text_at(flow, "dataflow"));
        place.query_value("method") == Some(&name)
    };
    let same: Vec<&Value> = methods.iter().filter(named).copied().collect();
    let output = |flow: &&&Value| place.query_value("output") == json_at(flow, "/output").as_str();
    // The selected output, or else the first one of the selected dataflow.
    let chosen = same.iter().find(output).or(same.first()).copied();
    let flow = chosen.or(methods.first().copied())?;
    let canonical = chosen.map_or_else(|| format!("/world/{}", percent_encode(indicator)), world_path);
    let title = format!(
        "{}: {}",
        indicator_title(indicator),
        if chosen.is_some() { flow_title(flow) } else { "world map".into() }
    );
    let description = format!(
        "{}, {}, {} series, {} to {}. Published by {}{}. {VERIFIABLE}",
        flow_title(flow),
        text_at(flow, "unit"),
        json_at(flow, "/series"),
        text_at(flow, "first_period"),
        text_at(flow, "last_period"),
        text_at(flow, "publisher_name"),
        flow_doubt(flow),
    );
    let lines =
        methods.iter().take(LINKS_MAX).map(|flow| (method_line(flow), Some(world_path(flow)))).collect();
    let facts = PageFacts {
        title: Some(title),
        description: Some(description),
        canonical: Some(canonical),
        lines,
        ..flow_facts(flow)
    };
    Some(PageFacts { downloads: data_downloads(flow, "all", None), ..facts })
}

/// Sort key of methods: official first, then those that hold or are unchecked, then widest. The web app
/// selects its default method in the same order.
fn method_rank(flow: &Value) -> (bool, bool, i64, String, String) {
    let word = json_at(flow, "/standing/word");
    let bad = word == "does_not_hold" || word == "contested";
    let areas = -json_at(flow, "/series").as_i64().unwrap_or(0);
    (json_at(flow, "/official") != true, bad, areas, text_at(flow, "dataflow"), text_at(flow, "output"))
}

/// Returns a link for each indicator.
fn indicator_links<'a>(flows: impl Iterator<Item = &'a Value>) -> Vec<(String, Option<String>)> {
    let mut names: Vec<String> = flows.map(|flow| text_at(flow, "indicator")).collect();
    names.sort_by_key(|name| indicator_rank(name));
    names.dedup();
    names
        .iter()
        .take(LINKS_MAX)
        .map(|name| (indicator_title(name), Some(format!("/world/{}", percent_encode(name)))))
        .collect()
}

fn country_facts(place: &PageRoute, area: &str, ask: DocumentSource<'_>) -> Option<PageFacts> {
    let country = &ask(DocumentQuery::Country(area))?;
    let name = Some(text_at(json_at(country, "/area"), "name")).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| area.to_owned());
    let mut flows: Vec<&Value> = array_items(json_at(country, "/flows")).iter().collect();
    let of = |one: &Value, indicator: &str| json_at(one, "/flow/indicator") == indicator;
    let wanted = place.query_value("indicator").filter(|wanted| flows.iter().any(|one| of(one, wanted)));
    flows.retain(|one| wanted.is_none_or(|wanted| of(one, wanted)));
    flows.sort_by_key(|one| {
        (indicator_rank(&text_at(json_at(one, "/flow"), "indicator")), method_rank(json_at(one, "/flow")))
    });
    let mut indicators: Vec<String> =
        flows.iter().map(|one| text_at(json_at(one, "/flow"), "indicator")).collect();
    indicators.dedup();
    let what = if indicators.is_empty() { "no figures".to_owned() } else { join_indicators(&indicators) };
    // The first method represents its indicator.
    let first = |indicator: &String| flows.iter().find(|one| of(one, indicator)).copied();
    let heads: Vec<String> = indicators
        .iter()
        .filter_map(|indicator| latest_value(first(indicator)?))
        .map(|(line, _)| line)
        .collect();
    let query = wanted.map(|wanted| format!("?indicator={}", percent_encode(wanted))).unwrap_or_default();
    Some(PageFacts {
        title: Some(format!("{name}: {what}")),
        description: Some(format!("{}. {VERIFIABLE}", heads.join("; "))).filter(|_| !indicators.is_empty()),
        canonical: Some(format!("/country/{}{query}", percent_encode(area))),
        area: Some(name),
        lines: flows.iter().take(LINKS_MAX).filter_map(|one| latest_value(one)).collect(),
        ..shared_facts(&flows)
    })
}

/// Facts shared by the flows of a country. Vintage and identifier are omitted; unit and method are set
/// only if there is one flow.
fn shared_facts(flows: &[&Value]) -> PageFacts {
    let all = flows.iter().map(|one| json_at(one, "/flow"));
    let first = all.clone().next().map(flow_facts).unwrap_or_default();
    let publisher =
        first.publisher.filter(|name| all.clone().all(|flow| text_at(flow, "publisher_name") == *name));
    let key = |one: &Value| array_items(json_at(one, "/series")).first().map(|line| text_at(line, "key"));
    // CSV only: one file per flow keeps the list short.
    let csv = |one: &&Value| data_downloads(json_at(one, "/flow"), &key(one)?, None).into_iter().next();
    PageFacts {
        period: period_span(all.clone()),
        published: all.filter_map(|flow| json_at(flow, "/published").as_i64()).max().map(calendar_day),
        publisher,
        variable: first.variable.filter(|_| flows.len() == 1),
        method: first.method.filter(|_| flows.len() == 1),
        downloads: flows.iter().take(LINKS_MAX).filter_map(csv).collect(),
        ..PageFacts::default()
    }
}

/// Returns the last value of the first series of a flow as text, and the path of its page.
fn latest_value(one: &Value) -> Option<(String, Option<String>)> {
    let (flow, line) = (json_at(one, "/flow"), array_items(json_at(one, "/series")).first()?);
    let last = array_items(json_at(line, "/values")).iter().rposition(|value| !value.is_null())?;
    let (value, period) = (
        array_items(json_at(line, "/values")).get(last)?,
        array_items(json_at(line, "/periods")).get(last)?.as_str()?,
    );
    let path = format!(
        "/figure/{}/{}/{}/{}{}",
        percent_encode(&text_at(flow, "publisher")),
        percent_encode(&text_at(flow, "dataflow")),
        percent_encode(&text_at(line, "key")),
        percent_encode(period),
        output_query(flow, '?'),
    );
    let marks = array_items(json_at(line, "/marks")).iter();
    let mark = marks
        .filter(|mark| json_at(mark, "/period") == period)
        .find_map(|mark| json_at(mark, "/word").as_str());
    let contested = !array_items(json_at(flow, "/standing/contests")).is_empty();
    let word = mark.unwrap_or(if contested { "contested" } else { "" });
    let unit = unit_suffix(&text_at(flow, "unit"));
    Some((format!("{}, {period}: {value} {unit}{}", flow_title(flow), doubt_suffix(word)), Some(path)))
}

fn figure_facts(place: &PageRoute, parts: [&str; 4], ask: DocumentSource<'_>) -> Option<PageFacts> {
    let (output, vintage) = (place.query_value("output"), place.query_value("vintage"));
    let figure = &ask(DocumentQuery::Figure(parts, output, vintage))?;
    let flow = json_at(figure, "/flow");
    let [publisher, _, key, period] = parts;
    let areas = ask(DocumentQuery::Areas).unwrap_or_default();
    let named = |code: &str| {
        array_items(&areas)
            .iter()
            .find(|area| json_at(area, "/code") == code)
            .map(|area| text_at(area, "name"))
    };
    let codes = key_codes(key);
    let area = codes.iter().find_map(|code| named(code));
    let mut subject = vec![flow_title(flow)];
    subject.extend(codes.into_iter().map(|code| named(&code).unwrap_or(code)));
    subject.push(period.to_owned());
    let subject = subject.join(", ");
    let unit = text_at(figure, "unit");
    let value = json_at(figure, "/value")
        .as_str()
        .map_or_else(|| "no value".to_owned(), |value| format!("{value} {}", unit_suffix(&unit)));
    let own = json_at(flow, "/own") == true;
    let standing = StandingFacts::of_figure(json_at(figure, "/standing"), own, &value);
    let shown = array_items(json_at(figure, "/revisions"))
        .iter()
        .find(|one| json_at(one, "/release") == json_at(figure, "/release"));
    let seq = json_at(figure, "/standing/log/seq");
    let query: Vec<String> = [
        output
            .filter(|_| json_at(flow, "/outputs").as_u64() > Some(1))
            .map(|output| format!("output={}", percent_encode(output))),
        // Only `seq=N` identifies an older vintage permanently; all other spellings refer to the same
        // page.
        vintage.filter(|_| json_at(figure, "/standing/latest") != true).map(|_| format!("vintage=seq={seq}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mark = if query.is_empty() { "" } else { "?" };
    let path = parts.map(percent_encode).join("/");
    let time = json_at(figure, "/standing/signature/time").as_i64();
    let sources = array_items(json_at(figure, "/standing/sources"));
    let description = format!(
        "{subject}: {value}. Published by {}{}; {}. {VERIFIABLE}",
        text_at(flow, "publisher_name"),
        time.map(|time| format!(" on {}", calendar_day(time))).unwrap_or_default(),
        figure_phrase(json_at(figure, "/standing"), own),
    );
    Some(PageFacts {
        title: Some(format!("{subject}: {value}{}", doubt_suffix(&standing.word))),
        standing: Some(standing),
        description: Some(description),
        canonical: Some(format!("/figure/{path}{mark}{}", query.join("&"))),
        published: time.map(calendar_day),
        vintage: shown.map(|one| text_at(one, "vintage")),
        period: Some(period.to_owned()),
        variable: Some((flow_title(flow), unit)),
        area,
        identifier: Some(text_at(figure, "permanent_address")),
        sources: sources
            .iter()
            .filter_map(|one| {
                json_at(one, "/url").as_str().or(json_at(one, "/name").as_str()).map(str::to_owned)
            })
            .collect(),
        downloads: data_downloads(flow, key, Some(json_at(figure, "/standing/latest") == true)),
        lines: vec![
            ("Recipe".to_owned(), Some(format!("/recipe/{}", percent_encode(&text_at(flow, "recipe"))))),
            (
                format!("Published by {}", text_at(flow, "publisher_name")),
                Some(format!("/publisher/{}", percent_encode(publisher))),
            ),
        ],
        ..flow_facts(flow)
    })
}

/// Codes of a series key, escaped as in addresses (specs/addresses.md); `_` is the key without codes.
fn key_codes(key: &str) -> Vec<String> {
    let decode = |code: &str| percent_decode(code).unwrap_or_else(|| code.to_owned());
    if key == "_" { Vec::new() } else { key.split('.').map(decode).collect() }
}

fn recipe_facts(id: &str, ask: DocumentSource<'_>) -> Option<PageFacts> {
    let recipe = &ask(DocumentQuery::Recipe(id))?;
    let kind = if json_at(recipe, "/deviates_from").is_null() { "Official" } else { "Alternative" };
    let used = array_items(json_at(recipe, "/used_by")).iter().take(LINKS_MAX);
    Some(PageFacts {
        title: Some(format!("{}: recipe", text_at(recipe, "title"))),
        description: Some(format!(
            "{kind} method for {}: {} Script, inputs and comparison with other methods.",
            text_at(recipe, "indicator"),
            text_at(recipe, "description").trim(),
        )),
        canonical: Some(format!("/recipe/{}", percent_encode(id))),
        publisher: json_at(recipe, "/publisher_name").as_str().map(str::to_owned),
        identifier: Some(id.to_owned()),
        lines: used.map(|flow| (method_line(flow), Some(world_path(flow)))).collect(),
        ..PageFacts::default()
    })
}

fn publisher_facts(id: &str, ask: DocumentSource<'_>) -> Option<PageFacts> {
    let publisher = &ask(DocumentQuery::Publisher(id))?;
    let name = text_at(publisher, "name");
    let flows = array_items(json_at(publisher, "/flows"));
    // Five titles keep the description short enough for search results.
    let what: Vec<String> = flows.iter().take(5).map(flow_title).collect();
    Some(PageFacts {
        title: Some(format!("{name}, publisher")),
        description: Some(format!(
            "{name} publishes {}. {} Its log has {} entries. {VERIFIABLE}",
            if what.is_empty() { "no figures yet".into() } else { what.join("; ") },
            publisher_record(publisher),
            json_at(publisher, "/length"),
        )),
        canonical: Some(format!("/publisher/{}", percent_encode(id))),
        publisher: Some(name),
        identifier: Some(id.to_owned()),
        lines: flows.iter().take(LINKS_MAX).map(|flow| (flow_title(flow), Some(world_path(flow)))).collect(),
        ..PageFacts::default()
    })
}

/// Facts common to all pages about a flow.
fn flow_facts(flow: &Value) -> PageFacts {
    PageFacts {
        publisher: Some(text_at(flow, "publisher_name")),
        published: json_at(flow, "/published").as_i64().map(calendar_day),
        vintage: Some(text_at(flow, "vintage")).filter(|vintage| !vintage.is_empty()),
        period: period_span([flow].into_iter()),
        variable: Some((flow_title(flow), text_at(flow, "unit"))),
        method: Some(text_at(flow, "title")),
        identifier: Some(text_at(flow, "address")),
        ..PageFacts::default()
    }
}

/// Downloads of a key. An older vintage has no predictable URL, so it has none.
fn data_downloads(flow: &Value, key: &str, latest: Option<bool>) -> Vec<DataDownload> {
    if latest == Some(false) {
        return Vec::new();
    }
    let place = [text_at(flow, "publisher"), text_at(flow, "dataflow"), key.to_owned()]
        .map(|part| percent_encode(&part));
    let base = format!("/data/{}", place.join("/"));
    let kinds = [("csv", "text/csv", "CSV"), ("json", "application/json", "JSON-stat")];
    kinds
        .map(|(kind, media, name)| DataDownload {
            title: format!("{}, {name}", flow_title(flow)),
            path: format!("{base}.{kind}{}", output_query(flow, '?')),
            media_type: media,
        })
        .into()
}
