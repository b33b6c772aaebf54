//! Choice of a library recipe for an indicator, and assignment of data sets to its inputs.
//!
//! The choice depends on structure and frequency, never on guesses: when several recipes or data sets
//! fit, the error lists them.

use std::collections::BTreeMap;

use recipes::LIBRARY;
use schemas::object::RecipeInput;
use schemas::period::Frequency;
use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::table::{Column, Table};
use schemas::text::Name;

/// A data set that may become an input: its name and its structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateDataset {
    /// Name of its dataflow.
    pub name: String,
    /// Its columns.
    pub components: ComponentList,
    /// The frequency of its periods, when all have the same.
    pub frequency: Option<Frequency>,
}

/// Failure to choose a recipe, or to assign data sets to its inputs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// No recipe of the library computes the indicator from the data sets.
    #[error("no recipe of the library computes `{indicator}` from {datasets}")]
    NoRecipe {
        /// The indicator.
        indicator: String,
        /// The data sets with their columns and frequencies.
        datasets: String,
    },
    /// Several recipes compute the indicator equally well.
    #[error("several recipes compute `{indicator}` from these data sets: {recipes}")]
    SeveralRecipes {
        /// The indicator.
        indicator: String,
        /// Names of the recipes.
        recipes: String,
    },
    /// No data set fits an input, or the one that fits is already another input.
    #[error("no given data set fits the input `{input}` ({title})")]
    MissingInput {
        /// Name of the input.
        input: Name,
        /// Title of the input.
        title: String,
    },
    /// Several data sets fit an input.
    #[error("input `{input}` ({title}) fits several data sets: {datasets}")]
    AmbiguousInput {
        /// Name of the input.
        input: Name,
        /// Title of the input.
        title: String,
        /// Names of the data sets.
        datasets: String,
    },
    /// A data set fits no input.
    #[error("the recipe does not use `{dataset}`")]
    UnusedDataset {
        /// Name of the data set.
        dataset: String,
    },
    /// A recipe of the library is broken, which a test of the library excludes.
    #[error(transparent)]
    Library(#[from] recipes::Error),
}

impl CandidateDataset {
    /// Describes a table for the choice.
    pub fn new(name: &str, table: &Table) -> Self {
        let frequency = common_frequency(table);
        Self { name: name.to_owned(), components: table.shape().clone(), frequency }
    }
}

/// Returns the frequency that all periods of the time identifier share.
fn common_frequency(table: &Table) -> Option<Frequency> {
    let is_time = |(component, _): &(&Component, &Column)| {
        component.role == Role::Identifier && component.value_type == ValueType::TimePeriod
    };
    let (_, column) = table.shape().components().iter().zip(table.columns()).find(is_time)?;
    let Column::Period(periods) = column else { return None };
    let mut frequencies = periods.iter().flatten().map(|period| period.frequency());
    let first = frequencies.next()?;
    frequencies.all(|other| other == first).then_some(first)
}

/// Returns whether a word names an indicator of the library, such as `inflation`.
pub fn is_indicator(word: &str) -> bool {
    LIBRARY.iter().any(|entry| has_indicator(entry, word))
}

/// Library recipes are named `<indicator>/<method>`.
fn has_indicator(entry: &recipes::LibraryRecipe, word: &str) -> bool {
    entry.name.split_once('/').is_some_and(|(indicator, _)| indicator == word)
}

/// Chooses the recipe that computes an indicator from these data sets, and assigns them to its inputs.
/// The numbers are positions in `candidates`.
///
/// Official methods take precedence over those that deviate from one, and among them the headline
/// method of the indicator.
///
/// # Errors
/// [`ChoiceError::NoRecipe`] and [`ChoiceError::SeveralRecipes`].
pub fn choose_recipe(
    indicator: &str,
    candidates: &[CandidateDataset],
) -> Result<(&'static str, BTreeMap<Name, usize>), ChoiceError> {
    let mut fitting = Vec::new();
    for entry in LIBRARY.iter().filter(|entry| has_indicator(entry, indicator)) {
        let file = entry.read()?;
        if let Ok(inputs) = match_inputs(&file.recipe.inputs, &file.frequencies, candidates) {
            // `true` sorts after `false`: the maximum is an official headline method.
            let precedence = (file.deviates_from.is_none(), file.headline);
            fitting.push((precedence, entry.name, inputs));
        }
    }
    let best = fitting.iter().map(|(precedence, _, _)| *precedence).max();
    fitting.retain(|(precedence, _, _)| Some(*precedence) == best);
    let recipes = fitting.iter().map(|(_, name, _)| *name).collect::<Vec<_>>().join(", ");
    match (fitting.pop(), fitting.is_empty()) {
        (Some((_, name, inputs)), true) => Ok((name, inputs)),
        (Some(_), false) => Err(ChoiceError::SeveralRecipes { indicator: indicator.to_owned(), recipes }),
        (None, _) => Err(ChoiceError::NoRecipe {
            indicator: indicator.to_owned(),
            datasets: candidates.iter().map(describe_candidate).collect::<Vec<_>>().join(", "),
        }),
    }
}

fn describe_candidate(candidate: &CandidateDataset) -> String {
    let ids: Vec<&str> =
        candidate.components.components().iter().map(|component| component.id.as_str()).collect();
    let frequency =
        candidate.frequency.map_or("several frequencies".to_owned(), |frequency| frequency.to_string());
    format!("{} ({}; {frequency})", candidate.name, ids.join(", "))
}

/// Assigns data sets to inputs: by name where one has the name of the input, otherwise by structure.
/// The numbers are positions in `candidates`. Without candidates, nothing is assigned.
///
/// # Errors
/// [`ChoiceError::MissingInput`], [`ChoiceError::AmbiguousInput`] and [`ChoiceError::UnusedDataset`].
pub fn match_inputs<'i>(
    inputs: impl IntoIterator<Item = (&'i Name, &'i RecipeInput)>,
    frequencies: &BTreeMap<Name, Frequency>,
    candidates: &[CandidateDataset],
) -> Result<BTreeMap<Name, usize>, ChoiceError> {
    let mut assigned: BTreeMap<Name, usize> = BTreeMap::new();
    if candidates.is_empty() {
        return Ok(assigned);
    }
    for (name, input) in inputs {
        let position = match_input(name, input, frequencies.get(name), candidates)?;
        // Two inputs of one structure need two data sets, told apart by their names.
        if assigned.values().any(|used| *used == position) {
            return Err(missing_input(name, input));
        }
        assigned.insert(name.clone(), position);
    }
    let unused = candidates.iter().enumerate().find(|(at, _)| !assigned.values().any(|used| used == at));
    match unused {
        None => Ok(assigned),
        Some((_, candidate)) => Err(ChoiceError::UnusedDataset { dataset: candidate.name.clone() }),
    }
}

/// Returns the position of the one candidate for an input.
fn match_input(
    name: &Name,
    input: &RecipeInput,
    frequency: Option<&Frequency>,
    candidates: &[CandidateDataset],
) -> Result<usize, ChoiceError> {
    let fits = |candidate: &CandidateDataset| {
        has_components(&candidate.components, &input.components)
            // A recipe or a table without one frequency fits any.
            && frequency.is_none_or(|frequency| candidate.frequency.is_none_or(|found| found == *frequency))
    };
    let fitting: Vec<(usize, &CandidateDataset)> =
        candidates.iter().enumerate().filter(|(_, candidate)| fits(candidate)).collect();
    let named: Vec<(usize, &CandidateDataset)> =
        fitting.iter().copied().filter(|(_, candidate)| candidate.name == name.as_str()).collect();
    // The name of an input decides only among data sets of the right structure.
    let chosen = if named.is_empty() { fitting } else { named };
    match chosen.as_slice() {
        [(position, _)] => Ok(*position),
        [] => Err(missing_input(name, input)),
        several => Err(ChoiceError::AmbiguousInput {
            input: name.clone(),
            title: input.title.to_string(),
            datasets: several.iter().map(|(_, one)| one.name.as_str()).collect::<Vec<_>>().join(", "),
        }),
    }
}

fn missing_input(name: &Name, input: &RecipeInput) -> ChoiceError {
    ChoiceError::MissingInput { input: name.clone(), title: input.title.to_string() }
}

/// Returns whether a table has the expected components: the same number of identifiers, and at least
/// the expected other components. A whole number serves as a number.
fn has_components(found: &ComponentList, expected: &ComponentList) -> bool {
    let has = |component: &Component| {
        found.components().iter().any(|other| {
            other.id == component.id
                && other.role == component.role
                && (other.value_type == component.value_type
                    || (component.value_type, other.value_type) == (ValueType::Number, ValueType::Integer))
        })
    };
    expected.identifier_count() == found.identifier_count() && expected.components().iter().all(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &str, keys: &[&str], frequency: Option<Frequency>) -> CandidateDataset {
        let component = |id: &str, role, kind| Component::new(Name::new(id).unwrap(), role, kind);
        let mut components: Vec<Component> =
            keys.iter().map(|key| component(key, Role::Identifier, ValueType::String)).collect();
        components.push(component("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod));
        components.push(component("OBS_VALUE", Role::Measure, ValueType::Number));
        CandidateDataset {
            name: name.to_owned(),
            components: ComponentList::new(components).unwrap(),
            frequency,
        }
    }

    #[test]
    fn the_frequency_decides_the_method() {
        let prices = |frequency| [candidate("prices", &["REF_AREA"], Some(frequency))];
        let check = |indicator: &str, candidates: &[CandidateDataset], expected: Option<&str>| {
            let found = choose_recipe(indicator, candidates).map(|(name, _)| name);
            assert_eq!(found.as_ref().ok().copied(), expected, "{found:?}");
        };
        check("inflation", &prices(Frequency::M), Some("inflation/cpi-12-month"));
        check("inflation", &prices(Frequency::A), Some("inflation/cpi-annual"));
        check("gdp", &prices(Frequency::A), Some("gdp/growth-annual"));
        check("gdp", &prices(Frequency::Q), Some("gdp/growth-year-on-year"));
        check("inflation", &[candidate("prices", &["SEX", "AGE"], None)], None);
        check("gdp", &prices(Frequency::M), None);
        assert!(is_indicator("gdp") && !is_indicator("gdp/growth-annual"));
    }

    #[test]
    fn inputs_of_one_structure_are_matched_by_name() {
        let names = ["IMPORTS", "EXPORTS", "GOVERNMENT", "INVESTMENT", "CONSUMPTION"];
        let candidates = names.map(|name| candidate(name, &["REF_AREA"], Some(Frequency::Q)));
        let (name, inputs) = choose_recipe("gdp", &candidates).unwrap();
        assert_eq!(name, "gdp/expenditure");
        let inputs: Vec<(&str, usize)> = inputs.iter().map(|(name, at)| (name.as_str(), *at)).collect();
        let expected =
            [("CONSUMPTION", 4), ("EXPORTS", 1), ("GOVERNMENT", 2), ("IMPORTS", 0), ("INVESTMENT", 3)];
        assert_eq!(inputs, expected);
        let file = recipes::find_recipe("gdp/expenditure").unwrap().read().unwrap();
        let unnamed = ["a", "b", "c", "d", "e"].map(|name| candidate(name, &["REF_AREA"], None));
        let error = match_inputs(&file.recipe.inputs, &file.frequencies, &unnamed).unwrap_err();
        assert!(error.to_string().ends_with("fits several data sets: a, b, c, d, e"), "{error}");
    }

    #[test]
    fn unused_and_missing_data_sets_are_errors() {
        let file = recipes::find_recipe("gdp/per-person").unwrap().read().unwrap();
        let candidates = |names: &[&str]| -> Vec<CandidateDataset> {
            names.iter().map(|name| candidate(name, &["REF_AREA"], Some(Frequency::A))).collect()
        };
        let check = |names: &[&str]| match_inputs(&file.recipe.inputs, &file.frequencies, &candidates(names));
        assert!(check(&["GDP", "POPULATION"]).is_ok());
        assert!(matches!(check(&["GDP"]), Err(ChoiceError::MissingInput { .. })));
        assert!(matches!(check(&["GDP", "POPULATION", "x"]), Err(ChoiceError::UnusedDataset { .. })));
    }
}
