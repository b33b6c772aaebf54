//! SDMX view of a table: dimensions with time last, one value per observation, and attributes.
//!
//! Adds the dimension FREQ if the periods have a frequency and the table has no such column, and MEASURE
//! if the table has several measures. Rejects tables whose components have names reserved by the
//! formats.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use schemas::object::Structure;
use schemas::period::Period;
use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::table::{Cell, Column, Table};
use schemas::text::Name;
use service::OutputStandings;

use crate::sdmx::error::SdmxError;
use crate::sdmx::ids;

/// Id of the time dimension.
pub(crate) const TIME_PERIOD: &str = "TIME_PERIOD";
/// Id of the observation value.
pub(crate) const OBS_VALUE: &str = "OBS_VALUE";
/// Id of the attribute that says how an observation stands.
pub(crate) const ASSAY_STANDING: &str = "ASSAY_STANDING";
const FREQ: &str = "FREQ";
const MEASURE: &str = "MEASURE";
/// Ids of the attributes that this node adds, and of the leading columns of SDMX-CSV.
const RESERVED_IDS: [&str; 11] = [
    OBS_VALUE,
    ASSAY_STANDING,
    "ACTION",
    "DATAFLOW",
    "STRUCTURE",
    "STRUCTURE_ID",
    "DATASET_CID",
    "RECIPE_CID",
    "RELEASE_CID",
    "VALID_FROM",
    "VALID_TO",
];
/// Codes per code list. A dimension with more codes has no code list.
const CODES_MAX: usize = 20_000;

/// Origin of the values of a dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DimensionSource {
    Column(usize),
    Frequency(usize),
    Measure,
}

/// A dimension other than time.
#[derive(Debug, Clone)]
pub(crate) struct CubeDimension {
    pub(crate) id: String,
    source: DimensionSource,
    /// Codes that occur, with their names. `None` if the values are not valid codes.
    pub(crate) codes: Option<BTreeMap<String, String>>,
}

/// Id and column index of a measure or attribute.
type ComponentColumn = (String, usize);

/// Assignment of table columns to dimensions, time, measures and attributes.
#[derive(Debug, Clone)]
pub(crate) struct CubeLayout {
    dimensions: Vec<(String, DimensionSource)>,
    time: Option<usize>,
    pub(crate) measures: Vec<ComponentColumn>,
    pub(crate) attributes: Vec<ComponentColumn>,
}

impl CubeLayout {
    pub(crate) fn new(shape: &ComponentList) -> Result<Self, SdmxError> {
        let components = shape.components();
        let time = components
            .iter()
            .position(|part| part.id.as_str() == TIME_PERIOD && part.role == Role::Identifier);
        let of = |wanted: fn(Role) -> bool| {
            let parts = components.iter().enumerate().filter(move |(_, part)| wanted(part.role));
            parts.map(|(at, part)| (ids::artefact_id(part.id.as_str()), at)).collect::<Vec<ComponentColumn>>()
        };
        let measures = of(|role| role == Role::Measure);
        let attributes = of(|role| matches!(role, Role::Attribute | Role::ViralAttribute));
        let identifiers = of(|role| role == Role::Identifier).into_iter();
        let mut dimensions: Vec<(String, DimensionSource)> =
            identifiers.map(|(id, at)| (id, DimensionSource::Column(at))).collect();
        dimensions.retain(|(_, source)| time.is_none_or(|time| *source != DimensionSource::Column(time)));
        let has_frequency =
            |part: &Component| matches!(part.value_type, ValueType::TimePeriod | ValueType::Date);
        if let Some(at) = time.filter(|at| components.get(*at).is_some_and(has_frequency))
            && components.iter().all(|part| part.id.as_str() != FREQ)
        {
            // By convention FREQ is the first dimension.
            dimensions.insert(0, (FREQ.into(), DimensionSource::Frequency(at)));
        }
        // SDMX 2.1 has one observation value, so several measures become a dimension.
        if measures.len() > 1 {
            dimensions.push((MEASURE.into(), DimensionSource::Measure));
        }
        check_unique(dimensions.iter().map(|(id, _)| id).chain(attributes.iter().map(|(id, _)| id)))?;
        Ok(Self { dimensions, time, measures, attributes })
    }

    /// Returns the ids of all dimensions, time last.
    pub(crate) fn dimensions(&self) -> Vec<&str> {
        let ids = self.dimensions.iter().map(|(id, _)| id.as_str());
        ids.chain(self.time.map(|_| TIME_PERIOD)).collect()
    }

    /// Returns the ids of all observation attributes: those of the table, and the standing.
    pub(crate) fn attribute_ids(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|(id, _)| id.as_str()).chain([ASSAY_STANDING])
    }
}

/// Reference to an observation: a row and the index of one of its measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Observation {
    row: u32,
    measure: u32,
}

/// A table with its SDMX layout.
#[derive(Debug)]
pub(crate) struct DataCube {
    table: Table,
    pub(crate) dimensions: Vec<CubeDimension>,
    pub(crate) layout: CubeLayout,
    /// Standings of the figures, one for each measure.
    standings: Vec<OutputStandings>,
}

impl DataCube {
    /// `standings_of` gives the standings of the figures of a measure.
    pub(crate) fn new(
        structure: &Structure,
        table: Table,
        standings_of: impl Fn(&Name) -> Result<OutputStandings, SdmxError>,
    ) -> Result<Self, SdmxError> {
        let layout = CubeLayout::new(table.shape())?;
        let components = table.shape().components();
        let measures = layout.measures.iter().filter_map(|(_, at)| components.get(*at));
        let standings = measures.map(|part| standings_of(&part.id)).collect::<Result<_, _>>()?;
        let mut cube = Self { table, dimensions: Vec::new(), layout, standings };
        let parts = cube.layout.dimensions.iter();
        cube.dimensions = parts
            .map(|(id, source)| CubeDimension {
                codes: cube.dimension_codes(structure, *source),
                id: id.clone(),
                source: *source,
            })
            .collect();
        Ok(cube)
    }

    /// Whether there is a time dimension.
    pub(crate) fn has_time(&self) -> bool {
        self.layout.time.is_some()
    }

    /// Returns all observations in table order. A row without measures is one empty observation.
    pub(crate) fn observations(&self) -> impl Iterator<Item = Observation> {
        let figures = self.layout.measures.len().max(1) as u32;
        (0..self.table.rows() as u32)
            .flat_map(move |row| (0..figures).map(move |figure| Observation { row, measure: figure }))
    }

    /// Returns the value of a dimension.
    pub(crate) fn key_value(&self, dimension: &CubeDimension, observation: Observation) -> Cow<'_, str> {
        match dimension.source {
            DimensionSource::Column(at) => self.cell_text(at, observation).unwrap_or_default(),
            DimensionSource::Frequency(at) => self.frequency_code(at, observation).into(),
            DimensionSource::Measure => self.measure_id(observation).into(),
        }
    }

    fn frequency_code(&self, at: usize, observation: Observation) -> &'static str {
        self.period_in(at, observation).map_or("", |period| period.frequency().code())
    }

    fn measure_id(&self, observation: Observation) -> &str {
        self.layout.measures.get(observation.measure as usize).map_or("", |(id, _)| id)
    }

    /// Returns the time as text; empty if the cube has no time dimension or the cell is null.
    pub(crate) fn time_text(&self, observation: Observation) -> Cow<'_, str> {
        self.layout.time.and_then(|at| self.cell_text(at, observation)).unwrap_or_default()
    }

    /// Returns the time if it is a period.
    pub(crate) fn time_period(&self, observation: Observation) -> Option<Period> {
        self.period_in(self.layout.time?, observation)
    }

    fn period_in(&self, at: usize, observation: Observation) -> Option<Period> {
        match self.table.columns().get(at)? {
            Column::Period(rows) => rows.get(observation.row as usize).copied().flatten(),
            _ => None,
        }
    }

    /// Returns the column index of the observation's measure.
    fn measure_column(&self, observation: Observation) -> Option<usize> {
        self.layout.measures.get(observation.measure as usize).map(|(_, at)| *at)
    }

    /// Returns the observation value; `None` if null.
    pub(crate) fn observation_value(&self, observation: Observation) -> Option<Cow<'_, str>> {
        self.cell_text(self.measure_column(observation)?, observation)
    }

    /// Returns an attribute value; `None` if null.
    pub(crate) fn attribute_value(&self, id: &str, observation: Observation) -> Option<Cow<'_, str>> {
        if id == ASSAY_STANDING {
            return self.standing_word(observation).map(Cow::Borrowed);
        }
        let (_, at) = self.layout.attributes.iter().find(|(values, _)| values == id)?;
        self.cell_text(*at, observation)
    }

    /// Returns how an observation stands: `holds`, `does_not_hold`, `contested` or `unchecked`.
    fn standing_word(&self, observation: Observation) -> Option<&'static str> {
        let standings = self.standings.get(observation.measure as usize)?;
        Some(standings.word(&self.table.key(observation.row as usize)).as_str())
    }

    fn cell_text(&self, at: usize, observation: Observation) -> Option<Cow<'_, str>> {
        match self.table.columns().get(at)? {
            Column::Text(texts) => texts.get(observation.row as usize).map(Cow::Borrowed),
            other => other.cell(observation.row as usize).map(|cell| cell.to_string().into()),
        }
    }

    /// Whether two observations belong to the same series.
    pub(crate) fn same_series(&self, a: Observation, b: Observation) -> bool {
        self.compare_series(a, self, b) == Ordering::Equal
    }

    /// Compares observations of two cubes with the same dimensions: by key, then by time.
    pub(crate) fn compare_observations(&self, a: Observation, other: &DataCube, b: Observation) -> Ordering {
        self.compare_series(a, other, b).then_with(|| match (self.layout.time, other.layout.time) {
            (Some(at), Some(other_column)) => self.compare_columns((at, a), other, (other_column, b)),
            _ => Ordering::Equal,
        })
    }

    fn compare_series(&self, a: Observation, other: &DataCube, b: Observation) -> Ordering {
        let pairs = self.layout.dimensions.iter().zip(&other.layout.dimensions);
        let orders = pairs.map(|((_, one), (_, two))| match (*one, *two) {
            (DimensionSource::Column(at), DimensionSource::Column(other_column)) => {
                self.compare_columns((at, a), other, (other_column, b))
            }
            (DimensionSource::Frequency(at), DimensionSource::Frequency(other_column)) => {
                self.frequency_code(at, a).cmp(other.frequency_code(other_column, b))
            }
            _ => self.measure_id(a).cmp(other.measure_id(b)),
        });
        orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    fn compare_columns(
        &self,
        (at, a): (usize, Observation),
        other: &DataCube,
        (other_column, b): (usize, Observation),
    ) -> Ordering {
        let columns = self.table.columns().get(at).zip(other.table.columns().get(other_column));
        columns.map_or(Ordering::Equal, |(one, two)| compare_cells(one, a.row as usize, two, b.row as usize))
    }

    /// Returns the component with this id.
    pub(crate) fn find_component(&self, id: &str) -> Option<CubeComponent> {
        if id == TIME_PERIOD && self.has_time() {
            return Some(CubeComponent::Time);
        }
        if id == OBS_VALUE {
            return Some(CubeComponent::Measure);
        }
        if id == ASSAY_STANDING {
            return Some(CubeComponent::Standing);
        }
        let dimension =
            self.layout.dimensions.iter().position(|(values, _)| values == id).map(CubeComponent::Dimension);
        let attribute = || self.layout.attributes.iter().find(|(values, _)| values == id);
        dimension.or_else(|| attribute().map(|(_, at)| CubeComponent::Attribute(*at)))
    }

    /// Returns the cell of a component; `None` if null.
    pub(crate) fn component_cell(&self, component: CubeComponent, observation: Observation) -> Option<Cell> {
        let at = match component {
            CubeComponent::Time => self.layout.time?,
            CubeComponent::Measure => self.measure_column(observation)?,
            CubeComponent::Attribute(at) => at,
            CubeComponent::Standing => {
                return self.standing_word(observation).map(|word| Cell::Text(word.into()));
            }
            CubeComponent::Dimension(at) => match self.layout.dimensions.get(at)?.1 {
                DimensionSource::Column(at) => at,
                _ => {
                    return Some(Cell::Text(
                        self.key_value(self.dimensions.get(at)?, observation).into_owned(),
                    ));
                }
            },
        };
        self.table.columns().get(at)?.cell(observation.row as usize)
    }

    /// Whether a component is numeric.
    pub(crate) fn is_numeric(&self, component: CubeComponent) -> bool {
        let numeric = |at: &usize| {
            matches!(self.table.columns().get(*at), Some(Column::Number(_) | Column::Integer(_)))
        };
        match component {
            CubeComponent::Time | CubeComponent::Standing => false,
            CubeComponent::Measure => self.layout.measures.iter().all(|(_, at)| numeric(at)),
            CubeComponent::Attribute(at) => numeric(&at),
            CubeComponent::Dimension(at) => match self.layout.dimensions.get(at) {
                Some((_, DimensionSource::Column(at))) => numeric(at),
                _ => false,
            },
        }
    }

    /// Compares two observations by one component; null sorts first.
    pub(crate) fn compare_by(&self, component: CubeComponent, a: Observation, b: Observation) -> Ordering {
        match component {
            CubeComponent::Time => self.layout.time.map(|at| self.compare_columns((at, a), self, (at, b))),
            CubeComponent::Attribute(at) => Some(self.compare_columns((at, a), self, (at, b))),
            CubeComponent::Standing => Some(self.standing_word(a).cmp(&self.standing_word(b))),
            CubeComponent::Measure => {
                let columns = self.measure_column(a).zip(self.measure_column(b));
                columns.map(|(one, two)| self.compare_columns((one, a), self, (two, b)))
            }
            CubeComponent::Dimension(at) => match self.layout.dimensions.get(at) {
                Some((_, DimensionSource::Column(at))) => {
                    Some(self.compare_columns((*at, a), self, (*at, b)))
                }
                Some(_) => {
                    self.dimensions.get(at).map(|part| self.key_value(part, a).cmp(&self.key_value(part, b)))
                }
                None => None,
            },
        }
        .unwrap_or(Ordering::Equal)
    }
}

/// A component of a cube.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CubeComponent {
    Time,
    Measure,
    Dimension(usize),
    Attribute(usize),
    Standing,
}

/// Compares cells of two columns. Null sorts first; columns of different types compare equal.
fn compare_cells(one: &Column, a: usize, two: &Column, b: usize) -> Ordering {
    match (one, two) {
        (Column::Text(one), Column::Text(two)) => one.get(a).cmp(&two.get(b)),
        (Column::Integer(one), Column::Integer(two)) => one.get(a).cmp(&two.get(b)),
        (Column::Boolean(one), Column::Boolean(two)) => one.get(a).cmp(&two.get(b)),
        (Column::Period(one), Column::Period(two)) => one.get(a).cmp(&two.get(b)),
        (Column::Number(one), Column::Number(two)) => {
            match (one.get(a).copied().flatten(), two.get(b).copied().flatten()) {
                (Some(x), Some(y)) => x.compare(y),
                (x, y) => x.is_some().cmp(&y.is_some()),
            }
        }
        _ => Ordering::Equal,
    }
}

/// Code lists.
impl DataCube {
    fn dimension_codes(
        &self,
        structure: &Structure,
        source: DimensionSource,
    ) -> Option<BTreeMap<String, String>> {
        let values: Vec<String> = match source {
            DimensionSource::Measure => self.layout.measures.iter().map(|(id, _)| id.clone()).collect(),
            DimensionSource::Frequency(at) => match self.table.columns().get(at)? {
                Column::Period(rows) => {
                    let values: BTreeSet<_> =
                        rows.iter().flatten().map(|period| period.frequency().code()).collect();
                    values.into_iter().map(str::to_owned).collect()
                }
                _ => return None,
            },
            DimensionSource::Column(at) => match self.table.columns().get(at)? {
                Column::Text(texts) => texts.dictionary().to_vec(),
                _ => return None,
            },
        };
        // Clients reject a whole list for one invalid code id.
        if values.len() > CODES_MAX || !values.iter().all(|code| is_code(code)) {
            return None;
        }
        let names = self.code_names(structure, source);
        let component = |code: String| (code.clone(), names.get(&code).cloned().unwrap_or(code));
        Some(values.into_iter().map(component).collect())
    }

    fn code_names(&self, structure: &Structure, source: DimensionSource) -> BTreeMap<String, String> {
        if let DimensionSource::Frequency(_) = source {
            return FREQUENCY_NAMES.iter().map(|(code, name)| ((*code).into(), (*name).into())).collect();
        }
        let DimensionSource::Column(at) = source else { return BTreeMap::new() };
        let part = self.table.shape().components().get(at);
        let codes = part.and_then(|part| structure.codes.get(&part.id));
        codes.into_iter().flatten().map(|code| (code.id.to_string(), code.name.to_string())).collect()
    }
}

/// Supported codes of CL_FREQ with their names.
const FREQUENCY_NAMES: [(&str, &str); 6] = [
    ("A", "Annual"),
    ("S", "Half-yearly, semester"),
    ("Q", "Quarterly"),
    ("M", "Monthly"),
    ("W", "Weekly"),
    ("D", "Daily"),
];

/// Whether a value is a valid SDMX code id.
fn is_code(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_@$-".contains(&b))
}

fn check_unique<'a>(names: impl Iterator<Item = &'a String>) -> Result<(), SdmxError> {
    let mut seen: Vec<&str> = RESERVED_IDS.to_vec();
    seen.push(TIME_PERIOD);
    for name in names {
        if seen.contains(&name.as_str()) {
            return Err(SdmxError::not_implemented(format!(
                "a dataflow with a component component `{name}`, which is reserved,"
            )));
        }
        seen.push(name);
    }
    Ok(())
}
