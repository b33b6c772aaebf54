//! Data as SDMX-ML 2.1, generic and structure-specific.
//!
//! The header names the structure by `Structure`, since `StructureUsage` breaks pandasdmx. A data
//! set stands there even when it is empty: sdmx1 and rsdmx do not read an answer without.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::sdmx::cube::{Place, TIME};
use crate::sdmx::ids::VERSION;
use crate::sdmx::view::{Format, Head, View};
use crate::sdmx::xml::{self, escape};

/// The generic message.
pub(crate) struct Generic;

impl Format for Generic {
    fn begin(&mut self, out: &mut dyn Write, head: &Head) -> io::Result<()> {
        write!(
            out,
            "{}<mes:GenericData xmlns:mes=\"{}\" xmlns:gen=\"{}\" xmlns:com=\"{}\">\n{}\n",
            xml::HEAD,
            xml::MESSAGE,
            xml::GENERIC,
            xml::COMMON,
            header(head, "")
        )
    }

    fn set(&mut self, out: &mut dyn Write, view: &View<'_>) -> io::Result<()> {
        write!(out, "<mes:DataSet structureRef=\"{}\" {}>", view.flow.id, action(view))?;
        let origin = view.origin();
        parts(out, "Attributes", origin.iter().map(|(id, text)| (*id, Cow::Borrowed(text.as_str()))))?;
        if view.head.flat() {
            for place in view.rows {
                generic_flat(out, view, *place)?;
            }
        } else {
            for series in view.series() {
                generic_series(out, view, series)?;
            }
        }
        out.write_all(b"</mes:DataSet>\n")
    }

    fn end(&mut self, out: &mut dyn Write, _: &Head) -> io::Result<()> {
        out.write_all(b"</mes:GenericData>\n")
    }
}

/// The structure-specific message.
pub(crate) struct Specific;

impl Format for Specific {
    fn begin(&mut self, out: &mut dyn Write, head: &Head) -> io::Result<()> {
        let (agency, id) = (&head.flow.agency, &head.flow.id);
        let space = format!(
            "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure={agency}:{id}({VERSION}):ObsLevelDim:{}",
            head.at_observation()
        );
        write!(
            out,
            "{}<mes:StructureSpecificData xmlns:mes=\"{}\" xmlns:ss=\"{}\" xmlns:com=\"{}\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:ns1=\"{space}\">\n{}\n",
            xml::HEAD,
            xml::MESSAGE,
            xml::SPECIFIC,
            xml::COMMON,
            header(head, &format!(" namespace=\"{space}\""))
        )
    }

    fn set(&mut self, out: &mut dyn Write, view: &View<'_>) -> io::Result<()> {
        write!(
            out,
            "<mes:DataSet ss:structureRef=\"{}\" xsi:type=\"ns1:DataSetType\" \
             ss:dataScope=\"DataStructure\" {}",
            view.flow.id,
            action(view)
        )?;
        let origin = view.origin();
        named(out, origin.iter().map(|(id, text)| (*id, Cow::Borrowed(text.as_str()))))?;
        out.write_all(b">")?;
        if view.head.flat() {
            for place in view.rows {
                observation(out, view, *place, true)?;
            }
        } else {
            for series in view.series() {
                specific_series(out, view, series)?;
            }
        }
        out.write_all(b"</mes:DataSet>\n")
    }

    fn end(&mut self, out: &mut dyn Write, _: &Head) -> io::Result<()> {
        out.write_all(b"</mes:StructureSpecificData>\n")
    }
}

fn header(head: &Head, more: &str) -> String {
    let (agency, id) = (&head.flow.agency, &head.flow.id);
    format!(
        "<mes:Header>{}<mes:Structure structureID=\"{id}\"{more} dimensionAtObservation=\"{}\">\
         <com:Structure><Ref id=\"{id}\" agencyID=\"{agency}\" version=\"{VERSION}\" \
         class=\"DataStructure\"/></com:Structure></mes:Structure></mes:Header>",
        xml::header(head.flow.now, agency),
        head.at_observation()
    )
}

fn action(view: &View<'_>) -> String {
    let valid = view.valid.texts().into_iter().filter_map(|(name, time)| Some((name, time?)));
    let valid: String = valid.map(|(name, time)| format!(" {name}Date=\"{time}\"")).collect();
    format!("action=\"{}\"{valid}", view.action.word())
}

/// A list of values in an element; nothing where there are none.
fn parts<'a>(
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

fn generic_series(out: &mut dyn Write, view: &View<'_>, series: &[Place]) -> io::Result<()> {
    let Some(first) = series.first() else { return Ok(()) };
    out.write_all(b"<gen:Series>")?;
    parts(out, "SeriesKey", view.key(*first))?;
    let rows = if view.head.wanted.keys_only() { &[] } else { series };
    for place in rows {
        write!(out, "<gen:Obs><gen:ObsDimension value=\"{}\"/>", escape(&view.cube.time(*place)))?;
        figure(out, view, *place)?;
    }
    out.write_all(b"</gen:Series>\n")
}

fn figure(out: &mut dyn Write, view: &View<'_>, place: Place) -> io::Result<()> {
    if let Some(value) = view.value(place) {
        write!(out, "<gen:ObsValue value=\"{}\"/>", escape(&value))?;
    }
    parts(out, "Attributes", view.attributes(place).into_iter())?;
    out.write_all(b"</gen:Obs>")
}

fn generic_flat(out: &mut dyn Write, view: &View<'_>, place: Place) -> io::Result<()> {
    let time = view.head.timed().then(|| (TIME, view.cube.time(place)));
    out.write_all(b"<gen:Obs>")?;
    parts(out, "ObsKey", view.key(place).chain(time))?;
    figure(out, view, place)?;
    out.write_all(b"\n")
}

fn named<'a>(out: &mut dyn Write, values: impl Iterator<Item = (&'a str, Cow<'a, str>)>) -> io::Result<()> {
    for (id, text) in values {
        write!(out, " {id}=\"{}\"", escape(&text))?;
    }
    Ok(())
}

fn specific_series(out: &mut dyn Write, view: &View<'_>, series: &[Place]) -> io::Result<()> {
    let Some(first) = series.first() else { return Ok(()) };
    out.write_all(b"<Series")?;
    named(out, view.key(*first))?;
    out.write_all(b">")?;
    let rows = if view.head.wanted.keys_only() { &[] } else { series };
    for place in rows {
        observation(out, view, *place, false)?;
    }
    out.write_all(b"</Series>\n")
}

fn observation(out: &mut dyn Write, view: &View<'_>, place: Place, keyed: bool) -> io::Result<()> {
    out.write_all(b"<Obs")?;
    if keyed {
        named(out, view.key(place))?;
    }
    let time = view.head.timed().then(|| (TIME, view.cube.time(place)));
    let value = view.value(place).map(|value| ("OBS_VALUE", value));
    named(out, time.into_iter().chain(value).chain(view.attributes(place)))?;
    out.write_all(b"/>")
}
