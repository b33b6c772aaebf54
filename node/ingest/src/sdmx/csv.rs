//! SDMX-CSV 1.0 and 2.0, and the CSV of services that are close to it.
//!
//! The header does not say which columns are dimensions: those before the time and the figure are,
//! unless no structure has a dimension of that name. Labels (`labels=both`, `labels=name`) become
//! code lists. Values of several parts are kept as they stand in the cell.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::error::ImportError;
use crate::heading::Names;
use crate::records::{self, Reader, Record};
use crate::sdmx::{self, FIGURE, GROUPS_MAX, Header, STATUS, TIME, roles};
use crate::sheet::{Group, Sheet};
use crate::{Format, ImportOptions, ImportedTable, SourceFile, value};

/// What may stand between cells.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// A dimension that a row leaves open.
const OPEN: [&str; 2] = ["", "~"];

/// Whether a header is that of such a file.
pub(crate) fn is_header(header: &Record<'_>) -> bool {
    let first = id(header.cell(0));
    let has = |name: &str| (0..header.cells.len()).any(|at| id(header.cell(at)) == name);
    match &*first {
        "STRUCTURE" => has("STRUCTURE_ID"),
        "DATAFLOW" | "KEY" => has(FIGURE),
        // The downloads of OECD.Stat, before it had SDMX-CSV: names beside all codes.
        "LOCATION" => has(FIGURE) && has("TIME") && has("Time"),
        _ => false,
    }
}

/// The delimiter of a text, by what follows its first cell.
pub(crate) fn delimiter(text: &str) -> u8 {
    let line = text.lines().next().unwrap_or_default();
    let rest = line.trim_start_matches(|c: char| c == '"' || c.is_ascii_alphanumeric() || c == '_');
    // `STRUCTURE[;]` says what splits values, not cells.
    let rest = rest.split_once(']').filter(|_| rest.starts_with('[')).map_or(rest, |(_, rest)| rest);
    let first = rest.bytes().find(|byte| *byte != b'"');
    first.filter(|byte| DELIMITERS.contains(byte)).unwrap_or(b',')
}

/// The id in a header cell, without its name and its marks for values of several parts.
fn id(cell: &str) -> Cow<'_, str> {
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
pub(crate) fn read(
    source: SourceFile<'_>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let text = records::text(source.bytes)?;
    let delimiter = delimiter(text);
    let mut reader = Reader::new(text, delimiter);
    let mut record = Record::default();
    reader.read(&mut record)?;
    let mut table =
        Reading::new(&record, options, delimiter != b',').map_err(|fault| fault.line(record.line))?;
    let width = record.cells.len();
    loop {
        reader.tick(progress);
        if !reader.read(&mut record)? {
            break;
        }
        record.check_width(width)?;
        table.row(&record).map_err(|fault| fault.line(record.line))?;
    }
    table.finish(source)
}

/// What a column of the file is.
enum Part {
    /// About the message: the column of the structure, its id, its name, the action, the update.
    Structure,
    StructureId,
    StructureName,
    Action,
    Updated,
    /// The key of a series, whose first part is the dataflow.
    Key,
    Time,
    Figure,
    /// Place in the sheet.
    Dimension(usize),
    Attribute(usize),
    /// The name of what stands before it.
    Name(usize),
    Skip,
}

/// A file while it is read.
struct Reading<'a> {
    sheet: Sheet,
    parts: Vec<Part>,
    options: &'a ImportOptions,
    decimal_comma: bool,
    /// Whether cells hold `code: name`.
    labelled: bool,
    has_time: bool,
    status: Vec<usize>,
    /// The smallest id, so that the order of rows does not matter.
    flow: Option<(String, String)>,
    updated: String,
    names: BTreeMap<usize, Names>,
    groups: Vec<Group>,
}

impl<'a> Reading<'a> {
    fn new(
        header: &Record<'_>,
        options: &'a ImportOptions,
        decimal_comma: bool,
    ) -> Result<Self, ImportError> {
        let titles: Vec<&str> = (0..header.cells.len()).map(|at| header.cell(at)).collect();
        let mut sheet = Sheet::new(&[FIGURE]);
        let parts = parts(&titles, &mut sheet)?;
        let status = STATUS.iter().filter(|id| titles.iter().any(|title| self::id(title) == **id));
        let status = status.map(|id| sheet.column(id)).collect::<Result<Vec<usize>, ImportError>>()?;
        Ok(Self {
            sheet,
            options,
            decimal_comma,
            labelled: titles.iter().any(|title| title.contains(':')),
            has_time: parts.iter().any(|part| matches!(part, Part::Time)),
            parts,
            status,
            flow: None,
            updated: String::new(),
            names: BTreeMap::new(),
            groups: Vec::new(),
        })
    }

    fn row(&mut self, record: &Record<'_>) -> Result<(), ImportError> {
        let (mut period, mut cell, mut open) = (None, "", false);
        for at in 0..self.parts.len() {
            let text = record.cell(at);
            match self.parts.get(at).unwrap_or(&Part::Skip) {
                Part::Dimension(place) => {
                    open |= OPEN.contains(&text);
                    self.sheet.set(*place, text);
                }
                Part::Attribute(place) => drop(self.sheet.set(*place, text)),
                Part::Time => {
                    open |= OPEN.contains(&text);
                    period = Some(text).filter(|text| !OPEN.contains(text));
                }
                Part::Figure => cell = text,
                Part::Name(place) => name(self.names.entry(*place).or_default(), record.cell(at - 1), text),
                Part::Skip | Part::Structure => {}
                _ => self.about(at, text, record)?,
            }
        }
        let number = if self.labelled { code(cell) } else { cell };
        let figure = self.figure(number).map_err(|fault| fault.column(FIGURE))?;
        if open && figure.is_none() {
            return self.group(record);
        }
        let period = period.map(|text| {
            let text = if self.labelled { code(text) } else { text };
            sdmx::period(text, self.options.frequency).map_err(|fault| fault.column(TIME[0]))
        });
        let period = period.transpose()?;
        if period.is_none() && self.has_time {
            return Err(ImportError::new("identifier", "an identifier may not be empty").column(TIME[0]));
        }
        if figure.is_none() {
            self.sheet.gaps.count(number);
        }
        let remarked = self.status.iter().any(|place| self.sheet.has(*place));
        self.sheet.push(period, &[figure], remarked, record.line)
    }

    fn figure(&self, cell: &str) -> Result<Option<schemas::decimal::Decimal>, ImportError> {
        if self.decimal_comma && cell.contains(',') {
            return value::comma_number(cell).map(Some);
        }
        sdmx::figure(cell)
    }

    /// A cell about the message.
    fn about(&mut self, at: usize, text: &str, record: &Record<'_>) -> Result<(), ImportError> {
        match self.parts.get(at) {
            Some(Part::Action) => action(text)?,
            Some(Part::StructureId) => {
                let (id, title) = text.split_once(": ").unwrap_or((text, ""));
                let next = self.parts.get(at + 1);
                let title =
                    if matches!(next, Some(Part::StructureName)) { record.cell(at + 1) } else { title };
                if self.flow.as_ref().is_none_or(|(known, _)| id < known.as_str()) {
                    self.flow = Some((id.to_owned(), title.to_owned()));
                }
            }
            Some(Part::Key) => {
                let id = text.split('.').next().unwrap_or_default();
                if self.flow.as_ref().is_none_or(|(known, _)| id < known.as_str()) {
                    self.flow = Some((id.to_owned(), String::new()));
                }
            }
            Some(Part::Updated) if *text > *self.updated => text.clone_into(&mut self.updated),
            _ => {}
        }
        Ok(())
    }

    /// A row that leaves dimensions open gives attributes to all observations that have the others.
    fn group(&mut self, record: &Record<'_>) -> Result<(), ImportError> {
        if self.groups.len() == GROUPS_MAX {
            return Err(ImportError::new("group", format!("more than {GROUPS_MAX} rows without a figure")));
        }
        let (mut key, mut attributes) = (Vec::new(), Vec::new());
        for (at, part) in self.parts.iter().enumerate() {
            let text = record.cell(at);
            match part {
                Part::Dimension(place) if !OPEN.contains(&text) => key.push((*place, text.to_owned())),
                Part::Attribute(place) if !text.is_empty() => attributes.push((*place, text.to_owned())),
                _ => {}
            }
        }
        self.sheet.rows += 1;
        self.groups.push(Group::new(key, attributes));
        Ok(())
    }

    fn finish(mut self, source: SourceFile<'_>) -> Result<ImportedTable, ImportError> {
        self.sheet.spread(&self.groups)?;
        let ids: Vec<String> = self.sheet.ids().map(str::to_owned).collect();
        let mut header = Header::default();
        for (place, id) in ids.iter().enumerate() {
            let labels = if self.labelled { self.sheet.unlabel(place) } else { None };
            let names = self.names.remove(&place).or(labels);
            header.names.extend(names.map(|names| (id.clone(), names)));
        }
        if let Some((id, title)) = self.flow {
            header.reference(&id);
            header.title = title;
        }
        header.day(&self.updated);
        let places =
            |wanted: fn(&Part) -> Option<usize>| self.parts.iter().filter_map(wanted).collect::<Vec<_>>();
        let dimensions = places(|part| if let Part::Dimension(place) = part { Some(*place) } else { None });
        let attributes = places(|part| if let Part::Attribute(place) = part { Some(*place) } else { None });
        let read = self.sheet.finish(&dimensions, &attributes)?;
        header.over(Format::SdmxCsv, source, read)
    }
}

/// What each column is.
fn parts(titles: &[&str], sheet: &mut Sheet) -> Result<Vec<Part>, ImportError> {
    let find = |names: &[&str]| titles.iter().position(|title| names.contains(&&*id(title)));
    let figure = find(&[FIGURE]).ok_or_else(|| {
        ImportError::new("column-missing", format!("expected the column `{FIGURE}`"))
            .value(titles.iter().take(8).copied().collect::<Vec<_>>().join(","))
            .hint("say what its measure is: import it as `csv` with a mapping")
    })?;
    let border = find(&TIME).map_or(figure, |time| time.min(figure));
    // With names beside the codes, every second column is a name.
    let named = titles.contains(&"STRUCTURE_NAME") || titles.contains(&"Time");
    let mut parts: Vec<Part> = Vec::with_capacity(titles.len());
    for (at, title) in titles.iter().enumerate() {
        let id = &*id(title);
        let about = match id {
            "STRUCTURE" if at == 0 => Some(Part::Structure),
            "STRUCTURE_ID" | "DATAFLOW" => Some(Part::StructureId),
            "STRUCTURE_NAME" => Some(Part::StructureName),
            "ACTION" => Some(Part::Action),
            "LAST UPDATE" => Some(Part::Updated),
            "KEY" if at == 0 => Some(Part::Key),
            "SERIES_KEY" | "OBS_KEY" | "" => Some(Part::Skip),
            _ => None,
        };
        let part = match (about, parts.last()) {
            (Some(part), _) => part,
            (None, Some(Part::Dimension(place) | Part::Attribute(place))) if named => Part::Name(*place),
            (None, Some(Part::Time | Part::Figure)) if named && id != STATUS[0] => Part::Skip,
            (None, _) if TIME.contains(&id) => Part::Time,
            (None, _) if at == figure => Part::Figure,
            (None, _) => {
                let place = sheet.column(id)?;
                let twice =
                    |part: &Part| matches!(part, Part::Dimension(at) | Part::Attribute(at) if *at == place);
                if parts.iter().any(twice) {
                    return Err(ImportError::new("column-twice", format!("two columns are called `{id}`")));
                }
                if at < border && !roles::is_attribute(id) {
                    Part::Dimension(place)
                } else {
                    Part::Attribute(place)
                }
            }
        };
        parts.push(part);
    }
    Ok(parts)
}

/// Refuses rows that take observations away, and actions that nobody knows.
fn action(text: &str) -> Result<(), ImportError> {
    match code(text) {
        "" | "I" | "A" | "M" | "R" => Ok(()),
        "D" => Err(sdmx::deletion().column("ACTION")),
        _ => Err(ImportError::new("action", "expected an action: I, A, M, R or D")
            .column("ACTION")
            .value(text)),
    }
}

/// The code of `code: name`.
fn code(cell: &str) -> &str {
    cell.split_once(": ").map_or(cell, |(code, _)| code)
}

/// Keeps the smallest name of a code, so that the order of rows does not matter.
fn name(names: &mut Names, code: &str, name: &str) {
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
    fn headers_tell_their_delimiter_and_ids() {
        for (text, expected) in [
            ("STRUCTURE,STRUCTURE_ID", b','),
            ("STRUCTURE[;],STRUCTURE_ID", b','),
            ("STRUCTURE[|];STRUCTURE_ID;ACTION", b';'),
            ("\"DATAFLOW\",\"FREQ\"", b','),
            ("DATAFLOW\tFREQ", b'\t'),
            ("DATAFLOW", b','),
        ] {
            assert_eq!(delimiter(text), expected, "{text}");
        }
        for (cell, expected) in [
            ("STRUCTURE[;]", "STRUCTURE"),
            ("DIM_1: Dimension 1", "DIM_1"),
            ("FREQ:Frequency", "FREQ"),
            ("CONTACT[].NAME[en;fr]", "CONTACT.NAME"),
        ] {
            assert_eq!(id(cell), expected);
        }
    }

    #[test]
    fn actions() {
        for text in ["I", "A", "M", "R", "", "I: Information"] {
            assert_eq!(action(text), Ok(()));
        }
        assert_eq!(action("D").unwrap_err().code, "deletion");
        assert_eq!(action("X").unwrap_err().code, "action");
    }
}
