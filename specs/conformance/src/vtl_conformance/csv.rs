//! Parser for the CSV files of the examples: quotes, doubled quotes, line ends of any kind.
//!
//! Quoting is preserved, because an empty field is null and a quoted empty field is the empty text.

/// A field of a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CsvField {
    /// Text without the quotes.
    pub text: String,
    /// Whether the field was quoted.
    pub quoted: bool,
}

/// Parses the lines of a file, without blank ones, into fields.
pub fn parse_csv(text: &str) -> Vec<Vec<CsvField>> {
    let mut lines = vec![vec![CsvField::default()]];
    let mut inside = false;
    let mut characters = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            // RFC 4180, section 2, rule 7: a doubled quote inside quotes is one quote.
            '"' if inside && characters.next_if_eq(&'"').is_some() => push_character(&mut lines, '"'),
            '"' => {
                inside = !inside;
                change_last_field(&mut lines, |field| field.quoted = true);
            }
            ',' if !inside => {
                lines.iter_mut().next_back().into_iter().for_each(|l| l.push(CsvField::default()))
            }
            '\n' if !inside => lines.push(vec![CsvField::default()]),
            '\r' if !inside => {}
            character => push_character(&mut lines, character),
        }
    }
    // The last line end opens an empty line, which is not a row.
    lines.retain(|line| line.iter().any(|field| field.quoted || !field.text.trim().is_empty()));
    lines
}

fn push_character(lines: &mut [Vec<CsvField>], character: char) {
    change_last_field(lines, |field| field.text.push(character));
}

fn change_last_field(lines: &mut [Vec<CsvField>], change: impl FnOnce(&mut CsvField)) {
    if let Some(field) = lines.last_mut().and_then(|line| line.last_mut()) {
        change(field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_commas_and_ends_of_lines_are_told_apart() {
        let lines = parse_csv("\u{feff}A,B\r\n\"x, \"\"y\"\"\",\n\n\"\",2");
        let texts: Vec<Vec<(&str, bool)>> =
            lines.iter().map(|l| l.iter().map(|f| (f.text.as_str(), f.quoted)).collect()).collect();
        let want =
            [[("A", false), ("B", false)], [("x, \"y\"", true), ("", false)], [("", true), ("2", false)]];
        assert_eq!(texts, want);
    }
}
