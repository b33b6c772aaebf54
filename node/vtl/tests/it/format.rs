//! Formatter of scripts.

use vtl::format_script;

fn check(source: &str, want: &str) {
    let once = format_script(source).unwrap();
    assert_eq!(once, want);
    assert_eq!(format_script(&once).unwrap(), once, "formatting twice is formatting once");
}

#[test]
fn tokens_are_spaced_in_one_way() {
    check(
        "R<-round( ( CPI/timeshift(CPI,- 12)-1 )*100,1 ) ;S:=D [filter  A in {1,-2}and not(B)] [sub K=\"x\"]#V;",
        "R <- round((CPI / timeshift(CPI, -12) - 1) * 100, 1);\nS := D[filter A in { 1, -2 } and not (B)][sub K = \"x\"]#V;\n",
    );
    check("A := -B + -1 - (-C); ", "A := -B + -1 - (-C);\n");
    check("A := if B>0 then(C)else d(_, 2);", "A := if B > 0 then (C) else d(_, 2);\n");
}

#[test]
fn comments_and_blank_lines_stay() {
    check(
        "// head\n\n\n\nA := B; // tail\n/* own\n line */\nC := /* in */ D;\n// end",
        "// head\n\nA := B;  // tail\n/* own\n line */\nC := /* in */ D;\n// end\n",
    );
    check("A := f(B, // first\n C);", "A := f(\n  B,  // first\n  C\n);\n");
}

#[test]
fn long_lines_are_broken_at_brackets() {
    let long = "R <- inner_join(AAAAAAAAAAAAAAAA as a, BBBBBBBBBBBBBBBBBBBB as b using K filter a#X > 1 calc Z := a#X + b#X, YY := a#X * 2 keep Z, YY);";
    check(
        long,
        "R <- inner_join(\n  AAAAAAAAAAAAAAAA as a,\n  BBBBBBBBBBBBBBBBBBBB as b\n  using K\n  filter a#X > 1\n  calc Z := a#X + b#X,\n  YY := a#X * 2\n  keep Z,\n  YY\n);\n",
    );
}

#[test]
fn definitions_have_a_body() {
    check(
        "define operator f(x number default 0) returns number is x+1 end operator; define datapoint ruleset P(variable A as B) is r :B>0 errorcode \"x\";s: B<9 end datapoint ruleset;",
        "define operator f(x number default 0) returns number is\n  x + 1\nend operator;\ndefine datapoint ruleset P(variable A as B) is\n  r: B > 0 errorcode \"x\";\n  s: B < 9\nend datapoint ruleset;\n",
    );
}

#[test]
fn invalid_scripts_are_not_formatted() {
    assert!(format_script("A := ;").is_err());
    assert_eq!(format_script("").unwrap(), "");
}

/// Every script of the recipe library keeps its tokens, and formatting is idempotent.
#[test]
fn the_shipped_recipes_keep_their_meaning() {
    let library = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../recipes");
    let folders = std::fs::read_dir(&library).unwrap().map(|folder| folder.unwrap().path());
    let files =
        folders.filter(|folder| folder.is_dir()).flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let scripts = files.map(|file| file.unwrap().path());
    let mut looked = 0;
    for path in scripts.filter(|path| path.extension().is_some_and(|extension| extension == "vtl")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let once = format_script(&text).unwrap();
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(bare(&once), bare(&text), "{}", path.display());
        assert_eq!(format_script(&once).unwrap(), once);
        looked += 1;
    }
    assert!(looked > 20, "{looked} scripts in {}", library.display());
}
