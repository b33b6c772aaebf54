//! Which observations a request gets: keys, periods, tests, the first and last of each series, what
//! changed since a vintage. Clients do not notice a filter that is ignored, so all is done here.

use std::cmp::Ordering;

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::table::Cell;

use crate::sdmx::cube::{Cube, Named, Place};
use crate::sdmx::fault::Fault;
use crate::sdmx::wanted::{Key, Operator, Test, Wanted};

/// Parts and values of all keys of one request.
const KEYS_MAX: usize = 1024;

/// The observations of `cube` that pass, by key and time.
pub(crate) fn select(cube: &Cube, wanted: &Wanted) -> Result<Vec<Place>, Fault> {
    let filters = check(cube, wanted)?;
    let bounded = wanted.start.is_some() || wanted.end.is_some();
    let passes = |place: &Place| {
        (!bounded || within(cube.period(*place), wanted))
            && matches(cube, *place, &wanted.keys)
            && filters.iter().all(|(named, either)| holds_any(cube, *named, *place, either))
    };
    let mut found: Vec<Place> = cube.places().filter(passes).collect();
    order(cube, &mut found);
    Ok(found)
}

/// Every observation, by key and time.
pub(crate) fn every(cube: &Cube) -> Vec<Place> {
    let mut found: Vec<Place> = cube.places().collect();
    order(cube, &mut found);
    found
}

fn order(cube: &Cube, places: &mut [Place]) {
    let order = |a: &Place, b: &Place| cube.order(*a, cube, *b);
    if !places.is_sorted_by(|a, b| order(a, b).is_le()) {
        places.sort_unstable_by(order);
    }
}

/// Those of `rows` that are not in `other`, or say something else there.
pub(crate) fn changed(cube: &Cube, rows: Vec<Place>, other: &Cube) -> Vec<Place> {
    let kept = |(place, beside): &(Place, Option<Place>)| {
        beside.is_none_or(|beside| !same(cube, *place, other, beside))
    };
    beside(cube, rows, other).filter(kept).map(|(place, _)| place).collect()
}

/// Those of `rows` whose keys and times are not in `other`.
pub(crate) fn gone(cube: &Cube, rows: Vec<Place>, other: &Cube) -> Vec<Place> {
    beside(cube, rows, other).filter(|(_, beside)| beside.is_none()).map(|(place, _)| place).collect()
}

/// Each of `rows`, which are in order, and the place of the same key and time in `other`.
fn beside(cube: &Cube, rows: Vec<Place>, other: &Cube) -> impl Iterator<Item = (Place, Option<Place>)> {
    let mut all = every(other).into_iter().peekable();
    rows.into_iter().map(move |place| {
        while all.next_if(|held| other.order(*held, cube, place) == Ordering::Less).is_some() {}
        (place, all.next_if(|held| other.order(*held, cube, place) == Ordering::Equal))
    })
}

/// Whether two observations have the same figure and the same attributes, to the letter.
fn same(cube: &Cube, place: Place, other: &Cube, beside: Place) -> bool {
    let ids = cube.layout.attributes.iter().chain(&other.layout.attributes).map(|(id, _)| id);
    let mut pairs = ids.map(|id| (cube.attribute(id, place), other.attribute(id, beside)));
    cube.value(place) == other.value(beside) && pairs.all(|(one, two)| one == two)
}

/// A component and its tests.
type Filter<'w> = (Named, &'w [Vec<Test>]);

/// Filters with what they test, once it is known that they make sense.
fn check<'w>(cube: &Cube, wanted: &'w Wanted) -> Result<Vec<Filter<'w>>, Fault> {
    let count = cube.dimensions.len();
    if wanted.keys.iter().flatten().map(|values| 1 + values.len()).sum::<usize>() > KEYS_MAX {
        return Err(Fault::large(format!("the keys have more than {KEYS_MAX} parts and values")));
    }
    // REST 2 lets the end of a key be left out.
    let misfit = |key: &&Key| key.len() > count || key.len() < count && !wanted.short;
    if let Some(key) = wanted.keys.iter().find(misfit) {
        let ids: Vec<&str> = cube.dimensions.iter().map(|dimension| dimension.id.as_str()).collect();
        let detail = format!("the key has {} parts, expected {count}: {}", key.len(), ids.join("."));
        return Err(Fault::meaning(detail));
    }
    if (wanted.start.is_some() || wanted.end.is_some()) && !cube.timed() {
        return Err(Fault::meaning("this dataflow has no dimension of time"));
    }
    wanted.filters.iter().map(|(id, either)| checked(cube, id, either)).collect()
}

fn checked<'w>(cube: &Cube, id: &str, either: &'w [Vec<Test>]) -> Result<Filter<'w>, Fault> {
    let Some(named) = cube.named(id) else {
        return Err(Fault::meaning(format!("`{id}` is no component of this dataflow")));
    };
    let numeric = cube.numeric(named);
    for test in either.iter().flatten() {
        if named == Named::Time && test.period.is_none() {
            return Err(Fault::meaning(format!("`{}` is no period", test.text)));
        }
        if numeric && test.operator.compares() && test.number.is_none() {
            return Err(Fault::meaning(format!("`{}` is no number, and `{id}` holds numbers", test.text)));
        }
    }
    Ok((named, either))
}

fn matches(cube: &Cube, place: Place, keys: &[Key]) -> bool {
    let fits = |key: &Key| {
        let mut parts = key.iter().zip(&cube.dimensions);
        parts.all(|(wanted, dimension)| {
            wanted.is_empty() || {
                let held = cube.key(dimension, place);
                wanted.iter().any(|wanted| *wanted == held)
            }
        })
    };
    keys.is_empty() || keys.iter().any(fits)
}

fn within(time: Option<Period>, wanted: &Wanted) -> bool {
    let fits = |operator, bound: Option<Period>| {
        bound.is_none_or(|bound| time.is_some_and(|time| compare(time, operator, bound)))
    };
    fits(Operator::AtLeast, wanted.start) && fits(Operator::AtMost, wanted.end)
}

/// Whether a period is on that side of another; of different frequencies by their days.
fn compare(held: Period, operator: Operator, bound: Period) -> bool {
    let (first, last) = (held.first_day(), held.last_day());
    match operator {
        Operator::Equal => (first, last) == (bound.first_day(), bound.last_day()),
        Operator::Unequal => (first, last) != (bound.first_day(), bound.last_day()),
        Operator::Less => last < bound.first_day(),
        Operator::AtMost => last <= bound.last_day(),
        Operator::Greater => first > bound.last_day(),
        Operator::AtLeast => first >= bound.first_day(),
        Operator::Contains | Operator::Lacks | Operator::Starts | Operator::Ends => {
            holds_text(&held.to_string(), operator, &bound.to_string())
        }
    }
}

fn holds_any(cube: &Cube, named: Named, place: Place, either: &[Vec<Test>]) -> bool {
    let held = cube.cell(named, place);
    either.iter().any(|all| all.iter().all(|test| holds(held.as_ref(), named, test)))
}

/// Whether a value passes; of a figure that is null nothing is true, an attribute without a value
/// is an empty text.
fn holds(held: Option<&Cell>, named: Named, test: &Test) -> bool {
    match (held, test.number, test.period) {
        (Some(Cell::Period(held)), _, Some(bound)) if named == Named::Time => {
            compare(*held, test.operator, bound)
        }
        (Some(Cell::Number(held)), Some(bound), _) if test.operator.compares() => {
            test.operator.fits(held.compare(bound))
        }
        (Some(Cell::Integer(held)), Some(bound), _) if test.operator.compares() => {
            test.operator.fits(Decimal::from(*held).compare(bound))
        }
        (Some(Cell::Text(held)), ..) => holds_text(held, test.operator, &test.text),
        (Some(other), ..) => holds_text(&other.to_string(), test.operator, &test.text),
        (None, ..) if named == Named::Figure => false,
        (None, ..) => holds_text("", test.operator, &test.text),
    }
}

fn holds_text(held: &str, operator: Operator, text: &str) -> bool {
    match operator {
        Operator::Contains => held.contains(text),
        Operator::Lacks => !held.contains(text),
        Operator::Starts => held.starts_with(text),
        Operator::Ends => held.ends_with(text),
        compares => compares.fits(held.cmp(text)),
    }
}

/// The first and the last observations of each series, where only those are wanted.
pub(crate) fn ends(cube: &Cube, found: Vec<Place>, wanted: &Wanted) -> Vec<Place> {
    if wanted.first.is_none() && wanted.last.is_none() {
        return found;
    }
    let (first, last) = (wanted.first.unwrap_or(0), wanted.last.unwrap_or(0));
    let series = found.chunk_by(|a, b| cube.same_series(*a, *b));
    let kept = series.flat_map(|series| {
        let length = series.len();
        series.iter().enumerate().filter(move |(at, _)| *at < first || at.saturating_add(last) >= length)
    });
    kept.map(|(_, place)| *place).collect()
}

/// Brings observations, which are by key and time, into the order that is asked for.
pub(crate) fn sort(cube: &Cube, rows: &mut [Place], wanted: &Wanted) -> Result<(), Fault> {
    let mut parts: Vec<(Named, bool)> = Vec::new();
    for (id, down) in &wanted.sort {
        let dimensions = (0..cube.dimensions.len()).map(|at| (Named::Dimension(at), *down));
        match (id.as_str(), cube.named(id)) {
            ("series_key", _) => parts.extend(dimensions),
            ("*", _) => parts.extend(dimensions.chain(cube.timed().then_some((Named::Time, *down)))),
            (_, Some(named)) => parts.push((named, *down)),
            _ => return Err(Fault::meaning(format!("`{id}` is no component of this dataflow"))),
        }
    }
    if !parts.is_empty() {
        rows.sort_by(|a, b| {
            let orders = parts.iter().map(|(named, down)| match cube.order_by(*named, *a, *b) {
                order if *down => order.reverse(),
                order => order,
            });
            orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
    }
    Ok(())
}
