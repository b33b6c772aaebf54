//! Page routes of the dashboard.

/// A parsed page URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRoute {
    /// Type and subject of the page.
    pub page: PageKind,
    /// Whether the page is embedded in another site and shown without header.
    pub embed: bool,
    /// Decoded query parameters.
    pub query: Vec<(String, String)>,
}

/// Type and subject of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageKind {
    /// Start page: the world, for an indicator if one is named.
    World(Option<String>),
    /// All indicators of an area.
    Country(String),
    /// One figure.
    Figure {
        /// Publisher.
        publisher: String,
        /// Dataflow.
        dataflow: String,
        /// Codes of all dimensions except time, joined by `.`; `_` if there are none.
        key: String,
        /// Period.
        period: String,
    },
    /// A recipe.
    Recipe(String),
    /// A publisher.
    Publisher(String),
    /// Publishers, peers and recent events.
    Network,
    /// Search.
    Search,
}

/// Bytes of a path, and of a query string.
const PATH_BYTES_MAX: usize = 2048;

impl PageRoute {
    /// Parses a path and query; `None` if there is no such page. Malformed parameters are ignored.
    pub fn parse(path: &str, query: &str) -> Option<Self> {
        // Bounds the work on untrusted URLs.
        if path.len() > PATH_BYTES_MAX || query.len() > PATH_BYTES_MAX {
            return None;
        }
        let mut parts = path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(percent_decode)
            .collect::<Option<Vec<_>>>()?;
        let embed = parts.first().is_some_and(|first| first == "embed");
        if embed {
            parts.remove(0);
        }
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let own = |text: &str| text.to_owned();
        let page = match *parts.as_slice() {
            [] | ["world"] => PageKind::World(None),
            ["world", indicator] => PageKind::World(Some(own(indicator))),
            ["country", area] => PageKind::Country(own(area)),
            ["figure", publisher, dataflow, key, period] => PageKind::Figure {
                publisher: own(publisher),
                dataflow: own(dataflow),
                key: own(key),
                period: own(period),
            },
            ["recipe", id] => PageKind::Recipe(own(id)),
            ["publisher", id] => PageKind::Publisher(own(id)),
            ["network"] => PageKind::Network,
            ["search"] => PageKind::Search,
            _ => return None,
        };
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        // In query strings, `+` stands for a space.
        let decoded = |text: &str| percent_decode(&text.replace('+', " "));
        let query = pairs.filter_map(|(name, value)| Some((decoded(name)?, decoded(value)?))).collect();
        Some(Self { page, embed, query })
    }

    /// Returns a query parameter, unless it is absent or empty.
    pub fn query_value(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

/// Percent-decodes a path segment; `None` if it is malformed or not UTF-8.
pub(crate) fn percent_decode(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            hex_digit(rest.next()?)? * 16 + hex_digit(rest.next()?)?
        } else {
            byte
        });
    }
    String::from_utf8(bytes).ok()
}

/// Percent-encodes all characters except the unreserved ones of RFC 3986.
pub(crate) fn percent_encode(part: &str) -> String {
    let own = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    part.bytes()
        .map(|byte| if own(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_pages() {
        let page = |path: &str| PageRoute::parse(path, "").map(|place| (place.page, place.embed));
        let figure = PageKind::Figure {
            publisher: "p".into(),
            dataflow: "gdp".into(),
            key: "A.DEU".into(),
            period: "2020".into(),
        };
        let cases = [
            ("/", Some((PageKind::World(None), false))),
            ("/world/gdp/", Some((PageKind::World(Some("gdp".into())), false))),
            ("/embed/world/gdp", Some((PageKind::World(Some("gdp".into())), true))),
            ("/country/D%45U", Some((PageKind::Country("DEU".into()), false))),
            ("/figure/p/gdp/A.DEU/2020", Some((figure, false))),
            ("/network", Some((PageKind::Network, false))),
            ("/country/%ff", None),
            ("/country/%4", None),
            ("/favicon", None),
            ("/a/b", None),
        ];
        for (path, expected) in cases {
            assert_eq!(page(path), expected, "{path}");
        }
        let place = PageRoute::parse("/world/gdp", "method=p/f&output=A%20B&x&y=%ff&vintage=seq=3").unwrap();
        let said = ["method", "output", "x", "y", "vintage"].map(|name| place.query_value(name));
        assert_eq!(said, [Some("p/f"), Some("A B"), None, None, Some("seq=3")]);
        assert_eq!(PageRoute::parse(&format!("/country/{}", "A".repeat(PATH_BYTES_MAX)), ""), None);
    }
}
