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
    parameters: &DataRequest,
) -> Result<Vec<Observation>, SdmxError> {
    let filters = check_request(cube, parameters)?;
    let bounded = parameters.start.is_some() || parameters.end.is_some();
    let passes = |observation: &Observation| {
        (!bounded || within_bounds(cube.time_period(*observation), parameters))
            && matches_key(cube, *observation, &parameters.keys)
            && filters
                .iter()
                .all(|(component, alternatives)| passes_any(cube, *component, *observation, alternatives))
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
    // Tables are usually stored in this order, and checking is cheaper than sorting.
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
    let kept = |(observation, counterpart): &(Observation, Option<Observation>)| {
        counterpart.is_none_or(|counterpart| !same_values(cube, *observation, other, counterpart))
    };
    match_observations(cube, rows, other).filter(kept).map(|(observation, _)| observation).collect()
}

/// Returns those of `rows` whose key and time do not occur in `other`.
pub(crate) fn removed_observations(
    cube: &DataCube,
    rows: Vec<Observation>,
    other: &DataCube,
) -> Vec<Observation> {
    match_observations(cube, rows, other)
        .filter(|(_, counterpart)| counterpart.is_none())
        .map(|(observation, _)| observation)
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
    rows.into_iter().map(move |observation| {
        while all
            .next_if(|value| other.compare_observations(*value, cube, observation) == Ordering::Less)
            .is_some()
        {}
        (
            observation,
            all.next_if(|value| other.compare_observations(*value, cube, observation) == Ordering::Equal),
        )
    })
}

/// Whether two observations have the same value and attributes, compared as text.
fn same_values(
    cube: &DataCube,
    observation: Observation,
    other: &DataCube,
    counterpart: Observation,
) -> bool {
    let ids = cube.layout.attributes.iter().chain(&other.layout.attributes).map(|(id, _)| id);
    let mut pairs =
        ids.map(|id| (cube.attribute_value(id, observation), other.attribute_value(id, counterpart)));
    cube.observation_value(observation) == other.observation_value(counterpart)
        && pairs.all(|(one, two)| one == two)
}

/// A component with its tests.
type BoundFilter<'w> = (CubeComponent, &'w [Vec<ComponentTest>]);

/// Checks keys, periods and filters against the cube and binds the filters to components.
fn check_request<'w>(
    cube: &DataCube,
    parameters: &'w DataRequest,
) -> Result<Vec<BoundFilter<'w>>, SdmxError> {
    let count = cube.dimensions.len();
    // Each observation is compared with every key, so their total size is bounded.
    if parameters.keys.iter().flatten().map(|values| 1 + values.len()).sum::<usize>() > KEYS_MAX {
        return Err(SdmxError::too_large(format!("the keys have more than {KEYS_MAX} segments and values")));
    }
    // REST 2 allows trailing dimensions to be omitted.
    let misfit = |key: &&KeyPattern| key.len() > count || key.len() < count && !parameters.partial_keys;
    if let Some(key) = parameters.keys.iter().find(misfit) {
        let ids: Vec<&str> = cube.dimensions.iter().map(|dimension| dimension.id.as_str()).collect();
        let detail = format!("the key has {} segments, expected {count}: {}", key.len(), ids.join("."));
        return Err(SdmxError::semantic(detail));
    }
    if (parameters.start.is_some() || parameters.end.is_some()) && !cube.has_time() {
        return Err(SdmxError::semantic("this dataflow has no time dimension"));
    }
    parameters.filters.iter().map(|(id, alternatives)| check_filter(cube, id, alternatives)).collect()
}

fn check_filter<'w>(
    cube: &DataCube,
    id: &str,
    alternatives: &'w [Vec<ComponentTest>],
) -> Result<BoundFilter<'w>, SdmxError> {
    let Some(component) = cube.find_component(id) else {
        return Err(SdmxError::semantic(format!("`{id}` is not a component of this dataflow")));
    };
    let numeric = cube.is_numeric(component);
    for test in alternatives.iter().flatten() {
        if component == CubeComponent::Time && test.period.is_none() {
            return Err(SdmxError::semantic(format!("`{}` is not a period", test.text)));
        }
        if numeric && test.operator.is_ordering() && test.number.is_none() {
            return Err(SdmxError::semantic(format!(
                "`{}` is not a number, but `{id}` is numeric",
                test.text
            )));
        }
    }
    Ok((component, alternatives))
}

fn matches_key(cube: &DataCube, observation: Observation, keys: &[KeyPattern]) -> bool {
    let fits = |key: &KeyPattern| {
        let mut parts = key.iter().zip(&cube.dimensions);
        parts.all(|(parameters, dimension)| {
            parameters.is_empty() || {
                let value = cube.key_value(dimension, observation);
                parameters.iter().any(|parameters| *parameters == value)
            }
        })
    };
    keys.is_empty() || keys.iter().any(fits)
}

fn within_bounds(time: Option<Period>, parameters: &DataRequest) -> bool {
    let fits = |operator, bound: Option<Period>| {
        bound.is_none_or(|bound| time.is_some_and(|time| test_period(time, operator, bound)))
    };
    fits(TestOperator::GreaterOrEqual, parameters.start) && fits(TestOperator::LessOrEqual, parameters.end)
}

/// Compares two periods. Periods of different frequencies compare by their first and last days.
fn test_period(value: Period, operator: TestOperator, bound: Period) -> bool {
    let (first, last) = (value.first_day(), value.last_day());
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
        | TestOperator::EndsWith => test_text(&value.to_string(), operator, &bound.to_string()),
    }
}

fn passes_any(
    cube: &DataCube,
    component: CubeComponent,
    observation: Observation,
    alternatives: &[Vec<ComponentTest>],
) -> bool {
    let value = cube.component_cell(component, observation);
    alternatives.iter().any(|all| all.iter().all(|test| test_cell(value.as_ref(), component, test)))
}

/// Whether a cell passes a test. A null measure fails every test; a null attribute counts as empty text.
fn test_cell(value: Option<&Cell>, component: CubeComponent, test: &ComponentTest) -> bool {
    match (value, test.number, test.period) {
        (Some(Cell::Period(value)), _, Some(bound)) if component == CubeComponent::Time => {
            test_period(*value, test.operator, bound)
        }
        (Some(Cell::Number(value)), Some(bound), _) if test.operator.is_ordering() => {
            test.operator.accepts(value.compare(bound))
        }
        (Some(Cell::Integer(value)), Some(bound), _) if test.operator.is_ordering() => {
            test.operator.accepts(Decimal::from(*value).compare(bound))
        }
        (Some(Cell::Text(value)), ..) => test_text(value, test.operator, &test.text),
        (Some(other), ..) => test_text(&other.to_string(), test.operator, &test.text),
        (None, ..) if component == CubeComponent::Measure => false,
        (None, ..) => test_text("", test.operator, &test.text),
    }
}

fn test_text(value: &str, operator: TestOperator, text: &str) -> bool {
    match operator {
        TestOperator::Contains => value.contains(text),
        TestOperator::NotContains => !value.contains(text),
        TestOperator::StartsWith => value.starts_with(text),
        TestOperator::EndsWith => value.ends_with(text),
        compares => compares.accepts(value.cmp(text)),
    }
}

/// Restricts each series to its first and last observations, if requested.
pub(crate) fn first_and_last(
    cube: &DataCube,
    found: Vec<Observation>,
    parameters: &DataRequest,
) -> Vec<Observation> {
    if parameters.first_observations.is_none() && parameters.last_observations.is_none() {
        return found;
    }
    let (first, last) =
        (parameters.first_observations.unwrap_or(0), parameters.last_observations.unwrap_or(0));
    let series = found.chunk_by(|a, b| cube.same_series(*a, *b));
    let kept = series.flat_map(|series| {
        let length = series.len();
        series.iter().enumerate().filter(move |(at, _)| *at < first || at.saturating_add(last) >= length)
    });
    kept.map(|(_, observation)| *observation).collect()
}

/// Sorts observations as requested. The sort is stable, so ties stay ordered by key and time.
pub(crate) fn sort_observations(
    cube: &DataCube,
    rows: &mut [Observation],
    parameters: &DataRequest,
) -> Result<(), SdmxError> {
    let mut parts: Vec<(CubeComponent, bool)> = Vec::new();
    for (id, down) in &parameters.sort {
        let dimensions = (0..cube.dimensions.len()).map(|at| (CubeComponent::Dimension(at), *down));
        match (id.as_str(), cube.find_component(id)) {
            ("series_key", _) => parts.extend(dimensions),
            ("*", _) => {
                parts.extend(dimensions.chain(cube.has_time().then_some((CubeComponent::Time, *down))))
            }
            (_, Some(component)) => parts.push((component, *down)),
            _ => return Err(SdmxError::semantic(format!("`{id}` is not a component of this dataflow"))),
        }
    }
    if !parts.is_empty() {
        rows.sort_by(|a, b| {
            let orders = parts.iter().map(|(component, down)| match cube.compare_by(*component, *a, *b) {
                order if *down => order.reverse(),
                order => order,
            });
            orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
    }
    Ok(())
}
