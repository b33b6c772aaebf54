//! Definitions in the page of an operator: rulesets and value domains.
//!
//! Some example scripts use a ruleset or a value domain that only the surrounding page defines. A
//! ruleset is appended to the script, a value domain is replaced by the set of its values.

/// Completes a script with the definitions of its page that it uses. Lines that begin with `#` become
/// blank: the manual uses them as comments, VTL does not.
pub fn complete_script(script: &str, page: &str) -> String {
    // An empty line in its place keeps the line numbers of diagnostics.
    let lines = script.lines().map(|line| if line.trim_start().starts_with('#') { "" } else { line });
    let mut text = lines.collect::<Vec<_>>().join("\n");
    if let Some((name, values)) = find_value_domain(page) {
        text = replace_word(&text, name, &straighten_quotes(values));
    }
    for (name, definition) in find_rulesets(page) {
        // A page may define several rulesets: the script gets those that it uses and does not define.
        if split_words(&text).any(|(_, word)| word == name)
            && !find_rulesets(&text).iter().any(|(own, _)| *own == name)
        {
            text = format!("{text}\n{};\n", straighten_quotes(definition));
        }
    }
    text
}

/// Rulesets of a text: name and definition, without the semicolon.
fn find_rulesets(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("define ") {
        let Some(kind) =
            ["datapoint ruleset", "hierarchical ruleset"].iter().find(|k| after.starts_with(**k))
        else {
            rest = after;
            continue;
        };
        let end = format!("end {kind}");
        let Some(at) = after.find(&end) else { break };
        let whole = rest.len() - after.len() - "define ".len();
        let definition = rest.get(whole..whole + "define ".len() + at + end.len()).unwrap_or_default();
        let name = after.get(kind.len()..).map(|signature| split_words(signature).next());
        found.extend(name.flatten().map(|(_, name)| (name, definition)));
        rest = after.get(at..).unwrap_or_default();
    }
    found
}

/// Value domain of a page: name and set of values.
fn find_value_domain(page: &str) -> Option<(&str, &str)> {
    let (_, after) = page.split_once("Value Domain named ")?;
    let (_, name) = split_words(after).next()?;
    let (open, close) = (after.find('{')?, after.find('}')?);
    Some((name, after.get(open..=close)?))
}

/// Words of a text, each with its byte offset.
fn split_words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let parts = text.split(move |c| !part(c)).filter(|word| !word.is_empty());
    // Words are slices of `text`, so the difference of the addresses is the offset.
    parts.map(move |word| (word.as_ptr().addr() - text.as_ptr().addr(), word))
}

fn replace_word(text: &str, name: &str, by: &str) -> String {
    let mut out = String::new();
    let mut from = 0;
    for (at, word) in split_words(text).filter(|(_, word)| *word == name) {
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push_str(by);
        from = at + word.len();
    }
    out + text.get(from..).unwrap_or_default()
}

/// Replaces typographic quotes, which the manual uses in scripts, by straight ones.
fn straighten_quotes(text: &str) -> String {
    text.replace(['“', '”'], "\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_page_defines_is_supplied_once_and_only_when_named() {
        let page =
            "Given: ::\n  define datapoint ruleset R ( variable A ) is A = “x” end datapoint ruleset\n";
        let want = "X := check_datapoint ( D, R );\n\
                    define datapoint ruleset R ( variable A ) is A = \"x\" end datapoint ruleset;\n";
        assert_eq!(complete_script("X := check_datapoint ( D, R );", page), want);
        assert_eq!(complete_script(want.trim_end(), page), want.trim_end());
        assert_eq!(complete_script("X := D;\n# Y\n", page), "X := D;\n");
    }

    #[test]
    fn a_value_domain_is_its_set_of_values() {
        let page = "and the Value Domain named V (of strings) defined by {“a”, \"b\"}:";
        assert_eq!(complete_script("X := D#I in V;", page), "X := D#I in {\"a\", \"b\"};");
        assert_eq!(complete_script("X := D#V1 in W;", page), "X := D#V1 in W;");
    }
}
