//! Mapping of ledger names to SDMX ids. An agency is a publisher id in upper case. A dataflow id is the
//! ledger name with `.` written as `-d` and `-` as `--`, followed by `-_` and the output if the release
//! has several outputs.

use schemas::cid::PublisherId;

use crate::sdmx::error::SdmxError;

/// Version of all artefacts of this node.
pub(crate) const VERSION: &str = "1.0";

/// Returns the agency id of a publisher.
pub(crate) fn agency_id(publisher: PublisherId) -> String {
    publisher.to_string().to_ascii_uppercase()
}

/// Encodes a name as an id that is valid in XML.
pub(crate) fn artefact_id(name: &str) -> String {
    // `-` is doubled first, so that the escapes `-d` and `-_` stay unambiguous.
    name.replace('-', "--").replace('.', "-d")
}

/// Returns the id of one output of a dataflow with several outputs.
pub(crate) fn output_id(dataflow: &str, output: &str) -> String {
    format!("{}-_{}", artefact_id(dataflow), artefact_id(output))
}

/// Decodes an id into dataflow and output.
#[cfg(test)]
pub(crate) fn split_id(id: &str) -> Option<(String, Option<String>)> {
    let (mut dataflow, mut output) = (String::new(), None::<String>);
    let mut chars = id.chars();
    while let Some(first) = chars.next() {
        let plain = match (first, if first == '-' { chars.next() } else { None }) {
            ('-', Some('-')) => '-',
            ('-', Some('d')) => '.',
            ('-', Some('_')) if output.is_none() => {
                output = Some(String::new());
                continue;
            }
            ('-', _) => return None,
            (other, _) => other,
        };
        output.as_mut().unwrap_or(&mut dataflow).push(plain);
    }
    Some((dataflow, output))
}

/// Whether `text` is a wildcard.
pub(crate) fn is_wildcard(text: &str) -> bool {
    matches!(text, "all" | "*" | "" | "latest" | "~" | "+")
}

/// Whether `existing` is one of the alternatives in `requested`, which are separated by `,` or `+`.
pub(crate) fn matches_id(requested: &str, existing: &str) -> bool {
    is_wildcard(requested) || requested.split([',', '+']).any(|requested| requested == existing)
}

/// Checks that a requested version exists.
pub(crate) fn check_version(requested: &str, existing: &str) -> Result<(), SdmxError> {
    let plain = requested.trim_end_matches('+');
    if is_wildcard(requested) || plain == existing || plain.strip_suffix(".0") == Some(existing) {
        return Ok(());
    }
    Err(SdmxError::not_found(format!("version `{requested}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for name in ["gdp", "a.b", "a-b", "a--b.", "A-d", "x-", "u_3.x-1_"] {
            assert_eq!(split_id(&artefact_id(name)), Some((name.into(), None)));
            for other in ["OUT", "_", "a-.d"] {
                assert_eq!(split_id(&output_id(name, other)), Some((name.into(), Some(other.into()))));
            }
        }
    }
}
