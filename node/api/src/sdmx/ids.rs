//! Ids of SDMX made from ours, and back: an agency is a publisher's id in capitals, a dataflow the
//! name of ours with `.` as `-d` and `-` as `--`; `-_` stands before the output, where several are.

use schemas::cid::PublisherId;

use crate::sdmx::error::SdmxError;

/// The version of everything that is ours.
pub(crate) const VERSION: &str = "1.0";

/// The agency of a publisher.
pub(crate) fn agency_id(publisher: PublisherId) -> String {
    publisher.to_string().to_ascii_uppercase()
}

/// A name as an id that XML allows.
pub(crate) fn artefact_id(name: &str) -> String {
    name.replace('-', "--").replace('.', "-d")
}

/// The id of an output of a dataflow that has several.
pub(crate) fn output_id(dataflow: &str, output: &str) -> String {
    format!("{}-_{}", artefact_id(dataflow), artefact_id(output))
}

/// The dataflow and output that an id stands for.
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

/// Whether `text` asks for everything.
pub(crate) fn is_wildcard(text: &str) -> bool {
    matches!(text, "all" | "*" | "" | "latest" | "~" | "+")
}

/// Whether one of the alternatives in `asked` is `held`.
pub(crate) fn matches_id(asked: &str, held: &str) -> bool {
    is_wildcard(asked) || asked.split([',', '+']).any(|asked| asked == held)
}

/// Checks a version that was asked for.
pub(crate) fn check_version(asked: &str, held: &str) -> Result<(), SdmxError> {
    let plain = asked.trim_end_matches('+');
    if is_wildcard(asked) || plain == held || plain.strip_suffix(".0") == Some(held) {
        return Ok(());
    }
    Err(SdmxError::not_found(format!("version `{asked}`")))
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
