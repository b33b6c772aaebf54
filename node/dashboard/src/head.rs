//! The head of a page, for readers that run no scripts: title, description, canonical address,
//! OpenGraph, and schema.org `Dataset` as JSON-LD. All of it is text of strangers and is escaped.

use serde_json::{Value, json};

use crate::Wanted;
use crate::place::{Page, Place};

/// What whoever knows the data tells of a page; all of it may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Such as `Inflation, Germany, 2020: 1.4 %`.
    pub title: Option<String>,
    /// A sentence or two.
    pub description: Option<String>,
    /// Who publishes it.
    pub publisher: Option<String>,
    /// When, as `2026-01-31`.
    pub published: Option<String>,
    /// First and last period, as `1960/2024`.
    pub period: Option<String>,
    /// What is measured.
    pub unit: Option<String>,
    /// Where the data can be had, below the origin, such as `/data/…/….csv`.
    pub download: Option<String>,
}

/// The end of the head in the shell that Vite made, where ours goes in.
const SEAM: &str = "</head>";
const TITLE: &str = "<title>Assay</title>";
const SITE: &str = "Assay";
const WHAT: &str = "Economic statistics that anyone can run again: the data, the formula and the signature \
                    behind every figure.";

/// A whole page.
pub(crate) fn page(shell: Option<&[u8]>, place: Option<&Place>, wanted: Wanted<'_>, facts: &Facts) -> String {
    let shell = shell.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or(PLAIN);
    let head = head(place, wanted, facts);
    let (before, after) = shell.split_once(SEAM).unwrap_or((shell, ""));
    format!("{}{head}{SEAM}{after}", before.replacen(TITLE, "", 1))
}

/// What stands there when the program was not built in.
const PLAIN: &str = "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><title>Assay</title></head>\n<body>\n\
<h1>This node has no dashboard built in</h1>\n\
<p>Its API works: <a href=\"/api/v1/status\">/api/v1/status</a>.</p>\n\
<p>The dashboard is built along with the program where Node.js 20.19 or later and npm are installed \
(Debian: <code>apt install nodejs npm</code>, or nodejs.org). Then run <code>cargo build</code> again.</p>\n\
</body>\n</html>\n";

fn head(place: Option<&Place>, wanted: Wanted<'_>, facts: &Facts) -> String {
    let title = facts.title.clone().unwrap_or_else(|| place.map_or_else(|| "Not found".into(), named));
    let title = if title == SITE { title } else { format!("{title} · {SITE}") };
    let description = facts.description.as_deref().unwrap_or(WHAT);
    // The page proper, also when it is read inside another one.
    let path = wanted.path.strip_prefix("/embed").unwrap_or(wanted.path);
    let canonical = format!("{}{path}", wanted.origin);
    let mut head = format!("<title>{}</title>\n", escape(&title));
    let mut meta = |key: &str, name: &str, content: &str| {
        head.push_str(&format!("<meta {key}=\"{name}\" content=\"{}\">\n", escape(content)));
    };
    meta("name", "description", description);
    meta("property", "og:site_name", SITE);
    meta("property", "og:type", "website");
    meta("property", "og:title", &title);
    meta("property", "og:description", description);
    meta("property", "og:url", &canonical);
    if place.is_none() || place.is_some_and(|place| place.embed || place.page == Page::Search) {
        meta("name", "robots", "noindex");
    }
    head.push_str(&format!("<link rel=\"canonical\" href=\"{}\">\n", escape(&canonical)));
    if place.is_some_and(|place| dataset(&place.page)) {
        let data = schema(&title, description, &canonical, wanted.origin, facts);
        head.push_str(&format!("<script type=\"application/ld+json\">{}</script>\n", inline(&data)));
    }
    head
}

/// The title of a page that nobody told more about.
fn named(place: &Place) -> String {
    match &place.page {
        Page::World(None) => SITE.to_owned(),
        Page::World(Some(measure)) => format!("{measure}: the world"),
        Page::Country(area) => format!("{area}: inflation, unemployment, GDP"),
        Page::Figure { dataflow, key, period, .. } => format!("{dataflow} {key} {period}"),
        Page::Recipe(_) => "Recipe".to_owned(),
        Page::Publisher(_) => "Publisher".to_owned(),
        Page::Network => "Network".to_owned(),
        Page::Search => "Search".to_owned(),
    }
}

/// Whether a page is about data.
fn dataset(page: &Page) -> bool {
    matches!(page, Page::World(Some(_)) | Page::Country(_) | Page::Figure { .. })
}

/// schema.org `Dataset`.
fn schema(title: &str, description: &str, canonical: &str, origin: &str, facts: &Facts) -> Value {
    let mut data = json!({
        "@context": "https://schema.org", "@type": "Dataset",
        "name": title, "description": description, "url": canonical, "isAccessibleForFree": true,
    });
    let mut add = |name: &str, value: Option<Value>| {
        if let (Some(map), Some(value)) = (data.as_object_mut(), value) {
            map.insert(name.to_owned(), value);
        }
    };
    add("creator", facts.publisher.as_ref().map(|name| json!({ "@type": "Organization", "name": name })));
    add("dateModified", facts.published.as_ref().map(|date| json!(date)));
    add("temporalCoverage", facts.period.as_ref().map(|period| json!(period)));
    add("variableMeasured", facts.unit.as_ref().map(|unit| json!(unit)));
    let file = |path: &String| json!([{ "@type": "DataDownload", "encodingFormat": "text/csv", "contentUrl": format!("{origin}{path}") }]);
    add("distribution", facts.download.as_ref().map(file));
    data
}

/// JSON that cannot end the element it stands in.
fn inline(data: &Value) -> String {
    data.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Text that is safe in an element and in an attribute with double quotes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &str, facts: &Facts) -> String {
        let wanted = Wanted { path, origin: "http://127.0.0.1:1", ..Wanted::default() };
        page(
            Some(b"<html><head><title>Assay</title></head><body></body></html>"),
            Place::of(path).as_ref(),
            wanted,
            facts,
        )
    }

    #[test]
    fn text_of_strangers_stays_text() {
        let evil = "</script><script>alert(1)</script>\"'&".to_owned();
        let facts = Facts {
            title: Some(evil.clone()),
            description: Some(evil.clone()),
            publisher: Some(evil.clone()),
            unit: Some(evil.clone()),
            download: Some(evil),
            ..Facts::default()
        };
        for path in ["/country/DEU", "/country/%3Cscript%3E", "/figure/p/f/%22%3E/%3C"] {
            let html = shown(path, &facts);
            assert_eq!(html.matches("<script").count(), 1, "{html}");
            assert_eq!(html.matches("</script").count(), 1, "{html}");
            let json = html.split("ld+json\">").nth(1).and_then(|rest| rest.split("</script").next());
            let data: Value = serde_json::from_str(json.unwrap()).unwrap();
            assert_eq!(data["@type"], "Dataset");
        }
    }

    #[test]
    fn heads_name_what_is_shown() {
        let html = shown("/embed/country/DEU", &Facts::default());
        for part in [
            "<title>DEU: inflation, unemployment, GDP · Assay</title>",
            "href=\"http://127.0.0.1:1/country/DEU\"",
            "content=\"noindex\"",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert_eq!(html.matches("<title>").count(), 1);
        assert!(!shown("/", &Facts::default()).contains("ld+json"));
        assert!(shown("/nothing/here", &Facts::default()).contains("Not found"));
    }
}
