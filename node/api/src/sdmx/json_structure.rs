//! Structures as SDMX-JSON 2.0, the format that pysdmx requests. Empty lists are omitted because pysdmx
//! rejects them.

use serde_json::{Map, Value, json};

use crate::sdmx::ids::VERSION;
use crate::sdmx::structures::{CodeList, DataAvailability, DataStructure, StructureSet};
use crate::sdmx::xml;

/// Writes the structure message.
pub(crate) fn write_structures(set: &StructureSet) -> String {
    let mut data = Map::new();
    let mut put = |name: &str, values: Vec<Value>| {
        if !values.is_empty() {
            data.insert(name.into(), Value::Array(values));
        }
    };
    put("agencySchemes", agency_scheme(set));
    put("dataflows", set.dataflows.iter().map(dataflow_object).collect());
    put("dataStructures", set.data_structures.iter().map(data_structure).collect());
    put("conceptSchemes", set.concept_schemes.iter().map(concept_scheme).collect());
    put("codelists", set.code_lists.iter().map(codelist_object).collect());
    if let (Some(available), Some(first)) = (&set.availability, set.data_structures.first()) {
        put("dataConstraints", vec![availability_constraint(first, available)]);
    }
    let meta = json!({
        "id": "assay",
        "test": false,
        "schema": "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/structure-message/tools/schemas/2.0.0/sdmx-json-structure-schema.json",
        "prepared": xml::date_time(set.prepared),
        "contentLanguages": ["en"],
        "sender": { "id": "assay" }
    });
    json!({ "meta": meta, "data": data }).to_string()
}

fn agency_scheme(set: &StructureSet) -> Vec<Value> {
    if set.agencies.is_empty() {
        return Vec::new();
    }
    let each: Vec<Value> = set.agencies.iter().map(|(id, name)| json!({ "id": id, "name": name })).collect();
    let name = "Publishers known to this node";
    vec![json!({ "id": "AGENCIES", "agencyID": "SDMX", "version": "1.0", "name": name, "agencies": each })]
}

fn dataflow_object(flow: &crate::sdmx::dataflows::Dataflow) -> Value {
    json!({
        "id": flow.id,
        "agencyID": flow.agency,
        "version": VERSION,
        "name": flow.name,
        "structure": flow.urn("datastructure.DataStructure", &flow.id)
    })
}

fn codelist_object(list: &CodeList) -> Value {
    let codes: Vec<Value> = list.codes.iter().map(|(id, name)| json!({ "id": id, "name": name })).collect();
    let mut written = json!({
        "id": list.id, "agencyID": list.agency, "version": list.version, "name": list.id
    });
    if let (false, Some(fields)) = (codes.is_empty(), written.as_object_mut()) {
        fields.insert("codes".into(), codes.into());
    }
    written
}

fn concept_scheme(definition: &DataStructure) -> Value {
    let each: Vec<Value> =
        definition.concepts().into_iter().map(|(id, name)| json!({ "id": id, "name": name })).collect();
    json!({
        "id": definition.concept_scheme_id(),
        "agencyID": definition.flow.agency,
        "version": VERSION,
        "name": format!("Concepts of {}", definition.flow.name),
        "concepts": each
    })
}

fn data_structure(definition: &DataStructure) -> Value {
    let mut parts = Map::new();
    parts.insert("dimensionList".into(), dimension_list(definition));
    let origin = definition.flow.provenance();
    let own = definition.attributes.iter().map(|id| attribute_object(definition, id, "observation"));
    let attributes: Vec<Value> =
        own.chain(origin.iter().map(|(id, _)| attribute_object(definition, id, "dataflow"))).collect();
    parts.insert("attributeList".into(), json!({ "id": "AttributeDescriptor", "attributes": attributes }));
    let measure = json!({ "id": "OBS_VALUE", "conceptIdentity": concept_urn(definition, "OBS_VALUE") });
    parts.insert("measureList".into(), json!({ "id": "MeasureDescriptor", "measures": [measure] }));
    json!({
        "id": definition.flow.id,
        "agencyID": definition.flow.agency,
        "version": VERSION,
        "name": definition.flow.name,
        "dataStructureComponents": parts
    })
}

fn concept_urn(definition: &DataStructure, id: &str) -> String {
    format!("{}.{id}", definition.flow.urn("conceptscheme.Concept", &definition.concept_scheme_id()))
}

fn attribute_object(definition: &DataStructure, id: &str, level: &str) -> Value {
    json!({
        "id": id,
        "conceptIdentity": concept_urn(definition, id),
        "attributeRelationship": { level: {} },
        "localRepresentation": { "format": { "dataType": "String" } }
    })
}

fn dimension_list(definition: &DataStructure) -> Value {
    let each: Vec<Value> = definition
        .dimensions
        .iter()
        .enumerate()
        .map(|(at, dimension)| {
            let representation = match definition.code_list(dimension) {
                None => json!({ "format": { "dataType": "String" } }),
                Some(list) => json!({ "enumeration": format!(
                    "urn:sdmx:org.sdmx.infomodel.codelist.Codelist={}:{}({})",
                    list.agency, list.id, list.version
                ) }),
            };
            json!({
                "id": dimension.id,
                "position": at + 1,
                "conceptIdentity": concept_urn(definition, &dimension.id),
                "localRepresentation": representation
            })
        })
        .collect();
    let mut fields = Map::new();
    fields.insert("id".into(), "DimensionDescriptor".into());
    if !each.is_empty() {
        fields.insert("dimensions".into(), each.into());
    }
    if definition.has_time {
        let time = json!({
            "id": "TIME_PERIOD",
            "conceptIdentity": concept_urn(definition, "TIME_PERIOD"),
            "localRepresentation": { "format": { "dataType": "ObservationalTimePeriod" } }
        });
        fields.insert("timeDimension".into(), time);
    }
    fields.into()
}

fn availability_constraint(definition: &DataStructure, available: &DataAvailability) -> Value {
    let id = &definition.flow.id;
    let metric =
        |name: &str, count: usize| json!({ "id": name, "title": count.to_string(), "type": "sdmx_metrics" });
    let mut values: Vec<Value> = Vec::new();
    for dimension in &definition.dimensions {
        let codes = dimension.codes.iter().flat_map(|codes| codes.keys());
        let codes: Vec<Value> = codes.map(|code| json!({ "value": code })).collect();
        if !codes.is_empty() {
            values.push(json!({ "id": dimension.id, "include": true, "values": codes }));
        }
    }
    if let Some((first, last)) = &available.span {
        let bound = |period: &String| json!({ "period": period, "isInclusive": true });
        let range = json!({ "startPeriod": bound(first), "endPeriod": bound(last) });
        values.push(json!({ "id": "TIME_PERIOD", "include": true, "timeRange": range }));
    }
    let mut written = json!({
        "id": format!("CC_{id}"),
        "agencyID": definition.flow.agency,
        "version": VERSION,
        "name": format!("Available data of {}", definition.flow.name),
        "role": "Actual",
        "annotations": [metric("obs_count", available.observations), metric("series_count", available.series)],
        "constraintAttachment": { "dataflows": [definition.flow.urn("datastructure.Dataflow", id)] }
    });
    if let (false, Some(fields)) = (values.is_empty(), written.as_object_mut()) {
        fields.insert("cubeRegions".into(), json!([{ "include": true, "keyValues": values }]));
    }
    written
}
