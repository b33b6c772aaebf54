//! SDMX-CSV 1.0 and 2.0, and similar CSV of some services.
//!
//! The header does not state the dimensions: they are the columns before time and figure, except for
//! ids that are attributes in every structure. Labels (`labels=both`, `labels=name`) become code lists.
//! Values of several parts are kept as in the cell.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::build::metadata::CodeNames;
use crate::build::observations::{AttributeGroup, ObservationBuilder};
use crate::csv::records::{self, CsvReader, CsvRecord};
use crate::error::ImportError;
use crate::formats::sdmx::{self, FIGURE, GROUPS_MAX, STATUS, SdmxHeader, TIME, roles};
use crate::import::ReadRequest;
use crate::values::cell;
use crate::{Format, ImportOptions, ImportedTable, SourceFile};

/// Possible delimiters.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Values of a dimension that a row leaves open.
const OPEN: [&str; 2] = ["", "~"];

/// Whether a header is that of such a file.
pub(crate) fn is_header(header: &CsvRecord<'_>) -> bool {
    let first = column_id(header.cell(0));
    let has = |name: &str| (0..header.cells.len()).any(|at| column_id(header.cell(at)) == name);
    match &*first {
        "STRUCTURE" => has("STRUCTURE_ID"),
        "DATAFLOW" | "KEY" => has(FIGURE),
        // Downloads of OECD.Stat before it had SDMX-CSV: a column of names beside each code.
        "LOCATION" => has(FIGURE) && has("TIME") && has("Time"),
        _ => false,
    }
}

/// The delimiter of a text: the character after its first cell.
pub(crate) fn detect_delimiter(text: &str) -> u8 {
    let line = text.lines().next().unwrap_or_default();
    let rest = line.trim_start_matches(|c: char| c == '"' || c.is_ascii_alphanumeric() || c == '_');
    // `STRUCTURE[;]` states the separator of values within a cell, not the delimiter.
    let rest = rest.split_once(']').filter(|_| rest.starts_with('[')).map_or(rest, |(_, rest)| rest);
    let first = rest.bytes().find(|byte| *byte != b'"');
    first.filter(|byte| DELIMITERS.contains(byte)).unwrap_or(b',')
}

/// The id in a header cell, without its label and its separator of values, as in `DIM[;]: Name`.
fn column_id(cell: &str) -> Cow<'_, str> {
    let id = match cell.split(':').next().unwrap_or_default().trim() {
        "Value" => FIGURE,
        "Flag Codes" => STATUS[0],
        id => id,
    };
    if !id.contains('[') {
        return Cow::Borrowed(id);
    }
    let parts = id.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest));
    Cow::Owned(parts.collect())
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, options, progress, .. } = request;
    let text = records::decode_text(source.bytes)?;
    let delimiter = detect_delimiter(text);
    let mut reader = CsvReader::new(text, delimiter);
    let mut record = CsvRecord::default();
    reader.read_record(&mut record)?;
    let mut table =
        SdmxCsvReader::new(&record, options, delimiter != b',').map_err(|error| error.line(record.line))?;
    let width = record.cells.len();
    loop {
        reader.report_progress(progress);
        if !reader.read_record(&mut record)? {
            break;
        }
        record.check_width(width)?;
        table.add_row(&record).map_err(|error| error.line(record.line))?;
    }
    table.finish(source)
}

/// The purpose of a column of the file.
enum ColumnPurpose {
    /// Columns about the message: type, id and name of the structure, action, last update.
    Structure,
    StructureId,
    StructureName,
    Action,
    Updated,
    /// The key of a series; its first part is the dataflow.
    Key,
    Time,
    Figure,
    /// Column of the builder.
    Dimension(usize),
    Attribute(usize),
    /// The name of the code in the column before it.
    Name(usize),
    Skip,
}

/// A file while it is read.
struct SdmxCsvReader<'a> {
    builder: ObservationBuilder,
    parts: Vec<ColumnPurpose>,
    options: &'a ImportOptions,
    decimal_comma: bool,
    /// Whether cells have the form `code: name`.
    labelled: bool,
    has_time: bool,
    status: Vec<usize>,
    /// Id and title of the dataflow: the smallest id, so that the order of rows does not matter.
    flow: Option<(String, String)>,
    updated: String,
    names: BTreeMap<usize, CodeNames>,
    groups: Vec<AttributeGroup>,
}

impl<'a> SdmxCsvReader<'a> {
    fn new(
        header: &CsvRecord<'_>,
        options: &'a ImportOptions,
        decimal_comma: bool,
    ) -> Result<Self, ImportError> {
        let titles: Vec<&str> = (0..header.cells.len()).map(|at| header.cell(at)).collect();
        let mut builder = ObservationBuilder::new(&[FIGURE]);
        let parts = classify_columns(&titles, &mut builder)?;
        let status = STATUS.iter().filter(|id| titles.iter().any(|title| self::column_id(title) == **id));
        let status =
            status.map(|id| builder.column_index(id)).collect::<Result<Vec<usize>, ImportError>>()?;
        Ok(Self {
            builder,
            options,
            decimal_comma,
            labelled: titles.iter().any(|title| title.contains(':')),
            has_time: parts.iter().any(|part| matches!(part, ColumnPurpose::Time)),
            parts,
            status,
            flow: None,
            updated: String::new(),
            names: BTreeMap::new(),
            groups: Vec::new(),
        })
    }

    fn add_row(&mut self, record: &CsvRecord<'_>) -> Result<(), ImportError> {
        let (mut period, mut cell, mut open) = (None, "", false);
        for at in 0..self.parts.len() {
            let text = record.cell(at);
            match self.parts.get(at).unwrap_or(&ColumnPurpose::Skip) {
                ColumnPurpose::Dimension(position) => {
                    open |= OPEN.contains(&text);
                    self.builder.set_value(*position, text);
                }
                ColumnPurpose::Attribute(position) => drop(self.builder.set_value(*position, text)),
                ColumnPurpose::Time => {
                    open |= OPEN.contains(&text);
                    period = Some(text).filter(|text| !OPEN.contains(text));
                }
                ColumnPurpose::Figure => cell = text,
                ColumnPurpose::Name(position) => {
                    keep_smallest_name(self.names.entry(*position).or_default(), record.cell(at - 1), text)
                }
                ColumnPurpose::Skip | ColumnPurpose::Structure => {}
                _ => self.about(at, text, record)?,
            }
        }
        let number = if self.labelled { code_of_label(cell) } else { cell };
        let figure = self.figure(number).map_err(|error| error.column(FIGURE))?;
        // SDMX-CSV 2.0: a row without a figure may leave dimensions open, and is a group then.
        if open && figure.is_none() {
            return self.group(record);
        }
        let period = period.map(|text| {
            let text = if self.labelled { code_of_label(text) } else { text };
            sdmx::parse_period(text, self.options.frequency).map_err(|error| error.column(TIME[0]))
        });
        let period = period.transpose()?;
        // The time is a dimension like the others; a group was handled above.
        if period.is_none() && self.has_time {
            return Err(ImportError::new("identifier", "an identifier must not be empty").column(TIME[0]));
        }
        if figure.is_none() {
            self.builder.missing.count(number);
        }
        let has_status = self.status.iter().any(|position| self.builder.has_value(*position));
        self.builder.push(period, &[figure], has_status, record.line)
    }

    fn figure(&self, cell: &str) -> Result<Option<schemas::decimal::Decimal>, ImportError> {
        // Services that use a decimal comma use a delimiter other than the comma.
        if self.decimal_comma && cell.contains(',') {
            return cell::parse_comma_number(cell).map(Some);
        }
        sdmx::parse_figure(cell)
    }

    /// Handles a cell about the message.
    fn about(&mut self, at: usize, text: &str, record: &CsvRecord<'_>) -> Result<(), ImportError> {
        match self.parts.get(at) {
            Some(ColumnPurpose::Action) => check_action(text)?,
            Some(ColumnPurpose::StructureId) => {
                let (id, title) = text.split_once(": ").unwrap_or((text, ""));
                let next = self.parts.get(at + 1);
                let title = if matches!(next, Some(ColumnPurpose::StructureName)) {
                    record.cell(at + 1)
                } else {
                    title
                };
                if self.flow.as_ref().is_none_or(|(known, _)| id < known.as_str()) {
                    self.flow = Some((id.to_owned(), title.to_owned()));
                }
            }
            Some(ColumnPurpose::Key) => {
                let id = text.split('.').next().unwrap_or_default();
                if self.flow.as_ref().is_none_or(|(known, _)| id < known.as_str()) {
                    self.flow = Some((id.to_owned(), String::new()));
                }
            }
            // The days have one form, so that the greatest text is the latest.
            Some(ColumnPurpose::Updated) if *text > *self.updated => text.clone_into(&mut self.updated),
            _ => {}
        }
        Ok(())
    }

    /// Handles a row with open dimensions: its attributes belong to all observations with the others.
    fn group(&mut self, record: &CsvRecord<'_>) -> Result<(), ImportError> {
        if self.groups.len() == GROUPS_MAX {
            return Err(ImportError::new("group", format!("more than {GROUPS_MAX} rows without a figure")));
        }
        let (mut key, mut attributes) = (Vec::new(), Vec::new());
        for (at, part) in self.parts.iter().enumerate() {
            let text = record.cell(at);
            match part {
                ColumnPurpose::Dimension(position) if !OPEN.contains(&text) => {
                    key.push((*position, text.to_owned()))
                }
                ColumnPurpose::Attribute(position) if !text.is_empty() => {
                    attributes.push((*position, text.to_owned()))
                }
                _ => {}
            }
        }
        self.builder.rows += 1;
        self.groups.push(AttributeGroup::new(key, attributes));
        Ok(())
    }

    fn finish(mut self, source: SourceFile<'_>) -> Result<ImportedTable, ImportError> {
        self.builder.apply_groups(&self.groups)?;
        let ids: Vec<String> = self.builder.column_ids().map(str::to_owned).collect();
        let mut header = SdmxHeader::default();
        for (position, id) in ids.iter().enumerate() {
            let labels = if self.labelled { self.builder.split_labels(position) } else { None };
            let names = self.names.remove(&position).or(labels);
            header.names.extend(names.map(|names| (id.clone(), names)));
        }
        if let Some((id, title)) = self.flow {
            header.set_reference(&id);
            header.title = title;
        }
        header.set_day(&self.updated);
        let positions = |wanted: fn(&ColumnPurpose) -> Option<usize>| {
            self.parts.iter().filter_map(wanted).collect::<Vec<_>>()
        };
        let dimensions =
            positions(
                |part| if let ColumnPurpose::Dimension(position) = part { Some(*position) } else { None },
            );
        let attributes =
            positions(
                |part| if let ColumnPurpose::Attribute(position) = part { Some(*position) } else { None },
            );
        let read = self.builder.into_table(&dimensions, &attributes)?;
        header.with_table(Format::SdmxCsv, source, read)
    }
}

/// The purpose of each column.
fn classify_columns(
    titles: &[&str],
    builder: &mut ObservationBuilder,
) -> Result<Vec<ColumnPurpose>, ImportError> {
    let find = |names: &[&str]| titles.iter().position(|title| names.contains(&&*column_id(title)));
    let figure = find(&[FIGURE]).ok_or_else(|| {
        ImportError::new("column-missing", format!("expected the column `{FIGURE}`"))
            .value(titles.iter().take(8).copied().collect::<Vec<_>>().join(","))
            .hint("state its measure: import it as `csv` with a mapping")
    })?;
    // The time may be absent, or come after the figure.
    let border = find(&TIME).map_or(figure, |time| time.min(figure));
    // With `labels=name` every second column has names.
    let named = titles.contains(&"STRUCTURE_NAME") || titles.contains(&"Time");
    let mut parts: Vec<ColumnPurpose> = Vec::with_capacity(titles.len());
    for (at, title) in titles.iter().enumerate() {
        let id = &*column_id(title);
        let about = match id {
            "STRUCTURE" if at == 0 => Some(ColumnPurpose::Structure),
            "STRUCTURE_ID" | "DATAFLOW" => Some(ColumnPurpose::StructureId),
            "STRUCTURE_NAME" => Some(ColumnPurpose::StructureName),
            "ACTION" => Some(ColumnPurpose::Action),
            "LAST UPDATE" => Some(ColumnPurpose::Updated),
            "KEY" if at == 0 => Some(ColumnPurpose::Key),
            "SERIES_KEY" | "OBS_KEY" | "" => Some(ColumnPurpose::Skip),
            _ => None,
        };
        let part = match (about, parts.last()) {
            (Some(part), _) => part,
            (None, Some(ColumnPurpose::Dimension(position) | ColumnPurpose::Attribute(position)))
                if named =>
            {
                ColumnPurpose::Name(*position)
            }
            (None, Some(ColumnPurpose::Time | ColumnPurpose::Figure)) if named && id != STATUS[0] => {
                ColumnPurpose::Skip
            }
            (None, _) if TIME.contains(&id) => ColumnPurpose::Time,
            (None, _) if at == figure => ColumnPurpose::Figure,
            (None, _) => {
                let position = builder.column_index(id)?;
                let twice = |part: &ColumnPurpose| matches!(part, ColumnPurpose::Dimension(at) | ColumnPurpose::Attribute(at) if *at == position);
                if parts.iter().any(twice) {
                    return Err(ImportError::new("column-twice", format!("two columns are called `{id}`")));
                }
                if at < border && !roles::is_attribute(id) {
                    ColumnPurpose::Dimension(position)
                } else {
                    ColumnPurpose::Attribute(position)
                }
            }
        };
        parts.push(part);
    }
    Ok(parts)
}

/// Refuses deletions and unknown actions.
fn check_action(text: &str) -> Result<(), ImportError> {
    match code_of_label(text) {
        "" | "I" | "A" | "M" | "R" => Ok(()),
        "D" => Err(sdmx::deletion_error().column("ACTION")),
        _ => Err(ImportError::new("action", "expected an action: I, A, M, R or D")
            .column("ACTION")
            .value(text)),
    }
}

/// The code in `code: name`.
fn code_of_label(cell: &str) -> &str {
    cell.split_once(": ").map_or(cell, |(code, _)| code)
}

/// Keeps the smallest name of a code, so that the result does not depend on the order of rows.
fn keep_smallest_name(names: &mut CodeNames, code: &str, name: &str) {
    if name.is_empty() {
        return;
    }
    match names.get_mut(code) {
        Some(known) if name < known.as_str() => name.clone_into(known),
        Some(_) => {}
        None => drop(names.insert(code.to_owned(), name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_delimiters_and_ids() {
        for (text, expected) in [
            ("STRUCTURE,STRUCTURE_ID", b','),
            ("STRUCTURE[;],STRUCTURE_ID", b','),
            ("STRUCTURE[|];STRUCTURE_ID;ACTION", b';'),
            ("\"DATAFLOW\",\"FREQ\"", b','),
            ("DATAFLOW\tFREQ", b'\t'),
            ("DATAFLOW", b','),
        ] {
            assert_eq!(detect_delimiter(text), expected, "{text}");
        }
        for (cell, expected) in [
            ("STRUCTURE[;]", "STRUCTURE"),
            ("DIM_1: Dimension 1", "DIM_1"),
            ("FREQ:Frequency", "FREQ"),
            ("CONTACT[].NAME[en;fr]", "CONTACT.NAME"),
        ] {
            assert_eq!(column_id(cell), expected);
        }
    }

    #[test]
    fn actions() {
        for text in ["I", "A", "M", "R", "", "I: Information"] {
            assert_eq!(check_action(text), Ok(()));
        }
        assert_eq!(check_action("D").unwrap_err().code, "deletion");
        assert_eq!(check_action("X").unwrap_err().code, "action");
    }
}
