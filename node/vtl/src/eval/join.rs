//! Merge joins on key codes (reference manual, "Inner join", and the matching of data sets in
//! "Operators applicable on two … Data Sets").

use std::cmp::Ordering;

use super::Relation;
use super::column::Col;
use super::key::{Codes, codes, common, compare_rows, order, runs};
use crate::budget::{COPY_STEPS, Meter, SORT_STEPS};
use crate::fault::{Fault, Span};
use crate::plan::Side;

/// What is joined and what comes out.
pub(super) struct Spec<'a> {
    pub(super) keys: &'a [(usize, usize)],
    pub(super) columns: &'a [Side],
    /// Every data point of the left, matched or not.
    pub(super) outer: bool,
    /// How many of the columns are identifiers.
    pub(super) identifiers: usize,
}

/// A row of the right that is not there.
const NONE: usize = usize::MAX;

pub(super) fn join(
    left: &Relation,
    right: &Relation,
    spec: &Spec<'_>,
    meter: &mut Meter,
    span: Span,
) -> Result<Relation, Fault> {
    meter.charge(left.rows + right.rows, SORT_STEPS, span)?;
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for (x, y) in spec.keys {
        if let (Some(x), Some(y)) = (left.columns.get(*x), right.columns.get(*y)) {
            let (x, y) = common(x, y);
            a.push(x);
            b.push(y);
        }
    }
    let matches = merge((&a, left.rows), (&b, right.rows), spec.outer);
    let rows = matches.iter().fold(0_usize, |sum, m| sum.saturating_add(m.pairs()));
    meter.charge(rows, COPY_STEPS * spec.columns.len() as u64 + SORT_STEPS, span)?;
    meter.hold(rows, spec.columns.len(), span)?;
    let pairs = canonical(expand(matches, rows), left, right, spec);
    let whole = |rows: usize, side: fn(&(usize, usize)) -> usize| {
        pairs.len() == rows && pairs.iter().enumerate().all(|(at, pair)| side(pair) == at)
    };
    let (same_left, same_right) = (whole(left.rows, |pair| pair.0), whole(right.rows, |pair| pair.1));
    let lefts: Vec<usize> = pairs.iter().map(|pair| pair.0).collect();
    let rights: Vec<usize> = pairs.iter().map(|pair| pair.1).collect();
    let pick = |side: &Side| match side {
        Side::Left(at) => left
            .columns
            .get(*at)
            .map(|column| if same_left { column.clone() } else { Col::own(column.gather(&lefts)) }),
        Side::Right(at) => right
            .columns
            .get(*at)
            .map(|column| if same_right { column.clone() } else { Col::own(column.gather(&rights)) }),
    };
    Ok(Relation { columns: spec.columns.iter().filter_map(pick).collect(), rows })
}

/// Rows of both sides with one key.
struct Match {
    left: Vec<usize>,
    right: Vec<usize>,
}

impl Match {
    fn pairs(&self) -> usize {
        self.left.len().saturating_mul(self.right.len())
    }
}

/// Walks both sides in the order of their keys.
fn merge(a: (&[Codes], usize), b: (&[Codes], usize), outer: bool) -> Vec<Match> {
    let (left, right) = (order(a.0, a.1), order(b.0, b.1));
    let at = |order: &Option<Vec<usize>>, place: usize| {
        order.as_ref().map_or(place, |o| o.get(place).copied().unwrap_or(place))
    };
    let rows = |order: &Option<Vec<usize>>, run: (usize, usize)| {
        (run.0..run.1).map(|place| at(order, place)).collect()
    };
    let right_runs = runs(b.0, right.as_deref(), b.1);
    let mut others = right_runs.iter().peekable();
    let mut matches = Vec::new();
    for run in runs(a.0, left.as_deref(), a.1) {
        let row = at(&left, run.0);
        let against = |other: &(usize, usize)| compare_rows(a.0, row, b.0, at(&right, other.0));
        while others.peek().is_some_and(|other| against(other) == Ordering::Greater) {
            others.next();
        }
        match others.peek() {
            Some(other) if against(other) == Ordering::Equal => {
                matches.push(Match { left: rows(&left, run), right: rows(&right, **other) });
            }
            _ if outer => matches.push(Match { left: rows(&left, run), right: vec![NONE] }),
            _ => {}
        }
    }
    matches
}

/// All pairs of rows of each match.
fn expand(matches: Vec<Match>, rows: usize) -> Vec<(usize, usize)> {
    let mut pairs = Vec::with_capacity(rows);
    for found in matches {
        for left in &found.left {
            pairs.extend(found.right.iter().map(|right| (*left, *right)));
        }
    }
    pairs
}

/// The pairs in the order of the identifiers of the result.
fn canonical(
    mut pairs: Vec<(usize, usize)>,
    left: &Relation,
    right: &Relation,
    spec: &Spec<'_>,
) -> Vec<(usize, usize)> {
    let identifiers: Vec<(bool, Codes)> = spec
        .columns
        .iter()
        .take(spec.identifiers)
        .filter_map(|side| match side {
            Side::Left(at) => left.columns.get(*at).map(|column| (true, codes(column))),
            Side::Right(at) => right.columns.get(*at).map(|column| (false, codes(column))),
        })
        .collect();
    let compare = |a: &(usize, usize), b: &(usize, usize)| {
        for (of_left, codes) in &identifiers {
            let (x, y) = if *of_left { (a.0, b.0) } else { (a.1, b.1) };
            let order = codes.get(x).cmp(&codes.get(y));
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    };
    if !pairs.is_sorted_by(|a, b| compare(a, b).is_le()) {
        pairs.sort_by(compare);
    }
    pairs
}
