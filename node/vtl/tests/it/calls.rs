//! User-defined operators (reference manual, "define operator", "User-defined operator call").

use super::support::{LIMITS, diagnostics_of, run_script, table_text};

const D: &str = "AREA:i:string, T:i:time_period, V:m:number\nA, 2010, 2\nA, 2011, 3\nB, 2010, 4\nB, 2011, ";

fn check(script: &str, want: &str) {
    let outcome = run_script(script, &[("D", D)], LIMITS).unwrap();
    assert_eq!(table_text(&outcome.tables["R"]), want, "{script}");
}

#[test]
fn a_call_equals_its_body_with_arguments() {
    check(
        "define operator growth (ds dataset, n integer default 1) returns dataset is
           (ds / timeshift(ds, n) - 1) * 100
         end operator;
         R <- growth(D);",
        "AREA,T,V\nA,2011,50\nB,2011,",
    );
    check(
        "define operator add (x number default 0, y number default 1) returns number is x + y end operator;
         R <- D[calc V := add(V, _), W := add(V * 2, add(1, 1))];",
        "AREA,T,V,W\nA,2010,3,6\nA,2011,4,8\nB,2010,5,10\nB,2011,,",
    );
    check(
        "define operator pick (ds dataset {identifier<string> AREA, measure<number> _+}, c measure<number>) is
           ds[calc W := c * 10][keep W]
         end operator;
         R <- pick(D, V);",
        "AREA,T,W\nA,2010,20\nA,2011,30\nB,2010,40\nB,2011,",
    );
    check(
        "define operator one_of (ds dataset, s set<string>) is ds[filter AREA in s] end operator;
         R <- one_of(D, {\"B\", \"C\"});",
        "AREA,T,V\nB,2010,4\nB,2011,",
    );
}

#[test]
fn errors_in_calls_are_reported() {
    let check = |script: &str, want: (&str, &str)| {
        let found = diagnostics_of(script, &[("D", D)]);
        let found: Vec<(&str, &str)> = found.iter().map(|(code, text)| (*code, text.as_str())).collect();
        assert_eq!(found, [want], "{script}");
    };
    let add = "define operator add (x number, y number) returns number is x + y end operator; ";
    for (script, want) in [
        ("R <- D[calc V := add(V)];", ("syntax", "add(V)")),
        ("R <- D[calc V := add(V, 1, 2)];", ("syntax", "add(V, 1, 2)")),
        ("R <- D[calc V := add(V, AREA)];", ("type", "AREA")),
        ("R <- add(D, 1);", ("type", "D")),
        ("R <- D[calc V := ad(V, 1)];", ("unknown-name", "ad")),
    ] {
        check(&format!("{add}{script}"), want);
    }
    for (script, want) in [
        (
            "define operator f (x number) is x + V end operator; R <- D[calc V := f(V)];",
            ("unknown-name", "V"),
        ),
        ("define operator f (x number) is f(x) end operator; R <- D[calc V := f(V)];", ("cycle", "f(x)")),
        (
            "define operator f (x number) returns string is x end operator; R <- D[calc V := f(V)];",
            ("type", "string"),
        ),
        (
            "define operator f (x dataset {measure<string> V}) is x end operator; R <- f(D);",
            ("structure", "D"),
        ),
        (
            "define operator f (x number, x number) is x end operator; R <- D[calc V := f(V, V)];",
            ("duplicate", "x"),
        ),
        (
            "define operator f (x number) is x end operator; define operator f (y number) is y end operator; R <- D;",
            ("duplicate", "f"),
        ),
    ] {
        check(script, want);
    }
}

#[test]
fn calls_do_not_expand_without_bound() {
    let mut script = String::from("define operator f0 (x number) is x + x + x + x end operator;\n");
    for at in 1..20 {
        let before = at - 1;
        script.push_str(&format!(
            "define operator f{at} (x number) is f{before}(f{before}(x)) end operator;\n"
        ));
    }
    script.push_str("R <- D[calc V := f19(V)];");
    let found = diagnostics_of(&script, &[("D", D)]);
    assert!(found.iter().any(|(code, _)| *code == "size"), "{found:?}");
}

/// Reference manual, "Data types", `scalarTypeConstraint`.
#[test]
fn values_outside_a_restricted_type_are_refused() {
    let sign = "define operator sign (x number [ value >= 0 ]) returns number is x * 10 end operator; ";
    let rate = "define operator rate (x number {2, 3, 4} not null) is x end operator; ";
    let word = "define operator word (x string [ length(value) <= 1 ]) is x || \"!\" end operator; ";
    let back = "define operator back (x number) returns number [ value < 4 ] is x end operator; ";
    let role = "define operator role (ds dataset, c measure<number [ value > 1 ]>) is ds[calc V := c + 1] end operator; ";
    check(&format!("{sign}R <- D[calc V := sign(V)];"), "AREA,T,V\nA,2010,20\nA,2011,30\nB,2010,40\nB,2011,");
    check(
        &format!("{rate}R <- D[filter not isnull(V)][calc V := rate(V)];"),
        "AREA,T,V\nA,2010,2\nA,2011,3\nB,2010,4",
    );
    check(
        &format!("{word}R <- D[calc V := word(AREA)];"),
        "AREA,T,V\nA,2010,A!\nA,2011,A!\nB,2010,B!\nB,2011,B!",
    );
    check(&format!("{role}R <- role(D, V);"), "AREA,T,V\nA,2010,3\nA,2011,4\nB,2010,5\nB,2011,");
    let stopped = |script: &str, code: &str, key: &str| {
        let found = run_script(script, &[("D", D)], LIMITS).unwrap_err();
        assert_eq!(found.len(), 1, "{script}");
        assert_eq!(found[0].code.as_str(), code, "{script}: {}", found[0].message);
        assert_eq!(found[0].data_point.as_deref(), Some(key), "{script}");
    };
    stopped(&format!("{sign}R <- D[calc V := sign(V - 3)];"), "domain", "AREA = A, T = 2010");
    stopped(&format!("{rate}R <- D[calc V := rate(V)];"), "domain", "AREA = B, T = 2011");
    stopped(&format!("{rate}R <- D[calc V := rate(V + 1)];"), "domain", "AREA = B, T = 2010");
    stopped(&format!("{word}R <- D[calc V := word(AREA || AREA)];"), "domain", "AREA = A, T = 2010");
    stopped(&format!("{back}R <- D[calc V := back(V)];"), "domain", "AREA = B, T = 2010");
    stopped(&format!("{role}R <- role(D[calc V := V - 1], V);"), "domain", "AREA = A, T = 2010");
    for (script, code) in [
        ("define operator f (x integer {1, 2}) is x end operator; R <- D[calc V := f(3)];", "domain"),
        ("define operator f (x integer not null) is x end operator; R <- D[calc V := f(null)];", "domain"),
        (
            "define operator f (x integer {\"a\"}) is x end operator; R <- D[calc V := f(3) + length(AREA)];",
            "type",
        ),
        ("define operator f (x integer [ value ]) is x end operator; R <- D[calc V := f(3)];", "type"),
        (
            "define operator f (x integer [ V > 1 ]) is x end operator; R <- D[calc V := f(3)];",
            "unknown-name",
        ),
        (
            "define operator f (ds dataset, c identifier) is ds[calc W := c] end operator; R <- f(D, V);",
            "structure",
        ),
        (
            "define operator f (ds dataset, c measure<string>) is ds[calc W := c] end operator; R <- f(D, V);",
            "type",
        ),
        (
            "define operator f (ds dataset {measure<integer {1}> V}) is ds end operator; R <- f(D);",
            "unsupported",
        ),
    ] {
        let found = diagnostics_of(script, &[("D", D)]);
        assert!(!found.is_empty() && found.iter().all(|(found, _)| *found == code), "{script}: {found:?}");
    }
}
