//! Diagnostics as the author of a script reads them.

use super::support::{LIMITS, diagnostics_of, run_script};

const D: &str = "REF_AREA:i:string, TIME_PERIOD:i:time_period, OBS_VALUE:m:number\nfr, 2020, 1";

fn rendered(script: &str) -> String {
    let faults = run_script(script, &[("CPI", D)], LIMITS).unwrap_err();
    faults.iter().map(|fault| vtl::render_diagnostic(script, fault)).collect()
}

#[test]
fn all_syntax_errors_are_reported_together() {
    let script = "A <- CPI +;\nB := round(CPI, 1, 2);\nC <- CPI[filter];\nD = 3;\nE <- (CPI;\nF <- CPI";
    let codes: Vec<usize> = diagnostics_of(script, &[("CPI", D)]).iter().map(|_| 1).collect();
    assert_eq!(codes.len(), 6, "{}", rendered(script));
}

#[test]
fn all_semantic_errors_are_reported_together() {
    let script =
        "A <- CPY + 1;\nB <- CPI[calc X := OBS_VALU, Y := REF_AREA * 2];\nC <- CPI#NOPE;\nD <- A + 1;";
    let want = "\
unknown-name: no data set is called `CPY`
 --> line 1, column 6
1 | A <- CPY + 1;
  |      ^^^
  = hint: did you mean `CPI`?
unknown-name: the data set has no component `OBS_VALU`
 --> line 2, column 20
2 | B <- CPI[calc X := OBS_VALU, Y := REF_AREA * 2];
  |                    ^^^^^^^^
  = hint: did you mean `OBS_VALUE`?
type: `*` expected a number, found a `string`
 --> line 2, column 35
2 | B <- CPI[calc X := OBS_VALU, Y := REF_AREA * 2];
  |                                   ^^^^^^^^
unknown-name: the data set has no component `NOPE`
 --> line 3, column 10
3 | C <- CPI#NOPE;
  |          ^^^^
  = hint: it has `REF_AREA`, `TIME_PERIOD`, `OBS_VALUE`
";
    assert_eq!(rendered(script), want);
}

#[test]
fn unknown_names_are_reported() {
    for (script, code, word) in [
        ("R <- time_agg(\"A\");", "syntax", "`time_agg` needs an operand"),
        ("R <- union(CPI);", "syntax", "`union` takes at least 2 operands, found 1"),
        ("R <- random(1, 2);", "refused", "not deterministic"),
        ("R <- current_date();", "refused", "reads the clock"),
        ("R <- eval(f(CPI) language \"SQL\");", "refused", "other software"),
        ("R <- growth(CPI);", "unknown-name", "no operator is called `growth`"),
        ("R <- rond(CPI);", "unknown-name", "did you mean `round`?"),
        ("R <- 1.5E2 * CPI;", "syntax", "`1.5E2`"),
        ("data := CPI; R <- CPI;", "syntax", "'data'"),
        ("R <- 99999999999999999999 * CPI;", "overflow", "64 bits"),
    ] {
        let text = rendered(script);
        assert!(text.contains(&format!("{code}: ")) && text.contains(word), "{script}\n{text}");
    }
}

#[test]
fn definitions_are_unique_and_acyclic() {
    assert_eq!(
        rendered("A := B + 1;\nB := C;\nC := A * CPI;\nD <- CPI;"),
        "cycle: results depend on each other: `A` needs `B` needs `C` needs `A`
 --> line 1, column 1
1 | A := B + 1;
  | ^
"
    );
    assert_eq!(diagnostics_of("A := A + 1;", &[("CPI", D)]), [("cycle", "A".into())]);
    assert_eq!(diagnostics_of("A := CPI; A <- CPI;", &[("CPI", D)]), [("duplicate", "A".into())]);
    // A component may have the name of the result being defined.
    let script = "INFL <- CPI[calc INFL := OBS_VALUE][keep INFL];";
    assert!(run_script(script, &[("CPI", D)], LIMITS).is_ok());
}

#[test]
fn syntax_and_semantic_errors_are_reported_together() {
    let script = "define operator f (x number) is x + + end operator;
        A := CPI + ;
        B := A + CPY;
        C := f(CPI);
        D := rond(CPI);
        R <- CPI[calc X := NONE];";
    let shapes =
        std::collections::BTreeMap::from([("CPI".to_owned(), super::support::table(D).shape().clone())]);
    let found = vtl::parse_and_check(script, &shapes).unwrap_err();
    let found: Vec<(&str, &str)> =
        found.iter().map(|f| (f.code.as_str(), &script[f.span.start..f.span.end])).collect();
    assert_eq!(
        found,
        [
            ("syntax", "end"),
            ("syntax", ";"),
            ("unknown-name", "CPY"),
            ("unknown-name", "rond"),
            ("unknown-name", "NONE")
        ]
    );
}
