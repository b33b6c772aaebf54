//! Joins and their clauses.

use super::support::{assert_table, diagnostics_of, run_on_inputs};

const A: &str =
    "K:i:string, T:i:time_period, X:m:number, U:a:string\nk, 2020, 1, u\nk, 2021, 2, u\nl, 2020, 3, v";
const B: &str = "K:i:string, X:m:number, W:m:number\nk, 10, 100\nm, 20, 200";

#[test]
fn an_inner_join_matches_common_identifiers() {
    let script = "R <- inner_join(A as a, B as b calc Z := a#X + b#X keep Z, W);";
    assert_table(&run_on_inputs(script, &[("A", A), ("B", B)]), "K,T,W,Z\nk,2020,100,11\nk,2021,100,12");
    let script = "R <- inner_join(A, B filter A#X > 1 drop A#X, U rename W to WEIGHT);";
    assert_table(&run_on_inputs(script, &[("A", A), ("B", B)]), "K,T,X,WEIGHT\nk,2021,10,100");
    let script = "R <- inner_join(B filter X > 10 calc X := X + W keep X);";
    assert_table(&run_on_inputs(script, &[("B", B)]), "K,X\nm,220");
    let script = "R <- inner_join(B as b, A[keep U] as a using K drop X);";
    assert_table(&run_on_inputs(script, &[("A", A), ("B", B)]), "K,T,W,U\nk,2020,100,u\nk,2021,100,u");
}

#[test]
fn a_left_join_keeps_every_data_point() {
    let script = "R <- left_join(A[keep X] as a, B[keep W] as b);";
    assert_table(
        &run_on_inputs(script, &[("A", A), ("B", B)]),
        "K,T,X,W\nk,2020,1,100\nk,2021,2,100\nl,2020,3,",
    );
    let script = "R <- left_join(B as b, A[keep U] as a);";
    assert_eq!(diagnostics_of(script, &[("A", A), ("B", B)])[0].0, "structure");
}

#[test]
fn result_names_must_be_unique() {
    assert_eq!(diagnostics_of("R <- inner_join(A as a, B as b);", &[("A", A), ("B", B)])[0].0, "ambiguous");
    let script = "R <- inner_join(A as a, B as b calc Z := X);";
    assert_eq!(diagnostics_of(script, &[("A", A), ("B", B)]), [("ambiguous", "X".into())]);
    let script = "R <- inner_join(A as a, A as a);";
    assert!(diagnostics_of(script, &[("A", A)]).iter().any(|f| f.0 == "duplicate"));
    let script = "R <- inner_join(A as a, B * 2);";
    assert_eq!(diagnostics_of(script, &[("A", A), ("B", B)]), [("structure", "B * 2".into())]);
    let script = "R <- inner_join(A as a, B as b using T);";
    assert_eq!(diagnostics_of(script, &[("A", A), ("B", B)]), [("structure", "T".into())]);
}

#[test]
fn a_join_on_part_of_the_keys_makes_all_pairs() {
    let left = "K:i:string, P:i:string, X:m:integer\nk, p, 1\nk, q, 2";
    let right = "K:i:string, Q:i:string, Y:m:integer\nk, s, 10\nk, r, 20";
    assert_table(
        &run_on_inputs(
            "R <- inner_join(L as l, M as m calc Z := X * Y keep Z);",
            &[("L", left), ("M", right)],
        ),
        "K,P,Q,Z\nk,p,r,20\nk,p,s,10\nk,q,r,40\nk,q,s,20",
    );
}

/// Reference manual, "Full Join": a missing identifier takes the value of `nvl`.
#[test]
fn a_full_join_keeps_both_sides() {
    let a = "K:i:string, X:m:number\na, 1\nb, 2";
    let b = "K:i:string, Y:m:number\nb, 20\nc, 30";
    let script = "R <- full_join(A as a, B as b);";
    assert_table(&run_on_inputs(script, &[("A", a), ("B", b)]), "K,X,Y\na,1,\nb,2,20\nc,,30");
    let long = "K:i:string, T:i:integer, Z:m:number\na, 1, 5\na, 2, 6\nc, 1, 7";
    let inputs = [("A", a), ("B", b), ("L", long)];
    assert_table(
        &run_on_inputs("R <- full_join(L as l, A as a using K, nvl(T, 0));", &inputs),
        "K,T,Z,X\na,1,5,1\na,2,6,1\nb,0,,2\nc,1,7,",
    );
    assert_table(
        &run_on_inputs("R <- left_join(A as a, L as l using K, nvl(l#T, 9));", &inputs),
        "K,T,X,Z\na,1,1,5\na,2,1,6\nb,9,2,",
    );
    for (script, code) in [
        ("R <- full_join(L as l, A as a using K);", "structure"),
        ("R <- full_join(L as l, A as a using K, nvl(K, \"x\"), nvl(T, 0));", "structure"),
        ("R <- full_join(L as l, A as a using K, nvl(T, \"x\"));", "type"),
        ("R <- full_join(L as l, A as a using K, nvl(T, null));", "null-identifier"),
    ] {
        assert_eq!(diagnostics_of(script, &inputs)[0].0, code, "{script}");
    }
}

/// Reference manual, "Cross Join": all pairs; shared names must be resolved in the end.
#[test]
fn a_cross_join_makes_all_pairs() {
    let a = "K:i:string, X:m:number\na, 1\nb, 2";
    let b = "L:i:string, Y:m:number\nc, 20\nd, 30";
    let inputs = [("A", a), ("B", b)];
    assert_table(
        &run_on_inputs("R <- cross_join(A, B);", &inputs),
        "K,L,X,Y\na,c,1,20\na,d,1,30\nb,c,2,20\nb,d,2,30",
    );
    let script = "R <- cross_join(A as x, A as y rename x#K to K1, y#K to K2, x#X to X1, y#X to X2);";
    assert_table(&run_on_inputs(script, &inputs), "K1,K2,X1,X2\na,a,1,1\na,b,1,2\nb,a,2,1\nb,b,2,2");
    assert_eq!(diagnostics_of("R <- cross_join(A as x, A as y);", &inputs)[0].0, "ambiguous");
}

/// Reference manual, "Inner Join", `apply`: an expression for each measure that the operands share.
#[test]
fn apply_works_on_homonyms() {
    let a = "K:i:string, X:m:number, Y:m:number, S:m:string\na, 1, 2, u\nb, 3, 4, v";
    let b = "K:i:string, X:m:number, Y:m:number, S:m:string\na, 10, 20, w\nc, 30, 40, x";
    let inputs = [("A", a), ("B", b)];
    assert_table(&run_on_inputs("R <- inner_join(A as a, B as b apply a + b);", &inputs), "K,X,Y\na,11,22");
    assert_table(&run_on_inputs("R <- inner_join(A as a, B as b apply a || b);", &inputs), "K,S\na,uw");
    assert_eq!(diagnostics_of("R <- inner_join(A as a, B as b apply a and b);", &inputs)[0].0, "type");
}

/// User manual, "The Attribute Propagation rule": viral attributes follow the data points.
#[test]
fn viral_attributes_are_carried_and_combined() {
    let a = "K:i:string, X:m:number, F:v:string\na, 1, P\nb, 2, \nc, 3, E";
    let b = "K:i:string, X:m:number, F:v:string\na, 10, E\nb, 20, P\nc, 30, E";
    let inputs = [("A", a), ("B", b)];
    assert_table(&run_on_inputs("R <- A * 2;", &inputs), "K,X,F\na,2,P\nb,4,\nc,6,E");
    assert_table(&run_on_inputs("R <- A + B;", &inputs), "K,X,F\na,11,E\nb,22,\nc,33,E");
    let rule = "define viral propagation p (variable F) is when \"E\" and \"P\" then \"M\"; when \"P\" then \"P\"; else \"N\" end viral propagation; ";
    assert_table(&run_on_inputs(&format!("{rule}R <- A + B;"), &inputs), "K,X,F\na,11,M\nb,22,P\nc,33,N");
    let rule = "define viral propagation p (variable F) is aggregate max end viral propagation; ";
    assert_table(&run_on_inputs(&format!("{rule}R <- A + B;"), &inputs), "K,X,F\na,11,P\nb,22,P\nc,33,E");
    assert_table(
        &run_on_inputs("R <- inner_join(A as a, B as b calc Z := a#X * b#X keep Z, F);", &inputs),
        "K,Z,F\na,10,E\nb,40,\nc,90,E",
    );
}
