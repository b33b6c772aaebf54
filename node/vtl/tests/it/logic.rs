//! Comparisons, booleans, conditions, strings.

use super::support::{assert_table, diagnostics_of, run_on_input, run_on_inputs};

#[test]
fn logic_has_three_values() {
    let d = "A:i:integer, P:m:boolean, Q:m:boolean
        1, true, true\n2, true, false\n3, true,\n4, false, true\n5, false, false\n6, false,\n7, , true\n8, , false\n9, ,";
    let script = "R <- D[calc a := P and Q, o := P or Q, x := P xor Q, n := not P][drop P, Q];";
    assert_table(
        &run_on_input(script, d),
        "A,a,o,x,n
        1,true,true,false,false\n2,false,true,true,false\n3,,true,,false
        4,false,true,true,true\n5,false,false,false,true\n6,false,,,true
        7,,true,,\n8,false,,,\n9,,,,",
    );
    assert_table(
        &run_on_input("R <- not D#P and D#P;", "A:i:integer, P:m:boolean\n1, true\n2,"),
        "A,P\n1,false\n2,",
    );
    assert_eq!(diagnostics_of("R <- D[filter P = 1];", &[("D", d)])[0].0, "type");
    assert_eq!(diagnostics_of("R <- D[filter A];", &[("D", d)]), [("type", "A".into())]);
}

#[test]
fn comparisons_are_by_value_and_null_is_unknown() {
    let d = "A:i:integer, X:m:number\n1, 1.0\n2, 1.000000000000004\n3,";
    assert_table(
        &run_on_input("R <- D[calc lt := 1 < X, le := X <= 1, eq := X = 1.00, ne := X <> 1][drop X];", d),
        "A,lt,le,eq,ne
        1,false,true,true,false\n2,true,false,false,true\n3,,,,",
    );
    assert_table(&run_on_input("R <- D > 1;", d), "A,bool_var\n1,false\n2,true\n3,");
    assert_table(&run_on_input("R <- isnull(D);", d), "A,bool_var\n1,false\n2,false\n3,true");
    assert_table(&run_on_input("R <- between(D, 0.5, 1);", d), "A,bool_var\n1,true\n2,false\n3,");
    assert_table(&run_on_input("R <- D in { 1, 2 };", d), "A,bool_var\n1,true\n2,false\n3,");
    assert_table(&run_on_input("R <- D not_in { 1, 2 };", d), "A,bool_var\n1,false\n2,true\n3,");
    assert_table(&run_on_input("R <- D[filter A in { 1, 3 }];", d), "A,X\n1,1\n3,");
    let two = "A:i:integer, X:m:number, Y:m:number\n1, 1, 2";
    assert_eq!(diagnostics_of("R <- D = 1;", &[("D", two)]), [("structure", "D = 1".into())]);
    let e = "A:i:integer, X:m:number\n1, 1\n2, 3";
    assert_table(&run_on_inputs("R <- D = E;", &[("D", d), ("E", e)]), "A,bool_var\n1,true\n2,false");
}

#[test]
fn periods_compare_within_a_frequency() {
    let d = "A:i:integer, P:m:time_period\n1, 2020-Q1\n2, 2020-Q3\n3, 2020-M01";
    assert_table(
        &run_on_input("R <- D[calc e := P = cast(\"2020Q1\", time_period)][keep e];", d),
        "A,e\n1,true\n2,false\n3,false",
    );
    assert_eq!(
        diagnostics_of("R <- D[filter P > cast(\"2020-Q2\", time_period)];", &[("D", d)])[0].0,
        "frequency"
    );
    assert_table(
        &run_on_input("R <- D[filter A < 3][filter P > cast(\"2020-Q2\", time_period)];", d),
        "A,P\n2,2020-Q3",
    );
}

#[test]
fn conditions_apply_per_data_point() {
    let d = "A:i:integer, X:m:number\n1, 0\n2, 4\n3,";
    assert_table(
        &run_on_input("R <- D[calc Y := (if X = 0 then 1.0 else 0.2) * A][keep Y];", d),
        "A,Y\n1,1\n2,0.4\n3,0.6",
    );
    assert_table(
        &run_on_input("R <- D[calc Y := if X = 0 then 1 else 2.5][keep Y];", d),
        "A,Y\n1,1\n2,2.5\n3,2.5",
    );
    assert_table(
        &run_on_input(
            "R <- D[calc Y := case when X = 0 then \"zero\" when X > 3 then \"big\" else \"none\"][keep Y];",
            d,
        ),
        "A,Y\n1,zero\n2,big\n3,none",
    );
    assert_table(&run_on_input("R <- nvl(D, 9);", d), "A,X\n1,0\n2,4\n3,9");
    assert_table(&run_on_input("R <- D[calc X := nvl(X, A)];", d), "A,X\n1,0\n2,4\n3,3");
    assert_eq!(
        diagnostics_of("R <- D[calc Y := if X = 0 then 1 else \"x\"];", &[("D", d)]),
        [("type", "\"x\"".into())]
    );
}

#[test]
fn text_takes_null_as_empty_and_orders_by_code_point() {
    let d = "A:i:string, S:m:string\né, x\nz, \nZ, y";
    assert_table(&run_on_input("R <- D[calc S := S || A || \"-\"];", d), "A,S\nZ,yZ-\nz,z-\né,xé-");
    assert_table(&run_on_input("R <- D[filter A > \"a\"];", d), "A,S\nz,\né,x");
    let long = format!("R <- D[calc S := \"{0}\" || \"{0}\"];", "x".repeat(600));
    assert_eq!(diagnostics_of(&long, &[("D", d)])[0].0, "overflow");
}

/// Reference manual, "if-then-else": each data point comes from the branch of its condition; a scalar
/// branch fills every measure.
#[test]
fn conditions_select_whole_data_points() {
    let c = "A:i:integer, B:m:boolean\n1, true\n2, false\n3,\n4, true";
    let x = "A:i:integer, X:m:number\n1, 10\n2, 20\n3, 30";
    let y = "A:i:integer, X:m:number\n2, 200\n3, 300\n4, 400";
    let inputs = [("C", c), ("X", x), ("Y", y)];
    assert_table(&run_on_inputs("R <- if C then X else Y;", &inputs), "A,X\n1,10\n2,200\n3,300");
    assert_table(&run_on_inputs("R <- if C then X else 0;", &inputs), "A,X\n1,10\n2,0\n3,0");
    assert_table(
        &run_on_inputs("R <- case when C then X when not C then Y else null;", &inputs),
        "A,X\n1,10\n2,200\n3,",
    );
    assert_eq!(diagnostics_of("R <- if C then X else \"a\";", &inputs)[0].0, "type");
    assert_eq!(diagnostics_of("R <- if X then X else Y;", &inputs)[0].0, "structure");
    assert_eq!(diagnostics_of("R <- if true then X else Y;", &inputs)[0].0, "structure");
    let wide = "A:i:integer, K:i:integer, X:m:number\n1, 1, 1";
    assert_eq!(
        diagnostics_of("R <- if C then W else Y;", &[("C", c), ("W", wide), ("Y", y)])[0].0,
        "structure"
    );
}
