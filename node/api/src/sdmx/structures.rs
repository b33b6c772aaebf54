//! Which structures a request gets, with what they refer to and what refers to them.
//!
//! `references=none`, the default, gives the artefacts alone: rsdmx makes a table of dataflows from it.

use std::collections::{BTreeMap, BTreeSet};

use service::Keep;

use crate::sdmx::catalogue::{Catalogue, Flow};
use crate::sdmx::cube::{Cube, Dimension, Place};
use crate::sdmx::fault::Fault;
use crate::sdmx::ids;
use crate::sdmx::wanted::Wanted;

/// Dataflows whose structure one answer tells: each is read from the store.
const STRUCTURES_MAX: usize = 64;
/// The agency of the standard's own lists.
const SDMX: &str = "SDMX";

/// A kind of artefact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Agencies,
    Flows,
    Definitions,
    Lists,
    Concepts,
}

impl Kind {
    pub(crate) fn parse(word: &str) -> Result<Self, Fault> {
        Ok(match word {
            "agencyscheme" => Self::Agencies,
            "dataflow" => Self::Flows,
            "datastructure" => Self::Definitions,
            "codelist" => Self::Lists,
            "conceptscheme" => Self::Concepts,
            other => return Err(Fault::unbuilt(format!("`{other}`"))),
        })
    }

    /// Whether a request for this kind gets the other kind as well.
    fn shows(self, other: Kind, references: &str) -> bool {
        let down = matches!(references, "all" | "descendants");
        let up = matches!(references, "all" | "ancestors");
        let near = |set: &[&str]| set.contains(&references);
        let flow = matches!(other, Self::Flows);
        match (self, other) {
            (this, that) if this == that => true,
            (Self::Agencies, _) | (_, Self::Agencies) => false,
            (Self::Flows, Self::Definitions) => down || near(&["children", "datastructure"]),
            (Self::Flows, Self::Lists) => down || references == "codelist",
            (Self::Flows, Self::Concepts) => down || references == "conceptscheme",
            (Self::Definitions, Self::Lists) => down || near(&["children", "codelist"]),
            (Self::Definitions, Self::Concepts) => down || near(&["children", "conceptscheme"]),
            (Self::Definitions, Self::Flows) => up || near(&["parents", "parentsandsiblings", "dataflow"]),
            (Self::Lists | Self::Concepts, Self::Definitions) => up || near(&["parents", "datastructure"]),
            (Self::Lists | Self::Concepts, _) => up && flow || references == "all",
            _ => false,
        }
    }
}

/// A code list.
#[derive(Debug, Clone)]
pub(crate) struct List {
    pub(crate) agency: String,
    pub(crate) id: String,
    pub(crate) version: &'static str,
    pub(crate) codes: BTreeMap<String, String>,
}

/// The structure of a dataflow.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    pub(crate) flow: Flow,
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) timed: bool,
    /// The attributes of observations.
    pub(crate) attributes: Vec<String>,
    /// What the figure is called by its recipe.
    pub(crate) figure: String,
}

impl Definition {
    fn new(flow: Flow, cube: &Cube) -> Self {
        let figures: Vec<&str> = cube.layout.measures.iter().map(|(id, _)| id.as_str()).collect();
        Self {
            flow,
            dimensions: cube.dimensions.clone(),
            timed: cube.timed(),
            attributes: cube.layout.attributes.iter().map(|(id, _)| id.clone()).collect(),
            figure: figures.join(", "),
        }
    }

    /// The list of a dimension, if it has one.
    pub(crate) fn list(&self, dimension: &Dimension) -> Option<List> {
        let codes = dimension.codes.clone()?;
        let (agency, id, version) = match dimension.id.as_str() {
            "FREQ" if codes.keys().all(|code| "ASQMWD".contains(code.as_str())) => {
                (SDMX.to_owned(), "CL_FREQ".to_owned(), "2.1")
            }
            id => (self.flow.agency.clone(), format!("CL_{}-_{id}", self.flow.id), ids::VERSION),
        };
        Some(List { agency, id, version, codes })
    }

    /// Its concepts: ids and names.
    pub(crate) fn concepts(&self) -> Vec<(String, String)> {
        let same = |id: &str| (id.to_owned(), id.to_owned());
        let time = self.timed.then(|| same("TIME_PERIOD"));
        let figure = ("OBS_VALUE".to_owned(), format!("Observation value ({})", self.figure));
        let dimensions = self.dimensions.iter().map(|dimension| same(&dimension.id));
        let origin = self.flow.origin().map(|(id, _)| same(id));
        let attributes = self.attributes.iter().map(|id| same(id));
        dimensions.chain(time).chain([figure]).chain(attributes).chain(origin).collect()
    }

    /// The id of its scheme of concepts.
    pub(crate) fn scheme(&self) -> String {
        format!("CS_{}", self.flow.id)
    }
}

/// How much there is.
#[derive(Debug, Clone)]
pub(crate) struct Availability {
    pub(crate) observations: usize,
    pub(crate) series: usize,
    /// First and last period.
    pub(crate) span: Option<(String, String)>,
}

/// The artefacts of an answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Set {
    pub(crate) now: i64,
    pub(crate) agencies: BTreeMap<String, String>,
    pub(crate) flows: Vec<Flow>,
    pub(crate) definitions: Vec<Definition>,
    /// Those whose concepts are told.
    pub(crate) concepts: Vec<Definition>,
    pub(crate) lists: Vec<List>,
    pub(crate) available: Option<Availability>,
}

impl Set {
    /// A dataflow with all that it refers to.
    pub(crate) fn whole(flow: Flow, cube: &Cube) -> Self {
        let definition = Definition::new(flow.clone(), cube);
        Self {
            now: flow.now,
            lists: definition.dimensions.iter().filter_map(|part| definition.list(part)).collect(),
            concepts: vec![definition.clone()],
            definitions: vec![definition],
            flows: vec![flow],
            ..Self::default()
        }
    }

    /// Leaves the codes that occur in `rows`, and says how many those are.
    pub(crate) fn narrow(&mut self, cube: &Cube, rows: &[Place]) {
        let Some(definition) = self.definitions.first_mut() else { return };
        for dimension in &mut definition.dimensions {
            let held: BTreeSet<_> = rows.iter().map(|place| cube.key(dimension, *place)).collect();
            if let Some(codes) = &mut dimension.codes {
                codes.retain(|code, _| held.contains(code.as_str()));
            }
        }
        self.lists = definition.dimensions.iter().filter_map(|part| definition.list(part)).collect();
        let times = || rows.iter().map(|place| cube.time(*place));
        let span = times().min().zip(times().max()).filter(|_| cube.timed());
        self.available = Some(Availability {
            observations: rows.len(),
            series: rows.chunk_by(|a, b| cube.same_series(*a, *b)).count(),
            span: span.map(|(first, last)| (first.into_owned(), last.into_owned())),
        });
    }
}

/// The artefacts of `kind` that `rest` (agency, id, version) names.
pub(crate) fn find<K: Keep>(
    catalogue: &Catalogue<'_, K>,
    kind: Kind,
    rest: &[&str],
    wanted: &Wanted,
) -> Result<Set, Fault> {
    let part = |at: usize| rest.get(at).copied().unwrap_or("all");
    let (agency, id, version) = (part(0), part(1), part(2));
    let mut set = Set { now: catalogue.now, ..Set::default() };
    if kind == Kind::Agencies {
        set.agencies = catalogue.agencies()?;
        return Ok(set);
    }
    let direct = matches!(kind, Kind::Flows | Kind::Definitions);
    let agencies = if agency == SDMX { "all" } else { agency };
    let flows = catalogue.flows(agencies, if direct { id } else { "all" }, wanted.asof);
    let shows = |other| kind.shows(other, &wanted.references);
    let deep = [Kind::Definitions, Kind::Lists, Kind::Concepts].into_iter().any(shows);
    if deep && flows.len() > STRUCTURES_MAX {
        let detail = format!("the structures of {} dataflows, at most {STRUCTURES_MAX}", flows.len());
        return Err(Fault::large(detail));
    }
    let exact = |list: &List| ids::asks(agency, &list.agency) && ids::asks(id, &list.id);
    for flow in flows {
        if direct {
            ids::version(version, ids::VERSION)?;
        }
        if shows(Kind::Flows) && kind == Kind::Flows {
            set.flows.push(flow.clone());
        }
        if !deep {
            continue;
        }
        let definition = Definition::new(flow.clone(), &catalogue.cube(&flow)?);
        let mut lists: Vec<List> =
            definition.dimensions.iter().filter_map(|part| definition.list(part)).collect();
        let named = match kind {
            Kind::Lists => {
                lists.retain(|list| exact(list) && ids::version(version, list.version).is_ok());
                !lists.is_empty()
            }
            Kind::Concepts => ids::asks(id, &definition.scheme()),
            _ => true,
        };
        if named {
            set.add(definition, lists, kind, &shows);
        }
    }
    if set.flows.is_empty() && set.definitions.is_empty() && set.lists.is_empty() && set.concepts.is_empty() {
        // Everything of a node that has nothing yet is an empty answer, not a fault.
        if !(ids::every(agency) || agency == SDMX) || !ids::every(id) {
            return Err(Fault::absent(format!("`{agency}:{id}({version})`")));
        }
    }
    Ok(set)
}

impl Set {
    fn add(&mut self, definition: Definition, lists: Vec<List>, kind: Kind, shows: &dyn Fn(Kind) -> bool) {
        if shows(Kind::Flows) && kind != Kind::Flows {
            self.flows.push(definition.flow.clone());
        }
        for list in lists.into_iter().filter(|_| shows(Kind::Lists)) {
            match self.lists.iter_mut().find(|held| held.agency == list.agency && held.id == list.id) {
                Some(held) => held.codes.extend(list.codes),
                None => self.lists.push(list),
            }
        }
        if shows(Kind::Concepts) {
            self.concepts.push(definition.clone());
        }
        if shows(Kind::Definitions) {
            self.definitions.push(definition);
        }
    }
}
