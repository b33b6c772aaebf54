//! Common parts of SDMX-ML 2.1 documents: namespaces, header, escaping.

use std::fmt::Write as _;

use schemas::period::Period;

/// XML declaration. pysdmx detects the format by these first characters.
pub(crate) const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
pub(crate) const MESSAGE: &str = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message";
pub(crate) const COMMON: &str = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common";
pub(crate) const STRUCTURE: &str = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/structure";
pub(crate) const GENERIC: &str = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/generic";
pub(crate) const SPECIFIC: &str = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/structurespecific";

/// Escapes text for element content and attribute values. Characters that XML 1.0 forbids are replaced.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // Attribute values would normalise these to spaces (XML 1.0, section 3.3.3).
            '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", c as u32);
            }
            // XML 1.0 allows no other control characters, not even as references.
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Formats a time as `xs:dateTime` in UTC.
pub(crate) fn date_time(seconds: i64) -> String {
    let day = Period::from_date(1970, 1, 1).and_then(|epoch| epoch.shift(seconds.div_euclid(86_400)));
    let (year, month, day) = day.map_or((1970, 1, 1), Period::start_date);
    let second = seconds.rem_euclid(86_400);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % 60)
}

/// Returns the header elements that precede the structures. The schema requires all four.
pub(crate) fn header_fields(prepared: i64, sender: &str) -> String {
    format!(
        "<mes:ID>assay</mes:ID><mes:Test>false</mes:Test><mes:Prepared>{}</mes:Prepared>\
         <mes:Sender id=\"{}\"/>",
        date_time(prepared),
        escape(sender)
    )
}
