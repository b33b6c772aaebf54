//! Which recipe of the library computes a measure from the data at hand, and which data set is
//! which of its inputs.
//!
//! Decided by structure and frequency, never by guessing: what fits in two ways is told, with the
//! words to say which is meant.

use std::collections::BTreeMap;

use recipes::LIBRARY;
use schemas::object::RecipeInput;
use schemas::period::Frequency;
use schemas::structure::{ComponentList, Role, ValueType};
use schemas::table::{Column, Table};
use schemas::text::Name;

use crate::fault::Fault;

/// A data set that is offered: what it is called, and what it looks like.
pub struct Offer {
    /// The dataflow.
    pub name: String,
    /// Its columns.
    pub shape: ComponentList,
    /// The frequency of its periods, when all have one.
    pub frequency: Option<Frequency>,
}

impl Offer {
    /// What there is to know of a table.
    pub fn new(name: &str, table: &Table) -> Self {
        Self { name: name.to_owned(), shape: table.shape().clone(), frequency: frequency(table) }
    }
}

/// The one frequency of all periods of the identifier that is a time.
fn frequency(table: &Table) -> Option<Frequency> {
    let timely = |(component, _): &(&schemas::structure::Component, &Column)| {
        component.role == Role::Identifier && component.value_type == ValueType::TimePeriod
    };
    let (_, column) = table.shape().components().iter().zip(table.columns()).find(timely)?;
    let Column::Period(periods) = column else { return None };
    let mut all = periods.iter().flatten().map(|period| period.frequency());
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// Whether a word is that of a measure of the library.
pub fn is_measure(word: &str) -> bool {
    LIBRARY.iter().any(|entry| entry.name.split_once('/').is_some_and(|(measure, _)| measure == word))
}

/// The recipe for a measure on these data sets, and which of them is which input.
///
/// Official methods win over those that deviate from them, and among them the headline of the measure.
///
/// # Errors
/// When none fits, and when several do.
pub fn recipe(measure: &str, offers: &[Offer]) -> Result<(&'static str, BTreeMap<Name, usize>), Fault> {
    let mut fits = Vec::new();
    for entry in
        LIBRARY.iter().filter(|entry| entry.name.split_once('/').is_some_and(|(of, _)| of == measure))
    {
        let read = entry.read()?;
        if let Ok(mapped) = inputs(&read.recipe.inputs, &read.frequencies, offers) {
            fits.push((entry.name, (read.deviates_from.is_none(), read.headline), mapped));
        }
    }
    let best = fits.iter().map(|(_, standing, _)| *standing).max();
    fits.retain(|(_, standing, _)| Some(*standing) == best);
    let names: Vec<&str> = fits.iter().map(|(name, _, _)| *name).collect();
    match (fits.len(), names.join(", ")) {
        (1, _) => fits.pop().map(|(name, _, mapped)| (name, mapped)).ok_or_else(|| none(measure, offers)),
        (0, _) => Err(none(measure, offers)),
        (_, names) => {
            Err(Fault::usage("ambiguous", format!("several recipes compute `{measure}` from this: {names}"))
                .hint("name the one that you mean in its place"))
        }
    }
}

fn none(measure: &str, offers: &[Offer]) -> Fault {
    let shown: Vec<String> = offers
        .iter()
        .map(|offer| {
            let ids: Vec<&str> =
                offer.shape.components().iter().map(|component| component.id.as_str()).collect();
            let frequency =
                offer.frequency.map_or("several frequencies".to_owned(), |frequency| frequency.to_string());
            format!("{} ({}; {frequency})", offer.name, ids.join(", "))
        })
        .collect();
    Fault::usage("inputs", format!("no recipe of the library computes `{measure}` from {}", shown.join(", ")))
        .hint(
            "`assay recipe list` shows what each needs; name one, and its inputs with `--input NAME=DATASET`",
        )
}

/// Which offer is which input: by name where one has the input's name, else by structure.
///
/// # Errors
/// When an input has no offer, or more than one, or an offer is of no use.
pub fn inputs<'i>(
    wanted: impl IntoIterator<Item = (&'i Name, &'i RecipeInput)>,
    frequencies: &BTreeMap<Name, Frequency>,
    offers: &[Offer],
) -> Result<BTreeMap<Name, usize>, Fault> {
    let mut mapped = BTreeMap::new();
    if offers.is_empty() {
        return Ok(mapped);
    }
    for (name, input) in wanted {
        let wanted = frequencies.get(name);
        let fitting = |offer: &Offer| {
            fits(&input.components, &offer.shape)
                && wanted.is_none_or(|wanted| offer.frequency.is_none_or(|found| found == *wanted))
        };
        let all: Vec<usize> =
            offers.iter().enumerate().filter(|(_, offer)| fitting(offer)).map(|(at, _)| at).collect();
        let named: Vec<usize> = all
            .iter()
            .copied()
            .filter(|at| offers.get(*at).is_some_and(|offer| offer.name == name.as_str()))
            .collect();
        let chosen = if named.is_empty() { &all } else { &named };
        match chosen.as_slice() {
            [one] if mapped.values().any(|used| used == one) => return Err(missing(name, input)),
            [one] => drop(mapped.insert(name.clone(), *one)),
            [] => return Err(missing(name, input)),
            many => {
                let names: Vec<&str> =
                    many.iter().filter_map(|at| offers.get(*at)).map(|offer| offer.name.as_str()).collect();
                let message = format!("input `{name}` ({}) may be each of {}", input.title, names.join(", "));
                return Err(Fault::usage("ambiguous", message)
                    .hint(format!("say which: `--input {name}=<data set>`")));
            }
        }
    }
    match (0..offers.len()).find(|at| !mapped.values().any(|used| used == at)).and_then(|at| offers.get(at)) {
        None => Ok(mapped),
        Some(idle) => {
            let message = format!("the recipe has no use for `{}`", idle.name);
            Err(Fault::usage("inputs", message).hint("leave it out, or say which input it is with `--input`"))
        }
    }
}

fn missing(name: &Name, input: &RecipeInput) -> Fault {
    Fault::usage("inputs", format!("nothing given fits the input `{name}` ({})", input.title))
        .hint(format!("add `--input {name}=<data set>`, or `--from` a data set with its columns"))
}

/// Whether a table has the components: the same identifiers, and at least the others.
fn fits(wanted: &ComponentList, found: &ComponentList) -> bool {
    let has = |component: &schemas::structure::Component| {
        found.components().iter().any(|other| {
            other.id == component.id
                && other.role == component.role
                && (other.value_type == component.value_type
                    || (component.value_type, other.value_type) == (ValueType::Number, ValueType::Integer))
        })
    };
    wanted.identifier_count() == found.identifier_count() && wanted.components().iter().all(has)
}

#[cfg(test)]
mod tests {
    use schemas::structure::Component;

    use super::*;

    fn offer(name: &str, keys: &[&str], frequency: Option<Frequency>) -> Offer {
        let component = |id: &str, role, kind| Component::new(Name::new(id).unwrap(), role, kind);
        let mut components: Vec<Component> =
            keys.iter().map(|key| component(key, Role::Identifier, ValueType::String)).collect();
        components.push(component("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod));
        components.push(component("OBS_VALUE", Role::Measure, ValueType::Number));
        Offer { name: name.to_owned(), shape: ComponentList::new(components).unwrap(), frequency }
    }

    fn check(measure: &str, offers: &[Offer], expected: Result<&str, &str>) {
        let found = recipe(measure, offers).map(|(name, _)| name).map_err(|fault| fault.code);
        assert_eq!(found.as_ref().map_err(String::as_str), expected.as_ref().map_err(|code| *code));
    }

    #[test]
    fn the_frequency_tells_the_method() {
        let prices = |frequency| [offer("prices", &["REF_AREA"], Some(frequency))];
        check("inflation", &prices(Frequency::M), Ok("inflation/cpi-12-month"));
        check("inflation", &prices(Frequency::A), Ok("inflation/cpi-annual"));
        check("gdp", &prices(Frequency::A), Ok("gdp/growth-annual"));
        check("gdp", &prices(Frequency::Q), Ok("gdp/growth-year-on-year"));
        check("inflation", &[offer("prices", &["SEX", "AGE"], None)], Err("inputs"));
        check("gdp", &prices(Frequency::M), Err("inputs"));
        assert!(is_measure("gdp") && !is_measure("gdp/growth-annual"));
    }

    #[test]
    fn inputs_of_one_structure_are_told_by_name() {
        let names = ["IMPORTS", "EXPORTS", "GOVERNMENT", "INVESTMENT", "CONSUMPTION"];
        let offers = names.map(|name| offer(name, &["REF_AREA"], Some(Frequency::Q)));
        let (name, mapped) = recipe("gdp", &offers).unwrap();
        assert_eq!(name, "gdp/expenditure");
        let shown: Vec<(&str, usize)> = mapped.iter().map(|(name, at)| (name.as_str(), *at)).collect();
        assert_eq!(
            shown,
            [("CONSUMPTION", 4), ("EXPORTS", 1), ("GOVERNMENT", 2), ("IMPORTS", 0), ("INVESTMENT", 3)]
        );
        let read = recipes::find_recipe("gdp/expenditure").unwrap().read().unwrap();
        let others = ["a", "b", "c", "d", "e"].map(|name| offer(name, &["REF_AREA"], None));
        let fault = inputs(&read.recipe.inputs, &read.frequencies, &others).unwrap_err();
        assert!(fault.message.contains("may be each of a, b, c"), "{}", fault.message);
    }
}
