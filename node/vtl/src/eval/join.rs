//! Merge joins on key codes (reference manual, "Inner join", and the matching of data sets in
//! "Operators applicable on two … Data Sets").

use std::cmp::Ordering;

use schemas::structure::Type;
use schemas::table::{Cell, Column};

use super::Relation;
use super::cast::gathered as cells_as;
use super::column::Col;
use super::key::{Codes, codes, common, compare_rows, order, runs};
use crate::budget::{COPY_STEPS, Meter, SORT_STEPS};
use crate::fault::{Fault, Span};
use crate::plan::{Matching, Side};

/// What is joined and what comes out.
pub(super) struct Spec<'a> {
    pub(super) keys: &'a [(usize, usize)],
    pub(super) columns: &'a [(Side, Option<Cell>)],
    pub(super) matching: Matching,
    /// How many of the columns are identifiers.
    pub(super) identifiers: usize,
}

/// A row that is not there.
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
    let matches = merge(&a, &b, spec.matching);
    let rows = matches.iter().fold(0_usize, |sum, m| sum.saturating_add(m.pairs()));
    meter.charge(rows, COPY_STEPS * spec.columns.len() as u64 + SORT_STEPS, span)?;
    meter.hold(rows, spec.columns.len(), span)?;
    let pairs = expand(&matches, &a, &b, rows);
    if spec.matching == Matching::Full || spec.columns.iter().any(|(_, fallback)| fallback.is_some()) {
        return Ok(filled(&pairs, left, right, spec));
    }
    let pairs = canonical(pairs, left, right, spec);
    let whole = |rows: usize, side: fn(&(usize, usize)) -> usize| {
        pairs.len() == rows && pairs.iter().enumerate().all(|(at, pair)| side(pair) == at)
    };
    let (same_left, same_right) = (whole(left.rows, |pair| pair.0), whole(right.rows, |pair| pair.1));
    let lefts: Vec<usize> = pairs.iter().map(|pair| pair.0).collect();
    let rights: Vec<usize> = pairs.iter().map(|pair| pair.1).collect();
    let pick = |(side, _): &(Side, Option<Cell>)| match side {
        Side::Left(at) | Side::Either(at, _) => left
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

/// The rows of a join in which keys come from either side and gaps are filled, in canonical order.
fn filled(pairs: &[(usize, usize)], left: &Relation, right: &Relation, spec: &Spec<'_>) -> Relation {
    let cell = |side: Side, pair: &(usize, usize)| {
        let of = |relation: &Relation, at: usize, row: usize| {
            relation.columns.get(at).and_then(|column| column.cell(row))
        };
        match side {
            Side::Left(at) => of(left, at, pair.0),
            Side::Right(at) => of(right, at, pair.1),
            Side::Either(at, other) => of(left, at, pair.0).or_else(|| of(right, other, pair.1)),
        }
    };
    let columns = spec.columns.iter().map(|(side, fallback)| {
        let like = match side {
            Side::Left(at) | Side::Either(at, _) => left.columns.get(*at),
            Side::Right(at) => right.columns.get(*at),
        };
        let cells = pairs.iter().map(|pair| cell(*side, pair).or_else(|| fallback.clone()));
        gathered(cells.collect(), like)
    });
    let columns: Vec<Col> = columns.map(Col::own).collect();
    let keys: Vec<Codes> = columns.iter().take(spec.identifiers).map(|column| codes(column)).collect();
    let columns = match order(&keys, pairs.len()) {
        None => columns,
        Some(order) => columns.iter().map(|column| Col::own(column.gather(&order))).collect(),
    };
    Relation { columns, rows: pairs.len() }
}

/// Cells as a column of the type of another.
fn gathered(cells: Vec<Option<Cell>>, like: Option<&Col>) -> Column {
    match like.map(|column| &**column) {
        Some(Column::Text(_)) => cells_as(&cells, Type::String),
        Some(Column::Integer(_)) => cells_as(&cells, Type::Integer),
        Some(Column::Number(_)) | None => cells_as(&cells, Type::Number),
        Some(Column::Boolean(_)) => cells_as(&cells, Type::Boolean),
        Some(Column::Period(_)) => cells_as(&cells, Type::TimePeriod),
    }
}

/// Places of both sides, in the order of their keys, that have one key; one side may have none.
struct Match {
    left: Option<(usize, usize)>,
    right: Option<(usize, usize)>,
}

impl Match {
    fn pairs(&self) -> usize {
        let rows = |run: Option<(usize, usize)>| run.map_or(1, |run| run.1 - run.0);
        rows(self.left).saturating_mul(rows(self.right))
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
fn merge(a: &Operand, b: &Operand, matching: Matching) -> Vec<Match> {
    let (left_runs, right_runs) = (a.runs(), b.runs());
    let mut others = right_runs.iter().peekable();
    let mut matches = Vec::new();
    for left in left_runs {
        let row = a.row(left.0);
        let against = |other: &(usize, usize)| compare_rows(&a.keys, row, &b.keys, b.row(other.0));
        while let Some(other) = others.next_if(|other| against(other) == Ordering::Greater) {
            if matching == Matching::Full {
                matches.push(Match { left: None, right: Some(*other) });
            }
        }
        match others.next_if(|other| against(other) == Ordering::Equal) {
            Some(other) => matches.push(Match { left: Some(left), right: Some(*other) }),
            None if matching != Matching::Inner => matches.push(Match { left: Some(left), right: None }),
            None => {}
        }
    }
    if matching == Matching::Full {
        matches.extend(others.map(|other| Match { left: None, right: Some(*other) }));
    }
    matches
}

/// All pairs of rows of each match.
fn expand(matches: &[Match], a: &Operand, b: &Operand, rows: usize) -> Vec<(usize, usize)> {
    let mut pairs = Vec::with_capacity(rows);
    for found in matches {
        match (found.left, found.right) {
            (Some(left), Some(right)) => {
                for place in left.0..left.1 {
                    pairs.extend((right.0..right.1).map(|other| (a.row(place), b.row(other))));
                }
            }
            (Some(left), None) => pairs.extend((left.0..left.1).map(|place| (a.row(place), NONE))),
            (None, Some(right)) => pairs.extend((right.0..right.1).map(|place| (NONE, b.row(place)))),
            (None, None) => {}
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
        .filter_map(|(side, _)| match side {
            Side::Left(at) | Side::Either(at, _) => left.columns.get(*at).map(|column| (true, codes(column))),
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
