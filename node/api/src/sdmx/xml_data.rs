//! Data as SDMX-ML 2.1, generic and structure-specific.
//!
//! The header refers to the data structure with `Structure`, because `StructureUsage` breaks pandasdmx.
//! A data set is written even if it is empty, because sdmx1 and rsdmx cannot read a message without one.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::sdmx::cube::{Observation, TIME_PERIOD};
use crate::sdmx::data_set::{DataFormat, DataSetView, MessageContext};
use crate::sdmx::ids::VERSION;
use crate::sdmx::xml::{self, escape};

/// Generic data message.
pub(crate) struct GenericXml;

impl DataFormat for GenericXml {
    fn write_start(&mut self, out: &mut dyn Write, head: &MessageContext) -> io::Result<()> {
        write!(
            out,
            "{}<mes:GenericData xmlns:mes=\"{}\" xmlns:gen=\"{}\" xmlns:com=\"{}\">\n{}\n",
            xml::DECLARATION,
            xml::MESSAGE,
            xml::GENERIC,
            xml::COMMON,
            header_element(head, "")
        )
    }

    fn write_data_set(&mut self, out: &mut dyn Write, view: &DataSetView<'_>) -> io::Result<()> {
        write!(out, "<mes:DataSet structureRef=\"{}\" {}>", view.flow.id, action_attributes(view))?;
        let origin = view.provenance();
        write_values(out, "Attributes", origin.iter().map(|(id, text)| (*id, Cow::Borrowed(text.as_str()))))?;
        if view.head.is_flat() {
            for observation in view.observations {
                generic_flat(out, view, *observation)?;
            }
        } else {
            for series in view.series() {
                generic_series(out, view, series)?;
            }
        }
        out.write_all(b"</mes:DataSet>\n")
    }

    fn write_end(&mut self, out: &mut dyn Write, _: &MessageContext) -> io::Result<()> {
        out.write_all(b"</mes:GenericData>\n")
    }
}

/// Structure-specific data message.
pub(crate) struct StructureSpecificXml;

impl DataFormat for StructureSpecificXml {
    fn write_start(&mut self, out: &mut dyn Write, head: &MessageContext) -> io::Result<()> {
        let (agency, id) = (&head.flow.agency, &head.flow.id);
        let space = format!(
            "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure={agency}:{id}({VERSION}):ObsLevelDim:{}",
            head.observation_dimension()
        );
        write!(
            out,
            "{}<mes:StructureSpecificData xmlns:mes=\"{}\" xmlns:ss=\"{}\" xmlns:com=\"{}\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:ns1=\"{space}\">\n{}\n",
            xml::DECLARATION,
            xml::MESSAGE,
            xml::SPECIFIC,
            xml::COMMON,
            header_element(head, &format!(" namespace=\"{space}\""))
        )
    }

    fn write_data_set(&mut self, out: &mut dyn Write, view: &DataSetView<'_>) -> io::Result<()> {
        write!(
            out,
            "<mes:DataSet ss:structureRef=\"{}\" xsi:type=\"ns1:DataSetType\" \
             ss:dataScope=\"DataStructure\" {}",
            view.flow.id,
            action_attributes(view)
        )?;
        let origin = view.provenance();
        write_attributes(out, origin.iter().map(|(id, text)| (*id, Cow::Borrowed(text.as_str()))))?;
        out.write_all(b">")?;
        if view.head.is_flat() {
            for observation in view.observations {
                write_observation(out, view, *observation, true)?;
            }
        } else {
            for series in view.series() {
                specific_series(out, view, series)?;
            }
        }
        out.write_all(b"</mes:DataSet>\n")
    }

    fn write_end(&mut self, out: &mut dyn Write, _: &MessageContext) -> io::Result<()> {
        out.write_all(b"</mes:StructureSpecificData>\n")
    }
}

fn header_element(head: &MessageContext, more: &str) -> String {
    let (agency, id) = (&head.flow.agency, &head.flow.id);
    format!(
        "<mes:Header>{}<mes:Structure structureID=\"{id}\"{more} dimensionAtObservation=\"{}\">\
         <com:Structure><Ref id=\"{id}\" agencyID=\"{agency}\" version=\"{VERSION}\" \
         class=\"DataStructure\"/></com:Structure></mes:Structure></mes:Header>",
        xml::header_fields(head.flow.prepared, agency),
        head.observation_dimension()
    )
}

fn action_attributes(view: &DataSetView<'_>) -> String {
    let valid = view.valid.date_times().into_iter().filter_map(|(name, time)| Some((name, time?)));
    let valid: String = valid.map(|(name, time)| format!(" {name}Date=\"{time}\"")).collect();
    format!("action=\"{}\"{valid}", view.action.word())
}

/// Writes values inside an element; writes nothing if there are none.
fn write_values<'a>(
    out: &mut dyn Write,
    element: &str,
    values: impl Iterator<Item = (&'a str, Cow<'a, str>)>,
) -> io::Result<()> {
    let mut some = false;
    for (id, text) in values {
        if !some {
            write!(out, "<gen:{element}>")?;
        }
        some = true;
        write!(out, "<gen:Value id=\"{id}\" value=\"{}\"/>", escape(&text))?;
    }
    if some { write!(out, "</gen:{element}>") } else { Ok(()) }
}

fn generic_series(out: &mut dyn Write, view: &DataSetView<'_>, series: &[Observation]) -> io::Result<()> {
    let Some(first) = series.first() else { return Ok(()) };
    out.write_all(b"<gen:Series>")?;
    write_values(out, "SeriesKey", view.key(*first))?;
    let rows = if view.head.request.keys_only() { &[] } else { series };
    for observation in rows {
        write!(out, "<gen:Obs><gen:ObsDimension value=\"{}\"/>", escape(&view.cube.time_text(*observation)))?;
        write_value(out, view, *observation)?;
    }
    out.write_all(b"</gen:Series>\n")
}

fn write_value(out: &mut dyn Write, view: &DataSetView<'_>, observation: Observation) -> io::Result<()> {
    if let Some(value) = view.value(observation) {
        write!(out, "<gen:ObsValue value=\"{}\"/>", escape(&value))?;
    }
    write_values(out, "Attributes", view.attributes(observation).into_iter())?;
    out.write_all(b"</gen:Obs>")
}

fn generic_flat(out: &mut dyn Write, view: &DataSetView<'_>, observation: Observation) -> io::Result<()> {
    let time = view.head.has_time().then(|| (TIME_PERIOD, view.cube.time_text(observation)));
    out.write_all(b"<gen:Obs>")?;
    write_values(out, "ObsKey", view.key(observation).chain(time))?;
    write_value(out, view, observation)?;
    out.write_all(b"\n")
}

fn write_attributes<'a>(
    out: &mut dyn Write,
    values: impl Iterator<Item = (&'a str, Cow<'a, str>)>,
) -> io::Result<()> {
    for (id, text) in values {
        write!(out, " {id}=\"{}\"", escape(&text))?;
    }
    Ok(())
}

fn specific_series(out: &mut dyn Write, view: &DataSetView<'_>, series: &[Observation]) -> io::Result<()> {
    let Some(first) = series.first() else { return Ok(()) };
    out.write_all(b"<Series")?;
    write_attributes(out, view.key(*first))?;
    out.write_all(b">")?;
    let rows = if view.head.request.keys_only() { &[] } else { series };
    for observation in rows {
        write_observation(out, view, *observation, false)?;
    }
    out.write_all(b"</Series>\n")
}

fn write_observation(
    out: &mut dyn Write,
    view: &DataSetView<'_>,
    observation: Observation,
    keyed: bool,
) -> io::Result<()> {
    out.write_all(b"<Obs")?;
    if keyed {
        write_attributes(out, view.key(observation))?;
    }
    let time = view.head.has_time().then(|| (TIME_PERIOD, view.cube.time_text(observation)));
    let value = view.value(observation).map(|value| ("OBS_VALUE", value));
    write_attributes(out, time.into_iter().chain(value).chain(view.attributes(observation)))?;
    out.write_all(b"/>")
}
