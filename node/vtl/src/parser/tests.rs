//! Tests of operator precedence and literals.

use super::parse_script;
use crate::ast::{Expr, ExprNode, Statement};
use crate::diagnostic::Diagnostic;

fn parsed(text: &str) -> Result<Vec<Statement>, Vec<Diagnostic>> {
    let reading = parse_script(text);
    if reading.diagnostics.is_empty() { Ok(reading.statements) } else { Err(reading.diagnostics) }
}

/// Writes an expression with every operator in front of its operands.
fn prefix(expr: &Expr) -> String {
    match &expr.node {
        ExprNode::Constant(cell) => cell.as_ref().map_or("null".to_owned(), ToString::to_string),
        ExprNode::Name(name) => name.clone(),
        ExprNode::Member(operand, name) => format!("(# {} {})", prefix(operand), name.text),
        ExprNode::Apply(op, operands) => {
            let operands: Vec<String> = operands.iter().map(prefix).collect();
            format!("({} {})", op.name(), operands.join(" "))
        }
        ExprNode::Clause(operand, _) => format!("(clause {})", prefix(operand)),
        _ => "…".to_owned(),
    }
}

fn read(text: &str) -> String {
    let statements = parsed(&format!("R <- {text};")).unwrap();
    prefix(&statements[0].expr)
}

#[test]
fn precedence_follows_the_grammar() {
    for (text, want) in [
        ("a + b * c", "(+ a (* b c))"),
        ("a - b - c", "(- (- a b) c)"),
        ("a || b + c", "(+ (|| a b) c)"),
        ("-a * b", "(* (- a) b)"),
        ("not a = b", "(= (not a) b)"),
        ("not a and b or c", "(or (and (not a) b) c)"),
        ("a xor b or c and d", "(or (xor a b) (and c d))"),
        ("a + 1 > b - -2", "(> (+ a 1) (- b -2))"),
        ("a + b in { 1, -2 }", "(in (+ a b) 1 -2)"),
        ("-a#b", "(- (# a b))"),
        ("a * b[filter c]", "(* a (clause b))"),
        ("(a + b)[keep c] / 2", "(/ (clause (+ a b)) 2)"),
        ("if a then b else c + d", "(if a b (+ c d))"),
        ("1 + if a then b else c + d", "(+ 1 (if a b (+ c d)))"),
        ("a -1", "(- a 1)"),
        ("case when a then b when c then d else e", "(if a b (if c d e))"),
    ] {
        assert_eq!(read(text), want, "{text}");
    }
}

#[test]
fn smallest_and_largest_numbers() {
    assert_eq!(read("-9223372036854775808"), "-9223372036854775808");
    assert!(parsed("R <- 9223372036854775808;").is_err());
    assert_eq!(read("0.50"), "0.5");
    assert!(parsed(&format!("R <- 1.{};", "1".repeat(34))).is_err());
}

#[test]
fn a_script_may_be_empty() {
    assert!(parsed("").unwrap().is_empty());
    assert!(parsed(" // nothing\n").unwrap().is_empty());
}
