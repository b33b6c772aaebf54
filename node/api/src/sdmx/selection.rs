//! Selection of observations: keys, periods, component tests, first and last of each series, and changes
//! since a vintage.
//!
//! Every filter is applied here, because clients cannot detect a filter that the server ignores.

use std::cmp::Ordering;

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::table::Cell;

use crate::sdmx::cube::{CubeComponent, DataCube, Observation};
use crate::sdmx::error::SdmxError;
use crate::sdmx::request::{ComponentTest, DataRequest, KeyPattern, TestOperator};

/// Segments and values of all keys of a request.
const KEYS_MAX: usize = 1024;

/// Returns the matching observations, ordered by key and time.
pub(crate) fn select_observations(
    cube: &DataCube,
    wanted: &DataRequest,
) -> Result<Vec<Observation>, SdmxError> {
    let filters = check_request(cube, wanted)?;
    let bounded = wanted.start.is_some() || wanted.end.is_some();
    let passes = |place: &Observation| {
        (!bounded || within_bounds(cube.time_period(*place), wanted))
            && matches_key(cube, *place, &wanted.keys)
            && filters.iter().all(|(named, either)| passes_any(cube, *named, *place, either))
    };
    let mut found: Vec<Observation> = cube.observations().filter(passes).collect();
    sort_by_key(cube, &mut found);
    Ok(found)
}

/// Returns all observations, ordered by key and time.
pub(crate) fn all_observations(cube: &DataCube) -> Vec<Observation> {
    let mut found: Vec<Observation> = cube.observations().collect();
    sort_by_key(cube, &mut found);
    found
}

fn sort_by_key(cube: &DataCube, places: &mut [Observation]) {
    let order = |a: &Observation, b: &Observation| cube.compare_observations(*a, cube, *b);
    if !places.is_sorted_by(|a, b| order(a, b).is_le()) {
        places.sort_unstable_by(order);
    }
}

/// Returns those of `rows` that are missing or have other values in `other`.
pub(crate) fn changed_observations(
    cube: &DataCube,
    rows: Vec<Observation>,
    other: &DataCube,
) -> Vec<Observation> {
    let kept = |(place, beside): &(Observation, Option<Observation>)| {
        beside.is_none_or(|beside| !same_values(cube, *place, other, beside))
    };
    match_observations(cube, rows, other).filter(kept).map(|(place, _)| place).collect()
}

/// Returns those of `rows` whose key and time do not occur in `other`.
pub(crate) fn removed_observations(
    cube: &DataCube,
    rows: Vec<Observation>,
    other: &DataCube,
) -> Vec<Observation> {
    match_observations(cube, rows, other)
        .filter(|(_, beside)| beside.is_none())
        .map(|(place, _)| place)
        .collect()
}

/// Pairs each of `rows` with the observation of the same key and time in `other`. `rows` must be ordered
/// by key and time; both lists are merged in one pass.
fn match_observations(
    cube: &DataCube,
    rows: Vec<Observation>,
    other: &DataCube,
) -> impl Iterator<Item = (Observation, Option<Observation>)> {
    let mut all = all_observations(other).into_iter().peekable();
    rows.into_iter().map(move |place| {
        while all.next_if(|held| other.compare_observations(*held, cube, place) == Ordering::Less).is_some() {
        }
        (place, all.next_if(|held| other.compare_observations(*held, cube, place) == Ordering::Equal))
    })
}

/// Whether two observations have the same value and attributes, compared as text.
fn same_values(cube: &DataCube, place: Observation, other: &DataCube, beside: Observation) -> bool {
    let ids = cube.layout.attributes.iter().chain(&other.layout.attributes).map(|(id, _)| id);
    let mut pairs = ids.map(|id| (cube.attribute_value(id, place), other.attribute_value(id, beside)));
    cube.observation_value(place) == other.observation_value(beside) && pairs.all(|(one, two)| one == two)
}

/// A component with its tests.
type BoundFilter<'w> = (CubeComponent, &'w [Vec<ComponentTest>]);

/// Checks keys, periods and filters against the cube and binds the filters to components.
fn check_request<'w>(cube: &DataCube, wanted: &'w DataRequest) -> Result<Vec<BoundFilter<'w>>, SdmxError> {
    let count = cube.dimensions.len();
    if wanted.keys.iter().flatten().map(|values| 1 + values.len()).sum::<usize>() > KEYS_MAX {
        return Err(SdmxError::too_large(format!("the keys have more than {KEYS_MAX} segments and values")));
    }
    // REST 2 allows trailing dimensions to be omitted.
    let misfit = |key: &&KeyPattern| key.len() > count || key.len() < count && !wanted.partial_keys;
    if let Some(key) = wanted.keys.iter().find(misfit) {
        let ids: Vec<&str> = cube.dimensions.iter().map(|dimension| dimension.id.as_str()).collect();
        let detail = format!("the key has {} segments, expected {count}: {}", key.len(), ids.join("."));
        return Err(SdmxError::semantic(detail));
    }
    if (wanted.start.is_some() || wanted.end.is_some()) && !cube.has_time() {
        return Err(SdmxError::semantic("this dataflow has no time dimension"));
    }
    wanted.filters.iter().map(|(id, either)| check_filter(cube, id, either)).collect()
}

fn check_filter<'w>(
    cube: &DataCube,
    id: &str,
    either: &'w [Vec<ComponentTest>],
) -> Result<BoundFilter<'w>, SdmxError> {
    let Some(named) = cube.find_component(id) else {
        return Err(SdmxError::semantic(format!("`{id}` is not a component of this dataflow")));
    };
    let numeric = cube.is_numeric(named);
    for test in either.iter().flatten() {
        if named == CubeComponent::Time && test.period.is_none() {
            return Err(SdmxError::semantic(format!("`{}` is not a period", test.text)));
        }
        if numeric && test.operator.is_ordering() && test.number.is_none() {
            return Err(SdmxError::semantic(format!(
                "`{}` is not a number, but `{id}` is numeric",
                test.text
            )));
        }
    }
    Ok((named, either))
}

fn matches_key(cube: &DataCube, place: Observation, keys: &[KeyPattern]) -> bool {
    let fits = |key: &KeyPattern| {
        let mut parts = key.iter().zip(&cube.dimensions);
        parts.all(|(wanted, dimension)| {
            wanted.is_empty() || {
                let held = cube.key_value(dimension, place);
                wanted.iter().any(|wanted| *wanted == held)
            }
        })
    };
    keys.is_empty() || keys.iter().any(fits)
}

fn within_bounds(time: Option<Period>, wanted: &DataRequest) -> bool {
    let fits = |operator, bound: Option<Period>| {
        bound.is_none_or(|bound| time.is_some_and(|time| test_period(time, operator, bound)))
    };
    fits(TestOperator::GreaterOrEqual, wanted.start) && fits(TestOperator::LessOrEqual, wanted.end)
}

/// Compares two periods. Periods of different frequencies compare by their first and last days.
fn test_period(held: Period, operator: TestOperator, bound: Period) -> bool {
    let (first, last) = (held.first_day(), held.last_day());
    match operator {
        TestOperator::Equal => (first, last) == (bound.first_day(), bound.last_day()),
        TestOperator::NotEqual => (first, last) != (bound.first_day(), bound.last_day()),
        TestOperator::Less => last < bound.first_day(),
        TestOperator::LessOrEqual => last <= bound.last_day(),
        TestOperator::Greater => first > bound.last_day(),
        TestOperator::GreaterOrEqual => first >= bound.first_day(),
        TestOperator::Contains
        | TestOperator::NotContains
        | TestOperator::StartsWith
        | TestOperator::EndsWith => test_text(&held.to_string(), operator, &bound.to_string()),
    }
}

fn passes_any(
    cube: &DataCube,
    named: CubeComponent,
    place: Observation,
    either: &[Vec<ComponentTest>],
) -> bool {
    let held = cube.component_cell(named, place);
    either.iter().any(|all| all.iter().all(|test| test_cell(held.as_ref(), named, test)))
}

/// Whether a cell passes a test. A null measure fails every test; a null attribute counts as empty text.
fn test_cell(held: Option<&Cell>, named: CubeComponent, test: &ComponentTest) -> bool {
    match (held, test.number, test.period) {
        (Some(Cell::Period(held)), _, Some(bound)) if named == CubeComponent::Time => {
            test_period(*held, test.operator, bound)
        }
        (Some(Cell::Number(held)), Some(bound), _) if test.operator.is_ordering() => {
            test.operator.accepts(held.compare(bound))
        }
        (Some(Cell::Integer(held)), Some(bound), _) if test.operator.is_ordering() => {
            test.operator.accepts(Decimal::from(*held).compare(bound))
        }
        (Some(Cell::Text(held)), ..) => test_text(held, test.operator, &test.text),
        (Some(other), ..) => test_text(&other.to_string(), test.operator, &test.text),
        (None, ..) if named == CubeComponent::Measure => false,
        (None, ..) => test_text("", test.operator, &test.text),
    }
}

fn test_text(held: &str, operator: TestOperator, text: &str) -> bool {
    match operator {
        TestOperator::Contains => held.contains(text),
        TestOperator::NotContains => !held.contains(text),
        TestOperator::StartsWith => held.starts_with(text),
        TestOperator::EndsWith => held.ends_with(text),
        compares => compares.accepts(held.cmp(text)),
    }
}

/// Restricts each series to its first and last observations, if requested.
pub(crate) fn first_and_last(
    cube: &DataCube,
    found: Vec<Observation>,
    wanted: &DataRequest,
) -> Vec<Observation> {
    if wanted.first_observations.is_none() && wanted.last_observations.is_none() {
        return found;
    }
    let (first, last) = (wanted.first_observations.unwrap_or(0), wanted.last_observations.unwrap_or(0));
    let series = found.chunk_by(|a, b| cube.same_series(*a, *b));
    let kept = series.flat_map(|series| {
        let length = series.len();
        series.iter().enumerate().filter(move |(at, _)| *at < first || at.saturating_add(last) >= length)
    });
    kept.map(|(_, place)| *place).collect()
}

/// Sorts observations as requested. The sort is stable, so ties stay ordered by key and time.
pub(crate) fn sort_observations(
    cube: &DataCube,
    rows: &mut [Observation],
    wanted: &DataRequest,
) -> Result<(), SdmxError> {
    let mut parts: Vec<(CubeComponent, bool)> = Vec::new();
    for (id, down) in &wanted.sort {
        let dimensions = (0..cube.dimensions.len()).map(|at| (CubeComponent::Dimension(at), *down));
        match (id.as_str(), cube.find_component(id)) {
            ("series_key", _) => parts.extend(dimensions),
            ("*", _) => {
                parts.extend(dimensions.chain(cube.has_time().then_some((CubeComponent::Time, *down))))
            }
            (_, Some(named)) => parts.push((named, *down)),
            _ => return Err(SdmxError::semantic(format!("`{id}` is not a component of this dataflow"))),
        }
    }
    if !parts.is_empty() {
        rows.sort_by(|a, b| {
            let orders = parts.iter().map(|(named, down)| match cube.compare_by(*named, *a, *b) {
                order if *down => order.reverse(),
                order => order,
            });
            orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
    }
    Ok(())
}
