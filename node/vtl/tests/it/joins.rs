//! Joins and their clauses.

use super::support::{faults, results, same};

const A: &str =
    "K:i:string, T:i:time_period, X:m:number, U:a:string\nk, 2020, 1, u\nk, 2021, 2, u\nl, 2020, 3, v";
const B: &str = "K:i:string, X:m:number, W:m:number\nk, 10, 100\nm, 20, 200";

#[test]
fn an_inner_join_matches_common_identifiers() {
    let script = "R <- inner_join(A as a, B as b calc Z := a#X + b#X keep Z, W);";
    same(&results(script, &[("A", A), ("B", B)]), "K,T,W,Z\nk,2020,100,11\nk,2021,100,12");
    let script = "R <- inner_join(A, B filter A#X > 1 drop A#X, U rename W to WEIGHT);";
    same(&results(script, &[("A", A), ("B", B)]), "K,T,X,WEIGHT\nk,2021,10,100");
    let script = "R <- inner_join(B filter X > 10 calc X := X + W keep X);";
    same(&results(script, &[("B", B)]), "K,X\nm,220");
    let script = "R <- inner_join(B as b, A[keep U] as a using K drop X);";
    same(&results(script, &[("A", A), ("B", B)]), "K,T,W,U\nk,2020,100,u\nk,2021,100,u");
}

#[test]
fn a_left_join_keeps_every_data_point() {
    let script = "R <- left_join(A[keep X] as a, B[keep W] as b);";
    same(&results(script, &[("A", A), ("B", B)]), "K,T,X,W\nk,2020,1,100\nk,2021,2,100\nl,2020,3,");
    let script = "R <- left_join(B as b, A[keep U] as a);";
    assert_eq!(faults(script, &[("A", A), ("B", B)])[0].0, "structure");
}

#[test]
fn names_are_single_in_the_end() {
    assert_eq!(faults("R <- inner_join(A as a, B as b);", &[("A", A), ("B", B)])[0].0, "ambiguous");
    let script = "R <- inner_join(A as a, B as b calc Z := X);";
    assert_eq!(faults(script, &[("A", A), ("B", B)]), [("ambiguous", "X".into())]);
    let script = "R <- inner_join(A as a, A as a);";
    assert!(faults(script, &[("A", A)]).iter().any(|f| f.0 == "duplicate"));
    let script = "R <- inner_join(A as a, B * 2);";
    assert_eq!(faults(script, &[("A", A), ("B", B)]), [("structure", "B * 2".into())]);
    let script = "R <- inner_join(A as a, B as b using T);";
    assert_eq!(faults(script, &[("A", A), ("B", B)]), [("structure", "T".into())]);
}

#[test]
fn a_join_on_part_of_the_keys_makes_all_pairs() {
    let left = "K:i:string, P:i:string, X:m:integer\nk, p, 1\nk, q, 2";
    let right = "K:i:string, Q:i:string, Y:m:integer\nk, s, 10\nk, r, 20";
    same(
        &results("R <- inner_join(L as l, M as m calc Z := X * Y keep Z);", &[("L", left), ("M", right)]),
        "K,P,Q,Z\nk,p,r,20\nk,p,s,10\nk,q,r,40\nk,q,s,20",
    );
}
