//! What is known of a page before any script runs, from the documents of the API: title, sentence,
//! numbers, and the address under which the page is known.
//!
//! Asks for documents and knows nothing of where they come from. What a document lacks is left out.

mod words;

use serde_json::Value;

use crate::place::{Page, Place, encode};
use words::{
    at, capital, day, favourite, list, listed, method_line, output_of, sign, span, text, titled, word,
    world_path,
};

/// A document of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask<'a> {
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

/// Gives documents; `None` where there is no such thing.
pub type Documents<'a> = &'a dyn Fn(Ask<'_>) -> Option<Value>;

/// What whoever knows the data tells of a page; all of it may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Such as `Inflation, Germany, 2020: 1.4 %`.
    pub title: Option<String>,
    /// A sentence or two.
    pub description: Option<String>,
    /// The path and query under which the page is known; what only changes the view is not in it.
    pub canonical: Option<String>,
    /// Who publishes it.
    pub publisher: Option<String>,
    /// When, as `2026-01-31`.
    pub published: Option<String>,
    /// Which vintage.
    pub vintage: Option<String>,
    /// First and last period, as `1960/2024`.
    pub period: Option<String>,
    /// What is measured, and its unit.
    pub variable: Option<(String, String)>,
    /// Of which area.
    pub area: Option<String>,
    /// How it is computed.
    pub method: Option<String>,
    /// A name for ever.
    pub identifier: Option<String>,
    /// Documents that it is made of.
    pub sources: Vec<String>,
    /// Where the data can be had.
    pub downloads: Vec<Download>,
    /// Lines for those who run no scripts: text, and where it leads.
    pub lines: Vec<(String, Option<String>)>,
}

/// A file with the data of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// What is in it.
    pub title: String,
    /// Where it is, below the origin.
    pub path: String,
    /// Its media type.
    pub media: &'static str,
}

/// Flows and countries of one page that are written out.
const LINES_MAX: usize = 40;
const PROMISE: &str =
    "Signed by its publisher, with the source data and the formula, so that anyone can run it again.";

/// The facts of a page; `Err` when there is no such thing.
pub fn facts(place: &Place, ask: Documents<'_>) -> Result<Option<Facts>, Nothing> {
    let found = match &place.page {
        Page::World(None) => return Ok(world(place, None, ask)),
        Page::World(measure) => world(place, measure.as_deref(), ask),
        Page::Country(area) => country(place, area, ask),
        Page::Figure { publisher, dataflow, key, period } => {
            figure(place, [publisher, dataflow, key, period], ask)
        }
        Page::Recipe(id) => recipe(id, ask),
        Page::Publisher(id) => publisher(id, ask),
        Page::Network | Page::Search => return Ok(None),
    };
    found.map(Some).ok_or(Nothing)
}

/// There is no such thing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nothing;

fn world(place: &Place, measure: Option<&str>, ask: Documents<'_>) -> Option<Facts> {
    let flows = ask(Ask::Flows)?;
    let mapped =
        list(&flows).iter().filter(|flow| list(at(flow, "/dimensions")).iter().any(|one| one == "REF_AREA"));
    let Some(measure) = measure else {
        return Some(Facts { lines: measures(mapped), canonical: Some("/".into()), ..Facts::default() });
    };
    let mut methods: Vec<&Value> = mapped.filter(|flow| at(flow, "/indicator") == measure).collect();
    methods.sort_by_key(|flow| rank(flow));
    let named = |flow: &&&Value| {
        let name = format!("{}/{}", text(flow, "publisher"), text(flow, "dataflow"));
        place.said("method") == Some(&name)
    };
    let same: Vec<&Value> = methods.iter().filter(named).copied().collect();
    let output = |flow: &&&Value| place.said("output") == at(flow, "/output").as_str();
    let chosen = same.iter().find(output).or(same.first()).copied();
    let flow = chosen.or(methods.first().copied())?;
    let canonical = chosen.map_or_else(|| format!("/world/{}", encode(measure)), world_path);
    let title =
        format!("{}: {}", capital(measure), if chosen.is_some() { titled(flow) } else { "the world".into() });
    let description = format!(
        "{}, {}, {} series, {} to {}. Published by {}. {PROMISE}",
        titled(flow),
        text(flow, "unit"),
        at(flow, "/areas"),
        text(flow, "first"),
        text(flow, "last"),
        text(flow, "publisher_name"),
    );
    let lines =
        methods.iter().take(LINES_MAX).map(|flow| (method_line(flow), Some(world_path(flow)))).collect();
    let facts = Facts {
        title: Some(title),
        description: Some(description),
        canonical: Some(canonical),
        lines,
        ..of_flow(flow)
    };
    Some(Facts { downloads: files(flow, "all", None), ..facts })
}

/// Official methods first, then the widest: as the pages choose when nothing is chosen.
fn rank(flow: &Value) -> (bool, u64, i64, String, String) {
    let bad = u64::from(!at(flow, "/retracted").is_null()) + at(flow, "/differs").as_u64().unwrap_or(0);
    let areas = -at(flow, "/areas").as_i64().unwrap_or(0);
    (at(flow, "/official") != true, bad, areas, text(flow, "dataflow"), text(flow, "output"))
}

/// A line for each measure.
fn measures<'a>(flows: impl Iterator<Item = &'a Value>) -> Vec<(String, Option<String>)> {
    let mut names: Vec<String> = flows.map(|flow| text(flow, "indicator")).collect();
    names.sort_by_key(|name| favourite(name));
    names.dedup();
    names
        .iter()
        .take(LINES_MAX)
        .map(|name| (capital(name), Some(format!("/world/{}", encode(name)))))
        .collect()
}

fn country(place: &Place, area: &str, ask: Documents<'_>) -> Option<Facts> {
    let country = &ask(Ask::Country(area))?;
    let name = Some(text(at(country, "/area"), "name")).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| area.to_owned());
    let mut flows: Vec<&Value> = list(at(country, "/flows")).iter().collect();
    let of = |one: &Value, measure: &str| at(one, "/flow/indicator") == measure;
    let wanted = place.said("indicator").filter(|wanted| flows.iter().any(|one| of(one, wanted)));
    flows.retain(|one| wanted.is_none_or(|wanted| of(one, wanted)));
    flows.sort_by_key(|one| (favourite(&text(at(one, "/flow"), "indicator")), rank(at(one, "/flow"))));
    let mut measures: Vec<String> = flows.iter().map(|one| text(at(one, "/flow"), "indicator")).collect();
    measures.dedup();
    let what = if measures.is_empty() { "no figures".to_owned() } else { listed(&measures) };
    // The first method of each measure stands for it.
    let first = |measure: &String| flows.iter().find(|one| of(one, measure)).copied();
    let heads: Vec<String> =
        measures.iter().filter_map(|measure| latest(first(measure)?)).map(|(line, _)| line).collect();
    let query = wanted.map(|wanted| format!("?indicator={}", encode(wanted))).unwrap_or_default();
    Some(Facts {
        title: Some(format!("{name}: {what}")),
        description: Some(format!("{}. {PROMISE}", heads.join("; "))).filter(|_| !measures.is_empty()),
        canonical: Some(format!("/country/{}{query}", encode(area))),
        area: Some(name),
        lines: flows.iter().take(LINES_MAX).filter_map(|one| latest(one)).collect(),
        ..of_country(&flows)
    })
}

/// What the flows of a country have in common: not vintage and identifier, and one unit only when there
/// is one flow.
fn of_country(flows: &[&Value]) -> Facts {
    let all = flows.iter().map(|one| at(one, "/flow"));
    let first = all.clone().next().map(of_flow).unwrap_or_default();
    let publisher =
        first.publisher.filter(|name| all.clone().all(|flow| text(flow, "publisher_name") == *name));
    let key = |one: &Value| list(at(one, "/keys")).first().map(|line| text(line, "key"));
    let csv = |one: &&Value| files(at(one, "/flow"), &key(one)?, None).into_iter().next();
    Facts {
        period: span(all.clone()),
        published: all.filter_map(|flow| at(flow, "/published").as_i64()).max().map(day),
        publisher,
        variable: first.variable.filter(|_| flows.len() == 1),
        method: first.method.filter(|_| flows.len() == 1),
        downloads: flows.iter().take(LINES_MAX).filter_map(csv).collect(),
        ..Facts::default()
    }
}

/// The last value of the first series of a flow, in words, and its page.
fn latest(one: &Value) -> Option<(String, Option<String>)> {
    let (flow, line) = (at(one, "/flow"), list(at(one, "/keys")).first()?);
    let last = list(at(line, "/values")).iter().rposition(|value| !value.is_null())?;
    let (value, period) =
        (list(at(line, "/values")).get(last)?, list(at(line, "/periods")).get(last)?.as_str()?);
    let path = format!(
        "/figure/{}/{}/{}/{}{}",
        encode(&text(flow, "publisher")),
        encode(&text(flow, "dataflow")),
        encode(&text(line, "key")),
        encode(period),
        output_of(flow, '?'),
    );
    Some((format!("{}, {period}: {value} {}", titled(flow), sign(&text(flow, "unit"))), Some(path)))
}

fn figure(place: &Place, parts: [&str; 4], ask: Documents<'_>) -> Option<Facts> {
    let (output, vintage) = (place.said("output"), place.said("vintage"));
    let figure = &ask(Ask::Figure(parts, output, vintage))?;
    let flow = at(figure, "/flow");
    let [publisher, dataflow, key, period] = parts;
    let areas = ask(Ask::Areas).unwrap_or_default();
    let named = |code: &str| {
        list(&areas).iter().find(|area| at(area, "/code") == code).map(|area| text(area, "name"))
    };
    let codes: Vec<String> =
        key.split('.').map(|code| named(code).unwrap_or_else(|| code.to_owned())).collect();
    let area = key.split('.').find_map(named);
    let unit = text(figure, "unit");
    let value = at(figure, "/value")
        .as_str()
        .map_or_else(|| "no value".to_owned(), |value| format!("{value} {}", sign(&unit)));
    let shown =
        list(at(figure, "/revisions")).iter().find(|one| at(one, "/release") == at(figure, "/release"));
    let seq = at(figure, "/badges/logged/seq");
    let query: Vec<String> = [
        output
            .filter(|_| at(flow, "/outputs").as_u64() > Some(1))
            .map(|output| format!("output={}", encode(output))),
        // A vintage by its number is another page; every other name of it is that of the same page.
        vintage.filter(|_| at(figure, "/badges/latest") != true).map(|_| format!("vintage=seq={seq}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mark = if query.is_empty() { "" } else { "?" };
    let path = parts.map(encode).join("/");
    let time = at(figure, "/badges/signed/time").as_i64();
    let sources = list(at(figure, "/badges/sources"));
    let reproduced = list(at(figure, "/badges/reproduced"))
        .iter()
        .filter(|one| word(at(one, "/verdict")) == "reproduced")
        .count();
    let description = format!(
        "{}, {}, {period}: {value}. Published by {}{}; {}. {PROMISE}",
        titled(flow),
        codes.join(", "),
        text(flow, "publisher_name"),
        time.map(|time| format!(" on {}", day(time))).unwrap_or_default(),
        if reproduced == 0 {
            "reproduced by nobody else yet".into()
        } else {
            format!("reproduced by {reproduced}")
        },
    );
    Some(Facts {
        title: Some(format!("{}, {}, {period}: {value}", titled(flow), codes.join(", "))),
        description: Some(description),
        canonical: Some(format!("/figure/{path}{mark}{}", query.join("&"))),
        published: time.map(day),
        vintage: shown.map(|one| text(one, "vintage")),
        period: Some(period.to_owned()),
        variable: Some((titled(flow), unit)),
        area,
        identifier: Some(format!("assay://{publisher}/{dataflow}/{key}/{period}@seq={seq}")),
        sources: sources
            .iter()
            .filter_map(|one| at(one, "/url").as_str().or(at(one, "/name").as_str()).map(str::to_owned))
            .collect(),
        downloads: files(flow, key, Some(at(figure, "/badges/latest") == true)),
        lines: vec![
            ("The formula".to_owned(), Some(format!("/recipe/{}", encode(&text(flow, "recipe"))))),
            (
                format!("Published by {}", text(flow, "publisher_name")),
                Some(format!("/publisher/{}", encode(publisher))),
            ),
        ],
        ..of_flow(flow)
    })
}

fn recipe(id: &str, ask: Documents<'_>) -> Option<Facts> {
    let recipe = &ask(Ask::Recipe(id))?;
    let kind = if at(recipe, "/deviates_from").is_null() { "official" } else { "alternative" };
    let used = list(at(recipe, "/used_by")).iter().take(LINES_MAX);
    Some(Facts {
        title: Some(format!("{}, the recipe", text(recipe, "title"))),
        description: Some(format!(
            "An {kind} method for {}: {} The script, its inputs and what sets it apart.",
            text(recipe, "indicator"),
            text(recipe, "description").trim(),
        )),
        canonical: Some(format!("/recipe/{}", encode(id))),
        publisher: at(recipe, "/publisher_name").as_str().map(str::to_owned),
        identifier: Some(id.to_owned()),
        lines: used.map(|flow| (method_line(flow), Some(world_path(flow)))).collect(),
        ..Facts::default()
    })
}

fn publisher(id: &str, ask: Documents<'_>) -> Option<Facts> {
    let publisher = &ask(Ask::Publisher(id))?;
    let name = text(publisher, "name");
    let flows = list(at(publisher, "/flows"));
    let what: Vec<String> = flows.iter().take(5).map(titled).collect();
    let forked = if at(publisher, "/forked") == true { " It signed two histories." } else { "" };
    Some(Facts {
        title: Some(format!("{name}, publisher")),
        description: Some(format!(
            "{name} publishes {}. {} entries in its log.{forked} {PROMISE}",
            if what.is_empty() { "no figures yet".into() } else { what.join("; ") },
            at(publisher, "/length"),
        )),
        canonical: Some(format!("/publisher/{}", encode(id))),
        publisher: Some(name),
        identifier: Some(id.to_owned()),
        lines: flows.iter().take(LINES_MAX).map(|flow| (titled(flow), Some(world_path(flow)))).collect(),
        ..Facts::default()
    })
}

/// What all pages about a flow say.
fn of_flow(flow: &Value) -> Facts {
    Facts {
        publisher: Some(text(flow, "publisher_name")),
        published: at(flow, "/published").as_i64().map(day),
        vintage: Some(text(flow, "vintage")).filter(|vintage| !vintage.is_empty()),
        period: span([flow].into_iter()),
        variable: Some((titled(flow), text(flow, "unit"))),
        method: Some(text(flow, "title")),
        identifier: Some(format!(
            "assay://{}/{}@seq={}",
            text(flow, "publisher"),
            text(flow, "dataflow"),
            at(flow, "/seq")
        )),
        ..Facts::default()
    }
}

/// Files of a key; an older vintage has none at an address that can be guessed.
fn files(flow: &Value, key: &str, latest: Option<bool>) -> Vec<Download> {
    if latest == Some(false) {
        return Vec::new();
    }
    let place = [text(flow, "publisher"), text(flow, "dataflow"), key.to_owned()].map(|part| encode(&part));
    let base = format!("/data/{}", place.join("/"));
    let kinds = [("csv", "text/csv", "CSV"), ("json", "application/json", "JSON-stat")];
    kinds
        .map(|(kind, media, name)| Download {
            title: format!("{}, {name}", titled(flow)),
            path: format!("{base}.{kind}{}", output_of(flow, '?')),
            media,
        })
        .into()
}
