//! Data as SDMX-JSON 2.0, flat: each observation under the places of its values. Figures are texts,
//! so that no reader's floating point takes their digits.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::sdmx::cube::TIME;
use crate::sdmx::select::View;
use crate::sdmx::xml;

/// Values of a component in the order in which they came, and their places.
#[derive(Default)]
struct Values(BTreeMap<String, usize>);

impl Values {
    fn place(&mut self, value: &str) -> usize {
        let next = self.0.len();
        match self.0.get(value) {
            Some(place) => *place,
            None => *self.0.entry(value.to_owned()).or_insert(next),
        }
    }

    fn component(self, id: &str, position: Option<usize>) -> Value {
        let mut ordered: Vec<(String, usize)> = self.0.into_iter().collect();
        ordered.sort_by_key(|(_, place)| *place);
        let values: Vec<Value> = ordered
            .into_iter()
            .map(
                |(value, _)| {
                    if id == TIME { json!({ "id": value, "value": value }) } else { json!({ "id": value }) }
                },
            )
            .collect();
        let mut fields = Map::new();
        fields.insert("id".into(), id.into());
        fields.insert("values".into(), values.into());
        if let Some(position) = position {
            fields.insert("keyPosition".into(), position.into());
        }
        fields.into()
    }
}

/// The message.
pub(crate) fn write(view: &View<'_>) -> String {
    let mut ids: Vec<&str> = view.cube.dimensions.iter().map(|dimension| dimension.id.as_str()).collect();
    ids.extend(view.cube.timed().then_some(TIME));
    let mut values: Vec<Values> = ids.iter().map(|_| Values::default()).collect();
    let mut observations = Map::new();
    for row in &view.rows {
        let cells = row.key.iter().map(String::as_str).chain(view.cube.timed().then_some(row.time.as_str()));
        let places = cells.zip(&mut values).map(|(cell, values)| values.place(cell).to_string());
        observations.insert(places.collect::<Vec<_>>().join(":"), json!([row.value]));
    }
    let components = ids.iter().zip(values).enumerate();
    let components: Vec<Value> =
        components.map(|(at, (id, values))| values.component(id, Some(at))).collect();
    let origin = view.origin();
    let set_attributes: Vec<Value> =
        origin.iter().map(|(id, text)| json!({ "id": id, "values": [{ "id": text }] })).collect();
    let flow = view.flow;
    let structure = json!({
        "name": flow.name,
        "links": [{ "rel": "dataflow", "urn": flow.urn("datastructure.Dataflow", &flow.id) }],
        "dimensions": { "observation": components },
        "measures": { "observation": [{ "id": "OBS_VALUE" }] },
        "attributes": { "dataSet": set_attributes },
        "dataSets": [0]
    });
    let zeros: Vec<usize> = origin.iter().map(|_| 0).collect();
    let set = json!({
        "structure": 0, "action": "Information", "attributes": zeros, "observations": observations
    });
    let meta = json!({
        "id": "assay",
        "test": false,
        "prepared": xml::time(flow.now),
        "contentLanguages": ["en"],
        "sender": { "id": flow.agency }
    });
    json!({ "meta": meta, "data": { "structures": [structure], "dataSets": [set] } }).to_string()
}
