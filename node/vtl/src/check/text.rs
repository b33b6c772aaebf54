//! Operators on texts: their types, and literals that can be judged without data.

use schemas::structure::Type;
use schemas::table::Cell;

use super::Checker;
use super::typing::{Kind, Misfit, at, each};
use crate::eval::{mask_fault, pattern_fault, unit_fault};
use crate::fault::Code;
use crate::op::{Op, Text, Time};
use crate::plan::{Term, Typed};

/// The type that an operator on texts gives.
pub(super) fn result(op: Text, kinds: &[Kind]) -> Result<Kind, Misfit> {
    let string = |kind| kind == Type::String;
    let integer = |kind| kind == Type::Integer;
    match op {
        Text::Substring => {
            at(kinds, 0, string, "a string")?;
            at(kinds, 1, integer, "an integer")?;
            at(kinds, 2, integer, "an integer")?;
        }
        Text::Position => {
            at(kinds, 0, string, "a string")?;
            at(kinds, 1, string, "a string")?;
            at(kinds, 2, integer, "an integer")?;
            at(kinds, 3, integer, "an integer")?;
        }
        _ => each(kinds, string, "a string")?,
    }
    Ok(Some(match op {
        Text::Length | Text::Position => Type::Integer,
        Text::Match => Type::Boolean,
        Text::Distance(_) => Type::Number,
        _ => Type::String,
    }))
}

impl Checker<'_> {
    /// What is wrong with a mask, a pattern or a unit of time that is a literal.
    pub(super) fn literals(&mut self, op: Op, operands: &[Typed]) -> Option<()> {
        let text = |at: usize| match operands.get(at).map(|typed| &typed.term) {
            Some(Term::Constant(Some(Cell::Text(text)))) => Some(text.as_str()),
            _ => None,
        };
        let (code, place, reason) = match op {
            Op::Cast(to) => {
                let from = operands.first().and_then(|operand| operand.kind);
                (Code::Cast, 1, text(1).and_then(|mask| mask_fault(mask, from, to)))
            }
            Op::Text(Text::Match) => (Code::Domain, 1, text(1).and_then(|text| self.pattern(text))),
            Op::Time(Time::Add) => (Code::Cast, 2, text(2).and_then(unit_fault)),
            _ => return Some(()),
        };
        match (reason, operands.get(place)) {
            (Some(reason), Some(operand)) => self.fault(code, operand.span, reason),
            _ => Some(()),
        }
    }
    /// What is wrong with a pattern. Each is read once: calls repeat a pattern many times.
    fn pattern(&mut self, pattern: &str) -> Option<String> {
        if let Some(known) = self.patterns.get(pattern) {
            return known.clone();
        }
        let fault = pattern_fault(pattern);
        self.patterns.insert(pattern.to_owned(), fault.clone());
        fault
    }
}
