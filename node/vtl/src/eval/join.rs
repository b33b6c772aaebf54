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
    let (a, b) = (Operand::new(a, left.rows), Operand::new(b, right.rows));
    let matches = merge(&a, &b, spec.outer);
    let rows = matches.iter().fold(0_usize, |sum, m| sum.saturating_add(m.pairs()));
    meter.charge(rows, COPY_STEPS * spec.columns.len() as u64 + SORT_STEPS, span)?;
    meter.hold(rows, spec.columns.len(), span)?;
    let pairs = canonical(expand(&matches, &a, &b, rows), left, right, spec);
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

/// Places of both sides, in the order of their keys, that have one key; the right may have none.
struct Match {
    left: (usize, usize),
    right: Option<(usize, usize)>,
}

impl Match {
    fn pairs(&self) -> usize {
        let right = self.right.map_or(1, |run| run.1 - run.0);
        (self.left.1 - self.left.0).saturating_mul(right)
    }
}

/// One side: its key codes, and the order that sorts its rows when they are not sorted.
struct Operand {
    keys: Vec<Codes>,
    rows: usize,
    order: Option<Vec<usize>>,
}

impl Operand {
    fn new(keys: Vec<Codes>, rows: usize) -> Self {
        let order = order(&keys, rows);
        Self { keys, rows, order }
    }

    fn row(&self, place: usize) -> usize {
        self.order.as_ref().map_or(place, |order| order.get(place).copied().unwrap_or(place))
    }

    fn runs(&self) -> Vec<(usize, usize)> {
        runs(&self.keys, self.order.as_deref(), self.rows)
    }
}

/// Walks both sides in the order of their keys.
fn merge(a: &Operand, b: &Operand, outer: bool) -> Vec<Match> {
    let right_runs = b.runs();
    let mut others = right_runs.iter().peekable();
    let mut matches = Vec::new();
    for left in a.runs() {
        let row = a.row(left.0);
        let against = |other: &(usize, usize)| compare_rows(&a.keys, row, &b.keys, b.row(other.0));
        while others.peek().is_some_and(|other| against(other) == Ordering::Greater) {
            others.next();
        }
        match others.peek() {
            Some(other) if against(other) == Ordering::Equal => {
                matches.push(Match { left, right: Some(**other) });
            }
            _ if outer => matches.push(Match { left, right: None }),
            _ => {}
        }
    }
    matches
}

/// All pairs of rows of each match.
fn expand(matches: &[Match], a: &Operand, b: &Operand, rows: usize) -> Vec<(usize, usize)> {
    let mut pairs = Vec::with_capacity(rows);
    for found in matches {
        for left in found.left.0..found.left.1 {
            match found.right {
                None => pairs.push((a.row(left), NONE)),
                Some(run) => pairs.extend((run.0..run.1).map(|right| (a.row(left), b.row(right)))),
            }
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
