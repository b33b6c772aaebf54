//! Data as SDMX-JSON 2.0: series or flat observations, keyed by value positions. Values are strings, so
//! that readers do not round them.
//!
//! Each data set has its own structure. It is written after the data sets, because the value lists are
//! complete only then.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::sdmx::cube::Observation;
use crate::sdmx::data_set::{DataFormat, DataSetView, MessageContext};
use crate::sdmx::xml;

/// SDMX-JSON writer. Collects the structures of the data sets written so far.
#[derive(Default)]
pub(crate) struct JsonData {
    structures: Vec<Value>,
}

/// Values of a component with their positions, in order of first occurrence.
#[derive(Default)]
struct ValuePositions(BTreeMap<String, usize>);

impl ValuePositions {
    fn position(&mut self, value: &str) -> usize {
        let next = self.0.len();
        match self.0.get(value) {
            Some(position) => *position,
            None => *self.0.entry(value.to_owned()).or_insert(next),
        }
    }

    /// Returns the component with its named values. The SDMX-JSON schema requires names and forbids
    /// empty lists.
    fn component(self, id: &str, position: usize, codes: Option<&BTreeMap<String, String>>) -> Value {
        let mut ordered: Vec<(String, usize)> = self.0.into_iter().collect();
        ordered.sort_by_key(|(_, position)| *position);
        let name =
            |code: &str| codes.and_then(|codes| codes.get(code)).map_or(code.to_owned(), String::clone);
        let value = |(value, _): (String, usize)| json!({ "id": value, "name": name(&value) });
        let values: Vec<Value> = ordered.into_iter().map(value).collect();
        let mut component = json!({ "id": id, "name": id, "keyPosition": position });
        if let (false, Some(fields)) = (values.is_empty(), component.as_object_mut()) {
            fields.insert("values".into(), values.into());
        }
        component
    }
}

impl DataFormat for JsonData {
    fn write_start(&mut self, out: &mut dyn Write, head: &MessageContext) -> io::Result<()> {
        let meta = json!({
            "id": "assay",
            "test": false,
            "prepared": xml::date_time(head.flow.prepared),
            "contentLanguages": ["en"],
            "sender": { "id": head.flow.agency }
        });
        write!(out, "{{\"meta\":{meta},\"data\":{{\"dataSets\":[")
    }

    fn write_data_set(&mut self, out: &mut dyn Write, view: &DataSetView<'_>) -> io::Result<()> {
        let at = self.structures.len();
        if at > 0 {
            out.write_all(b",")?;
        }
        write!(out, "{{\"structure\":{at},\"action\":\"{}\"", view.action.word())?;
        for (name, time) in view.valid.date_times() {
            if let Some(time) = time {
                write!(out, ",\"{name}\":\"{time}\"")?;
            }
        }
        // Each data set attribute has a single value, at position 0.
        let zeros: Vec<usize> = view.provenance().iter().map(|_| 0).collect();
        write!(out, ",\"attributes\":{}", json!(zeros))?;
        let ids = view.head.layout.dimensions();
        let mut values: Vec<ValuePositions> = ids.iter().map(|_| ValuePositions::default()).collect();
        if view.head.is_flat() {
            write_flat(out, view, &mut values)?;
        } else {
            write_series(out, view, &mut values)?;
        }
        out.write_all(b"}")?;
        self.structures.push(data_structure(view, at, values));
        Ok(())
    }

    fn write_end(&mut self, out: &mut dyn Write, _: &MessageContext) -> io::Result<()> {
        write!(out, "],\"structures\":{}}}}}", json!(self.structures))
    }
}

/// Returns the positions of the key values, joined by colons.
fn key_positions<'a>(
    values: &mut [ValuePositions],
    cells: impl Iterator<Item = std::borrow::Cow<'a, str>>,
) -> String {
    let mut text = String::new();
    for (cell, values) in cells.zip(values) {
        if !text.is_empty() {
            text.push(':');
        }
        text += &values.position(&cell).to_string();
    }
    text
}

fn write_flat(out: &mut dyn Write, view: &DataSetView<'_>, values: &mut [ValuePositions]) -> io::Result<()> {
    out.write_all(b",\"observations\":{")?;
    for (at, observation) in view.observations.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let cells = view.key(*observation).map(|(_, text)| text);
        let time = view.head.has_time().then(|| view.cube.time_text(*observation));
        write!(
            out,
            "{comma}\"{}\":{}",
            key_positions(values, cells.chain(time)),
            observation_values(view, *observation)
        )?;
    }
    out.write_all(b"}")
}

fn write_series(
    out: &mut dyn Write,
    view: &DataSetView<'_>,
    values: &mut [ValuePositions],
) -> io::Result<()> {
    out.write_all(b",\"series\":{")?;
    for (at, rows) in view.series().enumerate() {
        let Some(first) = rows.first() else { continue };
        let comma = if at > 0 { "," } else { "" };
        let key = key_positions(values, view.key(*first).map(|(_, text)| text));
        write!(out, "{comma}\"{key}\":{{\"observations\":{{")?;
        let rows = if view.head.request.keys_only() { &[] } else { rows };
        for (at, observation) in rows.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let time =
                values.last_mut().map_or(0, |values| values.position(&view.cube.time_text(*observation)));
            write!(out, "{comma}\"{time}\":{}", observation_values(view, *observation))?;
        }
        out.write_all(b"}}")?;
    }
    out.write_all(b"}")
}

/// Returns the value and attributes of an observation; trailing nulls are omitted.
fn observation_values(view: &DataSetView<'_>, observation: Observation) -> Value {
    if !view.has_values() {
        return json!([]);
    }
    let text = |text: Option<std::borrow::Cow<'_, str>>| text.map_or(Value::Null, |text| Value::from(&*text));
    let mut values: Vec<Value> = Vec::new();
    values.extend(view.head.request.measures.then(|| text(view.value(observation))));
    let figures = values.len();
    values.extend(view.head.attributes.iter().map(|id| text(view.cube.attribute_value(id, observation))));
    while values.len() > figures && values.last() == Some(&Value::Null) {
        values.pop();
    }
    values.into()
}

fn data_structure(view: &DataSetView<'_>, at: usize, values: Vec<ValuePositions>) -> Value {
    let (head, flow) = (view.head, view.flow);
    let ids = head.layout.dimensions();
    let components = ids.iter().zip(values).enumerate();
    let codes = |at: usize| view.cube.dimensions.get(at).and_then(|part| part.codes.as_ref());
    let mut components: Vec<Value> =
        components.map(|(at, (id, values))| values.component(id, at, codes(at))).collect();
    // Flat observations carry all dimensions; in series, only time is at observation level.
    let keys = if head.is_flat() { 0 } else { ids.len() - usize::from(head.has_time()) };
    let observation = components.split_off(keys);
    let dimensions = match (head.is_flat(), observation.is_empty()) {
        (true, _) => json!({ "observation": observation }),
        (false, true) => json!({ "series": components }),
        (false, false) => json!({ "series": components, "observation": observation }),
    };
    let figures = if head.request.measures {
        json!({ "observation": [{ "id": "OBS_VALUE", "name": "OBS_VALUE" }] })
    } else {
        json!({})
    };
    let own: Vec<Value> = head
        .attributes
        .iter()
        .map(|id| json!({ "id": id, "name": id, "relationship": { "observation": {} } }))
        .collect();
    let set = view.provenance().into_iter().map(|(id, text)| {
        json!({
            "id": id, "name": id, "relationship": { "dataflow": {} }, "values": [{ "id": text, "name": text }]
        })
    });
    json!({
        "name": flow.name,
        "links": [{ "rel": "dataflow", "urn": flow.urn("datastructure.Dataflow", &flow.id) }],
        "dimensions": dimensions,
        "measures": figures,
        "attributes": { "dataSet": set.collect::<Vec<Value>>(), "observation": own },
        "dataSets": [at]
    })
}
