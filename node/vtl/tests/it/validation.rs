//! Rulesets, validation and hierarchies (reference manual, "Data validation operators",
//! "Hierarchical aggregation").

use super::support::{assert_table, diagnostics_of, run_on_inputs};

const D: &str = "K:i:string, T:i:integer, V:m:integer\na, 1, 5\na, 2, -3\nb, 1,";

fn check(script: &str, inputs: &[(&str, &str)], want: &str) {
    assert_table(&run_on_inputs(script, inputs), want);
}

/// Reference manual, "Check": condition, imbalance and error labels of each data point.
#[test]
fn a_condition_is_checked() {
    let inputs = [("D", D)];
    check(
        "R <- check(D >= 0 errorcode \"low\" errorlevel 3 imbalance D - 1);",
        &inputs,
        "K,T,bool_var,imbalance,errorcode,errorlevel
        a,1,true,4,,\na,2,false,-4,low,3\nb,1,,,,",
    );
    check(
        "R <- check(D >= 0 invalid);",
        &inputs,
        "K,T,bool_var,imbalance,errorcode,errorlevel\na,2,false,,,",
    );
    check("R <- check(D >= 0)[filter T > 9];", &inputs, "K,T,bool_var,imbalance,errorcode,errorlevel");
    assert_eq!(diagnostics_of("R <- check(D);", &inputs), [("structure", "D".into())]);
    assert_eq!(diagnostics_of("R <- check(D > 0 imbalance D[drop V]);", &inputs)[0].0, "structure");
}

const DATAPOINT: &str = "define datapoint ruleset P (variable K as Key, V) is
    low: when Key = \"a\" then V > 0 errorcode \"low\" errorlevel 1;
    big: V < 5 errorcode \"big\"
  end datapoint ruleset; ";

/// Reference manual, "Check datapoint": the antecedent of each rule implies its consequent.
#[test]
fn data_points_follow_rules() {
    let inputs = [("D", D)];
    let run = |call: &str, want: &str| check(&format!("{DATAPOINT}R <- {call};"), &inputs, want);
    run("check_datapoint(D, P)", "K,T,ruleid,V,errorcode,errorlevel\na,1,big,5,big,\na,2,low,-3,low,1");
    run(
        "check_datapoint(D, P all)",
        "K,T,ruleid,bool_var,errorcode,errorlevel
        a,1,big,false,big,\na,1,low,true,,\na,2,big,true,,\na,2,low,false,low,1\nb,1,big,,,\nb,1,low,true,,",
    );
    run(
        "check_datapoint(D, P all_measures)[filter T = 2]",
        "K,T,ruleid,V,bool_var,errorcode,errorlevel\na,2,big,-3,true,,\na,2,low,-3,false,low,1",
    );
    run("check_datapoint(D[filter T > 9], P)", "K,T,ruleid,V,errorcode,errorlevel");
}

#[test]
fn rulesets_are_checked_before_data() {
    let of = |script: &str| diagnostics_of(script, &[("D", D)])[0].clone();
    let define = |body: &str| {
        format!("define datapoint ruleset P ({body} end datapoint ruleset; R <- check_datapoint(D, P")
    };
    for (body, call, want) in [
        ("variable K, V) is V > 0", "X", ("structure", "P")),
        ("variable K, V) is T > 0", "", ("unknown-name", "T")),
        ("variable K, V) is V", "", ("type", "V")),
        ("variable K, W) is W > 0", "", ("unknown-name", "P")),
        ("variable K, V) is a: V > 0; a: V > 1", "", ("duplicate", "a")),
        ("variable K, V) is a: V > 0; V > 1", "", ("structure", "a")),
        ("variable V) is V > 0 errorcode \"x\"; V > 1 errorcode 3", "", ("type", "check_datapoint(D, P)")),
        ("valuedomain x as V) is V > 0", "", ("structure", "P")),
    ] {
        let components = if call.is_empty() { String::new() } else { format!(" components {call}") };
        let script = format!("{}{components});", define(body));
        assert_eq!(of(&script), (want.0, want.1.to_owned()), "{script}");
    }
    assert_eq!(of("R <- check_datapoint(D, Q);"), ("unknown-name", "Q".into()));
    assert_eq!(of("R <- hierarchy(D, Q rule K);"), ("unknown-name", "Q".into()));
    let h = |rules: &str| {
        format!(
            "define hierarchical ruleset H (variable rule K) is {rules} end hierarchical ruleset; R <- hierarchy(D, H);"
        )
    };
    assert_eq!(of(&h("x = y + z; y = x")).0, "cycle");
    let text = "define hierarchical ruleset H (variable rule V) is x = y end hierarchical ruleset; R <- hierarchy(D, H);";
    assert_eq!(of(text), ("structure", "H".into()));
}

const H: &str = "define hierarchical ruleset H (variable rule K) is
    total: T = N + S errorcode \"sum\" errorlevel 2;
    north: N = a - b;
    share: a <= N
  end hierarchical ruleset; ";

const E: &str = "Y:i:integer, K:i:string, V:m:number, F:v:string
    1, a, 9, P\n1, b, 2.5, Q\n1, S, 1, P\n1, N, 100, P\n2, a, 1, P\n2, S, 4, E\n2, T, 5,";

/// Reference manual, "Hierarchical roll-up": sums of code items, from the operand or from other rules.
#[test]
fn code_items_are_rolled_up() {
    let run = |call: &str, want: &str| check(&format!("{H}R <- {call};"), &[("E", E)], want);
    run("hierarchy(E, H)", "Y,K,V,F\n1,N,6.5,P\n1,T,7.5,P");
    run("hierarchy(E, H non_null dataset)", "Y,K,V,F\n1,N,6.5,P\n1,T,101,P");
    run("hierarchy(E, H non_null rule_priority computed)", "Y,K,V,F\n1,N,6.5,P\n1,T,7.5,P");
    run("hierarchy(E, H rule K non_zero)", "Y,K,V,F\n1,N,6.5,P\n1,T,7.5,P\n2,N,1,\n2,T,5,");
    run("hierarchy(E, H partial_null)", "Y,K,V,F\n1,N,6.5,P\n1,T,7.5,P\n2,N,,\n2,T,,");
    run("hierarchy(E, H partial_zero)", "Y,K,V,F\n1,N,6.5,P\n1,T,7.5,P\n2,N,1,\n2,T,5,");
    run(
        "hierarchy(E, H all)",
        "Y,K,V,F\n1,N,6.5,P\n1,S,1,P\n1,T,7.5,P\n1,a,9,P\n1,b,2.5,Q\n2,S,4,E\n2,T,5,\n2,a,1,P",
    );
    run("hierarchy(E[filter Y > 9], H always_zero)", "Y,K,V,F");
}

/// Reference manual, "Check hierarchy".
#[test]
fn hierarchies_are_checked() {
    let run = |call: &str, want: &str| check(&format!("{H}R <- {call}[drop F];"), &[("E", E)], want);
    run(
        "check_hierarchy(E, H all)",
        "Y,K,ruleid,bool_var,imbalance,errorcode,errorlevel\n1,N,north,false,93.5,,\n1,a,share,true,-91,,",
    );
    run("check_hierarchy(E, H)", "Y,K,ruleid,V,imbalance,errorcode,errorlevel\n1,N,north,100,93.5,,");
    run(
        "check_hierarchy(E, H partial_zero dataset_priority all_measures)",
        "Y,K,ruleid,V,bool_var,imbalance,errorcode,errorlevel
        1,N,north,100,false,93.5,,\n1,T,total,0,false,-101,sum,2\n1,a,share,9,true,-91,,
        2,N,north,0,false,-1,,\n2,T,total,5,true,0,,\n2,a,share,1,true,0,,",
    );
}

/// Reference manual, "define hierarchical ruleset": conditions on other identifiers.
#[test]
fn rules_may_have_conditions() {
    let rules = "define hierarchical ruleset C (variable condition Y rule K) is
        when Y = 1 then T = a + b;
        when Y = 2 then T = a - S [Y > 2]
      end hierarchical ruleset; ";
    check(&format!("{rules}R <- hierarchy(E, C)[drop F];"), &[("E", E)], "Y,K,V\n1,T,11.5\n2,T,1");
    let whole = "K:i:integer, V:m:integer\n1, 5\n2, 9223372036854775807";
    let sums = "define hierarchical ruleset C (variable rule K) is 3 = 1 + 2 end hierarchical ruleset; R <- hierarchy(W, C);";
    assert_eq!(diagnostics_of(sums, &[("W", whole)])[0].0, "overflow");
    let small = "K:i:integer, V:m:integer\n1, 5\n2, 9";
    check(sums, &[("W", small)], "K,V\n3,14");
}
