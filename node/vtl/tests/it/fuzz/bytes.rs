//! Mutated scripts and malformed numbers.

use std::collections::BTreeMap;

use super::super::support::scalar_value;
use super::random::{Random, tables, texts};
use super::rounds;
use super::script::Generator;
use schemas::decimal::Decimal;
use vtl::Script;

/// Fragments that are difficult for a lexer.
const PIECES: [&str; 24] = [
    "\"",
    "'",
    "/*",
    "*/",
    "//",
    "\n",
    "\r",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "é",
    "😀",
    "\u{301}",
    "1e",
    "0.",
    ".",
    "<-",
    ":=",
    "||",
    "\\",
    "#",
    "_",
    "end operator",
    "99999999999999999999999999999999999999999",
];

/// Returns a script with bytes removed, doubled, moved or replaced; always valid UTF-8.
fn mutated(random: &mut Random, script: &str) -> String {
    let mut characters: Vec<char> = script.chars().collect();
    for _ in 0..1 + random.below(4) {
        let at = random.below(characters.len());
        let to = (at + random.below(20)).min(characters.len());
        match random.below(5) {
            0 => drop(characters.drain(at..to)),
            1 => {
                let again: Vec<char> = characters[at..to].to_vec();
                characters.splice(at..at, again);
            }
            2 => drop(characters.splice(at..at, random.of(&PIECES).chars())),
            3 => characters.truncate(to),
            _ => {
                let other = random.below(characters.len());
                if at < characters.len() {
                    characters.swap(at, other);
                }
            }
        }
        if characters.is_empty() {
            break;
        }
    }
    characters.into_iter().collect()
}

#[test]
fn bytes_that_are_almost_scripts() {
    let shapes: BTreeMap<_, _> = tables(&texts(&mut Random::new(7)))
        .into_iter()
        .map(|(name, table)| (name, table.shape().clone()))
        .collect();
    let (mut read, mut all) = (0, 0);
    for seed in 0..rounds(60) as u64 {
        let (script, _) = Generator::new(seed, shapes.clone()).script(4);
        let mut random = Random::new(seed);
        for _ in 0..40 {
            let text = mutated(&mut random, &script);
            all += 1;
            if let Err(faults) = vtl::parse_and_check(&text, &shapes) {
                assert!(!faults.is_empty());
                for fault in &faults {
                    assert!(text.get(fault.span.start..fault.span.end).is_some(), "{text}");
                    assert!(!vtl::render_diagnostic(&text, fault).is_empty());
                }
            }
            if Script::parse(&text).is_ok() {
                read += 1;
                let laid = vtl::format_script(&text).unwrap();
                assert_eq!(vtl::format_script(&laid).as_deref(), Ok(laid.as_str()), "{text}");
                let plan =
                    |text: &str| Script::parse(text).map(|script| vtl::check(&script, &shapes).is_ok());
                assert_eq!(plan(&laid), plan(&text), "{text}");
            }
        }
    }
    assert!(read * 50 > all, "mutation that breaks everything tests nothing: {read} of {all}");
}

/// Returns a text that may be a number.
fn digits(random: &mut Random) -> String {
    let mut text = random.of(&["", "-", "+", "--", " "]).to_owned();
    let run = |random: &mut Random, most: usize| -> String {
        let digit = random.of(&["0", "9", "5", "123456789", "x"]);
        let count = random.below(most);
        if random.one_in(2) {
            digit.repeat(count)
        } else {
            (0..count).map(|_| random.below(10).to_string()).collect()
        }
    };
    text += &run(random, 40);
    if random.one_in(2) {
        text += ".";
        text += &run(random, 40);
    }
    if random.one_in(2) {
        text += random.of(&["e", "E", "e+", "e-", "E-"]);
        text += random.of(&[
            "0",
            "1",
            "33",
            "6111",
            "6112",
            "6144",
            "6176",
            "6210",
            "99999999999",
            "18446744073709551616",
            "00000000000000000001",
            "",
        ]);
    }
    text
}

#[test]
fn digits_that_are_almost_numbers() {
    let mut random = Random::new(11);
    let mut read = 0;
    for _ in 0..rounds(20_000) {
        let text = digits(&mut random);
        let Ok(number) = text.parse::<Decimal>() else { continue };
        read += 1;
        let shown = number.to_string();
        let again: Decimal = shown.parse().unwrap_or_else(|error| panic!("{text}: {shown}: {error}"));
        assert_eq!(again.normalized(), number.normalized(), "{text}: {shown}");
        assert_eq!(again.compare(number), std::cmp::Ordering::Equal, "{text}");
        assert_eq!(number.normalized().normalized(), number.normalized(), "{text}");
        let plain = Decimal::from_plain(text.as_bytes());
        assert!(plain.is_none_or(|plain| plain.normalized() == number.normalized()), "{text}");
        if read % 16 == 0 {
            let cast = scalar_value(&format!("cast(\"{text}\", number) = cast(\"{shown}\", number)"));
            assert!(cast == "true" || text.starts_with(' '), "{text}: {cast}");
        }
    }
    assert!(read > 1000, "{read}");
}
