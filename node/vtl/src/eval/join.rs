//! PropagationRule joins on key codes (reference manual, "Inner join", and the matching of data sets in
//! "Operators applicable on two … Data Sets").

use std::ops::Range;

use schemas::rank::{self, Ranks};
use schemas::structure::Type;
use schemas::table::{Cell, Column};

use super::Relation;
use super::cast::gathered as cells_as;
use super::column::Col;
use super::key::{common, order, ranks};
use super::threads::{self, Threads};
use crate::budget::{BudgetMeter, COPY_STEPS, SORT_STEPS};
use crate::diagnostic::{Diagnostic, Span};
use crate::plan::{JoinColumn, JoinMode};

/// What is joined and what comes out.
pub(super) struct Spec<'a> {
    pub(super) keys: &'a [(usize, usize)],
    pub(super) columns: &'a [(JoinColumn, Option<Cell>)],
    pub(super) matching: JoinMode,
    /// How many of the columns are identifiers.
    pub(super) identifiers: usize,
}

/// A row that is not there.
const NONE: u32 = u32::MAX;

pub(super) fn join(
    left: &Relation,
    right: &Relation,
    spec: &Spec<'_>,
    meter: &mut BudgetMeter,
    span: Span,
    threads: Threads,
) -> Result<Relation, Diagnostic> {
    meter.charge(left.rows + right.rows, SORT_STEPS, span)?;
    let Ranks { sides: [a, b], size } = common(left, right, spec.keys);
    let (a, b) = (Operand::new(a, size), Operand::new(b, size));
    let mut rows = 0_usize;
    walk(&a, &b, spec.matching, |left, right| {
        rows = rows.saturating_add(left.len().max(1).saturating_mul(right.len().max(1)));
    });
    meter.charge(rows, COPY_STEPS * spec.columns.len() as u64 + SORT_STEPS, span)?;
    meter.reserve(rows, spec.columns.len(), span)?;
    let pairs = expand(&a, &b, spec.matching, rows);
    drop((a, b));
    if spec.matching == JoinMode::Full || spec.columns.iter().any(|(_, fallback)| fallback.is_some()) {
        return Ok(filled(&pairs, left, right, spec));
    }
    let pairs = canonical(pairs, left, right, spec);
    Ok(Relation { columns: pairs.gather(spec.columns, left, right, threads), rows })
}

/// The rows of each data point of the result.
struct Pairs {
    lefts: Vec<u32>,
    rights: Vec<u32>,
}

impl Pairs {
    fn gather(
        &self,
        columns: &[(JoinColumn, Option<Cell>)],
        left: &Relation,
        right: &Relation,
        threads: Threads,
    ) -> Vec<Col> {
        let whole = |rows: &[u32], all: usize| rows.len() == all && rows.iter().copied().eq(0..all as u32);
        let (same_left, same_right) = (whole(&self.lefts, left.rows), whole(&self.rights, right.rows));
        let take = |column: &Col, rows: &[u32], same: bool| {
            if same { column.clone() } else { Col::own(column.gather(rows)) }
        };
        let pick = |(side, _): &(JoinColumn, Option<Cell>)| match side {
            JoinColumn::Left(at) | JoinColumn::Either(at, _) => {
                left.columns.get(*at).map(|column| take(column, &self.lefts, same_left))
            }
            JoinColumn::Right(at) => {
                right.columns.get(*at).map(|column| take(column, &self.rights, same_right))
            }
        };
        threads::each(threads, self.lefts.len(), columns, pick).into_iter().flatten().collect()
    }
}

/// The rows of a join in which keys come from either side and gaps are filled, in canonical order.
fn filled(pairs: &Pairs, left: &Relation, right: &Relation, spec: &Spec<'_>) -> Relation {
    let cell = |side: JoinColumn, pair: (u32, u32)| {
        let of = |relation: &Relation, at: usize, row: u32| {
            relation.columns.get(at).and_then(|column| column.cell(row as usize))
        };
        match side {
            JoinColumn::Left(at) => of(left, at, pair.0),
            JoinColumn::Right(at) => of(right, at, pair.1),
            JoinColumn::Either(at, other) => of(left, at, pair.0).or_else(|| of(right, other, pair.1)),
        }
    };
    let columns = spec.columns.iter().map(|(side, fallback)| {
        let like = match side {
            JoinColumn::Left(at) | JoinColumn::Either(at, _) => left.columns.get(*at),
            JoinColumn::Right(at) => right.columns.get(*at),
        };
        let rows = pairs.lefts.iter().copied().zip(pairs.rights.iter().copied());
        let cells = rows.map(|pair| cell(*side, pair).or_else(|| fallback.clone()));
        gathered(cells.collect(), like)
    });
    let columns: Vec<Col> = columns.map(Col::own).collect();
    let rows = pairs.lefts.len();
    let columns = match order(&ranks(columns.iter().take(spec.identifiers).map(|column| &**column), rows)) {
        None => columns,
        Some(order) => columns.iter().map(|column| Col::own(column.gather(&order))).collect(),
    };
    Relation { columns, rows }
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

/// One side: the ranks of its keys, ascending, and the rows in that order when it is another than
/// theirs.
struct Operand {
    ranks: Vec<u64>,
    order: Option<Vec<u32>>,
}

impl Operand {
    fn new(ranks: Vec<u64>, size: u64) -> Self {
        match rank::order(&ranks, size) {
            None => Self { ranks, order: None },
            Some(order) => {
                let sorted = order.iter().filter_map(|row| ranks.get(*row as usize).copied()).collect();
                Self { ranks: sorted, order: Some(order) }
            }
        }
    }

    fn rank(&self, place: usize) -> Option<u64> {
        self.ranks.get(place).copied()
    }

    /// The places from `start` on that have its key.
    fn run(&self, start: usize) -> Range<usize> {
        let key = self.rank(start);
        let mut end = start + 1;
        while end < self.ranks.len() && self.rank(end) == key {
            end += 1;
        }
        start..end
    }

    fn row(&self, place: usize) -> u32 {
        self.order.as_ref().map_or(place as u32, |order| order.get(place).copied().unwrap_or(NONE))
    }
}

/// Walks both sides in the order of their keys: the places of one key on the left, and on the right;
/// none where one side has no partner that `matching` keeps.
fn walk(a: &Operand, b: &Operand, matching: JoinMode, mut found: impl FnMut(Range<usize>, Range<usize>)) {
    let (mut at, mut other) = (0, 0);
    while let Some(key) = a.rank(at) {
        while b.rank(other).is_some_and(|rank| rank < key) {
            let alone = b.run(other);
            other = alone.end;
            if matching == JoinMode::Full {
                found(0..0, alone);
            }
        }
        let left = a.run(at);
        at = left.end;
        if b.rank(other) == Some(key) {
            let right = b.run(other);
            other = right.end;
            found(left, right);
        } else if matching != JoinMode::Inner {
            found(left, 0..0);
        }
    }
    while matching == JoinMode::Full && b.rank(other).is_some() {
        let alone = b.run(other);
        other = alone.end;
        found(0..0, alone);
    }
}

/// All pairs of rows with one key.
fn expand(a: &Operand, b: &Operand, matching: JoinMode, rows: usize) -> Pairs {
    let mut pairs = Pairs { lefts: Vec::with_capacity(rows), rights: Vec::with_capacity(rows) };
    walk(a, b, matching, |left, right| {
        if left.is_empty() {
            pairs.lefts.extend(right.clone().map(|_| NONE));
            pairs.rights.extend(right.map(|place| b.row(place)));
            return;
        }
        for row in left.map(|place| a.row(place)) {
            if right.is_empty() {
                pairs.lefts.push(row);
                pairs.rights.push(NONE);
            }
            for place in right.clone() {
                pairs.lefts.push(row);
                pairs.rights.push(b.row(place));
            }
        }
    });
    pairs
}

/// The pairs in the order of the identifiers of the result.
fn canonical(pairs: Pairs, left: &Relation, right: &Relation, spec: &Spec<'_>) -> Pairs {
    let identifiers = spec.columns.get(..spec.identifiers).unwrap_or_default();
    let of_left = |(at, (side, _)): (usize, &(JoinColumn, Option<Cell>))| match side {
        JoinColumn::Left(column) | JoinColumn::Either(column, _) => *column == at,
        JoinColumn::Right(_) => false,
    };
    // INVARIANT: the left is in canonical order, its identifiers first.
    if identifiers.iter().enumerate().all(of_left) && pairs.lefts.is_sorted() {
        return pairs;
    }
    let columns = pairs.gather(identifiers, left, right, Threads::ONE);
    let Some(order) = order(&ranks(columns.iter().map(|column| &**column), pairs.lefts.len())) else {
        return pairs;
    };
    let sort =
        |rows: &[u32]| order.iter().map(|at| rows.get(*at as usize).copied().unwrap_or(NONE)).collect();
    Pairs { lefts: sort(&pairs.lefts), rights: sort(&pairs.rights) }
}
