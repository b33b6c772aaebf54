//! String operators (reference manual, "String operators", "Match characters").

use super::support::{LIMITS, assert_scalars, assert_table, diagnostics_of, run_on_input, run_script};

const D: &str = "K:i:integer, S:m:string, U:m:string\n1, hello world, say Hello\n2, , é\n3, straße, ";

#[test]
fn trim_removes_surrounding_whitespace() {
    assert_scalars(&[
        ("\"|\" || trim(\"  a b  \") || \"|\"", "|a b|"),
        ("\"|\" || ltrim(\"  a \") || \"|\"", "|a |"),
        ("\"|\" || rtrim(\"  a \") || \"|\"", "|  a|"),
        ("trim(\"\u{a0}a\u{2003}\")", "a"),
        ("trim(\"\") || \"|\"", "|"),
        ("trim(cast(null, string))", "null"),
        ("trim(1)", "type"),
    ]);
}

/// Full case conversion without a locale: one letter may become several.
#[test]
fn case_is_that_of_unicode() {
    assert_scalars(&[
        ("upper(\"Hello\")", "HELLO"),
        ("lower(\"HELLO\")", "hello"),
        ("upper(\"straße ﬁ\")", "STRASSE FI"),
        ("lower(\"ΌΣΟΣ\")", "όσος"),
        ("lower(\"İ\")", "i\u{307}"),
        ("upper(\"i\")", "I"),
        ("upper(cast(null, string))", "null"),
    ]);
    assert_table(&run_on_input("R <- upper(D);", D), "K,S,U\n1,HELLO WORLD,SAY HELLO\n2,,É\n3,STRASSE,");
    assert_table(&run_on_input("R <- upper(D[filter false]);", D), "K,S,U");
    let long = format!("length(upper(\"{}\"))", "ﬃ".repeat(341));
    assert_scalars(&[(long.as_str(), "1023")]);
    let sharp = format!("upper(\"{}\")", "ΐ".repeat(171));
    assert_scalars(&[(sharp.as_str(), "overflow")]);
}

/// The set of letters with cases grows with Unicode, and `specs/vtl.md` states the version. If a new
/// compiler breaks this test, decide there whether the semantics change.
#[test]
fn the_version_of_unicode_is_that_of_the_specification() {
    assert_eq!(char::UNICODE_VERSION, (17, 0, 0));
}

/// RM "Sub-string extraction".
#[test]
fn substr_counts_characters() {
    let alphabet = "\"abcdefghijklmnopqrstuvwxyz\"";
    for (arguments, want) in [
        ("5, 10", "efghijklmn"),
        ("25, 10", "yz"),
        ("30, 10", ""),
        ("_, 3", "abc"),
        ("24", "xyz"),
        ("26, 0", ""),
        ("1, 9223372036854775807", "abcdefghijklmnopqrstuvwxyz"),
        ("9223372036854775807", ""),
        ("0", "domain"),
        ("1, -1", "domain"),
        ("cast(null, integer), 2", "null"),
        ("1, cast(null, integer)", "null"),
        ("1.5", "type"),
        ("1, 2, 3", "syntax"),
    ] {
        assert_scalars(&[(format!("substr({alphabet}, {arguments})").as_str(), want)]);
    }
    assert_scalars(&[
        ("substr(\"aéb😀c\", 2, 3)", "éb😀"),
        ("substr(\"abc\")", "abc"),
        ("substr(_, 1)", "syntax"),
    ]);
    assert_table(&run_on_input("R <- substr(D, 1, 5);", D), "K,S,U\n1,hello,say H\n2,,é\n3,straß,");
    assert_table(
        &run_on_input("R <- D[calc S := substr(S, K), U := substr(U, _, K)];", D),
        "K,S,U\n1,hello world,s\n2,,é\n3,raße,",
    );
}

/// RM "String pattern replacement".
#[test]
fn texts_are_replaced() {
    assert_scalars(&[
        ("replace(\"Hello world\", \"Hello\", \"Hi\")", "Hi world"),
        ("replace(\"Hello world\", \"Hello\")", " world"),
        ("replace(\"Hello world\", \"o\", _)", "Hell wrld"),
        ("replace(\"aaa\", \"aa\", \"b\")", "ba"),
        ("replace(\"abc\", \"\", \"x\")", "abc"),
        ("replace(\"abc\", \"b\", \"\")", "ac"),
        ("replace(\"abc\", cast(null, string), \"x\")", "null"),
        ("replace(\"abc\", \"b\", cast(null, string))", "null"),
        ("replace(\"abc\")", "syntax"),
        ("replace(\"abc\", 1)", "type"),
    ]);
    let whole = "a".repeat(1024);
    assert_scalars(&[(format!("replace(\"{whole}\", \"a\", \"bb\")").as_str(), "overflow")]);
    assert_table(
        &run_on_input("R <- replace(D, \"ello\", \"i\");", D),
        "K,S,U\n1,hi world,say Hi\n2,,é\n3,straße,",
    );
}

/// RM "String pattern location".
#[test]
fn instr_finds_positions() {
    assert_scalars(&[
        ("instr(\"abcde\", \"c\")", "3"),
        ("instr(\"abcdecfrxcwsd\", \"c\", _, 3)", "10"),
        ("instr(\"abcdecfrxcwsd\", \"c\", 5, 3)", "0"),
        ("instr(\"abcdecfrxcwsd\", \"c\", 5, _)", "6"),
        ("instr(\"aaaa\", \"aa\", 1, 2)", "2"),
        ("instr(\"éé😀x\", \"x\")", "4"),
        ("instr(\"abc\", \"\")", "0"),
        ("instr(\"abc\", \"a\", 9)", "0"),
        ("instr(\"abc\", \"a\", 0)", "domain"),
        ("instr(\"abc\", \"a\", 1, 0)", "domain"),
        ("instr(\"abc\", cast(null, string))", "null"),
        ("instr(\"abc\", \"a\", cast(null, integer))", "null"),
        ("instr(\"abc\")", "syntax"),
    ]);
    assert_table(&run_on_input("R <- instr(D#S, \"o\");", D), "K,int_var\n1,5\n2,\n3,0");
    assert_eq!(diagnostics_of("R <- instr(D, \"o\");", &[("D", D)])[0].0, "structure");
    let fault = run_script("R <- D[calc N := instr(S, \"o\", K - 3)];", &[("D", D)], LIMITS).unwrap_err();
    assert_eq!((fault[0].code.as_str(), fault[0].data_point.as_deref()), ("domain", Some("K = 1")));
}

/// RM "String length".
#[test]
fn length_counts_characters() {
    assert_scalars(&[
        ("length(\"Hello, World!\")", "13"),
        ("length(\"\")", "0"),
        ("length(\"é😀\")", "2"),
        ("length(cast(null, string))", "null"),
        ("length(1)", "type"),
    ]);
    assert_table(&run_on_input("R <- length(D#S);", D), "K,int_var\n1,11\n2,\n3,6");
    assert_table(
        &run_on_input("R <- D[calc N := length(S), M := length(U)][keep N, M];", D),
        "K,N,M\n1,11,9\n2,,1\n3,6,",
    );
}

/// RM "String distances".
#[test]
fn distances_are_numbers() {
    assert_scalars(&[
        ("string_distance(levenshtein, \"foo\", \"fo\")", "1"),
        ("string_distance(damerau_levenshtein, \"bar\", \"baz\")", "1"),
        ("string_distance(damerau_levenshtein, \"ca\", \"abc\")", "2"),
        ("string_distance(hamming, \"foo\", \"fob\")", "1"),
        ("string_distance(hamming, \"foo\", \"fo\")", "domain"),
        ("string_distance(jaro_winkler, \"DWAYNE\", \"DUANE\")", "0.16"),
        ("string_distance(levenshtein, \"foo\", cast(null, string))", "null"),
        ("string_distance(soundex, \"foo\", \"fo\")", "syntax"),
        ("string_distance(levenshtein, \"foo\")", "syntax"),
        ("string_distance(levenshtein, \"foo\", 1)", "type"),
    ]);
    let long = "x".repeat(257);
    assert_scalars(&[(format!("string_distance(levenshtein, \"{long}\", \"\")").as_str(), "domain")]);
    assert_table(
        &run_on_input("R <- string_distance(levenshtein, D#S, D#S || \"x\");", D),
        "K,num_var\n1,1\n2,\n3,1",
    );
}

/// Reference manual, "Match characters": the whole text matches a POSIX extended regular expression.
#[test]
fn patterns_match() {
    assert_scalars(&[
        ("match_characters(\"AX123\", \"[A-Za-z]{2}[0-9]{3}\")", "true"),
        ("match_characters(\"AX2J5\", \"[A-Za-z]{2}[0-9]{3}\")", "false"),
        ("match_characters(\"cab42\", \"[abc]+\\d\\d\")", "true"),
        ("match_characters(\"xAX123\", \"[A-Z]{2}\\d{3}\")", "false"),
        ("match_characters(cast(null, string), \"a\")", "null"),
        ("match_characters(\"a\", cast(null, string))", "null"),
        ("match_characters(\"a\", \"(a\")", "domain"),
        ("match_characters(\"a\", \"(?i)A\")", "domain"),
        ("match_characters(\"a\", \"(\" || \"a\")", "domain"),
    ]);
    let d = "K:i:string, P:i:string, S:m:string\na, [0-9]+, 12\na, x|y, z\nb, x|y, y\nc, ., ";
    assert_table(
        &run_on_input("R <- D[calc B := match_characters(S, P)][keep B];", d),
        "K,P,B\na,[0-9]+,true\na,x|y,false\nb,x|y,true\nc,.,",
    );
    assert_table(
        &run_on_input("R <- match_characters(D, \".*\");", d),
        "K,P,bool_var\na,[0-9]+,true\na,x|y,true\nb,x|y,true\nc,.,",
    );
}

/// Costs depend only on the script and on row counts.
#[test]
fn expensive_operators_are_charged() {
    let steps =
        |expr: &str| run_script(&format!("R <- D[calc X := {expr}];"), &[("D", D)], LIMITS).unwrap().steps;
    let plain = steps("length(S)");
    assert_eq!(steps("match_characters(S, \"[a-z]{4}\")") - plain, 3 * (4 * 256 + 8 - 32) + 1);
    assert_eq!(steps("match_characters(S, \"[a-z]{5}\")") - plain, 3 * (5 * 256 + 8 - 32) + 1);
    assert_eq!(steps("match_characters(S, S)"), plain + 3 * (256 * 256 + 8 - 32) + 1);
    assert_eq!(steps("string_distance(levenshtein, S, U)") - plain, 3 * (4096 - 32) + 1);
}
