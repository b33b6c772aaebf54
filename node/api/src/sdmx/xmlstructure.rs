//! Structures as SDMX-ML 2.1.

use crate::sdmx::ids::VERSION;
use crate::sdmx::structures::{Definition, List, Set};
use crate::sdmx::xml::{self, escape};

/// What a concept holds: sdmx1 does not read the attributes of a data set whose concepts do not say it.
const CORE: &str = "<str:CoreRepresentation><str:TextFormat textType=\"String\"/></str:CoreRepresentation>";

/// The message.
pub(crate) fn write(set: &Set) -> String {
    let parts = [
        ("OrganisationSchemes", agencies(set)),
        ("Dataflows", set.flows.iter().map(flow).collect()),
        ("Codelists", set.lists.iter().map(list).collect()),
        ("Concepts", set.concepts.iter().map(concepts).collect()),
        ("DataStructures", set.definitions.iter().map(definition).collect::<String>()),
    ];
    let parts: String = parts
        .into_iter()
        .filter(|(_, body)| !body.is_empty())
        .map(|(name, body)| format!("<str:{name}>{body}</str:{name}>\n"))
        .collect();
    format!(
        "{}<mes:Structure xmlns:mes=\"{}\" xmlns:str=\"{}\" xmlns:com=\"{}\">\n<mes:Header>{}</mes:Header>\n\
         <mes:Structures>{parts}</mes:Structures></mes:Structure>\n",
        xml::HEAD,
        xml::MESSAGE,
        xml::STRUCTURE,
        xml::COMMON,
        xml::header(set.now, "assay")
    )
}

fn name(text: &str) -> String {
    format!("<com:Name xml:lang=\"en\">{}</com:Name>", escape(text))
}

fn agencies(set: &Set) -> String {
    if set.agencies.is_empty() {
        return String::new();
    }
    let each = set.agencies.iter();
    let each: String =
        each.map(|(id, text)| format!("<str:Agency id=\"{id}\">{}</str:Agency>", name(text))).collect();
    format!(
        "<str:AgencyScheme id=\"AGENCIES\" agencyID=\"SDMX\" version=\"1.0\">{}{each}</str:AgencyScheme>",
        name("Publishers that this node holds")
    )
}

fn flow(flow: &crate::sdmx::catalogue::Flow) -> String {
    let (agency, id) = (&flow.agency, &flow.id);
    format!(
        "<str:Dataflow id=\"{id}\" agencyID=\"{agency}\" version=\"{VERSION}\">{}<str:Structure>\
         <Ref id=\"{id}\" agencyID=\"{agency}\" version=\"{VERSION}\" package=\"datastructure\" \
         class=\"DataStructure\"/></str:Structure></str:Dataflow>",
        name(&flow.name)
    )
}

fn list(list: &List) -> String {
    let codes = list.codes.iter();
    let codes: String = codes
        .map(|(id, text)| format!("<str:Code id=\"{}\">{}</str:Code>", escape(id), name(text)))
        .collect();
    format!(
        "<str:Codelist id=\"{}\" agencyID=\"{}\" version=\"{}\">{}{codes}</str:Codelist>\n",
        list.id,
        list.agency,
        list.version,
        name(&list.id)
    )
}

fn concepts(definition: &Definition) -> String {
    let each = definition.concepts().into_iter();
    let each: String = each
        .map(|(id, text)| format!("<str:Concept id=\"{id}\">{}{CORE}</str:Concept>", name(&text)))
        .collect();
    format!(
        "<str:ConceptScheme id=\"{}\" agencyID=\"{}\" version=\"{VERSION}\">{}{each}</str:ConceptScheme>\n",
        definition.scheme(),
        definition.flow.agency,
        name(&format!("Concepts of {}", definition.flow.name))
    )
}

fn identity(definition: &Definition, id: &str) -> String {
    format!(
        "<str:ConceptIdentity><Ref id=\"{id}\" maintainableParentID=\"{}\" \
         maintainableParentVersion=\"{VERSION}\" agencyID=\"{}\" package=\"conceptscheme\" \
         class=\"Concept\"/></str:ConceptIdentity>",
        definition.scheme(),
        definition.flow.agency
    )
}

fn definition(definition: &Definition) -> String {
    let (agency, id) = (&definition.flow.agency, &definition.flow.id);
    let figure = identity(definition, "OBS_VALUE");
    format!(
        "<str:DataStructure id=\"{id}\" agencyID=\"{agency}\" version=\"{VERSION}\">{}\
         <str:DataStructureComponents><str:DimensionList id=\"DimensionDescriptor\">{}</str:DimensionList>\
         <str:AttributeList id=\"AttributeDescriptor\">{}</str:AttributeList>\
         <str:MeasureList id=\"MeasureDescriptor\"><str:PrimaryMeasure id=\"OBS_VALUE\">{figure}\
         </str:PrimaryMeasure></str:MeasureList></str:DataStructureComponents></str:DataStructure>\n",
        name(&definition.flow.name),
        dimensions(definition),
        attributes(definition)
    )
}

fn dimensions(definition: &Definition) -> String {
    let mut out = String::new();
    for (at, dimension) in definition.dimensions.iter().enumerate() {
        let held = match definition.list(dimension) {
            None => "<str:TextFormat textType=\"String\"/>".to_owned(),
            Some(list) => format!(
                "<str:Enumeration><Ref id=\"{}\" agencyID=\"{}\" version=\"{}\" package=\"codelist\" \
                 class=\"Codelist\"/></str:Enumeration>",
                list.id, list.agency, list.version
            ),
        };
        out += &format!(
            "<str:Dimension id=\"{}\" position=\"{}\">{}<str:LocalRepresentation>{held}\
             </str:LocalRepresentation></str:Dimension>",
            dimension.id,
            at + 1,
            identity(definition, &dimension.id)
        );
    }
    if definition.timed {
        out += &format!(
            "<str:TimeDimension id=\"TIME_PERIOD\" position=\"{}\">{}<str:LocalRepresentation>\
             <str:TextFormat textType=\"ObservationalTimePeriod\"/></str:LocalRepresentation>\
             </str:TimeDimension>",
            definition.dimensions.len() + 1,
            identity(definition, "TIME_PERIOD")
        );
    }
    out
}

fn attributes(definition: &Definition) -> String {
    let one = |id: &str, relationship: &str| {
        format!(
            "<str:Attribute id=\"{id}\" assignmentStatus=\"Conditional\">{}\
             <str:AttributeRelationship>{relationship}</str:AttributeRelationship></str:Attribute>",
            identity(definition, id)
        )
    };
    let observed = "<str:PrimaryMeasure><Ref id=\"OBS_VALUE\"/></str:PrimaryMeasure>";
    let own: String = definition.attributes.iter().map(|id| one(id, observed)).collect();
    own + &definition.flow.origin().map(|(id, _)| one(id, "<str:None/>")).concat()
}
