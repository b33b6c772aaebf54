//! Ids of SDMX made from ours, and back: an agency is a publisher's id in capitals, a dataflow the
//! name of ours with `.` as `-d` and `-` as `--`; `-_` stands before the output, where several are.

use schemas::cid::PublisherId;

use crate::sdmx::fault::Fault;

/// The version of everything that is ours.
pub(crate) const VERSION: &str = "1.0";

/// The agency of a publisher.
pub(crate) fn agency(publisher: PublisherId) -> String {
    publisher.to_string().to_ascii_uppercase()
}

/// A name as an id that XML allows.
pub(crate) fn id(name: &str) -> String {
    name.replace('-', "--").replace('.', "-d")
}

/// The id of an output of a dataflow that has several.
pub(crate) fn output(dataflow: &str, output: &str) -> String {
    format!("{}-_{}", id(dataflow), id(output))
}

/// The dataflow and output that an id stands for.
#[cfg(test)]
pub(crate) fn names(id: &str) -> Option<(String, Option<String>)> {
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
pub(crate) fn every(text: &str) -> bool {
    matches!(text, "all" | "*" | "" | "latest" | "~" | "+")
}

/// Whether one of the alternatives in `asked` is `held`.
pub(crate) fn asks(asked: &str, held: &str) -> bool {
    every(asked) || asked.split([',', '+']).any(|asked| asked == held)
}

/// Checks a version that was asked for.
pub(crate) fn version(asked: &str, held: &str) -> Result<(), Fault> {
    let plain = asked.trim_end_matches('+');
    if every(asked) || plain == held || plain.strip_suffix(".0") == Some(held) {
        return Ok(());
    }
    Err(Fault::absent(format!("version `{asked}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for name in ["gdp", "a.b", "a-b", "a--b.", "A-d", "x-", "u_3.x-1_"] {
            assert_eq!(names(&id(name)), Some((name.into(), None)));
            for other in ["OUT", "_", "a-.d"] {
                assert_eq!(names(&output(name, other)), Some((name.into(), Some(other.into()))));
            }
        }
    }
}
