//! Structure requests: artefacts with their references.
//!
//! `references=none`, the default, returns the artefacts alone; rsdmx builds its table of dataflows from
//! that.

use std::collections::{BTreeMap, BTreeSet};

use service::Storage;

use crate::sdmx::cube::{ASSAY_STANDING, CubeDimension, DataCube, Observation};
use crate::sdmx::dataflows::{Dataflow, DataflowCatalogue};
use crate::sdmx::error::SdmxError;
use crate::sdmx::ids;
use crate::sdmx::request::DataRequest;

/// Data structures per message. Each requires a read of the table from the store.
const STRUCTURES_MAX: usize = 64;
/// Name of the concept of [`ASSAY_STANDING`].
const STANDING_TITLE: &str =
    "How the figure stands at this node: holds, does_not_hold, contested or unchecked";
/// Agency of the code lists maintained by SDMX.
const SDMX: &str = "SDMX";

/// Type of a structural artefact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArtefactType {
    AgencyScheme,
    Dataflows,
    DataStructures,
    CodeLists,
    ConceptSchemes,
}

impl ArtefactType {
    pub(crate) fn parse(word: &str) -> Result<Self, SdmxError> {
        Ok(match word {
            "agencyscheme" => Self::AgencyScheme,
            "dataflow" => Self::Dataflows,
            "datastructure" => Self::DataStructures,
            "codelist" => Self::CodeLists,
            "conceptscheme" => Self::ConceptSchemes,
            other => return Err(SdmxError::not_implemented(format!("`{other}`"))),
        })
    }

    /// Whether a request for this type with `references` also returns `other`.
    fn includes(self, other: ArtefactType, references: &str) -> bool {
        let down = matches!(references, "all" | "descendants");
        let up = matches!(references, "all" | "ancestors");
        let near = |set: &[&str]| set.contains(&references);
        let flow = matches!(other, Self::Dataflows);
        match (self, other) {
            (this, that) if this == that => true,
            (Self::AgencyScheme, _) | (_, Self::AgencyScheme) => false,
            (Self::Dataflows, Self::DataStructures) => down || near(&["children", "datastructure"]),
            (Self::Dataflows, Self::CodeLists) => down || references == "codelist",
            (Self::Dataflows, Self::ConceptSchemes) => down || references == "conceptscheme",
            (Self::DataStructures, Self::CodeLists) => down || near(&["children", "codelist"]),
            (Self::DataStructures, Self::ConceptSchemes) => down || near(&["children", "conceptscheme"]),
            (Self::DataStructures, Self::Dataflows) => {
                up || near(&["parents", "parentsandsiblings", "dataflow"])
            }
            (Self::CodeLists | Self::ConceptSchemes, Self::DataStructures) => {
                up || near(&["parents", "datastructure"])
            }
            (Self::CodeLists | Self::ConceptSchemes, _) => up && flow || references == "all",
            _ => false,
        }
    }
}

/// A code list.
#[derive(Debug, Clone)]
pub(crate) struct CodeList {
    pub(crate) agency: String,
    pub(crate) id: String,
    pub(crate) version: &'static str,
    pub(crate) codes: BTreeMap<String, String>,
}

/// Data structure definition of a dataflow.
#[derive(Debug, Clone)]
pub(crate) struct DataStructure {
    pub(crate) flow: Dataflow,
    pub(crate) dimensions: Vec<CubeDimension>,
    pub(crate) has_time: bool,
    /// Ids of the observation attributes.
    pub(crate) attributes: Vec<String>,
    /// Ids of the measures, as named by the recipe.
    pub(crate) measure_title: String,
}

impl DataStructure {
    fn new(flow: Dataflow, cube: &DataCube) -> Self {
        let figures: Vec<&str> = cube.layout.measures.iter().map(|(id, _)| id.as_str()).collect();
        Self {
            flow,
            dimensions: cube.dimensions.clone(),
            has_time: cube.has_time(),
            attributes: cube.layout.attribute_ids().map(str::to_owned).collect(),
            measure_title: figures.join(", "),
        }
    }

    /// Returns the code list of a dimension.
    pub(crate) fn code_list(&self, dimension: &CubeDimension) -> Option<CodeList> {
        let codes = dimension.codes.clone()?;
        let (agency, id, version) = match dimension.id.as_str() {
            // Only if every code is in CL_FREQ can the standard list be used.
            "FREQ" if codes.keys().all(|code| "ASQMWD".contains(code.as_str())) => {
                (SDMX.to_owned(), "CL_FREQ".to_owned(), "2.1")
            }
            id => (self.flow.agency.clone(), format!("CL_{}-_{id}", self.flow.id), ids::VERSION),
        };
        Some(CodeList { agency, id, version, codes })
    }

    /// Returns the concepts: ids and names.
    pub(crate) fn concepts(&self) -> Vec<(String, String)> {
        let same = |id: &str| (id.to_owned(), id.to_owned());
        let time = self.has_time.then(|| same("TIME_PERIOD"));
        let figure = ("OBS_VALUE".to_owned(), format!("Observation value ({})", self.measure_title));
        let dimensions = self.dimensions.iter().map(|dimension| same(&dimension.id));
        let origin = self.flow.provenance().map(|(id, _)| same(id));
        let attributes = self.attributes.iter().map(|id| match id.as_str() {
            ASSAY_STANDING => (id.clone(), STANDING_TITLE.to_owned()),
            id => same(id),
        });
        dimensions.chain(time).chain([figure]).chain(attributes).chain(origin).collect()
    }

    /// Returns the id of the concept scheme.
    pub(crate) fn concept_scheme_id(&self) -> String {
        format!("CS_{}", self.flow.id)
    }
}

/// Counts of the available data.
#[derive(Debug, Clone)]
pub(crate) struct DataAvailability {
    pub(crate) observations: usize,
    pub(crate) series: usize,
    /// First and last period.
    pub(crate) span: Option<(String, String)>,
}

/// Artefacts of a structure message.
#[derive(Debug, Clone, Default)]
pub(crate) struct StructureSet {
    pub(crate) prepared: i64,
    pub(crate) agencies: BTreeMap<String, String>,
    pub(crate) dataflows: Vec<Dataflow>,
    pub(crate) data_structures: Vec<DataStructure>,
    /// Data structures whose concept schemes are written.
    pub(crate) concept_schemes: Vec<DataStructure>,
    pub(crate) code_lists: Vec<CodeList>,
    pub(crate) availability: Option<DataAvailability>,
}

impl StructureSet {
    /// Returns a dataflow with all artefacts that it refers to.
    pub(crate) fn complete(flow: Dataflow, cube: &DataCube) -> Self {
        let definition = DataStructure::new(flow.clone(), cube);
        Self {
            prepared: flow.prepared,
            code_lists: definition.dimensions.iter().filter_map(|part| definition.code_list(part)).collect(),
            concept_schemes: vec![definition.clone()],
            data_structures: vec![definition],
            dataflows: vec![flow],
            ..Self::default()
        }
    }

    /// Restricts the code lists to codes that occur in `rows`, and counts observations and series.
    pub(crate) fn restrict_to(&mut self, cube: &DataCube, rows: &[Observation]) {
        let Some(definition) = self.data_structures.first_mut() else { return };
        for dimension in &mut definition.dimensions {
            let existing: BTreeSet<_> = rows.iter().map(|place| cube.key_value(dimension, *place)).collect();
            if let Some(codes) = &mut dimension.codes {
                codes.retain(|code, _| existing.contains(code.as_str()));
            }
        }
        self.code_lists =
            definition.dimensions.iter().filter_map(|part| definition.code_list(part)).collect();
        let times = || rows.iter().map(|place| cube.time_text(*place));
        let span = times().min().zip(times().max()).filter(|_| cube.has_time());
        self.availability = Some(DataAvailability {
            observations: rows.len(),
            series: rows.chunk_by(|a, b| cube.same_series(*a, *b)).count(),
            span: span.map(|(first, last)| (first.into_owned(), last.into_owned())),
        });
    }
}

/// Returns the artefacts of type `kind` selected by `rest` (agency, id, version).
pub(crate) fn find_structures<K: Storage>(
    catalogue: &DataflowCatalogue<'_, K>,
    kind: ArtefactType,
    rest: &[&str],
    parameters: &DataRequest,
) -> Result<StructureSet, SdmxError> {
    let part = |at: usize| rest.get(at).copied().unwrap_or("all");
    let (agency, id, version) = (part(0), part(1), part(2));
    let mut set = StructureSet { prepared: catalogue.prepared, ..StructureSet::default() };
    if kind == ArtefactType::AgencyScheme {
        set.agencies = catalogue.list_agencies()?;
        return Ok(set);
    }
    let direct = matches!(kind, ArtefactType::Dataflows | ArtefactType::DataStructures);
    // CL_FREQ belongs to the agency SDMX but is found through the dataflows of all publishers.
    let agencies = if agency == SDMX { "all" } else { agency };
    let flows = catalogue.find_dataflows(agencies, if direct { id } else { "all" }, parameters.as_of);
    let shows = |other| kind.includes(other, &parameters.references);
    // Flows alone need no table; everything else does.
    let deep = [ArtefactType::DataStructures, ArtefactType::CodeLists, ArtefactType::ConceptSchemes]
        .into_iter()
        .any(shows);
    if deep && flows.len() > STRUCTURES_MAX {
        let detail =
            format!("the response needs {} data structures, expected at most {STRUCTURES_MAX}", flows.len());
        return Err(SdmxError::too_large(detail));
    }
    let exact = |list: &CodeList| ids::matches_id(agency, &list.agency) && ids::matches_id(id, &list.id);
    for flow in flows {
        if direct {
            ids::check_version(version, ids::VERSION)?;
        }
        if shows(ArtefactType::Dataflows) && kind == ArtefactType::Dataflows {
            set.dataflows.push(flow.clone());
        }
        if !deep {
            continue;
        }
        let definition = DataStructure::new(flow.clone(), &catalogue.load_cube(&flow)?);
        let mut lists: Vec<CodeList> =
            definition.dimensions.iter().filter_map(|part| definition.code_list(part)).collect();
        let named = match kind {
            ArtefactType::CodeLists => {
                lists.retain(|list| exact(list) && ids::check_version(version, list.version).is_ok());
                !lists.is_empty()
            }
            ArtefactType::ConceptSchemes => ids::matches_id(id, &definition.concept_scheme_id()),
            _ => true,
        };
        if named {
            set.add_structure(definition, lists, kind, &shows);
        }
    }
    if set.dataflows.is_empty()
        && set.data_structures.is_empty()
        && set.code_lists.is_empty()
        && set.concept_schemes.is_empty()
    {
        // A wildcard request to an empty node gets an empty message, not an error.
        if !(ids::is_wildcard(agency) || agency == SDMX) || !ids::is_wildcard(id) {
            return Err(SdmxError::not_found(format!("`{agency}:{id}({version})`")));
        }
    }
    Ok(set)
}

impl StructureSet {
    fn add_structure(
        &mut self,
        definition: DataStructure,
        lists: Vec<CodeList>,
        kind: ArtefactType,
        shows: &dyn Fn(ArtefactType) -> bool,
    ) {
        if shows(ArtefactType::Dataflows) && kind != ArtefactType::Dataflows {
            self.dataflows.push(definition.flow.clone());
        }
        for list in lists.into_iter().filter(|_| shows(ArtefactType::CodeLists)) {
            match self
                .code_lists
                .iter_mut()
                .find(|existing| existing.agency == list.agency && existing.id == list.id)
            {
                Some(existing) => existing.codes.extend(list.codes),
                None => self.code_lists.push(list),
            }
        }
        if shows(ArtefactType::ConceptSchemes) {
            self.concept_schemes.push(definition.clone());
        }
        if shows(ArtefactType::DataStructures) {
            self.data_structures.push(definition);
        }
    }
}
