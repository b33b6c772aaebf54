//! Requests for data: which data sets an answer has, and their writing, one after another.
//!
//! A plain answer has one. `updatedAfter` gives what changed, and what disappeared to be deleted;
//! `includeHistory` every vintage, and between two of them what the later one no longer has.

use std::io::{self, Write};
use std::sync::Arc;

use service::Keep;

use crate::sdmx::accept::{Served, chosen};
use crate::sdmx::catalogue::{Catalogue, Flow, cube};
use crate::sdmx::csv::Csv;
use crate::sdmx::cube::{Cube, Place};
use crate::sdmx::fault::Fault;
use crate::sdmx::jsondata::Json;
use crate::sdmx::select::{self, changed, ends, gone, select};
use crate::sdmx::view::{Action, Format, Head, Valid, View};
use crate::sdmx::wanted::Wanted;
use crate::sdmx::xmldata::{Generic, Specific};
use crate::sdmx::{Base, Message, Question, Reply, ids};

const GENERIC: &str = "application/vnd.sdmx.genericdata+xml;version=2.1";
const SPECIFIC: &str = "application/vnd.sdmx.structurespecificdata+xml;version=2.1";
const CSV_ONE: &str = "application/vnd.sdmx.data+csv;version=1.0.0";
const CSV_TWO: &str = "application/vnd.sdmx.data+csv;version=2.0.0";
const JSON: &str = "application/vnd.sdmx.data+json;version=2.0.0";

/// Vintages of one answer.
const VINTAGES_MAX: usize = 512;

/// The formats of data.
fn formats(base: Base) -> Vec<Served<Box<dyn Format + Send>>> {
    match base {
        Base::One => vec![
            Served { kind: GENERIC, also: &["application/xml", "text/xml"], format: Box::new(Generic) },
            Served { kind: SPECIFIC, also: &[], format: Box::new(Specific) },
            Served { kind: CSV_ONE, also: &["text/csv", "text/*"], format: Box::new(Csv::One) },
        ],
        Base::Two => vec![
            Served { kind: CSV_TWO, also: &["text/csv", "text/*"], format: Box::new(Csv::Two) },
            Served { kind: JSON, also: &["application/json"], format: Box::new(Json::default()) },
        ],
    }
}

/// What is asked for, made ready to be written.
pub(crate) fn answer<K: Keep>(
    catalogue: &Catalogue<'_, K>,
    question: &Question,
    rest: &[&str],
    wanted: Wanted,
) -> Result<Reply, Fault> {
    let Served { kind, format, .. } = chosen(&question.accept, formats(question.base))?;
    let (agency, id, version, key) = reference(question.base, rest)?;
    ids::version(&version, ids::VERSION)?;
    let two = question.base == Base::Two;
    if !two && (wanted.offset > 0 || wanted.limit.is_some() || !wanted.sort.is_empty()) {
        return Err(Fault::unbuilt("`offset`, `limit` or `sort` in REST 1, which has none,"));
    }
    let wanted = wanted.keyed(key.as_deref(), two);
    let flow = catalogue.one(&agency, &id, wanted.asof, wanted.history)?;
    let states = states(catalogue, &flow, &wanted)?;
    let releases = states.iter().map(|state| match &state.1 {
        Some(flow) => format!("{} {}", state.0, flow.release.id),
        None => state.0.to_string(),
    });
    let tag = question.tag(kind, releases.chain([flow.release.id.to_string()]));
    if question.knows(&tag) {
        return Ok(Reply::Same(tag));
    }
    let head = head(catalogue, flow, wanted, &states)?;
    let sets = Sets::new(catalogue, &head, states)?;
    let keep = Arc::clone(&catalogue.keep);
    let work = move |out: &mut dyn Write| sets.write(out, format, &head, keep.as_ref());
    Ok(Reply::Made(Message { kind, tag, work: Box::new(work) }))
}

/// A state of a dataflow: since when, and what; nothing while no release stood.
type State = (i64, Option<Flow>);

/// The states that an answer is made of, beside the latest.
fn states<K: Keep>(catalogue: &Catalogue<'_, K>, flow: &Flow, wanted: &Wanted) -> Result<Vec<State>, Fault> {
    if !wanted.history {
        let earlier = |time: i64| (time, catalogue.before(flow, time));
        return Ok(wanted.updated_after.map(earlier).into_iter().collect());
    }
    let mut states = catalogue.history(flow, wanted.asof.unwrap_or(i64::MAX));
    states.retain(|(since, _)| wanted.updated_after.is_none_or(|after| *since > after));
    if states.len() > VINTAGES_MAX {
        let detail = format!("{} vintages, at most {VINTAGES_MAX}", states.len());
        return Err(Fault::large(format!("{detail}: take a part of them with updatedAfter and asOf")));
    }
    Ok(states)
}

/// What the data sets share, once it is known that they fit together.
fn head<K: Keep>(
    catalogue: &Catalogue<'_, K>,
    flow: Flow,
    wanted: Wanted,
    states: &[State],
) -> Result<Head, Fault> {
    let layout = catalogue.layout(&flow)?;
    let mut attributes: Vec<String> = layout.attributes.iter().map(|(id, _)| id.clone()).collect();
    for held in states.iter().filter_map(|(_, held)| held.as_ref()) {
        let other = catalogue.layout(held)?;
        if other.dimensions() != layout.dimensions() {
            let detail = "vintages with other dimensions in one answer (`asOf` gives each by itself)";
            return Err(Fault::unbuilt(detail));
        }
        for (id, _) in other.attributes {
            if !attributes.contains(&id) {
                attributes.push(id);
            }
        }
    }
    let origin = flow.origin().map(|(id, _)| id);
    let known = |id: &&String| attributes.contains(id) || origin.contains(&id.as_str());
    if let Some(id) = wanted.attributes.named.iter().find(|id| !known(id)) {
        return Err(Fault::meaning(format!("`{id}` is no attribute of this dataflow")));
    }
    attributes.retain(|id| wanted.attributes.of_observation(id));
    Ok(Head { flow, layout, attributes, wanted })
}

/// The data sets of an answer, as far as they must be read before it begins.
enum Sets {
    /// The latest release.
    One(Cube, Vec<Place>),
    /// What changed, and what disappeared.
    Changes { now: (Cube, Vec<Place>), gone: Option<(Cube, Vec<Place>)> },
    /// Every state in turn, each read when it is written.
    All(Vec<State>),
}

impl Sets {
    fn new<K: Keep>(catalogue: &Catalogue<'_, K>, head: &Head, states: Vec<State>) -> Result<Self, Fault> {
        let (cube, wanted) = (catalogue.cube(&head.flow)?, &head.wanted);
        let rows = select(&cube, wanted)?;
        // Before anything is written, for a wrong id is told with a status.
        select::sort(&cube, &mut [], wanted)?;
        if wanted.history {
            return Ok(Self::All(states));
        }
        match states.into_iter().next() {
            None => Ok(Self::One(cube, rows)),
            Some((_, None)) => Ok(Self::Changes { now: (cube, rows), gone: None }),
            Some((_, Some(earlier))) => {
                let earlier = catalogue.cube(&earlier)?;
                let rows = changed(&cube, rows, &earlier);
                let gone = gone(&earlier, select(&earlier, wanted)?, &cube);
                Ok(Self::Changes { now: (cube, rows), gone: Some((earlier, gone)) })
            }
        }
    }

    fn write<K: Keep>(
        self,
        out: &mut dyn Write,
        mut format: Box<dyn Format + Send>,
        head: &Head,
        keep: &K,
    ) -> io::Result<()> {
        format.begin(out, head)?;
        let mut writer =
            Writer { out, format: format.as_mut(), head, skip: head.wanted.offset, left: head.wanted.limit };
        match self {
            Self::One(cube, rows) => {
                let rows = ends(&cube, rows, &head.wanted);
                writer.set(&head.flow, &cube, rows, Action::Information, Valid::default())?;
            }
            Self::Changes { now: (cube, rows), gone } => {
                let rows = ends(&cube, rows, &head.wanted);
                let valid = Valid { from: Some(head.flow.release.placed.time), to: None };
                writer.set(&head.flow, &cube, rows, Action::Replace, valid)?;
                if let Some((cube, rows)) = gone.filter(|(_, rows)| !rows.is_empty()) {
                    let valid = Valid { from: None, to: Some(head.flow.release.placed.time) };
                    writer.set(&head.flow, &cube, rows, Action::Delete, valid)?;
                }
            }
            Self::All(states) => writer.history(states, keep)?,
        }
        format.end(out, head)
    }
}

/// Writes data sets, counting what is left out and what may still be told.
struct Writer<'a> {
    out: &'a mut dyn Write,
    format: &'a mut dyn Format,
    head: &'a Head,
    skip: usize,
    left: Option<usize>,
}

impl Writer<'_> {
    fn set(
        &mut self,
        flow: &Flow,
        cube: &Cube,
        mut rows: Vec<Place>,
        action: Action,
        valid: Valid,
    ) -> io::Result<()> {
        if self.head.wanted.keys_only() {
            rows.dedup_by(|a, b| cube.same_series(*a, *b));
        }
        select::sort(cube, &mut rows, &self.head.wanted).map_err(stopped)?;
        let from = self.skip.min(rows.len());
        let to = self.left.map_or(rows.len(), |left| from.saturating_add(left).min(rows.len()));
        self.skip -= from;
        self.left = self.left.map(|left| left - (to - from));
        let rows = rows.get(from..to).unwrap_or_default();
        self.format.set(self.out, &View { head: self.head, flow, cube, rows, action, valid })
    }

    /// Every state; what the next one does not have is deleted before it.
    fn history<K: Keep>(&mut self, states: Vec<State>, keep: &K) -> io::Result<()> {
        let mut ends_at =
            states.iter().skip(1).map(|(since, _)| Some(*since)).collect::<Vec<_>>().into_iter();
        let mut last: Option<(Flow, Cube, Vec<Place>)> = None;
        for (since, flow) in states {
            let held = flow.map(|flow| Ok((cube(keep, &flow)?, flow))).transpose().map_err(stopped)?;
            if let Some((flow, cube, rows)) = last.take() {
                let gone = match &held {
                    Some((next, _)) => gone(&cube, rows, next),
                    None => rows,
                };
                if !gone.is_empty() {
                    self.set(&flow, &cube, gone, Action::Delete, Valid { from: None, to: Some(since) })?;
                }
            }
            let valid = Valid { from: Some(since), to: ends_at.next().flatten() };
            if let Some((cube, flow)) = held {
                let rows = ends(&cube, select(&cube, &self.head.wanted).map_err(stopped)?, &self.head.wanted);
                self.set(&flow, &cube, rows.clone(), Action::Replace, valid)?;
                last = Some((flow, cube, rows));
            }
        }
        Ok(())
    }
}

fn stopped(fault: Fault) -> io::Error {
    io::Error::other(fault.detail)
}

/// Agency, id, version and key that a path of data names.
type Reference = (String, String, String, Option<String>);

fn reference(base: Base, rest: &[&str]) -> Result<Reference, Fault> {
    let owned = |text: &&str| (*text).to_owned();
    match (base, rest) {
        (Base::One, [flow, tail @ ..]) if tail.len() < 3 => {
            let parts: Vec<&str> = flow.split(',').collect();
            let (agency, id, version) = match parts.as_slice() {
                [id] => ("all", *id, "latest"),
                [agency, id] => (*agency, *id, "latest"),
                [agency, id, version] => (*agency, *id, *version),
                _ => {
                    return Err(Fault::syntax(format!(
                        "`{flow}` is no dataflow: expected AGENCY,ID,VERSION"
                    )));
                }
            };
            if !matches!(tail.get(1), None | Some(&"all")) {
                return Err(Fault::unbuilt("a choice of providers"));
            }
            Ok((agency.into(), id.into(), version.into(), tail.first().map(owned)))
        }
        (Base::Two, ["dataflow", agency, id, tail @ ..]) if tail.len() < 3 => {
            let version = tail.first().copied().unwrap_or("*");
            Ok((owned(agency), owned(id), version.into(), tail.get(1).map(owned)))
        }
        _ => Err(Fault::unbuilt("data of that context")),
    }
}
