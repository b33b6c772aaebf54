//! Page metadata that needs no script: title, description, canonical URL, OpenGraph, schema.org as
//! JSON-LD, and static text shown until the web app runs.
//!
//! All text may come from untrusted publishers and is escaped.

use serde_json::{Value, json};

use crate::PageRequest;
use crate::page_facts::{DataDownload, NotFound, PageFacts, StandingFacts};
use crate::page_route::{PageKind, PageRoute};

/// Markers in the HTML shell built by Vite: the metadata goes before the end of the head, the static
/// text into the app element.
const HEAD_END: &str = "</head>";
const APP_ROOT: &str = "<div id=\"app\"></div>";
const SHELL_TITLE: &str = "<title>Assay</title>";
const SITE_NAME: &str = "Assay";
const DEFAULT_DESCRIPTION: &str = "Economic statistics that anyone can recompute: with the data, the formula and the signature \
                    behind every figure.";

/// Renders a page.
pub(crate) fn render_page(
    shell: &str,
    place: Option<&PageRoute>,
    wanted: PageRequest<'_>,
    facts: &Result<Option<PageFacts>, NotFound>,
) -> String {
    let none = PageFacts::default();
    let known = facts.as_ref().ok().and_then(Option::as_ref).unwrap_or(&none);
    let shown = PageMetadata { place: place.filter(|_| facts.is_ok()), wanted, facts: known };
    let (before, after) = shell.split_once(HEAD_END).unwrap_or((shell, ""));
    let after = after.replacen(APP_ROOT, &format!("<div id=\"app\">{}</div>", shown.body()), 1);
    format!("{}{}{HEAD_END}{after}", before.replacen(SHELL_TITLE, "", 1), shown.head())
}

/// Renders the metadata of a page. Without a route the page does not exist.
struct PageMetadata<'a> {
    place: Option<&'a PageRoute>,
    wanted: PageRequest<'a>,
    facts: &'a PageFacts,
}

impl PageMetadata<'_> {
    fn head(&self) -> String {
        let name = self.name();
        let title = if name == SITE_NAME { name } else { format!("{name} · {SITE_NAME}") };
        let canonical = self.canonical();
        let mut head = format!("<title>{}</title>\n", escape_html(&title));
        let mut meta = |key: &str, name: &str, content: &str| {
            head.push_str(&format!("<meta {key}=\"{name}\" content=\"{}\">\n", escape_html(content)));
        };
        meta("name", "description", self.description());
        meta("property", "og:site_name", SITE_NAME);
        meta("property", "og:type", "website");
        meta("property", "og:title", &title);
        meta("property", "og:description", self.description());
        meta("property", "og:url", &canonical);
        meta("name", "twitter:card", "summary");
        // Embedded views, search results and error pages should not be indexed.
        if self.place.is_none_or(|place| place.embed || place.page == PageKind::Search) {
            meta("name", "robots", "noindex");
        }
        head.push_str(&format!("<link rel=\"canonical\" href=\"{}\">\n", escape_html(&canonical)));
        if let Some(data) = self.schema() {
            head.push_str(&format!("<script type=\"application/ld+json\">{}</script>\n", inline_json(&data)));
        }
        head
    }

    /// Returns the static text, shown before the web app runs and to clients without scripts.
    fn body(&self) -> String {
        let frame = self.place.is_none_or(|place| !place.embed);
        let top = if frame { SITE_HEADER } else { "" };
        let mut body = format!("{top}<main id=\"main\"{}>\n", if frame { "" } else { " class=\"embedded\"" });
        body.push_str(&format!(
            "<h1>{}</h1>\n{}<p class=\"lead\">{}</p>\n",
            escape_html(&self.name()),
            self.facts.standing.as_ref().map(standing_line).unwrap_or_default(),
            escape_html(self.description())
        ));
        let links = self.facts.lines.iter().map(|(text, path)| (text.as_str(), path.as_deref()));
        let files = self.facts.downloads.iter().map(|file| (file.title.as_str(), Some(file.path.as_str())));
        let items: String = links.chain(files).map(|(text, path)| list_item(text, path)).collect();
        if !items.is_empty() {
            body.push_str(&format!("<ul>\n{items}</ul>\n"));
        }
        body + "</main>"
    }

    fn name(&self) -> String {
        let told = self.facts.title.clone();
        told.unwrap_or_else(|| self.place.map_or_else(|| "Not found".into(), default_title))
    }

    fn description(&self) -> &str {
        self.facts.description.as_deref().unwrap_or(DEFAULT_DESCRIPTION)
    }

    /// Returns the canonical URL; an embedded page refers to its full page.
    fn canonical(&self) -> String {
        let path = self.wanted.path.strip_prefix("/embed").unwrap_or(self.wanted.path);
        format!("{}{}", self.wanted.origin, self.facts.canonical.as_deref().unwrap_or(path))
    }

    /// Returns the schema.org description of the page; `None` if its subject has no facts.
    fn schema(&self) -> Option<Value> {
        let facts = self.facts;
        facts.title.as_ref()?;
        let kind = match self.place?.page {
            PageKind::World(Some(_)) | PageKind::Country(_) | PageKind::Figure { .. } => "Dataset",
            PageKind::Recipe(_) => "SoftwareSourceCode",
            PageKind::Publisher(_) => "Organization",
            _ => return None,
        };
        let mut data = json!({
            "@context": "https://schema.org", "@type": kind, "name": self.name(),
            "description": self.description(), "url": self.canonical(),
        });
        let mut add = |name: &str, value: Option<Value>| {
            if let (Some(map), Some(value)) = (data.as_object_mut(), value) {
                map.insert(name.to_owned(), value);
            }
        };
        add("identifier", facts.identifier.as_ref().map(|one| json!(one)));
        match kind {
            "Dataset" => self.dataset(add),
            "SoftwareSourceCode" => {
                add("programmingLanguage", Some(json!("VTL 2.2")));
                add("author", organization(facts));
            }
            _ => add("name", facts.publisher.as_ref().map(|name| json!(name))),
        }
        Some(data)
    }

    fn dataset(&self, mut add: impl FnMut(&str, Option<Value>)) {
        let facts = self.facts;
        add("isAccessibleForFree", Some(json!(true)));
        add("creator", organization(facts));
        add("dateModified", facts.published.as_ref().map(|date| json!(date)));
        add("version", facts.vintage.as_ref().map(|vintage| json!(vintage)));
        add("temporalCoverage", facts.period.as_ref().map(|period| json!(period)));
        let place = |name: &String| json!({ "@type": "Place", "name": name });
        add("spatialCoverage", facts.area.as_ref().map(place));
        let variable = |(name, unit): &(String, String)| json!({ "@type": "PropertyValue", "name": name, "unitText": unit });
        add("variableMeasured", facts.variable.as_ref().map(variable));
        add("measurementTechnique", facts.method.as_ref().map(|method| json!(method)));
        // Free text in schema.org: the standing in the words of the page.
        add("creativeWorkStatus", facts.standing.as_ref().map(|standing| json!(standing.sentence)));
        add("isBasedOn", Some(json!(facts.sources)).filter(|_| !facts.sources.is_empty()));
        let file = |file: &DataDownload| {
            json!({
                "@type": "DataDownload", "name": file.title, "encodingFormat": file.media_type,
                "contentUrl": format!("{}{}", self.wanted.origin, file.path),
            })
        };
        let files: Vec<Value> = facts.downloads.iter().map(file).collect();
        add("distribution", Some(json!(files)).filter(|_| !files.is_empty()));
    }
}

fn organization(facts: &PageFacts) -> Option<Value> {
    facts.publisher.as_ref().map(|name| json!({ "@type": "Organization", "name": name }))
}

/// Site header. The web app renders the same one, so that the layout does not shift.
const SITE_HEADER: &str = "<header class=\"top\"><a class=\"logo\" href=\"/\"><svg viewBox=\"0 0 32 32\" aria-hidden=\"true\">\
<path d=\"M4 23 11 14l6 5L28 7\"/></svg>Assay</a><nav aria-label=\"Main\"><a href=\"/\">World</a>\
<a href=\"/network\">Network</a></nav></header>\n";

/// Returns the line that says how a figure stands; a number that does not hold is struck through.
fn standing_line(standing: &StandingFacts) -> String {
    let (class, role) = match standing.word.as_str() {
        "does_not_hold" => ("alarm", " role=\"alert\""),
        "contested" => ("doubt", " role=\"alert\""),
        _ => ("quiet", ""),
    };
    let struck = standing.struck.as_deref().map(|text| format!("<s>{}</s> ", escape_html(text)));
    format!(
        "<p class=\"{class}\"{role} data-standing=\"{}\">{}{}.</p>\n",
        escape_html(&standing.word),
        struck.unwrap_or_default(),
        escape_html(&standing.sentence)
    )
}

/// Returns a list item, linked if `path` is a path of this node.
fn list_item(text: &str, path: Option<&str>) -> String {
    let text = escape_html(text);
    // `//host` would be an absolute URL of another host.
    match path.filter(|path| path.starts_with('/') && !path.starts_with("//")) {
        Some(path) => format!("<li><a href=\"{}\">{text}</a></li>\n", escape_html(path)),
        None => format!("<li>{text}</li>\n"),
    }
}

/// Returns the title of a page without facts.
fn default_title(place: &PageRoute) -> String {
    match &place.page {
        PageKind::World(None) => SITE_NAME.to_owned(),
        PageKind::World(Some(indicator)) => format!("{indicator}: world map"),
        PageKind::Country(area) => area.clone(),
        PageKind::Figure { dataflow, key, period, .. } => format!("{dataflow} {key} {period}"),
        PageKind::Recipe(_) => "Recipe".to_owned(),
        PageKind::Publisher(_) => "Publisher".to_owned(),
        PageKind::Network => "Network".to_owned(),
        PageKind::Search => "Search".to_owned(),
    }
}

/// Serialises JSON so that it cannot end its `<script>` element.
fn inline_json(data: &Value) -> String {
    data.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Escapes text for elements and double-quoted attributes.
fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page_facts::DocumentQuery;

    const EVIL: &str = "</script><script>alert(1)</script>\"'&";

    fn shown(path: &str, ask: &dyn Fn(DocumentQuery<'_>) -> Option<Value>) -> String {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let wanted = PageRequest { path, query, origin: "http://127.0.0.1:1", ..PageRequest::default() };
        let shell = "<html><head><title>Assay</title></head><body><div id=\"app\"></div></body></html>";
        let place = PageRoute::parse(path, query);
        let facts = place.as_ref().map_or(Err(NotFound), |place| crate::page_facts::page_facts(place, ask));
        render_page(shell, place.as_ref(), wanted, &facts)
    }

    fn schema(html: &str) -> Value {
        let json = html.split("ld+json\">").nth(1).and_then(|rest| rest.split("</script").next());
        json.map_or(Value::Null, |json| serde_json::from_str(json).unwrap())
    }

    fn flow(dataflow: &str, output: &str, outputs: u64, official: bool, said: &str) -> Value {
        json!({
            "publisher": "pub", "publisher_name": said, "dataflow": dataflow, "indicator": "gdp", "title": said,
            "output": output, "output_title": output.to_lowercase(), "outputs": outputs, "unit": "per cent",
            "official": official, "series": 200, "first_period": "1960", "last_period": "2024", "published": 1_700_000_000,
            "seq": 7, "address": format!("assay://pub/{dataflow}@seq=7"), "vintage": "v1", "retracted": null,
            "standing": { "word": "unchecked", "does_not_hold": 0, "contests": [], "retracted_points": 0 }, "recipe": "rec",
            "dimensions": ["REF_AREA", "TIME_PERIOD"],
        })
    }

    fn sample_documents(said: &str) -> impl Fn(DocumentQuery<'_>) -> Option<Value> {
        let flows = [
            flow("growth", "A", 1, true, said),
            flow("two", "B", 2, false, said),
            flow("two", "C", 2, false, said),
        ];
        move |ask| match ask {
            DocumentQuery::Flows => Some(json!(flows)),
            DocumentQuery::Areas => Some(json!([{ "code": "DEU", "name": "Germany" }])),
            DocumentQuery::Country("DEU") => Some(json!({
                "area": { "code": "DEU", "name": "Germany" },
                "flows": [{ "flow": flows[0], "series": [
                    { "key": "DEU", "periods": ["2019", "2020", "2021"], "values": [1.5, 2.5, null] }
                ] }],
            })),
            DocumentQuery::Figure(["pub", "two", "DEU", "2020"], Some("C"), vintage) => Some(json!({
                "permanent_address": "assay://pub/two/DEU/2020@seq=3", "value": "1.25", "unit": "per cent", "flow": flows[2], "output": "C", "release": "r",
                "revisions": [{ "release": "r", "vintage": "old" }],
                "standing": {
                    "latest": vintage.is_none(), "log": { "seq": 3 }, "signature": { "time": 0 },
                    "sources": [{ "name": "a.csv", "url": null }, { "name": "b", "url": "https://example.org/b" }],
                    "word": "holds", "confirmed_by": ["other"], "contests": [],
                },
            })),
            DocumentQuery::Recipe("rec") => Some(json!({
                "title": said, "indicator": "gdp", "description": said, "publisher_name": said,
                "deviates_from": null, "used_by": [flows[1]],
            })),
            DocumentQuery::Publisher("pub") => {
                Some(json!({ "name": said, "flows": flows, "length": 9, "forked": false }))
            }
            _ => None,
        }
    }

    const FIGURE: &str = "/figure/pub/two/DEU/2020?output=C";

    #[test]
    fn untrusted_text_is_escaped() {
        let ask = sample_documents(EVIL);
        let paths = ["/country/DEU", "/world/gdp", FIGURE, "/recipe/rec", "/publisher/pub"];
        for path in paths {
            let html = shown(path, &ask);
            assert_eq!((html.matches("<script").count(), html.matches("</script").count()), (1, 1), "{html}");
            let data = schema(&html);
            assert!(data["description"].as_str().is_some_and(|text| text.contains(EVIL)), "{data}");
        }
        for path in
            ["/country/%3Cscript%3E", "/figure/p/f/%22%3E/%3C", "/world/%3Cscript%3E?method=%3Cscript%3E"]
        {
            let html = shown(path, &ask);
            assert_eq!(html.matches("<script").count(), 0, "{html}");
        }
    }

    #[test]
    fn pages_have_one_canonical_url() {
        let ask = sample_documents("Office");
        for (path, canonical) in [
            ("/", "/"),
            ("/world/gdp", "/world/gdp"),
            ("/world/gdp?view=table&period=2020&compare=DEU", "/world/gdp"),
            ("/world/gdp?method=pub/growth", "/world/gdp?method=pub/growth"),
            ("/world/gdp?method=pub/two&output=C&view=map", "/world/gdp?method=pub/two&output=C"),
            ("/world/gdp?method=pub/two", "/world/gdp?method=pub/two&output=B"),
            ("/world/gdp?method=nobody/nothing", "/world/gdp"),
            ("/embed/country/DEU?indicator=gdp", "/country/DEU?indicator=gdp"),
            ("/country/DEU?indicator=nothing", "/country/DEU"),
            (FIGURE, FIGURE),
            (
                "/figure/pub/two/DEU/2020?vintage=asof=2020-01-01&output=C",
                "/figure/pub/two/DEU/2020?output=C&vintage=seq=3",
            ),
            ("/recipe/rec?from=other", "/recipe/rec"),
            ("/publisher/pub", "/publisher/pub"),
            ("/network", "/network"),
        ] {
            let html = shown(path, &ask);
            let link =
                format!("<link rel=\"canonical\" href=\"http://127.0.0.1:1{}\">", escape_html(canonical));
            assert!(html.contains(&link), "{path}: {link} in {html}");
            assert_eq!(html.matches("rel=\"canonical\"").count(), 1);
            assert!(html.contains(&format!(
                "property=\"og:url\" content=\"http://127.0.0.1:1{}\"",
                escape_html(canonical)
            )));
        }
    }

    #[test]
    fn metadata_and_text_match_the_page() {
        let ask = sample_documents("Office");
        for (path, parts) in [
            (
                "/world/gdp",
                [
                    "<title>GDP: world map · Assay</title>",
                    "<h1>GDP: world map</h1>",
                    "200 series, 1960 to 2024",
                    "/world/gdp?method=pub/two&amp;output=C",
                ],
            ),
            (
                "/country/DEU",
                [
                    "<title>Germany: GDP · Assay</title>",
                    "Office, 2020: 2.5 %",
                    "href=\"/figure/pub/growth/DEU/2020\"",
                    "/data/pub/growth/DEU.csv",
                ],
            ),
            (
                FIGURE,
                [
                    "<title>c (Office), Germany, 2020: 1.25 % · Assay</title>",
                    "on 1970-01-01; holds: source read again and recipe run again by 1 followed publisher.",
                    "href=\"/data/pub/two/DEU.csv?output=C\"",
                    "href=\"/recipe/rec\"",
                ],
            ),
            (
                "/recipe/rec",
                [
                    "<title>Office: recipe · Assay</title>",
                    "Official method for gdp",
                    "SoftwareSourceCode",
                    "alternative, by Office",
                ],
            ),
            (
                "/publisher/pub",
                [
                    "<title>Office, publisher · Assay</title>",
                    "has 9 entries",
                    "\"Organization\"",
                    "c (Office)",
                ],
            ),
            ("/embed/country/DEU", ["content=\"noindex\"", "class=\"embedded\"", "Germany", "2.5 %"]),
            (
                "/country/XXX",
                ["content=\"noindex\"", "<title>Not found · Assay</title>", "<main", "<h1>Not found</h1>"],
            ),
            (
                "/nothing/here",
                ["content=\"noindex\"", "<title>Not found · Assay</title>", "<main", "<h1>Not found</h1>"],
            ),
        ] {
            let html = shown(path, &ask);
            for part in parts {
                assert!(html.contains(part), "{path}: {part} in {html}");
            }
            assert_eq!(html.matches("<title>").count(), 1);
        }
        assert!(!shown("/", &ask).contains("ld+json"));
    }

    #[test]
    fn every_standing_has_its_words() {
        let documents = sample_documents("Office");
        for (standing, title, class, words) in [
            (
                json!({ "word": "holds", "checked_here": { "cell": "holds" }, "confirmed_by": ["a", "b"], "stated": ["x"] }),
                "2020: 1.25 %",
                "quiet",
                "Holds: recipe run again here and by 2 followed publishers, on data stated by the publisher, without a document.",
            ),
            (
                json!({ "word": "does_not_hold", "published": "1.25", "computed": "1.5", "contests": ["retracted"] }),
                "2020: 1.25 % (does not hold)",
                "alarm",
                "<s>1.25 %</s> Does not hold: published 1.25, computed 1.5; its publisher retracted the release.",
            ),
            (
                json!({ "word": "contested", "contests": ["forked", "superseded"], "superseded": { "seq": 9 } }),
                "2020: 1.25 % (contested)",
                "doubt",
                "Contested: its publisher signed two histories; a later release supersedes it (entry 9).",
            ),
            (
                json!({ "word": "unchecked" }),
                "2020: 1.25 %",
                "quiet",
                "Unchecked: run neither here nor by a publisher that this node follows.",
            ),
        ] {
            let ask = |query: DocumentQuery<'_>| {
                let mut document = documents(query)?;
                if let Some(slot) = document.get_mut("standing") {
                    *slot = standing.clone();
                }
                Some(document)
            };
            let html = shown(FIGURE, &ask);
            let word = standing["word"].as_str().unwrap();
            for part in [&format!("{title} · Assay</title>"), &format!("data-standing=\"{word}\""), words] {
                assert!(html.contains(part), "{word}: {part} in {html}");
            }
            assert!(html.contains(&format!("<p class=\"{class}\"")), "{word}: {html}");
            let sentence = words.rsplit("</s> ").next().unwrap().trim_end_matches('.');
            let data = schema(&html);
            assert_eq!(data["creativeWorkStatus"], sentence, "{data}");
            let clause = sentence.split_once(": ").map(|(_, rest)| rest).unwrap();
            assert!(data["description"].as_str().is_some_and(|text| text.contains(clause)), "{data}");
        }
    }

    #[test]
    fn a_publisher_is_introduced_by_what_was_caught() {
        let record = json!({ "releases": 5, "does_not_hold": 1, "retracted": 2, "holds": 3, "unchecked": 1 });
        let ask = |_: DocumentQuery<'_>| {
            Some(json!({ "name": "Office", "length": 9, "record": record, "forks": [{}] }))
        };
        let caught = "Caught: 1 release that does not hold, 2 retractions, 1 fork of its log. \
                      Of 5 releases, 3 hold and 1 are unchecked.";
        assert!(shown("/publisher/pub", &ask).contains(caught));
    }

    #[test]
    fn a_dataset_says_what_it_is() {
        let ask = sample_documents("Office");
        let data = schema(&shown(FIGURE, &ask));
        for (place, value) in [
            ("/@type", json!("Dataset")),
            ("/creator/name", json!("Office")),
            ("/dateModified", json!("1970-01-01")),
            ("/version", json!("old")),
            ("/temporalCoverage", json!("2020")),
            ("/spatialCoverage/name", json!("Germany")),
            ("/variableMeasured/unitText", json!("per cent")),
            ("/identifier", json!("assay://pub/two/DEU/2020@seq=3")),
            ("/isBasedOn", json!(["a.csv", "https://example.org/b"])),
            ("/distribution/1/contentUrl", json!("http://127.0.0.1:1/data/pub/two/DEU.json?output=C")),
        ] {
            assert_eq!(data.pointer(place), Some(&value), "{place} in {data}");
        }
        let old = schema(&shown("/figure/pub/two/DEU/2020?output=C&vintage=first", &ask));
        assert_eq!(old.get("distribution"), None);
        let world = schema(&shown("/world/gdp", &ask));
        assert_eq!(
            (&world["temporalCoverage"], &world["dateModified"]),
            (&json!("1960/2024"), &json!("2023-11-14"))
        );
    }
}
