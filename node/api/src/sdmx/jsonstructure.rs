//! Structures as SDMX-JSON 2.0, which pysdmx asks for. No list is written empty: it refuses those.

use serde_json::{Map, Value, json};

use crate::sdmx::ids::VERSION;
use crate::sdmx::structures::{Availability, Definition, List, Set};
use crate::sdmx::xml;

/// The message.
pub(crate) fn write(set: &Set) -> String {
    let mut data = Map::new();
    let mut put = |name: &str, values: Vec<Value>| {
        if !values.is_empty() {
            data.insert(name.into(), Value::Array(values));
        }
    };
    put("agencySchemes", agencies(set));
    put("dataflows", set.flows.iter().map(flow).collect());
    put("dataStructures", set.definitions.iter().map(definition).collect());
    put("conceptSchemes", set.concepts.iter().map(concepts).collect());
    put("codelists", set.lists.iter().map(list).collect());
    if let (Some(available), Some(first)) = (&set.available, set.definitions.first()) {
        put("dataConstraints", vec![constraint(first, available)]);
    }
    let meta = json!({
        "id": "assay",
        "test": false,
        "schema": "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/structure-message/tools/schemas/2.0.0/sdmx-json-structure-schema.json",
        "prepared": xml::time(set.now),
        "contentLanguages": ["en"],
        "sender": { "id": "assay" }
    });
    json!({ "meta": meta, "data": data }).to_string()
}

fn agencies(set: &Set) -> Vec<Value> {
    if set.agencies.is_empty() {
        return Vec::new();
    }
    let each: Vec<Value> = set.agencies.iter().map(|(id, name)| json!({ "id": id, "name": name })).collect();
    let name = "Publishers that this node holds";
    vec![json!({ "id": "AGENCIES", "agencyID": "SDMX", "version": "1.0", "name": name, "agencies": each })]
}

fn flow(flow: &crate::sdmx::catalogue::Flow) -> Value {
    json!({
        "id": flow.id,
        "agencyID": flow.agency,
        "version": VERSION,
        "name": flow.name,
        "structure": flow.urn("datastructure.DataStructure", &flow.id)
    })
}

fn list(list: &List) -> Value {
    let codes: Vec<Value> = list.codes.iter().map(|(id, name)| json!({ "id": id, "name": name })).collect();
    let mut written = json!({
        "id": list.id, "agencyID": list.agency, "version": list.version, "name": list.id
    });
    if let (false, Some(fields)) = (codes.is_empty(), written.as_object_mut()) {
        fields.insert("codes".into(), codes.into());
    }
    written
}

fn concepts(definition: &Definition) -> Value {
    let each: Vec<Value> =
        definition.concepts().into_iter().map(|(id, name)| json!({ "id": id, "name": name })).collect();
    json!({
        "id": definition.scheme(),
        "agencyID": definition.flow.agency,
        "version": VERSION,
        "name": format!("Concepts of {}", definition.flow.name),
        "concepts": each
    })
}

fn definition(definition: &Definition) -> Value {
    let mut parts = Map::new();
    parts.insert("dimensionList".into(), dimensions(definition));
    let origin = definition.flow.origin();
    let own = definition.attributes.iter().map(|id| attribute(definition, id, "observation"));
    let attributes: Vec<Value> =
        own.chain(origin.iter().map(|(id, _)| attribute(definition, id, "dataflow"))).collect();
    parts.insert("attributeList".into(), json!({ "id": "AttributeDescriptor", "attributes": attributes }));
    let measure = json!({ "id": "OBS_VALUE", "conceptIdentity": concept(definition, "OBS_VALUE") });
    parts.insert("measureList".into(), json!({ "id": "MeasureDescriptor", "measures": [measure] }));
    json!({
        "id": definition.flow.id,
        "agencyID": definition.flow.agency,
        "version": VERSION,
        "name": definition.flow.name,
        "dataStructureComponents": parts
    })
}

fn concept(definition: &Definition, id: &str) -> String {
    format!("{}.{id}", definition.flow.urn("conceptscheme.Concept", &definition.scheme()))
}

fn attribute(definition: &Definition, id: &str, level: &str) -> Value {
    json!({
        "id": id,
        "conceptIdentity": concept(definition, id),
        "attributeRelationship": { level: {} },
        "localRepresentation": { "format": { "dataType": "String" } }
    })
}

fn dimensions(definition: &Definition) -> Value {
    let each: Vec<Value> = definition
        .dimensions
        .iter()
        .enumerate()
        .map(|(at, dimension)| {
            let held = match definition.list(dimension) {
                None => json!({ "format": { "dataType": "String" } }),
                Some(list) => json!({ "enumeration": format!(
                    "urn:sdmx:org.sdmx.infomodel.codelist.Codelist={}:{}({})",
                    list.agency, list.id, list.version
                ) }),
            };
            json!({
                "id": dimension.id,
                "position": at + 1,
                "conceptIdentity": concept(definition, &dimension.id),
                "localRepresentation": held
            })
        })
        .collect();
    let mut fields = Map::new();
    fields.insert("id".into(), "DimensionDescriptor".into());
    if !each.is_empty() {
        fields.insert("dimensions".into(), each.into());
    }
    if definition.timed {
        let time = json!({
            "id": "TIME_PERIOD",
            "conceptIdentity": concept(definition, "TIME_PERIOD"),
            "localRepresentation": { "format": { "dataType": "ObservationalTimePeriod" } }
        });
        fields.insert("timeDimension".into(), time);
    }
    fields.into()
}

fn constraint(definition: &Definition, available: &Availability) -> Value {
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
        "name": format!("What there is of {}", definition.flow.name),
        "role": "Actual",
        "annotations": [metric("obs_count", available.observations), metric("series_count", available.series)],
        "constraintAttachment": { "dataflows": [definition.flow.urn("datastructure.Dataflow", id)] }
    });
    if let (false, Some(fields)) = (values.is_empty(), written.as_object_mut()) {
        fields.insert("cubeRegions".into(), json!([{ "include": true, "keyValues": values }]));
    }
    written
}
