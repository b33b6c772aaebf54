//! Set operators and `exists_in` (reference manual, "Set operators", "Exists in").

use super::support::{LIMITS, assert_table, diagnostics_of, run_on_inputs, run_script};

const A: &str = "K:i:string, T:i:time_period, X:m:number, S:a:string
    a, 2020, 1, p\nb, 2020, 2, q\nc, 2020, , r";
/// The same components in another order.
const B: &str = "T:i:time_period, K:i:string, X:m:number, S:a:string
    2019, a, 10, x\n2020, b, 20, y\n2020, d, 30, z";
const C: &str = "K:i:string, T:i:time_period, X:m:integer, S:a:string\nb, 2020, 200,\nd, 2020, 300, w";

fn set(script: &str) -> String {
    run_on_inputs(script, &[("A", A), ("B", B), ("C", C)])
}

#[test]
fn for_equal_keys_the_leftmost_data_point_stays() {
    let head = "K,T,X,S\n";
    assert_table(
        &set("R <- union(A, B);"),
        &format!("{head}a,2019,10,x\na,2020,1,p\nb,2020,2,q\nc,2020,,r\nd,2020,30,z"),
    );
    assert_table(
        &set("R <- union(C, A, B);"),
        &format!("{head}a,2019,10,x\na,2020,1,p\nb,2020,200,\nc,2020,,r\nd,2020,300,w"),
    );
    assert_table(&set("R <- intersect(A, B);"), &format!("{head}b,2020,2,q"));
    assert_table(&set("R <- intersect(C, B, A);"), &format!("{head}b,2020,200,"));
    assert_table(&set("R <- setdiff(A, B);"), &format!("{head}a,2020,1,p\nc,2020,,r"));
    assert_table(
        &set("R <- symdiff(A, B);"),
        &format!("{head}a,2019,10,x\na,2020,1,p\nc,2020,,r\nd,2020,30,z"),
    );
    assert_table(&set("R <- setdiff(A, A);"), head);
    assert_table(&set("R <- union(A[filter false], setdiff(B, C));"), &format!("{head}a,2019,10,x"));
}

#[test]
fn identifiers_keep_the_order_of_the_first() {
    assert_table(&set("R <- setdiff(B, A);"), "T,K,X,S\n2019,a,10,x\n2020,d,30,z");
    assert_table(
        &set("R <- union(B, A);"),
        "T,K,X,S\n2019,a,10,x\n2020,a,1,p\n2020,b,20,y\n2020,c,,r\n2020,d,30,z",
    );
}

#[test]
fn data_sets_without_identifiers_have_one_key() {
    assert_table(&set("R <- union(sum(A#X), sum(B#X));"), "X\n3");
    assert_table(&set("R <- intersect(sum(A#X), sum(B#X));"), "X\n3");
    assert_table(&set("R <- setdiff(sum(A#X), sum(B#X));"), "X");
}

#[test]
fn set_operands_need_equal_structures() {
    let inputs = [("A", A), ("B", B)];
    for script in [
        "R <- union(A, B[drop S]);",
        "R <- intersect(A, B[rename X to Y]);",
        "R <- setdiff(A, B[calc attribute X := 1.5]);",
        "R <- symdiff(A, B[calc X := \"text\"]);",
        "R <- union(A, B[sub K = \"a\"]);",
        "R <- union(A, B[calc identifier J := 1]);",
    ] {
        assert_eq!(diagnostics_of(script, &inputs)[0].0, "structure", "{script}");
    }
    assert_eq!(diagnostics_of("R <- union(A, 3);", &inputs), [("type", "3".into())]);
    assert_eq!(diagnostics_of("R <- setdiff(A, B, A);", &inputs)[0].0, "syntax");
}

#[test]
fn exists_in_compares_common_identifiers() {
    assert_table(&set("R <- exists_in(A, B);"), "K,T,bool_var\na,2020,false\nb,2020,true\nc,2020,false");
    assert_table(&set("R <- exists_in(A, B, all);"), "K,T,bool_var\na,2020,false\nb,2020,true\nc,2020,false");
    assert_table(&set("R <- exists_in(A, B, true);"), "K,T,bool_var\nb,2020,true");
    assert_table(&set("R <- exists_in(A, B, false);"), "K,T,bool_var\na,2020,false\nc,2020,false");
    // One has fewer identifiers.
    let fewer = "B[sub T = cast(\"2020\", time_period)]";
    assert_table(&set(&format!("R <- exists_in(A, {fewer}, true);")), "K,T,bool_var\nb,2020,true");
    assert_table(&set(&format!("R <- exists_in({fewer}, A);")), "K,bool_var\nb,true\nd,false");
    assert_table(&set("R <- exists_in(A, B[filter false], true);"), "K,T,bool_var");
    assert_table(
        &set("R <- exists_in(A, sum(B#X), true);"),
        "K,T,bool_var\na,2020,true\nb,2020,true\nc,2020,true",
    );
    let inputs = [("A", A), ("B", B)];
    assert_eq!(diagnostics_of("R <- exists_in(A, B[rename K to J]);", &inputs)[0].0, "structure");
    assert_eq!(diagnostics_of("R <- exists_in(A, B, null);", &inputs)[0].0, "syntax");
    assert_eq!(diagnostics_of("R <- exists_in(A, 3);", &inputs)[0].0, "type");
}

#[test]
fn sets_are_bounded_by_the_budget() {
    let inputs = [("A", A), ("B", B)];
    for script in ["R <- union(A, B);", "R <- intersect(A, B);", "R <- exists_in(A, B);"] {
        let used = run_script(script, &inputs, LIMITS).unwrap();
        let limits = |steps, cells| vtl::RunLimits { steps, cells };
        assert!(run_script(script, &inputs, limits(used.steps, used.cells)).is_ok(), "{script}");
        let few = run_script(script, &inputs, limits(used.steps - 1, used.cells)).unwrap_err();
        let small = run_script(script, &inputs, limits(used.steps, used.cells - 1)).unwrap_err();
        assert_eq!((few[0].code.as_str(), small[0].code.as_str()), ("budget", "budget"), "{script}");
    }
}
