//! Structures as SDMX-ML 2.1.

use crate::sdmx::ids::VERSION;
use crate::sdmx::structures::{CodeList, DataStructure, StructureSet};
use crate::sdmx::xml::{self, escape};

/// Core representation of a concept. sdmx1 fails to read data set attributes whose concepts have none.
const CORE_REPRESENTATION: &str =
    "<str:CoreRepresentation><str:TextFormat textType=\"String\"/></str:CoreRepresentation>";

/// Writes the structure message.
pub(crate) fn write_structures(set: &StructureSet) -> String {
    let parts = [
        ("OrganisationSchemes", agency_scheme(set)),
        ("Dataflows", set.dataflows.iter().map(dataflow_element).collect()),
        ("Codelists", set.code_lists.iter().map(codelist_element).collect()),
        ("Concepts", set.concept_schemes.iter().map(concept_scheme).collect()),
        ("DataStructures", set.data_structures.iter().map(data_structure).collect::<String>()),
    ];
    let parts: String = parts
        .into_iter()
        .filter(|(_, body)| !body.is_empty())
        .map(|(name, body)| format!("<str:{name}>{body}</str:{name}>\n"))
        .collect();
    format!(
        "{}<mes:Structure xmlns:mes=\"{}\" xmlns:str=\"{}\" xmlns:com=\"{}\">\n<mes:Header>{}</mes:Header>\n\
         <mes:Structures>{parts}</mes:Structures></mes:Structure>\n",
        xml::DECLARATION,
        xml::MESSAGE,
        xml::STRUCTURE,
        xml::COMMON,
        xml::header_fields(set.prepared, "assay")
    )
}

fn name_element(text: &str) -> String {
    format!("<com:Name xml:lang=\"en\">{}</com:Name>", escape(text))
}

fn agency_scheme(set: &StructureSet) -> String {
    if set.agencies.is_empty() {
        return String::new();
    }
    let each = set.agencies.iter();
    let each: String = each
        .map(|(id, text)| format!("<str:Agency id=\"{id}\">{}</str:Agency>", name_element(text)))
        .collect();
    format!(
        "<str:AgencyScheme id=\"AGENCIES\" agencyID=\"SDMX\" version=\"1.0\">{}{each}</str:AgencyScheme>",
        name_element("Publishers known to this node")
    )
}

fn dataflow_element(flow: &crate::sdmx::dataflows::Dataflow) -> String {
    let (agency, id) = (&flow.agency, &flow.id);
    format!(
        "<str:Dataflow id=\"{id}\" agencyID=\"{agency}\" version=\"{VERSION}\">{}<str:Structure>\
         <Ref id=\"{id}\" agencyID=\"{agency}\" version=\"{VERSION}\" package=\"datastructure\" \
         class=\"DataStructure\"/></str:Structure></str:Dataflow>",
        name_element(&flow.name)
    )
}

fn codelist_element(list: &CodeList) -> String {
    let codes = list.codes.iter();
    let codes: String = codes
        .map(|(id, text)| format!("<str:Code id=\"{}\">{}</str:Code>", escape(id), name_element(text)))
        .collect();
    format!(
        "<str:Codelist id=\"{}\" agencyID=\"{}\" version=\"{}\">{}{codes}</str:Codelist>\n",
        list.id,
        list.agency,
        list.version,
        name_element(&list.id)
    )
}

fn concept_scheme(definition: &DataStructure) -> String {
    let each = definition.concepts().into_iter();
    let each: String = each
        .map(|(id, text)| {
            format!("<str:Concept id=\"{id}\">{}{CORE_REPRESENTATION}</str:Concept>", name_element(&text))
        })
        .collect();
    format!(
        "<str:ConceptScheme id=\"{}\" agencyID=\"{}\" version=\"{VERSION}\">{}{each}</str:ConceptScheme>\n",
        definition.concept_scheme_id(),
        definition.flow.agency,
        name_element(&format!("Concepts of {}", definition.flow.name))
    )
}

fn concept_identity(definition: &DataStructure, id: &str) -> String {
    format!(
        "<str:ConceptIdentity><Ref id=\"{id}\" maintainableParentID=\"{}\" \
         maintainableParentVersion=\"{VERSION}\" agencyID=\"{}\" package=\"conceptscheme\" \
         class=\"Concept\"/></str:ConceptIdentity>",
        definition.concept_scheme_id(),
        definition.flow.agency
    )
}

fn data_structure(definition: &DataStructure) -> String {
    let (agency, id) = (&definition.flow.agency, &definition.flow.id);
    let figure = concept_identity(definition, "OBS_VALUE");
    format!(
        "<str:DataStructure id=\"{id}\" agencyID=\"{agency}\" version=\"{VERSION}\">{}\
         <str:DataStructureComponents><str:DimensionList id=\"DimensionDescriptor\">{}</str:DimensionList>\
         <str:AttributeList id=\"AttributeDescriptor\">{}</str:AttributeList>\
         <str:MeasureList id=\"MeasureDescriptor\"><str:PrimaryMeasure id=\"OBS_VALUE\">{figure}\
         </str:PrimaryMeasure></str:MeasureList></str:DataStructureComponents></str:DataStructure>\n",
        name_element(&definition.flow.name),
        dimension_list(definition),
        attribute_list(definition)
    )
}

fn dimension_list(definition: &DataStructure) -> String {
    let mut out = String::new();
    for (at, dimension) in definition.dimensions.iter().enumerate() {
        let representation = match definition.code_list(dimension) {
            None => "<str:TextFormat textType=\"String\"/>".to_owned(),
            Some(list) => format!(
                "<str:Enumeration><Ref id=\"{}\" agencyID=\"{}\" version=\"{}\" package=\"codelist\" \
                 class=\"Codelist\"/></str:Enumeration>",
                list.id, list.agency, list.version
            ),
        };
        out += &format!(
            "<str:Dimension id=\"{}\" position=\"{}\">{}<str:LocalRepresentation>{representation}\
             </str:LocalRepresentation></str:Dimension>",
            dimension.id,
            at + 1,
            concept_identity(definition, &dimension.id)
        );
    }
    if definition.has_time {
        out += &format!(
            "<str:TimeDimension id=\"TIME_PERIOD\" position=\"{}\">{}<str:LocalRepresentation>\
             <str:TextFormat textType=\"ObservationalTimePeriod\"/></str:LocalRepresentation>\
             </str:TimeDimension>",
            definition.dimensions.len() + 1,
            concept_identity(definition, "TIME_PERIOD")
        );
    }
    out
}

fn attribute_list(definition: &DataStructure) -> String {
    let one = |id: &str, relationship: &str| {
        format!(
            "<str:Attribute id=\"{id}\" assignmentStatus=\"Conditional\">{}\
             <str:AttributeRelationship>{relationship}</str:AttributeRelationship></str:Attribute>",
            concept_identity(definition, id)
        )
    };
    let observed = "<str:PrimaryMeasure><Ref id=\"OBS_VALUE\"/></str:PrimaryMeasure>";
    let own: String = definition.attributes.iter().map(|id| one(id, observed)).collect();
    own + &definition.flow.provenance().map(|(id, _)| one(id, "<str:None/>")).concat()
}
