//! Tools for authors: explanation of a plan and difference between scripts.

use std::collections::BTreeMap;

use super::support::table;
use vtl::{Script, compare_scripts};

#[test]
fn a_plan_is_explained_step_by_step() {
    let data = table("K:i:string, T:i:time_period, X:m:number\na, 2020, 1");
    let shapes = BTreeMap::from([("D".to_owned(), data.shape().clone())]);
    let script = "F := 100;
        G := round((D / timeshift(D, 1) - 1) * F, 1);
        R <- G[filter X > 2 and K in { \"a\", \"b\" }][calc Y := if X = 0 then null else 1 / X];
        S <- sum(R group by T time_agg(\"A\") having count() > 2);";
    let plan = vtl::check(&Script::parse(script).unwrap(), &shapes).unwrap();
    let shown: Vec<String> = plan
        .explain()
        .iter()
        .map(|step| {
            let names: Vec<&str> = step.components.iter().map(|(name, ..)| name.as_str()).collect();
            format!("{} {}: {} -> {}", step.number, step.results.join(" "), step.action, names.join(" "))
        })
        .collect();
    let want = [
        "1 : input `D` -> K T X",
        "2 F: scalar 100 -> ",
        "3 : shift T of 1 by 1 -> K T X",
        "4 : join 1 and 3 on K, T -> K T X X",
        "5 : calculate X := (X / X′) from 4 -> K T X",
        "6 : calculate X := (X - 1) from 5 -> K T X",
        "7 : calculate X := (X * F) from 6 -> K T X",
        "8 G: calculate X := round(X, 1) from 7 -> K T X",
        "9 : filter 8 where ((X > 2) and K in { \"a\", \"b\" }) -> K T X",
        "10 R: calculate Y := (if (X = 0) then null else (1 / X)) from 9 -> K T X Y",
    ];
    assert_eq!(shown[..10], want);
    assert!(shown[10].contains("group 10 by T as A: sum(X), sum(Y), count()"), "{}", shown[10]);
    assert_eq!(plan.explain()[9].reads, [9]);
}

#[test]
fn a_difference_is_the_smallest_parts_that_differ() {
    let before = "// official\nG := CPI / timeshift(CPI, 12);\nINFLATION <- round((G - 1) * 100, 1);";
    let after =
        "G := HOUSING / timeshift(HOUSING, 12);\nH := 1;\nINFLATION <- round( (G - H) * 100, 1 ); // other";
    let found = compare_scripts(before, after).unwrap();
    assert_eq!(found.inputs_before, ["CPI"]);
    assert_eq!(found.inputs_after, ["HOUSING"]);
    let parts = |name: &str| {
        let step = found.steps.iter().find(|step| step.name == name).unwrap();
        step.parts.iter().map(|(a, b)| format!("{a} > {b}")).collect::<Vec<_>>()
    };
    assert_eq!(parts("G"), ["CPI > HOUSING"]);
    assert_eq!(parts("INFLATION"), ["1 > H"]);
    assert_eq!(found.steps.len(), 3);
    assert_eq!(found.steps[2].after.as_deref(), Some("H := 1"));
    assert!(
        compare_scripts(before, "G:=CPI/timeshift( CPI,12 ) ;INFLATION<-round((G-1)*100,1);")
            .unwrap()
            .is_empty()
    );
}

#[test]
fn clauses_and_definitions_differ_too() {
    let a = "define operator f (x number) is x + 1 end operator; R <- D[filter X > 1][keep X, Y];";
    let b = "define operator f (x number) is x + 2 end operator; R <- D[filter X > 2][keep X, Z];";
    let found = compare_scripts(a, b).unwrap();
    assert_eq!(
        found.steps[0].parts,
        [("D[filter X > 1][keep X, Y]".to_owned(), "D[filter X > 2][keep X, Z]".to_owned())]
    );
    assert_eq!(found.steps[1].name, "f");
    let found = compare_scripts("R <- D[filter X > 1];", "R <- D[filter X > 2];").unwrap();
    assert_eq!(found.steps[0].parts, [("1".to_owned(), "2".to_owned())]);
    assert!(compare_scripts("R <- ;", "R <- D;").is_err());
}

#[test]
fn implicit_defaults_are_reported() {
    let advice = |script: &str| -> Vec<String> {
        let found = Script::parse(script).unwrap().lint();
        found
            .iter()
            .map(|fault| format!("{}: {}", fault.code, &script[fault.span.start..fault.span.end]))
            .collect()
    };
    let whole = "R <- D[calc Y := sum(X over (partition by K order by T data points between 1 preceding and current data point))];";
    assert!(advice(whole).is_empty());
    let lag = "R <- D[calc Y := lag(X, 1 over (partition by K order by T))];";
    assert!(advice(lag).is_empty());
    assert_eq!(
        advice("R <- D[calc Y := lag(X, 1 over (order by T))];"),
        ["implicit: lag(X, 1 over (order by T))"]
    );
    assert_eq!(advice("R <- D[calc Y := sum(X over (order by T))];").len(), 2);
    assert_eq!(
        advice("define operator f (x number) is sum(x over (order by T)) end operator; R <- D;").len(),
        2
    );
}
