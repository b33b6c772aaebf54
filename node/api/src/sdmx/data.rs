//! Data requests: selects the data sets of a message and writes them one after another.
//!
//! A plain message has one data set. With `updatedAfter` it has the changed observations and the deleted
//! ones; with `includeHistory` it has every vintage and, between two vintages, the deleted observations.

use std::io::{self, Write};
use std::sync::Arc;

use service::Storage;

use crate::sdmx::csv::CsvFormat;
use crate::sdmx::cube::{DataCube, Observation};
use crate::sdmx::data_set::{DataFormat, DataSetAction, DataSetView, MessageContext, ValidityPeriod};
use crate::sdmx::dataflows::{Dataflow, DataflowCatalogue, read_cube};
use crate::sdmx::error::SdmxError;
use crate::sdmx::json_data::JsonData;
use crate::sdmx::negotiation::{FormatOffer, negotiate};
use crate::sdmx::request::DataRequest;
use crate::sdmx::selection::{
    self, changed_observations, first_and_last, removed_observations, select_observations,
};
use crate::sdmx::xml_data::{GenericXml, StructureSpecificXml};
use crate::sdmx::{RestVersion, SdmxMessage, SdmxReply, SdmxRequest, ids};

const XML_GENERIC: &str = "application/vnd.sdmx.genericdata+xml;version=2.1";
const XML_SPECIFIC: &str = "application/vnd.sdmx.structurespecificdata+xml;version=2.1";
const CSV_V1: &str = "application/vnd.sdmx.data+csv;version=1.0.0";
const CSV_V2: &str = "application/vnd.sdmx.data+csv;version=2.0.0";
const JSON_V2: &str = "application/vnd.sdmx.data+json;version=2.0.0";

/// Vintages per message.
const VINTAGES_MAX: usize = 512;

/// Data formats of an interface version, default first.
fn data_formats(base: RestVersion) -> Vec<FormatOffer<Box<dyn DataFormat + Send>>> {
    match base {
        RestVersion::V1 => vec![
            FormatOffer {
                media_type: XML_GENERIC,
                aliases: &["application/xml", "text/xml"],
                format: Box::new(GenericXml),
            },
            FormatOffer { media_type: XML_SPECIFIC, aliases: &[], format: Box::new(StructureSpecificXml) },
            FormatOffer {
                media_type: CSV_V1,
                aliases: &["text/csv", "text/*"],
                format: Box::new(CsvFormat::V1),
            },
        ],
        RestVersion::V2 => vec![
            FormatOffer {
                media_type: CSV_V2,
                aliases: &["text/csv", "text/*"],
                format: Box::new(CsvFormat::V2),
            },
            FormatOffer {
                media_type: JSON_V2,
                aliases: &["application/json"],
                format: Box::new(JsonData::default()),
            },
        ],
    }
}

/// Prepares the response to a data request.
pub(crate) fn prepare_data<K: Storage>(
    catalogue: &DataflowCatalogue<'_, K>,
    request: &SdmxRequest,
    rest: &[&str],
    parameters: DataRequest,
) -> Result<SdmxReply, SdmxError> {
    let FormatOffer { media_type: kind, format, .. } =
        negotiate(&request.accept, data_formats(request.version))?;
    let (agency, id, version, key) = parse_reference(request.version, rest)?;
    ids::check_version(&version, ids::VERSION)?;
    let two = request.version == RestVersion::V2;
    // REST 1.5 has no paging; ignoring these parameters would return other data.
    if !two && (parameters.offset > 0 || parameters.limit.is_some() || !parameters.sort.is_empty()) {
        return Err(SdmxError::not_implemented("`offset`, `limit` or `sort` (parameters of REST 2)"));
    }
    let parameters = parameters.with_key(key.as_deref(), two);
    let flow = catalogue.find_dataflow(&agency, &id, parameters.as_of, parameters.history)?;
    let states = select_states(catalogue, &flow, &parameters)?;
    // The tag names the releases used and how they stand, so that a 304 needs no table.
    let mut made_of = vec![catalogue.release_tag(&flow)?];
    for (since, state) in &states {
        made_of.push(match state {
            Some(flow) => format!("{since} {}", catalogue.release_tag(flow)?),
            None => since.to_string(),
        });
    }
    let tag = request.etag(kind, made_of.into_iter());
    if request.has_cached(&tag) {
        return Ok(SdmxReply::NotModified(tag));
    }
    let head = message_context(catalogue, flow, parameters, &states)?;
    let sets = DataSets::new(catalogue, &head, states)?;
    let storage = Arc::clone(&catalogue.storage);
    let work = move |out: &mut dyn Write| sets.write(out, format, &head, storage.as_ref());
    Ok(SdmxReply::Message(SdmxMessage { media_type: kind, tag, writer: Box::new(work) }))
}

/// State of a dataflow: start time and content; `None` while all releases were retracted.
type DataflowState = (i64, Option<Dataflow>);

/// Returns the states that the message needs in addition to the latest release.
fn select_states<K: Storage>(
    catalogue: &DataflowCatalogue<'_, K>,
    flow: &Dataflow,
    parameters: &DataRequest,
) -> Result<Vec<DataflowState>, SdmxError> {
    if !parameters.history {
        let earlier = |time: i64| (time, catalogue.dataflow_at(flow, time));
        return Ok(parameters.updated_after.map(earlier).into_iter().collect());
    }
    let mut states = catalogue.dataflow_history(flow, parameters.as_of.unwrap_or(i64::MAX));
    states.retain(|(since, _)| parameters.updated_after.is_none_or(|after| *since > after));
    // Each vintage reads a table.
    if states.len() > VINTAGES_MAX {
        let detail = format!("the history has {} vintages, expected at most {VINTAGES_MAX}", states.len());
        return Err(SdmxError::too_large(format!("{detail}; restrict it with `updatedAfter` and `asOf`")));
    }
    Ok(states)
}

/// Checks that the data sets fit into one message and returns their common context.
fn message_context<K: Storage>(
    catalogue: &DataflowCatalogue<'_, K>,
    flow: Dataflow,
    parameters: DataRequest,
    states: &[DataflowState],
) -> Result<MessageContext, SdmxError> {
    let layout = catalogue.load_layout(&flow)?;
    let mut attributes: Vec<String> = layout.attribute_ids().map(str::to_owned).collect();
    for state_flow in states.iter().filter_map(|(_, state_flow)| state_flow.as_ref()) {
        let other = catalogue.load_layout(state_flow)?;
        if other.dimensions() != layout.dimensions() {
            let detail = "one response with vintages of different dimensions (request each with `asOf`)";
            return Err(SdmxError::not_implemented(detail));
        }
        for (id, _) in other.attributes {
            if !attributes.contains(&id) {
                attributes.push(id);
            }
        }
    }
    let origin = flow.provenance().map(|(id, _)| id);
    let known = |id: &&String| attributes.contains(id) || origin.contains(&id.as_str());
    if let Some(id) = parameters.attributes.ids.iter().find(|id| !known(id)) {
        return Err(SdmxError::semantic(format!("`{id}` is not an attribute of this dataflow")));
    }
    attributes.retain(|id| parameters.attributes.includes_observation(id));
    Ok(MessageContext { flow, layout, attributes, request: parameters })
}

/// Data sets of a message, read as far as needed before the first byte is written.
enum DataSets {
    /// The latest release only.
    Latest(DataCube, Vec<Observation>),
    /// Changed and deleted observations.
    Changes { now: (DataCube, Vec<Observation>), gone: Option<Box<(DataCube, Vec<Observation>)>> },
    /// All states. Each is read when its turn comes, so at most two tables are in memory.
    History(Vec<DataflowState>),
}

impl DataSets {
    fn new<K: Storage>(
        catalogue: &DataflowCatalogue<'_, K>,
        head: &MessageContext,
        states: Vec<DataflowState>,
    ) -> Result<Self, SdmxError> {
        let (cube, parameters) = (catalogue.load_cube(&head.flow)?, &head.request);
        let rows = select_observations(&cube, parameters)?;
        // Checks the sort keys now: after the first byte the status can no longer change.
        selection::sort_observations(&cube, &mut [], parameters)?;
        if parameters.history {
            return Ok(Self::History(states));
        }
        match states.into_iter().next() {
            None => Ok(Self::Latest(cube, rows)),
            Some((_, None)) => Ok(Self::Changes { now: (cube, rows), gone: None }),
            Some((_, Some(earlier))) => {
                let earlier = catalogue.load_cube(&earlier)?;
                let rows = changed_observations(&cube, rows, &earlier);
                // The earlier vintage is filtered as well: only requested observations are reported as
                // deleted.
                let gone = removed_observations(&earlier, select_observations(&earlier, parameters)?, &cube);
                Ok(Self::Changes { now: (cube, rows), gone: Some(Box::new((earlier, gone))) })
            }
        }
    }

    fn write<K: Storage>(
        self,
        out: &mut dyn Write,
        mut format: Box<dyn DataFormat + Send>,
        head: &MessageContext,
        storage: &K,
    ) -> io::Result<()> {
        format.write_start(out, head)?;
        let mut writer = DataSetWriter {
            out,
            format: format.as_mut(),
            head,
            skip: head.request.offset,
            remaining: head.request.limit,
        };
        match self {
            Self::Latest(cube, rows) => {
                let rows = first_and_last(&cube, rows, &head.request);
                writer.write_data_set(
                    &head.flow,
                    &cube,
                    rows,
                    DataSetAction::Information,
                    ValidityPeriod::default(),
                )?;
            }
            Self::Changes { now: (cube, rows), gone } => {
                let rows = first_and_last(&cube, rows, &head.request);
                let valid = ValidityPeriod { from: Some(head.flow.release.position.time), to: None };
                writer.write_data_set(&head.flow, &cube, rows, DataSetAction::Replace, valid)?;
                if let Some((cube, rows)) = gone.map(|gone| *gone).filter(|(_, rows)| !rows.is_empty()) {
                    let valid = ValidityPeriod { from: None, to: Some(head.flow.release.position.time) };
                    writer.write_data_set(&head.flow, &cube, rows, DataSetAction::Delete, valid)?;
                }
            }
            Self::History(states) => writer.write_history(states, storage)?,
        }
        format.write_end(out, head)
    }
}

/// Writes data sets and applies `offset` and `limit` across them.
struct DataSetWriter<'a> {
    out: &'a mut dyn Write,
    format: &'a mut dyn DataFormat,
    head: &'a MessageContext,
    skip: usize,
    remaining: Option<usize>,
}

impl DataSetWriter<'_> {
    fn write_data_set(
        &mut self,
        flow: &Dataflow,
        cube: &DataCube,
        mut rows: Vec<Observation>,
        action: DataSetAction,
        valid: ValidityPeriod,
    ) -> io::Result<()> {
        if self.head.request.keys_only() {
            // Rows are ordered by key, so duplicates are adjacent.
            rows.dedup_by(|a, b| cube.same_series(*a, *b));
        }
        selection::sort_observations(cube, &mut rows, &self.head.request).map_err(to_io_error)?;
        let from = self.skip.min(rows.len());
        let to = self.remaining.map_or(rows.len(), |left| from.saturating_add(left).min(rows.len()));
        self.skip -= from;
        self.remaining = self.remaining.map(|left| left - (to - from));
        let rows = rows.get(from..to).unwrap_or_default();
        self.format.write_data_set(
            self.out,
            &DataSetView { head: self.head, flow, cube, observations: rows, action, valid },
        )
    }

    /// Writes every state. Observations that the next state lacks are deleted before it.
    fn write_history<K: Storage>(&mut self, states: Vec<DataflowState>, storage: &K) -> io::Result<()> {
        let mut ends_at =
            states.iter().skip(1).map(|(since, _)| Some(*since)).collect::<Vec<_>>().into_iter();
        let mut last: Option<(Dataflow, DataCube, Vec<Observation>)> = None;
        for (since, flow) in states {
            let state_flow =
                flow.map(|flow| Ok((read_cube(storage, &flow)?, flow))).transpose().map_err(to_io_error)?;
            if let Some((flow, cube, rows)) = last.take() {
                let gone = match &state_flow {
                    Some((next, _)) => removed_observations(&cube, rows, next),
                    None => rows,
                };
                if !gone.is_empty() {
                    self.write_data_set(
                        &flow,
                        &cube,
                        gone,
                        DataSetAction::Delete,
                        ValidityPeriod { from: None, to: Some(since) },
                    )?;
                }
            }
            let valid = ValidityPeriod { from: Some(since), to: ends_at.next().flatten() };
            if let Some((cube, flow)) = state_flow {
                let rows = first_and_last(
                    &cube,
                    select_observations(&cube, &self.head.request).map_err(to_io_error)?,
                    &self.head.request,
                );
                self.write_data_set(&flow, &cube, rows.clone(), DataSetAction::Replace, valid)?;
                last = Some((flow, cube, rows));
            }
        }
        Ok(())
    }
}

fn to_io_error(error: SdmxError) -> io::Error {
    io::Error::other(error.detail)
}

/// Agency, id, version and key of a data path.
type DataReference = (String, String, String, Option<String>);

fn parse_reference(base: RestVersion, rest: &[&str]) -> Result<DataReference, SdmxError> {
    let owned = |text: &&str| (*text).to_owned();
    match (base, rest) {
        (RestVersion::V1, [flow, tail @ ..]) if tail.len() < 3 => {
            let parts: Vec<&str> = flow.split(',').collect();
            let (agency, id, version) = match parts.as_slice() {
                [id] => ("all", *id, "latest"),
                [agency, id] => (*agency, *id, "latest"),
                [agency, id, version] => (*agency, *id, *version),
                _ => {
                    return Err(SdmxError::syntax(format!(
                        "invalid dataflow reference `{flow}`: expected AGENCY,ID,VERSION"
                    )));
                }
            };
            if !matches!(tail.get(1), None | Some(&"all")) {
                return Err(SdmxError::not_implemented("selection by provider"));
            }
            Ok((agency.into(), id.into(), version.into(), tail.first().map(owned)))
        }
        (RestVersion::V2, ["dataflow", agency, id, tail @ ..]) if tail.len() < 3 => {
            let version = tail.first().copied().unwrap_or("*");
            Ok((owned(agency), owned(id), version.into(), tail.get(1).map(owned)))
        }
        _ => Err(SdmxError::not_implemented("data of this context")),
    }
}
